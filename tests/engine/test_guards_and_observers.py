"""Who else has a say in a change, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from engine.deals import FUNNEL, day, deal, path

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.errors import GuardError, ObserverError, StageOrderError
from salesfunnel.model.opportunity import Opportunity, StageChange

# ── guards ────────────────────────────────────────────────────────────────────────────────────────


def test_a_guard_sees_the_opportunity_as_it_is_and_the_change_asked_for() -> None:
    seen: list[tuple[Opportunity, StageChange]] = []

    def watch(opportunity: Opportunity, change: StageChange) -> None:
        seen.append((opportunity, change))

    before = deal("lead")
    after = TransitionEngine(FUNNEL, guards=[watch]).advance(before, at=day(1), by="li.na")

    assert seen == [(before, StageChange("demo", day(1), by="li.na"))]
    assert after.history[-1] is seen[0][1]


def test_guards_are_asked_in_order_until_one_is_against_it() -> None:
    asked: list[str] = []

    def guard(name: str, answer: str | None) -> Callable[[Opportunity, StageChange], str | None]:
        def ask(opportunity: Opportunity, change: StageChange) -> str | None:
            asked.append(name)
            return answer

        return ask

    engine = TransitionEngine(
        FUNNEL, guards=[guard("first", None), guard("second", "no"), guard("third", None)]
    )

    with pytest.raises(GuardError):
        engine.advance(deal("lead"), at=day(1))
    assert asked == ["first", "second"]


def test_guards_are_not_asked_about_what_the_policy_refuses() -> None:
    def unreachable(opportunity: Opportunity, change: StageChange) -> None:
        pytest.fail("asked about a refused change")

    engine = TransitionEngine(FUNNEL, guards=[unreachable])

    with pytest.raises(StageOrderError):
        engine.move(deal("lead"), "offer", at=day(1))


@pytest.mark.parametrize("answer", [False, True, "", 0, ["no"]])
def test_a_guard_answers_none_or_a_text(answer: Any) -> None:
    engine = TransitionEngine(FUNNEL, guards=[lambda opportunity, change: answer])

    with pytest.raises(TypeError) as caught:
        engine.advance(deal("lead"), at=day(1))

    assert "a guard returns None to accept a change, or a text that says why not" in str(
        caught.value
    )
    assert str(caught.value).endswith(f"returned {answer!r}")


def test_what_a_guard_raises_passes_through() -> None:
    def broken(opportunity: Opportunity, change: StageChange) -> None:
        raise ConnectionError("no answer from the server")

    heard: list[StageChange] = []
    engine = TransitionEngine(
        FUNNEL, guards=[broken], observers=[lambda opportunity, change: heard.append(change)]
    )

    with pytest.raises(ConnectionError, match="no answer"):
        engine.advance(deal("lead"), at=day(1))
    assert heard == []


# ── observers ─────────────────────────────────────────────────────────────────────────────────────


def test_every_observer_hears_of_each_accepted_change_in_order() -> None:
    heard: list[tuple[str, Opportunity, StageChange]] = []
    engine = TransitionEngine(
        FUNNEL,
        observers=[
            lambda opportunity, change: heard.append(("first", opportunity, change)),
            lambda opportunity, change: heard.append(("second", opportunity, change)),
        ],
    )

    opened = engine.open(Opportunity("O-1"), at=day(0))
    moved = engine.advance(opened, at=day(1))

    assert heard == [
        ("first", opened, opened.history[0]),
        ("second", opened, opened.history[0]),
        ("first", moved, moved.history[1]),
        ("second", moved, moved.history[1]),
    ]


def test_observers_hear_nothing_of_what_was_refused() -> None:
    heard: list[StageChange] = []
    engine = TransitionEngine(
        FUNNEL,
        guards=[lambda opportunity, change: "no" if change.stage == "demo" else None],
        observers=[lambda opportunity, change: heard.append(change)],
    )
    opened = engine.open(Opportunity("O-1"), at=day(0))

    for stage in ("demo", "offer"):
        with pytest.raises((GuardError, StageOrderError)):
            engine.move(opened, stage, at=day(1))
    assert heard == [opened.history[0]]


def test_a_failing_observer_leaves_a_whole_opportunity_behind() -> None:
    heard: list[Opportunity] = []

    def broken(opportunity: Opportunity, change: StageChange) -> None:
        raise ConnectionError("mail server is down")

    def confused(opportunity: Opportunity, change: StageChange) -> None:
        raise KeyError("template")

    engine = TransitionEngine(
        FUNNEL,
        observers=[broken, confused, lambda opportunity, change: heard.append(opportunity)],
    )
    before = deal("lead")

    with pytest.raises(ObserverError) as caught:
        engine.advance(before, at=day(1))

    after = TransitionEngine(FUNNEL).advance(before, at=day(1))
    assert caught.value.opportunity == after
    assert heard == [after]
    assert [type(error) for error in caught.value.errors] == [ConnectionError, KeyError]
    assert caught.value.__cause__ is caught.value.errors[0]
    assert str(caught.value) == (
        "opportunity 'O-1' entered 'demo', but 2 observers failed: "
        "ConnectionError: mail server is down; KeyError: 'template'. "
        "The change is complete; its value is this error's `.opportunity`"
    )
    assert path(before) == ["lead"]
