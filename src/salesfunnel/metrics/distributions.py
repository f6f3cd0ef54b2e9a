"""Distributions: the tails that p-values are read from, without a dependency."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError

_STIRLING_FROM = 16.0
"""From this shape on, four terms of Stirling's series are exact to 1e-14."""


def chi2_sf(statistic: ArrayLike, df: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that a chi-square variable exceeds a statistic.

    Parameters
    ----------
    statistic, df : array-like of numbers
        Of shapes that broadcast; degrees of freedom need not be whole.

    Returns
    -------
    array of float
        Of the broadcast shape, within [0, 1]; NaN where the statistic is NaN or `df` is 0.

    Raises
    ------
    DefinitionError
        If degrees of freedom are negative, infinite or NaN.

    Notes
    -----
    The regularised incomplete gamma function Q(df / 2, statistic / 2): DLMF §8.11.4 (a series for
    P = 1 − Q) below the mean, and above it the continued fraction §8.9.2 in the even form of Press
    et al. (2007), Numerical Recipes, 3rd edition, §6.2.

    Examples
    --------
    >>> print(chi2_sf(3.841458820694124, 1).round(12))
    0.05
    """
    x, freedom = np.broadcast_arrays(np.asarray(statistic, float), np.asarray(df, float))
    if not (np.isfinite(freedom) & (freedom >= 0)).all():
        raise DefinitionError("df= is a finite number of degrees of freedom, 0 or more")
    tail = np.where(x == np.inf, 0.0, 1.0)
    tail[np.isnan(x) | (freedom == 0)] = np.nan
    asked = (x > 0) & (x < np.inf) & (freedom > 0)
    a, z = freedom[asked] / 2, x[asked] / 2
    q, density = np.empty(len(a)), _density(a, z)
    low = z < a + 1
    q[low] = 1 - density[low] * _series(a[low], z[low])
    q[~low] = density[~low] * a[~low] * _fraction(a[~low], z[~low])
    tail[asked] = q
    return tail


def _density(a: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return z^a e^-z / Γ(a + 1), without the cancellation of large terms (Loader 2000)."""
    small = a < _STIRLING_FROM
    log = np.empty(len(a))
    shapes, index = np.unique(a[small], return_inverse=True)
    log_gamma = np.array([math.lgamma(shape + 1) for shape in shapes.tolist()])
    with np.errstate(divide="ignore"):  # z may underflow to zero: the density is then 0 too
        log[small] = a[small] * np.log(z[small]) - z[small] - log_gamma[index]
    b, excess = a[~small], z[~small] / a[~small] - 1
    with np.errstate(divide="ignore"):
        near = b * (np.log1p(excess) - excess)
    inverse = 1 / (b * b)
    stirling = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / b
    log[~small] = near - stirling - np.log(2 * np.pi * b) / 2
    return np.exp(log)


def _series(a: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 + z/(a+1) + z²/((a+1)(a+2)) + …, all terms of it positive."""
    term = np.ones_like(a)
    total = term.copy()
    step = 0
    while (term > total * 1e-17).any():
        step += 1
        term *= z / (a + step)
        total += term
    return total


def _fraction(a: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1/(z+1-a- 1(1-a)/(z+3-a- 2(2-a)/(z+5-a- …))), by the method of Lentz."""
    tiny = 1e-300
    b = z + 1 - a
    c = np.full_like(a, 1 / tiny)
    d = 1 / b
    value = d.copy()
    moving = np.ones(len(a), bool)
    step = 0
    while moving.any():
        step += 1
        top = -step * (step - a)
        b += 2
        d = top * d + b
        d = 1 / np.where(np.abs(d) < tiny, tiny, d)
        c = b + top / c
        c = np.where(np.abs(c) < tiny, tiny, c)
        factor = np.where(moving, c * d, 1.0)
        value *= factor
        moving &= np.abs(factor - 1) > 1e-15
    return value
