"""Calendar periods: days, weeks, months, quarters and years in a business time zone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, tzinfo
from functools import partial

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.periods.clocks import CHUNK, offset_at, offsets, pieces
from salesfunnel.periods.zone import DAY, is_day, to_instant
from salesfunnel.wording import Listed, Wording

PERIODS = ("day", "week", "month", "quarter", "year")
"""The calendar periods that time is cut into."""
_MONDAY = 3  # 1970-01-01 was a Thursday
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_LABEL = re.compile(
    r"(?P<year>\d{4})(-W(?P<week>\d\d)|Q(?P<quarter>[1-4])|-(?P<month>\d\d)(-(?P<day>\d\d))?)?",
    re.ASCII,
)


@attrs.frozen
class Period:
    """A calendar period to group by, where a bare word could also be an attribute's name.

    Parameters
    ----------
    unit : str
        ``"day"``, ``"week"`` (Monday to Sunday, as ISO 8601 counts them), ``"month"``,
        ``"quarter"`` or ``"year"``.

    Raises
    ------
    DefinitionError
        If there is no such period.
    """

    unit: str = attrs.field()

    @unit.validator
    def _is_period(self, _: object, unit: object) -> None:
        if unit not in PERIODS:
            raise DefinitionError(
                "Period.unit is one of {known}, not {unit!r}", known=Listed(PERIODS), unit=unit
            )


def period_index(time: NDArray[np.int64], unit: str, zone: tzinfo) -> NDArray[np.int64]:
    """Return the calendar period that each instant falls in by a zone's clocks, (N,).

    Parameters
    ----------
    time : (N,) array of int64
        Microseconds since 1970 in UTC, within the years 1 to 9999, in any order.
    unit : str
        One of `PERIODS`.
    zone : tzinfo
        The zone whose local calendar counts.

    Returns
    -------
    (N,) array of int64
        Days since 1970-01-01, ISO weeks since the one of that day, or months, quarters or years
        since 1970. Around the ends of the calendar they may lie in the year 0 or 10000.
    """
    index = np.empty(len(time), np.int64)
    offset = offsets(time, zone, offset_at)
    for low in range(0, len(time), CHUNK):
        part = time[low : low + CHUNK]
        day = part + offset(part)
        day //= DAY
        index[low : low + CHUNK] = _of_days(day, unit)
    return index


def period_start(index: int, unit: str, zone: tzinfo) -> int:
    """Return the first instant of a period, as microseconds since 1970 in UTC.

    Where clocks leap over midnight, that is the instant at which they do; where they repeat it, the
    first of the two. A day that a zone left out starts, and ends, when the next one starts.
    """
    wall = _first_day(index, unit) * DAY
    found = pieces(wall - DAY, wall + DAY, partial(offset_at, zone))
    ends = [start for start, _ in found[1:]] + [wall + DAY + 1]
    return next(
        reached
        for (start, offset), end in zip(found, ends, strict=True)
        if (reached := max(start, wall - offset)) < end
    )


def period_label(index: int, unit: str) -> str:
    """Return what a period is called: 2026-03-05, 2026-W10, 2026-03, 2026Q1 or 2026.

    Labels of one unit sort by time. The year of a week is that of its Thursday, as in ISO 8601.
    """
    day = np.datetime64(_first_day(index, unit), "D")
    if unit == "day":
        return str(day)
    if unit == "week":
        thursday = day + 3
        year = thursday.astype("datetime64[Y]")
        return f"{year}-W{(thursday - year).astype(int) // 7 + 1:02d}"
    if unit == "quarter":
        return f"{day.astype('datetime64[Y]')}Q{index % 4 + 1}"
    return str(day.astype("datetime64[M]" if unit == "month" else "datetime64[Y]"))


def period_of(label: str) -> tuple[str, int] | None:
    """Return the unit and the index of a period by its label; None if the text is none.

    Examples
    --------
    >>> period_of("2026Q1"), period_of("2026-03"), period_of("spring")
    (('quarter', 224), ('month', 674), None)
    """
    match = _LABEL.fullmatch(label)
    if match is None:
        return None
    year = int(match["year"])
    try:
        if match["week"]:
            monday = date.fromisocalendar(year, int(match["week"]), 1)
            return "week", (monday.toordinal() - _EPOCH_DAY + _MONDAY) // 7
        day = date(year, int(match["month"] or 1), int(match["day"] or 1))
    except ValueError:
        return None
    if match["quarter"]:
        return "quarter", (year - 1970) * 4 + int(match["quarter"]) - 1
    if match["day"]:
        return "day", day.toordinal() - _EPOCH_DAY
    return (
        ("month", (year - 1970) * 12 + day.month - 1) if match["month"] else ("year", year - 1970)
    )


def to_span(value: object, zone: tzinfo, what: str) -> tuple[int, int]:
    """Return a stretch of time given by a user: its first and its last microsecond.

    It is a period by its label (``"2026Q1"``, ``"2026-03"``, ``"2026-W10"``), or a pair of instants
    as `to_instant` takes them, both inclusive; the first day of a pair counts from its start.

    Raises
    ------
    DefinitionError
        If it is neither, or ends before it starts.
    """
    if isinstance(value, str) and (found := period_of(value)) is not None:
        unit, index = found
        return period_start(index, unit, zone), period_start(index + 1, unit, zone) - 1
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        start, end = (
            to_instant(instant, zone, Wording("{what} as a pair", what=what)) for instant in value
        )
        if is_day(value[0]):
            (day,) = period_index(np.array([start]), "day", zone).tolist()
            start = period_start(day, "day", zone)
        if start <= end:
            return start, end
    raise DefinitionError(
        "{what} is a period such as '2026Q1', '2026-03' or '2026-W10', or a pair of dates or "
        "instants, the earlier one first, not {value!r}",
        what=what,
        value=value,
    )


def _of_days(day: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    """Return the periods of days since 1970."""
    if unit == "day":
        return day
    if unit == "week":
        return (day + _MONDAY) // 7
    first, last = int(day.min()), int(day.max())
    if last - first >= len(day):
        return _of_months(day, unit)
    # numpy's calendar is slow: it is asked once a day, not once an entry.
    return _of_months(np.arange(first, last + 1), unit)[day - first]


def _of_months(day: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    """Return the periods of whole months of days since 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // _MONTHS[unit]


def _first_day(index: int, unit: str) -> int:
    """Return the first day of a period, in days since 1970."""
    if unit == "day":
        return int(index)
    if unit == "week":
        return int(index) * 7 - _MONDAY
    month = np.datetime64(int(index) * _MONTHS[unit], "M")
    return int(month.astype("datetime64[D]").astype(np.int64))
