"""Runs: an opportunity's consecutive entries into one state, seen as one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Runs(NamedTuple):
    """Collapsed histories, one after the other.

    Attributes
    ----------
    opportunity : (R,) integers
    state : (R,) uint8
    time : (R,) int64
        When the run began.
    last : (R,) int64
        Row of the run's last entry.
    starts : (m,) int64
        Index of the first run of each opportunity that has one.
    """

    opportunity: NDArray[np.integer[Any]]
    state: NDArray[np.uint8]
    time: NDArray[np.int64]
    last: NDArray[np.int64]
    starts: NDArray[np.int64]

    @property
    def ends(self) -> NDArray[np.int64]:
        """Index of the last run of each opportunity, (m,)."""
        return np.append(self.starts[1:], len(self.state))[: len(self.starts)] - 1

    @property
    def member(self) -> NDArray[np.int64]:
        """For each run the index 0 … m-1 of its opportunity among those that have one, (R,)."""
        lengths = np.diff(np.append(self.starts, len(self.state)))
        return np.repeat(np.arange(len(self.starts)), lengths)


def collapse(
    opportunity: NDArray[np.integer[Any]],
    state: NDArray[np.uint8],
    time: NDArray[np.int64],
    *,
    keep_repeats: bool = False,
) -> Runs:
    """Return the runs of sorted entries; with `keep_repeats` every entry is a run of its own."""
    n = len(state)
    new_opportunity = np.ones(n, bool)
    np.not_equal(opportunity[1:], opportunity[:-1], out=new_opportunity[1:])
    if keep_repeats:
        first = np.arange(n)
    else:
        begins = new_opportunity.copy()
        begins[1:] |= state[1:] != state[:-1]
        first = np.flatnonzero(begins)
    return Runs(
        opportunity=opportunity[first],
        state=state[first],
        time=time[first],
        last=np.append(first[1:], n)[: len(first)] - 1,
        starts=np.flatnonzero(new_opportunity[first]),
    )


def last_known(
    known: NDArray[np.bool_], opportunity: NDArray[np.integer[Any]], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each of some rows the last one up to it, of its opportunity, that is known; else -1."""
    latest = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))[rows]
    # The latest known row may belong to an opportunity before this one.
    strayed = (latest >= 0) & (opportunity[latest] != opportunity[rows])
    return np.where(strayed, -1, latest)
