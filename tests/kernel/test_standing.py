"""Standing and the three ways of counting, where the tests of logs do not look: at the arrays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from salesfunnel.kernel import runs
from salesfunnel.kernel.entries import Columns, Entries
from salesfunnel.kernel.runs import Runs, collapse
from salesfunnel.kernel.standing import (
    CHURNED,
    LOST,
    NEVER,
    NOWHERE,
    OPEN,
    WON,
    StageMasks,
    StageSums,
    actual,
    count_masks,
    count_reached,
    first_entries,
    reached,
    standing,
    strict,
)

# Stages 0 and 1 before the sale and 2 after it; 3 is WON, 4 is LOST.
HISTORIES = [[0, 1, 0, 1], [0, 3, 4], [1, 2, 3], [4], [0, 3, 1, 2]]


def runs_of(histories: list[list[int]]) -> Runs:
    lengths = [len(history) for history in histories]
    entries = Columns(
        np.repeat(np.arange(len(histories)), lengths),
        np.array([state for history in histories for state in history], np.uint8),
        np.arange(sum(lengths)) * 10,
    )
    return collapse(Entries.of_columns(entries))


@pytest.fixture(params=["usual chunks", "tiny chunks"], autouse=True)
def chunk_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "tiny chunks":
        monkeypatch.setattr(runs, "CHUNK", 4)


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
    nobody = runs_of([])
    where = standing(nobody, 3, 2)

    assert [len(column) for column in where] == [0] * 5
    assert first_entries(nobody, 5).shape == (0, 5)
    for masks in (reached(where, 3), actual(nobody, where, 3, 2), strict(nobody, where, 3)):
        assert {mask.shape for mask in masks} == {(0, 3)}
    for n_groups in (0, 1):
        group = np.zeros(0, np.int64)
        assert count_reached(where, 3, group, n_groups).entered.shape == (n_groups, 3)
        assert count_masks([], 3, group, n_groups).entered.shape == (n_groups, 3)


@pytest.mark.parametrize("mode", ["reached", "actual", "strict"])
def test_opportunities_are_counted_by_group(mode: str) -> None:
    histories = runs_of(HISTORIES)
    where = standing(histories, 3, 2)
    group = np.array([1, 0, 1, 3, 1])

    def masks(piece: Runs, members: slice) -> StageMasks:
        if mode == "actual":
            return actual(piece, where.of(members), 3, 2)
        return strict(piece, where.of(members), 3)

    def count(group: NDArray[np.int64] | None, n_groups: int) -> StageSums:
        if mode == "reached":
            return count_reached(where, 3, group, n_groups)
        pieces = ((members, masks(piece, members)) for members, piece in histories.pieces())
        return count_masks(pieces, 3, group, n_groups)

    everyone = slice(0, len(HISTORIES))
    expected = reached(where, 3) if mode == "reached" else masks(histories, everyone)
    by_group, together = count(group, 4), count(None, 1)
    for mask, counts, total in zip(expected, by_group, together, strict=True):
        assert counts.tolist() == [mask[group == g].sum(axis=0).tolist() for g in range(4)]
        assert total.tolist() == [mask.sum(axis=0).tolist()]
