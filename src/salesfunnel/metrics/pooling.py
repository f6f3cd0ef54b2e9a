"""Partial pooling: rates of many small groups, each drawn towards all by how little is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError, SizeError
from salesfunnel.metrics.beta import beta_quantile
from salesfunnel.metrics.intervals import critical_value
from salesfunnel.wording import Listed

Floats = NDArray[np.float64]

METHODS = ("likelihood", "moments")
_LARGEST = 100_000_000
_LEAST_WEIGHT = 1e-3


class PooledRates(NamedTuple):
    """Rates of G groups, partially pooled.

    Attributes
    ----------
    rate, low, high : (G,) float64
        Mean and interval of what is believed of each; NaN where it has no trials.
    successes, failures : float
        What all have in common: each group counts as if it had so many more of them.
    """

    rate: Floats
    low: Floats
    high: Floats
    successes: float
    failures: float


def pool_rates(
    successes: ArrayLike, trials: ArrayLike, *, method: str = "likelihood", level: float = 0.95
) -> PooledRates:
    """Return the rates of groups, each drawn towards that of all by how little is known of it.

    The best and the worst of many small groups are mostly the lucky and the unlucky ones. Here the
    groups' true rates are taken to be spread as a beta distribution, which all groups together
    tell; what is believed of a group is that, changed by its own counts (empirical Bayes).

    Parameters
    ----------
    successes, trials : (G,) array-like of int
        With 0 ≤ successes ≤ trials.
    method : {"likelihood", "moments"}
        How the spread is found: by the maximum of the likelihood, or by the variance between
        groups beyond that of chance.
    level : float
        Confidence level.

    Returns
    -------
    PooledRates

    Raises
    ------
    DefinitionError
        If counts are not of this form, or an option is none.
    SizeError
        If a group has more than 100 million trials.

    Notes
    -----
    With the spread Beta(a, b) a group of k successes in n trials has the posterior
    Beta(a + k, b + n - k), of mean (a + k) / (a + b + n): B. Efron and C. Morris (1975), "Data
    analysis using Stein's estimator and its generalizations", Journal of the American Statistical
    Association 70, 311–319; J. C. Kleinman (1973), "Proportions with extraneous variance", the same
    68, 46–54, for the moments; D. A. Griffiths (1973), Biometrics 29, 637–648, for the likelihood
    of the beta-binomial. Groups that differ by no more than chance would have a + b without end; it
    is held at the number of all trials, so that intervals are not narrower than that of all groups
    taken as one. One group alone has a = b = ½. The interval does not know that the spread is an
    estimate; it is widened to the rate where, next to 0 or 1, that lies outside.

    Examples
    --------
    >>> pooled = pool_rates([9, 1, 40], [10, 10, 60])
    >>> pooled.rate.round(2).tolist()  # and not 0.9, 0.1 and 0.67
    [0.84, 0.18, 0.66]
    """
    critical_value(level)
    if method not in METHODS:
        raise DefinitionError(
            "method= is one of {known}, not {method!r}", known=Listed(METHODS), method=method
        )
    k, n = _counts(successes, trials)
    known = n > 0
    a, b = _spread(k[known], n[known], method)
    up, down = a + k[known], b + (n - k)[known]
    rate, low, high = (np.full(len(k), np.nan) for _ in range(3))
    rate[known] = up / (up + down)
    tails = beta_quantile([[(1 - level) / 2], [(1 + level) / 2]], up, down)
    low[known] = np.minimum(tails[0], rate[known])
    high[known] = np.maximum(tails[1], rate[known])
    return PooledRates(rate, low, high, a, b)


def _counts(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    k, n = np.asarray(successes), np.asarray(trials)
    if k.ndim != 1 or k.shape != n.shape:
        raise DefinitionError(
            "successes and trials are sequences of one length, not of shapes {successes}, {trials}",
            successes=k.shape,
            trials=n.shape,
        )
    if len(k) and (k.dtype.kind not in "iuf" or n.dtype.kind not in "iuf"):
        raise DefinitionError("successes and trials are whole numbers")
    k, n = k.astype(float), n.astype(float)
    if not ((k >= 0) & (k <= n) & (k == np.floor(k)) & (n == np.floor(n))).all():
        raise DefinitionError("successes are whole numbers from 0 to the number of trials")
    if n.max(initial=0) > _LARGEST:
        raise SizeError(
            "a group has at most {limit:,} trials, not {largest:,.0f}",
            limit=_LARGEST,
            largest=n.max(),
        )
    return k, n


def _spread(k: Floats, n: Floats, method: str) -> tuple[float, float]:
    """Return a and b of the beta distribution of the groups' rates."""
    total = float(n.sum())
    if len(k) < 2:
        return 0.5, 0.5
    if k.sum() in (0, total):
        # Nothing tells the groups apart: all are one.
        mean = (float(k.sum()) + 0.5) / (total + 1)
        return mean * total, (1 - mean) * total
    mean, weight = _by_moments(k, n)
    weight = min(weight, total)
    if method == "likelihood":
        mean, weight = _by_likelihood(k, n, mean)
    return float(mean * weight), float((1 - mean) * weight)


def _by_moments(k: Floats, n: Floats) -> tuple[float, float]:
    """Return a / (a + b) and a + b, infinite where groups differ by no more than chance.

    With p = Σk / Σn the expectation of Σ n (k/n - p)² is p (1 - p) Σ (1 + (n - 1) ρ) (1 - n / Σn),
    where 1 / ρ = a + b + 1.
    """
    total = n.sum()
    p = k.sum() / total
    rest = 1 - n / total
    excess = (n * (k / n - p) ** 2).sum() / (p * (1 - p)) - rest.sum()
    room = ((n - 1) * rest).sum()
    correlation = min(excess / room, 1.0) if room > 0 else 0.0
    if correlation <= 0:
        return float(p), np.inf
    return float(p), max(float(1 / correlation - 1), _LEAST_WEIGHT)


def _by_likelihood(k: Floats, n: Floats, mean: float) -> tuple[float, float]:
    """Return a / (a + b) and a + b where the beta-binomial likelihood is largest.

    Its logarithm is Σ log(a + j) over the j below each k, plus the same of failures, less that of
    a + b and trials: sums over j, of how many groups have more. For a given a + b it is concave in
    the mean; over a + b the slope of the best of these is followed to where it is 0.
    """
    up, down, both = (_how_many_have_more(counts) for counts in (k, n - k, n))

    def at(weight: float, mean: float) -> tuple[float, float]:
        """Return the best mean for a weight, and the slope over its logarithm."""
        low, high = 0.0, 1.0
        while True:
            above, below = up[0] + mean * weight, down[0] + (1 - mean) * weight
            slope = weight * ((up[1] / above).sum() - (down[1] / below).sum())
            curvature = weight**2 * ((up[1] / above**2).sum() + (down[1] / below**2).sum())
            low, high = (mean, high) if slope > 0 else (low, mean)
            step = slope / curvature
            if abs(step) <= 1e-13 * mean or high - low <= 1e-15:
                break
            mean = mean + step if low < mean + step < high else (low + high) / 2
        by_weight = (
            mean * (up[1] / above).sum()
            + (1 - mean) * (down[1] / below).sum()
            - (both[1] / (both[0] + weight)).sum()
        )
        return mean, float(weight * by_weight)

    most = float(np.log(n.sum()))
    mean, falls = at(float(np.exp(most)), mean)
    if falls >= 0:
        return float(k.sum() / n.sum()), float(n.sum())
    least = float(np.log(_LEAST_WEIGHT))
    mean, rises = at(_LEAST_WEIGHT, mean)
    if rises <= 0:
        return mean, _LEAST_WEIGHT
    # False position on the logarithm of the weight, a bound that stays counting half (Illinois).
    low, high, middle = least, most, least
    for _ in range(200):
        before, middle = middle, (low * falls - high * rises) / (falls - rises)
        mean, slope = at(float(np.exp(middle)), mean)
        if slope > 0:
            low, rises, falls = middle, slope, falls / 2
        else:
            high, falls, rises = middle, slope, rises / 2
        if slope == 0 or abs(middle - before) <= 1e-13:
            break
    return mean, float(np.exp(middle))


def _how_many_have_more(counts: Floats) -> tuple[Floats, Floats]:
    """Return 0, 1 … up to the largest count less 1, and how many counts are larger than each."""
    each = np.bincount(counts.astype(np.int64))
    more = len(counts) - np.cumsum(each)[:-1]
    return np.arange(len(more), dtype=float), more.astype(float)
