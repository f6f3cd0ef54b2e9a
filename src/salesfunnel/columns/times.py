"""Times of any form → UTC microseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.values import is_missing
from salesfunnel.errors import NaiveTimeError
from salesfunnel.periods import EPOCH, to_instant, to_microseconds

LENIENT = "lenient"
"""The `date_format` that reads whatever is unambiguous."""
FIRST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - EPOCH) // timedelta(
    microseconds=1
)
"""The calendar: years 1 to 9999."""
_MINUTE = 60_000_000
_MICROSECOND = timedelta(microseconds=1)


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
        Datetimes, dates (their midnight), ISO 8601 texts, a datetime64 array, or an integer array of
        microseconds.
    tz : tzinfo or None
        Zone of the times that name none. Where clocks go back, the first of the two is meant.
    date_format : str, optional
        Form of texts, as in `datetime.strptime`; ``"lenient"`` for any form that is not ambiguous.
    missing : datetime, date or str, optional
        Time of the rows that have none.

    Raises
    ------
    NaiveTimeError
        If a time names no zone and `tz` is None.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        micro, absent, bad = _from_datetime64(values, tz, column)
        expected = "a time in the years 1 to 9999"
    elif isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        bad = (values < FIRST) | (values > LAST)
        micro, absent = np.where(bad, 0, values).astype(np.int64), np.zeros(len(values), bool)
        expected = "microseconds since 1970 within the years 1 to 9999"
    else:
        micro, absent, bad = _from_objects(values, tz, date_format, column)
        expected = _expected(date_format)
    if missing is not None:
        if tz is None and isinstance(missing, (str, date)) and not _is_aware(missing):
            raise NaiveTimeError(
                f"missing_time={missing!r} names no time zone: give tz=, as in tz='Asia/Shanghai'"
            )
        start_of_day = _start_of_day(missing)
        micro[absent] = to_instant(start_of_day, tz or UTC, "missing_time=")
        absent[:] = False
    rejects.add(absent, column, values, "a time; there is none (missing_time= would give one)")
    rejects.add(bad, column, values, expected)
    return micro


def _start_of_day(value: datetime | date | str) -> datetime | str:
    """Return the first instant of a date, which is what any date of an entry means."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value if isinstance(value, datetime) else datetime.combine(value, time.min)


def _is_aware(value: datetime | date | str) -> bool:
    parsed = _start_of_day(value)
    return isinstance(parsed, datetime) and parsed.utcoffset() is not None


def _from_datetime64(
    values: NDArray[np.datetime64], tz: tzinfo | None, column: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    absent = np.isnat(values)
    if tz is None and not absent.all():
        raise _naive(column, values[~absent][0])
    # Beyond int64 microseconds a cast would wrap around; whole seconds tell what lies outside.
    seconds = np.where(absent, np.datetime64(0, "s"), values.astype("datetime64[s]")).astype(
        np.int64
    )
    bad = (seconds < FIRST // 1_000_000) | (seconds > LAST // 1_000_000)
    plain = np.where(absent | bad, np.datetime64(0, "us"), values)
    micro = plain.astype("datetime64[us]").astype(np.int64)
    return (micro if tz is UTC or tz is None else _localised(micro, tz)), absent, bad


def _localised(wall: NDArray[np.int64], tz: tzinfo) -> NDArray[np.int64]:
    """Return wall-clock times in UTC; the zone is asked once a minute, as an offset holds for one."""
    minutes, inverse = np.unique(wall // _MINUTE, return_inverse=True)
    offsets = [
        to_microseconds((EPOCH + timedelta(minutes=minute)).replace(tzinfo=tz), tz)
        - minute * _MINUTE
        for minute in minutes.tolist()
    ]
    return wall + np.array(offsets, np.int64)[inverse]


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
        instant: datetime | None = None
        if isinstance(value, str):
            instant = parse(value)
        elif isinstance(value, datetime):
            instant = value
        elif isinstance(value, date):
            instant = datetime.combine(value, time.min)
        if instant is None:
            bad[index] = True
        elif instant.utcoffset() is not None:
            micro[index] = (instant - EPOCH) // _MICROSECOND
        elif tz is None:
            raise _naive(column, value)
        else:
            micro[index] = to_microseconds(instant, tz)
    return micro, absent, bad


def _naive(column: str, value: object) -> NaiveTimeError:
    return NaiveTimeError(
        f"{column}: {str(value)!r} names no time zone; give the zone of the data by tz=, "
        "as in tz='Asia/Shanghai' or tz='UTC'"
    )


def _parser(date_format: str | None) -> Callable[[str], datetime | None]:
    if date_format is None:
        return _parse_iso
    if date_format == LENIENT:
        return _parse_lenient
    return partial(_parse_format, date_format=date_format)


def _expected(date_format: str | None) -> str:
    if date_format is None:
        return (
            "an ISO 8601 time such as 2026-01-31T09:30:00+08:00 (date_format= names another form)"
        )
    if date_format == LENIENT:
        return "a time that can be read in one way only (date_format= says which, as in '%d/%m/%Y')"
    return f"a time in the form {date_format!r}"


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
    """Read a time of any form, unless day and month could change places or a part is left open."""
    from dateutil import parser

    readings = set()
    for day_first in (False, True):
        for default in (datetime(2001, 1, 1), datetime(2004, 2, 2)):  # noqa: DTZ001
            try:
                readings.add(parser.parse(text, dayfirst=day_first, default=default))
            except (ValueError, OverflowError):
                return None
    return readings.pop() if len(readings) == 1 else None
