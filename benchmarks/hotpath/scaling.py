"""How time and memory grow with the number of entries; each measurement in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from benchmarks.data import ENTRY_BYTES
from benchmarks.hotpath.contest import OURS, YARDSTICK
from benchmarks.hotpath.referee import TakesPart
from benchmarks.hotpath.supervisor import Answers, Result, measure

SMALLEST = 10_000
_CASE = "unsorted"
_CONTESTANTS = (OURS, YARDSTICK, "numpy lexsort", "DuckDB", "polars", "pandas")
_FROM = 1_000_000
"""Below it time and memory are mostly those of starting."""
MOST_GROWTH = 1.5
MOST_MEMORY = 2.5


@frozen
class Point:
    """One contestant at one size."""

    n: int
    result: Result

    @property
    def nanoseconds(self) -> float | None:
        """Time of one entry."""
        return None if self.result.seconds is None else self.result.seconds / self.n * 1e9

    @property
    def memory(self) -> float | None:
        """Peak memory, input included, as a multiple of the input; None where it says nothing."""
        if self.n < _FROM or self.result.seconds is None or self.result.name == YARDSTICK:
            return None
        return self.result.peak / (self.n * ENTRY_BYTES)


def scaling(largest: int, *, rounds: int, without: frozenset[str]) -> Iterator[Point]:
    """Yield the points from ten thousand entries to `largest`, each size ten times the one before.

    Raises
    ------
    DisagreementError
        If contestants give different answers.
    """
    n = SMALLEST
    while n <= largest:
        answers = Answers()
        for name in _CONTESTANTS:
            if name not in without:
                (result,) = measure(
                    _CASE, n, rounds=rounds, takes_part=TakesPart(only=name), answers=answers
                )
                yield Point(n, result)
        n *= 10


def verdicts(points: list[Point]) -> list[tuple[str, float, float, bool]]:
    """Return what must hold: its text, what was measured, the bound, and whether it was kept."""
    ours = {point.n: point for point in points if point.result.name == OURS}
    found = []
    first, last = ours.get(_FROM), ours[max(ours)] if ours else None
    if first and last and last.n > _FROM and first.nanoseconds and last.nanoseconds:
        growth = last.nanoseconds / first.nanoseconds
        text = f"time of an entry among {last.n:,} ÷ among {_FROM:,}"
        found.append((text, growth, MOST_GROWTH, growth <= MOST_GROWTH))
    if last and last.memory:
        text = f"peak memory at {last.n:,} entries ÷ input arrays"
        found.append((text, last.memory, MOST_MEMORY, last.memory <= MOST_MEMORY))
    return found
