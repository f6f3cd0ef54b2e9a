"""Where each opportunity stands, how far it came, and what three ways of counting make of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.packing import chunks
from salesfunnel.kernel.progress import Meter
from salesfunnel.kernel.runs import Runs
from salesfunnel.kernel.sums import Tally

OPEN, WON, LOST, CHURNED = range(4)
"""Codes of the statuses."""
NEVER = np.iinfo(np.int64).min
"""The time of what did not happen; NaT as a datetime64."""
NOWHERE = 255
"""In place of a state: there was none. Stages number at most 250."""


class Standing(NamedTuple):
    """Where opportunities stand, each (m,).

    Attributes
    ----------
    status : uint8
        0 open, 1 won, 2 lost, 3 churned.
    furthest : uint8
        Furthest state: a stage, or WON.
    last, before : uint8
        The last state, and the one before it (255: there was none).
    sale : int64
        Index of the run that won the sale: the first WON or post-sale one after the last pre-sale
        one; -1 where the opportunity is neither won nor churned.
    """

    status: NDArray[np.uint8]
    furthest: NDArray[np.uint8]
    last: NDArray[np.uint8]
    before: NDArray[np.uint8]
    sale: NDArray[np.int64]

    def of(self, members: slice) -> Standing:
        """Return where some of them stand; `sale` stays an index among all runs."""
        status, furthest, last, before, sale = self
        return Standing(
            status[members], furthest[members], last[members], before[members], sale[members]
        )


def standing(runs: Runs, n_stages: int, n_presale: int, watch: Meter | None = None) -> Standing:
    """Return status and furthest state of each opportunity; `watch` is told how many are done."""
    n = len(runs.starts)
    status, furthest, last, before = (np.empty(n, np.uint8) for _ in range(4))
    found = Standing(status, furthest, last, before, np.empty(n, np.int64))
    for members, piece in runs.pieces(watch):
        some, there = found.of(members), _standing(piece, n_stages, n_presale)
        some.status[:] = there.status
        some.furthest[:] = there.furthest
        some.last[:] = there.last
        some.before[:] = there.before
        some.sale[:] = np.where(there.sale < 0, -1, there.sale + runs.starts[members.start])
    return found


def _standing(runs: Runs, n_stages: int, n_presale: int) -> Standing:
    won, lost = n_stages, n_stages + 1
    state, starts, ends = runs.state, runs.starts, runs.ends
    index = np.arange(len(state))
    last = state[ends]
    before = np.where(ends > starts, state[ends - 1], NOWHERE).astype(np.uint8)

    presale = state < n_presale
    after_win = (before >= n_presale) & (before <= won)
    status = np.select(
        [last < n_presale, last <= won, after_win], [OPEN, WON, CHURNED], LOST
    ).astype(np.uint8)

    last_presale = np.maximum.reduceat(np.where(presale, index, -1), starts)
    since = index > last_presale[runs.member]
    service = since & ~presale & (state < won)
    never = len(state)
    sale = np.minimum.reduceat(np.where(since & (state != lost), index, never), starts)
    first_service = np.minimum.reduceat(np.where(service, index, never), starts)
    last_win = np.maximum.reduceat(np.where(since & (state == won), index, -1), starts)
    highest_service = np.maximum.reduceat(np.where(service, state, 0), starts)
    highest_presale = np.maximum.reduceat(np.where(presale, state, 0), starts)

    is_sold = (status == WON) | (status == CHURNED)
    complete = (last_win > first_service) | (n_presale == n_stages)
    sold_furthest = np.where(complete, won, np.maximum(highest_service, n_presale))
    return Standing(
        status=status,
        furthest=np.where(is_sold, sold_furthest, highest_presale).astype(np.uint8),
        last=last,
        before=before,
        sale=np.where(is_sold, sale, -1),
    )


def first_entries(runs: Runs, n_states: int) -> NDArray[np.int64]:
    """Return the time of each first entry into each state, (m, S); NEVER where there is none."""
    later = np.iinfo(np.int64).max
    times = np.full((len(runs.starts), n_states), later)
    for members, piece in runs.pieces():
        some = times[members].reshape(-1)
        np.minimum.at(some, piece.member * n_states + piece.state, piece.time)
        some[some == later] = NEVER
    return times


class StageMasks(NamedTuple):
    """Which opportunities count for which stage: each (m, K) booleans."""

    entered: NDArray[np.bool_]
    advanced: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    open: NDArray[np.bool_]
    churned: NDArray[np.bool_]


def reached(where: Standing, n_stages: int) -> StageMasks:
    """Return the masks of the mode ``reached``: by the furthest state."""
    stages = np.arange(n_stages)
    furthest, status = where.furthest[:, None], where.status[:, None]
    here = furthest == stages
    return StageMasks(
        entered=furthest >= stages,
        advanced=furthest > stages,
        lost=here & ((status == LOST) | (status == CHURNED)),
        open=here & ((status == OPEN) | (status == WON)),
        churned=churned_at(where, n_stages),
    )


def churned_at(where: Standing, n_stages: int) -> NDArray[np.bool_]:
    """Return where deals churned, (m, K): at the furthest stage; once complete, at the last."""
    at = np.minimum(where.furthest, n_stages - 1)
    churned: NDArray[np.bool_] = (where.status == CHURNED)[:, None] & (
        at[:, None] == np.arange(n_stages)
    )
    return churned


def actual(runs: Runs, where: Standing, n_stages: int, n_presale: int) -> StageMasks:
    """Return the masks of the mode ``actual``: by the entries that happened."""
    first, last = positions(runs, n_stages)
    stages = np.arange(n_stages)
    entered = first[:, :n_stages] < len(runs.state)
    onward = last[:, 1 : n_stages + 1].copy()
    onward[:, n_presale - 1] = last[:, n_presale : n_stages + 1].max(axis=1, initial=-1)
    return StageMasks(
        entered=entered,
        advanced=entered & (onward > first[:, :n_stages]),
        lost=(where.last == n_stages + 1)[:, None] & (where.before[:, None] == stages),
        open=where.last[:, None] == stages,
        churned=churned_at(where, n_stages),
    )


def strict(runs: Runs, where: Standing, n_stages: int) -> StageMasks:
    """Return the masks of the mode ``strict``: by first entries in the order of the stages."""
    in_order = depth(runs, n_stages)[:, None]
    stages = np.arange(n_stages)
    is_lost = (where.last == n_stages + 1)[:, None] & (where.before[:, None] == stages)
    here = in_order == stages
    return StageMasks(
        entered=in_order >= stages,
        advanced=in_order > stages,
        lost=here & is_lost,
        open=here & (where.last[:, None] == stages),
        churned=churned_at(where, n_stages),
    )


def depth(runs: Runs, n_stages: int) -> NDArray[np.int64]:
    """Return how far each opportunity went by the book, (m,): K for WON, -1 for not even stage 0.

    It is the highest k such that the first entries into 0…k are in that order, and nothing above
    any of them was entered before it.
    """
    first, _ = positions(runs, n_stages)
    # In order up to k: for every j up to k, nothing above j was entered before the first j.
    earliest_above = np.minimum.accumulate(first[:, ::-1], axis=1)[:, ::-1]
    in_order = (first == earliest_above) & (first < len(runs.state))
    return np.asarray(np.logical_and.accumulate(in_order, axis=1).sum(axis=1) - 1)


def positions(runs: Runs, n_stages: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index of the first and the last run of each opportunity in each stage and in WON, (m, K+1).

    Where there is none, the first is R and the last is -1.
    """
    n_states = n_stages + 2
    first = np.full(len(runs.starts) * n_states, len(runs.state))
    last = np.full(len(first), -1)
    index, place = np.arange(len(runs.state)), runs.member * n_states + runs.state
    np.minimum.at(first, place, index)
    np.maximum.at(last, place, index)
    shape = (-1, n_states)
    return first.reshape(shape)[:, : n_stages + 1], last.reshape(shape)[:, : n_stages + 1]


class StageSums(NamedTuple):
    """How many opportunities count for which stage: each (G, K) int64."""

    entered: NDArray[np.int64]
    advanced: NDArray[np.int64]
    lost: NDArray[np.int64]
    open: NDArray[np.int64]
    churned: NDArray[np.int64]


def count_reached(
    where: Standing, n_stages: int, group: NDArray[np.int64] | None = None, n_groups: int = 1
) -> StageSums:
    """Return the counts of the mode ``reached``, by group, (m,), if there is one."""
    n_furthest, n_statuses = n_stages + 1, CHURNED + 1
    tally = Tally(n_groups * n_furthest * n_statuses)
    for start, stop in chunks(len(where.status)):
        code = where.furthest[start:stop].astype(np.intp)
        if group is not None:
            code += group[start:stop] * n_furthest
        code *= n_statuses
        code += where.status[start:stop]
        tally.add(code)
    table = tally.counts.reshape(n_groups, n_furthest, n_statuses)
    here = table.sum(axis=2)
    so_far = here[:, ::-1].cumsum(axis=1)[:, ::-1]
    churned = table[:, :n_stages, CHURNED].copy()
    churned[:, -1] += table[:, n_stages, CHURNED]
    stages = table[:, :n_stages]
    return StageSums(
        entered=so_far[:, :n_stages].copy(),
        advanced=so_far[:, 1:].copy(),
        lost=stages[:, :, LOST] + stages[:, :, CHURNED],
        open=stages[:, :, OPEN] + stages[:, :, WON],
        churned=churned,
    )


def count_masks(
    pieces: Iterable[tuple[slice, StageMasks]],
    n_stages: int,
    group: NDArray[np.int64] | None = None,
    n_groups: int = 1,
) -> StageSums:
    """Return how many opportunities masks have in each stage, by group, (m,), if there is one."""
    tallies = [Tally(n_groups * n_stages) for _ in StageSums._fields]
    for members, masks in pieces:
        for tally, mask in zip(tallies, masks, strict=True):
            member, code = np.nonzero(mask)
            tally.add(code if group is None else group[members][member] * n_stages + code)
    return StageSums(*(tally.counts.reshape(n_groups, n_stages) for tally in tallies))
