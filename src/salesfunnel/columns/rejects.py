"""Rows that cannot be entries: collected while columns are read, then raised or kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import BadRow, DataError, DefinitionError
from salesfunnel.wording import Wording

THE_ROW = Wording("(the row)")
"""The column of a fault of a whole row."""
RowNumber = Callable[[int], int]
"""What the source calls a row, from its index."""


class Rejects:
    """Collects the first fault of every bad row.

    Parameters
    ----------
    n_rows : int
        How many rows the source has.
    errors : {"raise", "collect"}
        What `settle` does with bad rows.
    row_number : callable
        What the source calls a row, from its index; the index itself by default.
    """

    def __init__(
        self, n_rows: int, errors: str = "raise", row_number: RowNumber = lambda index: index
    ) -> None:
        if errors not in ("raise", "collect"):
            raise DefinitionError("errors= is 'raise' or 'collect', not {errors!r}", errors=errors)
        self.errors = errors
        self.n_rows = n_rows
        self._row_number = row_number
        self._rows: list[BadRow] = []

    @cached_property
    def bad(self) -> NDArray[np.bool_]:
        """Rows left out so far, (n_rows,)."""
        return np.zeros(self.n_rows, bool)

    @property
    def any(self) -> bool:
        """Whether a row was left out so far."""
        return "bad" in vars(self) and bool(self.bad.any())

    def add(
        self,
        bad: NDArray[np.bool_],
        column: str,
        values: Sequence[Any] | NDArray[Any],
        expected: str,
    ) -> None:
        """Note what is wrong with a column where `bad`, in rows that had no fault so far."""
        fresh = np.flatnonzero(bad & ~self.bad if "bad" in vars(self) else bad)
        if len(fresh):
            self.bad[fresh] = True
        for index in fresh.tolist():
            value = values[index]
            value = value.item() if isinstance(value, np.generic) else value
            self._rows.append(BadRow(self._row_number(index), column, value, expected))

    def leave_out(self, rows: NDArray[np.bool_]) -> None:
        """Leave rows out without a fault, whatever else is wrong with them."""
        self.bad |= rows

    def settle(self) -> list[BadRow]:
        """Return the bad rows in their order, or raise them.

        Raises
        ------
        DataError
            If there are any and ``errors="raise"``.
        """
        return settled(sorted(self._rows, key=lambda bad: bad.row), self.errors)


def settled(rows: Sequence[BadRow], errors: str, n_bad: int | None = None) -> list[BadRow]:
    """Return bad rows, or raise them.

    Parameters
    ----------
    rows : sequence of BadRow
    errors : {"raise", "collect"}
    n_bad : int, optional
        How many there are, where these are not all.

    Raises
    ------
    DataError
        If there are any and ``errors="raise"``.
    """
    if rows and errors == "raise":
        n_bad = len(rows) if n_bad is None else n_bad
        noun = Wording("row" if n_bad == 1 else "rows")
        raise listing(
            Wording(
                "{n_bad:,} {noun} cannot be entries (errors='collect' loads the others and keeps "
                "these in log.rejected):",
                n_bad=n_bad,
                noun=noun,
            ),
            rows,
            n_bad,
        )
    return list(rows)


def listing(problem: Wording, rows: Sequence[BadRow], n_bad: int | None = None) -> DataError:
    """Return the error that names a problem and lists the first bad rows.

    Parameters
    ----------
    problem : Wording
    rows : sequence of BadRow
    n_bad : int, optional
        How many there are, where these are not all.
    """
    n_bad = len(rows) if n_bad is None else n_bad
    return DataError(problem, rows[: DataError.shown], max(0, n_bad - DataError.shown))
