"""Scores of leads beside adding up their numbers, and one lead's beside making the lead.

BANT is scored over ten million leads with float32 values, all known or a fifth of them not, in
turns with ``a.sum(axis=1)`` of the same array. One lead is scored and explained, in turns with
making it from evidence.

Run it with ``python benchmarks/bench_scoring.py``, or as a part of ``make bench``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

import numpy as np

from salesfunnel.model.evidence import Evidence
from salesfunnel.model.lead import Lead
from salesfunnel.scoring import Scores, bant

LEADS = 10_000_000
ROUNDS = 7
ONE_LEAD = 2_000
AT_MOST = {"score": 1.5, "score, grade, low and high": 4.0, "score and explain": 10.0}
"""How many times as long as the yardstick each may take."""

T0 = datetime(2026, 1, 5, tzinfo=UTC)


def seconds_for(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def all_of(scores: Scores) -> tuple[object, ...]:
    return scores.score, scores.grade, scores.low, scores.high


def many(unknown: float) -> dict[str, list[float]]:
    """Return the times of sum, score and everything, for a share of unknown answers."""
    rng = np.random.default_rng(0)
    values = rng.random((LEADS, 4), dtype=np.float32)
    if unknown:
        values[rng.random((LEADS, 4), dtype=np.float32) < unknown] = np.nan
    rubric = bant()
    works: dict[str, Callable[[], object]] = {
        "a.sum(axis=1)": lambda: values.sum(axis=1),
        "score": lambda: rubric.score(values).score,
        "score, grade, low and high": lambda: all_of(rubric.score(values)),
    }
    return _in_turns(works, ROUNDS)


def make() -> Lead:
    return Lead(
        "L-1",
        contact="Wang Fang",
        source="web",
        received_at=T0,
        evidence={"budget": Evidence("planned", T0), "need": Evidence("clear", T0)},
    )


def one() -> dict[str, list[float]]:
    """Return the times of making a lead, and of scoring and explaining it."""
    rubric, lead = bant(), make()
    works: dict[str, Callable[[], object]] = {
        "make the lead": lambda: [make() for _ in range(ONE_LEAD)],
        "score and explain": lambda: [
            (rubric.score_lead(lead, as_of=T0), rubric.explain(lead, as_of=T0))
            for _ in range(ONE_LEAD)
        ],
    }
    return _in_turns(works, ROUNDS)


def _in_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(seconds_for(work))
    return times


def report(title: str, times: dict[str, list[float]], per: int, unit: str) -> bool:
    """Print times beside the first of them; return whether all are quick enough."""
    yardstick, *_ = times.values()
    print(f"\n{title:36}{unit:>12}{'ratio':>8}{'at most':>9}")
    enough = True
    for name, measured in times.items():
        ratio = median(a / b for a, b in zip(measured, yardstick, strict=True))
        asked = AT_MOST.get(name)
        enough = enough and (asked is None or ratio <= asked)
        nanoseconds = median(measured) / per * 1e9
        print(f"{name:36}{nanoseconds:>12.1f}{ratio:>8.2f}{'' if asked is None else asked:>9}")
    return enough


def main() -> int:
    """Print the comparisons; return 0 where scoring is quick enough, else 1."""
    enough = [
        report(f"{LEADS:,} leads, {unknown:.0%} unknown", many(unknown), LEADS, "ns a lead")
        for unknown in (0.0, 0.2)
    ]
    enough.append(report("one lead", one(), ONE_LEAD, "ns"))
    print(f"median of {ROUNDS} rounds, {'quick enough' if all(enough) else 'TOO SLOW'}")
    return 0 if all(enough) else 1


def test_scoring_is_quick_enough() -> None:
    assert main() == 0


if __name__ == "__main__":
    sys.exit(main())
