"""Pages of the documentation, taken apart: their fenced blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from salesfunnel.cli import main

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"(?ms)^```(?P<kind>[^\s`]*)\n(?P<body>.*?)^```$")


class Block(NamedTuple):
    """A fenced block: the line that it starts in, its language, what is in it."""

    line: int
    kind: str
    body: str


def read(page: str) -> str:
    """Return the text of a page, named by its path from the root of the project."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    text = read(page)
    return [
        Block(text.count("\n", 0, match.start()) + 1, match["kind"], match["body"])
        for match in _BLOCK.finditer(text)
    ]


def prose(page: str) -> str:
    """Return what is left of a page without its fenced blocks."""
    return _BLOCK.sub("", read(page))


def commands(console: str) -> Iterator[list[str]]:
    """Yield what follows ``$ salesfunnel`` in a console block."""
    for line in console.replace("\\\n", " ").splitlines():
        if line.startswith("$ salesfunnel "):
            yield shlex.split(line)[2:]


def run(arguments: list[str]) -> int:
    """Return the exit code of a command."""
    try:
        return main(arguments)
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 1
