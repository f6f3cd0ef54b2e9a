"""Codes: identifiers and labels become small integers, and nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.kernel.codes import (
    code_type,
    combine,
    compact_codes,
    factorize_integers,
    factorize_objects,
    look_up,
    sort_categories,
)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
@given(data=st.data())
def test_integers_of_any_size_come_back(dtype: str, data: st.DataObject) -> None:
    limits = np.iinfo(dtype)
    low = data.draw(st.integers(limits.min, limits.max - 3))
    close = st.integers(low, low + 3)
    values = data.draw(st.lists(st.one_of(close, st.integers(limits.min, limits.max)) | close))
    column = np.array(values, dtype)

    codes, distinct = factorize_integers(column)

    assert distinct.dtype == column.dtype
    assert distinct.tolist() == sorted(set(values))
    assert distinct[codes].tolist() == values


def test_integers_close_together_are_looked_up_and_far_apart_sorted() -> None:
    for values in ([5, 3, 5], [5, 3, 10**15]):
        codes, distinct = factorize_integers(np.array(values))
        assert codes.tolist() == [1, 0, len(distinct) - 1]
        assert codes.dtype == np.int64
        compact, _ = compact_codes(np.array(values))
        assert compact.tolist() == codes.tolist()
        assert compact.dtype == np.int8


@given(st.lists(st.none() | st.integers(0, 3) | st.text(max_size=1)))
def test_objects_are_numbered_in_order_of_appearance(values: list[object]) -> None:
    codes, distinct = factorize_objects(values)

    assert [None if code < 0 else distinct[code] for code in codes.tolist()] == values
    assert distinct == list(dict.fromkeys(value for value in values if value is not None))


@given(st.lists(st.none() | st.text(max_size=2)))
def test_categories_are_sorted_and_codes_follow(values: list[str | None]) -> None:
    codes, categories = sort_categories(*factorize_objects(values))

    assert categories == sorted(categories)
    assert [None if code < 0 else categories[code] for code in codes.tolist()] == values


@given(st.integers(1, 3), st.data())
def test_combinations_are_those_that_occur_in_order_with_the_missing_last(
    n_parts: int, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.tuples(*[st.integers(-1, 2)] * n_parts)))
    parts = [np.array([row[place] for row in rows], np.int64) for place in range(n_parts)]

    codes, combinations = combine(parts)

    assert [tuple(combinations[code].tolist()) for code in codes.tolist()] == rows
    assert [tuple(row) for row in combinations.tolist()] == sorted(
        set(rows), key=lambda row: [(part < 0, part) for part in row]
    )


def test_codes_of_small_integers_combine() -> None:
    codes, combinations = combine([np.array([1, -1], np.int8), np.array([300, 300], np.int16)])

    assert codes.tolist() == [0, 1]
    assert combinations.tolist() == [[1, 300], [-1, 300]]


@pytest.mark.parametrize(
    ("n_values", "kind"), [(0, "i1"), (128, "i1"), (129, "i2"), (2**15 + 1, "i4"), (2**32, "i8")]
)
def test_codes_take_as_few_bytes_as_they_need(n_values: int, kind: str) -> None:
    assert code_type(n_values) == np.dtype(kind)


def test_what_codes_stand_for_is_looked_up_and_a_missing_one_is_the_last() -> None:
    codes = np.array([2, -1, 0, 1] * 20_000, np.int8)

    assert look_up(np.array([5, 6, 7, 8]), codes).tolist() == [7, 8, 5, 6] * 20_000


@pytest.mark.parametrize("far", [1, 10**12])
def test_codes_may_go_by_something_else_than_the_numbers(far: int) -> None:
    values = np.array([10, 9, 2, 10]) * far

    codes, distinct = compact_codes(values, lambda numbers: [str(n) for n in numbers.tolist()])

    assert distinct.tolist() == [10 * far, 2 * far, 9 * far]
    assert codes.tolist() == [0, 2, 1, 0]
