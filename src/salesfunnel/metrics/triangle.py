"""Triangles: what became of each cohort by each age, as far as that can be known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from functools import partial

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.reach import reach_times
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.followed import Age, Cohorts, age_text, cohorts_of
from salesfunnel.metrics.grouped import beside
from salesfunnel.metrics.periodic import By, closings
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.model.validation import duration_text
from salesfunnel.periods import Period
from salesfunnel.table import Column, Phrase, Table

OUTCOMES = ("won", "lost", "open")
_INTERVAL = Phrase("note.interval", {"level": "95%"})


def triangle_by_cohort(
    log: StageLog,
    outcome: str = "won",
    *,
    ages: Iterable[Age] | None = None,
    period: str | Period | None = None,
    by: By = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return the share of each cohort that was won by each age; NaN where that is still to come.

    Parameters
    ----------
    log : StageLog
    outcome : str
        ``"won"``, ``"lost"``, ``"open"`` (neither yet), or a stage: came to it, or beyond it.
    ages : iterable of timedelta or str, optional
        By default 30, 60, 90 … days for months (1 for days, 7 for weeks, 90 for quarters, 365 for
        years), as far as the first cohort can be followed, at most 24 of them.
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
        A row for each cohort and age (of each group): the group's labels, ``period``, ``complete``,
        ``age_days``, and the share as ``value``, ``numerator``, ``denominator`` (those created),
        ``low`` and ``high`` (Wilson, 0.95). `retention_by_cohort` has the ages side by side.

    Raises
    ------
    UnknownAttributeError, UnknownStateError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    cohorts = cohorts_of(log, ages, period, by, as_of, where, tz)
    counts = _outcomes(cohorts, outcome)
    n_ages = len(cohorts.ages)
    row = np.arange(counts.size) // max(n_ages, 1)
    days = np.array([age / timedelta(days=1) for age in cohorts.ages])
    columns = [
        *cohorts.columns(row, cohorts.seen.reshape(-1)),
        Column("age_days", np.tile(days, cohorts.created.size)),
        *rate_columns(
            "value",
            counts.reshape(-1),
            cohorts.created.reshape(-1)[row],
            defined=cohorts.seen.reshape(-1),
            titles=("share", "reached", "created"),
        ),
    ]
    return Table(
        beside(cohorts.labels(row), columns),
        title=_title("triangle", log, outcome),
        notes=[*cohorts.notes(), _INTERVAL],
        hidden={"complete"},
    )


def retention_by_cohort(
    log: StageLog,
    outcome: str = "open",
    *,
    ages: Iterable[Age] = ("30d", "60d", "90d", "180d"),
    period: str | Period | None = None,
    by: By = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return the share of each cohort that is still open at some ages, side by side.

    Parameters
    ----------
    log : StageLog
    outcome : str
        ``"open"``, ``"won"``, ``"lost"``, or a stage: came to it, or beyond it.
    ages : iterable of timedelta or str
        How long after the first entry.
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
        A row for each cohort (of each group): the group's labels, ``period``, ``created``, and for
        each age the share, ``age_30d``, with ``_numerator``, ``_denominator``, ``_low`` and
        ``_high`` (Wilson, 0.95); NaN where the cohort is not yet so old.

    Raises
    ------
    UnknownAttributeError, UnknownStateError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    cohorts = cohorts_of(log, ages, period, by, as_of, where, tz)
    counts = _outcomes(cohorts, outcome)
    created = cohorts.created.reshape(-1)
    columns = [*cohorts.columns()[:1], Column("created", created)]
    for index, age in enumerate(cohorts.ages):
        shown = Phrase("column.age", {"age": partial(age_text, age)})
        columns += rate_columns(
            f"age_{duration_text(age)}",
            counts[:, :, index].reshape(-1),
            created,
            defined=cohorts.seen[:, :, index].reshape(-1),
            titles=(shown, None, None),
        )
    return Table(
        beside(cohorts.labels(), columns),
        title=_title("retention", log, outcome),
        notes=[*cohorts.notes(), _INTERVAL],
    )


def _title(kind: str, log: StageLog, outcome: str) -> Phrase:
    if outcome in OUTCOMES:
        shown: object = Phrase(f"status.{outcome}")
    else:
        shown = partial(state_namer(log.funnel), outcome)
    return Phrase(f"title.{kind}", {"outcome": shown})


def _outcomes(cohorts: Cohorts, outcome: str) -> NDArray[np.int64]:
    """Return how many of each cohort were won, lost or open, or had come to a stage, by each age.

    Raises
    ------
    UnknownStateError
        If there is no such outcome.
    """
    view = cohorts.view
    if outcome not in OUTCOMES:
        stage = view.funnel.index(outcome)
        n_stages, n_presale = len(view.funnel), view.funnel.n_presale
        came = reach_times(view.runs, view.standing, n_stages, n_presale)[:, stage]
        return cohorts.by_age(came, view.standing.furthest >= stage)
    closed = closings(view)
    if outcome == "open":
        ended = cohorts.by_age(closed.time, closed.won | closed.lost)
        return np.asarray(cohorts.created[:, :, None] - ended)
    return cohorts.by_age(closed.time, closed.won if outcome == "won" else closed.lost)
