"""Business hours, beside a clock that is read minute by minute and numpy's business days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from salesfunnel.errors import DefinitionError
from salesfunnel.periods import EPOCH, FIRST, LAST, BusinessCalendar

MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000
HOUR = DAY // 24
MINUTE = HOUR // 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def micro(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


# ── beside a slow clock ───────────────────────────────────────────────────────────────────────────


class Plan(NamedTuple):
    """A calendar in plain words: hours in minutes of the day, by day of the week and by date."""

    week: list[list[tuple[int, int]]]
    dates: dict[date, list[tuple[int, int]]]
    zone: tzinfo

    def calendar(self) -> BusinessCalendar:
        week = {
            name: [(_clock(a), _clock(b)) for a, b in spans]
            for name, spans in zip(DAYS, self.week, strict=True)
            if spans
        }
        worked = {
            day: [(_clock(a), _clock(b)) for a, b in spans]
            for day, spans in self.dates.items()
            if spans
        }
        off = [day for day, spans in self.dates.items() if not spans]
        return BusinessCalendar(week, holidays=off, workdays=worked, tz=self.zone)

    def minutes(self, start: int, end: int) -> int:
        """Count the working minutes from one minute to another, one by one."""
        count = 0
        for minute in range(start, end):
            shown = (EPOCH + timedelta(minutes=minute)).astimezone(self.zone)
            spans = self.dates.get(shown.date(), self.week[shown.weekday()])
            clock = shown.hour * 60 + shown.minute
            count += any(a <= clock < b for a, b in spans)
        return count


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


CHANGES = {
    "America/New_York": ["2026-03-08T07:00Z", "2026-11-01T06:00Z"],
    "Europe/London": ["2026-03-29T01:00Z", "2026-10-25T01:00Z"],
    "America/Sao_Paulo": ["2018-02-18T02:00Z", "2018-11-04T03:00Z"],  # at midnight
    "Australia/Lord_Howe": ["2024-04-06T15:00Z", "2024-10-05T15:30Z"],  # by half an hour
    "Pacific/Apia": ["2011-12-30T10:00Z"],  # a day is left out
    "Asia/Shanghai": ["2026-10-01T00:00Z"],  # no change
    "UTC": ["1969-12-31T12:00Z"],
}
spans = st.lists(st.integers(0, 1440), max_size=4, unique=True).map(
    lambda edges: [(a, b) for a, b in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)]
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Plan, int, int]:
    """Draw a calendar and two minutes around a change of its clocks."""
    name = draw(st.sampled_from(list(CHANGES)))
    change = micro(draw(st.sampled_from(CHANGES[name]))) // MINUTE
    week = draw(st.lists(spans, min_size=7, max_size=7).filter(any))
    start = change + draw(st.integers(-2_000, 500))
    first = (EPOCH + timedelta(minutes=start)).astimezone(UTC).date()
    dates = st.integers(-1, 4).map(lambda days: first + timedelta(days=days))
    plan = Plan(week, draw(st.dictionaries(dates, spans, max_size=2)), ZoneInfo(name))
    return plan, start, start + draw(st.integers(0, 2_500))


@given(cases(), st.integers(0, MINUTE - 1))
def test_working_time_is_what_a_clock_counts_minute_by_minute(
    case: tuple[Plan, int, int], aside: int
) -> None:
    plan, start, end = case
    calendar = plan.calendar()
    expected = plan.minutes(start, end)

    ends = np.array([start, end]) * MINUTE
    assert calendar.business_microseconds(*ends) == expected * MINUTE
    assert calendar.business_microseconds(*ends[::-1]) == -expected * MINUTE
    # Within a minute all of it is working time or nothing is.
    working = plan.minutes(end, end + 1)
    assert calendar.business_microseconds(ends[0], ends[1] + aside) == (
        expected * MINUTE + aside * working
    )


@settings(max_examples=40)
@given(
    st.lists(st.integers(FIRST, LAST) | st.integers(0, 80 * 366 * DAY), min_size=3, max_size=3),
    st.sampled_from(["UTC", "Asia/Shanghai"]),
)
@example([FIRST, 0, LAST], "UTC")
def test_parts_of_a_stretch_of_time_add_up(instants: list[int], zone: str) -> None:
    calendar = BusinessCalendar(holidays=["2026-10-01"], workdays=["2026-10-10"], tz=zone)
    one, two, three = (np.array(instant) for instant in instants)

    whole = calendar.business_microseconds(one, three)
    parts = calendar.business_microseconds(one, two) + calendar.business_microseconds(two, three)
    assert whole == parts


# ── beside numpy's business days ──────────────────────────────────────────────────────────────────


@given(
    st.lists(st.tuples(*[st.dates(date(1960, 1, 1), date(2060, 1, 1))] * 2), max_size=5),
    st.lists(st.booleans(), min_size=7, max_size=7).filter(any),
    st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), max_size=10),
)
def test_whole_days_are_those_of_busday_count(
    pairs: list[tuple[date, date]], weekmask: list[bool], holidays: list[date]
) -> None:
    calendar = BusinessCalendar(
        ("00:00", "24:00"),
        weekend=[name for name, works in zip(DAYS, weekmask, strict=True) if not works],
        holidays=holidays,
    )
    starts, ends = np.array(pairs, "datetime64[D]").reshape(-1, 2).T
    forward = starts <= ends  # busday_count goes back in another way than forth

    expected = np.busday_count(starts[forward], ends[forward], weekmask, holidays)
    found = calendar.business_microseconds(starts[forward], ends[forward])
    assert (found == expected * DAY).all()


# ── by hand ───────────────────────────────────────────────────────────────────────────────────────


def hours(calendar: BusinessCalendar, start: str, end: str) -> float:
    return float(calendar.business_seconds(start, end)) / 3600


def test_a_make_up_day_is_worked_and_a_holiday_is_not() -> None:
    # The autumn holidays of 2026 in China: Saturday 10 October makes up for one of them.
    calendar = BusinessCalendar(
        [("09:00", "12:00"), ("13:30", "18:00")],
        holidays=[date(2026, 10, day) for day in range(1, 8)],
        workdays=[date(2026, 10, 10)],
        tz="Asia/Shanghai",
    )

    assert calendar.seconds_per_day == 7.5 * 3600
    assert hours(calendar, "2026-10-01T00:00+08:00", "2026-10-08T00:00+08:00") == 0
    assert hours(calendar, "2026-10-10T00:00+08:00", "2026-10-12T00:00+08:00") == 7.5
    assert hours(calendar, "2026-09-30T17:00+08:00", "2026-10-08T10:00+08:00") == 2
    assert hours(calendar, "2026-10-08T11:00+08:00", "2026-10-08T14:00+08:00") == 1.5
    assert hours(calendar, "2026-10-08T12:15+08:00", "2026-10-08T13:15+08:00") == 0


def test_hours_may_differ_by_day_of_the_week_and_by_date() -> None:
    calendar = BusinessCalendar(
        {"Monday": ("09:00", "17:00"), "fri": (time(9), time(12, 30))},
        workdays={"2026-12-26": ("10:00", "11:00"), date(2026, 12, 28): ("09:00", "10:00")},
    )

    assert calendar.seconds_per_day == (8 + 3.5) / 2 * 3600
    assert hours(calendar, "2026-12-21T00:00Z", "2026-12-26T00:00Z") == 11.5
    assert hours(calendar, "2026-12-26T00:00Z", "2026-12-27T00:00Z") == 1
    assert hours(calendar, "2026-12-28T00:00Z", "2026-12-29T00:00Z") == 1


def test_a_day_on_which_clocks_change_is_longer_or_shorter() -> None:
    always = BusinessCalendar(("00:00", "24:00"), weekend=(), tz="America/New_York")
    night = BusinessCalendar(("00:00", "06:00"), weekend=(), tz="America/New_York")

    spring = ("2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00")
    autumn = ("2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00")
    assert (hours(always, *spring), hours(always, *autumn)) == (23, 25)
    assert (hours(night, *spring), hours(night, *autumn)) == (5, 7)


def test_the_zone_of_a_calendar_comes_first_and_utc_last() -> None:
    day = (micro("2026-10-12T00:00Z"), micro("2026-10-12T12:00Z"))
    here, anywhere = BusinessCalendar(tz="Asia/Shanghai"), BusinessCalendar()
    new_york = ZoneInfo("America/New_York")

    assert here.business_seconds(*day, tz=new_york) == 9 * 3600  # 8:00 to 20:00
    assert anywhere.business_seconds(*day, tz=new_york) == 0
    assert anywhere.business_seconds(*day) == 3 * 3600


def test_arrays_broadcast_and_what_is_unknown_is_nan() -> None:
    calendar = BusinessCalendar()
    starts = np.array([["2026-10-12T10:00", "NaT"]], "datetime64[m]")
    ends = np.array([["2026-10-12T11:00"], ["2026-10-12T12:00"]], "datetime64[s]")

    seconds = calendar.business_seconds(starts, ends)
    np.testing.assert_array_equal(seconds, [[3600, np.nan], [7200, np.nan]])
    assert calendar.business_microseconds([], []).shape == (0,)
    assert calendar.business_microseconds([], []).dtype == np.int64


def test_many_instants_are_worked_on_in_parts() -> None:
    calendar = BusinessCalendar(tz="Europe/London")
    rng = np.random.default_rng(5)
    instants = rng.integers(micro("2020-01-01T00:00Z"), micro("2027-01-01T00:00Z"), (2, 150_000))

    found = calendar.business_microseconds(*instants)
    for index in rng.integers(0, 150_000, 50):
        start, end = instants[:, index]
        assert calendar.business_microseconds(start, end) == found[index]


def test_calendars_of_the_same_days_are_equal() -> None:
    one = BusinessCalendar(("09:00", "17:00"), holidays=["2026-10-02", "2026-10-01"], tz="UTC")
    two = BusinessCalendar(
        {name: [(time(9), "17:00")] for name in DAYS[:5]},
        holidays=[date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 1)],
        tz=UTC,
    )

    assert one == two
    assert hash(one) == hash(two)
    assert one != BusinessCalendar(("09:00", "17:00"))


# ── what is no calendar ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weekend": DAYS}, "no day of the week has a working hour"),
        ({"hours": {}}, "no day of the week has a working hour: give hours="),
        ({"hours": []}, "no day of the week has a working hour"),
        ({"hours": {"mon": []}}, "no day of the week has a working hour"),
        ({"hours": ("18:00", "09:00")}, "end after they start, not ('18:00', '09:00')"),
        ({"hours": ("22:00", "00:00")}, "hours past midnight are two spans"),
        ({"hours": ("09:00", "25:00")}, "until '24:00' at most, not '25:00'"),
        ({"hours": ("24:00", "24:00")}, "until '24:00' at most, not '24:00'"),
        ({"hours": ("nine", "18:00")}, "as in ('09:00', '18:00')"),
        ({"hours": (time(9, tzinfo=UTC), time(18))}, "from one time of day to another"),
        ({"hours": "09:00"}, "are a pair of times, as in ('09:00', '18:00')"),
        ({"hours": 8}, "are a pair of times, as in ('09:00', '18:00')"),
        ({"hours": [8, 12]}, "working hours are pairs of times, not 8"),
        ({"hours": [("09:00", "12:00", "13:00")]}, "working hours are pairs of times"),
        ({"hours": [("13:00", "18:00"), ("09:00", "13:30")]}, "do not overlap"),
        ({"hours": {"noday": ("09:00", "12:00")}}, "one of mon, tue, …, sun, not 'noday'"),
        ({"hours": {0: ("09:00", "12:00")}}, "one of mon, tue, …, sun, not 0"),
        ({"hours": {"m": ("09:00", "12:00")}}, "one of mon, tue, …, sun, not 'm'"),
        (
            {"hours": {"sat": ("09:00", "12:00")}, "weekend": ["sat"]},
            "'sat' is in weekend= and has working hours too",
        ),
        ({"weekend": "sat"}, "weekend= are days, as in ['sat', 'sun'], not 'sat'"),
        ({"weekend": ["someday"]}, "one of mon, tue, …, sun, not 'someday'"),
        ({"holidays": "2026-10-01"}, "holidays= are dates, as in ['2026-10-01', …]"),
        ({"holidays": date(2026, 10, 1)}, "holidays= are dates"),
        ({"holidays": ["1 October"]}, "not '1 October'"),
        ({"holidays": [None]}, "None is none"),
        ({"workdays": 3}, "workdays= are dates"),
        ({"workdays": {"2026-10-10": "09:00"}}, "are a pair of times"),
        (
            {"holidays": ["2026-10-10"], "workdays": [date(2026, 10, 10)]},
            "2026-10-10 is in holidays= and in workdays=",
        ),
        ({"tz": "Asia/Peking"}, "not 'Asia/Peking'"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_no_calendar_is_told_what_one_is(
    arguments: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(DefinitionError) as refusal:
        BusinessCalendar(**arguments)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("instant", "message"),
    [
        (1.5, "instants are integers (microseconds since 1970 in UTC) or datetime64, not float64"),
        (LAST + 1, "in the years 1 to 9999"),
        (np.datetime64("NaT"), "in the years 1 to 9999"),
        ("soon", "an instant is an aware datetime"),
    ],
)
def test_what_is_no_instant_is_told_what_one_is(instant: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        BusinessCalendar().business_microseconds(0, instant)
    assert message in str(refusal.value)
