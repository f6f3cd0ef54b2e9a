"""Watching over a case: who takes too long or too much memory is stopped, the others go on."""

from __future__ import annotations

import os
import signal
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from statistics import median
from time import monotonic

from attrs import Factory, define

from benchmarks.hotpath import memory
from benchmarks.hotpath.answer import Answer, check_agreement
from benchmarks.hotpath.referee import (
    Answered,
    Began,
    Done,
    Entered,
    Message,
    Missing,
    Ran,
    TakesPart,
    referee,
)

SECONDS = 60.0
BYTES = 16 * 2**30
"""What one run of a contestant may take."""
_GLANCE = 0.02


@define
class Result:
    """What became of a contestant.

    Attributes
    ----------
    name : str
    note : str
        What must be known about it, or why it has no times.
    warm_up : float or None
        Seconds of the first run.
    times : list of float
        Seconds of the runs after it.
    peak : int
        The most bytes in memory in any run, beyond what was there before the data.
    """

    name: str
    note: str = ""
    warm_up: float | None = None
    times: list[float] = Factory(list)
    peak: int = 0

    @property
    def seconds(self) -> float | None:
        """The median, of the first run alone where there is no other."""
        if self.times:
            return median(self.times)
        return self.warm_up


class StoppedError(Exception):
    """A contestant took too long or too much memory."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.name = name
        self.why = why


class Answers:
    """The answers so far: the first one to each question is what the others must agree with."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, Answer]] = {}

    def add(self, name: str, question: str, answer: Answer) -> None:
        """Keep the first answer to a question, and check the others against it."""
        other, expected = self._first.setdefault(question, (name, answer))
        check_agreement(name, answer, other, expected)


def measure(
    case: str,
    n: int,
    *,
    rounds: int,
    takes_part: TakesPart,
    answers: Answers,
) -> list[Result]:
    """Return the times of the contestants of a case, all of one process and interleaved.

    Parameters
    ----------
    case : str
        Its name.
    n : int
        Number of entries.
    rounds : int
        How often each contestant runs after the first time.
    takes_part : TakesPart
    answers : Answers
        Answers of others to the same questions, if there are any, and to be added to.

    Raises
    ------
    DisagreementError
        If two of them give different answers.
    """
    results: dict[str, Result] = {}
    while True:
        try:
            _attempt(case, n, rounds, takes_part, results, answers)
        except StoppedError as stop:
            results[stop.name] = Result(stop.name, stop.why)
            takes_part = takes_part._replace(without=takes_part.without | {stop.name})
        else:
            return list(results.values())


def _attempt(
    case: str,
    n: int,
    rounds: int,
    takes_part: TakesPart,
    results: dict[str, Result],
    answers: Answers,
) -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=partial(referee, theirs, case, n, rounds, takes_part))
    process.start()
    theirs.close()
    try:
        _follow(ours, process, results, answers)
    finally:
        _end(process)


def _follow(
    messages: Connection, process: BaseProcess, results: dict[str, Result], answers: Answers
) -> None:
    assert process.pid is not None
    running, since = "", 0.0
    while True:
        if not messages.poll(_GLANCE):
            used = memory.resident(process.pid)
            if used > BYTES:
                if not running:
                    raise MemoryError(f"the data alone take {used / 2**30:.0f} GiB: give less")
                raise StoppedError(running, f"stopped: it took over {BYTES >> 30} GiB of memory")
            if running and monotonic() - since > SECONDS:
                raise StoppedError(running, f"stopped: it took over {SECONDS:.0f} s")
            continue
        try:
            message: Message = messages.recv()
        except EOFError:
            process.join()
            raise RuntimeError(
                f"the process of the case ended with status {process.exitcode}"
            ) from None
        match message:
            case Entered(name, note):
                results[name] = Result(name, note)
            case Missing(name, why):
                results[name] = Result(name, why)
            case Began(name):
                running, since = name, monotonic()
            case Ran(name, seconds, peak):
                running, result = "", results[name]
                result.peak = max(result.peak, peak)
                if result.warm_up is None:
                    result.warm_up = seconds
                else:
                    result.times.append(seconds)
            case Answered(name, question, answer):
                if answer is not None:
                    answers.add(name, question, answer)
            case Done():
                return


def _end(process: BaseProcess) -> None:
    """End a process and all that it started."""
    assert process.pid is not None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()  # it has not made a group of its own yet, or has ended
    process.join()
