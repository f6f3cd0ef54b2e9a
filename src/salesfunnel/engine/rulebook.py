"""A policy compiled for a funnel: where an opportunity stands, and what it may do next."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple, NoReturn

from salesfunnel.engine.policy import Policy
from salesfunnel.engine.refusals import REFUSALS, order_problem, reason_problem
from salesfunnel.engine.rules import Rule, reason_verdict, required_fields, verdicts
from salesfunnel.errors import (
    DefinitionError,
    LossReasonError,
    RequiredFieldError,
    TimeOrderError,
    TransitionError,
    UnknownStateError,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.instant import instant
from salesfunnel.model.opportunity import CHURNED, OPEN, Opportunity, StageChange
from salesfunnel.model.stage import LOST, WON
from salesfunnel.wording import Listed, Wording


class Move(NamedTuple):
    """A change that is open to an opportunity.

    `missing` are the fields that still need a value before it; `needs_reason` says whether it must
    be given a reason.
    """

    kind: Literal["open", "advance", "skip", "back", "win", "lose", "reopen"]
    stage: str
    missing: tuple[str, ...] = ()
    needs_reason: bool = False


class Rulebook:
    """The rules as one opportunity meets them; states are numbers, as in the funnel.

    Attributes
    ----------
    start : int
        Stands for the state of an opportunity that is not opened yet.
    """

    def __init__(self, funnel: Funnel, policy: Policy) -> None:
        self.funnel = funnel
        self.policy = policy
        self.start = len(funnel.states)
        self._presale = funnel.n_presale
        self._lost = funnel.lost
        self._codes = {state: code for code, state in enumerate(funnel.states)}
        self._verdicts = verdicts(funnel, policy)
        self._required = required_fields(funnel, policy)
        statuses = (OPEN if code < self._presale else WON for code in range(self._lost))
        self._entries = tuple(zip(funnel.states, self._required, (*statuses, LOST), strict=True))

    # ── where it is, and where it may go ──────────────────────────────────────────────────────────

    def here(self, opportunity: Opportunity) -> int:
        """Return the number of the state that an opportunity is in, or `start`."""
        if not isinstance(opportunity, Opportunity):
            raise DefinitionError(
                "the engine moves an Opportunity, not {opportunity!r}", opportunity=opportunity
            )
        history = opportunity.history
        if not history:
            return self.start
        stage = history[-1].stage
        try:
            return self._codes[stage]
        except KeyError:
            raise UnknownStateError(
                "opportunity {id!r} is in {stage!r}, which this funnel does not have; it has "
                "{states}",
                id=opportunity.id,
                stage=stage,
                states=Listed(self.funnel.states),
            ) from None

    def moves(self, opportunity: Opportunity, at: datetime | None) -> tuple[Move, ...]:
        """Return what is allowed next, in the order of the states."""
        here = self.here(opportunity)
        if at is not None:
            instant(at)  # raises where it is none, also where no limit needs it
        return tuple(
            self._as_move(opportunity, here, code)
            for code, verdict in enumerate(self._verdicts[here])
            if not verdict
            or (verdict is Rule.REOPENING and self._may_reopen(opportunity, code, at))
        )

    def _as_move(self, opportunity: Opportunity, here: int, code: int) -> Move:
        kind: Literal["open", "advance", "skip", "back", "win", "lose", "reopen"]
        if here == self.start:
            kind = "open"
        elif code == self._lost:
            kind = "lose"
        elif self._verdicts[here][code] is Rule.REOPENING:
            kind = "reopen"
        elif here < self._presale <= code:
            kind = "win"
        elif code < here:
            kind = "back"
        else:
            kind = "advance" if code == here + 1 else "skip"
        return Move(
            kind,
            self.funnel.states[code],
            missing=opportunity.missing(self._required[code]),
            needs_reason=kind == "lose" and self.policy.loss_reason != "optional",
        )

    def reopening_target(self, opportunity: Opportunity) -> int | None:
        """Return where a reopening leads; None where there is no such state."""
        history = opportunity.history
        if history and history[-1].stage == LOST:
            before = (change.stage for change in reversed(history) if change.stage != LOST)
            return self._codes.get(next(before, ""))
        visited = (self._codes.get(change.stage) for change in reversed(history))
        return next((code for code in visited if code is not None and code < self._presale), None)

    def _may_reopen(self, opportunity: Opportunity, code: int, at: datetime | None) -> bool:
        if not self.policy.reopen or code != self.reopening_target(opportunity):
            return False
        limit = self.policy.reopen_within
        if limit is None or at is None:
            return True
        return instant(at) - instant(opportunity.history[-1].at) <= limit

    # ── one change ────────────────────────────────────────────────────────────────────────────────

    def change(
        self,
        opportunity: Opportunity,
        here: int,
        code: int,
        at: datetime,
        reason: str | None,
        by: str | None,
        note: str | None,
    ) -> StageChange:
        """Return the change that enters a state, if no rule is against it."""
        now = instant(at)
        verdict = self._verdicts[here][code]
        if verdict and not (verdict is Rule.REOPENING and self._may_reopen(opportunity, code, at)):
            target = self.reopening_target(opportunity)
            problem = order_problem(verdict, self.funnel, self.policy, here, code, target)
            self.refuse(REFUSALS[verdict], problem, opportunity, code, at)
        if here != self.start and now < instant(opportunity.history[-1].at):
            self._refuse_time(opportunity, code, at)
        stage, required, status = self._entries[code]
        if required and (missing := opportunity.missing(required)):
            problem = Wording(
                "cannot enter {stage!r} without a value for {missing}",
                stage=stage,
                missing=Listed(map(repr, missing)),
            )
            self.refuse(RequiredFieldError, problem, opportunity, code, at, missing=missing)
        if code == self._lost or reason is not None:
            self._check_reason(opportunity, code, at, reason)
            if here >= self._presale:
                status = CHURNED
        if by is not None or note is not None:
            _check_texts(by=by, note=note)
        return StageChange._trusted(stage, at, reason, status, by, note)

    def _check_reason(
        self, opportunity: Opportunity, code: int, at: datetime, reason: str | None
    ) -> None:
        _check_texts(reason=reason)
        if code != self._lost:
            problem = Wording("only a loss has a reason, and {reason!r} was given", reason=reason)
        elif verdict := reason_verdict(self.funnel, self.policy, reason):
            problem = reason_problem(verdict, self.funnel, self.policy, reason)
        else:
            return
        self.refuse(LossReasonError, problem, opportunity, code, at)

    def _refuse_time(self, opportunity: Opportunity, code: int, at: datetime) -> NoReturn:
        last = opportunity.history[-1]
        problem = Wording(
            "cannot enter {state!r} at {at}: it entered {last!r} later, at {later}",
            state=self.funnel.states[code],
            at=at.isoformat(),
            last=last.stage,
            later=last.at.isoformat(),
        )
        self.refuse(TimeOrderError, problem, opportunity, code, at)

    def refuse(
        self,
        refusal: type[TransitionError],
        problem: Wording,
        opportunity: Opportunity,
        code: int | None,
        at: datetime,
        **details: Any,
    ) -> NoReturn:
        """Raise a refusal to enter a state, None where none was named."""
        raise refusal(
            problem,
            opportunity=opportunity,
            asked=None if code is None else self.funnel.states[code],
            allowed=tuple(move.stage for move in self.moves(opportunity, at)),
            **details,
        )


def _check_texts(**texts: object) -> None:
    for name, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise DefinitionError("{name}= is a text or None, not {text!r}", name=name, text=text)
