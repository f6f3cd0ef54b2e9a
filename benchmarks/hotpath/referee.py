"""Measuring a case: in a process of its own, from which messages tell how far it is."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any, NamedTuple

from benchmarks.hotpath import memory
from benchmarks.hotpath.answer import Answer
from benchmarks.hotpath.cases import CASES
from benchmarks.hotpath.contest import CannotTakePartError, Contestant

PATIENCE = 30.0
"""Seconds after which a contestant has run often enough, however many rounds there are."""


QUICK = 2.0
"""Who takes fewer seconds runs twice in each round, and the second time counts."""


class TakesPart(NamedTuple):
    """Who of a case takes part: the one named, or all but those left out."""

    only: str | None = None
    without: frozenset[str] = frozenset()

    def __call__(self, name: str) -> bool:
        """Return whether one takes part."""
        return name not in self.without and self.only in (None, name)


class Entered(NamedTuple):
    """A contestant takes part."""

    name: str
    note: str


class Missing(NamedTuple):
    """A contestant cannot, after all."""

    name: str
    why: str


class Began(NamedTuple):
    """The clock runs."""

    name: str


class Answered(NamedTuple):
    """A contestant ran once to warm up, and gave an answer."""

    name: str
    question: str
    answer: Answer | None


class Ran(NamedTuple):
    """A contestant ran once.

    `peak` is how many bytes more than before there was any data the process had in memory: data,
    work and what contestants before this one left behind.
    """

    name: str
    seconds: float
    peak: int


class Done(NamedTuple):
    """All rounds are over."""


Message = Entered | Missing | Began | Answered | Ran | Done


def referee(connection: Connection, case: str, n: int, rounds: int, takes_part: TakesPart) -> None:
    """Measure the contestants of a case, taking turns; the target of a process."""
    os.setpgid(0, 0)  # so that whatever it starts ends with it
    send: Callable[[Message], None] = connection.send
    before = memory.resident(os.getpid())
    contestants = [one for one in CASES[case].contestants(n) if takes_part(one.name)]

    def run(one: Contestant) -> tuple[Any, float]:
        given = one.given()
        gc.collect()
        gc.disable()
        memory.forget_peak()
        send(Began(one.name))
        begin = perf_counter()
        result = one.run(given)
        seconds = perf_counter() - begin
        gc.enable()
        send(Ran(one.name, seconds, memory.peak() - before))
        return result, seconds

    spent: dict[str, float] = {}
    for one in contestants:
        send(Entered(one.name, one.note))
        try:
            result, spent[one.name] = run(one)
        except CannotTakePartError as error:
            send(Missing(one.name, str(error)))
            continue
        answer = None if one.answer is None else one.answer(result)
        send(Answered(one.name, one.question, answer))
        del result, answer
    taken = dict(spent)
    present = [one for one in contestants if one.name in spent]
    for turn in range(rounds if present else 0):
        first = turn % len(present)
        for one in present[first:] + present[:first]:
            if spent[one.name] >= PATIENCE:
                continue
            if taken[one.name] < QUICK:
                # What the one before gave back to the system, or kept, is not to count.
                given = one.given()
                one.run(given)
                del given
            taken[one.name] = run(one)[1]
            spent[one.name] += taken[one.name]
    send(Done())
