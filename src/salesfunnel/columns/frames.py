"""Dataframes, by way of narwhals: the only place that meets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.natives import from_native
from salesfunnel.columns.rawtable import RawTable, Values
from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DataError, DefinitionError, MissingExtraError


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
    nw = _narwhals("to_frame")
    types: dict[str, Any] = {
        "i": nw.Int64(),
        "u": nw.UInt64(),
        "f": nw.Float64(),
        "M": nw.Datetime("us", "UTC"),
        "b": nw.Boolean(),
    }
    data: dict[str, Any] = {}
    schema: dict[str, Any] = {}
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
        frame = nw.from_dict(data, schema, backend=cast(Any, backend))
        if frame.implementation.is_pandas_like():
            # pandas before 3 would make a missing text the text "None".
            texts = [name for name in data if schema[name] == nw.String() and len(data[name])]
            frame = frame.with_columns(
                nw.new_series(name, data[name], backend=cast(Any, backend)) for name in texts
            )
        return nw.to_native(frame)
    except ValueError as error:
        raise DefinitionError(f"no dataframe by backend={backend!r}: {error}") from None


def from_frame(frame: Any, name: str = "the dataframe", *, whole: bool = True) -> RawTable:
    """Return the columns of a dataframe, or of a DuckDB relation; rows are numbered from 0.

    A column is converted when it is first asked for. Whole numbers, floats and times without a zone
    come as arrays where the types allow; times with a zone as microseconds in UTC; everything else
    as a list of Python's own values, with None where there is none. With `whole`, whole numbers
    that pandas has as floats, because some are missing, are whole again.

    Raises
    ------
    DefinitionError
        If it is no dataframe with its rows in memory.
    DataError
        If the dataframe names a column twice.
    MissingExtraError
        If narwhals is not installed, or, for a relation, pyarrow.
    """
    nw = _narwhals("reading a dataframe")
    try:
        wrapped = nw.from_native(frame)
        names = list(wrapped.columns)
    except TypeError:
        raise DefinitionError(
            f"a dataframe is expected (pandas, polars, pyarrow, …), not {type(frame).__name__}"
        ) from None
    except nw.exceptions.DuplicateError:
        names = [str(column) for column in frame.columns]
        twice = ", ".join(sorted({column for column in names if names.count(column) > 1}))
        raise DataError(f"{name} names a column twice: {twice}") from None
    if isinstance(wrapped, nw.LazyFrame):
        if not wrapped.implementation.is_duckdb():
            raise DefinitionError(
                f"a {type(frame).__module__.partition('.')[0]} {type(frame).__name__} has its rows "
                "not in memory: collect() or compute() it, and give what that returns"
            )
        try:
            wrapped = wrapped.collect("pyarrow")
        except ImportError as error:
            raise MissingExtraError("reading a DuckDB relation", "arrow") from error
    instants = frozenset(
        column
        for column, dtype in wrapped.schema.items()
        if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None
    )
    columns = _FrameColumns(nw, wrapped, names, whole)
    return RawTable(name, columns, range(len(wrapped)), instants=instants)


def is_frame(value: Any) -> bool:
    """Return whether a value is a dataframe or a DuckDB relation of a library that is loaded."""
    if isinstance(value, (str, Mapping, list, tuple, int, float, type(None))):
        return False  # narwhals would say so too, a hundred times as slowly for each record
    try:
        import narwhals as nw
    except ImportError:
        return False
    try:
        return not isinstance(nw.from_native(value), nw.Series)
    except TypeError:
        return False


def _narwhals(feature: str) -> ModuleType:
    try:
        import narwhals
    except ImportError as error:
        raise MissingExtraError(feature, "frames") from error
    return narwhals


class _FrameColumns(Mapping[str, Values]):
    """The columns of a dataframe, converted when asked for."""

    def __init__(self, nw: ModuleType, frame: Any, names: list[str], whole: bool) -> None:
        self._nw = nw
        self._frame = frame
        self._whole = whole
        self._names = dict.fromkeys(names)
        self._converted: dict[str, Values] = {}

    def __getitem__(self, name: str) -> Values:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._converted:
            self._converted[name] = self._values(self._frame.get_column(name))
        return self._converted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _values(self, series: Any) -> Values:
        nw, dtype = self._nw, series.dtype
        has_nulls = bool(series.is_null().any())
        if isinstance(dtype, nw.Datetime):
            return _times(series, dtype.time_zone is not None, has_nulls)
        if dtype.is_integer() and not has_nulls:
            return np.asarray(series.to_numpy())
        if dtype.is_float():
            values: NDArray[Any] = np.asarray(series.to_numpy(), np.float64)
            return _whole(values) if self._whole and np.isnan(values).any() else values
        native = from_native(nw.to_native(series))
        if native is not None:
            return native
        plain: list[Any] = series.to_list()
        return plain


def _times(series: Any, has_zone: bool, has_nulls: bool) -> Values:
    if has_zone:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    naive: NDArray[Any] = np.asarray(series.to_numpy())
    if not has_zone:
        return naive
    micro = naive.astype("datetime64[us]")
    if not has_nulls:
        return micro.view(np.int64)
    moments: list[datetime | None] = micro.tolist()
    return [None if moment is None else moment.replace(tzinfo=UTC) for moment in moments]


def _whole(values: NDArray[np.float64]) -> Values:
    """Return floats with gaps as whole numbers, if they are, with None in the gaps."""
    known = values[~np.isnan(values)]
    if not ((known == np.trunc(known)) & (np.abs(known) < 2**53)).all():
        return values
    return [None if value != value else int(value) for value in values.tolist()]


def _integers(values: NDArray[Any]) -> NDArray[Any]:
    """Return objects as integers if all of them are, and else as they are."""
    if len(values) and all(type(value) is int for value in values.tolist()):
        try:
            return values.astype(np.int64)
        except OverflowError:
            return values
    return values
