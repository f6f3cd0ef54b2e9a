"""From a CSV file to a log beside what polars takes to read the file alone.

The file is 5 million rows in random order: an identifier of 18 characters, the key of a stage, and
an ISO 8601 time. All take turns; what counts is the median of the ratios in each round. The reader
of the standard library, which reads what is unusual, is measured on a tenth of the rows.

Run it with ``python benchmarks/bench_csv.py``, or as a part of ``make bench``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from unittest import mock

import numpy as np
import polars as pl

from benchmarks.data import FUNNEL, entries, string_ids
from salesfunnel.columns import csvfile
from salesfunnel.log.read import read_csv
from salesfunnel.log.stagelog import StageLog

AT_MOST = 3.0
"""How many times as long as polars a log may take."""

ROUNDS = 5
ROWS = 5_000_000
SHARE = 10
"""Of the rows, what the standard library's reader reads."""


def write(path: Path, n: int) -> None:
    """Write n entries."""
    data = entries(n)
    pl.DataFrame(
        {
            "opportunity": pl.Series(string_ids(data).astype(object)),
            "stage": pl.Series(np.array(FUNNEL.states, object)[data.state]),
            "at": pl.Series(data.time).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    ).write_csv(path)


def log_of(path: Path) -> StageLog:
    return read_csv(path, FUNNEL, opportunity="opportunity", stage="stage", entered_at="at")


def row_by_row(path: Path) -> StageLog:
    with mock.patch.object(csvfile, "LONG", sys.maxsize):
        return log_of(path)


def seconds_for(work: Callable[[Path], object], path: Path) -> float:
    started = perf_counter()
    work(path)
    return perf_counter() - started


def main(n: int = ROWS) -> int:
    """Print the comparison; return 0 where a log is made quickly enough, else 1."""
    with tempfile.TemporaryDirectory() as folder:
        path, few = Path(folder) / "all.csv", Path(folder) / "few.csv"
        write(path, n)
        write(few, n // SHARE)
        size = path.stat().st_size
        assert len(log_of(path)) == n
        rounds = [
            {
                "polars, the file alone": seconds_for(pl.read_csv, path),
                "salesfunnel, to a log": seconds_for(log_of, path),
                "the same, row by row": seconds_for(row_by_row, few) * SHARE,
            }
            for _ in range(ROUNDS)
        ]
    print(f"\n{f'{n:,} rows, {size / 1e6:,.0f} MB':34}", end="")
    print(f"{'seconds':>9}{'ns a row':>10}{'× polars':>10}{'at most':>9}")
    ratios = {}
    for name in rounds[0]:
        seconds = median(times[name] for times in rounds)
        ratios[name] = median(times[name] / times["polars, the file alone"] for times in rounds)
        asked = f"{AT_MOST:.0f}" if name.startswith("salesfunnel") else ""
        print(f"{name:34}{seconds:>9.2f}{seconds / n * 1e9:>10.0f}{ratios[name]:>10.2f}{asked:>9}")
    enough = ratios["salesfunnel, to a log"] <= AT_MOST
    print(f"median of {ROUNDS} rounds, {'quick enough' if enough else 'TOO SLOW'}")
    return 0 if enough else 1


def test_a_log_of_a_file_is_made_quickly_enough() -> None:
    assert main() == 0


if __name__ == "__main__":
    sys.exit(main())
