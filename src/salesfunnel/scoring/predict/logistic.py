"""Logistic regression that stays readable: one weight for each thing that is known of a lead."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError, FeatureError
from salesfunnel.scoring.predict.features import Features, read_features
from salesfunnel.scoring.predict.model import SumOfTerms
from salesfunnel.scoring.predict.saved import saved_parts
from salesfunnel.scoring.predict.solve import solve
from salesfunnel.scoring.predict.terms import (
    NumberWeight,
    Weights,
    make_term,
    term_from_dict,
    term_to_dict,
)
from salesfunnel.scoring.validate.arrays import both_kinds, read_outcomes, same_length
from salesfunnel.scoring.validate.enough import enough_notes
from salesfunnel.scoring.validate.split import Times, time_folds
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Listed, Wording

KIND = "logistic"
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
"""What `cross_validate` tries by default."""


@attrs.frozen
class LogisticModel(SumOfTerms):
    """A score that was learnt by logistic regression: log-odds are a sum that can be read.

    Attributes
    ----------
    intercept : float
        Log-odds of a lead of which all that is known adds nothing.
    terms : tuple
        For each feature a `NumberWeight` or `LevelWeights`.
    penalty : float
        How strongly weights were held back.
    nonnegative : tuple of str
        Features whose weights were not allowed below zero.
    n_won, n_lost : int
        What it was learnt from.
    """

    intercept: float
    terms: tuple[Weights, ...]
    penalty: float
    nonnegative: tuple[str, ...]
    n_won: int
    n_lost: int

    def weights(self) -> Table:
        """Return the weights as a table, those of one feature together.

        Returns
        -------
        Table
            A row for each weight: ``feature``; ``level``, None for the weight of a number and for
            leads without a label; ``unknown``, whether the row is about leads where the feature is
            not known; ``weight``, what it adds to the log-odds (a number's for one standard
            deviation more); ``odds_ratio``, what it multiplies the odds by; ``leads``, how many it
            was learnt from; ``mean`` and ``deviation`` of a number, else NaN.
        """
        rows = [row for term in self.terms for row in _rows(term)]
        feature, level, absent, weight, leads, mean, deviation = zip(*rows, strict=True)
        weights = np.array(weight, np.float64)
        hidden = [] if any(absent) else ["unknown"]
        if not any(isinstance(term, NumberWeight) for term in self.terms):
            hidden += ["mean", "deviation"]
        return Table(
            [
                Column("feature", np.array(feature, object)),
                Column("level", np.array(level, object), title="feature_level"),
                Column("unknown", np.array(absent, bool)),
                Column("weight", weights),
                Column("odds_ratio", np.exp(weights)),
                Column("leads", np.array(leads, np.int64)),
                Column("mean", np.array(mean, np.float64)),
                Column("deviation", np.array(deviation, np.float64)),
            ],
            title=Phrase("title.weights"),
            notes=[
                Phrase("note.weights"),
                Phrase("note.learnt_from", {"won": self.n_won, "lost": self.n_lost}),
                *enough_notes(self.n_won, self.n_lost, len(rows)),
            ],
            hidden=hidden,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain data, ready for JSON."""
        return {
            "kind": KIND,
            "intercept": self.intercept,
            "terms": [term_to_dict(term) for term in self.terms],
            "penalty": self.penalty,
            "nonnegative": list(self.nonnegative),
            "n_won": self.n_won,
            "n_lost": self.n_lost,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LogisticModel:
        """Return a model from the plain data that `to_dict` gives.

        Raises
        ------
        DefinitionError
            If the data is not of this form.
        """
        with saved_parts(KIND, data):
            return cls(
                float(data["intercept"]),
                tuple(term_from_dict(term) for term in data["terms"]),
                float(data["penalty"]),
                tuple(data["nonnegative"]),
                int(data["n_won"]),
                int(data["n_lost"]),
            )


def fit_logistic(
    features: Any,
    outcomes: ArrayLike,
    *,
    penalty: float = 1.0,
    nonnegative: bool | Collection[str] = False,
    max_iterations: int = 200,
) -> LogisticModel:
    """Learn a score from outcomes by logistic regression.

    Parameters
    ----------
    features : mapping, dataframe, Features, or (N, features) array of numbers
        What was known of each lead when it is scored, and nothing later: `leak_check` helps.
    outcomes : (N,) array-like of bool
        Whether each lead was won. Leave out those that are not decided.
    penalty : float
        How strongly weights are held back, above 0: half the sum of their squares, times this, is
        added to the loss. 1 is what scikit-learn calls C = 1; `cross_validate` finds a better one.
    nonnegative : bool or collection of str
        Features whose weights may not be below zero, True for all: where more can only be better,
        as with the criteria of a rubric.
    max_iterations : int

    Returns
    -------
    LogisticModel

    Raises
    ------
    DataError
        If an outcome is none or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    FeatureError
        If a feature is not of the form that `Features` takes, or one that is named is not there.
    ConvergenceError
        If `max_iterations` are not enough.
    MissingExtraError
        If scikit-learn is not installed.
    DefinitionError
        If another argument is not of this form.

    Notes
    -----
    Numbers are taken in standard deviations from the mean; each label has a weight for each level,
    which the penalty makes unique. So a weight says how far a lead is moved from the typical one. A
    number that is not known counts as the mean plus a weight of its own.

    Examples
    --------
    >>> features = {"source": ["web", "referral"] * 20, "employees": [*range(20)] * 2}
    >>> won = [False, True, False, False] * 5 + [False, True] * 10
    >>> model = fit_logistic(features, won)
    >>> model.probability({"source": ["referral", "web"], "employees": [10, 10]}).round(2)
    array([0.67, 0.08])
    """
    given = read_features(features)
    won = read_outcomes(outcomes)
    same_length(won, features=given)
    both_kinds(won)
    _check_penalty(penalty)
    bounded = _bounded(nonnegative, given.names)
    if (
        isinstance(max_iterations, bool)
        or not isinstance(max_iterations, int)
        or max_iterations < 1
    ):
        raise DefinitionError(
            "max_iterations= is 1 or more, not {max_iterations!r}", max_iterations=max_iterations
        )
    return _fit(given, won, penalty, bounded, max_iterations)


def cross_validate(
    features: Any,
    outcomes: ArrayLike,
    scored_at: Times,
    decided_at: Times,
    *,
    penalties: Sequence[float] = PENALTIES,
    nonnegative: bool | Collection[str] = False,
    folds: int = 4,
    tz: str | tzinfo | None = None,
) -> Table:
    """Try penalties by time: learn from what was decided by then, predict what came after.

    Parameters
    ----------
    features, outcomes, nonnegative
        As for `fit_logistic`.
    scored_at, decided_at : (N,) sequence of times
        When each lead was scored, and when it was won or lost; see `time_folds`.
    penalties : sequence of float
    folds : int
        How many times to learn and predict.
    tz : str or tzinfo, optional
        The zone of times that name none.

    Returns
    -------
    Table
        A row for each penalty, ascending: ``penalty``; ``log_loss``, the mean over all leads that
        were predicted, and ``standard_error`` of that mean; ``leads``, how many these are;
        ``best``, whether it has the least loss (the larger penalty if two are equal).

    Raises
    ------
    OutcomeError
        If a fold has no lead to predict, or the outcomes before it are all equal: ask for fewer
        folds.
    DataError, FeatureError, NaiveTimeError, ConvergenceError, MissingExtraError, DefinitionError
        As for `fit_logistic` and `time_folds`.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> came = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=i) for i in range(60)]
    >>> done = [at + timedelta(days=1) for at in came]
    >>> source = ["web", "referral", "event"] * 20
    >>> won = [i % 3 == 1 or i % 7 == 0 for i in range(60)]
    >>> table = cross_validate({"source": source}, won, came, done, penalties=[0.1, 1, 1000])
    >>> table["penalty"][table["best"]].tolist(), table["leads"].tolist()
    ([0.1], [47, 47, 47])
    """
    given = read_features(features)
    won = read_outcomes(outcomes)
    same_length(won, features=given, scored_at=scored_at)
    both_kinds(won)
    tried = sorted({float(_check_penalty(penalty)) for penalty in penalties})
    if not tried:
        raise DefinitionError("penalties= are numbers above 0, at least one; there are none")
    bounded = _bounded(nonnegative, given.names)
    losses: list[list[NDArray[np.float64]]] = [[] for _ in tried]
    for fold in time_folds(scored_at, decided_at, folds, tz=tz):
        both_kinds(
            won[fold.train], Wording(" before {day} (fewer folds= have more)", day=fold.at.date())
        )
        past, future = given[fold.train], given[fold.test]
        for place, penalty in enumerate(tried):
            model = _fit(past, won[fold.train], penalty, bounded, 200)
            odds = model.log_odds(future, unknown="ignore")
            losses[place].append(np.logaddexp(0, np.where(won[fold.test], -odds, odds)))
    each = np.stack([np.concatenate(parts) for parts in losses])
    mean = each.mean(axis=1)
    error = (
        each.std(axis=1, ddof=1) / np.sqrt(each.shape[1]) if each.shape[1] > 1 else mean * np.nan
    )
    best = np.flatnonzero(mean == mean.min())[-1]
    return Table(
        [
            Column("penalty", np.array(tried)),
            Column("log_loss", mean),
            Column("standard_error", error),
            Column("leads", np.full(len(tried), each.shape[1])),
            Column("best", np.arange(len(tried)) == best),
        ],
        title=Phrase("title.cross_validation"),
        notes=[Phrase("note.cross_validation", {"folds": folds})],
    )


def _fit(
    features: Features,
    won: NDArray[np.bool_],
    penalty: float,
    nonnegative: frozenset[str],
    max_iterations: int,
) -> LogisticModel:
    terms = [make_term(features, name) for name in features.names]
    design = np.column_stack([column for term in terms for column in term.columns(features)])
    bounded = np.array([b and t.feature in nonnegative for t in terms for b in t.bounded], bool)
    intercept, weights = solve(design, won, penalty, bounded, max_iterations)
    parts = np.split(weights, np.cumsum([len(term.weights) for term in terms])[:-1])
    learnt = [term.with_weights(w.tolist()) for term, w in zip(terms, parts, strict=True)]
    n_won = int(np.count_nonzero(won))
    named = tuple(name for name in features.names if name in nonnegative)
    return LogisticModel(intercept, tuple(learnt), float(penalty), named, n_won, len(won) - n_won)


def _rows(term: Weights) -> list[tuple[str, str | None, bool, float, int, float, float]]:
    if isinstance(term, NumberWeight):
        row = (term.feature, None, False, term.weight, term.n_known, term.mean, term.scale)
        if term.unknown is None:
            return [row]
        absent = (term.feature, None, True, term.unknown, term.n_unknown, np.nan, np.nan)
        return [row, absent]
    return [
        (term.feature, level, level is None, weight, count, np.nan, np.nan)
        for level, weight, count in zip(term.levels, term.weights, term.counts, strict=True)
    ]


def _check_penalty(penalty: float) -> float:
    if isinstance(penalty, bool) or not isinstance(penalty, (int, float, np.number)):
        raise DefinitionError("a penalty is a number above 0, not {penalty!r}", penalty=penalty)
    if not 0 < penalty < np.inf:
        raise DefinitionError(
            "a penalty is a finite number above 0, not {penalty!r}: without one the weights of "
            "levels are not unique, and grow without end where a level settles the outcome",
            penalty=penalty,
        )
    return float(penalty)


def _bounded(nonnegative: bool | Collection[str], names: tuple[str, ...]) -> frozenset[str]:
    if isinstance(nonnegative, bool):
        return frozenset(names) if nonnegative else frozenset()
    if not isinstance(nonnegative, Collection):
        raise DefinitionError(
            "nonnegative= is a bool or names of features, not {nonnegative!r}",
            nonnegative=nonnegative,
        )
    asked = [nonnegative] if isinstance(nonnegative, str) else list(nonnegative)
    for name in asked:
        if name not in names:
            raise FeatureError(
                "nonnegative= names {name!r}, which is none of {known}",
                name=name,
                known=Listed(names),
            )
    return frozenset(asked)
