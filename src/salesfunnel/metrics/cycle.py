"""Sales cycle: how long it takes from the start to the win, or to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.standing import LOST
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.clock import MICROSECONDS_PER_DAY, Clock
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, quantiles, sums
from salesfunnel.metrics.rates import ratio
from salesfunnel.metrics.survival import aalen_johansen
from salesfunnel.periods import BusinessCalendar
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Listed

QUANTILES = {"p25_days": 0.25, "median_days": 0.5, "p75_days": 0.75, "p90_days": 0.9}
OUTCOMES = {"won": "deals", "lost": "lost", "closed": "won_or_lost"}
"""What a cycle may end with, and the title of the column that counts them."""
IS_OPEN, IS_WON, IS_LOST = range(3)


def sales_cycle(
    log: StageLog,
    *,
    of: str = "won",
    by: str | Sequence[str] | None = None,
    start: str | None = None,
    calendar: BusinessCalendar | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return how long deals took from the start to the sale, or to the loss, in days.

    The sale is the first WON or post-sale entry after the last pre-sale stage, of won and churned
    deals; the loss is the last LOST entry, of lost ones.

    Parameters
    ----------
    log : StageLog
    of : {"won", "lost", "closed"}
        Which deals: to the sale, to the loss, or to the one or the other.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    start : str, optional
        A pre-sale stage: the cycle starts at the first entry into or beyond it. By default it
        starts at the first entry of all.
    calendar : BusinessCalendar, optional
        Working time counts only, and a day is a mean working day of the calendar's week.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group (one without): its labels, ``deals``, ``mean_days``, ``p25_days``,
        ``median_days``, ``p75_days`` and ``p90_days`` of these; NaN without deals. Quantiles are
        linear between the two nearest values. Then of all ``opportunities`` that started,
        ``aj_p25_days``, ``aj_median_days``, ``aj_p75_days`` and ``aj_p90_days``: the first times by
        which such a share of them has ended so (Aalen–Johansen), where open ones may yet do so and
        those that ended otherwise will not; NaN where so many have not.

    Raises
    ------
    UnknownStateError, UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    if of not in OUTCOMES:
        raise DefinitionError("of= is one of {known}, not {of!r}", known=Listed(OUTCOMES), of=of)
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    clock = Clock(view, calendar)
    started = cycles(view, start, clock)
    asked = {"won": IS_WON, "lost": IS_LOST}
    has_ended = started.ending == asked[of] if of in asked else started.ending != IS_OPEN
    group = groups.codes[started.member]
    days, codes = started.duration[has_ended] / clock.day, group[has_ended]
    deals = np.bincount(codes, minlength=groups.n)
    shares = list(QUANTILES.values())
    exact = quantiles(days, codes, groups.n, shares)
    # 1 for what is asked for, 2 for what forestalls it.
    event = np.where(has_ended, 1, np.where(started.ending == IS_OPEN, 0, 2))
    curve = aalen_johansen(started.duration, event, group=group, n_groups=groups.n)
    of_all = curve.quantile(shares) / clock.day

    columns = [
        Column("deals", deals, title=OUTCOMES[of]),
        Column("mean_days", ratio(sums(days, codes, groups.n), deals)),
        *(Column(name, exact[:, i]) for i, name in enumerate(QUANTILES)),
        Column("opportunities", np.bincount(group, minlength=groups.n)),
        *(Column(f"aj_{name}", of_all[:, i]) for i, name in enumerate(QUANTILES)),
    ]
    key = "note.cycle_start" if of == "won" else f"note.cycle_{of}"
    if start is None:
        begin = Phrase(f"{key}_first")
    else:
        begin = Phrase(key, {"stage": partial(state_namer(log.funnel), start)})
    notes = [*as_of_note(view), begin, *clock.notes()]
    hidden = {"opportunities", "aj_p25_days", "aj_p75_days", "aj_p90_days"}
    if np.isnan(of_all).all():
        hidden.add("aj_median_days")
    else:
        notes.append(Phrase("note.cycle_of_all"))
    return Table(
        beside(groups.columns(), columns),
        title=Phrase("title.sales_cycle" if of == "won" else f"title.sales_cycle_{of}"),
        notes=notes,
        hidden=hidden,
    )


class Cycles(NamedTuple):
    """How long opportunities took from a start that they all have, n of them.

    Attributes
    ----------
    member : (n,) int64
        Index of each among the m of the view.
    duration : (n,) int64
        Microseconds to the sale, to the loss, or to the instant of knowledge.
    ending : (n,) uint8
        `IS_OPEN`, `IS_WON` or `IS_LOST`.
    """

    member: NDArray[np.int64]
    duration: NDArray[np.int64]
    ending: NDArray[np.uint8]


def cycles(view: View, start: str | None = None, clock: Clock | None = None) -> Cycles:
    """Return the sales cycles of a view, those that go on among them.

    Parameters
    ----------
    view : View
    start : str, optional
        A pre-sale stage; without an entry into or beyond it an opportunity has no cycle. By default
        the first entry of all, which all have.
    clock : Clock, optional
        What counts as time; by default all of it.

    Raises
    ------
    UnknownStateError, DefinitionError
        If `start` is no stage before the sale.
    """
    runs, where = view.runs, view.standing
    begin = runs.starts if start is None else _first_from(view, start)
    member = np.flatnonzero(begin < len(runs.state))
    sale = where.sale[member]
    is_lost = where.status[member] == LOST
    closed = np.where(sale >= 0, sale, runs.ends[member])
    now = 0 if view.as_of is None else view.as_of
    end = np.where((sale >= 0) | is_lost, runs.time[closed], now)
    ending = np.where(sale >= 0, IS_WON, np.where(is_lost, IS_LOST, IS_OPEN))
    duration = (clock or Clock(view)).between(runs.time[begin[member]], end)
    return Cycles(member, duration, ending.astype(np.uint8))


def cycle_days(
    view: View, start: str | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which opportunities were sold, as indices, and the days that each took, (n,) both."""
    found = cycles(view, start)
    won = found.ending == IS_WON
    return found.member[won], found.duration[won] / MICROSECONDS_PER_DAY


def _first_from(view: View, start: str) -> NDArray[np.int64]:
    """Return the first run of each opportunity in or beyond a stage, (m,); R where none is."""
    code, runs = view.funnel.index(start), view.runs
    if code >= view.funnel.n_presale:
        raise DefinitionError(
            "start= is a stage before the sale, where a cycle can start, not {start!r}", start=start
        )
    counts = (runs.state >= code) & (runs.state <= view.funnel.won)
    index = np.where(counts, np.arange(len(runs.state)), len(runs.state))
    return np.asarray(np.minimum.reduceat(index, runs.starts)) if len(runs.starts) else index
