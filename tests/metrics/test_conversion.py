"""The stage table and the win rate, beside the definitions in plain Python."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, amount_of, groupings, log_of, named, oracles, parts
from oracle import Mode, Oracle

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import (
    conversion_rate,
    cumulative_conversion,
    loss_rate,
    resolved_conversion,
    stage_table,
    win_rate,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

MODES: tuple[Mode, ...] = get_args(Mode)
COUNTS = ["entered", "advanced", "lost", "open", "churned"]

# ── the stage table ───────────────────────────────────────────────────────────────────────────────


@given(oracles(), st.sampled_from(MODES), groupings)
def test_the_stage_table_counts_as_the_definitions_say(oracle: Oracle, mode: Mode, by: By) -> None:
    table = stage_table(log_of(oracle), mode, by=by, as_of=oracle.as_of)

    expected = []
    for labels, part in parts(oracle, by).items():
        counts = part.stage_counts(mode)
        for k in range(part.n_stages):
            row = {column: values[k] for column, values in counts.items()}
            expected.append(named(labels, by) | {"stage": f"s{k}"} | row)
    columns = [*named(next(iter(parts(oracle, by)), ()), by)] if expected else []
    skipped = ["skipped"] if mode == "strict" else []
    assert list(table.select(*columns, "stage", *COUNTS, *skipped).rows()) == expected
    assert ("skipped" in table) == (mode == "strict")


@given(oracles(), st.sampled_from(MODES), groupings)
def test_every_rate_is_what_its_name_says(oracle: Oracle, mode: Mode, by: By) -> None:
    table = stage_table(log_of(oracle), mode, by=by, as_of=oracle.as_of)
    entered, advanced, lost = (table[name].tolist() for name in ("entered", "advanced", "lost"))
    first = [entered[row - row % oracle.n_stages] for row in range(len(table))]
    post_sale = [row % oracle.n_stages >= oracle.n_presale for row in range(len(table))]

    check_rate(table, "conversion_rate", advanced, entered)
    check_rate(
        table,
        "loss_rate",
        [0 if after else n for n, after in zip(lost, post_sale, strict=True)],
        [0 if after else n for n, after in zip(entered, post_sale, strict=True)],
    )
    check_rate(
        table,
        "churn_rate",
        [n if after else 0 for n, after in zip(lost, post_sale, strict=True)],
        [n if after else 0 for n, after in zip(entered, post_sale, strict=True)],
    )
    check_rate(table, "cumulative_conversion", entered, first, bounded=mode != "actual")
    resolved = [a + b for a, b in zip(advanced, lost, strict=True)]
    check_rate(table, "resolved_conversion", advanced, resolved)


SERVICE = Funnel([Stage("lead"), Stage("demo"), Stage("service", post_sale=True)])
SALE_ONLY = Funnel(["lead", "demo"])


def log(*histories: str, funnel: Funnel = SERVICE) -> StageLog:
    """Return a log of histories such as ``"lead demo won"``, an entry an hour."""
    rows = [
        (f"O-{number}", state, f"2026-01-01T{hour:02}:00Z")
        for number, history in enumerate(histories)
        for hour, state in enumerate(history.split())
    ]
    ids, states, times = zip(*rows, strict=True) if rows else ((), (), ())
    return StageLog.from_columns(
        funnel, opportunity=list(ids), stage=list(states), entered_at=list(times)
    )


def test_a_service_has_open_deals_and_no_losses_for_people() -> None:
    text = stage_table(log("lead demo service", "lead lost", "lead demo service won")).to_text()

    assert [line.split() for line in text.splitlines()[4:7]] == [
        ["Lead", "3", "2", "1", "0", "66.7%", "(20.8–93.9)", "33.3%", "(6.1–79.2)"],
        ["Demo", "2", "2", "0", "0", "100.0%", "(34.2–100.0)", "0.0%", "(0.0–65.8)"],
        ["Service", "2", "1", "–", "1", "50.0%", "(9.5–90.5)", "–"],
    ]
    assert "At a post-sale stage “open” are won deals in service." in text


def test_churn_has_its_columns_only_where_there_is_any() -> None:
    without = stage_table(log("lead demo service"))
    churn = stage_table(log("lead demo service lost", "lead demo service"))
    sale_only = stage_table(log("lead demo won lost", funnel=SALE_ONLY))

    assert "Churned" not in without.to_text()
    assert "Churned" in churn.to_text()
    assert "Churn rate" in churn.to_text()
    assert churn["churn_rate"].tolist()[-1] == 0.5
    assert "Churned" in sale_only.to_text()
    assert "Churn rate" not in sale_only.to_text()
    assert sale_only["churned"].tolist() == [0, 1]


def test_without_post_sale_stages_nothing_is_said_of_them() -> None:
    assert "post-sale" not in stage_table(log("lead", funnel=SALE_ONLY)).to_text()


@pytest.mark.parametrize(
    ("mode", "note"),
    [
        ("reached", "reached it or a later one"),
        ("actual", "with an entry into it"),
        ("strict", "through every stage up to it, in order"),
    ],
)
def test_the_notes_say_how_was_counted_and_when(mode: str, note: str) -> None:
    text = stage_table(log("lead demo"), mode).to_text()

    assert note in text
    assert "As of 2026-01-01 01:00 UTC." in text
    assert "In parentheses: the 95% confidence interval (Wilson)." in text


def test_cumulative_conversion_may_exceed_one_where_entries_are_counted() -> None:
    table = stage_table(log("demo", "lead demo"), "actual")

    assert table["cumulative_conversion"].tolist() == [1, 2, 0]
    assert np.isnan(table["cumulative_conversion_high"]).all()


def test_an_empty_log_has_a_row_for_each_stage_and_no_rates() -> None:
    table = stage_table(log())

    assert table["stage"].tolist() == ["lead", "demo", "service"]
    assert table["entered"].tolist() == [0, 0, 0]
    rates = [name for name in table.columns if table.column(name).kind == "rate"]
    assert len(rates) == 15
    assert all(np.isnan(table[name]).all() for name in rates)
    assert "As of" not in table.to_text()


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(DefinitionError, match="mode= is one of reached, actual, strict, not 'all'"):
        stage_table(log("lead"), "all")


def test_an_unknown_attribute_is_refused() -> None:
    for metric in (stage_table, win_rate):
        with pytest.raises(UnknownAttributeError, match="no attribute 'owner'; it has none"):
            metric(log("lead"), by="owner")


# ── the win rate ──────────────────────────────────────────────────────────────────────────────────


@given(oracles(), groupings)
def test_the_win_rate_counts_as_the_definitions_say(oracle: Oracle, by: By) -> None:
    table = win_rate(log_of(oracle), by=by, as_of=oracle.as_of)

    rates = [part.win_rate() for part in parts(oracle, by).values()]
    check_rate(table, "value", [won for won, _ in rates], [resolved for _, resolved in rates])
    labels = [named(group, by) for group in parts(oracle, by)]
    assert list(table.select(*(labels[0] if labels else ())).rows()) == (labels if by else [])


@given(oracles(), groupings)
def test_the_win_rate_by_amount_weighs_each_by_its_last_known_one(oracle: Oracle, by: By) -> None:
    table = win_rate(log_of(oracle), by=by, as_of=oracle.as_of, weight="amount")

    amounts: list[dict[str, float]] = []
    for part in parts(oracle, by).values():
        amounts.append({"won": 0.0, "churned": 0.0, "lost": 0.0, "open": 0.0})
        for history in part.histories().values():
            amounts[-1][part.status(history)] += amount_of(history)
    won = [by_status["won"] + by_status["churned"] for by_status in amounts]
    resolved = [wins + by_status["lost"] for wins, by_status in zip(won, amounts, strict=True)]
    assert table["numerator"].tolist() == won
    assert table["denominator"].tolist() == resolved
    value = [w / r if r else math.nan for w, r in zip(won, resolved, strict=True)]
    np.testing.assert_array_equal(table["value"], np.array(value, float))
    assert np.isnan(table["low"]).all()
    assert np.isnan(table["high"]).all()


def test_a_win_rate_reads_as_a_sentence() -> None:
    text = win_rate(log("lead demo won", "lead lost", "lead")).to_text(notes=False)

    assert text.splitlines()[0] == "Win rate"
    assert text.splitlines()[2].split("  ")[-1] == "Won or lost"
    assert text.splitlines()[4].split() == ["50.0%", "(9.5–90.5)", "1", "2"]


def test_without_closed_deals_there_is_no_win_rate() -> None:
    for weight in ("count", "amount"):
        table = win_rate(log("lead", "demo"), weight=weight)
        assert np.isnan(table["value"]).all()
        assert table["denominator"].tolist() == [0]
        assert table.to_text(notes=False).splitlines()[4].split()[0] == "–"


def test_a_weight_that_is_none_is_refused() -> None:
    with pytest.raises(DefinitionError, match="weight= is one of count, amount, not 'value'"):
        win_rate(log("lead"), weight="value")


# ── on arrays of your own ─────────────────────────────────────────────────────────────────────────


def test_rates_take_any_leading_axes() -> None:
    entered = np.array([[10, 5, 0], [8, 8, 2]])
    advanced = np.array([[5, 0, 0], [8, 2, 1]])
    lost = np.array([[2, 5, 0], [0, 3, 0]])

    assert conversion_rate(entered, advanced).tolist()[1] == [1, 0.25, 0.5]
    assert loss_rate(entered, lost).tolist()[0][:2] == [0.2, 1]
    assert resolved_conversion(advanced, lost).tolist()[1] == [1, 0.4, 1]
    assert cumulative_conversion(entered).tolist()[1] == [1, 1, 0.25]
    for rate in (
        conversion_rate(entered, advanced),
        loss_rate(entered, lost),
        resolved_conversion(advanced, lost),
    ):
        assert rate.shape == (2, 3)
        assert math.isnan(rate[0, 2])


def test_without_a_first_entry_there_is_no_cumulative_conversion() -> None:
    assert np.isnan(cumulative_conversion([0, 0])).all()
    assert conversion_rate(4, 1).shape == ()
