"""The generated entries are what the benchmark says they are."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.data import (
    N_OWNERS,
    N_STATES,
    Entries,
    by_opportunity_and_time,
    entries,
    owner_by_entry,
    owner_by_opportunity,
    string_ids,
)

N = 50_000
YEAR = 365.25 * 86_400e6


def within_histories(data: Entries) -> Entries:
    """Return the steps from each entry to the next of its opportunity, 0 where nothing changes."""
    same = data.opportunity[1:] == data.opportunity[:-1]
    return Entries(
        data.opportunity[1:][same],
        (data.state[1:] ^ data.state[:-1])[same],
        np.diff(data.time)[same],
    )


@pytest.mark.parametrize("n", [1, 10, N])
def test_there_are_as_many_entries_as_asked_for_and_about_four_a_history(n: int) -> None:
    data = entries(n)
    assert [len(column) for column in data] == [n, n, n]
    assert data.n_opportunities <= n // 4 + 1
    assert set(np.unique(data.state)) <= set(range(N_STATES))


def test_all_states_occur_within_some_three_years() -> None:
    data = entries(N)
    assert len(np.unique(data.state)) == N_STATES
    assert 2.5 * YEAR < np.ptp(data.time) < 3.7 * YEAR


def test_the_same_seed_gives_the_same_entries_shuffled_or_not() -> None:
    shuffled, ordered = entries(N), entries(N, shuffled=False)
    assert (np.diff(shuffled.opportunity) < 0).any()
    for column, expected in zip(by_opportunity_and_time(shuffled), ordered, strict=True):
        np.testing.assert_array_equal(column, expected)


@pytest.mark.parametrize("unit", ["microsecond", "second", "day"])
def test_no_history_has_a_tie_or_a_repeat(unit: str) -> None:
    steps = within_histories(entries(N, unit=unit, shuffled=False))
    assert (steps.time > 0).all()
    assert (steps.state != 0).all()


def test_with_ties_a_third_of_the_entries_share_their_date_with_another() -> None:
    data = entries(N, unit="day", tied=0.24)
    _, which, times = np.unique(
        np.stack([data.opportunity, data.time]), axis=1, return_inverse=True, return_counts=True
    )
    assert (times[which] > 1).mean() == pytest.approx(1 / 3, abs=0.02)


def bits(data: Entries) -> int:
    spans = (data.n_opportunities - 1, int(np.ptp(data.time)), N_STATES - 1)
    return sum(span.bit_length() for span in spans)


def test_only_microseconds_need_more_than_63_bits() -> None:
    assert bits(entries(N, unit="microsecond")) > 63
    data = entries(N)
    assert bits(data._replace(time=data.time // 1_000_000)) <= 63


def test_owners_stay_with_an_opportunity_or_change_at_one_entry_in_ten() -> None:
    data = entries(N)
    constant, changing = owner_by_opportunity(data), owner_by_entry(data)
    assert len(np.unique(np.stack([data.opportunity, constant]), axis=1).T) == data.n_opportunities
    assert 0 <= constant.min() <= constant.max() < N_OWNERS
    assert (changing != constant).mean() == pytest.approx(0.1, abs=0.01)


def test_each_opportunity_has_an_identifier_of_its_own_of_18_characters() -> None:
    data = entries(N)
    ids = string_ids(data)
    assert ids.dtype == "U18"
    assert {len(text) for text in ids.tolist()} == {18}
    pairs = {*zip(ids.tolist(), data.opportunity.tolist(), strict=True)}
    assert len(pairs) == len({text for text, _ in pairs}) == data.n_opportunities
