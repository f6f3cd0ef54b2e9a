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
        Overwritten.
    starts : (G + 1,) int64
        Where each of G segments begins in `values`, in order, and n; a segment may be empty.

    Notes
    -----
    One cumulative sum over all would round the late segments to the digits of the total. The total
    of each segment is therefore taken off where the next begins, and what rounding leaves of it is
    corrected.
    """
    if len(starts) <= 2 or len(values) == 0:
        return np.cumsum(values, out=values)
    lengths = np.diff(starts)
    filled = lengths > 0
    begin, lengths = starts[:-1][filled], lengths[filled]
    totals = np.add.reduceat(values, begin)[:-1]
    own = values[begin[1:]]
    reset = own - totals
    # What rounding takes from the first value of a segment (D. E. Knuth, The Art of Computer
    # Programming, volume 2, theorem 4.2.2 B).
    taken = reset - own
    lost = (own - (reset - taken)) + (-totals - taken)
    values[begin[1:]] = reset
    running = np.cumsum(values, out=values)
    left = np.concatenate([[0.0], (running[begin[1:] - 1] - totals) - lost])
    running -= np.repeat(left, lengths)
    return running


def running_products(factors: Floats, starts: Integers) -> Floats:
    """Return the products up to and including each factor within its segment, (n,).

    Parameters
    ----------
    factors : (n,) floats
        From 0 to 1; 0 only at the end of a segment. Overwritten.
    starts : (G + 1,) int64
        As in `running_sums`.
    """
    if len(starts) <= 2:
        return np.cumprod(factors, out=factors)
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


def sums_before(values: Integers, places: Integers) -> Integers:
    """Return the sums of the values before some places, (P,).

    Parameters
    ----------
    values : (n,) int64
    places : (P,) int64
        From 0 to n, in any order.
    """
    edges = np.unique(np.append(places, 0))
    inside = edges[edges < len(values)]
    parts = np.add.reduceat(values, inside) if len(inside) else np.zeros(0, np.int64)
    before = np.append(0, np.cumsum(parts))
    return np.asarray(before[np.searchsorted(edges, places)], np.int64)
