"""The rules over a whole log beside one bare sort of as many integers.

The log is generated histories of four entries on average, mostly in order: some skip a stage, some
are lost, a few without a reason. Both the first call on a log, which unpacks and collapses its
histories, and a later one are measured, in turns with ``numpy.sort``.

Run it with ``python benchmarks/bench_conform.py``, or as a part of ``make bench``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np

from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

AT_MOST = 5.0
"""How many times as long as the sort the rules may take."""

ROUNDS = 7
ENTRIES = 4_000_000
HOUR = 3_600_000_000


def history(n: int) -> StageLog:
    """Return a log of about n entries, given in random order."""
    rng = np.random.default_rng(0)
    funnel = Funnel([f"stage {k}" for k in range(7)], ["price", "timing"])
    length = rng.integers(1, 8, n // 4)
    first = np.cumsum(length) - length
    opportunity = np.repeat(np.arange(len(length)), length)
    step = np.arange(length.sum()) - np.repeat(first, length)
    state = np.where(rng.random(len(step)) < 0.02, step + 1, step)
    ends = np.append(opportunity[1:] != opportunity[:-1], True)
    is_lost = ends & (step > 0) & (rng.random(len(step)) < 0.4)
    reason = np.where(is_lost, np.where(rng.random(len(step)) < 0.9, "price", ""), "")
    order = rng.permutation(len(step))
    return StageLog.from_columns(
        funnel,
        opportunity=opportunity[order],
        stage=np.where(is_lost, funnel.lost, np.minimum(state, 6))[order],
        entered_at=(np.arange(len(step)) * HOUR)[order],
        reason=reason[order],
    )


def seconds_for(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def main() -> int:
    """Print the comparison; return 0 where the rules are quick enough, else 1."""
    log = history(ENTRIES)
    numbers = np.random.default_rng(1).integers(0, 2**62, len(log))
    rounds = []
    for _ in range(ROUNDS):
        log._views.clear()
        rounds.append(
            {
                "numpy.sort": seconds_for(lambda: np.sort(numbers)),
                "the first call": seconds_for(log.conform),
                "a later call": seconds_for(log.conform),
            }
        )
    print(f"\n{f'{len(log):,} entries, {len(log.conform()):,} breaches':34}", end="")
    print(f"{'ns an entry':>12}{'× sort':>8}{'at most':>9}")
    enough = True
    for name in rounds[0]:
        nanoseconds = median(times[name] for times in rounds) / len(log) * 1e9
        ratio = median(times[name] / times["numpy.sort"] for times in rounds)
        enough = enough and ratio <= AT_MOST
        asked = "" if name == "numpy.sort" else f"{AT_MOST:.0f}"
        print(f"{name:34}{nanoseconds:>12.1f}{ratio:>8.2f}{asked:>9}")
    print(f"median of {ROUNDS} rounds, {'quick enough' if enough else 'TOO SLOW'}")
    return 0 if enough else 1


def test_the_rules_over_a_log_are_quick_enough() -> None:
    assert main() == 0


if __name__ == "__main__":
    sys.exit(main())
