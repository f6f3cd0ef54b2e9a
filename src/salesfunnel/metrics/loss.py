"""Loss: how many were lost where, and why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from salesfunnel.kernel.codes import NULL, combine
from salesfunnel.kernel.standing import LOST
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import reason_namer, state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, sums
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.table import Column, Phrase, Table


def loss_table(
    log: StageLog,
    *,
    by_stage: bool = False,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return why opportunities were lost: the reasons, the most frequent first.

    Parameters
    ----------
    log : StageLog
    by_stage : bool
        Whether the reasons are told apart by the stage where the opportunity was lost: its
        furthest.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each reason that occurs (of each group and stage): the group's labels, ``stage``
        if asked for, ``reason`` (None: no reason was given), the share of all losses of that group
        and stage as ``value``, ``numerator``, ``denominator``, ``low`` and ``high`` (Wilson, 0.95),
        and ``amount``, the sum of the known amounts lost.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    lost = np.flatnonzero(view.standing.status == LOST)
    groups = groups_of(view, by)
    group = groups.codes[lost]
    stage = view.standing.furthest[lost].astype(np.int64) if by_stage else np.zeros_like(group)
    reason = view.loss_reason[lost].astype(np.int64)

    cell, cells = combine([group, stage, reason])
    place, _ = combine([group, stage])
    numerator = np.bincount(cell, minlength=len(cells))
    place_of_cell = np.zeros(len(cells), np.int64)
    place_of_cell[cell] = place
    denominator = np.bincount(place)[place_of_cell] if len(place) else numerator
    amount = sums(view.amount[lost], cell, len(cells))
    # Within its group and stage the most frequent reason first; a missing one is last among equals.
    last = np.where(cells[:, 2] == NULL, np.iinfo(np.int64).max, cells[:, 2])
    rows = np.lexsort((last, -numerator, cells[:, 1], cells[:, 0]))
    cells, numerator, denominator = cells[rows], numerator[rows], denominator[rows]

    names = np.array([*(log.reasons.names if log.reasons is not None else ()), None], object)
    columns: list[Column] = []
    if by_stage:
        keys = np.array(log.funnel.states, object)[cells[:, 1]]
        columns.append(Column("stage", keys, labels=state_namer(log.funnel)))
    columns.append(Column("reason", names[cells[:, 2]], labels=reason_namer(log.funnel)))
    columns += rate_columns("value", numerator, denominator, titles=("share", "lost", "total_lost"))
    columns.append(Column("amount", amount[rows], "money", title="lost_amount"))
    notes = as_of_note(view)
    if by_stage:
        notes.append(Phrase("note.loss_by_stage"))
    if by is not None:
        notes.append(Phrase("note.loss_by_group"))
    if (cells[:, 2] == NULL).any():
        notes.append(Phrase("note.loss_without_reason"))
    return Table(
        beside(groups.columns(cells[:, 0]), columns),
        title=Phrase("title.loss_by_stage" if by_stage else "title.loss_table"),
        notes=[*notes, Phrase("note.interval", {"level": "95%"})],
        hidden=() if log.amounts is not None else ("amount",),
    )
