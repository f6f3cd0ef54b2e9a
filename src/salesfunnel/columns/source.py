"""Any source to columns: a path, a dataframe, parsed JSON, or a list of any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple, TypeVar

import numpy as np

from salesfunnel.columns.arrow import arrow_batches, read_arrow
from salesfunnel.columns.csvfile import csv_batches, read_csv_table
from salesfunnel.columns.files import LIMITS, Limits, content_name, with_encoding
from salesfunnel.columns.frames import from_frame, is_frame
from salesfunnel.columns.jsonl import (
    json_line_batches,
    read_json,
    read_json_lines,
    records_table,
)
from salesfunnel.columns.rawtable import Broken, RawTable, Values
from salesfunnel.errors import DataError, DefinitionError, IncompletePagesError
from salesfunnel.wording import Listed, Wording

T = TypeVar("T")

JSON, JSON_LINES = (".json",), (".jsonl", ".ndjson")
ARROW = (".parquet", ".pq", ".arrow", ".feather", ".ipc")


class Page(NamedTuple):
    """One page of a response.

    Attributes
    ----------
    records : sequence
        What is on it.
    more : bool
        Whether it says that another page follows.
    total : int or None
        How many records it says that all pages have together.
    """

    records: Sequence[Any]
    more: bool = False
    total: int | None = None


Unpack = Callable[[Any], Page | None]
"""Takes a parsed JSON value for a page of its response; None where it is none."""


def read_source(
    source: Any,
    what: str,
    *,
    unpack: Unpack | None = None,
    partial: bool = False,
    limits: Limits = LIMITS,
) -> RawTable:
    """Return any source as columns.

    Parameters
    ----------
    source : path, dataframe, parsed JSON, or a list of any of them
        A path is read by its ending: ``.json``, ``.jsonl`` or ``.ndjson``, Parquet and Arrow, and
        all others as CSV; text may be compressed (gzip, zip). Parsed JSON is a list of records,
        a page that `unpack` knows, a list of such pages, or, where there is no `unpack`, a mapping
        of columns. Parts of a list are put one after another; a column that one lacks is None
        there.
    what : str
        What messages call it, such as ``"opportunities"``.
    unpack : callable, optional
        Takes a parsed JSON value for a `Page`, or returns None.
    partial : bool
        Whether pages may be missing.
    limits : Limits
        For files.

    Raises
    ------
    IncompletePagesError
        If pages are missing, by what the last one or their total says, and not `partial`.
    EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, DataError
        If a file cannot be read, or JSON has no records.
    DefinitionError
        If it is none of these.
    MissingExtraError
        If a dataframe is given and narwhals is not installed.
    OSError
        If there is no such file.
    """
    if isinstance(source, RawTable):
        return source
    tables: list[RawTable] = []
    pages: list[Page] = []
    for part in _parts(source, what):
        if isinstance(part, (str, PurePath)):
            part = _read_file(Path(part), limits)  # noqa: PLW2901
        elif is_frame(part):
            part = from_frame(part, what)  # noqa: PLW2901
        if isinstance(part, Mapping) and unpack is None:
            part = _columns(part, what)  # noqa: PLW2901
        if isinstance(part, RawTable):
            tables.append(part)
            continue
        found = _pages(part, what, unpack)
        pages += found
        tables += [records_table(page.records, what) for page in found]
    if not partial:
        _check_complete(pages, what)
    return tables[0] if len(tables) == 1 else concatenate(tables, what)


def in_batches(
    source: Any, what: str, read: Callable[[Iterator[RawTable]], T], *, limits: Limits = LIMITS
) -> T:
    """Return what a function makes of the batches of a source.

    The path of a CSV, JSON Lines, Parquet or Arrow file is read batch by batch, and records of a
    batch may lack columns that those of another have. Every other source is one batch.

    Parameters
    ----------
    source : path, dataframe, parsed JSON, or a list of any of them
        As in `read_source`; so are errors.
    what : str
        What messages call it.
    read : callable
        Called again, with the batches from the first on, where the encoding turns out to be another
        one.
    limits : Limits
        For files.
    """
    if not isinstance(source, (str, PurePath)):
        return read(iter([read_source(source, what, limits=limits)]))
    path = Path(source)
    if _ending(path) in ARROW:
        return read(arrow_batches(path))
    if _ending(path) in JSON:
        return read(iter([read_source(path, what, limits=limits)]))
    batches = json_line_batches if is_json_lines(path) else csv_batches
    return with_encoding(path, lambda encoding: read(batches(path, encoding, limits)), limits)


def is_json_lines(source: Any) -> bool:
    """Return whether a source is the path of a JSON Lines file."""
    return isinstance(source, (str, PurePath)) and _ending(Path(source)) in JSON_LINES


def _ending(path: Path) -> str:
    return PurePath(content_name(path)).suffix.lower()


def concatenate(tables: Sequence[RawTable], name: str) -> RawTable:
    """Return tables one after another, None where one has no such column; rows count from 0."""
    names = dict.fromkeys(column for table in tables for column in table.columns)
    lengths = [len(table.numbers) for table in tables]
    starts = np.cumsum([0, *lengths]).tolist()
    columns: dict[str, Values] = {}
    for column in names:
        values: list[Any] = []
        for table, length in zip(tables, lengths, strict=True):
            values += table.plain(column) if column in table.columns else [None] * length
        columns[column] = values
    broken: dict[int, Broken] = {
        start + index: row
        for start, table in zip(starts, tables, strict=False)
        for index, row in table.broken.items()
    }
    return RawTable(name, columns, range(starts[-1]), broken)


def _parts(source: Any, what: str) -> Sequence[Any]:
    """Return the parts that a source is made of: itself, or the files or pages in a list."""
    if isinstance(source, (str, PurePath, Mapping, RawTable)) or is_frame(source):
        return [source]
    if hasattr(source, "columns"):
        return [from_frame(source, what)]  # which says why it is none
    if not isinstance(source, (list, tuple, Iterator)):
        raise DefinitionError(
            "{what} is a path, a dataframe, parsed JSON, or a list of these, not {source!r}",
            what=what,
            source=source,
        )
    parts = list(source)
    # A text among records is part of what a response says, and no path to open.
    paths = PurePath if any(isinstance(part, Mapping) for part in parts) else (str, PurePath)
    if any(isinstance(part, (paths, RawTable)) or is_frame(part) for part in parts):
        return parts
    # What is left is JSON: a list of records, or of pages, which _pages tells apart.
    return [parts]


def _read_file(path: Path, limits: Limits) -> Any:
    ending = _ending(path)
    if ending in ARROW:
        return read_arrow(path)
    if ending in JSON:
        return read_json(path, limits)
    if ending in JSON_LINES:
        return read_json_lines(path, limits)
    return read_csv_table(path, limits)


def _pages(value: Any, what: str, unpack: Unpack | None) -> list[Page]:
    """Return the pages of a parsed JSON value."""
    if isinstance(value, Mapping):
        page = None if unpack is None else unpack(value)
        if page is None:
            raise DataError(
                "{what}: a page of the response is expected, not an object with {keys}",
                what=what,
                keys=Listed(map(str, value)) or Wording("nothing"),
            )
        return [page]
    if not isinstance(value, (list, tuple)):
        raise DataError(
            "{what}: a list of records is expected, not {value!r}", what=what, value=value
        )
    found = [unpack(item) if unpack and isinstance(item, Mapping) else None for item in value]
    if any(page is not None for page in found):
        if strange := [str(i) for i, page in enumerate(found) if page is None]:
            raise DataError(
                "{what}: what is at {places} of the list is no page",
                what=what,
                places=Listed(strange),
            )
        return [page for page in found if page is not None]
    if value and all(isinstance(item, (list, tuple)) for item in value):
        return [Page(item) for item in value]
    return [Page(value)]


def _columns(columns: Mapping[Any, Any], what: str) -> RawTable:
    lists: dict[str, Values] = {str(name): values for name, values in columns.items()}
    if not all(isinstance(values, (list, tuple, np.ndarray)) for values in lists.values()):
        raise DataError("{what}: a mapping has a list or an array for each column", what=what)
    lengths = {len(values) for values in lists.values()}
    if len(lengths) > 1:
        listing = Listed((f"{name} {len(values):,}" for name, values in lists.items()))
        raise DataError(
            "{what}: columns are of one length; given: {listing}", what=what, listing=listing
        )
    return RawTable(what, lists, range(lengths.pop() if lengths else 0))


def _check_complete(pages: Sequence[Page], what: str) -> None:
    """Refuse pages that are not all there; each response ends with a page that no other follows."""
    n_pages, n_records = 0, 0
    for page in pages:
        n_pages, n_records = n_pages + 1, n_records + len(page.records)
        if page.more:
            continue
        if page.total is not None and page.total != n_records:
            pages_given = Wording(
                "1 page" if n_pages == 1 else "{n_pages:,} pages", n_pages=n_pages
            )
            raise IncompletePagesError(
                "{what}: {n_records:,} records in {pages_given}, where the response says that "
                "there are {total:,}: give every page once, or partial=True",
                what=what,
                n_records=n_records,
                pages_given=pages_given,
                total=page.total,
            )
        n_pages, n_records = 0, 0
    if n_pages:
        raise IncompletePagesError(
            "{what}: the last page says that more follow: fetch all pages and give them in their "
            "order, or give partial=True",
            what=what,
        )
