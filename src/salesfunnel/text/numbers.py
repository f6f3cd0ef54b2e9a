"""Numbers as people read them: grouped thousands, per cent, money.

All functions take int, float, Decimal and what behaves like one of them (numpy scalars). What is
not known (None or NaN) shows as ``–``, an infinite number as ``∞``.
"""

from __future__ import annotations

import math
import operator
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import SupportsFloat, SupportsIndex, TypeAlias

from salesfunnel.text.catalogue import catalogue

Number: TypeAlias = SupportsFloat | SupportsIndex

MISSING = "–"
"""What stands in the place of a value that is not known or not defined."""

LEAST_P_VALUE = 0.001
"""Below this a p-value is as good as any other, and not zero."""

# Decimals of the currencies that have not two (ISO 4217, minor units).
_MINOR_UNITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def format_integer(n: Number | None, lang: str) -> str:
    """Return a whole number with its thousands grouped: ``12,345``. Fractions are rounded."""
    return format_decimal(n, lang, 0)


def format_decimal(x: Number | None, lang: str, digits: int) -> str:
    """Return a number with grouped thousands and `digits` decimals: ``1,234.50``."""
    number = known(x)
    return MISSING if number is None else _grouped(number, lang, digits)


def format_percent(x: Number | None, lang: str, digits: int = 1) -> str:
    """Return a share as per cent: 0.3 is ``30.0%``."""
    number = known(x)
    if number is None:
        return MISSING
    return catalogue(lang).text("number.percent", number=_grouped(number * 100, lang, digits))


def format_p_value(p: Number | None, lang: str) -> str:
    """Return a p-value with three decimals, and one that would show as zero as ``<0.001``."""
    number = known(p)
    if number is None:
        return MISSING
    if 0 <= number < LEAST_P_VALUE:
        return catalogue(lang).text("number.below", number=_grouped(LEAST_P_VALUE, lang, 3))
    return _grouped(number, lang, 3)


def format_rate_interval(
    value: Number | None, low: Number | None, high: Number | None, lang: str, digits: int = 1
) -> str:
    """Return a rate with its interval, all per cent: ``30.0% (27.2–32.9)``.

    Without both bounds it is the rate alone, and without the rate ``–``.
    """
    rate = format_percent(value, lang, digits)
    bounds = known(low), known(high)
    if rate == MISSING or bounds[0] is None or bounds[1] is None:
        return rate
    return catalogue(lang).text(
        "number.rate_interval",
        rate=rate,
        low=_grouped(bounds[0] * 100, lang, digits),
        high=_grouped(bounds[1] * 100, lang, digits),
    )


def format_money(
    x: Number | None,
    currency: str | None,
    lang: str,
    *,
    compact: bool = False,
    digits: int | None = None,
) -> str:
    """Return an amount of money: ``$1,234.50``, ``-¥500.00``, ``CHF 80.00``.

    Parameters
    ----------
    x : number or None
    currency : str or None
        ISO 4217 code, shown as the symbol that the language has for it (``CNY`` is ``¥`` in
        Chinese and ``CN¥`` in English), or as it is given. None shows the number alone.
    lang : str
    compact : bool
        Whether to write three figures and the language's large unit: ``$1.23M``, ``¥123万``.
    digits : int, optional
        Decimals, by default as many as the currency has. Without effect on the compact form.
    """
    number = known(x)
    if number is None:
        return MISSING
    if digits is None:
        digits = _MINOR_UNITS.get(currency, 2) if currency else 2
    amount = _compact(number, lang) if compact else _grouped(number, lang, digits)
    if not currency:
        return amount
    texts = catalogue(lang)
    sign = "-" if amount.startswith("-") else ""
    amount = amount.removeprefix("-")
    if f"currency.{currency}" in texts:
        symbol = texts.text(f"currency.{currency}")
        return sign + texts.text("number.money", symbol=symbol, amount=amount)
    return sign + texts.text("number.money_by_code", currency=currency, amount=amount)


def known(x: Number | None) -> int | float | Decimal | None:
    """Return `x` as a plain number, an integer or Decimal exactly; None where it is None or NaN."""
    if x is None:
        return None
    if isinstance(x, Decimal):
        return None if x.is_nan() else x
    if not isinstance(x, float):
        try:
            return operator.index(x)  # type: ignore[arg-type]  # asking is the test
        except TypeError:
            pass  # no integer: a number of another kind
    number = float(x)
    return None if math.isnan(number) else number


def _grouped(number: int | float | Decimal, lang: str, digits: int) -> str:
    marks = _marks(lang)
    if isinstance(number, int):
        # By way of float, large integers would lose their last digits.
        number = Decimal(number)
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    # "z": what rounds to zero has no sign.
    return f"{number:z,.{digits}f}".translate(marks)


def _compact(number: int | float | Decimal, lang: str) -> str:
    """Return three significant figures, but all those before the decimal mark, and a large unit."""
    value = float(number)
    if math.isinf(value):
        return _grouped(value, lang, 0)
    # Rounding may reach the next unit: 999,999 is 1M, not 1,000k.
    size, unit = next(
        (size, unit)
        for size, limit, unit in _large_units(lang)
        if abs(_three_figures(value / size)) < limit
    )
    rounded = _three_figures(value / size)
    digits = next(digits for digits in range(3) if round(rounded, digits) == rounded)
    return _grouped(rounded, lang, digits) + unit


def _three_figures(x: float) -> float:
    return round(x, 2 if abs(x) < 10 else 1 if abs(x) < 100 else 0)


@lru_cache(maxsize=64)
def _marks(lang: str) -> dict[int, str]:
    texts = catalogue(lang)
    return {ord(","): texts.text("number.group_mark"), ord("."): texts.text("number.decimal_mark")}


@lru_cache(maxsize=64)
def _large_units(lang: str) -> tuple[tuple[int, float, str], ...]:
    """Return the units from 1 upwards: size, how many of it make the next one, name.

    The text that they come from has the form ``<power of ten>:<name> …``.
    """
    pairs = (pair.split(":") for pair in catalogue(lang).text("number.large_units").split())
    powers, names = zip(("0", ""), *pairs, strict=True)
    sizes = [10 ** int(power) for power in powers]
    limits = [*(larger / size for size, larger in pairwise(sizes)), math.inf]
    return tuple(zip(sizes, limits, names, strict=True))
