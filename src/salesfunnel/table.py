"""Table: what every metric returns. Named columns, to look at or to take along."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.columns import saved
from salesfunnel.columns.exports import Exports
from salesfunnel.columns.files import MAX_BYTES, Limits
from salesfunnel.columns.typed import in_json
from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.text.catalogue import catalogue, default_language, resolve
from salesfunnel.text.escape import escape_markdown
from salesfunnel.text.markup import SORT, html_notes, html_table
from salesfunnel.text.numbers import (
    format_decimal,
    format_integer,
    format_money,
    format_p_value,
    format_percent,
    format_rate_interval,
)
from salesfunnel.text.times import format_datetime, format_duration
from salesfunnel.text.width import display_width, pad, plain

MISSING = "–"
_SORTABLE, _MOST_ROWS = 10, 60
"""Rows from which on a table in a notebook can be sorted, and rows that it has at most."""
_KINDS = ("text", "integer", "decimal", "rate", "money", "p_value", "seconds", "time")


class Phrase(NamedTuple):
    """A text of the catalogue: its key, and the values of its fields.

    A value that depends on the language is put in it first: a phrase, a datetime, or a callable
    that gives the text in a language.
    """

    key: str
    values: Mapping[str, object] = {}

    def text(self, lang: str) -> str:
        """Return the text in a language."""
        values = {name: _in_language(value, lang) for name, value in self.values.items()}
        return catalogue(lang).text(self.key, **values)


def _in_language(value: object, lang: str) -> object:
    if isinstance(value, Phrase):
        return value.text(lang)
    if isinstance(value, datetime):
        return format_datetime(value, lang)
    return value(lang) if callable(value) else value


class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        What code calls it; people see its title from the catalogue.
    values : array-like
        One-dimensional; texts as an object array, with None where there is none.
    kind : {"text", "integer", "decimal", "rate", "money", "p_value", "seconds", "time"}, optional
        How people see the values; told from the dtype where it is not given.
    labels : callable, optional
        Gives the name of a value for people: ``labels(value, lang)``.
    title : str or Phrase, optional
        The column whose title in the catalogue people see, where it is not this one's, or the text.
    blank : (n,) bool array, optional
        Values that are of no meaning to people, who see "–"; code and exports have them.
    """

    __slots__ = ("blank", "kind", "labels", "name", "title", "values")

    def __init__(
        self,
        name: str,
        values: ArrayLike | Sequence[object],
        kind: str | None = None,
        labels: Callable[[Any, str], str] | None = None,
        *,
        title: str | Phrase | None = None,
        blank: NDArray[np.bool_] | None = None,
    ) -> None:
        array = values if isinstance(values, np.ndarray) else _as_array(values)
        if array.ndim != 1:
            raise DefinitionError(f"column {name!r} is one-dimensional, not {array.shape}")
        if kind is not None and kind not in _KINDS:
            raise DefinitionError(f"a column is of the kind {', '.join(_KINDS)}, not {kind!r}")
        if array.dtype.kind == "U":
            array = array.astype(object)
        array = array.view()
        array.flags.writeable = False
        self.name = name
        self.values: NDArray[Any] = array
        self.kind = kind or {"i": "integer", "u": "integer", "f": "decimal", "M": "time"}.get(
            array.dtype.kind, "text"
        )
        self.labels = labels
        self.title = title or name
        self.blank = blank

    def header(self, lang: str) -> str:
        """Return the title that people see."""
        title = self.title
        return plain(
            title.text(lang) if isinstance(title, Phrase) else catalogue(lang).header(title)
        )

    def is_blank(self, index: int) -> bool:
        """Return whether a value is of no meaning to people."""
        return self.blank is not None and bool(self.blank[index])

    def sort_values(self) -> list[float | None] | None:
        """Return the numbers that rows are sorted by; None for texts, which sort as they read."""
        if self.kind == "text":
            return None
        values = self.values
        known = ~np.isnat(values) if values.dtype.kind == "M" else values == values
        if self.blank is not None:
            known = known & ~self.blank
        if values.dtype.kind == "M":
            values = values.astype("datetime64[us]").astype(np.int64)
        return [
            float(value) if there else None
            for value, there in zip(values.tolist(), known.tolist(), strict=True)
        ]

    def cell(self, index: int, lang: str) -> str:
        """Return one value as people read it."""
        value = self.values[index]
        if self.is_blank(index):
            return MISSING
        if self.kind == "text":
            if value is None:
                return MISSING
            if isinstance(value, (bool, np.bool_)):
                return catalogue(lang).text("value.true" if value else "value.false")
            return plain(self.labels(value, lang) if self.labels else str(value))
        if self.kind == "time":
            return format_datetime(to_plain(self.values[index : index + 1])[0], lang)
        number = value.item() if isinstance(value, np.generic) else value
        if self.kind == "rate":
            return format_percent(number, lang)
        if self.kind == "integer":
            return format_integer(number, lang)
        if self.kind == "seconds":
            return format_duration(number, lang)
        if self.kind == "p_value":
            return format_p_value(number, lang)
        return (
            format_money(number, None, lang, digits=0)
            if self.kind == "money"
            else format_decimal(number, lang, 2)
        )


class Table(Exports):
    """Named columns of equal length, with a title and notes: what every metric returns.

    Print it in a terminal, show it in a notebook, or take it along as CSV, JSON, Markdown or a
    dataframe.

    Parameters
    ----------
    columns : iterable of Column
    title : Phrase
        What people see above it.
    notes : sequence of Phrase
        What must be known to read it: mode, instant, definitions.
    hidden : iterable of str
        Columns left out of what is printed; code and exports have them all.

    Examples
    --------
    >>> table = Table([Column("stage", ["lead", "demo"]), Column("entered", [30, 12])])
    >>> table["entered"].sum()
    np.int64(42)
    >>> print(table)
    Stage  Entered
    ─────  ───────
    lead        30
    demo        12
    """

    def __init__(
        self,
        columns: Iterable[Column],
        *,
        title: Phrase | None = None,
        notes: Sequence[Phrase] = (),
        hidden: Iterable[str] = (),
    ) -> None:
        members = tuple(columns)
        self._columns = {column.name: column for column in members}
        if len(self._columns) < len(members):
            names = ", ".join(column.name for column in members)
            raise DefinitionError(f"the columns of a table have names of their own, not {names}")
        self.title = title
        self.notes = tuple(notes)
        self.hidden = frozenset(hidden)
        lengths = {len(column.values) for column in self._columns.values()}
        if len(lengths) > 1:
            raise DefinitionError(
                f"the columns of a table are of one length, not {sorted(lengths)}"
            )
        self._length = lengths.pop() if lengths else 0

    # ── values ────────────────────────────────────────────────────────────────────────────────────

    def __len__(self) -> int:
        return self._length

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def column(self, name: str) -> Column:
        """Return a column with its kind and the names of its values."""
        try:
            return self._columns[name]
        except (KeyError, TypeError):
            raise UnknownAttributeError(
                f"no column {name!r} in this table; it has {', '.join(self._columns)}"
            ) from None

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.column(name).values

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return (
            self.columns == other.columns
            and len(self) == len(other)
            and all(
                self[name].dtype == other[name].dtype and _same(self[name], other[name])
                # Without rows there are no values, and nothing that their types would matter for.
                for name in (self.columns if len(self) else ())
            )
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is not hashable

    def select(self, *names: str) -> Table:
        """Return a table of some of the columns, all of them shown."""
        return Table([self.column(name) for name in names], title=self.title, notes=self.notes)

    def take(self, rows: NDArray[np.integer] | slice) -> Table:
        """Return a table of some of the rows, by their index, with the same title and notes."""
        return Table(
            [
                Column(
                    column.name,
                    column.values[rows],
                    column.kind,
                    column.labels,
                    title=column.title,
                    blank=None if column.blank is None else column.blank[rows],
                )
                for column in self._columns.values()
            ],
            title=self.title,
            notes=self.notes,
            hidden=self.hidden,
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as dictionaries of plain values; None where there is none."""
        plain_columns = self.to_dict()
        for values in zip(*plain_columns.values(), strict=True):
            yield dict(zip(plain_columns, values, strict=True))

    # ── for people ────────────────────────────────────────────────────────────────────────────────

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"Table({len(self)} rows: {', '.join(self.columns)})"

    def to_text(self, lang: str | None = None, *, notes: bool = True) -> str:
        """Return the table as text, aligned in a terminal, its title above and its notes below."""
        lang = resolve(lang or default_language())
        header, rows, is_number = self._shown(lang)
        widths = [
            max(display_width(cell) for cell in column)
            for column in zip(header, *rows, strict=True)
        ]

        def line(cells: Sequence[str]) -> str:
            padded = (
                pad(cell, width, "right" if right else "left")
                for cell, width, right in zip(cells, widths, is_number, strict=True)
            )
            return "  ".join(padded).rstrip()

        lines = [plain(self.title.text(lang)), ""] if self.title else []
        lines += [line(header), "  ".join("─" * width for width in widths)]
        lines += [line(row) for row in rows] or [catalogue(lang).text("value.no_rows")]
        if notes and self.notes:
            lines += ["", *(plain(note.text(lang)) for note in self.notes)]
        return "\n".join(lines)

    def to_markdown(self, lang: str | None = None) -> str:
        """Return the table as a Markdown pipe table."""
        header, rows, is_number = self._shown(resolve(lang or default_language()))
        rule = ["---:" if right else "---" for right in is_number]
        lines = [[escape_markdown(cell) for cell in line] for line in (header, *rows)]
        lines.insert(1, rule)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def texts(self, name: str, lang: str | None = None) -> list[str]:
        """Return a column as people read it: a rate with its interval, the names of keys."""
        return self._cells(self.column(name), resolve(lang or default_language()))

    def to_html(self, lang: str | None = None, *, notes: bool = True) -> str:
        """Return the table as an HTML fragment, its notes below; everything in it is escaped."""
        lang = resolve(lang or default_language())
        return self._html(lang, self.notes if notes else ())

    def _repr_html_(self) -> str:
        """Return the table for a notebook: of a long one the first rows, to be sorted there."""
        lang, more = default_language(), len(self) - _MOST_ROWS
        if len(self) < _SORTABLE:
            return self.to_html(lang)
        shown = self.take(slice(_MOST_ROWS))
        notes = [Phrase("report.more", {"count": more})] if more > 0 else []
        return f"{shown._html(lang, [*notes, *self.notes], sort=True)}\n{SORT}"

    def _html(self, lang: str, notes: Sequence[Phrase], *, sort: bool = False) -> str:
        header, rows, is_number = self._shown(lang)
        fragment = html_table(
            lang,
            header,
            rows,
            is_number,
            caption=self.title.text(lang) if self.title else None,
            values=[column.sort_values() for column in self._visible()] if sort else None,
        )
        return "\n".join([fragment, *([html_notes(n.text(lang) for n in notes)] if notes else [])])

    def _shown(self, lang: str) -> tuple[list[str], list[list[str]], list[bool]]:
        """Return header, rows and whether each column is of numbers, as people see them.

        The parts of a rate are shown in one cell with it: ``30.0% (27.2–32.9)``.
        """
        shown = self._visible()
        header = [column.header(lang) for column in shown]
        cells = [self._cells(column, lang) for column in shown]
        rows = [list(row) for row in zip(*cells, strict=True)]
        return header, rows, [column.kind != "text" for column in shown]

    def _visible(self) -> list[Column]:
        """Return the columns that people see."""
        parts = {
            part
            for name, column in self._columns.items()
            if column.kind == "rate"
            for part in self._parts_of(name)
        }
        return [c for c in self._columns.values() if c.name not in parts | self.hidden]

    def _parts_of(self, rate: str) -> tuple[str, ...]:
        prefix = "" if rate == "value" else f"{rate}_"
        bounds = tuple(f"{prefix}{part}" for part in ("low", "high"))
        counts = tuple(f"{prefix}{part}" for part in ("numerator", "denominator"))
        found = bounds if rate == "value" else bounds + counts
        return tuple(name for name in found if name in self._columns)

    def _cells(self, column: Column, lang: str) -> list[str]:
        bounds = [name for name in self._parts_of(column.name) if name.endswith(("low", "high"))]
        if column.kind != "rate" or len(bounds) != 2:
            return [column.cell(index, lang) for index in range(len(self))]
        low, high = (self[name].tolist() for name in bounds)
        return [
            column.cell(index, lang)
            if column.is_blank(index)
            else format_rate_interval(value, low[index], high[index], lang)
            for index, value in enumerate(column.values.tolist())
        ]

    # ── for machines ──────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns as lists of plain values; None for NaN and NaT, times aware in UTC."""
        return {name: to_plain(column.values) for name, column in self._columns.items()}

    def to_json(self, path: str | Path | None = None, *, raw: bool = False) -> str:
        """Return the table as JSON, and write it to a file if one is given.

        Times are ISO 8601 texts, and so are infinite numbers and what else JSON does not have.

        Parameters
        ----------
        path : str or Path, optional
        raw : bool
            By default a list of rows; ``raw=True`` writes columns with their types, which
            `from_json` reads back unchanged.
        """
        if raw:
            return saved.to_json(self._saved(), path)
        rows = [{name: in_json(value) for name, value in row.items()} for row in self.rows()]
        text = json.dumps(rows, ensure_ascii=False, indent=2, allow_nan=False)
        if path is not None:
            saved.write_text(path, text + "\n")
        return text

    # ── and back ──────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def from_csv(cls, source: saved.Source, *, max_bytes: int = MAX_BYTES) -> Table:
        """Return the table that ``to_csv(path, raw=True)`` wrote.

        Columns and values come back; titles, notes and how people see the values do not. Numbers
        are of 64 bits. A table without rows comes back equal, though nothing in CSV says which
        types its columns would have.

        Parameters
        ----------
        source : str, Path or open file
        max_bytes : int
            Bytes that a compressed file may hold, once decompressed (1 GiB).

        Raises
        ------
        EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, DataError
            If it cannot be read.
        OSError
            If there is no such file.
        """
        return cls._of(saved.from_csv(source, Limits(max_bytes)))

    @classmethod
    def from_json(cls, source: saved.Source, *, max_bytes: int = MAX_BYTES) -> Table:
        """Return the table that ``to_json(path, raw=True)`` wrote; see `from_csv`."""
        return cls._of(saved.from_json(source, Limits(max_bytes)))

    @classmethod
    def from_parquet(cls, path: str | Path) -> Table:
        """Return the table that `to_parquet` wrote; see `from_csv`.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        """
        return cls._of(saved.from_parquet(path))

    @classmethod
    def from_frame(cls, frame: Any) -> Table:
        """Return a dataframe, of whatever library, as a table.

        Raises
        ------
        MissingExtraError
            If narwhals is not installed.
        DefinitionError
            If it is no dataframe.
        """
        return cls._of(saved.from_dataframe(frame))

    @classmethod
    def _of(cls, content: saved.Saved) -> Table:
        return cls(Column(name, values) for name, values in content.columns.items())

    def _saved(self) -> saved.Saved:
        return saved.Saved({name: column.values for name, column in self._columns.items()})


def _as_array(values: ArrayLike | Sequence[object]) -> NDArray[Any]:
    array = np.asarray(values)
    return np.array(values, object) if array.dtype.kind in "US" else array


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fM")
