"""What is known of leads, in whatever form it comes."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from salesfunnel.errors import DefinitionError, FeatureError, MissingExtraError
from salesfunnel.log.labels import Labels
from salesfunnel.scoring import Features


def labels_of(features: Features, name: str) -> list[str | None]:
    column = features.column(name)
    assert isinstance(column, Labels)
    return [(*column.names, None)[code] for code in column.codes]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 3], [1, math.nan, 3]),
        ([1.5, Decimal("2.5"), ""], [1.5, 2.5, math.nan]),
        ([True, False, True], [1, 0, 1]),
        (np.array([1, 2, 3], np.int32), [1, 2, 3]),
        (np.array([1.5, np.nan, 3]), [1.5, math.nan, 3]),
        (pd.Series([1, None, 3]), [1, math.nan, 3]),
    ],
)
def test_numbers_stay_numbers(values: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(Features({"x": values}).column("x"), expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["web", None, " "], ["web", None, None]),
        (np.array(["b", "a", "b"]), ["b", "a", "b"]),
        (["a", 3, math.nan], ["a", "3", None]),
        ([None, None, ""], [None, None, None]),
        (pd.Series(["a", None, "b"]), ["a", None, "b"]),
    ],
)
def test_everything_else_is_a_label(values: Any, expected: list[str | None]) -> None:
    assert labels_of(Features({"x": values}), "x") == expected


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_dataframes_are_read(library: Any) -> None:
    frame = library({"source": ["web", None, "event"], "employees": [12.0, None, 30.0]})

    features = Features(frame)

    assert features.names == ("source", "employees")
    assert labels_of(features, "source") == ["web", None, "event"]
    np.testing.assert_array_equal(features.column("employees"), [12, math.nan, 30])


def test_rows_and_columns_are_chosen() -> None:
    features = Features({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": [0, 0, 1]})

    assert features.select("b", "a").names == ("b", "a")
    for rows, expected in (
        ([True, False, True], ["x", "z"]),
        (np.array([2, 0]), ["z", "x"]),
        (slice(1, None), ["y", "z"]),
    ):
        part = features[rows]
        assert len(part) == 2
        assert labels_of(part, "b") == expected
    assert repr(features) == "Features(3 leads: a, b, c)"
    assert Features(features).names == features.names


def test_an_array_needs_names_and_as_many_columns() -> None:
    features = Features.from_array([[1, 2], [3, 4]], ["a", "b"])

    np.testing.assert_array_equal(features.column("b"), [2, 4])
    with pytest.raises(
        FeatureError, match=r"shape \(leads, 3\), a column for each of a, b, c, not"
    ):
        Features.from_array([[1, 2], [3, 4]], ["a", "b", "c"])
    with pytest.raises(
        DefinitionError, match=r"an array goes by Features\.from_array\), not ndarra"
    ):
        Features(np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "features are columns by name, at least one; there are none"),
        ({"a": [1, 2], "b": [1]}, "features are columns of one length, not a 2, b 1"),
        ({"a": [date(2026, 1, 5)]}, "a: a time is no feature; give how long something took"),
        ({"a": np.array(["2026-01-05"], "datetime64[D]")}, "a: a time is no feature"),
        ({"a": [1.0, math.inf]}, "a has 1 value that cannot be used:\n  row 1, a: inf, expected"),
    ],
)
def test_what_is_no_feature_is_refused(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        Features(columns)


def test_a_feature_that_is_not_there_and_a_mask_of_another_length_are_refused() -> None:
    features = Features({"a": [1, 2], "b": [1, 2]})

    with pytest.raises(FeatureError, match="no feature 'c' among those given: a, b"):
        features.column("c")
    with pytest.raises(FeatureError, match="a mask is one bool for each of 2 leads"):
        features[[True]]


def test_dataframes_need_narwhals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "narwhals", None)

    with pytest.raises((MissingExtraError, DefinitionError)):
        Features(pd.DataFrame({"a": [1]}))
