"""Sorting by two threads, beside numpy's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from salesfunnel.kernel import threads


@pytest.mark.parametrize("dtype", [np.uint32, np.int64, np.float64])
@pytest.mark.parametrize("most", [1, 3, 2**31])
@pytest.mark.parametrize("n", [0, 1, 1000, threads.MANY, threads.MANY + 1])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_values_are_sorted_in_place(
    dtype: type, most: int, n: int, n_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_THREADS", n_threads)
    values: NDArray[Any] = np.random.default_rng(n).integers(0, most, n).astype(dtype)
    expected = np.sort(values)

    threads.sort(values)

    assert_array_equal(values, expected)
