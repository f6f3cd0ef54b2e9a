"""Running sums and products within consecutive segments of an array, all segments at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def running_sums(values: Floats, starts: Integers) -> Floats:
    """Return the sums up to and including each value within its segment, (n,).

    Parameters
    ----------
    values : (n,) finite floats
    starts : (G + 1,) int64
        Where each of G segments begins in `values`, in order, and n; a segment may be empty.

    Notes
    -----
    One cumulative sum over all would round the late segments to the digits of the total. The total
    of each segment is therefore taken off where the next begins, and what rounding leaves of it is
    corrected.
    """
    if len(starts) <= 2 or len(values) == 0:
        return np.cumsum(values)
    lengths = np.diff(starts)
    filled = lengths > 0
    begin, lengths = starts[:-1][filled], lengths[filled]
    totals = np.add.reduceat(values, begin)[:-1]
    reset = values.copy()
    own, reset[begin[1:]] = values[begin[1:]], values[begin[1:]] - totals
    running = np.cumsum(reset)
    # What is left of the totals, less what rounding took from the first value of the segment
    # (D. E. Knuth, The Art of Computer Programming, volume 2, theorem 4.2.2 B).
    taken = reset[begin[1:]] - own
    lost = (own - (reset[begin[1:]] - taken)) + (-totals - taken)
    left = np.concatenate([[0.0], (running[begin[1:] - 1] - totals) - lost])
    return np.asarray(running - np.repeat(left, lengths))


def running_products(factors: Floats, starts: Integers) -> Floats:
    """Return the products up to and including each factor within its segment, (n,).

    Parameters
    ----------
    factors : (n,) floats
        From 0 to 1; 0 only at the end of a segment.
    starts : (G + 1,) int64
        As in `running_sums`.
    """
    if len(starts) <= 2:
        return np.asarray(np.cumprod(factors), np.float64)
    nothing = factors == 0
    products = np.exp(running_sums(np.log(np.where(nothing, 1.0, factors)), starts))
    products[nothing] = 0.0
    return np.asarray(products)


def counts(mask: NDArray[np.bool_], starts: Integers) -> Integers:
    """Return how often a mask is true within each segment, (G,)."""
    if len(starts) == 2:
        return np.array([np.count_nonzero(mask)], np.int64)
    before = np.concatenate([[0], np.cumsum(mask)])
    return np.asarray(np.diff(before[starts]))
