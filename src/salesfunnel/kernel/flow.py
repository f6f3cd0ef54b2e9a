"""The innermost loop: sorted entries → from×to counts and exact sums, a chunk at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.clock import Clock
from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.groupflow import FlowSums, Grouped, GroupTable
from salesfunnel.kernel.linking import Rows, last_of, linked_rows, targets_of
from salesfunnel.kernel.packing import CHUNK
from salesfunnel.kernel.progress import Meter
from salesfunnel.kernel.sums import Adder, Tally, largest_of, unsigned_type
from salesfunnel.kernel.transitions import MOST_STEPS, count_steps


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
    table: _Table | GroupTable
    if groups is None:
        table = _Table(entries, n_states, amounts, durations)
    else:
        table = GroupTable(entries, n_states, groups, amounts, durations)
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


class _Table:
    """Adds up transitions, a chunk at a time.

    There is a cell for each pair of states, and beyond these one for each pair of the end of one
    opportunity and the start of the next, which add up to starts and ends.
    """

    def __init__(
        self,
        entries: Entries,
        n_states: int,
        amounts: NDArray[np.int64] | None,
        durations: bool,
    ) -> None:
        self._entries = entries
        self._n_states = n_states
        self._amounts = amounts
        self._pairs = n_states * n_states
        n_cells = 2 * self._pairs
        self._pair_type = unsigned_type(n_cells)
        self._counts = Tally(n_cells)
        self._clock = Clock(entries, n_cells, grouped=False) if durations else None
        self._elapsed: Adder | None = None
        if self._clock is not None:
            self._elapsed = Adder(n_cells, self._pairs, self._clock.longest, len(entries))
        self._amount: Adder | None = None
        if amounts is not None:
            self._amount = Adder(n_cells, self._pairs, largest_of(amounts), len(entries))
        self._codes = np.empty(CHUNK, np.intp)
        self._first = -1

    def begin(self, row: int) -> None:
        """Note the first entry of all."""
        self._first = row

    def add(self, rows: Rows) -> None:
        """Add the transitions between consecutive ones of some rows, at most a chunk and one."""
        state = self._entries.state[rows]
        if len(state) < 2:
            return
        targets = targets_of(rows)
        pair = np.multiply(state[:-1], self._n_states, dtype=self._pair_type)
        pair += state[1:]
        pair += np.multiply(self._entries.new[targets], self._pairs, dtype=self._pair_type)
        code = self._codes[: len(pair)]
        code[:] = pair
        self._counts.add(code)
        if self._clock is not None and self._elapsed is not None:
            self._elapsed.add(code, self._clock.differences(rows))
        if self._amounts is not None and self._amount is not None:
            self._amount.add(code, self._amounts[targets])

    def result(self, last: int) -> FlowSums:
        """Return the sums of all that was added; `last` is the last entry of all, -1 for none."""
        n_states, state = self._n_states, self._entries.state
        shape = n_states, n_states
        counts, between = self._counts.counts.reshape(2, *shape)
        starts, ends = between.sum(axis=0), between.sum(axis=1)
        if last >= 0:
            starts[state[self._first]] += 1
            ends[state[last]] += 1
        durations = None
        if self._clock is not None and self._elapsed is not None:
            durations = self._clock.in_microseconds(self._elapsed, counts).reshape(shape)
        amounts = None if self._amount is None else self._amount.total().reshape(shape)
        return FlowSums(counts, durations, amounts, starts, ends)
