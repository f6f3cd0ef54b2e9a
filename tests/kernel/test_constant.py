"""What opportunities keep, against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.kernel import constant
from salesfunnel.kernel.constant import Constant, Distances, in_order
from salesfunnel.kernel.entries import Columns, Entries

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 1)), min_size=1, max_size=30)


@pytest.fixture(params=["usual chunks", "tiny chunks"], autouse=True)
def chunk_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "tiny chunks":
        monkeypatch.setattr(constant, "CHUNK", 2)


@given(rows, st.sampled_from([0, -3, 2**40]), st.sampled_from([1, 3]))
def test_a_column_is_kept_where_each_opportunity_has_one_value(
    members: list[tuple[int, int]], first: int, apart: int
) -> None:
    opportunity = np.array([first + apart * member for member, _ in members])
    column = np.array([value for _, value in members], np.int8)
    reach = int(opportunity.min()), int(opportunity.max())
    has_room = reach[1] - reach[0] + 1 <= 4 * len(column) + vars(constant)["CHUNK"]
    keeps = has_room and len(set(members)) == len({member for member, _ in members})

    values = Distances(opportunity, reach).values(column)

    assert (values is not None) == keeps
    if values is not None:
        assert values.dtype == np.int8
        assert values[opportunity - reach[0]].tolist() == column.tolist()
        ordered = np.sort(opportunity)
        state = np.zeros(len(ordered), np.uint8)
        entries = Entries.of_columns(Columns(ordered, state, np.arange(len(ordered))))
        (own,) = in_order([values], entries, reach)
        value_of = dict(zip(opportunity.tolist(), column.tolist(), strict=True))
        assert own.values.tolist() == [value_of[member] for member in np.unique(ordered).tolist()]
        assert own.at_entries(entries.new).tolist() == [value_of[m] for m in ordered.tolist()]


def test_amounts_that_are_missing_throughout_are_kept() -> None:
    column = np.array([np.nan, 2.5, np.nan])

    values = Distances(np.array([1, 0, 1]), (0, 1)).values(column)

    assert values is not None
    np.testing.assert_array_equal(values, [2.5, np.nan])


def test_opportunities_far_apart_have_no_table() -> None:
    distances = Distances(np.array([0, 2**40]), (0, 2**40))

    assert not distances.may_keep(np.zeros(2, np.int8))
    assert distances.values(np.zeros(2, np.int8)) is None


def test_the_first_rows_tell_what_may_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constant, "CHUNK", 1)
    distances = Distances(np.array([0, 1, 2, 3, 0]), (0, 3))
    late = np.array([7, 7, 7, 7, 8])

    assert distances.may_keep(late)
    assert distances.values(late) is None


def test_no_tables_give_nothing() -> None:
    entries = Entries.of_columns(
        Columns(np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0, np.int64))
    )

    assert in_order([], entries, (0, 0)) == []
    assert Constant(np.zeros(0, np.int8)).at_entries(entries.new).tolist() == []
