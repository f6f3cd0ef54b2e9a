"""Runs: an opportunity's consecutive entries into one state, seen as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.packing import CHUNK
from salesfunnel.kernel.progress import Meter

Scalar = TypeVar("Scalar", bound=np.generic)


class Runs:
    """Collapsed histories, one after the other.

    Parameters
    ----------
    state : (R,) uint8
    new : (R,) bool
        Which runs are the first of their opportunity.
    begins : (N,) bool or None
        Which entries begin a run; None if all do.
    opportunity, time : callable
        Give the opportunities of the runs, (R,) integers, and when they began, (R,) int64: only
        when asked, as much can be told without them.
    """

    def __init__(
        self,
        state: NDArray[np.uint8],
        new: NDArray[np.bool_],
        begins: NDArray[np.bool_] | None,
        *,
        opportunity: Callable[[], NDArray[np.integer[Any]]],
        time: Callable[[], NDArray[np.int64]],
    ) -> None:
        self.state = state
        self.new = new
        self._begins = begins
        self._opportunity = opportunity
        self._time = time

    @cached_property
    def opportunity(self) -> NDArray[np.integer[Any]]:
        """The opportunity of each run, (R,)."""
        return self._opportunity()

    @cached_property
    def time(self) -> NDArray[np.int64]:
        """When each run began, (R,)."""
        return self._time()

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Index of the first run of each opportunity that has one, (m,)."""
        return np.flatnonzero(self.new)

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """Row of each run's first entry, (R,)."""
        return np.arange(len(self.state)) if self._begins is None else np.flatnonzero(self._begins)

    @cached_property
    def last(self) -> NDArray[np.int64]:
        """Row of each run's last entry, (R,)."""
        if self._begins is None:
            return self.first
        return np.append(self.first[1:], len(self._begins))[: len(self.first)] - 1

    def last_of(self, run: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the last entries of some runs."""
        return run if self._begins is None else self.last[run]

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Index of the last run of each opportunity, (m,)."""
        return np.append(self.starts[1:], len(self.state))[: len(self.starts)] - 1

    @cached_property
    def member(self) -> NDArray[np.int64]:
        """For each run the index 0 … m-1 of its opportunity among those that have one, (R,)."""
        return np.cumsum(self.new) - 1

    def before(self, run: NDArray[np.int64], none: int) -> NDArray[np.int64]:
        """Return the states before some runs; `none` for the first ones of their opportunities."""
        return np.where(self.new[run], none, self.state[run - 1].astype(np.int64))

    def pieces(self, watch: Meter | None = None) -> Iterator[tuple[slice, Runs]]:
        """Yield consecutive opportunities, and their runs: about a chunk of them at a time.

        What `watch` is told is how many opportunities are done with.
        """
        starts, n = self.starts, len(self.starts)
        bounds = np.append(starts, len(self.state))
        first = 0
        while first < n:
            fits = int(np.searchsorted(bounds, bounds[first] + CHUNK, side="right")) - 1
            last = max(fits, first + 1)
            runs = slice(int(bounds[first]), int(bounds[last]))
            yield (
                slice(first, last),
                Runs(
                    self.state[runs],
                    self.new[runs],
                    None,
                    opportunity=lambda runs=runs: self.opportunity[runs],  # type: ignore[misc]
                    time=lambda runs=runs: self.time[runs],  # type: ignore[misc]
                ),
            )
            first = last
            if watch is not None:
                watch.at(first)


def collapse(
    entries: Entries, known: NDArray[np.bool_] | None = None, *, keep_repeats: bool = False
) -> Runs:
    """Return the runs of sorted entries.

    Parameters
    ----------
    entries : Entries
    known : (N,) bool array, optional
        Entries that count: of each opportunity the first ones, or none. Rows are those of what
        counts.
    keep_repeats : bool
        Whether every entry is a run of its own.
    """

    def cut(column: NDArray[Scalar]) -> NDArray[Scalar]:
        return column if known is None else column[known]

    state, new = cut(entries.state), cut(entries.new)
    begins = None
    if not keep_repeats and entries.repeats:
        begins = new.copy()
        begins[1:] |= state[1:] != state[:-1]
        state, new = state[begins], new[begins]

    def at_runs(column: NDArray[Scalar]) -> NDArray[Scalar]:
        return cut(column) if begins is None else cut(column)[begins]

    return Runs(
        state,
        new,
        begins,
        opportunity=lambda: at_runs(entries.opportunity),
        time=lambda: at_runs(entries.time),
    )


def last_known_within(
    known: NDArray[np.bool_], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each range of rows, ``first`` to ``last``, the last known one in it; else -1."""
    if len(first) == 0:
        return first
    lengths = last - first + 1
    begin = np.cumsum(lengths) - lengths
    rows = np.arange(lengths.sum()) + np.repeat(first - begin, lengths)
    return np.asarray(np.maximum.reduceat(np.where(known[rows], rows, -1), begin))


def last_known_rows(known: NDArray[np.bool_], new: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each entry the last row, up to it, where its opportunity has a known value.

    Where it has none yet, the row of its first entry.

    Parameters
    ----------
    known : (N,) bool array
        Which rows have a value.
    new : (N,) bool array
        Which are the first of their opportunity.
    """
    rows = np.where(known | new, np.arange(len(known)), 0)
    return np.asarray(np.maximum.accumulate(rows))


def ends_at_starts(
    state: NDArray[np.uint8], new: NDArray[np.bool_], known: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last rows of the runs of several entries.

    Parameters
    ----------
    state : (N,) uint8 array
    new : (N,) bool array
        Which entries are the first of their opportunity.
    known : (N,) bool array, optional
        Which entries count; by default all.
    """
    repeated = np.zeros(len(state), bool)
    np.equal(state[1:], state[:-1], out=repeated[1:])
    repeated &= ~new
    if known is not None:
        repeated &= known
    last = np.flatnonzero(repeated & ~np.append(repeated[1:], False)[: len(repeated)])
    begins = np.flatnonzero(~repeated)
    return begins[np.searchsorted(begins, last) - 1], last
