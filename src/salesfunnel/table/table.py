"""Table: what every metric returns. Named columns, to look at or to take along."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns import saved
from salesfunnel.columns.exports import Exports
from salesfunnel.columns.files import MAX_BYTES, Limits
from salesfunnel.columns.typed import in_json
from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.table.column import Column
from salesfunnel.table.phrase import Phrase
from salesfunnel.table.shown import Shown, texts
from salesfunnel.text.catalogue import default_language, resolve
from salesfunnel.text.markup import SORT, Html, html_notes
from salesfunnel.text.width import plain
from salesfunnel.wording import Listed

SORTABLE, _MOST_ROWS = 10, 60
"""Rows from which on a table in a notebook can be sorted, and rows that it has at most."""


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
            names = Listed(column.name for column in members)
            raise DefinitionError(
                "the columns of a table have names of their own, not {names}", names=names
            )
        self.title = title
        self.notes = tuple(notes)
        self.hidden = frozenset(hidden)
        lengths = {len(column.values) for column in self._columns.values()}
        if len(lengths) > 1:
            raise DefinitionError(
                "the columns of a table are of one length, not {lengths}", lengths=sorted(lengths)
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
                "no column {name!r} in this table; it has {known}",
                name=name,
                known=Listed(self._columns),
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
                    tz=column.tz,
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
        lines = [plain(self.title.text(lang)), ""] if self.title else []
        lines += self._shown(lang).text_lines()
        if notes and self.notes:
            lines += ["", *(plain(note.text(lang)) for note in self.notes)]
        return "\n".join(lines)

    def to_markdown(self, lang: str | None = None) -> str:
        """Return the table as a Markdown pipe table."""
        return self._shown(resolve(lang or default_language())).markdown()

    def texts(self, name: str, lang: str | None = None) -> list[str]:
        """Return a column as people read it: a rate with its interval, the names of keys."""
        return texts(self.column(name), self._columns, resolve(lang or default_language()))

    def to_html(
        self, lang: str | None = None, *, notes: bool = True, sortable: bool = False
    ) -> Html:
        """Return the table as an HTML fragment; everything in it is escaped.

        Parameters
        ----------
        lang : str, optional
            By default English.
        notes : bool
            Whether its notes stand below it.
        sortable : bool
            Whether a click on a header sorts the rows, by a script at the end of the fragment.
        """
        lang = resolve(lang or default_language())
        return self._html(lang, self.notes if notes else (), sort=sortable)

    def _repr_html_(self) -> str:
        """Return the table for a notebook: of a long one the first rows, to be sorted there."""
        lang, more = default_language(), len(self) - _MOST_ROWS
        if len(self) < SORTABLE:
            return self.to_html(lang)
        shown = self.take(slice(_MOST_ROWS))
        notes = [Phrase("report.more", {"count": more})] if more > 0 else []
        return shown._html(lang, [*notes, *self.notes], sort=True)

    def _html(self, lang: str, notes: Sequence[Phrase], *, sort: bool) -> Html:
        caption = self.title.text(lang) if self.title else None
        fragment = self._shown(lang).html(caption, sort=sort)
        below = [html_notes(note.text(lang) for note in notes)] if notes else []
        return Html("\n".join([fragment, *below, *([SORT] if sort else [])]))

    def _shown(self, lang: str) -> Shown:
        return Shown.of(self._columns, self.hidden, lang)

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
        are of 64 bits. A table without rows has a line of types in their place, as in
        ``#text,#int64``.

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


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fM")
