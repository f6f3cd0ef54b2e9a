"""Scores made into probabilities, beside scikit-learn."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scoring.scored import Scored, scored
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

from salesfunnel.errors import DataError, DefinitionError, MissingExtraError, OutcomeError
from salesfunnel.scoring import (
    CalibratedModel,
    IsotonicCalibration,
    PlattCalibration,
    brier_score,
    calibrate,
    fit_isotonic,
    fit_logistic,
    fit_naive_bayes,
    fit_platt,
    load_model,
)


@given(scored())
def test_isotonic_is_that_of_scikit_learn_and_never_falls(data: Scored) -> None:
    calibration = fit_isotonic(data.scores, data.won)

    asked = np.linspace(data.scores.min() - 5, data.scores.max() + 5, 50)
    other = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    other.fit(data.scores, data.won.astype(float))
    found = calibration.probability(asked)
    np.testing.assert_allclose(found, other.predict(asked), rtol=0, atol=1e-12)
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


@settings(max_examples=20)
@given(scored())
def test_platt_is_that_of_scikit_learn(data: Scored) -> None:
    calibration = fit_platt(data.scores, data.won)

    if np.ptp(data.scores) == 0:
        assert calibration.slope == 0
        return
    slope, intercept = _sigmoid_calibration(data.scores, data.won.astype(float))
    expected = 1 / (1 + np.exp(slope * data.scores + intercept))
    np.testing.assert_allclose(calibration.probability(data.scores), expected, atol=1e-4)


@given(scored())
def test_platt_fits_its_targets_best(data: Scored) -> None:
    """The two derivatives of the loss are zero."""
    n_won = np.count_nonzero(data.won)
    target = np.where(data.won, (n_won + 1) / (n_won + 2), 1 / (len(data.won) - n_won + 2))

    residual = fit_platt(data.scores, data.won).probability(data.scores) - target

    assert abs(residual.sum()) < 1e-7 * len(target)
    scale = 1 + np.abs(data.scores).max()
    assert abs(residual @ data.scores) < 1e-6 * len(target) * scale


def test_scores_that_are_all_equal_give_the_rate() -> None:
    calibration = fit_platt([5, 5, 5, 5], [1, 0, 0, 0])

    assert calibration.slope == 0
    assert calibration.probability([5, 9]) == pytest.approx([(2 / 3 + 3 / 5) / 4] * 2)


def test_a_score_that_is_upside_down_has_a_slope_below_zero() -> None:
    assert fit_platt([1, 2, 3, 4], [1, 1, 0, 0]).slope < 0


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_calibration_mends_a_model_that_is_too_sure(method: str) -> None:
    """The same label ten times over makes naive Bayes ten times as sure."""
    rng = np.random.default_rng(2)
    label = np.array(["a", "b"])[rng.integers(0, 2, 3000)]
    features = {f"f{i}": label for i in range(10)}
    won = rng.random(3000) < np.where(label == "a", 0.6, 0.4)
    past, future = slice(0, 1500), slice(1500, 3000)

    def part(rows: slice) -> dict[str, Any]:
        return {name: column[rows] for name, column in features.items()}

    model = fit_naive_bayes(part(past), won[past])
    calibrated = calibrate(model, part(future), won[future], method=method)

    before = brier_score(model.probability(part(future)), won[future])
    after = brier_score(calibrated.probability(part(future)), won[future])
    assert before.reliability > 0.1
    assert after.reliability < 1e-3
    np.testing.assert_array_equal(
        calibrated.score(part(future)), 100 * calibrated.probability(part(future))
    )


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_calibrated_models_are_saved_as_plain_data(method: str) -> None:
    features, won = {"x": ["a", "b", "a", "c"] * 5}, [True, False, False, True] * 5
    for fit in (fit_naive_bayes, fit_logistic):
        model = calibrate(fit(features, won), features, won, method=method)

        data = json.loads(json.dumps(model.to_dict()))

        assert load_model(data) == CalibratedModel.from_dict(data) == model
        assert load_model(data["calibration"]) == model.calibration


def test_a_level_that_was_never_seen_may_be_ignored() -> None:
    model = fit_naive_bayes({"x": ["a", "b", "a"]}, [True, False, False])
    calibrated = calibrate(model, {"x": ["a", "z"]}, [True, False], unknown="ignore")

    assert 0 < calibrated.probability({"x": ["z"]}, unknown="ignore")[0] < 1


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_what_cannot_be_learnt_from_is_refused(fit: Any) -> None:
    with pytest.raises(OutcomeError, match="outcomes: all 2 are won"):
        fit([1, 2], [True, True])
    with pytest.raises(DataError, match="row 1, scores: nan, expected a finite number"):
        fit([1, math.nan], [True, False])
    with pytest.raises(DataError, match="row 0, scores: nan, expected a finite number"):
        fit([1, 2], [True, False]).probability([math.nan])


def test_another_method_is_refused() -> None:
    model = fit_naive_bayes({"x": ["a", "b"]}, [True, False])
    with pytest.raises(DefinitionError, match="method= is one of platt, isotonic, not 'beta'"):
        calibrate(model, {"x": ["a", "b"]}, [True, False], method="beta")


def test_isotonic_needs_scikit_learn_and_platt_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.isotonic", None)

    assert fit_platt([1, 2, 3], [0, 1, 1]).slope > 0
    with pytest.raises(
        MissingExtraError, match="isotonic calibration needs an optional dependency"
    ):
        fit_isotonic([1, 2], [0, 1])


def test_damaged_data_is_refused() -> None:
    with pytest.raises(
        DefinitionError, match="a saved model has a kind, one of logistic, naive_ba"
    ):
        load_model({"kind": "forest"})
    with pytest.raises(DefinitionError, match=r"a saved model has a kind, .* this has None"):
        load_model({})
    with pytest.raises(DefinitionError, match="'platt' has no 'slope'"):
        PlattCalibration.from_dict({"kind": "platt"})
    with pytest.raises(DefinitionError, match="no saved model of the kind 'isotonic', but 'platt'"):
        IsotonicCalibration.from_dict({"kind": "platt"})
    platt = {"kind": "platt", "slope": 1.0, "intercept": 0.0}
    with pytest.raises(DefinitionError, match="a saved calibrated model is of a model and a calib"):
        load_model({"kind": "calibrated", "model": platt, "calibration": platt})
