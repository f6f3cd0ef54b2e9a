"""Order: how often a won lead scores above a lost one, and which of two scores does it better."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.metrics.intervals import critical_value
from salesfunnel.scoring.validate.arrays import read_pair, read_scores


@attrs.frozen
class Auc:
    """The area under the ROC curve, and how far it can be trusted.

    Attributes
    ----------
    value : float
        The chance that a won lead scores above a lost one, both drawn at random; equal scores count
        as half. 0.5 is no better than a coin.
    low, high : float
        The confidence interval.
    standard_error : float
        DeLong's; NaN with a single won or a single lost lead.
    level : float
        Confidence level of the interval.
    n_won, n_lost : int
        What it was computed from.
    """

    value: float
    low: float
    high: float
    standard_error: float
    level: float
    n_won: int
    n_lost: int


@attrs.frozen
class AucDifference:
    """How much better a second score orders the same leads than a first.

    Attributes
    ----------
    first, second : Auc
        The areas of each.
    value : float
        Second minus first.
    low, high : float
        The confidence interval.
    standard_error : float
        DeLong's, of the paired difference.
    p_value : float
        Two-sided, of there being no difference.
    """

    first: Auc
    second: Auc
    value: float
    low: float
    high: float
    standard_error: float
    p_value: float


def roc_auc(scores: ArrayLike, outcomes: ArrayLike, *, level: float = 0.95) -> Auc:
    """Return the area under the ROC curve with its interval.

    Parameters
    ----------
    scores : (N,) array-like of numbers
        Higher for leads that are more likely to be won; a score of 0–100 or a probability.
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Auc

    Raises
    ------
    DataError
        If a score is no finite number, an outcome none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    DefinitionError
        If `level` is not between 0 and 1.

    Notes
    -----
    The value is the Mann–Whitney statistic over mid-ranks, so it is exact with ties and does not
    depend on the order of the leads. Its variance is that of E. R. DeLong, D. M. DeLong and D. L.
    Clarke-Pearson (1988), Biometrics 44, 837–845, in the form of X. Sun and W. Xu (2014), IEEE
    Signal Processing Letters 21, 1389–1393; the interval is symmetric on the scale of log-odds (M.
    S. Pepe 2003, The Statistical Evaluation of Medical Tests, page 107), so it stays within (0,
    1). Where DeLong's variance is zero (the order is perfect, say) or unknown, the interval is
    method 5 of R. G. Newcombe (2006), Statistics in Medicine 25, 559–573, which inverts the
    variance of J. A. Hanley and B. J. McNeil (1982), Radiology 143, 29–36.

    Examples
    --------
    >>> auc = roc_auc([80, 65, 65, 40, 30], [True, True, False, False, False])
    >>> round(auc.value, 4)
    0.9167
    """
    values = read_scores(scores)
    won = read_pair(values, outcomes)
    return _auc(_Placement(values, won), level)


def compare_auc(
    first: ArrayLike, second: ArrayLike, outcomes: ArrayLike, *, level: float = 0.95
) -> AucDifference:
    """Return how much better a second score orders the same leads than a first.

    The two are compared lead by lead, so that what makes a lead hard for both is not held against
    either.

    Parameters
    ----------
    first, second : (N,) array-like of numbers
        Two scores of the same leads; their scales need not agree.
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    AucDifference

    Raises
    ------
    DataError
        If a score is no finite number, an outcome none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    DefinitionError
        If `level` is not between 0 and 1.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837–845. Two scores of the same order
    differ by exactly 0; bounds and p-value are NaN where the variance is unknown, or zero while the
    areas differ.

    Examples
    --------
    >>> won = [True, True, False, False, False, True]
    >>> difference = compare_auc([3, 1, 2, 1, 0, 2], [5, 4, 3, 2, 1, 3], won)
    >>> round(difference.value, 4)
    0.1667
    """
    a, b = read_scores(first, "first"), read_scores(second, "second")
    won = read_pair(a, outcomes, "first")
    read_pair(b, won, "second")
    return _difference(_Placement(a, won), _Placement(b, won), level)


def _difference(a: _Placement, b: _Placement, level: float) -> AucDifference:
    z = critical_value(level)
    one, two = _auc(a, level), _auc(b, level)
    value = two.value - one.value
    if np.array_equal(a.won, b.won) and np.array_equal(a.lost, b.lost):
        return AucDifference(one, two, 0.0, 0.0, 0.0, 0.0, 1.0)
    error = _standard_error(b.won - a.won, b.lost - a.lost)
    if not error > 0:
        return AucDifference(one, two, value, math.nan, math.nan, error, math.nan)
    return AucDifference(
        one,
        two,
        value,
        max(-1.0, value - z * error),
        min(1.0, value + z * error),
        error,
        math.erfc(abs(value) / error / math.sqrt(2)),
    )


# ── placements: what the area and its variance are made of ────────────────────────────────────────


class _Placement:
    """Where each lead stands among those of the other outcome.

    Attributes
    ----------
    won : (n_won,)
        The share of lost leads below each won one, ties counting as half.
    lost : (n_lost,)
        The share of won leads above each lost one.
    area : float
        The mean of either.
    """

    def __init__(self, scores: NDArray[np.float64], won: NDArray[np.bool_]) -> None:
        ranks = mid_ranks(scores)
        n_won = int(np.count_nonzero(won))
        n_lost = len(won) - n_won
        among_won, among_lost = mid_ranks(scores[won]), mid_ranks(scores[~won])
        below = ranks[won] - among_won
        self.won = below / n_lost
        self.lost = 1 - (ranks[~won] - among_lost) / n_won
        # Mid-ranks are halves of integers, so their sum is exact.
        self.area = float(below.sum()) / (n_won * n_lost)


def mid_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1, equal values sharing the mean of theirs, (N,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def _auc(placement: _Placement, level: float) -> Auc:
    z = critical_value(level)
    area = placement.area
    n_won, n_lost = len(placement.won), len(placement.lost)
    error = _standard_error(placement.won, placement.lost)
    if error > 0:
        half = z * error / (area * (1 - area))
        centre = math.log(area / (1 - area))
        low, high = _logistic(centre - half), _logistic(centre + half)
    else:
        low, high = _newcombe(area, n_won, n_lost, z)
    return Auc(area, low, high, error, level, n_won, n_lost)


def _standard_error(won: NDArray[np.float64], lost: NDArray[np.float64]) -> float:
    if len(won) < 2 or len(lost) < 2:
        return math.nan
    return math.sqrt(won.var(ddof=1) / len(won) + lost.var(ddof=1) / len(lost))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))


def _newcombe(area: float, n_won: int, n_lost: int, z: float) -> tuple[float, float]:
    """Return the areas that lie just as far from the one found as chance allows at each."""
    typical = (n_won + n_lost) / 2 - 1

    def allows(candidate: float) -> bool:
        spread = 1 + typical * ((1 - candidate) / (2 - candidate) + candidate / (1 + candidate))
        variance = candidate * (1 - candidate) * spread / (n_won * n_lost)
        return (candidate - area) ** 2 <= z * z * variance

    def edge(outside: float) -> float:
        inside = area
        if outside == area:
            return outside
        for _ in range(60):
            middle = (inside + outside) / 2
            if allows(middle):
                inside = middle
            else:
                outside = middle
        return inside

    return edge(0.0), edge(1.0)
