"""Sketches of durations: quantiles within one percent, from counts that add.

The sketch of Masson, Rim and Lee (2019, DDSketch, Proceedings of the VLDB Endowment 12, 2195–2205):
values are counted in buckets so narrow, relative to where they are, that one number stands for all
that a bucket may hold. Counts are integers, so that adding two sketches is exact in any order.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import NamedTuple

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.clock import Clock
from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.groupflow import Grouped
from salesfunnel.kernel.linking import last_of, linked_rows, targets_of
from salesfunnel.kernel.progress import Meter
from salesfunnel.kernel.sums import MICRO

ACCURACY = 0.01
"""How far a quantile is off at most, as a share of it."""
BUCKET_BITS = 12
_BLOCK = 1 << 22
"""Keys that are sorted at a time, at most: where most differ, joining sorted ones costs more."""
LONGEST = (1 << 62) - 1
"""Microseconds: fourteen times the years 1 to 9999."""
_CELL_BITS = 6
"""Of a float's fraction, those that tell where to look for its bucket."""
_FIRST_CELL = 1023 << _CELL_BITS
"""Of the number 1, whose exponent is stored as 1023."""


class Buckets(NamedTuple):
    """B buckets of whole microseconds.

    Attributes
    ----------
    first : (B,) int64
        The smallest value of each: every value up to 49 has one of its own.
    seconds : (B,) float64
        What stands for the values of each.
    below : (C,) int64
        By the leading bits of a value as a float: the bucket of the smallest such value.
    limit : (C,) int64
        The smallest value of the bucket after that.
    """

    first: NDArray[np.int64]
    seconds: NDArray[np.float64]
    below: NDArray[np.int64]
    limit: NDArray[np.int64]


@cache
def buckets() -> Buckets:
    """Return the buckets of all durations.

    From a bucket's smallest value to its largest are at most 2 percent, and their harmonic mean is
    off by the same share of both: at most 1/101.
    """
    first = [0, 1]
    while (after := first[-1] * 51 // 50 + 1) <= LONGEST:
        first.append(after)
    last = [after - 1 for after in first[1:]] + [LONGEST]
    means = [
        Fraction(2 * low * high, (low + high) * MICRO)
        for low, high in zip(first[1:], last[1:], strict=True)
    ]
    starts = np.array(first, np.int64)
    # Cells are narrower than buckets, so that none has values of three.
    parts = 1 << _CELL_BITS
    edges = [(parts + part << power) // parts for power in range(63) for part in range(parts)]
    # A value above 2⁵³ may be rounded up to the next cell.
    lowest = np.array([edge - (edge >> 52) for edge in edges], np.int64)
    lowest[0] = 0
    below = np.searchsorted(starts, lowest, side="right") - 1
    limit = np.append(starts[1:], LONGEST + 1)[below]
    return Buckets(starts, np.array([0.0, *map(float, means)]), below, limit)


def bucket_of(microseconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bucket of each duration, exactly.

    Parameters
    ----------
    microseconds : (n,) int64 array
        From zero to `LONGEST`.
    """
    known = buckets()
    cell = microseconds.astype(np.float64).view(np.int64)
    cell >>= 52 - _CELL_BITS
    cell -= _FIRST_CELL
    bucket = known.below.take(cell, mode="clip")  # zero is in the first cell
    bucket += microseconds >= known.limit.take(cell, mode="clip")
    return bucket


@attrs.frozen(eq=False)
class DurationSketch:
    """Durations by cell, in buckets of two percent: quantiles that are off by at most one percent.

    Sketches of one shape add, exactly and in any order. What takes memory are buckets with
    something in them, 16 bytes each.

    Attributes
    ----------
    shape : tuple of int
        Of the cells: ``(G, S, S)`` of a flow with groups, or ``(S, S)``.
    keys : (U,) int64
        Cell and, in the lowest 12 bits, bucket; ascending.
    counts : (U,) int64
        Durations there.
    """

    shape: tuple[int, ...]
    keys: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Bytes that the sketch takes."""
        return self.keys.nbytes + self.counts.nbytes

    @property
    def n_durations(self) -> NDArray[np.int64]:
        """The number of durations in each cell, of `shape`."""
        found = np.zeros(self.shape, np.int64)
        np.add.at(found.reshape(-1), self.keys >> BUCKET_BITS, self.counts)
        return found

    def quantile(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return quantiles in seconds; NaN where a cell has no duration.

        Linear between the two nearest durations, as `numpy.quantile` does by default; what it would
        say of the durations themselves is off by at most one percent.

        Parameters
        ----------
        q : number or (n,) sequence
            From 0 to 1.

        Returns
        -------
        array of float
            Of `shape` for one number, of ``(n, *shape)`` for several.

        Raises
        ------
        DefinitionError
            If `q` is none of these.
        """
        levels = np.asarray(q, float)
        if levels.ndim > 1 or not ((levels >= 0) & (levels <= 1)).all():
            raise DefinitionError("q= is a number from 0 to 1, or several such, not {q!r}", q=q)
        n_cells = int(np.prod(self.shape, dtype=np.int64))
        found = np.full((levels.size, n_cells), np.nan)
        if len(self.keys):
            cell = self.keys >> BUCKET_BITS
            begin = np.flatnonzero(np.append(True, cell[1:] != cell[:-1]))
            upto = np.cumsum(self.counts)
            before = upto[begin] - self.counts[begin]
            rest = np.diff(before, append=upto[-1]) - 1
            seconds = buckets().seconds[self.keys & ((1 << BUCKET_BITS) - 1)]
            position = levels.reshape(-1, 1) * rest
            rank = np.floor(position).astype(np.int64)
            low, high = (
                seconds[np.searchsorted(upto, before + place, side="right")]
                for place in (rank, np.minimum(rank + 1, rest))
            )
            found[:, cell[begin]] = low + (high - low) * (position - rank)
        return found.reshape((*levels.shape, *self.shape))

    def __add__(self, other: object) -> DurationSketch:
        if not isinstance(other, DurationSketch) or self.shape != other.shape:
            return NotImplemented
        keys = np.concatenate([self.keys, other.keys])
        return _gathered(self.shape, keys, np.concatenate([self.counts, other.counts]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DurationSketch):
            return NotImplemented
        return (
            self.shape == other.shape
            and np.array_equal(self.keys, other.keys)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is not hashable

    @property
    def _step(self) -> int:
        """From the keys of one group to those of the next."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) << BUCKET_BITS

    def of(self, group: int) -> DurationSketch:
        """Return the sketch of one group: what the first axis has there."""
        first = group % self.shape[0] * self._step
        there = slice(*np.searchsorted(self.keys, [first, first + self._step]).tolist())
        return DurationSketch(self.shape[1:], self.keys[there] - first, self.counts[there])

    def total(self) -> DurationSketch:
        """Return the sketch of all groups together."""
        return _gathered(self.shape[1:], self.keys % self._step, self.counts)

    def placed(self, places: NDArray[np.int64], n_groups: int) -> DurationSketch:
        """Return the sketch with each group at another place, among `n_groups`."""
        group, within = np.divmod(self.keys, self._step)
        shape = (n_groups, *self.shape[1:])
        return _gathered(shape, places[group] * self._step + within, self.counts)


def _gathered(
    shape: tuple[int, ...], keys: NDArray[np.int64], counts: NDArray[np.int64]
) -> DurationSketch:
    """Return the sketch of keys in any order, and however often each is there."""
    if len(keys):
        order = np.argsort(keys, kind="stable")  # which uses what is in order already
        keys, counts = keys[order], counts[order]
        first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        keys, counts = keys[first], np.add.reduceat(counts, first)
    return DurationSketch(shape, keys, counts)


def sketch_durations(
    entries: Entries,
    n_states: int,
    *,
    known: NDArray[np.bool_] | None = None,
    keep_repeats: bool = False,
    groups: Grouped | None = None,
    watch: Meter | None = None,
) -> DurationSketch:
    """Return the sketch of the durations from entry to entry; `add_up` describes the parameters."""
    shape: tuple[int, ...] = (n_states, n_states)
    if groups is not None:
        shape = (groups.n_groups, *shape)
    sketches = _Sketches(shape, len(entries))
    clock = Clock(entries, 0, grouped=True)
    done = 0 if watch is None else watch.done
    for rows in linked_rows(entries, known, keep_repeats):
        targets = targets_of(rows)
        state = entries.state[rows]
        within = np.flatnonzero(~entries.new[targets])
        key = state[:-1][within].astype(np.int64)
        key *= n_states
        key += state[1:][within]
        if groups is not None:
            key += groups.codes[targets][within].astype(np.int64) * (n_states * n_states)
        key <<= BUCKET_BITS
        key += bucket_of(clock.differences(rows)[within] * clock.unit)
        sketches.add(key)
        if watch is not None:
            watch.at(done + last_of(rows) + 1)
    return sketches.result()


class _Sketches:
    """Gathers up to n keys: sorts blocks of them, and joins each with those of about its size."""

    def __init__(self, shape: tuple[int, ...], n: int) -> None:
        self._shape = shape
        self._block = np.empty(min(n, _BLOCK), np.int64)
        self._filled = 0
        self._done: list[DurationSketch] = []

    def add(self, keys: NDArray[np.int64]) -> None:
        """Add keys, fewer than a block has."""
        if self._filled + len(keys) > len(self._block):
            self._close()
        self._block[self._filled : self._filled + len(keys)] = keys
        self._filled += len(keys)

    def _close(self) -> None:
        keys = self._block[: self._filled]
        keys.sort()
        first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
        counts = np.diff(first, append=len(keys))
        self._done.append(DurationSketch(self._shape, keys[first], counts))
        self._filled = 0
        while len(self._done) > 1 and len(self._done[-2].keys) < 2 * len(self._done[-1].keys):
            self._done.append(self._done.pop() + self._done.pop())

    def result(self) -> DurationSketch:
        """Return the sketch of all."""
        self._close()
        while len(self._done) > 1:
            self._done.append(self._done.pop() + self._done.pop())
        return self._done[0]
