"""Wilson's and Newcombe's intervals, beside another implementation."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics import newcombe, wilson

levels = st.floats(0.01, 0.999)


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    """Draw successes, and how many trials they are of."""
    trials = draw(st.integers(1, 20) | st.integers(1, 10**12))
    return draw(st.integers(0, trials) | st.sampled_from([0, trials])), trials


@given(counts(), levels)
@example((0, 1), 0.95)
@example((1, 1), 0.95)
@example((20, 203), 0.95)
def test_it_agrees_with_statsmodels(count: tuple[int, int], level: float) -> None:
    successes, trials = count
    found = wilson(successes, trials, level)

    expected = proportion_confint(successes, trials, alpha=1 - level, method="wilson")
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_it_broadcasts() -> None:
    successes = np.arange(4)[:, None]
    trials = np.array([3, 5, 1000])

    low, high = wilson(successes, trials)

    assert low.shape == high.shape == (4, 3)
    for row in range(4):
        for column in range(3):
            one = wilson(successes[row, 0], trials[column])
            assert (low[row, column], high[row, column]) == one
    expected = proportion_confint(*np.broadcast_arrays(successes, trials), method="wilson")
    np.testing.assert_allclose((low, high), expected, rtol=1e-12, atol=1e-12)


@given(counts(), levels)
def test_it_contains_the_share_and_stays_within_its_bounds(
    count: tuple[int, int], level: float
) -> None:
    successes, trials = count
    low, high = wilson(successes, trials, level)

    assert 0 <= low <= successes / trials <= high <= 1
    assert (low == 0) == (successes == 0)
    assert (high == 1) == (successes == trials)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(2, 100), levels)
def test_more_trials_of_the_same_share_narrow_it(
    successes: int, failures: int, times: int, level: float
) -> None:
    few = wilson(successes, successes + failures, level)
    many = wilson(times * successes, times * (successes + failures), level)

    assert few[0] < many[0] < many[1] < few[1]


@given(counts(), levels, levels)
def test_more_confidence_widens_it(count: tuple[int, int], a: float, b: float) -> None:
    narrow, wide = (wilson(*count, level) for level in sorted((a, b)))

    assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


@given(counts(), levels)
def test_successes_and_failures_are_mirror_images(count: tuple[int, int], level: float) -> None:
    successes, trials = count
    low, high = wilson(successes, trials, level)
    mirrored = wilson(trials - successes, trials, level)

    np.testing.assert_allclose((1 - high, 1 - low), mirrored, rtol=0, atol=1e-12)


def test_without_trials_nothing_is_known() -> None:
    low, high = wilson([0, 0, 1], [0, 2, 1])

    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False, False]
    assert wilson([], [])[0].shape == (0,)


def test_the_highest_of_levels_has_an_interval() -> None:
    low, high = wilson(1, 2, math.nextafter(1, 0))

    assert 0 < low < 0.05 < 0.95 < high < 1


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, math.nan])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    message = f"level= is between 0 and 1, as in 0.95, not {level!r}"
    with pytest.raises(DefinitionError, match=re.escape(message)):
        wilson(1, 2, level)


@pytest.mark.parametrize(("successes", "trials"), [(3, 2), (1, 0), (-1, 2), ([1, 3], [2, 2])])
def test_impossible_successes_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(DefinitionError, match="successes are from 0 to the number of trials"):
        wilson(successes, trials)


# ── differences ───────────────────────────────────────────────────────────────────────────────────


@given(counts(), counts(), levels)
@example((56, 70), (48, 80), 0.95)
@example((0, 10), (20, 20), 0.95)
def test_a_difference_agrees_with_statsmodels(
    count: tuple[int, int], base: tuple[int, int], level: float
) -> None:
    found = newcombe(*count, *base, level)

    expected = confint_proportions_2indep(
        *count, *base, method="newcomb", compare="diff", alpha=1 - level
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_differences_of_small_samples_are_those_of_newcombe() -> None:
    # Table II of the paper, method 10: (a) to (f).
    cases = [(56, 70, 48, 80), (9, 10, 3, 10), (6, 7, 2, 7), (5, 56, 0, 29), (0, 10, 0, 20)]
    low, high = newcombe(*np.transpose(cases))

    assert low.round(4).tolist() == [0.0524, 0.1705, 0.0582, -0.0381, -0.1611]
    assert high.round(4).tolist() == [0.3339, 0.8090, 0.8062, 0.1926, 0.2775]


@given(counts(), counts(), levels)
def test_a_difference_lies_in_its_interval_and_turns_with_its_sides(
    count: tuple[int, int], base: tuple[int, int], level: float
) -> None:
    low, high = newcombe(*count, *base, level)

    difference = count[0] / count[1] - base[0] / base[1]
    assert -1 <= low <= difference <= high <= 1
    assert newcombe(*base, *count, level) == (-high, -low)


def test_a_difference_with_nothing_is_unknown() -> None:
    low, high = newcombe([[1], [0]], [[2], [0]], [0, 3], [0, 4])

    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [[True, False], [True, True]]


def test_impossible_parts_of_a_difference_are_refused() -> None:
    with pytest.raises(DefinitionError, match="successes are from 0 to the number of trials"):
        newcombe(1, 2, 3, 2)
    with pytest.raises(DefinitionError, match="level= is between 0 and 1"):
        newcombe(1, 2, 1, 2, 95)
