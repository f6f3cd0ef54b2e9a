"""Identifiers, labels, amounts and record numbers of any form."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.values import (
    as_column,
    in_one_currency,
    read_amounts,
    read_ids,
    read_labels,
    read_order,
    to_plain,
)
from salesfunnel.errors import CurrencyError, DefinitionError

NUMBER = "a finite number, with a point and no separators, as in 12500.50"


def rejects_of(values: Sequence[Any] | NDArray[Any]) -> Rejects:
    return Rejects(len(values), "collect")


# ── columns ───────────────────────────────────────────────────────────────────────────────────────


def test_a_column_is_a_list_or_an_array_of_one_dimension() -> None:
    assert as_column(["a"], "stage") == ["a"]
    assert as_column(pd.Series(["a", "b"]), "stage").tolist() == ["a", "b"]  # type: ignore[union-attr]
    with pytest.raises(DefinitionError, match=r"stage is a list .* not of shape \(1, 2\)"):
        as_column(np.zeros((1, 2)), "stage")
    with pytest.raises(DefinitionError, match="one value for each row, not 'lead'"):
        as_column("lead", "stage")


# ── identifiers ───────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5)))
def test_integers_are_their_own_codes(ids: list[int]) -> None:
    codes, distinct = read_ids(np.array(ids, np.int64), rejects_of(ids), "id")

    assert distinct is None
    assert codes.tolist() == ids


def test_integers_without_a_sign_are_numbered() -> None:
    ids = np.array([2**64 - 1, 5, 2**64 - 1], np.uint64)

    codes, distinct = read_ids(ids, rejects_of(ids.tolist()), "id")

    assert distinct is not None
    assert distinct.tolist() == [5, 2**64 - 1]
    assert codes.tolist() == [1, 0, 1]


@given(st.lists(st.text(max_size=3).filter(str.strip) | st.integers()))
def test_objects_keep_their_value_in_order_of_appearance(ids: list[object]) -> None:
    codes, distinct = read_ids(ids, rejects_of(ids), "id")

    assert distinct is not None
    assert distinct[codes].tolist() == ids
    assert distinct.tolist() == list(dict.fromkeys(ids))


def test_a_missing_identifier_is_noted() -> None:
    values = ["A", None, "", float("nan"), pd.NA, "A"]
    rejects = rejects_of(values)

    codes, _ = read_ids(values, rejects, "id")

    assert codes.tolist() == [0, -1, -1, -1, -1, 0]
    assert [(row.row, row.column, row.expected) for row in rejects.settle()] == [
        (row, "id", "an identifier; there is none") for row in (1, 2, 3, 4)
    ]


# ── labels ────────────────────────────────────────────────────────────────────────────────────────


def test_labels_are_texts_in_order_and_may_be_missing() -> None:
    codes, names = read_labels(["na", None, "li", 7, "", np.nan, pd.NaT, "7"])

    assert names == ["7", "li", "na"]
    assert codes.tolist() == [2, -1, 1, 0, -1, -1, -1, 0]
    assert read_labels([])[1] == []
    assert read_labels([None])[0].tolist() == [-1]


# ── amounts ───────────────────────────────────────────────────────────────────────────────────────


def test_amounts_are_numbers_or_texts_of_numbers() -> None:
    values = [
        1,
        2.5,
        "12500.50",
        " 7 ",
        Decimal("0.1"),
        "1e3",
        "-3",
        np.float32(4),
        None,
        "",
        "１２",
    ]

    amounts = read_amounts(values, rejects_of(values), "amount")

    expected = [1, 2.5, 12500.5, 7, 0.1, 1000, -3, 4, np.nan, np.nan, 12]
    np.testing.assert_array_equal(amounts, expected)
    for dtype in (np.int32, np.uint64, np.float32):
        column = np.array([1, 2], dtype)
        assert read_amounts(column, rejects_of(column), "amount").tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "bad",
    [
        "12,500",
        "1_000",
        "¥500",
        "inf",
        "-Infinity",
        "nan",
        float("inf"),
        True,
        np.True_,
        10**400,
        Fraction(1, 2),
        [1],
        1j,
    ],
    ids=repr,
)
def test_an_amount_that_is_no_finite_number_is_noted(bad: object) -> None:
    values = [1, bad]
    rejects = rejects_of(values)

    amounts = read_amounts(values, rejects, "amount")

    np.testing.assert_array_equal(amounts, [1, np.nan])
    assert [(row.row, row.column, row.expected) for row in rejects.settle()] == [
        (1, "amount", NUMBER)
    ]


def test_an_infinite_amount_of_an_array_is_noted() -> None:
    values = np.array([1, np.nan, -np.inf])
    rejects = rejects_of(values)

    np.testing.assert_array_equal(read_amounts(values, rejects, "amount"), [1, np.nan, np.nan])
    assert [row.row for row in rejects.settle()] == [2]
    assert np.isinf(values[2])


# ── record numbers ────────────────────────────────────────────────────────────────────────────────

record_numbers = (
    st.integers()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False)
    | st.integers(10**18, 10**18 + 2)
)


@given(st.lists(record_numbers))
def test_ranks_are_in_the_order_of_the_numbers_without_rounding(numbers: list[Any]) -> None:
    ranks = read_order(numbers, rejects_of(numbers), "number").tolist()

    assert len(ranks) == len(numbers)
    for one, rank in zip(numbers, ranks, strict=True):
        for other, other_rank in zip(numbers, ranks, strict=True):
            assert (one < other) == (rank < other_rank)


def test_record_numbers_may_be_texts() -> None:
    values = ["10000000000000000001", "9", "9.5", "10000000000000000002", " 9 "]

    assert read_order(values, rejects_of(values), "number").tolist() == [2, 0, 1, 3, 0]


def test_integers_of_an_array_are_ranked() -> None:
    assert read_order(np.array([5, -3, 5]), rejects_of([0] * 3), "number").tolist() == [1, 0, 1]


def test_a_record_number_that_is_none_is_noted() -> None:
    values = [1, None, "", "x", float("nan"), True, "1_0"]
    rejects = rejects_of(values)

    read_order(values, rejects, "number")

    assert [(row.row, row.expected) for row in rejects.settle()] == [
        (row, "a record number") for row in range(1, 7)
    ]


# ── currencies ────────────────────────────────────────────────────────────────────────────────────

AMOUNTS = np.array([100.0, 10.0, np.nan])


def converted(
    currency: Any, rates: Any = None, rejects: Rejects | None = None
) -> tuple[list[float], str | None]:
    amounts, base = in_one_currency(
        AMOUNTS, currency, rates, rejects or rejects_of(AMOUNTS.tolist()), "currency"
    )
    return amounts.tolist()[:2], base


def test_amounts_of_one_currency_stay_as_they_are() -> None:
    assert converted(None) == ([100, 10], None)
    assert converted("CNY") == ([100, 10], "CNY")
    assert converted(["CNY", "CNY", "USD"]) == ([100, 10], "CNY")  # USD of no amount
    assert converted(["CNY", None, None]) == ([100, 10], "CNY")
    assert converted([None, None, None]) == ([100, 10], None)


def test_a_currency_of_all_is_known_where_no_amount_is() -> None:
    nothing = np.array([np.nan])

    assert in_one_currency(nothing, "CNY", None, rejects_of([0]), "currency")[1] == "CNY"


def test_amounts_of_several_currencies_need_rates() -> None:
    with pytest.raises(CurrencyError) as refusal:
        converted(["USD", "CNY", None])
    assert str(refusal.value) == (
        "currency: amounts in CNY, USD; give what one unit of each is worth by rates=, "
        "as in rates={'CNY': 1, 'USD': …}"
    )


def test_rates_make_several_currencies_one() -> None:
    rates = {"CNY": 1, "USD": Decimal("7.5")}

    assert converted(["USD", "CNY", None], rates) == ([750, 10], "CNY")
    assert converted("USD", rates) == ([750, 75], "CNY")
    assert converted("USD", {"USD": 7.5}) == ([750, 75], None)


def test_a_currency_without_a_rate_is_noted() -> None:
    rejects = rejects_of(AMOUNTS.tolist())

    converted(["USD", None, "EUR"], {"CNY": 1, "USD": 7.5}, rejects)

    assert [(row.row, row.column, row.value, row.expected) for row in rejects.settle()] == [
        (1, "currency", None, "a currency with a rate: CNY, USD")
    ]


def test_rows_that_are_no_entries_have_no_currency() -> None:
    rejects = rejects_of(AMOUNTS.tolist())
    rejects.leave_out(np.array([False, True, False]))

    assert converted(["USD", "CNY", None], None, rejects)[1] == "USD"


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "much", None])
def test_a_rate_is_a_positive_number(rate: object) -> None:
    with pytest.raises(DefinitionError) as refusal:
        converted("USD", {"USD": rate})
    assert str(refusal.value) == (
        "rates= maps currencies to what one unit of each is worth, as in {'CNY': 1, 'USD': 7.1}; "
        f"it has 'USD': {rate!r}"
    )


# ── out again ─────────────────────────────────────────────────────────────────────────────────────


def test_plain_values_have_none_where_there_is_none() -> None:
    assert to_plain(np.array([1.5, np.nan])) == [1.5, None]
    assert to_plain(np.array(["1970-01-01", "NaT"], "M8[D]"))[1] is None
    assert str(to_plain(np.array([1], "M8[us]"))[0]) == "1970-01-01 00:00:00.000001+00:00"
    assert to_plain(np.array([1, 2], np.uint8)) == [1, 2]
    assert to_plain(np.array(["a", None], object)) == ["a", None]


@given(st.lists(st.integers(-(2**40), 2**40)))
def test_integer_labels_are_the_same_in_an_array_as_in_a_list(values: list[int]) -> None:
    codes, names = read_labels(np.array(values, np.int64))
    expected_codes, expected_names = read_labels(values)

    assert names == expected_names
    assert codes.tolist() == expected_codes.tolist()
