"""What changed: the last period that is over beside the one before it."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import as_of_note, groups_of
from salesfunnel.metrics.intervals import newcombe, wilson
from salesfunnel.metrics.periodic import PeriodAxis, axis_of
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.metrics.trend import Series, series_of
from salesfunnel.periods import Period
from salesfunnel.review.finding import ENOUGH, LEVEL, Finding, about, points
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.numbers import format_percent

UNITS = ("quarter", "month", "week")
_LEVEL = 1 - (1 - LEVEL) / 2
"""Two things are compared: the win rate, and how many opportunities come."""


class Pair(NamedTuple):
    """Two consecutive periods that are over, the earlier one first.

    Attributes
    ----------
    created, won, lost : (2,) int64
    days : (2,) float64
        How long the periods are.
    labels : (2,) array of str
    """

    created: NDArray[np.int64]
    won: NDArray[np.int64]
    lost: NDArray[np.int64]
    days: NDArray[np.float64]
    labels: NDArray[np.object_]


def changed(view: View) -> list[Finding]:
    """Return what differs between the last two periods that are over; empty where nothing does.

    They are quarters, or months or weeks where there are not three quarters or months; the first
    period of a log, which may have started within it, is not compared.
    """
    pair = _last_two(view)
    if pair is None:
        return []
    found = [_win_rate(view, pair), _created(view, pair)]
    return [finding for finding in found if finding is not None]


def _last_two(view: View) -> Pair | None:
    for unit in UNITS:
        axis = axis_of(view, Period(unit), None)
        over = int(np.count_nonzero(axis.complete)) if axis.n else 0
        if over >= 3:
            return _pair(axis, series_of(view, axis, groups_of(view, None)), over)
    return None


def _pair(axis: PeriodAxis, series: Series, over: int) -> Pair:
    two = slice(over - 2, over)
    days = np.diff(axis.ends[over - 3 : over]) / 86_400e6
    created, won, lost = (counts[0, two] for counts in (series.created, series.won, series.lost))
    return Pair(created, won, lost, days, axis.column().values[two])


def _win_rate(view: View, pair: Pair) -> Finding | None:
    closed = pair.won + pair.lost
    if closed.min() < 2 * ENOUGH:
        return None
    (before, now), (base, n) = pair.won.tolist(), closed.tolist()
    low, high = (float(bound) for bound in newcombe(now, n, before, base, _LEVEL))
    if low <= 0 <= high:
        return None
    way = "rose" if low > 0 else "fell"
    extra = abs(now - n * before / base)
    return Finding(
        kind="change",
        claim=Phrase(
            f"finding.win_rate_{way}",
            {
                "before": partial(format_percent, before / base),
                "now": partial(format_percent, now / n),
                "period": pair.labels[1],
                "earlier": pair.labels[0],
            },
        ),
        evidence=Phrase(
            "finding.win_rate_evidence",
            {
                "won": now,
                "closed": n,
                "before_won": before,
                "before_closed": base,
                "sales": about(extra),
            },
        ),
        uncertainty=Phrase("finding.win_rate_uncertainty", points(low, high)),
        at_stake=extra,
        table=_table(view, pair),
    )


def _created(view: View, pair: Pair) -> Finding | None:
    """Return whether more or fewer opportunities came a day.

    Given their sum, the later of two Poisson counts is binomial (J. Przyborowski and H. Wilenski
    1940, Biometrika 31, 313–323), so that the bounds of that share are those of their ratio.
    """
    before, now = pair.created.tolist()
    if min(before, now) < 2 * ENOUGH:
        return None
    share = np.array([*wilson(now, now + before, _LEVEL), now / (now + before)])
    low, high, ratio = (share / (1 - share) * pair.days[0] / pair.days[1] - 1).tolist()
    if low <= 0 <= high:
        return None
    way = "rose" if low > 0 else "fell"
    least, most = sorted((abs(low), abs(high)))
    closed = int((pair.won + pair.lost).sum())
    extra = abs(now - before * pair.days[1] / pair.days[0])
    return Finding(
        kind="change",
        claim=Phrase(
            f"finding.created_{way}",
            {"change": partial(format_percent, abs(ratio)), "period": pair.labels[1]},
        ),
        evidence=Phrase(
            "finding.created_evidence",
            {"count": now, "before": before, "earlier": pair.labels[0]},
        ),
        uncertainty=Phrase(
            "finding.created_uncertainty",
            {"low": partial(format_percent, least), "high": partial(format_percent, most)},
        ),
        at_stake=float(extra * pair.won.sum() / closed) if closed else 0.0,
        table=_table(view, pair),
    )


def _table(view: View, pair: Pair) -> Table:
    return Table(
        [
            Column("period", pair.labels),
            Column("created", pair.created),
            Column("won", pair.won),
            Column("lost", pair.lost),
            *rate_columns("win_rate", pair.won, pair.won + pair.lost),
        ],
        title=Phrase("title.finding_change"),
        notes=[*as_of_note(view), Phrase("note.trend"), Phrase("note.win_rate")],
    )
