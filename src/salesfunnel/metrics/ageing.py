"""Ageing: how old open opportunities are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.standing import OPEN
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.clock import Clock
from salesfunnel.metrics.followed import Age, age_text, to_ages
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, money_note, sums
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.model.validation import duration_text
from salesfunnel.periods import BusinessCalendar
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed

SINCE = ("stage", "creation")


def ageing(
    log: StageLog,
    *,
    bands: Iterable[Age] = ("7d", "14d", "30d", "60d", "90d"),
    since: str = "stage",
    by: str | Sequence[str] | None = None,
    calendar: BusinessCalendar | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return how many open opportunities stand in each stage for how long.

    Parameters
    ----------
    log : StageLog
    bands : iterable of timedelta or str
        Where one band of ages ends and the next begins; an age of exactly so much is in the next.
    since : {"stage", "creation"}
        Whether the age is that of the present visit to the stage, or that of the opportunity, from
        its first entry.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    calendar : BusinessCalendar, optional
        Working time counts only, and a day, of an age as of a band, is a mean working day of the
        calendar's week.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive, up to which ages count; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each stage before the sale and each band (of each group): the group's labels,
        ``stage``, ``band`` (``"<7d"``, ``"7d-14d"``, ``">=90d"``), ``from_days`` and ``to_days``
        (infinite in the last), the share of those open in the stage as ``value``, ``numerator``,
        ``denominator``, ``low`` and ``high`` (Wilson, 0.95), and ``amount``, the sum of their known
        amounts.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    if since not in SINCE:
        raise DefinitionError(
            "since= is one of {known}, not {since!r}", known=Listed(SINCE), since=since
        )
    edges = to_ages(bands, "bands")
    view = log.view(as_of, where)
    groups, clock = groups_of(view, by), Clock(view, calendar)
    n_stages, n_bands = log.funnel.n_presale, len(edges) + 1
    standing = np.flatnonzero(view.standing.status == OPEN)
    begin = view.runs.ends if since == "stage" else view.runs.starts
    entered = view.runs.time[begin[standing]]
    age = clock.between(entered, np.full_like(entered, view.as_of or 0))
    band = np.searchsorted([clock.length(edge) for edge in edges], age, "right")
    place = groups.codes[standing] * n_stages + view.standing.last[standing]
    size = groups.n * n_stages * n_bands
    counts = np.bincount(place * n_bands + band, minlength=size)
    amounts = sums(view.amount[standing], place * n_bands + band, size)

    row = np.arange(size)
    shown = [duration_text(edge) for edge in edges]
    names = [f"<{shown[0]}", *map("-".join, pairwise(shown)), f">={shown[-1]}"]
    days = np.array([edge / timedelta(days=1) for edge in edges])
    stages = np.array(log.funnel.states[:n_stages], object)
    columns = [
        Column("stage", stages[row // n_bands % n_stages], labels=state_namer(log.funnel)),
        Column("band", np.array(names, object)[row % n_bands], labels=_band_namer(names, edges)),
        Column("from_days", np.append(0, days)[row % n_bands]),
        Column("to_days", np.append(days, np.inf)[row % n_bands]),
        *rate_columns(
            "value",
            counts,
            np.repeat(counts.reshape(-1, n_bands).sum(axis=1), n_bands),
            titles=("share", "open", "open_in_stage"),
        ),
        Column("amount", amounts, "money", title="open_amount"),
    ]
    hidden = {"from_days", "to_days", "denominator"}
    if log.amounts is None:
        hidden.add("amount")
    return Table(
        beside(groups.columns(row // (n_stages * n_bands)), columns),
        title=Phrase("title.ageing"),
        notes=[
            *as_of_note(view),
            *money_note(view),
            Phrase(f"note.age_since_{since}"),
            Phrase("note.ageing"),
            *clock.notes(),
            Phrase("note.interval", {"level": "95%"}),
        ],
        hidden=hidden,
    )


def _band_namer(names: Sequence[str], edges: Sequence[timedelta]) -> Callable[[str, str], str]:
    """Return a function that names a band in a language."""
    ends = dict(zip(names, zip([None, *edges], [*edges, None], strict=True), strict=True))

    def shown(name: str, lang: str) -> str:
        text, (low, high) = catalogue(lang).text, ends[name]
        if low is None or high is None:
            edge = age_text(low or high or timedelta(0), lang)
            return text("value.band_first" if low is None else "value.band_last", age=edge)
        return text("value.band", low=age_text(low, lang), high=age_text(high, lang))

    return shown
