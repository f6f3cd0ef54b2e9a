"""Messages on standard error, in the words of the command line."""

from __future__ import annotations

import sys

from salesfunnel.text.explaining import said
from salesfunnel.text.width import plain
from salesfunnel.wording import Listed, Wording

_OPTIONS = {
    "as_of=": "--as-of",
    "by=": "--by",
    "date_format=": "--date-format",
    "errors=": "--errors",
    "fields=": "--field",
    "funnel=": "--funnel",
    "max_bytes=": "--max-bytes",
    "missing_time=": "--missing-time",
    "order=": "--order",
    "pipeline=": "--pipeline",
    "pipelines=": "--source pipelines=FILE",
    "rates=": "--rate",
    "stage_map": "--map",
    "stages=": "--source stages=FILE",
    "start=": "--start",
    "ties=": "--ties",
    "tz=": "--tz",
    "where=": "--where",
}
"""Parameters that the library's messages speak of, and what they are called here."""


def complain(words: str, lang: str) -> None:
    """Print a message in a language, and what the parameters that it speaks of are called here."""
    lines = said(Wording("salesfunnel: {problem}", problem=words), lang).split("\n")
    options = Listed(
        Wording("{name} is {option}", name=name, option=option)
        for name, option in _OPTIONS.items()
        if name in words
    )
    if options:
        hint = Wording("(on the command line, {options})", options=options)
        lines.append(said(hint, lang))
    print("\n".join(map(plain, lines)), file=sys.stderr)
