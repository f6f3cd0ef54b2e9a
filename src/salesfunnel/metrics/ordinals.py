"""Ordinals: durations as integers that order as they do, to sort them with what belongs to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.memory import copied
from salesfunnel.metrics.lifetimes import Durations

KEY_BITS = 63
CHUNK = 15 << 10
"""Of so many numbers a few arrays stay in a core's cache, and none is asked of the system anew."""
_WHOLE = 2**53
"""Below this floats tell whole numbers apart."""


class Ordinals(NamedTuple):
    """Durations as integers that order as they do.

    Attributes
    ----------
    of : callable
        Gives those of a slice, in an array of their own, of a type that is large enough.
    most : int
        The largest.
    decode : callable
        Gives the durations back. It may change the integers.
    """

    of: Callable[[slice, type[np.signedinteger[Any]]], NDArray[Any]]
    most: int
    decode: Callable[[NDArray[Any]], Durations]


def ordinals_of(duration: Durations, bits: int) -> Ordinals:
    """Return durations as integers of at most so many bits."""
    most = duration.max(initial=0)
    if most < 1 << bits and (duration.dtype.kind == "i" or _are_whole(duration)):
        return Ordinals(
            lambda part, kind: duration[part].astype(kind),
            int(most),
            lambda ordinal: copied(ordinal, duration.dtype),
        )
    if duration.dtype.kind == "f":
        # The bit patterns of positive floats order as they do; 0 comes before them.
        least = duration.min(initial=most)
        has_zero = least == 0
        if has_zero:
            least = duration.min(initial=most, where=duration > 0)
        base = int(np.float64(least).view(np.int64)) - 1
        above = int(np.float64(most).view(np.int64)) - base
        if 0 <= above < 1 << bits:
            pattern: NDArray[np.int64] = duration.view(np.int64)

            def encode(part: slice, kind: type[np.signedinteger[Any]]) -> NDArray[Any]:
                if not has_zero:
                    return (pattern[part] - base).astype(kind, copy=False)
                found = np.maximum(pattern[part], 0)  # of two zeros one has a sign
                found -= base
                return np.maximum(found, 0, out=found).astype(kind, copy=False)

            def decode(ordinal: NDArray[Any]) -> Durations:
                found = ordinal.astype(np.int64, copy=False)
                found += base
                if has_zero:
                    found[found == base] = 0
                return found.view(np.float64)

            return Ordinals(encode, above, decode)
    distinct, rank = np.unique(duration, return_inverse=True)
    return Ordinals(
        lambda part, kind: rank[part].astype(kind),
        max(len(distinct) - 1, 0),
        lambda ordinal: distinct[ordinal],
    )


def whole_numbers(duration: Durations) -> NDArray[np.int64] | None:
    """Return durations below 2⁵³ as integers, in an array of their own; None if not all are."""
    numbers = duration.astype(np.int64)
    return numbers if duration.dtype.kind == "i" or np.array_equal(numbers, duration) else None


def _are_whole(duration: Durations) -> bool:
    """Return whether durations are whole numbers, and small enough for that to say something."""
    if duration.max(initial=0) >= _WHOLE:
        return False
    parts = (duration[low : low + CHUNK] for low in range(0, len(duration), CHUNK))
    return all((np.floor(part) == part).all() for part in parts)
