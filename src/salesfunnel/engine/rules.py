"""The rules themselves: the one source that the engine enforces and `StageLog.conform` reports.

Whether a change is in order depends almost always on two states alone, so a policy is compiled once
into a matrix: verdict[from][to], with one more row for the first entry of an opportunity. Only
reopening looks further back, and says so with a verdict of its own.
"""

from __future__ import annotations

from enum import IntEnum

from salesfunnel.engine.policy import Policy
from salesfunnel.model.funnel import Funnel


class Rule(IntEnum):
    """What a change breaks; ``ALLOWED`` is no breach."""

    ALLOWED = 0
    START_STAGE = 1
    STAGE_ORDER = 2
    STEP_BACK = 3
    EARLY_WIN = 4
    AFTER_CLOSE = 5
    REOPENING = 6
    REASON_MISSING = 7
    REASON_UNKNOWN = 8
    REQUIRED_FIELD = 9
    TIME_ORDER = 10


def verdicts(funnel: Funnel, policy: Policy) -> tuple[tuple[Rule, ...], ...]:
    """Return the verdict on every pair of states, as rows ``[from][to]`` by the states' numbers.

    One more row, the last, judges the state that an opportunity starts in. A verdict of
    ``REOPENING`` is not final: whether the change is a reopening that the policy allows depends on
    the states before, and on the time.
    """
    presale, n_stages = funnel.n_presale, len(funnel)
    states = range(n_stages + 2)
    rows = [
        tuple(_verdict(policy, presale, n_stages, here, there) for there in states)
        for here in states
    ]
    start = (
        Rule.ALLOWED if state == 0 or (policy.any_start and state < presale) else Rule.START_STAGE
        for state in states
    )
    return (*rows, tuple(start))


def _verdict(policy: Policy, presale: int, n_stages: int, here: int, there: int) -> Rule:
    """Return the verdict on one pair: stages are below `n_stages`, then come WON and LOST."""
    lost = n_stages + 1
    if here >= n_stages:
        return Rule.REOPENING if policy.reopen and there != lost else Rule.AFTER_CLOSE
    if there == lost:
        return Rule.ALLOWED
    if there == here:
        return Rule.STAGE_ORDER
    if there < presale <= here:
        return Rule.REOPENING
    if there < here:
        return Rule.ALLOWED if _within(here - there, policy.back) else Rule.STEP_BACK
    if here < presale - 1 and there >= presale and not policy.win_early:
        return Rule.EARLY_WIN
    skipped = left_out(presale, here, there)
    return Rule.ALLOWED if _within(len(skipped), policy.skip) else Rule.STAGE_ORDER


def left_out(presale: int, here: int, there: int) -> range:
    """Return the stages that a move forward leaves out.

    An early win is a matter of its own, so a move over the sale leaves out only stages after it.
    """
    return range(presale if here < presale <= there else here + 1, there)


def _within(number: int, limit: int | None) -> bool:
    return limit is None or number <= limit


def reason_verdict(funnel: Funnel, policy: Policy, reason: str | None) -> Rule:
    """Return the verdict on the reason given for a loss.

    A funnel that closes its list of reasons admits no other, whatever the policy: data with
    another would not load.
    """
    if not reason:
        return Rule.ALLOWED if policy.loss_reason == "optional" else Rule.REASON_MISSING
    listed_only = policy.loss_reason == "known" or funnel.reasons_closed
    if listed_only and not funnel.knows_reason(reason):
        return Rule.REASON_UNKNOWN
    return Rule.ALLOWED


def required_fields(funnel: Funnel, policy: Policy) -> tuple[tuple[str, ...], ...]:
    """Return the fields that each state requires of an opportunity that enters it."""
    stages = tuple(stage.required if policy.required_fields else () for stage in funnel)
    return (*stages, (), ())
