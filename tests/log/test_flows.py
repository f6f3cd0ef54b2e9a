"""Flows by calendar period, and flows that only count."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import numpy as np
import pytest
from histories import log_of, oracles
from hypothesis import given
from hypothesis import strategies as st
from oracle import Oracle

from salesfunnel.errors import DefinitionError, MergeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import Period

HOUR = 3_600_000_000


def small(**columns: object) -> StageLog:
    values: dict[str, Any] = {
        "opportunity": ["A"] * 3,
        "stage": ["lead", "demo", "won"],
        "entered_at": np.arange(3) * HOUR,
    }
    return StageLog.from_columns(Funnel(["lead", "demo"]), **{**values, **columns})


# ── by period ─────────────────────────────────────────────────────────────────────────────────────


def dated(**columns: object) -> StageLog:
    values: dict[str, Any] = {
        "opportunity": ["A", "A", "A", "B", "B"],
        "stage": ["lead", "demo", "demo", "lead", "lost"],
        "entered_at": [
            "2026-01-31T20:00",
            "2026-03-31T23:30",
            "2026-07-01T00:00",
            "2026-02-01T00:00",
            "2026-04-01T00:00",
        ],
        "tz": "UTC",
        "attributes": {"owner": ["li", "li", "wang", "li", "li"]},
    }
    return StageLog.from_columns(Funnel(["lead", "demo"]), **{**values, **columns})


@pytest.mark.parametrize("by", ["quarter", Period("quarter"), ["quarter"]])
def test_a_transition_belongs_to_the_period_of_its_target(by: Any) -> None:
    flow = dated().flow(by=by)

    assert flow.by == ("quarter",)
    assert flow.zone == "UTC"
    assert flow.groups == ("2026Q1", "2026Q2")
    assert flow.counts[:, 0].tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]
    assert flow.starts[:, 0].tolist() == [2, 0]
    # The repeated entry of July is part of the visit that began in March.
    assert flow.ends.tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]


def test_periods_are_cut_in_the_zone_of_the_log_or_another() -> None:
    shanghai = dated().flow(by="month", tz="Asia/Shanghai")

    assert shanghai.groups == ("2026-02", "2026-04")
    assert shanghai.zone == "Asia/Shanghai"
    assert dated(tz="Asia/Shanghai").flow(by="month").groups == (
        "2026-01",
        "2026-02",
        "2026-03",
        "2026-04",
    )


def test_periods_and_attributes_make_groups_together() -> None:
    flow = dated().flow(by=["owner", Period("year")])

    # The owner that came with the repeat has the whole visit.
    assert flow.by == ("owner", "year")
    assert flow.groups == (("li", "2026"), ("wang", "2026"))
    assert flow[("wang", "2026")].counts[0].tolist() == [0, 1, 0, 0]


@given(oracles(), st.sampled_from(["day", "week", "month", "quarter", "year"]))
def test_the_flows_of_all_periods_add_up_to_the_flow(oracle: Oracle, unit: str) -> None:
    log = log_of(oracle)

    by_period = log.flow(by=unit, as_of=oracle.as_of)

    assert by_period.total() == log.flow(as_of=oracle.as_of)
    for repeats in ("keep", "collapse"):
        kept = log.flow(by=[unit, "owner"], as_of=oracle.as_of, repeats=repeats)
        assert kept.total() == log.flow(as_of=oracle.as_of, repeats=repeats)


@given(oracles())
def test_a_day_has_the_transitions_that_enter_a_state_on_it(oracle: Oracle) -> None:
    log = log_of(oracle)
    flow = log.flow(by="day", as_of=oracle.as_of, tz="UTC")

    runs = log.view(oracle.as_of).runs
    moved = np.flatnonzero(runs.opportunity[1:] == runs.opportunity[:-1]) + 1
    days = runs.time[moved].view("datetime64[us]").astype("datetime64[D]").astype(str)
    found = Counter(days.tolist())
    assert flow.groups is not None
    counts = dict(zip(flow.groups, flow.counts.sum(axis=(1, 2)).tolist(), strict=True))
    assert {day: count for day, count in counts.items() if count} == found


def test_a_word_that_is_a_period_and_an_attribute_is_refused() -> None:
    log = dated(attributes={"quarter": ["a", "a", "a", "b", "b"]})

    with pytest.raises(DefinitionError, match=r"is an attribute of the log and a period: say"):
        log.flow(by="quarter")
    assert log.flow(by=Period("quarter")).groups == ("2026Q1", "2026Q2")


def test_a_period_is_named_once() -> None:
    with pytest.raises(DefinitionError, match="by= names distinct attributes and periods"):
        dated().flow(by=["quarter", Period("quarter")])


def test_flows_by_period_of_several_zones_do_not_add() -> None:
    with pytest.raises(MergeError, match="are cut in UTC, those of the other in Asia/Shanghai"):
        dated().flow(by="month") + dated().flow(by="month", tz="Asia/Shanghai")
    assert dated().flow(by="month").total() == dated().flow()


# ── counts alone ──────────────────────────────────────────────────────────────────────────────────


@given(oracles(), st.sampled_from([None, "owner", "month"]))
def test_without_durations_the_rest_is_the_same(oracle: Oracle, by: str | None) -> None:
    log = log_of(oracle)
    full = log.flow(by=by, as_of=oracle.as_of)

    counted = log.flow(by=by, as_of=oracle.as_of, durations=False)

    assert counted.durations is None
    assert counted != full
    assert attrs.evolve(counted, durations=full.durations) == full


def test_a_flow_that_only_counts_has_no_seconds_and_adds_to_its_like() -> None:
    counted = small().flow(durations=False)

    with pytest.raises(DefinitionError, match="only counts: make it without durations=False"):
        _ = counted.seconds
    assert (counted + counted).counts.tolist() == (2 * counted.counts).tolist()
    with pytest.raises(MergeError, match="one has durations, the other only counts"):
        counted + small().flow()


def test_a_flow_without_amounts_adds_to_one_with_amounts() -> None:
    bare, priced = small(), small(amount=[1.5, 2.5, None])

    together = bare.flow() + priced.flow()

    assert together.amount.tolist() == priced.flow().amount.tolist()
    assert together == priced.flow() + bare.flow()
    assert np.isnan((bare.flow() + bare.flow()).amount).all()
