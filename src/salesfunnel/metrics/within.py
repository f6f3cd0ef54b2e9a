"""Conversion within a time: how many go on from a stage soon enough."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.standing import NEVER
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.followed import Age, age_text, in_microseconds, to_ages
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of
from salesfunnel.metrics.shares import shares_at
from salesfunnel.table import Column, Phrase, Table

ADVANCED, LOST = 1, 2
_LATER = np.iinfo(np.int64).max


def conversion_within(
    log: StageLog,
    horizon: Age,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the conversion of each stage within a time, of all that entered it, open ones too.

    The clock starts at the first entry into the stage or a later one, and stops at the first entry
    into a later one. A deal that is lost does not go on any more; one that is open may yet do so,
    and counts for as long as it was followed.

    Parameters
    ----------
    log : StageLog
    horizon : timedelta or str
        The time: ``"30d"``, ``"36h"``.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each stage (of each group): the group's labels, ``stage``, the share that goes on
        within the time as ``value`` (Aalen–Johansen), ``numerator``, those that did, and
        ``denominator``, those that entered; ``low`` and ``high`` (0.95; see `aalen_johansen`, and
        at 0 and 1 Wilson's, of those whose fate is known); and ``censored``, those that are open
        and were followed for less. `value` is not numerator / denominator where there are any;
        it is NaN where nobody was followed so long.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    ages = to_ages((horizon,), "horizon")
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    n_stages = len(log.funnel)
    member, stage, duration, ending = stage_lives(view)
    found = shares_at(
        duration,
        ending,
        ADVANCED,
        groups.codes[member] * n_stages + stage,
        groups.n * n_stages,
        in_microseconds(ages),
    )
    row = np.arange(groups.n * n_stages)
    stages = np.array(log.funnel.states, object)[row % n_stages]
    length = {"horizon": partial(age_text, ages[0])}
    notes = [*as_of_note(view), Phrase("note.conversion_within", length)]
    if (np.isnan(found.value) & (found.denominator > 0)).any():
        notes.append(Phrase("note.not_followed", length))
    return Table(
        beside(
            groups.columns(row // n_stages),
            [
                Column("stage", stages, labels=state_namer(log.funnel)),
                *found.columns("value", ("conversion_within", "advanced", "entered")),
                Column("censored", found.censored.reshape(-1)),
            ],
        ),
        title=Phrase("title.conversion_within", length),
        notes=[*notes, Phrase("note.interval_of_curve", {"level": "95%"})],
    )


def stage_lives(
    view: View,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return how long it took from the first entry into or beyond each stage to one beyond it.

    Returns
    -------
    member, stage : (n,) int64
        Which opportunity of the view, which stage it came to.
    duration : (n,) int64
        Microseconds: until it went on, was lost for good, or the instant of knowledge.
    ending : (n,) int64
        1 where it went on, 2 where it was lost before it did, 0 where it is open.
    """
    n_stages = len(view.funnel)
    first = view.first_entries[:, : n_stages + 1]  # all states but LOST, which is beyond none
    times = np.where(first == NEVER, _LATER, first)
    reached = np.minimum.accumulate(times[:, ::-1], axis=1)[:, ::-1]
    begin, onward = reached[:, :-1], reached[:, 1:]
    runs, lost = view.runs, view.standing.last == view.funnel.lost
    end = np.where(lost, runs.time[runs.ends], 0 if view.as_of is None else view.as_of)[:, None]
    advanced = onward < _LATER
    ending = np.where(advanced, ADVANCED, np.where(lost[:, None], LOST, 0))
    member, stage = np.nonzero(begin < _LATER)
    duration = np.where(advanced, onward, end) - begin
    return member, stage, duration[member, stage], ending[member, stage]
