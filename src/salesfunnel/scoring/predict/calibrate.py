"""Scores made into probabilities that hold: Platt's way and the isotonic one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError, MissingExtraError
from salesfunnel.scoring.predict.bayes import KIND as NAIVE_BAYES
from salesfunnel.scoring.predict.bayes import NaiveBayesModel
from salesfunnel.scoring.predict.bygroup import KIND as NAIVE_BAYES_BY
from salesfunnel.scoring.predict.bygroup import NaiveBayesByModel
from salesfunnel.scoring.predict.logistic import KIND as LOGISTIC
from salesfunnel.scoring.predict.logistic import LogisticModel
from salesfunnel.scoring.predict.model import logistic
from salesfunnel.scoring.predict.saved import saved_parts
from salesfunnel.scoring.predict.solve import newton
from salesfunnel.scoring.validate.arrays import read_pair, read_scores
from salesfunnel.wording import Listed, Wording

METHODS = ("platt", "isotonic")
PLATT, ISOTONIC, CALIBRATED = "platt", "isotonic", "calibrated"


class Calibration(Protocol):
    """What makes scores into probabilities."""

    def probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities, (N,)."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""


class Model(Protocol):
    """What gives log-odds for features."""

    def log_odds(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return log-odds, (N,)."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""


@attrs.frozen
class PlattCalibration:
    """A logistic curve over the score.

    Attributes
    ----------
    slope, intercept : float
        Log-odds are slope × score + intercept. A slope below zero says that a higher score was
        followed by fewer wins.
    """

    slope: float
    intercept: float

    def probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return how likely leads of some scores are to be won, (N,).

        Raises
        ------
        DataError
            If a score is no finite number.
        """
        return logistic(self.slope * read_scores(scores) + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration as plain data, ready for JSON."""
        return {"kind": PLATT, "slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PlattCalibration:
        """Return a calibration from the plain data that `to_dict` gives.

        Raises
        ------
        DefinitionError
            If the data is not of this form.
        """
        with saved_parts(PLATT, data):
            return cls(float(data["slope"]), float(data["intercept"]))


@attrs.frozen
class IsotonicCalibration:
    """A curve over the score that never falls, straight between its points and level beyond them.

    Attributes
    ----------
    scores : tuple of float
        Ascending.
    probabilities : tuple of float
        At these scores, never falling.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return how likely leads of some scores are to be won, (N,).

        Raises
        ------
        DataError
            If a score is no finite number.
        """
        return np.asarray(np.interp(read_scores(scores), self.scores, self.probabilities))

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration as plain data, ready for JSON."""
        return {
            "kind": ISOTONIC,
            "scores": list(self.scores),
            "probabilities": list(self.probabilities),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> IsotonicCalibration:
        """Return a calibration from the plain data that `to_dict` gives.

        Raises
        ------
        DefinitionError
            If the data is not of this form.
        """
        with saved_parts(ISOTONIC, data):
            return cls(tuple(map(float, data["scores"])), tuple(map(float, data["probabilities"])))


@attrs.frozen
class CalibratedModel:
    """A model whose log-odds were made into probabilities that hold.

    Attributes
    ----------
    model : LogisticModel, NaiveBayesModel or NaiveBayesByModel
    calibration : PlattCalibration or IsotonicCalibration
        Over the log-odds of the model.
    """

    model: Model
    calibration: Calibration

    def probability(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return how likely leads are to be won, (N,); arguments and errors are the model's."""
        return self.calibration.probability(self.model.log_odds(features, unknown=unknown))

    def score(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return 100 times the probability, (N,); arguments and errors are the model's."""
        return 100 * self.probability(features, unknown=unknown)

    def to_dict(self) -> dict[str, Any]:
        """Return model and calibration as plain data, ready for JSON."""
        return {
            "kind": CALIBRATED,
            "model": self.model.to_dict(),
            "calibration": self.calibration.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CalibratedModel:
        """Return a model from the plain data that `to_dict` gives.

        Raises
        ------
        DefinitionError
            If the data is not of this form.
        """
        with saved_parts(CALIBRATED, data):
            model, calibration = load_model(data["model"]), load_model(data["calibration"])
        if not isinstance(
            model, (LogisticModel, NaiveBayesModel, NaiveBayesByModel)
        ) or not isinstance(calibration, (PlattCalibration, IsotonicCalibration)):
            raise DefinitionError("a saved calibrated model is of a model and a calibration")
        return cls(model, calibration)


Learnt = LogisticModel | NaiveBayesModel | NaiveBayesByModel
Saved = Learnt | CalibratedModel | PlattCalibration | IsotonicCalibration


def fit_platt(scores: ArrayLike, outcomes: ArrayLike) -> PlattCalibration:
    """Make scores into probabilities by a logistic curve.

    Take leads that the score was not learnt from. Two numbers are learnt, so a hundred leads will
    do.

    Parameters
    ----------
    scores : (N,) array-like of numbers
        Of any scale.
    outcomes : (N,) array-like of bool
        Whether each lead was won.

    Returns
    -------
    PlattCalibration

    Raises
    ------
    DataError
        If a score is no finite number, an outcome none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.

    Notes
    -----
    J. C. Platt (1999), "Probabilistic outputs for support vector machines", in Advances in Large
    Margin Classifiers, 61–74: the outcomes are taken as (won + 1) / (won + 2) and 1 / (lost + 2),
    so that scores which separate them do not lead to certainty.

    Examples
    --------
    >>> calibration = fit_platt([10, 20, 30, 40, 50, 60], [0, 0, 1, 0, 1, 1])
    >>> calibration.probability([15, 55]).round(2)
    array([0.26, 0.74])
    """
    values = read_scores(scores)
    won = read_pair(values, outcomes)
    n_won = np.count_nonzero(won)
    target = np.where(won, (n_won + 1) / (n_won + 2), 1 / (len(won) - n_won + 2))
    mean, spread = values.mean(), values.std()
    if spread == 0:
        share = target.mean()
        return PlattCalibration(0.0, float(np.log(share / (1 - share))))
    standard = ((values - mean) / spread)[:, None]
    intercept, slope = newton(standard, target, 0.0, np.zeros(1, bool), 200)
    return PlattCalibration(float(slope[0] / spread), float(intercept - slope[0] * mean / spread))


def fit_isotonic(scores: ArrayLike, outcomes: ArrayLike) -> IsotonicCalibration:
    """Make scores into probabilities by the rate that followed, wherever it does not fall.

    Take leads that the score was not learnt from, and some thousand of them: the curve has as many
    steps as the outcomes support.

    Parameters
    ----------
    scores : (N,) array-like of numbers
        Of any scale.
    outcomes : (N,) array-like of bool
        Whether each lead was won.

    Returns
    -------
    IsotonicCalibration

    Raises
    ------
    DataError
        If a score is no finite number, an outcome none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    MissingExtraError
        If scikit-learn is not installed.

    Notes
    -----
    B. Zadrozny and C. Elkan (2002), "Transforming classifier scores into accurate multiclass
    probability estimates", KDD 2002, 694–699.

    Examples
    --------
    >>> calibration = fit_isotonic([10, 20, 30, 40], [0, 1, 0, 1])
    >>> calibration.probability([5, 20, 25, 35]).round(2)
    array([0.  , 0.5 , 0.5 , 0.75])
    """
    values = read_scores(scores)
    won = read_pair(values, outcomes)
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise MissingExtraError(Wording("isotonic calibration"), "predict") from error
    curve = IsotonicRegression(y_min=0, y_max=1).fit(values, won.astype(np.float64))
    return IsotonicCalibration(
        tuple(map(float, curve.X_thresholds_)), tuple(map(float, curve.y_thresholds_))
    )


def calibrate(
    model: Learnt,
    features: Any,
    outcomes: ArrayLike,
    *,
    method: str = "platt",
    unknown: str = "error",
) -> CalibratedModel:
    """Return a model whose probabilities hold, for leads that it was not learnt from.

    Parameters
    ----------
    model : LogisticModel, NaiveBayesModel or NaiveBayesByModel
    features : mapping, dataframe, Features, or (N, features) array of numbers
        Of leads that the model was not learnt from, decided later than those.
    outcomes : (N,) array-like of bool
        Whether each of them was won.
    method : {"platt", "isotonic"}
        A logistic curve over the log-odds, or any that does not fall: see `fit_platt` and
        `fit_isotonic`.
    unknown : {"error", "ignore"}
        What becomes of a level that the model has not seen.

    Returns
    -------
    CalibratedModel

    Raises
    ------
    DataError
        If an outcome is none or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    FeatureError
        As of `LogisticModel.probability`.
    MissingExtraError
        If the method is isotonic and scikit-learn is not installed.
    DefinitionError
        If `method` is not of this form.
    """
    if method not in METHODS:
        raise DefinitionError(
            "method= is one of {known}, not {method!r}", known=Listed(METHODS), method=method
        )
    fit = fit_platt if method == "platt" else fit_isotonic
    return CalibratedModel(model, fit(model.log_odds(features, unknown=unknown), outcomes))


def load_model(data: Mapping[str, Any]) -> Saved:
    """Return a model or a calibration of any kind from the plain data of its `to_dict`.

    Raises
    ------
    DefinitionError
        If the data is none.
    """
    kinds: dict[str, type[Saved]] = {
        LOGISTIC: LogisticModel,
        NAIVE_BAYES: NaiveBayesModel,
        NAIVE_BAYES_BY: NaiveBayesByModel,
        CALIBRATED: CalibratedModel,
        PLATT: PlattCalibration,
        ISOTONIC: IsotonicCalibration,
    }
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise DefinitionError(
            "a saved model has a kind, one of {known}; this has {kind!r}",
            known=Listed(kinds),
            kind=kind,
        )
    return kinds[kind].from_dict(data)
