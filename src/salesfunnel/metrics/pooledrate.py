"""Ranking groups fairly: their rates, each drawn towards that of all by how little is known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagecounts import stage_counts
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.conversion import win_rate
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of
from salesfunnel.metrics.pooling import pool_rates
from salesfunnel.metrics.rates import ratio
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.numbers import format_decimal, format_percent


def pooled_rate(
    log: StageLog,
    by: str | Sequence[str],
    *,
    stage: str | None = None,
    method: str = "likelihood",
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return groups in the order of their win rates, or conversion rates, partially pooled.

    Of many small groups the first and the last by their plain rates are mostly the lucky and the
    unlucky ones. Here each rate is drawn towards that of all groups by how little is known of it:
    see `pool_rates`.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str
        Attributes to group by: the labels last known at `as_of`.
    stage : str, optional
        Rank by the conversion rate of this stage, advanced / entered, counted as reached; by
        default by the win rate.
    method : {"likelihood", "moments"}
        How the spread of the rates is found.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group, the highest rate first: its labels, ``rank`` (equal rates share one),
        the pooled rate as ``value``, ``numerator`` and ``denominator``, the counts of the group,
        ``low`` and ``high`` (of the posterior distribution, 0.95), and ``raw_rate``, numerator /
        denominator. Groups with an empty denominator come last; their rates are NaN, their rank 0.

    Raises
    ------
    UnknownStateError, UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    if stage is None:
        plain = win_rate(log, by=by, as_of=as_of, where=where)
        numerator, denominator = plain["numerator"], plain["denominator"]
        titles, note = ("won", "won_or_lost"), Phrase("note.win_rate")
        title = Phrase("title.pooled_win_rate")
    else:
        code = log.funnel.index(stage)
        if code >= len(log.funnel):
            raise DefinitionError("stage= is a stage of the funnel, not {stage!r}", stage=stage)
        counts = stage_counts(view, "reached", by)
        numerator, denominator = counts.advanced[:, code], counts.entered[:, code]
        titles, note = ("advanced", "entered"), Phrase("note.conversion_rate")
        title = Phrase(
            "title.pooled_conversion", {"stage": partial(state_namer(log.funnel), stage)}
        )
    pooled = pool_rates(numerator, denominator, method=method)
    known = denominator > 0
    order = np.lexsort((-np.nan_to_num(pooled.rate), ~known))
    value = pooled.rate[order]
    # As many as are better, and one.
    rank = np.searchsorted(-value[known[order]], -value, side="left") + 1
    columns = [
        Column("rank", np.where(known[order], rank, 0), blank=~known[order]),
        Column("value", value, "rate", title="pooled_rate"),
        Column("numerator", numerator[order], title=titles[0]),
        Column("denominator", denominator[order], title=titles[1]),
        Column("low", pooled.low[order], "rate"),
        Column("high", pooled.high[order], "rate"),
        Column("raw_rate", ratio(numerator, denominator)[order], "rate"),
    ]
    notes = [*as_of_note(view), note]
    if known.any():
        weight = pooled.successes + pooled.failures
        mean = pooled.successes / weight
        shared = {
            "rate": partial(format_percent, mean),
            "count": partial(format_decimal, weight, digits=1),
        }
        notes.append(Phrase("note.pooled_rate", shared))
    return Table(
        beside(groups.columns(order), columns),
        title=title,
        notes=[*notes, Phrase("note.interval_of_posterior", {"level": "95%"})],
    )
