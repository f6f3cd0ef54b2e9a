"""What an opportunity may do next: moves, and where a reopening leads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from engine.deals import FREE, FUNNEL, SALE_ONLY, day, deal, path
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.engine.rulebook import Move
from salesfunnel.errors import DefinitionError, TransitionError, UnknownStateError
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity, StageChange

STRICT = TransitionEngine(FUNNEL)
ANYTHING = TransitionEngine(FUNNEL, FREE)


# ── moves ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_opened_may_be_opened_at_each_allowed_start() -> None:
    assert STRICT.moves(Opportunity("O-1")) == (Move("open", "lead"),)
    assert ANYTHING.moves(Opportunity("O-1")) == (
        Move("open", "lead"),
        Move("open", "demo"),
        Move("open", "offer"),
    )


def test_the_strict_policy_offers_the_next_stage_and_a_loss_with_a_reason() -> None:
    assert STRICT.moves(deal("lead")) == (
        Move("advance", "demo"),
        Move("lose", "lost", needs_reason=True),
    )


def test_every_kind_of_move_has_its_name() -> None:
    assert ANYTHING.moves(deal("demo")) == (
        Move("back", "lead"),
        Move("advance", "offer"),
        Move("win", "setup"),
        Move("win", "service"),
        Move("win", "won"),
        Move("lose", "lost"),
    )
    assert ANYTHING.moves(deal("lead", "offer", "setup")) == (
        Move("reopen", "offer"),
        Move("advance", "service"),
        Move("skip", "won"),
        Move("lose", "lost"),
    )
    assert ANYTHING.moves(deal("lead", "demo", "lost")) == (Move("reopen", "demo"),)


def test_nothing_is_offered_after_a_close() -> None:
    assert STRICT.moves(deal("lead", "lost")) == ()
    assert STRICT.moves(deal("lead", "won")) == ()


def test_a_move_names_the_fields_that_it_still_needs() -> None:
    funnel = SALE_ONLY.replace("demo", required=["amount", "budget", "owner"])
    opportunity = attrs.evolve(deal("lead", funnel=funnel), owner="li.na", fields={"budget": ""})

    moves = TransitionEngine(funnel).moves(opportunity)
    lenient = TransitionEngine(funnel, Policy(required_fields=False)).moves(opportunity)

    assert moves[0] == Move("advance", "demo", missing=("amount", "budget"))
    assert lenient[0] == Move("advance", "demo")


@pytest.mark.parametrize(
    ("loss_reason", "needed"), [("known", True), ("any", True), ("optional", False)]
)
def test_a_loss_says_whether_it_needs_a_reason(loss_reason: str, needed: bool) -> None:
    engine = TransitionEngine(FUNNEL, Policy(loss_reason=loss_reason))

    assert engine.moves(deal("lead"))[-1] == Move("lose", "lost", needs_reason=needed)


def test_a_late_reopening_is_not_offered_where_the_time_is_known() -> None:
    engine = TransitionEngine(FUNNEL, Policy(reopen=True, reopen_within=timedelta(days=7)))
    lost = deal("lead", "lost")

    assert engine.moves(lost) == (Move("reopen", "lead"),)
    assert engine.moves(lost, at=day(8)) == (Move("reopen", "lead"),)
    assert engine.moves(lost, at=day(8.01)) == ()


def test_moves_at_a_time_without_a_zone_are_a_mistake() -> None:
    with pytest.raises(DefinitionError, match="no time zone"):
        STRICT.moves(deal("lead"), at=datetime(2026, 1, 5))  # noqa: DTZ001


policies = st.builds(
    Policy,
    any_start=st.booleans(),
    skip=st.sampled_from([0, 1, None]),
    back=st.sampled_from([0, 1, None]),
    win_early=st.booleans(),
    reopen=st.booleans(),
    loss_reason=st.sampled_from(["known", "any", "optional"]),
)


@given(policies, st.lists(st.sampled_from(FUNNEL.states), max_size=6))
def test_moves_are_exactly_what_the_engine_accepts(policy: Policy, wishes: list[str]) -> None:
    engine = TransitionEngine(FUNNEL, policy)
    opportunity = Opportunity("O-1")

    def enter(state: str, number: int) -> Opportunity:
        if not opportunity.history:
            return engine.open(opportunity, stage=state, at=day(number))
        reason = "price" if state == "lost" else None
        return engine.move(opportunity, state, reason=reason, at=day(number))

    for number, wish in enumerate(wishes):
        accepted, told = {}, set()
        for state in FUNNEL.states:
            try:
                accepted[state] = enter(state, number)
            except TransitionError as error:
                told.add(error.allowed)
        offered = tuple(move.stage for move in engine.moves(opportunity))
        assert offered == tuple(accepted)
        assert told <= {offered}
        opportunity = accepted.get(wish, opportunity)


# ── where a reopening leads ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("states", "target", "status"),
    [
        (("lead", "demo", "lost"), "demo", "open"),
        (("lead", "offer", "setup", "lost"), "setup", "won"),
        (("lead", "offer", "setup"), "offer", "open"),
        (("lead", "demo", "setup", "service", "won"), "demo", "open"),
        (("lead", "offer", "demo", "won"), "demo", "open"),
    ],
)
def test_a_reopening_returns_what_was_lost_or_won(
    states: tuple[str, ...], target: str, status: str
) -> None:
    engine = TransitionEngine(FUNNEL, Policy(reopen=True))
    closed = deal(*states)

    reopened = engine.reopen(closed, at=day(30))

    assert (reopened.stage, reopened.status) == (target, status)
    assert path(reopened) == [*states, target]
    assert engine.move(closed, target, at=day(30)) == reopened


def test_without_stages_after_the_sale_a_win_is_undone_too() -> None:
    engine = TransitionEngine(SALE_ONLY, Policy(reopen=True))
    won = deal("lead", "demo", "offer", "won", funnel=SALE_ONLY)

    reopened = engine.reopen(won, at=day(30))

    assert (reopened.stage, reopened.status) == ("offer", "open")


def test_a_loss_may_be_reopened_and_lost_again() -> None:
    engine = TransitionEngine(FUNNEL, Policy(reopen=True))
    twice = engine.lose(
        engine.reopen(deal("lead", "demo", "lost"), at=day(4)), reason="price", at=day(5)
    )

    again = engine.reopen(twice, at=day(6))

    assert path(again) == ["lead", "demo", "lost", "demo", "lost", "demo"]


def test_the_time_limit_of_reopening_includes_its_last_moment() -> None:
    engine = TransitionEngine(FUNNEL, Policy(reopen=True, reopen_within=timedelta(days=7)))

    reopened = engine.reopen(deal("lead", "lost"), at=day(8))

    assert reopened.stage == "lead"


def test_a_loss_told_twice_returns_to_the_state_before_it() -> None:
    imported = Opportunity(
        "O-1",
        history=[
            StageChange("lead", day(0)),
            StageChange("lost", day(1)),
            StageChange("lost", day(2), reason="price"),
        ],
    )

    assert ANYTHING.reopen(imported, at=day(3)).stage == "lead"


# ── states that the funnel does not have ──────────────────────────────────────────────────────────

FOREIGN = Opportunity(
    "O-1", history=[StageChange("lead", day(0)), StageChange("qualified", day(1))]
)


@pytest.mark.parametrize("change", ["open", "advance", "win", "lose", "reopen"])
def test_an_opportunity_of_another_funnel_is_not_moved(change: str) -> None:
    with pytest.raises(UnknownStateError) as caught:
        getattr(ANYTHING, change)(FOREIGN, at=day(2))

    assert str(caught.value) == (
        "opportunity 'O-1' is in 'qualified', which this funnel does not have; "
        "it has lead, demo, offer, setup, service, won, lost"
    )


def test_an_opportunity_of_another_funnel_has_no_moves() -> None:
    with pytest.raises(UnknownStateError, match="'qualified', which this funnel does not have"):
        ANYTHING.moves(FOREIGN)
    with pytest.raises(UnknownStateError, match="'qualified', which this funnel does not have"):
        ANYTHING.move(FOREIGN, "demo", at=day(2))


def test_a_state_of_the_past_that_the_funnel_lost_does_not_hinder() -> None:
    moved_on = attrs.evolve(
        FOREIGN, history=[*FOREIGN.history, StageChange("demo", day(2)), StageChange("won", day(3))]
    )
    lost = attrs.evolve(FOREIGN, history=[*FOREIGN.history, StageChange("lost", day(2))])

    assert ANYTHING.reopen(moved_on, at=day(4)).stage == "demo"
    assert ANYTHING.moves(lost) == ()


@pytest.mark.parametrize("thing", ["O-1", None, FUNNEL])
def test_only_opportunities_are_moved(thing: Any) -> None:
    for question in (STRICT.moves, ANYTHING.moves):
        with pytest.raises(DefinitionError) as caught:
            question(thing)
        assert str(caught.value) == f"the engine moves an Opportunity, not {thing!r}"


def test_a_funnel_of_one_stage_has_a_beginning_and_two_ends() -> None:
    funnel = Funnel(["lead"], ["price"])
    engine = TransitionEngine(funnel)

    assert engine.moves(deal("lead", funnel=funnel)) == (
        Move("win", "won"),
        Move("lose", "lost", needs_reason=True),
    )
