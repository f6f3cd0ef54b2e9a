"""Trend: what was created, entered, won and lost, period by period."""

from __future__ import annotations

from datetime import tzinfo
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import Groups, as_of_note, beside, groups_of, money_note, sums
from salesfunnel.metrics.periodic import By, PeriodAxis, axis_of, closings, split_by
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.metrics.reach import entry_times
from salesfunnel.periods import Period
from salesfunnel.table import Column, Phrase, Table


def moving_average(values: ArrayLike, window: int) -> NDArray[np.float64]:
    """Return the mean of each value and those before it, over the last axis.

    Parameters
    ----------
    values : (..., n) array-like of numbers
        In the order of time.
    window : int
        How many values are averaged, the present one among them.

    Returns
    -------
    (..., n) array of float
        NaN where there are not yet so many values, or one of them is NaN.

    Raises
    ------
    DefinitionError
        If `window` is no positive integer.

    Examples
    --------
    >>> moving_average([3, 5, 7, 3], 2).tolist()
    [nan, 4.0, 6.0, 5.0]
    """
    return _moving_sum(np.asarray(values, float), window) / window


def _moving_sum(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the sum of each value and the `window` - 1 before it; NaN where there are fewer."""
    if isinstance(window, bool) or not isinstance(window, (int, np.integer)) or window < 1:
        raise DefinitionError(
            "a moving average is over a number of periods, 1 or more, not {window!r}", window=window
        )
    total = np.full(values.shape, np.nan)
    if window <= values.shape[-1]:
        total[..., window - 1 :] = sliding_window_view(values, window, axis=-1).sum(axis=-1)
    return total


def trend_by_period(
    log: StageLog,
    *,
    period: str | Period | None = None,
    by: By = None,
    average: int | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return how many opportunities were created, won and lost in each period, and the win rate.

    An opportunity is created by its first entry. It is won when it was sold and lost by the loss
    that stands; a sale that was undone, or a loss that was reopened, is in no count. So the counts
    of all periods add up to those of the log.

    Parameters
    ----------
    log : StageLog
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        By default months. ``by="quarter"`` says the same as ``period="quarter"``.
    by : str, Period, or sequence of them, optional
        Attributes to group by: the labels last known at `as_of`; and the period.
    average : int, optional
        How many periods a moving average takes: adds ``<column>_average`` of the counts and
        amounts, and the win rate of all closed in these periods.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods are cut in; by default the log's.

    Returns
    -------
    Table
        A row for each period from that of the first entry to that of `as_of` (of each group): the
        group's labels, ``period``, ``complete`` (False for a last period that was not over at
        `as_of`), ``created``, ``won``, ``lost``, ``churned``, ``win_rate`` with its numerator,
        denominator and Wilson interval (0.95), ``created_amount``, ``won_amount`` and
        ``lost_amount``: sums of the known amounts. Averages of an incomplete period are NaN.

    Raises
    ------
    UnknownAttributeError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    view = log.view(as_of, where)
    attributes, unit = split_by(view, by, period)
    groups = groups_of(view, attributes)
    axis = axis_of(view, unit, tz, groups.n)
    series = series_of(view, axis, groups)
    counts = {name: getattr(series, name) for name in ("created", "won", "lost")}
    amounts = {
        name: getattr(series, name) for name in ("created_amount", "won_amount", "lost_amount")
    }

    columns = [
        axis.column(groups.n),
        Column("complete", np.tile(axis.complete, groups.n)),
        *(Column(name, values.reshape(-1)) for name, values in counts.items()),
        Column("churned", series.churned.reshape(-1)),
        *rate_columns("win_rate", series.won.reshape(-1), (series.won + series.lost).reshape(-1)),
        *(Column(name, values.reshape(-1), "money") for name, values in amounts.items()),
    ]
    notes = [
        *as_of_note(view),
        *money_note(view),
        Phrase("note.trend"),
        *axis.notes(),
        Phrase("note.win_rate"),
    ]
    if average is not None:
        columns += _averages(axis, counts, amounts, average)
        notes.append(Phrase("note.moving_average", {"count": average}))
    hidden = {"complete"}
    if not series.churned.any():
        hidden.add("churned")
    if log.amounts is None:
        hidden |= {column.name for column in columns if "amount" in column.name}
    return Table(
        beside(groups.columns(np.repeat(np.arange(groups.n), axis.n)), columns),
        title=Phrase("title.trend"),
        notes=[*notes, Phrase("note.interval", {"level": "95%"})],
        hidden=hidden,
    )


def _averages(
    axis: PeriodAxis,
    counts: dict[str, NDArray[np.int64]],
    amounts: dict[str, NDArray[np.float64]],
    window: int,
) -> list[Column]:
    """Return the moving averages of some series, (G, n) each, as columns."""
    columns = []
    for name, values in (counts | amounts).items():
        mean = np.where(axis.complete, moving_average(values, window), np.nan).reshape(-1)
        kind = "money" if name in amounts else "decimal"
        columns.append(Column(f"{name}_average", mean, kind))
    totals = [_moving_sum(counts[name].astype(float), window) for name in ("won", "lost")]
    won, lost = (
        np.where(axis.complete & ~np.isnan(total), total, 0).astype(np.int64).reshape(-1)
        for total in totals
    )
    return columns + rate_columns("win_rate_average", won, won + lost)


class Series(NamedTuple):
    """What happened in each period, by group, (G, n) each.

    Attributes
    ----------
    created, won, lost, churned : int64
        Opportunities by their first entry, their sale, the loss that stands, the churn.
    created_amount, won_amount, lost_amount : float64
        Sums of the known amounts of the same.
    """

    created: NDArray[np.int64]
    won: NDArray[np.int64]
    lost: NDArray[np.int64]
    churned: NDArray[np.int64]
    created_amount: NDArray[np.float64]
    won_amount: NDArray[np.float64]
    lost_amount: NDArray[np.float64]


def series_of(view: View, axis: PeriodAxis, groups: Groups) -> Series:
    """Return what happened in each period of a view, by group."""
    runs, closed, shape = view.runs, closings(view), (groups.n, axis.n)
    size = groups.n * axis.n
    every = np.ones(len(groups.codes), bool)

    def cells(chosen: NDArray[np.bool_], time: NDArray[np.int64]) -> NDArray[np.int64]:
        return groups.codes[chosen] * axis.n + axis.of(time[chosen])

    created = cells(every, runs.time[runs.starts])
    won, lost = cells(closed.won, closed.time), cells(closed.lost, closed.time)
    churned = cells(closed.churned, runs.time[runs.ends])

    def count(cell: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(cell, minlength=size).reshape(shape).astype(np.int64, copy=False)

    def amount(cell: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        return sums(view.amount[chosen], cell, size).reshape(shape)

    return Series(
        created=count(created),
        won=count(won),
        lost=count(lost),
        churned=count(churned),
        created_amount=amount(created, every),
        won_amount=amount(won, closed.won),
        lost_amount=amount(lost, closed.lost),
    )


def entered_by_period(
    log: StageLog,
    mode: str = "reached",
    *,
    period: str | Period | None = None,
    by: By = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return how many opportunities came to each stage for the first time, period by period.

    Parameters
    ----------
    log : StageLog
    mode : {"reached", "actual", "strict"}
        Who counts for a stage, as in `stage_table`; over all periods the counts add up to
        ``entered`` there. In the mode reached an opportunity came to a stage when it came to it or
        beyond it.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        By default months.
    by : str, Period, or sequence of them, optional
        Attributes to group by: the labels last known at `as_of`; and the period.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods are cut in; by default the log's.

    Returns
    -------
    Table
        A row for each period and stage (of each group): the group's labels, ``period``,
        ``complete``, ``stage`` and ``entered``.

    Raises
    ------
    UnknownAttributeError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    view = log.view(as_of, where)
    attributes, unit = split_by(view, by, period)
    groups = groups_of(view, attributes)
    n_stages = len(log.funnel)
    axis = axis_of(view, unit, tz, groups.n * n_stages)
    time, entered = entry_times(view, mode)
    member, stage = np.nonzero(entered[:, :n_stages])
    cell = groups.codes[member] * axis.n + axis.of(time[member, stage])
    counts = np.bincount(cell * n_stages + stage, minlength=groups.n * axis.n * n_stages)

    every = np.arange(len(counts)) // n_stages
    labels = axis.column(groups.n)
    states = np.array(log.funnel.states[:n_stages], object)
    columns = [
        Column("period", labels.values[every], labels=labels.labels),
        Column("complete", np.tile(axis.complete, groups.n)[every]),
        Column("stage", np.tile(states, groups.n * axis.n), labels=state_namer(log.funnel)),
        Column("entered", counts),
    ]
    return Table(
        beside(groups.columns(every // axis.n if axis.n else every), columns),
        title=Phrase("title.entered_by_period"),
        notes=[
            *as_of_note(view),
            Phrase(f"note.mode_{mode}"),
            Phrase("note.entered_first"),
            *axis.notes(),
        ],
        hidden={"complete"},
    )
