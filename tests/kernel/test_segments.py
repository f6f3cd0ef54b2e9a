"""Sums and products within segments, beside those of each segment alone."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from salesfunnel.kernel.segments import counts, running_products, running_sums, sums_before

segments = st.lists(st.lists(st.floats(-1e6, 1e6), max_size=5), min_size=1, max_size=6)


def joined(parts: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return all values, and where each segment begins."""
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return np.array([value for part in parts for value in part], float), starts


@given(segments)
def test_sums_run_within_each_segment(parts: list[list[float]]) -> None:
    expected = [math.fsum(part[: i + 1]) for part in parts for i in range(len(part))]

    assert_allclose(running_sums(*joined(parts)), expected, rtol=1e-12, atol=1e-8)


def test_a_large_segment_leaves_the_digits_of_a_small_one() -> None:
    found = running_sums(*joined([[1e15, 3.0], [], [0.1], [1e-9, 1e-9]]))

    assert_allclose(found[2:], [0.1, 1e-9, 2e-9], rtol=1e-12, atol=1e-16)


@given(
    st.lists(
        st.tuples(st.lists(st.floats(1e-3, 1), max_size=5), st.booleans()), min_size=1, max_size=6
    )
)
def test_products_run_within_each_segment(parts: list[tuple[list[float], bool]]) -> None:
    factors = [[*part, 0.0] if ends else part for part, ends in parts]
    expected = [math.prod(part[: i + 1]) for part in factors for i in range(len(part))]

    assert_allclose(running_products(*joined(factors)), expected, rtol=1e-12)


@given(st.lists(st.lists(st.booleans(), max_size=5), min_size=1, max_size=6))
def test_what_is_true_is_counted_within_each_segment(parts: list[list[bool]]) -> None:
    starts = np.cumsum([0, *(len(part) for part in parts)])
    mask = np.array([value for part in parts for value in part], bool)

    assert counts(mask, starts).tolist() == [sum(part) for part in parts]


@given(
    st.lists(st.integers(-9, 9), max_size=9).flatmap(
        lambda values: st.tuples(st.just(values), st.lists(st.integers(0, len(values)), max_size=5))
    )
)
def test_sums_are_of_the_values_before_places(drawn: tuple[list[int], list[int]]) -> None:
    values, places = drawn
    found = sums_before(np.array(values, np.int64), np.array(places, np.int64))

    assert found.tolist() == [sum(values[:place]) for place in places]
