"""Velocity: how much money a day the open opportunities bring, and the four factors of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.kernel.standing import CHURNED, LOST, OPEN, WON
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.bootstrap import bootstrap_bounds
from salesfunnel.metrics.cycle import cycle_days
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, money_note, sums
from salesfunnel.metrics.rates import rate_columns, ratio
from salesfunnel.table import Column, Phrase, Table


def sales_velocity(
    open_count: ArrayLike, win_rate: ArrayLike, mean_amount: ArrayLike, mean_days: ArrayLike
) -> NDArray[np.float64]:
    """Return the sales velocity: what the open opportunities are going to bring, per day.

    Parameters
    ----------
    open_count : array-like of numbers
        Open opportunities.
    win_rate : array-like of float
        Share of those won, in [0, 1].
    mean_amount : array-like of float
        What a won one is worth on average.
    mean_days : array-like of float
        How long it takes on average to win one.

    Returns
    -------
    array of float, of the broadcast shape
        open_count · win_rate · mean_amount / mean_days; NaN where no time passes.

    Examples
    --------
    >>> sales_velocity(60, 0.25, 8000, 40).item()
    3000.0
    """
    worth = np.asarray(open_count, float) * np.asarray(win_rate, float) * np.asarray(mean_amount)
    return ratio(worth, mean_days)


def velocity(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    start: str | None = None,
    bootstrap: int | None = None,
    seed: int = 0,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the sales velocity and its four factors.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    start : str, optional
        A pre-sale stage: the sales cycle starts at the first entry into or beyond it. By default it
        starts at the first entry of all.
    bootstrap : int, optional
        How many times opportunities are drawn again for the interval of the velocity, as in 1000;
        by default there is no interval.
    seed : int
        Of the random generator of the bootstrap.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group (one without): its labels, ``open``, the number of open opportunities;
        ``win_rate`` with its numerator, denominator and Wilson interval (0.95);
        ``mean_won_amount``, of won and churned deals with a known amount; ``mean_days`` of their
        sales cycle; ``velocity``, open · win rate · mean won amount / mean days, money per day,
        with ``velocity_low`` and ``velocity_high`` (bootstrap by opportunity, percentiles, 0.95).
        Where a won amount is negative, the mean and the velocity are NaN.

    Raises
    ------
    UnknownStateError, UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    parts = _parts(view, start)
    found = _factors(np.ones(len(parts), np.int64), groups.codes, parts, groups.n)
    is_negative = np.bincount(groups.codes[parts[:, _AMOUNT] < 0], minlength=groups.n) > 0
    low = high = np.full(groups.n, np.nan)
    if bootstrap is not None:
        low, high = bootstrap_bounds(
            lambda times, group, values: _factors(times, group, values, groups.n).velocity,
            groups.codes,
            parts,
            groups.n,
            replicates=bootstrap,
            seed=seed,
        )

    def money(name: str, values: NDArray[np.float64]) -> Column:
        return Column(name, np.where(is_negative, np.nan, values), "money")

    columns = [
        Column("open", found.open),
        *rate_columns("win_rate", found.won, found.won + found.lost),
        money("mean_won_amount", found.mean_amount),
        Column("mean_days", found.mean_days, title="mean_cycle_days"),
        money("velocity", found.velocity),
        money("velocity_low", low),
        money("velocity_high", high),
    ]
    notes = [
        *as_of_note(view),
        *money_note(view),
        Phrase("note.velocity"),
        Phrase("note.win_rate"),
    ]
    if start is None:
        notes.append(Phrase("note.cycle_start_first"))
    else:
        stage = partial(state_namer(log.funnel), start)
        notes.append(Phrase("note.cycle_start", {"stage": stage}))
    if unknown := int((found.won - found.with_amount).sum()):
        notes.append(Phrase("note.won_without_amount", {"count": unknown}))
    if is_negative.any():
        notes.append(Phrase("note.negative_won_amount"))
    if (found.mean_days == 0).any():
        notes.append(Phrase("note.no_cycle_time"))
    if bootstrap is not None:
        notes.append(Phrase("note.bootstrap", {"level": "95%", "count": bootstrap}))
    return Table(
        beside(groups.columns(), columns),
        title=Phrase("title.velocity"),
        notes=notes,
        hidden=() if bootstrap is not None else ("velocity_low", "velocity_high"),
    )


class _Factors(NamedTuple):
    """The factors of the velocity of each group, (G,) each."""

    open: NDArray[np.int64]
    won: NDArray[np.int64]
    lost: NDArray[np.int64]
    with_amount: NDArray[np.int64]
    mean_amount: NDArray[np.float64]
    mean_days: NDArray[np.float64]

    @property
    def velocity(self) -> NDArray[np.float64]:
        win_rate = ratio(self.won, self.won + self.lost)
        return sales_velocity(self.open, win_rate, self.mean_amount, self.mean_days)


_STATUS, _IS_PRICED, _AMOUNT, _DAYS = range(4)


def _parts(view: View, start: str | None) -> NDArray[np.float64]:
    """Return what the factors need of each opportunity, (m, 4).

    That is its status (a churned one is won); whether it is won and its amount known; that amount
    and the days that the sale took, 0 for others.
    """
    status = np.where(view.standing.status == CHURNED, WON, view.standing.status)
    priced = (status == WON) & ~np.isnan(view.amount)
    sold, days = cycle_days(view, start)
    parts = np.zeros((len(status), 4))
    parts[:, _STATUS], parts[:, _IS_PRICED] = status, priced
    parts[priced, _AMOUNT] = view.amount[priced]
    parts[sold, _DAYS] = days
    return parts


def _factors(
    times: NDArray[np.int64], group: NDArray[np.int64], parts: NDArray[np.float64], n_groups: int
) -> _Factors:
    """Return the factors of opportunities, each drawn so many times."""
    status, priced = parts[:, _STATUS].astype(np.int64), parts[:, _IS_PRICED]
    count = np.bincount(group * 4 + status, times, minlength=n_groups * 4).astype(np.int64)
    count = count.reshape(n_groups, 4)
    with_amount = np.bincount(group, times * priced, minlength=n_groups).astype(np.int64)
    amount, days = (
        ratio(sums(parts[:, part] * times, group, n_groups), of)
        for part, of in ((_AMOUNT, with_amount), (_DAYS, count[:, WON]))
    )
    return _Factors(count[:, OPEN], count[:, WON], count[:, LOST], with_amount, amount, days)
