"""Sorted entries: packed into one integer each where that fits, and unpacked when asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.ordering import is_sorted, permutation
from salesfunnel.kernel.packing import CHUNK, Packed, chunks, pack


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

    def at(self, rows: slice | NDArray[np.integer[Any]]) -> Columns:
        """Return some of the entries."""
        return Columns(self.opportunity[rows], self.state[rows], self.time[rows])


class Entries:
    """N entries in order of opportunity, then time, then as ties were settled.

    Made by `arrange`. Their storage is packed keys, 8 bytes an entry, whose lowest part is the
    state, or is the input row and has the states beside it; or three columns, where no packing
    fits.

    Parameters
    ----------
    packed : Packed, optional
    columns : Columns, optional
        Instead of packed keys.
    state : (N,) uint8 array, optional
        States beside packed keys that do not have them.
    """

    def __init__(
        self,
        packed: Packed | None = None,
        columns: Columns | None = None,
        state: NDArray[np.uint8] | None = None,
    ) -> None:
        self.packed = packed
        self.columns = columns
        self.beside = state
        for array in self._arrays():
            array.flags.writeable = False

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        if self.columns is not None:
            return tuple(self.columns)
        assert self.packed is not None
        return (self.packed.key,) if self.beside is None else (self.packed.key, self.beside)

    def __len__(self) -> int:
        return len(self._arrays()[0])

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the three columns: opportunity, state, time."""
        return iter(self.all())

    @property
    def nbytes(self) -> int:
        """Bytes that the entries take."""
        return sum(array.nbytes for array in self._arrays())

    def rows(self, start: int, stop: int) -> Columns:
        """Return some consecutive entries, unpacked."""
        if self.columns is not None:
            return self.columns.at(slice(start, stop))
        assert self.packed is not None
        return Columns(
            self.opportunity_of(start, stop),
            self.state_of(start, stop),
            self.packed.time(start, stop),
        )

    def opportunity_of(self, start: int, stop: int) -> NDArray[np.integer[Any]]:
        """Return the opportunities of some consecutive entries."""
        if self.columns is not None:
            return self.columns.opportunity[start:stop]
        assert self.packed is not None
        return self.packed.opportunity(start, stop)

    def state_of(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the states of some consecutive entries."""
        if self.columns is not None:
            return self.columns.state[start:stop]
        assert self.packed is not None
        if self.beside is not None:
            return self.beside[start:stop]
        return self.packed.low(start, stop).astype(np.uint8)

    @cached_property
    def last_time(self) -> int | None:
        """The latest time; None without entries."""
        if len(self) == 0:
            return None
        if self.packed is not None:
            return self.packed.layout.last_time
        assert self.columns is not None
        return int(self.columns.time.max())

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """The row of each opportunity's first entry, (M,)."""
        found = [np.zeros(min(len(self), 1), np.int64)]
        for start, stop in chunks(len(self) - 1):
            opportunity = self.opportunity_of(start, stop + 1)
            found.append(start + 1 + np.flatnonzero(opportunity[1:] != opportunity[:-1]))
        return np.concatenate(found)

    def all(self) -> Columns:
        """Return all entries, unpacked."""
        return self.rows(0, len(self))

    @property
    def opportunity(self) -> NDArray[np.integer[Any]]:
        """Opportunities of all entries, (N,)."""
        return self.opportunity_of(0, len(self))

    @property
    def state(self) -> NDArray[np.uint8]:
        """States of all entries, (N,)."""
        return self.state_of(0, len(self))

    @property
    def time(self) -> NDArray[np.int64]:
        """Times of all entries, (N,)."""
        return self.all().time


class Ordered(NamedTuple):
    """Entries in order, and the row that each had as input.

    `rows` is None where that was not asked for, or where the input was in order already.
    """

    entries: Entries
    rows: NDArray[np.integer[Any]] | None


def arrange(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    state: NDArray[np.uint8],
    n_states: int,
    *,
    by_state: bool = False,
    want_rows: bool = True,
) -> Ordered:
    """Return entries in order: by opportunity, then time, ties by state or else as in the input.

    Parameters
    ----------
    opportunity, time, state : (N,) arrays
        Opportunities whose differences are within 63 bits.
    n_states : int
        S: the states are 0 … S-1.
    by_state : bool
        Whether ties go by state.
    want_rows : bool
        Whether the caller needs the permutation, to bring other columns in the same order.
    """
    low_bits = (n_states - 1).bit_length()
    # Differences and shifts of narrower integers would overflow.
    opportunity = opportunity.astype(np.int64, copy=False)
    if is_sorted(opportunity, time, state if by_state else None):
        packed = pack(opportunity, time, state, low_bits, presorted=True)
        if packed is not None:
            return Ordered(Entries(packed), None)
        # The columns are the caller's; what is kept here must not change with them.
        columns = Columns(_narrow(opportunity).copy(), state.copy(), time.copy())
        return Ordered(Entries(columns=columns), None)
    if not by_state:
        # The number of the row, where it fits, settles ties and is the permutation as well.
        row_bits = (len(time) - 1).bit_length()
        packed = pack(opportunity, time, None, row_bits, whole=not want_rows)
        if packed is not None:
            rows = packed.low(0, len(time))
            return Ordered(Entries(packed, state=state[rows]), rows)
    if not want_rows:
        packed = pack(opportunity, time, state, low_bits)
        if packed is not None:
            if not by_state:
                _restore_input_order(packed, opportunity, time, state)
            return Ordered(Entries(packed), None)
    by_permutation = permutation(opportunity, time, state if by_state else None)
    columns = Columns(_narrow(opportunity), state, time).at(by_permutation)
    return Ordered(Entries(columns=columns), by_permutation)


def _narrow(opportunity: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Return opportunities in four bytes each where they fit."""
    limits = np.iinfo(np.int32)
    if len(opportunity) and not limits.min <= opportunity.min() <= opportunity.max() <= limits.max:
        return opportunity
    return opportunity.astype(np.int32)


def _restore_input_order(
    packed: Packed,
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    state: NDArray[np.uint8],
) -> None:
    """Put ties, which keys order by state, back into the order of the input.

    Only the opportunities that have ties pay for it: their entries are sorted again by themselves,
    and come to stand in the same rows.
    """
    tied = _opportunities_with_ties(packed)
    if len(tied) == 0:
        return
    rows = np.flatnonzero(_is_among(opportunity, tied))
    states = state[rows][permutation(opportunity[rows], time[rows])]
    mask = (1 << packed.layout.low_bits) - 1
    filled = 0
    for start, stop in chunks(len(packed.key)):
        places = start + np.flatnonzero(_is_among(packed.opportunity(start, stop), tied))
        packed.key[places] &= ~mask
        packed.key[places] |= states[filled : filled + len(places)]
        filled += len(places)


def _opportunities_with_ties(packed: Packed) -> NDArray[np.int64]:
    """Return the opportunities that enter several states at one time, ascending."""
    key, bits = packed.key, packed.layout.low_bits
    found = [np.zeros(0, np.int64)]
    for start, stop in chunks(len(key) - 1):
        differ = key[start + 1 : stop + 1] ^ key[start:stop]
        ties = (differ > 0) & (differ < 1 << bits)  # they differ in their lowest part alone
        if ties.any():
            found.append(packed.opportunity(start, stop)[ties])
    return np.unique(np.concatenate(found))


def _is_among(opportunity: NDArray[np.integer[Any]], some: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which opportunities are among some, which ascend."""
    span = int(some[-1]) - int(some[0])
    if span > 4 * len(opportunity) + CHUNK:
        return np.asarray(np.isin(opportunity, some))
    table = np.zeros(
        span + 3, bool
    )  # with a place for all that is below, and one for what is above
    table[some - some[0] + 1] = True
    found: NDArray[np.bool_] = table[np.clip(opportunity - some[0], -1, span + 1) + 1]
    return found
