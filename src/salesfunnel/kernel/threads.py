"""Work on large arrays in two threads: numpy lets others run while it works on one."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from numpy.typing import NDArray

Result = TypeVar("Result")
Other = TypeVar("Other")

PIECE = 1 << 18
"""Values that one thread works on before it takes the next ones."""
_THREADS = min(os.cpu_count() or 1, 2)
MANY = 1 << 17
"""With fewer values a thread takes longer to start than to work."""


def sort(values: NDArray[Any]) -> None:
    """Sort values in place; of many the smaller half and the larger one at once."""
    if len(values) < MANY or _THREADS == 1:
        values.sort()
        return
    half = len(values) // 2
    values.partition(half)
    with ThreadPoolExecutor(1) as other:
        upper = other.submit(values[half:].sort)
        values[:half].sort()
        upper.result()


def both(
    first: Callable[[], Result], second: Callable[[], Other], *, at_once: bool
) -> tuple[Result, Other]:
    """Return what two functions do, at once if that is wanted and there are processors for it."""
    if not at_once or _THREADS == 1:
        return first(), second()
    with ThreadPoolExecutor(1) as other:
        later = other.submit(second)
        return first(), later.result()


def by_pieces(work: Callable[[int, int], Result], n: int) -> list[Result]:
    """Return what some work makes of n values, piece by piece, in the order of the pieces.

    Parameters
    ----------
    work : callable
        Takes where a piece begins and ends. Pieces do not touch what belongs to others.
    n : int
    """
    starts = range(0, n, PIECE)
    stops = [*starts[1:], n] if n else []
    if n <= PIECE or _THREADS == 1:
        return list(map(work, starts, stops))
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(work, starts, stops))
