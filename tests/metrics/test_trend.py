"""Series by period, recomputed with pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.frames import axis, deals, periods
from metrics.logs import By, groupings, log_of, named, oracles, parts, spread
from oracle import Mode, Oracle

from salesfunnel.errors import DefinitionError, SizeError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import entered_by_period, moving_average, trend_by_period
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import PERIODS, Period
from salesfunnel.table import Table

HOUR = 3_600_000_000
START = 1_772_150_400_000_000  # 2026-02-27: clocks go forward in New York on 8 March
ZONES = ["UTC", "America/New_York", "Asia/Shanghai"]
spans = st.sampled_from([("day", 7), ("week", 31), ("month", 200), ("quarter", 500), ("year", 999)])
"""A period, and hours between two times, so that a history spans a few periods."""


def spread_out(oracle: Oracle, hours: int) -> Oracle:
    return spread(oracle, hours * HOUR, START)


# ── the trend ─────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=50)
@given(oracles(), groupings, spans, st.sampled_from(ZONES))
def test_series_are_as_pandas_counts_them(
    oracle: Oracle, by: By, span: tuple[str, int], zone: str
) -> None:
    unit, hours = span
    oracle = spread_out(oracle, hours)
    table = trend_by_period(log_of(oracle), period=unit, by=by, as_of=oracle.as_of, tz=zone)

    everything = deals(oracle)
    if not len(everything):
        assert len(table) == 0
        return
    assert oracle.as_of is not None
    labels, over = axis(everything["created"].min(), oracle.as_of, unit, zone)
    groups = parts(oracle, by)
    assert table["period"].tolist() == labels * len(groups)
    assert table["complete"].tolist() == ([True] * (len(labels) - 1) + [over]) * len(groups)
    rows = iter(table.rows())
    for members, part in groups.items():
        frame = deals(part)
        frame["created_in"] = periods(frame["created"], unit, zone)
        sold, lost = frame["status"].isin(["won", "churned"]), frame["status"] == "lost"
        closed = frame[sold | lost].copy()
        closed["in"] = periods(closed["closed"].astype("int64"), unit, zone)
        churned = periods(frame["churned_at"].dropna().astype("int64"), unit, zone)
        for period in labels:
            created = frame[frame["created_in"] == period]
            won = closed[sold[closed.index] & (closed["in"] == period)]
            gone = closed[lost[closed.index] & (closed["in"] == period)]
            row = next(rows)
            assert {**named(members, by), "period": period}.items() <= row.items()
            assert (row["created"], row["won"], row["lost"]) == (len(created), len(won), len(gone))
            assert row["churned"] == churned.count(period)
            assert row["created_amount"] == created["amount"].sum()
            assert row["won_amount"] == won["amount"].sum()
            assert row["lost_amount"] == gone["amount"].sum()
    check_rate(table, "win_rate", table["won"].tolist(), (table["won"] + table["lost"]).tolist())


@settings(max_examples=50)
@given(oracles(), st.sampled_from([(1, "day"), (15, "month"), (200, "quarter")]))
def test_periods_add_up_to_longer_ones_and_to_the_whole(
    oracle: Oracle, scale: tuple[int, str]
) -> None:
    oracle = spread_out(oracle, scale[0] * 24)
    log = log_of(oracle)
    names = ["created", "won", "lost", "churned", "created_amount", "won_amount", "lost_amount"]

    def by_year(unit: str) -> dict[str, list[float]]:
        table = trend_by_period(log, period=unit, as_of=oracle.as_of)
        years: dict[str, list[float]] = {}
        for row in table.rows():
            total = years.setdefault(row["period"][:4], [0] * len(names))
            years[row["period"][:4]] = [a + row[name] for a, name in zip(total, names, strict=True)]
        return years

    assert by_year(scale[1]) == by_year("year")
    status = deals(oracle)["status"]
    total = [sum(column) for column in zip(*by_year("year").values(), strict=True)] or [0] * 4
    churned = (status == "churned").sum()
    assert total[:4] == [
        len(status),
        (status == "won").sum() + churned,
        (status == "lost").sum(),
        churned,
    ]


FUNNEL = Funnel(["lead", "offer"])


def log(*entries: tuple[str, str, str], tz: str = "UTC", **columns: Any) -> StageLog:
    ids, states, days = zip(*entries, strict=True) if entries else ((), (), ())
    return StageLog.from_columns(
        FUNNEL,
        opportunity=list(ids),
        stage=list(states),
        entered_at=list(days),
        tz=tz,
        **columns,
    )


DEALS = log(
    ("A", "lead", "2026-01-05"),
    ("A", "won", "2026-01-20"),
    ("B", "lead", "2026-01-31"),
    ("B", "lost", "2026-03-02"),
    ("C", "lead", "2026-02-01"),
    ("C", "won", "2026-02-10"),
    ("C", "offer", "2026-03-01"),  # the sale was undone
    ("D", "lead", "2026-03-10"),
    ("D", "lost", "2026-03-11"),
    ("D", "lead", "2026-03-12"),  # and the loss reopened
    ("E", "offer", "2026-04-15"),
    amount=[1, 10, None, 20, 30, None, None, None, 4, None, 5],
    attributes={"owner": ["li", None, "na", *[None] * 8]},
)


def test_a_trend_by_hand() -> None:
    table = trend_by_period(DEALS)

    shown = table.select(
        "period", "complete", "created", "won", "lost", "won_amount", "lost_amount"
    )
    assert [tuple(row.values()) for row in shown.rows()] == [
        ("2026-01", True, 2, 1, 0, 10, 0),
        ("2026-02", True, 1, 0, 0, 0, 0),
        ("2026-03", True, 1, 0, 1, 0, 20),
        ("2026-04", False, 1, 0, 0, 0, 0),
    ]
    assert table["created_amount"].tolist() == [30, 30, 4, 5]
    check_rate(table, "win_rate", [1, 0, 0, 0], [1, 0, 1, 0])


def test_the_last_period_is_marked_until_it_is_over() -> None:
    open_end, over = trend_by_period(DEALS), trend_by_period(DEALS, as_of="2026-04-30")

    assert over["complete"].all()
    assert "2026-04 (not over)" in open_end.to_text()
    assert "2026-04（未结束）" in open_end.to_text("zh")
    assert "The last period was not over yet." in open_end.to_text()
    assert "not over" not in over.to_text()


@pytest.mark.parametrize("by", ["quarter", Period("quarter"), ["owner", Period("quarter")]])
def test_a_period_may_be_one_of_the_groups(by: Any) -> None:
    table = trend_by_period(DEALS, by=by)

    attributes = "owner" if isinstance(by, list) else None
    assert table == trend_by_period(DEALS, period="quarter", by=attributes)
    assert table == trend_by_period(DEALS, period=Period("quarter"), by=attributes)


def test_periods_are_cut_in_the_zone_of_the_log_or_another() -> None:
    late = log(("A", "lead", "2026-01-31T23:30-05:00"), tz="America/New_York")

    assert trend_by_period(late)["period"].tolist() == ["2026-01"]
    assert "in the time zone America/New_York." in trend_by_period(late).to_text()
    abroad = trend_by_period(late, tz="Asia/Shanghai")
    assert abroad["period"].tolist() == ["2026-02"]
    assert "in the time zone Asia/Shanghai." in abroad.to_text()


def test_moving_averages_are_of_complete_periods() -> None:
    table = trend_by_period(DEALS, average=2)

    nan = np.nan
    np.testing.assert_array_equal(table["created_average"], [nan, 1.5, 1, nan])
    np.testing.assert_array_equal(table["won_average"], [nan, 0.5, 0, nan])
    np.testing.assert_array_equal(table["lost_amount_average"], [nan, 0, 10, nan])
    check_rate(table, "win_rate_average", [0, 1, 0, 0], [0, 1, 1, 0])
    assert "Averages are over 2 periods" in table.to_text()
    assert trend_by_period(DEALS, average=9)["created_average"].tolist() == pytest.approx(
        [nan] * 4, nan_ok=True
    )


def test_amounts_and_churns_are_shown_where_there_are_some() -> None:
    bare = trend_by_period(log(("A", "lead", "2026-01-05")), average=2).to_text()
    assert "amount" not in bare
    assert "Churned" not in bare
    assert "Created amount, average" in trend_by_period(DEALS, average=2).to_text()
    churn = log(("A", "won", "2026-01-05"), ("A", "lost", "2026-01-06"))
    assert "Churned" in trend_by_period(churn).to_text()


# ── moving averages ───────────────────────────────────────────────────────────────────────────────


@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=4, max_size=4), max_size=3), st.integers(1, 6)
)
def test_a_moving_average_is_the_mean_of_the_latest(rows: list[list[int]], window: int) -> None:
    found = moving_average(np.array(rows).reshape(-1, 4), window)

    expected = [
        [np.nan if i + 1 < window else np.mean(row[i + 1 - window : i + 1]) for i in range(4)]
        for row in rows
    ]
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, 4), rtol=1e-14)


@pytest.mark.parametrize("window", [0, -1, 1.5, None, True])
def test_a_window_is_a_number_of_periods(window: Any) -> None:
    with pytest.raises(DefinitionError, match="number of periods, 1 or more, not"):
        moving_average([1, 2], window)


# ── entered ───────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=50)
@given(oracles(), groupings, spans, st.sampled_from(["reached", "actual", "strict"]))
def test_entered_by_period_adds_up_to_the_stage_table(
    oracle: Oracle, by: By, span: tuple[str, int], mode: Mode
) -> None:
    unit, hours = span
    oracle = spread_out(oracle, hours)
    table = entered_by_period(log_of(oracle), mode, period=unit, by=by, as_of=oracle.as_of)

    totals: dict[object, int] = {}
    for row in table.rows():
        place = tuple(value for name, value in row.items() if name in ("owner", "region", "stage"))
        totals[place] = totals.get(place, 0) + row["entered"]
    expected = {
        (*named(labels, by).values(), f"s{k}"): entered
        for labels, part in parts(oracle, by).items()
        if part.histories()
        for k, entered in enumerate(part.stage_counts(mode)["entered"])
    }
    assert totals == expected


def entered(table: Table) -> list[tuple[str, str, int]]:
    return list(zip(table["period"], table["stage"], table["entered"].tolist(), strict=True))


def test_entered_by_hand() -> None:
    assert entered(entered_by_period(DEALS, period="quarter")) == [
        ("2026Q1", "lead", 4),
        ("2026Q1", "offer", 2),  # A by its sale, C by its offer
        ("2026Q2", "lead", 1),
        ("2026Q2", "offer", 1),
    ]
    assert entered(entered_by_period(DEALS, "actual", by="quarter")) == [
        ("2026Q1", "lead", 4),
        ("2026Q1", "offer", 1),
        ("2026Q2", "lead", 0),
        ("2026Q2", "offer", 1),
    ]
    assert entered(entered_by_period(DEALS, "strict", period="year")) == [
        ("2026", "lead", 4),
        ("2026", "offer", 0),  # C was won before its offer
    ]


# ── nothing, and what is no period ────────────────────────────────────────────────────────────────


SERIES = [trend_by_period, entered_by_period]


@pytest.mark.parametrize("function", SERIES)
def test_an_empty_log_has_no_periods(function: Any) -> None:
    for table in (function(log()), function(DEALS, as_of="2025-12-31")):
        assert len(table) == 0
        assert "(no rows)" in table.to_text()


@pytest.mark.parametrize("function", SERIES)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"period": "fortnight"}, "is one of day, week, month, quarter, year, not 'fortnight'"),
        ({"period": "month", "by": "month"}, "one of the groups, not several: 'month', 'month'"),
        ({"by": ["week", Period("month")]}, "one of the groups, not several: 'week', 'month'"),
        ({"by": ["owner", "owner"]}, "several distinct ones"),
        ({"by": 3}, "by= is the name of an attribute or several distinct ones"),
        ({"tz": "Asia/Peking"}, "not 'Asia/Peking'"),
    ],
)
def test_what_is_no_period_is_told_what_one_is(
    function: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(DefinitionError) as refusal:
        function(DEALS, **arguments)
    assert message in str(refusal.value)


@pytest.mark.parametrize("function", SERIES)
def test_a_word_that_could_be_both_is_refused(function: Any) -> None:
    months = log(("A", "lead", "2026-01-05"), attributes={"month": ["May"]})

    with pytest.raises(DefinitionError, match=r"the period or the attribute of that name: write"):
        function(months, by="month")
    assert function(months, by=Period("month"))["period"].tolist()[0] == "2026-01"
    with pytest.raises(UnknownAttributeError, match="no attribute 'color'"):
        function(months, by="color")


@pytest.mark.parametrize("function", SERIES)
def test_too_many_periods_are_refused(function: Any) -> None:
    n = 9
    ages = log(
        *((f"O{i}", "lead", "0001-01-05") for i in range(n)),
        ("Z", "lead", "9999-01-05"),
        attributes={"owner": [f"li {i}" for i in range(n + 1)]},
    )
    with pytest.raises(SizeError, match=r"periods of \d+ groups are more than"):
        function(ages, period="day", by="owner")


def test_every_period_can_be_asked_for() -> None:
    found = {unit: trend_by_period(DEALS, by=unit)["period"].tolist()[0] for unit in PERIODS}
    assert found == {
        "day": "2026-01-05",
        "week": "2026-W02",
        "month": "2026-01",
        "quarter": "2026Q1",
        "year": "2026",
    }
