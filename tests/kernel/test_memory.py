"""Memory for large arrays."""

from __future__ import annotations

import numpy as np
import pytest

from salesfunnel.kernel.memory import copied, empty


@pytest.mark.parametrize("n", [0, 5, 1 << 18, (1 << 18) + 1, 700_001])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64])
def test_an_array_has_the_size_and_the_type_that_it_should(n: int, dtype: type) -> None:
    made = empty(n, dtype)
    made[:] = 1

    assert made.shape == (n,)
    assert made.dtype == dtype
    assert made.flags.c_contiguous
    assert made.flags.writeable
    assert made.sum(dtype=np.int64) == n


def test_a_large_array_begins_a_page() -> None:
    assert empty(1 << 18, np.float64).ctypes.data % (1 << 21) == 0


def test_a_copy_has_memory_of_its_own() -> None:
    values = np.arange(3)
    made = copied(values, np.float64)
    made[0] = 7

    assert made.tolist() == [7, 1, 2]
    assert values.tolist() == [0, 1, 2]
