"""Bootstrap: intervals of what has no formula for one, by drawing the opportunities again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics.rates import ratio

FEWEST = 100
"""The fewest resamples whose outermost tell anything of an interval."""


Statistic = Callable[
    [NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]
]
"""Gives a statistic, an array of any shape, of how many times opportunities were drawn, (u,) int64;
their groups, (u,) int64; and their values, (u, p) float64."""


def bootstrap_bounds(
    statistic: Statistic,
    group: NDArray[np.int64],
    values: NDArray[np.float64],
    n_groups: int,
    *,
    replicates: int,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return percentile intervals of a statistic, by drawing opportunities again with replacement.

    Groups keep their sizes: each is drawn from its own opportunities. The order in which these come
    changes nothing.

    Parameters
    ----------
    statistic : callable
        See `Statistic`. It knows opportunities by their group and values alone, so that those alike
        come as one, drawn so many times.
    group : (n,) int64
        The group of each opportunity.
    values : (n, p) float64
        What the statistic needs of each opportunity; no NaN.
    n_groups : int
    replicates : int
        How many times all are drawn, at least 100.
    seed : int
        Of the random generator: the same one gives the same interval.
    level : float
        Confidence level.

    Returns
    -------
    low, high : arrays of float
        Of the statistic's shape: the quantiles (1 - level) / 2 and (1 + level) / 2 of the draws in
        which it is known; NaN where it never is.

    Raises
    ------
    DefinitionError
        If `replicates` or `level` is not of this form.

    Notes
    -----
    B. Efron and R. J. Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13.
    """
    if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < FEWEST:
        raise DefinitionError(
            f"bootstrap= is a number of resamples, {FEWEST} or more, as in 1000, not {replicates!r}"
        )
    if not 0 < level < 1:
        raise DefinitionError(f"level= is between 0 and 1, as in 0.95, not {level!r}")
    order = np.lexsort((*values.T, group))
    group, values = group[order], values[order]
    differs = np.ones(len(group), bool)
    differs[1:] = (group[1:] != group[:-1]) | (values[1:] != values[:-1]).any(axis=1)
    alike = np.cumsum(differs) - 1
    distinct = np.flatnonzero(differs)

    random = np.random.default_rng(seed)
    size = np.bincount(group, minlength=n_groups)
    begin, size = (np.cumsum(size) - size)[group], size[group]
    draws = []
    for _ in range(replicates):
        # Below 2**53 a float in [0, 1) times the size of the group stays below it.
        drawn = begin + (random.random(len(group)) * size).astype(np.int64)
        times = np.bincount(alike[drawn], minlength=len(distinct))
        draws.append(statistic(times, group[distinct], values[distinct]))
    return _quantiles(np.stack(draws), ((1 - level) / 2, (1 + level) / 2))


def bootstrap_ratio(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    group: NDArray[np.int64],
    n_groups: int,
    replicates: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return percentile intervals (0.95) of Σ numerator / Σ denominator by group, (G,) each.

    Parameters
    ----------
    numerator, denominator : (m,) float
        What each opportunity adds.
    group : (m,) int64
        Its group.
    n_groups, replicates, seed : int
        See `bootstrap_bounds`.
    """

    def statistic(
        times: NDArray[np.int64], group: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        top, bottom = (np.bincount(group, part * times, minlength=n_groups) for part in values.T)
        return ratio(top, bottom)

    parts = np.column_stack([numerator, denominator])
    return bootstrap_bounds(statistic, group, parts, n_groups, replicates=replicates, seed=seed)


def _quantiles(
    draws: NDArray[np.float64], levels: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two quantiles over the first axis, of what is no NaN; NaN where all is."""
    draws.sort(axis=0)  # NaN comes last
    last = np.maximum(np.count_nonzero(~np.isnan(draws), axis=0) - 1, 0)

    def quantile(level: float) -> NDArray[np.float64]:
        position = last * level
        below = np.floor(position).astype(np.int64)
        low, high = (
            np.take_along_axis(draws, at[None], axis=0)[0]
            for at in (below, np.minimum(below + 1, last))
        )
        return np.asarray(low + (high - low) * (position - below))

    return quantile(levels[0]), quantile(levels[1])
