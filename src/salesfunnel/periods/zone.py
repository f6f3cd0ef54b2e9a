"""Instants and days in a zone: the business time zone of a log, `as_of=`, the ends of days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import numpy as np

from salesfunnel.errors import DefinitionError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
"""The calendar, in microseconds since 1970: the years 1 to 9999 in UTC."""
DAY = 86_400_000_000
"""Microseconds of a day without a change of clocks."""


def to_zone(tz: str | tzinfo | None) -> tzinfo:
    """Return a time zone from an IANA name or a tzinfo; UTC for None.

    Raises
    ------
    DefinitionError
        If there is no such zone.
    """
    if tz is None:
        return UTC
    if isinstance(tz, tzinfo):
        return tz
    if isinstance(tz, str):
        from zoneinfo import ZoneInfo

        if tz == "UTC":
            return UTC

        try:
            return ZoneInfo(tz)
        except (KeyError, ValueError, OSError):
            pass
    raise DefinitionError(
        "tz= is an IANA name such as 'Asia/Shanghai' or a tzinfo, not {tz!r}", tz=tz
    )


def zone_name(zone: tzinfo) -> str:
    """Return what people call a zone: its IANA name, or what its clocks are called.

    Examples
    --------
    >>> zone_name(to_zone("Asia/Shanghai")), zone_name(to_zone(None))
    ('Asia/Shanghai', 'UTC')
    """
    key = getattr(zone, "key", None)
    return key if isinstance(key, str) else zone.tzname(EPOCH) or str(zone)


def to_microseconds(instant: datetime, zone: tzinfo) -> int:
    """Return a datetime as microseconds since 1970 in UTC; a naive one is read in `zone`."""
    aware = instant if instant.utcoffset() is not None else instant.replace(tzinfo=zone)
    return (aware - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int, zone: tzinfo = UTC) -> datetime:
    """Return microseconds since 1970 in UTC as a datetime in a zone."""
    instant = EPOCH + timedelta(microseconds=microseconds)
    try:
        return instant.astimezone(zone)
    except OverflowError:  # the first or last day of the calendar, over its edge in that zone
        return instant


def end_of_day(day: date, zone: tzinfo) -> int:
    """Return the last microsecond of a day in a zone, as microseconds since 1970 in UTC."""
    if day == date.max:
        return LAST
    # By way of the next midnight: where clocks change around midnight, the last hour of a day comes
    # twice or not at all.
    return to_microseconds(datetime.combine(day + timedelta(days=1), time.min), zone) - 1


def to_instant(value: datetime | date | np.datetime64 | str | int, zone: tzinfo, what: str) -> int:
    """Return an instant given by a user as microseconds since 1970 in UTC.

    A datetime or an ISO 8601 text without a zone is read in `zone`. A date, or a text that is only
    a date, means the end of that day: everything known by then. An integer is microseconds.

    Raises
    ------
    DefinitionError
        If it is none of these.
    """
    moment = _parsed(value) if isinstance(value, str) else value
    if isinstance(moment, np.datetime64):
        moment = moment.astype("datetime64[us]").item()
    if (
        isinstance(moment, (int, np.integer))
        and not isinstance(moment, bool)
        and FIRST <= moment <= LAST
    ):
        return int(moment)
    if isinstance(moment, datetime) and moment == moment:  # NaT differs from itself
        # Around the ends of the calendar a zone's clock is in a year that UTC's does not have.
        return min(max(to_microseconds(moment, zone), FIRST), LAST)
    if isinstance(moment, date) and not isinstance(moment, datetime):
        return max(end_of_day(moment, zone), FIRST)
    raise DefinitionError(
        "{what} is an aware datetime, a date, an ISO 8601 text such as '2026-03-31', or "
        "microseconds since 1970 within the years 1 to 9999, not {value!r}",
        what=what,
        value=value,
    )


def is_day(value: object) -> bool:
    """Return whether an instant given by a user is a whole day: a date, or a text of one."""
    moment = _parsed(value) if isinstance(value, str) else value
    return isinstance(moment, date) and not isinstance(moment, datetime)


def _parsed(text: str) -> date | None:
    """Return an ISO 8601 text as a date, or as a datetime if it names a time."""
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            return parse(text.strip())
        except ValueError:
            continue
    return None
