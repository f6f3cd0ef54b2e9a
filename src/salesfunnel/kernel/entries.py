"""Sorted entries: packed into one integer each where that fits, and unpacked when asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.packing import Packed, chunks


class Columns(NamedTuple):
    """Some consecutive entries, unpacked.

    Attributes
    ----------
    opportunity : (n,) integers
    state : (n,) uint8
    time : (n,) int64
        Microseconds since 1970 in UTC.
    """

    opportunity: NDArray[np.integer[Any]]
    state: NDArray[np.uint8]
    time: NDArray[np.int64]


class Entries:
    """N entries in order of opportunity, then time, then as ties were settled.

    Made by `arrange`. Opportunities and times are kept as packed keys, 8 bytes an entry, or as two
    columns where no packing fits.

    Attributes
    ----------
    repeats : bool
        Whether an opportunity enters a state that it is in already.

    Parameters
    ----------
    opportunity, time : (N,) arrays, optional
        Columns, instead of packed keys.
    packed : Packed, optional
    state : (N,) uint8 array
    new : (N,) bool array
        Which entries are the first of their opportunity.
    state_in_key : bool
        Whether in packed keys the state, and nothing else, is below the time.
    repeats : bool, optional
        As the attribute, where it is known.
    """

    def __init__(
        self,
        state: NDArray[np.uint8],
        new: NDArray[np.bool_],
        *,
        packed: Packed | None = None,
        opportunity: NDArray[np.integer[Any]] | None = None,
        time: NDArray[np.int64] | None = None,
        state_in_key: bool = False,
        repeats: bool | None = None,
    ) -> None:
        self.state = state
        self.new = new
        self.packed = packed
        self.state_in_key = state_in_key
        self._opportunity = opportunity
        self._time = time
        self.repeats = _have_repeats(state, new) if repeats is None else repeats
        for array in self._arrays():
            array.flags.writeable = False

    @classmethod
    def of_columns(cls, columns: Columns) -> Entries:
        """Return entries of columns that are in order."""
        opportunity, state, time = columns
        new = np.ones(len(state), bool)
        np.not_equal(opportunity[1:], opportunity[:-1], out=new[1:])
        return cls(state, new, opportunity=opportunity, time=time)

    def _arrays(self) -> list[NDArray[Any]]:
        key = None if self.packed is None else self.packed.key
        found = (self.state, self.new, key, self._opportunity, self._time)
        return [array for array in found if array is not None]

    def __len__(self) -> int:
        return len(self.state)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the three columns: opportunity, state, time."""
        return iter((self.opportunity, self.state, self.time))

    @property
    def nbytes(self) -> int:
        """Bytes that the entries take."""
        return sum(array.nbytes for array in self._arrays())

    def opportunity_of(self, start: int, stop: int) -> NDArray[np.integer[Any]]:
        """Return the opportunities of some consecutive entries."""
        if self.packed is not None:
            return self.packed.opportunity(start, stop)
        assert self._opportunity is not None
        return self._opportunity[start:stop]

    def opportunity_at(self, rows: NDArray[np.int64]) -> NDArray[np.integer[Any]]:
        """Return the opportunities of some entries, in any order."""
        if self.packed is not None:
            return self.packed.opportunity_at(rows)
        assert self._opportunity is not None
        return self._opportunity[rows]

    def time_of(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the times of some consecutive entries, in microseconds."""
        if self.packed is not None:
            return self.packed.time(start, stop)
        assert self._time is not None
        return self._time[start:stop]

    @property
    def opportunity(self) -> NDArray[np.integer[Any]]:
        """Opportunities of all entries, (N,)."""
        return self.opportunity_of(0, len(self))

    @property
    def time(self) -> NDArray[np.int64]:
        """Times of all entries, (N,)."""
        return self.time_of(0, len(self))

    @cached_property
    def time_bounds(self) -> tuple[int, int] | None:
        """The earliest and the latest time; None without entries."""
        if len(self) == 0:
            return None
        if self.packed is not None:
            return self.packed.layout.first_time, self.packed.layout.last_time
        return int(self.time.min()), int(self.time.max())

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """The row of each opportunity's first entry, (M,)."""
        return np.flatnonzero(self.new)


def _have_repeats(state: NDArray[np.uint8], new: NDArray[np.bool_]) -> bool:
    for start, stop in chunks(len(state) - 1):
        same = state[start + 1 : stop + 1] == state[start:stop]
        same &= ~new[start + 1 : stop + 1]
        if same.any():
            return True
    return False
