"""Stalled: open opportunities that stand in a stage for too long, as a list to act on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where, attribute_names
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.clock import Clock
from salesfunnel.metrics.grouped import (
    Groups,
    as_of_note,
    beside,
    groups_of,
    money_note,
    quantiles,
)
from salesfunnel.metrics.visits import Visits, visits
from salesfunnel.periods import BusinessCalendar
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_percent


def stalled(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    quantile: float = 0.9,
    calendar: BusinessCalendar | None = None,
    show: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the open opportunities that stand in their stage longer than they should.

    An opportunity is stalled when its present visit is longer than the stage's `max_age`; where a
    stage has none, longer than 90% of the visits to it that advanced, from which the opportunity
    went on to a later stage or a win.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to group by, the labels last known at `as_of`: visits are measured by those of
        the same group. Where nothing of a group advanced from a stage, by those of all.
    quantile : float
        Which quantile of the visits that advanced is the limit, between 0 and 1.
    calendar : BusinessCalendar, optional
        Working time counts only, and a day, of a visit as of a `max_age`, is a mean working day of
        the calendar's week.
    show : str or sequence of str, optional
        Attributes to show of each; by default the owner, where the log has one.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive, up to which visits last; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities are listed, by the labels last known at `as_of`: see `StageLog.view`.
        The limits come from all.

    Returns
    -------
    Table
        A row for each, the longest over its limit first (in each group): the group's labels,
        ``opportunity``, the attributes, ``stage``, ``amount``, ``entered_at`` (when the visit
        began), ``age_days``, ``limit_days``, ``over_days``, ``rule`` (``"max_age"``,
        ``"quantile"`` or, with groups, ``"quantile_of_all"``), and ``visits``: how many visits that
        advanced a quantile is of, 0 for the other rule. A stage without a `max_age` that nothing
        advanced from has no limit.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.

    Notes
    -----
    Quantiles are linear between the two nearest visits (type 7 of Hyndman and Fan 1996, The
    American Statistician 50, 361–365).
    """
    if not 0 < quantile < 1:
        raise DefinitionError(
            "quantile= is between 0 and 1, as in 0.9, not {quantile!r}", quantile=quantile
        )
    # The limits come from all opportunities, so all are looked at and some are listed.
    view = log.view(as_of)
    listed = log.view(as_of, where)
    groups, clock = groups_of(view, by), Clock(view, calendar)
    attributes = tuple(name for name in _shown(log, show) if name not in groups.by)
    every = visits(view)
    days = clock.between(every.entered, every.left) / clock.day
    limits = _limits(view, every, days, groups, quantile)
    stands = ~every.ended & (every.stage < log.funnel.n_presale)
    if where is not None:
        stands &= np.isin(view.opportunity, listed.opportunity)[every.member]
    found = np.flatnonzero(stands)
    place = groups.codes[every.member[found]] * len(log.funnel) + every.stage[found]
    over = days[found] - limits.days[place]
    late = over > 0
    found, place, over = found[late], place[late], over[late]
    member = every.member[found]
    order = _order(view, member, groups.codes[member], over)
    found, place, over, member = found[order], place[order], over[order], member[order]

    labels = [Column(name, _labels(view, name, every.run[found])) for name in attributes]
    states = np.array(log.funnel.states, object)
    columns = [
        Column("opportunity", log.identify(view.opportunity[member])),
        Column("stage", states[every.stage[found]], labels=state_namer(log.funnel)),
        Column("amount", view.amount[member], "money"),
        Column("entered_at", every.entered[found].view("datetime64[us]"), tz=log.tz),
        Column("age_days", days[found]),
        Column("limit_days", limits.days[place]),
        Column("over_days", over),
        Column("rule", limits.rule[place], labels=partial(_rule, quantile), title="limit_from"),
        Column("visits", limits.visits[place]),
    ]
    both = beside([*groups.columns(groups.codes[member]), *labels], columns)
    n_by, n_labels = len(groups.by), len(groups.by) + len(labels)
    return Table(
        [*both[:n_by], both[n_labels], *both[n_by:n_labels], *both[n_labels + 1 :]],
        title=Phrase("title.stalled"),
        notes=[
            *as_of_note(listed),
            *money_note(view),
            Phrase("note.stalled"),
            *clock.notes(),
        ],
        hidden={"visits"} if log.amounts is not None else {"visits", "amount"},
    )


def _shown(log: StageLog, show: str | Sequence[str] | None) -> tuple[str, ...]:
    if show is None:
        return ("owner",) if "owner" in log.attributes else ()
    return attribute_names(show) if show else ()


class _Limits(NamedTuple):
    """How long a visit to each stage may be, by group, ``(G * K,)`` each."""

    days: NDArray[np.float64]
    rule: NDArray[np.object_]
    visits: NDArray[np.int64]


def _limits(
    view: View, every: Visits, days: NDArray[np.float64], groups: Groups, quantile: float
) -> _Limits:
    """Return the limits of each stage of each group, and where they come from."""
    n_stages, size = len(view.funnel), groups.n * len(view.funnel)
    # A visit that goes on has the target 255, a lost one K + 1.
    advanced = (every.target > every.stage) & (every.target <= n_stages)
    stage, lasted = every.stage[advanced].astype(np.int64), days[advanced]
    place = groups.codes[every.member[advanced]] * n_stages + stage
    of_group = quantiles(lasted, place, size, quantile)[:, 0]
    of_all = np.tile(quantiles(lasted, stage, n_stages, quantile)[:, 0], groups.n)
    n_of_group = np.bincount(place, minlength=size)
    n_of_all = np.tile(np.bincount(stage, minlength=n_stages), groups.n)
    given = [
        np.nan if stage.max_age is None else stage.max_age / timedelta(days=1)
        for stage in view.funnel.stages
    ]
    max_age = np.tile(given, groups.n)
    has_max, has_own = ~np.isnan(max_age), n_of_group > 0
    return _Limits(
        np.where(has_max, max_age, np.where(has_own, of_group, of_all)),
        np.where(
            has_max,
            "max_age",
            np.where(has_own | (groups.n == 1), "quantile", "quantile_of_all"),
        ).astype(object),
        np.where(has_max, 0, np.where(has_own, n_of_group, n_of_all)),
    )


def _order(
    view: View,
    member: NDArray[np.int64],
    group: NDArray[np.int64],
    over: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return the longest over the limit of each group first, of equals the larger, then by name."""
    identifiers = view.log.identify(view.opportunity[member])
    rank = np.unique(identifiers, return_inverse=True)[1] if len(member) else member
    return np.lexsort((rank, -np.nan_to_num(view.amount[member]), -over, group))


def _labels(view: View, attribute: str, run: NDArray[np.int64]) -> NDArray[np.object_]:
    names = np.array([*view.log.attribute(attribute).names, None], object)
    return np.asarray(names[view.label_by(attribute, run)])


def _rule(quantile: float, rule: str, lang: str) -> str:
    share = format_percent(quantile, lang, 0 if (quantile * 100) % 1 == 0 else 1)
    return catalogue(lang).text(f"value.stalled_{rule}", share=share)
