"""Times of any form → UTC microseconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.isotimes import read_iso_times
from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.texts import Encoded, sliced_of
from salesfunnel.columns.values import distinct_values
from salesfunnel.errors import NaiveTimeError
from salesfunnel.kernel.numbering import number
from salesfunnel.kernel.packing import bounds
from salesfunnel.kernel.strings import Sliced
from salesfunnel.model.missing import is_missing
from salesfunnel.periods import FIRST, LAST, to_instant, to_microseconds, wall_to_utc
from salesfunnel.wording import Wording

LENIENT = "lenient"
"""The `date_format` that reads whatever is unambiguous."""
_CHINESE = str.maketrans({"年": "-", "月": "-", "日": " "})
_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}


def read_times(
    values: Sequence[Any] | NDArray[Any],
    rejects: Rejects,
    *,
    column: str,
    tz: tzinfo | None,
    date_format: str | None = None,
    missing: datetime | date | str | None = None,
) -> NDArray[np.int64]:
    """Return times as microseconds since 1970 in UTC, (N,); a bad one is 0 and noted in `rejects`.

    Parameters
    ----------
    values : (N,) sequence
        Datetimes, dates (their midnight), ISO 8601 texts, a datetime64 array, or an integer array
        of microseconds.
    tz : tzinfo or None
        Zone of the times that name none. Where clocks go back, the first of the two is meant; where
        they go forward, a time that they leave out counts from the change on, so that a midnight
        which is left out is the start of its day.
    date_format : str, optional
        Form of texts, as in `datetime.strptime`; ``"lenient"`` for any form that is not ambiguous.
    missing : datetime, date or str, optional
        Time of the rows that have none.

    Raises
    ------
    NaiveTimeError
        If a time names no zone and `tz` is None.
    DefinitionError
        If `missing` is no time.
    """
    if (plain := plain_times(values, tz)) is not None:
        return plain.values
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        micro, absent, bad = _from_datetime64(values, tz, column)
        expected = Wording("a time in the years 1 to 9999")
    elif isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        bad, absent = values > LAST, np.zeros(len(values), bool)
        micro = values.astype(np.int64)
        expected = Wording("microseconds since 1970 within the years 1 to 9999")
    elif isinstance(values, Encoded):
        codes, members = distinct_values(values)
        known = _from_values([*members.tolist(), None], tz, date_format, column)
        micro, absent, bad = (part[codes] for part in known)
        expected = _expected(date_format)
    else:
        micro, absent, bad = _from_values(values, tz, date_format, column)
        expected = _expected(date_format)
    bad |= (micro < FIRST) | (micro > LAST)
    micro[bad] = 0
    if missing is not None:
        micro[absent] = _missing_time(missing, tz)
        absent[:] = False
    rejects.add(
        absent, column, values, Wording("a time; there is none (missing_time= would give one)")
    )
    rejects.add(bad, column, values, expected)
    return micro


class PlainTimes(NamedTuple):
    """Times in microseconds, (N,), and the earliest and the latest of them; None without any."""

    values: NDArray[np.int64]
    bounds: tuple[int, int] | None


def plain_times(values: Sequence[Any] | NDArray[Any], tz: tzinfo | None) -> PlainTimes | None:
    """Return times that need no second look, as most do: UTC, none missing, none impossible."""
    microseconds = 1
    if not isinstance(values, np.ndarray):
        return None
    if values.dtype.kind == "M":
        unit, count = np.datetime_data(values.dtype)
        if tz is not UTC or unit not in _MICROSECONDS:
            return None
        microseconds = _MICROSECONDS[unit] * count
    elif values.dtype.kind not in "iu":
        return None
    steps = values.view(np.int64) if values.dtype.kind == "M" else values
    found = None
    if len(steps):
        first, last = bounds(steps)
        found = first * microseconds, last * microseconds
        if found[0] < FIRST or found[1] > LAST:
            return None
    steps = steps.astype(np.int64, copy=False)
    return PlainTimes(steps if microseconds == 1 else steps * microseconds, found)


def _missing_time(given: datetime | date | str, tz: tzinfo | None) -> int:
    """Return the time given for rows that have none; a date is its midnight, as it is in a row."""
    moment = _parse_iso(given) if isinstance(given, str) else given
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    if tz is None and isinstance(moment, datetime) and moment.tzinfo is None:
        raise NaiveTimeError(
            "missing_time={given!r} names no time zone: give tz=, as in tz='Asia/Shanghai'",
            given=given,
        )
    return to_instant(given if moment is None else moment, tz or UTC, "missing_time=")


def _from_datetime64(
    values: NDArray[np.datetime64], tz: tzinfo | None, column: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    absent = np.isnat(values)
    if tz is None and not absent.all():
        raise _naive(column, values[~absent][0])
    # Beyond int64 microseconds a cast would wrap around; years tell what lies outside.
    year = values.astype("datetime64[Y]").astype(np.int64) + 1970
    bad = ~absent & ((year < 1) | (year > 9999))
    micro = np.zeros(len(values), np.int64)
    usable = ~(absent | bad)
    micro[usable] = values[usable].astype("datetime64[us]").astype(np.int64)
    return (micro if tz is None else wall_to_utc(micro, tz)), absent, bad


def _from_values(
    values: Sequence[Any] | NDArray[Any], tz: tzinfo | None, date_format: str | None, column: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    texts = sliced_of(values)
    if texts is None:
        return _from_objects(values, tz, date_format, column)
    return _from_texts(values, texts, tz, date_format, column)


def _from_texts(
    values: Sequence[Any] | NDArray[Any],
    texts: Sliced,
    tz: tzinfo | None,
    date_format: str | None,
    column: str,
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Read the usual forms of ISO 8601 all at once, and each other text once."""
    n = len(texts)
    absent, bad = np.zeros(n, bool), np.zeros(n, bool)
    micro, naive, unread = np.zeros(n, np.int64), absent, np.arange(n)
    if date_format in (None, LENIENT):
        micro, naive, unread = read_iso_times(texts)
    if tz is None and naive.any():
        # The first time without a zone is told, whoever has read it.
        row = int(naive.argmax())
        _from_objects(_at(values, unread[unread < row]), tz, date_format, column)
        raise _naive(column, values[row])
    if tz is not None and naive.any():
        micro[naive] = wall_to_utc(micro[naive], tz)
    if len(unread):
        codes, first = number(texts.take(unread))
        found = _from_objects(_at(values, unread[first]), tz, date_format, column)
        for into, each in zip((micro, absent, bad), found, strict=True):
            into[unread] = each[codes]
    return micro, absent, bad


def _at(values: Sequence[Any] | NDArray[Any], rows: NDArray[np.int64]) -> list[Any]:
    return [values[row] for row in rows.tolist()]


def _from_objects(
    values: Sequence[Any] | NDArray[Any], tz: tzinfo | None, date_format: str | None, column: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    parse = _parser(date_format)
    micro = np.zeros(len(values), np.int64)
    absent, bad = np.zeros(len(values), bool), np.zeros(len(values), bool)
    for index, value in enumerate(values):
        if is_missing(value):
            absent[index] = True
            continue
        instant = value
        if isinstance(value, str):
            instant = parse(value)
        elif isinstance(value, np.datetime64):
            instant = value.astype("datetime64[us]").item()
        elif isinstance(value, date) and not isinstance(value, datetime):
            instant = datetime.combine(value, time.min)
        if not isinstance(instant, datetime):
            bad[index] = True
        elif tz is None and instant.utcoffset() is None:
            raise _naive(column, value)
        else:
            micro[index] = to_microseconds(instant, tz or UTC)
    return micro, absent, bad


def _naive(column: str, value: object) -> NaiveTimeError:
    return NaiveTimeError(
        "{column}: {value!r} names no time zone; give the zone of the data by tz=, as in "
        "tz='Asia/Shanghai' or tz='UTC'",
        column=column,
        value=str(value),
    )


def _parser(date_format: str | None) -> Callable[[str], datetime | None]:
    if date_format is None:
        return _parse_iso
    if date_format == LENIENT:
        return _parse_lenient
    return partial(_parse_format, date_format=date_format)


def _expected(date_format: str | None) -> Wording:
    if date_format is None:
        return Wording(
            "an ISO 8601 time such as 2026-01-31T09:30:00+08:00 (date_format= names another form)"
        )
    if date_format == LENIENT:
        return Wording(
            "a time that can be read in one way only (date_format= says which, as in '%d/%m/%Y')"
        )
    return Wording("a time in the form {date_format!r}", date_format=date_format)


def _parse_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _parse_format(text: str, date_format: str) -> datetime | None:
    try:
        # Whether the zone is named is the caller's question, not the parser's.
        return datetime.strptime(text.strip(), date_format)  # noqa: DTZ007
    except ValueError:
        return None


def _parse_lenient(text: str) -> datetime | None:
    """Read a time of any form, unless its parts could change places or one of them is left open."""
    from dateutil import parser

    if (instant := _parse_iso(text)) is not None:
        return instant
    if re.search(r"(?i)(utc|gmt)\s*[+-]", text):
        return None  # UTC+3 is east of Greenwich to people and west of it to POSIX, and the parser
    # What starts with a year of four digits goes on with the month: no one writes year, day, month.
    orders = [(False, True), (False, False), (True, False)]
    if re.match(r"\s*\d{4}\D", text):
        orders = orders[:1]
    text = text.translate(_CHINESE)
    readings = set()
    for day_first, year_first in orders:
        for default in (datetime(2001, 1, 1), datetime(2004, 2, 2)):  # noqa: DTZ001
            try:
                reading = parser.parse(
                    text,
                    dayfirst=day_first,
                    yearfirst=year_first,
                    default=default,
                    tzinfos=_named_zone,
                )
            except (ValueError, OverflowError):
                return None
            readings.add(reading)
    return readings.pop() if len(readings) == 1 else None


def _named_zone(name: str | None, offset: int | None) -> tzinfo | None:
    """Return the zone of an offset; of names only UTC, as others (CST) stand for several zones."""
    if offset is not None and (name is None or offset == 0):
        return timezone(timedelta(seconds=offset))
    if name is not None:
        raise ValueError(f"{name} is not one zone")
    return None
