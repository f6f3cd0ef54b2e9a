"""Times of the kernel's functions and of a log's aggregates, to be compared with earlier ones.

Keep today's with ``pytest benchmarks/bench_kernel.py --benchmark-autosave``; later, add
``--benchmark-compare --benchmark-compare-fail=median:15%``. The answers are checked in tests/.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.data import (
    FUNNEL,
    N_OWNERS,
    N_STATES,
    Entries,
    entries,
    owner_by_entry,
    owner_by_opportunity,
    string_ids,
)
from salesfunnel.kernel.arranging import arrange
from salesfunnel.kernel.codes import combine, factorize_integers, factorize_objects
from salesfunnel.kernel.flow import add_up
from salesfunnel.kernel.groupflow import Grouped
from salesfunnel.kernel.ordering import is_sorted, permutation
from salesfunnel.kernel.packing import Field, pack, span_of
from salesfunnel.kernel.transitions import count_pairs
from salesfunnel.log.stagelog import StageLog

N = 200_000
STATE_BITS = (N_STATES - 1).bit_length()

SHUFFLED = entries(N)
SORTED = entries(N, shuffled=False)
TIED = entries(N, unit="day", tied=0.24)
WIDE = entries(N, unit="microsecond")


def packing(data: Entries) -> Callable[[], object]:
    span = span_of(data.opportunity, data.time)
    return partial(pack, data.opportunity, data.time, [Field(data.state, STATE_BITS)], span)


def arranging(data: Entries, **options: Any) -> Callable[[], object]:
    return partial(arrange, data.opportunity, data.time, data.state, N_STATES, **options)


def adding(data: Entries, **options: Any) -> Callable[[], object]:
    ordered = arrange(data.opportunity, data.time, data.state, N_STATES)
    return partial(add_up, ordered.entries, N_STATES, **options)


KERNEL: dict[str, Callable[[], object]] = {
    "integers to codes, dense": partial(factorize_integers, SHUFFLED.opportunity),
    "integers to codes, sparse": partial(factorize_integers, SHUFFLED.opportunity * 1_000_003),
    "texts to codes": partial(factorize_objects, string_ids(SHUFFLED).tolist()),
    "two labels to one": partial(
        combine, [column.astype(np.int64) for column in (owner_by_entry(SORTED), SORTED.state)]
    ),
    "is sorted": partial(is_sorted, SORTED.opportunity, SORTED.time),
    "permutation": partial(permutation, SHUFFLED.opportunity, SHUFFLED.time),
    "permutation, wide key": partial(permutation, WIDE.opportunity, WIDE.time),
    "pack": packing(SHUFFLED),
    "pack, wide key": packing(WIDE),
    "arrange": arranging(SHUFFLED),
    "arrange, ties": arranging(TIED),
    "arrange, ties by state": arranging(TIED, by_state=True),
    "arrange, sorted": arranging(SORTED),
    "arrange, with what never changes": arranging(SHUFFLED, along=[owner_by_opportunity(SHUFFLED)]),
    "arrange, with amounts": arranging(SHUFFLED, along=[np.arange(N) / 7]),
    "add up": adding(SHUFFLED),
    "add up, counts only": adding(SHUFFLED, durations=False),
    "add up, wide key": adding(WIDE),
    "add up, by owner": adding(SORTED, groups=Grouped(owner_by_entry(SORTED), N_OWNERS)),
    "add up, amounts": adding(SHUFFLED, amounts=np.arange(N)),
    "count pairs": partial(count_pairs, SORTED.state[:-1], SORTED.state[1:], N_STATES),
}


@pytest.mark.parametrize("work", KERNEL.values(), ids=KERNEL.keys())
@pytest.mark.benchmark(group="kernel")
def test_kernel(benchmark: BenchmarkFixture, work: Callable[[], object]) -> None:
    benchmark(work)


def log_of_sorted() -> StageLog:
    return StageLog.from_columns(
        FUNNEL,
        opportunity=SORTED.opportunity,
        stage=SORTED.state,
        entered_at=SORTED.time,
        attributes={"owner": owner_by_opportunity(SORTED)},
    )


AGGREGATES: dict[str, Callable[[StageLog], object]] = {
    "flow": lambda log: log.flow(),
    "flow as of the middle": lambda log: log.flow(as_of=int(np.median(SORTED.time))),
    "flow, repeats kept": lambda log: log.flow(repeats="keep"),
    "flow by owner": lambda log: log.flow(by="owner"),
    "milestones": lambda log: log.milestones(),
    "stage counts, reached": lambda log: log.stage_counts(),
    "stage counts, actual": lambda log: log.stage_counts("actual"),
    "stage counts, strict": lambda log: log.stage_counts("strict"),
    "stage counts by owner": lambda log: log.stage_counts(by="owner"),
    "conform": lambda log: log.conform(),
}


@pytest.mark.parametrize("ask", AGGREGATES.values(), ids=AGGREGATES.keys())
@pytest.mark.benchmark(group="a log's aggregates")
def test_aggregate(benchmark: BenchmarkFixture, ask: Callable[[StageLog], object]) -> None:
    def given() -> tuple[tuple[Any, ...], dict[str, Any]]:
        # A log that was asked before might remember the answer.
        return (log_of_sorted(),), {}

    benchmark.pedantic(ask, setup=given, rounds=10, warmup_rounds=1)
