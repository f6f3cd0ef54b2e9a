"""Columns of pandas, polars and pyarrow come by their own buffers, and say the same as lists."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from salesfunnel.columns.natives import from_native
from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.texts import Encoded, Texts
from salesfunnel.columns.times import read_times
from salesfunnel.columns.values import (
    as_column,
    read_amounts,
    read_ids,
    read_labels,
    read_order,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.states import read_states
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.missing import is_missing

Values = list[str | None]


def chunked(values: Values, kind: Any) -> Any:
    middle = len(values) // 2
    return pa.chunked_array([pa.array(part, kind) for part in (values[:middle], values[middle:])])


TEXTS: dict[str, Callable[[Values], Any]] = {
    "polars": lambda values: pl.Series(values, dtype=pl.String),
    "polars, a slice": lambda values: pl.Series(["x", *values, "y"], dtype=pl.String)[1:-1],
    "pyarrow": lambda values: pa.array(values, pa.string()),
    "pyarrow, large": lambda values: pa.array(values, pa.large_string()),
    "pyarrow, view": lambda values: pa.array(values, pa.string_view()),
    "pyarrow, a slice": lambda values: pa.array(["x", *values, "y"], pa.string())[1:-1],
    "pyarrow, in chunks": lambda values: chunked(values, pa.string()),
    "pyarrow, no chunks": lambda values: pa.chunked_array(
        [pa.array(values, pa.string())] if values else [], pa.string()
    ),
    "pandas, arrow": lambda values: pd.Series(values, dtype="string[pyarrow]"),
    "pandas, arrow dtype": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.string())),
    "pandas, its array": lambda values: pd.array(values, dtype="string[pyarrow]"),
}
ENCODED: dict[str, Callable[[Values], Any]] = {
    "polars, categorical": lambda values: pl.Series(values, dtype=pl.Categorical),
    "polars, enum": lambda values: pl.Series(
        values, dtype=pl.Enum(sorted({"", "never", *filter(None, values)}))
    ),
    "pyarrow, dictionary": lambda values: pa.array(values, pa.string()).dictionary_encode(),
    "pyarrow, dictionaries": lambda values: pa.chunked_array(
        [
            pa.array(part, pa.string()).dictionary_encode()
            for part in (values[: len(values) // 2], values[len(values) // 2 :])
        ]
    ),
    "pandas, category": lambda values: pd.Series(values, dtype="category"),
    "pandas, categorical": pd.Categorical,
}
OTHER: dict[str, Callable[[Values], Any]] = {
    "pandas, objects": lambda values: pd.Series(values, dtype=object),
    "pandas, python": lambda values: pd.Series(values, dtype="string[python]"),
}
values_lists = st.lists(
    st.none()
    | st.sampled_from(["", " ", "A", "A1", "0061234567890ABCDE", "商机"])
    | st.text(max_size=9),
    max_size=12,
)


def oracle(values: Values) -> tuple[list[int], list[str]]:
    seen: dict[str, int] = {}
    codes = [-1 if v is None or not v.strip() else seen.setdefault(v, len(seen)) for v in values]
    return codes, list(seen)


def rejects_of(column: Any) -> Rejects:
    return Rejects(len(column), "collect")


@pytest.mark.parametrize("form", [*TEXTS, *ENCODED, *OTHER])
@settings(max_examples=15)
@given(values=values_lists)
def test_texts_say_the_same_in_every_form(form: str, values: Values) -> None:
    # The categories of pandas end at a zero, so that "" and "\0" are one.
    assume(not form.startswith("pandas, cat") or all("\0" not in (value or "") for value in values))
    native = {**TEXTS, **ENCODED, **OTHER}[form](values)
    column = as_column(native, "id")

    if form not in OTHER:
        assert isinstance(column, Texts if form in TEXTS else Encoded)
        assert list(column) == values
        assert [column[i] for i in range(len(column))] == values
        assert list(column[1:]) == values[1:]
    codes, ids = read_ids(column, rejects_of(column), "id")
    assert ids is not None
    assert (codes.tolist(), ids.tolist()) == oracle(values)
    labels, names = read_labels(column)
    assert names == sorted(oracle(values)[1])
    assert [None if label < 0 else names[label] for label in labels.tolist()] == [
        None if v is None or not v.strip() else v for v in values
    ]


@pytest.mark.parametrize("form", [*TEXTS, *ENCODED])
def test_what_is_missing_is_noted_as_it_came(form: str) -> None:
    column = as_column({**TEXTS, **ENCODED}[form](["A", None, "", "A"]), "id")
    rejects = rejects_of(column)

    read_ids(column, rejects, "id")

    assert [(row.row, row.value) for row in rejects.settle()] == [(1, None), (2, "")]


FUNNEL = Funnel(["lead", "demo"])


@pytest.mark.parametrize("form", [*TEXTS, *ENCODED])
def test_stages_times_amounts_and_record_numbers_are_read_in_every_form(form: str) -> None:
    def column(values: Values) -> Any:
        return as_column({**TEXTS, **ENCODED}[form](values), "x")

    stages = column(["demo", " lead", None, "?", "demo"])
    rejects = rejects_of(stages)
    assert read_states(stages, FUNNEL, None, rejects, "stage").codes[[0, 1, 4]].tolist() == [
        1,
        0,
        1,
    ]
    assert [row.row for row in rejects.settle()] == [2, 3]

    times = column(["2026-01-31", "2026-01-31T00:00Z", None, "soon", "2026-01-31"])
    rejects = rejects_of(times)
    micro = read_times(times, rejects, column="at", tz=ZoneInfo("Asia/Shanghai"))
    assert (micro[:2] - micro[1]).tolist() == [-8 * 3_600_000_000, 0]
    assert micro[4] == micro[0]
    assert [row.row for row in rejects.settle()] == [2, 3]

    amounts = column(["1.5", None, "x", "1e3", "1.5"])
    rejects = rejects_of(amounts)
    np.testing.assert_array_equal(
        read_amounts(amounts, rejects, "amount"), [1.5, np.nan, np.nan, 1000, 1.5]
    )
    assert [row.row for row in rejects.settle()] == [2]

    numbers = column(["10", "9", None, "x", "9"])
    rejects = rejects_of(numbers)
    assert read_order(numbers, rejects, "number")[[0, 1, 4]].tolist() == [2, 1, 1]
    assert [row.row for row in rejects.settle()] == [2, 3]


def test_a_dictionary_may_have_what_is_no_text_and_what_is_there_twice() -> None:
    numbers = as_column(pd.Series([7, 8, 7, None], dtype="category"), "id")
    codes, ids = read_ids(numbers, rejects_of(numbers), "id")
    assert ids is not None
    assert (codes.tolist(), ids.tolist()) == ([0, 1, 0, -1], [7, 8])

    mixed = Encoded(np.array([2, 1, 0, 3, -1]), ["7", 7, "a", "a"])
    assert read_labels(mixed)[1] == ["7", "a"]
    assert read_labels(mixed)[0].tolist() == [1, 0, 0, 1, -1]
    codes, ids = read_ids(mixed, rejects_of(mixed), "id")
    assert ids is not None
    assert (codes.tolist(), ids.tolist()) == ([0, 1, 2, 0, -1], ["a", 7, "7"])


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_times_with_a_zone_are_instants(unit: str, zone: str) -> None:
    moments = [datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)]
    expected = [-2_000_000, 1_769_817_600_000_000]
    series = pd.Series(pd.DatetimeIndex(moments).tz_convert(zone)).astype(
        f"datetime64[{unit}, {zone}]"
    )
    natives: list[Any] = [
        series,
        pd.DatetimeIndex(series),
        pa.array(moments, pa.timestamp(unit, zone)),
    ]
    if unit != "s":
        natives.append(pl.Series(moments, dtype=pl.Datetime(unit, zone)))  # type: ignore[arg-type]
    for native in natives:
        column = as_column(native, "at")
        assert np.asarray(column).tolist() == expected

        log = StageLog.from_columns(
            FUNNEL, opportunity=["A", "B"], stage=["lead", "lead"], entered_at=native
        )
        assert sorted(log.entries.time.tolist()) == expected


def test_a_missing_time_with_a_zone_is_noted() -> None:
    series = pd.to_datetime(pd.Series(["2026-01-31T08:00:00+08:00", None]))
    column = as_column(series, "at")
    rejects = rejects_of(column)

    assert read_times(column, rejects, column="at", tz=None)[0] == 1_769_817_600_000_000
    assert [row.row for row in rejects.settle()] == [1]


def test_other_columns_are_arrays() -> None:
    for native in (pd.Series([1, 2]), pl.Series([1, 2]), pa.array([1, 2]), np.array([1, 2])):
        assert from_native(native) is None
        assert np.asarray(as_column(native, "id")).tolist() == [1, 2]
    assert from_native("text") is None
    assert from_native(pl.DataFrame({"a": [1]})) is None
    assert from_native(pa.table({"a": [1]})) is None


def test_polars_alone_needs_no_pyarrow() -> None:
    script = (
        "import sys, polars as pl; sys.modules['pyarrow'] = None\n"
        "from salesfunnel.columns.values import as_column\n"
        "column = as_column(pl.Series(['A', None, '商机']), 'id')\n"
        "assert type(column).__name__ == 'Texts' and list(column) == ['A', None, '商机']\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_what_stands_for_none_is_missing_in_every_form() -> None:
    assert all(is_missing(value) for value in as_column(TEXTS["polars"]([None, ""]), "x"))
