"""Sums and quantiles by group, and the columns that name the groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import flow_table, loss_table, sales_cycle, stage_table, summary, win_rate
from salesfunnel.metrics.grouped import quantiles, sums
from salesfunnel.model.funnel import Funnel


@st.composite
def grouped(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Draw values, the group of each, and how many groups there are."""
    n_groups = draw(st.integers(1, 4))
    pairs = draw(st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(0, n_groups - 1))))
    values = np.array([value for value, _ in pairs], float)
    return values, np.array([group for _, group in pairs], np.int64), n_groups


@given(grouped(), st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_quantiles_are_those_of_numpy(
    case: tuple[NDArray[np.float64], NDArray[np.int64], int], levels: list[float]
) -> None:
    values, group, n_groups = case
    found = quantiles(values, group, n_groups, levels)

    assert found.shape == (n_groups, len(levels))
    for index in range(n_groups):
        members = values[group == index]
        if len(members):
            expected = np.quantile(members, levels)
            scale = np.abs(members).max()
            np.testing.assert_allclose(found[index], expected, rtol=1e-12, atol=1e-12 * scale)
        else:
            assert np.isnan(found[index]).all()


def test_one_level_is_as_good_as_several() -> None:
    found = quantiles(np.array([1.0, 2.0, 4.0]), np.array([0, 0, 2]), 3, 0.5)

    np.testing.assert_array_equal(found, [[1.5], [np.nan], [4]])


@given(grouped(), st.integers(0))
def test_sums_do_not_depend_on_the_order(
    case: tuple[NDArray[np.float64], NDArray[np.int64], int], seed: int
) -> None:
    values, group, n_groups = case
    order = np.random.default_rng(seed).permutation(len(values))
    found = sums(values, group, n_groups)

    np.testing.assert_array_equal(found, sums(values[order], group[order], n_groups))
    for index in range(n_groups):
        expected = values[group == index].sum()
        np.testing.assert_allclose(found[index], expected, rtol=1e-9, atol=1e-3)


def test_what_is_unknown_adds_nothing() -> None:
    found = sums(np.array([1.5, np.nan, 2.0, np.nan]), np.array([0, 0, 2, 1]), 3)

    assert found.tolist() == [1.5, 0, 2]
    assert sums(np.zeros(0), np.zeros(0, np.int64), 2).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (stage_table, "open"),
        (win_rate, "value"),
        (loss_table, "reason"),
        (sales_cycle, "deals"),
        (summary, "won"),
        (flow_table, "from"),
    ],
)
def test_an_attribute_cannot_hide_a_column(metric: object, name: str) -> None:
    log = StageLog.from_columns(
        Funnel(["lead"]),
        opportunity=["A"],
        stage=["lead"],
        entered_at=["2026-01-01"],
        attributes={name: ["x"]},
        tz="UTC",
    )
    assert callable(metric)

    with pytest.raises(DefinitionError, match=f"by='{name}': the table has a column of that name"):
        metric(log, by=name)
