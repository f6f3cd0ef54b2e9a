"""Columns, and what must be known about them, written to files and read back unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.arrow import read_arrow, to_arrow, write_parquet
from salesfunnel.columns.csvfile import csv_text
from salesfunnel.columns.files import LIMITS, Limits, decode, read_bytes
from salesfunnel.columns.frames import from_frame
from salesfunnel.columns.jsonl import loads, read_json
from salesfunnel.columns.rawcsv import raw_csv, read_raw_csv
from salesfunnel.columns.typed import from_json_columns, in_json, to_arrays, to_json_columns
from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DataError, DefinitionError, EncodingError
from salesfunnel.wording import Wording

Source = str | Path | TextIO | BinaryIO
"""A path, or what has a text, or the bytes of one, to ``read()``."""
_KEY, _MIXED = "salesfunnel", "json"
"""What is about the columns in the metadata of a Parquet file, and which are texts of JSON."""


class Saved(NamedTuple):
    """Columns, and plain data about them.

    Attributes
    ----------
    columns : dict of str to (n,) array
        Numbers, truth values, times in UTC (datetime64), and objects.
    about : dict
        What JSON can hold; CSV and dataframes do not have it.
    """

    columns: dict[str, NDArray[Any]]
    about: Mapping[str, Any] = {}


def name_of(source: Source) -> str:
    """Return what messages call a source."""
    return str(source) if isinstance(source, (str, Path)) else Wording("the text")


# ── CSV ───────────────────────────────────────────────────────────────────────────────────────────


def to_csv(saved: Saved, path: str | Path | None, *, raw: bool) -> str:
    """Return columns as CSV, and write it to a file if one is given.

    Unless `raw`, what a spreadsheet takes for a formula is disarmed, and the file has a byte order
    mark, by which spreadsheets know UTF-8. `from_csv` reads what is raw back unchanged; where
    nothing is known about the columns beside, it has their types even without rows.
    """
    columns = saved.columns
    if raw:
        text = raw_csv(columns, types=not saved.about)
    else:
        cells = [[_shown(value) for value in to_plain(values)] for values in columns.values()]
        text = csv_text(list(columns), zip(*cells, strict=True))
    if path is not None:
        write_text(path, text, mark=not raw)
    return text


def from_csv(source: Source, limits: Limits = LIMITS) -> Saved:
    """Return the columns of raw CSV.

    Raises
    ------
    EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, DataError
        If it cannot be read.
    OSError
        If there is no such file.
    """
    return Saved(read_raw_csv(_read_text(source, limits), name_of(source)))


def _shown(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────


def to_json(saved: Saved, path: str | Path | None) -> str:
    """Return columns and what is about them as JSON, and write it to a file if one is given."""
    content = {**saved.about, "columns": to_json_columns(saved.columns)}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    if path is not None:
        write_text(path, text + "\n")
    return text


def from_json(source: Source, limits: Limits = LIMITS) -> Saved:
    """Return columns and what is about them from such JSON; errors are those of `from_csv`."""
    name = name_of(source)
    if isinstance(source, (str, Path)):
        content = read_json(source, limits)
    else:
        given = _content(source)
        text = decode(given, name) if isinstance(given, bytes) else given
        try:
            content = loads(text)
        except ValueError as error:
            raise DataError("{name} is not JSON: {error}", name=name, error=error) from None
    if not isinstance(content, dict) or "columns" not in content:
        raise DataError("{name} has no columns, as what was written by to_json has", name=name)
    return Saved(from_json_columns(content.pop("columns"), name), content)


# ── Parquet and dataframes ────────────────────────────────────────────────────────────────────────


def to_parquet(saved: Saved, path: str | Path) -> None:
    """Write columns and what is about them to a Parquet file.

    Columns of objects that are not all texts have them as texts of JSON, and the file says so.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    """
    mixed = {name for name, values in saved.columns.items() if _is_mixed(values)}
    columns = {
        name: _json_texts(values) if name in mixed else values
        for name, values in saved.columns.items()
    }
    about = json.dumps({**saved.about, _MIXED: sorted(mixed)})
    write_parquet(to_arrow(columns, {_KEY: about}), path)


def from_parquet(path: str | Path) -> Saved:
    """Return columns and what is about them from such a file.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    DataError
        If it cannot be read.
    OSError
        If there is no such file.
    """
    table = read_arrow(path)
    columns = to_arrays(table)
    try:
        about = dict(json.loads(table.metadata.get(_KEY, "{}")))
        for name in about.pop(_MIXED, ()):
            values = [None if text is None else json.loads(text) for text in columns[name]]
            columns[name] = np.empty(len(values), object)
            columns[name][:] = values
    except (TypeError, ValueError, KeyError) as error:
        raise DataError(
            "{path}: what it says about its columns is damaged: {error!r}", path=path, error=error
        ) from None
    return Saved(columns, about)


def _is_mixed(values: NDArray[Any]) -> bool:
    return values.dtype == object and not set(map(type, values.tolist())) <= {str, type(None)}


def _json_texts(values: NDArray[Any]) -> NDArray[Any]:
    texts = np.empty(len(values), object)
    texts[:] = [None if v is None else json.dumps(in_json(v)) for v in values.tolist()]
    return texts


def from_dataframe(frame: Any) -> Saved:
    """Return the columns of a dataframe.

    Raises
    ------
    MissingExtraError, DefinitionError, DataError
        As `salesfunnel.columns.frames.from_frame`.
    """
    return Saved(to_arrays(from_frame(frame, whole=False)))


# ── text ──────────────────────────────────────────────────────────────────────────────────────────


def write_text(path: str | Path, text: str, *, mark: bool = False) -> None:
    """Write a text as UTF-8, with a byte order mark or without.

    Raises
    ------
    EncodingError
        If it has half of a character (a lone surrogate), which UTF-8 has no bytes for.
    """
    try:
        data = text.encode("utf-8-sig" if mark else "utf-8")
    except UnicodeEncodeError as error:
        around = text[max(0, error.start - 20) : error.start]
        raise EncodingError(
            "{path} cannot be written as UTF-8: there is half of a character (a lone surrogate) "
            "after {around!r}",
            path=path,
            around=around,
        ) from None
    Path(path).write_bytes(data)


def _read_text(source: Source, limits: Limits) -> str:
    if isinstance(source, (str, Path)):
        data = read_bytes(source, limits)
    else:
        text = _content(source)
        if isinstance(text, str):
            return text
        data = text
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EncodingError(
            "{name} is not UTF-8 text: {problem}", name=name_of(source), problem=error.reason
        ) from None


def _content(source: TextIO | BinaryIO) -> str | bytes:
    """Return what there is to read.

    Raises
    ------
    DefinitionError
        If nothing can be read.
    """
    if not hasattr(source, "read"):
        raise DefinitionError("a path or an open file is expected, not {source!r}", source=source)
    return source.read()
