"""StageCounts: how many opportunities entered each stage, went on, were lost, are open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.npz import MAX_BYTES
from salesfunnel.errors import DefinitionError, MergeError
from salesfunnel.kernel.progress import Progress, meter
from salesfunnel.kernel.standing import StageSums, actual, count_masks, count_reached, strict
from salesfunnel.log.labels import Group, attribute_names
from salesfunnel.log.merging import align, find
from salesfunnel.log.view import View
from salesfunnel.periods import from_microseconds
from salesfunnel.wording import Listed

MODES = ("reached", "actual", "strict")
COUNTS = ("entered", "advanced", "lost", "open", "churned", "skipped")


@attrs.frozen(slots=False, eq=False)
class StageCounts:
    """Opportunities counted by stage; a value that adds.

    The counts of two logs that share no opportunity, taken at the same instant, add up to those of
    both.

    Attributes
    ----------
    states : tuple of str
        Keys of the S = K + 2 states; the first K are the stages.
    mode : {"reached", "actual", "strict"}
        How opportunities were counted.
    by : tuple of str
        Attributes that make the groups; empty where there are none.
    groups : tuple or None
        Names of the G groups; None without groups, and then the arrays have no first axis.
    entered, advanced, lost, open, churned : (G, K) int64
        Opportunities that entered the stage, went on from it, were finally lost there, stand there,
        and churned there after the sale (after the last stage: at that stage).
    skipped : (G, K) int64
        In the mode ``strict`` those of `entered` that are in no other column; else zero.
    instant : int or None
        The instant of knowledge, microseconds since 1970 in UTC; None for an empty log.
    """

    states: tuple[str, ...]
    mode: str
    by: tuple[str, ...]
    groups: tuple[Group, ...] | None
    entered: NDArray[np.int64]
    advanced: NDArray[np.int64]
    lost: NDArray[np.int64]
    open: NDArray[np.int64]
    churned: NDArray[np.int64]
    skipped: NDArray[np.int64]
    instant: int | None

    @property
    def zone(self) -> None:
        """No period makes groups of these."""

    @property
    def as_of(self) -> datetime | None:
        """The instant of knowledge; None for an empty log."""
        return None if self.instant is None else from_microseconds(self.instant)

    @property
    def stages(self) -> tuple[str, ...]:
        """Keys of the K stages."""
        return self.states[:-2]

    def __getitem__(self, group: Group) -> StageCounts:
        """Return the counts of one group, without a group axis."""
        index = find(self, group)
        counts: dict[str, Any] = {name: getattr(self, name)[index] for name in COUNTS}
        return attrs.evolve(self, by=(), groups=None, **counts)

    def total(self) -> StageCounts:
        """Return the counts of all groups together, without a group axis."""
        if self.groups is None:
            return self
        counts: dict[str, Any] = {name: getattr(self, name).sum(axis=0) for name in COUNTS}
        return attrs.evolve(self, by=(), groups=None, **counts)

    def __add__(self, other: object) -> StageCounts:
        if not isinstance(other, StageCounts):
            return NotImplemented
        if self.mode != other.mode:
            raise MergeError(
                "cannot add: one counts {one!r}, the other {other!r}",
                one=self.mode,
                other=other.mode,
            )
        together = align(self, other)
        counts: dict[str, Any] = {
            name: together.add(getattr(self, name), getattr(other, name)) for name in COUNTS
        }
        return attrs.evolve(self, groups=together.groups, instant=together.instant, **counts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StageCounts):
            return NotImplemented
        same = ("states", "mode", "by", "groups", "instant")
        return all(getattr(self, name) == getattr(other, name) for name in same) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in COUNTS
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is not hashable

    def save(self, path: str | Path) -> None:
        """Write the counts to an .npz file, for `load`: exactly as they are, without pickle.

        Parameters
        ----------
        path : str or Path
            The same content makes the same bytes.
        """
        from salesfunnel.log.storage import save_counts

        save_counts(self, path)

    @classmethod
    def load(cls, path: str | Path, *, max_bytes: int = MAX_BYTES) -> StageCounts:
        """Return the counts that `save` wrote.

        Parameters
        ----------
        path : str or Path
        max_bytes : int
            The most bytes that the file may have once decompressed.

        Raises
        ------
        FileFormatError
            If `save` did not write the file, or it is of a newer version or damaged.
        EmptyFileError, TruncatedFileError, FileLimitError
            If it is empty, breaks off, or is larger than `max_bytes`.
        OSError
            If there is no such file.
        """
        from salesfunnel.log.storage import load_counts

        return load_counts(path, max_bytes)


def stage_counts(
    view: View,
    mode: str = "reached",
    by: str | Sequence[str] | None = None,
    progress: Progress | None = None,
) -> StageCounts:
    """Return the counts of a view, by the labels known at its instant."""
    n_stages, n_presale = len(view.funnel), view.funnel.n_presale
    if mode not in MODES:
        raise DefinitionError(
            "mode= is one of {known}, not {mode!r}", known=Listed(MODES), mode=mode
        )
    where, grouping = view.classify(progress), None if by is None else view.grouping(by)
    codes, n_groups = (None, 1) if grouping is None else (grouping.codes, len(grouping.groups))
    watch = meter(progress, "count", len(where.status))
    if mode == "reached":
        sums = count_reached(where, n_stages, codes, n_groups)
    else:
        pieces = (
            (
                members,
                actual(piece, where.of(members), n_stages, n_presale)
                if mode == "actual"
                else strict(piece, where.of(members), n_stages),
            )
            for members, piece in view.runs.pieces(watch)
        )
        sums = count_masks(pieces, n_stages, codes, n_groups)
    if watch is not None:
        watch.end()
    if grouping is None:
        sums = StageSums(*(counts[0] for counts in sums))
    entered, advanced, lost, is_open, churned = sums
    rest = entered - advanced - lost - is_open
    return StageCounts(
        states=view.funnel.states,
        mode=mode,
        by=() if by is None else attribute_names(by),
        groups=None if grouping is None else grouping.groups,
        entered=entered,
        advanced=advanced,
        lost=lost,
        open=is_open,
        churned=churned,
        skipped=rest if mode == "strict" else np.zeros_like(rest),
        instant=view.as_of,
    )
