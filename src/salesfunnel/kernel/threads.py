"""Sorting by two threads; numpy lets other threads run while it sorts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray

_THREADS = min(os.cpu_count() or 1, 2)
_MANY = 1 << 17
"""With fewer values a thread takes longer to start than to work."""


def sort(values: NDArray[Any]) -> None:
    """Sort values in place; of many the smaller half and the larger one at once."""
    if len(values) < _MANY or _THREADS == 1:
        values.sort()
        return
    half = len(values) // 2
    values.partition(half)
    with ThreadPoolExecutor(1) as other:
        upper = other.submit(values[half:].sort)
        values[:half].sort()
        upper.result()
