"""One row per opportunity, spread into entries: tables of now, and tables with a date per stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.files import Limits
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.source import in_batches
from salesfunnel.columns.values import plain_values
from salesfunnel.errors import DataError
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.build import log_of_rows
from salesfunnel.log.joining import join
from salesfunnel.log.read import Fields, alike
from salesfunnel.log.reader import Reader
from salesfunnel.log.rows import Coded, Rows
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.states import States
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import to_zone
from salesfunnel.wording import Wording


class Seen:
    """Identifiers of the rows so far, over all batches of a source."""

    def __init__(self) -> None:
        self._identifiers: set[Any] = set()

    def again(
        self, codes: NDArray[np.integer[Any]], identifiers: NDArray[Any] | None
    ) -> NDArray[np.bool_]:
        """Return which rows have an identifier that an earlier one has, and note the others.

        Parameters
        ----------
        codes : (N,) integers
            -1 where a row has none.
        identifiers : array or None
            What the codes stand for; None where they are the identifiers.
        """
        distinct, first = np.unique(codes, return_index=True)
        again = np.ones(len(codes), bool)
        again[first] = False
        if identifiers is not None:
            first, distinct = first[distinct >= 0], identifiers[distinct[distinct >= 0]]
        fresh = distinct.tolist()
        if not self._identifiers.isdisjoint(fresh):
            again[first[[identifier in self._identifiers for identifier in fresh]]] = True
        self._identifiers.update(fresh)
        return again


class Spread:
    """Rows of one opportunity each, read column by column, of which entries are made.

    Missing identifiers, and those that an earlier row has, are noted at once.
    """

    def __init__(self, reader: Reader, seen: Seen) -> None:
        self.reader = reader
        self._ids = reader.ids()
        reader.rejects.add(
            seen.again(*self._ids),
            reader.source.title("opportunity"),
            reader.columns["opportunity"],
            Wording("an identifier of its own; an earlier row has this one"),
        )

    def rows(
        self,
        states: States,
        entered: NDArray[np.bool_],
        state: NDArray[np.uint8],
        time: NDArray[np.int64],
    ) -> Rows:
        """Return a row for each entry.

        Parameters
        ----------
        states : States
            Where rows stand, for their loss reasons.
        entered : (N, E) bool
            Which of at most E entries each row makes.
        state : (N, E) uint8
            The states that they enter.
        time : (N, E) int64
            When, in microseconds since 1970 in UTC.
        """
        rows = self.reader.rows(states, self._ids, np.zeros(len(entered), np.int64))
        good = ~self.reader.rejects.bad
        entered, state, time = entered[good], state[good], time[good]
        deal, place = np.nonzero(entered)

        def take(coded: Coded | None) -> Coded | None:
            return None if coded is None else (coded[0][deal], coded[1])

        numbers = None
        if rows.numbers is not None:
            plain = plain_values(rows.numbers)
            numbers = [plain[row] for row in deal.tolist()]
        return rows._replace(
            ids=rows.ids[deal],
            state=state[deal, place],
            time=time[deal, place],
            reasons=take(rows.reasons),
            amounts=None if rows.amounts is None else rows.amounts[deal],
            order=None if rows.order is None else rows.order[deal],
            numbers=numbers,
            given_labels={
                name: (codes[deal], names) for name, (codes, names) in rows.labels.items()
            },
        )


def log_of_batches(
    source: Any,
    funnel: Funnel,
    rows_of: Callable[[RawTable, Seen], Rows],
    *,
    fields: Fields,
    more: Iterable[str],
    limits: Limits,
    progress: Progress | None,
    ties: str,
    tz: Any,
    errors: str,
) -> StageLog:
    """Return the log of a source with one row per opportunity, which is read batch by batch.

    Parameters
    ----------
    source : path, dataframe, list of records, or a list of any of them
    funnel : Funnel
    rows_of : callable
        Returns the entries of a batch, with what was seen before it.
    fields : Fields
        The columns that are asked for.
    more : iterable of str
        Others, beside those.
    limits : Limits
        For files.
    progress : Progress, optional
        Told how much of the file is read.
    ties, tz, errors
        As in `StageLog.from_columns`.

    Raises
    ------
    DataError
        If rows cannot be entries and ``errors="raise"``.
    """

    def read(batches: Iterator[RawTable]) -> StageLog:
        seen = Seen()
        rows = join(
            (rows_of(table, seen) for table in alike(batches, fields, more)),
            most_bad=DataError.shown if errors == "raise" else None,
        )
        if rows.order is not None:
            # Entries of one row have one number; they keep their order.
            order = np.empty(len(rows.order), np.int64)
            order[np.argsort(rows.order, kind="stable")] = np.arange(len(order))
            rows = rows._replace(order=order)
        return log_of_rows(funnel, rows, ties=ties, tz=to_zone(tz), errors=errors)

    return in_batches(source, Wording("the table"), read, limits=limits, progress=progress)
