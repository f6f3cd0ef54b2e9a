"""Exact sums: whole units and millionths, never rounded and never wrapped around."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import SizeError
from salesfunnel.log.exact import ExactSums, as_millionths

MILLION = 1_000_000
parts = st.tuples(st.integers(-(2**61), 2**61), st.integers(0, MILLION - 1))


def sums(*pairs: tuple[int, int]) -> ExactSums:
    return ExactSums(np.array([w for w, _ in pairs]), np.array([m for _, m in pairs], np.int64))


def millionths(exact: ExactSums) -> list[int]:
    assert ((exact.micro >= 0) & (exact.micro < MILLION)).all()
    whole, micro = exact.whole.tolist(), exact.micro.tolist()
    return [w * MILLION + m for w, m in zip(whole, micro, strict=True)]


@given(parts, parts)
def test_sums_add_exactly(one: tuple[int, int], other: tuple[int, int]) -> None:
    a, b = sums(one), sums(other)

    assert millionths(a + b) == [millionths(a)[0] + millionths(b)[0]]
    assert millionths(a + b) == millionths(b + a)


@given(st.lists(st.tuples(st.integers(-(2**50), 2**50), st.integers(0, MILLION - 1)), max_size=9))
def test_groups_add_up_exactly(pairs: list[tuple[int, int]]) -> None:
    by_group = ExactSums(
        np.array([w for w, _ in pairs], np.int64).reshape(-1, 1),
        np.array([m for _, m in pairs], np.int64).reshape(-1, 1),
    )

    assert millionths(by_group.total()) == [sum(w * MILLION + m for w, m in pairs)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((2**62, 0), (2**62, 0)),
        ((-(2**63), 0), (-1, 0)),
        ((2**63 - 1, 999_999), (0, 1)),
        ((2**62, 0), (2**62 - 1, 0)),
    ],
)
def test_a_sum_beyond_64_bits_is_refused(one: tuple[int, int], other: tuple[int, int]) -> None:
    with pytest.raises(SizeError, match=r"^a sum is beyond 64-bit integers$"):
        sums(one) + sums(other)
    with pytest.raises(SizeError, match=r"^a sum is beyond 64-bit integers$"):
        ExactSums(np.array([[one[0]], [other[0]]]), np.array([[one[1]], [other[1]]])).total()


def test_sums_add_to_sums_alone() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = sums((1, 0)) + 1


def test_sums_are_floats_as_well() -> None:
    assert sums((3, 250_000), (-1, 500_000)).as_float().tolist() == [3.25, -0.5]


@given(st.floats(-9e12, 9e12))
def test_amounts_are_taken_to_the_nearest_millionth(amount: float) -> None:
    (taken,) = as_millionths(np.array([amount])).tolist()

    assert abs(Fraction(taken, MILLION) - Fraction(amount)) <= Fraction(1, 2 * MILLION) + Fraction(
        1, 10**12
    )


@given(st.integers(-(9 * 10**12), 9 * 10**12))
def test_whole_amounts_stay_whole(amount: int) -> None:
    assert as_millionths(np.array([float(amount)])).tolist() == [amount * MILLION]


def test_an_amount_that_is_not_known_adds_nothing() -> None:
    assert as_millionths(np.array([np.nan, 0.1])).tolist() == [0, 100_000]
    assert as_millionths(np.zeros(0)).tolist() == []


@pytest.mark.parametrize("amount", [9.3e12, -1e300, np.inf])
def test_an_amount_too_large_to_add_exactly_is_refused(amount: float) -> None:
    with pytest.raises(
        SizeError, match=r"too large to add up exactly; the limit is 9,223,372,036,"
    ):
        as_millionths(np.array([1.0, amount]))
