"""Dataframes: columns go out and come in with their types, whatever the library."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from salesfunnel.columns.frames import from_frame, is_frame, to_frame
from salesfunnel.errors import DataError, DefinitionError, MissingColumnError, MissingExtraError
from salesfunnel.model.missing import is_missing

COLUMNS = {
    "text": np.array(["li", None, "王"], object),
    "integer": np.array([1, -2, 3]),
    "small": np.array([1, 2, 3], np.uint8),
    "number": np.array([0.5, np.nan, 2]),
    "nothing": np.array([np.nan] * 3),
    "time": np.array(["2026-01-31T09:30", "NaT", "1970-01-01"], "datetime64[us]"),
    "truth": np.array([True, False, True]),
    "ids": np.array([7, 8, 9], object),
    "mixed": np.array([1, "x", None], object),
    "huge": np.array([2**70, 1, 2], object),
}


def test_columns_keep_their_types_in_polars() -> None:
    frame = to_frame(COLUMNS, "polars")

    assert isinstance(frame, pl.DataFrame)
    assert dict(frame.schema) == {
        "text": pl.String,
        "integer": pl.Int64,
        "small": pl.UInt64,
        "number": pl.Float64,
        "nothing": pl.Float64,
        "time": pl.Datetime("us", "UTC"),
        "truth": pl.Boolean,
        "ids": pl.Int64,
        "mixed": pl.String,
        "huge": pl.String,
    }
    assert frame["number"].to_list() == [0.5, None, 2]
    assert frame["time"].null_count() == 1
    assert frame["mixed"].to_list() == ["1", "x", None]


def test_columns_keep_their_types_in_pandas() -> None:
    frame = to_frame(COLUMNS, "pandas")

    assert isinstance(frame, pd.DataFrame)
    assert frame["integer"].tolist() == [1, -2, 3]
    assert frame["ids"].dtype == np.int64
    assert frame["nothing"].dtype == np.float64
    assert frame["time"][0] == pd.Timestamp("2026-01-31T09:30", tz="UTC")
    assert frame["time"].isna().tolist() == [False, True, False]
    assert frame["text"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_a_frame_may_have_no_rows_or_no_columns(backend: str) -> None:
    empty = to_frame({name: values[:0] for name, values in COLUMNS.items()}, backend)

    assert list(empty.columns) == list(COLUMNS)
    assert len(empty) == 0
    assert str(empty["number"].dtype).lower() == "float64"
    assert len(to_frame({}, backend).columns) == 0


def test_modin_is_as_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODIN_ENGINE", "python")
    pytest.importorskip("modin.pandas", reason="modin is not installed: it holds pandas back")

    frame = to_frame(COLUMNS, "modin")

    assert type(frame).__module__.startswith("modin.")
    there, back = from_frame(to_frame(COLUMNS, "pandas")), from_frame(frame)
    for name in COLUMNS:
        assert repr(list(back.plain(name))) == repr(list(there.plain(name))), name


def test_a_library_that_makes_no_frames_is_told() -> None:
    with pytest.raises(
        DefinitionError, match="no dataframe by backend='excel': Unsupported backend"
    ):
        to_frame(COLUMNS, "excel")
    with pytest.raises(DefinitionError, match="no dataframe by backend='duckdb': duckdb support"):
        to_frame(COLUMNS, "duckdb")
    with pytest.raises(DefinitionError, match="no dataframe by backend=None"):
        to_frame(COLUMNS, None)  # type: ignore[arg-type]


def test_without_narwhals_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "narwhals", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'salesfunnel\[frames\]'"):
        to_frame(COLUMNS, "pandas")


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ImportError, match="pyarrow"):
        to_frame(COLUMNS, "pyarrow")


# ── coming in ─────────────────────────────────────────────────────────────────────────────────────

MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
POLARS = pl.DataFrame(
    {
        "text": ["li", None, "王"],
        "integer": [1, 2, 3],
        "gaps": [1, None, 3],
        "number": [0.5, None, 2.0],
        "naive": [MIDNIGHT.replace(tzinfo=None), None, MIDNIGHT.replace(tzinfo=None)],
        "aware": [MIDNIGHT, None, MIDNIGHT],
        "full": [MIDNIGHT, MIDNIGHT, MIDNIGHT],
        "date": [date(2026, 1, 31), None, date(2026, 2, 1)],
        "truth": [True, None, False],
        "decimal": [Decimal("1.50"), None, Decimal(2)],
        "category": pl.Series(["a", None, "b"], dtype=pl.Categorical),
    }
)


def as_duckdb(frame: pl.DataFrame) -> Any:
    arrow = frame.to_arrow()
    return duckdb.from_arrow(arrow)


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame,
        pl.DataFrame.to_arrow,
        lambda frame: frame.to_pandas(use_pyarrow_extension_array=True),
        pl.DataFrame.to_pandas,
        as_duckdb,
    ],
    ids=["polars", "pyarrow", "pandas-arrow", "pandas", "duckdb"],
)
def test_columns_come_in_alike_from_every_library(convert: Any) -> None:
    table = from_frame(convert(POLARS), "deals")

    found = {name: list(values) for name, values in table.columns.items()}
    assert [None if is_missing(value) else value for value in found["text"]] == ["li", None, "王"]
    assert found["integer"] == [1, 2, 3]
    assert [None if is_missing(value) else value for value in found["gaps"]] == [1, None, 3]
    assert [None if is_missing(value) else value for value in found["number"]] == [0.5, None, 2]
    naive = np.asarray(table.columns["naive"]).astype("datetime64[us]").astype(str).tolist()
    assert naive == ["2026-01-31T00:00:00.000000", "NaT", "2026-01-31T00:00:00.000000"]
    assert found["aware"] == [MIDNIGHT, None, MIDNIGHT]
    assert np.asarray(table.columns["full"]).dtype == np.int64
    assert found["full"] == [1_769_817_600_000_000] * 3
    assert [is_missing(value) for value in found["date"]] == [False, True, False]
    assert str(found["date"][0])[:10] == "2026-01-31"
    assert [None if is_missing(value) else bool(value) for value in found["truth"]] == [
        True,
        None,
        False,
    ]
    assert [None if is_missing(value) else value for value in found["category"]] == ["a", None, "b"]
    assert list(table.numbers) == [0, 1, 2]
    assert len(table.columns) == 11
    with pytest.raises(MissingColumnError, match="deals has no column 'gone'; it has text, intege"):
        table.column("gone")


def test_times_of_another_zone_are_the_same_instants() -> None:
    frame = pl.DataFrame({"at": [MIDNIGHT]}).with_columns(
        pl.col("at").dt.convert_time_zone("Asia/Shanghai")
    )

    for native in (frame, frame.to_pandas(), frame.to_arrow()):
        assert list(from_frame(native).columns["at"]) == [1_769_817_600_000_000]


def test_floats_with_gaps_stay_floats_if_they_are_no_whole_numbers() -> None:
    frame = pd.DataFrame({"a": [1.5, None], "b": [2.0**60, None], "c": [np.inf, None]})

    for name in ("a", "b", "c"):
        assert np.asarray(from_frame(frame).columns[name]).dtype == np.float64


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (5, "a dataframe is expected (pandas, polars, pyarrow, …), not int"),
        (np.zeros((2, 2)), "a dataframe is expected (pandas, polars, pyarrow, …), not ndarray"),
        (POLARS["text"], "a dataframe is expected (pandas, polars, pyarrow, …), not Series"),
        (POLARS.lazy(), "a polars LazyFrame has its rows not in memory: collect() or compute() it"),
    ],
    ids=["int", "array", "series", "lazy"],
)
def test_what_is_no_dataframe_is_told(value: Any, why: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        from_frame(value)
    assert why in str(refusal.value)
    assert not is_frame(value) or isinstance(value, pl.LazyFrame)


def test_a_column_named_twice_is_told() -> None:
    with pytest.raises(DataError, match=r"^the dataframe names a column twice: a$"):
        from_frame(pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]))


def test_a_relation_needs_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    relation = as_duckdb(POLARS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'salesfunnel\[arrow\]'"):
        from_frame(relation)


def test_reading_needs_narwhals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "narwhals", None)

    with pytest.raises(MissingExtraError, match="reading a dataframe needs an optional dependency"):
        from_frame(POLARS)
