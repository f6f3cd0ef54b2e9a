"""The engine's changes: where they lead, what they keep, and who else has a say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest
from engine.deals import FREE, FUNNEL, SALE_ONLY, day, deal, path

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.errors import (
    DefinitionError,
    ReopenError,
    RequiredFieldError,
    StageOrderError,
    StartStageError,
    UnknownStateError,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity, StageChange

STRICT = TransitionEngine(FUNNEL)


# ── the changes ───────────────────────────────────────────────────────────────────────────────────


def test_an_opportunity_advances_from_the_first_stage_to_the_end_of_the_service() -> None:
    opportunity = STRICT.open(Opportunity("O-1"), at=day(0))
    stands = [(opportunity.stage, opportunity.status)]
    for number in range(1, 6):
        opportunity = STRICT.advance(opportunity, at=day(number))
        stands.append((opportunity.stage, opportunity.status))

    assert stands == [
        ("lead", "open"),
        ("demo", "open"),
        ("offer", "open"),
        ("setup", "won"),
        ("service", "won"),
        ("won", "won"),
    ]
    assert [change.at for change in opportunity.history] == [day(number) for number in range(6)]


def test_without_stages_after_the_sale_the_last_stage_leads_to_won() -> None:
    engine = TransitionEngine(SALE_ONLY)

    won = engine.advance(deal("lead", "demo", "offer", funnel=SALE_ONLY), at=day(3))

    assert (won.stage, won.status) == ("won", "won")


def test_a_funnel_may_have_a_single_stage() -> None:
    engine = TransitionEngine(Funnel(["lead"], ["price"]))
    opened = engine.open(Opportunity("O-1"), at=day(0))

    assert engine.advance(opened, at=day(1)) == engine.win(opened, at=day(1))
    assert engine.lose(opened, reason="price", at=day(1)).status == "lost"


def test_a_win_goes_where_an_advance_would() -> None:
    last = deal("lead", "demo", "offer")
    sale_only = deal("lead", "demo", "offer", funnel=SALE_ONLY)

    assert STRICT.win(last, at=day(3)) == STRICT.advance(last, at=day(3))
    assert STRICT.win(last, at=day(3)).stage == "setup"
    assert TransitionEngine(SALE_ONLY).win(sale_only, at=day(3)).stage == "won"


def test_an_early_win_is_for_the_policy_to_allow() -> None:
    engine = TransitionEngine(FUNNEL, Policy(win_early=True))

    assert engine.win(deal("lead"), at=day(1)).stage == "setup"


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (("lead",), "lost"),
        (("lead", "demo", "offer"), "lost"),
        (("lead", "setup"), "churned"),
        (("lead", "setup", "service"), "churned"),
    ],
)
def test_a_loss_after_the_sale_is_a_churn(states: tuple[str, ...], status: str) -> None:
    lost = STRICT.lose(deal(*states), reason="price", at=day(5))

    assert (lost.stage, lost.status) == ("lost", status)
    assert lost.history[-1].reason == "price"


def test_a_loss_after_the_sale_is_a_churn_also_where_the_history_did_not_say_won() -> None:
    imported = Opportunity("O-1", history=[StageChange("setup", day(0))])
    assert imported.status == "open"

    assert STRICT.lose(imported, reason="price", at=day(1)).status == "churned"


def test_a_move_may_enter_any_state_that_the_policy_allows() -> None:
    engine = TransitionEngine(FUNNEL, FREE)
    opportunity = engine.open(Opportunity("O-1"), stage="demo", at=day(0))
    for number, state in enumerate(["lead", "offer", "won", "offer", "service", "setup", "lost"]):
        opportunity = engine.move(opportunity, state, at=day(number))

    assert path(opportunity) == [
        "demo",
        "lead",
        "offer",
        "won",
        "offer",
        "service",
        "setup",
        "lost",
    ]
    assert opportunity.status == "churned"


def test_a_move_to_lost_takes_the_reason() -> None:
    lost = STRICT.move(deal("lead"), "lost", reason="timing", at=day(1))

    assert lost == STRICT.lose(deal("lead"), reason="timing", at=day(1))


def test_a_change_keeps_who_made_it_and_what_they_remarked() -> None:
    opened = STRICT.open(Opportunity("O-1"), at=day(0), by="li.na", note="met at the fair")
    lost = STRICT.lose(opened, reason="price", at=day(1), by="wang.wei", note="20% over")

    assert lost.history == (
        StageChange("lead", day(0), by="li.na", note="met at the fair"),
        StageChange("lost", day(1), reason="price", by="wang.wei", note="20% over"),
    )


def test_a_change_gives_a_new_value_and_leaves_the_old_one() -> None:
    before = attrs.evolve(deal("lead"), amount="12000", owner="li.na", fields={"budget": 3})

    after = STRICT.advance(before, at=day(1))

    assert path(before) == ["lead"]
    assert path(after) == ["lead", "demo"]
    assert attrs.evolve(after, history=before.history) == before
    assert after.fields == {"budget": 3}


def test_required_fields_may_be_its_own_or_free_ones() -> None:
    funnel = SALE_ONLY.replace("demo", required=["amount", "budget"])
    engine = TransitionEngine(funnel)
    opened = engine.open(Opportunity("O-1"), at=day(0))

    complete = attrs.evolve(opened, amount=0, fields={"budget": False})

    assert engine.advance(complete, at=day(1)).stage == "demo"
    with pytest.raises(RequiredFieldError):
        engine.advance(attrs.evolve(complete, amount=None), at=day(1))


def test_a_policy_may_do_without_the_required_fields() -> None:
    funnel = SALE_ONLY.replace("demo", required=["amount"])
    engine = TransitionEngine(funnel, Policy(required_fields=False))

    assert engine.advance(deal("lead", funnel=funnel), at=day(1)).stage == "demo"


# ── arguments ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stage", ["Demo", "", None, 1, ["demo"]])
def test_a_state_that_the_funnel_does_not_have(stage: Any) -> None:
    with pytest.raises(UnknownStateError) as caught:
        STRICT.move(deal("lead"), stage, at=day(1))

    assert str(caught.value) == (
        f"no state {stage!r} in this funnel; it has lead, demo, offer, setup, service, won, lost"
    )


@pytest.mark.parametrize("argument", ["by", "note"])
def test_remarks_are_texts(argument: str) -> None:
    remark: dict[str, Any] = {argument: 7}

    with pytest.raises(DefinitionError) as caught:
        STRICT.advance(deal("lead"), at=day(1), **remark)

    assert str(caught.value) == f"{argument}= is a text or None, not 7"


@pytest.mark.parametrize("loss_reason", ["known", "any", "optional"])
@pytest.mark.parametrize("reason", [7, ["price"], False])
def test_a_loss_reason_is_a_text(loss_reason: str, reason: Any) -> None:
    engine = TransitionEngine(FUNNEL, Policy(loss_reason=loss_reason))

    with pytest.raises(DefinitionError) as caught:
        engine.lose(deal("lead"), reason=reason, at=day(1))

    assert str(caught.value) == f"reason= is a text or None, not {reason!r}"


def test_an_engine_is_made_of_a_funnel_and_a_policy() -> None:
    funnel: Any = ["lead", "demo"]
    policy: Any = {"skip": 1}

    with pytest.raises(DefinitionError, match=r"an engine needs a Funnel, not \['lead', 'demo'\]"):
        TransitionEngine(funnel)
    with pytest.raises(DefinitionError, match=r"the policy of an engine is a Policy, not \{"):
        TransitionEngine(FUNNEL, policy)


@pytest.mark.parametrize("argument", ["guards", "observers"])
@pytest.mark.parametrize("functions", [print, ["print"], "print", None])
def test_guards_and_observers_are_sequences_of_functions(argument: str, functions: Any) -> None:
    with pytest.raises(DefinitionError) as caught:
        TransitionEngine(FUNNEL, **{argument: functions})

    assert str(caught.value) == f"{argument} are a sequence of functions, not {functions!r}"


def test_an_engine_shows_its_policy() -> None:
    assert repr(TransitionEngine(SALE_ONLY)) == f"TransitionEngine(3 stages, {Policy()!r})"


# ── replay ────────────────────────────────────────────────────────────────────────────────────────


def test_replay_gives_the_same_value() -> None:
    engine = TransitionEngine(FUNNEL, FREE)
    opportunity = deal("lead", "offer", "setup", "offer", "lost", "offer", "service", "won")

    assert engine.replay(opportunity) == opportunity
    assert engine.replay(Opportunity("O-1")) == Opportunity("O-1")


def test_replay_makes_the_statuses_anew_from_states_and_times() -> None:
    original = deal("lead", "offer", "setup", "lost")
    stored = [StageChange(change.stage, change.at) for change in original.history]
    assert [change.status for change in stored] == ["open", "open", "open", "lost"]

    rebuilt = TransitionEngine(FUNNEL, FREE).replay(Opportunity("O-1"), stored)

    assert rebuilt == original
    assert rebuilt.status == "churned"


def test_replay_asks_no_guard_and_tells_no_observer() -> None:
    def unreachable(opportunity: Opportunity, change: StageChange) -> None:
        pytest.fail("asked about, or told of, the past")

    engine = TransitionEngine(FUNNEL, FREE, guards=[unreachable], observers=[unreachable])
    opportunity = deal("lead", "lost")

    assert engine.replay(opportunity) == opportunity


def test_replay_stops_where_a_rule_was_broken() -> None:
    with pytest.raises(StageOrderError) as caught:
        STRICT.replay(deal("lead", "demo", "setup"))

    assert path(caught.value.opportunity) == ["lead", "demo"]
    assert caught.value.asked == "setup"


def test_replay_begins_at_a_start() -> None:
    with pytest.raises(StartStageError):
        STRICT.replay(deal("demo", "offer"))


def test_replay_needs_states_of_the_funnel() -> None:
    with pytest.raises(UnknownStateError, match="no state 'qualified'"):
        STRICT.replay(Opportunity("O-1", history=[StageChange("qualified", day(0))]))


def test_replay_of_a_later_policy_applies_its_time_limit() -> None:
    lenient = TransitionEngine(FUNNEL, Policy(reopen=True, loss_reason="optional"))
    strict = attrs.evolve(lenient.policy, reopen_within=timedelta(days=1))
    reopened = lenient.reopen(deal("lead", "lost"), at=day(9))

    assert lenient.replay(reopened) == reopened
    with pytest.raises(ReopenError):
        TransitionEngine(FUNNEL, strict).replay(reopened)
