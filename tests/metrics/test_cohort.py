"""Cohorts followed to an age, one opportunity at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.test_reach import came
from metrics.checks import check_rate
from metrics.frames import axis, deals, periods
from metrics.logs import By, groupings, log_of, named, oracles, parts, spread
from oracle import History, Oracle

from salesfunnel.errors import DefinitionError, UnknownStateError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import (
    conversion_by_cohort,
    retention_by_cohort,
    stage_table,
    triangle_by_cohort,
    win_rate_by_cohort,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage
from salesfunnel.periods import Period
from salesfunnel.table import Table

DAY = 86_400_000_000
ZONES = ["UTC", "America/New_York"]
spans = st.sampled_from([("day", 1), ("month", 20), ("quarter", 60)])
"""A period, and days between two times."""
ages_in_days = st.integers(1, 100)
Members = list[tuple[Oracle, History]]


def cohorts(
    oracle: Oracle, by: By, unit: str, zone: str
) -> list[tuple[dict[str, Any], int, Members]]:
    """Return each cohort of each group: its labels, when it is complete, and who is in it."""
    frame = deals(oracle)
    if not len(frame):
        return []
    assert oracle.as_of is not None
    names, _ = axis(frame["created"].min(), oracle.as_of, unit, zone)
    found = []
    for labels, part in parts(oracle, by).items():
        histories = list(part.histories().values())
        born = periods([history[0].time for history in histories], unit, zone)
        for name in names:
            members = [(part, h) for h, when in zip(histories, born, strict=True) if when == name]
            found.append(({**named(labels, by), "period": name}, _end(name, unit, zone), members))
    return found


def _end(name: str, unit: str, zone: str) -> int:
    import pandas as pd

    period = pd.Period(name, freq={"day": "D", "month": "M", "quarter": "Q"}[unit])
    end = (period + 1).start_time.tz_localize(zone)
    return int(end.value) // 1000 - 1


def closed_by(age: int) -> Callable[[Oracle, History], str]:
    """Return a function that tells what became of an opportunity by an age."""

    def outcome(part: Oracle, history: History) -> str:
        status = part.status(history)
        if status == "open":
            return "open"
        sold = [row for row in part.since_the_sale(history) if row.state != part.lost]
        closed = history[-1].time if status == "lost" else sold[0].time
        late = closed - history[0].time > age
        return "open" if late else "lost" if status == "lost" else "won"

    return outcome


@settings(max_examples=40)
@given(oracles(), groupings, spans, ages_in_days, st.sampled_from(ZONES))
def test_win_rates_count_what_was_closed_by_that_age(
    oracle: Oracle, by: By, span: tuple[str, int], days: int, zone: str
) -> None:
    unit, step = span
    oracle = spread(oracle, step * DAY)
    table = win_rate_by_cohort(
        log_of(oracle), f"{days}d", period=unit, by=by, as_of=oracle.as_of, tz=zone
    )

    outcome = closed_by(days * DAY)
    rows = cohorts(oracle, by, unit, zone)
    numerator, closed, created = [], [], []
    for row, (labels, end, members) in zip(table.rows(), rows, strict=True):
        assert oracle.as_of is not None
        seen = end + days * DAY <= oracle.as_of
        found = [outcome(*member) for member in members]
        assert {**labels, "complete": seen, "created": len(members)}.items() <= row.items()
        for name in ("won", "lost", "open"):
            assert row[name] == (found.count(name) if seen else None)
        numerator.append(found.count("won") * seen)
        closed.append((found.count("won") + found.count("lost")) * seen)
        created.append(len(members) * seen)
    check_rate(table, "win_rate", numerator, closed)
    check_rate(table, "won_share", numerator, created)


@settings(max_examples=40)
@given(oracles(), groupings, spans, ages_in_days)
def test_conversion_counts_who_came_so_far_by_that_age(
    oracle: Oracle, by: By, span: tuple[str, int], days: int
) -> None:
    unit, step = span
    oracle = spread(oracle, step * DAY)
    within = timedelta(days=days)
    table = conversion_by_cohort(log_of(oracle), within, period=unit, by=by, as_of=oracle.as_of)

    expected, entered, advanced, created = [], [], [], []
    for labels, end, members in cohorts(oracle, by, unit, "UTC"):
        assert oracle.as_of is not None
        seen = end + days * DAY <= oracle.as_of
        far = [
            sum(
                state <= part.furthest(history)
                and came(part, history, state) - history[0].time <= days * DAY
                for part, history in members
            )
            for state in range(oracle.n_stages + 1)
        ]
        for stage in range(oracle.n_stages):
            expected.append({**labels, "complete": seen, "stage": f"s{stage}"})
            entered.append(far[stage] * seen)
            advanced.append(far[stage + 1] * seen)
            created.append(len(members) * seen)
    names = list(expected[0]) if expected else []
    assert list(table.select(*names).rows()) == expected
    check_rate(table, "conversion_rate", advanced, entered)
    check_rate(table, "cumulative_conversion", entered, created)
    seen_rows = table["complete"].astype(bool)
    np.testing.assert_array_equal(table["entered"], np.where(seen_rows, entered, np.nan))
    np.testing.assert_array_equal(table["advanced"], np.where(seen_rows, advanced, np.nan))


@settings(max_examples=40)
@given(oracles(), st.sampled_from(["won", "lost", "open", "s0"]), st.sets(ages_in_days, min_size=1))
def test_a_triangle_is_one_cohort_table_for_each_age(
    oracle: Oracle, outcome: str, days: set[int]
) -> None:
    oracle = spread(oracle, 20 * DAY)
    log, by, as_of = log_of(oracle), "owner", oracle.as_of
    ages = [f"{age}d" for age in days]
    table = triangle_by_cohort(log, outcome, ages=ages, by=by, as_of=as_of)
    wide = retention_by_cohort(log, outcome, ages=ages, by=by, as_of=as_of)

    order = sorted(days)
    assert len(table) == len(wide) * len(order)
    for position, age in enumerate(order):
        rates = win_rate_by_cohort(log, f"{age}d", by=by, as_of=as_of)
        if outcome == "s0":
            part = rates["won_share_denominator"]  # everyone came to the first stage
        else:
            part = np.where(rates["complete"], rates[outcome], 0).astype(np.int64)
        whole = rates["won_share_denominator"].tolist()
        mine = slice(position, None, len(order))
        check_rate(wide, f"age_{age}d", part.tolist(), whole)
        assert table["numerator"][mine].tolist() == part.tolist()
        assert table["denominator"][mine].tolist() == whole
        assert table["complete"][mine].tolist() == rates["complete"].tolist()
        assert set(table["age_days"][mine].tolist()) <= {age}
        assert table["owner"][mine].tolist() == wide["owner"].tolist()
        assert table["period"][mine].tolist() == wide["period"].tolist()
    check_rate(table, "value", table["numerator"].tolist(), table["denominator"].tolist())


@settings(max_examples=40)
@given(oracles())
def test_once_all_are_old_enough_cohorts_add_up_to_the_funnel(oracle: Oracle) -> None:
    log = log_of(spread(oracle, 20 * DAY))
    table = conversion_by_cohort(log, "4000d", period="year", as_of="2060-01-01")

    seen = table["complete"].astype(bool)
    whole = stage_table(log, as_of="2060-01-01")
    totals = [table["entered"][seen & (table["stage"] == stage)].sum() for stage in whole["stage"]]
    assert totals == whole["entered"].tolist()


# ── by hand ───────────────────────────────────────────────────────────────────────────────────────

FUNNEL = Funnel([Stage("lead"), Stage("offer", names={"zh": "报价"})])
LOG = StageLog.from_columns(
    FUNNEL,
    opportunity=["A", "A", "B", "B", "C", "C", "C", "D", "E", "E", "E"],
    stage=["lead", "won", "lead", "lost", "lead", "offer", "won", "lead", "lead", "won", "offer"],
    entered_at=[
        *("2026-01-01", "2026-01-31"),  # won on the 30th day
        *("2026-01-10", "2026-02-10"),  # lost on the 31st
        *("2026-01-31", "2026-02-10", "2026-04-01"),
        "2026-02-05",
        *("2026-02-06", "2026-02-07", "2026-02-08"),  # a sale that was undone
    ],
    tz="UTC",
)


def values(table: Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in table.rows()]


def test_a_win_rate_by_hand() -> None:
    names = ("period", "complete", "created", "won", "lost", "open")
    rows = values(win_rate_by_cohort(LOG, "30d"), *names)

    assert rows == [
        ("2026-01", True, 3, 1, 0, 2),
        ("2026-02", True, 2, 0, 0, 2),
        ("2026-03", False, 0, None, None, None),
        ("2026-04", False, 0, None, None, None),
    ]
    longer = values(win_rate_by_cohort(LOG, "31d"), *names)
    assert longer[0] == ("2026-01", True, 3, 1, 1, 1)
    at_60 = win_rate_by_cohort(LOG, "60d", as_of="2026-04-01")
    assert values(at_60, *names)[0] == ("2026-01", True, 3, 2, 1, 0)  # to the end of 1 April


def test_a_cohort_is_complete_when_its_last_instant_is_so_old() -> None:
    def complete(as_of: str) -> list[bool]:
        return win_rate_by_cohort(LOG, "28d", as_of=as_of)["complete"].tolist()  # type: ignore[no-any-return]

    assert complete("2026-02-28T23:59:59.999998+00:00") == [False, False]
    assert complete("2026-02-28T23:59:59.999999+00:00") == [True, False]
    assert complete("2026-02-28") == [True, False]


def test_the_text_says_what_is_followed() -> None:
    text = win_rate_by_cohort(LOG, "30d").to_text()
    assert "followed for 30 d from its first entry" in text
    assert "in the time zone UTC" in text
    assert "跟踪 1.5 天" in conversion_by_cohort(LOG, "36h").to_text("zh")
    assert "No cohort can be followed for 400 d yet." in win_rate_by_cohort(LOG, "400d").to_text()
    assert "No cohort" not in text
    assert triangle_by_cohort(LOG).to_text().startswith("Share of each cohort by age: Won")
    offers = retention_by_cohort(LOG, "offer", ages=["7d", "60d"])
    assert offers.to_text("zh").startswith("各创建批次在各时长的占比：报价")
    assert "60 天" in offers.to_text("zh")
    assert "7 d" in offers.to_text().splitlines()[2]


def test_a_triangle_by_hand() -> None:
    table = triangle_by_cohort(LOG, "offer", as_of="2026-04-01")

    # From the end of January to 1 April: 60 days.
    assert values(table, "period", "age_days", "numerator", "denominator") == [
        ("2026-01", 30, 2, 3),
        ("2026-01", 60, 2, 3),
        ("2026-02", 30, 1, 2),
        ("2026-02", 60, 0, 0),
        *((f"2026-{month}", days, 0, 0) for month in ("03", "04") for days in (30, 60)),
    ]


@pytest.mark.parametrize(
    ("unit", "step"), [("day", 1), ("week", 7), ("month", 30), ("quarter", 90), ("year", 365)]
)
def test_a_triangle_has_as_many_ages_as_the_first_cohort_can_be_followed(
    unit: str, step: int
) -> None:
    young = triangle_by_cohort(LOG, period=unit, as_of="2026-01-01")
    old = triangle_by_cohort(LOG, period=unit, as_of="2060-01-01")

    assert set(young["age_days"].tolist()) == {step}
    assert sorted(set(old["age_days"].tolist())) == [step * n for n in range(1, 25)]


FUNCTIONS = [win_rate_by_cohort, conversion_by_cohort, triangle_by_cohort, retention_by_cohort]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_period_may_be_one_of_the_groups(function: Any) -> None:
    assert function(LOG, by="quarter") == function(LOG, period=Period("quarter"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_empty_log_has_no_cohorts(function: Any) -> None:
    empty = StageLog.from_columns(FUNNEL, opportunity=[], stage=[], entered_at=[], tz="UTC")
    for table in (function(empty), function(LOG, as_of="2025-12-31")):
        assert len(table) == 0
        assert "(no rows)" in table.to_text()


@pytest.mark.parametrize("within", ["soon", "0d", timedelta(0), 30])
def test_an_age_is_a_duration(within: Any) -> None:
    message = "a duration is a positive timedelta or a text such as '14d', '36h', '90min', not"
    with pytest.raises(DefinitionError, match=message):
        win_rate_by_cohort(LOG, within)
    with pytest.raises(DefinitionError, match=message):
        triangle_by_cohort(LOG, ages=[within])


@pytest.mark.parametrize("ages", ["30d", timedelta(days=3), 30, []])
def test_ages_are_durations(ages: Any) -> None:
    with pytest.raises(DefinitionError, match=r"ages= are durations, as in \('30d', '60d'\)"):
        retention_by_cohort(LOG, ages=ages)


def test_an_outcome_is_a_state() -> None:
    with pytest.raises(UnknownStateError, match="'demo'"):
        triangle_by_cohort(LOG, "demo")


def test_an_age_may_be_longer_than_the_calendar() -> None:
    assert not win_rate_by_cohort(LOG, timedelta.max)["complete"].any()
