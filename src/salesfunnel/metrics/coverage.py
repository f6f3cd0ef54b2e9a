"""Coverage: how many times over the open pipeline holds what is missing to the target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.kernel.standing import NEVER
from salesfunnel.log.labels import Group, Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.expected import expected_close
from salesfunnel.metrics.grouped import Groups, as_of_note, beside, groups_of, money_note, sums
from salesfunnel.metrics.periodic import closings
from salesfunnel.metrics.pipeline import OpenDeals, open_deals, worth_of
from salesfunnel.metrics.rates import ratio
from salesfunnel.periods import (
    Period,
    period_index,
    period_label,
    period_start,
    to_zone,
    zone_name,
)
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Listed

Amount = float | int | Decimal
Target = Amount | Mapping[Any, Amount]
"""A target for every group, or one for each of them, by its label or labels."""


def coverage_ratio(
    open_amount: ArrayLike, target: ArrayLike, won_amount: ArrayLike = 0
) -> NDArray[np.float64]:
    """Return the open pipeline divided by what is missing to the target.

    Parameters
    ----------
    open_amount, target, won_amount : array-like of float
        Of shapes that broadcast.

    Returns
    -------
    array of float
        open_amount / (target - won_amount); NaN where nothing is missing.

    Examples
    --------
    >>> coverage_ratio(900, [500, 200], 200).tolist()
    [3.0, nan]
    """
    remaining = np.asarray(target, float) - np.asarray(won_amount, float)
    return ratio(open_amount, np.where(remaining > 0, remaining, 0))


def pipeline_coverage(
    log: StageLog,
    target: Target,
    *,
    period: str | Period | None = None,
    close: str | None = None,
    date_format: str | None = None,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return how many times over the open pipeline holds what is missing to a target.

    Parameters
    ----------
    log : StageLog
    target : number or mapping of label to number
        How much is to be won; with `by`, for every group, or by the label of each (several
        attributes: by the tuple of labels). Groups that a mapping does not name have no target.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        What the target is for: the period that `as_of` falls in. Only sales since it began count
        towards the target. By default all sales of the log do.
    close : str, optional
        The attribute that says when opportunities should close. If given, only those count as
        pipeline that should close by the end of the period; those without a date do not.
    date_format : str, optional
        Form of those dates, as in `datetime.strptime`; by default ISO 8601.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods are cut in; by default the log's.

    Returns
    -------
    Table
        A row for each group (one without): its labels, ``target``, ``won_amount`` (of won and
        churned deals), ``remaining`` (target - won amount), ``open``, ``open_amount``,
        ``coverage`` (open amount / remaining), ``weighted`` (Σ amount · probability of the stage)
        and ``weighted_coverage`` (weighted / remaining). Both coverages are NaN where the target is
        0 or met already, and where an amount is negative; the notes say so.

    Raises
    ------
    DataError
        If a label of `close` is no date.
    UnknownAttributeError
        If the log has no such attribute, or no such group as `target` names.
    DefinitionError
        If an argument is not of this form.
    """
    if close is not None and period is None:
        raise DefinitionError("close= needs period=, as in period='quarter', by whose end it looks")
    view = log.view(as_of, where)
    groups, deals, done = groups_of(view, by), open_deals(view), closings(view)
    goals = _goals(log, target, groups)
    notes = [*as_of_note(view), *money_note(view), Phrase("note.coverage")]
    counts = done.won
    if period is not None and view.as_of is not None:
        unit = (period if isinstance(period, Period) else Period(period)).unit
        zone = log.tz if tz is None else to_zone(tz)
        now = int(period_index(np.array([view.as_of]), unit, zone)[0])
        counts = counts & (done.time >= period_start(now, unit, zone))
        values = {"period": period_label(now, unit), "zone": zone_name(zone)}
        notes.append(Phrase("note.coverage_period", values))
        if close is not None:
            due = expected_close(view, deals.member, close, zone, date_format)
            undated = int((due == NEVER).sum())
            in_time = (due != NEVER) & (due < period_start(now + 1, unit, zone))
            deals = OpenDeals(*(column[in_time] for column in deals))
            notes.append(Phrase("note.coverage_close", {"count": undated}))

    won = np.flatnonzero(counts)
    won_amount = sums(view.amount[won], groups.codes[won], groups.n)
    place = groups.codes[deals.member]
    worth, about_worth = worth_of(deals, log.funnel, place, groups.n)
    negative = [groups.codes[won][view.amount[won] < 0], place[deals.amount < 0]]
    is_negative = np.bincount(np.concatenate(negative), minlength=groups.n) > 0

    def covered(amount: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(is_negative, np.nan, coverage_ratio(amount, goals, won_amount))

    columns = [
        Column("target", goals, "money"),
        Column("won_amount", won_amount, "money"),
        Column("remaining", goals - won_amount, "money"),
        Column("open", worth.number),
        Column("open_amount", worth.amount, "money"),
        Column("coverage", covered(worth.amount)),
        Column("weighted", worth.weighted, "money", title="weighted_amount"),
        Column("weighted_coverage", covered(worth.weighted)),
    ]
    if (goals == 0).any():
        notes.append(Phrase("note.coverage_no_target"))
    if ((goals > 0) & (won_amount >= goals)).any():
        notes.append(Phrase("note.coverage_met"))
    if is_negative.any():
        notes.append(Phrase("note.coverage_negative"))
    return Table(
        beside(groups.columns(), columns),
        title=Phrase("title.pipeline_coverage"),
        notes=[*notes, *about_worth],
    )


def _goals(log: StageLog, target: Target, groups: Groups) -> NDArray[np.float64]:
    """Return the target of each group, (G,); NaN where it has none."""
    if not isinstance(target, Mapping):
        return np.full(groups.n, _amount(target))
    goals = {group: _amount(value) for group, value in target.items()}
    if not groups.by:
        raise DefinitionError(
            "target= maps groups to targets, so by= says of what they are groups: {target!r}",
            target=target,
        )
    for group in goals:
        _check_known(log, groups.by, group)
    return np.array([goals.get(group, math.nan) for group in groups.names], float)


def _amount(value: object) -> float:
    if isinstance(value, (int, float, Decimal, np.number)) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and number >= 0:
            return number
    raise DefinitionError("a target is a finite amount, 0 or more, not {value!r}", value=value)


def _check_known(log: StageLog, by: Sequence[str], group: Group) -> None:
    """Refuse a group with a label that no opportunity of the log has: a typing error, most likely.

    Groups that merely have no opportunity at the time, or in the selection, are left out.
    """
    labels = group if isinstance(group, tuple) else (group,)
    if len(labels) != len(by):
        raise DefinitionError(
            "target= names groups by {by}, so each by {n} labels, not {group!r}",
            by=Listed(by),
            n=len(by),
            group=group,
        )
    for attribute, label in zip(by, labels, strict=True):
        if label is not None and label not in log.attribute(attribute).names:
            raise UnknownAttributeError(
                "target= names the {attribute} {label!r}, which the log does not have",
                attribute=attribute,
                label=label,
            )
