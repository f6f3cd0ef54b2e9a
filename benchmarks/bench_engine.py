"""One step of the engine beside the same step of two other state machines.

All three walk the stages of the standard funnel to the end, again and again. The engine opens a new
opportunity for each walk, the others have one more transition that leads back to the beginning, so
that a walk is eight steps for each. The engine validates every step and returns a new value with
the whole history; the others change a state. Making the machines is not counted.

Run it with ``python benchmarks/bench_engine.py``, or as a part of ``make bench``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import pairwise
from statistics import median
from time import perf_counter

from statemachine import State, StateMachine
from transitions import Machine

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity

AT_LEAST = {"transitions": 3.0, "python-statemachine": 30.0}
"""How many times as long as the engine's step theirs must take."""

ROUNDS = 25
SECONDS = 0.03
"""How often each is measured, taking turns, and for about how long each time."""

FUNNEL = Funnel.standard()
STATES = FUNNEL.states[: FUNNEL.won + 1]
STEPS = len(STATES)

Walks = Callable[[int], None]


def engine_walks() -> Walks:
    engine = TransitionEngine(FUNNEL)
    first = datetime(2026, 1, 5, 9, tzinfo=UTC)
    start, *times = (first + timedelta(days=day) for day in range(STEPS))
    recorded = Opportunity("O-1", amount="12000", currency="CNY", owner="li.na", source="web")

    def walk(number: int) -> None:
        for _ in range(number):
            opportunity = engine.open(recorded, at=start)
            for at in times:
                opportunity = engine.advance(opportunity, at=at)
        assert opportunity.stage == "won"
        assert len(opportunity.history) == STEPS

    return walk


def transitions_walks() -> Walks:
    class Deal:
        state: str
        advance: Callable[[], bool]

    deal = Deal()
    machine = Machine(deal, states=list(STATES), initial=STATES[0], auto_transitions=False)
    for source, target in pairwise((*STATES, STATES[0])):
        machine.add_transition("advance", source, target)

    def walk(number: int) -> None:
        for _ in range(number * STEPS):
            deal.advance()
        assert deal.state == STATES[0]

    return walk


class Deal(StateMachine):
    """The walk of python-statemachine.

    ``won`` is not declared final: that would end the machine, and each walk had to make a new one.
    """

    lead_identification = State(initial=True)
    initial_contact = State()
    needs_analysis = State()
    solution_design = State()
    quotation_negotiation = State()
    contract_signing = State()
    after_sales_service = State()
    won = State()
    advance = (
        lead_identification.to(initial_contact)
        | initial_contact.to(needs_analysis)
        | needs_analysis.to(solution_design)
        | solution_design.to(quotation_negotiation)
        | quotation_negotiation.to(contract_signing)
        | contract_signing.to(after_sales_service)
        | after_sales_service.to(won)
        | won.to(lead_identification)
    )


def statemachine_walks() -> Walks:
    deal = Deal()
    assert [state.id for state in deal.states] == list(STATES)

    def walk(number: int) -> None:
        for _ in range(number * STEPS):
            deal.advance()
        assert deal.lead_identification.is_active

    return walk


def seconds_for(walk: Walks, number: int) -> float:
    started = perf_counter()
    walk(number)
    return perf_counter() - started


def main() -> int:
    """Print the comparison; return 0 where the engine is fast enough, else 1."""
    contenders = {
        "salesfunnel": engine_walks(),
        "transitions": transitions_walks(),
        "python-statemachine": statemachine_walks(),
    }
    numbers = {}
    for name, walk in contenders.items():
        walk(20)
        numbers[name] = max(1, round(SECONDS / (seconds_for(walk, 20) / 20)))

    rounds = [
        {
            name: seconds_for(walk, numbers[name]) / numbers[name] / STEPS
            for name, walk in contenders.items()
        }
        for _ in range(ROUNDS)
    ]

    print(f"\n{'':28}{'µs a step':>10}{'× ours':>10}{'at least':>10}")
    enough = True
    for name in contenders:
        # Within one round, because the speed of a machine changes from one second to the next.
        ratio = median(times[name] / times["salesfunnel"] for times in rounds)
        microseconds = median(times[name] for times in rounds) * 1e6
        limit = AT_LEAST.get(name)
        enough = enough and (limit is None or ratio >= limit)
        asked = "" if limit is None else f"{limit:.0f}"
        print(f"{f'{name} {version(name)}':28}{microseconds:>10.2f}{ratio:>10.1f}{asked:>10}")
    print(f"median of {ROUNDS} rounds, {'fast enough' if enough else 'TOO SLOW'}")
    return 0 if enough else 1


def test_a_step_of_the_engine_is_fast_enough() -> None:
    assert main() == 0


if __name__ == "__main__":
    sys.exit(main())
