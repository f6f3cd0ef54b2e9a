"""Naive Bayes with tables of its own for each team, as CRMs keep them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import FeatureError
from salesfunnel.scoring.predict.bayes import (
    CountingRules,
    NaiveBayesModel,
    frequency_columns,
    frequency_notes,
)
from salesfunnel.scoring.predict.features import (
    as_labels,
    level_codes,
    read_features,
)
from salesfunnel.scoring.predict.model import SumOfTerms
from salesfunnel.scoring.predict.saved import saved_parts
from salesfunnel.scoring.validate.arrays import both_kinds, read_outcomes, same_length
from salesfunnel.table import Column, Phrase, Table

KIND = "naive_bayes_by"


@attrs.frozen
class NaiveBayesByModel(SumOfTerms):
    """A score for each group of leads, learnt by counting within it.

    A lead without a group, or of one that was not there in learning, is scored by all leads.

    Attributes
    ----------
    by : str
        The feature that tells groups apart.
    groups : tuple of str
        Their labels, ascending.
    models : tuple of NaiveBayesModel
        One for each.
    whole : NaiveBayesModel
        Of all leads.
    """

    by: str
    groups: tuple[str, ...]
    models: tuple[NaiveBayesModel, ...]
    whole: NaiveBayesModel

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, the one that tells groups apart first."""
        return (self.by, *self.whole.features)

    def log_odds(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return the log-odds of winning, (N,); arguments and errors are those of `probability`."""
        return np.asarray(self.contributions(features, unknown=unknown).sum(axis=1))

    def contributions(self, features: Any, *, unknown: str = "error") -> NDArray[np.float64]:
        """Return what each feature adds to the log-odds of each lead, (N, features).

        The first, which tells groups apart, adds the log-odds of a lead of that group of which
        nothing else is known. A level that is known, but not in the lead's group, adds nothing.
        Arguments and errors are those of `probability`.
        """
        given = read_features(features, self.features)
        # All levels there are, whatever group they were seen in, are levels of the whole.
        of_all = self.whole.contributions(given, unknown=unknown)
        added = np.column_stack([np.full(len(given), self.whole.intercept), of_all])
        code = level_codes(as_labels(given.column(self.by), self.by), self.groups)
        for place, model in enumerate(self.models):
            rows = np.flatnonzero(code == place)
            added[rows, 0] = model.intercept
            added[rows, 1:] = model.contributions(given[rows], unknown="ignore")
        return added

    def frequencies(self) -> Table:
        """Return the counts as a table.

        Returns
        -------
        Table
            As `NaiveBayesModel.frequencies`, with a column in front that is called as `by` is: the
            group, None for the table of all leads, which stands last.
        """
        models = (*self.models, self.whole)
        sizes = [sum(len(term.levels) for term in model.terms) for model in models]
        group = np.repeat(np.array([*self.groups, None], object), sizes)
        return Table(
            [
                Column(self.by, group),
                *frequency_columns([term for model in models for term in model.terms]),
            ],
            title=Phrase("title.frequencies"),
            notes=[Phrase("note.frequencies_by"), *frequency_notes(self.whole)],
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain data, ready for JSON."""
        return {
            "kind": KIND,
            "by": self.by,
            "groups": list(self.groups),
            "models": [model.to_dict() for model in self.models],
            "whole": self.whole.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NaiveBayesByModel:
        """Return a model from the plain data that `to_dict` gives.

        Raises
        ------
        DefinitionError
            If the data is not of this form.
        """
        with saved_parts(KIND, data):
            groups = tuple(data["groups"])
            models = tuple(NaiveBayesModel.from_dict(model) for model in data["models"])
            if len(groups) != len(models):
                raise ValueError(f"{len(groups)} groups and {len(models)} models")
            return cls(str(data["by"]), groups, models, NaiveBayesModel.from_dict(data["whole"]))


def fit_naive_bayes_by(
    by: str,
    features: Any,
    outcomes: ArrayLike,
    *,
    increment: float = 0.1,
    in_order: Mapping[str, Sequence[str]] | None = None,
    blanks_count: Collection[str] = (),
    min_leads: int | Mapping[str, int] = 0,
) -> NaiveBayesByModel:
    """Learn a score for each group of leads by counting within it, as Odoo does for sales teams.

    What a source or a country is worth may differ between teams that sell different things. The
    price is that each table is learnt from fewer leads: hold it against one for all.

    Parameters
    ----------
    by : str
        The feature that tells groups apart, such as ``"team"``; it has no table of its own.
    features, outcomes, increment, in_order, blanks_count, min_leads
        As for `fit_naive_bayes`; `min_leads` counts within the group.

    Returns
    -------
    NaiveBayesByModel

    Raises
    ------
    DataError
        If an outcome is none or the lengths differ.
    OutcomeError
        If all outcomes are equal; those of one group may be.
    FeatureError
        If a feature is not of this form, one that is named is not there, or there is none but `by`.
    DefinitionError
        If another argument is not of this form.

    Notes
    -----
    Odoo scores leads without a team by the sums of the teams' tables, in which the increment stands
    once for each team; here it stands there once.

    Examples
    --------
    >>> features = {"team": ["north", "south"] * 4, "source": ["web"] * 4 + ["fair"] * 4}
    >>> won = [True, False, True, False, False, True, False, True]
    >>> model = fit_naive_bayes_by("team", features, won)
    >>> model.probability({"team": ["north", "south", None], "source": ["web"] * 3}).round(3)
    array([0.955, 0.045, 0.5  ])
    """
    given = read_features(features)
    won = read_outcomes(outcomes)
    same_length(won, features=given)
    both_kinds(won)
    group = as_labels(given.column(by), by)
    names = [name for name in given.names if name != by]
    if not names:
        raise FeatureError("there is no feature but {by!r}, which tells groups apart", by=by)
    rules = CountingRules.checked(names, increment, in_order, blanks_count, min_leads)
    rest = given.select(*names)
    found = [
        (group.names[code], rules.count(rest[rows], won[rows]))
        for code in range(len(group.names))
        if len(rows := np.flatnonzero(group.codes == code))
    ]
    return NaiveBayesByModel(
        by,
        tuple(name for name, _ in found),
        tuple(model for _, model in found),
        rules.count(rest, won),
    )
