"""Identifiers and labels → small integers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

NULL = -1
"""The code of a missing value."""


def factorize_integers(values: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return codes (N,) and the distinct values in ascending order, (M,)."""
    if values.size == 0:
        return np.zeros(0, np.int64), values[:0]
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * values.size + 1024:
        distinct, codes = np.unique(values, return_inverse=True)
        return codes.astype(np.int64, copy=False), distinct
    # A dense range is a table look-up. Offsets are taken in uint64, where they cannot overflow.
    offsets = (values.astype(np.uint64) - np.uint64(low % 2**64)).astype(np.int64)
    present = np.zeros(high - low + 1, bool)
    present[offsets] = True
    rank = np.cumsum(present) - 1
    distinct = (np.flatnonzero(present).astype(np.uint64) + np.uint64(low % 2**64)).astype(
        values.dtype
    )
    return rank[offsets], distinct


def factorize_objects(values: Iterable[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    """Return codes (N,) and the distinct values in order of appearance; None has the code -1."""
    seen: dict[Any, int] = {}
    number = seen.setdefault
    codes = [NULL if value is None else number(value, len(seen)) for value in values]
    return np.array(codes, np.int64), list(seen)


def sort_categories(
    codes: NDArray[np.integer[Any]], categories: list[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the same labels with the categories in ascending order."""
    order = sorted(range(len(categories)), key=categories.__getitem__)
    rank = np.empty(len(categories) + 1, np.int64)
    rank[order] = np.arange(len(categories))
    rank[NULL] = NULL
    return rank[codes], [categories[i] for i in order]


def combine(parts: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return one code for each combination that occurs, and the combinations, ``(G, parts)``.

    Combinations ascend part by part, with -1 (missing) after all others.
    """
    codes, combinations = np.zeros(len(parts[0]), np.int64), np.zeros((1, 0), np.int64)
    for part in parts:
        # A missing one counts as the digit after the last.
        base = int(part.max(initial=0)) + 2
        codes = codes * base + np.where(part == NULL, base - 1, part)
        codes, distinct = factorize_integers(codes)
        before, digit = np.divmod(distinct, base)
        last = np.where(digit == base - 1, NULL, digit)
        combinations = np.column_stack([combinations[before], last])
    return codes, combinations
