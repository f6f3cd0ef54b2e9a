"""From×to matrices: counts, and sums that are exact."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import SizeError
from salesfunnel.kernel.packing import chunks
from salesfunnel.kernel.runs import Runs

MICRO = 1_000_000
_LIMB = 20
_LIMB_MASK = (1 << _LIMB) - 1
_BYTE = 256
_PAIR_CHUNK = 1 << 18
"""Larger than elsewhere, as every chunk adds a table of 65,536 counts."""
_INT64_MAX = np.iinfo(np.int64).max


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


def count(codes: NDArray[np.integer[Any]], size: int) -> NDArray[np.int64]:
    """Return how often each of the codes 0 … size-1 occurs, (size,)."""
    return np.bincount(codes, minlength=size).astype(np.int64, copy=False)


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


def pair_codes(
    source: NDArray[np.uint8],
    target: NDArray[np.uint8],
    n_states: int,
    group: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the position of each transition in a flattened ``(G, S, S)`` array, (T,)."""
    row = source.astype(np.int64)
    if group is not None:
        row += group * n_states
    row *= n_states
    row += target
    return row


def exact_sums(
    codes: NDArray[np.int64], values: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return sums of integers by code, split at the millionth: wholes and remainders, (size,).

    `bincount` adds in float64, which is exact below 2⁵³; so the wholes are added in limbs of 20
    bits, of which 2³² fit, and put together as integers.

    Raises
    ------
    SizeError
        If a sum passes 64-bit integers, or comes close to it.
    """
    whole, rest = np.divmod(values, MICRO)
    largest = max(int(whole.max()), -int(whole.min())) if len(values) else 0
    if largest * len(values) > _INT64_MAX:  # unlikely: then look closer
        sums_of_sizes = np.bincount(codes, np.abs(whole), minlength=size)
        if sums_of_sizes.max() > _INT64_MAX / 2:
            raise SizeError(
                f"{len(values):,} values of up to {largest:,} add up to more than 64 bits hold"
            )
    sums = np.zeros(size, np.int64)
    shift = 0
    while True:
        limb = (whole & _LIMB_MASK) if shift < 2 * _LIMB else whole
        sums += np.bincount(codes, limb, minlength=size).astype(np.int64) << shift
        if shift == 2 * _LIMB or not (whole := whole >> _LIMB).any():
            break
        shift += _LIMB
    carried, remainders = np.divmod(
        np.bincount(codes, rest, minlength=size).astype(np.int64), MICRO
    )
    return sums + carried, remainders
