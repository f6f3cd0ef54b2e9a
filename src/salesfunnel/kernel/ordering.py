"""Putting entries in order: by opportunity, then time, then by what settles ties."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sorting(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    tie: NDArray[Any] | None = None,
) -> NDArray[np.intp] | None:
    """Return the permutation that sorts entries, or None where they are in order already.

    Parameters
    ----------
    opportunity, time : (N,) arrays
    tie : (N,) array, optional
        What orders entries of one opportunity and time; else, and where it is equal too, the input order.
    """
    if is_sorted(opportunity, time, tie):
        return None
    keys = (time, opportunity) if tie is None else (tie, time, opportunity)
    return np.lexsort(keys)


def is_sorted(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    tie: NDArray[Any] | None = None,
) -> bool:
    """Return whether entries ascend by opportunity, then time, then tie."""
    descends = opportunity[1:] < opportunity[:-1]
    if descends.any():
        return False
    same = opportunity[1:] == opportunity[:-1]
    if (same & (time[1:] < time[:-1])).any():
        return False
    if tie is None:
        return True
    same &= time[1:] == time[:-1]
    return not (same & (tie[1:] < tie[:-1])).any()
