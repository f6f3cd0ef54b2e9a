"""What becomes of opportunities as they grow older: still open, won or lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

import numpy as np

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.cycle import IS_LOST, IS_OPEN, IS_WON, OUTCOMES, cycles
from salesfunnel.metrics.followed import Age, in_microseconds, to_ages
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of
from salesfunnel.metrics.logrank import logrank
from salesfunnel.metrics.shares import shares_at
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.numbers import format_decimal
from salesfunnel.wording import Listed

AGES = ("7d", "14d", "30d", "60d", "90d", "180d", "365d")


def survival_table(
    log: StageLog,
    *,
    ages: Iterable[Age] = AGES,
    by: str | Sequence[str] | None = None,
    start: str | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return which share of the opportunities is still open, won and lost at some ages.

    Open ones count for as long as they were followed. The three shares add up to 1.

    Parameters
    ----------
    log : StageLog
    ages : iterable of timedelta or str
        From the start on.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    start : str, optional
        A pre-sale stage: age counts from the first entry into or beyond it, and opportunities
        without one are left out. By default it counts from the first entry of all.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each age (of each group): the group's labels, ``age_days``; ``open_by_age``
        (Kaplan–Meier), ``won_by_age`` and ``lost_by_age`` (Aalen–Johansen), each with
        ``_numerator``, those known to be so, ``_denominator``, all, ``_low`` and ``_high`` (0.95;
        see `kaplan_meier`); and ``censored``, those that are open and were followed for less. A
        share is not numerator / denominator where there are any. It is NaN at ages that nobody was
        followed to, and the notes say so.

    Raises
    ------
    UnknownStateError, UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    followed = to_ages(ages)
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    found, times = cycles(view, start), in_microseconds(followed)
    group = groups.codes[found.member]
    still_open, won, lost = (
        shares_at(found.duration, found.ending, cause, group, groups.n, times)
        for cause in (IS_OPEN, IS_WON, IS_LOST)
    )
    row = np.arange(groups.n * len(followed))
    days = np.array([age / timedelta(days=1) for age in followed])
    columns = [
        Column("age_days", np.tile(days, groups.n)),
        *still_open.columns("open_by_age"),
        *won.columns("won_by_age"),
        *lost.columns("lost_by_age"),
        Column("censored", still_open.censored.reshape(-1)),
    ]
    notes = [*as_of_note(view), *_start_note(log, start), Phrase("note.survival")]
    if (np.isnan(still_open.value) & (still_open.denominator > 0)).any():
        notes.append(Phrase("note.too_old"))
    return Table(
        beside(groups.columns(row // len(followed)), columns),
        title=Phrase("title.survival"),
        notes=[*notes, Phrase("note.interval_of_curve", {"level": "95%"})],
    )


def logrank_test(
    log: StageLog,
    by: str | Sequence[str],
    *,
    of: str = "closed",
    start: str | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return whether opportunities of all groups take equally long to be won, or lost.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str
        Attributes whose groups are compared: the labels last known at `as_of`.
    of : {"closed", "won", "lost"}
        What is waited for; opportunities that end otherwise are censored then.
    start : str, optional
        A pre-sale stage: time counts from the first entry into or beyond it. By default it counts
        from the first entry of all.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group: its labels, ``opportunities``, how many of them ended so
        (``observed``), and how many would have if it took equally long in all groups
        (``expected``); and the same in each row, as it is one test: ``statistic`` (χ²),
        ``degrees_of_freedom`` and ``p_value``, NaN where there is nothing to compare.

    Raises
    ------
    UnknownStateError, UnknownAttributeError, DefinitionError, SizeError
        If an argument is not of this form, or there are more than 2,000 groups.
    """
    if of not in OUTCOMES:
        raise DefinitionError("of= is one of {known}, not {of!r}", known=Listed(OUTCOMES), of=of)
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    found = cycles(view, start)
    asked = {"won": [IS_WON], "lost": [IS_LOST], "closed": [IS_WON, IS_LOST]}[of]
    group = groups.codes[found.member]
    test = logrank(found.duration, np.isin(found.ending, asked), group, n_groups=groups.n)
    every = np.ones(groups.n)
    columns = [
        Column("opportunities", np.bincount(group, minlength=groups.n)),
        Column("observed", test.observed),
        Column("expected", test.expected, title="expected_events"),
        Column("statistic", test.statistic * every),
        Column("degrees_of_freedom", np.full(groups.n, test.degrees_of_freedom)),
        Column("p_value", test.p_value * every, "p_value"),
    ]
    notes = [*as_of_note(view), *_start_note(log, start), Phrase(f"note.logrank_{of}")]
    if np.isnan(test.p_value):
        notes.append(Phrase("note.logrank_nothing"))
    else:
        values = {
            "statistic": partial(format_decimal, test.statistic, digits=2),
            "count": test.degrees_of_freedom,
            "p": partial(_p_text, test.p_value),
        }
        notes.append(Phrase("note.logrank", values))
    return Table(
        beside(groups.columns(), columns),
        title=Phrase("title.logrank"),
        notes=notes,
        hidden=("statistic", "degrees_of_freedom", "p_value"),
    )


def _start_note(log: StageLog, start: str | None) -> list[Phrase]:
    if start is None:
        return [Phrase("note.age_since_creation")]
    return [Phrase("note.age_since_start", {"stage": partial(state_namer(log.funnel), start)})]


def _p_text(p_value: float, lang: str) -> str:
    if p_value < 0.0001:
        return f"< {format_decimal(0.0001, lang, 4)}"
    return f"= {format_decimal(p_value, lang, 4)}"
