"""Cohorts: opportunities created in one period, each followed to the same age."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np

from salesfunnel.kernel.reach import reach_times
from salesfunnel.kernel.standing import NEVER
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.followed import Age, cohorts_of
from salesfunnel.metrics.grouped import beside
from salesfunnel.metrics.periodic import By, closings
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.periods import Period
from salesfunnel.table import Column, Phrase, Table

_INTERVAL = Phrase("note.interval", {"level": "95%"})


def win_rate_by_cohort(
    log: StageLog,
    within: Age = "90d",
    *,
    period: str | Period | None = None,
    by: By = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return the win rate of opportunities by when they were created, each followed equally long.

    A win rate by the date of closing mixes deals of all ages, and that of a young cohort is that of
    its quick deals. Here every opportunity of a cohort is followed to the same age, and a cohort
    that cannot yet be followed so far is NaN.

    Parameters
    ----------
    log : StageLog
    within : timedelta or str
        The age: how long after its first entry an opportunity was won or lost.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        The cohorts; by default months. ``by="quarter"`` says the same as ``period="quarter"``.
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
        A row for each cohort (of each group): the group's labels, ``period``, ``complete`` (False
        where not all of the period can be followed so far by `as_of`), ``created``, ``won``,
        ``lost`` and ``open`` at that age (NaN where not complete), ``win_rate`` (won of won and
        lost) and ``won_share`` (won of created), each with numerator, denominator and Wilson
        interval (0.95).

    Raises
    ------
    UnknownAttributeError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    cohorts = cohorts_of(log, [within], period, by, as_of, where, tz)
    closed = closings(cohorts.view)
    won = cohorts.by_age(closed.time, closed.won)[:, :, 0].reshape(-1)
    lost = cohorts.by_age(closed.time, closed.lost)[:, :, 0].reshape(-1)
    created, seen = cohorts.created.reshape(-1), cohorts.seen.reshape(-1)
    columns = [
        *cohorts.columns(),
        Column("created", created),
        *(
            Column(name, np.where(seen, values, np.nan), "integer")
            for name, values in (("won", won), ("lost", lost), ("open", created - won - lost))
        ),
        *rate_columns("win_rate", won, won + lost, defined=seen),
        *rate_columns("won_share", won, created, defined=seen),
    ]
    return Table(
        beside(cohorts.labels(), columns),
        title=Phrase("title.win_rate_by_cohort"),
        notes=[*cohorts.notes(), Phrase("note.win_rate"), _INTERVAL],
        hidden={"complete"},
    )


def conversion_by_cohort(
    log: StageLog,
    within: Age = "90d",
    *,
    period: str | Period | None = None,
    by: By = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return how far opportunities came by when they were created, each followed equally long.

    Parameters
    ----------
    log : StageLog
    within : timedelta or str
        The age: how long after its first entry an opportunity came to a stage, or beyond it.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        The cohorts; by default months.
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
        A row for each cohort and stage (of each group): the group's labels, ``period``,
        ``complete``, ``stage``, ``entered`` and ``advanced`` (came to it, and beyond it, by that
        age; NaN where not complete), ``conversion_rate`` (advanced / entered) and
        ``cumulative_conversion`` (entered / created), each with numerator, denominator and Wilson
        interval (0.95). The same as `stage_table` in the mode reached, once all are so old.

    Raises
    ------
    UnknownAttributeError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    n_stages = len(log.funnel)
    cohorts = cohorts_of(log, [within], period, by, as_of, where, tz, columns=n_stages)
    view = cohorts.view
    far = reach_times(view.runs, view.standing, n_stages, log.funnel.n_presale)
    came = far != NEVER
    counts = np.stack(
        [cohorts.by_age(far[:, k], came[:, k])[:, :, 0] for k in range(n_stages + 1)], axis=-1
    )
    entered, advanced = counts[:, :, :-1].reshape(-1), counts[:, :, 1:].reshape(-1)
    row = np.arange(len(entered)) // n_stages
    seen, created = cohorts.seen.reshape(-1)[row], cohorts.created.reshape(-1)[row]
    stages = np.tile(np.array(log.funnel.states[:n_stages], object), cohorts.created.size)
    columns = [
        *cohorts.columns(row),
        Column("stage", stages, labels=state_namer(log.funnel)),
        Column("entered", np.where(seen, entered, np.nan), "integer"),
        Column("advanced", np.where(seen, advanced, np.nan), "integer"),
        *rate_columns("conversion_rate", advanced, entered, defined=seen),
        *rate_columns("cumulative_conversion", entered, created, defined=seen),
    ]
    return Table(
        beside(cohorts.labels(row), columns),
        title=Phrase("title.conversion_by_cohort"),
        notes=[*cohorts.notes(), Phrase("note.mode_reached"), _INTERVAL],
        hidden={"complete"},
    )
