"""What the engine says when a change breaks a rule: which exception, and why in words."""

from __future__ import annotations

from salesfunnel.engine.policy import Policy
from salesfunnel.engine.rules import Rule, left_out
from salesfunnel.errors import (
    ClosedError,
    EarlyWinError,
    LossReasonError,
    ReopenError,
    StageOrderError,
    StartStageError,
    StepBackError,
    TransitionError,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.validation import duration_text

REFUSALS: dict[Rule, type[TransitionError]] = {
    Rule.START_STAGE: StartStageError,
    Rule.STAGE_ORDER: StageOrderError,
    Rule.STEP_BACK: StepBackError,
    Rule.EARLY_WIN: EarlyWinError,
    Rule.AFTER_CLOSE: ClosedError,
    Rule.REOPENING: ReopenError,
    Rule.REASON_MISSING: LossReasonError,
    Rule.REASON_UNKNOWN: LossReasonError,
}


def order_problem(
    rule: Rule, funnel: Funnel, policy: Policy, here: int, there: int, reopening: int | None
) -> str:
    """Return why an opportunity cannot go from one state to another.

    `reopening` is the state that a reopening would return to, None where there is none.
    """
    asked = funnel.states[there]
    if rule is Rule.START_STAGE:
        return f"cannot start at {asked!r}"
    if here == there:
        return f"is in {asked!r} already"
    match rule:
        case Rule.STAGE_ORDER:
            skipped = [
                repr(funnel.states[code]) for code in left_out(funnel.n_presale, here, there)
            ]
            names = ", ".join(skipped) if len(skipped) < 4 else f"{skipped[0]} to {skipped[-1]}"
            return (
                f"cannot go to {asked!r}: that leaves out {_stages(len(skipped))} ({names}), "
                f"and the policy allows {policy.skip or 'none'}"
            )
        case Rule.STEP_BACK:
            return (
                f"cannot go back to {asked!r}: that is {_stages(here - there)} back, "
                f"and the policy allows {policy.back or 'none'}"
            )
        case Rule.EARLY_WIN:
            last = funnel.states[funnel.n_presale - 1]
            return f"cannot be won yet: under this policy a win comes from {last!r}"
        case Rule.AFTER_CLOSE if there == funnel.lost:
            return "is closed and cannot be lost any more"
        case Rule.AFTER_CLOSE:
            return f"is closed and cannot enter {asked!r}: the policy allows no reopening"
        case _:
            return _reopening_problem(funnel, policy, here, there, reopening)


def _reopening_problem(
    funnel: Funnel, policy: Policy, here: int, there: int, reopening: int | None
) -> str:
    asked = funnel.states[there]
    if not policy.reopen:
        return f"is won and cannot go back to {asked!r}: the policy allows no reopening"
    if reopening is None:
        return "cannot be reopened: it was in no earlier state that it could return to"
    if reopening != there:
        target = funnel.states[reopening]
        return f"cannot be reopened in {asked!r}: a reopening returns to {target!r}"
    assert policy.reopen_within is not None
    limit = duration_text(policy.reopen_within)
    return (
        f"cannot be reopened any more: the policy allows it for {limit} "
        f"after {funnel.states[here]!r} was entered"
    )


def reason_problem(rule: Rule, funnel: Funnel, policy: Policy, reason: str | None) -> str:
    """Return what is wrong with the reason given for a loss."""
    known = ", ".join(repr(known.key) for known in funnel.loss_reasons)
    if rule is Rule.REASON_UNKNOWN:
        problem = f"the funnel knows no loss reason {reason!r}"
    elif policy.loss_reason == "any" and not funnel.reasons_closed:
        return "a loss needs a reason, as in reason='price'"
    else:
        problem = "a loss needs a reason"
    if known:
        return f"{problem}; it is one of {known}"
    choice = "" if funnel.reasons_closed else ", or the policy loss_reason='any'"
    return f"{problem}; the funnel lists none: give it loss_reasons{choice}"


def _stages(number: int) -> str:
    return "1 stage" if number == 1 else f"{number} stages"
