"""Times of any form → UTC microseconds; what is no time is noted, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from dateutil import tz as dateutil_tz
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.times import read_times
from salesfunnel.errors import BadRow, DefinitionError, NaiveTimeError
from salesfunnel.periods import EPOCH, FIRST, LAST, from_microseconds

SHANGHAI = ZoneInfo("Asia/Shanghai")
PARIS = ZoneInfo("Europe/Paris")
ISO = "an ISO 8601 time such as 2026-01-31T09:30:00+08:00 (date_format= names another form)"
MISSING = "a time; there is none (missing_time= would give one)"


def micro(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def wall(*parts: int) -> datetime:
    """Return what the clocks of some zone show."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def read(
    values: Sequence[Any] | NDArray[Any], tz: tzinfo | None = UTC, **options: Any
) -> tuple[list[int], list[BadRow]]:
    """Return times, and the rows that have none."""
    rejects = Rejects(len(values), "collect")
    times = read_times(values, rejects, column="at", tz=tz, **options)
    assert times.dtype == np.int64
    return times.tolist(), rejects.settle()


# ── forms ─────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(FIRST, LAST), max_size=5), st.sampled_from([None, UTC, SHANGHAI]))
def test_what_names_its_zone_is_the_same_instant_in_every_form(
    instants: list[int], tz: tzinfo | None
) -> None:
    moments = [from_microseconds(instant) for instant in instants]

    assert read(np.array(instants, np.int64), tz) == (instants, [])
    assert read(moments, tz) == (instants, [])
    assert read(np.array(moments, object), tz) == (instants, [])
    assert read([moment.isoformat() for moment in moments], tz) == (instants, [])
    assert read([f" {moment.isoformat(sep=' ')}" for moment in moments], tz) == (instants, [])


@given(
    st.lists(st.datetimes(wall(1, 1, 2), wall(9999, 12, 30)), max_size=5),
    st.sampled_from(
        [UTC, SHANGHAI, PARIS, ZoneInfo("America/Sao_Paulo"), dateutil_tz.gettz("Europe/London")]
    ),
)
@example([wall(1900, 12, 31, 23, 54, 16), wall(1900, 12, 31, 23, 54, 18)], SHANGHAI)
@example([wall(2026, 3, 29, 2, 30), wall(2026, 10, 25, 2, 30)], PARIS)
def test_what_names_no_zone_is_read_in_the_one_given_in_every_form(
    walls: list[datetime], tz: tzinfo
) -> None:
    instants = [(wall.replace(tzinfo=tz) - EPOCH) // timedelta(microseconds=1) for wall in walls]

    assert read(walls, tz) == (instants, [])
    assert read([wall.isoformat() for wall in walls], tz) == (instants, [])
    assert read(np.array(walls, "datetime64[us]"), tz) == (instants, [])


def test_a_date_is_its_midnight() -> None:
    midnight = micro("2026-01-31T00:00:00+08:00")

    for value in (
        ["2026-01-31"],
        [date(2026, 1, 31)],
        np.array(["2026-01-31"], "datetime64[D]"),
        [np.datetime64("2026-01-31")],
        pd.Series(pd.to_datetime(["2026-01-31"])).to_numpy(),
        pl.Series([date(2026, 1, 31)]).to_numpy(),
    ):
        assert read(value, SHANGHAI) == ([midnight], [])


def test_fractions_of_a_microsecond_are_left_out() -> None:
    values = np.array(["2026-01-01T00:00:00.000001999", "1969-12-31T23:59:59.999999999"], "M8[ns]")

    assert read(values) == ([micro("2026-01-01T00:00:00.000001+00:00"), -1], [])


def test_datetimes_of_pandas_are_read() -> None:
    aware = pd.to_datetime(pd.Series(["2026-01-31T08:00:00+08:00", None]))

    times, bad = read(np.asarray(aware), None)

    assert times[0] == micro("2026-01-31T00:00:00+00:00")
    assert [(row.row, row.expected) for row in bad] == [(1, MISSING)]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_integers_are_microseconds(dtype: str) -> None:
    assert read(np.array([0, 7], dtype)) == ([0, 7], [])


# ── clocks that change ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        # The hour comes twice: the first is meant.
        ("2026-10-25T02:30", "Europe/Paris", "2026-10-25T02:30+02:00"),
        # The hour does not come: time goes on from the change, an hour later on the clock.
        ("2026-03-29T02:30", "Europe/Paris", "2026-03-29T03:30+02:00"),
        # A midnight that does not come: the day begins at one.
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T01:00-02:00"),
        # A day that does not come at all.
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-31T12:00+14:00"),
    ],
)
def test_a_time_that_comes_twice_or_never(text: str, zone: str, instant: str) -> None:
    for form in ([text], np.array([text], "datetime64[us]"), [datetime.fromisoformat(text)]):
        assert read(form, ZoneInfo(zone)) == ([micro(instant)], [])


def test_an_hour_that_comes_twice_may_be_named() -> None:
    second = datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1)

    assert read([second, "2026-10-25T02:30+01:00"], None) == (
        [micro("2026-10-25T02:30+01:00")] * 2,
        [],
    )


# ── no zone ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "values",
    [
        ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00"],
        [wall(2026, 1, 31, 9, 30)],
        [date(2026, 1, 31)],
        np.array(["NaT", "2026-01-31"], "datetime64[s]"),
        [np.datetime64("2026-01-31")],
    ],
)
def test_a_time_without_a_zone_needs_one(values: Any) -> None:
    with pytest.raises(NaiveTimeError) as refusal:
        read(values, None)
    assert "names no time zone; give the zone of the data by tz=, as in" in str(refusal.value)
    assert str(refusal.value).startswith("at: '2026-01-31")


def test_no_time_needs_no_zone() -> None:
    nothing: list[Any] = [None, "", np.datetime64("NaT"), pd.NaT, float("nan"), pd.NA]
    for values in (nothing, np.array(["NaT"] * 6, "datetime64[us]")):
        times, bad = read(values, None)
        assert times == [0] * 6
        assert [row.expected for row in bad] == [MISSING] * 6


# ── impossible times ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "tz", "expected"),
    [
        (["2026-02-30"], UTC, ISO),
        (["2026-01-31T25:00"], UTC, ISO),
        (["0000-01-01"], UTC, ISO),
        (["12000-01-01"], UTC, ISO),
        (["31/01/2026"], UTC, ISO),
        (["soon"], UTC, ISO),
        ([1_767_225_600], UTC, ISO),
        ([object()], UTC, ISO),
        ([np.datetime64("12000-01-01")], UTC, ISO),
        (["0001-01-01T00:00:00+08:00"], UTC, ISO),
        (["9999-12-31T23:59:59-08:00"], UTC, ISO),
        (["0001-01-01"], SHANGHAI, ISO),
        (np.array(["12000-01-01"], "M8[D]"), UTC, "a time in the years 1 to 9999"),
        (np.array(["0000-12-31"], "M8[D]"), UTC, "a time in the years 1 to 9999"),
        (np.array([300_000], "M8[Y]"), UTC, "a time in the years 1 to 9999"),
        (np.array([2**62], "M8[s]"), UTC, "a time in the years 1 to 9999"),
        (np.array([2**62], "M8[Y]"), UTC, "a time in the years 1 to 9999"),
        (np.array(["0001-01-01"], "M8[D]"), SHANGHAI, "a time in the years 1 to 9999"),
        (np.array([LAST + 1]), UTC, "microseconds since 1970 within the years 1 to 9999"),
        (np.array([FIRST - 1]), UTC, "microseconds since 1970 within the years 1 to 9999"),
        (np.array([2**64 - 1], "u8"), UTC, "microseconds since 1970 within the years 1 to 9999"),
    ],
)
def test_a_time_that_cannot_be_is_told_what_one_is(values: Any, tz: tzinfo, expected: str) -> None:
    times, bad = read(values, tz)

    assert times == [0]
    assert [(row.row, row.column, row.expected) for row in bad] == [(0, "at", expected)]


# ── times that are missing ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given_as", "tz", "instant"),
    [
        ("2026-01-31", SHANGHAI, "2026-01-31T00:00+08:00"),
        (date(2026, 1, 31), SHANGHAI, "2026-01-31T00:00+08:00"),
        ("2026-01-31T09:30", SHANGHAI, "2026-01-31T09:30+08:00"),
        ("2026-01-31T09:30Z", None, "2026-01-31T09:30+00:00"),
        (datetime(2026, 1, 31, tzinfo=UTC), None, "2026-01-31T00:00+00:00"),
    ],
)
def test_rows_without_a_time_may_be_given_one(
    given_as: Any, tz: tzinfo | None, instant: str
) -> None:
    values = ["2026-02-01T00:00Z", None, " "]

    times, bad = read(values, tz, missing=given_as)

    assert times == [micro("2026-02-01T00:00+00:00"), micro(instant), micro(instant)]
    assert bad == []
    absent = np.array(["NaT"], "datetime64[us]")
    assert read(absent, tz, missing=given_as) == ([micro(instant)], [])


def test_a_time_that_is_no_time_is_not_missing() -> None:
    _, bad = read(["soon", ""], missing="2026-01-31")

    assert [row.row for row in bad] == [0]


def test_the_time_of_missing_ones_must_be_one() -> None:
    with pytest.raises(
        NaiveTimeError, match="missing_time='2026-01-31' names no time zone: give t"
    ):
        read([None], None, missing="2026-01-31")
    for nonsense in ("never", 1.5):
        with pytest.raises(DefinitionError, match="missing_time= is an aware datetime, a date, an"):
            read([None], None, missing=nonsense)


# ── other forms of text ───────────────────────────────────────────────────────────────────────────


def test_a_form_of_text_may_be_named() -> None:
    times, bad = read(
        ["31.01.2026 09:30", "2026-01-31", "31.02.2026 00:00", ""],
        SHANGHAI,
        date_format="%d.%m.%Y %H:%M",
    )

    assert times[0] == micro("2026-01-31T09:30+08:00")
    assert [(row.row, row.expected) for row in bad] == [
        (1, "a time in the form '%d.%m.%Y %H:%M'"),
        (2, "a time in the form '%d.%m.%Y %H:%M'"),
        (3, MISSING),
    ]
    assert read(["2026年1月31日"], SHANGHAI, date_format="%Y年%m月%d日")[1] == []
    assert read(["31 Jan 2026 +0800"], None, date_format="%d %b %Y %z")[1] == []


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30+00:00"),
        ("2026-01-02", "2026-01-02T00:00+08:00"),
        ("2026/1/2 9:30", "2026-01-02T09:30+08:00"),
        ("2026.01.02", "2026-01-02T00:00+08:00"),
        ("20260102", "2026-01-02T00:00+08:00"),
        ("2026年1月2日 09:30", "2026-01-02T09:30+08:00"),
        ("31/01/2026", "2026-01-31T00:00+08:00"),
        ("01/31/2026 5pm", "2026-01-31T17:00+08:00"),
        ("Jan 2 2026", "2026-01-02T00:00+08:00"),
        ("2 January 2026 09:30 +0100", "2026-01-02T09:30+01:00"),
        ("2026-01-02 09:30 UTC", "2026-01-02T09:30+00:00"),
        ("Thu Sep 25 10:36:28 2003", "2003-09-25T10:36:28+08:00"),
        ("10/10/10", "2010-10-10T00:00+08:00"),
    ],
)
def test_lenient_reads_what_can_be_read_in_one_way(text: str, instant: str) -> None:
    assert read([text], SHANGHAI, date_format="lenient") == ([micro(instant)], [])


@pytest.mark.parametrize(
    "text",
    [
        "01/02/2026",  # the day or the month first
        "1.2.2026",
        "26/01/02",  # the year or the day first
        "25/12/10",
        "260102",
        "10-Nov-12",
        "January 2026",  # no day
        "31 January",  # no year
        "2026年1月",
        "09:30",
        "Friday",
        "2026-01-02 09:30 CST",  # of China, of Chicago, of Cuba
        "2026-01-02 09:30 PST",
        "2026-01-02 09:30 UTC+8",  # eight hours ahead, or behind
        "2026-01-02 09:30 GMT-8",
        "2026-13-01",
        "2026-02-30",
        "45678",
        "soon",
        "?",
    ],
)
def test_lenient_refuses_what_could_be_another_time(text: str) -> None:
    _, bad = read([text], SHANGHAI, date_format="lenient")

    assert [row.expected for row in bad] == [
        "a time that can be read in one way only (date_format= says which, as in '%d/%m/%Y')"
    ]


@given(st.text(max_size=12) | st.from_regex(r"[0-9/:. T+-]{1,14}", fullmatch=True))
def test_lenient_never_fails_on_a_text(text: str) -> None:
    times, bad = read([text], date_format="lenient")

    assert len(times) == 1
    assert FIRST <= times[0] <= LAST
    assert len(bad) <= 1
