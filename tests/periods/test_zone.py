"""Business time: zones, instants, and where a day ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from dateutil import tz as dateutil_tz
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DefinitionError
from salesfunnel.periods import (
    EPOCH,
    FIRST,
    LAST,
    end_of_day,
    from_microseconds,
    to_instant,
    to_microseconds,
    to_zone,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [
    UTC,
    timezone(timedelta(hours=-11, minutes=-30)),
    SHANGHAI,
    ZoneInfo("America/New_York"),
    dateutil_tz.gettz("Europe/Paris"),
]
instants = st.integers(FIRST, LAST) | st.integers(-(10**6), 10**6)
zones = st.sampled_from(ZONES)


def wall(*parts: int) -> datetime:
    """Return what the clocks of some zone show."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def micro(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


# ── zones ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_zone_is_a_name_or_a_tzinfo_and_utc_without_one() -> None:
    paris = dateutil_tz.gettz("Europe/Paris")

    assert to_zone("Asia/Shanghai") == SHANGHAI
    assert to_zone(paris) is paris
    assert to_zone(None) is UTC


@pytest.mark.parametrize(
    "name", ["Asia/Peking", "", "Asia", "../etc/passwd", "CST6", 8, "\0", "北京"]
)
def test_an_unknown_zone_is_told_what_one_is(name: object) -> None:
    with pytest.raises(DefinitionError) as refusal:
        to_zone(name)  # type: ignore[arg-type]
    assert str(refusal.value) == (
        f"tz= is an IANA name such as 'Asia/Shanghai' or a tzinfo, not {name!r}"
    )


# ── instants ──────────────────────────────────────────────────────────────────────────────────────


@given(instants, zones)
def test_an_instant_survives_as_a_datetime_of_any_zone(instant: int, zone: tzinfo) -> None:
    moment = from_microseconds(instant, zone)

    assert to_microseconds(moment, UTC) == instant
    assert to_instant(moment, UTC, "as_of=") == instant


@given(instants, zones)
def test_an_instant_may_be_given_in_many_ways(instant: int, zone: tzinfo) -> None:
    moment = from_microseconds(instant)

    ways: list[Any] = [
        instant,
        np.int64(instant),
        moment,
        moment.isoformat(),
        f" {moment.isoformat()} ",
        moment.astimezone(timezone(timedelta(hours=1))) if instant < LAST - 10**11 else moment,
    ]
    for given_as in ways:
        assert to_instant(given_as, zone, "as_of=") == instant


@given(st.datetimes(wall(1, 1, 3), wall(9999, 12, 29)), zones)
def test_what_names_no_zone_is_read_in_the_one_given(shown: datetime, zone: tzinfo) -> None:
    expected = (shown.replace(tzinfo=zone) - EPOCH) // timedelta(microseconds=1)

    assert to_instant(shown, zone, "as_of=") == expected
    assert to_instant(shown.isoformat(sep="T", timespec="microseconds"), zone, "as_of=") == expected
    assert to_instant(np.datetime64(shown), zone, "as_of=") == expected


def test_a_timestamp_of_pandas_is_a_datetime() -> None:
    stamp = pd.Timestamp("2026-03-31T08:00:00.000001999+08:00")

    assert to_instant(stamp, UTC, "as_of=") == micro("2026-03-31T00:00:00.000001+00:00")


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "2026-02-30",
        "31/03/2026",
        None,
        True,
        1.5,
        pd.NaT,
        np.datetime64("NaT"),
        np.datetime64("12000-01-01"),
        np.datetime64(-5000, "Y"),
        LAST + 1,
        FIRST - 1,
        1_767_225_600_000_000_000,  # nanoseconds
        10**30,
    ],
    ids=repr,
)
def test_what_is_no_instant_is_told_what_one_is(value: object) -> None:
    with pytest.raises(DefinitionError) as refusal:
        to_instant(value, UTC, "as_of=")  # type: ignore[arg-type]
    assert str(refusal.value) == (
        "as_of= is an aware datetime, a date, an ISO 8601 text such as '2026-03-31', or "
        f"microseconds since 1970 within the years 1 to 9999, not {value!r}"
    )


def test_around_the_ends_of_the_calendar_an_instant_stays_in_it() -> None:
    west, east = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))

    assert to_instant(wall(9999, 12, 31, 23), west, "as_of=") == LAST
    assert to_instant("9999-12-31", west, "as_of=") == LAST
    assert to_instant(date.max, east, "as_of=") == LAST
    assert to_instant(wall(1, 1, 1), east, "as_of=") == FIRST
    assert to_instant(date(1, 1, 1), east, "as_of=") == micro("0001-01-01T09:59:59.999999+00:00")
    assert from_microseconds(LAST, east).astimezone(UTC) == from_microseconds(LAST)
    assert from_microseconds(FIRST, west).astimezone(UTC) == from_microseconds(FIRST)


# ── the end of a day ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        ("2026-03-31", "UTC", "2026-03-31T23:59:59.999999+00:00"),
        ("2026-03-31", "Asia/Shanghai", "2026-03-31T23:59:59.999999+08:00"),
        # A day of 25 hours: clocks go back in its night.
        ("2026-10-25", "Europe/Paris", "2026-10-25T23:59:59.999999+01:00"),
        # Clocks go back at midnight, so that the last hour of the day comes twice.
        ("2018-02-17", "America/Sao_Paulo", "2018-02-17T23:59:59.999999-03:00"),
        # They go back at one o'clock: midnight comes twice, but the day ends at the first.
        ("2026-10-31", "America/Havana", "2026-10-31T23:59:59.999999-04:00"),
        # They go forward at midnight, which the next day does not have.
        ("2018-11-03", "America/Sao_Paulo", "2018-11-03T23:59:59.999999-03:00"),
        # The day that Samoa left out ends where it would have begun.
        ("2011-12-30", "Pacific/Apia", "2011-12-29T23:59:59.999999-10:00"),
    ],
)
def test_a_date_means_the_end_of_that_day(day: str, zone: str, end: str) -> None:
    expected = micro(end)

    assert end_of_day(date.fromisoformat(day), ZoneInfo(zone)) == expected
    assert to_instant(day, ZoneInfo(zone), "as_of=") == expected
    assert to_instant(date.fromisoformat(day), ZoneInfo(zone), "as_of=") == expected


@given(st.dates(date(1, 1, 2), date(9999, 12, 30)), zones)
def test_the_next_day_begins_a_moment_after_the_end(day: date, zone: tzinfo) -> None:
    after = from_microseconds(end_of_day(day, zone) + 1, zone)

    assert after.date() == day + timedelta(days=1)
    assert from_microseconds(end_of_day(day, zone), zone).date() == day
