"""Control: which periods differ from the usual by more than chance."""

from __future__ import annotations

from datetime import tzinfo
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of
from salesfunnel.metrics.periodic import By, axis_of, split_by
from salesfunnel.metrics.rates import WIN_RATE, rate_columns, ratio
from salesfunnel.metrics.trend import series_of
from salesfunnel.periods import Period
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue


class PChart(NamedTuple):
    """A control chart of proportions; all of shape (..., n).

    Attributes
    ----------
    centre : float64
        The usual proportion, the same along the last axis; NaN without any trials.
    low, high : float64
        Control limits, within [0, 1]; NaN where there are no trials.
    beyond : int8
        1 above the upper limit, -1 below the lower one, else 0.
    run : int8
        1 or -1 from the last point of a long run above or below the centre on, else 0.
    """

    centre: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    beyond: NDArray[np.int8]
    run: NDArray[np.int8]


def p_chart(
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    sigmas: float = 3.0,
    run: int = 8,
) -> PChart:
    """Return the control limits of a series of proportions, and which points are out of control.

    Parameters
    ----------
    successes, trials : (..., n) array-like of numbers
        In the order of time, of shapes that broadcast, with 0 ≤ successes ≤ trials.
    baseline : (..., n) array-like of bool, optional
        Which points say what is usual; by default all.
    sigmas : float
        How many standard errors the limits are away from the centre.
    run : int
        So many points in a row on one side of the centre are out of control too. A point on the
        centre, or without trials, ends a run.

    Returns
    -------
    PChart

    Raises
    ------
    DefinitionError
        If an argument is not of this form.

    Notes
    -----
    With p = Σ successes / Σ trials of the baseline, the limits of a point with n trials are
    p ± sigmas √(p (1 - p) / n), cut off at 0 and 1: W. A. Shewhart (1931), Economic Control of
    Quality of Manufactured Product; NIST/SEMATECH e-Handbook of Statistical Methods, §6.3.3.2; D.
    C. Montgomery, Introduction to Statistical Quality Control, §7.2, with limits for each point.
    The normal approximation is poor where n p or n (1 - p) is below 5. The rule of eight in a row
    is the fourth of Western Electric (1956), Statistical Quality Control Handbook.

    Examples
    --------
    >>> chart = p_chart([10, 12, 9, 30], [50, 50, 50, 60], baseline=[True, True, True, False])
    >>> chart.centre[0].round(3), chart.high.round(3).tolist(), chart.beyond.tolist()
    (np.float64(0.207), [0.378, 0.378, 0.378, 0.363], [0, 0, 0, 1])
    """
    if not sigmas > 0:
        raise DefinitionError(
            "sigmas= is a positive number of standard errors, not {sigmas!r}", sigmas=sigmas
        )
    if isinstance(run, bool) or not isinstance(run, (int, np.integer)) or run < 2:
        raise DefinitionError("run= is a number of points, 2 or more, not {run!r}", run=run)
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    if ((k < 0) | (k > n)).any():
        raise DefinitionError("successes are from 0 to the number of trials")
    usual = np.ones(k.shape, bool) if baseline is None else np.asarray(baseline, bool)
    total = [np.sum(part * usual, axis=-1, keepdims=True) for part in (k, n)]
    centre = np.broadcast_to(ratio(*total), k.shape)
    share, error = ratio(k, n), sigmas * np.sqrt(ratio(centre * (1 - centre), n))
    low, high = np.maximum(centre - error, 0.0), np.minimum(centre + error, 1.0)
    beyond = (share > high).astype(np.int8) - (share < low)
    side = (share > centre).astype(np.int8) - (share < centre)
    return PChart(centre, low, high, beyond, np.where(_run_lengths(side) >= run, side, 0))


def _run_lengths(side: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return how many equal values in a row end at each point, over the last axis."""
    index = np.arange(side.shape[-1])
    starts = np.ones(side.shape, bool)
    starts[..., 1:] = side[..., 1:] != side[..., :-1]
    begin = np.maximum.accumulate(np.where(starts, index, 0), axis=-1)
    return np.asarray(index - begin + 1)


def control_chart_by_period(
    log: StageLog,
    *,
    period: str | Period | None = None,
    by: By = None,
    baseline: int | None = None,
    sigmas: float = 3.0,
    run: int = 8,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return the win rate of each period with its control limits, so that noise is not a change.

    Parameters
    ----------
    log : StageLog
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        By default months.
    by : str, Period, or sequence of them, optional
        Attributes to group by: the labels last known at `as_of`; and the period. Each group is held
        against what is usual for itself.
    baseline : int, optional
        How many of the first periods say what is usual; by default all that are over.
    sigmas : float
        How many standard errors the limits are away from the centre.
    run : int
        So many periods in a row on one side of the centre are a signal too.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods are cut in; by default the log's.

    Returns
    -------
    Table
        A row for each period (of each group): the group's labels, ``period``, ``complete``,
        ``win_rate`` (of what was closed in it) with numerator, denominator and Wilson interval
        (0.95), ``centre``, ``lower_limit``, ``upper_limit`` (see `p_chart`), and ``signal``:
        ``"above_limits"``, ``"below_limits"``, ``"run_above"``, ``"run_below"`` or None.

    Raises
    ------
    UnknownAttributeError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    if baseline is not None and (
        isinstance(baseline, bool) or not isinstance(baseline, int) or baseline < 1
    ):
        raise DefinitionError(
            "baseline= is a number of periods, 1 or more, not {baseline!r}", baseline=baseline
        )
    view = log.view(as_of, where)
    attributes, unit = split_by(view, by, period)
    groups = groups_of(view, attributes)
    axis = axis_of(view, unit, tz, groups.n)
    series = series_of(view, axis, groups)
    usual = axis.complete & (np.arange(axis.n) < (axis.n if baseline is None else baseline))
    won, closed = series.won, series.won + series.lost
    chart = p_chart(won, closed, baseline=usual, sigmas=sigmas, run=run)

    signal = np.full(won.shape, None, object)
    for flags, above, below in (
        (chart.run, "run_above", "run_below"),
        (chart.beyond, "above_limits", "below_limits"),
    ):
        signal[flags > 0], signal[flags < 0] = above, below
    columns = [
        axis.column(groups.n),
        Column("complete", np.tile(axis.complete, groups.n)),
        *rate_columns("win_rate", won.reshape(-1), closed.reshape(-1), titles=WIN_RATE),
        Column("centre", chart.centre.reshape(-1), "rate"),
        Column("lower_limit", chart.low.reshape(-1), "rate"),
        Column("upper_limit", chart.high.reshape(-1), "rate"),
        Column("signal", signal.reshape(-1), labels=_shown),
    ]
    return Table(
        beside(groups.columns(np.repeat(np.arange(groups.n), axis.n)), columns),
        title=Phrase("title.control_chart"),
        notes=[
            *as_of_note(view),
            Phrase("note.trend"),
            *axis.notes(),
            Phrase("note.win_rate"),
            Phrase("note.interval", {"level": "95%"}),
            Phrase("note.control_limits", {"sigmas": f"{sigmas:g}", "run": run}),
        ],
        hidden={"complete"},
    )


def _shown(signal: str, lang: str) -> str:
    return catalogue(lang).text(f"value.{signal}")
