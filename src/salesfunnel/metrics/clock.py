"""Clock: whether the time between two instants is all of it, or the working time."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.view import View
from salesfunnel.periods import BusinessCalendar, zone_name
from salesfunnel.table import Phrase
from salesfunnel.text.numbers import format_decimal, format_integer

MICROSECONDS_PER_DAY = 86_400_000_000


@attrs.frozen
class Clock:
    """What counts as time in a table: all of it, or the working time of a calendar.

    Parameters
    ----------
    view : View
        Its log has the zone of a calendar that names none.
    calendar : BusinessCalendar, optional

    Raises
    ------
    DefinitionError
        If the calendar is something else.
    """

    view: View
    calendar: BusinessCalendar | None = attrs.field(default=None)

    @calendar.validator
    def _is_calendar(self, _: object, calendar: object) -> None:
        if calendar is not None and not isinstance(calendar, BusinessCalendar):
            raise DefinitionError(
                "calendar= is a BusinessCalendar, as in BusinessCalendar(('09:00', '18:00')), not "
                "{calendar!r}",
                calendar=calendar,
            )

    @property
    def day(self) -> float:
        """Microseconds of a day: of a mean working day, where there is a calendar."""
        if self.calendar is None:
            return MICROSECONDS_PER_DAY
        return self.calendar.seconds_per_day * 1e6

    def between(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the time between instants, in microseconds."""
        if self.calendar is None:
            return end - start
        return self.calendar.business_microseconds(start, end, self.view.log.tz)

    def length(self, duration: timedelta) -> int:
        """Return how many microseconds a duration is, where its days are those of the clock.

        With a calendar ``"5d"`` are five mean working days.
        """
        microseconds = duration // timedelta(microseconds=1)
        if self.calendar is None:
            return microseconds
        return round(microseconds / MICROSECONDS_PER_DAY * self.day)

    def notes(self) -> list[Phrase]:
        """Return the note that says what a day is, if it is not one of 24 hours."""
        if self.calendar is None:
            return []
        hours = self.calendar.seconds_per_day / 3600
        off = sum(not day for _, day in self.calendar.days)
        values = {
            "hours": partial(format_decimal, hours, digits=0 if hours == round(hours) else 2),
            "holidays": partial(format_integer, off),
            "zone": zone_name(self.calendar.tz or self.view.log.tz),
        }
        return [Phrase("note.working_time", values)]
