"""Sketches of durations: quantiles within one percent, and sums that are exact."""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel import sketch as module
from salesfunnel.kernel.sketch import (
    ACCURACY,
    BUCKET_BITS,
    LONGEST,
    DurationSketch,
    bucket_of,
    buckets,
)

FIRST = buckets().first
EDGES = st.sampled_from(FIRST.tolist()).flatmap(lambda low: st.integers(max(low - 1, 0), low + 1))
DURATIONS = EDGES | st.integers(0, LONGEST) | st.integers(0, 200) | st.just(LONGEST)


def sketch_of(*cells: list[int]) -> DurationSketch:
    """Return the sketch of cells in a row, each with some durations, made one at a time."""
    sketch = DurationSketch((len(cells),), np.zeros(0, np.int64), np.zeros(0, np.int64))
    for cell, durations in enumerate(cells):
        for bucket in bucket_of(np.array(durations, np.int64)).tolist():
            one = np.array([cell << BUCKET_BITS | bucket])
            sketch += DurationSketch((len(cells),), one, np.array([1]))
    return sketch


def exact(durations: list[int], q: float) -> float:
    return float(np.quantile(np.array(durations, float), q)) / 1e6


# ── buckets ───────────────────────────────────────────────────────────────────────────────────────


def test_a_bucket_has_one_number_that_stands_for_all_of_its_values() -> None:
    last = [*(after - 1 for after in FIRST[1:].tolist()), LONGEST]
    for low, high, seconds in zip(FIRST.tolist(), last, buckets().seconds.tolist(), strict=True):
        for value in (low, high):
            assert abs(seconds - value / 1e6) <= 0.00991 * value / 1e6


def test_short_durations_are_exact_and_buckets_leave_nothing_out() -> None:
    assert FIRST[:51].tolist() == list(range(51))
    assert buckets().seconds[:50].tolist() == [n / 1e6 for n in range(50)]
    assert len(FIRST) < 1 << BUCKET_BITS
    assert all(later > earlier for earlier, later in pairwise(FIRST.tolist()))


def test_the_bucket_of_every_edge_is_found() -> None:
    powers = 2 ** np.arange(62)
    near = np.concatenate([FIRST - 1, FIRST, FIRST + 1, powers - 1, powers, [LONGEST, LONGEST - 1]])
    near = near[(near >= 0) & (near <= LONGEST)]

    assert np.array_equal(bucket_of(near), np.searchsorted(FIRST, near, side="right") - 1)


@given(st.lists(DURATIONS, min_size=1, max_size=50))
def test_the_bucket_of_a_duration_holds_it(durations: list[int]) -> None:
    values = np.array(durations, np.int64)

    assert np.array_equal(bucket_of(values), np.searchsorted(FIRST, values, side="right") - 1)


# ── quantiles ─────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(DURATIONS, min_size=1, max_size=20), st.lists(st.floats(0, 1), max_size=4))
def test_a_quantile_is_off_by_at_most_one_percent(durations: list[int], q: list[float]) -> None:
    levels = [*q, 0.0, 0.5, 0.9, 1.0]

    found = sketch_of(durations).quantile(levels)[:, 0]

    for level, value in zip(levels, found.tolist(), strict=True):
        expected = exact(durations, level)
        assert abs(value - expected) <= ACCURACY * expected


@settings(max_examples=40)
@given(st.lists(st.lists(DURATIONS, max_size=5), min_size=1, max_size=5), st.floats(0, 1))
def test_every_cell_has_quantiles_of_its_own(cells: list[list[int]], q: float) -> None:
    sketch = sketch_of(*cells)

    found = sketch.quantile(q)

    assert found.shape == (len(cells),)
    assert sketch.n_durations.tolist() == [len(cell) for cell in cells]
    for value, durations in zip(found.tolist(), cells, strict=True):
        if durations:
            expected = exact(durations, q)
            assert abs(value - expected) <= ACCURACY * expected
        else:
            assert np.isnan(value)


def test_quantiles_have_the_shape_that_was_asked_for() -> None:
    sketch = DurationSketch((2, 3, 3), np.zeros(0, np.int64), np.zeros(0, np.int64))

    assert sketch.quantile(0.5).shape == (2, 3, 3)
    assert sketch.quantile([0.5]).shape == (1, 2, 3, 3)
    assert sketch.quantile([]).shape == (0, 2, 3, 3)
    assert np.isnan(sketch.quantile((0.1, 0.9))).all()


@pytest.mark.parametrize("q", [-0.1, 1.5, float("nan"), [0.5, 2], [[0.5]]])
def test_a_quantile_is_from_0_to_1(q: object) -> None:
    with pytest.raises(DefinitionError, match="q= is a number from 0 to 1, or several such, not"):
        sketch_of([1]).quantile(q)  # type: ignore[arg-type]


# ── adding and taking apart ───────────────────────────────────────────────────────────────────────


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.lists(DURATIONS, max_size=3)] * 2), min_size=3, max_size=3))
def test_adding_is_associative_and_commutative(
    parts: list[tuple[list[int], list[int]]],
) -> None:
    a, b, c = (sketch_of(*part) for part in parts)

    whole = sketch_of(*([*chain(*cells)] for cells in zip(*parts, strict=True)))

    assert a + b + c == whole
    assert a + (b + c) == whole
    assert c + (b + a) == whole


def by_group(groups: list[list[int]]) -> DurationSketch:
    """Return the sketch of one cell in each of some groups."""
    flat = sketch_of(*groups)
    return DurationSketch((len(groups), 1), flat.keys, flat.counts)


@settings(max_examples=40)
@given(st.lists(st.lists(DURATIONS, max_size=3), min_size=1, max_size=4))
def test_groups_are_taken_out_added_up_and_moved(groups: list[list[int]]) -> None:
    sketch, n = by_group(groups), len(groups)

    for place, durations in enumerate(groups):
        assert sketch.of(place) == sketch_of(durations)
    assert sketch.of(-1) == sketch_of(groups[-1])
    assert sketch.total() == sketch_of([*chain(*groups)])
    moved = sketch.placed(np.arange(n)[::-1] * 2, 2 * n)
    assert moved == by_group([member for group in groups[::-1] for member in (group, [])])


def test_sketches_are_equal_by_content_and_add_in_one_shape_alone() -> None:
    assert sketch_of([1, 2]) == sketch_of([2, 1])
    assert sketch_of([1]) != sketch_of([1, 1])
    assert sketch_of([1]) != sketch_of([1], [])
    assert sketch_of([1]) != "sketch"
    assert sketch_of([1], [2]).nbytes == 32
    for other in (sketch_of([1], []), 1):
        with pytest.raises(TypeError, match="unsupported operand"):
            _ = sketch_of([1]) + other
    with pytest.raises(TypeError, match="unhashable"):
        hash(sketch_of([1]))


@pytest.mark.parametrize("block", [16, 64, 1 << 20])
def test_keys_in_many_blocks_are_those_in_one(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(module, "_BLOCK", block)
    keys: NDArray[np.int64] = np.random.default_rng(5).integers(0, 300, 1_000)
    sketches = module._Sketches((1,), len(keys))
    for start in range(0, len(keys), 16):
        sketches.add(keys[start : start + 16])

    found = sketches.result()

    distinct, counts = np.unique(keys, return_counts=True)
    assert found.keys.tolist() == distinct.tolist()
    assert found.counts.tolist() == counts.tolist()
