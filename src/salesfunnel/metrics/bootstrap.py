"""Bootstrap: intervals of what has no formula for one, by drawing the opportunities again."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics.rates import ratio
from salesfunnel.wording import Listed, Wording

METHODS = ("percentile", "basic", "bca")
FEWEST = 100
"""The fewest resamples whose outermost tell anything of an interval."""

BLOCKS = 1000
"""How many times opportunities are left out in turn for the acceleration of BCa intervals."""

Statistic = Callable[
    [NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]
]
"""Gives a statistic, an array of any shape, of how many times opportunities were drawn, (u,) int64;
their groups, (u,) int64; and their values, (u, p) float64."""


class Bootstrap(NamedTuple):
    """A statistic with its interval; arrays of the statistic's shape."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def bootstrap(
    statistic: Callable[..., ArrayLike],
    *columns: ArrayLike,
    method: str = "percentile",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Bootstrap:
    """Return the interval of any statistic, by drawing opportunities again with replacement.

    Parameters
    ----------
    statistic : callable
        ``statistic(times, *columns)`` gives a number or an array of any shape: of how many times
        opportunities were drawn, and their values. Opportunities alike come as one, so that the
        statistic must use `times`, as a weight: ``lambda times, x: np.average(x, weights=times)``.
    *columns : (n,) array-like of numbers
        What the statistic needs of each opportunity; one at least.
    method : {"percentile", "basic", "bca"}
        The quantiles of the draws; these mirrored at the value; or corrected for bias and skewness
        (bias-corrected and accelerated), which takes up to 1,000 more evaluations.
    replicates : int
        How many times all are drawn, at least 100.
    seed : int
        Of the random generator: the same one gives the same interval, in any order of the
        opportunities.
    level : float
        Confidence level.

    Returns
    -------
    Bootstrap
        ``value``, ``low``, ``high``; NaN where the statistic is.

    Raises
    ------
    DefinitionError
        If columns are not of this form, or an option is none.

    Notes
    -----
    B. Efron and R. J. Tibshirani (1993), "An Introduction to the Bootstrap", chapters 13 and 14;
    A. C. Davison and D. V. Hinkley (1997), "Bootstrap Methods and their Application", section 5.2,
    for the basic one. For the acceleration the opportunities are left out one at a time; where more
    than 1,000 of them differ, a thousandth of them at a time.

    Examples
    --------
    >>> def mean(times, amount):
    ...     return np.average(amount, weights=times)
    >>> found = bootstrap(mean, [120, 80, 100, 300, 90, 110], method="bca")
    >>> print(f"{found.low:.0f} {found.value:.0f} {found.high:.0f}")
    95 133 236
    """
    if method not in METHODS:
        raise DefinitionError(
            "method= is one of {known}, not {method!r}", known=Listed(METHODS), method=method
        )
    _check(replicates, level)
    values = _columns(columns)
    alike = _alike(np.zeros(len(values), np.int64), values, 1)

    def evaluate(
        times: NDArray[np.int64], _: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return np.asarray(statistic(times, *values.T), float)

    value = evaluate(alike.times, alike.group, alike.values)
    draws = _draw(alike, evaluate, replicates, seed)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    levels: list[ArrayLike] = list(tails)
    if method == "bca":
        levels = _bca_levels(value, draws, _leave_out(alike, evaluate, value.shape), tails)
    low, high = (_quantile(draws, at) for at in levels)
    if method == "basic":
        low, high = 2 * value - high, 2 * value - low
    unknown = np.isnan(value)
    return Bootstrap(value, np.where(unknown, np.nan, low), np.where(unknown, np.nan, high))


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
    _check(replicates, level)
    alike = _alike(group, values, n_groups)
    draws = _draw(alike, statistic, replicates, seed)
    return _quantile(draws, (1 - level) / 2), _quantile(draws, (1 + level) / 2)


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


# ── how ───────────────────────────────────────────────────────────────────────────────────────────


class _Alike(NamedTuple):
    """Opportunities by group and values, those alike as one.

    Attributes
    ----------
    which : (n,) int64
        Which one of the u distinct ones each is; ascending.
    times : (u,) int64
        How many are alike.
    group : (u,) int64
    values : (u, p) float64
    begin, size : (n,) int64
        Where the group of each begins among the n, and how many are in it.
    """

    which: NDArray[np.int64]
    times: NDArray[np.int64]
    group: NDArray[np.int64]
    values: NDArray[np.float64]
    begin: NDArray[np.int64]
    size: NDArray[np.int64]


def _check(replicates: int, level: float) -> None:
    if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < FEWEST:
        raise DefinitionError(
            "bootstrap= is a number of resamples, {fewest} or more, as in 1000, not {replicates!r}",
            fewest=FEWEST,
            replicates=replicates,
        )
    if not 0 < level < 1:
        raise DefinitionError("level= is between 0 and 1, as in 0.95, not {level!r}", level=level)


def _columns(columns: tuple[ArrayLike, ...]) -> NDArray[np.float64]:
    """Return columns of numbers side by side, (n, p)."""
    arrays = [np.asarray(column) for column in columns]
    if not arrays or arrays[0].ndim != 1 or any(a.shape != arrays[0].shape for a in arrays):
        shapes = Listed(str(array.shape) for array in arrays) or Wording("none")
        raise DefinitionError(
            "columns are sequences of one length, not of shapes {shapes}", shapes=shapes
        )
    if len(arrays[0]) == 0:
        raise DefinitionError("columns are of one opportunity at least")
    if any(array.dtype.kind not in "biuf" or np.isnan(array).any() for array in arrays):
        raise DefinitionError("columns are numbers, none of them NaN: leave out who has none")
    return np.column_stack(arrays).astype(float)


def _alike(group: NDArray[np.int64], values: NDArray[np.float64], n_groups: int) -> _Alike:
    order = np.lexsort((*values.T, group))
    group, values = group[order], values[order]
    differs = np.ones(len(group), bool)
    differs[1:] = (group[1:] != group[:-1]) | (values[1:] != values[:-1]).any(axis=1)
    index, distinct = np.cumsum(differs) - 1, np.flatnonzero(differs)
    size = np.bincount(group, minlength=n_groups)
    begin, size = (np.cumsum(size) - size)[group], size[group]
    times = np.bincount(index, minlength=len(distinct))
    return _Alike(index, times, group[distinct], values[distinct], begin, size)


def _draw(alike: _Alike, statistic: Statistic, replicates: int, seed: int) -> NDArray[np.float64]:
    """Return the statistic of each draw, (replicates, …)."""
    random = np.random.default_rng(seed)
    draws = []
    for _ in range(replicates):
        # Below 2**53 a float in [0, 1) times the size of the group stays below it.
        drawn = alike.begin + (random.random(len(alike.which)) * alike.size).astype(np.int64)
        times = np.bincount(alike.which[drawn], minlength=len(alike.times))
        draws.append(statistic(times, alike.group, alike.values))
    return np.stack(draws)


def _leave_out(
    alike: _Alike, statistic: Statistic, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the statistic without some of the opportunities in turn, (b, …), and how often each.

    Without one of those alike, and so as often as there are of them; or without a block of all.
    """
    one_by_one = len(alike.times) <= BLOCKS
    found, often = [np.empty((0, *shape))], []
    for block in range(min(len(alike.times), BLOCKS)):
        times = alike.times.copy()
        if one_by_one:
            times[block] -= 1
        else:
            times[block::BLOCKS] = 0
        if times.any():
            found.append(statistic(times, alike.group, alike.values)[None])
            often.append(alike.times[block] if one_by_one else 1)
    return np.concatenate(found), np.array(often, np.int64)


def _bca_levels(
    value: NDArray[np.float64],
    draws: NDArray[np.float64],
    left_out: tuple[NDArray[np.float64], NDArray[np.int64]],
    tails: NDArray[np.float64],
) -> list[ArrayLike]:
    """Return the levels of the draws' quantiles that correct for bias and skewness."""
    normal = NormalDist()
    quantile = np.vectorize(normal.inv_cdf, otypes=[float])
    share = np.vectorize(normal.cdf, otypes=[float])
    known = np.maximum(np.count_nonzero(~np.isnan(draws), axis=0), 1)
    below = ((draws < value).sum(axis=0) + (draws == value).sum(axis=0) / 2) / known
    bias = quantile(np.clip(below, 0.5 / known, 1 - 0.5 / known))

    without, often = left_out
    often = often.reshape(-1, *np.ones(value.ndim, int))
    known_without = ~np.isnan(without)
    weight = (known_without * often).sum(axis=0)
    total = (np.where(known_without, without, 0) * often).sum(axis=0)
    excess = np.where(known_without, ratio(total, weight) - without, 0)
    cubes, squares = ((excess**power * often).sum(axis=0) for power in (3, 2))
    acceleration = np.nan_to_num(ratio(cubes, 6 * squares**1.5))
    levels: list[ArrayLike] = []
    for tail in tails.tolist():
        z = bias + normal.inv_cdf(tail)
        levels.append(share(bias + z / (1 - acceleration * z)))
    return levels


def _quantile(draws: NDArray[np.float64], level: ArrayLike) -> NDArray[np.float64]:
    """Return a quantile over the first axis, of what is no NaN; NaN where all is.

    The level may differ along the other axes.
    """
    ordered = np.sort(draws, axis=0)  # NaN comes last
    last = np.maximum(np.count_nonzero(~np.isnan(ordered), axis=0) - 1, 0)
    position = last * np.asarray(level, float)
    below = np.floor(position).astype(np.int64)
    low, high = (
        np.take_along_axis(ordered, at[None], axis=0)[0]
        for at in (below, np.minimum(below + 1, last))
    )
    return np.asarray(low + (high - low) * (position - below))
