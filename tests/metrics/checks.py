"""What every rate of every table must be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from salesfunnel.metrics.intervals import wilson
from salesfunnel.table import Table


def check_rate(
    table: Table,
    name: str,
    numerator: Sequence[int],
    denominator: Sequence[int],
    *,
    bounded: bool = True,
) -> None:
    """Assert that a rate is numerator / denominator, and that all its columns say so."""
    prefix = "" if name == "value" else f"{name}_"
    assert table[f"{prefix}numerator"].tolist() == list(numerator)
    assert table[f"{prefix}denominator"].tolist() == list(denominator)
    assert table[f"{prefix}numerator"].dtype == table[f"{prefix}denominator"].dtype == np.int64
    value = [n / d if d else np.nan for n, d in zip(numerator, denominator, strict=True)]
    np.testing.assert_array_equal(table[name], np.array(value, float))
    low, high = wilson(numerator, denominator) if bounded else [np.full(len(value), np.nan)] * 2
    np.testing.assert_array_equal(table[f"{prefix}low"], low)
    np.testing.assert_array_equal(table[f"{prefix}high"], high)
