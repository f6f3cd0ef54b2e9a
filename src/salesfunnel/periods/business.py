"""Business hours: how much working time lies between two instants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.model.validation import to_date
from salesfunnel.periods.clocks import CHUNK, clock_changes
from salesfunnel.periods.zone import DAY, FIRST, LAST, to_instant, to_zone
from salesfunnel.wording import Wording

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""The days of the week, by position; three letters are enough."""
Span = tuple[str | time, str | time]
"""From when to when: ``("09:00", "18:00")``; a day ends at ``"24:00"``."""
Hours = Span | Sequence[Span]
"""The working hours of a day: one span, or several with breaks between them."""
Day = tuple[tuple[int, int], ...]
"""The working hours of a day, in microseconds from its midnight, in order; empty for a day off."""
_THURSDAY = 3  # 1970-01-01
_NAT = np.iinfo(np.int64).min


def _to_time(value: object, *, end: bool) -> int:
    """Return a time of day in microseconds."""
    if end and value in ("24:00", "24:00:00"):
        return DAY
    try:
        clock = time.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        clock = None
    if not isinstance(clock, time) or clock.tzinfo is not None:
        raise DefinitionError(
            "working hours are from one time of day to another, as in ('09:00', '18:00'), until "
            "'24:00' at most, not {value!r}",
            value=value,
        )
    seconds = (clock.hour * 60 + clock.minute) * 60 + clock.second
    return seconds * 1_000_000 + clock.microsecond


def _to_day(hours: object) -> Day:
    """Return the working hours of a day from one span or several."""
    if not isinstance(hours, Sequence) or isinstance(hours, str):
        raise DefinitionError(
            "the working hours of a day are a pair of times, as in ('09:00', '18:00'), or several "
            "pairs, not {hours!r}",
            hours=hours,
        )
    spans = [hours] if any(isinstance(part, (str, time)) for part in hours) else hours
    day: list[tuple[int, int]] = []
    for span in spans:
        if not isinstance(span, Sequence) or len(span) != 2:
            raise DefinitionError("working hours are pairs of times, not {span!r}", span=span)
        start, end = _to_time(span[0], end=False), _to_time(span[1], end=True)
        if start >= end:
            raise DefinitionError(
                "working hours end after they start, not {span!r}; hours past midnight are two "
                "spans, until '24:00' and from '00:00'",
                span=span,
            )
        day.append((start, end))
    day.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(day)):
        raise DefinitionError(
            "the working hours of a day do not overlap, as in {hours!r}", hours=hours
        )
    return tuple(day)


def _to_weekday(name: object) -> int:
    """Return the position of a day of the week, 0 for Monday."""
    if isinstance(name, str) and len(name) >= 3:
        for position, weekday in enumerate(WEEKDAYS):
            if weekday.startswith(name.lower()):
                return position
    raise DefinitionError("a day of the week is one of mon, tue, …, sun, not {name!r}", name=name)


def _to_week(hours: object) -> tuple[Day, ...]:
    """Return the working hours of the seven days of a week."""
    if not isinstance(hours, Mapping):
        return (_to_day(hours),) * 7
    week: list[Day] = [()] * 7
    for name, of_day in hours.items():
        week[_to_weekday(name)] = _to_day(of_day)
    return tuple(week)


def _to_dates(days: object, what: str) -> list[date]:
    if isinstance(days, (str, date)) or not isinstance(days, Iterable):
        raise DefinitionError(
            "{what}= are dates, as in ['2026-10-01', …], not {days!r}", what=what, days=days
        )
    found = [to_date(day) for day in days]
    if None in found:
        raise DefinitionError("{what}= are dates, and None is none", what=what)
    return [day for day in found if day is not None]


class _Schedules(NamedTuple):
    """The distinct days of a calendar: the seven of a week, then its exceptions.

    Attributes
    ----------
    begin, end : (n, spans) int64
        Working hours of each, in microseconds from midnight; 0 to 0 where there are fewer.
    total : (n,) int64
        Working time of each.
    day : (x,) int64
        The exceptions in days since 1970, ascending; they have the schedules 7, 8, ….
    """

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    total: NDArray[np.int64]
    day: NDArray[np.int64]


@attrs.frozen(slots=False, init=False)
class BusinessCalendar:
    """Working hours, the days off, and the days worked in their place.

    Working time is what passes while the clocks of the zone show a working hour of a working day.
    So where clocks change within working hours, a day has an hour more or less of it.

    Parameters
    ----------
    hours : pair of str or time, sequence of pairs, or mapping
        Working hours of a day, ``("09:00", "18:00")``; with breaks,
        ``[("09:00", "12:00"), ("13:30", "18:00")]``; or either by day of the week,
        ``{"mon": ("09:00", "18:00"), "sat": ("10:00", "14:00")}``, the others being days off.
    weekend : iterable of str, optional
        Days of the week without work. By default Saturday and Sunday, or, with hours by day of the
        week, the days not named there.
    holidays : iterable of date or str
        Days without work.
    workdays : iterable of date or str, or mapping
        Days with work whatever day of the week they are, such as make-up days (调休). They have the
        hours of the first working day of the week, or as a mapping their own, ``{"2026-10-10":
        ("09:00", "12:00")}``.
    tz : str or tzinfo, optional
        The zone whose clocks count; by default that of the log.

    Attributes
    ----------
    week : tuple of 7 days
        Working hours from Monday on; each day is a tuple of (start, end) in microseconds from
        midnight, empty for a day off.
    days : tuple of (date, day)
        The exceptions, by date.

    Raises
    ------
    DefinitionError
        If an argument is not of this form, a day is both a holiday and a workday, or no day of the
        week has a working hour.

    Examples
    --------
    >>> office = BusinessCalendar(
    ...     [("09:00", "12:00"), ("13:00", "18:00")],
    ...     holidays=["2026-10-01", "2026-10-02"],
    ...     workdays=["2026-10-10"],
    ...     tz="Asia/Shanghai",
    ... )
    >>> friday, tuesday = "2026-10-09T16:00+08:00", "2026-10-13T10:00+08:00"
    >>> print(office.business_seconds(friday, tuesday) / 3600)  # Fri 2, Sat 8, Mon 8, Tue 1
    19.0
    """

    week: tuple[Day, ...]
    days: tuple[tuple[date, Day], ...]
    tz: tzinfo | None

    def __init__(
        self,
        hours: Hours | Mapping[str, Hours] = ("09:00", "18:00"),
        *,
        weekend: Iterable[str] | None = None,
        holidays: Iterable[date | str] = (),
        workdays: Iterable[date | str] | Mapping[Any, Hours] = (),
        tz: str | tzinfo | None = None,
    ) -> None:
        week = list(_to_week(hours))
        by_weekday = isinstance(hours, Mapping)
        if weekend is None:
            weekend = () if by_weekday else ("sat", "sun")
        elif isinstance(weekend, str):
            raise DefinitionError(
                "weekend= are days, as in ['sat', 'sun'], not {weekend!r}", weekend=weekend
            )
        for name in weekend:
            position = _to_weekday(name)
            if by_weekday and week[position]:
                raise DefinitionError(
                    "{name!r} is in weekend= and has working hours too", name=name
                )
            week[position] = ()
        if not any(week):
            raise DefinitionError(
                "no day of the week has a working hour: give hours=, as in ('09:00', '18:00'), and "
                "a weekend= that leaves a day"
            )
        usual = next(day for day in week if day)
        off = _to_dates(holidays, "holidays")
        worked: dict[date, Day]
        if isinstance(workdays, Mapping):
            ordered = zip(_to_dates(workdays, "workdays"), workdays.values(), strict=True)
            worked = {day: _to_day(of_day) for day, of_day in ordered}
        else:
            worked = dict.fromkeys(_to_dates(workdays, "workdays"), usual)
        if both := sorted(worked.keys() & set(off)):
            raise DefinitionError("{day} is in holidays= and in workdays=", day=both[0])
        exceptions: dict[date, Day] = dict.fromkeys(off, ()) | worked
        zone = None if tz is None else to_zone(tz)
        self.__attrs_init__(tuple(week), tuple(sorted(exceptions.items())), zone)

    @property
    def seconds_per_day(self) -> float:
        """Working time of a mean working day of the week: what a business day is."""
        return sum(end - start for day in self.week for start, end in day) / (
            1_000_000 * sum(map(bool, self.week))
        )

    def business_microseconds(
        self, start: ArrayLike | datetime, end: ArrayLike | datetime, tz: tzinfo | None = None
    ) -> NDArray[np.int64]:
        """Return the working time between instants, exactly.

        Parameters
        ----------
        start, end : arrays, or datetime or str
            Microseconds since 1970 in UTC as integers, or datetime64 in UTC, of shapes that
            broadcast; or single instants, as in `salesfunnel.periods.to_instant`.
        tz : tzinfo, optional
            The zone of a calendar that has none of its own; UTC without it.

        Returns
        -------
        array of int64
            Of the broadcast shape; negative where the end is before the start.

        Raises
        ------
        DefinitionError
            If these are no instants of the years 1 to 9999.
        """
        zone = self.tz or to_zone(tz)
        starts, ends = np.broadcast_arrays(_instants(start, zone), _instants(end, zone))
        if not starts.size:
            return np.zeros(starts.shape, np.int64)
        first = min(int(starts.min()), int(ends.min()))
        last = max(int(starts.max()), int(ends.max()))
        if first < FIRST or last > LAST:
            raise DefinitionError("instants are microseconds since 1970 in the years 1 to 9999")
        worked = _Worked(self._schedules, first, last, zone)
        flat_starts, flat_ends = starts.reshape(-1), ends.reshape(-1)
        found = np.empty(starts.size, np.int64)
        for low in range(0, len(found), CHUNK):
            part = slice(low, low + CHUNK)
            found[part] = worked.until(flat_ends[part]) - worked.until(flat_starts[part])
        return found.reshape(starts.shape)

    def business_seconds(
        self, start: ArrayLike | datetime, end: ArrayLike | datetime, tz: tzinfo | None = None
    ) -> NDArray[np.float64]:
        """Return the working time between instants in seconds; NaN where one of them is NaT.

        The parameters are those of `business_microseconds`.
        """
        zone = self.tz or to_zone(tz)
        starts, ends = np.broadcast_arrays(_instants(start, zone), _instants(end, zone))
        known = (starts != _NAT) & (ends != _NAT)
        seconds = np.full(starts.shape, np.nan)
        seconds[known] = self.business_microseconds(starts[known], ends[known], zone) / 1e6
        return seconds

    @cached_property
    def _schedules(self) -> _Schedules:
        days = [*self.week, *(day for _, day in self.days)]
        n_spans = max(map(len, days))
        spans = np.array([[*day, *[(0, 0)] * (n_spans - len(day))] for day in days], np.int64)
        begin, end = spans[:, :, 0], spans[:, :, 1]
        dates = np.array([day for day, _ in self.days], "datetime64[D]").astype(np.int64)
        return _Schedules(begin, end, (end - begin).sum(axis=1), dates)


class _Worked:
    """Working time since some instant, for instants from `first` to `last`."""

    def __init__(self, schedules: _Schedules, first: int, last: int, zone: tzinfo) -> None:
        self.schedules = schedules
        self.start, self.offset = clock_changes(first, last, zone)
        self.first_day = (first + int(self.offset.min())) // DAY
        last_day = (last + int(self.offset.max())) // DAY
        day = np.arange(self.first_day, last_day + 1)
        self.schedule = (day + _THURSDAY) % 7
        inside = (schedules.day >= self.first_day) & (schedules.day <= last_day)
        self.schedule[schedules.day[inside] - self.first_day] = 7 + np.flatnonzero(inside)
        total = schedules.total[self.schedule]
        self.before_day = np.cumsum(total) - total
        # What the clocks show jumps at a change; the working time since the first instant does not.
        jump = self._shown(self.start[1:] + self.offset[:-1])
        jump -= self._shown(self.start[1:] + self.offset[1:])
        self.shift = np.append(0, np.cumsum(jump))

    def until(self, instant: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the working time up to instants."""
        if len(self.start) == 1:
            return self._shown(instant + self.offset[0])
        piece = np.searchsorted(self.start, instant, side="right") - 1
        shown = self._shown(instant + self.offset[piece])
        shown += self.shift[piece]
        return shown

    def _shown(self, wall: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the working time up to what clocks show that never change."""
        day = wall // DAY
        clock = wall - day * DAY
        day -= self.first_day
        schedule = self.schedule[day]
        worked: NDArray[np.int64] = self.before_day[day]
        for begin, end in zip(self.schedules.begin.T, self.schedules.end.T, strict=True):
            start = begin[schedule]
            worked += np.clip(clock, start, end[schedule]) - start
        return worked


def _instants(value: object, zone: tzinfo) -> NDArray[np.int64]:
    """Return instants as an array of microseconds; NaT stays the smallest integer."""
    if isinstance(value, (datetime, date, str)):
        return np.asarray(to_instant(value, zone, Wording("an instant")), np.int64)
    instants = np.asarray(value)
    if instants.dtype.kind == "M":
        return instants.astype("datetime64[us]").astype(np.int64)
    if instants.dtype.kind in "iu" or not instants.size:
        return instants.astype(np.int64)
    raise DefinitionError(
        "instants are integers (microseconds since 1970 in UTC) or datetime64, not {dtype}",
        dtype=instants.dtype,
    )
