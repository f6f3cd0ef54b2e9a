"""Dataframes, by way of narwhals: the only place that meets it."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.lazycolumns import LazyColumns, instants
from salesfunnel.columns.natives import from_native
from salesfunnel.columns.rawtable import RawTable, Values
from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DataError, DefinitionError, MissingExtraError
from salesfunnel.wording import Listed, Wording


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
    except (ValueError, TypeError) as error:
        raise DefinitionError(
            "no dataframe by backend={backend!r}: {error}", backend=backend, error=error
        ) from None


def from_frame(frame: Any, name: str = Wording("the dataframe"), *, whole: bool = True) -> RawTable:
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
    nw = _narwhals(Wording("reading a dataframe"))
    try:
        wrapped = nw.from_native(frame)
        names = list(wrapped.columns)
    except TypeError:
        raise DefinitionError(
            "a dataframe is expected (pandas, polars, pyarrow, …), not {kind}",
            kind=type(frame).__name__,
        ) from None
    except nw.exceptions.DuplicateError:
        names = [str(column) for column in frame.columns]
        twice = Listed(sorted({column for column in names if names.count(column) > 1}))
        raise DataError("{name} names a column twice: {twice}", name=name, twice=twice) from None
    if isinstance(wrapped, nw.LazyFrame):
        if not wrapped.implementation.is_duckdb():
            raise DefinitionError(
                "a {library} {kind} has its rows not in memory: collect() or compute() it, and "
                "give what that returns",
                library=type(frame).__module__.partition(".")[0],
                kind=type(frame).__name__,
            )
        try:
            wrapped = wrapped.collect("pyarrow")
        except ImportError as error:
            raise MissingExtraError(Wording("reading a DuckDB relation"), "arrow") from error
    with_zone = frozenset(
        column
        for column, dtype in wrapped.schema.items()
        if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None
    )
    columns = LazyColumns(
        names, lambda column: _values(nw, wrapped.get_column(column), whole=whole)
    )
    return RawTable(name, columns, range(len(wrapped)), instants=with_zone)


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


def _values(nw: ModuleType, series: Any, *, whole: bool) -> Values:
    """Return the values of a column."""
    dtype = series.dtype
    if isinstance(dtype, nw.Datetime):
        if dtype.time_zone is None:
            return np.asarray(series.to_numpy())
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return instants(np.asarray(utc.to_numpy()))
    if dtype.is_integer() and not series.is_null().any():
        return np.asarray(series.to_numpy())
    if dtype.is_float():
        values: NDArray[Any] = np.asarray(series.to_numpy(), np.float64)
        return _whole(values) if whole and np.isnan(values).any() else values
    native = from_native(nw.to_native(series))
    if native is not None:
        return native
    plain: list[Any] = series.to_list()
    return plain


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
