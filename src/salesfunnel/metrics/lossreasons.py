"""Lost opportunities and their reasons: what the tables of losses are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.codes import NULL, combine
from salesfunnel.kernel.standing import LOST
from salesfunnel.log.naming import reason_namer
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.bootstrap import bootstrap_bounds
from salesfunnel.metrics.grouped import sums
from salesfunnel.metrics.rates import (
    amount_rate_columns,
    check_weight,
    interval_notes,
    rate_columns,
    ratio,
)
from salesfunnel.table import Column, Phrase

VITAL = 0.8
"""The share of the losses of a place that its vital few reasons make up together."""


class Losses(NamedTuple):
    """The lost opportunities of a view, n of them; those that churned after the sale are none.

    Attributes
    ----------
    member : (n,) int64
        Index of each among the m of the view.
    stage : (n,) int64
        The furthest stage, where it counts as lost.
    reason : (n,) int64
        Code of its reason; -1 where none was given.
    amount : (n,) float64
        Its last known amount; NaN where there is none.
    """

    member: NDArray[np.int64]
    stage: NDArray[np.int64]
    reason: NDArray[np.int64]
    amount: NDArray[np.float64]


def losses(view: View) -> Losses:
    """Return the lost opportunities of a view."""
    member = np.flatnonzero(view.standing.status == LOST)
    return Losses(
        member,
        view.standing.furthest[member].astype(np.int64),
        view.loss_reason[member],
        view.amount[member],
    )


class ReasonShares(NamedTuple):
    """What each reason makes up of the losses of a place: a row for each that occurs, C of them.

    Attributes
    ----------
    weight : str
        Whether it counts opportunities or their amounts.
    place : (C, P) int64
        Codes of the place, ascending: of the group, and of what else tells losses apart.
    rank : (C,) int64
        Position of the reason within its place, from 0: the one that makes up most comes first.
    reason : (C,) int64
        Code of the reason, -1 for none.
    lost, total : (C,) int64
        Opportunities lost for the reason in the place, and lost there at all.
    amount, total_amount : (C,) float64
        Their known amounts.
    is_negative : (C,) bool
        Whether any opportunity lost in the place has a negative amount.
    bootstrap : int or None
        How many times the lost ones were drawn again for intervals by amount.
    bounds : pair of (C,) float64, or None
        Those intervals.
    """

    weight: str
    place: NDArray[np.int64]
    rank: NDArray[np.int64]
    reason: NDArray[np.int64]
    lost: NDArray[np.int64]
    total: NDArray[np.int64]
    amount: NDArray[np.float64]
    total_amount: NDArray[np.float64]
    is_negative: NDArray[np.bool_]
    bootstrap: int | None
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None

    def rates(self) -> list[Column]:
        """Return the shares as columns; by amount they have no meaning where one is negative."""
        if self.weight == "count":
            titles = ("share", "lost", "total_lost")
            return rate_columns("value", self.lost, self.total, titles=titles)
        return amount_rate_columns(
            self.amount,
            self.total_amount,
            defined=~self.is_negative,
            bounds=self.bounds,
            titles=("share", "lost_amount", "total_lost_amount"),
        )

    def pareto(self) -> list[Column]:
        """Return the share of each reason and those before it, and whether it is a vital one."""
        by_count = self.weight == "count"
        measure, total = (self.lost, self.total) if by_count else (self.amount, self.total_amount)
        defined = np.ones(len(measure), bool) if by_count else ~self.is_negative
        # Places as lines, so that the sum of one does not round by what is in another.
        line = np.cumsum(self.rank == 0) - 1
        lines = np.zeros((len(np.unique(line)), int(self.rank.max(initial=-1)) + 1), measure.dtype)
        lines[line, self.rank] = measure
        until = np.cumsum(lines, axis=1)[line, self.rank]
        cumulative = np.minimum(ratio(until, np.where(defined, total, 0)), 1)
        # Before it less than the mark; sums of amounts may miss it by a rounding error.
        vital = (until - measure < (VITAL - 1e-12) * total) & defined
        return [
            Column("cumulative", cumulative, "rate", title="cumulative_share"),
            Column("vital", vital),
        ]

    def notes(self) -> list[Phrase]:
        """Return what must be known to read the shares."""
        notes = []
        if (self.reason == NULL).any():
            notes.append(Phrase("note.loss_without_reason"))
        notes += interval_notes(self.weight, self.bootstrap)
        if self.weight == "amount" and self.is_negative.any():
            notes.append(Phrase("note.negative_amounts"))
        return notes


def reason_shares(
    lost: Losses,
    places: Sequence[NDArray[np.int64]],
    weight: str = "count",
    bootstrap: int | None = None,
    seed: int = 0,
) -> ReasonShares:
    """Return what reasons make up of the losses of each place, given by codes (n,) from 0 on.

    Raises
    ------
    DefinitionError
        If `weight` is not count or amount, or there is a bootstrap of counts.
    """
    check_weight(weight, bootstrap)
    cell, cells = combine([*places, lost.reason])
    place, distinct = combine(list(places))
    place_of_cell = np.zeros(len(cells), np.int64)
    place_of_cell[cell] = place
    count = np.bincount(cell, minlength=len(cells))
    amount = sums(lost.amount, cell, len(cells))
    # A missing reason is last among equals.
    last = np.where(cells[:, -1] == NULL, np.iinfo(np.int64).max, cells[:, -1])
    rows = np.lexsort((last, -(count if weight == "count" else amount), place_of_cell))
    at, n_places = place_of_cell[rows], len(distinct)
    bounds = None
    if bootstrap is not None:
        low, high = _bounds(cell, place, lost.amount, place_of_cell, bootstrap, seed)
        bounds = low[rows], high[rows]
    return ReasonShares(
        weight=weight,
        place=cells[rows, :-1],
        rank=np.arange(len(at)) - np.searchsorted(at, at),
        reason=cells[rows, -1],
        lost=count[rows],
        total=np.bincount(place, minlength=n_places)[at],
        amount=amount[rows],
        total_amount=sums(lost.amount, place, n_places)[at],
        is_negative=np.bincount(place[lost.amount < 0], minlength=n_places)[at] > 0,
        bootstrap=bootstrap,
        bounds=bounds,
    )


def _bounds(
    cell: NDArray[np.int64],
    place: NDArray[np.int64],
    amount: NDArray[np.float64],
    place_of_cell: NDArray[np.int64],
    replicates: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return intervals of the share by amount of each cell (C,), of losses in cells and places."""
    n_places = int(place.max(initial=-1)) + 1

    def statistic(
        times: NDArray[np.int64], place: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        worth, cell = values[:, 0] * times, values[:, 1].astype(np.int64)
        total = np.bincount(place, worth, minlength=n_places)
        return ratio(np.bincount(cell, worth, minlength=len(place_of_cell)), total[place_of_cell])

    values = np.column_stack([np.nan_to_num(amount), cell])
    return bootstrap_bounds(statistic, place, values, n_places, replicates=replicates, seed=seed)


def reason_column(log: StageLog, codes: NDArray[np.int64]) -> Column:
    """Return the column that names loss reasons by their codes; -1 for none."""
    names = np.array([*(log.reasons.names if log.reasons is not None else ()), None], object)
    return Column("reason", names[codes], labels=reason_namer(log.funnel))
