"""What mergeable values have in common: when two may be added, and how their groups line up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import MergeError, UnknownAttributeError
from salesfunnel.kernel.sketch import DurationSketch
from salesfunnel.kernel.sums import ExactSums
from salesfunnel.log.labels import Group
from salesfunnel.periods import from_microseconds
from salesfunnel.wording import Listed, Wording


class Known(Protocol):
    """A value of one funnel, at one instant."""

    @property
    def states(self) -> tuple[str, ...]:
        """Keys of the states."""

    @property
    def instant(self) -> int | None:
        """The instant of knowledge in microseconds; None for an empty log."""


class Mergeable(Known, Protocol):
    """A value by group, of one funnel, at one instant."""

    @property
    def by(self) -> tuple[str, ...]:
        """Attributes that make the groups; empty where there are none."""

    @property
    def groups(self) -> tuple[Group, ...] | None:
        """Names of the groups; None without groups."""

    @property
    def zone(self) -> str | None:
        """The time zone that periods are cut in; None where no period makes groups."""


class Alignment(NamedTuple):
    """How two values add: the groups of the sum, and where those of each part stand among them."""

    groups: tuple[Group, ...] | None
    places: tuple[NDArray[np.int64], NDArray[np.int64]]
    instant: int | None

    def add(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        """Return the sum of two integer arrays, group by group."""
        return np.asarray(self._placed(a, 0) + self._placed(b, 1))

    def _placed(self, array: NDArray[Any], part: int) -> NDArray[Any]:
        if self.groups is None:
            return array
        wide = np.zeros((len(self.groups), *array.shape[1:]), array.dtype)
        wide[self.places[part]] = array
        return wide

    def add_sums(self, a: ExactSums | None, b: ExactSums | None) -> ExactSums | None:
        """Return the sum of two exact sums, group by group; what is None adds nothing."""
        placed = [
            ExactSums(*(self._placed(array, part) for array in sums))
            for part, sums in enumerate((a, b))
            if sums is not None
        ]
        return sum(placed[1:], placed[0]) if placed else None

    def add_sketches(
        self, a: DurationSketch | None, b: DurationSketch | None
    ) -> DurationSketch | None:
        """Return the sum of two sketches, group by group.

        Raises
        ------
        MergeError
            If there is only one.
        """
        if a is None and b is None:
            return None
        if a is None or b is None:
            raise MergeError("cannot add: one has a sketch of durations, the other has none")
        if self.groups is None:
            return a + b
        n_groups = len(self.groups)
        return a.placed(self.places[0], n_groups) + b.placed(self.places[1], n_groups)


def align(a: Mergeable, b: Mergeable) -> Alignment:
    """Return how two values of one kind add.

    Raises
    ------
    MergeError
        If they differ in their states, in what groups them, or in the instant of knowledge.
    """
    one_set_of_states(a, b)
    if a.by != b.by:
        raise MergeError(
            "cannot add: one is by {one}, the other by {other}",
            one=Listed(a.by) or Wording("nothing"),
            other=Listed(b.by) or Wording("nothing"),
        )
    if a.zone != b.zone:
        raise MergeError(
            "cannot add: the periods of one are cut in {one}, those of the other in {other}",
            one=a.zone,
            other=b.zone,
        )
    instant = one_instant(a, b)
    if a.groups is None or b.groups is None:
        none = np.zeros(0, np.int64)
        return Alignment(None, (none, none), instant)
    groups = tuple(sorted({*a.groups, *b.groups}, key=sort_key))
    index = {group: i for i, group in enumerate(groups)}
    places = tuple(np.array([index[g] for g in part.groups or ()], np.int64) for part in (a, b))
    return Alignment(groups, (places[0], places[1]), instant)


def one_set_of_states(a: Known, b: Known) -> None:
    """Refuse to add values of different funnels.

    Raises
    ------
    MergeError
    """
    if a.states != b.states:
        raise MergeError(
            "cannot add: one has the states {one}, the other {other}",
            one=Listed(a.states),
            other=Listed(b.states),
        )


def one_instant(a: Known, b: Known) -> int | None:
    """Return the instant of both; that of an empty log, None, goes with any.

    Raises
    ------
    MergeError
        If there are two.
    """
    if a.instant is not None and b.instant is not None and a.instant != b.instant:
        raise MergeError(
            "cannot add: one is as of {one}, the other as of {other}; give both the same as_of=",
            one=from_microseconds(a.instant).isoformat(),
            other=from_microseconds(b.instant).isoformat(),
        )
    return a.instant if b.instant is None else b.instant


def sort_key(group: Group) -> tuple[tuple[bool, str], ...]:
    """Return what puts groups in order: by label, the unknown ones last."""
    labels: Sequence[str | None] = group if isinstance(group, tuple) else (group,)
    return tuple((label is None, label or "") for label in labels)


def find(value: Mergeable, group: Group) -> int:
    """Return the index of a group.

    Raises
    ------
    UnknownAttributeError
        If the value has no groups, or not this one.
    """
    if value.groups is None:
        raise UnknownAttributeError(
            "no group {group!r}: this was not grouped; by= makes groups", group=group
        )
    try:
        return value.groups.index(group)
    except ValueError:
        known = Listed(repr(g) for g in value.groups[:10])
        more = (
            Wording(" and {n:,} more", n=len(value.groups) - 10) if len(value.groups) > 10 else ""
        )
        raise UnknownAttributeError(
            "no group {group!r} by {by}; there are {known}{more}",
            group=group,
            by=Listed(value.by),
            known=known,
            more=more,
        ) from None
