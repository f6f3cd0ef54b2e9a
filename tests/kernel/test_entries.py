"""Entries arranged and packed, and their flow, against plain sorting and counting."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.kernel import flow, packing
from salesfunnel.kernel.entries import Columns, Entries, arrange
from salesfunnel.kernel.flow import add_up
from salesfunnel.kernel.packing import pack

N_STATES = 5
DAY = 86_400_000_000
ROWS = list[tuple[int, int, int]]


@pytest.fixture(params=["usual chunks", "tiny chunks"], autouse=True)
def chunk_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that these few rows fill several of them must change nothing."""
    if request.param == "tiny chunks":
        monkeypatch.setattr(packing, "CHUNK", 4)
        monkeypatch.setattr(packing, "_SPLIT_CHUNK", 4)
        monkeypatch.setattr(packing.chunks, "__defaults__", (4,))
        monkeypatch.setattr(flow, "CHUNK", 4)


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


@given(histories(), st.booleans(), st.booleans(), st.booleans())
def test_entries_are_arranged_by_opportunity_and_time_and_ties_as_asked(
    rows: ROWS, by_state: bool, want_rows: bool, presorted: bool
) -> None:
    if presorted:
        rows = sorted(rows, key=lambda row: row[:2])
    given_columns = columns(rows)

    entries, order = arrange(
        given_columns.opportunity,
        given_columns.time,
        given_columns.state,
        N_STATES,
        by_state=by_state,
        want_rows=want_rows,
    )

    numbered = sorted(
        enumerate(rows), key=lambda item: item[1] if by_state else item[1][:2]
    )  # stable: what ranks equal keeps the input order
    expected = [row for _, row in numbered]
    assert (
        list(
            zip(
                *(c.tolist() for c in (entries.opportunity, entries.time, entries.state)),
                strict=True,
            )
        )
        == expected
    )
    assert len(entries) == len(rows)
    assert entries.last_time == max((row[1] for row in rows), default=None)
    assert entries.first_rows.tolist() == [
        i for i, row in enumerate(expected) if i == 0 or expected[i - 1][0] != row[0]
    ]
    if want_rows and order is not None:
        assert order.tolist() == [number for number, _ in numbered]
    if want_rows and order is None:
        assert expected == rows


@given(histories(), st.booleans(), st.integers(-2, 42))
def test_the_flow_adds_up_transition_by_transition(
    rows: ROWS, keep_repeats: bool, place: int
) -> None:
    given_columns = columns(rows)
    entries, _ = arrange(
        given_columns.opportunity,
        given_columns.time,
        given_columns.state,
        N_STATES,
        want_rows=False,
    )
    times = sorted(row[1] for row in rows)
    until = times[min(place, len(times) - 1)] if times and place >= 0 else None

    sums = add_up(entries, N_STATES, until=until, keep_repeats=keep_repeats)

    counts = np.zeros((N_STATES, N_STATES), int)
    micro = np.zeros((N_STATES, N_STATES), object)
    starts, ends = [0] * N_STATES, [0] * N_STATES
    ordered = sorted(rows, key=lambda row: row[:2])
    for _, entered in groupby(ordered, key=lambda row: row[0]):
        history = [row for row in entered if until is None or row[1] <= until]
        if not keep_repeats:
            history = [next(run) for _, run in groupby(history, key=lambda row: row[2])]
        if history:
            starts[history[0][2]] += 1
            ends[history[-1][2]] += 1
        for source, target in pairwise(history):
            counts[source[2], target[2]] += 1
            micro[source[2], target[2]] += target[1] - source[1]
    assert sums.counts.tolist() == counts.tolist()
    assert (sums.seconds.astype(object) * 1_000_000 + sums.microseconds).tolist() == micro.tolist()
    assert (sums.microseconds < 1_000_000).all()
    assert sums.starts.tolist() == starts
    assert sums.ends.tolist() == ends


@given(histories())
def test_entries_kept_in_columns_have_the_same_flow_as_packed_ones(rows: ROWS) -> None:
    given_columns = columns(sorted(rows, key=lambda row: row[:2]))
    packed, _ = arrange(
        given_columns.opportunity, given_columns.time, given_columns.state, N_STATES
    )

    flows = [add_up(entries, N_STATES) for entries in (packed, Entries(columns=given_columns))]

    assert [part.tolist() for part in flows[0]] == [part.tolist() for part in flows[1]]


def test_a_key_that_does_not_fit_is_split_by_opportunities() -> None:
    time = np.array([0, 2**47 - 1, 5, 6])
    opportunity = np.array([2**17, 3, 2**17, 0])
    state = np.array([1, 2, 3, 0], np.uint8)

    packed = pack(opportunity, time, state, 3)

    assert packed is not None
    assert len(packed.first) == 2
    assert packed.opportunity(0, 4).tolist() == [0, 3, 2**17, 2**17]
    assert packed.time(0, 4).tolist() == [6, 2**47 - 1, 0, 5]
    assert packed.low(0, 4).tolist() == [0, 2, 1, 3]
    assert pack(opportunity, time, state, 3, whole=True) is None


def test_a_few_times_of_another_unit_narrow_the_unit() -> None:
    time = np.arange(3_000) * 1_000_000
    time[-1] += 250_000

    packed = pack(np.zeros(3_000, np.int64), time, np.zeros(3_000, np.uint8), 1)

    assert packed is not None
    assert packed.layout.unit == 250_000
    assert packed.time(0, 3_000).tolist() == time.tolist()


def test_a_sum_beyond_64_bits_of_microseconds_is_exact() -> None:
    n = 40
    time = np.tile([-(2**62) // 10, 2**62 // 10], n)
    entries = Entries(
        columns=Columns(np.repeat(np.arange(n), 2), np.tile(np.array([0, 1], np.uint8), n), time)
    )

    sums = add_up(entries, 2)  # beyond 64 bits of microseconds, which is exact all the same

    assert int(sums.seconds[0, 1]) * 1_000_000 + int(sums.microseconds[0, 1]) == n * int(
        time[1] - time[0]
    )


def test_what_is_kept_is_not_the_callers_to_change() -> None:
    opportunity, time = np.array([0, 1]), np.array([5, 6])
    state = np.array([1, 2], np.uint8)
    entries, _ = arrange(opportunity, time, state, 3)

    opportunity[0] = time[0] = state[0] = 0

    assert entries.state.tolist() == [1, 2]
    assert entries.time.tolist() == [5, 6]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 4)), max_size=30))
def test_ties_keep_the_input_order_where_a_key_has_no_room_for_the_row(rows: ROWS) -> None:
    wide = [(0, 0, 0), (2**20 - 1, 2**40 - 1, 0), *rows]
    filled = wide + [(5, 7, 4)] * (64 - len(wide))
    given_columns = columns(filled)
    opportunity, state, time = given_columns
    assert pack(opportunity, time, None, 6, whole=True) is None

    entries, order = arrange(opportunity, time, state, N_STATES, want_rows=False)

    expected = sorted(filled, key=lambda row: row[:2])
    assert entries.beside is None
    assert order is None
    assert entries.state.tolist() == [row[2] for row in expected]
    assert entries.time.tolist() == [row[1] for row in expected]


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4"])
def test_identifiers_of_every_width_are_packed_without_overflow(dtype: str) -> None:
    limits = np.iinfo(dtype)
    opportunity = np.array([limits.max, limits.min, limits.max, 5], dtype)
    time = np.array([3 * DAY, 2 * DAY, DAY, DAY + 1])
    state = np.array([1, 2, 3, 4], np.uint8)
    for want_rows in (False, True):
        entries, _ = arrange(opportunity, time, state, N_STATES, want_rows=want_rows)

        found = zip(*(column.tolist() for column in entries), strict=True)
        rows = zip(opportunity.tolist(), state.tolist(), time.tolist(), strict=True)
        assert list(found) == sorted(rows, key=lambda row: (row[0], row[2]))
