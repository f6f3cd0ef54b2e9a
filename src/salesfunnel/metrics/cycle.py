"""Sales cycle: how long it takes from the start to the win."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import as_of_note, beside, label_columns, quantiles, sums
from salesfunnel.metrics.rates import ratio
from salesfunnel.table import Column, Phrase, Table

MICROSECONDS_PER_DAY = 86_400_000_000
_QUANTILES = {"p25_days": 0.25, "median_days": 0.5, "p75_days": 0.75, "p90_days": 0.9}


def sales_cycle(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    start: str | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return how long won and churned deals took from the start to the sale, in days.

    The sale is the first WON or post-sale entry after the last pre-sale stage.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    start : str, optional
        A pre-sale stage: the cycle starts at the first entry into or beyond it. By default it
        starts at the first entry of all.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group (one without): its labels, ``deals``, ``mean_days``, ``p25_days``,
        ``median_days``, ``p75_days`` and ``p90_days``; NaN without deals. Quantiles are linear
        between the two nearest values.

    Raises
    ------
    UnknownStateError, UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    sold, days = cycle_days(view, start)
    grouping = None if by is None else view.grouping(by)
    n_groups = 1 if grouping is None else len(grouping.groups)
    codes = np.zeros(len(sold), np.int64) if grouping is None else grouping.codes[sold]
    deals = np.bincount(codes, minlength=n_groups)
    mean = ratio(sums(days, codes, n_groups), deals)
    levels = quantiles(days, codes, n_groups, list(_QUANTILES.values()))

    columns = [
        Column("deals", deals),
        Column("mean_days", mean),
        *(Column(name, levels[:, i]) for i, name in enumerate(_QUANTILES)),
    ]
    if start is None:
        begin = Phrase("note.cycle_start_first")
    else:
        names = state_namer(log.funnel)
        begin = Phrase("note.cycle_start", {"stage": partial(names, start)})
    return Table(
        beside(label_columns(by, grouping), columns),
        title=Phrase("title.sales_cycle"),
        notes=[*as_of_note(view), begin],
    )


def cycle_days(
    view: View, start: str | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which opportunities were sold, as indices, and the days that each took, (n,) both."""
    runs, sale = view.runs, view.standing.sale
    sold = np.flatnonzero(sale >= 0)
    if start is None:
        begin = runs.starts[sold]
    else:
        code = view.funnel.index(start)
        if code >= view.funnel.n_presale:
            raise DefinitionError(
                f"start= is a stage before the sale, where a cycle can start, not {start!r}"
            )
        # Every sold opportunity has such an entry: the sale itself is beyond every pre-sale stage.
        counts = (runs.state >= code) & (runs.state <= view.funnel.won)
        index = np.where(counts, np.arange(len(runs.state)), len(runs.state))
        firsts = np.minimum.reduceat(index, runs.starts) if len(runs.starts) else index
        begin = firsts[sold]
    micro = runs.time[sale[sold]] - runs.time[begin]
    return sold, micro / MICROSECONDS_PER_DAY
