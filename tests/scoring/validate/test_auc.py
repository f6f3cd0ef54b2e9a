"""The area under the ROC curve, beside scikit-learn and beside the definitions, slowly."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scoring.scored import Scored, scored
from sklearn.metrics import roc_auc_score

from salesfunnel.errors import DataError, DefinitionError, OutcomeError
from salesfunnel.scoring import compare_auc, roc_auc


def kernel(scores: NDArray[np.float64], won: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Every pair of a won and a lost lead: 1 if the won one scores higher, 0.5 if they tie."""
    a, b = scores[won][:, None], scores[~won]
    return np.asarray((a > b) + (a == b) / 2)


def delong(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """DeLong's covariance of two areas from their kernels, as the paper writes it."""
    won = np.cov(first.mean(axis=1), second.mean(axis=1))[0, 1] / first.shape[0]
    lost = np.cov(first.mean(axis=0), second.mean(axis=0))[0, 1] / first.shape[1]
    return float(won + lost)


# ── the area ──────────────────────────────────────────────────────────────────────────────────────


@given(scored())
def test_the_area_is_that_of_scikit_learn(data: Scored) -> None:
    auc = roc_auc(data.scores, data.won)

    assert auc.value == pytest.approx(roc_auc_score(data.won, data.scores), abs=1e-12, rel=0)
    assert auc.n_won == np.count_nonzero(data.won)
    assert auc.n_won + auc.n_lost == len(data.won)
    assert 0 <= auc.low <= auc.value <= auc.high <= 1


def test_it_is_that_of_scikit_learn_for_many_leads() -> None:
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 300, 100_000) / 3
    won = rng.random(100_000) < scores / 150

    assert abs(roc_auc(scores, won).value - roc_auc_score(won, scores)) < 1e-12


@given(scored(least=2))
def test_its_variance_is_that_of_the_paper(data: Scored) -> None:
    pairs = kernel(data.scores, data.won)

    auc = roc_auc(data.scores, data.won)

    assert auc.standard_error**2 == pytest.approx(delong(pairs, pairs), abs=1e-12)


@given(scored(), st.randoms(use_true_random=False))
def test_the_order_of_leads_and_the_scale_decide_nothing(data: Scored, random: Any) -> None:
    order = list(range(len(data.won)))
    random.shuffle(order)
    auc = roc_auc(data.scores, data.won)

    shuffled = roc_auc(np.exp(data.scores / 50)[order], data.won[order])

    assert shuffled.value == auc.value
    assert (shuffled.low, shuffled.high) == pytest.approx((auc.low, auc.high), abs=1e-12)


@given(scored())
def test_the_scores_upside_down_give_the_rest_to_one(data: Scored) -> None:
    auc, mirrored = roc_auc(data.scores, data.won), roc_auc(-data.scores, data.won)

    assert mirrored.value == pytest.approx(1 - auc.value, abs=1e-12)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((auc.low, auc.high), abs=1e-9)


def test_by_hand() -> None:
    """Of 2 × 3 pairs the won lead is ahead in 5, and in 1 they tie."""
    auc = roc_auc([80, 65, 65, 40, 30], [True, True, False, False, False])

    # Placements: won 1 and 5/6; lost 3/4, 1 and 1.
    variance = (1 / 12) ** 2 * 2 / 2 + ((1 / 6) ** 2 + 2 * (1 / 12) ** 2) / 2 / 3
    half = 1.959963984540054 * math.sqrt(variance) / (11 / 12 * 1 / 12)
    assert auc.value == 11 / 12
    assert auc.standard_error == pytest.approx(math.sqrt(variance), rel=1e-12)
    bounds = [1 / (1 + math.exp(-math.log(11) - sign * half)) for sign in (-1, 1)]
    assert (auc.low, auc.high) == pytest.approx(tuple(bounds), rel=1e-12)


# ── the interval ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("scores", "value"), [([3, 4, 1, 2], 1.0), ([1, 2, 3, 4], 0.0), ([5, 5, 5, 5], 0.5)]
)
def test_an_order_without_variance_is_not_certain(scores: list[float], value: float) -> None:
    """A perfect order of four leads proves little; the bounds solve Newcombe's equation."""
    auc = roc_auc(scores, [True, True, False, False])

    assert auc.value == value
    assert auc.standard_error == 0
    for bound in {auc.low, auc.high} - {0.0, 1.0}:
        spread = 1 + (1 - bound) / (2 - bound) + bound / (1 + bound)
        variance = bound * (1 - bound) * spread / 4
        assert (bound - value) ** 2 == pytest.approx(1.959963984540054**2 * variance, rel=1e-9)
    assert (auc.low == 0, auc.high == 1) == (value == 0, value == 1)
    assert auc.high - auc.low > 0.5


def test_a_single_won_lead_has_an_interval_but_no_variance() -> None:
    auc = roc_auc([3, 4, 1, 2], [False, True, False, False])

    assert math.isnan(auc.standard_error)
    assert auc.low < 0.5 < auc.value == auc.high == 1


@given(scored(), st.floats(0.01, 0.98))
def test_more_confidence_widens_it(data: Scored, level: float) -> None:
    narrow = roc_auc(data.scores, data.won, level=level)
    wide = roc_auc(data.scores, data.won, level=level + 0.01)

    assert wide.low <= narrow.low <= narrow.high <= wide.high
    assert narrow.level == level


def test_it_covers_the_true_area_about_as_often_as_it_says() -> None:
    """Won leads score N(1, 1) and lost ones N(0, 1): the true area is Φ(1/√2)."""
    rng = np.random.default_rng(7)
    won = np.arange(120) < 40
    truth = 0.5 * (1 + math.erf(0.5))
    intervals = [roc_auc(rng.standard_normal(120) + won, won) for _ in range(1000)]

    covered = sum(auc.low <= truth <= auc.high for auc in intervals)

    assert 930 <= covered <= 970


# ── two scores ────────────────────────────────────────────────────────────────────────────────────


@given(scored(least=2), st.integers(0, 2**32))
def test_a_difference_has_the_variance_of_the_paper(data: Scored, seed: int) -> None:
    other = np.random.default_rng(seed).integers(0, 9, len(data.won)) + data.scores / 10
    a, b = kernel(data.scores, data.won), kernel(other, data.won)

    found = compare_auc(data.scores, other, data.won)

    assert found.first == roc_auc(data.scores, data.won)
    assert found.second == roc_auc(other, data.won)
    assert found.value == pytest.approx(b.mean() - a.mean(), abs=1e-12)
    variance = delong(a, a) + delong(b, b) - 2 * delong(a, b)
    assert found.standard_error**2 == pytest.approx(variance, abs=1e-12)
    if found.standard_error > 1e-6:
        assert found.low <= found.value <= found.high
        outside = found.low > 0 or found.high < 0
        assert outside == (found.p_value < 0.05)


def test_scores_of_one_order_do_not_differ() -> None:
    won = [True, False, True, False, False]
    found = compare_auc([5, 4, 3, 2, 1], [50, 40, 30, 20, 10], won)

    assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_a_perfect_order_beside_none_has_no_known_variance() -> None:
    found = compare_auc([1, 1, 1, 1], [4, 3, 2, 1], [True, True, False, False])

    assert found.value == 0.5
    assert all(map(math.isnan, (found.low, found.high, found.p_value)))


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([True, True], "outcomes: all 2 are won; to tell one from the other takes leads that were"),
        ([0, 0], "outcomes: all 2 are lost; to tell one from the other takes leads that were"),
    ],
)
def test_outcomes_that_are_all_equal_are_refused(outcomes: list[bool], message: str) -> None:
    with pytest.raises(OutcomeError, match=re.escape(message)):
        roc_auc([1, 2], outcomes)


def test_no_leads_are_refused() -> None:
    with pytest.raises(OutcomeError, match="outcomes: there are none; to tell one"):
        roc_auc([], [])


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "9"])
def test_a_score_that_is_no_number_is_refused_with_its_row(value: Any) -> None:
    message = rf"scores has 1 value that cannot be used:\n  row 1, scores: {value!r}, expected a fi"
    with pytest.raises(DataError, match=message) as caught:
        roc_auc([1, value, 3], [True, False, True])

    assert caught.value.rows[0].row == 1


@pytest.mark.parametrize("value", [math.nan, 2, -1, None, "won"])
def test_an_outcome_that_is_none_is_refused_with_its_row(value: Any) -> None:
    message = r"row 2, outcomes: .*, expected True \(won\) or False \(lost\); leave out the undecid"
    with pytest.raises(DataError, match=message):
        roc_auc([1, 2, 3], [True, False, value])


def test_the_first_twenty_rows_are_listed() -> None:
    with pytest.raises(DataError, match="scores has 25 values that cannot be used:") as caught:
        roc_auc([math.nan] * 25, [True] * 25)

    assert (len(caught.value.rows), caught.value.more) == (20, 5)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(DataError, match="scores has 3 rows and outcomes 2; there must be one of"):
        roc_auc([1, 2, 3], [True, False])
    with pytest.raises(DataError, match="second has 3 rows and outcomes 2; there must be one of"):
        compare_auc([1, 2], [1, 2, 3], [True, False])
    with pytest.raises(DefinitionError, match="scores is a list or a one-dimensional array"):
        roc_auc(np.zeros((2, 2)), [True, False])


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(DefinitionError, match=r"level= is between 0 and 1, as in 0\.95"):
        roc_auc([1, 2], [True, False], level=level)
    with pytest.raises(DefinitionError, match=r"level= is between 0 and 1, as in 0\.95"):
        compare_auc([1, 2], [1, 2], [True, False], level=level)


def test_outcomes_may_be_numbers_and_objects() -> None:
    expected = roc_auc([1, 2, 3, 4], [True, False, True, False])

    assert roc_auc([1, 2, 3, 4], [1, 0, 1, 0]) == expected
    assert roc_auc([1, 2, 3, 4], np.array([1.0, 0.0, 1.0, 0.0])) == expected
    assert roc_auc([1, 2, 3, 4], np.array([True, False, 1, 0.0], object)) == expected
    assert roc_auc(np.array([1, 2, 3, 4], object), [1, 0, 1, 0]) == expected
