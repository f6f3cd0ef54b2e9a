"""The stage table by a thousand owners, of a prepared log, beside one sort of its rows by pandas.

The log has four million entries; pandas sorts a frame of the same columns, in random order, by
opportunity and time, as anyone who computes the table with it does first. A log is asked once: what
it remembers of an earlier question does not count.

Run it with ``python -m benchmarks.bench_stage_table``, or as a part of ``make bench``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import pandas as pd

from benchmarks.data import FUNNEL, Entries, entries, owner_by_opportunity
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics.conversion import stage_table

ENTRIES = 4_000_000
OWNERS = 1_000
ROUNDS = 5
MODES = ("reached", "actual", "strict")


def prepared(data: Entries) -> StageLog:
    return StageLog.from_columns(
        FUNNEL,
        opportunity=data.opportunity,
        stage=data.state,
        entered_at=data.time,
        attributes={"owner": owner_by_opportunity(data) % OWNERS},
    )


def seconds_for(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def main() -> int:
    """Print the comparison; return 0 where every table takes less time than the sort, else 1."""
    data = entries(ENTRIES)
    frame = pd.DataFrame(data._asdict())
    times: dict[str, list[float]] = {name: [] for name in ("pandas sort", *MODES)}
    for _ in range(ROUNDS):
        times["pandas sort"].append(seconds_for(lambda: frame.sort_values(["opportunity", "time"])))
        for mode in MODES:
            log = prepared(data)
            times[mode].append(seconds_for(lambda: stage_table(log, mode, by="owner")))  # noqa: B023
    rows = len(stage_table(prepared(data), by="owner"))
    print(f"\n{f'{ENTRIES:,} entries, a table of {rows:,} rows':42}{'seconds':>10}{'÷ sort':>8}")
    ratios = {}
    for name, seconds in times.items():
        ratios[name] = median(
            mine / sort for mine, sort in zip(seconds, times["pandas sort"], strict=True)
        )
        print(f"{name:42}{median(seconds):>10.3f}{ratios[name]:>8.2f}")
    enough = all(ratios[mode] < 1 for mode in MODES)
    print(f"median of {ROUNDS} rounds, {'quick enough' if enough else 'TOO SLOW'}")
    return 0 if enough else 1


def test_the_stage_table_takes_less_time_than_a_sort() -> None:
    assert main() == 0


if __name__ == "__main__":
    sys.exit(main())
