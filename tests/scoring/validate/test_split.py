"""Splits by time: what is learnt was known, and what is tried lies in its future."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DataError, DefinitionError, NaiveTimeError, OutcomeError
from salesfunnel.scoring import time_folds, time_split

T0 = datetime(2026, 1, 1, tzinfo=UTC)
days = st.integers(0, 60)


def day(number: int) -> datetime:
    return T0 + timedelta(days=number)


@st.composite
def leads(draw: st.DrawFn) -> tuple[list[datetime], list[datetime | None]]:
    """When leads were scored and decided; the last one last of all, and decided."""
    scored = draw(st.lists(days, min_size=1, max_size=20))
    took = [draw(st.none() | days) for _ in scored]
    decided = [None if t is None else day(s + t) for s, t in zip(scored, took, strict=True)]
    return [*map(day, scored), day(200)], [*decided, day(201)]


@given(leads(), st.integers(0, 199), st.sampled_from(["leave_out", "test"]))
def test_a_split_is_what_the_definition_says(
    data: tuple[list[datetime], list[datetime | None]], number: int, straddling: str
) -> None:
    scored, decided = data
    at = day(number)
    train = [d is not None and d <= at for d in decided]
    if not any(train):
        with pytest.raises(OutcomeError, match="leaves nothing to learn from"):
            time_split(scored, decided, at, straddling=straddling)
        return

    split = time_split(scored, decided, at, straddling=straddling)

    between = [d is not None and s <= at < d for s, d in zip(scored, decided, strict=True)]
    test = [d is not None and s > at for s, d in zip(scored, decided, strict=True)]
    assert split.at == at
    assert split.train.tolist() == train
    assert split.straddling.tolist() == between
    assert split.undecided.tolist() == [d is None for d in decided]
    if straddling == "test":
        test = [a or b for a, b in zip(test, between, strict=True)]
    assert split.test.tolist() == test


def test_nothing_is_learnt_from_what_came_after() -> None:
    """A lead decided at the very instant is known, one a microsecond later is not."""
    at, tick = day(10), timedelta(microseconds=1)
    scored = [day(1), day(1), at, at + tick]
    split = time_split(scored, [at, at + tick, at + tick, day(20)], at)

    assert split.train.tolist() == [True, False, False, False]
    assert split.test.tolist() == [False, False, False, True]


def test_a_date_is_its_end_in_the_zone_given() -> None:
    scored = ["2026-01-05", "2026-02-01 00:00"]
    split = time_split(scored, ["2026-01-31 23:59", "2026-02-05"], "2026-01-31", tz="Asia/Shanghai")

    assert split.train.tolist() == [True, False]
    assert split.test.tolist() == [False, True]
    assert split.at == datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert repr(split) == (
        "TimeSplit(at 2026-01-31T23:59:59.999999+08:00: train 1, test 1, straddling 0, undecided 0)"
    )


def test_until_ends_the_test() -> None:
    scored = [day(1), day(11), day(15), day(16)]
    decided = [day(5), day(40), day(40), day(40)]

    split = time_split(scored, decided, day(10), until=day(15))

    assert split.test.tolist() == [False, True, True, False]


def test_times_may_be_arrays_with_gaps() -> None:
    scored = np.array(["2026-01-01", "2026-02-01", "2026-02-02"], "datetime64[D]")
    decided = np.array(["2026-01-10", "2026-02-10", "NaT"], "datetime64[us]")

    split = time_split(scored, decided, "2026-01-15", tz="UTC")

    assert split.undecided.tolist() == [False, False, True]


# ── folds ─────────────────────────────────────────────────────────────────────────────────────────


def test_folds_lie_one_after_the_other() -> None:
    scored = [day(2 * number) for number in range(50)]
    decided = [at + timedelta(days=3) for at in scored]

    folds = time_folds(scored, decided, 4)

    assert [fold.at for fold in folds] == [day(2 * number + 3) for number in (9, 19, 29, 39)]
    for fold in folds:
        assert fold.train.tolist() == [d <= fold.at for d in decided]
        assert not (fold.train & fold.test).any()
    tested = np.sum([fold.test for fold in folds], axis=0)
    assert tested.tolist() == [int(at > folds[0].at) for at in scored]


def test_a_fold_without_leads_to_try_on_is_refused() -> None:
    scored = [day(1)] * 8
    message = "folds=3: no decided lead was scored in the part that begins on 2026-01-04"
    with pytest.raises(OutcomeError, match=message):
        time_folds(scored, [day(number) for number in range(2, 10)], 3)


@pytest.mark.parametrize("folds", [0, 1.5, True])
def test_folds_that_are_no_number_are_refused(folds: Any) -> None:
    with pytest.raises(DefinitionError, match="folds= is a number of folds, 1 or more"):
        time_folds([day(1)], [day(2)], folds)


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────


def test_a_split_before_or_after_all_data_is_refused() -> None:
    scored, decided = [day(0), day(20)], [day(5), day(25)]
    before = "leaves nothing to learn from: no lead was decided by then, the first of them on 2026"
    with pytest.raises(OutcomeError, match=before):
        time_split(scored, decided, "2025-06-30")
    after = "leaves nothing to try on: no decided lead was scored after it, the last of them on "
    with pytest.raises(OutcomeError, match=after + "2026-01-21"):
        time_split(scored, decided, "2027-06-30")
    with pytest.raises(OutcomeError, match=r"and until='2026-01-15' leaves nothing to try on"):
        time_split(scored, decided, "2026-01-10", until="2026-01-15")


def test_leads_that_are_all_undecided_are_refused() -> None:
    message = "decided_at: no lead is decided, so there is nothing to learn from"
    with pytest.raises(OutcomeError, match=message):
        time_split([day(0)], [None], day(3))
    with pytest.raises(OutcomeError, match=message):
        time_folds([day(0)], [None], 1)


def test_a_lead_decided_before_it_was_scored_is_refused() -> None:
    message = r"row 1, decided_at: .*, expected a time that is not before the lead was scored"
    with pytest.raises(DataError, match=message):
        time_split([day(0), day(9)], [day(5), day(8)], day(6))


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(DataError, match=r"scored_at has 1 value that cannot be used:\n  row 0, sc"):
        time_split([None, day(1)], [day(1), day(2)], day(1))
    with pytest.raises(DataError, match="row 1, decided_at: 'soon', expected an ISO 8601 time"):
        time_split([day(0), day(1)], [day(1), "soon"], day(1))


def test_times_without_a_zone_and_of_another_length_are_refused() -> None:
    with pytest.raises(NaiveTimeError, match="scored_at: '2026-01-05' names no time zone"):
        time_split(["2026-01-05"], ["2026-01-06"], "2026-01-05")
    with pytest.raises(DataError, match="scored_at has 1 rows and decided_at 2"):
        time_split([day(0)], [day(1), day(2)], day(1))


def test_arguments_of_another_form_are_refused() -> None:
    scored, decided = [day(0), day(20)], [day(5), day(25)]
    with pytest.raises(DefinitionError, match="straddling= is one of leave_out, test, not 'train'"):
        time_split(scored, decided, day(6), straddling="train")
    with pytest.raises(DefinitionError, match="does not lie after at="):
        time_split(scored, decided, day(6), until=day(6))
    with pytest.raises(DefinitionError, match=re.escape("at= is an aware datetime, a date")):
        time_split(scored, decided, "soon")
