"""Columns with their types as JSON, and plain values as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DataError
from salesfunnel.wording import Wording

_INT64 = np.iinfo(np.int64)


def to_array(values: Sequence[Any]) -> NDArray[Any]:
    """Return plain values as an array of the narrowest kind that holds all of them.

    Whole numbers become int64, numbers with gaps or fractions float64, truth values bool, datetimes
    with a zone datetime64 in UTC; everything else, and what has no value at all, an object array.
    """
    kinds = {type(value) for value in values if value is not None}
    gaps = any(value is None for value in values)
    if kinds == {bool} and not gaps:
        return np.array(values, bool)
    if kinds == {int} and not gaps and all(_INT64.min <= value <= _INT64.max for value in values):
        return np.array(values, np.int64)
    if float in kinds and kinds <= {float}:
        return np.array([math.nan if value is None else value for value in values], np.float64)
    if kinds and kinds <= {datetime, np.datetime64} and all(map(_is_instant, values)):
        return _instants([None if isinstance(value, np.datetime64) else value for value in values])
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _is_instant(value: Any) -> bool:
    return not isinstance(value, datetime) or value.utcoffset() is not None


def _instants(values: Sequence[datetime | None]) -> NDArray[np.datetime64]:
    naive = [None if at is None else at.astimezone(UTC).replace(tzinfo=None) for at in values]
    return np.array(naive, "datetime64[us]")


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────


def to_json_columns(columns: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Return columns as JSON has them, with their types, for `from_json_columns`."""
    return [
        {
            "name": name,
            "type": "object" if values.dtype == object else str(values.dtype),
            "values": [in_json(value) for value in to_plain(values)],
        }
        for name, values in columns.items()
    ]


def from_json_columns(data: Any, name: str) -> dict[str, NDArray[Any]]:
    """Return the columns that `to_json_columns` described.

    Raises
    ------
    DataError
        If the data is not of that form.
    """
    columns: dict[str, NDArray[Any]] = {}
    try:
        for column in data:
            values, kind = column["values"], np.dtype(column["type"])
            if kind.kind == "M":
                moments = [None if v is None else datetime.fromisoformat(v) for v in values]
                array: NDArray[Any] = _instants(moments).astype(kind)
            elif kind.kind == "f":
                array = np.array([math.nan if v is None else float(v) for v in values], kind)
            elif kind.kind in "iub":
                array = np.array(values, kind)
            else:
                array = np.empty(len(values), object)
                array[:] = values
            if column["name"] in columns or not isinstance(column["name"], str):
                raise ValueError(Wording("a column is called {name!r}", name=column["name"]))
            columns[column["name"]] = array
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError) as error:
        raise DataError(
            "{name} has no columns as they were written: {error!r}", name=name, error=error
        ) from None
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise DataError(
            "{name} has columns of different lengths: {lengths}", name=name, lengths=sorted(lengths)
        )
    return columns


def in_json(value: Any) -> Any:
    """Return a value as JSON has it: times as ISO 8601 texts, None for NaN, others as texts."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else str(value)
    return value.isoformat() if isinstance(value, date) else str(value)


# ── dataframes and Arrow ──────────────────────────────────────────────────────────────────────────


def to_arrays(table: RawTable) -> dict[str, NDArray[Any]]:
    """Return the columns of a dataframe or an Arrow table as arrays."""
    columns: dict[str, NDArray[Any]] = {}
    for name in table.columns:
        values = table.column(name)
        if not isinstance(values, np.ndarray) and name in table.instants:
            values = _instants(list(values))
        elif not isinstance(values, np.ndarray):
            values = to_array([None if _is_na(value) else value for value in values])
        elif name in table.instants:
            values = values.view("datetime64[us]")
        columns[str(name)] = values
    return columns


def _is_na(value: Any) -> bool:
    """Return whether a value is a library's way to say that there is none."""
    return type(value).__name__ in ("NAType", "NaTType") or (
        isinstance(value, float) and math.isnan(value)
    )
