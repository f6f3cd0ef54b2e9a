"""Run the benchmark and save what it measures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.hotpath import with_pm4py
from benchmarks.hotpath.cases import CASES
from benchmarks.hotpath.machine import machine
from benchmarks.hotpath.referee import TakesPart
from benchmarks.hotpath.report import Measured, Report
from benchmarks.hotpath.scaling import SMALLEST, scaling
from benchmarks.hotpath.supervisor import Answers, measure

_ROOT = Path(__file__).parents[2]
_RESULTS = _ROOT / "benchmarks" / "results"
_PAGE = _ROOT / "docs" / "explanation" / "hotpath.txt"
_QUICK_ENTRIES, _QUICK_ROUNDS = 100_000, 3


def _number(text: str) -> int:
    number = int(float(text)) if "e" in text.lower() else int(text)
    if number < SMALLEST:
        raise argparse.ArgumentTypeError(f"at least {SMALLEST:,} entries tell something")
    return number


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hotpath",
        description=(
            "Measures the hot path beside pandas, polars, DuckDB, pm4py and plain numpy: on the "
            "same arrays, in turns, in one process a case, checking that all give one answer. "
            "Prints one table and saves it to benchmarks/results as Markdown and JSON."
        ),
    )
    parser.add_argument(
        "--case",
        action="extend",
        nargs="*",
        choices=CASES,
        metavar="NAME",
        help=f"these cases only, without a name none at all: {', '.join(CASES)}",
    )
    parser.add_argument(
        "--entries", type=_number, default=4_000_000, metavar="N", help="default: %(default)s"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--scaling",
        type=_number,
        nargs="?",
        const=10_000_000,
        metavar="LARGEST",
        help="also measure sizes from 10,000 up to this one and their peak memory; alone, up to "
        "%(const)s; 1e8 takes ten minutes more and as much memory as peers may take",
    )
    parser.add_argument(
        "--without",
        action="extend",
        nargs="+",
        default=[],
        metavar="PEER",
        help="leave these out, as in --without pm4py pandas",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{_QUICK_ENTRIES:,} entries and {_QUICK_ROUNDS} rounds: shows that all of it works, "
        "not how fast",
    )
    parser.add_argument(
        "--save",
        action="store_true",
        help=f"also write the table to {_PAGE.relative_to(_ROOT)}, for the documentation",
    )
    arguments = parser.parse_args(given)
    if arguments.quick:
        arguments.entries, arguments.rounds = _QUICK_ENTRIES, _QUICK_ROUNDS
    return arguments


def main(given: list[str] | None = None) -> None:
    """Measure what the arguments ask for."""
    arguments = _arguments(given)
    if not Path("/proc/self/clear_refs").exists():
        sys.exit("this benchmark reads memory from /proc and runs on Linux only")
    without = frozenset(arguments.without)
    report = Report(machine(), arguments.entries, arguments.rounds)
    for name in CASES if arguments.case is None else arguments.case:
        _progress(f"{name}: {arguments.entries:,} entries")
        results = measure(
            name,
            arguments.entries,
            rounds=arguments.rounds,
            takes_part=TakesPart(without=without),
            answers=Answers(),
        )
        report.measured.append(Measured(CASES[name], arguments.entries, results))
    if arguments.scaling:
        for point in scaling(arguments.scaling, rounds=arguments.rounds, without=without):
            _progress(f"scaling: {point.n:,} entries by {point.result.name}")
            report.points.append(point)
    report.machine.update(with_pm4py.versions())  # installed by now, if at all

    text = report.markdown()
    print(text)
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "hotpath.md").write_text(text, encoding="utf-8")
    (_RESULTS / "hotpath.json").write_text(report.json(), encoding="utf-8")
    if arguments.save:
        _PAGE.write_text(text, encoding="utf-8")


def _progress(text: str) -> None:
    print(f"{text} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
