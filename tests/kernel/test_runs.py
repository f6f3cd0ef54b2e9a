"""Runs: consecutive entries into one state, seen as one."""

from __future__ import annotations

from collections import Counter
from itertools import chain, groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.kernel import runs as kernel_runs
from salesfunnel.kernel.entries import Columns, Entries
from salesfunnel.kernel.runs import Runs, collapse, last_known_rows, last_known_within

entries = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12).map(
    lambda rows: sorted(rows, key=lambda row: row[0])
)


def entries_of(rows: list[tuple[int, int]]) -> Entries:
    """Return rows of opportunity and state as entries, each row an hour after the one before."""
    return Entries.of_columns(
        Columns(
            np.array([row[0] for row in rows], np.int32),
            np.array([row[1] for row in rows], np.uint8),
            np.arange(len(rows)) * 10,
        )
    )


def plain(runs: Runs) -> dict[str, list[int]]:
    names = ("opportunity", "state", "time", "first", "last", "starts", "ends", "member")
    return {name: getattr(runs, name).tolist() for name in names}


@given(entries, st.booleans())
def test_runs_are_what_a_plain_loop_finds(rows: list[tuple[int, int]], keep: bool) -> None:
    numbered = list(enumerate(rows))
    groups = [
        list(group) for _, group in groupby(numbered, key=lambda row: row if keep else row[1])
    ]
    firsts, lasts = [group[0] for group in groups], [group[-1][0] for group in groups]
    present = list(dict.fromkeys(opportunity for opportunity, _ in rows))
    owners = [opportunity for _, (opportunity, _) in firsts]

    runs = collapse(entries_of(rows), keep_repeats=keep)

    assert plain(runs) == {
        "opportunity": owners,
        "state": [state for _, (_, state) in firsts],
        "time": [row * 10 for row, _ in firsts],
        "first": [row for row, _ in firsts],
        "last": lasts,
        "starts": [owners.index(opportunity) for opportunity in present],
        "ends": [len(owners) - 1 - owners[::-1].index(opportunity) for opportunity in present],
        "member": [present.index(opportunity) for opportunity in owners],
    }


@given(entries)
def test_the_state_before_a_run_is_that_of_its_own_opportunity(rows: list[tuple[int, int]]) -> None:
    runs = collapse(entries_of(rows))

    before = runs.before(np.arange(len(runs.state)), none=9)

    states = list(zip(runs.opportunity.tolist(), runs.state.tolist(), strict=True))
    assert before.tolist() == [
        states[i - 1][1] if i and states[i - 1][0] == opportunity else 9
        for i, (opportunity, _) in enumerate(states)
    ]


def test_entries_without_repeats_are_not_copied() -> None:
    entries = entries_of([(0, 0), (0, 1), (1, 1)])

    runs = collapse(entries)

    assert np.shares_memory(runs.time, entries.time)
    assert runs.state is entries.state
    assert runs.last_of(runs.ends) is runs.ends


@given(entries, st.data())
def test_what_does_not_count_yet_is_in_no_run(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    until = data.draw(st.dictionaries(st.sampled_from([0, 1, 2]), st.integers(0, 3)))
    seen: Counter[int] = Counter()
    known = []
    for opportunity, _ in rows:
        known.append(seen[opportunity] < until.get(opportunity, 12))
        seen[opportunity] += 1

    runs = collapse(entries_of(rows), np.array(known, bool))

    there = [row for row, counts in zip(rows, known, strict=True) if counts]
    alone = collapse(entries_of(there))
    for name in ("opportunity", "state", "first", "last", "starts", "ends", "member"):
        assert getattr(runs, name).tolist() == getattr(alone, name).tolist()


@given(entries)
def test_pieces_are_whole_opportunities(rows: list[tuple[int, int]]) -> None:
    runs = collapse(entries_of(rows))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_runs, "CHUNK", 4)
        pieces = list(runs.pieces())

    for name in ("opportunity", "state", "time"):
        parts = [value for _, piece in pieces for value in getattr(piece, name).tolist()]
        assert parts == getattr(runs, name).tolist()
    members = [list(range(*members.indices(len(runs.starts)))) for members, _ in pieces]
    assert list(chain(*members)) == list(range(len(runs.starts)))
    assert [len(piece.starts) for _, piece in pieces] == [len(some) for some in members]


@given(entries, st.data())
def test_the_last_known_row_is_one_of_the_same_opportunity(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    known = np.array([data.draw(st.booleans()) for _ in rows], bool)

    found = last_known_rows(known, entries_of(rows).new)

    first = {opportunity: i for i, (opportunity, _) in reversed(list(enumerate(rows)))}
    assert found.tolist() == [
        max(
            (j for j in range(i + 1) if known[j] and rows[j][0] == rows[i][0]),
            default=first[rows[i][0]],
        )
        for i in range(len(rows))
    ]


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_the_last_known_row_within_a_range(known: list[bool], data: st.DataObject) -> None:
    row = st.integers(0, len(known) - 1)
    ranges = [sorted(pair) for pair in data.draw(st.lists(st.tuples(row, row)))]
    first, last = (np.array([pair[place] for pair in ranges], np.int64) for place in (0, 1))

    found = last_known_within(np.array(known), first, last)

    assert found.tolist() == [
        max((i for i in range(low, high + 1) if known[i]), default=-1) for low, high in ranges
    ]
