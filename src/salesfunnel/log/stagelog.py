"""StageLog: the history of many opportunities, in sorted columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns import saved
from salesfunnel.columns.frames import to_frame
from salesfunnel.columns.texts import Texts, compacted
from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.flows import MAX_BYTES, By, stage_flow
from salesfunnel.log.labels import Labels, Selection, Where, selections
from salesfunnel.log.milestones import Milestones, milestones
from salesfunnel.log.same import same_log
from salesfunnel.log.stagecounts import StageCounts, stage_counts
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.view import View
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.periods import from_microseconds, to_instant, to_zone
from salesfunnel.table import Table
from salesfunnel.text.catalogue import default_language, resolve

if TYPE_CHECKING:
    from salesfunnel.engine.policy import Policy
    from salesfunnel.log.build import Reading

Instant = datetime | date | np.datetime64 | str | int
"""What `as_of=` takes: see `salesfunnel.periods.to_instant`."""


class StageLog:
    """The history of many opportunities: one entry for each state that each of them entered.

    Immutable. Made by `from_columns`, `from_opportunities` or a reader such as `read_csv`; asked by
    `flow`, `stage_counts`, `milestones`, `conform`, and by everything in `metrics`.

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
        codes = [labels.codes for labels in (reasons, *attributes.values()) if labels is not None]
        for column in (self._identifiers, amounts, records, *codes):
            if isinstance(column, np.ndarray):
                column.flags.writeable = False

    # ── making one ────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def from_columns(
        cls,
        funnel: Funnel,
        *,
        opportunity: Any,
        stage: Any,
        entered_at: Any,
        reason: Any = None,
        attributes: Mapping[str, Any] | None = None,
        amount: Any = None,
        stage_map: Mapping[Any, Any] | None = None,
        order: Any = None,
        ties: str = "input",
        currency: Any = None,
        rates: Mapping[str, float] | None = None,
        missing_time: datetime | date | str | None = None,
        date_format: str | None = None,
        tz: str | tzinfo | None = None,
        errors: str = "raise",
    ) -> StageLog:
        """Return a log of columns of equal length N, one row for each entry, in any order.

        Parameters
        ----------
        funnel : Funnel
        opportunity : (N,) sequence
            Identifiers: texts or integers.
        stage : (N,) sequence
            Keys of states, or an integer array of their codes.
        entered_at : (N,) sequence
            Datetimes, dates, ISO 8601 texts, a datetime64 array, or an integer array of
            microseconds since 1970 in UTC. What names no zone is read in `tz`.
        reason : (N,) sequence, optional
            Loss reasons; they count at entries into ``lost``.
        attributes : mapping of str to (N,) sequence, optional
            Labels to group by, as known at each entry: owner, source, product …
        amount : (N,) sequence, optional
            Amounts as known at each entry.
        stage_map : mapping, optional
            What a value of `stage` means: a state's key, ``("lost", reason)``, or None for no
            entry. What is not in it must be a key of the funnel itself.
        order : (N,) sequence of numbers, optional
            Settles equal times of one opportunity, as a record number does.
        ties : {"input", "state"}
            Without `order`: equal times keep the order of the rows, or go by state.
        currency : str or (N,) sequence, optional
            Currency of the amounts, or of each.
        rates : mapping of str to float, optional
            What one unit of each currency is worth in the log's; needed for mixed currencies.
        missing_time : datetime, date or str, optional
            Time of the rows that have none.
        date_format : str, optional
            Form of texts in `entered_at`, as in `datetime.strptime`; ``"lenient"`` reads any form
            that is not ambiguous.
        tz : str or tzinfo, optional
            Zone of times that name none (an IANA name or a tzinfo), and the log's business time
            zone.
        errors : {"raise", "collect"}
            Whether rows that cannot be entries raise, or are kept in `rejected`.

        Raises
        ------
        DataError
            If rows cannot be entries and ``errors="raise"``: it lists them.
        NaiveTimeError
            If a time names no zone and there is no `tz`.
        CurrencyError
            If amounts are in several currencies and there are no `rates`.
        DefinitionError
            If an argument is not of this form.
        """
        from salesfunnel.log.build import build
        from salesfunnel.log.rows import Source

        source = Source(
            opportunity=opportunity,
            stage=stage,
            entered_at=entered_at,
            reason=reason,
            attributes=attributes or {},
            amount=amount,
            order=order,
            currency=currency,
        )
        return build(
            funnel,
            source,
            stage_map=stage_map,
            ties=ties,
            rates=rates,
            missing_time=missing_time,
            date_format=date_format,
            tz=tz,
            errors=errors,
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        funnel: Funnel,
        *,
        opportunity: str | None = None,
        stage: str | None = None,
        entered_at: str | None = None,
        reason: str | None = None,
        attributes: Iterable[str] | Mapping[str, str] = (),
        amount: str | None = None,
        order: str | None = None,
        currency: str | None = None,
        **reading: Unpack[Reading],
    ) -> StageLog:
        """Return the log of a dataframe with one row for each entry, in any order.

        Needs the extra ``frames``. Rows are numbered in errors by their place, from 0; the index of
        a pandas dataframe is not looked at.

        Parameters
        ----------
        frame : dataframe
            Of pandas, polars, pyarrow, modin, cuDF or what else narwhals knows, with its rows in
            memory; or a DuckDB relation.
        funnel : Funnel
        opportunity, stage, entered_at : str
            Columns of the identifier, the stage and the time of entry. Without any of the three,
            the dataframe is one that `to_frame` made, all of whose columns are known.
        reason, amount, order : str, optional
            Columns of the loss reason, the amount and what settles equal times.
        attributes : sequence of str, or mapping of str to str
            Columns to group by; as a mapping, from the name of the attribute to that of the column.
        currency : str, optional
            The column of each amount's currency if there is one of that name, else the currency of
            all.
        **reading
            ``stage_map``, ``ties``, ``rates``, ``missing_time``, ``date_format``, ``tz`` and
            ``errors``, as in `from_columns`.

        Raises
        ------
        DefinitionError
            If it is no dataframe, or its rows are not in memory.
        MissingColumnError
            If it lacks a column.
        MissingExtraError
            If narwhals is not installed.
        DataError, NaiveTimeError, CurrencyError, DefinitionError
            As in `from_columns`.
        """
        from salesfunnel.log.export import log_of_columns
        from salesfunnel.log.read import Fields, log_of_frame

        if opportunity is None or stage is None or entered_at is None:
            if {opportunity, stage, entered_at, reason, amount, order} != {None} or attributes:
                raise DefinitionError(
                    "opportunity=, stage= and entered_at= are needed; without any column named, "
                    "the dataframe is one that StageLog.to_frame made"
                )
            columns, tz = saved.from_dataframe(frame).columns, reading.get("tz")
            return log_of_columns(columns, funnel, tz=tz, currency=currency, name="the dataframe")
        fields = Fields(opportunity, stage, entered_at, reason, attributes, amount, order, currency)
        return log_of_frame(frame, funnel, fields, reading)

    @classmethod
    def from_opportunities(
        cls,
        opportunities: Iterable[Opportunity],
        funnel: Funnel,
        *,
        rates: Mapping[str, float] | None = None,
        tz: str | tzinfo | None = None,
        errors: str = "raise",
    ) -> StageLog:
        """Return a log of the histories of opportunities.

        Their customer, contact, owner, source, product, currency and expected close, and every one
        of their free `fields`, become attributes: the values of now, as an opportunity keeps no
        others.

        Raises
        ------
        DataError, CurrencyError
            As in `from_columns`.
        """
        from salesfunnel.log.build import build, source_of_opportunities

        source = source_of_opportunities(opportunities, funnel)
        return build(funnel, source, rates=rates, tz=tz, errors=errors)

    # ── more of it ────────────────────────────────────────────────────────────────────────────────

    def extend(
        self,
        *,
        opportunity: Any,
        stage: Any,
        entered_at: Any,
        reason: Any = None,
        attributes: Mapping[str, Any] | None = None,
        amount: Any = None,
        order: Any = None,
        currency: Any = None,
        replace: str = "entry",
        **reading: Unpack[Reading],
    ) -> StageLog:
        """Return this log with more rows, as `from_columns` takes them; it does not change itself.

        The same rows again change nothing. A row with the opportunity, the time and the state of an
        entry that there is corrects it: its reason, amount and labels take the place of those
        before, of the columns that are given. All others are new entries; at equal times they come
        after those that there are. Record numbers (`order`) are taken to be later than all before.

        Parameters
        ----------
        opportunity, stage, entered_at, reason, attributes, amount, order, currency
            As in `from_columns`.
        replace : {"entry", "opportunity"}
            Whether rows correct entries one by one, or take the place of all that was known of
            their opportunities. Take the second where the rows are whole histories, so that what
            was deleted or moved in time is gone.
        **reading
            ``stage_map``, ``ties``, ``rates``, ``missing_time``, ``date_format``, ``tz`` and
            ``errors``, as in `from_columns`; `tz` is that of the new rows only.

        Returns
        -------
        StageLog
            Its `rejected` and `ignored` are of the new rows.

        Raises
        ------
        DataError, NaiveTimeError, CurrencyError, DefinitionError
            As in `from_columns`; also a CurrencyError if the new amounts are in another currency.

        Examples
        --------
        >>> from salesfunnel.model.funnel import Funnel
        >>> rows = {"opportunity": ["A"], "stage": ["lead"], "entered_at": ["2026-01-05"]}
        >>> log = StageLog.from_columns(Funnel(["lead", "demo"]), **rows, tz="UTC")
        >>> log.extend(**rows, tz="UTC") == log
        True
        >>> won = {"opportunity": ["A"], "stage": ["won"], "entered_at": ["2026-02-03"]}
        >>> len(log.extend(**won, tz="UTC"))
        2
        """
        from salesfunnel.log.build import read
        from salesfunnel.log.extend import extended
        from salesfunnel.log.rows import Source

        source = Source(
            opportunity=opportunity,
            stage=stage,
            entered_at=entered_at,
            reason=reason,
            attributes=attributes or {},
            amount=amount,
            order=order,
            currency=currency,
        )
        rows = read(self.funnel, source, **reading)
        ties, errors = reading.get("ties", "input"), reading.get("errors", "raise")
        return extended(self, rows, replace=replace, ties=ties, errors=errors)

    def update(self, other: StageLog, *, replace: str = "entry") -> StageLog:
        """Return this log with the entries of another, such as a reader returns for a newer file.

        What is said in `extend` of rows holds for its entries; `rejected` and `ignored` are those
        of the other.

        Raises
        ------
        MergeError
            If the other log is of another funnel.
        CurrencyError
            If its amounts are in another currency.
        DefinitionError
            If `replace` is none of the two, or `other` is no log.
        """
        from salesfunnel.log.extend import updated

        return updated(self, other, replace=replace)

    # ── out and back ──────────────────────────────────────────────────────────────────────────────

    def to_csv(self, path: str | Path | None = None, *, raw: bool = False) -> str:
        """Return the entries as CSV, and write it to a file if one is given.

        The columns are opportunity, stage (its key) and entered_at, then those there are of reason,
        amount and record, and the attributes.

        Parameters
        ----------
        path : str or Path, optional
        raw : bool
            By default what a spreadsheet would take for a formula is disarmed; ``raw=True`` writes
            what is there, which `from_csv` reads back unchanged.
        """
        from salesfunnel.log.export import save_log

        return saved.to_csv(save_log(self).columns, path, raw=raw)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the log with its funnel as JSON, and write it to a file if one is given."""
        from salesfunnel.log.export import save_log

        return saved.to_json(save_log(self), path)

    def to_parquet(self, path: str | Path) -> None:
        """Write the log with its funnel to a Parquet file.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        """
        from salesfunnel.log.export import save_log

        saved.to_parquet(save_log(self), path)

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the entries as a dataframe with the columns of `to_csv`.

        ``from_frame(frame, log.funnel, tz=log.tz, currency=log.currency)`` reads them back
        unchanged, if identifiers are texts or 64-bit integers. Errors are those of
        `Table.to_frame`.
        """
        from salesfunnel.log.export import save_log

        return to_frame(save_log(self).columns, backend)

    @classmethod
    def from_csv(
        cls,
        source: saved.Source,
        funnel: Funnel,
        *,
        tz: str | tzinfo | None = None,
        currency: str | None = None,
    ) -> StageLog:
        """Return the log of a funnel that ``to_csv(path, raw=True)`` wrote.

        The zone and the currency are not in the file. `sf.read_csv` reads files of others.

        Raises
        ------
        DataError
            If it was none; of which kind, as `Table.from_csv`.
        OSError
            If there is no such file.
        """
        from salesfunnel.log.export import log_of_columns

        columns, name = saved.from_csv(source).columns, saved.name_of(source)
        return log_of_columns(columns, funnel, tz=tz, currency=currency, name=name)

    @classmethod
    def from_json(cls, source: saved.Source) -> StageLog:
        """Return the log that `to_json` wrote; errors are those of `from_csv`."""
        from salesfunnel.log.export import load_log

        return load_log(saved.from_json(source), saved.name_of(source))

    @classmethod
    def from_parquet(cls, path: str | Path) -> StageLog:
        """Return the log that `to_parquet` wrote; errors are those of `from_csv`.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        """
        from salesfunnel.log.export import load_log

        return load_log(saved.from_parquet(path), str(path))

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

    @classmethod
    def load(cls, path: str | Path, *, max_bytes: int = MAX_BYTES) -> StageLog:
        """Return the log that `save` wrote.

        Parameters
        ----------
        path : str or Path
        max_bytes : int
            The most bytes that compressed parts of the file may have; `save` compresses none.

        Raises
        ------
        FileFormatError
            If `save` did not write the file, it is of a newer version or damaged, or this machine
            does not know its time zone.
        EmptyFileError, TruncatedFileError, FileLimitError
            If it is empty, breaks off, or is larger than `max_bytes`.
        OSError
            If there is no such file.
        """
        from salesfunnel.log.logstorage import load_log

        return load_log(path, max_bytes)

    # ── what is in it ─────────────────────────────────────────────────────────────────────────────

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StageLog):
            return NotImplemented
        return same_log(self, other)

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is not hashable

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.entries)

    def to_html(self, lang: str | None = None) -> str:
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
        columns = [self.amounts, self.records, None if self.reasons is None else self.reasons.codes]
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
            known = ", ".join(self._attributes) or "none"
            raise UnknownAttributeError(
                f"the log has no attribute {name!r}; it has {known}"
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
            raise DefinitionError(f"repeats= is 'collapse' or 'keep', not {repeats!r}")
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
