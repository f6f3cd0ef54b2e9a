"""Sheet: one table of a CRM, its fields found by the names that exports give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from salesfunnel.columns.files import LIMITS, Limits
from salesfunnel.columns.misspelt import did_you_mean
from salesfunnel.columns.pages import Unpack
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.rejects import THE_ROW
from salesfunnel.columns.source import read_source
from salesfunnel.crm.cells import fold, identifier, text, truth
from salesfunnel.errors import BadRow, DataError, MissingColumnError
from salesfunnel.kernel.progress import Progress
from salesfunnel.model.missing import is_missing
from salesfunnel.wording import Listed, Wording


class Field(NamedTuple):
    """A column: what the table calls it, and its cells."""

    title: str
    cells: list[Any]


class Sheet:
    """One table of a CRM.

    Parameters
    ----------
    name : str
        What messages call it: the argument by which it was given.
    table : RawTable

    Attributes
    ----------
    faults : list of BadRow
        Rows that cannot be read, so far.
    ignored : int
        Rows that are no entries, so far.
    """

    def __init__(self, name: str, table: RawTable) -> None:
        self.name = name
        self.table = table
        self.faults: list[BadRow] = []
        self.ignored = 0
        self._out: set[int] = set()
        self._names: dict[str, list[str]] = {}
        for column in table.columns:
            self._names.setdefault(fold(column), []).append(column)
        self._fields: dict[str, Field] = {}
        for index, broken in table.broken.items():
            self.reject(index, THE_ROW, broken.found, broken.expected)

    def __len__(self) -> int:
        return len(self.table.numbers)

    @property
    def rows(self) -> list[int]:
        """The indexes of the rows that are neither rejected nor ignored."""
        return [row for row in range(len(self)) if row not in self._out]

    def is_out(self, row: int) -> bool:
        """Return whether a row is rejected or ignored."""
        return row in self._out

    def reject(self, row: int, column: str, value: Any, expected: str) -> None:
        """Note that a row cannot be read, and why; only its first fault counts."""
        if row not in self._out:
            self._out.add(row)
            self.faults.append(self.fault(row, column, value, expected))

    def fault(self, row: int, column: str, value: Any, expected: str) -> BadRow:
        """Return a fault of a row, in the words of the table."""
        title = f"{self.name}.{column}"
        if isinstance(column, Wording):
            title = Wording("{table}.{column}", table=self.name, column=column)
        return BadRow(self.table.numbers[row], title, value, expected)

    def ignore(self, row: int) -> None:
        """Leave a row out that is no entry."""
        if row not in self._out:
            self._out.add(row)
            self.ignored += 1

    # ── fields ────────────────────────────────────────────────────────────────────────────────────

    def field(self, *names: str) -> Field | None:
        """Return the first of some fields that the table has, None if it has none of them.

        Case, blanks and underscores do not count, so that ``StageName``, ``stage_name`` and
        ``Stage Name`` are one field.

        Raises
        ------
        DataError
            If two columns have that name.
        """
        for name in names:
            column = self._column(name)
            if column is not None:
                if column not in self._fields:
                    self._fields[column] = Field(column, _plain(self.table, column))
                return self._fields[column]
        return None

    def needed(self, *names: str, hint: str = "") -> Field:
        """Return the first of some fields that the table has.

        Raises
        ------
        MissingColumnError
            If it has none of them.
        """
        found = self.field(*names)
        if found is None:
            known = Listed(map(str, self.table.columns)) or Wording("none")
            raise MissingColumnError(
                "{table} has no column {name!r}; it has {known}{hint}",
                table=self.name,
                name=names[0],
                known=known,
                hint=(hint and Wording(". {hint}", hint=hint))
                or did_you_mean(names[0], map(str, self.table.columns)),
            )
        return found

    def title(self, *names: str) -> str:
        """Return what the table calls the first of some fields; the first name if it has none."""
        found = self.field(*names)
        return names[0] if found is None else found.title

    def cells(self, *names: str) -> list[Any]:
        """Return the cells of the first of some fields, None in every row if there is none."""
        found = self.field(*names)
        return [None] * len(self) if found is None else found.cells

    def texts(self, *names: str) -> list[str | None]:
        """Return a field's cells as texts."""
        return [text(value) for value in self.cells(*names)]

    def identifiers(
        self, field: Field, clean: Callable[[str], str] = lambda given: given
    ) -> list[str | None]:
        """Return a field's identifiers, None where a row has none and is therefore rejected."""
        ids = [identifier(value) for value in field.cells]
        for row, value in enumerate(ids):
            if value is None:
                given = field.cells[row]
                what = Wording(
                    "an identifier; there is none"
                    if is_missing(given)
                    else "an identifier: a text or a whole number"
                )
                self.reject(row, field.title, given, what)
        return [None if value is None else clean(value) for value in ids]

    def _column(self, name: str) -> str | None:
        if name in self.table.columns:
            return name
        columns = self._names.get(fold(name), [])
        if len(columns) > 1:
            raise DataError(
                "{sheet} has the field {name!r} more than once: {columns}",
                sheet=self.name,
                name=name,
                columns=Listed(columns),
            )
        return columns[0] if columns else None

    # ── repeated records ──────────────────────────────────────────────────────────────────────────

    def leave_out_copies(self, ids: Sequence[str | None], title: str) -> None:
        """Ignore records that are there twice, and reject those that contradict an earlier one."""
        first: dict[str, int] = {}
        names = list(self.table.columns)
        columns = {name: self.table.columns[name] for name in names}
        for row, key in enumerate(ids):
            if key is None or row in self._out:
                continue
            earlier = first.setdefault(key, row)
            if earlier == row:
                continue
            if all(_same(columns[name][earlier], columns[name][row]) for name in names):
                self.ignore(row)
            else:
                number = self.table.numbers[earlier]
                self.reject(
                    row,
                    title,
                    key,
                    Wording(
                        "one row for each; row {number} has it too, and says otherwise",
                        number=number,
                    ),
                )


def _plain(table: RawTable, column: str) -> list[Any]:
    """Return a column as Python's own values, times of arrays as datetimes."""
    values = table.columns[column]
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return list(values.astype("datetime64[us]").tolist())
    return table.plain(column)


def _same(one: Any, other: Any) -> bool:
    if is_missing(one) or is_missing(other):
        return is_missing(one) and is_missing(other)
    return bool(one == other)


class Opener(NamedTuple):
    """How the sources of a CRM are opened.

    Attributes
    ----------
    unpack : callable
        Takes a parsed response for a page.
    member : str or None
        What the list of records is called there.
    partial : bool
        Whether pages may be missing.
    limits : Limits
        For files.
    deleted : tuple of str
        Names of the field that says that a record is deleted, where such records are to be ignored.
    progress : Progress or None
        Told how much of each file is read.
    """

    unpack: Unpack
    member: str | None = None
    partial: bool = False
    limits: Limits = LIMITS
    deleted: tuple[str, ...] = ()
    progress: Progress | None = None

    def sheet(self, source: Any, name: str) -> Sheet:
        """Return a source as a sheet, an empty one if it is None.

        The forms and errors are those of `salesfunnel.columns.source.read_source`.
        """
        if source is None:
            return Sheet(name, RawTable(name, {}, ()))
        table = read_source(
            source,
            name,
            unpack=self.unpack,
            member=self.member,
            partial=self.partial,
            limits=self.limits,
            progress=self.progress,
        )
        sheet = Sheet(name, table)
        if self.deleted:
            for row, value in enumerate(sheet.cells(*self.deleted)):
                if truth(value):
                    sheet.ignore(row)
        return sheet
