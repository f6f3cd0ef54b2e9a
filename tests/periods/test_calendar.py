"""Calendar periods in a business time zone, against Python's own calendar and clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from dateutil import tz
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.periods import (
    FIRST,
    LAST,
    PERIODS,
    Period,
    period_index,
    period_label,
    period_of,
    period_start,
    to_span,
    wall_to_utc,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001
MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000
HOUR = DAY // 24


def dateutil_zone(name: str) -> tzinfo:
    zone = tz.gettz(name)
    assert zone is not None
    return zone


NAMED = {
    name: ZoneInfo(name)
    for name in (
        "UTC",
        "Asia/Shanghai",  # summer time 1986–1991, 5:43 min off in 1901
        "America/New_York",
        "Europe/London",
        "Australia/Lord_Howe",  # half an hour of summer time
        "Pacific/Apia",  # no 2011-12-30
        "Africa/Casablanca",  # winter time in Ramadan
        "America/Sao_Paulo",  # clocks changed at midnight
        "America/St_Johns",  # clocks changed at one minute past
        "America/Juneau",  # 1867-10-18 twice
        "Africa/Freetown",  # two changes within four days, 1939
        "Africa/Monrovia",  # seconds in the offset until 1972
    )
}
ZONES: dict[str, tzinfo] = {
    "datetime.UTC": UTC,
    "-11:30": timezone(-timedelta(hours=11, minutes=30)),
    "+1 µs": timezone(MICROSECOND),
    **NAMED,
    "dateutil UTC": tz.UTC,
    "dateutil offset": tz.tzoffset("here", 20_700),
    "dateutil New York": dateutil_zone("America/New_York"),
    "dateutil Shanghai": dateutil_zone("Asia/Shanghai"),
    "dateutil POSIX": tz.tzstr("EST5EDT,M3.2.0,M11.1.0"),
}

CHANGES = [
    micro
    for text in (
        "1867-10-19T00:31:37",  # Juneau
        "1900-12-31T15:54:17",  # Shanghai
        "1939-09-01T01:00:00",  # Freetown
        "1939-09-05T00:40:00",
        "1972-01-07T00:44:30",  # Monrovia
        "1986-05-03T18:00:00",  # Shanghai
        "1986-09-13T15:00:00",
        "1991-09-14T15:00:00",
        "2006-04-02T03:31:00",  # St John's
        "2006-10-29T02:31:00",
        "2011-12-30T10:00:00",  # Apia
        "2018-02-18T02:00:00",  # São Paulo
        "2018-11-04T03:00:00",
        "2024-03-10T02:00:00",  # Casablanca
        "2024-04-14T02:00:00",
        "2024-04-06T15:00:00",  # Lord Howe
        "2024-10-05T15:30:00",
        "2025-10-26T01:00:00",  # London
        "2026-03-08T07:00:00",  # New York
        "2026-11-01T06:00:00",
        "2051-03-12T07:00:00",  # by the rule, after the last change that is listed
    )
    for micro in [(datetime.fromisoformat(text + "+00:00") - EPOCH) // MICROSECOND]
]


def moments(first: int, last: int) -> st.SearchStrategy[int]:
    """Instants, or wall-clock times: anywhere, in modern times, and around changes of clocks."""
    return st.one_of(
        st.integers(first, last),
        st.integers(-100 * 366 * DAY, 100 * 366 * DAY),
        st.builds(
            lambda change, hours, micro: change + hours * HOUR // 2 + micro,
            st.sampled_from(CHANGES),
            st.integers(-60, 60),
            st.integers(-1, 1),
        ),
    )


INSTANTS = moments(FIRST + DAY, LAST - DAY)  # their local time is in the calendar everywhere
NAMES = st.sampled_from(list(ZONES))
UNITS = st.sampled_from(PERIODS)


def array(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def micro(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def local_day(instant: int, zone: tzinfo) -> date:
    return (EPOCH + instant * MICROSECOND).astimezone(zone).date()


def python_index(day: date, unit: str) -> int:
    if unit == "day":
        return day.toordinal() - date(1970, 1, 1).toordinal()
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return (monday.toordinal() - date(1969, 12, 29).toordinal()) // 7
    years = day.year - 1970
    return {"month": years * 12 + day.month - 1, "quarter": years * 4 + (day.month - 1) // 3}.get(
        unit, years
    )


def python_label(day: date, unit: str) -> str:
    iso = day.isocalendar()
    return {
        "day": day.isoformat(),
        "week": f"{iso.year:04}-W{iso.week:02}",
        "month": f"{day.year:04}-{day.month:02}",
        "quarter": f"{day.year:04}Q{(day.month + 2) // 3}",
        "year": f"{day.year:04}",
    }[unit]


def python_utc(wall: int, zone: tzinfo) -> int:
    return ((NAIVE_EPOCH + wall * MICROSECOND).replace(tzinfo=zone) - EPOCH) // MICROSECOND


# ── the period of an instant ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=40)
@given(st.lists(INSTANTS, max_size=30), UNITS)
def test_a_period_is_that_of_the_local_date(name: str, instants: list[int], unit: str) -> None:
    zone = ZONES[name]
    expected = [python_index(local_day(instant, zone), unit) for instant in instants]
    index = period_index(array(instants), unit, zone)
    assert index.dtype == np.int64
    assert index.tolist() == expected
    assert period_index(array(instants * 4), unit, zone).tolist() == expected * 4  # by a table


@pytest.mark.parametrize("unit", PERIODS)
@pytest.mark.parametrize("name", ["Asia/Shanghai", "Pacific/Apia", "America/St_Johns", "+1 µs"])
def test_many_unsorted_instants_have_the_periods_of_their_local_dates(name: str, unit: str) -> None:
    zone = ZONES[name]
    rng = np.random.default_rng(7)
    changes = array([change for change in CHANGES if 0 < change < 60 * 366 * DAY])
    instants = rng.integers(micro("1985-01-01T00:00Z"), micro("2031-01-01T00:00Z"), 80_000)
    around = rng.choice(changes, 20_000) + rng.integers(-40 * HOUR, 40 * HOUR, 20_000)
    instants[rng.choice(80_000, 20_000, replace=False)] = around
    expected = [python_index(local_day(instant, zone), unit) for instant in instants.tolist()]
    assert period_index(instants, unit, zone).tolist() == expected


@pytest.mark.parametrize("unit", PERIODS)
@pytest.mark.parametrize("name", ["datetime.UTC", "America/New_York"])
def test_no_instants_have_no_periods(name: str, unit: str) -> None:
    index = period_index(array([]), unit, ZONES[name])
    assert index.shape == (0,)
    assert index.dtype == np.int64


def test_the_instants_stay_as_they_are() -> None:
    instants = array([5 * DAY, 3 * DAY])
    instants.flags.writeable = False
    for unit in PERIODS:
        period_index(instants, unit, NAMED["Europe/London"])
    wall_to_utc(instants, NAMED["Europe/London"])
    assert instants.tolist() == [5 * DAY, 3 * DAY]


@pytest.mark.parametrize(
    ("name", "last_before", "before", "after"),
    [
        ("America/New_York", "2026-03-09T03:59:59.999999Z", "2026-03-08", "2026-03-09"),
        ("America/New_York", "2026-03-08T04:59:59.999999Z", "2026-03-07", "2026-03-08"),
        ("America/Sao_Paulo", "2018-02-18T02:59:59.999999Z", "2018-02-17", "2018-02-18"),
        ("America/Sao_Paulo", "2018-11-04T02:59:59.999999Z", "2018-11-03", "2018-11-04"),
        ("Pacific/Apia", "2011-12-30T09:59:59.999999Z", "2011-12-29", "2011-12-31"),
        ("America/St_Johns", "2006-10-29T02:29:59.999999Z", "2006-10-28", "2006-10-29"),
        ("America/St_Johns", "2006-10-29T02:30:59.999999Z", "2006-10-29", "2006-10-28"),
        ("America/St_Johns", "2006-10-29T03:29:59.999999Z", "2006-10-28", "2006-10-29"),
        ("Asia/Shanghai", "1986-05-04T14:59:59.999999Z", "1986-05-04", "1986-05-05"),
        ("Asia/Shanghai", "1900-12-31T15:59:59.999999Z", "1900-12-31", "1901-01-01"),
    ],
)
def test_a_day_turns_at_one_microsecond(
    name: str, last_before: str, before: str, after: str
) -> None:
    turn = micro(last_before) + 1
    days = period_index(array([turn - 1, turn] * 4), "day", NAMED[name])
    assert [period_label(day, "day") for day in days.tolist()] == [before, after] * 4


def test_at_the_ends_of_the_calendar_the_local_year_may_be_0_or_10000() -> None:
    ends = array([FIRST, LAST])
    labels = {
        (name, unit): [period_label(i, unit) for i in period_index(ends, unit, zone).tolist()]
        for name, zone in ZONES.items()
        for unit in PERIODS
    }
    assert labels["datetime.UTC", "day"] == ["0001-01-01", "9999-12-31"]
    assert labels["datetime.UTC", "week"] == ["0001-W01", "9999-W52"]
    assert labels["America/New_York", "day"] == ["0000-12-31", "9999-12-31"]
    assert labels["America/New_York", "week"] == ["0000-W52", "9999-W52"]
    assert labels["America/New_York", "quarter"] == ["0000Q4", "9999Q4"]
    assert labels["dateutil POSIX", "month"] == ["0000-12", "9999-12"]
    assert labels["Asia/Shanghai", "day"] == ["0001-01-01", "10000-01-01"]
    assert labels["Asia/Shanghai", "year"] == ["0001", "10000"]


# ── odd clocks ────────────────────────────────────────────────────────────────────────────────────


class Restless(tzinfo):
    """Clocks that change twice within a day, in the middle of a second, and count who looks."""

    first = micro("2026-05-05T22:10:00.000007Z")
    second = micro("2026-05-06T08:00:00.5Z")

    def __init__(self) -> None:
        self.asked = 0

    def fromutc(self, moment: datetime) -> datetime:
        self.asked += 1
        instant = (moment.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
        hours = 0 if instant < self.first else 3 if instant < self.second else -9
        return moment + timedelta(hours=hours)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta(0)

    def dst(self, moment: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, moment: datetime | None) -> str:
        return "restless"


def test_clocks_may_change_twice_a_day_and_within_a_second() -> None:
    first, second = Restless.first, Restless.second
    instants = array([second, first - 1, second - 1, first, first + 2 * HOUR, second + 17 * HOUR])
    days = period_index(np.tile(instants, 2), "day", Restless()).tolist()
    assert [period_label(day, "day") for day in days] == [
        "2026-05-05",
        "2026-05-05",
        "2026-05-06",
        "2026-05-06",
        "2026-05-06",
        "2026-05-06",
    ] * 2


def test_a_zone_is_asked_about_its_changes_not_about_each_entry() -> None:
    zone = Restless()
    instants = np.random.default_rng(3).integers(
        micro("2026-01-01T00:00Z"), micro("2027-01-01T00:00Z"), 100_000
    )
    period_index(instants, "month", zone)
    assert zone.asked < 300


@pytest.mark.parametrize("times", [1, 1000])
def test_a_zone_is_not_asked_about_years_without_entries(times: int) -> None:
    zone = Restless()
    period_index(array([FIRST, LAST, 0] * times), "week", zone)
    assert zone.asked < 10


# ── where a period starts ─────────────────────────────────────────────────────────────────────────


@given(INSTANTS, UNITS, NAMES)
@example(micro("2011-12-31T12:00Z"), "day", "Pacific/Apia")
@example(micro("2006-10-29T12:00Z"), "day", "America/St_Johns")
@example(micro("1867-10-19T12:00Z"), "day", "America/Juneau")
def test_a_period_starts_at_its_first_instant(instant: int, unit: str, name: str) -> None:
    zone = ZONES[name]
    (index,) = period_index(array([instant]), unit, zone).tolist()
    start = period_start(index, unit, zone)
    before, at = period_index(array([start - 1, start]), unit, zone).tolist()
    assert start <= instant
    assert before < at == index


@pytest.mark.parametrize(
    ("name", "day", "start"),
    [
        ("datetime.UTC", "2026-03-05", "2026-03-05T00:00Z"),
        ("Asia/Shanghai", "2026-03-05", "2026-03-04T16:00Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z"),  # from 00:00 to 01:00
        ("America/St_Johns", "2006-04-02", "2006-04-02T03:30Z"),  # from 00:01 to 01:01
        ("America/St_Johns", "2006-10-29", "2006-10-29T02:30Z"),  # midnight twice
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z"),  # left out
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00Z"),
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30Z"),  # from 23:30 to 00:30
    ],
)
def test_a_day_starts_at_its_first_valid_time(name: str, day: str, start: str) -> None:
    zone = ZONES[name] if name in ZONES else ZoneInfo(name)
    index = python_index(date.fromisoformat(day), "day")
    assert period_start(index, "day", zone) == micro(start)


@pytest.mark.parametrize(
    ("unit", "index", "start"),
    [
        ("week", 0, "1969-12-29T00:00Z"),
        ("month", -1, "1969-12-01T00:00Z"),
        ("quarter", 225, "2026-04-01T00:00Z"),
        ("year", -1969, "0001-01-01T00:00Z"),
    ],
)
def test_periods_are_counted_from_1970(unit: str, index: int, start: str) -> None:
    assert period_start(index, unit, UTC) == micro(start)
    assert period_index(array([micro(start)]), unit, UTC).tolist() == [index]


# ── what a period is called ───────────────────────────────────────────────────────────────────────


@given(st.dates(), UNITS)
@example(date(2026, 3, 5), "week")
@example(date(2027, 1, 3), "week")  # 2026-W53
@example(date(2024, 12, 30), "week")  # 2025-W01
@example(date.min, "week")
@example(date.max, "week")
def test_a_label_is_that_of_the_iso_calendar(day: date, unit: str) -> None:
    assert period_label(python_index(day, unit), unit) == python_label(day, unit)


def test_labels_read_like_this() -> None:
    index = {unit: python_index(date(2026, 3, 5), unit) for unit in PERIODS}
    assert [period_label(index[unit], unit) for unit in PERIODS] == [
        "2026-03-05",
        "2026-W10",
        "2026-03",
        "2026Q1",
        "2026",
    ]


@given(st.lists(st.dates(), min_size=2), UNITS)
def test_labels_sort_by_time(days: list[date], unit: str) -> None:
    indices = sorted(python_index(day, unit) for day in days)
    labels = [period_label(index, unit) for index in indices]
    assert labels == sorted(labels)


@given(st.dates(date(1, 1, 3)), UNITS)
@example(date(2027, 1, 3), "week")
@example(date(9999, 12, 31), "week")
def test_a_label_leads_back_to_its_period(day: date, unit: str) -> None:
    index = python_index(day, unit)
    assert period_of(period_label(index, unit)) == (unit, index)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "spring",
        "26",
        "2026Q5",
        "2026-13",
        "2026-W54",
        "2026-02-30",
        "2026-3",
        "２０２６",
        "0000",
    ],
)
def test_what_is_no_label_leads_nowhere(text: str) -> None:
    assert period_of(text) is None


# ── stretches of time ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given_as", "start", "end"),
    [
        ("2026", "2026-01-01T00:00+08:00", "2026-12-31T23:59:59.999999+08:00"),
        ("2026Q1", "2026-01-01T00:00+08:00", "2026-03-31T23:59:59.999999+08:00"),
        ("2026-02", "2026-02-01T00:00+08:00", "2026-02-28T23:59:59.999999+08:00"),
        ("2026-W10", "2026-03-02T00:00+08:00", "2026-03-08T23:59:59.999999+08:00"),
        ("2026-03-05", "2026-03-05T00:00+08:00", "2026-03-05T23:59:59.999999+08:00"),
        (
            ("2026-03-05", date(2026, 3, 6)),
            "2026-03-05T00:00+08:00",
            "2026-03-06T23:59:59.999999+08:00",
        ),
        (
            ["2026-03-05T10:00", datetime(2026, 3, 5, 3, tzinfo=UTC)],
            "2026-03-05T10:00+08:00",
            "2026-03-05T11:00+08:00",
        ),
        ((0, 0), "1970-01-01T00:00+00:00", "1970-01-01T00:00+00:00"),
    ],
    ids=str,
)
def test_a_stretch_of_time_is_a_period_or_a_pair(given_as: object, start: str, end: str) -> None:
    expected = (micro(start), micro(end))
    assert to_span(given_as, NAMED["Asia/Shanghai"], "before=") == expected


def test_a_stretch_of_time_may_have_a_change_of_clocks() -> None:
    start, end = to_span("2026-03-08", NAMED["America/New_York"], "before=")
    assert end - start + 1 == 23 * HOUR


# ── wall-clock times ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=40)
@given(st.lists(moments(FIRST, LAST), max_size=30))
@example([FIRST, LAST])
def test_wall_clock_times_are_read_as_python_reads_them(name: str, walls: list[int]) -> None:
    zone = ZONES[name]
    expected = [python_utc(wall, zone) for wall in walls]
    utc = wall_to_utc(array(walls), zone)
    assert utc.dtype == np.int64
    assert utc.tolist() == expected
    assert wall_to_utc(array(walls * 4), zone).tolist() == expected * 4  # by a table


@pytest.mark.parametrize(
    ("name", "wall", "utc"),
    [
        ("America/New_York", "2026-03-08T01:59:59.999999", "2026-03-08T06:59:59.999999Z"),
        ("America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00Z"),  # never shown
        ("America/New_York", "2026-03-08T03:00:00", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-11-01T01:59:59.999999", "2026-11-01T05:59:59.999999Z"),  # first
        ("America/New_York", "2026-11-01T02:00:00", "2026-11-01T07:00:00Z"),
        ("Australia/Lord_Howe", "2024-04-07T01:45:00", "2024-04-06T14:45:00Z"),  # the first
        ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z"),  # never shown
        ("Asia/Shanghai", "1900-12-31T23:59:59", "1900-12-31T15:54:16Z"),  # the first
    ],
)
def test_where_clocks_go_back_the_first_time_is_meant(name: str, wall: str, utc: str) -> None:
    given_wall = (datetime.fromisoformat(wall) - NAIVE_EPOCH) // MICROSECOND
    assert wall_to_utc(array([given_wall] * 4), NAMED[name]).tolist() == [micro(utc)] * 4


def test_many_wall_clock_times_are_read_as_python_reads_them() -> None:
    rng = np.random.default_rng(11)
    walls = rng.integers(micro("2024-01-01T00:00Z"), micro("2027-01-01T00:00Z"), 70_000)
    walls[::2] = micro("2026-11-01T01:30Z") + rng.integers(-HOUR, HOUR, 35_000)
    zone = NAMED["America/New_York"]
    assert wall_to_utc(walls, zone).tolist() == [python_utc(wall, zone) for wall in walls.tolist()]


# ── Period ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("unit", PERIODS)
def test_a_period_names_a_unit(unit: str) -> None:
    period = Period(unit)
    assert period.unit == unit
    assert {period: "a key"}[Period(unit)] == "a key"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        period.unit = "day"  # type: ignore[misc]


@pytest.mark.parametrize("unit", ["fortnight", "Quarter", "", None, 3, ["day"]])
def test_an_unknown_period_is_refused(unit: object) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Period(unit)  # type: ignore[arg-type]
    assert str(refusal.value) == (
        f"Period.unit is one of day, week, month, quarter, year, not {unit!r}"
    )
