"""CSV files: read in batches, written for people or for machines."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, dropwhile, islice
from pathlib import Path
from typing import Any

from salesfunnel.columns.csvfast import BLOCK, UnusualError, fast_tables
from salesfunnel.columns.files import LIMITS, Limits, chunks, text_lines
from salesfunnel.columns.rawtable import Broken, RawTable
from salesfunnel.errors import DataError, EmptyFileError, FileLimitError, TruncatedFileError
from salesfunnel.kernel.progress import Meter
from salesfunnel.text.escape import neutralise_formula
from salesfunnel.wording import Listed, Wording

BATCH = 500_000
"""Cells of a batch, where Python's own reader reads it: some 50 MB."""
LONG = 1 << 16
"""Bytes from which on a file is worth the fast reader."""


def csv_batches(
    path: str | Path,
    encoding: str,
    limits: Limits = LIMITS,
    *,
    n_cells: int = BATCH,
    watch: Meter | None = None,
) -> Iterator[RawTable]:
    """Yield the cells of a CSV file with a header line in batches, of which one has to come.

    Rows are numbered as a spreadsheet does, which counts blank lines; one with too few or too many
    cells is broken.

    Parameters
    ----------
    path : str or Path
        Compressed (gzip, zip) or not.
    encoding : str
        See `salesfunnel.columns.files.with_encoding`.
    limits : Limits
    n_cells : int
        About how many cells a batch has, where Python's own reader reads it.
    watch : Meter, optional
        Told how many bytes of the file are read.

    Raises
    ------
    UnicodeDecodeError
        If the text is not in that encoding.
    EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, DataError
        If the file as a whole cannot be read.
    OSError
        If there is no such file.
    """
    name = str(path)
    n_done = 0
    pieces = chunks(path, limits, watch)
    first = next(pieces, b"")
    if len(first) >= LONG:
        try:
            for table in fast_tables(
                chain((first,), pieces),
                encoding,
                name,
                lambda cells: _names(cells, name),
                size=BLOCK,
                max_row=limits.max_line // 2,
            ):
                yield table
                n_done = table.numbers[-1] if table.numbers else n_done
        except UnusualError:
            pass
        else:
            return
    yield from _slow_tables(path, encoding, limits, n_cells, n_done, watch)


def _slow_tables(
    path: str | Path,
    encoding: str,
    limits: Limits,
    n_cells: int,
    n_done: int,
    watch: Meter | None,
) -> Iterator[RawTable]:
    """Yield the rest of a CSV file after some lines."""
    if csv.field_size_limit() < limits.max_line:  # of the process; raised, it bothers nobody
        csv.field_size_limit(limits.max_line)
    name = str(path)
    with text_lines(path, encoding, limits, watch) as text:
        lines = csv.reader(text, strict=True)
        numbered = enumerate(_checked(lines, name), start=1)
        header = next((cells for _, cells in numbered if cells), None)
        if header is None:
            raise EmptyFileError(
                "{name} is empty; a line with the names of the columns is expected", name=name
            )
        header = _names(header, name)
        rest = dropwhile(lambda line: line[0] <= n_done, numbered)
        n_rows = max(1, n_cells // len(header))
        empty = n_done == 0
        while batch := list(islice(rest, n_rows)):
            empty = False
            yield _table(name, header, batch)
        if empty:
            yield _table(name, header, [])


def _checked(lines: Any, name: str) -> Iterator[list[str]]:
    """Yield the cells of each line, blank ones too."""
    try:
        yield from lines
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise TruncatedFileError(
                "{name} ends inside a quoted cell: its end is missing, or one quotation mark too "
                "many opens a cell",
                name=name,
            ) from None
        if "field larger than" in str(error):
            raise FileLimitError(
                "{name}, line {line}: a cell has more than {limit:,} characters: one quotation "
                "mark too many opens a cell, or max_line= raises the limit",
                name=name,
                line=lines.line_num,
                limit=csv.field_size_limit(),
            ) from None
        raise DataError(
            "{name}, near line {line}: not CSV: {error}",
            name=name,
            line=lines.line_num,
            error=error,
        ) from None


def _names(header: Sequence[str], name: str) -> list[str]:
    names = [cell.strip() for cell in header]
    repeated = [cell for cell, times in Counter(names).items() if cell and times > 1]
    if repeated:
        raise DataError(
            "{name} names a column twice: {columns}", name=name, columns=Listed(sorted(repeated))
        )
    return names


def _table(name: str, header: Sequence[str], lines: Sequence[tuple[int, list[str]]]) -> RawTable:
    """Return numbered lines as columns, without the blank ones."""
    width = len(header)
    numbers = [number for number, cells in lines if cells]
    rows = [cells for _, cells in lines if cells]
    expected = Wording("{width} cells, as the header has", width=width)
    broken = {
        index: Broken(Wording("{n} cells", n=len(row)), expected)
        for index, row in enumerate(rows)
        if len(row) != width
    }
    for index in broken:
        rows[index] = [""] * width
    cells: Iterable[tuple[str, ...]] = zip(*rows, strict=True) if rows else [()] * width
    columns = dict(zip(header, map(list, cells), strict=True))
    return RawTable(name, columns, numbers, broken)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]], *, raw: bool = False) -> str:
    """Return rows as CSV; unless `raw`, what a spreadsheet takes for a formula is disarmed."""

    def cell(value: Any) -> Any:
        if raw or value is None or isinstance(value, (int, float)):
            return value
        return neutralise_formula(str(value))

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([cell(name) for name in header])
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
