"""Business time: the zone that days and periods are cut in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import numpy as np

from salesfunnel.errors import DefinitionError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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

        try:
            return ZoneInfo(tz)
        except (KeyError, ValueError, OSError):
            pass
    raise DefinitionError(f"tz= is an IANA name such as 'Asia/Shanghai' or a tzinfo, not {tz!r}")


def zone_name(zone: tzinfo) -> str:
    """Return what a zone is called: its IANA name where it has one."""
    return str(getattr(zone, "key", None) or zone.tzname(None) or zone)


def to_microseconds(instant: datetime, zone: tzinfo) -> int:
    """Return a datetime as microseconds since 1970 in UTC; a naive one is read in `zone`."""
    aware = instant if instant.utcoffset() is not None else instant.replace(tzinfo=zone)
    return (aware - EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int, zone: tzinfo = UTC) -> datetime:
    """Return microseconds since 1970 in UTC as a datetime in a zone."""
    instant = EPOCH + timedelta(microseconds=microseconds)
    try:
        return instant.astimezone(zone)
    except OverflowError:  # the first or last day of the calendar, over its edge in that zone
        return instant


def to_instant(value: datetime | date | np.datetime64 | str | int, zone: tzinfo, what: str) -> int:
    """Return an instant given by a user as microseconds since 1970 in UTC.

    A datetime or an ISO 8601 text without a zone is read in `zone`. A date, or a text that is only a
    date, means the end of that day: everything known by then. An integer is microseconds.

    Raises
    ------
    DefinitionError
        If it is none of these.
    """
    given = value
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
            day = date.fromisoformat(value) if len(value) <= len("2026-01-31") else None
        except ValueError:
            parsed, day = None, None
        value = day or parsed or value
    if isinstance(value, bool):
        raise DefinitionError(f"{what} is a time, not {given!r}")
    if isinstance(value, int):
        return value
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, datetime):
        return to_microseconds(value, zone)
    if isinstance(value, date):
        last = datetime.combine(value, time.max)
        return to_microseconds(last, zone)
    raise DefinitionError(
        f"{what} is an aware datetime, a date or an ISO 8601 text such as '2026-03-31', not {given!r}"
    )
