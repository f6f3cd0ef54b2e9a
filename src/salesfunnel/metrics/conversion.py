"""Conversion: how many went on from each stage, and how many were won."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.kernel.standing import CHURNED, LOST, WON
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagecounts import stage_counts
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.bootstrap import bootstrap_ratio
from salesfunnel.metrics.grouped import as_of_note, beside, group_columns, groups_of, sums
from salesfunnel.metrics.rates import (
    WIN_RATE,
    amount_rate_columns,
    check_weight,
    interval_notes,
    rate_columns,
    ratio,
)
from salesfunnel.table import Column, Phrase, Table


def conversion_rate(entered: ArrayLike, advanced: ArrayLike) -> NDArray[np.float64]:
    """Return advanced / entered, of the broadcast shape; NaN where none entered."""
    return ratio(advanced, entered)


def loss_rate(entered: ArrayLike, lost: ArrayLike) -> NDArray[np.float64]:
    """Return lost / entered, of the broadcast shape; NaN where none entered."""
    return ratio(lost, entered)


def resolved_conversion(advanced: ArrayLike, lost: ArrayLike) -> NDArray[np.float64]:
    """Return advanced / (advanced + lost), of the broadcast shape: without those still open."""
    return ratio(advanced, np.add(advanced, lost))


def cumulative_conversion(entered: ArrayLike) -> NDArray[np.float64]:
    """Return entered / entered at the first stage, ``(..., K)`` → ``(..., K)``."""
    counts = np.asarray(entered)
    return ratio(counts, counts[..., :1])


def stage_table(
    log: StageLog,
    mode: str = "reached",
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the funnel, stage by stage: who entered, went on, was lost, is open, and the rates.

    Parameters
    ----------
    log : StageLog
    mode : {"reached", "actual", "strict"}
        Whether a stage counts who came at least so far, who entered it, or who entered it and all
        before it in order; see `StageLog.stage_counts`.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each stage (of each group): the group's labels, ``stage``, ``entered``,
        ``advanced``, ``lost``, ``open``, ``churned`` (and ``skipped`` in the mode strict), and
        these rates, each with ``_numerator``, ``_denominator``, ``_low`` and ``_high`` (Wilson,
        0.95):

        - ``conversion_rate`` advanced / entered
        - ``loss_rate`` lost / entered, NaN at post-sale stages
        - ``churn_rate`` lost / entered, NaN at the others
        - ``cumulative_conversion`` entered / entered at the first stage; in the mode actual it may
          exceed 1 and has no bounds
        - ``resolved_conversion`` advanced / (advanced + lost)

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    counts = stage_counts(view, mode, by)
    n_stages = len(log.funnel)
    n_groups = 1 if counts.groups is None else len(counts.groups)
    stage = np.tile(np.arange(n_stages), n_groups)
    group = np.repeat(np.arange(n_groups), n_stages)
    post_sale = stage >= log.funnel.n_presale
    entered, advanced, lost = (
        c.reshape(-1) for c in (counts.entered, counts.advanced, counts.lost)
    )
    first = np.repeat(counts.entered.reshape(n_groups, n_stages)[:, 0], n_stages)
    churned = counts.churned.reshape(-1)

    columns = [
        Column("stage", np.array(log.funnel.states, object)[stage], labels=state_namer(log.funnel)),
        Column("entered", entered),
        Column("advanced", advanced),
        Column("lost", lost, blank=post_sale),
        Column("open", counts.open.reshape(-1)),
        Column("churned", churned),
    ]
    if mode == "strict":
        columns.append(Column("skipped", counts.skipped.reshape(-1)))
    columns += rate_columns("conversion_rate", advanced, entered)
    columns += rate_columns("loss_rate", lost, entered, defined=~post_sale)
    columns += rate_columns("churn_rate", lost, entered, defined=post_sale)
    columns += rate_columns("cumulative_conversion", entered, first, bounded=mode != "actual")
    columns += rate_columns("resolved_conversion", advanced, advanced + lost)
    hidden = {"cumulative_conversion", "resolved_conversion"}
    if not churned.any():
        hidden |= {"churned", "churn_rate"}
    elif not post_sale.any():
        hidden.add("churn_rate")
    notes = [
        *as_of_note(view),
        Phrase(f"note.mode_{mode}"),
        Phrase("note.conversion_rate"),
        Phrase("note.interval", {"level": "95%"}),
    ]
    if post_sale.any():
        notes.append(Phrase("note.post_sale"))
    labels = group_columns(counts.by, counts.groups or (), group)
    return Table(
        beside(labels, columns), title=Phrase("title.stage_table"), notes=notes, hidden=hidden
    )


def win_rate(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    weight: str = "count",
    bootstrap: int | None = None,
    seed: int = 0,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the win rate: (won + churned) / (won + churned + lost).

    Parameters
    ----------
    log : StageLog
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
        A row for each group (one without): its labels, ``value``, ``numerator``, ``denominator``,
        ``low`` and ``high`` (Wilson, 0.95; by amount bootstrap, if asked for, else NaN). By
        amount, the rate of a group with a negative one is NaN.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    check_weight(weight, bootstrap)
    view = log.view(as_of, where)
    status = view.standing.status
    groups = groups_of(view, by)
    codes, n_groups = groups.codes, groups.n
    is_won = (status == WON) | (status == CHURNED)
    is_resolved = is_won | (status == LOST)
    notes = [*as_of_note(view), Phrase("note.win_rate"), *interval_notes(weight, bootstrap)]
    if weight == "count":
        won, resolved = (
            np.bincount(codes[mask], minlength=n_groups) for mask in (is_won, is_resolved)
        )
        rate = rate_columns("value", won, resolved, titles=WIN_RATE)
    else:
        won_amount, resolved_amount = (
            sums(view.amount[mask], codes[mask], n_groups) for mask in (is_won, is_resolved)
        )
        is_negative = np.bincount(codes[is_resolved & (view.amount < 0)], minlength=n_groups) > 0
        bounds = None
        if bootstrap is not None:
            worth = np.nan_to_num(view.amount)
            bounds = bootstrap_ratio(
                worth * is_won, worth * is_resolved, codes, n_groups, bootstrap, seed
            )
        rate = amount_rate_columns(
            won_amount, resolved_amount, defined=~is_negative, bounds=bounds, titles=WIN_RATE
        )
        if is_negative.any():
            notes.append(Phrase("note.negative_amounts"))
    return Table(beside(groups.columns(), rate), title=Phrase("title.win_rate"), notes=notes)
