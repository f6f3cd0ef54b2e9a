"""Tails of distributions, beside those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics.distributions import chi2_sf

whole = st.integers(1, 5_000).map(float)
freedoms = whole | st.floats(1e-3, 50, allow_subnormal=False)
ratios = st.floats(1e-6, 20) | st.floats(0.9, 1.1)
"""The statistic, as a multiple of its mean."""


@given(st.lists(st.tuples(freedoms, ratios), min_size=1, max_size=8))
def test_the_tail_of_chi_square_is_that_of_scipy(cases: list[tuple[float, float]]) -> None:
    df, ratio = np.array(cases).T
    expected = stats.chi2.sf(df * ratio, df)

    assert_allclose(chi2_sf(df * ratio, df), expected, rtol=1e-9, atol=1e-280)


def test_many_degrees_of_freedom_at_once() -> None:
    df = np.arange(1, 400)[:, None]
    statistic = np.concatenate([np.linspace(0.01, 30, 40), np.linspace(31, 900, 40)])

    assert_allclose(chi2_sf(statistic, df), stats.chi2.sf(statistic, df), rtol=1e-10, atol=1e-290)
    assert_allclose(chi2_sf(62_500, 62_500), stats.chi2.sf(62_500, 62_500), rtol=1e-10)


@given(freedoms, st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_larger_statistic_has_a_smaller_tail(df: float, one: float, other: float) -> None:
    tails = chi2_sf(sorted([one, other]), df)

    assert (tails >= 0).all()
    assert (tails <= 1).all()
    assert tails[1] <= tails[0] * (1 + 1e-12)


def test_the_ends_are_exact_and_the_unknown_stays_unknown() -> None:
    assert chi2_sf([0, -1, np.inf, 1e6], 3).tolist() == [1, 1, 0, 0]
    assert np.isnan(chi2_sf([np.nan, 0, 4], [1, 0, 0])).all()
    assert chi2_sf(5e-324, [1, 40]).tolist() == [1, 1]
    assert chi2_sf(np.zeros((2, 0)), 1).shape == (2, 0)
    assert chi2_sf(2.0, 2).shape == ()


@pytest.mark.parametrize("df", [-1, np.nan, np.inf])
def test_degrees_of_freedom_are_counted_from_zero(df: float) -> None:
    with pytest.raises(DefinitionError, match="finite number of degrees of freedom, 0 or more"):
        chi2_sf(1, df)
