"""What the door makes of durations, dates and amounts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DefinitionError
from salesfunnel.model.validation import duration_text, to_amount, to_date, to_duration

pd = pytest.importorskip("pandas")

# ── durations ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("14d", timedelta(days=14)),
        ("2w", timedelta(days=14)),
        ("36h", timedelta(hours=36)),
        ("1.5h", timedelta(minutes=90)),
        ("90min", timedelta(minutes=90)),
        ("45s", timedelta(seconds=45)),
        (" 3 d ", timedelta(days=3)),
        ("0.000001s", timedelta(microseconds=1)),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text: str, duration: timedelta) -> None:
    assert to_duration(text) == duration


@pytest.mark.parametrize(
    "no_duration",
    [
        *("", "14", "d", "14 days", "-3d", "1e3d", "0d", "0.0000001s", "9" * 400 + "d"),
        *(14, timedelta(0), timedelta(days=-1)),
    ],
)
def test_what_is_no_positive_duration_is_refused(no_duration: Any) -> None:
    with pytest.raises(DefinitionError) as refusal:
        to_duration(no_duration)

    assert str(refusal.value) == (
        "a duration is a positive timedelta or a text such as '14d', '36h', '90min', "
        f"not {no_duration!r}"
    )


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(weeks=2), "14d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90min"),
        (timedelta(seconds=61), "61s"),
        (timedelta(seconds=1, microseconds=500_000), "1.5s"),
        (timedelta(microseconds=1), "0.000001s"),
    ],
)
def test_a_duration_is_written_in_its_largest_whole_unit(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text


@given(st.timedeltas(min_value=timedelta(microseconds=1)))
def test_every_duration_is_read_back_as_it_was_written(duration: timedelta) -> None:
    assert to_duration(duration_text(duration)) == duration


def test_the_longest_duration_is_read_back_as_it_was_written() -> None:
    assert to_duration(duration_text(timedelta.max)) == timedelta.max


# ── dates ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given_as",
    [
        "2026-03-31",
        date(2026, 3, 31),
        datetime(2026, 3, 31, 23, 59, tzinfo=UTC),
        pd.Timestamp("2026-03-31 08:00"),
    ],
)
def test_a_date_is_a_day_however_it_was_given(given_as: Any) -> None:
    day = to_date(given_as)

    assert type(day) is date
    assert day == date(2026, 3, 31)


@pytest.mark.parametrize("no_date", ["31.03.2026", "2026-02-30", "", 20260331, pd.NaT])
def test_what_is_no_date_is_refused(no_date: Any) -> None:
    with pytest.raises(DefinitionError) as refusal:
        to_date(no_date)

    assert str(refusal.value) == (
        f"a date is a date or a text such as '2026-03-31', not {no_date!r}"
    )


# ── amounts ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given_as", "amount"),
    [
        ("12000", "12000"),
        (" 12000.50 ", "12000.50"),
        (12000, "12000"),
        (0.1, "0.1"),
        (-5, "-5"),
        (Decimal("1.10"), "1.10"),
        (np.int64(12000), "12000"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
    ],
)
def test_an_amount_is_exactly_what_was_written(given_as: Any, amount: str) -> None:
    assert str(to_amount(given_as)) == amount


@pytest.mark.parametrize(
    "no_amount",
    [
        *("12,000", "¥12000", "", "nan", "Infinity", float("nan"), float("inf"), Decimal("NaN")),
        *(True, Fraction(1, 3), 1j, [12000], pd.NaT),
    ],
)
def test_what_is_no_amount_is_refused(no_amount: Any) -> None:
    with pytest.raises(DefinitionError) as refusal:
        to_amount(no_amount)

    assert str(refusal.value) == (
        f"an amount is a finite Decimal, an int or digits, not {no_amount!r}"
    )


def test_none_is_no_duration_date_or_amount_and_stays_none() -> None:
    assert (to_duration(None), to_date(None), to_amount(None)) == (None, None, None)
