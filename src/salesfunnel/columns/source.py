"""Any source to columns: a path, a dataframe, parsed JSON, or a list of any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, TypeVar

import numpy as np

from salesfunnel.columns.arrow import arrow_batches, read_arrow
from salesfunnel.columns.csvfile import csv_batches
from salesfunnel.columns.files import LIMITS, Limits, content_name, meter_of, with_encoding
from salesfunnel.columns.frames import from_frame, is_frame
from salesfunnel.columns.gathered import gathered
from salesfunnel.columns.jsonl import json_line_batches, records_table
from salesfunnel.columns.jsonstream import Whole, json_pieces
from salesfunnel.columns.lazycolumns import LazyColumns
from salesfunnel.columns.pages import Seen, Unpack, check_complete, pages_of
from salesfunnel.columns.rawtable import Broken, RawTable, Values
from salesfunnel.errors import DataError, DefinitionError
from salesfunnel.kernel.progress import Meter, Progress, meter
from salesfunnel.wording import Listed

T = TypeVar("T")

JSON, JSON_LINES = (".json",), (".jsonl", ".ndjson")
ARROW = (".parquet", ".pq", ".arrow", ".feather", ".ipc")


def read_source(
    source: Any,
    what: str,
    *,
    unpack: Unpack | None = None,
    member: str | None = None,
    partial: bool = False,
    limits: Limits = LIMITS,
    progress: Progress | None = None,
) -> RawTable:
    """Return any source as columns.

    A text file is read in batches, of which no more is kept than `gathered` keeps.

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
    member : str, optional
        What the list of records is called in a page.
    partial : bool
        Whether pages may be missing.
    limits : Limits
        For files.
    progress : Progress, optional
        Told how much of each file is read.

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
    pages: list[Seen] = []
    for part in _parts(source, what):
        if isinstance(part, (str, PurePath)):
            file = _File(Path(part), what, limits, unpack=unpack, member=member)
            tables.append(file.table(progress))
            pages += file.pages
        elif isinstance(part, RawTable):
            tables.append(part)
        elif is_frame(part):
            tables.append(from_frame(part, what))
        else:
            found, seen = _tables(part, what, unpack)
            tables += found
            pages += seen
    if not partial:
        check_complete(pages, what)
    return tables[0] if len(tables) == 1 else concatenate(tables, what)


class _File:
    """A file of any kind.

    Attributes
    ----------
    pages : list of Seen
        Those of the file, when it has been read.
    """

    def __init__(
        self,
        path: Path,
        what: str,
        limits: Limits,
        *,
        ending: str | None = None,
        unpack: Unpack | None = None,
        member: str | None = None,
    ) -> None:
        self._path = path
        self._ending = ending or _ending(path)
        self._what = what
        self._limits = limits
        self._unpack = unpack
        self._member = member
        self.pages: list[Seen] = []

    def table(self, progress: Progress | None) -> RawTable:
        """Return all that it has as one table."""
        if self._ending in ARROW:
            return read_arrow(self._path)
        name = self._what if self._ending in JSON else str(self._path)

        def read(encoding: str) -> RawTable:
            watches = iter([meter_of(progress, self._path)])
            return gathered(lambda: self.batches(encoding, next(watches, None)), name)

        return with_encoding(self._path, read, self._limits)

    def batches(self, encoding: str, watch: Meter | None = None) -> Iterator[RawTable]:
        """Yield its rows in batches; the file is one of text."""
        path, limits, ending = self._path, self._limits, self._ending
        if ending in JSON:
            yield from self._of_json(encoding, watch)
        elif ending in JSON_LINES:
            yield from json_line_batches(path, encoding, limits, watch=watch)
        else:
            yield from csv_batches(path, encoding, limits, watch=watch)
        if watch is not None:
            watch.end()

    def _of_json(self, encoding: str, watch: Meter | None) -> Iterator[RawTable]:
        self.pages = []
        start = 0
        for found in json_pieces(
            self._path,
            encoding,
            self._limits,
            what=self._what,
            unpack=self._unpack,
            member=self._member,
            watch=watch,
        ):
            if isinstance(found, Whole):
                tables, self.pages = _tables(found.value, self._what, self._unpack)
                yield tables[0] if len(tables) == 1 else concatenate(tables, self._what)
                continue
            table = records_table(found.records, self._what)
            numbers = range(start, start + len(found.records))
            yield table._replace(numbers=numbers, is_sparse=True)
            start += len(found.records)
            if found.page is not None:
                self.pages.append(Seen(found.page, found.size))


def _tables(value: Any, what: str, unpack: Unpack | None) -> tuple[Sequence[RawTable], list[Seen]]:
    """Return the tables of a parsed JSON value, and the pages that they are."""
    if isinstance(value, Mapping) and unpack is None:
        return [_columns(value, what)], []
    pages = pages_of(value, what, unpack)
    tables = [records_table(page.records, what) for page in pages]
    return tables, [Seen(page._replace(records=()), len(page.records)) for page in pages]


def in_batches(
    source: Any,
    what: str,
    read: Callable[[Iterator[RawTable]], T],
    *,
    limits: Limits = LIMITS,
    progress: Progress | None = None,
    ending: str | None = None,
) -> T:
    """Return what a function makes of the batches of a source.

    The path of a file is read batch by batch. Every other source is one batch.

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
    progress : Progress, optional
        Told how much of the file is read.
    ending : str, optional
        By which the file is read, instead of its own.
    """
    if not isinstance(source, (str, PurePath)):
        return read(iter([read_source(source, what, limits=limits, progress=progress)]))
    path = Path(source)
    ending = ending or _ending(path)
    if ending in ARROW:
        watch = meter(progress, "read")
        return read(_watched(arrow_batches(path, watch=watch), watch))
    file = _File(path, what, limits, ending=ending)
    return with_encoding(
        path, lambda encoding: read(file.batches(encoding, meter_of(progress, path))), limits
    )


def _watched(batches: Iterable[RawTable], watch: Meter | None) -> Iterator[RawTable]:
    yield from batches
    if watch is not None:
        watch.end()


def has_records(source: Any) -> bool:
    """Return whether a source is the path of a file of records, which may lack any field."""
    return isinstance(source, (str, PurePath)) and _ending(Path(source)) in JSON + JSON_LINES


def _ending(path: Path) -> str:
    return PurePath(content_name(path)).suffix.lower()


def concatenate(tables: Sequence[RawTable], name: str) -> RawTable:
    """Return tables one after another, None where one has no such column; rows count from 0."""
    names = dict.fromkeys(column for table in tables for column in table.columns)
    lengths = [len(table.numbers) for table in tables]
    starts = np.cumsum([0, *lengths]).tolist()

    def convert(column: str) -> Values:
        values: list[Any] = []
        for table, length in zip(tables, lengths, strict=True):
            values += table.plain(column) if column in table.columns else [None] * length
        return values

    broken: dict[int, Broken] = {
        start + index: row
        for start, table in zip(starts, tables, strict=False)
        for index, row in table.broken.items()
    }
    return RawTable(name, LazyColumns(names, convert), range(starts[-1]), broken)


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
