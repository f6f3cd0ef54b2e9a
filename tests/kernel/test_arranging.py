"""Entries and what travels with them, and their flow, where there are more than fill a chunk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.kernel.arranging import arrange
from salesfunnel.kernel.constant import Constant
from salesfunnel.kernel.flow import add_up
from salesfunnel.kernel.packing import Field, pack, span_of

N_STATES = 5
ROWS = list[tuple[int, int, int]]
histories = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 40), st.integers(0, N_STATES - 1)), max_size=40
)


@given(histories, st.booleans())
def test_codes_travel_in_keys_and_keep_the_input_order_of_ties(rows: ROWS, room: bool) -> None:
    # So many rows, over so long a time, that their numbers have no room in a key.
    bits = 39 if room else 44
    wide = [(0, 0, 0), (2**12 - 1, 2**bits - 1, 0)]
    filled = wide + [(row[0] % 4, row[1] % 5, row[2]) for row in rows] + [(5, 7, 4)] * 4_000
    opportunity, time = (np.array([row[place] for row in filled]) for place in (0, 1))
    state = np.array([row[2] for row in filled], np.uint8)
    span = span_of(opportunity, time)
    assert pack(opportunity, time, [Field(None, 12)], span, whole=True) is None or room
    codes = (np.arange(len(filled)) % 9 - 1).astype(np.int8)

    arranged = arrange(opportunity, time, state, N_STATES, along=[codes])

    numbered = sorted(enumerate(filled), key=lambda item: item[1][:2])
    assert arranged.entries.state.tolist() == [row[2] for _, row in numbered]
    assert arranged.entries.time.tolist() == [row[1] for _, row in numbered]
    along = arranged.along[0]
    assert not isinstance(along, Constant)
    assert along.tolist() == [int(codes[number]) for number, _ in numbered]


@pytest.mark.parametrize("n_states", [9, 12, 181, 200, 252])
def test_funnels_of_every_length_are_counted_with_and_without_durations(n_states: int) -> None:
    rng = np.random.default_rng(n_states)
    n = 70_000
    opportunity = np.sort(rng.integers(0, n // 4, n))
    state = rng.integers(0, n_states, n).astype(np.uint8)
    entries = arrange(opportunity, np.arange(n), state, n_states).entries
    expected = np.zeros((n_states, n_states), int)
    same = opportunity[1:] == opportunity[:-1]
    np.add.at(expected, (state[:-1][same], state[1:][same]), 1)

    for durations in (True, False):
        added = add_up(entries, n_states, keep_repeats=True, durations=durations)

        assert added.counts.tolist() == expected.tolist()
        assert (
            added.starts.tolist()
            == np.bincount(state[entries.first_rows], minlength=n_states).tolist()
        )
        assert added.ends.sum() == len(entries.first_rows)
