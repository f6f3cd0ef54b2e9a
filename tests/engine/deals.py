"""A small funnel and the days on which its deals move, for the tests of the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.model.stage import Stage

FUNNEL = Funnel(
    [
        "lead",
        "demo",
        "offer",
        Stage("setup", post_sale=True),
        Stage("service", post_sale=True),
    ],
    ["price", "timing"],
)
SALE_ONLY = Funnel(["lead", "demo", "offer"], ["price"])
"""A funnel without post-sale stages."""

FREE = Policy(
    any_start=True, skip=None, back=None, win_early=True, reopen=True, loss_reason="optional"
)


def day(number: float) -> datetime:
    """Return the time so many days after the first of the year."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def deal(*states: str, funnel: Funnel = FUNNEL, policy: Policy = FREE) -> Opportunity:
    """Return an opportunity that entered these states, one a day from day 0 on."""
    engine = TransitionEngine(funnel, policy)
    opportunity = Opportunity("O-1")
    for number, state in enumerate(states):
        if number == 0:
            opportunity = engine.open(opportunity, stage=state, at=day(number))
        else:
            opportunity = engine.move(opportunity, state, at=day(number))
    return opportunity


def path(opportunity: Opportunity) -> list[str]:
    """Return the states that an opportunity entered."""
    return [change.stage for change in opportunity.history]
