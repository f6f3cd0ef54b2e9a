"""A table as people see it: some of its columns, their titles, and every cell as a text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from salesfunnel.table.column import Column
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.escape import escape_markdown
from salesfunnel.text.markup import html_table
from salesfunnel.text.numbers import format_rate_interval
from salesfunnel.text.width import display_width, pad


class Shown(NamedTuple):
    """The columns that people see, and what they read there.

    The parts of a rate are shown in one cell with it: ``30.0% (27.2–32.9)``.
    """

    lang: str
    columns: list[Column]
    cells: list[list[str]]
    """Of each column the texts of its rows."""

    @classmethod
    def of(cls, columns: Mapping[str, Column], hidden: Collection[str], lang: str) -> Shown:
        """Return what people see of columns in a language, but for hidden ones."""
        parts = {
            part
            for name, column in columns.items()
            if column.kind == "rate"
            for part in _parts_of(name, columns)
        }
        seen = [c for c in columns.values() if c.name not in parts and c.name not in hidden]
        return cls(lang, seen, [texts(column, columns, lang) for column in seen])

    @property
    def header(self) -> list[str]:
        """The titles of the columns."""
        return [column.header(self.lang) for column in self.columns]

    @property
    def rows(self) -> list[list[str]]:
        """The texts, row by row."""
        return [list(row) for row in zip(*self.cells, strict=True)]

    @property
    def is_number(self) -> list[bool]:
        """Whether each column is of numbers, which stand to the right."""
        return [column.kind != "text" for column in self.columns]

    def text_lines(self) -> list[str]:
        """Return the lines of the table in a terminal, header and rule first."""
        header = self.header
        widths = [
            max(map(display_width, [title, *column]))
            for title, column in zip(header, self.cells, strict=True)
        ]

        def line(cells: Sequence[str]) -> str:
            padded = (
                pad(cell, width, "right" if right else "left")
                for cell, width, right in zip(cells, widths, self.is_number, strict=True)
            )
            return "  ".join(padded).rstrip()

        return [
            line(header),
            "  ".join("─" * width for width in widths),
            *([line(row) for row in self.rows] or [catalogue(self.lang).text("value.no_rows")]),
        ]

    def markdown(self) -> str:
        """Return a Markdown pipe table."""
        rule = ["---:" if right else "---" for right in self.is_number]
        lines = [[escape_markdown(cell) for cell in line] for line in (self.header, *self.rows)]
        lines.insert(1, rule)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def html(self, caption: str | None, *, sort: bool = False) -> str:
        """Return a fragment of HTML, with what `markup.SORT` needs if it is to be sorted."""
        return html_table(
            self.lang,
            self.header,
            self.rows,
            self.is_number,
            caption=caption,
            values=[column.sort_values() for column in self.columns] if sort else None,
        )


def texts(column: Column, columns: Mapping[str, Column], lang: str) -> list[str]:
    """Return a column as people read it: a rate with its interval, if the table has it."""
    bounds = [n for n in _parts_of(column.name, columns) if n.endswith(("low", "high"))]
    if column.kind != "rate" or len(bounds) != 2:
        return [column.cell(index, lang) for index in range(len(column.values))]
    low, high = (columns[name].values.tolist() for name in bounds)
    return [
        column.cell(index, lang)
        if column.is_blank(index)
        else format_rate_interval(value, low[index], high[index], lang)
        for index, value in enumerate(column.values.tolist())
    ]


def _parts_of(rate: str, columns: Mapping[str, Column]) -> tuple[str, ...]:
    prefix = "" if rate == "value" else f"{rate}_"
    bounds = tuple(f"{prefix}{part}" for part in ("low", "high"))
    counts = tuple(f"{prefix}{part}" for part in ("numerator", "denominator"))
    found = bounds if rate == "value" else bounds + counts
    return tuple(name for name in found if name in columns)
