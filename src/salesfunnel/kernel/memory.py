"""Memory for large arrays, in pages as large as the system has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_PAGE = 1 << 21
"""Of a huge page; without such pages it is only where an array begins."""


def empty(n: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return an uninitialised array of n values, which begins a page of 2 MB if it is as large.

    What an array is given first, the system brings page by page, and on virtual machines a page can
    cost more than the work that fills it. numpy asks for huge pages for arrays of 4 MB and more,
    but arrays begin anywhere, so that up to half of one is in small pages after all.
    """
    size = n * np.dtype(dtype).itemsize
    if size < _PAGE:
        return np.empty(n, dtype)
    block = np.empty(-(-size // _PAGE) * _PAGE + _PAGE, np.uint8)
    begin = -block.ctypes.data % _PAGE
    return block[begin : begin + size].view(dtype)


def copied(values: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Return values of another type, in memory of their own."""
    made = empty(len(values), dtype)
    np.copyto(made, values, casting="unsafe")
    return made
