"""Probability: whether of the leads with 30% really 30% convert."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError, OutcomeError
from salesfunnel.metrics.intervals import critical_value
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.scoring.validate.arrays import (
    check_bins,
    read_outcomes,
    read_pair,
    read_probabilities,
    same_length,
)
from salesfunnel.scoring.validate.enough import outcome_notes
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Listed

STRATEGIES = ("uniform", "quantile")


@attrs.frozen
class Brier:
    """The Brier score and what it is made of.

    Attributes
    ----------
    value : float
        The mean squared distance of the probability from what happened (1 won, 0 lost): 0 is
        perfect, and who always says the overall rate gets `uncertainty`.
    low, high : float
        The confidence interval, by the normal approximation, within 0 and 1; NaN for a single lead.
    reliability : float
        How far probabilities are from the rates that followed: 0 is calibrated.
    resolution : float
        How far these rates are from the overall one: the more the better.
    uncertainty : float
        Overall rate × (1 − overall rate): given by the leads, not by the score.
    within : float
        What the bins hide: 0 without bins.
    skill : float
        1 − value / uncertainty: 0 for who always says the overall rate; NaN if all outcomes are
        equal.

    Notes
    -----
    value = reliability − resolution + uncertainty + within.
    """

    value: float
    low: float
    high: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    skill: float


def brier_score(
    probabilities: ArrayLike,
    outcomes: ArrayLike,
    *,
    bins: int | None = None,
    strategy: str = "uniform",
    level: float = 0.95,
) -> Brier:
    """Return the Brier score and its decomposition.

    Parameters
    ----------
    probabilities : (N,) array-like of numbers
        From 0 to 1.
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    bins : int, optional
        Decompose over bins, as `calibration_table` makes them; by default over the distinct
        probabilities, which is exact but says little where hardly two are equal.
    strategy : {"uniform", "quantile"}
        Bins of equal width, or with equally many leads.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Brier

    Raises
    ------
    DataError
        If a probability is not between 0 and 1, an outcome none, the lengths differ, or there are
        no leads.
    DefinitionError
        If `bins`, `strategy` or `level` is not of this form.

    Notes
    -----
    G. W. Brier (1950), Monthly Weather Review 78, 1–3; decomposed as by A. H. Murphy (1973),
    Journal of Applied Meteorology 12, 595–600. `within` is the within-bin variance of the
    probabilities less twice their within-bin covariance with the outcomes: D. B. Stephenson, C. A.
    S. Coelho and I. T. Jolliffe (2008), Weather and Forecasting 23, 752–757.

    Examples
    --------
    >>> brier = brier_score([0.8, 0.8, 0.2, 0.2], [True, False, False, False])
    >>> round(brier.value, 4), round(brier.reliability, 4), round(brier.resolution, 4)
    (0.19, 0.065, 0.0625)
    """
    z = critical_value(level)
    p = read_probabilities(probabilities)
    won = read_outcomes(outcomes)
    same_length(won, probabilities=p)
    _some(won)
    if bins is None:
        code = np.unique(p, return_inverse=True)[1]
    else:
        code = _bin_of(p, _edges(p, bins, strategy))
    squared = (p - won) ** 2
    value = float(squared.mean())
    half = z * math.sqrt(squared.var(ddof=1) / len(p)) if len(p) > 1 else math.nan

    leads = np.bincount(code)
    leads_or_one = np.maximum(leads, 1)
    expected = np.bincount(code, p) / leads_or_one
    observed = np.bincount(code, won) / leads_or_one
    base = float(won.mean())
    uncertainty = base * (1 - base)
    inner = p - expected[code]
    within = 0.0 if bins is None else float((inner**2 - 2 * inner * (won - observed[code])).mean())
    return Brier(
        value,
        max(value - half, 0.0),
        min(value + half, 1.0),
        reliability=float(leads @ (expected - observed) ** 2) / len(p),
        resolution=float(leads @ (observed - base) ** 2) / len(p),
        uncertainty=uncertainty,
        within=within,
        skill=1 - value / uncertainty if uncertainty else math.nan,
    )


def log_loss(probabilities: ArrayLike, outcomes: ArrayLike) -> float:
    """Return the mean of −log of the probability that was given to what happened.

    Parameters
    ----------
    probabilities : (N,) array-like of numbers
        From 0 to 1; held 2⁻⁵² away from both ends, where a single lead would make it infinite.
    outcomes : (N,) array-like of bool
        Whether each lead was won.

    Returns
    -------
    float
        In nats: 0 is perfect, 0.693 what a coin gets.

    Raises
    ------
    DataError
        If a probability is not between 0 and 1, an outcome none, the lengths differ, or there are
        no leads.

    Notes
    -----
    I. J. Good (1952), Journal of the Royal Statistical Society B 14, 107–114.
    """
    p = read_probabilities(probabilities)
    won = read_outcomes(outcomes)
    same_length(won, probabilities=p)
    _some(won)
    smallest = np.finfo(np.float64).eps
    given = np.clip(np.where(won, p, 1 - p), smallest, 1 - smallest)
    return float(-np.log(given).mean())


def calibration_table(
    probabilities: ArrayLike, outcomes: ArrayLike, *, bins: int = 10, strategy: str = "uniform"
) -> Table:
    """Return what probabilities were given beside the rates that followed.

    Parameters
    ----------
    probabilities : (N,) array-like of numbers
        From 0 to 1.
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    bins : int
        How many bins the probabilities are cut into. A bin has its upper edge, not its lower one
        (the first has both); an empty one has no row.
    strategy : {"uniform", "quantile"}
        Bins of equal width, or with equally many leads as far as ties allow.

    Returns
    -------
    Table
        A row for each bin, ascending: ``bin`` (from 1), ``probability_low``, ``probability_high``
        (its edges), ``mean_probability``; ``value``, the rate that followed, with ``numerator``,
        ``denominator``, ``low`` and ``high`` (Wilson, 0.95); ``gap``, that rate less the mean
        probability; ``agrees``, whether the mean probability is within the interval.

    Raises
    ------
    DataError
        If a probability is not between 0 and 1, an outcome none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    DefinitionError
        If `bins` or `strategy` is not of this form.

    Examples
    --------
    >>> table = calibration_table([0.1, 0.2, 0.8, 0.9], [False, True, True, True], bins=2)
    >>> table["mean_probability"].round(2).tolist(), table["value"].tolist()
    ([0.15, 0.85], [0.5, 1.0])
    """
    p = read_probabilities(probabilities)
    won = read_pair(p, outcomes, "probabilities")
    edges = _edges(p, bins, strategy)
    code = _bin_of(p, edges)
    leads = np.bincount(code, minlength=bins)
    some = np.flatnonzero(leads)
    hits = np.bincount(code[won], minlength=bins)[some]
    mean = np.bincount(code, p, minlength=bins)[some] / leads[some]
    rate = rate_columns("value", hits, leads[some], titles=("conversion_rate", "won", "leads"))
    value, _, _, low, high = (column.values for column in rate)
    return Table(
        [
            Column("bin", some + 1),
            Column("probability_low", edges[some], "rate"),
            Column("probability_high", edges[some + 1], "rate"),
            Column("mean_probability", mean, "rate"),
            *rate,
            Column("gap", value - mean, "rate"),
            Column("agrees", (low <= mean) & (mean <= high)),
        ],
        title=Phrase("title.calibration"),
        notes=[
            Phrase("note.calibration"),
            Phrase("note.interval", {"level": "95%"}),
            *outcome_notes(won),
        ],
        hidden=["bin"],
    )


def _some(won: NDArray[np.bool_]) -> None:
    if len(won) == 0:
        raise OutcomeError("outcomes: there are none; a mean takes at least one lead")


def _edges(p: NDArray[np.float64], bins: int, strategy: str) -> NDArray[np.float64]:
    """Return the edges of the bins, (bins + 1,)."""
    check_bins(bins)
    if strategy not in STRATEGIES:
        raise DefinitionError(
            "strategy= is one of {known}, not {strategy!r}",
            known=Listed(STRATEGIES),
            strategy=strategy,
        )
    places = np.linspace(0, 1, bins + 1)
    # Of percentiles, as scikit-learn has them: quantiles may be rounded to the other side of a tie.
    return places if strategy == "uniform" else np.percentile(p, 100 * places)


def _bin_of(p: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.searchsorted(edges[1:-1], p).astype(np.int64)
