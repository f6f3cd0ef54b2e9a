"""Sums that are exact: whole units and millionths, both integers, by cell and of any size."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import SizeError
from salesfunnel.kernel.packing import CHUNK, chunks

MICRO = 1_000_000
MANY_CELLS = 1 << 13
"""Above so many cells a table for every chunk costs more than adding values one by one."""
_SUM_BITS, _COUNT_BITS = 42, 22
_FLOAT_BITS = 53
_INT_BITS = 62
"""Of a 64-bit integer, one bit being for the sign and one in reserve."""
_TOO_LARGE = float(2**63 - 2**14)
"""Floats of this size, and sums of a few, are wrong by thousands: what may be it is refused."""


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
        if self.micro.size and not any(self.micro.strides) and not self.micro.flat[0]:
            return self.whole.astype(np.float64)  # `no_micro`
        return self.whole + self.micro / MICRO

    def total(self) -> ExactSums:
        """Return the sums over the first axis."""
        carried, micro = np.divmod(self.micro.sum(axis=0), MICRO)
        whole = self.whole.sum(axis=0)
        if (np.abs(self.whole.astype(np.float64)).sum(axis=0) > np.iinfo(np.int64).max / 2).any():
            raise SizeError("a sum is beyond 64-bit integers")
        return ExactSums(whole + carried, micro)

    def reshape(self, shape: tuple[int, ...]) -> ExactSums:
        """Return the same sums in another shape."""
        return ExactSums(self.whole.reshape(shape), self.micro.reshape(shape))

    def of(self, group: int) -> ExactSums:
        """Return the sums of one group: what the first axis has there."""
        return ExactSums(self.whole[group], self.micro[group])


def no_micro(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return zeros that take no memory."""
    return np.broadcast_to(np.int64(0), shape)


def largest_of(values: NDArray[np.int64]) -> int:
    """Return the largest absolute value; 0 where there is none."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))


def unsigned_type(n_values: int) -> type[np.unsignedinteger[Any]]:
    """Return the smallest unsigned integers that hold so many values, from zero."""
    kinds = (np.uint8, np.uint16, np.uint32)
    return next(kind for kind in kinds if n_values - 1 <= np.iinfo(kind).max)


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
            "an amount of {largest:,.0f} is too large to add up exactly; the limit is "
            "{limit:,.0f}: give amounts in thousands or millions",
            largest=largest,
            limit=limit,
        )
    # Whole units on their own: a float of so many millionths would round them.
    whole = np.floor(known)
    rest = np.rint((known - whole) * MICRO)
    millionths: NDArray[np.int64] = whole.astype(np.int64) * MICRO + rest.astype(np.int64)
    return millionths


class Tally:
    """Counts codes by cell: many at a time in a few cells, one after the other in very many."""

    def __init__(self, n_cells: int) -> None:
        self.n_cells = n_cells

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How often each cell was counted, (n_cells,)."""
        return np.zeros(self.n_cells, np.int64)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted so far."""
        return "counts" not in vars(self)

    def add(self, codes: NDArray[np.intp]) -> None:
        """Count codes."""
        if self.n_cells > MANY_CELLS:
            np.add.at(self.counts, codes, 1)
        else:
            self.counts += np.bincount(codes, minlength=self.n_cells)


class Adder:
    """Adds up integers by cell, a chunk at a time.

    `bincount` adds in float64, which is exact below 2⁵³; into very many cells integers are added as
    they are. Values too large for that, as many as there are, are added in limbs: pieces of so few
    bits that the sums of each are exact.

    Parameters
    ----------
    n_cells : int
        How many cells there are.
    n_kept : int
        How many of them the totals are asked of; the others may pass any limit.
    largest : int
        The largest absolute value.
    in_all : int
        How many values there are, at most.
    """

    def __init__(self, n_cells: int, n_kept: int, largest: int, in_all: int) -> None:
        self._n_kept = n_kept
        self._largest = largest
        self._in_all = in_all
        self._width = self._limb_bits(n_cells, in_all)
        self._n_cells = n_cells
        self._n_limbs = max(1, -(-largest.bit_length() // self._width))
        self._part = np.empty(CHUNK, np.int64)
        self._floats = np.empty(CHUNK)

    @cached_property
    def limbs(self) -> list[NDArray[np.int64]]:
        """What was added so far, by cell, from the lowest limb on."""
        return [np.zeros(self._n_cells, np.int64) for _ in range(self._n_limbs)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added so far."""
        return "limbs" not in vars(self)

    @staticmethod
    def _limb_bits(n_cells: int, in_all: int) -> int:
        bits = _INT_BITS - in_all.bit_length()
        return bits if n_cells > MANY_CELLS else min(bits, _FLOAT_BITS - CHUNK.bit_length())

    @classmethod
    def fits(cls, n_cells: int, largest: int, in_all: int) -> bool:
        """Return whether values can be added as they are."""
        return largest.bit_length() <= cls._limb_bits(n_cells, in_all)

    def add(self, codes: NDArray[np.intp], values: NDArray[np.int64]) -> None:
        """Add values to their cells, at most a chunk."""
        for index, limb in enumerate(self.limbs):
            part = values if self._n_limbs == 1 else self._limb_of(index, values)
            if len(limb) > MANY_CELLS:
                np.add.at(limb, codes, part)
            else:
                floats = self._floats[: len(part)]
                floats[:] = part
                added = np.bincount(codes, floats, minlength=len(limb))[: self._n_kept]
                limb[: self._n_kept] += added.astype(np.int64)

    def _limb_of(self, index: int, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return one limb of values; the highest has their sign."""
        part = self._part[: len(values)]
        np.right_shift(values, index * self._width, out=part)
        if index < self._n_limbs - 1:
            np.bitwise_and(part, (1 << self._width) - 1, out=part)
        return part

    def total(
        self, unit: int = 1, excess: NDArray[np.int64] | None = None, bits: int = 0
    ) -> ExactSums:
        """Return the sums, split at the millionth; after that the adder is done with.

        Parameters
        ----------
        unit : int
            What one of the values is worth, in millionths.
        excess : (n_kept,) int64 array, optional
            By how much the sums are too large, and
        bits : int
            how many of their lowest bits are zero after that, and to be left out.

        Raises
        ------
        SizeError
            If a sum is beyond 64-bit integers.
        """
        limbs = [limb[: self._n_kept] for limb in self.limbs]
        if excess is not None:
            limbs = [(limbs[0] - excess) >> bits]
        wholes, rest = divmod(unit, MICRO)
        if self._largest * self._in_all * (unit if rest else wholes) <= np.iinfo(np.int64).max:
            together = limbs[0]
            for index, limb in enumerate(limbs[1:], start=1):
                together += limb << (index * self._width)
            together *= unit if rest else wholes
            if rest:
                return ExactSums(*np.divmod(together, MICRO))
            return ExactSums(together, no_micro(together.shape))
        sizes = sum(
            limb.astype(float) * float(unit << (index * self._width)) / MICRO
            for index, limb in enumerate(limbs)
        )
        if np.max(np.abs(sizes), initial=0) >= _TOO_LARGE:
            raise SizeError(
                "up to {n:,} values of up to {largest:,} add up to more than 64 bits hold",
                n=self._in_all,
                largest=self._largest * unit // MICRO,
            )
        # In whole units and millionths from the start: with M for a million, limb·worth is
        # M·(limb·(worth // M) + (limb // M)·(worth % M)) + (limb % M)·(worth % M).
        whole, micro = np.zeros(self._n_kept, np.int64), np.zeros(self._n_kept, np.int64)
        for index, limb in enumerate(limbs):
            if limb.any():
                worth, rest = divmod(unit << (index * self._width), MICRO)
                millions, ones = np.divmod(limb, MICRO)
                whole += limb * worth + millions * rest
                micro += ones * rest
        carried, micro = np.divmod(micro, MICRO)
        return ExactSums(whole + carried, micro)


class CountedSums:
    """Counts codes and adds up what belongs to them, both in one integer a cell.

    The count is above, the sum below, so that half the memory is reached into; both are moved on
    before either could need more bits than it has.

    Parameters
    ----------
    counts : Tally
    sums : Adder
        Where counts and sums go in the end; of one limb.
    """

    def __init__(self, counts: Tally, sums: Adder) -> None:
        self._counts = counts
        self._sums = sums
        self._together = np.zeros(counts.n_cells, np.int64)
        self._counted = self._summed = 0

    def add(self, codes: NDArray[np.intp], values: NDArray[np.int64]) -> None:
        """Add values, none of them negative, at most a chunk; they are not the same after that."""
        total = int(values.sum())
        if total >> _SUM_BITS:
            self._counts.add(codes)
            self._sums.add(codes, values)
            return
        if (self._summed + total) >> _SUM_BITS or (self._counted + len(codes)) >> _COUNT_BITS:
            self._move_on()
        self._summed += total
        self._counted += len(codes)
        values += 1 << _SUM_BITS
        np.add.at(self._together, codes, values)

    def finish(self) -> None:
        """Move counts and sums to where they belong; nothing more is added."""
        if self._counts.is_empty and self._sums.is_empty:
            # Nothing to add to: memory is not taken twice.
            self._counts.counts = _upper(self._together)
            self._together &= (1 << _SUM_BITS) - 1
            self._sums.limbs = [self._together]
        else:
            self._move_on()

    def _move_on(self) -> None:
        counts, (sums,) = self._counts.counts, self._sums.limbs
        for start, stop in chunks(len(self._together)):
            part = self._together[start:stop]
            counts[start:stop] += _upper(part)
            part &= (1 << _SUM_BITS) - 1
            sums[start:stop] += part
            part[:] = 0
        self._counted = self._summed = 0


def _upper(together: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the counts in integers of which they use even the highest bit."""
    return (together.view(np.uint64) >> np.uint64(_SUM_BITS)).view(np.int64)
