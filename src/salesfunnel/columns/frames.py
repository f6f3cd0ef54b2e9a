"""Dataframes, by way of narwhals: the only place that meets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DefinitionError, MissingExtraError


def to_frame(columns: Mapping[str, NDArray[Any]], backend: str) -> Any:
    """Return columns as a dataframe of a library, such as ``"pandas"`` or ``"polars"``.

    Numbers, times and truth values keep their types; objects come as integers if all are, and else
    as texts.

    Raises
    ------
    DefinitionError
        If narwhals cannot make dataframes of that library.
    MissingExtraError
        If narwhals is not installed.
    ImportError
        If the library is not installed.
    """
    try:
        import narwhals as nw
    except ImportError as error:
        raise MissingExtraError("to_frame", "frames") from error
    types: dict[str, Any] = {
        "i": nw.Int64(),
        "u": nw.UInt64(),
        "f": nw.Float64(),
        "M": nw.Datetime("us", "UTC"),
        "b": nw.Boolean(),
    }
    data, schema = {}, {}
    for name, values in columns.items():
        kept = values
        if values.dtype.kind not in types:
            kept = _integers(values)
        if kept.dtype.kind in types:
            data[name], schema[name] = to_plain(kept), types[kept.dtype.kind]
        else:
            data[name] = [None if value is None else str(value) for value in to_plain(values)]
            schema[name] = nw.String()
    try:
        return nw.to_native(nw.from_dict(data, schema, backend=cast(Any, backend)))
    except ValueError as error:
        raise DefinitionError(f"no dataframe by backend={backend!r}: {error}") from None


def _integers(values: NDArray[Any]) -> NDArray[Any]:
    """Return objects as integers if all of them are, and else as they are."""
    if len(values) and all(type(value) is int for value in values.tolist()):
        try:
            return values.astype(np.int64)
        except OverflowError:
            return values
    return values
