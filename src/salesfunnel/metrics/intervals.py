"""Intervals: how far a rate can be trusted."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError


def critical_value(level: float) -> float:
    """Return how many standard errors a two-sided interval of a level reaches to either side.

    Raises
    ------
    DefinitionError
        If `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise DefinitionError("level= is between 0 and 1, as in 0.95, not {level!r}", level=level)
    return -NormalDist().inv_cdf((1 - level) / 2)


def wilson(
    successes: ArrayLike, trials: ArrayLike, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Wilson score interval of a proportion.

    Parameters
    ----------
    successes, trials : array-like of numbers
        Of shapes that broadcast, with 0 ≤ successes ≤ trials.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    low, high : arrays of float
        Of the broadcast shape, within [0, 1]; NaN where there are no trials.

    Raises
    ------
    DefinitionError
        If `level` is not between 0 and 1, or successes are negative or more than trials.

    Notes
    -----
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 209–212; equation (4) of Brown, Cai and
    DasGupta (2001), Statistical Science 16, 101–133.

    Examples
    --------
    >>> low, high = wilson(20, 203)
    >>> print(f"{low:.3f} {high:.3f}")
    0.065 0.147
    """
    z = critical_value(level)
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    if ((k < 0) | (k > n)).any():
        raise DefinitionError("successes are from 0 to the number of trials")
    known = n > 0
    trials_or_one = np.where(known, n, 1.0)
    p = k / trials_or_one
    widening = z * z / trials_or_one
    centre = p + widening / 2
    half = z * np.sqrt(p * (1 - p) / trials_or_one + widening / (4 * trials_or_one))
    # At the ends the bound is the end itself, which rounding may miss by an ulp.
    low = np.where(k == 0, 0.0, (centre - half) / (1 + widening))
    high = np.where(k == n, 1.0, (centre + half) / (1 + widening))
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def newcombe(
    successes: ArrayLike,
    trials: ArrayLike,
    base_successes: ArrayLike,
    base_trials: ArrayLike,
    level: float = 0.95,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Newcombe's hybrid score interval of a difference of two independent proportions.

    Parameters
    ----------
    successes, trials : array-like of numbers
        Of the proportion, with 0 ≤ successes ≤ trials.
    base_successes, base_trials : array-like of numbers
        Of the one that is subtracted from it. All four have shapes that broadcast.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    low, high : arrays of float
        Of the broadcast shape, within [-1, 1]; NaN where one of the two has no trials.

    Raises
    ------
    DefinitionError
        As in `wilson`.

    Notes
    -----
    Method 10 of R. G. Newcombe (1998), "Interval estimation for the difference between independent
    proportions: comparison of eleven methods", Statistics in Medicine 17, 873–890. With the Wilson
    bounds l and u of each, the difference d = p₁ - p₂ is at least
    d - √((p₁ - l₁)² + (u₂ - p₂)²) and at most d + √((u₁ - p₁)² + (p₂ - l₂)²).

    Examples
    --------
    >>> low, high = newcombe(56, 70, 48, 80)  # Newcombe's first example
    >>> print(f"{low:.4f} {high:.4f}")
    0.0524 0.3339
    """
    k, n, base_k, base_n = np.broadcast_arrays(
        *(np.asarray(part, float) for part in (successes, trials, base_successes, base_trials))
    )
    low, high = wilson(k, n, level)
    base_low, base_high = wilson(base_k, base_n, level)
    p = np.divide(k, n, out=np.full(n.shape, np.nan), where=n > 0)
    base = np.divide(base_k, base_n, out=np.full(n.shape, np.nan), where=base_n > 0)
    difference = p - base
    below, above = np.hypot(p - low, base_high - base), np.hypot(high - p, base - base_low)
    return np.maximum(difference - below, -1.0), np.minimum(difference + above, 1.0)
