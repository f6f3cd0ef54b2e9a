"""Dates, times and durations as people read them."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.text.catalogue import languages
from salesfunnel.text.times import format_date, format_datetime, format_duration

MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.mark.parametrize("lang", languages())
def test_dates_read_from_the_year_down(lang: str) -> None:
    assert format_date(date(2024, 3, 5), lang) == "2024-03-05"
    assert format_date(date(987, 12, 31), lang) == "0987-12-31"


def test_the_date_of_a_datetime_is_that_of_its_own_zone() -> None:
    evening = datetime(2024, 3, 5, 23, 30, tzinfo=timezone(timedelta(hours=8)))

    assert format_date(evening, "zh") == "2024-03-05"
    assert format_date(evening.astimezone(UTC), "zh") == "2024-03-05"
    assert format_date(evening.astimezone(ZoneInfo("Pacific/Auckland")), "zh") == "2024-03-06"


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (UTC, "UTC"),
        (ZoneInfo("Europe/London"), "UTC"),
        (timezone(timedelta(hours=8)), "UTC+08:00"),
        (ZoneInfo("Asia/Shanghai"), "UTC+08:00"),
        (ZoneInfo("America/Chicago"), "UTC-06:00"),
        (timezone(-timedelta(hours=3, minutes=30)), "UTC-03:30"),
        (timezone(timedelta(hours=8, minutes=5, seconds=43)), "UTC+08:05:43"),
    ],
    ids=str,
)
def test_times_show_their_offset(zone: Any, shown: str, lang: str) -> None:
    noon = datetime(2024, 3, 5, 12, 5, 59, tzinfo=zone)

    assert format_datetime(noon, lang) == f"2024-03-05 12:05 {shown}"


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match=r"datetime\.datetime\(2024, 3, 5, .*has no time zone"):
        format_datetime(datetime(2024, 3, 5, 12, 0), "en")  # noqa: DTZ001  # naive is the point


@pytest.mark.parametrize("missing", [None, np.datetime64("NaT")], ids=repr)
@pytest.mark.parametrize("lang", languages())
def test_a_time_that_is_not_known_is_a_dash(missing: Any, lang: str) -> None:
    assert format_date(missing, lang) == "–"
    assert format_datetime(missing, lang) == "–"


def test_the_missing_time_of_pandas_is_a_dash() -> None:
    missing = pytest.importorskip("pandas").NaT

    assert format_date(missing, "en") == "–"
    assert format_datetime(missing, "en") == "–"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 s", "0 秒"),
        (-0.0, "0 s", "0 秒"),
        (0.0004, "0 s", "0 秒"),
        (-0.0004, "0 s", "0 秒"),
        (0.35, "350 ms", "350 毫秒"),
        (0.9996, "1.0 s", "1.0 秒"),
        (1.5, "1.5 s", "1.5 秒"),
        (9.96, "10 s", "10 秒"),
        (44, "44 s", "44 秒"),
        (59.6, "1 min", "1 分钟"),
        (5 * MINUTE, "5 min", "5 分钟"),
        (5 * MINUTE + 20, "5 min 20 s", "5 分 20 秒"),
        (59 * MINUTE + 59.6, "1 h", "1 小时"),
        (5 * HOUR, "5 h", "5 小时"),
        (5 * HOUR + 20 * MINUTE, "5 h 20 min", "5 小时 20 分"),
        (23 * HOUR + 59.6 * MINUTE, "1.0 d", "1.0 天"),
        (DAY, "1.0 d", "1.0 天"),
        (3.2 * DAY, "3.2 d", "3.2 天"),
        (45.25 * DAY, "45.2 d", "45.2 天"),
        (99.96 * DAY, "100 d", "100 天"),
        (1234 * DAY, "1,234 d", "1,234 天"),
        (-5000, "-1 h 23 min", "-1 小时 23 分"),
        (-3.2 * DAY, "-3.2 d", "-3.2 天"),
        (math.inf, "∞", "∞"),
        (-math.inf, "-∞", "-∞"),
    ],
)
def test_durations_have_their_largest_units(seconds: float, english: str, chinese: str) -> None:
    assert format_duration(seconds, "en") == english
    assert format_duration(seconds, "zh") == chinese


@pytest.mark.parametrize("seconds", [np.int64(44), np.float32(44), Decimal("44.0")], ids=repr)
def test_any_kind_of_number_is_a_duration(seconds: Any) -> None:
    assert format_duration(seconds, "en") == "44 s"


@pytest.mark.parametrize("missing", [None, math.nan, Decimal("NaN"), np.float64("nan")], ids=repr)
@pytest.mark.parametrize("lang", languages())
def test_a_duration_that_is_not_known_is_a_dash(missing: Any, lang: str) -> None:
    assert format_duration(missing, lang) == "–"


def seconds_shown(text: str) -> float:
    """The length of time that an English duration stands for."""
    sizes = {"ms": 0.001, "s": 1, "min": MINUTE, "h": HOUR, "d": DAY}
    parts = re.findall(r"([\d.,]+) (ms|s|min|h|d)", text)
    assert text.removeprefix("-") == " ".join(f"{number} {unit}" for number, unit in parts)
    length = sum(float(number.replace(",", "")) * sizes[unit] for number, unit in parts)
    return -length if text.startswith("-") else length


durations = st.floats(-1e10, 1e10) | st.integers(-2 * DAY, 2 * DAY)


@given(durations)
def test_a_duration_is_shown_to_within_a_twentieth(seconds: float) -> None:
    shown = seconds_shown(format_duration(seconds, "en"))

    assert shown == pytest.approx(seconds, rel=0.05, abs=0.000501)


@given(durations, durations)
def test_a_longer_duration_is_never_shown_as_a_shorter_one(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))

    assert seconds_shown(format_duration(shorter, "en")) <= seconds_shown(
        format_duration(longer, "en")
    )


@given(durations)
def test_no_unit_is_full(seconds: float) -> None:
    assert not re.search(r"\b(1000 ms|60 s|60 min|24 h)", format_duration(seconds, "en"))
