"""The order of entries: by opportunity, then time, then by what settles ties."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.packing import CHUNK, KEY_BITS, Field, chunks, pack, span_of


def permutation(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    tie: NDArray[Any] | None = None,
) -> NDArray[np.integer[Any]]:
    """Return the permutation that sorts entries.

    Parameters
    ----------
    opportunity, time : (N,) arrays
        Opportunities whose differences are within 63 bits.
    tie : (N,) array, optional
        What orders entries of one opportunity and time; else, and where it is equal, the input
        order.
    """
    if tie is not None:
        return np.lexsort((tie, time, opportunity))
    packed = pack(
        opportunity, time, [Field(None, (len(time) - 1).bit_length())], span_of(opportunity, time)
    )
    if packed is not None:
        return packed.field(0, slice(None))
    return _sorting_by_opportunity_first(opportunity, time)


def is_sorted(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    tie: NDArray[Any] | None = None,
) -> bool:
    """Return whether entries ascend by opportunity, time and tie; stops where they do not."""
    n = len(time)
    for start, stop in chunks(n):
        here, after = slice(start, min(stop, n - 1)), slice(start + 1, min(stop, n - 1) + 1)
        if (opportunity[after] < opportunity[here]).any():
            return False
        same = opportunity[after] == opportunity[here]
        if (same & (time[after] < time[here])).any():
            return False
        if (
            tie is not None
            and (same & (time[after] == time[here]) & (tie[after] < tie[here])).any()
        ):
            return False
    return True


def _sorting_by_opportunity_first(
    opportunity: NDArray[np.integer[Any]], time: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Bring the entries of each opportunity together, then sort them by time, chunk by chunk."""
    n = len(time)
    row_bits = (n - 1).bit_length()
    first = int(opportunity.min())
    if (int(opportunity.max()) - first).bit_length() + row_bits > KEY_BITS:
        return np.lexsort((time, opportunity))
    key: NDArray[np.int64] = np.subtract(opportunity, first, dtype=np.int64)
    key <<= row_bits
    key |= np.arange(n)
    key.sort()
    rows = key & ((1 << row_bits) - 1)
    key >>= row_bits
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    bounds = np.append(starts, n)
    begin = 0
    while begin < n:
        # As many whole opportunities as fit in a chunk, at least one.
        fits = int(np.searchsorted(bounds, begin + CHUNK, side="right")) - 1
        end = int(bounds[max(fits, int(np.searchsorted(bounds, begin)) + 1)])
        piece = rows[begin:end]
        rows[begin:end] = piece[_sorting_of_chunk(key[begin:end] - key[begin], time[piece])]
        begin = end
    return rows


def _sorting_of_chunk(opportunity: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort by time, which ranks the entries, then by opportunity and rank."""
    n = len(time)
    bits = (n - 1).bit_length()
    elapsed = time - time.min()
    if int(elapsed.max()).bit_length() + bits > KEY_BITS:
        return np.lexsort((time, opportunity))
    mask = (1 << bits) - 1
    by_time = np.sort((elapsed << bits) | np.arange(n)) & mask
    rank = np.empty(n, np.int64)
    rank[by_time] = np.arange(n)
    distinct = np.append(0, np.cumsum(opportunity[1:] != opportunity[:-1]))
    by_both = np.sort((distinct << bits) | rank) & mask
    return np.asarray(by_time[by_both])
