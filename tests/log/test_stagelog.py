"""StageLog: what is in it, what is known at an instant, and that an empty one answers too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from histories import MODES, log_of, moment, oracles
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import Oracle

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"], ["price"])
T0 = datetime(2026, 1, 5, 9, tzinfo=UTC)


def days(*numbers: int) -> list[datetime]:
    return [T0 + timedelta(days=number) for number in numbers]


def log(tz: str = "UTC") -> StageLog:
    return StageLog.from_columns(
        FUNNEL,
        opportunity=["B", "A", "B", "A"],
        stage=["lead", "lead", "demo", "lost"],
        entered_at=days(1, 0, 2, 3),
        tz=tz,
    )


# ── what is in it ─────────────────────────────────────────────────────────────────────────────────


def test_a_log_tells_what_is_in_it() -> None:
    known = log("Asia/Shanghai")

    assert len(known) == 4
    assert known.n_opportunities == 2
    assert known.as_of == days(3)[0]
    assert known.attributes == ()
    assert known.tz == ZoneInfo("Asia/Shanghai")
    assert known.currency is None
    assert known.ignored == 0
    assert len(known.rejected) == 0
    assert repr(known) == (
        "StageLog(4 entries of 2 opportunities, 2 stages, as of 2026-01-08 09:00:00+00:00)"
    )


@given(oracles())
def test_entries_are_sorted_and_name_their_opportunities(oracle: Oracle) -> None:
    known = log_of(oracle)

    entries = known.entries
    names = known.identify(entries.opportunity).tolist()
    rows = list(zip(names, entries.state.tolist(), entries.time.tolist(), strict=True))
    whole = Oracle(oracle.rows, oracle.n_stages, oracle.n_presale, ties=oracle.ties)
    histories = whole.histories("keep")
    assert known.opportunities.tolist() == list(dict.fromkeys(names))
    assert rows == [
        (name, row.state, row.time) for name in known.opportunities for row in histories[name]
    ]


def test_a_log_cannot_be_changed() -> None:
    known = log()

    for column in (known.entries.time, known.entries.state, known.entries.opportunity):
        if column.flags.writeable:  # then it is a copy
            np.add(column, 1, out=column)

    assert known.flow() == log().flow()
    assert known.entries.time.tolist() == log().entries.time.tolist()


# ── the instant of knowledge ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "as_of",
    [
        datetime(2026, 1, 6, 9, tzinfo=UTC),
        datetime(2026, 1, 6, 17, tzinfo=timezone(timedelta(hours=8))),
        datetime(2026, 1, 6, 17),  # noqa: DTZ001 - read in the log's zone
        "2026-01-06T09:00:00Z",
        "2026-01-06T17:00:00",
        np.datetime64("2026-01-06T17:00"),
        1_767_690_000_000_000,
        # The end of that day, in the log's zone.
        "2026-01-06",
        date(2026, 1, 6),
    ],
)
def test_what_is_known_by_an_instant_however_it_is_given(as_of: Any) -> None:
    known = log("Asia/Shanghai")

    flow = known.flow(as_of=as_of)

    assert flow.starts.sum() == 2
    assert flow.counts.sum() == 0
    assert known.stage_counts(as_of=as_of).entered.tolist() == [2, 0]
    assert len(known.milestones(as_of=as_of)) == 2


def test_a_day_ends_in_the_zone_of_the_log() -> None:
    columns: dict[str, Any] = {
        "opportunity": ["A", "A"],
        "stage": ["lead", "demo"],
        "entered_at": ["2026-01-05T10:00Z", "2026-01-05T20:00Z"],
    }

    in_utc = StageLog.from_columns(FUNNEL, **columns)
    in_shanghai = StageLog.from_columns(FUNNEL, **columns, tz="Asia/Shanghai")

    assert in_utc.flow(as_of="2026-01-05").counts.sum() == 1
    assert in_shanghai.flow(as_of="2026-01-05").counts.sum() == 0
    assert in_shanghai.flow(as_of="2026-01-05").as_of == datetime(
        2026, 1, 5, 15, 59, 59, 999_999, UTC
    )


@given(oracles(), st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), timezone(timedelta(hours=-9))]))
def test_an_instant_is_the_same_in_every_form(oracle: Oracle, zone: Any) -> None:
    assume(oracle.as_of is not None)
    assert oracle.as_of is not None
    known = log_of(oracle)
    expected = known.stage_counts(as_of=oracle.as_of)

    instant = moment(oracle.as_of)
    far = timedelta(days=2)
    if datetime.min.replace(tzinfo=UTC) + far < instant < datetime.max.replace(tzinfo=UTC) - far:
        instant = instant.astimezone(zone)

    assert known.stage_counts(as_of=instant) == expected
    assert known.stage_counts(as_of=instant.isoformat()) == expected


def test_before_the_first_entry_nothing_is_known_and_after_the_last_everything() -> None:
    known = log()

    before, after = known.flow(as_of="2020-01-01"), known.flow(as_of="2030-01-01")

    assert before.starts.sum() == before.ends.sum() == before.counts.sum() == 0
    assert before.as_of == datetime(2020, 1, 1, 23, 59, 59, 999_999, UTC)
    assert len(known.milestones(as_of="2020-01-01")) == 0
    assert len(known.conform(as_of="2020-01-01")) == 0
    assert np.array_equal(after.counts, known.flow().counts)
    assert after.as_of == datetime(2030, 1, 1, 23, 59, 59, 999_999, UTC)


@pytest.mark.parametrize("as_of", ["yesterday", 1.5, "2026-13-01"])
def test_what_is_no_instant_is_refused(as_of: Any) -> None:
    empty = StageLog.from_columns(FUNNEL, opportunity=[], stage=[], entered_at=[])

    for known in (log(), empty):
        for ask in (known.flow, known.stage_counts, known.milestones, known.conform):
            with pytest.raises(
                DefinitionError, match="as_of= is an aware datetime, a date, an ISO"
            ):
                ask(as_of=as_of)


# ── an empty log ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("nothing", [[], (), np.zeros(0, np.int64), np.zeros(0, object)])
def test_an_empty_log_answers_every_question(nothing: Any) -> None:
    empty = StageLog.from_columns(
        FUNNEL,
        opportunity=nothing,
        stage=nothing,
        entered_at=nothing,
        reason=[],
        amount=[],
        order=[],
        attributes={"owner": []},
    )

    assert len(empty) == empty.n_opportunities == len(empty.opportunities) == 0
    assert empty.as_of is None
    assert "0 entries of 0 opportunities" in repr(empty)
    for as_of in (None, "2026-01-01"):
        for by in (None, "owner", ["owner"]):
            flow = empty.flow(by=by, as_of=as_of)
            assert flow.counts.shape == ((4, 4) if by is None else (0, 4, 4))
            assert flow.starts.shape == ((4,) if by is None else (0, 4))
            assert flow.groups == (None if by is None else ())
            assert flow.as_of is None
            assert flow.total().counts.tolist() == [[0] * 4] * 4
            for mode in MODES:
                counts = empty.stage_counts(mode, by=by, as_of=as_of)
                assert counts.entered.shape == ((2,) if by is None else (0, 2))
                assert counts.total().entered.tolist() == [0, 0]
        assert empty.milestones(as_of=as_of).entered_at.shape == (0, 4)
        assert len(empty.conform(as_of=as_of)) == 0
    assert empty.view().amount.shape == empty.view().loss_reason.shape == (0,)


# ── how much room it takes ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 86_400_000_000])
@pytest.mark.parametrize("bare", [True, False])
def test_an_entry_takes_at_most_24_bytes(unit: int, bare: bool) -> None:
    rng = np.random.default_rng(0)
    n = 300_000
    values: dict[str, Any] = {}
    if not bare:
        values["reason"] = np.array(["price", "timing"])[rng.integers(0, 2, n)]
        values["amount"] = rng.integers(1, 1_000_000, n)
    three_years = 3 * 365 * 86_400_000_000

    found = StageLog.from_columns(
        FUNNEL,
        opportunity=rng.integers(0, n // 4, n),
        stage=rng.integers(0, 4, n),
        entered_at=rng.integers(0, three_years // unit, n) * unit,
        **values,
    )

    assert len(found) == n
    assert 0 < found.nbytes <= 24 * n
    assert not bare or found.nbytes <= 10 * n


# ── the order of records ──────────────────────────────────────────────────────────────────────────


def test_record_numbers_are_kept_only_where_they_contradict_the_times() -> None:
    columns: dict[str, Any] = {
        "opportunity": ["A", "B", "A"],
        "stage": ["lead", "lead", "demo"],
        "entered_at": days(0, 1, 2),
    }

    in_order = StageLog.from_columns(FUNNEL, **columns, order=[1, 7, "9"])
    against_time = StageLog.from_columns(FUNNEL, **columns, order=[9, 7, 1])

    assert in_order.records is None
    assert against_time.records is not None
    assert in_order.flow() == against_time.flow()
    assert [len(log.conform()) for log in (in_order, against_time)] == [0, 1]
