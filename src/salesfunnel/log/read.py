"""Files of stage history → StageLog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

from salesfunnel.columns.csvfile import read_csv_table
from salesfunnel.columns.rawtable import RawTable, Values
from salesfunnel.log.build import Source, build
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel


def read_csv(
    path: str | Path | RawTable,
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
) -> StageLog:
    """Return the log of a CSV file with a header line and one row for each entry, in any order.

    The file may be compressed (``.gz``); its text is UTF-8, with or without a byte order mark, or
    GB18030. Rows are numbered in errors as a spreadsheet does: the header is row 1.

    Parameters
    ----------
    path : str or Path, or RawTable
        The file, or its cells where `read_csv_table` has read it already.
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

    Raises
    ------
    OSError
        If there is no such file.
    EmptyFileError, EncodingError, TruncatedFileError, MissingColumnError
        If the file as a whole cannot be read.
    DataError, NaiveTimeError, CurrencyError, DefinitionError
        As in `StageLog.from_columns`.
    """
    table = path if isinstance(path, RawTable) else read_csv_table(path)
    named = (
        dict(attributes)
        if isinstance(attributes, Mapping)
        else {name: name for name in ((attributes,) if isinstance(attributes, str) else attributes)}
    )

    def optional(name: str | None) -> Values | None:
        return None if name is None else table.column(name)

    in_column = currency is not None and currency in table.columns
    source = Source(
        opportunity=table.column(opportunity),
        stage=table.column(stage),
        entered_at=table.column(entered_at),
        reason=optional(reason),
        attributes={name: table.column(column) for name, column in named.items()},
        amount=optional(amount),
        order=optional(order),
        currency=optional(currency) if in_column else currency,
        titles={
            "opportunity": opportunity,
            "stage": stage,
            "entered_at": entered_at,
            "reason": reason or "reason",
            "amount": amount or "amount",
            "order": order or "order",
            "currency": currency or "currency",
        },
        row_number=table.numbers.__getitem__,
        broken=table.broken,
    )
    return build(
        funnel,
        source,
        stage_map=stage_map,
        ties=ties,
        rates=rates,
        missing_time=missing_time,
        date_format=date_format,
        tz=tz,
        errors=errors,
    )
