"""How far long work has come, told to whoever asked: a few times a second, and at its end."""

from __future__ import annotations

from time import monotonic
from typing import Protocol

from salesfunnel.errors import DefinitionError

INTERVAL = 0.05
"""Seconds between two reports at least: twenty a second."""


class Progress(Protocol):
    """What ``progress=`` takes: a callable that is told how far some work has come.

    It is called in the thread that does the work, at most twenty times a second and once at the end
    of each kind of work. What it raises ends the work and is raised there.
    """

    def __call__(self, done: int, total: int | None, what: str, /) -> None:
        """Take note of progress.

        Parameters
        ----------
        done : int
            How much is done: bytes of a file, rows, entries or opportunities, by the work.
        total : int or None
            How much there is; None where that is not known beforehand.
        what : str
            The work: ``"read"``, ``"classify"`` (how each opportunity stands), ``"count"``.
        """


class Meter:
    """Tells a callable of one kind of work, but not too often.

    Parameters
    ----------
    progress : Progress
    what : str
    total : int, optional
        How much there is to do.
    """

    __slots__ = ("_due", "_progress", "_what", "done", "total")

    def __init__(self, progress: Progress, what: str, total: int | None = None) -> None:
        self._progress = progress
        self._what = what
        self.total = total
        self.done = 0
        self._due = -1.0

    def at(self, done: int) -> None:
        """Note how much is done; told if the last time is long enough ago."""
        self.done = done
        now = monotonic()
        if now >= self._due:
            self._due = now + INTERVAL
            self._progress(done, self.total, self._what)

    def end(self) -> None:
        """Tell that all is done."""
        done = self.done if self.total is None else self.total
        self._progress(done, done, self._what)


def meter(progress: Progress | None, what: str, total: int | None = None) -> Meter | None:
    """Return a meter of some work; None where nobody asked.

    Raises
    ------
    DefinitionError
        If `progress` cannot be called.
    """
    if progress is None:
        return None
    if not callable(progress):
        raise DefinitionError(
            "progress= is a callable, progress(done, total, what), not {progress!r}",
            progress=progress,
        )
    return Meter(progress, what, total)
