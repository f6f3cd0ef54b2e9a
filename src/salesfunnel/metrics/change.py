"""Change: each period beside the one before, or beside the same one a year earlier."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, money_note
from salesfunnel.metrics.intervals import newcombe
from salesfunnel.metrics.periodic import By, axis_of, split_by
from salesfunnel.metrics.rates import rate_columns, ratio
from salesfunnel.metrics.trend import series_of
from salesfunnel.periods import Period
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed

AGAINST = ("previous", "year")
_PER_YEAR = {"day": 364, "week": 52, "month": 12, "quarter": 4, "year": 1}
"""How many periods back the same one of the year before is: for days one of the same weekday."""
_COUNTS = ("created", "won", "lost")


def change_by_period(
    log: StageLog,
    against: str = "previous",
    *,
    period: str | Period | None = None,
    by: By = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return how each period differs from the one before, or from that of the year before.

    Parameters
    ----------
    log : StageLog
    against : {"previous", "year"}
        Beside what a period stands: the period before, or the same one a year earlier. For weeks
        that is 52 weeks earlier, for days 364 days: the same day of the week.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        By default months.
    by : str, Period, or sequence of them, optional
        Attributes to group by: the labels last known at `as_of`; and the period.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods are cut in; by default the log's.

    Returns
    -------
    Table
        A row for each period (of each group): the group's labels, ``period``, ``complete``; for
        each of ``created``, ``won``, ``lost`` and ``won_amount`` the value, ``<name>_before`` and
        ``<name>_change`` (the difference as a share of what was before; NaN in a period that is not
        over); ``win_rate`` and ``win_rate_before``, each with numerator, denominator and Wilson
        interval (0.95); ``win_rate_difference`` with ``_low`` and ``_high`` (Newcombe, 0.95); and
        ``direction``: ``"up"`` or ``"down"`` where that interval leaves out 0, else None. What was
        before the first period is NaN.

    Raises
    ------
    UnknownAttributeError, DefinitionError, SizeError
        If an argument is not of this form, or there would be too many rows.
    """
    if against not in AGAINST:
        raise DefinitionError(
            "against= is one of {known}, not {against!r}", known=Listed(AGAINST), against=against
        )
    view = log.view(as_of, where)
    attributes, unit = split_by(view, by, period)
    groups = groups_of(view, attributes)
    axis = axis_of(view, unit, tz, groups.n)
    series = series_of(view, axis, groups)
    back = 1 if against == "previous" else _PER_YEAR[unit.unit]
    complete = np.tile(axis.complete, groups.n)

    columns = [axis.column(groups.n), Column("complete", complete)]
    for name in (*_COUNTS, "won_amount"):
        values = getattr(series, name)
        kind = "money" if name == "won_amount" else "integer"
        now, before = values.reshape(-1), _before(values, back).reshape(-1)
        change = ratio(now - before, np.where(complete, before, np.nan))
        columns += [
            Column(name, now, kind),
            Column(f"{name}_before", before, kind),
            Column(f"{name}_change", change, "rate"),
        ]
    closed = series.won + series.lost
    rate = (series.won.reshape(-1), closed.reshape(-1))
    won_before, closed_before = (
        np.nan_to_num(_before(part, back)).astype(np.int64).reshape(-1)
        for part in (series.won, closed)
    )
    base = (won_before, closed_before)
    low, high = newcombe(*rate, *base)
    direction = np.full(len(low), None, object)
    direction[low > 0] = "up"
    direction[high < 0] = "down"
    columns += rate_columns("win_rate", *rate)
    columns += rate_columns("win_rate_before", *base)
    columns += [
        Column("win_rate_difference", ratio(*rate) - ratio(*base), "rate"),
        Column("win_rate_difference_low", low, "rate"),
        Column("win_rate_difference_high", high, "rate"),
        Column("direction", direction, labels=_shown),
    ]
    hidden = {"complete", *(f"{name}_before" for name in (*_COUNTS, "won_amount", "win_rate"))}
    if log.amounts is None:
        hidden |= {"won_amount", "won_amount_change"}
    return Table(
        beside(groups.columns(np.repeat(np.arange(groups.n), axis.n)), columns),
        title=Phrase(f"title.change_{against}"),
        notes=[
            *as_of_note(view),
            *money_note(view),
            Phrase("note.trend"),
            *axis.notes(),
            Phrase("note.win_rate"),
            Phrase("note.difference", {"level": "95%"}),
        ],
        hidden=hidden,
    )


def _before(values: NDArray[np.integer] | NDArray[np.floating], back: int) -> NDArray[np.float64]:
    """Return the values of some periods earlier, (G, n); NaN before the first."""
    before = np.full(values.shape, np.nan)
    before[:, back:] = values[:, : max(values.shape[1] - back, 0)]
    return before


def _shown(direction: str, lang: str) -> str:
    return catalogue(lang).text(f"value.{direction}")
