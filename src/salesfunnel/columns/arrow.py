"""Arrow: Parquet and Arrow files, by way of pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.lazycolumns import LazyColumns, instants
from salesfunnel.columns.natives import from_native
from salesfunnel.columns.rawtable import RawTable, Values
from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DataError, MissingExtraError
from salesfunnel.kernel.progress import Meter
from salesfunnel.wording import Listed, Wording

BATCH = 1 << 17
"""Rows of a batch."""


def arrow_batches(
    path: str | Path, *, n_rows: int | None = BATCH, watch: Meter | None = None
) -> Iterator[RawTable]:
    """Yield the rows of a Parquet or Arrow (Feather) file in batches; the first row is number 0.

    A column is converted when it is first asked for, as `salesfunnel.columns.frames.from_frame`
    does. The first batch comes even if the file has no rows.

    Parameters
    ----------
    path : str or Path
    n_rows : int, optional
        How many rows a batch has at most; None for the whole file.
    watch : Meter, optional
        Told how many rows are read.

    Raises
    ------
    DataError
        If the file cannot be read, or names a column twice.
    MissingExtraError
        If pyarrow is not installed.
    OSError
        If there is no such file.
    """
    pa = _pyarrow(Wording("reading {path}", path=path))
    name, start = str(path), 0
    with Path(path).open("rb") as file:
        try:
            for batch in _batches(pa, file, n_rows):
                yield _table(pa, batch, name, start)
                start += batch.num_rows
                if watch is not None:
                    watch.at(start)
        except pa.ArrowException as error:
            raise DataError(
                "{path} is no Parquet or Arrow file, or a damaged one: {problem}",
                path=path,
                problem=_first_line(error),
            ) from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise DataError(
                "{path} is a damaged Parquet or Arrow file: {problem}",
                path=path,
                problem=_first_line(error),
            ) from None


def read_arrow(path: str | Path) -> RawTable:
    """Return the rows of a Parquet or Arrow (Feather) file; see `arrow_batches`."""
    return next(arrow_batches(path, n_rows=None))


def to_arrow(columns: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None) -> Any:
    """Return columns as a ``pyarrow.Table``, times in UTC, objects as texts.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    """
    pa = _pyarrow("Arrow")
    kinds = {"M": pa.timestamp("us", "UTC"), "O": pa.string()}
    arrays = [
        pa.array(
            to_plain(values) if values.dtype.kind in "MOf" else values,
            kinds.get(values.dtype.kind) or pa.from_numpy_dtype(values.dtype),
        )
        for values in columns.values()
    ]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    return table.replace_schema_metadata(dict(metadata)) if metadata else table


def write_parquet(table: Any, path: str | Path) -> None:
    """Write a ``pyarrow.Table`` to a Parquet file."""
    _pyarrow("Parquet")
    from pyarrow import parquet

    parquet.write_table(table, path)


def _pyarrow(feature: str) -> ModuleType:
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError(feature, "arrow") from error
    module: ModuleType = pyarrow
    return module


def _batches(pa: ModuleType, file: Any, n_rows: int | None) -> Iterator[Any]:
    """Yield record batches, or tables, of a Parquet, Arrow or Arrow stream file."""
    from pyarrow import ipc, parquet

    magic = file.read(6)
    file.seek(0)
    if magic.startswith(b"PAR1"):
        reader = parquet.ParquetFile(file)
        if n_rows is None or reader.metadata.num_rows == 0:
            yield reader.read()
        else:
            yield from reader.iter_batches(batch_size=n_rows)
        return
    if magic == b"ARROW1":
        opened = ipc.open_file(file)
        whole = n_rows is None or opened.num_record_batches == 0
        members = (opened.get_batch(i) for i in range(opened.num_record_batches))
    else:
        opened = ipc.open_stream(file)
        whole, members = n_rows is None, iter(opened)
    if whole:
        yield opened.read_all()
        return
    first = next(members, None)
    yield pa.Table.from_batches([], opened.schema) if first is None else first
    yield from members


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _table(pa: ModuleType, batch: Any, name: str, start: int) -> RawTable:
    names = list(batch.schema.names)
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise DataError("{name} names a column twice: {columns}", name=name, columns=Listed(twice))
    with_zone = frozenset(
        field.name for field in batch.schema if getattr(field.type, "tz", None) is not None
    )
    return RawTable(
        name,
        LazyColumns(names, lambda column: _values(pa, batch.column(column))),
        range(start, start + batch.num_rows),
        instants=with_zone,
        metadata={
            key.decode(errors="replace"): value.decode(errors="replace")
            for key, value in (batch.schema.metadata or {}).items()
        },
    )


def _values(pa: ModuleType, array: Any) -> Values:
    """Return the values of a column."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        times = np.asarray(array.cast(pa.timestamp(kind.unit)))
        return times if kind.tz is None else instants(times)
    if pa.types.is_integer(kind) and array.null_count == 0:
        return np.asarray(array)
    if pa.types.is_floating(kind):
        return np.asarray(array, np.float64)
    native = from_native(array)
    if native is not None:
        return native
    plain: list[Any] = array.to_pylist()
    return plain
