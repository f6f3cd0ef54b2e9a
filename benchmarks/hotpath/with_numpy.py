"""The plain way in numpy, and the yardstick: sorting as many random integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import N_STATES, Entries, by_opportunity_and_time
from benchmarks.hotpath.answer import Answer


def random_keys(n: int) -> NDArray[np.int64]:
    """Return n random 62-bit integers."""
    return np.random.default_rng(62).integers(0, 2**62, n)


def flow(data: Entries) -> Answer:
    """Return counts and seconds of unsorted entries; ties go by input order."""
    return flow_of_sorted(by_opportunity_and_time(data))


def flow_without_repeats(data: Entries) -> Answer:
    """Return the same after consecutive entries into one state became one."""
    ordered = by_opportunity_and_time(data)
    begins = np.ones(len(ordered.state), bool)
    begins[1:] = (ordered.state[1:] != ordered.state[:-1]) | (
        ordered.opportunity[1:] != ordered.opportunity[:-1]
    )
    return flow_of_sorted(ordered.take(begins))


def flow_of_sorted(data: Entries) -> Answer:
    """Return counts and seconds of entries by opportunity and time."""
    same, codes = _pairs(data)
    seconds = np.diff(data.time)[same] / 1e6
    return Answer(
        _square(np.bincount(codes, minlength=N_STATES**2)),
        _square(np.bincount(codes, seconds, minlength=N_STATES**2)),
    )


def counts_of_sorted(data: Entries) -> Answer:
    """Return the counts alone."""
    return Answer(_square(np.bincount(_pairs(data)[1], minlength=N_STATES**2)))


def matrix(pairs: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> Answer:
    """Return how often each pair of states occurs."""
    source, target = pairs
    codes = source.astype(np.int64) * N_STATES + target
    return Answer(_square(np.bincount(codes, minlength=N_STATES**2)))


def pairs_of_sorted(data: Entries) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the states left and entered of entries by opportunity and time, (T,) each."""
    same = data.opportunity[1:] == data.opportunity[:-1]
    return data.state[:-1][same], data.state[1:][same]


def _pairs(data: Entries) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    same = data.opportunity[1:] == data.opportunity[:-1]
    codes = data.state[:-1].astype(np.int64) * N_STATES + data.state[1:]
    return same, codes[same]


def _square(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(N_STATES, N_STATES)
