"""What an opportunity never changes: a value for each, instead of one for each entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.packing import CHUNK, chunks


class Constant(NamedTuple):
    """A value for each of M opportunities, in their order, (M,)."""

    values: NDArray[Any]

    def at_entries(self, new: NDArray[np.bool_]) -> NDArray[Any]:
        """Return the value of its opportunity at each entry, (N,).

        Parameters
        ----------
        new : (N,) bool array
            Which entries are the first of their opportunity.
        """
        out = np.empty(len(new), self.values.dtype)
        before = 0
        for start, stop in chunks(len(new)):
            member = np.cumsum(new[start:stop]) + (before - 1)
            out[start:stop] = self.values[member]
            before = int(member[-1]) + 1
        return out


class Distances:
    """How far some opportunities are from the first: a place for each that there could be.

    Parameters
    ----------
    opportunity : (N,) integers
        In any order.
    reach : tuple of int
        The smallest and the largest opportunity; also an attribute.
    """

    def __init__(self, opportunity: NDArray[np.integer[Any]], reach: tuple[int, int]) -> None:
        self.reach = reach
        self._opportunity = opportunity
        self._first, last = reach
        self._places = last - self._first + 1

    def may_keep(self, column: NDArray[Any]) -> bool:
        """Return whether none of the first opportunities has several values in a column."""
        return self._table(column, min(len(column), 4 * CHUNK)) is not None

    def values(self, column: NDArray[Any]) -> NDArray[Any] | None:
        """Return what each opportunity has in a column, by its distance.

        None if one has several values, or where such a table would be too large.
        """
        return self._table(column, len(column)) if self.may_keep(column) else None

    def _table(self, column: NDArray[Any], n: int) -> NDArray[Any] | None:
        if self._places > 4 * len(column) + CHUNK:
            return None
        bits = column.view(f"u{column.itemsize}")  # so that a missing amount equals another
        table = np.zeros(self._places, bits.dtype)
        for start, stop in chunks(n):
            table[self._of(start, stop)] = bits[start:stop]
        for start, stop in chunks(n):
            found = np.take(table, self._of(start, stop), mode="clip")
            if not np.array_equal(found, bits[start:stop]):
                return None
        return table.view(column.dtype)

    def _of(self, start: int, stop: int) -> NDArray[np.integer[Any]]:
        opportunity = self._opportunity[start:stop]
        if self._first == 0:
            return opportunity
        distance: NDArray[np.int64] = np.subtract(opportunity, self._first, dtype=np.int64)
        return distance


def in_order(
    tables: Sequence[NDArray[Any]], entries: Entries, reach: tuple[int, int]
) -> list[Constant]:
    """Return what tables have of the opportunities that there are.

    Parameters
    ----------
    tables : sequence of arrays
        By the distance of an opportunity from the smallest.
    entries : Entries
    reach : tuple of int
        The smallest and the largest opportunity.
    """
    if not tables:
        return []
    if np.count_nonzero(entries.new) > reach[1] - reach[0]:
        return [Constant(table) for table in tables]
    distance = entries.opportunity_at(entries.first_rows) - reach[0]
    return [Constant(table[distance]) for table in tables]
