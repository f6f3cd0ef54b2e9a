"""Labels, identifiers and amounts of any form → codes and floats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.natives import from_native
from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.texts import (
    Encoded,
    Texts,
    are_missing,
    as_objects,
    may_be_missing,
    strings_of,
    take,
)
from salesfunnel.errors import CurrencyError, DefinitionError
from salesfunnel.kernel.codes import (
    NULL,
    compact_codes,
    factorize_integers,
    factorize_objects,
    sort_categories,
)
from salesfunnel.kernel.numbering import digest, number
from salesfunnel.kernel.strings import Fixed, Several
from salesfunnel.model.missing import is_missing
from salesfunnel.wording import Listed, Wording


def as_column(values: Any, name: str) -> Sequence[Any] | NDArray[Any]:
    """Return values as a one-dimensional array, or a list as it is.

    Raises
    ------
    DefinitionError
        If they are no column of values.
    """
    if isinstance(values, (list, tuple, Texts, Encoded)):
        return values
    if (native := from_native(values)) is not None:
        return native
    array = np.asarray(values)
    if array.ndim != 1:
        raise DefinitionError(
            "{name} is a list or a one-dimensional array, one value for each row, not {found}",
            name=name,
            found=Wording("of shape {shape}", shape=array.shape) if array.ndim else repr(values),
        )
    return array


def plain_values(values: Sequence[Any] | NDArray[Any]) -> Sequence[Any]:
    """Return values as Python's own types, where they are in an array."""
    return values.tolist() if isinstance(values, np.ndarray) else values


def to_plain(values: NDArray[Any]) -> list[Any]:
    """Return a column as plain values: None for NaN and NaT, times as datetimes aware in UTC."""
    if values.dtype.kind == "M":
        naive: list[datetime | None] = values.astype("datetime64[us]").tolist()
        return [None if moment is None else moment.replace(tzinfo=UTC) for moment in naive]
    if values.dtype.kind == "f":
        return [None if math.isnan(value) else value for value in values.tolist()]
    return list(values.tolist())


_NO_ID = Wording("an identifier; there is none")


class Distinct(NamedTuple):
    """The different values of a column.

    Attributes
    ----------
    codes : (N,) integers
        Which of them each value is; -1 for what is missing.
    values : (M,) array
        They, in order of appearance.
    """

    codes: NDArray[np.integer[Any]]
    values: NDArray[Any]


def distinct_texts(values: Sequence[Any] | NDArray[Any]) -> Distinct | None:
    """Return the different values of a column of texts or bytes; None of any other."""
    strings = strings_of(values)
    if strings is None:
        return None
    codes, first = number(strings)
    found = take(values, first)
    missing = are_missing(found)
    if not missing.any():
        return Distinct(codes, found)
    rank = np.cumsum(~missing) - 1
    rank[missing] = NULL
    return Distinct(rank[codes], found[~missing])


def distinct_values(values: Sequence[Any] | NDArray[Any]) -> Distinct:
    """Return the different values of a column, whatever they are; equal numbers are one."""
    found = _distinct_encoded(values) if isinstance(values, Encoded) else distinct_texts(values)
    if found is None:
        codes, objects = factorize_objects(
            None if is_missing(value) else value for value in plain_values(values)
        )
        found = Distinct(codes, as_objects(objects))
    return found


def _distinct_encoded(column: Encoded) -> Distinct:
    """Return the different values of a column that come with their codes."""
    n, n_known = len(column), len(column.values)
    first = np.full(n_known + 1, n)  # at the end, what has none
    first[column.codes[::-1]] = np.arange(n)[::-1]  # of several for one code, the last stays
    used = np.flatnonzero(first[:-1] < n)
    used = used[np.argsort(first[used])]
    codes, objects = factorize_objects(
        None if is_missing(value) else value for value in map(column.values.__getitem__, used)
    )
    code_of = np.full(n_known + 1, NULL)
    code_of[used] = codes
    return Distinct(code_of[column.codes], as_objects(objects))


def read_ids(
    values: Sequence[Any] | NDArray[Any], rejects: Rejects, column: str
) -> tuple[NDArray[np.integer[Any]], NDArray[Any] | None]:
    """Return codes (N,) and the identifiers that they stand for; a missing one has the code -1.

    Integers of up to 64 bits with a sign are their own codes, without a list of identifiers.
    """
    if isinstance(values, np.ndarray) and np.issubdtype(values.dtype, np.integer):
        return factorize_integers(values) if values.dtype == np.uint64 else (values, None)
    codes, ids = distinct_values(values)
    rejects.add(codes == NULL, column, values, _NO_ID)
    return codes, ids


def read_ids_unnumbered(
    values: Sequence[Any] | NDArray[Any], rejects: Rejects, column: str
) -> Fixed | None:
    """Return identifiers in a buffer of their own, to be numbered with those of other parts.

    None where they are no texts in a buffer, or where numbering them first is less work.
    """
    if not isinstance(values, Texts):
        return None
    unsure = may_be_missing(values)
    ids = None if 4 * len(unsure) > len(values) else values.strings.padded()
    if ids is None:
        return None
    missing = np.zeros(len(values), bool)
    missing[unsure] = are_missing(values.take(unsure))
    rejects.add(missing, column, values, _NO_ID)
    # Hashed here, while the bytes are at hand, and numbered when all have come.
    return attrs.evolve(ids, digest=digest(ids))


def number_ids(strings: Fixed | Several) -> tuple[NDArray[np.integer[Any]], Texts]:
    """Return codes of identifiers in whole words, (N,), and what they stand for."""
    codes, first = number(strings)
    return codes, Texts(strings.take(first).trimmed())


def read_labels(
    values: Sequence[Any] | NDArray[Any],
) -> tuple[NDArray[np.integer[Any]], list[str]]:
    """Return codes (N,), -1 where missing, and the distinct labels as texts, ascending."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        codes, found = compact_codes(values, _as_texts)
        return codes, _as_texts(found)
    texts = distinct_texts(values)
    if texts is not None:
        return sort_categories(texts.codes, [str(value) for value in texts.values.tolist()])
    if isinstance(values, Encoded):
        of_values, members = distinct_values(values)
        codes, distinct = factorize_objects(map(str, members))
        return sort_categories(np.append(codes, NULL)[of_values], distinct)
    codes, distinct = factorize_objects(
        None if is_missing(value) else str(value) for value in plain_values(values)
    )
    return sort_categories(codes, distinct)


def _as_texts(numbers: NDArray[Any]) -> list[str]:
    return [str(value) for value in numbers.tolist()]


def read_amounts(
    values: Sequence[Any] | NDArray[Any], rejects: Rejects, column: str
) -> NDArray[np.float64]:
    """Return amounts (N,), NaN where there is none; one that is no finite number is noted."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        amounts = values.astype(np.float64)
        bad = np.isinf(amounts)
    elif (found := _distinct_written(values)) is not None:
        amounts, bad = (part[found.codes] for part in _amounts([*found.values.tolist(), None]))
    else:
        amounts, bad = _amounts(plain_values(values))
    rejects.add(
        bad,
        column,
        values,
        Wording("a finite number, with a point and no separators, as in 12500.50"),
    )
    amounts[bad] = np.nan
    return amounts


def _distinct_written(values: Sequence[Any] | NDArray[Any]) -> Distinct | None:
    """Return the different values of a column of texts or codes, each of which is read once."""
    return distinct_values(values) if isinstance(values, Encoded) else distinct_texts(values)


def _amounts(values: Sequence[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return values as finite numbers, NaN where there is none, and which are something else."""
    amounts = np.full(len(values), np.nan)
    bad = np.zeros(len(values), bool)
    for index, value in enumerate(values):
        if is_missing(value):
            continue
        try:
            amounts[index] = float(_number(value))
        except (TypeError, ValueError, OverflowError):
            bad[index] = True
        bad[index] |= not math.isfinite(amounts[index])
    return amounts, bad


def read_order(
    values: Sequence[Any] | NDArray[Any], rejects: Rejects, column: str
) -> NDArray[np.int64]:
    """Return the ranks of record numbers (N,); a missing or bad one is noted in `rejects`.

    Ranks, because record numbers may be longer than any integer of an array, and floats would round
    them.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return np.unique(values, return_inverse=True)[1].astype(np.int64, copy=False)
    found = _distinct_written(values)
    plain = plain_values(values) if found is None else [*found.values.tolist(), None]
    numbers: list[int | float | Decimal] = []
    bad = np.zeros(len(plain), bool)
    for index, value in enumerate(plain):
        try:
            number = _number(value)
        except (TypeError, ValueError):
            number = math.nan
        bad[index] = number != number  # what is not a number; isnan() fails on the longest integers
        numbers.append(0 if bad[index] else number)
    used = numbers if found is None else numbers[:-1]
    rank = {number: place for place, number in enumerate(sorted(set(used)))}
    ranks = np.array([rank.get(number, 0) for number in numbers], np.int64)
    if found is not None:
        ranks, bad = ranks[found.codes], bad[found.codes]
    rejects.add(bad, column, values, Wording("a record number"))
    return ranks


def _number(value: Any) -> int | float | Decimal:
    """Return a number as it is, and a text as the number that it shows, without loss."""
    if isinstance(value, (int, float, Decimal, np.number)) and not isinstance(value, bool):
        return value.item() if isinstance(value, np.number) else value
    if not isinstance(value, str) or "_" in value:  # Python's own digit separator, nobody else's
        raise TypeError(f"{value!r} is no number")
    try:
        return int(value)
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
    single = currency if isinstance(currency, str) else None
    codes: NDArray[np.integer[Any]]
    if single is not None:
        codes, names = np.zeros(len(amounts), np.int64), [single]
    else:
        codes, names = read_labels(currency)
    has_amount = ~np.isnan(amounts) & ~rejects.bad
    if rates is None:
        used = [names[code] for code in np.unique(codes[has_amount & (codes >= 0)])]
        if len(used) > 1:
            raise CurrencyError(
                "{column}: amounts in {currencies}; give what one unit of each is worth by "
                "rates=, as in rates={{'{first}': 1, '{second}': …}}",
                column=column,
                currencies=Listed(used),
                first=used[0],
                second=used[1],
            )
        return amounts, used[0] if used else single
    worth = _checked_rates(rates)
    factor = np.array([*(worth.get(name, np.nan) for name in names), np.nan])[codes]
    rejects.add(
        has_amount & np.isnan(factor),
        column,
        [currency] * len(amounts) if isinstance(currency, str) else currency,
        Wording("a currency with a rate: {known}", known=Listed(worth)),
    )
    base = [name for name, rate in worth.items() if rate == 1]
    return amounts * factor, base[0] if base else None


def _checked_rates(rates: Mapping[str, float]) -> dict[str, float]:
    worth = {}
    for name, rate in rates.items():
        try:
            worth[name] = float(rate)
        except (TypeError, ValueError):
            worth[name] = math.nan
        if not 0 < worth[name] < math.inf:
            raise DefinitionError(
                "rates= maps currencies to what one unit of each is worth, as in {{'CNY': 1, "
                "'USD': 7.1}}; it has {name!r}: {rate!r}",
                name=name,
                rate=rate,
            )
    return worth
