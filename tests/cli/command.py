"""The command line in this process, and files to give it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

CSV = """\
deal,stage,at,owner,amount,currency,reason
A,潜在客户识别,2026-01-01T09:00+08:00,李娜,1000,CNY,
A,初步接触,2026-01-03T09:00+08:00,,1200,CNY,
A,流失,2026-01-09T09:00+08:00,,,CNY,price
B,Lead identification,2026-01-02T09:00+08:00,Wang,500,CNY,
B,Won,2026-01-05T09:00+08:00,,,CNY,
C,needs_analysis,2026-01-04T09:00+08:00,Wang,,CNY,
"""
"""The states of the standard funnel, as people call them."""

PLAIN = """\
deal,stage,at,owner
A,lead,2026-01-01T00:00Z,li
A,Dead,2026-01-03T00:00Z,li
B,lead,2026-01-01T00:00Z,na
B,Archived,2026-01-02T00:00Z,na
B,A=B,2026-01-03T00:00Z,na
"""
MAP = ["--map", "Dead=lost:price", "--map", "Archived=", "--map", "A=B=won"]
"""The states of `FUNNEL`, and names that need a map."""

FUNNEL = json.dumps(
    {"stages": ["lead", "offer"], "loss_reasons": ["price"], "reasons_closed": True}
)
COLUMNS = ["--opportunity", "deal", "--stage", "stage", "--entered-at", "at"]


class Run(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


Command = Callable[..., Run]


def write(data: str | bytes, name: str = "deals.csv") -> str:
    """Write a file into the present folder, and return its name."""
    Path(name).write_bytes(data.encode() if isinstance(data, str) else data)
    return name


def rows(out: str) -> list[list[str]]:
    """Return the words of each row of the first table in a text."""
    body = out.partition("─\n")[2].partition("\n\n")[0]
    return [line.split() for line in body.splitlines()]
