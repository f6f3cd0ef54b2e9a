"""More rows for a log: the same ones again change nothing, and corrections take their place."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError, MergeError
from salesfunnel.log.build import log_of_rows
from salesfunnel.log.joining import join
from salesfunnel.log.labels import Labels
from salesfunnel.log.rows import Coded, Rows
from salesfunnel.log.stagelog import StageLog
from salesfunnel.wording import Listed

REPLACE = ("entry", "opportunity")


def extended(log: StageLog, new: Rows, *, replace: str, ties: str, errors: str) -> StageLog:
    """Return a log with more rows; `StageLog.extend` describes how.

    Raises
    ------
    DefinitionError, DataError, CurrencyError
        As there.
    """
    if replace not in REPLACE:
        raise DefinitionError(
            "replace= is one of {known}, not {replace!r}", known=Listed(REPLACE), replace=replace
        )
    if ties == "state" and log.records is not None:
        raise DefinitionError("ties='state' and the record numbers of the log both settle ties")
    old = _rows_of(log)
    n_old = len(old.state)
    rows = join([old, new])._replace(
        order=_order(log, new), numbers=None, bad=new.bad, n_bad=new.n_bad, ignored=new.ignored
    )
    is_new = np.arange(len(rows.state)) >= n_old
    again = np.zeros(len(rows.state), bool)
    concerned = np.flatnonzero(np.isin(rows.ids, np.unique(rows.ids[is_new])))
    if replace == "opportunity":
        again[concerned[concerned < n_old]] = True
    else:
        pairs = _pairs(rows, concerned, n_old)
        rows = _corrected(rows, new, pairs)
        again[pairs.new] = True
    rows = _without(rows, again)
    return log_of_rows(log.funnel, rows, ties=ties, tz=log.tz, errors=errors, as_read=False)


def updated(log: StageLog, other: StageLog, *, replace: str) -> StageLog:
    """Return a log with the entries of another; `StageLog.update` describes how.

    Raises
    ------
    MergeError
        If it is of another funnel.
    """
    if not isinstance(other, StageLog):
        raise DefinitionError("a log is updated by a StageLog, not by {other!r}", other=other)
    if other.funnel != log.funnel:
        raise MergeError(
            "cannot update: the log has the funnel of {states}, the other another one, of {others}",
            states=Listed(log.funnel.states),
            others=Listed(other.funnel.states),
        )
    found = extended(log, _rows_of(other), replace=replace, ties="input", errors="collect")
    found.rejected, found.ignored = other.rejected, other.ignored
    return found


def _rows_of(log: StageLog) -> Rows:
    """Return the entries of a log as rows, in their order."""
    entries = log.entries
    return Rows(
        ids=entries.opportunity,
        identifiers=log.identifiers,
        state=entries.state,
        time=entries.time,
        reasons=None if log.reasons is None else _coded(log.reasons),
        amounts=log.amounts,
        currency=log.currency,
        order=None if log.records is None else log.records.astype(np.int64),
        numbers=None,
        given_labels={name: _coded(log.attribute(name)) for name in log.attributes},
        bad=[],
        n_bad=0,
        ignored=0,
    )


def _coded(labels: Labels) -> Coded:
    return labels.codes, list(labels.names)


def _order(log: StageLog, new: Rows) -> NDArray[np.int64] | None:
    """Return ranks of the record numbers of all rows; those of new ones come after all others."""
    if log.records is None and new.order is None:
        return None
    before = np.arange(len(log)) if log.records is None else log.records
    after = np.arange(len(new.state)) if new.order is None else new.order
    first = int(before.max(initial=-1)) + 1
    return np.concatenate([before.astype(np.int64), first + after.astype(np.int64)])


class _Pairs(NamedTuple):
    """Rows that say something of one entry: an old one, and the new one that corrects it."""

    old: NDArray[np.int64]
    new: NDArray[np.int64]


def _pairs(rows: Rows, concerned: NDArray[np.int64], n_old: int) -> _Pairs:
    """Return which new rows are entries that there are already.

    They have the opportunity, the time and the state of an old one; of several, the first is that
    of the first, the second that of the second, and so on.
    """
    ids, time, state = rows.ids[concerned], rows.time[concerned], rows.state[concerned]
    by_entry = np.lexsort((state, time, ids))  # stable, so that old ones come first
    ids, time, state = ids[by_entry], time[by_entry], state[by_entry]
    first = np.ones(len(ids), bool)
    first[1:] = (ids[1:] != ids[:-1]) | (time[1:] != time[:-1]) | (state[1:] != state[:-1])
    starts = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    row = concerned[by_entry]
    n_before = np.bincount(group, weights=row < n_old, minlength=len(starts)).astype(np.int64)
    # The j-th new row of a group stands so many places after the j-th old one.
    place = np.arange(len(row))
    partner = place - n_before[group] if len(starts) else place
    paired = (row >= n_old) & (partner - starts[group] < n_before[group]) if len(starts) else first
    return _Pairs(row[partner[paired]], row[paired])


def _corrected(rows: Rows, new: Rows, pairs: _Pairs) -> Rows:
    """Return rows of which the old ones say what the new ones do, where these say anything."""

    def corrected(column: NDArray[Any]) -> NDArray[Any]:
        column = column.copy()
        column[pairs.old] = column[pairs.new]
        return column

    def coded(given: Coded) -> Coded:
        return corrected(given[0]), given[1]

    changes: dict[str, Any] = {
        "given_labels": {
            name: coded(given) if name in new.given_labels else given
            for name, given in rows.labels.items()
        }
    }
    if new.reasons is not None and rows.reasons is not None:
        changes["reasons"] = coded(rows.reasons)
    if new.amounts is not None and rows.amounts is not None:
        changes["amounts"] = corrected(rows.amounts)
    return rows._replace(**changes)


def _without(rows: Rows, left_out: NDArray[np.bool_]) -> Rows:
    kept = np.flatnonzero(~left_out)

    def pick(column: Any) -> Any:
        return None if column is None else column[kept]

    def coded(given: Coded | None) -> Coded | None:
        return None if given is None else (given[0][kept], given[1])

    return rows._replace(
        ids=pick(rows.ids),
        state=pick(rows.state),
        time=pick(rows.time),
        amounts=pick(rows.amounts),
        order=pick(rows.order),
        reasons=coded(rows.reasons),
        given_labels={name: (codes[kept], names) for name, (codes, names) in rows.labels.items()},
    )
