"""From×to matrices, and sums that no float could add."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import SizeError
from salesfunnel.kernel.runs import collapse
from salesfunnel.kernel.transitions import count, count_pairs, exact_sums, pair_codes, transitions

MICRO = 1_000_000


def test_transitions_are_between_runs_of_one_opportunity() -> None:
    runs = collapse(
        np.array([0, 0, 0, 1, 2, 2]),
        np.array([0, 0, 1, 2, 1, 0], np.uint8),
        np.array([0, 5, 7, 1, 2, 2]),
    )

    moves = transitions(runs)

    assert moves.source.tolist() == [0, 1]
    assert moves.target.tolist() == [1, 0]
    assert moves.duration.tolist() == [7, 0]
    assert moves.run.tolist() == [1, 4]


def test_pairs_of_states_have_their_place_in_a_matrix() -> None:
    source, target = np.array([0, 250], np.uint8), np.array([251, 1], np.uint8)

    assert pair_codes(source, target, 252).tolist() == [251, 250 * 252 + 1]
    groups = np.array([0, 40_000])
    assert pair_codes(source, target, 252, groups).tolist() == [
        251,
        (40_000 * 252 + 250) * 252 + 1,
    ]


def test_codes_are_counted() -> None:
    assert count(np.array([2, 0, 2]), 4).tolist() == [1, 0, 2, 0]
    assert count(np.zeros(0, np.int64), 2).tolist() == [0, 0]


@pytest.mark.parametrize("n_states", [3, 9, 16, 17, 252])
@pytest.mark.parametrize("length", [0, 1, 1_000, 2**18, 2**18 + 70_001])
def test_pairs_are_counted_whatever_their_number_and_that_of_the_states(
    n_states: int, length: int
) -> None:
    rng = np.random.default_rng(length)
    source, target = rng.integers(0, n_states, (2, length)).astype(np.uint8)

    expected = np.zeros((n_states, n_states), int)
    np.add.at(expected, (source, target), 1)
    assert count_pairs(source, target, n_states).tolist() == expected.tolist()


values = st.integers(-(2**62), 2**62) | st.integers(-5, 5) | st.integers(2**53 - 1, 2**53 + 1)


@given(st.lists(st.tuples(st.integers(0, 2), values), max_size=20))
def test_sums_are_exact_and_split_at_the_millionth(rows: list[tuple[int, int]]) -> None:
    codes = np.array([code for code, _ in rows], np.int64)
    whole, micro = exact_sums(codes, np.array([value for _, value in rows], np.int64), 3)

    assert ((micro >= 0) & (micro < MICRO)).all()
    assert [w * MICRO + m for w, m in zip(whole.tolist(), micro.tolist(), strict=True)] == [
        sum(value for code, value in rows if code == place) for place in range(3)
    ]


def test_sums_of_more_values_than_a_float_adds_exactly() -> None:
    n = 100_000
    largest = 9_000_000_000_000 * MICRO + 999_999

    whole, micro = exact_sums(np.zeros(n, np.int64), np.full(n, largest), 1)

    assert int(whole[0]) * MICRO + int(micro[0]) == n * largest


def test_a_sum_that_passes_64_bits_is_refused_and_one_that_does_not_is_not() -> None:
    n = 1_200_000
    largest = 9_000_000_000_000
    values = np.full(n, largest * MICRO)
    codes = np.zeros(n, np.int64)

    with pytest.raises(
        SizeError, match="1,200,000 values of up to 9,000,000,000,000 add up to more"
    ):
        exact_sums(codes, values, 1)

    whole, _ = exact_sums(np.arange(n) % 3, values, 3)
    assert whole.tolist() == [largest * n // 3] * 3
