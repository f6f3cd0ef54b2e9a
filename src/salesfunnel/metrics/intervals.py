"""Intervals: how far a rate can be trusted."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError


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
    if not 0 < level < 1:
        raise DefinitionError(f"level= is between 0 and 1, as in 0.95, not {level!r}")
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    if ((k < 0) | (k > n)).any():
        raise DefinitionError("successes are from 0 to the number of trials")
    z = -NormalDist().inv_cdf((1 - level) / 2)
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
