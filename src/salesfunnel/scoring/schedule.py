"""Which work fits into the hours that there are, and in which order, before its deadlines."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ROUNDING = 1e-9
"""Hours by which sums of hours may be off."""


class Schedule(NamedTuple):
    """What is done, in order.

    Attributes
    ----------
    order : (k,) int64
        The indices of what is done, the first first.
    start : (k,) float64
        When each of it starts, in hours from now.
    is_late : (n,) bool
        What is worth less, for it cannot be started in time.
    """

    order: NDArray[np.int64]
    start: Floats
    is_late: Flags


def schedule(
    value: Floats,
    hours: Floats,
    left: Floats,
    tie: NDArray[np.int64],
    *,
    capacity: float,
    late: float,
) -> Schedule:
    """Return what to do, so that much value comes from few hours.

    Each piece is worth its value if it starts before `left` is over, and `late` times that after.
    In the order of their deadlines pieces are taken in; when one no longer fits, that with the
    least value an hour is given up. What is given up for its deadline competes once more, as late;
    and what then still fits at the end is added.

    Parameters
    ----------
    value, hours, left : (n,) arrays
        What each is worth (NaN: it is left out), how long it takes, and within how many hours it
        has to start: below zero where that is over, infinite where it has all the time.
    tie : (n,) array of int
        Distinct numbers: of equal ones the lower comes first.
    capacity : float
        Hours that there are.
    late : float
        From 0 to 1.

    Notes
    -----
    J. M. Moore (1968), "An n job, one machine sequencing algorithm for minimizing the number of
    late jobs", Management Science 15, 102–109, with values: where all pieces take equally long and
    late ones are worth nothing, no other choice is worth more. With different lengths the best
    choice is not found in reasonable time, and this one is good.
    """
    possible = ~np.isnan(value) & (hours <= capacity)
    is_late = left < 0
    for _ in range(2):
        density = np.where(is_late, late * value, value) / hours
        due = np.where(is_late, capacity, np.minimum(left + hours, capacity))
        kept = _keep(np.flatnonzero(possible), hours, due, _ranks(density, tie))
        # There is time for it after its deadline.
        missed = possible & ~kept & ~is_late & (left < capacity - hours)
        if not missed.any():
            break
        is_late = is_late | missed
    density = np.where(is_late, late * value, value) / hours
    due = np.where(is_late, capacity, np.minimum(left + hours, capacity))
    rank = _ranks(density, tie)
    _fill(kept, possible & (due == capacity), hours, rank, capacity)
    chosen = np.flatnonzero(kept)
    order = chosen[np.lexsort((rank[chosen], due[chosen]))]
    finish = np.cumsum(hours[order])
    return Schedule(order, finish - hours[order], is_late)


def _ranks(density: Floats, tie: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each by value an hour, 0 the highest; NaN comes last."""
    rank = np.empty(len(density), np.int64)
    rank[np.lexsort((tie, -density))] = np.arange(len(density))
    return rank


def _keep(
    candidates: NDArray[np.int64], hours: Floats, due: Floats, rank: NDArray[np.int64]
) -> Flags:
    """Return what is kept when, by order of due times, the worst goes whenever time runs out."""
    by_due = candidates[np.lexsort((rank[candidates], due[candidates]))]
    takes, until = hours.tolist(), (due + _ROUNDING).tolist()
    worst: list[tuple[int, int]] = []
    total = 0.0
    for index, place in zip(by_due.tolist(), rank[by_due].tolist(), strict=True):
        heapq.heappush(worst, (-place, index))
        total += takes[index]
        while total > until[index]:
            _, dropped = heapq.heappop(worst)
            total -= takes[dropped]
    kept = np.zeros(len(hours), bool)
    kept[[index for _, index in worst]] = True
    return kept


def _fill(
    kept: Flags, possible: Flags, hours: Floats, rank: NDArray[np.int64], capacity: float
) -> None:
    """Add what has no deadline, or is late anyway, and fits into the hours left at the end."""
    rest = np.flatnonzero(possible & ~kept)
    spare = capacity - hours[kept].sum() + _ROUNDING
    least = hours[rest].min(initial=np.inf)
    for index in rest[np.argsort(rank[rest])].tolist():
        if spare < least:
            break
        if hours[index] <= spare:
            kept[index] = True
            spare -= hours[index]
