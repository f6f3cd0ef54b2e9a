"""The innermost loop: sorted entries → from×to counts and exact sums, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.packing import CHUNK, chunks
from salesfunnel.kernel.sums import Adder, ExactSums
from salesfunnel.kernel.transitions import MOST_STEPS, count_steps

Rows = slice | NDArray[np.int64]


class FlowSums(NamedTuple):
    """Transitions added up; with groups there is a first axis G.

    Attributes
    ----------
    counts : (S, S) int64
    durations : Sums or None
        Of (S, S), in microseconds; None where they were not asked for.
    amounts : Sums or None
        Of (S, S), in the unit of the amounts given; None where there are none.
    starts, ends : (S,) int64
        Opportunities by their first and their last state.
    """

    counts: NDArray[np.int64]
    durations: ExactSums | None
    amounts: ExactSums | None
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Grouped(NamedTuple):
    """Groups of entries: the group of each, 0 … G-1, (N,), and their number G.

    The group of a run's first entry counts for the run.
    """

    codes: NDArray[np.integer]
    n_groups: int


def add_up(
    entries: Entries,
    n_states: int,
    *,
    known: NDArray[np.bool_] | None = None,
    keep_repeats: bool = False,
    groups: Grouped | None = None,
    amounts: NDArray[np.int64] | None = None,
    durations: bool = True,
) -> FlowSums:
    """Return the flow of sorted entries.

    Parameters
    ----------
    entries : Entries
    n_states : int
        S: the states are 0 … S-1.
    known : (N,) bool array, optional
        Entries that count: of each opportunity the first ones, or none.
    keep_repeats : bool
        Whether consecutive entries into one state are transitions, or one entry, a run.
    groups : Grouped, optional
        A transition belongs to the group of its target, a start to that of the first entry, an end
        to that of the last.
    amounts : (N,) int64 array, optional
        What to add up at the targets. The amount at a run's first entry counts for the run.
    durations : bool
        Whether times from entry to entry are added up.

    Raises
    ------
    SizeError
        If a sum could pass 64-bit integers.
    """
    everything = known is None and (keep_repeats or not entries.repeats)
    alone = groups is None and amounts is None and not durations
    if everything and alone and len(entries) and n_states <= MOST_STEPS:
        return _counts_alone(entries, n_states)
    table = _Table(entries, n_states, groups, amounts, durations)
    previous = -1
    for rows in _rows_that_count(entries, known, keep_repeats):
        first = rows.start if isinstance(rows, slice) else int(rows[0])
        if previous < 0:
            table.begin(first)
            chained = rows
        elif isinstance(rows, slice) and previous == first - 1:
            chained = slice(previous, rows.stop)
        else:
            chained = np.append(previous, _numbers(rows))
        table.add(chained)
        previous = rows.stop - 1 if isinstance(rows, slice) else int(rows[-1])
    return table.result(previous)


def _counts_alone(entries: Entries, n_states: int) -> FlowSums:
    """Return the counts of all entries, without sums."""
    counts, between = count_steps(entries.state, entries.new, n_states)
    starts, ends = between.sum(axis=0), between.sum(axis=1)
    starts[entries.state[0]] += 1
    ends[entries.state[-1]] += 1
    return FlowSums(counts, None, None, starts, ends)


def _numbers(rows: Rows) -> NDArray[np.int64]:
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


def _rows_that_count(
    entries: Entries, known: NDArray[np.bool_] | None, keep_repeats: bool
) -> Iterator[Rows]:
    """Yield the entries that count, a chunk at a time: a slice where all of a chunk do."""
    for start, stop in chunks(len(entries)):
        counts = None if known is None else known[start:stop].copy()
        if not keep_repeats and entries.repeats:
            fresh = np.ones(stop - start, bool)
            since = max(start, 1)
            np.not_equal(
                entries.state[since:stop],
                entries.state[since - 1 : stop - 1],
                out=fresh[since - start :],
            )
            fresh |= entries.new[start:stop]
            counts = fresh if counts is None else counts & fresh
        if counts is None or counts.all():
            yield slice(start, stop)
        elif counts.any():
            yield start + np.flatnonzero(counts)


class _Table:
    """Collects transitions in buffers, and adds up a buffer at a time.

    There is a cell for each pair of states of each group. Steps from the end of one opportunity to
    the start of the next have cells of their own beyond: without groups one for each pair, which
    add up to starts and ends; with groups a single one.
    """

    def __init__(
        self,
        entries: Entries,
        n_states: int,
        groups: Grouped | None,
        amounts: NDArray[np.int64] | None,
        durations: bool,
    ) -> None:
        self._entries = entries
        self._n_states = n_states
        self._groups = groups
        self._amounts = amounts
        self._pairs = n_states * n_states
        self._cells = self._pairs * (1 if groups is None else groups.n_groups)
        self._all_cells = self._cells + (self._pairs if groups is None else 1)
        self._pair_type = np.uint16 if 2 * self._pairs < 1 << 16 else np.uint32
        # A table much larger than what is counted at a time would cost more than the counting.
        size = 1 + (CHUNK if groups is None else min(max(self._cells, CHUNK), len(entries) + CHUNK))
        self._codes = np.empty(size, np.intp)
        self._filled = 0
        self._counts = np.zeros(self._all_cells, np.int64)
        self._clock = _Clock(entries, size) if durations else None
        self._elapsed: Adder | None = None
        if self._clock is not None:
            self._elapsed = Adder(self._cells, self._clock.longest, size, len(entries))
            self._durations = np.empty(size, np.int64)
        self._amount: Adder | None = None
        if amounts is not None:
            largest = max(int(amounts.max(initial=0)), -int(amounts.min(initial=0)))
            self._amount = Adder(self._cells, largest, size, len(entries))
            self._values = np.empty(size, np.int64)
        ends = n_states * (1 if groups is None else groups.n_groups)
        self._starts, self._ends = np.zeros(ends, np.int64), np.zeros(ends, np.int64)
        self._begun: list[NDArray[np.intp]] = []
        self._ended: list[NDArray[np.intp]] = []

    def begin(self, row: int) -> None:
        """Note the first entry of all."""
        self._starts[self._places(np.array([row]))] += 1

    def _places(self, rows: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return where some entries count as starts or ends: by group, if any, and state."""
        place = self._entries.state[rows].astype(np.intp)
        if self._groups is not None:
            place += self._groups.codes[rows].astype(np.intp) * self._n_states
        return place

    def add(self, rows: Rows) -> None:
        """Add the transitions between consecutive ones of some rows."""
        state = self._entries.state[rows]
        n = len(state) - 1
        if n < 1:
            return
        if self._filled + n > len(self._codes):
            self._flush()
        here = slice(self._filled, self._filled + n)
        targets = slice(rows.start + 1, rows.stop) if isinstance(rows, slice) else rows[1:]
        new = self._entries.new[targets]
        pair = np.multiply(state[:-1], self._n_states, dtype=self._pair_type)
        pair += state[1:]
        code = self._codes[here]
        if self._groups is None:
            pair += np.multiply(new, self._pairs, dtype=self._pair_type)
            code[:] = pair
        else:
            np.multiply(self._groups.codes[targets], self._pairs, out=code, dtype=np.intp)
            code += pair
            begins = np.flatnonzero(new)
            code[begins] = self._cells
            row = begins + rows.start if isinstance(rows, slice) else rows[begins]
            after = row + 1 if isinstance(rows, slice) else rows[begins + 1]
            self._begun.append(self._places(after))
            self._ended.append(self._places(row))
        if self._clock is not None:
            self._clock.differences(rows, self._durations[here])
        if self._amounts is not None:
            self._values[here] = self._amounts[targets]
        self._filled += n

    def _flush(self) -> None:
        codes = self._codes[: self._filled]
        self._counts += np.bincount(codes, minlength=self._all_cells)
        if self._elapsed is not None:
            self._elapsed.add(codes, self._durations[: self._filled])
        if self._amount is not None:
            self._amount.add(codes, self._values[: self._filled])
        if self._begun:
            n_places = len(self._starts)
            self._starts += np.bincount(np.concatenate(self._begun), minlength=n_places)
            self._ends += np.bincount(np.concatenate(self._ended), minlength=n_places)
            self._begun.clear()
            self._ended.clear()
        self._filled = 0

    def result(self, last: int) -> FlowSums:
        """Return the sums of all that was added; `last` is the last entry of all, -1 for none."""
        if self._filled:
            self._flush()
        if last >= 0:
            self._ends[self._places(np.array([last]))] += 1
        n_states = self._n_states
        counts, starts, ends = self._counts[: self._cells], self._starts, self._ends
        shape: tuple[int, ...] = (n_states, n_states)
        if self._groups is None:
            between = self._counts[self._cells :].reshape(shape)
            starts, ends = starts + between.sum(axis=0), ends + between.sum(axis=1)
        else:
            shape = (self._groups.n_groups, *shape)
            starts, ends = starts.reshape(shape[:-1]), ends.reshape(shape[:-1])
        durations = None
        if self._clock is not None and self._elapsed is not None:
            pairs = counts.reshape(-1, n_states, n_states)
            durations = self._clock.in_microseconds(self._elapsed, pairs).reshape(shape)
        amounts = None if self._amount is None else self._amount.total().reshape(shape)
        return FlowSums(counts.reshape(shape), durations, amounts, starts, ends)


class _Clock:
    """Differences of time between entries of one opportunity.

    Where the state alone is below the time in packed keys, the keys themselves are the clock: their
    differences are too large by the differences of the states, which only depend on the pair.
    Elsewhere what is below the time is cut off first.

    Attributes
    ----------
    longest : int
        The largest difference there can be.
    """

    def __init__(self, entries: Entries, size: int) -> None:
        packed = entries.packed
        self._ticks = entries.time if packed is None else packed.key
        self._shift = self._state_bits = 0
        self._unit = 1
        first, last = entries.time_bounds or (0, 0)
        if packed is not None:
            layout = packed.layout
            self._unit = layout.unit
            self._shift = layout.low_bits
            steps = (last - first) // layout.unit
            if entries.state_in_key and Adder.fits((steps + 1) << self._shift, size, len(entries)):
                self._shift, self._state_bits = 0, layout.low_bits
        self.longest = ((last - first) // self._unit + bool(self._state_bits)) << self._state_bits
        self._buffer = np.empty(CHUNK + 1, np.int64)

    def differences(self, rows: Rows, out: NDArray[np.int64]) -> None:
        """Write the differences between consecutive ones of some rows."""
        clock = self._ticks[rows]
        if self._shift:
            clock = np.right_shift(clock, self._shift, out=self._buffer[: len(clock)])
        np.subtract(clock[1:], clock[:-1], out=out)

    def in_microseconds(self, elapsed: Adder, counts: NDArray[np.int64]) -> ExactSums:
        """Return sums of differences as sums of durations, given how often each pair occurs."""
        if not self._state_bits:
            return elapsed.total(self._unit)
        state = np.arange(counts.shape[-1])
        excess = (counts * (state - state[:, None])).reshape(-1)
        return elapsed.total(self._unit, excess, self._state_bits)
