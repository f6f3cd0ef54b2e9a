"""Identifiers and labels → small integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.packing import bounds, chunks

Scalar = TypeVar("Scalar", bound=np.generic)

NULL = -1
"""The code of a missing value."""


def code_type(n_values: int) -> np.dtype[np.signedinteger[Any]]:
    """Return the smallest integers that hold the codes of so many values, and -1."""
    kinds = (np.int8, np.int16, np.int32, np.int64)
    return np.dtype(next(kind for kind in kinds if n_values - 1 <= np.iinfo(kind).max))


def look_up(table: NDArray[Scalar], codes: NDArray[np.integer[Any]]) -> NDArray[Scalar]:
    """Return what a table has at each code, (N,); at -1 the last it has."""
    found = np.empty(len(codes), table.dtype)
    for start, stop in chunks(len(codes)):
        np.take(table, codes[start:stop], out=found[start:stop], mode="wrap")
    return found


def factorize_integers(
    values: NDArray[np.integer[Any]],
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return codes (N,) and the distinct values in ascending order, (M,)."""
    codes, distinct = compact_codes(values)
    return codes.astype(np.int64), distinct


def compact_codes(
    values: NDArray[np.integer[Any]], key: Callable[[NDArray[Any]], Sequence[Any]] | None = None
) -> tuple[NDArray[np.signedinteger[Any]], NDArray[Any]]:
    """Return codes (N,) in the smallest integers that hold them and -1, and the distinct values.

    Parameters
    ----------
    values : (N,) integers
    key : callable
        What the distinct values, (M,), are ordered by; by default they ascend.
    """
    if values.size == 0:
        return np.zeros(0, np.int8), values[:0]
    low, high = bounds(values)
    if high - low > 4 * values.size + 1024:
        distinct, codes = np.unique(values, return_inverse=True)
        rank, distinct = _ordered(distinct, key)
        return look_up(rank, codes), distinct
    # A dense range is a table look-up, a chunk at a time: memory costs more than arithmetic.
    wide = np.dtype(np.uint64 if values.dtype == np.uint64 else np.int64).type

    def places_of(start: int, stop: int) -> NDArray[np.integer[Any]]:
        found: NDArray[np.integer[Any]] = np.subtract(values[start:stop], wide(low), dtype=wide)
        return found

    present = np.zeros(high - low + 1, bool)
    for start, stop in chunks(len(values)):
        present[places_of(start, stop)] = True
    places = np.flatnonzero(present)
    rank, distinct = _ordered((places.astype(wide) + wide(low)).astype(values.dtype), key)
    code: NDArray[np.signedinteger[Any]] = np.zeros(len(present), rank.dtype)
    code[places] = rank
    found = np.empty(len(values), rank.dtype)
    for start, stop in chunks(len(values)):
        np.take(code, places_of(start, stop), out=found[start:stop], mode="clip")
    return found, distinct


def _ordered(
    distinct: NDArray[Any], key: Callable[[NDArray[Any]], Sequence[Any]] | None
) -> tuple[NDArray[np.signedinteger[Any]], NDArray[Any]]:
    """Return the rank of each of ascending values, and they in order."""
    rank = np.arange(len(distinct)).astype(code_type(len(distinct)))
    if key is None:
        return rank, distinct
    keys = key(distinct)
    order = np.array(sorted(range(len(distinct)), key=keys.__getitem__), np.int64)
    rank[order] = rank.copy()
    return rank, distinct[order]


def factorize_objects(values: Iterable[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    """Return codes (N,) and the distinct values in order of appearance; None has the code -1."""
    seen: dict[Any, int] = {}
    number = seen.setdefault
    codes = [NULL if value is None else number(value, len(seen)) for value in values]
    return np.array(codes, np.int64), list(seen)


def sort_categories(
    codes: NDArray[np.integer[Any]], categories: list[str]
) -> tuple[NDArray[np.signedinteger[Any]], list[str]]:
    """Return the same labels with the categories in ascending order."""
    order = sorted(range(len(categories)), key=categories.__getitem__)
    rank = np.empty(len(categories) + 1, code_type(len(categories)))
    rank[order] = np.arange(len(categories))
    rank[NULL] = NULL
    return look_up(rank, codes), [categories[i] for i in order]


def combine(
    parts: Sequence[NDArray[np.integer[Any]]],
) -> tuple[NDArray[np.signedinteger[Any]], NDArray[np.int64]]:
    """Return one code for each combination that occurs, and the combinations, ``(G, parts)``.

    Combinations ascend part by part, with -1 (missing) after all others.
    """
    codes: NDArray[np.signedinteger[Any]] = np.zeros(len(parts[0]), np.int64)
    combinations = np.zeros((1, 0), np.int64)
    for part in parts:
        # A missing one counts as the digit after the last.
        base = int(part.max(initial=0)) + 2
        together = codes * base + np.where(part == NULL, base - 1, part)
        codes, distinct = factorize_integers(together)
        before, digit = np.divmod(distinct, base)
        last = np.where(digit == base - 1, NULL, digit)
        combinations = np.column_stack([combinations[before], last])
    return codes, combinations
