"""Milestones: what the oracle says of first entries, status and furthest state."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any

import attrs
import hypothesis
import numpy as np
import pytest
from histories import log_of, oracles, part_of
from hypothesis import given
from hypothesis import strategies as st
from oracle import Oracle

from salesfunnel.errors import MergeError
from salesfunnel.log.milestones import Milestones
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel


@given(oracles(), st.booleans())
def test_milestones_are_what_the_oracle_says(oracle: Oracle, bare: bool) -> None:
    found = log_of(oracle, bare=bare).milestones(as_of=oracle.as_of)

    histories = oracle.histories()
    names = found.opportunity.tolist()
    times = [
        [None if np.isnat(time) else int(time.astype(np.int64)) for time in row]
        for row in found.entered_at
    ]
    assert dict(zip(names, times, strict=True)) == oracle.milestones()
    assert found.status.tolist() == [oracle.status(histories[name]) for name in names]
    assert found.furthest.tolist() == [oracle.furthest(histories[name]) for name in names]
    assert found.last.tolist() == [histories[name][-1].state for name in names]
    assert len(found) == len(histories)


def test_times_are_in_utc_and_never_is_not_a_time() -> None:
    log = StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=["A"],
        stage=["demo"],
        entered_at=["2026-01-31T08:00:00+08:00"],
    )

    found = log.milestones()

    assert found.entered_at.dtype == np.dtype("datetime64[us]")
    assert found.entered_at[0, 1] == np.datetime64("2026-01-31T00:00:00")
    assert np.isnat(found.entered_at[0, [0, 2, 3]]).all()
    assert found.states == ("lead", "demo", "won", "lost")
    assert found.as_of == datetime(2026, 1, 31, tzinfo=UTC)


def test_milestones_cannot_be_changed_under_the_log() -> None:
    log = StageLog.from_columns(
        Funnel(["lead"]), opportunity=["A"], stage=["lead"], entered_at=np.array([0])
    )
    found = log.milestones()

    for column in (found.entered_at, found.status_code, found.furthest, found.last):
        with pytest.raises(ValueError, match="read-only"):
            column[...] = 1


# ── adding ────────────────────────────────────────────────────────────────────────────────────────


def by_opportunity(found: Milestones) -> dict[Hashable, tuple[Any, ...]]:
    times = found.entered_at.view(np.int64).tolist()
    columns = (found.status_code, found.furthest, found.last)
    rows = zip(times, *(column.tolist() for column in columns), strict=True)
    return dict(zip(found.opportunity.tolist(), rows, strict=True))


@given(oracles(), st.sets(st.integers(0, 3)), st.booleans())
def test_parts_add_up_to_the_milestones_of_their_rows(
    oracle: Oracle, places: set[int], bare: bool
) -> None:
    names = list(dict.fromkeys(row.opportunity for row in oracle.rows))
    one = part_of(oracle, {names[place] for place in places if place < len(names)})
    other = part_of(oracle, {*names} - {row.opportunity for row in one.rows})
    a, b = (log_of(part, bare=bare).milestones(as_of=oracle.as_of) for part in (one, other))
    hypothesis.assume(oracle.as_of is not None or a.instant == b.instant)

    both = a + b

    rows = [*one.rows, *other.rows]
    whole = log_of(oracle, rows, bare=bare).milestones(as_of=oracle.as_of)
    assert both == whole
    assert by_opportunity(b + a) == by_opportunity(whole)


def milestones_of(*ids: Hashable, array: bool = False, at: int = 0) -> Milestones:
    log = StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=np.array(ids) if array else list(ids),
        stage=["lead"] * len(ids),
        entered_at=np.full(len(ids), at),
    )
    return log.milestones()


def test_integers_in_arrays_ascend_and_other_identifiers_come_as_they_did() -> None:
    numbers = milestones_of(5, 1, array=True) + milestones_of(3, array=True)
    texts = milestones_of("e", "a") + milestones_of("c")
    mixed = milestones_of("e") + milestones_of(3, array=True) + milestones_of(b"e")

    assert numbers.opportunity.tolist() == [1, 3, 5]
    assert texts.opportunity.tolist() == ["e", "a", "c"]
    assert mixed.opportunity.tolist() == ["e", 3, b"e"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([-5, 3], [7, 2**63 - 1], [-5, 3, 7, 2**63 - 1]),
        ([5, 3], [2**63], [3, 5, 2**63]),
        ([-5], [2**63], [-5, 2**63]),
    ],
)
def test_integers_of_two_kinds_stay_what_they_are(
    one: list[int], other: list[int], expected: list[int]
) -> None:
    first = attrs.evolve(
        milestones_of(*range(len(one))), opportunity=np.array(sorted(one), np.int64)
    )
    second = attrs.evolve(milestones_of(*range(len(other))), opportunity=np.array(other, np.uint64))

    assert (first + second).opportunity.tolist() == expected
    assert (second + first).opportunity.tolist() in (expected, [2**63, -5])


def test_an_empty_log_adds_to_any_milestones() -> None:
    nothing, some = milestones_of(), milestones_of("A")

    assert nothing + some == some + nothing == some
    assert nothing + nothing == nothing
    assert nothing != some


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (milestones_of("B", "A"), "both have the opportunity 'A'; milestones add where no"),
        (milestones_of("B", at=1), "one is as of 1970-.*give both the same as_of="),
        (
            StageLog.from_columns(
                Funnel(["lead"]), opportunity=["B"], stage=["lead"], entered_at=np.array([0])
            ).milestones(),
            "one has the states lead, demo, won, lost, the other lead, won, lost",
        ),
    ],
)
def test_milestones_that_do_not_belong_together_do_not_add(other: Milestones, why: str) -> None:
    with pytest.raises(MergeError, match=f"cannot add: {why}"):
        milestones_of("A") + other


def test_an_integer_of_both_parts_is_named() -> None:
    with pytest.raises(MergeError, match="both have the opportunity 7;"):
        milestones_of(7, 3, array=True) + milestones_of(9, 7, array=True)
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = milestones_of("A") + 1


def test_milestones_are_equal_by_content() -> None:
    assert milestones_of("A", "B") == milestones_of("A", "B")
    assert milestones_of("A", "B") == milestones_of("A", "B", array=True)
    assert milestones_of("A", "B") != milestones_of("B", "A")
    assert milestones_of(1, array=True) != milestones_of(2, array=True)
    assert milestones_of("A") != milestones_of("A", at=1)
    assert milestones_of("A") != "milestones"
    with pytest.raises(TypeError, match="unhashable"):
        hash(milestones_of("A"))
