"""Dataframes: columns come out with their types, in the library asked for."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from salesfunnel.columns.frames import to_frame
from salesfunnel.errors import DefinitionError, MissingExtraError

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


def test_a_library_that_makes_no_frames_is_told() -> None:
    with pytest.raises(
        DefinitionError, match="no dataframe by backend='excel': Unsupported backend"
    ):
        to_frame(COLUMNS, "excel")
    with pytest.raises(DefinitionError, match="no dataframe by backend='duckdb': duckdb support"):
        to_frame(COLUMNS, "duckdb")


def test_without_narwhals_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "narwhals", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'salesfunnel\[frames\]'"):
        to_frame(COLUMNS, "pandas")


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ImportError, match="pyarrow"):
        to_frame(COLUMNS, "pyarrow")
