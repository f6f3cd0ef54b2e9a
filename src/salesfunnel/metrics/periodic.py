"""What series by period share: the period meant, the axis of periods, when deals closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from functools import cached_property
from typing import NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError, SizeError
from salesfunnel.kernel.standing import CHURNED, LOST, NEVER, WON
from salesfunnel.log.view import View
from salesfunnel.periods import (
    PERIODS,
    Period,
    from_microseconds,
    period_index,
    period_label,
    period_start,
    to_span,
    to_zone,
    zone_name,
)
from salesfunnel.table import Column, Phrase
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed

By = str | Period | Sequence[str | Period] | None
"""What `by=` takes where a period is one of the groups: attributes, and at most one period."""
_MAX_CELLS = 20_000_000


def split_by(
    view: View, by: By, period: str | Period | None, default: str = "month"
) -> tuple[tuple[str, ...] | None, Period]:
    """Return the attributes that a ``by=`` names, and the period that it or ``period=`` names.

    Raises
    ------
    DefinitionError
        If two periods are named, or a bare word could be a period and an attribute.
    """
    several = isinstance(by, Iterable) and not isinstance(by, str)
    named: list[object] = list(by) if several else [] if by is None else [by]  # type: ignore[arg-type]
    attributes, periods = [], [] if period is None else [period]
    for name in named:
        if isinstance(name, Period):
            periods.append(name)
        elif isinstance(name, str) and name in PERIODS:
            if name in view.log.attributes:
                raise DefinitionError(
                    "by={name!r} could be the period or the attribute of that name: write "
                    "salesfunnel.Period({name!r}) for the period, or give the attribute another "
                    "name when the log is made",
                    name=name,
                )
            periods.append(name)
        else:
            attributes.append(name)
    if len(periods) > 1:
        asked = Listed(repr(getattr(found, "unit", found)) for found in periods)
        raise DefinitionError("one period is one of the groups, not several: {asked}", asked=asked)
    asked_for = periods[0] if periods else default
    found = asked_for if isinstance(asked_for, Period) else Period(asked_for)
    return (tuple(attributes) or None), found  # type: ignore[arg-type]  # checked by the grouping


@attrs.frozen(slots=False)
class PeriodAxis:
    """Consecutive periods: from that of a view's first entry to that of its instant of knowledge.

    Attributes
    ----------
    unit : str
    zone : tzinfo
        Where the periods are cut.
    first : int
        Index of the first period since 1970.
    n : int
        How many there are: 0 in an empty view.
    as_of : int
        The instant of knowledge, in microseconds.
    """

    unit: str
    zone: tzinfo
    first: int
    n: int
    as_of: int

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """The last microsecond of each period, (n,)."""
        following = range(self.first + 1, self.first + self.n + 1)
        starts = [period_start(index, self.unit, self.zone) for index in following]
        return np.array(starts, np.int64) - 1

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Which periods were over at the instant of knowledge, (n,)."""
        return self.ends <= self.as_of

    def of(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position of the period that each instant falls in."""
        return period_index(time, self.unit, self.zone) - self.first

    def column(self, repeats: int = 1) -> Column:
        """Return the column of the periods' labels, the whole axis for each of some groups."""
        labels = [
            period_label(index, self.unit) for index in range(self.first, self.first + self.n)
        ]
        last = labels[-1] if self.n and not self.complete[-1] else None

        def shown(label: str, lang: str) -> str:
            text = catalogue(lang).text
            return text("value.incomplete", period=label) if label == last else label

        return Column("period", np.tile(np.array(labels, object), repeats), labels=shown)

    def notes(self) -> list[Phrase]:
        """Return the notes that name the zone, and say that the last period is not over yet."""
        notes = [Phrase("note.zone", {"zone": zone_name(self.zone)})]
        if self.n and not self.complete[-1]:
            notes.append(Phrase("note.incomplete"))
        return notes


def axis_of(view: View, period: Period, tz: str | tzinfo | None, n_groups: int = 1) -> PeriodAxis:
    """Return the axis of periods of a view, cut in a zone, by default the log's.

    Raises
    ------
    DefinitionError
        If there is no such zone.
    SizeError
        If there are too many periods for so many groups.
    """
    zone = view.log.tz if tz is None else to_zone(tz)
    created = view.runs.time[view.runs.starts]
    if view.as_of is None or not len(created):
        return PeriodAxis(period.unit, zone, 0, 0, 0)
    ends = np.array([created.min(), view.as_of])
    first, last = period_index(ends, period.unit, zone).tolist()
    n = last - first + 1
    if n * n_groups > _MAX_CELLS:
        raise SizeError(
            "{n:,} periods of {n_groups:,} groups are more than {limit:,} rows: choose a longer "
            "period or fewer groups",
            n=n,
            n_groups=n_groups,
            limit=_MAX_CELLS,
        )
    return PeriodAxis(period.unit, zone, first, n, view.as_of)


class Closings(NamedTuple):
    """When each opportunity was won or lost, by how it stands at the instant of knowledge.

    Attributes
    ----------
    won, lost, churned : (m,) bool
        Which were sold, and count as won ever after; were lost instead; or churned after the sale.
    time : (m,) int64
        The sale, or the loss that stands; `NEVER` where the opportunity is open.
    """

    won: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    churned: NDArray[np.bool_]
    time: NDArray[np.int64]


def closings(view: View) -> Closings:
    """Return when each opportunity of a view was won or lost."""
    status, sale = view.standing.status, view.standing.sale
    won, lost = (status == WON) | (status == CHURNED), status == LOST
    time = np.full(len(status), NEVER)
    time[won] = view.runs.time[sale[won]]
    time[lost] = view.runs.time[view.runs.ends[lost]]
    return Closings(won, lost, status == CHURNED, time)


class Spans(NamedTuple):
    """Two stretches of time to compare, each its first and its last microsecond.

    Attributes
    ----------
    before, after : tuple of int
    zone : tzinfo
        Where they were read.
    as_of : int or None
        The instant of knowledge.
    """

    before: tuple[int, int]
    after: tuple[int, int]
    zone: tzinfo
    as_of: int | None

    def of(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each instant 0 if it is before, 1 if it is after, -1 if it is in neither."""
        inside = [(start <= time) & (time <= end) for start, end in (self.before, self.after)]
        return np.where(inside[1], 1, np.where(inside[0], 0, -1))

    def notes(self) -> list[Phrase]:
        """Return the notes that name the two, and say if they are not over yet."""
        ends = {
            f"{name}_{end}": from_microseconds(instant, self.zone)
            for name in ("before", "after")
            for end, instant in zip(("start", "end"), getattr(self, name), strict=True)
        }
        notes = [Phrase("note.spans", ends), Phrase("note.zone", {"zone": zone_name(self.zone)})]
        if self.as_of is not None and self.as_of < max(self.before[1], self.after[1]):
            notes.append(Phrase("note.spans_incomplete"))
        return notes


def spans_of(view: View, before: object, after: object, tz: str | tzinfo | None) -> Spans:
    """Return two stretches of time, given as periods or pairs of instants, in a zone.

    Raises
    ------
    DefinitionError
        If they are not of this form, or overlap.
    """
    zone = view.log.tz if tz is None else to_zone(tz)
    first, second = to_span(before, zone, "before="), to_span(after, zone, "after=")
    if first[0] <= second[1] and second[0] <= first[1]:
        raise DefinitionError(
            "before= and after= do not overlap, as {before!r} and {after!r} do",
            before=before,
            after=after,
        )
    return Spans(first, second, zone, view.as_of)
