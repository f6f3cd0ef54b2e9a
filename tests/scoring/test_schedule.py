"""Schedules: what fits into the hours there are, before its deadlines."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.scoring.schedule import Schedule, schedule

INF = math.inf


def plan(
    value: list[float],
    hours: list[float],
    left: list[float],
    capacity: float = INF,
    late: float = 0.0,
) -> Schedule:
    return schedule(
        np.array(value, float),
        np.array(hours, float),
        np.array(left, float),
        np.arange(len(value)),
        capacity=capacity,
        late=late,
    )


@st.composite
def work(draw: st.DrawFn, hours: st.SearchStrategy[float]) -> tuple[list[float], ...]:
    left = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, INF])
    piece = st.tuples(st.integers(0, 9).map(float), hours, left)
    pieces = draw(st.lists(piece, max_size=6))
    return tuple([piece[column] for piece in pieces] for column in range(3))


CASES = work(st.sampled_from([0.5, 1.0, 2.0]))
CAPACITIES = st.sampled_from([0.0, 1.0, 2.5, 4.0, INF])


@given(CASES, CAPACITIES, st.sampled_from([0.0, 0.5, 1.0]))
def test_a_schedule_keeps_to_the_hours_and_to_the_deadlines(
    case: tuple[list[float], ...], capacity: float, late: float
) -> None:
    value, hours, left = case

    found = plan(value, hours, left, capacity, late)

    clock = 0.0
    for index, start in zip(found.order.tolist(), found.start.tolist(), strict=True):
        assert start == pytest.approx(clock)
        clock += hours[index]
        assert found.is_late[index] or start <= left[index] + 1e-9
    assert clock <= capacity + 1e-9
    assert len(set(found.order.tolist())) == len(found.order)
    for index in range(len(value)):
        assert found.is_late[index] or left[index] >= 0
        # What fits at the end is not left undone, unless it would be on time no longer.
        if index not in found.order and (found.is_late[index] or left[index] == INF):
            assert clock + hours[index] > capacity


def worth(chosen: tuple[int, ...], value: list[float], left: list[float]) -> float:
    """What leads of one hour are worth, if they can all be worked on in time; else nothing."""
    in_order = sorted(chosen, key=lambda index: left[index])
    if any(start > left[index] for start, index in enumerate(in_order)):
        return 0.0
    return sum(value[index] for index in chosen)


@given(work(st.just(1.0)), st.integers(0, 6))
def test_of_leads_that_take_equally_long_no_other_choice_is_worth_more(
    case: tuple[list[float], ...], capacity: int
) -> None:
    value, hours, left = case

    found = plan(value, hours, left, float(capacity))

    gained = sum(value[index] for index in found.order.tolist() if not found.is_late[index])
    best = max(
        worth(chosen, value, left)
        for size in range(min(capacity, len(value)) + 1)
        for chosen in combinations(range(len(value)), size)
    )
    assert gained == best


def test_the_most_valuable_hours_are_kept_and_worked_in_the_order_of_their_deadlines() -> None:
    found = plan([9, 8, 1, 5], [1, 1, 1, 1], [INF, 1, 0, 0], capacity=3)

    assert found.order.tolist() == [3, 1, 0]
    assert found.start.tolist() == [0, 1, 2]
    assert found.is_late.tolist() == [False, False, True, False]


def test_what_is_late_already_competes_with_what_it_is_still_worth() -> None:
    for late, first in ((0.5, [0]), (0.1, [1])):
        found = plan([100, 20], [1, 1], [-1, 5], capacity=1, late=late)
        assert found.order.tolist() == first
        assert found.is_late.tolist() == [True, False]


def test_what_cannot_be_kept_in_time_may_be_done_late() -> None:
    found = plan([9, 8], [1, 1], [0, 0], capacity=5, late=0.5)

    assert found.order.tolist() == [0, 1]
    assert found.is_late.tolist() == [False, True]


def test_a_small_piece_fills_the_hours_that_a_large_one_leaves() -> None:
    found = plan([10, 9, 1], [4, 4, 1], [INF, INF, INF], capacity=5)

    assert found.order.tolist() == [0, 2]


def test_what_has_no_value_and_what_takes_too_long_is_left_out() -> None:
    found = plan([math.nan, 5, 1], [1, 9, 1], [INF, INF, INF], capacity=8)

    assert found.order.tolist() == [2]


def test_of_equal_pieces_the_one_with_the_lower_number_comes_first() -> None:
    found = schedule(
        np.ones(3), np.ones(3), np.full(3, INF), np.array([2, 0, 1]), capacity=2, late=1.0
    )

    assert found.order.tolist() == [1, 2]


def test_hours_that_do_not_add_up_exactly_still_fit() -> None:
    assert plan([1] * 3, [0.1] * 3, [INF] * 3, capacity=0.3).order.tolist() == [0, 1, 2]
