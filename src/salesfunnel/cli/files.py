"""Results written to files."""

from __future__ import annotations

from pathlib import Path, PurePath

from salesfunnel.cli.outcome import CommandError
from salesfunnel.wording import Listed


def ending_of(path: str, known: tuple[str, ...]) -> str:
    """Return the ending of the file to write, if it is one of those known.

    Raises
    ------
    CommandError
        If it is not.
    """
    ending = PurePath(path).suffix.lower()
    if ending not in known:
        raise CommandError(
            "{path!r}: the ending says what is written: {known}", path=path, known=Listed(known)
        )
    return ending


def write(path: str, text: str) -> None:
    """Write a text as UTF-8, ending in a line break."""
    Path(path).write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="")
