"""Time in stage: how long opportunities stay, and how long those do that are still there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.clock import Clock
from salesfunnel.metrics.cycle import QUANTILES
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, quantiles, sums
from salesfunnel.metrics.rates import ratio
from salesfunnel.metrics.survival import kaplan_meier
from salesfunnel.metrics.visits import visits
from salesfunnel.periods import BusinessCalendar
from salesfunnel.table import Column, Phrase, Table


def time_in_stage(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    calendar: BusinessCalendar | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return how long visits to each stage last, in days.

    A visit lasts from the entry into a stage to the next into another state; who comes back makes
    another one. Visits that still go on, of open deals and of won ones in service, are censored:
    they last longer than they have so far.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    calendar : BusinessCalendar, optional
        Working time counts only, and a day is a mean working day of the calendar's week.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each stage (of each group): the group's labels, ``stage``, ``visits``, those that
        have ``ended``; ``mean_days``, ``p25_days``, ``median_days``, ``p75_days`` and ``p90_days``
        of these, linear between the two nearest values; and ``km_p25_days``, ``km_median_days``,
        ``km_p75_days`` and ``km_p90_days`` of all visits: the first times by which such a share has
        ended (Kaplan–Meier), NaN where so many have not.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    clock = Clock(view, calendar)
    found, n_stages = visits(view), len(log.funnel)
    place, size = groups.codes[found.member] * n_stages + found.stage, groups.n * n_stages
    ended, lasted = found.ended, clock.between(found.entered, found.left)
    days, ended_place = lasted[ended] / clock.day, place[ended]
    n_ended = np.bincount(ended_place, minlength=size)
    shares = list(QUANTILES.values())
    exact = quantiles(days, ended_place, size, shares)
    curve = kaplan_meier(lasted, ended, group=place, n_groups=size)
    with_current = curve.quantile(shares) / clock.day

    row = np.arange(size)
    stages = np.array(log.funnel.states, object)[row % n_stages]
    columns = [
        Column("stage", stages, labels=state_namer(log.funnel)),
        Column("visits", np.bincount(place, minlength=size)),
        Column("ended", n_ended),
        Column("mean_days", ratio(sums(days, ended_place, size), n_ended)),
        *(Column(name, exact[:, i]) for i, name in enumerate(QUANTILES)),
        *(Column(f"km_{name}", with_current[:, i]) for i, name in enumerate(QUANTILES)),
    ]
    return Table(
        beside(groups.columns(row // n_stages), columns),
        title=Phrase("title.time_in_stage"),
        notes=[*as_of_note(view), Phrase("note.time_in_stage"), *clock.notes()],
        hidden=("p25_days", "p75_days", "km_p25_days", "km_p75_days"),
    )
