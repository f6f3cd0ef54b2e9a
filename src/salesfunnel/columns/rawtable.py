"""RawTable: what every source comes as, whatever it was: named columns, unchecked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.misspelt import did_you_mean
from salesfunnel.columns.texts import Encoded, Texts
from salesfunnel.columns.values import plain_values, to_plain
from salesfunnel.errors import MissingColumnError
from salesfunnel.wording import Listed, Wording

Values = Sequence[Any] | NDArray[Any]
"""The values of a column, as they came."""
_NESTED = (list, tuple, dict, set, frozenset, np.ndarray)


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
    instants : frozenset of str
        Columns of times with a zone that come as integers: microseconds since 1970 in UTC.
    metadata : mapping of str to str
        What an Arrow file says about itself.
    is_sparse : bool
        Whether it is one of several batches of records, of which others may have more columns.
    """

    name: str
    columns: Mapping[str, Values]
    numbers: Sequence[int]
    broken: Mapping[int, Broken] = {}
    instants: frozenset[str] = frozenset()
    metadata: Mapping[str, str] = {}
    is_sparse: bool = False

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
            known = Listed(map(str, self.columns)) or Wording("none")
            hint: str = did_you_mean(str(name), map(str, self.columns))
            if len(self.columns) == 1 and (marks := [mark for mark in ";\t|" if mark in known]):
                hint = Wording(
                    ". Its columns are set apart by {mark!r}: save it with commas", mark=marks[0]
                )
            raise MissingColumnError(
                "{table} has no column {name!r}; it has {known}{hint}",
                table=self.name,
                name=name,
                known=known,
                hint=hint,
            ) from None

    def scalars(self, name: str) -> Values:
        """Return the values of a column, lists and objects among them as the JSON texts of them.

        Raises
        ------
        MissingColumnError
            If there is no such column.
        """
        values = self.column(name)
        if isinstance(values, Texts):
            return values
        if isinstance(values, np.ndarray) and values.dtype != object:
            return values
        if isinstance(values, Encoded):
            return values.each(lambda value: _json(value) if isinstance(value, _NESTED) else value)
        nested = {kind for kind in set(map(type, values)) if issubclass(kind, _NESTED)}
        if not nested:
            return values
        return [_json(value) if type(value) in nested else value for value in values]

    def times(self, name: str) -> Values:
        """Return the values of a column of times.

        Numbers are no times, as nobody can tell seconds from milliseconds, but for those of eight
        digits, which are read as the dates that they show: 20260131.

        Raises
        ------
        MissingColumnError
            If there is no such column.
        """
        values = self.scalars(name)
        if name in self.instants or isinstance(values, Texts):
            return values
        if isinstance(values, Encoded):
            return values.each(_date)
        if isinstance(values, np.ndarray):
            if values.dtype.kind not in "iuf":
                return values
            values = values.tolist()
        return [_date(value) for value in values] if int in set(map(type, values)) else values

    def plain(self, name: str) -> list[Any]:
        """Return the values of a column as Python's own, times with a zone as datetimes.

        Raises
        ------
        MissingColumnError
            If there is no such column.
        """
        values = self.column(name)
        if name in self.instants and isinstance(values, np.ndarray):
            return to_plain(values.view("datetime64[us]"))
        return list(plain_values(values))


def _date(value: Any) -> Any:
    return str(value) if type(value) is int and len(str(value)) == 8 else value


def _json(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return json.dumps(value, ensure_ascii=False, default=str)
