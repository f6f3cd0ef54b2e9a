"""Transitions, and from×to matrices."""

from __future__ import annotations

import numpy as np
import pytest

from salesfunnel.kernel.entries import Columns, Entries
from salesfunnel.kernel.runs import collapse
from salesfunnel.kernel.transitions import count_pairs, transitions


def test_transitions_are_between_runs_of_one_opportunity() -> None:
    entries = Columns(
        np.array([0, 0, 0, 1, 2, 2]),
        np.array([0, 0, 1, 2, 1, 0], np.uint8),
        np.array([0, 5, 7, 1, 2, 2]),
    )
    runs = collapse(Entries.of_columns(entries))

    moves = transitions(runs)

    assert moves.source.tolist() == [0, 1]
    assert moves.target.tolist() == [1, 0]
    assert moves.duration.tolist() == [7, 0]
    assert moves.run.tolist() == [1, 4]


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
