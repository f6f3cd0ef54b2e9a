"""CSV for machines: columns go out with nothing changed, and come back with their types.

A number, a truth value or a time stands bare; a text that would read as one of them, or as nothing,
is in quotation marks, which other programs take off without a thought. Where there are no rows to
show what columns have, a line may stand there that says it, as in ``#text,#int64``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.typed import to_array
from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DataError, EmptyFileError, TruncatedFileError
from salesfunnel.wording import Listed

_CELL = r'(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r?\n|\Z)'
_INTEGER = r"-?\d+"
_FLOAT = r"-?(?:\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+|inf)|NaN"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00|NaT"
_TYPES = {
    "#int64": np.dtype(np.int64),
    "#float64": np.dtype(np.float64),
    "#bool": np.dtype(np.bool_),
    "#datetime64": np.dtype("datetime64[us]"),
    "#text": np.dtype(object),
}
_BARE = rf"(?a)(?:{_INTEGER}|{_FLOAT}|{_TIME}|{'|'.join(_TYPES)}|True|False|)"
_NOT_A_TIME = np.datetime64("NaT", "us")


def raw_csv(columns: Mapping[str, NDArray[Any]], *, types: bool = False) -> str:
    """Return columns of numbers, times, truth values and objects as CSV, for `read_raw_csv`.

    Parameters
    ----------
    columns : mapping of str to (n,) array
    types : bool
        Whether a line says their types where there are no rows, unless all are objects.
    """
    cells = [_cells(values) for values in columns.values()]
    lines = [",".join(_quoted_if_special(name) or '""' for name in columns)]
    lines += map(",".join, zip(*cells, strict=True))
    if types and not any(map(len, cells)) and any(v.dtype != object for v in columns.values()):
        lines.append(",".join(map(_type, columns.values())))
    return "\n".join(lines) + "\n"


def read_raw_csv(text: str, name: str) -> dict[str, NDArray[Any]]:
    """Return the columns of such a text.

    Integers come as int64 where they fit, floats as float64, times as datetime64 in UTC, truth
    values as bool, and everything else as objects, with None where there is nothing.

    Raises
    ------
    EmptyFileError, TruncatedFileError, DataError
        If it is none.
    """
    if not text:
        raise EmptyFileError(
            "{name} is empty; a line with the names of the columns is expected", name=name
        )
    rows = _rows(text, name)
    if rows == [[_Cell("", False)]]:
        return {}
    header = [cell.text for cell in rows[0]]
    if len(set(header)) < len(header):
        raise DataError("{name} names a column twice: {columns}", name=name, columns=Listed(header))
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataError(
                "{name}, row {number} has {n_cells} cells, where the header has {n_columns}",
                name=name,
                number=number,
                n_cells=len(row),
                n_columns=len(header),
            )
    if len(rows) == 2 and all(not cell.quoted and cell.text in _TYPES for cell in rows[1]):
        kinds = [_TYPES[cell.text] for cell in rows[1]]
        return {column: np.empty(0, kind) for column, kind in zip(header, kinds, strict=True)}
    return {
        column: to_array([_value(row[place]) for row in rows[1:]])
        for place, column in enumerate(header)
    }


class _Cell(NamedTuple):
    text: str
    quoted: bool


def _rows(text: str, name: str) -> list[list[_Cell]]:
    rows: list[list[_Cell]] = [[]]
    place, scan = 0, re.compile(_CELL).match
    while True:
        found = scan(text, place)
        if found is None:
            line = text.count("\n", 0, place) + 1
            if text[place : place + 1] == '"' and text.count('"', place) % 2:
                raise TruncatedFileError(
                    "{name} ends inside a quoted cell, which begins in line {line}",
                    name=name,
                    line=line,
                )
            raise DataError("{name}, line {line}: not CSV as it was written", name=name, line=line)
        quoted, bare, end = found.groups()
        cell = _Cell(bare, False) if quoted is None else _Cell(quoted.replace('""', '"'), True)
        rows[-1].append(cell)
        place = found.end()
        if end != ",":
            if place >= len(text):
                return rows
            rows.append([])


def _type(values: NDArray[Any]) -> str:
    """Return the mark of the type in which values come back."""
    known = {kind.kind: mark for mark, kind in _TYPES.items()}
    return known["i" if values.dtype.kind == "u" else values.dtype.kind]


def _cells(values: NDArray[Any]) -> Sequence[str]:
    """Return the cells of a column."""
    kind = values.dtype.kind
    plain = to_plain(values)
    if kind == "f":
        # One value among blanks tells that they are floats; without any, each must.
        blank = "NaN" if np.isnan(values).all() else ""
        return [blank if value is None else repr(float(value)) for value in plain]
    if kind == "M":
        blank = "NaT" if np.isnat(values).all() else ""
        return [blank if value is None else value.isoformat() for value in plain]
    return [_cell(value) for value in plain]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (bool, int, np.bool_)):
        return str(value)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value.astimezone(UTC).isoformat()
    text = str(value)
    if re.fullmatch(_BARE, text):
        return f'"{text}"'
    return _quoted_if_special(text)


def _quoted_if_special(text: str) -> str:
    if re.search(r'[,"\r\n]', text):
        return '"' + text.replace('"', '""') + '"'
    return text


def _value(cell: _Cell) -> Any:
    text = cell.text
    if cell.quoted or not re.fullmatch(_BARE, text):
        return text
    if not text:
        return None
    if text in ("True", "False"):
        return text == "True"
    if text == "NaN":
        return math.nan
    if text == "NaT":
        return _NOT_A_TIME
    if re.fullmatch(_TIME, text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return text
    try:
        return int(text) if re.fullmatch(_INTEGER, text) else float(text)
    except ValueError:  # an integer longer than Python reads
        return text
