"""RawTable: what every source comes as, whatever it was: named columns, unchecked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from salesfunnel.errors import MissingColumnError

Values = Sequence[Any] | NDArray[Any]
"""The values of a column, as they came."""


class Broken(NamedTuple):
    """What stands where a row should be, and what was expected there."""

    found: str
    expected: str


class RawTable(NamedTuple):
    """The values of a source, by column.

    Attributes
    ----------
    name : str
        What messages call the source: its path, or what was given.
    columns : mapping of str to (N,) sequence
        The values of each column; blank in rows that are broken.
    numbers : (N,) sequence of int
        What the source calls each row: in a CSV file what a spreadsheet does (the header is row 1),
        in JSON Lines the line (the first is 1), else the place (the first is 0).
    broken : mapping of int to Broken
        Rows that are none, by index, such as a line with too few cells.
    """

    name: str
    columns: Mapping[str, Values]
    numbers: Sequence[int]
    broken: Mapping[int, Broken] = {}

    def column(self, name: str) -> Values:
        """Return the values of a column.

        Raises
        ------
        MissingColumnError
            If there is no such column.
        """
        try:
            return self.columns[name]
        except KeyError:
            known = ", ".join(map(str, self.columns)) or "none"
            raise MissingColumnError(
                f"{self.name} has no column {name!r}; it has {known}"
            ) from None
