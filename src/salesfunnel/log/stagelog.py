"""StageLog: the history of many opportunities, in sorted columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.exports import Exports
from salesfunnel.columns.saved import Saved
from salesfunnel.columns.texts import Texts, compacted
from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.constructors import Constructors
from salesfunnel.log.flows import MAX_BYTES, By, stage_flow
from salesfunnel.log.growing import Growing
from salesfunnel.log.labels import Labels, Selection, Where, selections
from salesfunnel.log.milestones import Milestones, milestones
from salesfunnel.log.same import same_log
from salesfunnel.log.stagecounts import StageCounts, stage_counts
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.view import View
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import from_microseconds, to_instant, to_zone
from salesfunnel.table import Table
from salesfunnel.text.catalogue import default_language, resolve
from salesfunnel.wording import Listed, Wording

if TYPE_CHECKING:
    from salesfunnel.engine.policy import Policy
    from salesfunnel.text.markup import Html

Instant = datetime | date | np.datetime64 | str | int
"""What `as_of=` takes: see `salesfunnel.periods.to_instant`."""


class StageLog(Constructors, Growing, Exports):
    """The history of many opportunities: one entry for each state that each of them entered.

    Immutable. Made by `from_columns`, `from_opportunities` or a reader such as `read_csv`; asked by
    `flow`, `stage_counts`, `milestones`, `conform`, and by everything in `metrics`.

    As CSV, JSON, Parquet and a dataframe it has a row for each entry, in its order: opportunity,
    stage (its key) and entered_at, then those there are of reason, amount and record, and the
    attributes. JSON and Parquet have the funnel, the zone and the currency with them. From a
    dataframe identifiers come back unchanged if they are texts or 64-bit integers.

    Attributes
    ----------
    funnel : Funnel
        The stages.
    entries : Entries
        The sorted columns, packed.
    tz : tzinfo
        The business time zone: how naive times were read, and where periods are cut.
    currency : str or None
        Currency of the amounts, where it was given.
    rejected : Table
        What could not be an entry, with ``errors="collect"``: row, column, value, expected.
    ignored : int
        Rows that the stage map says are no entries.
    records : (N,) integers or None
        Ranks of the record numbers (`order=`); None where entries were recorded in the order of
        their times.
    """

    def __init__(
        self,
        funnel: Funnel,
        entries: Entries,
        identifiers: NDArray[Any] | Texts | None,
        *,
        reasons: Labels | None,
        amounts: NDArray[np.float64] | None,
        attributes: Mapping[str, Labels],
        tz: tzinfo,
        currency: str | None,
        rejected: Table,
        ignored: int,
        records: NDArray[np.signedinteger[Any]] | None = None,
    ) -> None:
        self.funnel = funnel
        self.entries = entries
        self._identifiers = (
            compacted(identifiers) if isinstance(identifiers, np.ndarray) else identifiers
        )
        self.reasons = reasons
        self.amounts = amounts
        self.tz = tz
        self.currency = currency
        self.rejected = rejected
        self.ignored = ignored
        self.records = records
        self._attributes = dict(attributes)
        self._last_entry = None if entries.time_bounds is None else entries.time_bounds[1]
        self._views: dict[tuple[int | None, tuple[Selection, ...]], View] = {}
        for labels in self._labels:
            labels.freeze()
        for column in (self._identifiers, amounts, records):
            if isinstance(column, np.ndarray):
                column.flags.writeable = False

    @property
    def _labels(self) -> list[Labels]:
        return [*self._attributes.values(), *([] if self.reasons is None else [self.reasons])]

    # ── out ───────────────────────────────────────────────────────────────────────────────────────

    def _saved(self) -> Saved:
        from salesfunnel.log.export import save_log

        return save_log(self)

    def save(self, path: str | Path) -> None:
        """Write the log to an .npz file, for `load`: exactly as it is, without pickle.

        Funnel, zone, currency, and what was rejected and ignored are in it.

        Parameters
        ----------
        path : str or Path
            The same content makes the same bytes.

        Raises
        ------
        DefinitionError
            If an identifier is of a type that no file has (it may be a text, bytes, a number, a
            Decimal, a UUID, a datetime or a date), or the zone has neither a name nor one offset.
        """
        from salesfunnel.log.logstorage import save_log

        save_log(self, path)

    # ── what is in it ─────────────────────────────────────────────────────────────────────────────

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StageLog):
            return NotImplemented
        return same_log(self, other)

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is not hashable

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.entries)

    def to_html(self, lang: str | None = None) -> Html:
        """Return what the log is, as HTML, in English by default; everything in it is escaped."""
        from salesfunnel.log.markup import log_html

        return log_html(self, resolve(lang or default_language()))

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        return (
            f"StageLog({len(self):,} entries of {self.n_opportunities:,} opportunities, "
            f"{len(self.funnel)} stages, as of {self.as_of})"
        )

    @property
    def n_opportunities(self) -> int:
        """The number of opportunities."""
        return len(self.entries.first_rows)

    @property
    def nbytes(self) -> int:
        """Bytes that entries, reasons, amounts and record numbers take; labels come on top."""
        columns = self.amounts, self.records, self.reasons
        return self.entries.nbytes + sum(c.nbytes for c in columns if c is not None)

    @property
    def opportunities(self) -> NDArray[Any]:
        """The identifiers, (M,), in the order of the entries."""
        return self.identify(self.entries.opportunity[self.entries.first_rows])

    @property
    def identifiers(self) -> NDArray[Any] | Texts | None:
        """What the codes of opportunities in `entries` stand for; None if for themselves."""
        return self._identifiers

    def identify(self, codes: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Return the identifiers of opportunities, given by their codes in the entries."""
        if isinstance(self._identifiers, Texts):
            return self._identifiers.take(codes).array()
        return codes if self._identifiers is None else self._identifiers[codes]

    @property
    def as_of(self) -> datetime | None:
        """The instant of knowledge: the last entry; None for an empty log."""
        last = self._last_entry
        return None if last is None else from_microseconds(last)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes that opportunities can be grouped by."""
        return tuple(self._attributes)

    def attribute(self, name: str) -> Labels:
        """Return the codes and names of an attribute's labels.

        Raises
        ------
        UnknownAttributeError
            If the log has no such attribute.
        """
        try:
            return self._attributes[name]
        except (KeyError, TypeError):
            known = Listed(self._attributes) or Wording("none")
            raise UnknownAttributeError(
                "the log has no attribute {name!r}; it has {known}", name=name, known=known
            ) from None

    # ── aggregates ────────────────────────────────────────────────────────────────────────────────

    def ends_by(self, instant: int) -> bool:
        """Return whether an instant, in microseconds, leaves out no entry."""
        return self._last_entry is None or self._last_entry <= instant

    def view(self, as_of: Instant | None = None, where: Where | None = None) -> View:
        """Return what the log says at an instant, which every aggregate is made from.

        Parameters
        ----------
        as_of : datetime, date or str, optional
            The instant of knowledge, inclusive; by default the last entry.
        where : mapping of str to label or collection of labels, optional
            The labels, as last known at `as_of`, of the opportunities that count; by default all
            opportunities do.

        Raises
        ------
        UnknownAttributeError
            If the log has no such attribute or label.
        DefinitionError
            If an argument is not of this form.
        """
        instant = self._last_entry
        if as_of is not None:
            asked = to_instant(as_of, self.tz, "as_of=")
            instant = asked if len(self) else None
        chosen = selections(where)
        for selection in chosen:
            selection.codes(self.attribute(selection.attribute).names)
        view = self._views.get((instant, chosen))
        if view is None:
            view = View(self, instant, where=chosen)
            # The default view and one other are worth their memory.
            latest = (self._last_entry, ())
            default = self._views.get(latest)
            self._views = {} if default is None else {latest: default}
            self._views[instant, chosen] = view
        return view

    def flow(
        self,
        *,
        by: By | None = None,
        as_of: Instant | None = None,
        where: Where | None = None,
        repeats: str = "collapse",
        tz: str | tzinfo | None = None,
        durations: bool = True,
        sketch: bool = False,
        max_bytes: int = MAX_BYTES,
        progress: Progress | None = None,
    ) -> StageFlow:
        """Return the transitions, added up from state to state.

        Parameters
        ----------
        by : str, Period, or sequence of both, optional
            Attributes and calendar periods to group by. A transition belongs to the label last
            known at its target entry and to the period of that entry, a start to those of the
            first entry, an end to those of the entry into the state where the opportunity stands.
            The words day, week, month, quarter and year are periods.
        as_of : datetime, date or str, optional
            The instant of knowledge, inclusive; by default the last entry.
        where : mapping of str to label or collection of labels, optional
            Which opportunities count, by the labels last known at `as_of`: see `view`.
        repeats : {"collapse", "keep"}
            Whether consecutive entries into one state are one, or transitions from it to itself.
        tz : str or tzinfo, optional
            The zone that periods are cut in, instead of the log's.
        durations : bool
            Whether durations are added up too; without them it takes about half the time.
        sketch : bool
            Whether durations are counted in buckets too, for `StageFlow.quantile`.
        max_bytes : int
            The largest result that is made.
        progress : Progress, optional
            Called as ``progress(done, total, "count")`` while entries are added up, at most 20
            times a second: `salesfunnel.show.progress` is ready-made.

        Returns
        -------
        StageFlow

        Raises
        ------
        UnknownAttributeError, DefinitionError
            If an argument is not of this form.
        SizeError
            If the result would be larger than `max_bytes`, or a sum beyond 64-bit integers.
        """
        view = self.view(as_of, where)
        if repeats == "keep":
            view = View(self, view.as_of, keep_repeats=True, where=view.where)
        elif repeats != "collapse":
            raise DefinitionError(
                "repeats= is 'collapse' or 'keep', not {repeats!r}", repeats=repeats
            )
        zone = None if tz is None else to_zone(tz)
        return stage_flow(
            view,
            by,
            tz=zone,
            durations=durations,
            sketch=sketch,
            max_bytes=max_bytes,
            progress=progress,
        )

    def stage_counts(
        self,
        mode: str = "reached",
        *,
        by: str | Sequence[str] | None = None,
        as_of: Instant | None = None,
        where: Where | None = None,
        progress: Progress | None = None,
    ) -> StageCounts:
        """Return how many opportunities entered each stage, went on, were lost or are open there.

        Parameters
        ----------
        mode : {"reached", "actual", "strict"}
            Whether a stage counts who came at least so far, who entered it, or who entered it and
            all before it in order.
        by : str or sequence of str, optional
            Attributes to group by: the labels last known at `as_of`.
        as_of : datetime, date or str, optional
            The instant of knowledge, inclusive; by default the last entry.
        where : mapping of str to label or collection of labels, optional
            Which opportunities count, by the labels last known at `as_of`: see `view`.
        progress : Progress, optional
            As in `flow`, in entries whose opportunities are looked at.

        Returns
        -------
        StageCounts

        Raises
        ------
        UnknownAttributeError, DefinitionError
            If an argument is not of this form.
        """
        return stage_counts(self.view(as_of, where), mode, by, progress)

    def milestones(self, *, as_of: Instant | None = None, where: Where | None = None) -> Milestones:
        """Return when each opportunity first entered each state, its status and its furthest state.

        Parameters
        ----------
        as_of : datetime, date or str, optional
            The instant of knowledge, inclusive; by default the last entry. Opportunities without an
            entry by then are left out.
        where : mapping of str to label or collection of labels, optional
            Which opportunities count, by the labels last known at `as_of`: see `view`.

        Raises
        ------
        UnknownAttributeError, DefinitionError
            If an argument is not of this form.
        """
        return milestones(self.view(as_of, where))

    def conform(self, policy: Policy | None = None, *, as_of: Instant | None = None) -> Table:
        """Return every breach of the engine's rules, one row each.

        Parameters
        ----------
        policy : Policy, optional
            What is allowed; the default is strict.
        as_of : datetime, date or str, optional
            The instant of knowledge, inclusive; by default the last entry.

        Returns
        -------
        Table
            opportunity, entered_at, from, to, rule, and as detail the missing field or the unknown
            reason.
        """
        from salesfunnel.log.conform import conform

        return conform(self.view(as_of), policy)
