"""Summary: the headline figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from salesfunnel.kernel.standing import CHURNED, LOST, OPEN, WON
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.cycle import cycle_days
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, money_note, quantiles, sums
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue


def summary(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the headline figures: how many opportunities, how they stand, what they are worth.

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
        A row for each group (one without): its labels, ``opportunities``, ``open``, ``won``,
        ``lost``, ``churned``, ``win_rate`` with its numerator, denominator and Wilson interval
        (0.95), ``median_days`` of the sales cycle, ``won_amount`` (churned deals too, as they were
        won) and ``open_amount``: sums of the known amounts.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    status = view.standing.status
    groups = groups_of(view, by)
    codes, n_groups = groups.codes, groups.n
    standing = np.bincount(codes * 4 + status, minlength=n_groups * 4).reshape(n_groups, 4)
    amounts = sums(view.amount, codes * 4 + status, n_groups * 4).reshape(n_groups, 4)
    sold, days = cycle_days(view)
    median = quantiles(days, codes[sold], n_groups, 0.5)[:, 0]
    won = standing[:, WON] + standing[:, CHURNED]
    columns = [
        Column("opportunities", standing.sum(axis=1)),
        Column("open", standing[:, OPEN]),
        Column("won", standing[:, WON]),
        Column("lost", standing[:, LOST]),
        Column("churned", standing[:, CHURNED]),
        *rate_columns(
            "win_rate",
            won,
            won + standing[:, LOST],
            titles=("win_rate", "won_or_churned", "won_or_lost"),
        ),
        Column("median_days", median, title="sales_cycle_days"),
        Column("won_amount", amounts[:, WON] + amounts[:, CHURNED], "money"),
        Column("open_amount", amounts[:, OPEN], "money"),
    ]
    hidden = set() if log.amounts is not None else {"won_amount", "open_amount"}
    if not standing[:, CHURNED].any():
        hidden.add("churned")
    if by is None:
        title = Phrase("title.summary")
    else:
        title = Phrase("title.summary_by", {"by": partial(_headers, groups.by)})
    return Table(
        beside(groups.columns(), columns),
        title=title,
        notes=[*as_of_note(view), *money_note(view), Phrase("note.win_rate")],
        hidden=hidden,
    )


def _headers(names: Sequence[str], lang: str) -> str:
    return " × ".join(catalogue(lang).header(name) for name in names)
