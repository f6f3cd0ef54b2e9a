"""StageFlow: how opportunities moved from state to state, added up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import SizeError
from salesfunnel.kernel.flow import add_up
from salesfunnel.kernel.transitions import count, count_pairs, exact_sums, pair_codes
from salesfunnel.log.exact import ExactSums, as_millionths
from salesfunnel.log.labels import Group, Grouping, attribute_names, group
from salesfunnel.log.merging import align, find
from salesfunnel.log.view import View
from salesfunnel.periods import from_microseconds

_MAX_CELLS = 50_000_000
"""Of one array of a flow: 400 MB."""


@attrs.frozen(slots=False, eq=False)
class StageFlow:
    """Transitions added up from state to state; a value that adds.

    The flows of two logs that share no opportunity, taken at the same instant, add up to the flow
    of both.

    Attributes
    ----------
    states : tuple of str
        Keys of the S states.
    by : tuple of str
        Attributes that make the groups; empty where there are none.
    groups : tuple or None
        Names of the G groups; None without groups, and then the arrays have no first axis.
    counts : (G, S, S) int64
        Transitions, ``[group, from, to]``.
    durations : ExactSums of (G, S, S)
        Time from the entry into one state to that into the next: whole seconds and microseconds.
    amounts : ExactSums of (G, S, S)
        Amounts known at the transitions: whole units and millionths.
    starts, ends : (G, S) int64
        Opportunities by the state that they started in, and by the one that they stand in.
    instant : int or None
        The instant of knowledge, microseconds since 1970 in UTC; None for an empty log.
    """

    states: tuple[str, ...]
    by: tuple[str, ...]
    groups: tuple[Group, ...] | None
    counts: NDArray[np.int64]
    durations: ExactSums
    amounts: ExactSums
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    instant: int | None

    @property
    def as_of(self) -> datetime | None:
        """The instant of knowledge; None for an empty log."""
        return None if self.instant is None else from_microseconds(self.instant)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Sums of durations in seconds, ``(G, S, S)``; `durations` has them without rounding."""
        return self.durations.as_float()

    @property
    def amount(self) -> NDArray[np.float64]:
        """Sums of amounts, ``(G, S, S)``; `amounts` has them to the millionth."""
        return self.amounts.as_float()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.counts, dtype=dtype, copy=copy)

    def __getitem__(self, group: Group) -> StageFlow:
        """Return the flow of one group, without a group axis."""
        index = find(self, group)
        return attrs.evolve(
            self,
            by=(),
            groups=None,
            counts=self.counts[index],
            durations=ExactSums(*(part[index] for part in self.durations)),
            amounts=ExactSums(*(part[index] for part in self.amounts)),
            starts=self.starts[index],
            ends=self.ends[index],
        )

    def total(self) -> StageFlow:
        """Return the flow of all groups together, without a group axis."""
        if self.groups is None:
            return self
        return attrs.evolve(
            self,
            by=(),
            groups=None,
            counts=self.counts.sum(axis=0),
            durations=self.durations.total(),
            amounts=self.amounts.total(),
            starts=self.starts.sum(axis=0),
            ends=self.ends.sum(axis=0),
        )

    def __add__(self, other: object) -> StageFlow:
        if not isinstance(other, StageFlow):
            return NotImplemented
        together = align(self, other)

        def exact(a: ExactSums, b: ExactSums) -> ExactSums:
            whole, micro = (together.place(x, y) for x, y in zip(a, b, strict=True))
            return ExactSums(whole[0], micro[0]) + ExactSums(whole[1], micro[1])

        return attrs.evolve(
            self,
            groups=together.groups,
            counts=together.add(self.counts, other.counts),
            durations=exact(self.durations, other.durations),
            amounts=exact(self.amounts, other.amounts),
            starts=together.add(self.starts, other.starts),
            ends=together.add(self.ends, other.ends),
            instant=together.instant,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StageFlow):
            return NotImplemented
        return (self.states, self.by, self.groups, self.instant) == (
            other.states,
            other.by,
            other.groups,
            other.instant,
        ) and all(
            np.array_equal(a, b) for a, b in zip(self._arrays(), other._arrays(), strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is not hashable

    def _arrays(self) -> tuple[NDArray[np.int64], ...]:
        return (self.counts, *self.durations, *self.amounts, self.starts, self.ends)


def stage_flow(view: View, by: str | Sequence[str] | None = None) -> StageFlow:
    """Return the flow of a view, by the labels known at each transition."""
    n_states = len(view.funnel) + 2
    names = () if by is None else attribute_names(by)
    if not names and not view.where and view.log.amounts is None:
        return _ungrouped(view, n_states)
    moves, runs = view.transitions, view.runs
    groups, at_move, at_start, at_end = _groups(view, names)
    n_groups = 1 if groups is None else len(groups)
    size = n_groups * n_states * n_states
    if size > _MAX_CELLS:
        raise SizeError(
            f"a flow of {n_groups:,} groups and {n_states} states has {size:,} cells, more than "
            f"{_MAX_CELLS:,}: group by what has fewer labels"
        )
    shape = (n_states, n_states) if groups is None else (n_groups, n_states, n_states)

    codes = pair_codes(moves.source, moves.target, n_states, at_move)
    amounts = as_millionths(view.amount_by(moves.run))

    def exact(values: NDArray[np.int64]) -> ExactSums:
        return ExactSums(*(part.reshape(shape) for part in exact_sums(codes, values, size)))

    def tally(runs_at: NDArray[np.int64], at: NDArray[np.int64] | None) -> NDArray[np.int64]:
        state = runs.state[runs_at].astype(np.int64)
        place = state if at is None else at * n_states + state
        return count(place, n_groups * n_states).reshape(shape[:-1])

    return StageFlow(
        states=view.funnel.states,
        by=names,
        groups=groups,
        counts=(
            count_pairs(moves.source, moves.target, n_states)
            if groups is None
            else count(codes, size).reshape(shape)
        ),
        durations=exact(moves.duration),
        amounts=exact(amounts),
        starts=tally(runs.starts, at_start),
        ends=tally(runs.ends, at_end),
        instant=view.as_of,
    )


def _ungrouped(view: View, n_states: int) -> StageFlow:
    """Return the flow without groups and amounts, which needs the packed entries alone."""
    sums = add_up(view.log.entries, n_states, until=view.until, keep_repeats=view.keep_repeats)
    nothing = np.zeros((n_states, n_states), np.int64)
    return StageFlow(
        states=view.funnel.states,
        by=(),
        groups=None,
        counts=sums.counts,
        durations=ExactSums(sums.seconds, sums.microseconds),
        amounts=ExactSums(nothing, nothing.copy()),
        starts=sums.starts,
        ends=sums.ends,
        instant=view.as_of,
    )


def _groups(
    view: View, names: tuple[str, ...]
) -> tuple[
    tuple[Group, ...] | None,
    NDArray[np.int64] | None,
    NDArray[np.int64] | None,
    NDArray[np.int64] | None,
]:
    """Return the groups' names, and the groups of the transitions, the starts and the ends."""
    if not names:
        return None, None, None, None
    moves, runs = view.transitions.run, view.runs
    every: Grouping = group(
        [
            np.concatenate([view.label_by(name, at) for at in (moves, runs.starts, runs.ends)])
            for name in names
        ],
        [view.log.attribute(name).names for name in names],
    )
    at_move, at_start, at_end = np.split(every.codes, np.cumsum([len(moves), len(runs.starts)]))
    return every.groups, at_move, at_start, at_end
