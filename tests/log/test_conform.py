"""conform: what the engine would have refused, entry by entry, over a whole log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from histories import moment
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.engine.refusals import REFUSALS
from salesfunnel.engine.rules import Rule
from salesfunnel.errors import (
    DefinitionError,
    RequiredFieldError,
    TimeOrderError,
    TransitionError,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity, StageChange
from salesfunnel.model.stage import LOST, Stage
from salesfunnel.table import Table
from salesfunnel.testing import funnels, opportunities, policies

ERRORS: dict[str, type[TransitionError]] = {
    **{rule.name.lower(): error for rule, error in REFUSALS.items()},
    "required_field": RequiredFieldError,
    "time_order": TimeOrderError,
}
"""What the engine raises for each rule that `conform` names."""

COLUMNS = ("opportunity", "entered_at", "from", "to", "rule", "detail")
T0 = datetime(2026, 1, 5, 9, tzinfo=UTC)

Entry = tuple[datetime, str | None, str]
"""When, from where, to where: what tells an entry of an opportunity from its others."""


def entries_of(opportunity: Opportunity) -> list[Entry]:
    states = [None, *(change.stage for change in opportunity.history)]
    return [
        (change.at, source, change.stage)
        for source, change in zip(states, opportunity.history, strict=False)
    ]


def breaches(table: Table) -> list[tuple[str, str | None, str, str | None]]:
    """Return rule, from, to and detail of each breach."""
    rows = zip(*(table[name] for name in ("rule", "from", "to", "detail")), strict=True)
    return list(rows)


def refused(engine: TransitionEngine, opportunity: Opportunity) -> dict[int, type[TransitionError]]:
    """Return the changes that the engine would not have made, each judged from the facts before."""
    found: dict[int, type[TransitionError]] = {}
    for place, change in enumerate(opportunity.history):
        before = Opportunity(
            opportunity.id,
            amount=opportunity.amount,
            contact=opportunity.contact,
            expected_close=opportunity.expected_close,
            fields=opportunity.fields,
            history=opportunity.history[:place],
        )
        try:
            if place == 0:
                engine.open(before, at=change.at, stage=change.stage)
            else:
                engine.move(before, change.stage, at=change.at, reason=change.reason)
        except TransitionError as error:
            found[place] = type(error)
    return found


def refusal_of(engine: TransitionEngine, opportunity: Opportunity) -> TransitionError | None:
    """Return what stops a replay; None if nothing does."""
    try:
        engine.replay(opportunity)
    except TransitionError as error:
        return error
    return None


# ── against the engine ────────────────────────────────────────────────────────────────────────────


@st.composite
def any_opportunity(draw: st.DrawFn, funnel: Funnel, name: str) -> Opportunity:
    """Draw an opportunity with any history at all, but without a state that follows itself."""
    reasons = [None, *(reason.key for reason in funnel.loss_reasons)]
    if not funnel.reasons_closed:
        reasons.append("unheard of")
    steps = st.tuples(
        st.sampled_from(funnel.states),
        st.sampled_from([timedelta(0), timedelta(hours=1), timedelta(days=30)]),
        st.sampled_from(reasons),
    )
    history: list[StageChange] = []
    at = T0
    for state, gap, reason in draw(st.lists(steps, max_size=8)):
        at += gap
        if not history or history[-1].stage != state:
            history.append(StageChange(state, at, reason=reason if state == LOST else None))
    required = {field for stage in funnel for field in stage.required}
    given_values = {field: draw(st.booleans()) for field in sorted(required)}
    return Opportunity(
        name,
        amount=5 if given_values.get("amount") else None,
        contact="li" if given_values.get("contact") else None,
        expected_close="2026-03-31" if given_values.get("expected_close") else None,
        fields={"budget": 1} if given_values.get("budget") else {},
        history=history,
    )


@st.composite
def anything(draw: st.DrawFn) -> tuple[Funnel, Policy, list[Opportunity]]:
    funnel, policy = draw(funnels(max_stages=4)), draw(policies())
    number = draw(st.integers(0, 3))
    return funnel, policy, [draw(any_opportunity(funnel, f"O-{place}")) for place in range(number)]


@given(anything())
def test_an_entry_is_a_breach_where_the_engine_would_have_refused_it(
    drawn: tuple[Funnel, Policy, list[Opportunity]],
) -> None:
    funnel, policy, members = drawn
    engine = TransitionEngine(funnel, policy)

    table = StageLog.from_opportunities(members, funnel).conform(policy)

    found: dict[tuple[str, Entry], set[type[TransitionError]]] = {}
    for row in table.rows():
        entry = (row["opportunity"], (row["entered_at"], row["from"], row["to"]))
        found.setdefault(entry, set()).add(ERRORS[row["rule"]])
    expected = {
        (member.id, entries_of(member)[place]): error
        for member in members
        for place, error in refused(engine, member).items()
    }
    assert found.keys() == expected.keys()
    assert all(error in found[entry] for entry, error in expected.items())


@given(anything())
def test_the_first_breach_is_where_a_replay_stops(
    drawn: tuple[Funnel, Policy, list[Opportunity]],
) -> None:
    funnel, policy, members = drawn
    engine = TransitionEngine(funnel, policy)
    log = StageLog.from_opportunities(members, funnel)

    rows = list(log.conform(policy).rows())

    for member in members:
        own = [row for row in rows if row["opportunity"] == member.id]
        entries = [(row["entered_at"], row["from"], row["to"]) for row in own]
        refusal = refusal_of(engine, member)
        if refusal is None:
            assert own == []
        else:
            first = entries_of(member)[len(refusal.opportunity.history)]
            assert entries[0] == first
            rules = [row["rule"] for row, entry in zip(own, entries, strict=True) if entry == first]
            assert type(refusal) in {ERRORS[rule] for rule in rules}


@st.composite
def accepted(draw: st.DrawFn) -> tuple[Funnel, Policy, list[Opportunity]]:
    funnel, policy = draw(funnels()), draw(policies())
    members = st.lists(
        opportunities(funnel, policy),
        max_size=3,
        unique_by=lambda opportunity: opportunity.id,
    )
    return funnel, policy, draw(members)


@given(accepted())
def test_a_history_that_the_engine_accepts_is_conformant(
    drawn: tuple[Funnel, Policy, list[Opportunity]],
) -> None:
    funnel, policy, members = drawn

    table = StageLog.from_opportunities(members, funnel).conform(policy)

    assert list(table.rows()) == []
    assert table.notes == ()


# ── one rule broken at a time ─────────────────────────────────────────────────────────────────────

FUNNEL = Funnel(
    [
        Stage("lead"),
        Stage("demo"),
        Stage("offer", required=["budget"]),
        Stage("care", post_sale=True),
    ],
    ["price"],
)


Breach = tuple[str, str | None, str, str | None]
ONE_BREACH: list[tuple[list[str], Breach, dict[str, Any]]] = [
    (["demo", "offer"], ("start_stage", None, "demo", None), {}),
    (["lost:price"], ("start_stage", None, "lost", None), {}),
    (["lead", "offer"], ("stage_order", "lead", "offer", None), {}),
    (["lead", "demo", "lead"], ("step_back", "demo", "lead", None), {}),
    (["lead", "demo", "care"], ("early_win", "demo", "care", None), {}),
    (["lead", "won"], ("early_win", "lead", "won", None), {}),
    (["lead", "lost:price", "lead"], ("after_close", "lost", "lead", None), {}),
    (
        ["lead", "demo", "offer", "care", "won", "lost:price"],
        ("after_close", "won", "lost", None),
        {},
    ),
    (["lead", "demo", "offer", "care", "offer"], ("reopening", "care", "offer", None), {}),
    (
        ["lead", "demo", "lost:price", "lead"],
        ("reopening", "lost", "lead", None),
        {"reopen": True},
    ),
    (
        ["lead", "lost:price", "lead"],
        ("reopening", "lost", "lead", None),
        {"reopen": True, "reopen_within": "23h"},
    ),
    (["lead", "lost"], ("reason_missing", "lead", "lost", None), {}),
    (["lead", "lost:rain"], ("reason_unknown", "lead", "lost", "rain"), {}),
    (["lead", "demo", "offer!"], ("required_field", "demo", "offer", "budget"), {}),
]


@pytest.mark.parametrize(("history", "breach", "policy"), ONE_BREACH)
def test_one_rule_broken_is_caught_by_both(
    history: list[str], breach: Breach, policy: dict[str, Any]
) -> None:
    changes = []
    for day, step in enumerate(history):
        state, _, reason = step.rstrip("!").partition(":")
        changes.append(StageChange(state, T0 + timedelta(days=day), reason=reason or None))
    fields = {} if history[-1].endswith("!") else {"budget": 100}
    opportunity = Opportunity("O-1", fields=fields, history=changes)
    rules = Policy(**policy)

    table = StageLog.from_opportunities([opportunity], FUNNEL).conform(rules)

    assert breaches(table) == [breach]
    with pytest.raises(ERRORS[breach[0]]) as refusal:
        TransitionEngine(FUNNEL, rules).replay(opportunity)
    assert type(refusal.value) is ERRORS[breach[0]]
    assert refusal.value.asked == breach[2]


def test_every_rule_has_its_case() -> None:
    named = {breach[0] for _, breach, _ in ONE_BREACH}

    assert named | {"allowed", "time_order"} == {rule.name.lower() for rule in Rule}


def test_several_breaches_of_one_entry_are_several_rows() -> None:
    log = columns(["lead", "lost", "offer", "lost"], reason=[None, "rain", None, None])

    assert breaches(log.conform()) == [
        ("reason_unknown", "lead", "lost", "rain"),
        ("after_close", "lost", "offer", None),
        ("reason_missing", "offer", "lost", None),
    ]


def test_a_reopening_leads_to_a_state_of_the_same_opportunity() -> None:
    day = timedelta(days=1)
    closed_first = [StageChange("lost", T0, reason="price"), StageChange("demo", T0 + day)]
    won_first = [StageChange("won", T0), StageChange("demo", T0 + day)]
    members = [
        Opportunity("A", history=[StageChange("lead", T0), StageChange("demo", T0 + day)]),
        Opportunity("B", history=closed_first),
        Opportunity("C", history=won_first),
    ]
    policy = Policy(reopen=True)

    table = StageLog.from_opportunities(members, FUNNEL).conform(policy)

    assert breaches(table) == [
        ("start_stage", None, "lost", None),
        ("reopening", "lost", "demo", None),
        ("start_stage", None, "won", None),
        ("reopening", "won", "demo", None),
    ]


@pytest.mark.parametrize(("late", "is_late"), [(timedelta(0), False), (timedelta.resolution, True)])
def test_a_time_limit_of_reopening_includes_its_end(late: timedelta, is_late: bool) -> None:
    limit = timedelta(days=30)
    changes = [
        StageChange("lead", T0),
        StageChange("lost", T0, reason="price"),
        StageChange("lead", T0 + limit + late),
    ]
    opportunity = Opportunity("O-1", history=changes)
    policy = Policy(reopen=True, reopen_within=limit)

    table = StageLog.from_opportunities([opportunity], FUNNEL).conform(policy)

    assert (len(table) == 1) is is_late
    assert (refusal_of(TransitionEngine(FUNNEL, policy), opportunity) is not None) is is_late


# ── what a log has, and an engine has not ─────────────────────────────────────────────────────────


def columns(states: list[str], **others: Any) -> StageLog:
    values: dict[str, Any] = {
        "opportunity": ["O-1"] * len(states),
        "stage": states,
        "entered_at": np.arange(len(states)) * 3_600_000_000,
    }
    return StageLog.from_columns(FUNNEL, **{**values, **others})


def test_repeats_are_one_entry_and_have_the_last_reason() -> None:
    log = columns(
        ["lead", "lead", "lost", "lost", "lost"], reason=[None, None, "rain", "price", None]
    )

    assert breaches(log.conform()) == []


def test_a_required_field_is_one_known_by_then() -> None:
    states = ["lead", "demo", "offer"]

    late = columns(states, attributes={"budget": [None, None, "100"]}).conform()
    none = columns(states, attributes={"budget": ["", None, " "]}).conform()
    lost = columns([*states, "lead", "demo", "offer"], attributes={"budget": [None] * 5 + ["1"]})

    assert breaches(late) == []
    assert breaches(none) == [("required_field", "demo", "offer", "budget")]
    assert [rule for rule, *_ in breaches(lost.conform(Policy(back=None)))] == ["required_field"]
    assert len(columns(states).conform(Policy(required_fields=False)).notes) == 0


def test_the_amount_may_be_required() -> None:
    funnel = Funnel([Stage("lead", required=["amount"]), "demo"])

    log = StageLog.from_columns(
        funnel,
        opportunity=["A", "B"],
        stage=["lead", "lead"],
        entered_at=np.array([0, 1]),
        amount=[None, 0],
    )

    assert log.conform()["opportunity"].tolist() == ["A"]
    assert log.conform()["detail"].tolist() == ["amount"]


def test_fields_that_the_log_does_not_have_are_told_not_judged() -> None:
    funnel = Funnel(
        [Stage("lead", required=["amount", "budget"]), Stage("demo", required=["budget"])]
    )
    log = StageLog.from_columns(funnel, opportunity=["A"], stage=["lead"], entered_at=np.array([0]))

    table = log.conform()

    assert len(table) == 0
    assert [note.text("en") for note in table.notes] == [
        "Required fields that the log does not have were not checked: amount, budget."
    ]


def test_a_breach_after_the_instant_is_not_known() -> None:
    log = columns(["lead", "demo", "lead"])

    assert breaches(log.conform(as_of=moment(3_600_000_000))) == []
    assert len(log.conform(as_of=moment(2 * 3_600_000_000))) == 1


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 9)), max_size=12),
    st.data(),
)
def test_entries_recorded_after_later_ones_are_told(
    drawn: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    # One entry for each time of an opportunity, so that the order of records settles no tie.
    rows = list({(name, time): (name, time, record) for name, time, record in drawn}.values())
    as_of = data.draw(st.integers(0, 5))
    by_time = sorted(rows)
    state = {row: place % 2 for place, row in enumerate(by_time)}  # none follows itself by much

    table = StageLog.from_columns(
        FUNNEL,
        opportunity=[name for name, _, _ in rows],
        stage=[state[row] for row in rows],
        entered_at=np.array([time for _, time, _ in rows], np.int64),
        order=[record for _, _, record in rows],
    ).conform(Policy(any_start=True, skip=None, back=None), as_of=as_of)

    late = set()
    for name in (0, 1):
        known = [row for row in by_time if row[0] == name and row[1] <= as_of]
        recorded = sorted(known, key=lambda row: row[2])
        late |= {after[:2] for before, after in pairwise(recorded) if after[1] < before[1]}
    times = table["entered_at"].astype(np.int64).tolist()
    found = [
        (name, time)
        for name, time, rule in zip(
            table["opportunity"].tolist(), times, table["rule"], strict=True
        )
        if rule == "time_order"
    ]
    assert sorted(found) == sorted(late)


# ── the table ─────────────────────────────────────────────────────────────────────────────────────


def test_the_table_says_who_when_from_where_to_where_and_what() -> None:
    log = StageLog.from_columns(
        Funnel.standard(),
        opportunity=[7, 7, 8],
        stage=["lead_identification", "needs_analysis", "lost"],
        entered_at=["2026-01-05T09:00Z", "2026-01-06T09:00Z", "2026-01-07T09:00Z"],
        reason=[None, None, "rain"],
    )

    table = log.conform()

    assert table.columns == COLUMNS
    assert table["opportunity"].tolist() == [7, 8, 8]
    assert table["entered_at"].dtype == np.dtype("datetime64[us]")
    title, _, header, _, *rows = str(table).splitlines()
    assert title == "Violations of the rules"
    assert re.split(r"\s{2,}", header) == [
        "Opportunity",
        "Entered at",
        "From",
        "To",
        "Rule",
        "Detail",
    ]
    assert [re.split(r"\s{2,}", row) for row in rows] == [
        ["7", "2026-01-06 09:00 UTC", "Lead identification", "Needs analysis", "skips stages", "–"],
        ["8", "2026-01-07 09:00 UTC", "–", "Lost", "starts at another stage than the first", "–"],
        ["8", "2026-01-07 09:00 UTC", "–", "Lost", "lost for an unknown reason", "rain"],
    ]
    chinese = table.to_text("zh")
    assert "潜在客户识别" in chinese
    assert "跳过阶段" in chinese


def test_a_policy_is_a_policy() -> None:
    with pytest.raises(DefinitionError, match="conform takes a Policy, not 'strict'"):
        columns(["lead"]).conform("strict")  # type: ignore[arg-type]


def test_a_funnel_of_250_stages_is_judged() -> None:
    funnel = Funnel([f"s{k}" for k in range(250)])
    log = StageLog.from_columns(
        funnel,
        opportunity=["A"] * 251 + ["B"],
        stage=np.append(np.arange(251), 250).astype(np.uint8),
        entered_at=np.arange(252),
    )

    assert breaches(log.conform()) == [("start_stage", None, "won", None)]
