"""Standing and the three ways of counting, where the tests of logs do not look: at the arrays."""

from __future__ import annotations

import numpy as np
import pytest

from salesfunnel.kernel.runs import Runs, collapse
from salesfunnel.kernel.standing import (
    CHURNED,
    LOST,
    NEVER,
    NOWHERE,
    OPEN,
    WON,
    StageMasks,
    actual,
    count_by_stage,
    first_entries,
    reached,
    standing,
    strict,
)

# Stages 0 and 1 before the sale and 2 after it; 3 is WON, 4 is LOST.
HISTORIES = [[0, 1, 0, 1], [0, 3, 4], [1, 2, 3], [4], [0, 3, 1, 2]]


def runs_of(histories: list[list[int]]) -> Runs:
    lengths = [len(history) for history in histories]
    return collapse(
        np.repeat(np.arange(len(histories)), lengths),
        np.array([state for history in histories for state in history], np.uint8),
        np.arange(sum(lengths)) * 10,
    )


def test_standing_tells_status_furthest_last_before_and_sale() -> None:
    where = standing(runs_of(HISTORIES), 3, 2)

    assert where.status.tolist() == [OPEN, CHURNED, WON, LOST, WON]
    assert where.furthest.tolist() == [1, 2, 3, 0, 2]
    assert where.last.tolist() == [1, 4, 3, 4, 2]
    assert where.before.tolist() == [0, 3, 2, NOWHERE, 1]
    assert where.sale.tolist() == [-1, 5, 8, -1, 14]
    assert where.status.dtype == where.furthest.dtype == where.before.dtype == np.uint8


def test_first_entries_are_the_first_ones() -> None:
    assert first_entries(runs_of(HISTORIES), 5).tolist() == [
        [0, 10, NEVER, NEVER, NEVER],
        [40, NEVER, NEVER, 50, 60],
        [NEVER, 70, 80, 90, NEVER],
        [NEVER, NEVER, NEVER, NEVER, 100],
        [110, 130, 140, 120, NEVER],
    ]
    assert np.isnat(np.array([NEVER]).view("datetime64[us]")).all()


def test_nothing_stands_nowhere() -> None:
    runs = runs_of([])
    where = standing(runs, 3, 2)

    assert [len(column) for column in where] == [0] * 5
    assert first_entries(runs, 5).shape == (0, 5)
    for masks in (reached(where, 3), actual(runs, where, 3, 2), strict(runs, where, 3)):
        assert {mask.shape for mask in masks} == {(0, 3)}
        assert count_by_stage(masks.entered, None, 0).tolist() == [0, 0, 0]
        assert count_by_stage(masks.entered, np.zeros(0, np.int64), 0).shape == (0, 3)


@pytest.mark.parametrize("mode", [reached, actual, strict])
def test_opportunities_are_counted_by_group(mode: object) -> None:
    runs = runs_of(HISTORIES)
    where = standing(runs, 3, 2)
    masks: StageMasks = (
        reached(where, 3)
        if mode is reached
        else actual(runs, where, 3, 2)
        if mode is actual
        else strict(runs, where, 3)
    )
    group = np.array([1, 0, 1, 3, 1])

    for mask in masks:
        by_group = count_by_stage(mask, group, 4)
        assert by_group.shape == (4, 3)
        assert by_group.tolist() == [mask[group == g].sum(axis=0).tolist() for g in range(4)]
        assert by_group.sum(axis=0).tolist() == count_by_stage(mask, None, 0).tolist()
