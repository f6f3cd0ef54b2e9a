"""Dates, times and durations as people read them.

What is not known (None, NaN, NaT) shows as ``–``.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import MISSING, Number, format_decimal, known


def format_date(day: date | None, lang: str) -> str:
    """Return a date, or the date of a datetime in its own zone: ``2024-03-05``."""
    if day is None or day != day:  # NaT differs from itself
        return MISSING
    return catalogue(lang).text("date.date", year=day.year, month=day.month, day=day.day)


def format_datetime(dt: datetime | None, lang: str) -> str:
    """Return an aware datetime to the minute, with its offset: ``2024-03-05 14:30 UTC+08:00``.

    The offset stands rather than the zone's abbreviation, since abbreviations are ambiguous: CST
    is a time of China and of Chicago.

    Raises
    ------
    ValueError
        If the datetime is naive.
    """
    if dt is None or dt != dt:  # NaT differs from itself
        return MISSING
    offset = dt.utcoffset()
    if offset is None:
        raise ValueError(f"{dt!r} has no time zone; give an aware datetime")
    return catalogue(lang).text(
        "date.datetime",
        date=format_date(dt, lang),
        hour=dt.hour,
        minute=dt.minute,
        zone=_zone(offset),
    )


def format_duration(seconds: Number | None, lang: str) -> str:
    """Return a length of time in its largest unit or its two largest.

    ==============  ==========================
    0               ``0 s``
    under 1 s       ``350 ms``
    under 10 s      ``1.5 s``
    under 1 min     ``44 s``
    under 1 h       ``5 min 20 s``, ``5 min``
    under 1 day     ``5 h 20 min``, ``5 h``
    under 100 days  ``3.2 d``
    beyond          ``1,234 d``
    ==============  ==========================

    A negative one has a minus in front.
    """
    number = known(seconds)
    if number is None:
        return MISSING
    length = abs(float(number))
    if math.isinf(length):
        return format_decimal(number, lang, 0)
    # What rounds to zero has no sign.
    sign = "-" if number < 0 and round(length * 1000) else ""
    return sign + _duration(length, lang)


def _duration(length: float, lang: str) -> str:
    # Each limit is compared with the rounded value, so that none shows as 60 s, 60 min or 24 h.
    text = catalogue(lang).text
    milliseconds = round(length * 1000)
    if 0 < milliseconds < 1000:
        return text("duration.milliseconds", milliseconds=milliseconds)
    if milliseconds and round(length, 1) < 10:
        return text("duration.seconds", seconds=format_decimal(length, lang, 1))
    seconds = round(length)
    if seconds < 60:
        return text("duration.seconds", seconds=seconds)
    if seconds < 3600:
        minutes, seconds = divmod(seconds, 60)
        key = "duration.minutes_seconds" if seconds else "duration.minutes"
        return text(key, minutes=minutes, seconds=seconds)
    minutes = round(length / 60)
    if minutes < 1440:
        hours, minutes = divmod(minutes, 60)
        key = "duration.hours_minutes" if minutes else "duration.hours"
        return text(key, hours=hours, minutes=minutes)
    days = length / 86_400
    digits = 1 if round(days, 1) < 100 else 0
    return text("duration.days", days=format_decimal(days, lang, digits))


def _zone(offset: timedelta) -> str:
    """Return an offset from UTC: ``UTC``, ``UTC+08:00``; with seconds where it has them."""
    if not offset:
        return "UTC"
    sign = "-" if offset < timedelta(0) else "+"
    minutes, seconds = divmod(abs(offset) // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    return f"UTC{sign}{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")
