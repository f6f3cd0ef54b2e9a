"""The command line: ``salesfunnel report``, ``table``, ``check``, ``convert`` and ``demo``."""

from __future__ import annotations

from salesfunnel.cli.main import main

__all__ = ["main"]
