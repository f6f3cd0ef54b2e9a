"""JSON, whole or line by line, and its records as columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from salesfunnel.columns.files import (
    LIMITS,
    Limits,
    decode,
    read_bytes,
    text_lines,
)
from salesfunnel.columns.rawtable import Broken, RawTable
from salesfunnel.errors import DataError, EmptyFileError, TruncatedFileError
from salesfunnel.kernel.progress import Meter
from salesfunnel.wording import Wording

BATCH = 50_000
"""Lines of a batch."""
_PLAIN = frozenset({str, int, float, bool, type(None), list})
_RECORD = Wording("a JSON object, with a value for each column")


def read_json(path: str | Path, limits: Limits = LIMITS) -> Any:
    """Return what a JSON file says, compressed or not.

    Raises
    ------
    EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, DataError
        If the file cannot be read.
    OSError
        If there is no such file.
    """
    text = decode(read_bytes(path, limits), str(path))
    if not text.strip():
        raise EmptyFileError("{path} is empty; JSON is expected", path=path)
    try:
        return loads(text)
    except json.JSONDecodeError as error:
        if breaks_off(error):
            raise cut_off(str(path)) from None
        raise not_json(str(path), error.msg, error.lineno, error.colno) from None
    except ValueError as error:
        raise not_json(str(path), error) from None


def cut_off(path: str) -> TruncatedFileError:
    """Return the error of a JSON file without its end."""
    return TruncatedFileError(
        "{path} breaks off before the end of its JSON: fetch it again", path=path
    )


def not_json(path: str, problem: str | Exception, line: int = 0, column: int = 0) -> DataError:
    """Return the error of a file that is no JSON, at some place of it if that is known."""
    if not line:
        return DataError("{path}: not JSON: {error}", path=path, error=problem)
    return DataError(
        "{path}, line {line}, column {column}: not JSON: {problem}",
        path=path,
        line=line,
        column=column,
        problem=problem,
    )


def json_line_batches(
    path: str | Path,
    encoding: str,
    limits: Limits = LIMITS,
    *,
    n_rows: int = BATCH,
    watch: Meter | None = None,
) -> Iterator[RawTable]:
    """Yield the records of a file with a JSON object in each line, `n_rows` in a batch.

    Blank lines are left out, a line that is no JSON object is a broken row, and what is nested is
    named with a point between, as in ``owner.name``. What `watch` is told is how many bytes of the
    file are read.

    Raises
    ------
    UnicodeDecodeError
        If the text is not in that encoding.
    EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, DataError
        If the file as a whole cannot be read.
    OSError
        If there is no such file.
    """
    with text_lines(path, encoding, limits, watch) as text:
        lines = ((number, line) for number, line in enumerate(text, start=1) if line.strip())
        empty = True
        while batch := list(islice(lines, n_rows)):
            empty = False
            yield _lines_table(batch, str(path))
        if empty:
            raise EmptyFileError(
                "{path} is empty; a JSON object in each line is expected", path=path
            )


def _lines_table(lines: Sequence[tuple[int, str]], name: str) -> RawTable:
    records: list[Any] = []
    broken: dict[int, Broken] = {}
    for number, line in lines:
        try:
            records.append(loads(line))
        except ValueError as error:
            # Only the last line can be cut, and then no line break follows it.
            cut = isinstance(error, json.JSONDecodeError) and breaks_off(error)
            if cut and not line.endswith(("\n", "\r")):
                raise TruncatedFileError(
                    "{name} breaks off inside line {number}: fetch it again",
                    name=name,
                    number=number,
                ) from None
            broken[len(records)] = Broken(_shortened(line.strip()), _RECORD)
            records.append({})
    table = records_table(records, name)
    numbers = [number for number, _ in lines]
    return table._replace(numbers=numbers, broken={**table.broken, **broken}, is_sparse=True)


def records_table(records: Sequence[Any], name: str) -> RawTable:
    """Return records as columns, None where a record has no such field.

    Objects in a record are taken apart, their fields named with a point between, as in
    ``owner.name``; lists stay whole. What is no object is a broken row.
    """
    rows: list[dict[str, Any]] = []
    broken: dict[int, Broken] = {}
    for index, record in enumerate(records):
        if isinstance(record, Mapping):
            rows.append(dict(_fields(record)))
        else:
            broken[index] = Broken(_shortened(repr(record)), _RECORD)
            rows.append({})
    names = dict.fromkeys(field for row in rows for field in row)
    columns = {field: [row.get(field) for row in rows] for field in names}
    return RawTable(name, columns, range(len(rows)), broken)


def _fields(record: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        # Most values are plain, and asking of each whether it is a mapping takes longest.
        if type(value) not in _PLAIN and isinstance(value, Mapping):
            yield from _fields(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def loads(text: str) -> Any:
    """Return what a JSON text says.

    Raises
    ------
    ValueError
        If it is no JSON, or none that text can be made of.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(Wording("it is nested too deeply")) from None
    if "\\u" in text:
        check_characters(value)
    return value


def check_characters(value: Any) -> None:
    """Refuse what no text can be made of.

    Raises
    ------
    ValueError
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError(Wording("it has half of a character (a lone surrogate)")) from None


def breaks_off(error: json.JSONDecodeError) -> bool:
    """Return whether JSON is wrong because there is no more of it."""
    return error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
