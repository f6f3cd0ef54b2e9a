"""Naive Bayes as CRMs have it: a table of how often each label was won and lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError, FeatureError
from salesfunnel.log.labels import Labels
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.scoring.predict.features import (
    Features,
    as_labels,
    label_pairs,
    level_codes,
    read_features,
    refuse_levels,
)
from salesfunnel.scoring.predict.model import SumOfTerms
from salesfunnel.scoring.predict.saved import saved_parts
from salesfunnel.scoring.predict.several import Pairs
from salesfunnel.scoring.validate.arrays import both_kinds, check_least, read_outcomes, same_length
from salesfunnel.scoring.validate.enough import enough_notes
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Listed

KIND = "naive_bayes"


@attrs.frozen
class LevelCounts:
    """How often leads with each level of a feature were won and lost.

    Attributes
    ----------
    feature : str
    levels : tuple of (str or None)
        None for leads without a label, where these count.
    won, lost : tuple of int
        How many leads with each level; of a feature that is reached in order, how many came at
        least to it, and all that were won.
    in_order : bool
        Whether it is such a feature.
    increment : float
        What is added to every count in scoring.
    min_leads : int
        A level with fewer leads adds nothing.
    """

    feature: str
    levels: tuple[str | None, ...]
    won: tuple[int, ...]
    lost: tuple[int, ...]
    in_order: bool
    increment: float
    min_leads: int

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each level adds to the log-odds."""
        counts = np.array([self.won, self.lost], np.float64) + self.increment
        counted = np.add(self.won, self.lost) >= self.min_leads
        totals = counts[:, 0] if self.in_order else counts[:, counted].sum(axis=1)
        weights = np.zeros(len(self.levels))
        share = counts[:, counted] / totals[:, None]
        weights[counted] = np.log(share[0]) - np.log(share[1])
        return weights

    def log_odds(self, features: Features, unknown: str) -> NDArray[np.float64]:
        """Return what the feature adds to the log-odds of each lead, (N,)."""
        pairs = label_pairs(features.column(self.feature), self.feature)
        codes = level_codes(pairs.labels, self.levels)
        if unknown == "error":
            strange = (codes < 0) & (pairs.labels.codes >= 0)
            refuse_levels(pairs, strange, self.feature, self.levels)
        added = np.append(self.weights, 0.0)[codes]
        return np.asarray(np.bincount(pairs.rows, added, minlength=len(features)), np.float64)


@attrs.frozen
class NaiveBayesModel(SumOfTerms):
    """A score that was learnt by counting: every feature counts by itself, as if it were alone.

    Attributes
    ----------
    n_won, n_lost : int
        What it was learnt from.
    terms : tuple of LevelCounts
        The table of each feature.
    increment : float
        What is added to every count in scoring, so that what was never seen is not impossible.
    """

    n_won: int
    n_lost: int
    terms: tuple[LevelCounts, ...]
    increment: float

    @property
    def intercept(self) -> float:
        """The log-odds of a lead of which nothing is known."""
        return float(np.log((self.n_won + self.increment) / (self.n_lost + self.increment)))

    def frequencies(self) -> Table:
        """Return the counts as a table.

        Returns
        -------
        Table
            A row for each level: ``feature``, ``level`` (None: no label); ``value`` won / leads
            with ``numerator``, ``denominator``, ``low`` and ``high`` (Wilson, 0.95); ``weight``,
            what it adds to the log-odds, and ``odds_ratio``, what it multiplies the odds by.
        """
        return Table(
            frequency_columns(self.terms),
            title=Phrase("title.frequencies"),
            notes=frequency_notes(self),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain data, ready for JSON."""
        return {
            "kind": KIND,
            "n_won": self.n_won,
            "n_lost": self.n_lost,
            "increment": self.increment,
            "terms": [
                {
                    "feature": term.feature,
                    "levels": list(term.levels),
                    "won": list(term.won),
                    "lost": list(term.lost),
                    "in_order": term.in_order,
                    "min_leads": term.min_leads,
                }
                for term in self.terms
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NaiveBayesModel:
        """Return a model from the plain data that `to_dict` gives.

        Raises
        ------
        DefinitionError
            If the data is not of this form.
        """
        with saved_parts(KIND, data):
            increment = float(data["increment"])
            terms = [
                LevelCounts(
                    part["feature"],
                    tuple(part["levels"]),
                    tuple(part["won"]),
                    tuple(part["lost"]),
                    bool(part["in_order"]),
                    increment,
                    int(part["min_leads"]),
                )
                for part in data["terms"]
            ]
            return cls(int(data["n_won"]), int(data["n_lost"]), tuple(terms), increment)


def frequency_columns(terms: Sequence[LevelCounts]) -> list[Column]:
    """Return the counts of terms as columns; see `NaiveBayesModel.frequencies`."""
    sizes = [len(term.levels) for term in terms]
    feature = np.repeat(np.array([term.feature for term in terms], object), sizes)
    level = np.array([level for term in terms for level in term.levels], object)
    won = np.array([n for term in terms for n in term.won], np.int64)
    lost = np.array([n for term in terms for n in term.lost], np.int64)
    weight = np.concatenate([term.weights for term in terms])
    return [
        Column("feature", feature),
        Column("level", level, title="feature_level"),
        *rate_columns("value", won, won + lost, titles=("conversion_rate", "won", "leads")),
        Column("weight", weight),
        Column("odds_ratio", np.exp(weight)),
    ]


def frequency_notes(model: NaiveBayesModel) -> list[Phrase]:
    """Return what must be known to read the counts of a model."""
    n_levels = sum(len(term.levels) for term in model.terms)
    return [
        Phrase("note.frequencies", {"increment": f"{model.increment:g}"}),
        Phrase("note.learnt_from", {"won": model.n_won, "lost": model.n_lost}),
        *enough_notes(model.n_won, model.n_lost, n_levels),
    ]


def fit_naive_bayes(
    features: Any,
    outcomes: ArrayLike,
    *,
    increment: float = 0.1,
    in_order: Mapping[str, Sequence[str]] | None = None,
    blanks_count: Collection[str] = (),
    min_leads: int | Mapping[str, int] = 0,
) -> NaiveBayesModel:
    """Learn a score from outcomes by counting, as Odoo's predictive lead scoring does.

    Needs nothing but numpy, and is learnt in one pass. But features that say the same (a region and
    its sales team) count twice, so probabilities are often too sure: see `calibrate`.

    Parameters
    ----------
    features : mapping, dataframe, or Features
        Labels, lists of labels (tags: each counts by itself), or whole numbers, which are taken as
        labels.
    outcomes : (N,) array-like of bool
        Whether each lead was won. Leave out those that are not decided.
    increment : float
        Added to every count, above 0; what was never seen would otherwise be impossible. Odoo adds
        0.1; 1 is Laplace's rule.
    in_order : mapping of str to sequence of str, optional
        Features whose levels are reached one after the other, with all of these in order, such as a
        stage: a lost lead counts for the level where it was lost and for those before it, a won
        one for all.
    blanks_count : collection of str
        Features of which a blank is a level too; elsewhere a lead without a label is not counted,
        and nothing is added for one in scoring.
    min_leads : int or mapping of str to int
        A level with fewer leads adds nothing (Odoo wants 50 for a tag).

    Returns
    -------
    NaiveBayesModel

    Raises
    ------
    DataError
        If an outcome is none or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    FeatureError
        If a feature is not of this form, or one that is named is not there.
    DefinitionError
        If another argument is not of this form.

    Notes
    -----
    With won and lost counts of a level, w and l, each with the increment, and their sums over the
    feature's levels, W and L, a level adds log(w / W) − log(l / L) to the log-odds; a feature in
    order has its first level for W and L. This is `crm.lead.scoring.frequency` of Odoo's module
    crm, which rounds the probability to hundredths of a per cent from 0.01% to 99.99% and keeps
    such tables for each sales team: see `fit_naive_bayes_by`.

    Examples
    --------
    >>> features = {"source": ["web", "web", "referral", "referral", "referral", ""]}
    >>> model = fit_naive_bayes(features, [True, False, True, True, False, False])
    >>> model.probability({"source": ["web", "referral", None]}).round(3)
    array([0.407, 0.568, 0.5  ])
    """
    given = Features(features) if not isinstance(features, np.ndarray) else read_features(features)
    won = read_outcomes(outcomes)
    same_length(won, features=given)
    both_kinds(won)
    rules = CountingRules.checked(given.names, increment, in_order, blanks_count, min_leads)
    return rules.count(given, won)


@attrs.frozen
class CountingRules:
    """How leads are counted: the arguments of `fit_naive_bayes`, checked."""

    increment: float
    in_order: Mapping[str, Sequence[str]]
    blanks_count: Collection[str]
    min_leads: Mapping[str, int]

    @classmethod
    def checked(
        cls,
        names: Sequence[str],
        increment: float,
        in_order: Mapping[str, Sequence[str]] | None,
        blanks_count: Collection[str],
        min_leads: int | Mapping[str, int],
    ) -> CountingRules:
        """Return the rules for features of these names; errors are those of `fit_naive_bayes`."""
        if isinstance(increment, bool) or not 0 < increment < np.inf:
            raise DefinitionError(
                "increment= is a finite number above 0, not {increment!r}", increment=increment
            )
        ordered = dict(in_order or {})
        least = dict(min_leads) if isinstance(min_leads, Mapping) else {}
        for what, named in (
            ("in_order", ordered),
            ("blanks_count", blanks_count),
            ("min_leads", least),
        ):
            for name in named:
                if name not in names:
                    known = Listed(names)
                    raise FeatureError(
                        "{what}= names {name!r}, which is none of {known}",
                        what=what,
                        name=name,
                        known=known,
                    )
        if not isinstance(min_leads, Mapping):
            least = dict.fromkeys(names, min_leads)
        for number in least.values():
            check_least(number)
        return cls(float(increment), ordered, blanks_count, least)

    def count(self, features: Features, won: NDArray[np.bool_]) -> NaiveBayesModel:
        """Return what leads with these features and outcomes say."""
        terms = []
        for name in features.names:
            column = features.column(name)
            is_ordered = name in self.in_order
            levels, n_won, n_lost = (
                _counts_in_order(as_labels(column, name), won, name, self.in_order[name])
                if is_ordered
                else _counts(label_pairs(column, name), won, name in self.blanks_count)
            )
            least = self.min_leads.get(name, 0)
            terms.append(
                LevelCounts(name, levels, n_won, n_lost, is_ordered, self.increment, least)
            )
        total = int(np.count_nonzero(won))
        return NaiveBayesModel(total, len(won) - total, tuple(terms), self.increment)


Counts = tuple[tuple[str | None, ...], tuple[int, ...], tuple[int, ...]]


def _counts(pairs: Pairs, won: NDArray[np.bool_], blank: bool) -> Counts:
    """Return the levels that occur, and how many leads with each were won and lost."""
    column = pairs.labels
    size = len(column.names) + 1
    # A missing label, -1, is counted last.
    place = np.where(column.codes < 0, size - 1, column.codes)
    is_won = won[pairs.rows]
    kinds = (is_won, ~is_won)
    n_won, n_lost = (np.bincount(place[kind], minlength=size).tolist() for kind in kinds)
    rows = [
        (level, *counts)
        for level, *counts in zip((*column.names, None), n_won, n_lost, strict=True)
        if any(counts) and (blank or level is not None)
    ]
    if not rows:
        return (), (), ()
    levels, of_won, of_lost = zip(*rows, strict=True)
    return levels, of_won, of_lost


def _counts_in_order(
    column: Labels, won: NDArray[np.bool_], name: str, levels: Sequence[str]
) -> Counts:
    """Return how many leads came at least to each level, counting those won for all."""
    codes = level_codes(column, levels)
    refuse_levels(
        Pairs(np.arange(len(codes)), column), (codes < 0) & (column.codes >= 0), name, levels
    )
    known = column.codes >= 0
    lost_at = np.bincount(codes[known & ~won], minlength=len(levels))
    n_won = int(np.count_nonzero(known & won))
    reached = np.cumsum(lost_at[::-1])[::-1]
    return tuple(levels), (n_won,) * len(levels), tuple(reached.tolist())
