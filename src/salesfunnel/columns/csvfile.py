"""CSV files: read whole, written for people or for machines."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from salesfunnel.errors import (
    DataError,
    EmptyFileError,
    EncodingError,
    MissingColumnError,
    TruncatedFileError,
)
from salesfunnel.text.escape import neutralise_formula


class CsvTable(NamedTuple):
    """The cells of a CSV file, by column.

    Attributes
    ----------
    path : str
    columns : dict of str to list of str
        The cells of each column; those of an uneven row are blank.
    width : int
        How many cells a row should have.
    uneven : dict of int to int
        Rows with too few or too many cells, and how many each has.
    numbers : sequence of int
        What a spreadsheet calls each row; blank lines count there and are no rows here.
    """

    path: str
    columns: dict[str, list[str]]
    width: int
    uneven: dict[int, int]
    numbers: Sequence[int]

    def column(self, name: str) -> list[str]:
        """Return the cells of a column.

        Raises
        ------
        MissingColumnError
            If there is no such column.
        """
        try:
            return self.columns[name]
        except KeyError:
            raise MissingColumnError(
                f"{self.path} has no column {name!r}; it has {', '.join(self.columns)}"
            ) from None


def read_csv_table(path: str | Path) -> CsvTable:
    """Return the cells of a CSV file with a header line, compressed (``.gz``) or not.

    The text is UTF-8, with or without a byte order mark, or GB18030.

    Raises
    ------
    EmptyFileError, EncodingError, TruncatedFileError, DataError
        If the file as a whole cannot be read.
    OSError
        If there is no such file.
    """
    name = str(path)
    reader = csv.reader(
        io.StringIO(_decode(_read_bytes(Path(path)), name), newline=""), strict=True
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
    uneven = {index: len(row) for index, row in enumerate(rows) if len(row) != width}
    for index in uneven:
        rows[index] = [""] * width
    cells: Iterable[tuple[str, ...]] = zip(*rows, strict=True) if rows else [()] * width
    columns = dict(zip(header, map(list, cells), strict=True))
    return CsvTable(name, columns, width, uneven, numbers[1:])


def _read_bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except EOFError:
        raise TruncatedFileError(
            f"{path} is a gzip file that breaks off before its end: fetch it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is a damaged gzip file: {error}") from None


def _decode(data: bytes, name: str) -> str:
    if b"\x00" in data:
        raise EncodingError(
            f"{name} is not text in UTF-8 or GB18030: it has zero bytes, as UTF-16 and "
            "spreadsheets do. Save it as CSV in UTF-8"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf8 = error
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        line = data.count(b"\n", 0, utf8.start) + 1
        raise EncodingError(
            f"{name} is neither UTF-8 nor GB18030 text: byte {data[utf8.start]:#04x} in line {line}"
        ) from None


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
