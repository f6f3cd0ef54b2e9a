"""Transitions: from which state to which, and how often."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.packing import chunks
from salesfunnel.kernel.runs import Runs

_BYTE = 256
_PAIR_CHUNK = 1 << 18
"""Larger than elsewhere, as every chunk adds a table of 65,536 counts."""


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
    run = np.flatnonzero(runs.opportunity[1:] == runs.opportunity[:-1]) + 1
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
    if size > _BYTE or len(source) < _PAIR_CHUNK:
        counts = np.zeros(size, np.int64)
        for start, stop in chunks(len(source)):
            code = np.multiply(source[start:stop], np.uint16(n_states), dtype=np.uint16)
            code += target[start:stop]
            counts += np.bincount(code, minlength=size)
        return counts.reshape(n_states, n_states)
    # A pair fits in a byte, so that two of them, seen as one number, are counted in one step.
    twos = np.zeros(_BYTE * _BYTE, np.int64)
    odd = len(source) % 2
    for start, stop in chunks(len(source) - odd, _PAIR_CHUNK):
        byte = source[start:stop] * np.uint8(n_states)
        byte += target[start:stop]
        twos += np.bincount(byte.view(np.uint16), minlength=_BYTE * _BYTE)
    table = twos.reshape(_BYTE, _BYTE)
    counts = np.asarray((table.sum(axis=0) + table.sum(axis=1))[:size])
    if odd:
        counts[int(source[-1]) * n_states + int(target[-1])] += 1
    return counts.reshape(n_states, n_states)
