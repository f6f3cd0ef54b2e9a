"""Sorting entries: as Python's own stable sort does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.kernel.ordering import is_sorted, permutation

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999

few = st.integers(0, 3)
times = few | st.sampled_from([FIRST, LAST, -1]) | st.integers(FIRST, LAST)
entries = st.lists(st.tuples(few, times, st.integers(-2, 2)), max_size=30)


@given(entries, st.booleans())
def test_entries_go_by_opportunity_time_and_tie_and_then_as_they_came(
    rows: list[tuple[int, int, int]], settled: bool
) -> None:
    opportunity = np.array([row[0] for row in rows], np.int32)
    time = np.array([row[1] for row in rows], np.int64)
    tie = np.array([row[2] for row in rows], np.int64) if settled else None

    length = 3 if settled else 2
    expected = sorted(range(len(rows)), key=lambda index: rows[index][:length])
    assert permutation(opportunity, time, tie).tolist() == expected
    assert is_sorted(opportunity, time, tie) == (expected == list(range(len(rows))))


def test_many_entries_are_sorted_as_few_are() -> None:
    # More than are worked on at a time, with times that need all of their bits.
    rng = np.random.default_rng(7)
    n = 150_000
    opportunity = rng.integers(0, n, n).astype(np.int32)
    for low, high in ((0, 5), (0, 10**9), (FIRST, LAST)):
        time = rng.integers(low, high, n)

        rows = permutation(opportunity, time)

        assert np.array_equal(rows, np.lexsort((time, opportunity)))
