"""Partial pooling, beside scipy's beta-binomial distribution."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, stats

from salesfunnel.errors import DefinitionError, SizeError
from salesfunnel.metrics import pool_rates

counts = st.integers(0, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
groups = st.lists(counts, max_size=12)


@pytest.mark.parametrize(("n_groups", "weight", "most"), [(6, 4, 12), (60, 8, 30), (40, 30, 900)])
def test_the_spread_is_where_the_likelihood_is_largest(
    n_groups: int, weight: float, most: int
) -> None:
    rng = np.random.default_rng(n_groups)
    n = rng.integers(1, most, n_groups)
    k = rng.binomial(n, rng.beta(0.3 * weight, 0.7 * weight, n_groups))
    found = pool_rates(k, n)

    def loss(logs: Any) -> float:
        return -float(stats.betabinom.logpmf(k, n, *np.exp(logs)).sum())

    start = np.log([found.successes, found.failures])
    best = optimize.minimize(
        loss, start + 0.3, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    )
    assert loss(start) == pytest.approx(best.fun, rel=1e-12)
    assert_allclose(start, best.x, atol=1e-5)
    # There the slope is zero: a little more or less of either is worse.
    for change in ([1e-3, 0], [-1e-3, 0], [0, 1e-3], [0, -1e-3]):
        assert loss(start + change) > loss(start)


def test_the_moments_are_as_their_formula_says() -> None:
    k, n = np.array([9, 1, 40, 3]), np.array([10, 10, 60, 12])
    found = pool_rates(k, n, method="moments")

    p, rest = k.sum() / n.sum(), 1 - n / n.sum()
    weight = found.successes + found.failures
    assert found.successes / weight == pytest.approx(p)
    expected = p * (1 - p) * ((1 + (n - 1) / (weight + 1)) * rest).sum()
    assert (n * (k / n - p) ** 2).sum() == pytest.approx(expected)


@given(groups, st.sampled_from(["likelihood", "moments"]), st.floats(0.5, 0.99))
@settings(max_examples=60)
def test_rates_are_what_is_believed_of_each_group(
    drawn: list[tuple[int, int]], method: str, level: float
) -> None:
    k = np.array([successes for successes, _ in drawn], np.int64)
    n = np.array([trials for _, trials in drawn], np.int64)
    found = pool_rates(k, n, method=method, level=level)

    a, b = found.successes, found.failures
    known = n > 0
    posterior = stats.beta(a + k[known], b + (n - k)[known])
    assert 0 < a < np.inf
    assert 0 < b < np.inf
    assert np.isnan(found.rate[~known]).all()
    assert_allclose(found.rate[known], posterior.mean(), rtol=1e-12)
    low, high = posterior.interval(level)
    assert_allclose(found.low[known], np.minimum(low, posterior.mean()), rtol=1e-9, atol=1e-300)
    assert_allclose(found.high[known], np.maximum(high, posterior.mean()), rtol=1e-9)
    # Each lies between its own rate and that which all have in common.
    own, common = k[known] / n[known], a / (a + b)
    assert (np.minimum(own, common) - 1e-12 <= found.rate[known]).all()
    assert (found.rate[known] <= np.maximum(own, common) + 1e-12).all()


@given(groups, st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_order_of_groups_does_not_matter(drawn: list[tuple[int, int]], random: Any) -> None:
    shuffled = list(drawn)
    random.shuffle(shuffled)
    one, other = (
        dict(zip(pairs, pool_rates(*np.array(pairs, int).reshape(-1, 2).T).rate, strict=True))
        for pairs in (drawn, shuffled)
    )

    assert_allclose([one[pair] for pair in drawn], [other[pair] for pair in drawn], rtol=1e-9)


def test_the_less_is_known_of_a_group_the_more_it_is_drawn() -> None:
    found = pool_rates([9, 90, 1, 10, 30, 3], [10, 100, 10, 100, 60, 6])
    own = np.array([0.9, 0.9, 0.1, 0.1, 0.5, 0.5])

    drawn = np.abs(found.rate - own)
    assert drawn[0] > drawn[1]
    assert drawn[2] > drawn[3]
    width = found.high - found.low
    assert width[0] > width[1]


def test_groups_alike_are_taken_as_one_and_no_more() -> None:
    k, n = np.full(10, 3), np.full(10, 10)
    for method in ("likelihood", "moments"):
        found = pool_rates(k, n, method=method)

        assert found.successes + found.failures == pytest.approx(100)
        assert_allclose(found.rate, 0.3)
        assert_allclose(found.low, stats.beta.ppf(0.025, 33, 77), rtol=1e-9)


@pytest.mark.parametrize("successes", [[0, 0], [3, 5]])
def test_where_all_or_none_succeeded_that_is_not_taken_for_certain(successes: list[int]) -> None:
    found = pool_rates(successes, [3, 5])

    assert ((found.rate > 0) & (found.rate < 1)).all()
    assert_allclose(np.abs(found.rate - np.array(successes) / [3, 5]), 0.5 / 9, atol=0.03)


def test_one_group_has_nothing_to_lean_on() -> None:
    found = pool_rates([3, 0], [4, 0])

    assert (found.successes, found.failures) == (0.5, 0.5)
    assert found.rate[0] == 3.5 / 5
    assert np.isnan(found.rate[1])
    assert pool_rates([], []).rate.shape == (0,)


def test_groups_of_one_trial_each_tell_no_spread() -> None:
    for method in ("likelihood", "moments"):
        found = pool_rates([1, 0, 1, 1], [1, 1, 1, 1], method=method)
        assert found.successes + found.failures == pytest.approx(4)


def test_groups_that_have_nothing_in_common_are_left_alone() -> None:
    for method in ("likelihood", "moments"):
        found = pool_rates([1000, 0, 1000, 0], [1000, 1000, 1000, 1000], method=method)
        assert_allclose(found.rate, [1, 0, 1, 0], atol=1e-3)


@pytest.mark.parametrize(
    ("successes", "trials", "options", "message"),
    [
        ([3], [2], {}, "successes are whole numbers from 0 to the number of trials"),
        ([-1], [2], {}, "successes are whole numbers from 0"),
        ([0.5], [2], {}, "successes are whole numbers from 0"),
        ([np.nan], [2], {}, "successes are whole numbers from 0"),
        (["1"], [2], {}, "successes and trials are whole numbers"),
        ([1, 2], [3], {}, "successes and trials are sequences of one length, not of shapes (2,)"),
        (1, 3, {}, "not of shapes (), ()"),
        ([1], [2], {"method": "stein"}, "method= is one of likelihood, moments, not 'stein'"),
        ([1], [2], {"level": 1}, "level= is between 0 and 1, as in 0.95, not 1"),
    ],
)
def test_what_cannot_be_pooled_is_refused(
    successes: Any, trials: Any, options: Any, message: str
) -> None:
    with pytest.raises(DefinitionError, match=re.escape(message)):
        pool_rates(successes, trials, **options)


def test_more_trials_than_memory_has_room_for_are_refused() -> None:
    with pytest.raises(SizeError, match="at most 100,000,000 trials, not 1,000,000,000"):
        pool_rates([1, 2], [10**9, 3])


def test_many_groups_are_pooled_at_once() -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(0, 40, 5000)
    k = rng.binomial(n, rng.beta(3, 7, 5000))
    found = pool_rates(k, n)

    assert_allclose([found.successes, found.failures], [3, 7], rtol=0.1)
    assert_array_equal(np.isnan(found.rate), n == 0)
