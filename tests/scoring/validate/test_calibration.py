"""Probabilities beside what followed, beside scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring.scored import Scored, scored
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from salesfunnel.errors import DataError, DefinitionError, OutcomeError
from salesfunnel.metrics import wilson
from salesfunnel.scoring import brier_score, calibration_table, log_loss

forecasts = scored(probabilities=True)
strategies = st.sampled_from(["uniform", "quantile"])
n_bins = st.integers(1, 12)


@given(forecasts, n_bins, strategies)
def test_the_calibration_table_is_that_of_scikit_learn(
    data: Scored, bins: int, strategy: str
) -> None:
    table = calibration_table(data.scores, data.won, bins=bins, strategy=strategy)

    followed, given_mean = calibration_curve(data.won, data.scores, n_bins=bins, strategy=strategy)
    np.testing.assert_allclose(table["value"], followed, rtol=0, atol=1e-12)
    np.testing.assert_allclose(table["mean_probability"], given_mean, rtol=0, atol=1e-12)
    assert table["denominator"].sum() == len(data.won)
    assert table["numerator"].sum() == np.count_nonzero(data.won)
    low, high = wilson(table["numerator"], table["denominator"])
    np.testing.assert_array_equal(table["low"], low)
    np.testing.assert_array_equal(table["high"], high)
    np.testing.assert_array_equal(table["gap"], table["value"] - table["mean_probability"])
    mean = table["mean_probability"]
    assert table["agrees"].tolist() == ((low <= mean) & (mean <= high)).tolist()
    assert (mean >= table["probability_low"] - 1e-12).all()
    assert (mean <= table["probability_high"] + 1e-12).all()


@given(forecasts, st.none() | n_bins, strategies)
def test_the_brier_score_is_that_of_scikit_learn_and_the_sum_of_its_parts(
    data: Scored, bins: int | None, strategy: str
) -> None:
    brier = brier_score(data.scores, data.won, bins=bins, strategy=strategy)

    expected = brier_score_loss(data.won, data.scores)
    assert brier.value == pytest.approx(expected, abs=1e-12, rel=0)
    parts = brier.reliability - brier.resolution + brier.uncertainty + brier.within
    assert parts == pytest.approx(brier.value, abs=1e-12, rel=0)
    base = data.won.mean()
    assert brier.uncertainty == pytest.approx(base * (1 - base), abs=1e-12)
    assert brier.skill == pytest.approx(1 - brier.value / brier.uncertainty, abs=1e-12)
    assert brier.low <= brier.value <= brier.high
    if bins is None:
        assert brier.within == 0


@given(forecasts)
def test_the_log_loss_is_that_of_scikit_learn(data: Scored) -> None:
    expected = sklearn_log_loss(data.won, data.scores)

    assert log_loss(data.scores, data.won) == pytest.approx(expected, abs=1e-12, rel=1e-12)


def test_the_decomposition_by_hand() -> None:
    """0.8 is followed by half won and 0.2 by none."""
    brier = brier_score([0.8, 0.8, 0.2, 0.2], [True, False, False, False])

    assert brier.value == pytest.approx((0.04 + 0.64 + 0.04 + 0.04) / 4)
    assert brier.reliability == pytest.approx((0.3**2 + 0.2**2) / 2)
    assert brier.resolution == pytest.approx(0.25**2)
    assert brier.uncertainty == pytest.approx(0.25 * 0.75)


def test_probabilities_of_whole_classes_are_reliable() -> None:
    brier = brier_score([0.5, 0.5, 0.25, 0.25, 0.25, 0.25], [1, 0, 1, 0, 0, 0])

    assert brier.reliability == 0
    assert brier.skill == pytest.approx(brier.resolution / brier.uncertainty)


def test_outcomes_that_are_all_equal_have_no_skill_but_a_brier_score() -> None:
    brier = brier_score([0.5], [True])

    assert brier.value == 0.25
    assert all(map(math.isnan, (brier.skill, brier.low, brier.high)))
    assert log_loss([0.5], [True]) == pytest.approx(math.log(2))


def test_a_lead_that_was_given_no_chance_does_not_make_the_loss_infinite() -> None:
    assert log_loss([0.0, 1.0], [True, True]) == pytest.approx(26 * math.log(2))


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("function", [brier_score, log_loss, calibration_table])
def test_what_cannot_be_judged_is_refused(function: Any) -> None:
    message = r"row 1, probabilities: 40.0, expected a probability, from 0 to 1 \(divide a score of"
    with pytest.raises(DataError, match=message):
        function([0.4, 40], [True, False])
    with pytest.raises(DataError, match="row 0, probabilities: nan, expected a finite number"):
        function([math.nan, 0.4], [True, False])
    with pytest.raises(DataError, match="probabilities has 1 rows and outcomes 2"):
        function([0.4], [True, False])
    with pytest.raises(OutcomeError, match="outcomes: there are none"):
        function([], [])


def test_a_table_takes_both_outcomes() -> None:
    with pytest.raises(OutcomeError, match="outcomes: all 2 are lost"):
        calibration_table([0.4, 0.6], [False, False])


@pytest.mark.parametrize("function", [brier_score, calibration_table])
def test_arguments_of_another_form_are_refused(function: Any) -> None:
    with pytest.raises(DefinitionError, match="bins= is a number of bins, 1 or more, not 0"):
        function([0.4, 0.6], [True, False], bins=0)
    message = "strategy= is one of uniform, quantile, not 'width'"
    with pytest.raises(DefinitionError, match=message):
        function([0.4, 0.6], [True, False], bins=2, strategy="width")


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"level= is between 0 and 1, as in 0\.95, not 2"):
        brier_score([0.4, 0.6], [True, False], level=2)


def test_the_level_widens_the_interval() -> None:
    narrow, wide = (brier_score([0.4, 0.7], [True, False], level=x) for x in (0.5, 0.9))

    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_interval_of_a_brier_score_stays_within_0_and_1() -> None:
    good = brier_score([0.0] * 19 + [1.0], [False] * 20)
    bad = brier_score([1.0] * 19 + [0.0], [False] * 20)

    assert good.value == pytest.approx(0.05)
    assert good.low == 0
    assert good.high == pytest.approx(0.05 + 1.959964 * (0.05 / 20) ** 0.5)
    assert bad.high == 1
    assert bad.low == pytest.approx(1 - good.high)
    alone = brier_score([0.5], [True])
    assert math.isnan(alone.low)
    assert math.isnan(alone.high)
