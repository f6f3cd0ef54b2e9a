"""Labels, identifiers and amounts of any form → codes and floats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.errors import CurrencyError
from salesfunnel.kernel.codes import NULL, factorize_integers, factorize_objects, sort_categories


def is_missing(value: Any) -> bool:
    """Return whether a value stands for none: None, a blank text, NaN, NaT, a library's own NA."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    return type(value).__name__ in _MISSING_TYPES or (
        isinstance(value, float) and math.isnan(value)
    )


_MISSING_TYPES = frozenset({"NaTType", "NAType"})


def as_column(values: Any, name: str) -> Sequence[Any] | NDArray[Any]:
    """Return values as a one-dimensional array, or a list as it is."""
    if isinstance(values, (list, tuple)):
        return values
    array = np.asarray(values)
    if array.ndim != 1:
        raise TypeError(f"{name} is one-dimensional, not of shape {array.shape}")
    return array


def read_ids(
    values: Sequence[Any] | NDArray[Any], rejects: Rejects, column: str
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return codes (N,) and the distinct identifiers (M,); a missing one has the code -1."""
    if isinstance(values, np.ndarray) and np.issubdtype(values.dtype, np.integer):
        return factorize_integers(values)
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    codes, distinct = factorize_objects(None if is_missing(value) else value for value in plain)
    rejects.add(codes == NULL, column, values, "an identifier; there is none")
    ids = np.empty(len(distinct), object)
    ids[:] = distinct
    return codes, ids


def read_labels(values: Sequence[Any] | NDArray[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """Return codes (N,) and the distinct labels as texts in ascending order; a missing one is -1."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    codes, distinct = factorize_objects(
        None if is_missing(value) else str(value) for value in plain
    )
    return sort_categories(codes, distinct)


def read_amounts(
    values: Sequence[Any] | NDArray[Any], rejects: Rejects, column: str
) -> NDArray[np.float64]:
    """Return amounts (N,), NaN where there is none; what is not a finite number is noted in `rejects`."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        amounts = values.astype(np.float64)
        bad = np.isinf(amounts)
    else:
        amounts = np.full(len(values), np.nan)
        bad = np.zeros(len(values), bool)
        for index, value in enumerate(values):
            if is_missing(value):
                continue
            try:
                amounts[index] = math.nan if isinstance(value, bool) else float(value)
            except (TypeError, ValueError, OverflowError):
                bad[index] = True
            bad[index] |= not math.isfinite(amounts[index])
    rejects.add(
        bad, column, values, "a finite number, with a point and no separators, as in 12500.50"
    )
    amounts[bad] = np.nan
    return amounts


def read_order(values: Sequence[Any] | NDArray[Any], rejects: Rejects, column: str) -> NDArray[Any]:
    """Return record numbers (N,), integers or floats; a missing or bad one is noted in `rejects`."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return values
    numbers: list[float] = []
    bad = np.zeros(len(values), bool)
    for index, value in enumerate(values):
        try:
            number = float("nan") if isinstance(value, bool) else _number(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        bad[index] = math.isnan(number)
        numbers.append(0 if bad[index] else number)
    rejects.add(bad, column, values, "a record number")
    return np.array(numbers) if numbers else np.zeros(0)


def _number(value: Any) -> float:
    """Return an integer as one, so that long record numbers stay exact; else a float."""
    try:
        return int(value) if not isinstance(value, float) else value
    except ValueError:
        return float(value)


def in_one_currency(
    amounts: NDArray[np.float64],
    currency: str | Sequence[Any] | NDArray[Any] | None,
    rates: Mapping[str, float] | None,
    rejects: Rejects,
    column: str,
) -> tuple[NDArray[np.float64], str | None]:
    """Return amounts in one currency, and which it is.

    Parameters
    ----------
    amounts : (N,) array
    currency : str, (N,) sequence or None
        Of all amounts, or of each.
    rates : mapping of str to float, optional
        What one unit of a currency is worth in the log's; the log's own has the rate 1.

    Raises
    ------
    CurrencyError
        If there are several currencies and no rates.
    """
    if currency is None:
        return amounts, None
    if isinstance(currency, str):
        codes, names = np.zeros(len(amounts), np.int64), [currency]
    else:
        codes, names = read_labels(currency)
    has_amount = ~np.isnan(amounts)
    used = sorted({names[code] for code in np.unique(codes[has_amount & (codes >= 0)]).tolist()})
    if rates is None:
        if len(used) > 1:
            raise CurrencyError(
                f"{column}: amounts in {', '.join(used)}; give what one unit of each is worth by "
                f"rates=, as in rates={{'{used[0]}': 1, '{used[1]}': …}}"
            )
        return amounts, used[0] if used else None
    table = np.array([rates.get(name, np.nan) for name in names] + [np.nan])
    factor = table[codes]
    rejects.add(
        has_amount & np.isnan(factor),
        column,
        [currency] * len(amounts) if isinstance(currency, str) else currency,
        f"a currency with a rate: {', '.join(rates)}",
    )
    base = [name for name, rate in rates.items() if rate == 1]
    return amounts * factor, base[0] if base else None
