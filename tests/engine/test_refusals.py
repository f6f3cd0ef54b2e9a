"""Every refusal: its type, its words, and what it says about the opportunity."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest
from engine.deals import FREE, FUNNEL, SALE_ONLY, day, deal

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.errors import (
    AlreadyOpenedError,
    ClosedError,
    EarlyWinError,
    GuardError,
    LossReasonError,
    NotOpenedError,
    ReopenError,
    RequiredFieldError,
    StageOrderError,
    StartStageError,
    StepBackError,
    TimeOrderError,
    TransitionError,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity, StageChange
from salesfunnel.model.stage import Stage

Refusal = TypeVar("Refusal", bound=TransitionError)

STRICT = TransitionEngine(FUNNEL)
AFTER = day(30)


def refusal(
    kind: type[Refusal], opportunity: Opportunity, change: Callable[..., Opportunity]
) -> Refusal:
    """Return the refusal of a change, having seen that the opportunity stayed as it was."""
    before = opportunity.to_dict()
    with pytest.raises(kind) as caught:
        change(opportunity, at=AFTER)
    error = caught.value
    assert type(error) is kind
    assert error.opportunity is opportunity
    assert error.state == opportunity.stage
    assert opportunity.to_dict() == before
    return error


# ── opening ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (STRICT.advance, None),
        (partial(STRICT.move, stage="demo"), "demo"),
        (STRICT.win, "setup"),
        (partial(STRICT.lose, reason="price"), "lost"),
        (STRICT.reopen, None),
    ],
)
def test_what_is_not_opened_can_only_be_opened(
    change: Callable[..., Opportunity], asked: str | None
) -> None:
    error = refusal(NotOpenedError, deal(), change)

    assert str(error) == (
        "opportunity 'O-1' (not opened yet): open it first; it may start at 'lead'"
    )
    assert (error.state, error.asked, error.allowed) == (None, asked, ("lead",))


def test_what_is_open_is_not_opened_again() -> None:
    error = refusal(AlreadyOpenedError, deal("lead"), STRICT.open)

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): has a history already: move or reopen it instead; "
        "from here it may enter 'demo', 'lost'"
    )
    assert (error.asked, error.allowed) == ("lead", ("demo", "lost"))


def test_what_is_closed_is_not_opened_again() -> None:
    error = refusal(AlreadyOpenedError, deal("lead", "lost"), partial(STRICT.open, stage="demo"))

    assert (error.state, error.asked, error.allowed) == ("lost", "demo", ())


@pytest.mark.parametrize("stage", ["demo", "setup", "won", "lost"])
def test_a_start_elsewhere_than_at_the_first_stage(stage: str) -> None:
    error = refusal(StartStageError, deal(), partial(STRICT.open, stage=stage))

    assert str(error) == (
        f"opportunity 'O-1' (not opened yet): cannot start at '{stage}'; it may start at 'lead'"
    )
    assert (error.asked, error.allowed) == (stage, ("lead",))


@pytest.mark.parametrize("stage", ["setup", "won", "lost"])
def test_no_policy_allows_a_start_after_the_sale(stage: str) -> None:
    engine = TransitionEngine(FUNNEL, FREE)

    error = refusal(StartStageError, deal(), partial(engine.open, stage=stage))

    assert (error.asked, error.allowed) == (stage, ("lead", "demo", "offer"))


# ── the order of the stages ───────────────────────────────────────────────────────────────────────


def test_a_move_that_leaves_out_a_stage() -> None:
    error = refusal(StageOrderError, deal("lead"), partial(STRICT.move, stage="offer"))

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): cannot go to 'offer': that leaves out 1 stage ('demo'), "
        "and the policy allows none; from here it may enter 'demo', 'lost'"
    )
    assert (error.asked, error.allowed) == ("offer", ("demo", "lost"))


def test_a_move_that_leaves_out_more_stages_than_the_policy_allows() -> None:
    funnel = Funnel(list("abcdefgh"))
    engine = TransitionEngine(funnel, Policy(skip=1))
    start = deal("a", funnel=funnel)

    few = refusal(StageOrderError, start, partial(engine.move, stage="d"))
    many = refusal(StageOrderError, start, partial(engine.move, stage="h"))

    assert "leaves out 2 stages ('b', 'c'), and the policy allows 1;" in str(few)
    assert "leaves out 6 stages ('b' to 'g'), and the policy allows 1;" in str(many)
    assert few.allowed == many.allowed == ("b", "c", "lost")


def test_a_win_that_leaves_out_stages_after_the_sale() -> None:
    error = refusal(
        StageOrderError, deal("lead", "demo", "offer"), partial(STRICT.move, stage="won")
    )

    assert "cannot go to 'won': that leaves out 2 stages ('setup', 'service')" in str(error)
    assert (error.asked, error.allowed) == ("won", ("setup", "lost"))


def test_a_move_to_where_it_is() -> None:
    error = refusal(StageOrderError, deal("lead"), partial(STRICT.move, stage="lead"))

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): is in 'lead' already; from here it may enter 'demo', 'lost'"
    )


def test_a_step_back() -> None:
    error = refusal(StepBackError, deal("lead", "demo"), partial(STRICT.move, stage="lead"))

    assert str(error) == (
        "opportunity 'O-1' (in 'demo'): cannot go back to 'lead': that is 1 stage back, "
        "and the policy allows none; from here it may enter 'offer', 'lost'"
    )
    assert (error.asked, error.allowed) == ("lead", ("offer", "lost"))
    assert isinstance(error, StageOrderError)


def test_a_step_further_back_than_the_policy_allows() -> None:
    engine = TransitionEngine(FUNNEL, Policy(back=1))

    error = refusal(
        StepBackError, deal("lead", "demo", "offer"), partial(engine.move, stage="lead")
    )

    assert "that is 2 stages back, and the policy allows 1;" in str(error)
    assert error.allowed == ("demo", "setup", "lost")


@pytest.mark.parametrize(
    ("change", "asked"), [(STRICT.win, "setup"), (partial(STRICT.move, stage="won"), "won")]
)
def test_an_early_win(change: Callable[..., Opportunity], asked: str) -> None:
    error = refusal(EarlyWinError, deal("lead"), change)

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): cannot be won yet: under this policy a win comes from "
        "'offer'; from here it may enter 'demo', 'lost'"
    )
    assert (error.asked, error.allowed) == (asked, ("demo", "lost"))
    assert isinstance(error, StageOrderError)


def test_a_win_of_what_is_won() -> None:
    error = refusal(StageOrderError, deal("lead", "setup"), STRICT.win)

    assert str(error) == (
        "opportunity 'O-1' (in 'setup'): is won already; from here it may enter 'service', 'lost'"
    )
    assert (error.asked, error.allowed) == ("setup", ("service", "lost"))


# ── after a close ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "asked", "problem"),
    [
        (STRICT.advance, None, "is closed and cannot advance"),
        (STRICT.win, "setup", "is closed and cannot be won"),
        (
            partial(STRICT.move, stage="demo"),
            "demo",
            "is closed and cannot enter 'demo': the policy allows no reopening",
        ),
        (
            STRICT.reopen,
            "lead",
            "is closed and cannot enter 'lead': the policy allows no reopening",
        ),
    ],
)
@pytest.mark.parametrize("sink", ["won", "lost"])
def test_a_change_after_a_close(
    change: Callable[..., Opportunity], asked: str | None, problem: str, sink: str
) -> None:
    error = refusal(ClosedError, deal("lead", sink), change)

    assert str(error) == f"opportunity 'O-1' (in '{sink}'): {problem}"
    assert (error.asked, error.allowed) == (asked, ())


def test_a_loss_after_a_close() -> None:
    lose = partial(STRICT.lose, reason="price")

    completed = refusal(ClosedError, deal("lead", "won"), lose)
    lost = refusal(ClosedError, deal("lead", "lost"), lose)

    assert str(completed) == "opportunity 'O-1' (in 'won'): is closed and cannot be lost any more"
    assert str(lost) == "opportunity 'O-1' (in 'lost'): is in 'lost' already"
    assert completed.asked == lost.asked == "lost"


@pytest.mark.parametrize("sink", ["won", "lost"])
def test_no_win_brings_back_what_is_closed(sink: str) -> None:
    engine = TransitionEngine(FUNNEL, FREE)

    refusal(ClosedError, deal("lead", "setup", sink), engine.win)
    refusal(ClosedError, deal("lead", "setup", sink), engine.advance)


# ── reopening ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("policy", [Policy(), FREE])
def test_a_reopening_of_what_is_open(policy: Policy) -> None:
    error = refusal(ReopenError, deal("lead"), TransitionEngine(FUNNEL, policy).reopen)

    assert "(in 'lead'): is open: only what is lost or won is reopened; from here" in str(error)
    assert error.asked is None


def test_an_undone_win_where_the_policy_allows_no_reopening() -> None:
    won = deal("lead", "offer", "setup")

    by_reopening = refusal(ReopenError, won, STRICT.reopen)
    by_moving = refusal(ReopenError, won, partial(STRICT.move, stage="demo"))

    assert str(by_reopening) == (
        "opportunity 'O-1' (in 'setup'): is won and cannot go back to 'offer': "
        "the policy allows no reopening; from here it may enter 'service', 'lost'"
    )
    assert (by_reopening.asked, by_moving.asked) == ("offer", "demo")
    assert by_moving.allowed == ("service", "lost")


@pytest.mark.parametrize(
    ("states", "asked", "target"),
    [
        (("lead", "demo", "lost"), "lead", "demo"),
        (("lead", "demo", "lost"), "won", "demo"),
        (("lead", "offer", "setup", "lost"), "offer", "setup"),
        (("lead", "offer", "setup", "won"), "setup", "offer"),
    ],
)
def test_a_reopening_leads_nowhere_else(states: tuple[str, ...], asked: str, target: str) -> None:
    engine = TransitionEngine(FUNNEL, Policy(reopen=True))

    error = refusal(ReopenError, deal(*states), partial(engine.move, stage=asked))

    assert str(error) == (
        f"opportunity 'O-1' (in '{states[-1]}'): cannot be reopened in '{asked}': "
        f"a reopening returns to '{target}'; from here it may enter '{target}'"
    )
    assert (error.asked, error.allowed) == (asked, (target,))


def test_a_reopening_that_comes_too_late() -> None:
    engine = TransitionEngine(FUNNEL, Policy(reopen=True, reopen_within=timedelta(days=7)))

    error = refusal(ReopenError, deal("lead", "demo", "lost"), engine.reopen)

    assert str(error) == (
        "opportunity 'O-1' (in 'lost'): cannot be reopened any more: "
        "the policy allows it for 7d after 'lost' was entered"
    )
    assert (error.asked, error.allowed) == ("demo", ())


def test_a_reopening_of_what_was_never_anywhere_else() -> None:
    imported = Opportunity("O-1", history=[StageChange("lost", day(0))])

    error = refusal(ReopenError, imported, TransitionEngine(FUNNEL, FREE).reopen)

    assert str(error) == (
        "opportunity 'O-1' (in 'lost'): cannot be reopened: "
        "it was in no earlier state that it could return to"
    )
    assert (error.asked, error.allowed) == (None, ())
    by_moving = refusal(
        ReopenError, imported, partial(TransitionEngine(FUNNEL, FREE).move, stage="lead")
    )
    assert str(by_moving) == str(error)


# ── reasons, times, fields, guards ────────────────────────────────────────────────────────────────


def test_a_loss_without_a_reason() -> None:
    error = refusal(LossReasonError, deal("lead"), STRICT.lose)

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): a loss needs a reason; it is one of 'price', 'timing'"
    )
    assert (error.asked, error.allowed) == ("lost", ("demo", "lost"))


def test_a_loss_for_a_reason_that_the_funnel_does_not_know() -> None:
    error = refusal(LossReasonError, deal("lead"), partial(STRICT.lose, reason="weather"))

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): the funnel knows no loss reason 'weather'; "
        "it is one of 'price', 'timing'"
    )


def test_a_loss_without_any_reason_at_all() -> None:
    engine = TransitionEngine(FUNNEL, Policy(loss_reason="any"))

    error = refusal(LossReasonError, deal("lead"), engine.lose)

    assert str(error).endswith("a loss needs a reason, as in reason='price'")


@pytest.mark.parametrize(
    ("closed", "remedy"),
    [
        (False, "give it loss_reasons, or the policy loss_reason='any'"),
        (True, "give it loss_reasons"),
    ],
)
def test_a_loss_in_a_funnel_that_lists_no_reasons(closed: bool, remedy: str) -> None:
    funnel = Funnel(["lead"], reasons_closed=closed)

    error = refusal(
        LossReasonError,
        deal("lead", funnel=funnel),
        partial(TransitionEngine(funnel).lose, reason="price"),
    )

    assert str(error).endswith(
        f"the funnel knows no loss reason 'price'; the funnel lists none: {remedy}"
    )


def test_a_reason_for_what_is_no_loss() -> None:
    move = partial(STRICT.move, stage="demo", reason="price")

    error = refusal(LossReasonError, deal("lead"), move)

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): only a loss has a reason, and 'price' was given"
    )
    assert (error.asked, error.allowed) == ("demo", ("demo", "lost"))


def test_a_change_before_the_last_one() -> None:
    opportunity = STRICT.open(Opportunity("O-1"), at=day(31))

    error = refusal(TimeOrderError, opportunity, STRICT.advance)

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): cannot enter 'demo' at 2026-01-31T00:00:00+00:00: "
        "it entered 'lead' later, at 2026-02-01T00:00:00+00:00"
    )
    assert (error.asked, error.allowed) == ("demo", ("demo", "lost"))


def test_a_stage_entered_without_the_fields_that_it_requires() -> None:
    funnel = SALE_ONLY.replace("demo", required=["amount", "owner", "budget"])
    engine = TransitionEngine(funnel)
    opportunity = engine.open(Opportunity("O-1", owner="li.na"), at=day(0))

    error = refusal(RequiredFieldError, opportunity, engine.advance)

    assert str(error) == (
        "opportunity 'O-1' (in 'lead'): cannot enter 'demo' without a value for 'amount', 'budget'"
    )
    assert error.missing == ("amount", "budget")
    assert (error.asked, error.allowed) == ("demo", ("demo", "lost"))


def test_the_first_stage_too_may_require_fields() -> None:
    engine = TransitionEngine(Funnel([Stage("lead", required=["source"]), "demo"]))

    error = refusal(RequiredFieldError, Opportunity("O-1"), engine.open)

    assert (error.missing, error.asked, error.allowed) == (("source",), "lead", ("lead",))


def test_a_change_that_a_guard_is_against() -> None:
    engine = TransitionEngine(FUNNEL, guards=[lambda opportunity, change: "ask the boss"])

    error = refusal(GuardError, deal("lead"), engine.advance)

    assert str(error) == "opportunity 'O-1' (in 'lead'): ask the boss"
    assert error.problem == "ask the boss"
    assert (error.asked, error.allowed) == ("demo", ("demo", "lost"))


# ── refusals as values ────────────────────────────────────────────────────────────────────────────


def test_a_copy_of_a_refusal_says_the_same_as_when_it_leaves_a_process_pool() -> None:
    funnel = SALE_ONLY.replace("demo", required=["budget"])
    error = refusal(
        RequiredFieldError, deal("lead", funnel=funnel), TransitionEngine(funnel).advance
    )

    twin = copy.copy(error)

    assert type(twin) is RequiredFieldError
    assert str(twin) == str(error)
    assert vars(twin) == vars(error)
