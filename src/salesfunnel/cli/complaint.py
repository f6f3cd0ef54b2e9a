"""Messages on standard error, in the words of the command line."""

from __future__ import annotations

import sys

from salesfunnel.text.width import plain

_OPTIONS = {
    "as_of=": "--as-of",
    "by=": "--by",
    "date_format=": "--date-format",
    "errors=": "--errors",
    "max_bytes=": "--max-bytes",
    "missing_time=": "--missing-time",
    "order=": "--order",
    "pipeline=": "--pipeline",
    "rates=": "--rate",
    "stage_map": "--map",
    "start=": "--start",
    "ties=": "--ties",
    "tz=": "--tz",
    "where=": "--where",
}
"""Parameters that the library's messages speak of, and what they are called here."""


def complain(message: str) -> None:
    """Print a message, and what the parameters that it speaks of are called here."""
    lines = f"salesfunnel: {message}".split("\n")
    options = [f"{name} is {option}" for name, option in _OPTIONS.items() if name in message]
    if options:
        lines.append(f"(on the command line, {', '.join(options)})")
    print("\n".join(map(plain, lines)), file=sys.stderr)
