"""The coverage of a target by the open pipeline."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.logs import By, amount_of, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel.errors import DataError, DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import coverage_ratio, pipeline, pipeline_coverage
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage


@given(oracles(), groupings, st.integers(0, 100))
def test_it_counts_as_the_definitions_say(oracle: Oracle, by: By, target: int) -> None:
    log = log_of(oracle)
    table = pipeline_coverage(log, target, by=by, as_of=oracle.as_of)

    rows = []
    for labels, part in parts(oracle, by).items():
        amounts = {"open": 0.0, "won": 0.0, "lost": 0.0, "churned": 0.0}
        for history in part.histories().values():
            amounts[part.status(history)] += amount_of(history)
        won = amounts["won"] + amounts["churned"]
        missing = target - won
        coverage = amounts["open"] / missing if missing > 0 else None
        rows.append(
            named(labels, by)
            | {"target": target, "won_amount": won, "remaining": missing}
            | {"open_amount": amounts["open"], "coverage": coverage}
        )
    assert list(table.select(*(rows[0] if rows else ())).rows()) == rows
    same = pipeline(log, by_stage=False, by=by, as_of=oracle.as_of)
    assert table["open"].tolist() == same["open"].tolist()
    np.testing.assert_array_equal(table["weighted"], same["weighted"])


FUNNEL = Funnel([Stage("lead", probability=0.2), Stage("demo", probability=0.5)])


def log(*deals: tuple[str, str, float | None, str, str | None]) -> StageLog:
    """Return a log of deals: owner, state, amount, when it came there, when it should close."""
    owners, states, amounts, when, closes = zip(*deals, strict=True)
    return StageLog.from_columns(
        FUNNEL,
        opportunity=list(range(len(deals))),
        stage=list(states),
        entered_at=list(when),
        amount=list(amounts),
        attributes={"owner": list(owners), "expected_close": list(closes)},
        tz="Asia/Shanghai",
    )


DEALS = log(
    ("li", "won", 100, "2025-12-31T23:59:59", None),
    ("li", "won", 200, "2026-01-01T00:00:00", None),
    ("li", "demo", 600, "2026-02-10", "2026-03-31"),
    ("li", "lead", 500, "2026-02-10", "2026-04-01"),
    ("na", "won", 300, "2026-02-01", None),
    ("na", "lead", 50, "2026-02-11", None),
)


def test_a_small_case_by_hand() -> None:
    table = pipeline_coverage(DEALS, 1000)

    (row,) = table.rows()
    assert row["won_amount"] == 600
    assert row["remaining"] == 400
    assert row["open_amount"] == 1150
    assert row["coverage"] == 1150 / 400
    assert row["weighted"] == 600 * 0.5 + 550 * 0.2
    assert row["weighted_coverage"] == 410 / 400
    assert table.to_text().splitlines()[4].split() == [
        *("1,000", "600", "400", "3", "1,150", "2.88", "410", "1.02"),
    ]
    assert "Coverage: open amount ÷ what is missing to the target" in table.to_text()


def test_a_target_for_the_period_of_the_day() -> None:
    table = pipeline_coverage(DEALS, 1000, period="quarter", by="owner")

    assert table["won_amount"].tolist() == [200, 300]
    assert table["open_amount"].tolist() == [1100, 50]
    assert (
        "Sales count from the start of 2026Q1, in the time zone Asia/Shanghai." in table.to_text()
    )
    elsewhere = pipeline_coverage(DEALS, 1000, period="quarter", by="owner", tz="UTC")
    assert elsewhere["won_amount"].tolist() == [0, 300]
    assert pipeline_coverage(DEALS, 1000, period="day")["won_amount"].tolist() == [0]


def test_only_what_should_close_in_time() -> None:
    table = pipeline_coverage(DEALS, 1000, period="quarter", close="expected_close")

    assert table["open"].tolist() == [1]
    assert table["open_amount"].tolist() == [600]
    assert table["coverage"].tolist() == [600 / 500]
    text = table.to_text()
    assert "should close by the end of it count as pipeline; 1 without a date does not." in text
    with pytest.raises(DefinitionError, match="close= needs period="):
        pipeline_coverage(DEALS, 1000, close="expected_close")
    with pytest.raises(DataError, match="'li', 'na' cannot be read as an ISO 8601 date"):
        pipeline_coverage(DEALS, 1000, period="quarter", close="owner")


def test_a_target_of_zero_or_met_leaves_nothing_to_cover() -> None:
    table = pipeline_coverage(DEALS, {"li": 0, "na": 300}, by="owner")

    assert np.isnan(table["coverage"]).all()
    assert np.isnan(table["weighted_coverage"]).all()
    assert table["remaining"].tolist() == [-300, 0]
    text = table.to_text()
    assert "A target of 0 has no coverage." in text
    assert "Where the target is met, nothing is missing that could be covered." in text
    plain = pipeline_coverage(DEALS, 1000).to_text()
    assert "target of 0" not in plain
    assert "is met" not in plain


def test_targets_by_group() -> None:
    table = pipeline_coverage(DEALS, {"li": Decimal(400)}, by="owner")

    np.testing.assert_array_equal(table["target"], [400, math.nan])
    np.testing.assert_array_equal(table["coverage"], [11, math.nan])
    both = pipeline_coverage(DEALS, {("na", None): 350}, by=["owner", "expected_close"])
    assert both["coverage"][-1] == 1
    with pytest.raises(UnknownAttributeError, match="names the owner 'wu', which the log does not"):
        pipeline_coverage(DEALS, {"wu": 1}, by="owner")
    with pytest.raises(DefinitionError, match="names groups by owner, so each by 1 labels, not"):
        pipeline_coverage(DEALS, {("li", "x"): 1}, by="owner")
    with pytest.raises(DefinitionError, match="so by= says of what they are groups"):
        pipeline_coverage(DEALS, {"li": 1})
    selected = pipeline_coverage(DEALS, {"li": 1, "na": 400}, by="owner", where={"owner": "na"})
    assert selected["target"].tolist() == [400]


@pytest.mark.parametrize("target", [-1, math.nan, math.inf, "1000", True, None])
def test_what_is_no_target_is_refused(target: object) -> None:
    with pytest.raises(DefinitionError, match="a target is a finite amount, 0 or more, not"):
        pipeline_coverage(DEALS, target)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["won", "lead"])
def test_a_negative_amount_leaves_no_coverage_and_the_notes_say_so(state: str) -> None:
    when = "2026-02-01"
    refunded = log(("li", state, -5, when, None), ("li", "lead", 90, when, None))

    table = pipeline_coverage(refunded, 100)
    assert np.isnan(table["coverage"]).all()
    assert "Where an amount is negative, there is no coverage." in table.to_text()


def test_the_formula_takes_arrays() -> None:
    found = coverage_ratio([900, 900, 900], [500, 200, 0], [200, 200, 0])

    np.testing.assert_array_equal(found, [3, math.nan, math.nan])


def test_an_empty_log_covers_nothing() -> None:
    empty = StageLog.from_columns(FUNNEL, opportunity=[], stage=[], entered_at=[])

    assert pipeline_coverage(empty, 100, period="quarter")["coverage"].tolist() == [0]
