"""What an opportunity may do, once more: from the definitions, sharing no code with the engine.

Where the engine names the first rule that a change breaks, the model names them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from salesfunnel import errors
from salesfunnel.engine.policy import Policy

Broken = set[type[errors.TransitionError]]


@dataclass
class Model:
    """An opportunity: the states that it entered, by number, each with the minute when.

    The stages before the sale come first, then those after it, then WON and LOST.
    """

    presale: int
    postsale: int
    policy: Policy
    reopen_minutes: int | None
    reasons: set[str]
    required: dict[int, set[str]]
    values: set[str] = field(default_factory=set)
    entered: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.won = self.presale + self.postsale
        self.lost = self.won + 1

    @property
    def here(self) -> int:
        return self.entered[-1][0]

    @property
    def status(self) -> str:
        if self.here == self.lost:
            return "churned" if self.entered[-2][0] >= self.presale else "lost"
        return "won" if self.here >= self.presale else "open"

    @property
    def reopened(self) -> int:
        """Where a reopening leads."""
        if self.here == self.lost:
            return self.entered[-2][0]
        return [state for state, _ in self.entered if state < self.presale][-1]

    def missing(self, state: int) -> set[str]:
        """Return the fields that a state requires and that have no value."""
        return (
            self.required.get(state, set()) - self.values if self.policy.required_fields else set()
        )

    def broken_by_start(self, state: int) -> Broken:
        return (
            set()
            if state < (self.presale if self.policy.any_start else 1)
            else {errors.StartStageError}
        )

    def broken_by_order(self, state: int, minute: int) -> Broken:
        """Return the rules that keep it from a state after another."""
        here, policy = self.here, self.policy
        closed = here >= self.won
        if closed and (state == self.lost or not policy.reopen):
            return {errors.ClosedError}
        if closed or state < self.presale <= here:
            age = minute - self.entered[-1][1]
            in_time = self.reopen_minutes is None or age <= self.reopen_minutes
            allowed = policy.reopen and state == self.reopened and in_time
            return set() if allowed else {errors.ReopenError}
        if state == self.lost:
            return set()
        if state == here:
            return {errors.StageOrderError}
        if state < here:
            near = policy.back is None or here - state <= policy.back
            return set() if near else {errors.StepBackError}
        wins = here < self.presale <= state
        left_out = [s for s in range(here + 1, state) if not wins or s >= self.presale]
        broken: Broken = set()
        if wins and here != self.presale - 1 and not policy.win_early:
            broken.add(errors.EarlyWinError)
        if policy.skip is not None and len(left_out) > policy.skip:
            broken.add(errors.StageOrderError)
        return broken

    def allowed(self, minute: int) -> list[int]:
        """Return the states that it may enter, if nothing else is wrong."""
        return [
            state
            for state in range(self.lost + 1)
            if not (
                self.broken_by_order(state, minute) if self.entered else self.broken_by_start(state)
            )
        ]

    def broken_by_rest(self, state: int, minute: int, reason: str | None) -> Broken:
        """Return what is wrong with the time, the reason and the fields."""
        broken: Broken = set()
        if self.entered and minute < self.entered[-1][1]:
            broken.add(errors.TimeOrderError)
        enough = {"known": reason in self.reasons, "any": bool(reason), "optional": True}
        if not (enough[self.policy.loss_reason] if state == self.lost else reason is None):
            broken.add(errors.LossReasonError)
        if self.missing(state):
            broken.add(errors.RequiredFieldError)
        return broken
