"""The transition engine: one opportunity, one change at a time, and no rule broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, NamedTuple, NoReturn

import attrs

from salesfunnel.engine.policy import Policy
from salesfunnel.engine.rules import Rule, reason_verdict, required_fields, verdicts
from salesfunnel.errors import (
    AlreadyOpenedError,
    ClosedError,
    DefinitionError,
    EarlyWinError,
    GuardError,
    LossReasonError,
    NotOpenedError,
    ObserverError,
    ReopenError,
    RequiredFieldError,
    StageOrderError,
    StartStageError,
    StepBackError,
    TimeOrderError,
    TransitionError,
    UnknownStateError,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import CHURNED, OPEN, Opportunity, StageChange
from salesfunnel.model.stage import LOST, WON

Guard = Callable[[Opportunity, StageChange], str | None]
"""A rule of the user's own: gets the opportunity as it is and the change asked for, and returns None to
accept it or a text that says why not."""

Observer = Callable[[Opportunity, StageChange], object]
"""Hears of an accepted change: gets the opportunity as it is now, and the change."""

_REFUSALS: dict[Rule, tuple[type[TransitionError], str]] = {
    Rule.START_STAGE: (StartStageError, "cannot start at {asked!r}"),
    Rule.STAGE_ORDER: (StageOrderError, "cannot go to {asked!r}: that skips stages"),
    Rule.STEP_BACK: (StepBackError, "cannot go back to {asked!r}"),
    Rule.EARLY_WIN: (EarlyWinError, "cannot be won yet, by entering {asked!r}"),
    Rule.AFTER_CLOSE: (ClosedError, "is closed and cannot enter {asked!r}"),
    Rule.REOPENING: (ReopenError, "cannot be reopened by entering {asked!r}"),
    Rule.REASON_MISSING: (LossReasonError, "a loss needs a reason"),
    Rule.REASON_UNKNOWN: (LossReasonError, "the funnel has no loss reason {reason!r}"),
}


class Move(NamedTuple):
    """A change that is open to an opportunity.

    `missing` are the fields that still need a value before it; `needs_reason` says whether it must be
    given a reason.
    """

    kind: Literal["open", "advance", "skip", "back", "win", "lose", "reopen"]
    stage: str
    missing: tuple[str, ...] = ()
    needs_reason: bool = False


class TransitionEngine:
    """Moves opportunities through a funnel, enforcing a policy.

    Every method returns a new `Opportunity` and leaves the one given as it was; a refusal is a
    `TransitionError` of its own type. The engine holds no state of its own: one serves all threads.

    Parameters
    ----------
    funnel : Funnel
        The stages and the loss reasons.
    policy : Policy
        What is allowed; the default is strict.
    guards : iterable of callable
        Rules of the user's own, asked after the policy's: ``guard(opportunity, change)`` returns None to
        accept, or a text that says why not, which becomes a `GuardError`.
    observers : iterable of callable
        Called after each accepted change as ``observer(opportunity, change)``, all of them, in order. If
        any raise, an `ObserverError` that carries the complete new opportunity follows.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> engine = TransitionEngine(Funnel(["lead", "demo", "offer"], ["price"]))
    >>> opp = engine.open(Opportunity("O-1"), at=datetime(2026, 1, 5, tzinfo=timezone.utc))
    >>> opp = engine.advance(opp, at=datetime(2026, 1, 9, tzinfo=timezone.utc))
    >>> opp.stage, opp.status
    ('demo', 'open')
    >>> [move.stage for move in engine.moves(opp)]
    ['offer', 'lost']
    """

    def __init__(
        self,
        funnel: Funnel,
        policy: Policy | None = None,
        guards: Iterable[Guard] = (),
        observers: Iterable[Observer] = (),
    ) -> None:
        if not isinstance(funnel, Funnel):
            raise DefinitionError(f"an engine needs a Funnel, not {funnel!r}")
        if not isinstance(policy, Policy | None):
            raise DefinitionError(f"the policy of an engine is a Policy, not {policy!r}")
        self.funnel = funnel
        self.policy = Policy() if policy is None else policy
        self.guards = tuple(guards)
        self.observers = tuple(observers)
        self._codes = {key: code for code, key in enumerate(funnel.states)}
        self._verdicts = verdicts(funnel, self.policy)
        self._required = required_fields(funnel, self.policy)
        self._presale = funnel.n_presale
        self._lost = funnel.lost

    def __repr__(self) -> str:
        return f"TransitionEngine({len(self.funnel)} stages, {self.policy!r})"

    # ── changes ───────────────────────────────────────────────────────────────────────────────────

    def open(
        self,
        opportunity: Opportunity,
        *,
        at: datetime,
        stage: str | None = None,
        by: str | None = None,
        note: str | None = None,
    ) -> Opportunity:
        """Return the opportunity entered into its first stage, or into `stage` if the policy allows it.

        Raises
        ------
        AlreadyOpenedError, StartStageError, RequiredFieldError, GuardError
            If the rules forbid it.
        """
        code = 0 if stage is None else self._code(stage)
        if opportunity.history:
            self._refuse(
                AlreadyOpenedError,
                "has a history already and is not opened again",
                opportunity,
                code,
            )
        return self._enter(opportunity, code, at, None, by, note)

    def advance(
        self,
        opportunity: Opportunity,
        *,
        at: datetime,
        by: str | None = None,
        note: str | None = None,
    ) -> Opportunity:
        """Return the opportunity one stage further; from the last stage it is won.

        Raises
        ------
        NotOpenedError, ClosedError, TimeOrderError, RequiredFieldError, GuardError
            If the rules forbid it.
        """
        here = self._here(opportunity)
        if here >= len(self.funnel):
            self._refuse(ClosedError, "is closed and cannot advance", opportunity, None)
        return self._enter(opportunity, here + 1, at, None, by, note)

    def move(
        self,
        opportunity: Opportunity,
        stage: str,
        *,
        at: datetime,
        reason: str | None = None,
        by: str | None = None,
        note: str | None = None,
    ) -> Opportunity:
        """Return the opportunity entered into any state that the policy allows from here.

        Raises
        ------
        UnknownStateError
            If the funnel has no such state.
        TransitionError
            If the rules forbid it: one of its kinds.
        """
        code = self._code(stage)
        self._here(opportunity)
        return self._enter(opportunity, code, at, reason, by, note)

    def win(
        self,
        opportunity: Opportunity,
        *,
        at: datetime,
        by: str | None = None,
        note: str | None = None,
    ) -> Opportunity:
        """Return the opportunity won: in the first post-sale stage, or in ``won`` where there is none.

        Raises
        ------
        EarlyWinError, StageOrderError, NotOpenedError, ClosedError, TimeOrderError, RequiredFieldError, \
GuardError
            If the rules forbid it.
        """
        if self._presale <= self._here(opportunity) < len(self.funnel):
            self._refuse(StageOrderError, "is won already", opportunity, None)
        return self._enter(opportunity, self._presale, at, None, by, note)

    def lose(
        self,
        opportunity: Opportunity,
        *,
        reason: str | None = None,
        at: datetime,
        by: str | None = None,
        note: str | None = None,
    ) -> Opportunity:
        """Return the opportunity lost, for a reason; from a post-sale stage it is churned.

        Raises
        ------
        LossReasonError, NotOpenedError, ClosedError, TimeOrderError, GuardError
            If the rules forbid it.
        """
        self._here(opportunity)
        return self._enter(opportunity, self._lost, at, reason, by, note)

    def reopen(
        self,
        opportunity: Opportunity,
        *,
        at: datetime,
        by: str | None = None,
        note: str | None = None,
    ) -> Opportunity:
        """Return a lost opportunity in the state before the loss, a won one in its last pre-sale stage.

        Raises
        ------
        ReopenError
            If it is open, was never in a state to return to, or the policy's time is over.
        ClosedError, NotOpenedError, TimeOrderError, RequiredFieldError, GuardError
            If the rules forbid it.
        """
        here = self._here(opportunity)
        if here < self._presale:
            self._refuse(ReopenError, "is open and cannot be reopened", opportunity, None)
        if not self.policy.reopen:
            refusal = ClosedError if here >= len(self.funnel) else ReopenError
            self._refuse(refusal, "the policy does not allow reopening", opportunity, None)
        target = self._reopening_target(opportunity)
        if target is None:
            problem = "was in no earlier state that it could return to"
            self._refuse(ReopenError, problem, opportunity, None)
        return self._enter(opportunity, target, at, None, by, note)

    # ── questions ─────────────────────────────────────────────────────────────────────────────────

    def moves(self, opportunity: Opportunity, *, at: datetime | None = None) -> tuple[Move, ...]:
        """Return the changes that a user interface may offer next, in the order of the states.

        The policy decides; guards are not asked. The time limit of reopening counts where `at` is given.
        """
        row = len(self.funnel.states) if not opportunity.history else self._here(opportunity)
        moves = []
        for code, verdict in enumerate(self._verdicts[row]):
            if verdict == Rule.REOPENING:
                allowed = self._may_reopen(opportunity, code, at)
            else:
                allowed = verdict == Rule.ALLOWED
            if allowed:
                moves.append(self._as_move(opportunity, row, code))
        return tuple(moves)

    def replay(
        self, opportunity: Opportunity, history: Iterable[StageChange] | None = None
    ) -> Opportunity:
        """Return the opportunity rebuilt change by change under the policy.

        The history is the one given, or else the opportunity's own. Statuses are made anew from the funnel,
        so a history from a store that keeps only states and times comes back complete. Guards and
        observers are left out: what once happened is not asked for, or announced, again.

        Raises
        ------
        TransitionError
            If a change breaks a rule: one of its kinds.
        UnknownStateError
            If a state is none of the funnel's.
        """
        changes = opportunity.history if history is None else tuple(history)
        quiet = TransitionEngine(self.funnel, self.policy)
        rebuilt = attrs.evolve(opportunity, history=())
        for change in changes:
            rebuilt = quiet._enter(
                rebuilt, quiet._code(change.stage), change.at, change.reason, change.by, change.note
            )
        return rebuilt

    # ── one step ──────────────────────────────────────────────────────────────────────────────────

    def _enter(
        self,
        opportunity: Opportunity,
        code: int,
        at: datetime,
        reason: str | None,
        by: str | None,
        note: str | None,
    ) -> Opportunity:
        history = opportunity.history
        last = history[-1] if history else None
        if not isinstance(at, datetime) or (
            # The zone of a time in the history is known to be one; asking it again costs more.
            (last is None or at.tzinfo is not last.at.tzinfo) and at.utcoffset() is None
        ):
            raise DefinitionError(f"at= is an aware datetime, one with a time zone, not {at!r}")
        if last is not None:
            verdict = self._verdicts[self._codes[last.stage]][code]
            if verdict and not (
                verdict is Rule.REOPENING and self._may_reopen(opportunity, code, at)
            ):
                self._refuse_rule(verdict, opportunity, code)
            if at < last.at:
                self._refuse(
                    TimeOrderError,
                    f"a change at {at.isoformat()} cannot follow the one at {last.at.isoformat()}",
                    opportunity,
                    code,
                )
        elif verdict := self._verdicts[-1][code]:
            self._refuse_rule(verdict, opportunity, code)

        if code == self._lost:
            if verdict := reason_verdict(self.funnel, self.policy, reason):
                self._refuse_rule(verdict, opportunity, code, reason)
            status = CHURNED if last is not None and last.status == WON else LOST
        else:
            if reason is not None:
                self._refuse(
                    LossReasonError,
                    f"only a loss has a reason, {reason!r} was given",
                    opportunity,
                    code,
                )
            status = OPEN if code < self._presale else WON
        if (required := self._required[code]) and (missing := opportunity.missing(required)):
            raise RequiredFieldError(
                f"cannot enter {self.funnel.states[code]!r} without {', '.join(missing)}",
                opportunity=opportunity,
                asked=self.funnel.states[code],
                missing=missing,
            )

        change = StageChange._trusted(self.funnel.states[code], at, reason, status, by, note)
        for guard in self.guards:
            self._ask(guard, opportunity, change)
        moved = opportunity._with_change(change)
        if self.observers:
            self._announce(moved, change)
        return moved

    def _ask(self, guard: Guard, opportunity: Opportunity, change: StageChange) -> None:
        objection = guard(opportunity, change)
        if objection is None:
            return
        if not isinstance(objection, str):
            raise TypeError(
                f"a guard returns None to accept or a text to refuse; {guard!r} returned {objection!r}"
            )
        raise GuardError(objection, opportunity=opportunity, asked=change.stage)

    def _announce(self, opportunity: Opportunity, change: StageChange) -> None:
        errors = []
        for observer in self.observers:
            try:
                observer(opportunity, change)
            except Exception as error:  # every observer hears of it; what failed is raised together
                errors.append(error)
        if errors:
            raise ObserverError(opportunity, errors) from errors[0]

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────

    def _code(self, stage: str) -> int:
        return self.funnel.index(stage)

    def _here(self, opportunity: Opportunity) -> int:
        if not opportunity.history:
            raise NotOpenedError("open it first", opportunity=opportunity, asked=None)
        stage = opportunity.history[-1].stage
        try:
            return self._codes[stage]
        except KeyError:
            raise UnknownStateError(
                f"opportunity {opportunity.id!r} is in {stage!r}, which this funnel does not have; "
                f"it has {', '.join(self.funnel.states)}"
            ) from None

    def _reopening_target(self, opportunity: Opportunity) -> int | None:
        """Where a closed opportunity returns to: None if it never was anywhere else."""
        history = opportunity.history
        if history[-1].stage == LOST:
            return self._codes.get(history[-2].stage) if len(history) > 1 else None
        visited = (self._codes.get(change.stage) for change in reversed(history))
        return next((code for code in visited if code is not None and code < self._presale), None)

    def _may_reopen(self, opportunity: Opportunity, code: int, at: datetime | None) -> bool:
        if not self.policy.reopen or code != self._reopening_target(opportunity):
            return False
        limit = self.policy.reopen_within
        return limit is None or at is None or at - opportunity.history[-1].at <= limit

    def _why_not_reopen(self, opportunity: Opportunity, code: int) -> str:
        target = self._reopening_target(opportunity)
        if not self.policy.reopen:
            return ": the policy does not allow reopening"
        if target is None:
            return ": it was in no earlier state that it could return to"
        if target != code:
            return f": a reopening returns to {self.funnel.states[target]!r}"
        limit = self.policy.reopen_within
        return f": the policy allows that for {limit} after {opportunity.stage!r} was entered"

    def _as_move(self, opportunity: Opportunity, here: int, code: int) -> Move:
        kind: Literal["open", "advance", "skip", "back", "win", "lose", "reopen"]
        if not opportunity.history:
            kind = "open"
        elif code == self._lost:
            kind = "lose"
        elif self._verdicts[here][code] == Rule.REOPENING:
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

    def _refuse_rule(
        self, rule: Rule, opportunity: Opportunity, code: int, reason: str | None = None
    ) -> NoReturn:
        refusal, template = _REFUSALS[rule]
        asked = self.funnel.states[code]
        problem = template.format(asked=asked, reason=reason)
        if rule is Rule.STAGE_ORDER and asked == opportunity.stage:
            problem = f"is in {asked!r} already"
        if rule is Rule.REOPENING:
            problem += self._why_not_reopen(opportunity, code)
        if rule in (Rule.REASON_MISSING, Rule.REASON_UNKNOWN):
            known = ", ".join(known.key for known in self.funnel.loss_reasons) or "none"
            problem += f"; its reasons: {known}"
        self._refuse(refusal, problem, opportunity, code)

    def _refuse(
        self,
        refusal: type[TransitionError],
        problem: str,
        opportunity: Opportunity,
        code: int | None,
    ) -> NoReturn:
        raise refusal(
            problem,
            opportunity=opportunity,
            asked=None if code is None else self.funnel.states[code],
            allowed=tuple(move.stage for move in self.moves(opportunity)),
        )
