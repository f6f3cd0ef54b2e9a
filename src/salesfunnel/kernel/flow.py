"""The innermost loop: sorted entries → from×to counts and exact sums, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.packing import CHUNK, chunks
from salesfunnel.kernel.progress import Meter
from salesfunnel.kernel.sums import Adder, ExactSums, Tally
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
    watch: Meter | None = None,
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
    watch : Meter, optional
        Told how many entries are added up.

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
    last = -1
    for rows in linked_rows(entries, known, keep_repeats):
        if last < 0:
            table.begin(rows.start if isinstance(rows, slice) else int(rows[0]))
        table.add(rows)
        last = last_of(rows)
        if watch is not None:
            watch.at(last + 1)
    return table.result(last)


def _counts_alone(entries: Entries, n_states: int) -> FlowSums:
    """Return the counts of all entries, without sums."""
    counts, between = count_steps(entries.state, entries.new, n_states)
    starts, ends = between.sum(axis=0), between.sum(axis=1)
    starts[entries.state[0]] += 1
    ends[entries.state[-1]] += 1
    return FlowSums(counts, None, None, starts, ends)


def linked_rows(
    entries: Entries, known: NDArray[np.bool_] | None, keep_repeats: bool
) -> Iterator[Rows]:
    """Yield the entries that count, at most a chunk and one at a time.

    From the second time on, the last one of the time before is the first, so that every two
    consecutive ones are together once.
    """
    previous = -1
    for rows in _rows_that_count(entries, known, keep_repeats):
        first = rows.start if isinstance(rows, slice) else int(rows[0])
        if previous < 0:
            yield rows
        elif isinstance(rows, slice) and previous == first - 1:
            yield slice(previous, rows.stop)
        else:
            yield np.append(previous, _numbers(rows))
        previous = last_of(rows)


def last_of(rows: Rows) -> int:
    """Return the last of some rows."""
    return rows.stop - 1 if isinstance(rows, slice) else int(rows[-1])


def targets_of(rows: Rows) -> Rows:
    """Return all rows but the first."""
    return slice(rows.start + 1, rows.stop) if isinstance(rows, slice) else rows[1:]


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
    """Adds up transitions, a chunk at a time.

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
        n_groups = 1 if groups is None else groups.n_groups
        self._pairs = n_states * n_states
        self._cells = self._pairs * n_groups
        self._pair_type = np.uint16 if 2 * self._pairs < 1 << 16 else np.uint32
        n_cells = self._cells + (self._pairs if groups is None else 1)
        self._counts = Tally(n_cells)
        self._starts, self._ends = Tally(n_states * n_groups), Tally(n_states * n_groups)
        self._clock = Clock(entries, n_cells, grouped=groups is not None) if durations else None
        self._elapsed: Adder | None = None
        if self._clock is not None:
            self._elapsed = Adder(n_cells, self._cells, self._clock.longest, len(entries))
        self._amount: Adder | None = None
        if amounts is not None:
            largest = max(int(amounts.max(initial=0)), -int(amounts.min(initial=0)))
            self._amount = Adder(n_cells, self._cells, largest, len(entries))
        self._codes = np.empty(CHUNK, np.intp)

    def begin(self, row: int) -> None:
        """Note the first entry of all."""
        self._starts.add(self._places(np.array([row])))

    def _places(self, rows: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return where some entries count as starts or ends: by group, if any, and state."""
        place = self._entries.state[rows].astype(np.intp)
        if self._groups is not None:
            place += self._groups.codes[rows].astype(np.intp) * self._n_states
        return place

    def add(self, rows: Rows) -> None:
        """Add the transitions between consecutive ones of some rows, at most a chunk and one."""
        state = self._entries.state[rows]
        if len(state) < 2:
            return
        targets = targets_of(rows)
        new = self._entries.new[targets]
        pair = np.multiply(state[:-1], self._n_states, dtype=self._pair_type)
        pair += state[1:]
        code = self._codes[: len(pair)]
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
            self._starts.add(self._places(after))
            self._ends.add(self._places(row))
        self._counts.add(code)
        if self._clock is not None and self._elapsed is not None:
            self._elapsed.add(code, self._clock.differences(rows))
        if self._amounts is not None and self._amount is not None:
            self._amount.add(code, self._amounts[targets])

    def result(self, last: int) -> FlowSums:
        """Return the sums of all that was added; `last` is the last entry of all, -1 for none."""
        if last >= 0:
            self._ends.add(self._places(np.array([last])))
        n_states = self._n_states
        counts, starts, ends = (t.counts for t in (self._counts, self._starts, self._ends))
        shape: tuple[int, ...] = (n_states, n_states)
        if self._groups is None:
            between = counts[self._cells :].reshape(shape)
            starts, ends = starts + between.sum(axis=0), ends + between.sum(axis=1)
        else:
            shape = (self._groups.n_groups, *shape)
            starts, ends = starts.reshape(shape[:-1]), ends.reshape(shape[:-1])
        counts = counts[: self._cells].reshape(shape)
        durations = None
        if self._clock is not None and self._elapsed is not None:
            durations = self._clock.in_microseconds(self._elapsed, counts).reshape(shape)
        amounts = None if self._amount is None else self._amount.total().reshape(shape)
        return FlowSums(counts, durations, amounts, starts, ends)


class Clock:
    """Differences of time between entries of one opportunity.

    Where the state alone is below the time in packed keys, the keys themselves are the clock: their
    differences are too large by the differences of the states, which only depend on the pair.
    Elsewhere what is below the time is cut off first.

    Attributes
    ----------
    longest : int
        The largest difference there can be.
    unit : int
        Microseconds in a difference of one, where no state is in it.
    """

    def __init__(self, entries: Entries, n_cells: int, *, grouped: bool) -> None:
        packed = entries.packed
        self._ticks = entries.time if packed is None else packed.key
        self._shift = self._state_bits = 0
        self.unit = 1
        first, last = entries.time_bounds or (0, 0)
        if packed is not None:
            layout = packed.layout
            self.unit = layout.unit
            self._shift = layout.low_bits
            steps = (last - first) // layout.unit
            longest = (steps + 1) << self._shift
            # By group there are so many sums to put right that cutting off is less work.
            if entries.state_in_key and not grouped and Adder.fits(n_cells, longest, len(entries)):
                self._shift, self._state_bits = 0, layout.low_bits
        self.longest = ((last - first) // self.unit + bool(self._state_bits)) << self._state_bits
        self._shifted = np.empty(CHUNK + 1, np.int64)
        self._differences = np.empty(CHUNK, np.int64)

    def differences(self, rows: Rows) -> NDArray[np.int64]:
        """Return the differences between consecutive ones of some rows, until asked again."""
        clock = self._ticks[rows]
        if self._shift:
            clock = np.right_shift(clock, self._shift, out=self._shifted[: len(clock)])
        return np.subtract(clock[1:], clock[:-1], out=self._differences[: len(clock) - 1])

    def in_microseconds(self, elapsed: Adder, counts: NDArray[np.int64]) -> ExactSums:
        """Return sums of differences as sums of durations, given how often each pair occurs."""
        if not self._state_bits:
            return elapsed.total(self.unit)
        state = np.arange(counts.shape[-1])
        excess = (counts * (state - state[:, None])).reshape(-1)
        return elapsed.total(self.unit, excess, self._state_bits)
