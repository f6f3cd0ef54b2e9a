"""Exact sums: whole units and millionths, never rounded and never wrapped around."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import SizeError
from salesfunnel.kernel.sums import MANY_CELLS, Adder, CountedSums, ExactSums, Tally, as_millionths

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


# ── adding up by cell ─────────────────────────────────────────────────────────────────────────────

values = st.integers(-(2**62), 2**62) | st.integers(-5, 5) | st.integers(2**53 - 1, 2**53 + 1)


@pytest.mark.parametrize("many", [False, True])
@given(
    rows=st.lists(st.tuples(st.integers(0, 2), values), max_size=20),
    at_a_time=st.integers(1, 7),
    unit=st.sampled_from([1, 7, MILLION, 3 * MILLION]),
)
def test_integers_add_exactly_by_cell(
    many: bool, rows: list[tuple[int, int]], at_a_time: int, unit: int
) -> None:
    codes = np.array([code for code, _ in rows], np.intp)
    column = np.array([value for _, value in rows], np.int64)
    largest = max((abs(value) for _, value in rows), default=0)
    expected = [sum(unit * v for code, v in rows if code == place) for place in range(2)]

    adder = Adder(MANY_CELLS + 1 if many else 3, 2, largest, len(rows))
    for start in range(0, len(rows), at_a_time):
        piece = slice(start, start + at_a_time)
        adder.add(codes[piece], column[piece])

    # What is in the third cell is beyond those that are kept.
    largest_sum = max(abs(value) for value in expected) // MILLION
    if largest_sum < 2**62:
        assert millionths(adder.total(unit)) == expected
    elif largest_sum >= 2**63:
        with pytest.raises(SizeError, match="add up to more than 64 bits hold"):
            adder.total(unit)


@given(
    pieces=st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=6), max_size=8
    ),
    bits=st.sampled_from([(4, 3), (6, 2), (8, 10), (42, 22)]),
)
def test_counts_and_sums_share_an_integer_for_as_long_as_both_fit(
    pieces: list[list[tuple[int, int]]], bits: tuple[int, int]
) -> None:
    n_cells = MANY_CELLS + 1
    counts, adder = Tally(n_cells), Adder(n_cells, n_cells, 40, 48)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("salesfunnel.kernel.sums._SUM_BITS", bits[0])
        patch.setattr("salesfunnel.kernel.sums._COUNT_BITS", bits[1])
        counted = CountedSums(counts, adder)

        for piece in pieces:
            codes, values = zip(*piece, strict=True) if piece else ((), ())
            counted.add(np.array(codes, np.intp), np.array(values, np.int64))
        counted.finish()

    rows = [row for piece in pieces for row in piece]
    assert counts.counts.sum() == len(rows)
    assert counts.counts[:3].tolist() == [sum(c == place for c, _ in rows) for place in range(3)]
    total = adder.total(MILLION)
    assert total.whole[:3].tolist() == [
        sum(value for c, value in rows if c == place) for place in range(3)
    ]
    assert not total.whole[3:].any()


def test_a_count_uses_the_highest_bit_of_the_integer_that_it_shares() -> None:
    n_cells, n = MANY_CELLS + 1, (1 << 22) - 1
    counts, adder = Tally(n_cells), Adder(n_cells, n_cells, 1, n)
    counted = CountedSums(counts, adder)

    counted.add(np.full(n, 5, np.intp), np.ones(n, np.int64))
    counted.finish()

    assert counts.counts[5] == n
    assert adder.total(MILLION).whole[5] == n


@pytest.mark.parametrize("n_cells", [3, MANY_CELLS + 1])
def test_codes_are_counted_in_few_cells_and_in_many(n_cells: int) -> None:
    tally = Tally(n_cells)

    tally.add(np.array([2, 0, 2]))
    tally.add(np.array([2]))

    assert tally.counts[:3].tolist() == [1, 0, 3]
    assert tally.counts.sum() == 4


def test_values_are_added_as_they_are_where_floats_or_integers_are_exact() -> None:
    assert Adder.fits(9, 2**37 - 1, 10**6)
    assert not Adder.fits(9, 2**37, 10**6)
    assert Adder.fits(MANY_CELLS + 1, 2**42 - 1, 10**6)
    assert not Adder.fits(9, 2**30, 2**40)


def test_what_a_clock_has_too_much_is_taken_off() -> None:
    adder = Adder(2, 2, 2**20, 4)
    adder.add(np.array([0, 0, 1]), np.array([(3 << 4) + 2, (5 << 4) - 1, 7 << 4]))

    assert millionths(adder.total(MILLION, np.array([1, 0]), 4)) == [8 * MILLION, 7 * MILLION]


def test_more_values_than_a_float_adds_exactly() -> None:
    n, largest = 100_000, 9_000_000_000_000 * MILLION + 999_999

    adder = Adder(1, 1, largest, n)
    for _ in range(10):
        adder.add(np.zeros(n // 10, np.intp), np.full(n // 10, largest))

    assert millionths(adder.total()) == [n * largest]
