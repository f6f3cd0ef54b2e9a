"""Business time: the zone that days and periods are cut in, and the periods."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache, partial

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
"""The calendar, in microseconds since 1970: the years 1 to 9999 in UTC."""
PERIODS = ("day", "week", "month", "quarter", "year")
"""The calendar periods that time is cut into."""
_DAY = 86_400_000_000
_MONDAY = 3  # 1970-01-01 was a Thursday
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_CHUNK = 1 << 16  # entries whose intermediate arrays stay in a core's cache
_SPAN = 38
"""Clocks are asked every 2³⁸ µs, 3.2 days: two changes that undo each other lie further apart. The
closest in the IANA database are 4 days (Freetown 1939), the next 7."""


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
    raise DefinitionError(f"tz= is an IANA name such as 'Asia/Shanghai' or a tzinfo, not {tz!r}")


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
        f"{what} is an aware datetime, a date, an ISO 8601 text such as '2026-03-31', or "
        f"microseconds since 1970 within the years 1 to 9999, not {value!r}"
    )


def _parsed(text: str) -> date | None:
    """Return an ISO 8601 text as a date, or as a datetime if it names a time."""
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            return parse(text.strip())
        except ValueError:
            continue
    return None


# ── periods ───────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Period:
    """A calendar period to group by, where a bare word could also be an attribute's name.

    Parameters
    ----------
    unit : str
        ``"day"``, ``"week"`` (Monday to Sunday, as ISO 8601 counts them), ``"month"``,
        ``"quarter"`` or ``"year"``.

    Raises
    ------
    DefinitionError
        If there is no such period.
    """

    unit: str = attrs.field()

    @unit.validator
    def _is_period(self, _: object, unit: object) -> None:
        if unit not in PERIODS:
            raise DefinitionError(f"Period.unit is one of {', '.join(PERIODS)}, not {unit!r}")


def period_index(time: NDArray[np.int64], unit: str, zone: tzinfo) -> NDArray[np.int64]:
    """Return the calendar period that each instant falls in by a zone's clocks, (N,).

    Parameters
    ----------
    time : (N,) array of int64
        Microseconds since 1970 in UTC, within the years 1 to 9999, in any order.
    unit : str
        One of `PERIODS`.
    zone : tzinfo
        The zone whose local calendar counts.

    Returns
    -------
    (N,) array of int64
        Days since 1970-01-01, ISO weeks since the one of that day, or months, quarters or years
        since 1970. Around the ends of the calendar they may lie in the year 0 or 10000.
    """
    index = np.empty(len(time), np.int64)
    offsets = _offsets(time, zone, _offset_at)
    for low in range(0, len(time), _CHUNK):
        part = time[low : low + _CHUNK]
        day = part + offsets(part)
        day //= _DAY
        index[low : low + _CHUNK] = _of_days(day, unit)
    return index


def period_start(index: int, unit: str, zone: tzinfo) -> int:
    """Return the first instant of a period, as microseconds since 1970 in UTC.

    Where clocks leap over midnight, that is the instant at which they do; where they repeat it, the
    first of the two. A day that a zone left out starts, and ends, when the next one starts.
    """
    wall = _first_day(index, unit) * _DAY
    pieces = _pieces(wall - _DAY, wall + _DAY, partial(_offset_at, zone))
    ends = [start for start, _ in pieces[1:]] + [wall + _DAY + 1]
    return next(
        reached
        for (start, offset), end in zip(pieces, ends, strict=True)
        if (reached := max(start, wall - offset)) < end
    )


def period_label(index: int, unit: str) -> str:
    """Return what a period is called: 2026-03-05, 2026-W10, 2026-03, 2026Q1 or 2026.

    Labels of one unit sort by time. The year of a week is that of its Thursday, as in ISO 8601.
    """
    day = np.datetime64(_first_day(index, unit), "D")
    if unit == "day":
        return str(day)
    if unit == "week":
        thursday = day + 3
        year = thursday.astype("datetime64[Y]")
        return f"{year}-W{(thursday - year).astype(int) // 7 + 1:02d}"
    if unit == "quarter":
        return f"{day.astype('datetime64[Y]')}Q{index % 4 + 1}"
    return str(day.astype("datetime64[M]" if unit == "month" else "datetime64[Y]"))


def _of_days(day: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    """Return the periods of days since 1970."""
    if unit == "day":
        return day
    if unit == "week":
        return (day + _MONDAY) // 7
    first, last = int(day.min()), int(day.max())
    if last - first >= len(day):
        return _of_months(day, unit)
    # numpy's calendar is slow: it is asked once a day, not once an entry.
    return _of_months(np.arange(first, last + 1), unit)[day - first]


def _of_months(day: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    """Return the periods of whole months of days since 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // _MONTHS[unit]


def _first_day(index: int, unit: str) -> int:
    """Return the first day of a period, in days since 1970."""
    if unit == "day":
        return int(index)
    if unit == "week":
        return int(index) * 7 - _MONDAY
    month = np.datetime64(int(index) * _MONTHS[unit], "M")
    return int(month.astype("datetime64[D]").astype(np.int64))


# ── the clocks of a zone ──────────────────────────────────────────────────────────────────────────


def wall_to_utc(wall: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64]:
    """Return wall-clock times of a zone in UTC, as `datetime.replace(tzinfo=zone)` reads them.

    Parameters
    ----------
    wall : (N,) array of int64
        Microseconds from 1970-01-01 00:00 to what the zone's clocks show, within the years 1 to
        9999, in any order. Where clocks go back, the first of the two is meant.
    zone : tzinfo
        The zone.

    Returns
    -------
    (N,) array of int64
        Microseconds since 1970 in UTC.
    """
    utc = np.empty(len(wall), np.int64)
    offsets = _offsets(wall, zone, _offset_on)
    for low in range(0, len(wall), _CHUNK):
        part = wall[low : low + _CHUNK]
        np.subtract(part, offsets(part), out=utc[low : low + _CHUNK])
    return utc


def _offset_at(zone: tzinfo, instant: int) -> int:
    """Return how far a zone's clocks are ahead of UTC at an instant."""
    # A day from the ends of the calendar, where the local time has a year that datetime has not.
    moment = EPOCH + min(max(instant, FIRST + _DAY), LAST - _DAY) * _MICROSECOND
    return (moment.astimezone(zone).replace(tzinfo=UTC) - moment) // _MICROSECOND


def _offset_on(zone: tzinfo, wall: int) -> int:
    """Return how far a zone's clocks are ahead of UTC when they first show a time."""
    moment = EPOCH + min(max(wall, FIRST), LAST) * _MICROSECOND
    return (moment - moment.replace(tzinfo=zone)) // _MICROSECOND


def _offsets(
    time: NDArray[np.int64], zone: tzinfo, ask: Callable[[tzinfo, int], int]
) -> Callable[[NDArray[np.int64]], NDArray[np.int64] | np.int64]:
    """Return a function that gives the offsets of any of some times, at a few nanoseconds each.

    The zone is asked at the edges of the spans that hold any of the times, and between two edges
    that differ, until the changes are found to the microsecond. A time is then looked up by its
    span, and compared with the change in it, if there is one.
    """
    if not len(time):
        return np.zeros_like
    if (fixed := _fixed_offset(zone)) is not None:
        return lambda _: np.int64(fixed)
    lowest, highest = int(time.min()) >> _SPAN, int(time.max()) >> _SPAN
    spans = np.arange(lowest, highest + 1)
    if len(spans) > len(time) >> 6:
        spans = np.unique(time >> _SPAN)
    if len(spans) * 2 > len(time):  # so sparse that the edges are more than the times themselves
        return lambda part: np.array([ask(zone, moment) for moment in part.tolist()], np.int64)
    # The end of one span is the start of the next: the few last answers are kept.
    known = lru_cache(maxsize=256)(partial(ask, zone))
    pieces = [_pieces(span << _SPAN, (span + 1) << _SPAN, known) for span in spans.tolist()]
    offset = np.array([offset for piece in pieces for _, offset in piece], np.int64)
    if (offset == offset[0]).all():
        return lambda _: offset[0]
    start = np.array([start for piece in pieces for start, _ in piece], np.int64)
    next_start = np.append(start[1:], np.iinfo(np.int64).max)
    lengths = np.array([len(piece) for piece in pieces], np.int64)
    first = np.zeros(highest - lowest + 1, np.int64)
    first[spans - lowest] = np.cumsum(lengths) - lengths
    most_changes = int(lengths.max()) - 1

    def look_up(part: NDArray[np.int64]) -> NDArray[np.int64]:
        piece: NDArray[np.int64] = first[(part >> _SPAN) - lowest]
        for _ in range(most_changes):
            piece += next_start[piece] <= part
        return offset[piece]

    return look_up


def _fixed_offset(zone: tzinfo) -> int | None:
    """Return the offset of a zone that is known never to change it, else None."""
    from zoneinfo import ZoneInfo

    # Other classes may answer None with their standard time.
    known = zone.utcoffset(None) if isinstance(zone, (timezone, ZoneInfo)) else None
    return None if known is None else known // _MICROSECOND


def _pieces(start: int, stop: int, ask: Callable[[int], int]) -> list[tuple[int, int]]:
    """Return where the offset changes from `start` to `stop`: each piece's start and offset."""
    offset, last = ask(start), ask(stop)
    pieces = [(start, offset)]
    while offset != last:
        same, changed = start, stop
        while changed - same > 1:
            middle = (same + changed) // 2
            if ask(middle) == offset:
                same = middle
            else:
                changed = middle
        start, offset = changed, ask(changed)
        pieces.append((start, offset))
    return pieces
