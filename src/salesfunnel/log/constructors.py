"""The ways to make a log: of columns, a dataframe or opportunities, and of what a log wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from salesfunnel.columns import saved
from salesfunnel.columns.files import MAX_BYTES as MAX_TEXT
from salesfunnel.columns.files import Limits
from salesfunnel.columns.npz import MAX_BYTES
from salesfunnel.errors import DefinitionError
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.wording import Wording

if TYPE_CHECKING:
    from salesfunnel.log.build import Reading
    from salesfunnel.log.stagelog import StageLog


class Constructors:
    """What makes a StageLog, which inherits it; the modules that read know the class itself."""

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
            return log_of_columns(
                columns, funnel, tz=tz, currency=currency, name=Wording("the dataframe")
            )
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

    # ── back from a file ──────────────────────────────────────────────────────────────────────────

    @classmethod
    def from_csv(
        cls,
        source: saved.Source,
        funnel: Funnel,
        *,
        tz: str | tzinfo | None = None,
        currency: str | None = None,
        max_bytes: int = MAX_TEXT,
    ) -> StageLog:
        """Return the log of a funnel that ``to_csv(path, raw=True)`` wrote.

        The zone and the currency are not in the file. `sf.read_csv` reads files of others. Source
        and limit are as in `Table.from_csv`.

        Raises
        ------
        DataError
            If it was none; of which kind, as `Table.from_csv`.
        OSError
            If there is no such file.
        """
        from salesfunnel.log.export import log_of_columns

        columns, name = saved.from_csv(source, Limits(max_bytes)).columns, saved.name_of(source)
        return log_of_columns(columns, funnel, tz=tz, currency=currency, name=name)

    @classmethod
    def from_json(cls, source: saved.Source, *, max_bytes: int = MAX_TEXT) -> StageLog:
        """Return the log that `to_json` wrote; errors are those of `from_csv`."""
        from salesfunnel.log.export import load_log

        return load_log(saved.from_json(source, Limits(max_bytes)), saved.name_of(source))

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
