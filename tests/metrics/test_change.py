"""Each period beside an earlier one, recomputed with pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, groupings, log_of, oracles, spread
from oracle import Oracle
from statsmodels.stats.proportion import confint_proportions_2indep

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import change_by_period, trend_by_period
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import Period

HOUR = 3_600_000_000
BACK = {"day": 364, "week": 52, "month": 12, "quarter": 4, "year": 1}
spans = st.sampled_from([("day", 24 * 80), ("month", 24 * 100), ("quarter", 5_000)])


@settings(max_examples=40)
@given(oracles(), groupings, spans, st.sampled_from(["previous", "year"]))
def test_what_was_before_is_as_pandas_shifts_it(
    oracle: Oracle, by: By, span: tuple[str, int], against: str
) -> None:
    unit, hours = span
    oracle = spread(oracle, hours * HOUR)
    log = log_of(oracle)
    table = change_by_period(log, against, period=unit, by=by, as_of=oracle.as_of)

    trend = trend_by_period(log, period=unit, by=by, as_of=oracle.as_of)
    frame = pd.DataFrame({name: trend[name] for name in trend.columns})
    back = 1 if against == "previous" else BACK[unit]
    labels = [] if by is None else [by] if isinstance(by, str) else list(by)
    for name in ("created", "won", "lost", "won_amount"):
        if labels:
            before = frame.groupby(labels, dropna=False, sort=False)[name].shift(back)
        else:
            before = frame[name].shift(back)
        change = ((frame[name] - before) / before.replace(0, np.nan)).where(frame["complete"])
        np.testing.assert_array_equal(table[name], frame[name])
        np.testing.assert_array_equal(table[f"{name}_before"], before.astype(float))
        np.testing.assert_allclose(table[f"{name}_change"], change.astype(float), rtol=1e-12)
    closed = table["won"] + table["lost"]
    before = [np.nan_to_num(table[f"{name}_before"]).astype(int) for name in ("won", "lost")]
    check_rate(table, "win_rate", table["won"].tolist(), closed.tolist())
    check_rate(table, "win_rate_before", before[0].tolist(), (before[0] + before[1]).tolist())


FUNNEL = Funnel(["lead"])


def closed(*months: tuple[str, int, int]) -> StageLog:
    """Return a log of opportunities that closed at once: won and lost ones in some months."""
    rows = [
        (f"{month}-{number}", state, f"{month}-15")
        for month, won, lost in months
        for number, outcome in enumerate(["won"] * won + ["lost"] * lost)
        for state in ("lead", outcome)
    ]
    ids, states, days = zip(*rows, strict=True)
    return StageLog.from_columns(
        FUNNEL, opportunity=list(ids), stage=list(states), entered_at=list(days), tz="UTC"
    )


MONTHS = closed(("2025-01", 48, 32), ("2025-02", 56, 14), ("2026-01", 3, 7), ("2026-02", 1, 0))


def test_a_change_by_hand() -> None:
    table = change_by_period(MONTHS, as_of="2026-02-20")

    first, second, *_, january, february = table.rows()
    assert [first[name] for name in ("won_before", "won_change", "win_rate_difference")] == [
        None
    ] * 3
    assert first["win_rate_before_denominator"] == 0
    assert (second["won_before"], second["won_change"]) == (48, (56 - 48) / 48)
    assert second["win_rate_difference"] == 0.8 - 0.6
    low, high = confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff")
    assert second["win_rate_difference_low"] == pytest.approx(low, rel=1e-12)
    assert second["win_rate_difference_high"] == pytest.approx(high, rel=1e-12)
    assert second["direction"] == "up"
    assert january["direction"] is None  # nothing was closed in December
    assert january["won_change"] is None
    # A month that is not over is no fall, but its rate can be compared.
    assert (february["complete"], february["won_change"]) == (False, None)
    assert february["win_rate_difference"] == pytest.approx(0.7)


def test_a_year_before_is_the_same_period_of_that_year() -> None:
    table = change_by_period(MONTHS, "year", as_of="2026-02-28")

    rows = {row["period"]: row for row in table.rows()}
    assert rows["2026-01"]["won_before"] == 48
    assert rows["2026-01"]["direction"] is None
    assert rows["2026-02"]["win_rate_difference"] == pytest.approx(0.2)
    assert rows["2025-12"]["won_before"] is None
    quarter = change_by_period(MONTHS, "year", by=Period("quarter"))
    assert quarter["created_before"].tolist()[-1] == 150


@pytest.mark.parametrize(("unit", "back"), BACK.items())
def test_a_year_before_of_each_period(unit: str, back: int) -> None:
    log = closed(("2024-01", 1, 0), ("2026-02", 1, 0))
    table = change_by_period(log, "year", period=unit)

    assert np.isnan(table["won_before"][:back]).all()
    assert table["won_before"].tolist()[back] == 1


def test_the_text_says_what_is_compared() -> None:
    previous, year = change_by_period(MONTHS), change_by_period(MONTHS, "year")

    assert previous.to_text().startswith("Change against the period before")
    assert year.to_text("zh").startswith("与上年同期比较")
    assert "20.0% (5.2–33.4)" in previous.to_text()
    assert "Up" in previous.to_text()
    assert "下降" not in previous.to_text("zh").split("\n\n")[1]
    assert "amount" not in previous.to_text()


def test_a_fall_is_named_too() -> None:
    table = change_by_period(closed(("2025-01", 56, 14), ("2025-02", 48, 32)))
    assert table["direction"].tolist() == [None, "down"]
    assert "下降" in table.to_text("zh")


def test_an_empty_log_has_no_changes() -> None:
    log = StageLog.from_columns(FUNNEL, opportunity=[], stage=[], entered_at=[], tz="UTC")
    assert len(change_by_period(log)) == len(change_by_period(log, "year")) == 0


@pytest.mark.parametrize("against", ["before", None, 12])
def test_what_is_compared_is_one_of_two(against: Any) -> None:
    with pytest.raises(DefinitionError, match="against= is one of previous, year, not"):
        change_by_period(MONTHS, against)
