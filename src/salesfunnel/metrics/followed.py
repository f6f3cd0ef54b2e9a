"""Followed cohorts: opportunities by the period of their first entry, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from functools import cached_property, partial

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import Groups, as_of_note, groups_of
from salesfunnel.metrics.periodic import By, PeriodAxis, axis_of, split_by
from salesfunnel.model.validation import to_duration
from salesfunnel.periods import Period
from salesfunnel.table import Column, Phrase
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_integer
from salesfunnel.text.times import format_duration

Age = timedelta | str
"""How long opportunities are followed from their first entry: ``"90d"``, ``"36h"``."""
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_STEPS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
"""Days between the ages that a triangle has by default, by the period of its cohorts."""
_MOST_AGES = 24
_FOREVER = 10**18  # microseconds; longer than the calendar


@attrs.frozen(slots=False)
class Cohorts:
    """Opportunities by group and by the period of their first entry, followed to some ages.

    Attributes
    ----------
    view : View
    groups : Groups
    axis : PeriodAxis
        The cohorts.
    ages : tuple of timedelta
        Ascending.
    """

    view: View
    groups: Groups
    axis: PeriodAxis
    ages: tuple[timedelta, ...]

    @cached_property
    def born(self) -> NDArray[np.int64]:
        """The first entry of each opportunity, (m,)."""
        return self.view.runs.time[self.view.runs.starts]

    @cached_property
    def cell(self) -> NDArray[np.int64]:
        """The group and cohort of each opportunity, (m,)."""
        return self.groups.codes * self.axis.n + self.axis.of(self.born)

    @cached_property
    def created(self) -> NDArray[np.int64]:
        """The size of each cohort, (G, n)."""
        size = self.groups.n * self.axis.n
        return np.bincount(self.cell, minlength=size).reshape(self.groups.n, self.axis.n)

    @cached_property
    def microseconds(self) -> NDArray[np.int64]:
        """The ages, (A,)."""
        return in_microseconds(self.ages)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Which cohorts are so old that all that could be in them can be followed, (G, n, A)."""
        seen = self.axis.ends[:, None] <= self.axis.as_of - self.microseconds
        return np.broadcast_to(seen, (self.groups.n, *seen.shape))

    def by_age(self, time: NDArray[np.int64], happened: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return to how many of each cohort something had happened by each age, (G, n, A)."""
        n_ages = len(self.ages)
        age = time[happened] - self.born[happened]
        place = self.cell[happened] * (n_ages + 1) + np.searchsorted(self.microseconds, age)
        counts = np.bincount(place, minlength=self.created.size * (n_ages + 1))
        return np.cumsum(counts.reshape(*self.created.shape, n_ages + 1)[:, :, :-1], axis=2)

    def labels(self, row: NDArray[np.int64] | None = None) -> list[Column]:
        """Return the columns that name the groups, for every cohort or for those of some rows."""
        every = np.arange(self.created.size) if row is None else row
        return self.groups.columns(every // self.axis.n if self.axis.n else every)

    def columns(
        self, row: NDArray[np.int64] | None = None, seen: NDArray[np.bool_] | None = None
    ) -> list[Column]:
        """Return the columns that name the cohorts and say which are old enough."""
        every = np.arange(self.created.size) if row is None else row
        labels = self.axis.column(self.groups.n)
        complete = self.seen[:, :, 0].reshape(-1)[every] if seen is None else seen
        return [
            Column("period", labels.values[every], labels=labels.labels),
            Column("complete", complete),
        ]

    def notes(self) -> list[Phrase]:
        """Return the notes that say what is followed how long."""
        notes = [*as_of_note(self.view)]
        if len(self.ages) == 1:
            notes.append(Phrase("note.cohort_age", {"age": partial(age_text, self.ages[0])}))
        notes += [Phrase("note.cohort"), *self.axis.notes()[:1]]
        if self.axis.n and not self.seen.any():
            notes.append(Phrase("note.cohort_none", {"age": partial(age_text, self.ages[0])}))
        return notes


def cohorts_of(
    log: StageLog,
    ages: Iterable[Age] | None,
    period: str | Period | None,
    by: By,
    as_of: Instant | None,
    where: Where | None,
    tz: str | tzinfo | None,
    columns: int = 1,
) -> Cohorts:
    """Return the cohorts of a log; without ages, with as many as the first can be followed to."""
    view = log.view(as_of, where)
    attributes, unit = split_by(view, by, period)
    groups = groups_of(view, attributes)
    followed = None if ages is None else to_ages(ages)
    n_ages = _MOST_AGES if followed is None else len(followed)
    axis = axis_of(view, unit, tz, groups.n * n_ages * columns)
    return Cohorts(view, groups, axis, _steps(axis) if followed is None else followed)


def to_ages(ages: Iterable[Age], what: str = "ages") -> tuple[timedelta, ...]:
    """Return distinct ages in ascending order, as an argument gives them.

    Raises
    ------
    DefinitionError
        If they are no durations, or there is none.
    """
    if isinstance(ages, (str, timedelta)) or not isinstance(ages, Iterable):
        raise DefinitionError(
            "{what}= are durations, as in ('30d', '60d'), not {ages!r}", what=what, ages=ages
        )
    found = {age for age in map(to_duration, ages) if age is not None}
    if not found:
        raise DefinitionError(
            "{what}= are durations, as in ('30d', '60d'), at least one", what=what
        )
    return tuple(sorted(found))


def in_microseconds(ages: Iterable[timedelta]) -> NDArray[np.int64]:
    """Return ages in microseconds; those longer than the calendar as forever."""
    return np.array([min(age // _MICROSECOND, _FOREVER) for age in ages], np.int64)


def _steps(axis: PeriodAxis) -> tuple[timedelta, ...]:
    """Return the ages to which the first cohort can be followed, in equal steps."""
    step = timedelta(days=_STEPS[axis.unit])
    followed = (axis.as_of - int(axis.ends[0])) * _MICROSECOND if axis.n else timedelta(0)
    n = min(max(followed // step, 1), _MOST_AGES)
    return tuple(step * (i + 1) for i in range(n))


def age_text(age: timedelta, lang: str) -> str:
    """Return an age as people read it: whole days as such."""
    if age % _DAY:
        return format_duration(age.total_seconds(), lang)
    return catalogue(lang).text("duration.days", days=format_integer(age.days, lang))
