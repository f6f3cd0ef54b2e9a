"""Flow: from which state to which, how often, how long it took."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from salesfunnel.log.flows import stage_flow
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.grouped import as_of_note, beside, group_columns, money_note
from salesfunnel.metrics.rates import ratio
from salesfunnel.table import Column, Phrase, Table


def flow_table(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the transitions that occur, from state to state.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at each transition.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each pair of states (of each group) that occurs: the group's labels, ``from``,
        ``to``, ``transitions``, ``seconds`` (the sum), ``mean_seconds``, and ``amount`` (the sum of
        the amounts known at the transitions).

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    flow = stage_flow(view, by)
    shape = (-1, len(flow.states), len(flow.states))
    counts = flow.counts.reshape(shape)
    place = np.nonzero(counts)
    group, source, target = place
    states, names = np.array(flow.states, object), state_namer(log.funnel)
    seconds = flow.seconds.reshape(shape)[place]
    notes = [*as_of_note(view), *money_note(view)]
    if by is not None:
        notes.append(Phrase("note.flow_groups"))
    labels = group_columns(flow.by, flow.groups or (), group)
    columns = [
        Column("from", states[source], labels=names),
        Column("to", states[target], labels=names),
        Column("transitions", counts[place]),
        Column("seconds", seconds, "seconds"),
        Column("mean_seconds", ratio(seconds, counts[place]), "seconds"),
        Column("amount", flow.amount.reshape(shape)[place], "money"),
    ]
    return Table(
        beside(labels, columns),
        title=Phrase("title.flow"),
        notes=notes,
        hidden={"seconds"} if log.amounts is not None else {"seconds", "amount"},
    )
