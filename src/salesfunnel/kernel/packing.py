"""Entries packed into one integer each, so that sorting integers sorts entries.

A key is ``opportunity | time | low`` in 63 bits: opportunities and times count from their smallest,
times in the largest unit that all of them share, and `low` is the state or the number of the row.
Where that does not fit, entries are first split by ranges of opportunities, so that within a range
fewer bits tell them apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 16
"""Entries worked on at a time: their temporaries stay in the second-level cache."""
_KEY_BITS = 63
_SPLIT_CHUNK = 1 << 18
_MAX_PARTS = 256
_SAMPLE = 1 << 10


class Layout(NamedTuple):
    """Where the parts of a key are, and what they count from.

    Attributes
    ----------
    first_time, last_time : int
        The smallest time, in microseconds, that the key's times count from, and the largest.
    unit : int
        Microseconds in one step of the key's time.
    time_bits, low_bits : int
        Widths of the two lower parts.
    """

    first_time: int
    last_time: int
    unit: int
    time_bits: int
    low_bits: int

    @property
    def opportunity_shift(self) -> int:
        """Bits below the opportunity."""
        return self.time_bits + self.low_bits


class Packed(NamedTuple):
    """Sorted keys, in P parts by ranges of opportunities; mostly one.

    Attributes
    ----------
    key : (N,) int64
    layout : Layout
    rows : (P + 1,) int64
        Where the parts begin and end.
    first : (P,) int64
        The opportunity that the keys of each part count from.
    """

    key: NDArray[np.int64]
    layout: Layout
    rows: NDArray[np.int64]
    first: NDArray[np.int64]

    def opportunity(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the opportunities of some rows."""
        out = self.key[start:stop] >> self.layout.opportunity_shift
        for part in range(len(self.first)):
            low, high = max(start, int(self.rows[part])), min(stop, int(self.rows[part + 1]))
            if low < high and self.first[part]:
                out[low - start : high - start] += self.first[part]
        return out

    def low(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the lowest part of some rows: their state, or the row that they were as input."""
        return self.key[start:stop] & ((1 << self.layout.low_bits) - 1)

    def time(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the times of some rows, in microseconds."""
        layout = self.layout
        out = self.key[start:stop] >> layout.low_bits
        out &= (1 << layout.time_bits) - 1
        out *= layout.unit
        out += layout.first_time
        return out


def pack(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    low: NDArray[np.uint8] | None,
    low_bits: int,
    *,
    whole: bool = False,
    presorted: bool = False,
) -> Packed | None:
    """Return entries as sorted keys; None where they do not fit.

    Parameters
    ----------
    opportunity, time : (N,) arrays
        Opportunities whose differences are within 64 bits.
    low : (N,) uint8 or None
        What orders equal times of one opportunity; the number of the row for None.
    low_bits : int
        How many bits `low` needs.
    whole : bool
        Whether the keys must fit without splitting the entries into parts.
    presorted : bool
        Whether the entries are in order already, so that nothing needs to be sorted.
    """
    if len(time) == 0:
        layout = Layout(0, 0, 1, 1, 1)
        return Packed(np.zeros(0, np.int64), layout, np.zeros(1, np.int64), np.zeros(0, np.int64))
    first, last = int(opportunity.min()), int(opportunity.max())
    first_time, last_time = int(time.min()), int(time.max())
    # A few times show the unit; packing checks it against all, and narrows it where it must.
    unit = int(np.gcd.reduce(time[:_SAMPLE] - first_time)) or last_time - first_time or 1
    while True:
        layout = Layout(
            first_time,
            last_time,
            unit,
            ((last_time - first_time) // unit).bit_length(),
            low_bits,
        )
        room = _KEY_BITS - layout.opportunity_shift
        try:
            if (last - first).bit_length() <= room:
                packed = _pack_whole(opportunity, first, time, low, layout)
            elif whole or room < 0 or (last - first) >> room >= _MAX_PARTS:
                return None
            else:
                packed = _pack_in_parts(opportunity, first, room, time, low, layout)
            break
        except _NarrowerUnit as found:
            unit = found.unit
    if not presorted:
        for start, stop in pairwise(packed.rows.tolist()):
            packed.key[start:stop].sort()
    return packed


class _NarrowerUnit(Exception):  # noqa: N818 - not an error: it tells the loop above to go on
    """Some times are no whole multiples of the unit tried, but of this one."""

    def __init__(self, unit: int) -> None:
        self.unit = unit


def _pack_whole(
    opportunity: NDArray[np.integer[Any]],
    first: int,
    time: NDArray[np.int64],
    low: NDArray[np.uint8] | None,
    layout: Layout,
) -> Packed:
    """Write all keys, in the order of the input."""
    n = len(time)
    key = np.empty(n, np.int64)
    for start, stop in chunks(n):
        piece = slice(start, stop)
        lowest = np.arange(start, stop) if low is None else low[piece]
        _fill(key[piece], opportunity[piece] - first, time[piece], lowest, layout)
    return Packed(key, layout, np.array([0, n]), np.array([first]))


def _pack_in_parts(
    opportunity: NDArray[np.integer[Any]],
    first: int,
    room: int,
    time: NDArray[np.int64],
    low: NDArray[np.uint8] | None,
    layout: Layout,
) -> Packed:
    """Write the keys by ranges of ``2**room`` opportunities, within each in the input order."""
    n = len(time)
    pieces: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for start, stop in chunks(n, _SPLIT_CHUNK):
        piece = slice(start, stop)
        offset = (opportunity[piece] - first).astype(np.int64, copy=False)
        part = (offset >> room).astype(np.uint8)
        offset &= (1 << room) - 1
        key = np.empty(stop - start, np.int64)
        lowest = np.arange(start, stop) if low is None else low[piece]
        _fill(key, offset, time[piece], lowest, layout)
        order = np.argsort(part, kind="stable")  # of bytes: a radix sort
        pieces.append(
            (key[order], np.append(0, np.cumsum(np.bincount(part, minlength=_MAX_PARTS))))
        )

    rows = np.append(0, np.cumsum(np.sum([np.diff(bounds) for _, bounds in pieces], axis=0)))
    key = np.empty(n, np.int64)
    filled = rows[:-1].copy()
    for piece_key, bounds in pieces:
        for place in np.flatnonzero(np.diff(bounds)).tolist():
            members = piece_key[bounds[place] : bounds[place + 1]]
            key[filled[place] : filled[place] + len(members)] = members
            filled[place] += len(members)
    used = np.flatnonzero(np.diff(rows))
    return Packed(key, layout, np.append(rows[used], n), first + (used.astype(np.int64) << room))


def _fill(
    key: NDArray[np.int64],
    offset: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    low: NDArray[np.integer[Any]],
    layout: Layout,
) -> None:
    """Write the keys of one chunk; `offset` counts opportunities from the first."""
    elapsed = time - layout.first_time
    if layout.unit > 1:
        np.floor_divide(elapsed, layout.unit, out=key)
        if not np.array_equal(key * layout.unit, elapsed):
            raise _NarrowerUnit(math.gcd(layout.unit, int(np.gcd.reduce(elapsed))))
        key <<= layout.low_bits
    else:
        np.left_shift(elapsed, layout.low_bits, out=key)
    key |= low
    np.left_shift(offset, layout.opportunity_shift, out=elapsed, dtype=np.int64)
    key |= elapsed


def chunks(n: int, size: int = CHUNK) -> Iterator[tuple[int, int]]:
    """Yield the bounds of consecutive chunks of n rows."""
    for start in range(0, n, size):
        yield start, min(start + size, n)
