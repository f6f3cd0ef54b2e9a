"""Bootstrap: intervals of what has no formula for one, by drawing the opportunities again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics.rates import ratio

FEWEST = 100
"""The fewest resamples whose outermost tell anything of an interval."""


def canonical_order(
    group: NDArray[np.int64], values: list[NDArray[np.float64]]
) -> NDArray[np.int64]:
    """Return an order of opportunities that does not depend on the one they come in, (n,).

    By group and then by all their values, so that those who change places are alike.
    """
    return np.lexsort((*values, group))


def bootstrap_bounds(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    group: NDArray[np.int64],
    n_groups: int,
    *,
    replicates: int,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return percentile intervals of a statistic, by drawing opportunities again with replacement.

    Groups keep their sizes: each is drawn from its own opportunities.

    Parameters
    ----------
    statistic : callable
        Gives the statistic, an array of any shape, from how many times each opportunity was drawn,
        (n,) int64.
    group : (n,) int64
        The group of each opportunity, ascending.
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
    random = np.random.default_rng(seed)
    size = np.bincount(group, minlength=n_groups)
    begin = (np.cumsum(size) - size)[group]
    within = size[group]
    n = len(group)
    draws = np.stack(
        [
            statistic(np.bincount(begin + random.integers(0, within), minlength=n))
            for _ in range(replicates)
        ]
    )
    draws.sort(axis=0)  # NaN comes last
    known = np.count_nonzero(~np.isnan(draws), axis=0)
    bounds = []
    for q in ((1 - level) / 2, (1 + level) / 2):
        position = np.maximum(known - 1, 0) * q
        below = np.floor(position).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(known - 1, 0))
        low, high = (np.take_along_axis(draws, at[None], axis=0)[0] for at in (below, above))
        bounds.append(low + (high - low) * (position - below))
    return bounds[0], bounds[1]


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
        Its group, in any order.
    n_groups, replicates, seed : int
        See `bootstrap_bounds`.
    """
    order = canonical_order(group, [denominator, numerator])
    group, numerator, denominator = group[order], numerator[order], denominator[order]

    def statistic(times: NDArray[np.int64]) -> NDArray[np.float64]:
        top, bottom = (
            np.bincount(group, values * times, minlength=n_groups)
            for values in (numerator, denominator)
        )
        return ratio(top, bottom)

    return bootstrap_bounds(statistic, group, n_groups, replicates=replicates, seed=seed)
