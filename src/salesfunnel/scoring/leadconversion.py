"""Lead conversion: how many of the leads received became won customers, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.standing import CHURNED, LOST, OPEN, WON
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.followed import Age, cohorts_of
from salesfunnel.metrics.grouped import Groups, as_of_note, beside, groups_of, money_note, sums
from salesfunnel.metrics.periodic import By, closings
from salesfunnel.metrics.rates import rate_columns, ratio
from salesfunnel.model.sources import find_source, source_label
from salesfunnel.periods import Period
from salesfunnel.table import Column, Phrase, Table

_INTERVAL = Phrase("note.interval", {"level": "95%"})


def lead_conversion(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return how many of the leads received became won customers, by owner or source.

    Parameters
    ----------
    log : StageLog
        Whose opportunities are leads from the day that they came, as `lead_log` makes it, or as any
        log is whose first stage is where leads are received.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which leads count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group (one without): its labels, ``leads``, ``won`` (churned ones too, as
        they were won), ``lost`` (disqualified or lost) and ``open``; ``lead_conversion``, won /
        leads, and ``resolved_conversion``, won / (won + lost), each with its numerator, denominator
        and Wilson interval (0.95).

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    standing = _standing(view, groups)
    return Table(
        beside(_labels(groups), _counted(standing)),
        title=Phrase("title.lead_conversion"),
        notes=[*as_of_note(view), Phrase("note.lead_conversion"), _INTERVAL],
    )


def lead_conversion_by_cohort(
    log: StageLog,
    within: Age = "90d",
    *,
    period: str | Period | None = None,
    by: By = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return lead conversion by when leads were received, each followed equally long.

    Parameters
    ----------
    log : StageLog
        As in `lead_conversion`.
    within : timedelta or str
        How long after it came a lead was won.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        The cohorts; by default months. ``by="quarter"`` says the same as ``period="quarter"``.
    by : str, Period, or sequence of them, optional
        Attributes to group by: the labels last known at `as_of`; and the period.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which leads count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods are cut in; by default the log's.

    Returns
    -------
    Table
        A row for each cohort (of each group): the group's labels, ``period``, ``complete`` (False
        where not all of the period can be followed so far by `as_of`), ``leads``, and
        ``lead_conversion`` (won by that age / leads; NaN where not complete) with its numerator,
        denominator and Wilson interval (0.95).

    Raises
    ------
    UnknownAttributeError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    cohorts = cohorts_of(log, [within], period, by, as_of, where, tz)
    closed = closings(cohorts.view)
    won = cohorts.by_age(closed.time, closed.won)[:, :, 0].reshape(-1)
    leads, seen = cohorts.created.reshape(-1), cohorts.seen.reshape(-1)
    columns = [
        *cohorts.columns(),
        Column("leads", leads),
        *rate_columns("lead_conversion", won, leads, defined=seen),
    ]
    return Table(
        beside(cohorts.labels(), columns),
        title=Phrase("title.lead_conversion_by_cohort"),
        notes=[*cohorts.notes(), _INTERVAL],
        hidden={"complete"},
    )


def source_quality(
    log: StageLog,
    *,
    by: str = "source",
    costs: Mapping[str, float] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return what leads of each source are worth: conversion, amounts, and cost per won customer.

    Parameters
    ----------
    log : StageLog
        As in `lead_conversion`.
    by : str
        The attribute that tells where leads came from.
    costs : mapping of str to number, optional
        What each source cost, in the currency of the log; a source without is not free, its cost is
        not known. One that brought no lead has a row too.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which leads count, by the labels last known at `as_of`: see `StageLog.view`. Costs are
        taken as they are given.

    Returns
    -------
    Table
        A row for each source, that with the highest resolved conversion first: the source, the
        columns of `lead_conversion`, ``won_amount`` (the sum of the known ones), ``amount_per_won``
        and ``amount_per_lead``; with costs also ``cost``, ``cost_per_lead``, ``cost_per_won`` and
        ``return``, (won amount − cost) / cost. NaN where there is nothing to divide by.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    if not isinstance(by, str):
        raise DefinitionError(
            "by= is the attribute that names sources, one of them, not {by!r}", by=by
        )
    spent = _checked_costs(costs)
    view = log.view(as_of, where)
    groups = _with_sources(groups_of(view, by), spent)
    standing = _standing(view, groups)
    status, n = view.standing.status, groups.n
    is_won = (status == WON) | (status == CHURNED)
    amount = sums(view.amount[is_won], groups.codes[is_won], n)
    has_amount = is_won & ~np.isnan(view.amount)
    priced = np.bincount(groups.codes[has_amount], minlength=n)
    leads = standing.sum(axis=1)
    columns = [
        *_counted(standing),
        Column("won_amount", amount, "money"),
        Column("amount_per_won", ratio(amount, priced), "money"),
        Column("amount_per_lead", ratio(amount, leads), "money"),
    ]
    if costs is not None:
        cost = np.array([spent.get(str(name), math.nan) for name in groups.names], float)
        won = standing[:, WON] + standing[:, CHURNED]
        columns += [
            Column("cost", cost, "money"),
            Column("cost_per_lead", ratio(cost, leads), "money"),
            Column("cost_per_won", ratio(cost, won), "money"),
            Column("return", ratio(amount - cost, cost), "rate"),
        ]
    table = {column.name: column for column in columns}
    order = np.argsort(-table["resolved_conversion"].values, kind="stable")
    notes = [*as_of_note(view), *money_note(view), Phrase("note.lead_conversion"), _INTERVAL]
    if costs is not None:
        notes.append(Phrase("note.costs"))
    hidden = {"lost", "open"}
    if np.isnan(view.amount).all():
        hidden |= {"won_amount", "amount_per_won", "amount_per_lead", "return"}
    return Table(
        [_ordered(column, order) for column in beside(_labels(groups), columns)],
        title=Phrase("title.source_quality"),
        notes=notes,
        hidden=hidden & ({by} | table.keys()),
    )


def _standing(view: View, groups: Groups) -> NDArray[np.int64]:
    """Return how many leads of each group stand where, (G, 4) by status."""
    cell = groups.codes * 4 + view.standing.status
    return np.bincount(cell, minlength=groups.n * 4).reshape(groups.n, 4)


def _counted(standing: NDArray[np.int64]) -> list[Column]:
    leads, won = standing.sum(axis=1), standing[:, WON] + standing[:, CHURNED]
    return [
        Column("leads", leads),
        Column("won", won),
        Column("lost", standing[:, LOST]),
        Column("open", standing[:, OPEN]),
        *rate_columns("lead_conversion", won, leads),
        *rate_columns("resolved_conversion", won, won + standing[:, LOST]),
    ]


def _labels(groups: Groups) -> list[Column]:
    """Return the columns that name the groups; sources have their names in each language.

    Labels that mean one source, as ``web`` and ``website`` do, are shown as they are.
    """
    return [
        Column(column.name, column.values, labels=partial(_source_name, _sharing(column.values)))
        if column.name == "source"
        else column
        for column in groups.columns()
    ]


def _sharing(labels: NDArray[Any]) -> frozenset[str]:
    """Return the labels of sources that others are called like too."""
    by_key: dict[str, set[str]] = {}
    for label in labels.tolist():
        if label is not None and (source := find_source(label)) is not None:
            by_key.setdefault(source.key, set()).add(label)
    return frozenset().union(*(found for found in by_key.values() if len(found) > 1))


def _source_name(sharing: frozenset[str], label: str, lang: str) -> str:
    return label if label in sharing else source_label(label, lang)


def _ordered(column: Column, order: NDArray[np.int64]) -> Column:
    return Column(column.name, column.values[order], column.kind, column.labels, title=column.title)


def _checked_costs(costs: Mapping[str, float] | None) -> dict[str, float]:
    if costs is None:
        return {}
    if not isinstance(costs, Mapping):
        raise DefinitionError("costs= maps sources to what they cost, not {costs!r}", costs=costs)
    for name, cost in costs.items():
        is_number = isinstance(cost, Real) and not isinstance(cost, bool)
        if not isinstance(name, str) or not is_number or not 0 <= cost < math.inf:
            raise DefinitionError(
                "costs= maps sources to what they cost, a number of 0 or more, as in {{'web': "
                "12000}}; it has {name!r}: {cost!r}",
                name=name,
                cost=cost,
            )
    return {name: float(cost) for name, cost in costs.items()}


def _with_sources(groups: Groups, names: Mapping[str, float]) -> Groups:
    """Return groups with one more for each name that has none."""
    more = tuple(sorted(name for name in names if name not in groups.names))
    return Groups(groups.by, (*groups.names, *more), groups.codes, groups.n + len(more))
