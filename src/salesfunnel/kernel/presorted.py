"""Entries that arrive in order: written as keys and looked at in one go, not sorted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.entries import Columns, Entries
from salesfunnel.kernel.ordering import is_sorted
from salesfunnel.kernel.packing import (
    CHUNK,
    KeyWriter,
    Packed,
    Span,
    chunks,
    packed_by,
)


def looks_sorted(
    opportunity: NDArray[np.integer[Any]], time: NDArray[np.int64], tie: NDArray[Any] | None
) -> bool:
    """Return whether the first entries are in order, which few are that come in none."""
    first = slice(0, CHUNK)
    return is_sorted(opportunity[first], time[first], None if tie is None else tie[first])


class _OutOfOrder(Exception):  # noqa: N818 - not an error: most entries are
    """Some entries are in another order."""


def as_it_came(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    state: NDArray[np.uint8],
    tie: NDArray[Any] | None,
    time_bounds: tuple[int, int],
) -> Entries | None:
    """Return entries that came in order, as a copy of the columns; None where they did not.

    Parameters
    ----------
    opportunity, time, state : (N,) arrays
    tie : (N,) array or None
        What must order equal times; None if the order in which they came does.
    time_bounds : tuple of int
        The earliest and the latest time.
    """
    if tie is not None and not is_sorted(opportunity, time, tie):
        return None
    states = state.copy()
    span = Span(0, 0, 0, 0)
    if len(time):
        # In order, the first opportunity is the smallest and the last the largest.
        ends = int(opportunity[0]), int(opportunity[-1])
        span = Span(*ends, *time_bounds)
    look = _Look(opportunity, states, span)
    try:
        packed = packed_by(look.write, time, [], span)
    except _OutOfOrder:
        return None
    if packed is not None:
        return Entries(states, look.new, packed=packed, repeats=look.repeats)
    if tie is None and not is_sorted(opportunity, time):
        return None
    return Entries.of_columns(Columns(narrow(opportunity).copy(), states, time.copy()))


class _Look:
    """Writes keys a chunk at a time and, while they are in the cache, looks at their order."""

    def __init__(
        self,
        opportunity: NDArray[np.integer[Any]],
        state: NDArray[np.uint8],
        span: Span,
    ) -> None:
        self._opportunity = opportunity
        self._state = state
        self._span = span
        self._buffer = np.empty(CHUNK, np.int64)
        self.new = np.ones(len(state), bool)
        """Which entries begin an opportunity, (N,)."""
        self.repeats = False
        """Whether an opportunity enters a state that it is in already."""

    def write(self, writer: KeyWriter, room: int) -> Packed | None:
        """Return keys in the order of the rows; None where they do not fit.

        Raises
        ------
        _OutOfOrder
        """
        span, n = self._span, len(self._state)
        if span.last < span.first or (span.last - span.first).bit_length() > room:
            return None
        key = np.empty(n, np.int64)
        for start, stop in chunks(n):
            opportunity = self._opportunity[start:stop]
            distance = opportunity
            if span.first:
                distance = np.subtract(
                    opportunity, span.first, out=self._buffer[: stop - start], dtype=np.int64
                )
            # Within the room that there is, an opportunity cannot pass for another.
            if not 0 <= int(np.bitwise_or.reduce(distance)) < 1 << room:
                raise _OutOfOrder
            writer.write(key[start:stop], distance, 0, start)
            self._look(key, max(start, 1), stop)
        return Packed(key, writer.layout, np.array([0, n]), np.array([span.first]))

    def _look(self, key: NDArray[np.int64], start: int, stop: int) -> None:
        """Look at the entries of some rows, and at those before them."""
        here, before = slice(start, stop), slice(start - 1, stop - 1)
        if (key[here] < key[before]).any():
            raise _OutOfOrder
        new = self.new[here]
        np.not_equal(self._opportunity[here], self._opportunity[before], out=new)
        if not self.repeats:
            self.repeats = bool(((self._state[here] == self._state[before]) > new).any())


def narrow(opportunity: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Return opportunities in four bytes each where they fit."""
    limits = np.iinfo(np.int32)
    if len(opportunity) and not limits.min <= opportunity.min() <= opportunity.max() <= limits.max:
        return opportunity
    return opportunity.astype(np.int32)
