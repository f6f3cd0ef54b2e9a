"""The log-rank test: whether something takes equally long in several groups."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import SizeError
from salesfunnel.metrics.distributions import chi2_sf
from salesfunnel.metrics.lifetimes import Lifetimes, lifetimes
from salesfunnel.metrics.ordinals import KEY_BITS, ordinals_of

Floats = NDArray[np.float64]

MOST_GROUPS = 2000
_CELLS = 1 << 20
"""Size of the table of blocks by groups that is looked at in one go."""


class LogRank(NamedTuple):
    """A log-rank test of G groups.

    Attributes
    ----------
    statistic : float
        χ²; NaN where there is nothing to compare.
    degrees_of_freedom : int
        One less than the groups that could have had an event.
    p_value : float
        How often groups that do not differ would differ so much.
    observed : (G,) int64
        Events of each group.
    expected : (G,) float64
        How many there would be if it took equally long in all.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    observed: NDArray[np.int64]
    expected: Floats


def logrank(
    duration: ArrayLike, event: ArrayLike, group: ArrayLike, *, n_groups: int | None = None
) -> LogRank:
    """Return the log-rank test of whether an event takes equally long in several groups.

    Parameters
    ----------
    duration : (N,) array-like of numbers
        How long each of N opportunities was followed.
    event : (N,) array-like of bool
        Whether the event happened then, or the opportunity is censored.
    group : (N,) array-like of int
        Codes 0 … G-1.
    n_groups : int, optional
        G; by default the largest code and one.

    Returns
    -------
    LogRank

    Raises
    ------
    DefinitionError
        If durations are negative, infinite or NaN, or an argument is not of this form.
    SizeError
        If there are more than 2,000 groups.

    Notes
    -----
    At each time the events among those at risk are compared with their hypergeometric expectation,
    which is exact for ties: N. Mantel (1966), "Evaluation of survival data and two new rank order
    statistics arising in its consideration", Cancer Chemotherapy Reports 50, 163–170; for several
    groups R. Peto and J. Peto (1972), Journal of the Royal Statistical Society A 135, 185–207. A
    group of which nobody was followed up to the first event takes no part.

    Examples
    --------
    >>> test = logrank([1, 2, 3, 4, 5, 6], [True] * 6, [0, 0, 0, 1, 1, 1])
    >>> round(test.statistic, 3), round(test.p_value, 3)
    (5.052, 0.025)
    """
    known = lifetimes(duration, event, group=group, n_groups=n_groups)
    if known.n_groups > MOST_GROUPS:
        raise SizeError(
            "a log-rank test compares {limit:,} groups at the most, not {n:,}: it relates each to "
            "each; select some by where=, or group more coarsely",
            limit=MOST_GROUPS,
            n=known.n_groups,
        )
    observed, expected, covariance = _compare(known)
    taking_part = np.flatnonzero(expected > 0)
    excess = (observed - expected)[taking_part][:-1]
    part = covariance[np.ix_(taking_part, taking_part)][:-1, :-1]
    # Relative to the variances, so that groups of any size can be told from those without any.
    scale = np.sqrt(np.diag(part))
    rank, statistic = 0, np.nan
    if len(scale) and (scale > 0).any():
        scale[scale == 0] = 1.0
        scaled = part / np.outer(scale, scale)
        rank = int(np.linalg.matrix_rank(scaled, tol=1e-9, hermitian=True))
        z = excess / scale
        statistic = float(z @ np.linalg.pinv(scaled, rcond=1e-9, hermitian=True) @ z)
    return LogRank(statistic, rank, float(chi2_sf(statistic, rank)), observed, expected)


def _compare(known: Lifetimes) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the observed and expected events of each group, (G,), and the covariance, (G, G).

    What each time adds to a group, as its share of those at risk, is summed by opportunity instead:
    each adds what has come together by its own end. So no table of times by groups is needed.
    """
    group, is_event, is_new = _by_time(known)
    n_groups, total = known.n_groups, len(group)
    observed = np.bincount(group[is_event], minlength=n_groups)
    # The first row of each time that has an event, where they come first, and its events.
    first = np.flatnonzero(is_new & is_event)
    d = np.add.reduceat(is_event, first, dtype=np.int64) if len(first) else first
    n = (total - first).astype(float)
    spread = np.divide(d * (n - d), n - 1, out=np.zeros(len(n)), where=n > 1)

    def by_row(terms: Floats) -> Floats:
        """Return the sum of the terms of all times up to that of each row, (N,)."""
        sums = np.zeros(total)
        sums[first] = terms
        return np.cumsum(sums, out=sums)

    def by_group(values: Floats) -> Floats:
        return np.bincount(group, values, minlength=n_groups).astype(float)

    expected, own = by_group(by_row(d / n)), by_group(by_row(spread / n))
    # Of two opportunities the times count at which both are at risk: those up to the first end.
    both = by_row(spread / n**2)
    pairs = _over_pairs(group, both, n_groups)
    return observed, expected, np.diag(own - by_group(both)) - pairs - pairs.T


def _over_pairs(group: NDArray[np.int64], value: Floats, n_groups: int) -> Floats:
    """Return the sum of the value of the first over all pairs of rows, by their groups, (G, G).

    Pairs within a small block are taken one distance at a time; the others when two blocks become
    one of twice the size: the sums of values in the first by the counts in the second.
    """
    size = min(max(n_groups // 16, 2), 64)
    sums = np.zeros(n_groups * n_groups)
    row = np.arange(len(group))
    for apart in range(1, size):
        one = row[: max(len(row) - apart, 0)]
        one = one[one % size < size - apart]
        cell = group[one] * n_groups + group[one + apart]
        sums += np.bincount(cell, value[one], minlength=len(sums))
    pairs = sums.reshape(n_groups, n_groups)
    while size < len(group):
        rows = max(_CELLS // max(n_groups, 1), 1) * 2 * size
        for low in range(0, len(group), rows):
            part = slice(low, low + rows)
            block = row[part] - low
            block //= size
            cells = (block >> 1) * n_groups + group[part]
            shape = (-1, n_groups)
            least = (int(block[-1] >> 1) + 1) * n_groups
            before, after = block & 1 == 0, block & 1 == 1
            values = np.bincount(cells[before], value[part][before], minlength=least)
            counts = np.bincount(cells[after], minlength=least)
            pairs += values.reshape(shape).T @ counts.reshape(shape).astype(float)
        size *= 2
    return pairs


def _by_time(known: Lifetimes) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return each one's group, whether it is an event, and whether its time is new, (N,) each.

    In the order of time, events before what is censored then.
    """
    group = np.zeros(len(known.duration), np.int64) if known.group is None else known.group
    group_bits = max(known.n_groups - 1, 0).bit_length()
    ordinals = ordinals_of(known.duration, KEY_BITS - group_bits - 1)
    key = ordinals.of(slice(None), np.int64)
    key <<= 1
    key |= known.ending == known.censored
    key <<= group_bits
    key |= group
    key.sort()
    is_event = (key >> group_bits & 1) == 0
    time = key >> group_bits + 1
    is_new = np.ones(len(key), bool)
    np.not_equal(time[1:], time[:-1], out=is_new[1:])
    return key & (1 << group_bits) - 1, is_event, is_new
