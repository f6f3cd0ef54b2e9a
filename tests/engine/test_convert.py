"""From a lead to an opportunity: both or neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from salesfunnel.engine.convert import convert
from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.errors import (
    DefinitionError,
    GuardError,
    LeadStateError,
    ObserverError,
    RequiredFieldError,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.lead import Lead
from salesfunnel.model.opportunity import Opportunity, StageChange
from salesfunnel.model.stage import Stage

T0 = datetime(2026, 1, 5, tzinfo=UTC)
T1 = T0 + timedelta(days=1)
FUNNEL = Funnel(["demo", "offer"])
LEAD = Lead("L-1", owner="li.na", source="web", fields={"region": "east"}, received_at=T0).qualify(
    at=T0, score=62.5, grade="B"
)


def test_a_qualified_lead_becomes_an_opportunity_at_the_first_stage_with_its_score_kept() -> None:
    done = convert(LEAD, TransitionEngine(FUNNEL), at=T1, by="li.na", note="called")

    assert done.lead.state == "converted"
    assert done.lead.opportunity == "L-1"
    assert done.lead.history[-1].by == "li.na"
    opportunity = done.opportunity
    assert (opportunity.stage, opportunity.status, opportunity.entered_at) == ("demo", "open", T1)
    assert opportunity.history == (StageChange("demo", T1, by="li.na", note="called"),)
    assert opportunity.fields == {"region": "east", "lead": "L-1", "score": 62.5, "grade": "B"}
    assert (opportunity.owner, opportunity.source) == ("li.na", "web")


def test_the_opportunity_may_have_an_identifier_of_its_own() -> None:
    done = convert(LEAD, TransitionEngine(FUNNEL), at=T1, opportunity="O-7")

    assert done.opportunity.id == done.lead.opportunity == "O-7"
    assert done.opportunity.fields["lead"] == "L-1"


def test_only_what_is_qualified_is_converted_and_the_engine_is_not_asked() -> None:
    opened: list[Opportunity] = []
    engine = TransitionEngine(FUNNEL, observers=[lambda opportunity, _: opened.append(opportunity)])

    with pytest.raises(LeadStateError, match=r"\(new\): cannot become 'converted'"):
        convert(Lead("L-1"), engine, at=T1)
    with pytest.raises(LeadStateError, match="time goes back"):
        convert(LEAD, engine, at=T0 - timedelta(days=1))
    assert opened == []


def test_what_the_engine_refuses_is_not_converted() -> None:
    strict = TransitionEngine(Funnel([Stage("demo", required=["amount"])]))
    with pytest.raises(RequiredFieldError):
        convert(LEAD, strict, at=T1)
    guarded = TransitionEngine(FUNNEL, guards=[lambda *_: "not today"])
    with pytest.raises(GuardError, match="not today"):
        convert(LEAD, guarded, at=T1)


def test_an_observer_that_fails_leaves_the_opportunity_in_the_error() -> None:
    def fail(*_: object) -> None:
        raise OSError("no line")

    with pytest.raises(ObserverError) as failure:
        convert(LEAD, TransitionEngine(FUNNEL, observers=[fail]), at=T1)

    assert failure.value.opportunity.stage == "demo"


def test_it_takes_an_engine() -> None:
    with pytest.raises(DefinitionError, match="a TransitionEngine opens the opportunity, not 'eng"):
        convert(LEAD, "engine", at=T1)  # type: ignore[arg-type]
