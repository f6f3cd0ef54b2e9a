"""The report on a million opportunities as a page, beside pandas reading the same history.

The report begins with a log that nothing was asked of yet, and ends with the page in a file, with
its pictures and findings, by owner; pandas reads a CSV file with a row for each entry, and parses
its times. They run in turns in one process. The page must take at most as long, and be below its
limits of size, as it holds sums and not opportunities.

jinja2 and plotly are not in the environment of the other benchmarks: run this one with the
environment of the tests, by ``python -m benchmarks.bench_report``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas

from salesfunnel.datasets import make_pipeline
from salesfunnel.log.stagelog import StageLog
from salesfunnel.show.report import report

INSIDE, LINKED = 6_000_000, 300_000
"""Bytes of a page at most, with plotly in it and without."""
ROUNDS = 5


def write_history(log: StageLog, path: Path) -> None:
    """Write a row for each entry of a log: what `pandas.read_csv` reads."""
    entries = log.entries

    def names(codes: np.ndarray, values: tuple[str, ...]) -> pandas.Categorical:
        return pandas.Categorical.from_codes(codes, categories=values)

    columns = {
        "deal_id": log.identify(entries.opportunity),
        "stage": names(entries.state, log.funnel.states),
        "entered_at": np.datetime_as_string(entries.time.view("datetime64[us]"), "s"),
        "amount": log.amounts,
    }
    if log.reasons is not None:
        columns["reason"] = names(log.reasons.codes, tuple(log.reasons.names))
    for name in log.attributes:
        labels = log.attribute(name)
        columns[name] = names(labels.codes, tuple(labels.names))
    pandas.DataFrame(columns).to_csv(path, index=False)


def main(arguments: list[str] | None = None) -> int:
    """Print the comparison; return 0 where page and time are within their limits, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--opportunities", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as name:
        folder = Path(name)
        log = make_pipeline(options.opportunities)
        write_history(log, folder / "history.csv")
        megabytes = (folder / "history.csv").stat().st_size / 1e6
        load = os.getloadavg()[0]
        report(make_pipeline(100), by="owner").to_html()  # imports, which happen once
        tables, pages, reads = [], [], []
        for _ in range(options.rounds):
            fresh = make_pipeline(options.opportunities)
            started = perf_counter()
            found = report(fresh, by="owner")
            made = perf_counter()
            found.to_html(folder / "report.html", lang="zh")
            pages.append(perf_counter() - started)
            tables.append(made - started)
            started = perf_counter()
            frame = pandas.read_csv(folder / "history.csv", parse_dates=["entered_at"])
            reads.append(perf_counter() - started)
            if len(frame) != len(fresh) or frame["entered_at"].dtype.kind != "M":
                raise SystemExit("pandas did not read the same history")
        inside = (folder / "report.html").stat().st_size
        linked = len(found.to_html(lang="zh", plotly="link").encode())
    ours, peer = median(pages), median(reads)
    print(f"{len(log):,} entries of {log.n_opportunities:,} opportunities, {megabytes:,.0f} MB CSV")
    print(f"load before the start           {load:10.2f}")
    print(f"report and page                 {ours:10.2f} s, of which tables {median(tables):.2f} s")
    print(f"pandas.read_csv, times parsed   {peer:10.2f} s")
    print(f"ratio                           {ours / peer:10.2f}   (at most 1)")
    print(f"page                            {inside / 1e6:10.2f} MB (at most {INSIDE / 1e6:.0f})")
    print(f"page without plotly in it       {linked / 1e3:10.0f} kB (at most {LINKED / 1e3:.0f})")
    return 0 if ours <= peer and inside < INSIDE and linked < LINKED else 1


if __name__ == "__main__":
    sys.exit(main())
