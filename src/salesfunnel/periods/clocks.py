"""The clocks of a zone: how far they are ahead of UTC, for many instants at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timezone, tzinfo
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from salesfunnel.periods.zone import DAY, EPOCH, FIRST, LAST, MICROSECOND

CHUNK = 1 << 16
"""Entries whose intermediate arrays stay in a core's cache."""
_SPAN = 38
"""Clocks are asked every 2³⁸ µs, 3.2 days: two changes that undo each other lie further apart. The
closest in the IANA database are 4 days (Freetown 1939), the next 7."""


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
    offset = offsets(wall, zone, _offset_on)
    for low in range(0, len(wall), CHUNK):
        part = wall[low : low + CHUNK]
        np.subtract(part, offset(part), out=utc[low : low + CHUNK])
    return utc


def offset_at(zone: tzinfo, instant: int) -> int:
    """Return how far a zone's clocks are ahead of UTC at an instant."""
    # A day from the ends of the calendar, where the local time has a year that datetime has not.
    moment = EPOCH + min(max(instant, FIRST + DAY), LAST - DAY) * MICROSECOND
    return (moment.astimezone(zone).replace(tzinfo=UTC) - moment) // MICROSECOND


def _offset_on(zone: tzinfo, wall: int) -> int:
    """Return how far a zone's clocks are ahead of UTC when they first show a time."""
    moment = EPOCH + min(max(wall, FIRST), LAST) * MICROSECOND
    return (moment - moment.replace(tzinfo=zone)) // MICROSECOND


def offsets(
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
    found = [pieces(span << _SPAN, (span + 1) << _SPAN, known) for span in spans.tolist()]
    offset = np.array([offset for piece in found for _, offset in piece], np.int64)
    if (offset == offset[0]).all():
        return lambda _: offset[0]
    start = np.array([start for piece in found for start, _ in piece], np.int64)
    next_start = np.append(start[1:], np.iinfo(np.int64).max)
    lengths = np.array([len(piece) for piece in found], np.int64)
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
    return None if known is None else known // MICROSECOND


def pieces(start: int, stop: int, ask: Callable[[int], int]) -> list[tuple[int, int]]:
    """Return where the offset changes from `start` to `stop`: each piece's start and offset."""
    offset, last = ask(start), ask(stop)
    found = [(start, offset)]
    while offset != last:
        same, changed = start, stop
        while changed - same > 1:
            middle = (same + changed) // 2
            if ask(middle) == offset:
                same = middle
            else:
                changed = middle
        start, offset = changed, ask(changed)
        found.append((start, offset))
    return found


def clock_changes(
    first: int, last: int, zone: tzinfo
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where a zone's clocks change between two instants.

    Parameters
    ----------
    first, last : int
        Microseconds since 1970 in UTC, within the years 1 to 9999, the earlier one first.
    zone : tzinfo
        The zone.

    Returns
    -------
    start : (P,) int64
        Where each piece of time with one offset starts, in ascending order; the first at `first`.
    offset : (P,) int64
        How far the clocks are ahead of UTC in it, in microseconds.
    """
    if (fixed := _fixed_offset(zone)) is not None:
        return np.array([first]), np.array([fixed])
    ask = lru_cache(maxsize=256)(partial(offset_at, zone))
    edges = [first, *(n << _SPAN for n in range((first >> _SPAN) + 1, (last >> _SPAN) + 1)), last]
    found = [piece for edge in pairwise(edges) for piece in pieces(*edge, ask)]
    start, offset = np.array(found, np.int64).T
    kept = np.append(True, offset[1:] != offset[:-1])
    return start[kept], offset[kept]
