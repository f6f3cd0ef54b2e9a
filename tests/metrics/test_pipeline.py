"""The open pipeline, beside the definitions in plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.logs import By, groupings, log_of, named, oracles, parts
from oracle import Oracle, last_known

from salesfunnel.errors import DataError, DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import pipeline, pipeline_by_period, weighted_pipeline
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

# ── by stage ──────────────────────────────────────────────────────────────────────────────────────


@given(oracles(), groupings, st.booleans())
def test_open_deals_count_where_they_stand(oracle: Oracle, by: By, by_stage: bool) -> None:
    table = pipeline(log_of(oracle), by_stage=by_stage, by=by, as_of=oracle.as_of)

    rows = []
    for labels, part in parts(oracle, by).items():
        still = [h for h in part.histories().values() if part.status(h) == "open"]
        for stage in range(part.n_presale) if by_stage else [None]:
            here = [h for h in still if stage is None or h[-1].state == stage]
            amounts = [last_known(row.amount for row in history) for history in here]
            rows.append(
                named(labels, by)
                | ({} if stage is None else {"stage": f"s{stage}"})
                | {
                    "open": len(here),
                    "amount": sum(amount for amount in amounts if amount is not None),
                    "without_amount": amounts.count(None),
                }
            )
    assert list(table.select(*(rows[0] if rows else ())).rows()) == (rows or [])
    # These stages have no probability.
    np.testing.assert_array_equal(np.isnan(table["weighted"]), table["amount"] > 0)


FUNNEL = Funnel(
    [
        Stage("lead", probability=0.1),
        Stage("demo", probability=0.5),
        Stage("offer"),
        Stage("care", post_sale=True),
    ]
)
Deal = tuple[str, float | None, str | None]


def log(*deals: Deal, entered_at: str = "2026-03-10", funnel: Funnel = FUNNEL) -> StageLog:
    """Return a log of deals: where each stands, its amount and when it should close."""
    states, amounts, closes = zip(*deals, strict=True) if deals else ((), (), ())
    return StageLog.from_columns(
        funnel,
        opportunity=list(range(len(deals))),
        stage=list(states),
        entered_at=[entered_at] * len(deals),
        amount=list(amounts),
        attributes={"expected_close": list(closes), "owner": ["li"] * len(deals)},
        tz="UTC",
    )


def test_amounts_are_weighted_by_the_chance_at_their_stage() -> None:
    table = pipeline(log(("lead", 1000, None), ("demo", 400, None), ("demo", 100, None)))

    assert table["stage"].tolist() == ["lead", "demo", "offer"]
    assert table["open"].tolist() == [1, 2, 0]
    assert table["weighted"].tolist() == [100, 250, 0]
    whole = pipeline(
        log(("lead", 1000, None), ("demo", 500, None), ("won", 9, None), ("care", 9, None)),
        by_stage=False,
    )
    assert whole["weighted"].tolist() == [350]
    text = table.to_text()
    assert [line.split() for line in text.splitlines()[4:7]] == [
        ["Lead", "10.0%", "1", "1,000", "100"],
        ["Demo", "50.0%", "2", "500", "250"],
        ["Offer", "–", "0", "0", "0"],
    ]
    assert "counts at the stage where it stands" in text
    assert "Without an amount" not in text


def test_a_stage_without_a_probability_is_named() -> None:
    unweighted = log(("lead", 1000, None), ("offer", 10, None), ("lead", None, None))

    table = pipeline(unweighted)
    np.testing.assert_array_equal(table["weighted"], [100, 0, np.nan])
    assert "Stages without a probability leave the weighted amount open: Offer." in table.to_text()
    assert "Without an amount" in table.to_text()
    assert table["without_amount"].tolist() == [1, 0, 0]
    assert np.isnan(pipeline(unweighted, by_stage=False)["weighted"]).all()
    worthless = pipeline(log(("lead", 1000, None), ("offer", None, None)))
    assert worthless["weighted"].tolist() == [100, 0, 0]
    assert "without a probability" not in worthless.to_text()


def test_a_negative_amount_is_not_weighted_and_the_notes_say_so() -> None:
    table = pipeline(log(("lead", 1000, None), ("lead", -10, None), ("demo", 10, None)))

    np.testing.assert_array_equal(table["weighted"], [np.nan, 5, 0])
    assert table["amount"].tolist() == [990, 10, 0]
    assert "Where an open amount is negative, there is no weighted amount." in table.to_text()


def test_a_snapshot_of_a_past_day() -> None:
    moved = StageLog.from_columns(
        FUNNEL,
        opportunity=["A", "A", "B"],
        stage=["lead", "demo", "lead"],
        entered_at=["2026-01-05", "2026-02-05", "2026-02-07"],
        amount=[100, 200, 50],
        tz="UTC",
    )

    assert pipeline(moved, as_of="2026-01-31")["weighted"].tolist() == [10, 0, 0]
    assert pipeline(moved)["weighted"].tolist() == [5, 100, 0]
    assert "As of 2026-01-31" in pipeline(moved, as_of="2026-01-31").to_text()


def test_the_formula_takes_leading_axes() -> None:
    found = weighted_pipeline([[1000, 400, 0], [0, 0, 5]], [0.25, 0.5, np.nan])

    np.testing.assert_array_equal(found, [450, np.nan])


# ── by expected close ─────────────────────────────────────────────────────────────────────────────

CLOSES = log(
    ("lead", 100, "2026-02-28"),
    ("demo", 200, "2026-03-09"),
    ("demo", 40, "2026-03-10"),
    ("demo", None, "2026-03-31T23:30:00Z"),
    ("lead", 10, "2027-01-01"),
    ("lead", 5, None),
    ("won", 7, "2026-03-31"),
)


def test_open_deals_by_the_month_in_which_they_should_close() -> None:
    table = pipeline_by_period(CLOSES)

    assert list(table.rows()) == [
        dict(zip(table.columns, row, strict=True))
        for row in [
            ("2026-02", 1, 1, 100.0, 0, 10.0),
            ("2026-03", 3, 1, 240.0, 1, 120.0),
            ("2027-01", 1, 0, 10.0, 0, 1.0),
            (None, 1, 0, 5.0, 0, 0.5),
        ]
    ]
    text = table.to_text()
    assert text.splitlines()[2].split()[:2] == ["Expected", "close"]
    assert text.splitlines()[7].split()[0] == "–"
    assert "Periods are cut in the time zone UTC." in text
    assert "Overdue: should have closed before that day" in text


def test_periods_and_zones_of_the_expected_close() -> None:
    assert pipeline_by_period(CLOSES, period="year")["period"].tolist() == ["2026", "2027", None]
    assert pipeline_by_period(CLOSES, by=["quarter", "owner"])["open"].tolist() == [4, 1, 1]
    shanghai = pipeline_by_period(CLOSES, tz="Asia/Shanghai")
    assert shanghai["period"].tolist() == ["2026-02", "2026-03", "2026-04", "2027-01", None]


@given(st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(1, 28)), max_size=20))
def test_rows_add_up_to_the_open_pipeline(deals: list[tuple[int, int | None]]) -> None:
    state = FUNNEL.states
    given = log(
        *(
            (state[code], float(code), None if day is None else f"2026-02-{day:02}")
            for code, day in deals
        )
    )
    table = pipeline_by_period(given, period="week")

    expected = Counter(day for code, day in deals if code < 3)
    assert table["open"].sum() == expected.total()
    assert table["amount"].sum() == sum(code for code, _ in deals if code < 3)
    assert table["overdue"].sum() == sum(n for day, n in expected.items() if day is not None)
    assert table["period"].tolist()[: len(table) - (None in expected)] == sorted(
        label for label in table["period"].tolist() if label is not None
    )


def test_what_is_no_date_is_refused() -> None:
    with pytest.raises(DataError, match="but 'March', 'soon' cannot be read as an ISO 8601 date"):
        pipeline_by_period(log(("lead", 1, "soon"), ("demo", 1, "March"), ("lead", 1, "soon")))
    # Of those that count; the others may say what they like.
    assert len(pipeline_by_period(log(("won", 1, "soon")))) == 0
    many = log(*(("lead", 1.0, f"week {number:02}") for number in range(12)))
    with pytest.raises(DataError, match="'week 09' and 2 more cannot be read as '%d/%m/%Y'"):
        pipeline_by_period(many, date_format="%d/%m/%Y")
    with pytest.raises(UnknownAttributeError, match="no attribute 'due'"):
        pipeline_by_period(CLOSES, close="due")
    with pytest.raises(DefinitionError, match=r"Period\.unit is one of"):
        pipeline_by_period(CLOSES, period="decade")


def test_dates_of_another_form() -> None:
    other = log(("lead", 1, "31/03/2026"), ("demo", 1, "01/04/2026"))

    table = pipeline_by_period(other, date_format="%d/%m/%Y")
    assert table["period"].tolist() == ["2026-03", "2026-04"]


def test_nothing_is_expected_of_an_empty_log() -> None:
    assert len(pipeline_by_period(log())) == 0
    assert pipeline(log())["open"].tolist() == [0, 0, 0]
