"""Where deals were lost from: where they stood, beside how far they had come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from salesfunnel.kernel.codes import NULL, combine
from salesfunnel.kernel.standing import NOWHERE
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, money_note, sums
from salesfunnel.metrics.lossreasons import losses
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.table import Column, Phrase, Table


def lost_from(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return from which stages opportunities were lost, and how far they had come before.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each pair of stages that occurs (in each group): the group's labels, ``furthest``
        (the highest stage ever entered), ``stood`` (the stage left for LOST; None if the loss is
        all that is known), the share of all losses of the group as ``value``, ``numerator``,
        ``denominator``, ``low`` and ``high`` (Wilson, 0.95), and ``amount``, the sum of the known
        amounts lost. Where the two stages differ, the opportunity had stepped back.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups, lost = groups_of(view, by), losses(view)
    before = view.standing.before[lost.member].astype(np.int64)
    stood = np.where(before == NOWHERE, NULL, before)
    cell, cells = combine([groups.codes[lost.member], lost.stage, stood])
    group = cells[:, 0]
    total = np.bincount(groups.codes[lost.member], minlength=groups.n)
    keys, names = np.array([*log.funnel.states, None], object), state_namer(log.funnel)
    columns = [
        Column("furthest", keys[cells[:, 1]], labels=names, title="furthest_stage"),
        Column("stood", keys[cells[:, 2]], labels=names, title="lost_from"),
        *rate_columns(
            "value",
            np.bincount(cell, minlength=len(cells)),
            total[group],
            titles=("share", "lost", "total_lost"),
        ),
        Column("amount", sums(lost.amount, cell, len(cells)), "money", title="lost_amount"),
    ]
    notes = [*as_of_note(view), *money_note(view), Phrase("note.lost_from")]
    if by is not None:
        notes.append(Phrase("note.loss_by_group"))
    return Table(
        beside(groups.columns(group), columns),
        title=Phrase("title.lost_from"),
        notes=[*notes, Phrase("note.interval", {"level": "95%"})],
        hidden=() if log.amounts is not None else ("amount",),
    )
