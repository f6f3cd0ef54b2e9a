"""Entries packed into one integer each, so that sorting integers sorts entries.

A key is ``opportunity | time | fields`` in 63 bits: opportunities and times count from their
smallest, times in the largest unit that all of them share. Fields are what orders equal times and
what travels along: the state, the number of the row, a record number, a label. Where that does not
fit, entries are first split by ranges of opportunities, so that within a range fewer bits tell them
apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.threads import both, sort

CHUNK = 1 << 15
"""Entries worked on at a time: two columns of them stay in the second-level cache."""
KEY_BITS = 63
_SPLIT_CHUNK = 1 << 18
_MAX_PARTS = 256
_FEW_PARTS = 6
"""Picking out so few parts one by one takes less time than sorting by part."""
_SAMPLE = 1 << 10


class Field(NamedTuple):
    """A lower part of a key.

    Attributes
    ----------
    values : (N,) integers or None
        None stands for the number of the row.
    bits : int
        How many the largest value needs, counted from the least.
    least : int
        The smallest value.
    """

    values: NDArray[np.integer[Any]] | None
    bits: int
    least: int = 0


class Layout(NamedTuple):
    """Where the parts of a key are, and what they count from.

    Attributes
    ----------
    first_time, last_time : int
        The smallest time, in microseconds, that the key's times count from, and the largest.
    unit : int
        Microseconds in one step of the key's time.
    time_bits : int
        Width of the time.
    fields : tuple of Field
        The lower parts, from the highest to the lowest, without their values.
    """

    first_time: int
    last_time: int
    unit: int
    time_bits: int
    fields: tuple[Field, ...]

    @property
    def low_bits(self) -> int:
        """Bits below the time."""
        return sum(field.bits for field in self.fields)

    @property
    def opportunity_shift(self) -> int:
        """Bits below the opportunity."""
        return self.time_bits + self.low_bits

    def below(self, index: int) -> int:
        """Bits below a field."""
        return sum(field.bits for field in self.fields[index + 1 :])


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

    def opportunity_at(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the opportunities of some rows, in any order."""
        out: NDArray[np.int64] = self.key[rows] >> self.layout.opportunity_shift
        if len(self.first) == 1:
            out += self.first[0]
        else:
            out += self.first[np.searchsorted(self.rows, rows, side="right") - 1]
        return out

    def field(self, index: int, rows: slice | NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the values of a field at some rows."""
        field = self.layout.fields[index]
        out = self.key[rows] >> self.layout.below(index)
        out &= (1 << field.bits) - 1
        if field.least:
            out += field.least
        return out

    def unpack(self, index: int, out: NDArray[np.integer[Any]]) -> None:
        """Write the values of a field at all rows, (N,)."""
        field, below = self.layout.fields[index], self.layout.below(index)
        buffer = np.empty(min(CHUNK, len(out)), np.int64)
        for start, stop in chunks(len(out)):
            values = buffer[: stop - start]
            np.right_shift(self.key[start:stop], below, out=values)
            np.bitwise_and(values, (1 << field.bits) - 1, out=values)
            if field.least:
                np.add(values, field.least, out=values)
            out[start:stop] = values

    def time(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the times of some rows, in microseconds."""
        layout = self.layout
        out = self.key[start:stop] >> layout.low_bits
        out &= (1 << layout.time_bits) - 1
        out *= layout.unit
        out += layout.first_time
        return out


class Span(NamedTuple):
    """From where to where opportunities and times reach; zeros without entries.

    Attributes
    ----------
    first, last : int
        The smallest and the largest opportunity.
    first_time, last_time : int
        Microseconds since 1970 in UTC.
    """

    first: int
    last: int
    first_time: int
    last_time: int


def span_of(opportunity: NDArray[np.integer[Any]], time: NDArray[np.int64]) -> Span:
    """Return from where to where opportunities and times reach."""
    if len(time) == 0:
        return Span(0, 0, 0, 0)
    return Span(*bounds(opportunity), *bounds(time))


def pack(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    fields: Sequence[Field],
    span: Span,
    *,
    whole: bool = False,
    threads: bool = False,
) -> Packed | None:
    """Return entries as sorted keys; None where they do not fit.

    Parameters
    ----------
    opportunity, time : (N,) arrays
        Opportunities whose differences are within 63 bits.
    fields : sequence of Field
        What orders equal times of one opportunity, or travels along.
    span : Span
        From where to where opportunities and times reach.
    whole : bool
        Whether the keys must fit without splitting the entries into parts.
    threads : bool
        Whether they may be sorted in two threads.
    """
    first, last = span.first, span.last

    def write(writer: KeyWriter, room: int) -> Packed | None:
        if (last - first).bit_length() <= room:
            return _pack_whole(writer, opportunity, first)
        if whole or room < 0 or (last - first) >> room >= _MAX_PARTS:
            return None
        return _pack_in_parts(writer, opportunity, first, room, threads)

    packed = packed_by(write, time, fields, span)
    if packed is not None:
        for start, stop in pairwise(packed.rows.tolist()):
            part = packed.key[start:stop]
            if threads:
                sort(part)
            else:
                part.sort()
    return packed


def packed_by(
    write: Callable[[KeyWriter, int], Packed | None],
    time: NDArray[np.int64],
    fields: Sequence[Field],
    span: Span,
) -> Packed | None:
    """Return keys that a function writes, once it is known which unit all times share.

    Parameters
    ----------
    write : callable
        Takes what writes keys, and how many bits opportunities have in them; it is called again
        where some times are no multiples of the unit tried.
    time, fields, span
        As in `pack`.
    """
    empty = tuple(field._replace(values=None) for field in fields)
    if len(time) == 0:
        layout = Layout(0, 0, 1, 1, empty)
        return Packed(np.zeros(0, np.int64), layout, np.zeros(1, np.int64), np.zeros(0, np.int64))
    first_time, last_time = span.first_time, span.last_time
    # A few times show the unit; packing checks it against all, and narrows it where it must.
    unit = int(np.gcd.reduce(time[:_SAMPLE] - first_time)) or last_time - first_time or 1
    while True:
        time_bits = ((last_time - first_time) // unit).bit_length()
        layout = Layout(first_time, last_time, unit, time_bits, empty)
        try:
            return write(KeyWriter(layout, fields, time), KEY_BITS - layout.opportunity_shift)
        except _NarrowerUnit as found:
            unit = found.unit


class _NarrowerUnit(Exception):  # noqa: N818 - not an error: it tells the loop above to go on
    """Some times are no whole multiples of the unit tried, but of this one."""

    def __init__(self, unit: int) -> None:
        self.unit = unit


class KeyWriter:
    """Writes keys a chunk at a time, in memory of its own.

    Fresh memory for every step would cost more than the arithmetic.
    """

    def __init__(self, layout: Layout, fields: Sequence[Field], time: NDArray[np.int64]) -> None:
        self.layout = layout
        self._fields = fields
        self._time = time
        size = min(len(time), max(CHUNK, _SPLIT_CHUNK))
        self._key = np.empty(size, np.int64)
        self._part = np.empty(size, np.int64)
        # Division without remainder is multiplication by the inverse modulo 2⁶⁴, for an odd
        # divisor; where there is a remainder the product is larger than any quotient (H. S. Warren,
        # Hacker's Delight, 2nd edition, section 10-17). The twos go by shifting.
        self._twos = (layout.unit & -layout.unit).bit_length() - 1
        odd = layout.unit >> self._twos
        self._inverse = np.array(pow(odd, -1, 1 << 64), np.uint64).view(np.int64)[()]
        self._beyond = 1 << ((layout.last_time - layout.first_time) // odd).bit_length()

    def another(self) -> KeyWriter:
        """Return one that writes the same, in memory of its own."""
        return KeyWriter(self.layout, self._fields, self._time)

    def write(
        self,
        out: NDArray[np.int64],
        opportunity: NDArray[np.integer[Any]],
        first: int,
        start: int,
    ) -> None:
        """Write the keys of a chunk that begins at a row; its opportunities count from `first`."""
        n, layout = len(out), self.layout
        key, part = self._key[:n], self._part[:n]
        self._write_time(key, self._time[start : start + n])
        for index, field in enumerate(self._fields):
            below = layout.below(index)
            if field.values is None:
                values: NDArray[np.integer[Any]] = np.arange(start, start + n)
            else:
                values = field.values[start : start + n]
            if field.least or below:
                np.subtract(values, field.least, out=part, dtype=np.int64)
                np.left_shift(part, below, out=part)
                values = part
            np.bitwise_or(key, values, out=key)
        if first:
            np.subtract(opportunity, first, out=part, dtype=np.int64)
            opportunity = part
        np.left_shift(opportunity, layout.opportunity_shift, out=part, dtype=np.int64)
        np.bitwise_or(key, part, out=out)

    def _write_time(self, key: NDArray[np.int64], time: NDArray[np.int64]) -> None:
        layout = self.layout
        np.subtract(time, layout.first_time, out=key)
        if layout.unit > 1:
            np.multiply(key, self._inverse, out=key)
            # All bits that are set in any product: more than the largest quotient has, or any of
            # those that the twos shift out, tell of a remainder.
            bits = int(np.bitwise_or.reduce(key))
            if not 0 <= bits < self._beyond or bits & ((1 << self._twos) - 1):
                elapsed = time - layout.first_time
                raise _NarrowerUnit(math.gcd(layout.unit, int(np.gcd.reduce(elapsed))))
        shift = layout.low_bits - self._twos
        if shift >= 0:
            np.left_shift(key, shift, out=key)
        else:
            np.right_shift(key, -shift, out=key)


def _pack_whole(writer: KeyWriter, opportunity: NDArray[np.integer[Any]], first: int) -> Packed:
    """Write all keys, in the order of the input."""
    n = len(opportunity)
    key = np.empty(n, np.int64)
    for start, stop in chunks(n):
        writer.write(key[start:stop], opportunity[start:stop], first, start)
    return Packed(key, writer.layout, np.array([0, n]), np.array([first]))


def _pack_in_parts(
    writer: KeyWriter,
    opportunity: NDArray[np.integer[Any]],
    first: int,
    room: int,
    threads: bool,
) -> Packed:
    """Write the keys by ranges of ``2**room`` opportunities, within each in the input order."""
    n = len(opportunity)
    part = np.empty(n, np.uint8)
    keys = np.empty(n, np.int64)

    def pieces(rows: tuple[int, int]) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Yield some rows, and how far their opportunities are from the first, until the next."""
        distance = np.empty(min(rows[1] - rows[0], _SPLIT_CHUNK), np.int64)
        for start, stop in chunks(rows[1] - rows[0], _SPLIT_CHUNK):
            here, out = slice(rows[0] + start, rows[0] + stop), distance[: stop - start]
            np.subtract(opportunity[here], first, out=out, dtype=np.int64)
            yield here, out

    def measure(rows: tuple[int, int]) -> NDArray[np.int64]:
        """Note the part of some rows, and return how many there are of each."""
        sizes = np.zeros(_MAX_PARTS, np.int64)
        for here, distance in pieces(rows):
            part[here] = distance >> room
            sizes += np.bincount(part[here], minlength=_MAX_PARTS)
        return sizes

    def fill(rows: tuple[int, int], writer: KeyWriter, filled: NDArray[np.int64]) -> None:
        """Write the keys of some rows to the places that follow those that are filled."""
        key = np.empty(min(rows[1] - rows[0], _SPLIT_CHUNK), np.int64)
        for here, distance in pieces(rows):
            written = key[: len(distance)]
            np.bitwise_and(distance, (1 << room) - 1, out=distance)
            writer.write(written, distance, 0, here.start)
            for place, members in _by_part(written, part[here], used):
                keys[filled[place] : filled[place] + len(members)] = members
                filled[place] += len(members)

    middle = n // 2
    earlier, later = (0, middle), (middle, n)
    before, after = both(lambda: measure(earlier), lambda: measure(later), at_once=threads)
    sizes = before + after
    ends = np.append(0, np.cumsum(sizes))
    used = np.flatnonzero(sizes)
    # The rows of a part stand in the order of the input: those of the first half come first.
    both(
        lambda: fill(earlier, writer, ends[:-1].copy()),
        lambda: fill(later, writer.another(), ends[:-1] + before),
        at_once=threads,
    )
    starts = first + (used.astype(np.int64) << room)
    return Packed(keys, writer.layout, np.append(ends[used], n), starts)


def _by_part(
    key: NDArray[np.int64], part: NDArray[np.uint8], used: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield the keys of each part, in their order."""
    if len(used) <= _FEW_PARTS:
        for place in used.tolist():
            yield place, np.compress(part == place, key)
        return
    ordered = key[np.argsort(part, kind="stable")]  # of bytes: a radix sort
    ends = np.append(0, np.cumsum(np.bincount(part, minlength=_MAX_PARTS)))
    for place in used.tolist():
        yield place, ordered[ends[place] : ends[place + 1]]


def bounds(column: NDArray[np.integer[Any]]) -> tuple[int, int]:
    """Return the smallest and the largest of some integers, at least one."""
    found = [
        (column[start:stop].min(), column[start:stop].max()) for start, stop in chunks(len(column))
    ]
    return int(min(low for low, _ in found)), int(max(high for _, high in found))


def chunks(n: int, size: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield the bounds of consecutive chunks of n rows, by default of `CHUNK`."""
    step = CHUNK if size is None else size
    for start in range(0, n, step):
        yield start, min(start + step, n)
