"""Transitions added up by group: a cell for each pair of states of each group."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.clock import Clock
from salesfunnel.kernel.constant import Constant
from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.linking import Rows, targets_of
from salesfunnel.kernel.packing import CHUNK
from salesfunnel.kernel.sums import (
    MANY_CELLS,
    Adder,
    CountedSums,
    ExactSums,
    Tally,
    largest_of,
    unsigned_type,
)


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
    """Groups of entries, or of opportunities.

    Attributes
    ----------
    codes : (N,) integers or Constant
        The group of each entry, 0 … G-1, of which that of a run's first entry counts for the run;
        or of each opportunity that has an entry which counts.
    n_groups : int
        G.
    """

    codes: NDArray[np.integer[Any]] | Constant
    n_groups: int


class GroupTable:
    """Adds up transitions by group, a chunk at a time.

    A start is a transition from beyond the states, so that each entry has a cell. Where a group has
    whole opportunities, it has as many entries into a state as out of it, or an end there.
    """

    def __init__(
        self,
        entries: Entries,
        n_states: int,
        groups: Grouped,
        amounts: NDArray[np.int64] | None,
        durations: bool,
    ) -> None:
        self._entries = entries
        self._n_states = n_states
        self._n_groups = groups.n_groups
        self._amounts = amounts
        self._of_group = n_states * (n_states + 1)
        n_cells = self._of_group * groups.n_groups
        self._pair_type = unsigned_type(self._of_group)
        self._own = isinstance(groups.codes, Constant)
        self._group = groups.codes.values if isinstance(groups.codes, Constant) else groups.codes
        self._ends = None if self._own else Tally(n_states * groups.n_groups)
        self._counts = Tally(n_cells)
        self._clock = Clock(entries, n_cells, grouped=True) if durations else None
        self._elapsed: Adder | None = None
        self._counted: CountedSums | None = None
        if self._clock is not None:
            longest, n = self._clock.longest, len(entries)
            self._elapsed = Adder(n_cells, n_cells, longest, n)
            if n_cells > MANY_CELLS and Adder.fits(n_cells, longest, n):
                self._counted = CountedSums(self._counts, self._elapsed)
        self._amount: Adder | None = None
        if amounts is not None:
            self._amount = Adder(n_cells, n_cells, largest_of(amounts), len(entries))
        self._codes = np.empty(CHUNK, np.intp)
        self._members = np.empty(CHUNK, np.intp)
        self._member = 0

    def begin(self, row: int) -> None:
        """Note the first entry of all."""
        group = int(self._group[0 if self._own else row])
        place = self._n_states * self._n_states + int(self._entries.state[row])
        code = np.array([group * self._of_group + place])
        if self._counted is not None:
            self._counted.add(code, np.zeros(1, np.int64))
        else:
            self._counts.add(code)

    def add(self, rows: Rows) -> None:
        """Add the transitions between consecutive ones of some rows, at most a chunk and one."""
        state = self._entries.state[rows]
        if len(state) < 2:
            return
        targets = targets_of(rows)
        new = self._entries.new[targets]
        source = np.multiply(new.view(np.uint8), np.uint8(self._n_states))
        np.maximum(source, state[:-1], out=source)
        pair = np.multiply(source, self._n_states, dtype=self._pair_type)
        pair += state[1:]
        code = self._codes[: len(pair)]
        if self._own:
            member = np.cumsum(new, out=self._members[: len(pair)])
            member += self._member
            self._member = int(member[-1])
            group = np.take(self._group, member, mode="clip")
        else:
            group = self._group[targets]
        np.multiply(group, self._of_group, out=code, dtype=np.intp)
        code += pair
        if self._ends is not None:
            begins = np.flatnonzero(new)
            before = begins + rows.start if isinstance(rows, slice) else rows[begins]
            self._ends.add(self._places(before))
        if self._counted is not None and self._clock is not None:
            self._counted.add(code, self._clock.within(rows, new))
        else:
            self._counts.add(code)
            if self._clock is not None and self._elapsed is not None:
                self._elapsed.add(code, self._clock.within(rows, new))
        if self._amounts is not None and self._amount is not None:
            self._amount.add(code, self._amounts[targets])

    def _places(self, rows: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return where some entries count as ends: by group and state."""
        place = self._group[rows].astype(np.intp)
        place *= self._n_states
        place += self._entries.state[rows]
        return place

    def result(self, last: int) -> FlowSums:
        """Return the sums of all that was added; `last` is the last entry of all, -1 for none."""
        n_states, n_groups = self._n_states, self._n_groups
        if self._counted is not None:
            self._counted.finish()
        shape = n_groups, n_states + 1, n_states
        entered = self._counts.counts.reshape(shape)
        counts, starts = entered[:, :n_states], entered[:, n_states].copy()
        if self._ends is None:
            # As many come in as go out, or end; `sum` is slow along axes of a few.
            ends = np.einsum("gst->gt", entered) - np.einsum("gst->gs", counts)
        else:
            if last >= 0:
                self._ends.add(self._places(np.array([last])))
            ends = self._ends.counts.reshape(n_groups, n_states)
        durations = amounts = None
        if self._clock is not None and self._elapsed is not None:
            found = self._clock.in_microseconds(self._elapsed, counts)
            durations = _between_states(found, shape)
        if self._amount is not None:
            amounts = _between_states(self._amount.total(), shape)
        return FlowSums(counts, durations, amounts, starts, ends)


def _between_states(sums: ExactSums, shape: tuple[int, int, int]) -> ExactSums:
    """Return the sums of cells without those of starts."""
    whole, micro = sums.reshape(shape)
    return ExactSums(whole[:, :-1], micro[:, :-1])
