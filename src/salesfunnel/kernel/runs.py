"""Runs: an opportunity's consecutive entries into one state, seen as one."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Runs:
    """Collapsed histories, one after the other.

    Attributes
    ----------
    opportunity : (R,) integers
    state : (R,) uint8
    time : (R,) int64
        When the run began.
    starts : (m,) int64
        Index of the first run of each opportunity that has one.
    """

    def __init__(
        self,
        opportunity: NDArray[np.integer[Any]],
        state: NDArray[np.uint8],
        time: NDArray[np.int64],
        starts: NDArray[np.int64],
        begins: NDArray[np.bool_] | None,
    ) -> None:
        self.opportunity = opportunity
        self.state = state
        self.time = time
        self.starts = starts
        self._begins = begins

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

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Index of the last run of each opportunity, (m,)."""
        return np.append(self.starts[1:], len(self.state))[: len(self.starts)] - 1

    @cached_property
    def member(self) -> NDArray[np.int64]:
        """For each run the index 0 … m-1 of its opportunity among those that have one, (R,)."""
        lengths = np.diff(np.append(self.starts, len(self.state)))
        return np.repeat(np.arange(len(self.starts)), lengths)

    def before(self, run: NDArray[np.int64], none: int) -> NDArray[np.int64]:
        """Return the states before some runs; `none` for the first ones of their opportunities."""
        is_first = (run == 0) | (self.opportunity[run - 1] != self.opportunity[run])
        return np.where(is_first, none, self.state[run - 1].astype(np.int64))


def collapse(
    opportunity: NDArray[np.integer[Any]],
    state: NDArray[np.uint8],
    time: NDArray[np.int64],
    *,
    keep_repeats: bool = False,
) -> Runs:
    """Return the runs of sorted entries; with `keep_repeats` every entry is a run of its own."""
    starts = np.ones(len(state), bool)
    np.not_equal(opportunity[1:], opportunity[:-1], out=starts[1:])
    begins = starts.copy()
    begins[1:] |= state[1:] != state[:-1]
    if keep_repeats or begins.all():
        return Runs(opportunity, state, time, np.flatnonzero(starts), None)
    return Runs(
        opportunity[begins], state[begins], time[begins], np.flatnonzero(starts[begins]), begins
    )


def last_known(
    known: NDArray[np.bool_], opportunity: NDArray[np.integer[Any]], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each of some rows the last known one up to it, of its opportunity; else -1."""
    latest = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))[rows]
    # The latest known row may belong to an opportunity before this one.
    strayed = (latest >= 0) & (opportunity[latest] != opportunity[rows])
    return np.where(strayed, -1, latest)


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
