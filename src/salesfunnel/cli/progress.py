"""Progress on standard error: with rich a bar, and without it a line; nothing for short work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Protocol

from salesfunnel.errors import MissingExtraError
from salesfunnel.show.bar import progress
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_integer, format_percent

PATIENCE = 0.5
"""Seconds of work before anything is shown."""


class _Shown(Protocol):
    def __enter__(self) -> _Shown: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __call__(self, done: int, total: int | None, what: str, /) -> None: ...


class Line:
    """A line that is written over and over again."""

    def __init__(self, lang: str) -> None:
        self._lang = lang

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.stderr.write("\r\x1b[K")  # to the start of the line, which is cleared
        sys.stderr.flush()

    def __call__(self, done: int, total: int | None, what: str, /) -> None:
        """Write how much is done."""
        name = catalogue(self._lang).text(f"progress.{what}")
        amount = (
            format_percent(done / total, self._lang, 0)
            if total
            else format_integer(done, self._lang)
        )
        sys.stderr.write(f"\r\x1b[K{name} {amount}")
        sys.stderr.flush()


class Patient:
    """Shows progress once work takes long enough for somebody to wonder."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._since = monotonic()
        self._shown: _Shown | None = None

    def __call__(self, done: int, total: int | None, what: str, /) -> None:
        """Show how much is done, if it is time to."""
        if self._shown is None:
            if monotonic() - self._since < PATIENCE or done == total:
                return
            self._shown = _made(self._lang)
            self._shown.__enter__()
        self._shown(done, total, what)

    def stop(self) -> None:
        """Take away what was shown."""
        if self._shown is not None:
            self._shown.__exit__(None, None, None)


def _made(lang: str) -> _Shown:
    try:
        return progress(lang)
    except MissingExtraError:
        return Line(lang)


def is_watched() -> bool:
    """Return whether standard error is a terminal, at which somebody may be looking."""
    return sys.stderr.isatty()


@contextmanager
def shown_progress(options: argparse.Namespace) -> Iterator[Patient | None]:
    """Give what shows progress while something is read; None where nobody looks."""
    if options.quiet or not is_watched():
        yield None
        return
    patient = Patient(options.lang)
    try:
        yield patient
    finally:
        patient.stop()
