"""What a case of the benchmark is: who takes part, with what, and which ratios must come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import field, frozen

from benchmarks.hotpath.answer import Answer

OURS = "salesfunnel"
YARDSTICK = "np.sort"


@frozen
class Contestant:
    """One way to do the work of a case.

    Attributes
    ----------
    name : str
    run : callable
        What is measured: from what is given to a result of any form.
    given : callable
        Makes what is given, anew for each run and outside the clock: a log that was asked before
        might remember the answer. Raises `CannotTakePartError` where that is impossible.
    answer : callable or None
        From the result to an answer, outside the clock; None for the yardstick.
    question : str
        Contestants of one question must give the same answer.
    note : str
        What must be known about it.
    """

    name: str
    run: Callable[[Any], Any]
    given: Callable[[], Any]
    answer: Callable[[Any], Answer] | None
    question: str = ""
    note: str = ""


class CannotTakePartError(Exception):
    """A contestant has not what it needs on this machine; the text says what."""


@frozen
class Target:
    """How many times as long as `beside` one must take at least, or may take at most."""

    name: str
    beside: str
    at_least: float | None = field(default=None, kw_only=True)
    at_most: float | None = field(default=None, kw_only=True)

    @property
    def text(self) -> str:
        """The condition in words."""
        sign, bound = ("≥", self.at_least) if self.at_most is None else ("≤", self.at_most)
        return f"{sign} {bound:g} × {self.beside}"

    def is_met(self, ratio: float) -> bool:
        """Return whether a measured ratio will do."""
        return (self.at_least is None or ratio >= self.at_least) and (
            self.at_most is None or ratio <= self.at_most
        )


@frozen
class Case:
    """A row of the table of what the hot path must reach.

    Attributes
    ----------
    name : str
        What the command line calls it.
    work : str
        What is done.
    contestants : callable
        From a number of entries to those who take part; makes the data, which all of them share.
    targets : tuple of Target
    """

    name: str
    work: str
    contestants: Callable[[int], Sequence[Contestant]]
    targets: tuple[Target, ...]
