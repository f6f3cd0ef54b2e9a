"""Sums that add exactly: whole units and millionths, both integers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import SizeError
from salesfunnel.kernel.transitions import MICRO


class ExactSums(NamedTuple):
    """Sums of integers of millionths, split: `whole` units, and `micro` in 0 … 999,999."""

    whole: NDArray[np.int64]
    micro: NDArray[np.int64]

    def __add__(self, other: object) -> ExactSums:
        if not isinstance(other, ExactSums):
            return NotImplemented
        carried, micro = np.divmod(self.micro + other.micro, MICRO)
        whole = self.whole + other.whole
        wrapped = ((self.whole ^ whole) & (other.whole ^ whole)) < 0
        if wrapped.any() or (whole > np.iinfo(np.int64).max - 1).any():
            raise SizeError("a sum is beyond 64-bit integers")
        return ExactSums(whole + carried, micro)

    def as_float(self) -> NDArray[np.float64]:
        """Return the sums as floats."""
        return self.whole + self.micro / MICRO

    def total(self) -> ExactSums:
        """Return the sums over the first axis."""
        carried, micro = np.divmod(self.micro.sum(axis=0), MICRO)
        whole = self.whole.sum(axis=0)
        if (np.abs(self.whole.astype(np.float64)).sum(axis=0) > np.iinfo(np.int64).max / 2).any():
            raise SizeError("a sum is beyond 64-bit integers")
        return ExactSums(whole + carried, micro)


def as_millionths(amounts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return amounts as integers of millionths of a unit; NaN adds nothing and becomes 0.

    Raises
    ------
    SizeError
        If an amount is beyond 9·10¹², more than 64-bit integers of millionths hold.
    """
    known = np.where(np.isnan(amounts), 0.0, amounts)
    limit = np.iinfo(np.int64).max / MICRO
    largest = np.abs(known).max(initial=0.0)
    if largest >= limit:
        raise SizeError(
            f"an amount of {largest:,.0f} is too large to add up exactly; the limit is "
            f"{limit:,.0f}: give amounts in thousands or millions"
        )
    # Whole units on their own: a float of so many millionths would round them.
    whole = np.floor(known)
    rest = np.rint((known - whole) * MICRO)
    millionths: NDArray[np.int64] = whole.astype(np.int64) * MICRO + rest.astype(np.int64)
    return millionths
