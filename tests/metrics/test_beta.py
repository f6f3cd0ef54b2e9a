"""The beta distribution, beside that of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics.beta import beta_quantile, incomplete_beta

parameters = st.floats(-3, 5).map(lambda power: 10.0**power) | st.sampled_from([0.5, 1.0, 2.0])
shares = st.floats(1e-6, 1 - 1e-6)
cases = st.lists(st.tuples(parameters, parameters, shares), min_size=1, max_size=6)


@given(cases)
@example([(0.002658506310936653, 9723956.53660867, 9.881085347072516e-20)])
@example([(5.0, 16.0, 5e-324), (1e-3, 1e-3, 1e-300)])
def test_the_tail_is_that_of_scipy(drawn: list[tuple[float, float, float]]) -> None:
    a, b, x = np.array(drawn).T

    assert_allclose(incomplete_beta(a, b, x), special.betainc(a, b, x), rtol=1e-9, atol=1e-290)


@given(cases)
def test_the_tail_is_that_of_scipy_where_it_is_neither_empty_nor_full(
    drawn: list[tuple[float, float, float]],
) -> None:
    a, b, p = np.array(drawn).T
    x = special.betaincinv(a, b, p)

    assert_allclose(incomplete_beta(a, b, x), special.betainc(a, b, x), rtol=1e-9)


@given(cases)
@example([(5.0, 16.0, 1e-12), (1e5, 3.0, 1 - 1e-12)])
def test_quantiles_are_those_of_scipy(drawn: list[tuple[float, float, float]]) -> None:
    a, b, p = np.array(drawn).T

    assert_allclose(beta_quantile(p, a, b), special.betaincinv(a, b, p), rtol=1e-9, atol=1e-290)


@given(parameters, parameters, shares)
def test_quantiles_from_above_are_mirror_images(a: float, b: float, p: float) -> None:
    assert_allclose(1 - beta_quantile(1 - p, b, a), beta_quantile(p, a, b), rtol=0, atol=1e-9)


def test_the_ends_are_exact_and_the_unknown_stays_unknown() -> None:
    for ends in (beta_quantile([0, 1, np.nan], 2, 3), incomplete_beta(2, 3, [0, 1, np.nan])):
        assert_allclose(ends, [0, 1, np.nan], rtol=0, atol=0)


def test_they_broadcast() -> None:
    a, b = np.array([1, 2, 700])[:, None], np.array([0.5, 40])

    assert_allclose(beta_quantile(0.3, a, b), special.betaincinv(a, b, 0.3), rtol=1e-9)
    assert incomplete_beta(np.zeros((0, 1)) + 1, 1, 0.5).shape == (0, 1)
    assert beta_quantile(0.5, 1, 1).shape == ()


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf])
def test_parameters_are_positive(value: float) -> None:
    with pytest.raises(DefinitionError, match="a= is positive and finite"):
        beta_quantile(0.5, [1, value], 1)
    with pytest.raises(DefinitionError, match="b= is positive and finite"):
        incomplete_beta(1, value, 0.5)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_shares_are_from_0_to_1(share: float) -> None:
    with pytest.raises(DefinitionError, match="p= is from 0 to 1"):
        beta_quantile([0.5, share], 1, 1)
    with pytest.raises(DefinitionError, match="x= is from 0 to 1"):
        incomplete_beta(1, 1, share)
