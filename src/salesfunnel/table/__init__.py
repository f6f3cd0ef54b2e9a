"""Table, what every metric returns, with its columns and the phrases of its title and notes."""

from __future__ import annotations

from salesfunnel.table.column import Column
from salesfunnel.table.phrase import Phrase
from salesfunnel.table.table import Table

__all__ = ["Column", "Phrase", "Table"]
