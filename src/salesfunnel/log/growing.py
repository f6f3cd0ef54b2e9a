"""The ways to make a log longer: with rows of columns, or with the entries of another log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack, cast

if TYPE_CHECKING:
    from salesfunnel.log.build import Reading
    from salesfunnel.log.stagelog import StageLog


class Growing:
    """What makes a longer log of a StageLog, which inherits it."""

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
        >>> from salesfunnel.log.stagelog import StageLog
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
        log = cast("StageLog", self)
        rows = read(log.funnel, source, **reading)
        ties, errors = reading.get("ties", "input"), reading.get("errors", "raise")
        return extended(log, rows, replace=replace, ties=ties, errors=errors)

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

        return updated(cast("StageLog", self), other, replace=replace)
