"""CSV for machines: every column comes back with its type and its values."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.columns.rawcsv import raw_csv, read_raw_csv
from salesfunnel.errors import DataError, EmptyFileError, TruncatedFileError

TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.sampled_from(
        ["1", "-1.5", "NaN", "None", "True", "2026-01-31T00:00:00+00:00", "NaT", "inf", '"', "\r\n"]
    )
    | st.sampled_from(
        ["#text", "#int64"],
    )
)
FLOATS = st.none() | st.floats(allow_nan=False)
TIMES = st.none() | st.datetimes()


def objects(values: list[Any]) -> NDArray[Any]:
    array = np.empty(len(values), object)
    array[:] = values
    return array


@st.composite
def columns(draw: st.DrawFn) -> dict[str, NDArray[Any]]:
    """Draw columns of any types."""
    n = draw(st.integers(0, 4))

    def values(of: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(of, min_size=n, max_size=n))

    kinds: dict[str, Callable[[], NDArray[Any]]] = {
        "integer": lambda: np.array(values(st.integers(-(2**63), 2**63 - 1)), np.int64),
        "float": lambda: np.array(values(FLOATS), np.float64),
        "truth": lambda: np.array(values(st.booleans()), bool),
        "time": lambda: np.array(values(TIMES), "datetime64[us]"),
        "text": lambda: objects(values(st.none() | TEXTS)),
        "mixed": lambda: objects(["x", *values(st.none() | TEXTS | st.integers())][:n]),
        "small": lambda: np.array(values(st.integers(0, 255)), np.uint8),
    }
    names = draw(st.lists(TEXTS, unique=True, min_size=1, max_size=4))
    return {name: kinds[draw(st.sampled_from(list(kinds)))]() for name in names}


@given(columns=columns())
def test_columns_come_back_unchanged(columns: dict[str, NDArray[Any]]) -> None:
    back = read_raw_csv(raw_csv(columns, types=True), "x")

    assert list(back) == list(columns)
    for name, values in columns.items():
        assert back[name].dtype == (np.int64 if values.dtype == np.uint8 else values.dtype)
        np.testing.assert_array_equal(back[name], values)
        assert list(map(type, back[name].tolist())) == list(map(type, values.tolist()))


COLUMNS = {
    "integer": np.array([1, -2]),
    "float": np.array([0.5, np.nan]),
    "nothing": np.array([np.nan, np.nan]),
    "truth": np.array([True, False]),
    "time": np.array(["2026-01-31T09:30", "NaT"], "datetime64[us]"),
    "never": np.array(["NaT", "NaT"], "datetime64[us]"),
    "text": objects(['say "hi", you', None]),
    "digits": objects(["007", ""]),
    "none": objects([None, None]),
}


def test_what_is_written_is_plain_csv() -> None:
    assert raw_csv(COLUMNS) == (
        "integer,float,nothing,truth,time,never,text,digits,none\n"
        '1,0.5,NaN,True,2026-01-31T09:30:00+00:00,NaT,"say ""hi"", you","007",\n'
        '-2,,NaN,False,,NaT,,"",\n'
    )


def test_other_programs_read_it(tmp_path: Any) -> None:
    path = tmp_path / "x.csv"
    path.write_text(raw_csv(COLUMNS), encoding="utf-8")

    by_pandas, by_polars = pd.read_csv(path, dtype={"digits": str}), pl.read_csv(path)

    assert by_pandas["text"][0] == by_polars["text"][0] == 'say "hi", you'
    assert by_pandas["integer"].tolist() == by_polars["integer"].to_list() == [1, -2]
    assert by_polars.schema["nothing"] == pl.Float64
    assert by_pandas["nothing"].isna().all()


@pytest.mark.parametrize("text", ["a,b\n1,x\n2,y\n", "a,b\r\n1,x\r\n2,y", 'a,"b"\n"1",x\n2,y'])
def test_line_breaks_and_quotation_marks_may_be_others(text: str) -> None:
    back = read_raw_csv(text, "x")

    assert back["b"].tolist() == ["x", "y"]
    assert [str(value) for value in back["a"].tolist()] == ["1", "2"]


def test_a_table_may_have_no_rows_or_no_columns() -> None:
    assert {name: len(values) for name, values in read_raw_csv("a,b\n", "x").items()} == {
        "a": 0,
        "b": 0,
    }
    assert read_raw_csv(raw_csv({}), "x") == {}
    assert list(read_raw_csv(raw_csv({"": np.array([1])}), "x")) == [""]


def test_a_line_of_types_stands_only_where_there_are_no_rows() -> None:
    columns = {"a": np.zeros(0, bool), "b": objects([])}

    assert raw_csv(columns, types=True) == "a,b\n#bool,#text\n"
    assert raw_csv(columns) == "a,b\n"
    assert raw_csv({"b": objects([])}, types=True) == "b\n"
    assert raw_csv({"b": objects(["#text"])}, types=True) == 'b\n"#text"\n'
    for text in ('a\n"#bool"\n', "a\n#bool\n#bool\n", "a,b\n#bool,#x\n"):
        assert read_raw_csv(text, "x")["a"].tolist()[0] == "#bool"
    pandas = pd.read_csv(io.StringIO(raw_csv(columns, types=True)), comment="#")
    assert (list(pandas), len(pandas)) == (["a", "b"], 0)


def test_what_only_looks_like_a_number_or_a_time_is_a_text() -> None:
    text = "a,b,c\n2026-13-01T00:00:00+00:00," + "9" * 5_000 + ",١٢\n"

    back = read_raw_csv(text, "x")

    assert back["a"].tolist() == ["2026-13-01T00:00:00+00:00"]
    assert back["b"].tolist() == ["9" * 5_000]
    assert back["c"].tolist() == ["١٢"]
    moments = objects([datetime(2026, 1, 31, tzinfo=UTC), None])
    assert read_raw_csv(raw_csv({"a": moments}), "x")["a"].dtype == "datetime64[us]"


@pytest.mark.parametrize(
    ("text", "error", "why"),
    [
        ("", EmptyFileError, "x is empty; a line with the names of the columns is expected"),
        ("a,b\n1\n", DataError, "x, row 2 has 1 cells, where the header has 2"),
        ("a,a\n1,2\n", DataError, "x names a column twice: a, a"),
        ('a\n"1', TruncatedFileError, "x ends inside a quoted cell, which begins in line 2"),
        ('a\n1"2\n', DataError, "x, line 2: not CSV as it was written"),
        ('a\n"1"2\n', DataError, "x, line 2: not CSV as it was written"),
    ],
)
def test_what_is_no_csv_is_told(text: str, error: type[DataError], why: str) -> None:
    with pytest.raises(error) as refusal:
        read_raw_csv(text, "x")
    assert type(refusal.value) is error
    assert str(refusal.value) == why
