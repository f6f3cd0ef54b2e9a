"""Entries at equal times, put back into the order of the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.ordering import permutation
from salesfunnel.kernel.packing import CHUNK, Field, Packed, chunks


def restore_input_order(
    packed: Packed,
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    tie: NDArray[Any] | None,
    loose: Sequence[Field],
    tied: NDArray[np.int64],
) -> None:
    """Put ties, which keys order by their lowest fields, back into the order of the input.

    Only the opportunities that have ties pay for it: their entries are sorted again by themselves,
    and come to stand in the same rows.

    Parameters
    ----------
    packed : Packed
        Changed in place.
    opportunity, time : (N,) arrays
        In the order of the input.
    tie : (N,) array or None
        What settles ties before the order of the input does.
    loose : sequence of Field
        The lowest fields, which are in no order of their own.
    tied : (T,) int64
        The opportunities that have ties, ascending.
    """
    rows = np.flatnonzero(_is_among(opportunity, tied))
    settled = None if tie is None else tie[rows]
    rows = rows[permutation(opportunity[rows], time[rows], settled)]
    low = np.zeros(len(rows), np.int64)
    for field in loose:
        assert field.values is not None
        low <<= field.bits
        low |= field.values[rows].astype(np.int64) - field.least
    mask = (1 << sum(field.bits for field in loose)) - 1
    filled = 0
    for start, stop in chunks(len(packed.key)):
        places = start + np.flatnonzero(_is_among(packed.opportunity(start, stop), tied))
        packed.key[places] &= ~mask
        packed.key[places] |= low[filled : filled + len(places)]
        filled += len(places)


def _is_among(opportunity: NDArray[np.integer[Any]], some: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which opportunities are among some, which ascend."""
    first, last = int(some[0]), int(some[-1])
    if last - first > 4 * len(opportunity) + CHUNK:
        return np.asarray(np.isin(opportunity, some))
    # With a place for all that is below, and one for what is above.
    table = np.zeros(last - first + 3, bool)
    table[some - first + 1] = True
    place = np.clip(opportunity.astype(np.int64, copy=False), first - 1, last + 1)
    place -= first - 1
    found: NDArray[np.bool_] = table[place]
    return found
