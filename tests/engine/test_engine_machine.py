"""The engine and an independent model of it, driven side by side through random funnels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import attrs
import pytest
from engine.machine_model import Broken, Model
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from salesfunnel import errors
from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.model.stage import Stage

# Forty minutes later New York puts its clocks back: histories run through the repeated hour.
BEGINNING = datetime(2026, 11, 1, 5, 20, tzinfo=UTC)
REASONS = {"price", "timing"}
VALUES = {"owner": "li.na", "amount": 0, "budget": False}


class Moment(NamedTuple):
    """A time, as minutes after the last change, and the zone that it is told in."""

    later: int
    zone: tzinfo


moments = st.builds(
    Moment,
    st.sampled_from([0, 10, 10, 25, 25, 60, 60, -1, -45]),
    st.sampled_from([UTC, ZoneInfo("America/New_York"), ZoneInfo("Asia/Shanghai")]),
)
states = st.integers(0, 8)
names = st.sampled_from(sorted(VALUES))
limits = st.sampled_from([0, 1, 2, None])


@st.composite
def policies(draw: st.DrawFn) -> tuple[Policy, int | None]:
    """Return a policy, and its time limit of reopening in minutes."""
    reopen = draw(st.sampled_from([True, True, False]))
    minutes = draw(st.sampled_from([None, 25, 60, 90])) if reopen else None
    policy = Policy(
        any_start=draw(st.booleans()),
        skip=draw(limits),
        back=draw(limits),
        win_early=draw(st.booleans()),
        reopen=reopen,
        reopen_within=None if minutes is None else timedelta(minutes=minutes),
        loss_reason=draw(st.sampled_from(["known", "any", "optional"])),
        required_fields=draw(st.booleans()),
    )
    return policy, minutes


class EngineMachine(RuleBasedStateMachine):
    """Asks the engine for changes of all kinds; the model says what must come of them."""

    @initialize(
        presale=st.integers(1, 5),
        postsale=st.integers(0, 2),
        policy=policies(),
        required=st.dictionaries(states, st.sets(names, min_size=1), max_size=2),
        filled=st.sets(names),
    )
    def begin(
        self,
        presale: int,
        postsale: int,
        policy: tuple[Policy, int | None],
        required: dict[int, set[str]],
        filled: set[str],
    ) -> None:
        stages = [
            Stage(f"s{code}", post_sale=code >= presale, required=sorted(required.get(code, ())))
            for code in range(presale + postsale)
        ]
        self.engine = TransitionEngine(Funnel(stages, sorted(REASONS)), policy[0])
        required = {code: required[code] for code in required if code < len(stages)}
        self.model = Model(presale, postsale, *policy, REASONS, required)
        self.opportunity = Opportunity("O-1")
        self.now = 0
        for name in filled:
            self.fill_in(name)
        self.take_what_is_allowed(Moment(0, UTC), 0)

    # ── changes ───────────────────────────────────────────────────────────────────────────────────

    @rule(moment=moments, state=states)
    def open(self, moment: Moment, state: int) -> None:
        state = min(state, self.model.lost)
        opened: Broken = {errors.AlreadyOpenedError}
        broken = opened if self.model.entered else self.model.broken_by_start(state)
        self.ask("open", moment, state, broken, stage=self.engine.funnel.states[state])

    @rule(moment=moments, choice=states)
    def take_what_is_allowed(self, moment: Moment, choice: int) -> None:
        """Most states drawn blindly are refused: without this a history would stay short."""
        if not self.model.entered:
            self.open(moment, 0)
        elif allowed := self.model.allowed(self.now + moment.later):
            state = allowed[choice % len(allowed)]
            self.move(moment, state, "price" if state == self.model.lost else None)

    @rule(moment=moments, state=states, reason=st.sampled_from([None, "timing", "weather", ""]))
    def move(self, moment: Moment, state: int, reason: str | None) -> None:
        state = min(state, self.model.lost)
        broken = self.broken_by_order(state, moment)
        stage = self.engine.funnel.states[state]
        self.ask("move", moment, state, broken, stage=stage, reason=reason)

    @rule(moment=moments)
    def advance(self, moment: Moment) -> None:
        if self.model.entered and self.model.here >= self.model.won:
            self.ask("advance", moment, self.model.here, {errors.ClosedError})
        else:
            state = self.model.here + 1 if self.model.entered else 0
            self.ask("advance", moment, state, self.broken_by_order(state, moment))

    @rule(moment=moments)
    def win(self, moment: Moment) -> None:
        state = self.model.presale
        broken = self.broken_by_order(state, moment)
        if self.model.entered and self.model.here >= state:
            closed = self.model.here >= self.model.won
            broken = {errors.ClosedError if closed else errors.StageOrderError}
        self.ask("win", moment, state, broken)

    @rule(moment=moments, reason=st.sampled_from(["price", "weather", "", None]))
    def lose(self, moment: Moment, reason: str | None) -> None:
        state = self.model.lost
        self.ask("lose", moment, state, self.broken_by_order(state, moment), reason=reason)

    @precondition(lambda self: self.model.entered)
    @rule(moment=moments)
    def reopen(self, moment: Moment) -> None:
        state = self.model.reopened
        if self.model.here < self.model.presale:
            self.ask("reopen", moment, state, {errors.ReopenError})
        else:
            self.ask("reopen", moment, state, self.broken_by_order(state, moment))

    @rule(name=names)
    def fill_in(self, name: str) -> None:
        value: Any = {name: VALUES[name]}
        change = {"fields": value} if name == "budget" else value
        self.opportunity = attrs.evolve(self.opportunity, **change)
        self.model.values.add(name)

    def broken_by_order(self, state: int, moment: Moment) -> Broken:
        if not self.model.entered:
            return {errors.NotOpenedError}
        return self.model.broken_by_order(state, self.now + moment.later)

    def ask(
        self, method: str, moment: Moment, state: int, broken: Broken, **arguments: str | None
    ) -> None:
        """Ask for a change: it is refused for one of the rules that it breaks, or it succeeds."""
        before = self.opportunity
        minute = self.now + moment.later
        at = (BEGINNING + timedelta(minutes=minute)).astimezone(moment.zone)
        broken = broken | self.model.broken_by_rest(state, minute, arguments.get("reason"))
        change = getattr(self.engine, method)
        if not broken:
            self.opportunity = change(before, at=at, **arguments)
            self.model.entered.append((state, minute))
            self.now = minute
            assert self.opportunity.history[:-1] == before.history
            assert self.opportunity.history[-1].at is at
            return
        with pytest.raises(errors.TransitionError) as caught:
            change(before, at=at, **arguments)
        error = caught.value
        assert type(error) in broken
        assert error.opportunity is before
        assert error.state == before.stage
        assert error.asked in (None, self.engine.funnel.states[state])
        assert error.allowed == tuple(move.stage for move in self.engine.moves(before, at=at))

    # ── what is always so ─────────────────────────────────────────────────────────────────────────

    @invariant()
    def it_stands_where_the_model_stands(self) -> None:
        keys = self.engine.funnel.states
        entered = [keys[state] for state, _ in self.model.entered]
        assert [change.stage for change in self.opportunity.history] == entered
        assert self.opportunity.status == (self.model.status if entered else None)

    @invariant()
    def moves_are_what_the_model_allows(self) -> None:
        minute = self.now + 60
        moves = self.engine.moves(self.opportunity, at=BEGINNING + timedelta(minutes=minute))
        assert {move.stage: set(move.missing) for move in moves} == {
            self.engine.funnel.states[state]: self.model.missing(state)
            for state in self.model.allowed(minute)
        }

    @invariant()
    def replay_and_plain_data_give_it_back(self) -> None:
        assert self.engine.replay(self.opportunity) == self.opportunity
        assert Opportunity.from_dict(self.opportunity.to_dict()) == self.opportunity


TestEngineMachine = EngineMachine.TestCase
TestEngineMachine.settings = settings(stateful_step_count=30)
