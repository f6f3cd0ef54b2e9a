"""Dataframes, by way of narwhals: the only place that meets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from salesfunnel.errors import MissingExtraError


def to_frame(columns: Mapping[str, list[Any]], backend: str) -> Any:
    """Return columns as a dataframe of a library, such as ``"pandas"`` or ``"polars"``.

    Raises
    ------
    MissingExtraError
        If narwhals or the library is not installed.
    """
    try:
        import narwhals as nw
    except ImportError as error:
        raise MissingExtraError("to_frame", "frames") from error
    return nw.to_native(nw.from_dict(dict(columns), backend=cast(Any, backend)))
