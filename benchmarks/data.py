"""Entries to measure with: generated histories of a seven-stage funnel, the same for the same seed.

No history has two consecutive entries into one state: this library always looks for them, its peers
would need extra work to do so, and all are to give the same answer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel.standard()
N_STATES = len(FUNNEL.states)
N_OWNERS = 10_000
ENTRY_BYTES = 8 + 1 + 8
"""Size of one entry in the columns of `Entries`."""

_START = 1_672_531_200_000_000
"""Microseconds from 1970 to 2023-01-01 in UTC, before which nothing happens."""
_DAY = 86_400
_FIRST_ENTRIES = 950 * _DAY
"""Histories begin within so many seconds; lasting some weeks, nearly all end in three years."""
_GAP = 30 * _DAY
"""The longest time in seconds from one entry to the next."""
_TICK = {"microsecond": 1, "second": 1_000_000, "day": _DAY * 1_000_000}
_END = 255


class Entries(NamedTuple):
    """Columns of one row for each entry, in any order.

    Attributes
    ----------
    opportunity : (N,) int64
        0 … M-1, M about N/4.
    state : (N,) uint8
        0 … 8: seven stages, won, lost.
    time : (N,) int64
        Microseconds since 1970 in UTC.
    """

    opportunity: NDArray[np.int64]
    state: NDArray[np.uint8]
    time: NDArray[np.int64]

    def take(self, rows: NDArray[Any]) -> Entries:
        """Return some rows: by their numbers in that order, or where a mask is true."""
        return Entries(self.opportunity[rows], self.state[rows], self.time[rows])

    @property
    def n_opportunities(self) -> int:
        """The number of opportunities, M."""
        return int(self.opportunity.max()) + 1


def entries(
    n: int, *, unit: str = "second", tied: float = 0.0, shuffled: bool = True, seed: int = 2023
) -> Entries:
    """Return n entries over about three years.

    Parameters
    ----------
    n : int
        Number of entries; the last history is cut short to make it exact.
    unit : {"microsecond", "second", "day"}
        What all times are whole numbers of.
    tied : float
        The share of entries that come at the same time as the one before of the same opportunity.
    shuffled : bool
        Whether rows are in random order, or by opportunity and time.
    """
    rng = np.random.default_rng(seed)
    opportunity, state = _histories(n, rng)
    tick = _TICK[unit]
    first, longest = _FIRST_ENTRIES * 1_000_000 // tick, _GAP * 1_000_000 // tick
    gap = rng.integers(1, longest, n)
    if tied:
        gap[rng.random(n) < tied] = 0
    starts = np.flatnonzero(np.diff(opportunity, prepend=-1))
    gap[starts] = 0
    time = np.cumsum(gap, out=gap)
    # From one running sum over all histories to one for each, which begins at a random time.
    offset = rng.integers(0, first, len(starts)) - time[starts]
    time += np.repeat(offset, np.diff(starts, append=n))
    time *= tick
    time += _START
    ordered = Entries(opportunity, state, time)
    return ordered.take(rng.permutation(n)) if shuffled else ordered


def owner_by_opportunity(data: Entries, seed: int = 2024) -> NDArray[np.int32]:
    """Return the number of the owner at each entry, (N,): one and the same in a whole history."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, N_OWNERS, data.n_opportunities, np.int32)[data.opportunity]


def owner_by_entry(data: Entries, seed: int = 2025) -> NDArray[np.int32]:
    """Return the number of the owner at each entry, (N,): at one in ten it is a stand-in."""
    rng = np.random.default_rng(seed)
    owner = owner_by_opportunity(data)
    stand_in = np.flatnonzero(rng.random(len(owner)) < 0.1)
    owner[stand_in] = rng.integers(0, N_OWNERS, len(stand_in))
    return owner


def string_ids(data: Entries) -> NDArray[np.str_]:
    """Return the opportunities' identifiers as a CRM writes them, (N,) of 18 characters.

    All begin alike and differ in the five characters after, in no order; the last three repeat what
    comes before, as a checksum does.
    """
    letters = np.array(
        [*"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"], "U1"
    ).view(np.uint32)
    prefix = np.array([*"006Kd00000"], "U1").view(np.uint32)
    # A prime does not divide the number of identifiers there are, so no two codes share one.
    number = np.arange(data.n_opportunities) * 479_001_599 % 62**5
    characters = np.empty((len(number), 18), np.uint32)
    characters[:, :10] = prefix
    for place in range(5):
        characters[:, 14 - place] = letters[number // 62**place % 62]
    characters[:, 15:] = characters[:, 12:15]
    ids: NDArray[np.str_] = characters.view("U18").reshape(-1)
    return ids[data.opportunity]


def by_opportunity_and_time(data: Entries) -> Entries:
    """Return the same entries sorted; those of one time keep their order."""
    order = np.lexsort((data.time, data.opportunity))
    return data.take(order)


def _histories(n: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return n rows of walks through the states, one opportunity after the other."""
    following = _following()
    # Walks are 4.3 entries long on average; what is beyond n is cut off.
    walkers = np.arange(n // 4 + 100)
    lengths = np.zeros(len(walkers), np.int64)
    steps: list[tuple[NDArray[np.int64], NDArray[np.uint8]]] = []
    at = np.zeros(len(walkers), np.uint8)
    while len(walkers):
        steps.append((walkers, at))
        lengths[walkers] += 1
        onward = following[at, rng.integers(0, following.shape[1], len(at))]
        goes_on = onward != _END
        walkers, at = walkers[goes_on], onward[goes_on]
    ends = np.cumsum(lengths)
    if ends[-1] < n:
        raise AssertionError(f"the walks give {ends[-1]:,} rows, not {n:,}: they are too short")
    state = np.empty(ends[-1], np.uint8)
    begins = ends - lengths
    for step, (walkers, at) in enumerate(steps):
        state[begins[walkers] + step] = at
    opportunity = np.repeat(np.arange(len(lengths)), np.minimum(ends, n) - np.minimum(begins, n))
    return opportunity, state[:n]


def _following() -> NDArray[np.uint8]:
    """Return what may follow each state, (S, 32): one place a 32nd of the cases."""
    presale, won, lost = FUNNEL.n_presale, len(FUNNEL), len(FUNNEL) + 1
    weights: list[dict[int, int]] = []
    for stage in range(presale):
        skipped = min(stage + 2, presale)
        weights.append({stage + 1: 22, lost: 6, _END: 2})
        weights[-1][skipped] = weights[-1].get(skipped, 0) + 1
        weights[-1][stage - 1 if stage else 3] = 1
    weights.append({won: 22, lost: 2, _END: 8})
    weights.append({presale: 1, _END: 31})
    weights.append({2: 1, _END: 31})
    return np.array([np.repeat([*row], [*row.values()]) for row in weights], np.uint8)
