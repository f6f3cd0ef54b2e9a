"""A log as columns and back, for its `to_csv`, `to_json`, `to_parquet` and `to_frame`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.saved import Saved
from salesfunnel.columns.typed import from_json_columns, to_json_columns
from salesfunnel.errors import BadRow, DataError, DefinitionError, MissingColumnError
from salesfunnel.log.build import build, rejected_table
from salesfunnel.log.labels import Labels
from salesfunnel.log.rows import Source
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import zone_of_text, zone_text
from salesfunnel.table import Table
from salesfunnel.wording import Listed

OWN = ("opportunity", "stage", "entered_at", "reason", "amount", "record")
"""Columns that are no attributes."""
PREFIX = "attributes."
"""Of attributes that are called as one of them is."""


def save_log(log: StageLog) -> Saved:
    """Return a log as columns, one row for each entry in its order, and what is about it.

    The columns are opportunity, stage (keys of states), entered_at, then those there are of reason,
    amount and record, and the attributes.
    """
    opportunity, state, time = log.entries
    keys = np.array(log.funnel.states, object)
    columns: dict[str, NDArray[Any]] = {
        "opportunity": log.identify(opportunity),
        "stage": keys[state],
        "entered_at": np.asarray(time).view("datetime64[us]"),
    }
    if log.reasons is not None:
        columns["reason"] = _texts(log.reasons)
    if log.amounts is not None:
        columns["amount"] = log.amounts
    if log.records is not None:
        columns["record"] = log.records
    for name in log.attributes:
        columns[to_column(name, OWN)] = _texts(log.attribute(name))
    about = {
        "format": "salesfunnel.StageLog",
        "funnel": log.funnel.to_dict(),
        "tz": _zone_text(log.tz),
        "currency": log.currency,
        "ignored": log.ignored,
        "rejected": to_json_columns({name: log.rejected[name] for name in log.rejected.columns}),
    }
    return Saved(columns, about)


def load_log(saved: Saved, name: str) -> StageLog:
    """Return the log that was saved with what is about it.

    Raises
    ------
    DataError
        If it was no log.
    """
    about = saved.about
    if about.get("format") != "salesfunnel.StageLog":
        raise DataError(
            "{name} is no log that was written by StageLog.to_json or to_parquet; a reader such "
            "as sf.read_parquet reads other tables",
            name=name,
        )
    try:
        funnel = Funnel.from_dict(about["funnel"])
        tz, currency, ignored = _zone(about["tz"]), about["currency"], int(about["ignored"])
        rejected = _rejected(from_json_columns(about["rejected"], name))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            "{name}: what it says about the log is damaged: {error}", name=name, error=error
        ) from None
    log = log_of_columns(saved.columns, funnel, tz=tz, currency=currency, name=name)
    log.ignored, log.rejected = ignored, rejected
    return log


def log_of_columns(
    columns: Mapping[str, NDArray[Any]],
    funnel: Funnel,
    *,
    tz: str | tzinfo | None,
    currency: str | None,
    name: str,
) -> StageLog:
    """Return the log of columns as `save_log` has them.

    Raises
    ------
    MissingColumnError, DataError
        If they are none.
    """
    lacking = [column for column in OWN[:3] if column not in columns]
    if lacking:
        raise MissingColumnError(
            "{name} has no column {column!r}, which a log has that was written; it has {columns}",
            name=name,
            column=lacking[0],
            columns=Listed(columns),
        )
    time = columns["entered_at"]
    if time.dtype.kind == "M":
        if np.isnat(time).any():
            raise DataError("{name} has an entry without a time", name=name)
        time = time.astype("datetime64[us]").view(np.int64)
    source = Source(
        opportunity=_identifiers(columns["opportunity"]),
        stage=list(columns["stage"]),
        entered_at=time,
        reason=_listed(columns, "reason"),
        amount=columns.get("amount"),
        order=columns.get("record"),
        attributes={
            from_column(column): _listed(columns, column) for column in columns if column not in OWN
        },
        currency=currency,
    )
    return build(funnel, source, tz=tz)


def to_column(name: str, taken: tuple[str, ...]) -> str:
    """Return what the column of an attribute is called, beside others."""
    return f"{PREFIX}{name}" if name in taken or name.startswith(PREFIX) else name


def from_column(column: str) -> str:
    """Return which attribute a column is of."""
    return column.removeprefix(PREFIX)


def _texts(labels: Labels) -> NDArray[Any]:
    texts: NDArray[Any] = np.array([*labels.names, None], object)[labels.codes]
    return texts


def _listed(columns: Mapping[str, NDArray[Any]], name: str) -> list[Any] | None:
    return columns[name].tolist() if name in columns else None


def _identifiers(values: NDArray[Any]) -> Any:
    """Return identifiers such that their order stays; integers are ordered by their size."""
    if values.dtype.kind in "iu" and (values[1:] >= values[:-1]).all():
        return values
    return values.tolist()


def _rejected(columns: Mapping[str, NDArray[Any]]) -> Table:
    rows = zip(*(columns[name].tolist() for name in BadRow._fields), strict=True)
    return rejected_table([BadRow(*row) for row in rows])


def _zone_text(zone: tzinfo) -> str | None:
    """Return a zone as a text; None where it cannot be written."""
    try:
        return zone_text(zone)
    except DefinitionError:
        return None


def _zone(text: str | None) -> tzinfo:
    if text is None:
        raise DefinitionError("its time zone had no name and could not be written")
    return zone_of_text(text)
