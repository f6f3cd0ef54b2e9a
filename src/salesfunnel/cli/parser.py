"""An `argparse.ArgumentParser` that speaks the reader's language.

argparse says what it says by `gettext`, whose languages are those of the whole process; a command
may run inside another program, which keeps its own. So its words are put in another language where
they come out: the usage and the errors here, headings and help where options are added.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any, NoReturn

from salesfunnel.cli.outcome import MISUSED
from salesfunnel.text.catalogue import catalogue, default_language
from salesfunnel.text.explaining import reworded, said
from salesfunnel.text.width import plain
from salesfunnel.wording import Wording

SAID_BY_ARGPARSE = (
    Wording("argument {argument}: {problem}"),
    Wording("expected one argument"),
    Wording("expected at least one argument"),
    Wording("expected at most one argument"),
    Wording("expected {n} argument"),
    Wording("expected {n} arguments"),
    Wording("the following arguments are required: {missing}"),
    Wording("one of the arguments {arguments} is required"),
    Wording("unrecognized arguments: {arguments}"),
    Wording("not allowed with argument {argument}"),
    Wording("ignored explicit argument {value}"),
    Wording("ambiguous option: {option} could match {matches}"),
    Wording("invalid choice: {value} (choose from {choices})"),
    Wording("invalid choice: {value}, maybe you meant {closest}? (choose from {choices})"),
    Wording("invalid {type} value: {value}"),
)
"""The messages of argparse in Python 3.11 to 3.14, as they are known to the files of languages."""


class Parser(argparse.ArgumentParser):
    """Parses a command line, and says in a language what is wrong with it.

    Parameters
    ----------
    lang : str
    **settings
        Those of `argparse.ArgumentParser`.
    """

    def __init__(self, *, lang: str = default_language(), **settings: Any) -> None:
        usage = catalogue(lang).text("cli.usage_line", usage="")
        super().__init__(**settings, formatter_class=partial(_Formatter, usage_prefix=usage))
        self.lang = lang

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, and exit."""
        made = isinstance(message, Wording) or self.lang == default_language()
        problem = said(message, self.lang) if made else reworded(message, self.lang)
        self.print_usage(sys.stderr)
        text = catalogue(self.lang).text("cli.error", program=self.prog, problem=problem)
        self.exit(MISUSED, "\n".join(map(plain, text.split("\n"))) + "\n")


class _Formatter(argparse.HelpFormatter):
    """Help whose usage begins with a word of another language."""

    def __init__(self, *settings: Any, usage_prefix: str, **more: Any) -> None:
        super().__init__(*settings, **more)
        self._usage_prefix = usage_prefix

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Add the usage of a command."""
        super().add_usage(usage, actions, groups, self._usage_prefix if prefix is None else prefix)
