"""Leads: what they may be, how their states follow one another, and JSON."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DefinitionError, LeadStateError, LevelError, SalesFunnelError
from salesfunnel.model.evidence import Evidence
from salesfunnel.model.lead import Lead
from salesfunnel.model.leadstate import LEAD_STATES, NEXT_STATES, LeadChange

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
T1, T2 = T0 + timedelta(days=1), T0 + timedelta(days=2)
NAIVE = datetime(2026, 1, 5)  # noqa: DTZ001
SHANGHAI = ZoneInfo("Asia/Shanghai")


# ── evidence ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "kept"), [("approved", "approved"), (0, 0.0), (1, 1.0), (0.5, 0.5), (True, 1.0)]
)
def test_evidence_is_a_level_or_a_number_from_0_to_1(given: Any, kept: Any) -> None:
    evidence = Evidence(given)

    assert evidence.value == kept
    assert isinstance(evidence.value, (str, float))


@pytest.mark.parametrize("value", [-0.1, 1.01, float("nan"), float("inf"), "", "  ", None, [1]])
def test_evidence_out_of_range_is_refused(value: Any) -> None:
    with pytest.raises(LevelError) as refusal:
        Evidence(value)

    assert str(refusal.value) == (
        "evidence is the key of a level or a number from 0 to 1 (what is not known is left out), "
        f"not {value!r}"
    )


def test_evidence_learnt_at_one_moment_is_equal_in_whatever_zone_it_is_told() -> None:
    assert Evidence(0.5, T0) == Evidence(0.5, T0.astimezone(SHANGHAI))
    assert Evidence(0.5, T0) != Evidence(0.5, T1)
    assert Evidence(0.5) != Evidence(0.5, T0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Evidence(0.5, NAIVE), "Evidence.learnt_at has no time zone"),
        (lambda: Evidence(0.5, note=3), "Evidence.note is a text or None, not 3"),  # type: ignore[arg-type]
        (lambda: Lead("", source="web"), "Lead.id is not empty"),
        (lambda: Lead("L-1", evidence=["budget"]), "evidence maps criteria to what is known"),  # type: ignore[arg-type]
        (lambda: Lead("L-1", evidence={3: 0.5}), "evidence maps criteria to what is known"),  # type: ignore[dict-item]
        (lambda: Lead("L-1", fields=3), "fields map names to values, not 3"),  # type: ignore[arg-type]
        (lambda: Lead("L-1", fields={"owner": "Li"}), "'owner' is the lead's own"),
        (lambda: Lead("L-1", fields={"grade": "A"}), "'grade' is the lead's own"),
        (lambda: Lead("L-1", received_at=NAIVE), "Lead.received_at has no time zone"),
        (lambda: Lead("L-1", history=[3]), "a lead's history is a sequence of LeadChange"),  # type: ignore[list-item]
        (lambda: Lead("L-1", history=3), "a lead's history is a sequence of LeadChange"),  # type: ignore[arg-type]
        (
            lambda: LeadChange("warm", T0),
            "the state of a lead is one of new, working, qualified, disqualified, converted, not",
        ),
        (
            lambda: LeadChange("disqualified", T0),
            "a lead that is disqualified needs its reason; none was given",
        ),
        (
            lambda: LeadChange("disqualified", T0, reason=" "),
            "a lead that is disqualified needs its reason; none was given",
        ),
        (
            lambda: LeadChange("working", T0, reason="no_need"),
            "only a lead that is disqualified has its reason: 'working' was given 'no_need'",
        ),
        (
            lambda: LeadChange("converted", T0),
            "a lead that is converted needs its opportunity; none was given",
        ),
        (
            lambda: LeadChange("working", T0, grade="A"),
            "a score and a grade are kept when a lead is qualified, not 'working'",
        ),
        (
            lambda: LeadChange("qualified", T0, score=100.5),
            "a score is a number from 0 to 100 or None, not 100.5",
        ),
        (
            lambda: LeadChange("qualified", T0, score=float("nan")),
            "a score is a number from 0 to 100 or None, not nan",
        ),
        (lambda: LeadChange("working", NAIVE), "LeadChange.at has no time zone"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        make()

    assert str(refusal.value).startswith(message)


# ── states ────────────────────────────────────────────────────────────────────────────────────────


def step(lead: Lead, state: str, at: datetime) -> Lead:
    """Return the lead moved into a state by the method that leads there."""
    moves: dict[str, Callable[[], Lead]] = {
        "working": lambda: lead.work(at=at),
        "qualified": lambda: lead.qualify(at=at, score=70, grade="B"),
        "disqualified": lambda: lead.disqualify("no_need", at=at),
        "converted": lambda: lead.convert(at=at),
    }
    return moves[state]()


WAYS = {
    "new": (),
    "working": ("working",),
    "qualified": ("working", "qualified"),
    "disqualified": ("disqualified",),
    "converted": ("qualified", "converted"),
}


def lead_in(state: str) -> Lead:
    lead = Lead("L-1", received_at=T0)
    for each in WAYS[state]:
        lead = step(lead, each, T1)
    return lead


@pytest.mark.parametrize("asked", ["working", "qualified", "disqualified", "converted"])
@pytest.mark.parametrize("state", LEAD_STATES)
def test_a_lead_moves_as_the_rules_say_and_else_stays(state: str, asked: str) -> None:
    lead = lead_in(state)
    assert lead.state == state
    assert lead.moves == NEXT_STATES[state]

    if asked in NEXT_STATES[state]:
        moved = step(lead, asked, T2)
        assert moved.state == asked
        assert moved.history[:-1] == lead.history
        assert moved.history[-1].at == T2
        return
    with pytest.raises(LeadStateError) as refusal:
        step(lead, asked, T2)
    error = refusal.value
    assert (error.lead, error.state, error.asked) == (lead, state, asked)
    assert error.allowed == NEXT_STATES[state]
    may = ", ".join(map(repr, NEXT_STATES[state])) or "nothing: it is an opportunity now"
    assert str(error) == (
        f"lead 'L-1' ({state}): cannot become {asked!r}; from here it may become {may}"
    )


def test_a_disqualified_lead_tells_why_until_it_is_taken_up_again() -> None:
    lead = lead_in("disqualified")
    assert lead.reason == "no_need"

    assert lead.work(at=T2).reason is None


def test_the_score_and_grade_of_its_qualification_stay_with_it() -> None:
    lead = Lead("L-1")
    assert (lead.score, lead.grade) == (None, None)

    lead = (
        lead.qualify(at=T0, score=62.5, grade="B").work(at=T1).qualify(at=T2, score=81, grade="A")
    )
    assert (lead.score, lead.grade) == (81.0, "A")
    lead = lead.convert(at=T2, opportunity="O-9")
    assert (lead.score, lead.grade, lead.opportunity) == (81.0, "A", "O-9")


def test_who_and_why_stand_in_the_history() -> None:
    lead = Lead("L-1").work(at=T0, by="li.na", note="called back")

    assert lead.history == (LeadChange("working", T0, by="li.na", note="called back"),)


@pytest.mark.parametrize("earlier", [T0 - timedelta(seconds=1), T0.astimezone(SHANGHAI)])
def test_time_does_not_go_back(earlier: datetime) -> None:
    lead = Lead("L-1", received_at=T0)

    if earlier == T0:
        assert lead.work(at=earlier).state == "working"
        return
    with pytest.raises(LeadStateError) as refusal:
        lead.work(at=earlier)
    assert str(refusal.value) == (
        "lead 'L-1' (new): time goes back: 'working' at 2026-01-05T08:59:59+00:00 follows 'new' at "
        "2026-01-05T09:00:00+00:00; from here it may become 'working', 'qualified', 'disqualified'"
    )


def test_a_history_that_breaks_the_rules_is_refused_as_a_whole() -> None:
    with pytest.raises(LeadStateError, match=r"\(working\): cannot become 'converted'"):
        Lead(
            "L-1", history=[LeadChange("working", T0), LeadChange("converted", T1, opportunity="O")]
        )
    with pytest.raises(LeadStateError, match=r"\(working\): cannot become 'new'"):
        Lead("L-1", history=[LeadChange("working", T0), LeadChange("new", T1)])

    assert (
        Lead("L-1", history=[LeadChange("new", T0), LeadChange("working", T1)]).state == "working"
    )


def test_learning_replaces_what_was_known_of_a_criterion_and_keeps_the_rest() -> None:
    lead = Lead("L-1", evidence={"budget": "planned", "need": 0.3})

    wiser = lead.learn("budget", "approved", at=T1, note="by mail")

    assert wiser.evidence == {
        "budget": Evidence("approved", T1, note="by mail"),
        "need": Evidence(0.3),
    }
    assert lead.evidence["budget"] == Evidence("planned")
    with pytest.raises(LevelError):
        lead.learn("budget", 7)


def test_a_lead_becomes_an_opportunity_with_what_was_known_of_it_and_its_score() -> None:
    lead = Lead(
        "L-1",
        customer="Acme",
        contact="Wang",
        owner="li.na",
        source="web",
        product="crm",
        amount="1200.50",
        currency="CNY",
        received_at=T0,
        fields={"region": "east"},
    ).qualify(at=T1, score=62.5, grade="B")

    opportunity = lead.to_opportunity()

    assert opportunity.id == "L-1"
    assert opportunity.history == ()
    for field in ("customer", "contact", "owner", "source", "product", "amount", "currency"):
        assert opportunity.value(field) == lead.value(field)
    assert opportunity.created_at == T0
    assert opportunity.fields == {"region": "east", "lead": "L-1", "score": 62.5, "grade": "B"}
    assert Lead("L-2").to_opportunity("O-2").fields == {"lead": "L-2"}
    assert Lead("L-2").to_opportunity("O-2").id == "O-2"


def test_a_value_is_one_of_its_own_or_of_its_free_fields() -> None:
    lead = Lead("L-1", owner="li.na", amount=5, fields={"region": "east"})

    assert [lead.value(name) for name in ("owner", "amount", "region", "height")] == [
        "li.na",
        Decimal(5),
        "east",
        None,
    ]


# ── values ────────────────────────────────────────────────────────────────────────────────────────

times = st.integers(0, 1000).map(lambda n: T0 + timedelta(minutes=n))


@st.composite
def leads(draw: st.DrawFn) -> Lead:
    lead = Lead(
        draw(st.text("abc", min_size=1)),
        owner=draw(st.none() | st.text("xyz")),
        amount=draw(st.none() | st.integers(0, 99)),
        received_at=draw(st.none() | st.just(T0)),
        evidence=draw(
            st.dictionaries(
                st.sampled_from(["budget", "need"]),
                st.builds(
                    Evidence,
                    st.sampled_from(["clear", "none"]) | st.floats(0, 1),
                    st.none() | times,
                    note=st.none() | st.text("ab"),
                ),
            )
        ),
        fields=draw(st.dictionaries(st.sampled_from(["region", "size"]), st.integers())),
    )
    for at in sorted(draw(st.lists(times, max_size=4))):
        if lead.moves:
            lead = step(lead, draw(st.sampled_from(lead.moves)), at)
    return lead


@given(leads())
def test_a_lead_comes_back_from_json_pickle_and_copies_as_it_was(lead: Lead) -> None:
    assert Lead.from_dict(json.loads(json.dumps(lead.to_dict()))) == lead
    assert pickle.loads(pickle.dumps(lead)) == lead  # noqa: S301 - our own
    assert copy.deepcopy(lead) == lead
    assert hash(copy.copy(lead)) == hash(lead)


def test_bare_levels_are_read_as_evidence() -> None:
    lead = Lead.from_dict({"id": "L-1", "evidence": {"budget": "approved", "need": 0.5}})

    assert lead.evidence == {"budget": Evidence("approved"), "need": Evidence(0.5)}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "a lead needs the field id"),
        ({"id": "L-1", "mood": "good"}, "a lead has no field 'mood'"),
        ({"id": "L-1", "received_at": "soon"}, "received_at is an ISO 8601 text, not 'soon'"),
        ({"id": "L-1", "evidence": 3}, "evidence maps criteria"),
        ({"id": "L-1", "evidence": {"need": {"level": 1}}}, "evidence has no field 'level'"),
        ({"id": "L-1", "evidence": {"need": {"value": 0.5, "learnt_at": "x"}}}, "learnt_at is an"),
        ({"id": "L-1", "evidence": {"need": 3}}, "evidence is the key of a level"),
        ({"id": "L-1", "history": {"state": "new"}}, "the changes of a lead are a list"),
        ({"id": "L-1", "history": [{"state": "new"}]}, "a change of a lead needs the field at"),
        (
            {"id": "L-1", "history": [{"state": "new", "at": "x"}]},
            "the time of a change is an ISO 8601 text",
        ),
    ],
)
def test_plain_data_of_another_form_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(SalesFunnelError) as refusal:
        Lead.from_dict(data)

    assert str(refusal.value).startswith(message)


def test_a_lead_cannot_be_changed_in_place() -> None:
    lead = Lead("L-1", evidence={"need": 0.5})

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        lead.owner = "li.na"  # type: ignore[misc]
    with pytest.raises(TypeError):
        lead.evidence["need"] = Evidence(1)  # type: ignore[index]


def test_a_refusal_survives_the_way_out_of_another_process() -> None:
    with pytest.raises(LeadStateError) as refusal:
        Lead("L-1").convert(at=T0)

    copied = pickle.loads(pickle.dumps(refusal.value))  # noqa: S301 - our own

    assert str(copied) == str(refusal.value)
    assert (copied.lead, copied.allowed) == (Lead("L-1"), refusal.value.allowed)
