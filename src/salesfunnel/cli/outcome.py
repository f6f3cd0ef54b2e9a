"""What a command ends with."""

from __future__ import annotations

from typing import NamedTuple

from salesfunnel.errors import SalesFunnelError

DONE, FAILED, MISUSED = 0, 1, 2
"""Exit codes: done; the data or a file are at fault; the command was not understood."""


class Outcome(NamedTuple):
    """What a command prints, and its exit code."""

    text: str
    code: int = DONE


class CommandError(SalesFunnelError):
    """A command that cannot be understood, though each of its options can."""
