"""Times in stages and sales cycles by a calendar of working hours."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.logs import By, groupings, log_of, oracles, parts, spread
from oracle import Oracle

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import ageing, sales_cycle, stalled, time_in_stage
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import BusinessCalendar

HOUR = 3_600_000_000
START = 1_791_158_400_000_000  # Monday 2026-10-05, midnight in UTC
OFFICE = BusinessCalendar(
    [("09:00", "12:00"), ("13:00", "18:00")],
    holidays=["2026-10-07"],
    workdays=["2026-10-10"],
    tz="Asia/Shanghai",
)
ALWAYS = BusinessCalendar(("00:00", "24:00"), weekend=())
calendars = st.sampled_from([OFFICE, ALWAYS])
TABLES: list[Any] = [time_in_stage, sales_cycle, ageing, stalled]


def days(start: int, end: int, calendar: BusinessCalendar) -> float:
    return float(calendar.business_seconds(start, end)) / calendar.seconds_per_day


@settings(max_examples=50)
@given(oracles(), groupings, calendars)
def test_visits_last_as_long_as_there_was_work(
    oracle: Oracle, by: By, calendar: BusinessCalendar
) -> None:
    oracle = spread(oracle, 17 * HOUR, START)
    table = time_in_stage(log_of(oracle), by=by, as_of=oracle.as_of, calendar=calendar)

    means, medians = [], []
    for part in parts(oracle, by).values():
        for stage in range(oracle.n_stages):
            lasted = [
                days(visit.time, following.time, calendar)
                for history in part.histories().values()
                for visit, following in pairwise(history)
                if visit.state == stage
            ]
            means.append(float(np.mean(lasted)) if lasted else np.nan)
            medians.append(float(np.median(lasted)) if lasted else np.nan)
    np.testing.assert_allclose(table["mean_days"], means, rtol=1e-9)
    np.testing.assert_allclose(table["median_days"], medians, rtol=1e-9)


@settings(max_examples=50)
@given(oracles(), groupings, calendars)
def test_cycles_last_as_long_as_there_was_work(
    oracle: Oracle, by: By, calendar: BusinessCalendar
) -> None:
    oracle = spread(oracle, 17 * HOUR, START)
    table = sales_cycle(log_of(oracle), by=by, as_of=oracle.as_of, calendar=calendar)

    means = []
    for part in parts(oracle, by).values():
        lasted = []
        for history in part.histories().values():
            if part.status(history) in ("won", "churned"):
                since = part.since_the_sale(history)
                sale = next(row for row in since if row.state != part.lost)
                lasted.append(days(history[0].time, sale.time, calendar))
        means.append(float(np.mean(lasted)) if lasted else np.nan)
    np.testing.assert_allclose(table["mean_days"], means, rtol=1e-9)


@pytest.mark.parametrize("function", TABLES)
@settings(max_examples=30)
@given(oracles(), groupings)
def test_around_the_clock_all_time_is_working_time(function: Any, oracle: Oracle, by: By) -> None:
    oracle = spread(oracle, 17 * HOUR, START)
    log, options = log_of(oracle), {"by": by, "as_of": oracle.as_of}

    assert function(log, calendar=ALWAYS, **options) == function(log, **options)


LOG = StageLog.from_columns(
    Funnel(["lead", "offer"]),
    opportunity=["A", "A", "A", "B"],
    stage=["lead", "offer", "won", "lead"],
    # Friday evening, the Saturday that is worked, Tuesday; and Monday.
    entered_at=["2026-10-09T16:00", "2026-10-10T10:00", "2026-10-13T10:00", "2026-10-12T18:00"],
    tz="Asia/Shanghai",
)


def test_a_visit_and_a_cycle_by_hand() -> None:
    visits = time_in_stage(LOG, calendar=OFFICE, as_of="2026-10-13T18:00")
    cycle = sales_cycle(LOG, calendar=OFFICE)

    # Lead: 2 h on Friday, 1 h on Saturday. Offer: 7 h on Saturday, 8 on Monday, 1 on Tuesday.
    assert visits["mean_days"].tolist() == [3 / 8, 2]
    assert cycle["mean_days"].tolist() == [19 / 8]
    # Half of the visits to lead ended within 3 h; that of B is 8 h old and goes on.
    assert visits["km_median_days"].tolist() == [3 / 8, 2]
    assert cycle["aj_median_days"].tolist() == [19 / 8]


@pytest.mark.parametrize("function", TABLES)
def test_the_text_says_what_a_day_is(function: Any) -> None:
    text = function(LOG, calendar=OFFICE).to_text()

    assert "a day is 8 h of it" in text
    assert "in the time zone Asia/Shanghai" in text
    assert "Days off besides the weekly ones: 1." in text
    half = BusinessCalendar(("09:00", "16:30"))
    assert "一天按 7.50 小时工作时间计" in function(LOG, calendar=half).to_text("zh")
    assert "Asia/Shanghai" in function(LOG, calendar=half).to_text()
    assert "working time" not in function(LOG).to_text()


def test_ages_by_hand() -> None:
    table = ageing(LOG, bands=["1d", "2d"], calendar=OFFICE, as_of="2026-10-13T18:00")

    # B is a lead since Monday 18:00: eight working hours, which are a day.
    assert table["numerator"].tolist() == [0, 1, 0, 0, 0, 0]
    assert ageing(LOG, bands=["1d", "2d"], as_of="2026-10-13T17:59")["numerator"][0] == 1


def test_a_calendar_without_a_working_hour_cannot_be() -> None:
    with pytest.raises(DefinitionError, match="working hour"):
        BusinessCalendar({})
    with pytest.raises(DefinitionError, match="working hour"):
        BusinessCalendar(weekend=["mon", "tue", "wed", "thu", "fri", "sat", "sun"])


def test_where_all_days_were_holidays_nothing_has_aged() -> None:
    idle = BusinessCalendar(holidays=[f"2026-10-{day:02}" for day in range(1, 32)])

    assert time_in_stage(LOG, calendar=idle)["mean_days"].tolist() == [0, 0]
    assert ageing(LOG, calendar=idle)["numerator"][0] == 1
    assert len(stalled(LOG, calendar=idle)) == 0


@pytest.mark.parametrize("function", TABLES)
@pytest.mark.parametrize("calendar", ["09:00", ("09:00", "18:00"), 8])
def test_what_is_no_calendar_is_refused(function: Any, calendar: Any) -> None:
    with pytest.raises(DefinitionError, match="calendar= is a BusinessCalendar, as in"):
        function(LOG, calendar=calendar)
