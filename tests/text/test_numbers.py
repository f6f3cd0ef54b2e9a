"""Numbers as people read them."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import UnknownLanguageError
from salesfunnel.text.catalogue import languages
from salesfunnel.text.numbers import (
    format_decimal,
    format_integer,
    format_money,
    format_p_value,
    format_percent,
    format_rate_interval,
    known,
)

UNKNOWN = [
    *(None, math.nan, Decimal("NaN"), Decimal("sNaN")),
    *(np.float64("nan"), np.float32("nan"), np.array(math.nan)),
]
langs = st.sampled_from(languages())


@pytest.mark.parametrize("x", UNKNOWN, ids=repr)
@pytest.mark.parametrize("lang", languages())
def test_what_is_not_known_is_a_dash(x: Any, lang: str) -> None:
    assert known(x) is None
    assert format_integer(x, lang) == "–"
    assert format_decimal(x, lang, 2) == "–"
    assert format_percent(x, lang) == "–"
    assert format_p_value(x, lang) == "–"
    assert format_money(x, "CNY", lang) == "–"
    assert format_money(x, "CNY", lang, compact=True) == "–"
    assert format_rate_interval(x, 0.1, 0.2, lang) == "–"


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (-1234, "-1,234"),
        (2**63 + 1, "9,223,372,036,854,775,809"),
        (True, "1"),
        (12.7, "13"),
        (-0.2, "0"),
        (Decimal("1234.4"), "1,234"),
        (np.int64(1234), "1,234"),
        (np.uint8(7), "7"),
        (np.float32(1234.0), "1,234"),
        (np.array(1234), "1,234"),
        (np.array(1234.0), "1,234"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (Decimal("-Infinity"), "-∞"),
    ],
)
def test_integers_have_their_thousands_grouped(n: Any, text: str) -> None:
    assert format_integer(n, "en") == text
    assert format_integer(n, "zh") == text


@pytest.mark.parametrize(
    ("x", "digits", "text"),
    [
        (1234.5, 2, "1,234.50"),
        (3, 1, "3.0"),
        (-0.001, 2, "0.00"),
        (Decimal("0.125"), 3, "0.125"),
        (Decimal("12345678901234567890.5"), 1, "12,345,678,901,234,567,890.5"),
        (2**63 + 1, 1, "9,223,372,036,854,775,809.0"),
        (Fraction(1, 8), 3, "0.125"),
        (np.float64(2.5), 1, "2.5"),
    ],
)
def test_decimals_have_as_many_digits_as_asked(x: Any, digits: int, text: str) -> None:
    assert format_decimal(x, "en", digits) == text


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 4), langs)
def test_a_formatted_number_reads_back_as_itself_rounded(x: float, digits: int, lang: str) -> None:
    text = format_decimal(x, lang, digits)

    assert abs(Decimal(text.replace(",", "")) - Decimal(x)) <= Decimal(10) ** -digits / 2
    assert text != "-0"


@pytest.mark.parametrize(
    ("x", "digits", "text"),
    [
        (0.3, 1, "30.0%"),
        (25 / 36, 1, "69.4%"),
        (1, 0, "100%"),
        (0, 1, "0.0%"),
        (-0.0001, 1, "0.0%"),
        (12.5, 1, "1,250.0%"),
        (Decimal("0.0333"), 2, "3.33%"),
        (np.float32(0.3), 1, "30.0%"),
        (math.inf, 1, "∞%"),
    ],
)
def test_shares_are_shown_as_per_cent(x: Any, digits: int, text: str) -> None:
    assert format_percent(x, "en", digits) == text
    assert format_percent(x, "zh", digits) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.3, 0.2724, 0.3291, "30.0% (27.2–32.9)"),
        (np.float64(1.0), np.float64(0.7), np.float64(1.0), "100.0% (70.0–100.0)"),
        (0.3, math.nan, math.nan, "30.0%"),
        (0.3, None, 0.4, "30.0%"),
        (math.nan, math.nan, math.nan, "–"),
        (None, 0.1, 0.2, "–"),
    ],
)
def test_a_rate_carries_its_interval(value: Any, low: Any, high: Any, text: str) -> None:
    assert format_rate_interval(value, low, high, "en") == text
    assert format_rate_interval(value, low, high, "zh") == text


def test_the_digits_of_a_rate_are_those_of_its_interval() -> None:
    assert format_rate_interval(0.3, 0.2724, 0.3291, "en", digits=0) == "30% (27–33)"


@pytest.mark.parametrize(
    ("x", "currency", "english", "chinese"),
    [
        (Decimal(12000), "CNY", "CN¥12,000.00", "¥12,000.00"),
        (1234.5, "USD", "$1,234.50", "US$1,234.50"),
        (-1234.5, "EUR", "-€1,234.50", "-€1,234.50"),
        (-0.001, "USD", "$0.00", "US$0.00"),
        (1234.5, "JPY", "¥1,234", "JP¥1,234"),
        (1, "KWD", "KWD 1.000", "KWD 1.000"),
        (-80, "CHF", "-CHF 80.00", "-CHF 80.00"),
        (80, None, "80.00", "80.00"),
        (np.int64(5), "GBP", "£5.00", "£5.00"),
        (-math.inf, "GBP", "-£∞", "-£∞"),
    ],
)
def test_money_has_the_symbol_and_the_decimals_of_its_currency(
    x: Any, currency: str | None, english: str, chinese: str
) -> None:
    assert format_money(x, currency, "en") == english
    assert format_money(x, currency, "zh") == chinese


def test_the_decimals_of_money_can_be_chosen() -> None:
    assert format_money(1234.5, "USD", "en", digits=0) == "$1,234"


@pytest.mark.parametrize(
    ("x", "english", "chinese"),
    [
        (0, "$0", "US$0"),
        (0.001, "$0", "US$0"),
        (-0.001, "$0", "US$0"),
        (5.25, "$5.25", "US$5.25"),
        (999.4, "$999", "US$999"),
        (999.6, "$1k", "US$1,000"),
        (9_999, "$10k", "US$9,999"),
        (9_999.6, "$10k", "US$1万"),
        (12_000, "$12k", "US$1.2万"),
        (-12_345, "-$12.3k", "-US$1.23万"),
        (999_499, "$999k", "US$99.9万"),
        (999_950, "$1M", "US$100万"),
        (12_345_678, "$12.3M", "US$1,235万"),
        (99_999_999, "$100M", "US$1亿"),
        (Decimal("1.5e12"), "$1,500B", "US$15,000亿"),
        (math.inf, "$∞", "US$∞"),
    ],
)
def test_compact_money_has_three_figures_and_a_large_unit(
    x: Any, english: str, chinese: str
) -> None:
    assert format_money(x, "USD", "en", compact=True) == english
    assert format_money(x, "USD", "zh", compact=True) == chinese


@given(st.floats(-1e15, 1e15), langs)
def test_compact_money_is_within_half_a_per_cent(x: float, lang: str) -> None:
    text = format_money(x, None, lang, compact=True)

    digits = text.rstrip("kMB万亿")
    size = {"": 1, "k": 1e3, "M": 1e6, "B": 1e9, "万": 1e4, "亿": 1e8}[text[len(digits) :]]
    assert float(digits.replace(",", "")) * size == pytest.approx(x, rel=0.00501, abs=0.00501)


@pytest.mark.parametrize("text", ["twelve", object()])
def test_what_is_no_number_is_refused(text: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        format_integer(text, "en")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownLanguageError):
        format_integer(1, "fr")


@pytest.mark.parametrize("lang", languages())
def test_a_p_value_is_never_zero(lang: str) -> None:
    assert format_p_value(0, lang) == "<0.001"
    assert format_p_value(np.float64(9.99e-4), lang) == "<0.001"
    assert format_p_value(0.001, lang) == "0.001"
    assert format_p_value(0.04849, lang) == "0.048"
    assert format_p_value(1, lang) == "1.000"
