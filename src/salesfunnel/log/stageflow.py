"""StageFlow: how opportunities moved from state to state, added up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.columns import saved
from salesfunnel.columns.exports import Exports
from salesfunnel.columns.files import MAX_BYTES as MAX_TEXT
from salesfunnel.columns.files import Limits
from salesfunnel.columns.npz import MAX_BYTES
from salesfunnel.errors import DefinitionError, MergeError
from salesfunnel.kernel.sketch import DurationSketch
from salesfunnel.kernel.sums import ExactSums
from salesfunnel.log.labels import Group
from salesfunnel.log.merging import align, find
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import from_microseconds
from salesfunnel.text.catalogue import default_language, resolve
from salesfunnel.wording import Wording

if TYPE_CHECKING:
    from salesfunnel.text.markup import Html


@attrs.frozen(slots=False, eq=False)
class StageFlow(Exports):
    """Transitions added up from state to state; a value that adds.

    The flows of two logs that share no opportunity, taken at the same instant, add up to the flow
    of both.

    As CSV, JSON, Parquet and a dataframe it has a row for each group, source and target where
    something is not zero: how often, whole seconds and microseconds, amounts in whole units and
    millionths, and the instant of knowledge. A row without a source counts starts, one without a
    target those who stand there.

    Attributes
    ----------
    states : tuple of str
        Keys of the S states.
    by : tuple of str
        Attributes and periods that make the groups; empty where there are none.
    groups : tuple or None
        Names of the G groups; None without groups, and then the arrays have no first axis.
    counts : (G, S, S) int64
        Transitions, ``[group, from, to]``.
    durations : ExactSums of (G, S, S), or None
        Time from the entry into one state to that into the next: whole seconds and microseconds.
        None where they were not asked for.
    amounts : ExactSums of (G, S, S), or None
        Amounts known at the transitions: whole units and millionths. None where no amounts are.
    starts, ends : (G, S) int64
        Opportunities by the state that they started in, and by the one that they stand in.
    instant : int or None
        The instant of knowledge, microseconds since 1970 in UTC; None for an empty log.
    zone : str or None
        Name of the time zone that periods are cut in; None where no period makes groups.
    sketch : DurationSketch of (G, S, S), or None
        Durations in buckets of two percent, which `quantile` reads; None where it was not asked
        for.
    """

    states: tuple[str, ...]
    by: tuple[str, ...]
    groups: tuple[Group, ...] | None
    counts: NDArray[np.int64]
    durations: ExactSums | None
    amounts: ExactSums | None
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    instant: int | None
    zone: str | None = None
    sketch: DurationSketch | None = None

    @property
    def as_of(self) -> datetime | None:
        """The instant of knowledge; None for an empty log."""
        return None if self.instant is None else from_microseconds(self.instant)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Sums of durations in seconds, ``(G, S, S)``; `durations` has them without rounding.

        Raises
        ------
        DefinitionError
            If the flow was made without durations.
        """
        if self.durations is None:
            raise DefinitionError("this flow only counts: make it without durations=False")
        return self.durations.as_float()

    @property
    def amount(self) -> NDArray[np.float64]:
        """Sums of amounts, ``(G, S, S)``, NaN without amounts; `amounts` has them unrounded."""
        return (
            np.full(self.counts.shape, np.nan) if self.amounts is None else self.amounts.as_float()
        )

    def quantile(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return quantiles of durations in seconds, each off by at most one percent of itself.

        They are those of `numpy.quantile` on the durations, of which only counts in buckets are
        kept, which add: the sum of flows has the quantiles of all their durations.

        Parameters
        ----------
        q : number or (n,) sequence
            From 0 to 1; 0.5 is the median.

        Returns
        -------
        array of float
            ``(G, S, S)`` for one number, ``(n, G, S, S)`` for several; NaN where there is no
            transition.

        Raises
        ------
        DefinitionError
            If the flow was made without a sketch, or `q` is not from 0 to 1.

        Notes
        -----
        C. Masson, J. E. Rim, H. K. Lee (2019), DDSketch, Proceedings of the VLDB Endowment 12,
        2195–2205, with buckets of whole microseconds.
        """
        if self.sketch is None:
            raise DefinitionError("this flow has no sketch of durations: make it with sketch=True")
        return self.sketch.quantile(q)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.counts, dtype=dtype, copy=copy)

    def __getitem__(self, group: Group) -> StageFlow:
        """Return the flow of one group, without a group axis.

        Raises
        ------
        UnknownAttributeError
            If there is no such group.
        """
        index = find(self, group)
        return self._ungrouped(
            lambda array: array[index], lambda sums: sums.of(index), lambda sketch: sketch.of(index)
        )

    def total(self) -> StageFlow:
        """Return the flow of all groups together, without a group axis."""
        if self.groups is None:
            return self
        return self._ungrouped(
            lambda array: array.sum(axis=0), ExactSums.total, DurationSketch.total
        )

    def _ungrouped(
        self,
        of_counts: Callable[[NDArray[np.int64]], NDArray[np.int64]],
        of_sums: Callable[[ExactSums], ExactSums],
        of_sketch: Callable[[DurationSketch], DurationSketch],
    ) -> StageFlow:
        return attrs.evolve(
            self,
            by=(),
            groups=None,
            counts=of_counts(self.counts),
            durations=None if self.durations is None else of_sums(self.durations),
            amounts=None if self.amounts is None else of_sums(self.amounts),
            starts=of_counts(self.starts),
            ends=of_counts(self.ends),
            zone=None,
            sketch=None if self.sketch is None else of_sketch(self.sketch),
        )

    def __add__(self, other: object) -> StageFlow:
        if not isinstance(other, StageFlow):
            return NotImplemented
        together = align(self, other)
        if (self.durations is None) != (other.durations is None):
            raise MergeError("cannot add: one has durations, the other only counts")
        return attrs.evolve(
            self,
            groups=together.groups,
            counts=together.add(self.counts, other.counts),
            durations=together.add_sums(self.durations, other.durations),
            amounts=together.add_sums(self.amounts, other.amounts),
            starts=together.add(self.starts, other.starts),
            ends=together.add(self.ends, other.ends),
            instant=together.instant,
            sketch=together.add_sketches(self.sketch, other.sketch),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StageFlow):
            return NotImplemented
        same = ("states", "by", "groups", "instant", "zone")
        ours, theirs = self._arrays(), other._arrays()
        return (
            all(getattr(self, name) == getattr(other, name) for name in same)
            and ours.keys() == theirs.keys()
            and all(np.array_equal(array, theirs[name]) for name, array in ours.items())
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is not hashable

    def _arrays(self) -> dict[str, NDArray[np.int64]]:
        """Return all arrays by name, of those sums that there are."""
        arrays = {"counts": self.counts, "starts": self.starts, "ends": self.ends}
        for name, sums in (("durations", self.durations), ("amounts", self.amounts)):
            if sums is not None:
                arrays |= {f"{name}.whole": sums.whole, f"{name}.micro": sums.micro}
        if self.sketch is not None:
            arrays |= {"sketch.keys": self.sketch.keys, "sketch.counts": self.sketch.counts}
        return arrays

    def save(self, path: str | Path) -> None:
        """Write the flow to an .npz file, for `load`: exactly as it is, without pickle.

        Parameters
        ----------
        path : str or Path
            The same content makes the same bytes.
        """
        from salesfunnel.log.storage import save_flow

        save_flow(self, path)

    @classmethod
    def load(cls, path: str | Path, *, max_bytes: int = MAX_BYTES) -> StageFlow:
        """Return the flow that `save` wrote.

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
        from salesfunnel.log.storage import load_flow

        return load_flow(path, max_bytes)

    # ── for people ────────────────────────────────────────────────────────────────────────────────

    def to_html(self, lang: str | None = None, *, funnel: Funnel | None = None) -> Html:
        """Return the flow as a matrix in HTML; everything in it is escaped.

        Parameters
        ----------
        lang : str, optional
            By default English.
        funnel : Funnel, optional
            Whose names the states have; without it, those of their keys.
        """
        from salesfunnel.log.markup import flow_html

        return flow_html(self, resolve(lang or default_language()), funnel)

    def _repr_html_(self) -> str:
        return self.to_html()

    # ── out and back ──────────────────────────────────────────────────────────────────────────────

    def _saved(self) -> saved.Saved:
        from salesfunnel.log.flowexport import save_flow

        return save_flow(self)

    @classmethod
    def from_csv(
        cls, source: saved.Source, funnel: Funnel, *, max_bytes: int = MAX_TEXT
    ) -> StageFlow:
        """Return the flow of a funnel that ``to_csv(path, raw=True)`` wrote.

        Source and limit are as in `Table.from_csv`.

        Raises
        ------
        DataError
            If it was none; of which kind, as `Table.from_csv`.
        OSError
            If there is no such file.
        """
        from salesfunnel.log.flowexport import flow_of_columns

        columns = saved.from_csv(source, Limits(max_bytes)).columns
        return flow_of_columns(columns, funnel.states, name=saved.name_of(source))

    @classmethod
    def from_json(cls, source: saved.Source, *, max_bytes: int = MAX_TEXT) -> StageFlow:
        """Return the flow that `to_json` wrote; errors are those of `from_csv`."""
        from salesfunnel.log.flowexport import load_flow

        return load_flow(saved.from_json(source, Limits(max_bytes)), saved.name_of(source))

    @classmethod
    def from_parquet(cls, path: str | Path) -> StageFlow:
        """Return the flow that `to_parquet` wrote; errors are those of `from_csv`.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        """
        from salesfunnel.log.flowexport import load_flow

        return load_flow(saved.from_parquet(path), str(path))

    @classmethod
    def from_frame(cls, frame: Any, funnel: Funnel) -> StageFlow:
        """Return the flow of a funnel that `to_frame` made.

        Raises
        ------
        DataError
            If it was none.
        MissingExtraError
            If narwhals is not installed.
        """
        from salesfunnel.log.flowexport import flow_of_columns

        columns = saved.from_dataframe(frame).columns
        return flow_of_columns(columns, funnel.states, name=Wording("the dataframe"))
