"""Transitions: from which state to which, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.packing import chunks
from salesfunnel.kernel.runs import Runs

_BYTE = 256
_TWOS_CHUNK = 1 << 18
"""Larger than elsewhere, as every chunk adds a table of 65,536 counts."""
MOST_STEPS = 11
"""The most states of which two tables of pairs are told apart by a byte."""


class Transitions(NamedTuple):
    """Consecutive runs of one opportunity.

    Attributes
    ----------
    source, target : (T,) uint8
        States left and entered.
    duration : (T,) int64
        Microseconds from the entry into the source to that into the target.
    run : (T,) int64
        Index of the run entered.
    """

    source: NDArray[np.uint8]
    target: NDArray[np.uint8]
    duration: NDArray[np.int64]
    run: NDArray[np.int64]


def transitions(runs: Runs) -> Transitions:
    """Return the transitions of collapsed histories."""
    run = np.flatnonzero(~runs.new)
    return Transitions(
        source=runs.state[run - 1],
        target=runs.state[run],
        duration=runs.time[run] - runs.time[run - 1],
        run=run,
    )


def count_pairs(
    source: NDArray[np.uint8], target: NDArray[np.uint8], n_states: int
) -> NDArray[np.int64]:
    """Return how often each pair of states occurs, ``(S, S)``.

    Parameters
    ----------
    source, target : (T,) uint8
        States left and entered, 0 … S-1.
    n_states : int
        S.
    """
    size = n_states * n_states
    if size > _BYTE or len(source) < _TWOS_CHUNK:
        counts = np.zeros(size, np.int64)
        for start, stop in chunks(len(source)):
            code = np.multiply(source[start:stop], n_states, dtype=np.uint16)
            code += target[start:stop]
            counts += np.bincount(code, minlength=size)
    else:
        counts = count_bytes(
            len(source),
            lambda start, stop: source[start:stop] * np.uint8(n_states) + target[start:stop],
        )[:size]
    return counts.reshape(n_states, n_states)


def count_steps(
    state: NDArray[np.uint8], new: NDArray[np.bool_], n_states: int
) -> NDArray[np.int64]:
    """Return how often each pair of consecutive states occurs, ``(2, S, S)``.

    First those of one opportunity, then those from the end of one to the start of the next.

    Parameters
    ----------
    state : (N,) uint8 array
    new : (N,) bool array
        Which entries are the first of their opportunity.
    n_states : int
        S, up to `MOST_STEPS`.
    """
    size = n_states * n_states

    def codes(start: int, stop: int) -> NDArray[np.uint8]:
        byte = state[start:stop] * np.uint8(n_states)
        byte += state[start + 1 : stop + 1]
        byte += new[start + 1 : stop + 1] * np.uint8(size)
        return byte

    counts = count_bytes(len(state) - 1, codes)
    return counts[: 2 * size].reshape(2, n_states, n_states)


def count_bytes(n: int, codes: Callable[[int, int], NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Return how often each byte occurs, (256,).

    Two of them, seen as one number, are counted in one step.

    Parameters
    ----------
    n : int
        How many there are.
    codes : callable
        Gives those from a start to a stop.
    """
    twos = np.zeros(_BYTE * _BYTE, np.int64)
    numbers = np.empty(_TWOS_CHUNK // 2, np.intp)
    for start, stop in chunks(n - n % 2, _TWOS_CHUNK):
        pair = numbers[: (stop - start) // 2]
        pair[:] = codes(start, stop).view(np.uint16)
        twos += np.bincount(pair, minlength=_BYTE * _BYTE)
    table = twos.reshape(_BYTE, _BYTE)
    counts = np.asarray(table.sum(axis=0) + table.sum(axis=1))
    if n % 2:
        counts[codes(n - 1, n)] += 1
    return counts
