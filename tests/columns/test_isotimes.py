"""Times in ISO 8601 read all at once are what Python reads one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from salesfunnel.columns.isotimes import read_iso_times
from salesfunnel.columns.texts import sliced_of
from salesfunnel.periods import EPOCH

MICROSECOND = timedelta(microseconds=1)
FORMS = (
    "2026-01-31",
    "2026-01-31T09:30",
    "2026-01-31 09:30",
    "2026-01-31T09:30:00Z",
    "2026-01-31T09:30:00+08:00",
    "2026-01-31T09:30-05:30",
    "2026-01-31 09:30:59.5",
    "2026-01-31T09:30:59.123456789-11:59",
    "2026-01-31T09:30:59.0001Z",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00+23:59",
    "2024-02-29",
)


def by_python(text: str) -> tuple[int, bool] | None:
    """Return microseconds and whether no zone is named; None for what is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    naive = moment.tzinfo is None
    # Not by subtraction of aware ones: near the years 1 and 9999, that overflows.
    offset = timedelta(0) if naive else moment.utcoffset()
    assert offset is not None
    return (moment.replace(tzinfo=UTC) - EPOCH - offset) // MICROSECOND, naive


def check(texts: list[str]) -> int:
    """Compare with Python, and return how many were read."""
    strings = sliced_of(texts)
    assert strings is not None
    micro, naive, unread = read_iso_times(strings)

    left = set(unread.tolist())
    assert unread.tolist() == sorted(left)
    for row, text in enumerate(texts):
        if row not in left:
            assert (int(micro[row]), bool(naive[row])) == by_python(text), text
    return len(texts) - len(left)


@pytest.mark.parametrize("form", FORMS)
def test_each_usual_form_is_read(form: str) -> None:
    assert check([form]) == 1


def test_forms_may_be_mixed() -> None:
    assert check([*FORMS, "soon", "", *FORMS[::-1], "31/01/2026"]) == 2 * len(FORMS)


moments = st.datetimes(
    timezones=st.none()
    | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
written = st.builds(
    lambda moment, sep, spec: moment.isoformat(sep, spec),
    moments,
    st.sampled_from("T "),
    st.sampled_from(["auto", "minutes", "seconds", "milliseconds", "microseconds"]),
)


@given(st.lists(written))
def test_what_python_writes_is_read(texts: list[str]) -> None:
    forms = {"".join("0" if c.isdigit() else c for c in text) for text in texts}

    assert check(texts) == len(texts) or len(forms) > 12


@given(st.sampled_from(FORMS), st.data())
@example("2026-02-31", None)
@example("2023-02-29T09:30Z", None)
@example("2026-13-01", None)
@example("2026-00-10", None)
@example("2026-01-00", None)
@example("0000-01-01", None)
@example("2026-01-31T24:00", None)
@example("2026-01-31T09:60", None)
@example("2026-01-31T09:30:60", None)
@example("2026-01-31T09:30+24:00", None)
@example("2026-01-31T09:30+00:60", None)
@example("2026-01-31T09:30+08:00:30", None)
@example("2026-01-31T09:30:00,5", None)
@example("2026-01-31T09:30:00.", None)
@example("２０２６-01-31", None)
@example("2026-01-31Z", None)
@example("2026-01-31\x00", None)
@example("2026-W05-6", None)
def test_what_is_close_to_a_time_is_read_as_python_does_or_left(
    text: str, data: st.DataObject | None
) -> None:
    if data is not None:
        place = data.draw(st.integers(0, len(text) - 1))
        put = data.draw(st.sampled_from([*"0123456789:-+.TZ ", "", "\x00", "é", "\xb0", "00"]))
        text = text[:place] + put + text[place + 1 :]

    for others in ([], list(FORMS), ["2026-01-31T09:30:00Z"] * 40):
        check([text, *others])
        check([*others, text])


def test_many_times_are_read_in_chunks() -> None:
    micro = np.random.default_rng(3).integers(0, 2**51, 50_000)
    texts = micro.astype("datetime64[us]").astype(str)

    strings = sliced_of(texts)
    assert strings is not None
    times = read_iso_times(strings)

    assert len(times.unread) == 0
    assert times.naive.all()
    np.testing.assert_array_equal(times.micro, micro)
