"""Batches of a file gathered into one table, in less memory than its text takes.

Equal texts of a column are one, and columns with long texts, as notes are, stay in the file: they
are read again if anybody asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from salesfunnel.columns.lazycolumns import LazyColumns
from salesfunnel.columns.rawtable import Broken, RawTable, Values
from salesfunnel.errors import DataError

LONG = 200
"""Characters from which on a text stays in the file."""
_MANY = 10_000
"""Different texts of a column from which on it may be one of identifiers, which are not shared."""


def gathered(batches: Callable[[], Iterable[RawTable]], name: str) -> RawTable:
    """Return the batches of a file as one table.

    Parameters
    ----------
    batches : callable
        Gives them, one at least, the same ones whenever it is called.
    name : str
        What messages call the table.

    Raises
    ------
    DataError
        When a column is asked for that has to be read again, if the file is another one by then.
    """
    columns: dict[str, _Column] = {}
    numbers: list[int] = []
    broken: dict[int, Broken] = {}
    for batch in batches():
        broken.update({len(numbers) + index: row for index, row in batch.broken.items()})
        for title in batch.columns:
            column = columns.setdefault(title, _Column(LONG))
            column.add(batch.plain(title), at=len(numbers))
        numbers += batch.numbers

    def convert(title: str) -> Values:
        column = columns[title]
        if not column.is_long:
            return column.filled(len(numbers))
        again = _Column(None)
        n = 0
        for batch in batches():
            if title in batch.columns:
                again.add(batch.plain(title), at=n)
            n += len(batch.numbers)
        if n != len(numbers):
            raise DataError("{name} was changed while it was read: read it again", name=name)
        return again.filled(n)

    return RawTable(name, LazyColumns(columns, convert), numbers, broken)


class _Column:
    """The values of a column so far.

    Parameters
    ----------
    longest : int or None
        How long a text may be; with a longer one there are no values any more.
    """

    def __init__(self, longest: int | None) -> None:
        self.is_long = False
        self._longest = longest
        self._values: list[Any] = []
        self._known: dict[str, str] | None = {}

    def add(self, values: Sequence[Any], *, at: int) -> None:
        """Add the values from some row on; rows before it that have none yet have None."""
        if self.is_long:
            return
        self.filled(at)
        known, longest = self._known, self._longest
        for value in values:
            if type(value) is not str:
                self._values.append(value)
                continue
            if longest is not None and len(value) > longest:
                self.is_long, self._values, self._known = True, [], None
                return
            self._values.append(value if known is None else known.setdefault(value, value))
        if known is not None and len(known) > _MANY and 2 * len(known) > len(self._values):
            self._known = None

    def filled(self, n: int) -> list[Any]:
        """Return the values of n rows, None for those without one."""
        self._values += [None] * (n - len(self._values))
        return self._values
