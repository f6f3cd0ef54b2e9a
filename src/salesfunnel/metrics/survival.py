"""Survival: how long it takes until something happens, where for some it has not happened yet."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.memory import empty
from salesfunnel.kernel.segments import counts, running_products, running_sums
from salesfunnel.metrics.bands import Band, band_of
from salesfunnel.metrics.curves import Floats, StepCurve
from salesfunnel.metrics.intervals import critical_value
from salesfunnel.metrics.lifetimes import lifetimes
from salesfunnel.metrics.ordinals import CHUNK
from salesfunnel.metrics.risksets import RiskSets, risk_sets


class RestrictedMean(NamedTuple):
    """The mean time up to a horizon, with its variance and interval; arrays of groups."""

    mean: Floats
    variance: Floats
    low: Floats
    high: Floats


class KaplanMeier(StepCurve):
    """A Kaplan–Meier curve: the share to which the event has not happened yet.

    Has a row for each time at which it happened to somebody, of each group.

    Attributes
    ----------
    time : (n,) array
        When it happened: ascending, within each group.
    at_risk, events : (n,) int64
        How many were followed at least so long, and to how many of them it happened.
    survival : (n,) float64
        The share to which it has not happened by then.
    variance, low, high : (n,) float64
        Of the survival; computed when they are asked for.
    group : (n,) int64
        The group of each row.
    """

    before_any = 1.0

    @property
    def survival(self) -> Floats:
        """The share to which it has not happened by then, (n,)."""
        return self.estimate

    @cached_property
    def variance(self) -> Floats:
        """Of the survival, by Greenwood's formula, (n,)."""
        return np.asarray(self.estimate**2 * self._relative_variance)

    @cached_property
    def _relative_variance(self) -> Floats:
        return running_sums(_hazard_variance(self.sets), self.sets.starts)

    def band(
        self,
        kind: str = "equal_precision",
        *,
        since: float | None = None,
        until: float | None = None,
    ) -> Band:
        """Return bounds that hold for a whole stretch of the curve at once.

        `low` and `high` hold at each time by itself: somewhere or other the truth lies beyond them
        more often than their level says.

        Parameters
        ----------
        kind : {"equal_precision", "hall_wellner"}
            Bounds as far apart as the pointwise ones, times a factor (Nair); or narrower in the
            middle and wider at the ends (Hall and Wellner).
        since, until : float, optional
            The stretch of time. By default it begins with the first event and lasts as long as
            anybody was followed, or to the last share above 0. A shorter one has a narrower band.

        Returns
        -------
        Band
            With ``.low`` and ``.high``, (n,), NaN outside the stretch; ``.critical``, ``.since``,
            ``.until`` and ``.at(time)``.

        Raises
        ------
        DefinitionError
            If an argument is not of this form, or the curve is of groups: ask the curve of one.

        Notes
        -----
        With σ² Greenwood's sum, n opportunities and a = n σ² / (1 + n σ²), at the ends a₁ and a₂: S
        to the power of exp(±c σ / log S), or exp(±k (1 + n σ²) / (√n log S)), where a Brownian
        bridge B stays within abs(B(u)) ≤ c √(u (1 - u)), or ≤ k, for all u from a₁ to a₂ with the
        probability that is the level. Ø. Borgan and K. Liestøl (1990), "A note on confidence
        intervals and bands for the survival function based on transformations", Scandinavian
        Journal of Statistics 17, 35–41; Klein and Moeschberger (2003), 4.4.
        """
        if self.grouped:
            raise DefinitionError(
                "a band is around one curve, this one is of {n} groups; ask the curve of one, as "
                "in curve[0].band()",
                n=len(self.sets.size),
            )
        n, longest = int(self.sets.size[0]), float(self.sets.longest[0])
        rows = self.time, self.estimate, self._relative_variance
        return band_of(kind, self.level, *rows, n, longest, since, until)

    def restricted_mean(self, horizon: float | None = None) -> RestrictedMean:
        """Return the mean time until the event, counted up to a horizon.

        Parameters
        ----------
        horizon : float, optional
            By default the longest duration, of each group.

        Returns
        -------
        RestrictedMean
            ``mean``, ``variance``, ``low`` and ``high``, scalars or (G,) of groups; NaN where
            nobody was followed up to the horizon.

        Raises
        ------
        DefinitionError
            If the horizon is negative or NaN.

        Notes
        -----
        The area A(0) below the curve, of variance Σ A(t)² d / (n (n - d)) over the times t of
        events, with A(t) the area beyond t: J. P. Klein and M. L. Moeschberger (2003), Survival
        Analysis, 2nd edition, (4.5.1) and (4.5.2). The interval is the normal one.
        """
        sets = self.sets
        if horizon is not None and not horizon >= 0:
            raise DefinitionError(
                "horizon= is a duration, not negative, not {horizon!r}", horizon=horizon
            )
        until = sets.longest if horizon is None else np.full(len(sets.size), float(horizon))
        is_known = (until <= sets.longest) | self._complete
        if len(sets.time) == 0:
            none = np.where(is_known, 0.0, np.nan)
            mean, variance = np.where(is_known, until, np.nan), none
        else:
            first, last = sets.starts[:-1], sets.starts[1:] - 1
            has_rows = last >= first
            begin = np.minimum(sets.time, until[self.group])
            end = np.append(begin[1:], 0)
            end[last[has_rows]] = until[has_rows]
            areas = self.estimate * (end - begin)
            so_far = running_sums(areas.copy(), sets.starts)
            totals = np.where(has_rows, so_far[last], 0.0)
            start = np.where(has_rows, begin[np.minimum(first, len(begin) - 1)], until)
            mean = np.where(is_known, start + totals, np.nan)
            # The area beyond each time, from that time on.
            beyond = totals[self.group] - so_far + areas
            terms = beyond**2 * _hazard_variance(sets)
            sums = running_sums(terms, sets.starts)
            variance = np.where(is_known, np.where(has_rows, sums[last], 0.0), np.nan)
        half = critical_value(self.level) * np.sqrt(variance)
        bounds = np.maximum(mean - half, 0.0), np.minimum(mean + half, until)
        return RestrictedMean(*(self._shaped(part, ()) for part in (mean, variance, *bounds)))


class AalenJohansen(StepCurve):
    """An Aalen–Johansen curve: the share to which an event has happened, and none before it.

    Has a row for each time at which anything happened, the event or another one, of each group.
    What a `KaplanMeier` curve is asked this one is asked alike, but for the restricted mean and the
    band.

    Attributes
    ----------
    time : (n,) array
        When anything happened: ascending, within each group.
    at_risk, events, competing : (n,) int64
        How many were followed at least so long, and to how many of them the event, or another one,
        happened.
    incidence : (n,) float64
        The share to which the event has happened by then.
    variance, low, high : (n,) float64
        Of the incidence; computed when they are asked for.
    group : (n,) int64
        The group of each row.
    """

    before_any = 0.0

    @property
    def incidence(self) -> Floats:
        """The share to which it has happened by then, (n,)."""
        return self.estimate

    @cached_property
    def variance(self) -> Floats:
        """Of the incidence, by the delta method, (n,)."""
        sets, f = self.sets, self.estimate
        n, d, survival = sets.at_risk.astype(float), sets.events, _survival(sets, before=True)
        # Σ (F(t) - F)² a + b - 2 (F(t) - F) c over the times up to t, multiplied out.
        a = _hazard_variance(sets)
        b = survival**2 * d * (n - d) / n**3
        c = survival * d / n**2
        squares, linear, constant = (
            running_sums(term, sets.starts)
            for term in (a, 2 * (f * a + c), f * f * a + b + 2 * f * c)
        )
        return np.maximum(f * f * squares - f * linear + constant, 0.0)

    @property
    def competing(self) -> NDArray[np.int64]:
        """To how many another event happened, (n,)."""
        return self.sets.competing

    def band(self, *_: object, **__: object) -> NoReturn:
        """Refuse: with competing events the error is no Brownian bridge in a time of its own.

        Raises
        ------
        DefinitionError
            Always. Bands come from simulation then, as in D. Y. Lin (1997), Statistics in Medicine
            16, 901–910; at chosen times `interval_at` has bounds, of a higher level if they are to
            hold together (Bonferroni).
        """
        raise DefinitionError(
            "an Aalen–Johansen curve has bounds for each time, .low and .high, and no band; for m "
            "times at once ask .interval_at of a curve made with level=1 - 0.05 / m"
        )


def kaplan_meier(
    duration: ArrayLike,
    event: ArrayLike,
    *,
    group: ArrayLike | None = None,
    n_groups: int | None = None,
    level: float = 0.95,
) -> KaplanMeier:
    """Return the Kaplan–Meier curve: the share to which an event has not happened yet.

    Parameters
    ----------
    duration : (N,) array-like of numbers
        How long each of N opportunities was followed, in any unit: until the event, or until now.
    event : (N,) array-like of bool
        Whether the event happened then. Where it did not, the opportunity is censored: all that is
        known is that it takes longer. At equal times events come first.
    group : (N,) array-like of int, optional
        Codes 0 … G-1: each group has a curve of its own.
    n_groups : int, optional
        G; by default the largest code and one.
    level : float
        Confidence level.

    Returns
    -------
    KaplanMeier
        With ``.time``, ``.survival``, ``.low``, ``.high``, ``.at_risk``, ``.events``, each (n,),
        and ``.at(time)``, ``.quantile(q)``, ``.restricted_mean(horizon)``, ``.band()``.

    Raises
    ------
    DefinitionError
        If durations are negative, infinite or NaN, or an argument is not of this form.

    Notes
    -----
    S(t) = Π (1 - d/n) over the times up to t, with d events among n at risk; of variance
    S² Σ d / (n (n - d)) (Greenwood). E. L. Kaplan and P. Meier (1958), "Nonparametric estimation
    from incomplete observations", Journal of the American Statistical Association 53, 457–481. The
    interval is pointwise, on the scale of log(-log S): S to the power of exp(±z σ / (S log S)),
    J. D. Kalbfleisch and R. L. Prentice (1980), The Statistical Analysis of Failure Time Data.
    Where the estimate is 0 or 1, which that scale does not have, it is Wilson's, out of those whose
    fate at that time is known.

    Examples
    --------
    >>> curve = kaplan_meier([2, 3, 3, 5, 8], [True, True, False, True, False])
    >>> curve.time.tolist(), curve.at_risk.tolist(), curve.survival.round(2).tolist()
    ([2, 3, 5], [5, 4, 2], [0.8, 0.6, 0.3])
    >>> float(curve.quantile(0.5))
    5.0
    """
    critical_value(level)
    sets = risk_sets(lifetimes(duration, event, group=group, n_groups=n_groups))
    return KaplanMeier(sets, _survival(sets), level, group is not None)


def aalen_johansen(
    duration: ArrayLike,
    event: ArrayLike,
    cause: int = 1,
    *,
    group: ArrayLike | None = None,
    n_groups: int | None = None,
    level: float = 0.95,
) -> AalenJohansen:
    """Return the Aalen–Johansen curve: the share to which an event has happened, before any other.

    A deal that was lost will not be won: to a win the loss is a competing event, and taking the
    lost ones for censored would claim that they may still be won.

    Parameters
    ----------
    duration : (N,) array-like of numbers
        How long each of N opportunities was followed, in any unit: until an event, or until now.
    event : (N,) array-like of int
        What happened then: 0 nothing yet (censored), 1, 2 … the causes. Equal times are exact:
        events of all causes at a time share its risk set, and come before what is censored at it.
    cause : int
        The cause of interest.
    group, n_groups, level
        As in `kaplan_meier`.

    Returns
    -------
    AalenJohansen
        With ``.time``, ``.incidence``, ``.low``, ``.high``, ``.at_risk``, ``.events``,
        ``.competing``, each (n,), and ``.at(time)``, ``.quantile(q)``.

    Raises
    ------
    DefinitionError
        If durations are negative, infinite or NaN, or an argument is not of this form.

    Notes
    -----
    F(t) = Σ S(t-) d/n over the times up to t, with d events of the cause, and S the Kaplan–Meier
    curve of all causes: O. O. Aalen and S. Johansen (1978), "An empirical transition matrix for
    non-homogeneous Markov chains based on censored observations", Scandinavian Journal of
    Statistics 5, 141–150. The variance is that of the delta method, E. Marubini and M. G. Valsecchi
    (1995), Analysing Survival Data from Clinical Trials and Observational Studies, (10.12). The
    interval is as in `kaplan_meier`.

    Examples
    --------
    >>> curve = aalen_johansen([2, 3, 3, 5, 8], [1, 2, 1, 0, 1])
    >>> curve.incidence.round(2).tolist()
    [0.2, 0.4, 0.8]
    """
    critical_value(level)
    sets = risk_sets(lifetimes(duration, event, cause, group, n_groups))
    steps = _survival(sets, before=True)
    for low in range(0, len(steps), CHUNK):
        part = slice(low, low + CHUNK)
        steps[part] *= sets.events[part]
        steps[part] /= sets.at_risk[part]
    incidence = running_sums(steps, sets.starts)
    np.minimum(incidence, 1.0, out=incidence)
    # Where it happened to all, and nothing else to anybody, rounding may miss the whole.
    last = np.flatnonzero(sets.at_risk == sets.events)
    if len(last):
        of = np.searchsorted(sets.starts, last, side="right") - 1
        incidence[last[counts(sets.competing > 0, sets.starts)[of] == 0]] = 1.0
    return AalenJohansen(sets, incidence, level, group is not None)


def _survival(sets: RiskSets, *, before: bool = False) -> Floats:
    """Return the share to which nothing has happened by each time, or just before it, (n,)."""
    n, later = len(sets.time), 1 if before else 0
    factors = empty(n + later, np.float64)
    for low in range(0, n, CHUNK):
        part, left = slice(low, low + CHUNK), factors[later:][low : low + CHUNK]
        left[:] = sets.at_risk[part]
        np.divide(sets.events[part] + sets.competing[part], left, out=left)
        np.subtract(1, left, out=left)
    if before:
        factors[sets.starts[:-1]] = 1.0
    return running_products(factors[:n], sets.starts)


def _hazard_variance(sets: RiskSets) -> Floats:
    """Return d / (n (n - d)), (n,); 0 where none are left, as the curve ends there."""
    terms = empty(len(sets.time), np.float64)
    for low in range(0, len(terms), CHUNK):
        part = slice(low, low + CHUNK)
        d, n = (sets.events[part] + sets.competing[part]), sets.at_risk[part]
        below = n * (n - d).astype(float)
        below[below == 0] = np.inf
        np.divide(d, below, out=terms[part])
    return terms
