"""Confidence bands: bounds that hold for a whole stretch of a survival curve at once.

Where a curve was followed, its error is that of a Brownian bridge in a time of its own, which runs
from 0 to 1. How wide a band has to be is how far such a bridge goes astray within a part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import attrs
import numpy as np
from numpy.polynomial.legendre import legder, leggauss, legval
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics.intervals import critical_value
from salesfunnel.wording import Listed

Floats = NDArray[np.float64]

KINDS = ("equal_precision", "hall_wellner")
_NODES = 48
"""Of a Gauss–Legendre rule; twice as many change no digit of a critical value that is shown."""
_FAR = 9.0
"""Standard deviations beyond which a normal variable is not met."""
_TERMS = 24
"""Polynomials that vanish at the ends of the strip."""


@attrs.frozen(eq=False)
class Band:
    """Bounds of a survival curve that hold for all times of a stretch at once.

    Attributes
    ----------
    kind : str
        ``"equal_precision"`` or ``"hall_wellner"``.
    level : float
        Confidence level of the whole.
    time : (n,) array
        The times of the curve's rows.
    low, high : (n,) float64
        The bounds from each time on; NaN outside the stretch.
    since, until : float
        The stretch; NaN where the curve has none.
    critical : float
        How far the bounds reach: in standard errors of the curve (equal precision), or as much as a
        Brownian bridge goes astray (Hall and Wellner).
    """

    kind: str
    level: float
    time: NDArray[np.generic] = attrs.field(repr=False)
    low: Floats = attrs.field(repr=False)
    high: Floats = attrs.field(repr=False)
    since: float
    until: float
    critical: float

    def at(self, time: ArrayLike) -> tuple[Floats, Floats]:
        """Return the bounds at some times, of any shape; NaN outside the stretch."""
        asked = np.asarray(time, float)
        row = np.searchsorted(self.time, asked, side="right") - 1
        outside = ~((asked >= self.since) & (asked <= self.until))
        low, high = (
            np.where(outside, np.nan, np.append(bound, np.nan)[row])
            for bound in (self.low, self.high)
        )
        return low, high


def band_of(
    kind: str,
    level: float,
    time: NDArray[np.generic],
    survival: Floats,
    relative_variance: Floats,
    n: int,
    longest: float,
    since: float | None,
    until: float | None,
) -> Band:
    """Return a band around the survival of n opportunities.

    Parameters
    ----------
    kind : {"equal_precision", "hall_wellner"}
    level : float
    time, survival, relative_variance : (n_rows,) arrays
        The variance divided by the square of the survival: Greenwood's sum.
    n : int
    longest : float
        How long somebody was followed.
    since, until : float, optional
        By default as much as there is.

    Raises
    ------
    DefinitionError
        If an argument is not of this form.
    """
    if kind not in KINDS:
        raise DefinitionError(
            "a band is one of {kinds}, not {kind!r}; the pointwise bounds are .low and .high",
            kinds=Listed(KINDS),
            kind=kind,
        )
    critical_value(level)
    for name, given in (("since", since), ("until", until)):
        if given is not None and not given >= 0:
            raise DefinitionError(
                "{name}= is a duration, not negative, not {given!r}", name=name, given=given
            )
    if since is not None and until is not None and until < since:
        raise DefinitionError(
            "a band lasts from since= to a later until=, not from {since!r} to {until!r}",
            since=since,
            until=until,
        )
    inside = survival > 0
    nothing = np.full(len(time), np.nan)
    begin = end = np.nan
    if inside.any():
        rows = np.flatnonzero(inside)
        # A curve that has come to 0 says nothing beyond the last share above it.
        end = longest if len(rows) == len(time) else float(time[rows[-1]])
        begin = float(time[0]) if since is None else max(since, float(time[0]))
        end = end if until is None else min(until, end)
        inside &= (time <= end) & (np.append(time[1:], np.inf) > begin)  # type: ignore[operator]
    if not inside.any() or begin > end:
        return Band(kind, level, time, nothing, nothing, np.nan, np.nan, np.nan)
    rows = np.flatnonzero(inside)
    variance = relative_variance[rows]
    low, high = n * variance[[0, -1]] / (1 + n * variance[[0, -1]])
    if kind == "equal_precision":
        critical = equal_precision_critical(float(low), float(high), level)
        error = critical * np.sqrt(variance)
    else:
        critical = hall_wellner_critical(float(low), float(high), level)
        error = critical * (1 + n * variance) / np.sqrt(n)
    log = np.log(survival[rows])
    with np.errstate(over="ignore"):  # of a band that reaches from 0 to 1
        factor = np.exp(-error / log)
    lower, upper = nothing, nothing.copy()
    lower[rows], upper[rows] = np.exp(log * factor), np.exp(log / factor)
    return Band(kind, level, time, lower, upper, begin, end, critical)


# ── how far a Brownian bridge goes astray ─────────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def equal_precision_critical(low: float, high: float, level: float) -> float:
    """Return c such that abs(B(u)) ≤ c √(u (1 - u)) for all u from low to high, at a level.

    Notes
    -----
    B(u) / √(u (1 - u)) is an Ornstein–Uhlenbeck process in the time ½ log(u / (1 - u)), and stays
    within ±c with the probability Σ e^(-λT) w over the eigenvalues λ of -f″ + x f′ on [-c, c], with
    f(±c) = 0, which are found by the Galerkin method: no table is interpolated and no term of an
    expansion for large c left out. V. N. Nair (1984), "Confidence bands for survival functions with
    censored data: a comparative study", Technometrics 26, 265–275.
    """
    length = 0.5 * np.log(high * (1 - low) / (low * (1 - high)))
    return _solve(lambda c: _stays_in_strip(c, length), level, critical_value(level))


@lru_cache(maxsize=256)
def hall_wellner_critical(low: float, high: float, level: float) -> float:
    """Return k such that abs(B(u)) ≤ k for all u from low to high, at a level.

    Notes
    -----
    Between two values a Brownian bridge is one again, and stays within ±k with a probability that
    is a sum over reflections (T. W. Anderson 1960, Annals of Mathematical Statistics 31, 165–197);
    this is integrated over both values. W. J. Hall and J. A. Wellner (1980), "Confidence bands for
    a survival curve from censored data", Biometrika 67, 133–143.
    """
    middle = min(max(0.5, low), high)
    least = critical_value(level) * np.sqrt(middle * (1 - middle))
    return _solve(lambda k: _stays_below(k, low, high), level, least)


def _solve(probability: Callable[[float], float], level: float, least: float) -> float:
    """Return where an increasing function reaches a level, from a value where it has not.

    By regula falsi that halves the weight of an end which stays (Illinois), on the logarithm of
    what is missing to 1, which is nearly a parabola.
    """

    def excess(value: float) -> float:
        return float(np.log(max(1 - probability(value), 1e-15) / (1 - level)))

    most = 1.5 * least
    below, above = excess(least), excess(most)
    while above > 0:
        most *= 1.5
        above = excess(most)
    side = 0
    while most - least > 1e-10 * most and below > 0:
        guess = most - above * (most - least) / (above - below)
        found = excess(guess)
        if abs(found) < 1e-10:
            return float(guess)
        if found > 0:
            least, below, above = guess, found, above / 2 if side > 0 else above
        else:
            most, above, below = guess, found, below / 2 if side < 0 else below
        side = 1 if found > 0 else -1
    return float(least if below <= 0 else most)


@lru_cache(maxsize=1)
def _polynomials() -> tuple[Floats, Floats, Floats, Floats]:
    """Return nodes and weights on [-1, 1], and there even polynomials, 0 at ±1, and their slopes.

    They are differences of Legendre polynomials: J. Shen (1994), SIAM Journal on Scientific
    Computing 15, 1489–1505.
    """
    nodes, weights = leggauss(3 * _TERMS)
    coefficients = np.zeros((2 * _TERMS + 1, _TERMS))
    for term in range(_TERMS):
        scale = 1 / np.sqrt(8 * term + 6)  # of slope 1 in the mean of squares
        coefficients[2 * term, term], coefficients[2 * term + 2, term] = scale, -scale
    values, slopes = legval(nodes, coefficients), legval(nodes, legder(coefficients))
    return nodes, weights, np.asarray(values, float), np.asarray(slopes, float)


def _stays_in_strip(c: float, length: float) -> float:
    """Return the probability that a stationary Ornstein–Uhlenbeck process stays within ±c."""
    nodes, weights, values, slopes = _polynomials()
    density = weights * c * np.exp(-((nodes * c) ** 2) / 2) / np.sqrt(2 * np.pi)
    mass, start = (values * density) @ values.T, values @ density
    stiffness = (slopes * density) @ slopes.T / c**2
    # In a basis in which the slopes are orthonormal: eigenvalues 1/λ.
    root = np.linalg.cholesky(stiffness)
    inverse = np.linalg.solve(root, np.linalg.solve(root, mass).T)
    means, vectors = np.linalg.eigh((inverse + inverse.T) / 2)
    means, vectors = means[means > 1e-12], vectors[:, means > 1e-12]
    parts = vectors.T @ np.linalg.solve(root, start)
    return float(np.sum(np.exp(-length / means) * parts**2 / means))


def _stays_below(k: float, low: float, high: float) -> float:
    """Return the probability that a Brownian bridge stays within ±k from one time to another."""
    nodes, weights = leggauss(_NODES)
    begin = np.sqrt(low * (1 - low))
    reach = min(k, _FAR * begin)
    x, of_x = (nodes * reach)[:, None], (weights * reach)[:, None]
    of_x = of_x * np.exp(-((x / begin) ** 2) / 2) / (begin * np.sqrt(2 * np.pi))
    span = high - low
    if span == 0:
        return float(of_x.sum())
    mean, spread = x * (1 - high) / (1 - low), np.sqrt(span * (1 - high) / (1 - low))
    left, right = np.maximum(-k, mean - _FAR * spread), np.minimum(k, mean + _FAR * spread)
    y = (left + right) / 2 + nodes * (right - left) / 2
    of_y = weights * (right - left) / 2
    of_y = of_y * np.exp(-(((y - mean) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
    straight = (y - x) ** 2
    stays = np.ones_like(y)
    for turn in range(1, 2 + int(np.ceil(_FAR * np.sqrt(span) / k))):
        for image, sign in ((2 * turn * k, (-1) ** turn), (-2 * turn * k, (-1) ** turn)):
            reflected = y if turn % 2 == 0 else -y
            apart = (reflected + image - x) ** 2
            stays += sign * np.exp((straight - apart) / (2 * span))
    return float((of_x * of_y * stays).sum())
