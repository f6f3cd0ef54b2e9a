"""CSV files: read whole, written for people or for machines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from salesfunnel.columns.files import LIMITS, Limits, decode, read_bytes
from salesfunnel.columns.rawtable import Broken, RawTable
from salesfunnel.errors import DataError, EmptyFileError, TruncatedFileError
from salesfunnel.text.escape import neutralise_formula


def read_csv_table(path: str | Path, limits: Limits = LIMITS) -> RawTable:
    """Return the cells of a CSV file with a header line, compressed (gzip, zip) or not.

    The text is UTF-8, with or without a byte order mark, or GB18030. Rows are numbered as a
    spreadsheet does, which counts blank lines; one with too few or too many cells is broken.

    Raises
    ------
    EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, DataError
        If the file as a whole cannot be read.
    OSError
        If there is no such file.
    """
    name = str(path)
    reader = csv.reader(
        io.StringIO(decode(read_bytes(path, limits), name), newline=""), strict=True
    )
    try:
        lines = list(reader)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise TruncatedFileError(
                f"{name} ends inside a quoted cell: its end is missing, or one quotation mark too "
                "many opens a cell"
            ) from None
        raise DataError(f"{name}, near line {reader.line_num}: not CSV: {error}") from None
    numbers = [number for number, line in enumerate(lines, start=1) if line]
    if not numbers:
        raise EmptyFileError(f"{name} is empty; a line with the names of the columns is expected")
    header, *rows = (lines[number - 1] for number in numbers)
    header = [cell.strip() for cell in header]
    repeated = {cell for cell in header if cell and header.count(cell) > 1}
    if repeated:
        raise DataError(f"{name} names a column twice: {', '.join(sorted(repeated))}")
    width = len(header)
    expected = f"{width} cells, as the header has"
    broken = {
        index: Broken(f"{len(row)} cells", expected)
        for index, row in enumerate(rows)
        if len(row) != width
    }
    for index in broken:
        rows[index] = [""] * width
    cells: Iterable[tuple[str, ...]] = zip(*rows, strict=True) if rows else [()] * width
    columns = dict(zip(header, map(list, cells), strict=True))
    return RawTable(name, columns, numbers[1:], broken)


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
