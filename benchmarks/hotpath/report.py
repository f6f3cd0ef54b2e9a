"""What was measured, as a table in Markdown that a terminal shows well, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import field, frozen

from benchmarks.hotpath.contest import OURS, YARDSTICK, Case
from benchmarks.hotpath.scaling import Point, verdicts
from benchmarks.hotpath.supervisor import Result

_NONE = "–"
_HEAD = ("case", "by", "ns an entry", f"÷ {YARDSTICK}", f"÷ {OURS}", "must be", "met")
_SCALING_HEAD = ("entries", "by", "seconds", "ns an entry", "peak memory ÷ input")


@frozen
class Measured:
    """A case and what came out, in the order of its contestants."""

    case: Case
    n: int
    results: Sequence[Result]

    def ratio(self, name: str, beside: str) -> float | None:
        """Return how many times as long one takes as another; None where one has no time."""
        seconds = {result.name: result.seconds for result in self.results}
        one, other = seconds.get(name), seconds.get(beside)
        return one / other if one and other else None

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table."""
        rows: list[tuple[str, ...]] = []
        for index, result in enumerate(self.results):
            targets = [target for target in self.case.targets if target.name == result.name]
            ratios = [self.ratio(target.name, target.beside) for target in targets]
            met = [
                _NONE if ratio is None else _yes(target.is_met(ratio))
                for target, ratio in zip(targets, ratios, strict=True)
            ]
            seconds = result.seconds
            rows.append(
                (
                    "" if index else self.case.name,
                    result.name,
                    _NONE if seconds is None else f"{seconds / self.n * 1e9:,.1f}",
                    _times(self.ratio(result.name, YARDSTICK)),
                    _times(self.ratio(result.name, OURS)),
                    "; ".join(target.text for target in targets),
                    "; ".join(met),
                )
            )
        return rows

    def legend(self) -> str:
        """Return what the case is, and what must be known about its contestants."""
        notes = [f"{result.name}: {result.note}" for result in self.results if result.note]
        return "; ".join([f"- {self.case.name}: {self.case.work}", *notes])


@frozen
class Report:
    """All that one run of the benchmark measured."""

    machine: dict[str, str]
    n: int
    rounds: int
    measured: list[Measured] = field(factory=list)
    points: list[Point] = field(factory=list)

    def markdown(self) -> str:
        """Return tables and notes."""
        facts = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        parts = []
        if self.measured:
            about = (
                f"{self.n:,} entries, median of {self.rounds} interleaved rounds, in each of which "
                "the quick run twice and the second time counts; ÷ says how many times as long as "
                "that a contestant takes."
            )
            rows = [row for measured in self.measured for row in measured.rows()]
            legend = [measured.legend() for measured in self.measured]
            parts += [about, table(_HEAD, rows), "\n".join(legend)]
        if self.points:
            parts += ["Unsorted entries → counts and durations:", self._scaling()]
            kept = [
                f"- {text}: {ratio:.2f}, must be ≤ {bound:g}: {'met' if met else 'NOT MET'}"
                for text, ratio, bound, met in verdicts(self.points)
            ]
            parts += ["\n".join(kept)] if kept else []
        return "\n\n".join([*parts, f"Measured on: {facts}."]) + "\n"

    def json(self) -> str:
        """Return everything, each single time included."""
        return json.dumps(
            {
                "machine": self.machine,
                "entries": self.n,
                "rounds": self.rounds,
                "cases": [_case_data(measured) for measured in self.measured],
                "scaling": [
                    {"entries": point.n, "memory": point.memory, **_result_data(point.result)}
                    for point in self.points
                ],
                "scaling_targets": [
                    {"what": text, "ratio": ratio, "at_most": bound, "met": met}
                    for text, ratio, bound, met in verdicts(self.points)
                ],
            },
            ensure_ascii=False,
            indent=1,
        )

    def _scaling(self) -> str:
        rows = [
            (
                f"{point.n:,}",
                point.result.name,
                _NONE if point.result.seconds is None else f"{point.result.seconds:.4g}",
                point.result.note if point.nanoseconds is None else f"{point.nanoseconds:,.1f}",
                _times(point.memory),
            )
            for point in self.points
        ]
        return table(_SCALING_HEAD, rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns: texts to the left, numbers to the right."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(_is_number(cell) for cell in column[1:]) for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = (
        f"{'-' * (width + 1)}{':' if to_right else '-'}"
        for width, to_right in zip(widths, right, strict=True)
    )
    return "\n".join([line(head), f"|{'|'.join(rule)}|", *map(line, rows)])


def _is_number(cell: str) -> bool:
    return cell in ("", _NONE) or cell.replace(",", "").replace(".", "").isdigit()


def _times(ratio: float | None) -> str:
    if ratio is None:
        return _NONE
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"


def _yes(met: bool) -> str:
    return "yes" if met else "NO"


def _case_data(measured: Measured) -> dict[str, Any]:
    targets = [
        {
            "name": target.name,
            "must_be": target.text,
            "ratio": ratio,
            "met": None if ratio is None else target.is_met(ratio),
        }
        for target in measured.case.targets
        for ratio in [measured.ratio(target.name, target.beside)]
    ]
    return {
        "name": measured.case.name,
        "work": measured.case.work,
        "results": [_result_data(result) for result in measured.results],
        "targets": targets,
    }


def _result_data(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "note": result.note,
        "seconds": result.seconds,
        "warm_up": result.warm_up,
        "times": result.times,
    }
