"""The transition engine: one opportunity, one change at a time, and no rule broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import attrs

from salesfunnel.engine.policy import Policy
from salesfunnel.engine.rulebook import Move, Rulebook
from salesfunnel.errors import (
    AlreadyOpenedError,
    ClosedError,
    DefinitionError,
    GuardError,
    NotOpenedError,
    ObserverError,
    ReopenError,
    StageOrderError,
)
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity, StageChange
from salesfunnel.wording import Wording

__all__ = ["Guard", "Move", "Observer", "TransitionEngine"]

Guard = Callable[[Opportunity, StageChange], str | None]
"""A rule of the user's own: gets the opportunity as it is and the change asked for, and returns
None to accept it or a text that says why not."""

Observer = Callable[[Opportunity, StageChange], object]
"""Hears of an accepted change: gets the opportunity as it is now, and the change."""


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
        Rules of the user's own, asked in order after the policy's: ``guard(opportunity, change)``
        returns None to accept, or a text that says why not, which becomes a `GuardError`.
    observers : iterable of callable
        Called after each accepted change as ``observer(opportunity, change)``, all of them, in
        order. If any raise, an `ObserverError` that carries the complete new opportunity follows.

    Raises
    ------
    DefinitionError
        If an argument is not of this form.

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
            raise DefinitionError("an engine needs a Funnel, not {funnel!r}", funnel=funnel)
        if not isinstance(policy, Policy | None):
            raise DefinitionError(
                "the policy of an engine is a Policy, not {policy!r}", policy=policy
            )
        self.funnel = funnel
        self.policy = Policy() if policy is None else policy
        self.guards = _callables(guards, Wording("guards"))
        self.observers = _callables(observers, Wording("observers"))
        self._rules = Rulebook(funnel, self.policy)
        self._presale = funnel.n_presale
        self._won = funnel.won

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
        """Return the opportunity entered into its first stage, or `stage` if the policy allows it.

        Raises
        ------
        AlreadyOpenedError, StartStageError, RequiredFieldError, GuardError
            If the rules forbid it.
        """
        here = self._rules.here(opportunity)
        code = 0 if stage is None else self.funnel.index(stage)
        if here != self._rules.start:
            problem = Wording("has a history already: move or reopen it instead")
            self._rules.refuse(AlreadyOpenedError, problem, opportunity, code, at)
        return self._enter(opportunity, here, code, at, None, by, note)

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
        here = self._rules.here(opportunity)
        if here >= self._won:
            self._check_opened(opportunity, here, None, at)
            self._rules.refuse(
                ClosedError, Wording("is closed and cannot advance"), opportunity, None, at
            )
        return self._enter(opportunity, here, here + 1, at, None, by, note)

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
        here = self._rules.here(opportunity)
        code = self.funnel.index(stage)
        self._check_opened(opportunity, here, code, at)
        return self._enter(opportunity, here, code, at, reason, by, note)

    def win(
        self,
        opportunity: Opportunity,
        *,
        at: datetime,
        by: str | None = None,
        note: str | None = None,
    ) -> Opportunity:
        """Return the opportunity won: in the first post-sale stage, in ``won`` if there is none.

        Raises
        ------
        EarlyWinError, StageOrderError, NotOpenedError, ClosedError, TimeOrderError, \
RequiredFieldError, GuardError
            If the rules forbid it.
        """
        here = self._rules.here(opportunity)
        if here >= self._presale:
            self._check_opened(opportunity, here, self._presale, at)
            if here < self._won:
                problem = Wording("is won already")
                self._rules.refuse(StageOrderError, problem, opportunity, self._presale, at)
            problem = Wording("is closed and cannot be won")
            self._rules.refuse(ClosedError, problem, opportunity, self._presale, at)
        return self._enter(opportunity, here, self._presale, at, None, by, note)

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
        here = self._rules.here(opportunity)
        lost = self.funnel.lost
        self._check_opened(opportunity, here, lost, at)
        return self._enter(opportunity, here, lost, at, reason, by, note)

    def reopen(
        self,
        opportunity: Opportunity,
        *,
        at: datetime,
        by: str | None = None,
        note: str | None = None,
    ) -> Opportunity:
        """Return what was lost in the state before, what was won in its last pre-sale stage.

        Raises
        ------
        ReopenError
            If it is open, was in no state to return to, or the policy does not allow it (any more).
        ClosedError, NotOpenedError, TimeOrderError, RequiredFieldError, GuardError
            If the rules forbid it: `ClosedError` where the policy allows no reopening at all.
        """
        here = self._rules.here(opportunity)
        self._check_opened(opportunity, here, None, at)
        if here < self._presale:
            problem = Wording("is open: only what is lost or won is reopened")
            self._rules.refuse(ReopenError, problem, opportunity, None, at)
        target = self._rules.reopening_target(opportunity)
        if target is None:
            problem = Wording(
                "cannot be reopened: it was in no earlier state that it could return to"
            )
            self._rules.refuse(ReopenError, problem, opportunity, None, at)
        return self._enter(opportunity, here, target, at, None, by, note)

    # ── questions ─────────────────────────────────────────────────────────────────────────────────

    def moves(self, opportunity: Opportunity, *, at: datetime | None = None) -> tuple[Move, ...]:
        """Return the changes that a user interface may offer next, in the order of the states.

        The policy decides; guards are not asked. The time limit of reopening counts where `at` is
        given.

        Raises
        ------
        UnknownStateError
            If the opportunity is in a state that the funnel does not have.
        DefinitionError
            If `at` is not an aware datetime.
        """
        return self._rules.moves(opportunity, at)

    def replay(
        self, opportunity: Opportunity, history: Iterable[StageChange] | None = None
    ) -> Opportunity:
        """Return the opportunity rebuilt change by change under the policy.

        The history is the one given, or else the opportunity's own. Statuses are made anew from the
        funnel, so a history from a store that keeps only states and times comes back complete.
        Required fields are looked for among the values that it has now. Guards and observers are
        left out: what once happened is not asked for, or announced, again.

        Raises
        ------
        TransitionError
            If a change breaks a rule: one of its kinds, with the opportunity as it was before.
        UnknownStateError
            If a state is none of the funnel's.
        """
        changes = opportunity.history if history is None else history
        rebuilt, here = attrs.evolve(opportunity, history=()), self._rules.start
        for entry in changes:
            code = self.funnel.index(entry.stage)
            change = self._rules.change(
                rebuilt, here, code, entry.at, entry.reason, entry.by, entry.note
            )
            rebuilt, here = rebuilt._with_change(change), code
        return rebuilt

    # ── one step ──────────────────────────────────────────────────────────────────────────────────

    def _check_opened(
        self, opportunity: Opportunity, here: int, code: int | None, at: datetime
    ) -> None:
        if here == self._rules.start:
            self._rules.refuse(NotOpenedError, Wording("open it first"), opportunity, code, at)

    def _enter(
        self,
        opportunity: Opportunity,
        here: int,
        code: int,
        at: datetime,
        reason: str | None,
        by: str | None,
        note: str | None,
    ) -> Opportunity:
        change = self._rules.change(opportunity, here, code, at, reason, by, note)
        for guard in self.guards:
            self._ask(guard, opportunity, code, change)
        moved = opportunity._with_change(change)
        if self.observers:
            self._announce(moved, change)
        return moved

    def _ask(self, guard: Guard, opportunity: Opportunity, code: int, change: StageChange) -> None:
        objection = guard(opportunity, change)
        if objection is None:
            return
        if not isinstance(objection, str) or not objection:
            raise TypeError(
                "a guard returns None to accept a change, or a text that says why not; "
                f"{guard!r} returned {objection!r}"
            )
        self._rules.refuse(GuardError, Wording(objection), opportunity, code, change.at)

    def _announce(self, opportunity: Opportunity, change: StageChange) -> None:
        errors = []
        for observer in self.observers:
            try:
                observer(opportunity, change)
            except Exception as error:  # all of them hear of it; what failed is raised together
                errors.append(error)
        if errors:
            raise ObserverError(opportunity, errors) from errors[0]


def _callables(functions: Iterable[Any], what: str) -> tuple[Any, ...]:
    members = tuple(functions) if isinstance(functions, Iterable) else (functions,)
    if isinstance(functions, Iterable) and all(map(callable, members)):
        return members
    raise DefinitionError(
        "{what} are a sequence of functions, not {functions!r}", what=what, functions=functions
    )
