"""Loss: how many were lost where, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import numpy as np

from salesfunnel.kernel.codes import NULL
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, money_note
from salesfunnel.metrics.lossreasons import ReasonShares, losses, reason_column, reason_shares
from salesfunnel.metrics.periodic import By, axis_of, closings, split_by
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.periods import Period
from salesfunnel.table import Column, Phrase, Table


def loss_table(
    log: StageLog,
    *,
    by_stage: bool = False,
    by: str | Sequence[str] | None = None,
    weight: str = "count",
    bootstrap: int | None = None,
    seed: int = 0,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return why opportunities were lost: the reasons, the most frequent first.

    Parameters
    ----------
    log : StageLog
    by_stage : bool
        Whether the reasons are told apart by the stage where the opportunity was lost: its
        furthest.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    weight : {"count", "amount"}
        Whether every opportunity counts as one or by its amount, those without one as nothing.
    bootstrap : int, optional
        By amount, how many times opportunities are drawn again for the interval, as in 1000; by
        default there is no interval.
    seed : int
        Of the random generator of the bootstrap.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each reason that occurs (of each group and stage): the group's labels, ``stage``
        if asked for, ``reason`` (None: no reason was given), the share of all losses of that group
        and stage as ``value``, ``numerator``, ``denominator``, ``low`` and ``high`` (Wilson, 0.95;
        by amount bootstrap, if asked for, else NaN), and ``amount``, the sum of the known amounts
        lost. By amount, shares of groups and stages with a negative amount are NaN.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    return _table(view, by_stage, by, weight, pareto=False, bootstrap=bootstrap, seed=seed)


def loss_pareto(
    log: StageLog,
    *,
    by_stage: bool = False,
    by: str | Sequence[str] | None = None,
    weight: str = "count",
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the vital few loss reasons: those that make up 80% of the losses, and the rest.

    Parameters
    ----------
    log : StageLog
    by_stage, by, weight, as_of, where
        As in `loss_table`.

    Returns
    -------
    Table
        The rows of `loss_table`, and for each ``cumulative``, the share of this reason and of those
        before it, and ``vital``: whether those before it make up less than 80%.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.

    Notes
    -----
    J. M. Juran (1954), "Universals in management planning and controlling", Management Review 43,
    748–761.
    """
    return _table(log.view(as_of, where), by_stage, by, weight, pareto=True)


def loss_by_period(
    log: StageLog,
    *,
    period: str | Period | None = None,
    by: By = None,
    weight: str = "count",
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return why opportunities were lost in each period.

    An opportunity is lost in the period of the loss that stands.

    Parameters
    ----------
    log : StageLog
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        By default quarters. ``by="month"`` says the same as ``period="month"``.
    by : str, Period, or sequence of them, optional
        Attributes to group by: the labels last known at `as_of`; and the period.
    weight : {"count", "amount"}
        Whether every opportunity counts as one or by its amount, those without one as nothing.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods are cut in; by default the log's.

    Returns
    -------
    Table
        A row for each reason that occurs in a period (of each group): the group's labels,
        ``period``, and the columns of `loss_table`, with shares of the losses of the same period
        and group. Periods without losses have no row.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    attributes, unit = split_by(view, by, period, "quarter")
    groups, lost, axis = groups_of(view, attributes), losses(view), axis_of(view, unit, tz)
    when = axis.of(closings(view).time[lost.member])
    shares = reason_shares(lost, [groups.codes[lost.member], when], weight)
    periods = axis.column()
    columns = [
        Column("period", periods.values[shares.place[:, 1]], labels=periods.labels),
        *_reason_columns(log, shares),
    ]
    notes = [*as_of_note(view), *axis.notes(), Phrase("note.loss_by_period"), *shares.notes()]
    return Table(
        beside(groups.columns(shares.place[:, 0]), columns),
        title=Phrase("title.loss_by_period"),
        notes=notes,
        hidden=_hidden(log, weight),
    )


def losses_without_reason(
    log: StageLog,
    *,
    by_stage: bool = False,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the share of losses for which no reason was given.

    Parameters
    ----------
    log : StageLog
    by_stage : bool
        Whether stages are told apart: an opportunity is lost at its furthest.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group (one without) and, if asked for, each stage before the sale: the
        group's labels, ``stage``, ``value`` (without a reason / lost), ``numerator``,
        ``denominator``, ``low`` and ``high`` (Wilson, 0.95).

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    lost = losses(view)
    n_places = log.funnel.n_presale if by_stage else 1
    place = groups.codes[lost.member] * n_places + (lost.stage if by_stage else 0)
    n_rows = groups.n * n_places
    without = np.bincount(place[lost.reason == NULL], minlength=n_rows)
    columns = rate_columns(
        "value",
        without,
        np.bincount(place, minlength=n_rows),
        titles=("without_reason", "lost_without_reason", "total_lost"),
    )
    notes = as_of_note(view)
    if by_stage:
        keys = np.array(log.funnel.states[:n_places], object)
        columns.insert(0, Column("stage", np.tile(keys, groups.n), labels=state_namer(log.funnel)))
        notes.append(Phrase("note.lost_at_furthest"))
    return Table(
        beside(groups.columns(np.repeat(np.arange(groups.n), n_places)), columns),
        title=Phrase("title.losses_without_reason"),
        notes=[*notes, Phrase("note.interval", {"level": "95%"})],
    )


def _table(
    view: View,
    by_stage: bool,
    by: str | Sequence[str] | None,
    weight: str,
    *,
    pareto: bool,
    bootstrap: int | None = None,
    seed: int = 0,
) -> Table:
    log, groups, lost = view.log, groups_of(view, by), losses(view)
    places = [groups.codes[lost.member], *([lost.stage] if by_stage else [])]
    shares = reason_shares(lost, places, weight, bootstrap, seed)
    columns: list[Column] = []
    if by_stage:
        keys = np.array(log.funnel.states, object)[shares.place[:, 1]]
        columns.append(Column("stage", keys, labels=state_namer(log.funnel)))
    columns += _reason_columns(log, shares)
    if pareto:
        columns += shares.pareto()
    notes = [*as_of_note(view), *money_note(view)]
    if by_stage:
        notes.append(Phrase("note.loss_by_stage"))
    if by is not None:
        notes.append(Phrase("note.loss_by_group"))
    if pareto:
        notes.append(Phrase("note.pareto"))
    title = "title.loss_by_stage" if by_stage else "title.loss_table"
    return Table(
        beside(groups.columns(shares.place[:, 0]), columns),
        title=Phrase("title.loss_pareto" if pareto else title),
        notes=[*notes, *shares.notes()],
        hidden=_hidden(log, weight),
    )


def _reason_columns(log: StageLog, shares: ReasonShares) -> list[Column]:
    amount = Column("amount", shares.amount, "money", title="lost_amount")
    return [reason_column(log, shares.reason), *shares.rates(), amount]


def _hidden(log: StageLog, weight: str) -> tuple[str, ...]:
    """Return the columns not shown: amounts, where there are none or the rate is of them anyway."""
    return () if weight == "count" and log.amounts is not None else ("amount",)
