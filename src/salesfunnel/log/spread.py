"""One row per opportunity, spread into entries: tables of now, and tables with a date per stage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.log.build import log_of_rows
from salesfunnel.log.rows import Coded, Reader, Rows
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.states import States
from salesfunnel.periods import to_zone


class Spread:
    """Rows of one opportunity each, read column by column, of which entries are made.

    Missing identifiers, and those that an earlier row has, are noted at once.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._ids = reader.ids()
        codes = self._ids[0]
        again = np.ones(len(codes), bool)
        again[np.unique(codes, return_index=True)[1]] = False
        reader.rejects.add(
            again,
            reader.source.title("opportunity"),
            reader.columns["opportunity"],
            "an identifier of its own; an earlier row has this one",
        )

    def log(
        self,
        states: States,
        entered: NDArray[np.bool_],
        state: NDArray[np.uint8],
        time: NDArray[np.int64],
        *,
        ties: str,
        tz: Any,
        errors: str,
    ) -> StageLog:
        """Return the log.

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
        ties, tz, errors
            As in `StageLog.from_columns`.

        Raises
        ------
        DataError
            If rows cannot be entries and ``errors="raise"``.
        """
        nothing = np.zeros(len(entered), np.int64)
        rows = self.reader.rows(states, self._ids, nothing)
        good = ~self.reader.rejects.bad
        entered, state, time = entered[good], state[good], time[good]
        deal, place = np.nonzero(entered)

        def take(coded: Coded | None) -> Coded | None:
            return None if coded is None else (coded[0][deal], coded[1])

        funnel = self.reader.meaning.funnel
        spread = Rows(
            ids=rows.ids[deal],
            identifiers=rows.identifiers,
            state=state[deal, place],
            time=time[deal, place],
            reasons=take(rows.reasons),
            amounts=None if rows.amounts is None else rows.amounts[deal],
            currency=rows.currency,
            order=None if rows.order is None else rows.order[deal] * entered.shape[1] + place,
            numbers=None,
            labels={name: (codes[deal], names) for name, (codes, names) in rows.labels.items()},
            bad=rows.bad,
            n_bad=rows.n_bad,
            ignored=rows.ignored,
        )
        return log_of_rows(funnel, spread, ties=ties, tz=to_zone(tz), errors=errors)
