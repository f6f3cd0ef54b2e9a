"""Reading a log from files and dataframes that have a row for each entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from salesfunnel.columns.arrow import arrow_batches
from salesfunnel.columns.csvfile import csv_batches
from salesfunnel.columns.files import MAX_BYTES, MAX_LINE, Limits, meter_of, with_encoding
from salesfunnel.columns.frames import from_frame
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.source import has_records, in_batches
from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.progress import Progress, meter
from salesfunnel.log.build import Reading, build
from salesfunnel.log.rows import Source
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel


class Fields(NamedTuple):
    """What the columns of a source are called, in the words of `StageLog.from_columns`."""

    opportunity: str
    stage: str
    entered_at: str
    reason: str | None = None
    attributes: Iterable[str] | Mapping[str, str] = ()
    amount: str | None = None
    order: str | None = None
    currency: str | None = None

    def source(self, table: RawTable) -> Source:
        """Return the columns of a table.

        Raises
        ------
        MissingColumnError
            If it lacks one.
        """

        def optional(name: str | None) -> Any:
            return None if name is None else table.scalars(name)

        in_column = self.currency is not None and self.currency in table.columns
        return Source(
            opportunity=table.scalars(self.opportunity),
            stage=table.scalars(self.stage),
            entered_at=table.times(self.entered_at),
            reason=optional(self.reason),
            attributes={
                name: table.scalars(column) for name, column in attribute_columns(self.attributes)
            },
            amount=optional(self.amount),
            order=optional(self.order),
            currency=optional(self.currency) if in_column else self.currency,
            titles={
                "opportunity": self.opportunity,
                "stage": self.stage,
                "entered_at": self.entered_at,
                "reason": self.reason or "reason",
                "amount": self.amount or "amount",
                "order": self.order or "order",
                "currency": self.currency or "currency",
            },
            row_number=table.numbers.__getitem__,
            broken=table.broken,
        )

    def columns(self) -> set[str]:
        """Return the names of the columns, but for that of the currency, which may be one."""
        optional = {self.reason, self.amount, self.order} - {None}
        attributes = {column for _, column in attribute_columns(self.attributes)}
        return {self.opportunity, self.stage, self.entered_at, *attributes, *map(str, optional)}


def attribute_columns(attributes: Iterable[str] | Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Return the names of attributes, each with that of its column.

    Raises
    ------
    DefinitionError
        If it is neither a list nor a mapping.
    """
    if isinstance(attributes, Mapping):
        return attributes.items()
    if not isinstance(attributes, Iterable):
        raise DefinitionError(
            "attributes= lists columns, or maps names of attributes to columns, not {attributes!r}",
            attributes=attributes,
        )
    names = (attributes,) if isinstance(attributes, str) else attributes
    return [(name, name) for name in names]


def read_csv(
    path: str | Path,
    funnel: Funnel,
    *,
    opportunity: str,
    stage: str,
    entered_at: str,
    reason: str | None = None,
    attributes: Iterable[str] | Mapping[str, str] = (),
    amount: str | None = None,
    stage_map: Mapping[Any, Any] | None = None,
    order: str | None = None,
    ties: str = "input",
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    missing_time: datetime | date | str | None = None,
    date_format: str | None = None,
    tz: str | tzinfo | None = None,
    errors: str = "raise",
    max_bytes: int = MAX_BYTES,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
) -> StageLog:
    """Return the log of a CSV file with a header line and one row for each entry, in any order.

    The file may be compressed (gzip, or zip with one file in it); its text is UTF-8, with or
    without a byte order mark, or GB18030. It is read in batches, in little more memory than the log
    takes. Rows are numbered in errors as a spreadsheet does: the header is row 1.

    Parameters
    ----------
    path : str or Path
    funnel : Funnel
    opportunity, stage, entered_at : str
        Columns of the identifier, the stage and the time of entry.
    reason, amount, order : str, optional
        Columns of the loss reason, the amount and what settles equal times.
    attributes : sequence of str, or mapping of str to str
        Columns to group by; as a mapping, from the name of the attribute to that of the column.
    currency : str, optional
        The column of each amount's currency if there is one of that name, else the currency of all.
    stage_map, ties, rates, missing_time, date_format, tz, errors
        As in `StageLog.from_columns`.
    max_bytes, max_line : int
        Bytes that a compressed file may hold, once decompressed (1 GiB), and that a line of the
        file may have (1 MiB).
    progress : Progress, optional
        Called as ``progress(done, total, "read")`` while the file is read, in bytes of it, at most
        20 times a second: `salesfunnel.show.progress` is ready-made. It starts again if the text
        turns out to be in another encoding.

    Raises
    ------
    OSError
        If there is no such file.
    EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, MissingColumnError
        If the file as a whole cannot be read.
    DataError, NaiveTimeError, CurrencyError, DefinitionError
        As in `StageLog.from_columns`.
    """
    fields = Fields(
        opportunity=opportunity,
        stage=stage,
        entered_at=entered_at,
        reason=reason,
        attributes=attributes,
        amount=amount,
        order=order,
        currency=currency,
    )
    limits, watch = Limits(max_bytes, max_line), meter_of(progress, path)

    def read(encoding: str) -> StageLog:
        return build(
            funnel,
            map(fields.source, csv_batches(path, encoding, limits, watch=watch)),
            stage_map=stage_map,
            ties=ties,
            rates=rates,
            missing_time=missing_time,
            date_format=date_format,
            tz=tz,
            errors=errors,
        )

    log = with_encoding(path, read, limits)
    if watch is not None:
        watch.end()
    return log


def read_jsonl(
    path: str | Path,
    funnel: Funnel,
    *,
    opportunity: str,
    stage: str,
    entered_at: str,
    reason: str | None = None,
    attributes: Iterable[str] | Mapping[str, str] = (),
    amount: str | None = None,
    order: str | None = None,
    currency: str | None = None,
    max_bytes: int = MAX_BYTES,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
    **reading: Unpack[Reading],
) -> StageLog:
    """Return the log of a JSON Lines file: in each line an object, which is one entry.

    A file that is called ``.json`` has the objects in a list, and is read too.

    A field of an object within it is named with a point between, as in ``owner.name``; a list is a
    label as the text that it is in JSON. Rows are numbered by their line; in a list, from 0.

    Parameters
    ----------
    path : str or Path
    funnel : Funnel
    opportunity, stage, entered_at, reason, attributes, amount, order, currency
        Names of fields; as in `read_csv`.
    max_bytes, max_line, progress
        As in `read_csv`.
    **reading
        ``stage_map``, ``ties``, ``rates``, ``missing_time``, ``date_format``, ``tz`` and
        ``errors``, as in `StageLog.from_columns`.

    Raises
    ------
    OSError, EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, MissingColumnError
        If the file as a whole cannot be read.
    DataError, NaiveTimeError, CurrencyError, DefinitionError
        As in `StageLog.from_columns`.
    """
    fields = Fields(opportunity, stage, entered_at, reason, attributes, amount, order, currency)

    def read(batches: Iterator[RawTable]) -> StageLog:
        return build(funnel, map(fields.source, alike(batches, fields)), **reading)

    return in_batches(
        path,
        str(path),
        read,
        limits=Limits(max_bytes, max_line),
        progress=progress,
        ending=None if has_records(path) else ".jsonl",
    )


def read_parquet(
    path: str | Path,
    funnel: Funnel,
    *,
    opportunity: str,
    stage: str,
    entered_at: str,
    reason: str | None = None,
    attributes: Iterable[str] | Mapping[str, str] = (),
    amount: str | None = None,
    order: str | None = None,
    currency: str | None = None,
    progress: Progress | None = None,
    **reading: Unpack[Reading],
) -> StageLog:
    """Return the log of a Parquet or Arrow (Feather) file with one row for each entry.

    Needs the extra ``arrow``. Rows are numbered in errors from 0.

    Parameters
    ----------
    path : str or Path
    funnel : Funnel
    opportunity, stage, entered_at, reason, attributes, amount, order, currency
        Names of columns; as in `read_csv`.
    progress : Progress, optional
        As in `read_csv`, in rows, whose total is not known beforehand.
    **reading
        ``stage_map``, ``ties``, ``rates``, ``missing_time``, ``date_format``, ``tz`` and
        ``errors``, as in `StageLog.from_columns`.

    Raises
    ------
    OSError
        If there is no such file.
    MissingExtraError
        If pyarrow is not installed.
    DataError, MissingColumnError
        If the file as a whole cannot be read.
    DataError, NaiveTimeError, CurrencyError, DefinitionError
        As in `StageLog.from_columns`.
    """
    fields = Fields(opportunity, stage, entered_at, reason, attributes, amount, order, currency)
    watch = meter(progress, "read")
    log = build(funnel, map(fields.source, arrow_batches(path, watch=watch)), **reading)
    if watch is not None:
        watch.end()
    return log


def log_of_frame(frame: Any, funnel: Funnel, fields: Fields, reading: Reading) -> StageLog:
    """Return the log of a dataframe; `StageLog.from_frame` describes arguments and errors."""
    return build(funnel, fields.source(from_frame(frame)), **reading)


def alike(
    batches: Iterable[RawTable], fields: Fields, more: Iterable[str] = ()
) -> Iterator[RawTable]:
    """Yield batches that all have the columns asked for.

    A field that no record of a batch has is missing in all of them, if records of another may have
    it.

    Parameters
    ----------
    batches : iterable of RawTable
    fields : Fields
    more : iterable of str
        Columns that are asked for beside those.

    Raises
    ------
    MissingColumnError
        At the end, if no record at all has a field, but for when there is no record at all.
    """
    wanted, seen, name = fields.columns() | {*more}, dict[str, None](), ""
    for batch in batches:
        if not batch.is_sparse:
            yield batch
            continue
        if fields.currency is not None and not seen and fields.currency in batch.columns:
            wanted.add(fields.currency)
        seen |= dict.fromkeys(batch.columns)
        name = batch.name
        blank = {column: [None] * len(batch.numbers) for column in wanted - {*batch.columns}}
        yield batch._replace(columns={**batch.columns, **blank})
    for column in sorted(wanted - {*seen}) if seen else ():
        RawTable(name, dict.fromkeys(seen, ()), ()).column(column)
