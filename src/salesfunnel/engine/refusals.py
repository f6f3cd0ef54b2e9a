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
from salesfunnel.wording import Listed, Wording

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
) -> Wording:
    """Return why an opportunity cannot go from one state to another.

    `reopening` is the state that a reopening would return to, None where there is none.
    """
    asked = funnel.states[there]
    if rule is Rule.START_STAGE:
        return Wording("cannot start at {asked!r}", asked=asked)
    if here == there:
        return Wording("is in {asked!r} already", asked=asked)
    match rule:
        case Rule.STAGE_ORDER:
            skipped = [
                repr(funnel.states[code]) for code in left_out(funnel.n_presale, here, there)
            ]
            names = (
                Listed(skipped)
                if len(skipped) < 4
                else Wording("{first} to {last}", first=skipped[0], last=skipped[-1])
            )
            return Wording(
                "cannot go to {asked!r}: that leaves out {stages} ({names}), and the policy "
                "allows {limit}",
                asked=asked,
                stages=_stages(len(skipped)),
                names=names,
                limit=policy.skip or Wording("none"),
            )
        case Rule.STEP_BACK:
            return Wording(
                "cannot go back to {asked!r}: that is {stages} back, and the policy allows {limit}",
                asked=asked,
                stages=_stages(here - there),
                limit=policy.back or Wording("none"),
            )
        case Rule.EARLY_WIN:
            last = funnel.states[funnel.n_presale - 1]
            return Wording(
                "cannot be won yet: under this policy a win comes from {last!r}", last=last
            )
        case Rule.AFTER_CLOSE if there == funnel.lost:
            return Wording("is closed and cannot be lost any more")
        case Rule.AFTER_CLOSE:
            return Wording(
                "is closed and cannot enter {asked!r}: the policy allows no reopening", asked=asked
            )
        case _:
            return _reopening_problem(funnel, policy, here, there, reopening)


def _reopening_problem(
    funnel: Funnel, policy: Policy, here: int, there: int, reopening: int | None
) -> Wording:
    asked = funnel.states[there]
    if not policy.reopen:
        return Wording(
            "is won and cannot go back to {asked!r}: the policy allows no reopening", asked=asked
        )
    if reopening is None:
        return Wording("cannot be reopened: it was in no earlier state that it could return to")
    if reopening != there:
        target = funnel.states[reopening]
        return Wording(
            "cannot be reopened in {asked!r}: a reopening returns to {target!r}",
            asked=asked,
            target=target,
        )
    assert policy.reopen_within is not None
    limit = duration_text(policy.reopen_within)
    return Wording(
        "cannot be reopened any more: the policy allows it for {limit} after {state!r} was entered",
        limit=limit,
        state=funnel.states[here],
    )


def reason_problem(rule: Rule, funnel: Funnel, policy: Policy, reason: str | None) -> Wording:
    """Return what is wrong with the reason given for a loss."""
    known = Listed(repr(known.key) for known in funnel.loss_reasons)
    if rule is Rule.REASON_UNKNOWN:
        problem = Wording("the funnel knows no loss reason {reason!r}", reason=reason)
    elif policy.loss_reason == "any" and not funnel.reasons_closed:
        return Wording("a loss needs a reason, as in reason='price'")
    else:
        problem = Wording("a loss needs a reason")
    if known:
        return Wording("{problem}; it is one of {known}", problem=problem, known=known)
    if funnel.reasons_closed:
        return Wording("{problem}; the funnel lists none: give it loss_reasons", problem=problem)
    return Wording(
        "{problem}; the funnel lists none: give it loss_reasons, or the policy loss_reason='any'",
        problem=problem,
    )


def _stages(number: int) -> Wording:
    return Wording("1 stage" if number == 1 else "{number} stages", number=number)
