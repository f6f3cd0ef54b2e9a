"""Columns of pandas, polars and pyarrow by way of their own buffers and dictionaries.

No library is imported here: a column of one brings it along.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.texts import Encoded, Texts
from salesfunnel.kernel.codes import NULL
from salesfunnel.kernel.strings import Fixed, Sliced, as_words

Values = Sequence[Any] | NDArray[Any]


def from_native(column: Any) -> Values | None:
    """Return a Series or an Arrow array of texts, of a dictionary, or of times with a zone.

    Texts come as `Texts`, a dictionary as `Encoded`, times with a zone, where none is missing, as
    microseconds since 1970 in UTC. None of what is another column, or none.
    """
    library = type(column).__module__.partition(".")[0]
    module = sys.modules.get(library)
    if module is None or library not in _READERS:
        return None
    found: Values | None = _READERS[library](module, column)
    return found


def _from_polars(pl: Any, series: Any) -> Values | None:
    if not isinstance(series, pl.Series):
        return None
    if series.dtype == pl.String:
        lengths = series.str.len_bytes().cast(pl.Int64).fill_null(0).to_numpy()
        data = str(series.str.join("").item() or "").encode()
        absent = series.is_null().to_numpy() if series.null_count() else None
        return _texts(np.frombuffer(data, np.uint8), np.append(0, np.cumsum(lengths)), absent)
    if series.dtype in (pl.Categorical, pl.Enum):
        known = series.drop_nulls().unique()
        codes = known.to_physical().cast(pl.Int64).to_numpy()
        place = np.full(int(codes.max(initial=0)) + 2, NULL)  # the last one of what is null
        place[codes] = np.arange(len(codes))
        physical = series.to_physical().cast(pl.Int64).fill_null(NULL).to_numpy()
        return Encoded(place[physical], known.cast(pl.String).to_list())
    if series.dtype == pl.Datetime and series.dtype.time_zone and series.null_count() == 0:
        return _microseconds(series.to_physical().to_numpy(), series.dtype.time_unit)
    return None


def _from_pandas(pd: Any, column: Any) -> Values | None:
    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype):
        codes = column.cat.codes if isinstance(column, pd.Series) else column.codes
        return Encoded(np.asarray(codes), dtype.categories.tolist())
    if isinstance(dtype, pd.DatetimeTZDtype) and not column.isna().any():
        return _microseconds(pd.DatetimeIndex(column).asi8, dtype.unit)
    array = getattr(column, "array", column)
    if isinstance(dtype, pd.ArrowDtype) or getattr(dtype, "storage", None) == "pyarrow":
        return _from_pyarrow(sys.modules["pyarrow"], array.__arrow_array__())
    return None


def _from_pyarrow(pa: Any, column: Any) -> Values | None:
    if not isinstance(column, (pa.Array, pa.ChunkedArray)):
        return None
    kind = column.type
    if pa.types.is_dictionary(kind):
        whole = _unchunked(pa, column)
        codes = whole.indices.cast(pa.int64()).fill_null(NULL).to_numpy(zero_copy_only=False)
        return Encoded(codes, whole.dictionary.to_pylist())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        whole = _unchunked(pa, column.cast(pa.large_string()))
        _, offsets, data = whole.buffers()
        bounds = np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + len(whole) + 1]
        absent = None
        if whole.null_count:
            absent = whole.is_null().to_numpy(zero_copy_only=False)
        return _texts(np.frombuffer(data or b"", np.uint8), bounds, absent)
    if pa.types.is_timestamp(kind) and kind.tz is not None and column.null_count == 0:
        return _microseconds(np.asarray(column.cast(pa.int64())), kind.unit)
    return None


def _unchunked(pa: Any, column: Any) -> Any:
    if isinstance(column, pa.ChunkedArray):
        if column.num_chunks == 1:
            return column.chunk(0)
        column = column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return column


def _texts(
    data: NDArray[np.uint8], bounds: NDArray[np.int64], absent: NDArray[np.bool_] | None
) -> Texts:
    """Return the texts between the bounds in some bytes."""
    data = data[bounds[0] : bounds[-1]] if len(bounds) else data
    starts = bounds[:-1] - bounds[:1]
    lengths = np.diff(bounds)
    if absent is not None:
        lengths[absent] = 0
    width = int(lengths[0]) if len(lengths) else 0
    if width and (lengths == width).all() and data.all():
        return Texts(Fixed(data.reshape(len(lengths), width)))
    return Texts(Sliced(as_words(data), starts, lengths), absent)


def _microseconds(steps: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    return steps.view(f"datetime64[{unit}]").astype("datetime64[us]").view(np.int64)


_READERS = {"polars": _from_polars, "pandas": _from_pandas, "pyarrow": _from_pyarrow}
