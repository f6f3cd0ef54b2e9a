"""What every learnt score is: log-odds that are a sum, feature by feature."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.scoring.predict.features import Features, read_features
from salesfunnel.wording import Listed

UNKNOWN = ("error", "ignore")


class Term(Protocol):
    """What a model has of one feature."""

    @property
    def feature(self) -> str:
        """The feature's name."""

    def log_odds(self, features: Features, unknown: str) -> NDArray[np.float64]:
        """Return what the feature adds to the log-odds of each lead, (N,)."""


class SumOfTerms:
    """A model whose log-odds are an intercept and what each feature adds."""

    __slots__ = ()

    intercept: Any
    terms: Any

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in the order of an array's columns."""
        return tuple(term.feature for term in self.terms)

    def probability(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return how likely leads are to be won, (N,).

        Parameters
        ----------
        features : mapping, dataframe, Features, or (N, features) array of numbers
            With the features of the model; others are left alone.
        unknown : {"error", "ignore"}
            What becomes of a level, or of a number that is not known, where none was seen in
            learning: an error, or it adds nothing.

        Raises
        ------
        FeatureError
            If a feature is missing or not of its kind, the array has another width, or a level is
            one that the model has not seen.
        DefinitionError
            If `unknown` is not of this form.
        """
        return logistic(self.log_odds(features, unknown=unknown))

    def score(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return 100 times the probability, (N,); arguments and errors are those of it."""
        return 100 * self.probability(features, unknown=unknown)

    def log_odds(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return the log-odds of winning, (N,); arguments and errors are those of `probability`."""
        contributions = self.contributions(features, unknown=unknown)
        return np.asarray(self.intercept + contributions.sum(axis=1))

    def contributions(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return what each feature adds to the log-odds of each lead, (N, features).

        Arguments and errors are those of `probability`.
        """
        if unknown not in UNKNOWN:
            raise DefinitionError(
                "unknown= is one of {known}, not {unknown!r}",
                known=Listed(UNKNOWN),
                unknown=unknown,
            )
        given = read_features(features, self.features)
        return np.column_stack([term.log_odds(given, unknown) for term in self.terms])


def logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of log-odds, without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0, -log_odds)))
