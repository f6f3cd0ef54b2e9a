"""The beta distribution, of rates that are known with error: its tail and its quantiles."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError

Floats = NDArray[np.float64]

_TINY = np.finfo(float).tiny
_PRECISE = 4 * np.finfo(float).eps
_FURTHEST = 700.0
"""Log-odds are looked for so far from 0: up to about 1e-304 away from 0 or 1."""
_STIRLING_FROM = 15


def incomplete_beta(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Floats:
    """Return the regularised incomplete beta function Iₓ(a, b): how often Beta(a, b) is at most x.

    Parameters
    ----------
    a, b : array-like
        Positive and finite, of shapes that broadcast.
    x : array-like
        From 0 to 1; NaN gives NaN.

    Returns
    -------
    array of float
        Of the broadcast shape, within [0, 1].

    Raises
    ------
    DefinitionError
        If an argument is out of its range.

    Notes
    -----
    The continued fraction (9.2.1) of A. R. DiDonato and A. H. Morris (1992), "Algorithm 708",
    ACM Transactions on Mathematical Software 18, 360–373, taken on that side of the mean where it
    converges quickly.

    Examples
    --------
    >>> print(incomplete_beta(2, 3, 0.5).round(12))
    0.6875
    """
    a, b, x = _checked(a, b, x, "x")
    inside = (x > 0) & (x < 1)
    tail = np.where(np.isnan(x), np.nan, np.where(x > 0, 1.0, 0.0))
    a, b, x = a[inside], b[inside], x[inside]
    density = np.exp(_log_powers(a, b, x, 1 - x) + _log_constant(a, b))
    tail[inside] = _cumulative(a, b, x, 1 - x, density)
    return tail


def beta_quantile(p: ArrayLike, a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the x at which Iₓ(a, b) = p.

    Parameters
    ----------
    p : array-like
        From 0 to 1; NaN gives NaN.
    a, b : array-like
        Positive and finite, of shapes that broadcast.

    Returns
    -------
    array of float
        Of the broadcast shape, within [0, 1].

    Raises
    ------
    DefinitionError
        If an argument is out of its range.

    Notes
    -----
    Newton's method on the logarithm of the tail, as a function of the log-odds of x, which is
    concave; between bounds that close in, and where a step would leave them, they are halved.

    Examples
    --------
    >>> print(beta_quantile([0.025, 0.5, 0.975], 3, 18).round(3))
    [0.032 0.131 0.317]
    """
    a, b, p = _checked(a, b, p, "p")
    found = np.where(np.isnan(p), np.nan, np.where(p > 0, 1.0, 0.0))
    inside = (p > 0) & (p < 1)
    found[inside] = _solve(p[inside], a[inside], b[inside])
    return found


def _checked(a: ArrayLike, b: ArrayLike, share: ArrayLike, name: str) -> list[Floats]:
    """Return the arguments as arrays of one shape."""
    arrays = [np.asarray(value, float) for value in (a, b, share)]
    for parameter, values in zip("ab", arrays[:2], strict=True):
        if not (np.isfinite(values) & (values > 0)).all():
            raise DefinitionError("{parameter}= is positive and finite", parameter=parameter)
    if ((arrays[2] < 0) | (arrays[2] > 1)).any():
        raise DefinitionError("{name}= is from 0 to 1", name=name)
    return list(np.broadcast_arrays(*arrays))


def _solve(p: Floats, a: Floats, b: Floats) -> Floats:
    """Return quantiles, (n,), with 0 < p < 1."""
    upper = p > 0.5
    a, b, p = np.where(upper, b, a), np.where(upper, a, b), np.where(upper, 1 - p, p)
    found, index, constant = np.empty(len(p)), np.arange(len(p)), _log_constant(a, b)
    low, high = np.full(len(p), -_FURTHEST), np.full(len(p), _FURTHEST)
    u = np.clip(np.log(a / b), -_FURTHEST / 2, _FURTHEST / 2)
    while len(index):
        x, y = 1 / (1 + np.exp(-u)), 1 / (1 + np.exp(u))
        density = np.exp(_log_powers(a, b, x, y) + constant)  # the slope of the tail over u
        tail = _cumulative(a, b, x, y, density)
        low, high = np.where(tail < p, u, low), np.where(tail > p, u, high)
        miss = tail * np.log(np.maximum(tail, _TINY) / p)
        step = np.divide(miss, density, out=np.full(len(u), np.inf), where=density > 0)
        onward = np.where((u - step > low) & (u - step < high), u - step, (low + high) / 2)
        least = _PRECISE * np.maximum(np.abs(u), 1)
        settled = (np.abs(step) <= least) | (np.abs(onward - u) <= least)
        found[index[settled]] = u[settled]
        moving = ~settled
        index, u, low, high = index[moving], onward[moving], low[moving], high[moving]
        p, a, b, constant = p[moving], a[moving], b[moving], constant[moving]
    return 1 / (1 + np.exp(np.where(upper, found, -found)))


def _cumulative(a: Floats, b: Floats, x: Floats, y: Floats, density: Floats) -> Floats:
    """Return Iₓ(a, b), (n,), with 0 < x < 1, y = 1 - x to all its digits, and xᵃ yᵇ / B(a, b)."""
    swap = x * (a + b) > a
    a, b = np.where(swap, b, a), np.where(swap, a, b)
    x, y = np.where(swap, y, x), np.where(swap, x, y)
    tail = np.minimum(density / _fraction(a, b, x, y), 1.0)
    return np.where(swap, 1 - tail, tail)


def _fraction(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    """Return the continued fraction that xᵃ yᵇ / B(a, b) is divided by, by the method of Lentz."""
    value = a / (a + 1) * (a * y - b * x + 1)
    c, d = value, np.zeros_like(value)
    moving = np.ones(len(a), bool)
    m = 0
    while moving.any():
        m += 1
        twice = a + 2 * m
        top = (a + m - 1) * (a + b + m - 1) * m * (b - m) * (x / (twice - 1)) ** 2
        bottom = m + m * (b - m) * x / (twice - 1)
        bottom += (a + m) * (a * y - b * x + 1 + m * (2 - x)) / (twice + 1)
        d = bottom + top * d
        d = 1 / np.where(np.abs(d) < _TINY, _TINY, d)
        c = bottom + top / c
        c = np.where(np.abs(c) < _TINY, _TINY, c)
        factor = np.where(moving, c * d, 1.0)
        value = value * factor
        moving &= np.abs(factor - 1) > _PRECISE
    return value


def _log_powers(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    """Return log(xᵃ yᵇ) less its largest value, which is that at the mean.

    By the distance from the mean, so that large parameters leave no difference of large terms:
    C. Loader (2000), "Fast and accurate computation of binomial probabilities".
    """
    excess, total = x * b - y * a, a + b  # (x - mean) · total
    log_x, up = _log_of_ratio(x * (total / a), excess / a)
    log_y, down = _log_of_ratio(y * (total / b), -excess / b)
    # Their first-order terms cancel, as a · up + b · down = 0.
    near = (np.abs(excess / a) < 0.5) & (np.abs(excess / b) < 0.5)
    return np.where(near, a * (log_x - up) + b * (log_y - down), a * log_x + b * log_y)


def _log_constant(a: Floats, b: Floats) -> Floats:
    """Return log(xᵃ yᵇ / B(a, b)) at the mean, x = a / (a + b), by Stirling's formula."""
    total = a + b
    leading = (np.log(a) + np.log(b / total) - math.log(2 * math.pi)) / 2
    return leading + _stirling_error(total) - _stirling_error(a) - _stirling_error(b)


def _log_of_ratio(ratio: Floats, less_one: Floats) -> tuple[Floats, Floats]:
    """Return the logarithm of a ratio, given also less 1, and that; 0 where it is not near 1."""
    near = np.abs(less_one) < 0.5
    less_one = np.where(near, less_one, 0.0)
    return np.where(near, np.log1p(less_one), np.log(ratio)), less_one


def _stirling_error(z: Floats) -> Floats:
    """Return log Γ(z) - ((z - ½) log z - z + ½ log 2π)."""
    error = np.zeros_like(z)
    for _ in range(_STIRLING_FROM):
        small = z < _STIRLING_FROM
        error += np.where(small, (z + 0.5) * np.log1p(1 / z) - 1, 0.0)
        z = np.where(small, z + 1, z)
    inverse = 1 / (z * z)
    return error + (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z
