"""What a linear model has of each feature: its weights, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import FeatureError
from salesfunnel.log.labels import Labels
from salesfunnel.scoring.predict.features import (
    Features,
    as_labels,
    as_numbers,
    level_codes,
    refuse_levels,
)
from salesfunnel.scoring.predict.several import LabelSets, Pairs, no_label_sets
from salesfunnel.scoring.validate.arrays import refuse_rows
from salesfunnel.wording import Wording


@attrs.frozen
class NumberWeight:
    """The weight of a feature that is a number.

    Attributes
    ----------
    feature : str
    mean, scale : float
        Mean and standard deviation of the leads that it was learnt from, of those where it is
        known.
    weight : float
        What one standard deviation more adds to the log-odds.
    unknown : float or None
        What it adds where the number is not known; None if that never was so.
    n_known, n_unknown : int
        How many leads it was learnt from.
    """

    feature: str
    mean: float
    scale: float
    weight: float
    unknown: float | None
    n_known: int
    n_unknown: int

    def log_odds(self, features: Features, unknown: str) -> NDArray[np.float64]:
        """Return what the feature adds to the log-odds of each lead, (N,)."""
        values = as_numbers(features.column(self.feature), self.feature)
        absent = np.isnan(values)
        if self.unknown is None and unknown == "error":
            expected = Wording(
                "a number (unknown='ignore' takes the mean); it was always known so far"
            )
            refuse_rows(absent, self.feature, values, expected, FeatureError)
        added = self.weight * (values - self.mean) / self.scale
        return np.where(absent, self.unknown or 0.0, added)

    def columns(self, features: Features) -> list[NDArray[np.float64]]:
        """Return what the weights are for, a column for each."""
        values = as_numbers(features.column(self.feature), self.feature)
        absent = np.isnan(values)
        columns = [np.where(absent, 0.0, (values - self.mean) / self.scale)]
        if self.unknown is not None:
            columns.append(absent.astype(np.float64))
        return columns

    @property
    def weights(self) -> tuple[float, ...]:
        """All weights."""
        return (self.weight,) if self.unknown is None else (self.weight, self.unknown)

    @property
    def bounded(self) -> tuple[bool, ...]:
        """Which of them a demand not to be negative is about."""
        return (True,) if self.unknown is None else (True, False)

    def with_weights(self, weights: Sequence[float]) -> NumberWeight:
        """Return the same with other weights."""
        unknown = None if self.unknown is None else weights[1]
        return attrs.evolve(self, weight=weights[0], unknown=unknown)


@attrs.frozen
class LevelWeights:
    """The weights of a feature that is a label, one for each level.

    Attributes
    ----------
    feature : str
    levels : tuple of (str or None)
        Those that it was learnt from; None for leads without a label, if there were any.
    weights : tuple of float
        What each adds to the log-odds.
    counts : tuple of int
        How many leads each was learnt from.
    """

    feature: str
    levels: tuple[str | None, ...]
    weights: tuple[float, ...]
    counts: tuple[int, ...]

    def log_odds(self, features: Features, unknown: str) -> NDArray[np.float64]:
        """Return what the feature adds to the log-odds of each lead, (N,)."""
        column = as_labels(features.column(self.feature), self.feature)
        codes = level_codes(column, self.levels)
        if unknown == "error":
            pairs = Pairs(np.arange(len(codes)), column)
            refuse_levels(pairs, codes < 0, self.feature, self.levels)
        return np.array([*self.weights, 0.0])[codes]

    def columns(self, features: Features) -> list[NDArray[np.float64]]:
        """Return what the weights are for, a column for each."""
        column = as_labels(features.column(self.feature), self.feature)
        codes = level_codes(column, self.levels)
        return [(codes == index).astype(np.float64) for index in range(len(self.levels))]

    @property
    def bounded(self) -> tuple[bool, ...]:
        """Which of them a demand not to be negative is about."""
        return (True,) * len(self.levels)

    def with_weights(self, weights: Sequence[float]) -> LevelWeights:
        """Return the same with other weights."""
        return attrs.evolve(self, weights=tuple(weights))


Weights = NumberWeight | LevelWeights


def make_term(features: Features, name: str) -> Weights:
    """Return the term of a feature, its weights zero still."""
    column = features.column(name)
    if isinstance(column, LabelSets):
        raise no_label_sets(name, Wording("logistic regression has one label a lead"))
    if isinstance(column, Labels):
        counts = np.bincount(column.codes + 1, minlength=len(column.names) + 1)
        found = [
            (level, int(count))
            for level, count in zip([*column.names, None], [*counts[1:], counts[0]], strict=True)
            if count
        ]
        levels, sizes = zip(*found, strict=True)
        return LevelWeights(name, levels, (0.0,) * len(levels), sizes)
    known = column[~np.isnan(column)]
    n_unknown = len(column) - len(known)
    spread = float(known.std()) if len(known) else 0.0
    return NumberWeight(
        name,
        mean=float(known.mean()) if len(known) else 0.0,
        scale=spread if spread > 0 else 1.0,
        weight=0.0,
        unknown=0.0 if n_unknown else None,
        n_known=len(known),
        n_unknown=n_unknown,
    )


def term_to_dict(term: Weights) -> dict[str, Any]:
    """Return a term as plain data."""
    data = attrs.asdict(term)
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in data.items()
    }


def term_from_dict(data: Mapping[str, Any]) -> Weights:
    """Return a term from plain data."""
    if "levels" not in data:
        return NumberWeight(**data)
    return LevelWeights(
        data["feature"], tuple(data["levels"]), tuple(data["weights"]), tuple(data["counts"])
    )
