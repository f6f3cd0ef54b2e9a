"""Entries arranged and packed, and their flow, against plain sorting and counting."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.kernel import (
    arranging,
    clock,
    constant,
    flow,
    groupflow,
    ordering,
    packing,
    presorted,
    sums,
    ties,
)
from salesfunnel.kernel.arranging import arrange
from salesfunnel.kernel.constant import Constant
from salesfunnel.kernel.entries import Columns, Entries
from salesfunnel.kernel.flow import add_up
from salesfunnel.kernel.groupflow import Grouped
from salesfunnel.kernel.packing import Field, Packed, pack, span_of
from salesfunnel.kernel.sums import MICRO, ExactSums

N_STATES = 5
DAY = 86_400_000_000
ROWS = list[tuple[int, int, int]]


@pytest.fixture(params=["usual chunks", "tiny chunks"], autouse=True)
def chunk_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that these few rows fill several of them must change nothing."""
    if request.param == "tiny chunks":
        for module in (arranging, clock, constant, groupflow, flow, ordering, packing, presorted):
            monkeypatch.setattr(module, "CHUNK", 4)
        for module in (sums, ties):
            monkeypatch.setattr(module, "CHUNK", 4)
        monkeypatch.setattr(sums, "MANY_CELLS", 2 * N_STATES**2)
        monkeypatch.setattr(packing, "_SPLIT_CHUNK", 4)


def columns(rows: ROWS) -> Columns:
    opportunity, time, state = zip(*rows, strict=True) if rows else ((), (), ())
    return Columns(
        np.array(opportunity, np.int64), np.array(state, np.uint8), np.array(time, np.int64)
    )


@st.composite
def histories(draw: st.DrawFn) -> ROWS:
    """Rows of (opportunity, time, state) on several scales of identifiers and of time."""
    first = draw(st.sampled_from([0, -7, 2**40, -(2**61)]))
    unit = draw(st.sampled_from([1, 1_000, 1_000_000, DAY]))
    start = draw(st.sampled_from([0, -62_135_596_800_000_000, 1_600_000_000_000_000]))
    last = draw(st.sampled_from([1, 40, 2**20, 315_000_000_000_000_000])) // unit
    apart = draw(st.sampled_from([1, 1, 2**18, 2**57]))
    row = st.tuples(st.integers(0, 12), st.integers(0, last), st.integers(0, N_STATES - 1))
    return [
        (first + opportunity * apart, start + time * unit, state)
        for opportunity, time, state in draw(st.lists(row, max_size=40))
    ]


def packed_with_state(rows: Columns, state_bits: int, *, whole: bool = False) -> Packed | None:
    opportunity, state, time = rows
    fields = [Field(state, state_bits)]
    return pack(opportunity, time, fields, span_of(opportunity, time), whole=whole)


def micro(exact_sums: ExactSums | None) -> list[Any]:
    assert exact_sums is not None
    assert ((exact_sums.micro >= 0) & (exact_sums.micro < MICRO)).all()
    exact: list[Any] = (exact_sums.whole.astype(object) * MICRO + exact_sums.micro).tolist()
    return exact


# ── arranging ─────────────────────────────────────────────────────────────────────────────────────


@given(histories(), st.sampled_from(["input", "state", "order"]), st.booleans(), st.data())
def test_entries_are_arranged_by_opportunity_and_time_and_ties_as_asked(
    rows: ROWS, settled: str, in_order: bool, data: st.DataObject
) -> None:
    numbers = st.lists(
        st.integers(-3, 3) | st.integers(-(2**62), 2**62), min_size=len(rows), max_size=len(rows)
    )
    order = data.draw(numbers)

    def key(item: tuple[int, tuple[int, int, int]]) -> tuple[int, ...]:
        number, row = item
        if settled == "input":
            return row[:2]
        return row if settled == "state" else (*row[:2], order[number])

    if in_order:
        order.sort()
        rows = [row for _, row in sorted(enumerate(rows), key=key)]
    given_columns = columns(rows)
    few, many = np.arange(len(rows)) % 3 - 1, np.arange(len(rows)) * 10**6 - 1
    amounts = np.where(few < 0, np.nan, many / 3)
    # What never changes within an opportunity travels another way.
    own = (given_columns.opportunity % 7).astype(np.int8)
    given_along: list[NDArray[Any]] = [few.astype(np.int8), many, amounts, own, own / 2]

    arranged = arrange(
        given_columns.opportunity,
        given_columns.time,
        given_columns.state,
        N_STATES,
        by_state=settled == "state",
        order=np.array(order, np.int64) if settled == "order" else None,
        along=given_along,
    )

    entries, names = arranged.entries, arranged.opportunities
    opportunity = entries.opportunity if names is None else names[entries.opportunity]
    numbered = sorted(enumerate(rows), key=key)  # stable: what ranks equal keeps the input order
    expected = [row for _, row in numbered]
    places = [number for number, _ in numbered]
    found = [column.tolist() for column in (opportunity, entries.time, entries.state)]
    assert list(zip(*found, strict=True)) == expected
    assert len(entries) == len(rows)
    times = [row[1] for row in rows]
    assert entries.time_bounds == ((min(times), max(times)) if rows else None)
    assert entries.first_rows.tolist() == [
        i for i, row in enumerate(expected) if i == 0 or expected[i - 1][0] != row[0]
    ]
    assert entries.repeats == any(a[0] == b[0] and a[2] == b[2] for a, b in pairwise(expected))
    for column, along in zip(given_along, arranged.along, strict=True):
        whole = along.at_entries(entries.new) if isinstance(along, Constant) else along
        np.testing.assert_array_equal(whole, column[places])
        assert whole.dtype == column.dtype
    if settled == "order":
        assert arranged.order is not None
        assert arranged.order.tolist() == [order[place] for place in places]


def test_no_opportunity_passes_for_another_that_is_as_far_apart_as_a_key_is_wide() -> None:
    # In a key of 63 bits the second one, so far from the first, would look like the first.
    opportunity = np.array([5, 5, 5, 5, 5 + 2**60, 6, 6, 6])
    time = np.array([0, 1, 2, 7, 7, 0, 1, 2**20])
    state = np.arange(8, dtype=np.uint8) % N_STATES

    arranged = arrange(opportunity, time, state, N_STATES)

    assert not ordering.is_sorted(opportunity, time)
    names = arranged.opportunities
    assert names is not None
    assert names[arranged.entries.opportunity].tolist() == sorted(opportunity.tolist())
    assert arranged.entries.time.tolist() == [0, 1, 2, 7, 0, 1, 2**20, 7]


def test_what_is_kept_is_not_the_callers_to_change() -> None:
    opportunity, time = np.array([0, 1]), np.array([5, 6])
    state = np.array([1, 2], np.uint8)
    entries = arrange(opportunity, time, state, 3).entries

    opportunity[0] = time[0] = state[0] = 0

    assert entries.state.tolist() == [1, 2]
    assert entries.time.tolist() == [5, 6]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 4)), max_size=30))
def test_ties_keep_the_input_order_where_a_key_has_no_room_for_the_row(rows: ROWS) -> None:
    wide = [(0, 0, 0), (2**20 - 1, 2**40 - 1, 0), *rows]
    filled = wide + [(5, 7, 4)] * (64 - len(wide))
    given_columns = columns(filled)
    opportunity, state, time = given_columns
    span = span_of(opportunity, time)
    assert pack(opportunity, time, [Field(None, 6)], span, whole=True) is None

    entries = arrange(opportunity, time, state, N_STATES).entries

    expected = sorted(filled, key=lambda row: row[:2])
    assert entries.state_in_key
    assert entries.state.tolist() == [row[2] for row in expected]
    assert entries.time.tolist() == [row[1] for row in expected]


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4"])
def test_identifiers_of_every_width_are_packed_without_overflow(dtype: str) -> None:
    limits = np.iinfo(dtype)
    opportunity = np.array([limits.max, limits.min, limits.max, 5], dtype)
    time = np.array([3 * DAY, 2 * DAY, DAY, DAY + 1])
    state = np.array([1, 2, 3, 4], np.uint8)
    for along in ([], [np.arange(4) / 2]):
        arranged = arrange(opportunity, time, state, N_STATES, along=along)

        codes, *others = (column.tolist() for column in arranged.entries)
        names = arranged.opportunities
        found = zip(codes if names is None else names[codes].tolist(), *others, strict=True)
        rows = zip(opportunity.tolist(), state.tolist(), time.tolist(), strict=True)
        assert list(found) == sorted(rows, key=lambda row: (row[0], row[2]))


# ── packing ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("threads", [False, True])
def test_a_key_that_does_not_fit_is_split_by_opportunities(threads: bool) -> None:
    time = np.array([0, 2**47 - 1, 5, 6])
    opportunity = np.array([2**17, 3, 2**17, 0])
    given_columns = Columns(opportunity, np.array([1, 2, 3, 0], np.uint8), time)

    span = span_of(opportunity, time)
    packed = pack(opportunity, time, [Field(given_columns.state, 3)], span, threads=threads)

    assert packed is not None
    assert len(packed.first) == 2
    assert packed.opportunity(0, 4).tolist() == [0, 3, 2**17, 2**17]
    assert packed.opportunity_at(np.array([3, 0, 1])).tolist() == [2**17, 0, 3]
    assert packed.time(0, 4).tolist() == [6, 2**47 - 1, 0, 5]
    assert packed.field(0, slice(0, 4)).tolist() == [0, 2, 1, 3]
    assert packed_with_state(given_columns, 3, whole=True) is None


@pytest.mark.parametrize("n_parts", [3, 40])
@pytest.mark.parametrize("threads", [False, True])
def test_many_keys_are_split_into_parts_in_the_order_of_opportunities_and_times(
    n_parts: int, threads: bool
) -> None:
    rng = np.random.default_rng(n_parts)
    n = 3_000
    opportunity, time = rng.integers(0, n_parts << 8, n) - 7, rng.integers(0, 2**50, n)
    state = rng.integers(0, 16, n).astype(np.uint8)
    time[:2], opportunity[:2] = (0, 2**50), (-7, (n_parts << 8) - 8)

    packed = pack(opportunity, time, [Field(state, 4)], span_of(opportunity, time), threads=threads)

    assert packed is not None
    assert len(packed.first) == n_parts
    order = np.lexsort((state, time, opportunity))
    assert np.array_equal(packed.opportunity(0, n), opportunity[order])
    assert np.array_equal(packed.time(0, n), time[order])
    assert np.array_equal(packed.field(0, slice(None)), state[order])


@pytest.mark.parametrize("narrower", [250_000, 1, 64, 500_000, 15_625])
def test_a_few_times_of_another_unit_narrow_the_unit(narrower: int) -> None:
    time = np.arange(3_000) * 1_000_000
    time[-1] += narrower

    nothing = np.zeros(3_000, np.int64)

    packed = packed_with_state(Columns(nothing, nothing.astype(np.uint8), time), 1)

    assert packed is not None
    assert packed.layout.unit == np.gcd(narrower, 1_000_000)
    assert packed.time(0, 3_000).tolist() == time.tolist()


# ── adding up ─────────────────────────────────────────────────────────────────────────────────────


@given(
    histories(),
    st.booleans(),
    st.integers(-2, 42),
    st.sampled_from(["", "entry", "opportunity"]),
    st.booleans(),
)
def test_the_flow_adds_up_transition_by_transition(
    rows: ROWS, keep_repeats: bool, place: int, grouped: str, in_columns: bool
) -> None:
    given_columns = columns(rows)
    entries = arrange(
        given_columns.opportunity, given_columns.time, given_columns.state, N_STATES
    ).entries
    if in_columns:
        entries = Entries.of_columns(Columns(*entries))
    times = sorted(row[1] for row in rows)
    until = times[min(place, len(times) - 1)] if times and place >= 0 else None
    known = None if until is None else entries.time <= until
    numbers = np.arange(len(rows))
    # Groups and amounts of a run are those of its first entry, whatever the other ones have.
    group, amounts = numbers % 3, numbers * 2**50 - 2**53
    codes: NDArray[np.int8] | Constant = group.astype(np.int8)
    if grouped == "opportunity":
        own = np.arange(len(entries.first_rows)) % 3
        group = np.repeat(own, np.diff(entries.first_rows, append=len(rows)))
        there = slice(None) if known is None else known[entries.first_rows]
        codes = Constant(own.astype(np.int8)[there])

    added = add_up(
        entries,
        N_STATES,
        known=known,
        keep_repeats=keep_repeats,
        groups=Grouped(codes, 3) if grouped else None,
        amounts=amounts,
    )

    shape = (3, N_STATES) if grouped else (1, N_STATES)
    counts = np.zeros((*shape, N_STATES), int)
    duration, amount = (np.zeros((*shape, N_STATES), object) for _ in range(2))
    starts, ends = np.zeros(shape, int), np.zeros(shape, int)
    ordered = list(enumerate(zip(*(c.tolist() for c in entries), strict=True)))
    for _, entered in groupby(ordered, key=lambda item: item[1][0]):
        history = [(n, row) for n, row in entered if until is None or row[2] <= until]
        if not keep_repeats:
            history = [next(run) for _, run in groupby(history, key=lambda item: item[1][1])]
        in_group = [int(group[n]) if grouped else 0 for n, _ in history]
        if history:
            starts[in_group[0], history[0][1][1]] += 1
            ends[in_group[-1], history[-1][1][1]] += 1
        for g, ((_, source), (n, target)) in zip(in_group[1:], pairwise(history), strict=True):
            cell = g, source[1], target[1]
            counts[cell] += 1
            duration[cell] += target[2] - source[2]
            amount[cell] += int(amounts[n])
    expected = [a if grouped else a[0] for a in (counts, duration, amount, starts, ends)]
    assert added.counts.tolist() == expected[0].tolist()
    assert micro(added.durations) == expected[1].tolist()
    assert micro(added.amounts) == expected[2].tolist()
    assert added.starts.tolist() == expected[3].tolist()
    assert added.ends.tolist() == expected[4].tolist()


def test_durations_and_amounts_are_added_up_only_when_asked() -> None:
    entries = Entries.of_columns(columns([(0, 0, 0), (0, 1, 1)]))

    added = add_up(entries, N_STATES, durations=False)

    assert added.durations is None
    assert added.amounts is None
    assert added.counts[0, 1] == 1


def test_a_sum_beyond_64_bits_of_microseconds_is_exact() -> None:
    n = 40
    time = np.tile([-(2**62) // 10, 2**62 // 10], n)
    entries = Entries.of_columns(
        Columns(np.repeat(np.arange(n), 2), np.tile(np.array([0, 1], np.uint8), n), time)
    )

    added = add_up(entries, 2)  # beyond 64 bits of microseconds, which is exact all the same

    assert micro(added.durations)[0] == [0, n * int(time[1] - time[0])]
