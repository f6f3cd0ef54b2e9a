"""From columns as they come to a StageLog: parsed and checked here, trusted from here on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rawtable import Broken
from salesfunnel.columns.rejects import Rejects, RowNumber
from salesfunnel.columns.times import read_times
from salesfunnel.columns.values import (
    as_column,
    in_one_currency,
    read_amounts,
    read_ids,
    read_labels,
    read_order,
)
from salesfunnel.errors import BadRow, DataError, DefinitionError
from salesfunnel.kernel.codes import NULL
from salesfunnel.kernel.entries import Columns, Entries, arrange
from salesfunnel.kernel.ordering import permutation
from salesfunnel.log.labels import Labels
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.states import StageMap, read_states
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.periods import to_zone
from salesfunnel.table import Column, Phrase, Table

TIES = ("input", "state")


class Source(NamedTuple):
    """Columns of equal length, as a user or a file gives them, and what the source calls them.

    `titles` maps the names of the fields here to those of the columns in the source; `broken` tells
    which rows are none, such as a line of a file with too few cells.
    """

    opportunity: Any
    stage: Any
    entered_at: Any
    reason: Any = None
    attributes: Mapping[str, Any] = {}
    amount: Any = None
    order: Any = None
    currency: Any = None
    titles: Mapping[str, str] = {}
    row_number: RowNumber = lambda index: index
    broken: Mapping[int, Broken] = {}

    def title(self, field: str) -> str:
        """Return what the source calls a field."""
        return self.titles.get(field, field)


def build(
    funnel: Funnel,
    source: Source,
    *,
    stage_map: StageMap | None = None,
    ties: str = "input",
    rates: Mapping[str, float] | None = None,
    missing_time: datetime | date | str | None = None,
    date_format: str | None = None,
    tz: str | tzinfo | None = None,
    errors: str = "raise",
) -> StageLog:
    """Return the log of a source; `StageLog.from_columns` describes arguments and errors."""
    if not isinstance(funnel, Funnel):
        raise DefinitionError(f"a log needs a Funnel, not {funnel!r}")
    if ties not in TIES:
        raise DefinitionError(f"ties= is one of {', '.join(TIES)}, not {ties!r}")
    if ties == "state" and source.order is not None:
        raise DefinitionError("ties='state' and order= both settle equal times: give one of them")
    zone = None if tz is None else to_zone(tz)
    columns = _columns(source)
    n_rows = len(columns["opportunity"])
    rejects = Rejects(n_rows, errors, source.row_number)
    if source.broken:
        _reject_broken(source, rejects)

    states = read_states(columns["stage"], funnel, stage_map, rejects, source.title("stage"))
    ids, identifiers = read_ids(columns["opportunity"], rejects, source.title("opportunity"))
    time = read_times(
        columns["entered_at"],
        rejects,
        column=source.title("entered_at"),
        tz=zone,
        date_format=date_format,
        missing=missing_time,
    )
    reasons = _read_reasons(columns.get("reason"), states.reasons)
    if reasons is not None and funnel.reasons_closed:
        _reject_unknown_reasons(funnel, reasons, states.codes == funnel.lost, rejects, source)
    amounts, currency = _read_amounts(columns, rates, rejects, source)
    order = None
    if "order" in columns:
        order = read_order(columns["order"], rejects, source.title("order"))
    labels = {
        name: read_labels(columns[f"attributes.{name}"])
        for name, values in source.attributes.items()
        if values is not None
    }

    rejected = _rejected_table(rejects.settle())
    good = None if not rejects.bad.any() else np.flatnonzero(~rejects.bad)

    def pick(column: NDArray[Any]) -> NDArray[Any]:
        return column if good is None else column[good]

    ids, state, time = pick(ids), pick(states.codes), pick(time)
    order = None if order is None else pick(order)
    if order is None:
        entries, rows = arrange(
            ids,
            time,
            state,
            len(funnel.states),
            by_state=ties == "state",
            want_rows=bool(labels) or reasons is not None or amounts is not None,
        )
    else:
        rows = permutation(ids, time, order)
        entries = Entries(columns=Columns(ids[rows], state[rows], time[rows]))
        order = order[rows]

    def settle(column: NDArray[Any]) -> NDArray[Any]:
        picked = pick(column)
        return picked if rows is None else picked[rows]

    records = order
    if order is None or not _against_time(entries.opportunity, order):
        records = None
    return StageLog(
        funnel,
        entries,
        identifiers,
        reasons=None if reasons is None else _labels(settle(reasons[0]), reasons[1]),
        amounts=None if amounts is None else settle(amounts),
        attributes={name: _labels(settle(codes), names) for name, (codes, names) in labels.items()},
        tz=to_zone(tz),
        currency=currency,
        rejected=rejected,
        ignored=int(states.ignored.sum()),
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
            raise DefinitionError(f"a log is made of Opportunity values, not of {member!r}")
    seen: set[str] = set()
    for member in members:
        if member.id in seen:
            raise DataError(f"two opportunities have the id {member.id!r}; a log needs one of each")
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


def _columns(source: Source) -> dict[str, Sequence[Any] | NDArray[Any]]:
    given = {
        "opportunity": source.opportunity,
        "stage": source.stage,
        "entered_at": source.entered_at,
        "reason": source.reason,
        "amount": source.amount,
        "order": source.order,
        **{f"attributes.{name}": values for name, values in source.attributes.items()},
    }
    columns = {
        name: as_column(values, source.title(name))
        for name, values in given.items()
        if values is not None
    }
    if source.currency is not None and not isinstance(source.currency, str):
        columns["currency"] = as_column(source.currency, source.title("currency"))
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listing = ", ".join(f"{source.title(name)} {length:,}" for name, length in lengths.items())
        raise DataError(f"the columns of a log are of one length; given: {listing}")
    return columns


def _reject_broken(source: Source, rejects: Rejects) -> None:
    for expected in {row.expected for row in source.broken.values()}:
        found: list[str | None] = [None] * len(rejects.bad)
        bad = np.zeros(len(rejects.bad), bool)
        for index, row in source.broken.items():
            found[index] = row.found
            bad[index] = row.expected == expected
        rejects.add(bad, "(the row)", found, expected)


def _read_reasons(
    column: Sequence[Any] | NDArray[Any] | None,
    mapped: tuple[NDArray[np.int64], list[str]] | None,
) -> tuple[NDArray[np.int64], list[str]] | None:
    """Return the reasons, those of the stage map first; None where there are none at all."""
    if column is None:
        return mapped
    codes, names = read_labels(column)
    if mapped is None:
        return codes, names
    mapped_codes, mapped_names = mapped
    together = sorted({*names, *mapped_names})
    index = {name: code for code, name in enumerate(together)}
    own = np.array([*(index[name] for name in names), NULL])[codes]
    by_map = np.array([*(index[name] for name in mapped_names), NULL])[mapped_codes]
    return np.where(by_map >= 0, by_map, own), together


def _reject_unknown_reasons(
    funnel: Funnel,
    reasons: tuple[NDArray[np.int64], list[str]],
    is_loss: NDArray[np.bool_],
    rejects: Rejects,
    source: Source,
) -> None:
    codes, names = reasons
    unknown = np.array([*(not funnel.knows_reason(name) for name in names), False])[codes]
    texts = [names[code] if code >= 0 else None for code in codes.tolist()]
    known = ", ".join(reason.key for reason in funnel.loss_reasons)
    rejects.add(
        is_loss & unknown, source.title("reason"), texts, f"a reason of the funnel: {known}"
    )


def _read_amounts(
    columns: Mapping[str, Sequence[Any] | NDArray[Any]],
    rates: Mapping[str, float] | None,
    rejects: Rejects,
    source: Source,
) -> tuple[NDArray[np.float64] | None, str | None]:
    if "amount" not in columns:
        return None, source.currency if isinstance(source.currency, str) else None
    amounts = read_amounts(columns["amount"], rejects, source.title("amount"))
    currency = columns.get("currency", source.currency)
    return in_one_currency(amounts, currency, rates, rejects, source.title("currency"))


def _rejected_table(rows: list[BadRow]) -> Table:
    values = np.empty(len(rows), object)
    values[:] = [row.value for row in rows]
    return Table(
        [
            Column("row", np.array([row.row for row in rows], np.int64)),
            Column("column", np.array([row.column for row in rows], object)),
            Column("value", values, "text"),
            Column("expected", np.array([row.expected for row in rows], object)),
        ],
        title=Phrase("title.rejected"),
    )


def _labels(codes: NDArray[np.int64], names: list[str]) -> Labels:
    """Return labels with their codes in the smallest integers that hold them."""
    smallest = next(
        t for t in (np.int8, np.int16, np.int32, np.int64) if len(names) <= np.iinfo(t).max
    )
    return Labels(codes.astype(smallest), tuple(names))


def _against_time(ids: NDArray[np.integer[Any]], order: NDArray[np.int64]) -> bool:
    """Return whether sorted entries were recorded in another order than that of their times."""
    return bool(((ids[1:] == ids[:-1]) & (order[1:] < order[:-1])).any())
