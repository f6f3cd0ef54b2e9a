"""Mix: how much of a change in the win rate comes from another mix of groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of
from salesfunnel.metrics.periodic import closings, spans_of
from salesfunnel.metrics.rates import rate_columns, ratio
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.numbers import format_percent


class RateChange(NamedTuple):
    """The parts of a change of an overall rate; both of shape (..., G), and they add up to it.

    Attributes
    ----------
    mix : float64
        What comes from the groups' shares of all trials.
    within : float64
        What comes from the groups' own rates.
    """

    mix: NDArray[np.float64]
    within: NDArray[np.float64]


def decompose_rate(
    successes_before: ArrayLike,
    trials_before: ArrayLike,
    successes_after: ArrayLike,
    trials_after: ArrayLike,
) -> RateChange:
    """Return what of a change of an overall rate comes from each group, by its share and its rate.

    Parameters
    ----------
    successes_before, trials_before, successes_after, trials_after : (..., G) array-like of numbers
        Of each group, with 0 ≤ successes ≤ trials, of shapes that broadcast.

    Returns
    -------
    RateChange
        NaN where there are no trials at all before, or none after.

    Raises
    ------
    DefinitionError
        If successes are negative or more than trials.

    Notes
    -----
    With a group's share of the trials w and its rate r, and the overall rate R, before (1) and
    after (2): within = (r₂ - r₁)(w₁ + w₂)/2 and mix = (w₂ - w₁)((r₁ + r₂)/2 - (R₁ + R₂)/2). Summed
    over the groups they are R₂ - R₁, with nothing left over: E. M. Kitagawa (1955), "Components of
    a difference between two rates", Journal of the American Statistical Association 50,
    1168–1194; P. Das Gupta (1993), Standardization and Decomposition of Rates, chapter 2. Shares
    add up to one, so taking off (R₁ + R₂)/2 changes no sum: it makes a growing group count for as
    much as its rate is above or below the average. A group without trials on one side has the rate
    of the other, so that all of its effect is mix.

    Examples
    --------
    >>> change = decompose_rate([10, 10], [20, 100], [45, 2], [100, 20])
    >>> change.mix.sum().round(3), change.within.sum().round(3)  # from 1/6 to 47/120
    (np.float64(0.25), np.float64(-0.025))
    """
    parts = (successes_before, trials_before, successes_after, trials_after)
    k1, n1, k2, n2 = np.broadcast_arrays(*(np.asarray(part, float) for part in parts))
    if ((k1 < 0) | (k1 > n1) | (k2 < 0) | (k2 > n2)).any():
        raise DefinitionError("successes are from 0 to the number of trials")
    total1, total2 = (np.sum(n, axis=-1, keepdims=True) for n in (n1, n2))
    share1, share2 = ratio(n1, total1), ratio(n2, total2)
    rate1, rate2 = ratio(k1, n1), ratio(k2, n2)
    rate1, rate2 = np.where(n1 > 0, rate1, rate2), np.where(n2 > 0, rate2, rate1)
    overall = [ratio(np.sum(k, axis=-1, keepdims=True), n) for k, n in ((k1, total1), (k2, total2))]
    # A group without trials on either side has no rate and no part in anything.
    rate1, rate2 = (np.where((n1 > 0) | (n2 > 0), rate, 0.0) for rate in (rate1, rate2))
    centre = (rate1 + rate2) / 2 - (overall[0] + overall[1]) / 2
    return RateChange(
        mix=(share2 - share1) * centre, within=(rate2 - rate1) * (share1 + share2) / 2
    )


def win_rate_change(
    log: StageLog,
    before: object,
    after: object,
    *,
    by: str | Sequence[str],
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return where a change of the win rate comes from: other deals, or deals that go otherwise.

    A win rate falls although that of every owner rises, if more of the deals are now of the kind
    that is seldom won. What each group adds to the change is split into what comes from its share
    of the deals closed (mix) and from its own win rate (within).

    Parameters
    ----------
    log : StageLog
    before, after : str, or pair of dates or instants
        The two stretches of time in which deals were closed: periods by their labels, ``"2025Q4"``,
        ``"2026-03"``, ``"2026-W10"``, or pairs of instants, inclusive.
    by : str or sequence of str
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods and dates are read in; by default the log's.

    Returns
    -------
    Table
        A row for each group: its labels; ``share_before`` and ``share_after`` (of the deals closed)
        and ``win_rate_before`` and ``win_rate_after``, each with numerator, denominator and Wilson
        interval (0.95); and ``mix``, ``within`` and ``change`` (their sum), which add up over the
        groups to the change of the overall win rate.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form, or the two overlap.
    """
    view = log.view(as_of, where)
    spans = spans_of(view, before, after, tz)
    groups = groups_of(view, by)
    closed = closings(view)
    when = spans.of(closed.time)

    def count(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(groups.codes[mask], minlength=groups.n).astype(np.int64, copy=False)

    won = [count(closed.won & (when == side)) for side in (0, 1)]
    trials = [count((closed.won | closed.lost) & (when == side)) for side in (0, 1)]
    parts = decompose_rate(won[0], trials[0], won[1], trials[1])
    columns = []
    for side, name in enumerate(("before", "after")):
        total = np.full(groups.n, trials[side].sum())
        columns += rate_columns(f"share_{name}", trials[side], total)
    for side, name in enumerate(("before", "after")):
        columns += rate_columns(f"win_rate_{name}", won[side], trials[side])
    columns += [
        Column("mix", parts.mix, "rate"),
        Column("within", parts.within, "rate"),
        Column("change", parts.mix + parts.within, "rate"),
    ]
    overall = [float(ratio(k.sum(), n.sum())) for k, n in zip(won, trials, strict=True)]
    figures = {
        "before": overall[0],
        "after": overall[1],
        "change": overall[1] - overall[0],
        "mix": parts.mix.sum(),
        "within": parts.within.sum(),
    }
    return Table(
        beside(groups.columns(), columns),
        title=Phrase("title.win_rate_change"),
        notes=[
            *as_of_note(view),
            *spans.notes(),
            Phrase("note.win_rate"),
            Phrase(
                "note.rate_change",
                {name: partial(format_percent, x) for name, x in figures.items()},
            ),
            Phrase("note.mix"),
            Phrase("note.interval", {"level": "95%"}),
        ],
    )
