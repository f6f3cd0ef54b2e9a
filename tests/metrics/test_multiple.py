"""P-values and their adjustment, beside other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics import benjamini_hochberg, two_sided_p

p_values = st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.05, 1.0])


@given(st.lists(st.floats(-40, 40), min_size=1))
def test_p_values_are_those_of_the_normal_distribution(z: list[float]) -> None:
    np.testing.assert_allclose(two_sided_p(z), 2 * norm.sf(np.abs(z)), rtol=1e-9, atol=1e-300)


def test_p_values_keep_the_shape_and_what_is_unknown() -> None:
    found = two_sided_p([[0.0, math.nan], [math.inf, -math.inf]])

    np.testing.assert_array_equal(found, [[1, math.nan], [0, 0]])
    assert found.dtype == np.float64
    assert two_sided_p([]).shape == (0,)


@given(st.lists(p_values, min_size=1))
def test_the_adjustment_agrees_with_statsmodels(p: list[float]) -> None:
    expected = multipletests(p, method="fdr_bh")[1]

    np.testing.assert_allclose(benjamini_hochberg(p), expected, rtol=1e-12, atol=0)


@given(st.lists(st.none() | p_values, min_size=1))
def test_what_is_no_test_does_not_count_and_order_does_not_matter(p: list[float | None]) -> None:
    given = np.array([math.nan if value is None else value for value in p])
    tests = ~np.isnan(given)
    found = benjamini_hochberg(given)

    assert np.isnan(found[~tests]).all()
    np.testing.assert_array_equal(found[tests], benjamini_hochberg(given[tests]))
    order = np.argsort(given)[::-1]
    np.testing.assert_array_equal(benjamini_hochberg(given[order]), found[order])
    assert (found[tests] >= given[tests]).all()
    assert (found[tests] <= 1).all()


def test_each_line_is_a_family_of_its_own() -> None:
    lines = np.array([[0.01, 0.04, math.nan], [0.5, 0.5, 0.5]])

    found = benjamini_hochberg(lines)

    np.testing.assert_array_equal(found, [[0.02, 0.04, math.nan], [0.5, 0.5, 0.5]])
    assert benjamini_hochberg([]).shape == (0,)
    assert benjamini_hochberg(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("p", [-0.1, 1.5, math.inf])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    with pytest.raises(DefinitionError, match=r"p-values are in \[0, 1\]"):
        benjamini_hochberg([0.5, p])
