"""From rows of a source, or of its batches, to a StageLog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import THE_ROW, settled
from salesfunnel.columns.texts import Texts
from salesfunnel.errors import BadRow, DataError, DefinitionError
from salesfunnel.kernel.arranging import Ordered, arrange
from salesfunnel.kernel.constant import Constant
from salesfunnel.log.ahead import work_ahead
from salesfunnel.log.joining import join
from salesfunnel.log.keeping import arranged_with_labels, narrow
from salesfunnel.log.labels import Labels
from salesfunnel.log.reader import read_rows
from salesfunnel.log.rows import Meaning, Parsing, Rows, Source
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.periods import to_zone
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.explaining import reworded, said
from salesfunnel.wording import Listed, Wording

TIES = ("input", "state")


class Reading(Parsing, total=False):
    """How a reader reads, in the words of `StageLog.from_columns`."""

    ties: str
    errors: str


def build(
    funnel: Funnel, source: Source | Iterable[Source], **reading: Unpack[Reading]
) -> StageLog:
    """Return the log of a source, or of the batches of one; `StageLog.from_columns` describes how.

    Batches are read one by one, and none is kept.
    """
    rows = read(funnel, source, **reading)
    ties, errors = reading.get("ties", "input"), reading.get("errors", "raise")
    return log_of_rows(
        funnel,
        rows,
        ties=ties,
        tz=to_zone(reading.get("tz")),
        errors=errors,
        in_threads=not isinstance(source, Source),
    )


def read(
    funnel: Funnel,
    source: Source | Iterable[Source],
    *,
    ties: str = "input",
    errors: str = "raise",
    **parsing: Unpack[Parsing],
) -> Rows:
    """Return the rows of a source, or of its batches; errors are those of `build`."""
    check(funnel, ties, errors)
    meaning = Meaning.of(funnel, **parsing)

    def rows_of(member: Source) -> Rows:
        return read_rows(_checked(member, ties), meaning)

    return join(
        [rows_of(source)]
        if isinstance(source, Source)
        else work_ahead(rows_of, source, in_thread=lambda member: isinstance(member.stage, Texts)),
        most_bad=DataError.shown if errors == "raise" else None,
    )


def check(funnel: Funnel, ties: str, errors: str) -> None:
    """Refuse arguments that no source could be read with.

    Raises
    ------
    DefinitionError
    """
    if not isinstance(funnel, Funnel):
        raise DefinitionError("a log needs a Funnel, not {funnel!r}", funnel=funnel)
    if ties not in TIES:
        raise DefinitionError(
            "ties= is one of {known}, not {ties!r}", known=Listed(TIES), ties=ties
        )
    if errors not in ("raise", "collect"):
        raise DefinitionError("errors= is 'raise' or 'collect', not {errors!r}", errors=errors)


def _checked(source: Source, ties: str) -> Source:
    if ties == "state" and source.order is not None:
        raise DefinitionError("ties='state' and order= both settle equal times: give one of them")
    return source


def log_of_rows(
    funnel: Funnel,
    rows: Rows,
    *,
    ties: str,
    tz: tzinfo,
    errors: str,
    as_read: bool = True,
    in_threads: bool = False,
) -> StageLog:
    """Return the log of rows.

    Parameters
    ----------
    funnel : Funnel
    rows : Rows
    ties, tz, errors
        As in `StageLog.from_columns`.
    as_read : bool
        Whether the rows are all that was read, so that each of the labels is some row's.
    in_threads : bool
        Whether two threads may work on it, as they do while a file is read.

    Raises
    ------
    DataError
        If some cannot be entries and ``errors="raise"``.
    """
    rejected = rejected_table(settled(rows.bad, errors, rows.n_bad))
    identifiers = rows.identifiers
    reach = None if identifiers is None else (0, max(len(identifiers) - 1, 0))
    others: list[NDArray[Any]] = []
    if rows.reasons is not None:
        others.append(narrow(*rows.reasons))
    if rows.amounts is not None:
        others.append(rows.amounts)

    def arranged(
        columns: Sequence[NDArray[Any]], reach: tuple[int, int] | None, *, threads: bool
    ) -> Ordered:
        return arrange(
            rows.ids,
            rows.time,
            rows.state,
            len(funnel.states),
            by_state=ties == "state",
            order=rows.order,
            along=[*columns, *others],
            reach=reach,
            time_bounds=rows.time_bounds,
            threads=threads or in_threads,
        )

    whole = as_read and not (rows.n_bad or rows.ignored)
    ordered, attributes = arranged_with_labels(rows, reach, arranged, whole=whole)
    entries, order, along, numbered = ordered
    amounts = None if rows.amounts is None else along.pop()
    if isinstance(amounts, Constant):
        amounts = amounts.at_entries(entries.new)
    reasons = None
    if rows.reasons is not None:
        reasons = Labels(along.pop(), tuple(rows.reasons[1]), new=entries.new)
    records = None
    if order is not None and _against_time(entries.new, order):
        numbers, ranks = np.unique(order, return_inverse=True)  # among rows that are entries
        records = narrow(ranks, numbers)
    return StageLog(
        funnel,
        entries,
        identifiers if numbered is None else numbered,
        reasons=reasons,
        amounts=amounts,
        attributes=attributes,
        tz=tz,
        currency=rows.currency,
        rejected=rejected,
        ignored=rows.ignored,
        records=records,
    )


def source_of_opportunities(opportunities: Iterable[Opportunity], funnel: Funnel) -> Source:
    """Return the histories of opportunities as columns.

    Raises
    ------
    DataError
        If two opportunities have one identifier.
    DefinitionError
        If something is no Opportunity.
    """
    members = tuple(opportunities)
    for member in members:
        if not isinstance(member, Opportunity):
            raise DefinitionError(
                "a log is made of Opportunity values, not of {member!r}", member=member
            )
    seen: set[str] = set()
    for member in members:
        if member.id in seen:
            raise DataError(
                "two opportunities have the id {id!r}; a log needs one of each", id=member.id
            )
        seen.add(member.id)

    rows = [(member, change) for member in members for change in member.history]
    required = {field for stage in funnel for field in stage.required} - {"amount"}
    own = {"customer", "contact", "owner", "source", "product", "currency", "expected_close"}
    names = own | required | {name for member in members for name in member.fields}
    values = {name: [member.value(name) for member, _ in rows] for name in sorted(names)}
    return Source(
        opportunity=[member.id for member, _ in rows],
        stage=[change.stage for _, change in rows],
        entered_at=[change.at for _, change in rows],
        reason=[change.reason for _, change in rows],
        attributes={
            name: column
            for name, column in values.items()
            if name in required or any(value is not None for value in column)
        },
        amount=[member.amount for member, _ in rows],
        currency=[member.currency for member, _ in rows],
    )


def rejected_table(rows: Sequence[BadRow]) -> Table:
    """Return what could not be an entry: row, column, value, expected."""

    def column_name(value: str, lang: str) -> str:
        return value.replace(THE_ROW, said(THE_ROW, lang))

    def hope(value: str, lang: str) -> str:  # one that comes from a file is only a text
        return said(value, lang) if isinstance(value, Wording) else reworded(value, lang)

    values = np.empty(len(rows), object)
    values[:] = [row.value for row in rows]
    return Table(
        [
            Column("row", np.array([row.row for row in rows], np.int64)),
            Column("column", np.array([row.column for row in rows], object), labels=column_name),
            Column("value", values, "text", labels=said),
            Column("expected", np.array([row.expected for row in rows], object), labels=hope),
        ],
        title=Phrase("title.rejected"),
    )


def _against_time(new: NDArray[np.bool_], order: NDArray[np.int64]) -> bool:
    """Return whether sorted entries were recorded in another order than that of their times."""
    return bool((~new[1:] & (order[1:] < order[:-1])).any())
