"""From columns as they come to rows of codes: parsed and checked here, trusted from here on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rawtable import Values
from salesfunnel.columns.rejects import THE_ROW, Rejects
from salesfunnel.columns.texts import Encoded, Texts
from salesfunnel.columns.times import plain_times, read_times
from salesfunnel.columns.values import (
    as_column,
    in_one_currency,
    plain_values,
    read_amounts,
    read_ids,
    read_ids_unnumbered,
    read_labels,
    read_order,
)
from salesfunnel.errors import DataError
from salesfunnel.kernel.codes import NULL
from salesfunnel.kernel.numbering import by_appearance
from salesfunnel.kernel.strings import Fixed
from salesfunnel.log.rows import Coded, Meaning, Rows, Source
from salesfunnel.log.states import States, read_states
from salesfunnel.model.funnel import Funnel
from salesfunnel.wording import Listed, Wording


class Reader:
    """Reads the columns of a source one after another, noting the rows that cannot be entries.

    Attributes
    ----------
    columns : dict of str to sequence
        The columns that there are, by field; attributes as ``attributes.name``.
    rejects : Rejects
        Rows left out so far, and why.
    """

    def __init__(self, source: Source, meaning: Meaning) -> None:
        self.source = source
        self.meaning = meaning
        self.columns = _columns(source)
        n_rows = len(self.columns["opportunity"])
        self.rejects = Rejects(n_rows, "collect", source.row_number)
        if source.broken:
            _reject_broken(source, self.rejects)

    def states(self) -> States:
        """Return the states of rows."""
        stages, meaning = self.columns["stage"], self.meaning
        stage_map = (
            meaning.stage_map if _is_integers(stages) else {**meaning.names, **meaning.stage_map}
        )
        title = self.source.title("stage")
        return read_states(stages, meaning.funnel, stage_map, self.rejects, title)

    def ids(self) -> tuple[NDArray[np.integer[Any]], NDArray[Any] | None]:
        """Return codes of opportunities and what they stand for, if not for themselves."""
        return read_ids(self.columns["opportunity"], self.rejects, self.source.title("opportunity"))

    def ids_unnumbered(self) -> Fixed | None:
        """Return the identifier of each row; None where they are better numbered at once."""
        title = self.source.title("opportunity")
        return read_ids_unnumbered(self.columns["opportunity"], self.rejects, title)

    def times(self, values: Values, column: str) -> NDArray[np.int64]:
        """Return times as microseconds since 1970 in UTC."""
        return self._read_times(values, self.rejects, column)

    def times_where(
        self, where: NDArray[np.bool_], values: Values, column: str
    ) -> NDArray[np.int64]:
        """Return times of some rows, of which alone faults are noted; those of others are 0."""
        places = np.flatnonzero(where & ~self.rejects.bad)
        chosen: Values
        if isinstance(values, np.ndarray):
            chosen = values[places]
        elif isinstance(values, Texts):
            chosen = values.take(places)
        elif isinstance(values, Encoded):
            chosen = Encoded(values.codes[places], values.values)
        else:
            chosen = [values[place] for place in places.tolist()]
        found = Rejects(len(places), "collect")
        time = np.zeros(len(where), np.int64)
        time[places] = self._read_times(chosen, found, column)
        faults: dict[str, NDArray[np.bool_]] = {}
        for fault in found.settle():
            bad = faults.setdefault(fault.expected, np.zeros(len(where), bool))
            bad[places[fault.row]] = True
        for expected, bad in faults.items():
            self.rejects.add(bad, column, values, expected)
        return time

    def _read_times(self, values: Values, rejects: Rejects, column: str) -> NDArray[np.int64]:
        meaning = self.meaning
        return read_times(
            values,
            rejects,
            column=column,
            tz=meaning.tz,
            date_format=meaning.date_format,
            missing=meaning.missing_time,
        )

    @staticmethod
    def _labels(values: Values) -> Coded | NDArray[np.integer[Any]]:
        """Return labels; integers as they are, which may be few where opportunities keep them."""
        if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
            return values
        return read_labels(values)

    def rows(
        self,
        states: States,
        ids: tuple[NDArray[np.integer[Any]], NDArray[Any] | None],
        time: NDArray[np.int64],
    ) -> Rows:
        """Return the rows that have no fault, with everything else that the source says of them."""
        funnel, source, columns, rejects = (
            self.meaning.funnel,
            self.source,
            self.columns,
            self.rejects,
        )
        reasons = _read_reasons(columns.get("reason"), states.reasons)
        if reasons is not None and funnel.reasons_closed:
            _reject_unknown_reasons(funnel, reasons, states.codes == funnel.lost, rejects, source)
        amounts, currency = _read_amounts(columns, self.meaning.rates, rejects, source)
        numbers = columns.get("order")
        order = None if numbers is None else read_order(numbers, rejects, source.title("order"))
        labels = {
            name: self._labels(columns[f"attributes.{name}"])
            for name, values in source.attributes.items()
            if values is not None
        }
        good = np.flatnonzero(~rejects.bad) if rejects.any else None

        def pick(column: NDArray[Any]) -> NDArray[Any]:
            return column if good is None else column[good]

        bad = rejects.settle()
        if numbers is not None and good is not None:
            plain = plain_values(numbers)
            numbers = [plain[row] for row in good.tolist()]
        codes, identifiers = ids
        codes = pick(codes)
        if good is not None and identifiers is not None:  # a row left out is no appearance
            codes, first = by_appearance(codes, len(identifiers))
            identifiers = identifiers[pick(ids[0])[first]]
        return Rows(
            ids=codes,
            identifiers=identifiers,
            state=pick(states.codes),
            time=pick(time),
            reasons=None if reasons is None else (pick(reasons[0]), reasons[1]),
            amounts=None if amounts is None else pick(amounts),
            currency=currency,
            order=None if order is None else pick(order),
            numbers=numbers,
            given_labels={
                name: pick(given) if isinstance(given, np.ndarray) else (pick(given[0]), given[1])
                for name, given in labels.items()
            },
            bad=bad,
            n_bad=len(bad),
            ignored=0 if states.ignored is None else int(np.count_nonzero(states.ignored)),
        )


def read_rows(source: Source, meaning: Meaning) -> Rows:
    """Return the rows of a source with a row for each entry.

    Raises
    ------
    NaiveTimeError, CurrencyError, DataError, DefinitionError
        As in `StageLog.from_columns`, but for rows that cannot be entries.
    """
    reader = Reader(source, meaning)
    states = reader.states()
    unnumbered = reader.ids_unnumbered()
    ids = reader.ids() if unnumbered is None else (np.arange(len(unnumbered)), None)
    times = reader.columns["entered_at"]
    plain = plain_times(times, meaning.tz)
    if plain is None:
        rows = reader.rows(states, ids, reader.times(times, source.title("entered_at")))
    else:
        rows = reader.rows(states, ids, plain.values)
        if len(rows.time) == len(plain.values):  # bounds of all times are those of these
            rows = rows._replace(time_bounds=plain.bounds)
    if unnumbered is None:
        return rows
    is_whole = len(rows.ids) == len(unnumbered)
    return rows._replace(unnumbered=unnumbered if is_whole else unnumbered.take(rows.ids))


def _columns(source: Source) -> dict[str, Values]:
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
        listing = Listed((f"{source.title(name)} {length:,}" for name, length in lengths.items()))
        raise DataError("the columns of a log are of one length; given: {listing}", listing=listing)
    return columns


def _reject_broken(source: Source, rejects: Rejects) -> None:
    for expected in {row.expected for row in source.broken.values()}:
        found: list[str | None] = [None] * rejects.n_rows
        bad = np.zeros(rejects.n_rows, bool)
        for index, row in source.broken.items():
            found[index] = row.found
            bad[index] = row.expected == expected
        rejects.add(bad, THE_ROW, found, expected)


def _read_reasons(
    column: Values | None,
    mapped: Coded | None,
) -> Coded | None:
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
    reasons: Coded,
    is_loss: NDArray[np.bool_],
    rejects: Rejects,
    source: Source,
) -> None:
    codes, names = reasons
    unknown = np.array([*(not funnel.knows_reason(name) for name in names), False])[codes]
    known = Listed(reason.key for reason in funnel.loss_reasons)
    rejects.add(
        is_loss & unknown,
        source.title("reason"),
        Encoded(codes, names),
        Wording("a reason of the funnel: {known}", known=known),
    )


def _read_amounts(
    columns: Mapping[str, Values],
    rates: Mapping[str, float] | None,
    rejects: Rejects,
    source: Source,
) -> tuple[NDArray[np.float64] | None, str | None]:
    if "amount" not in columns:
        return None, source.currency if isinstance(source.currency, str) else None
    amounts = read_amounts(columns["amount"], rejects, source.title("amount"))
    currency = columns.get("currency", source.currency)
    return in_one_currency(amounts, currency, rates, rejects, source.title("currency"))


def _is_integers(values: Values) -> bool:
    if isinstance(values, np.ndarray):
        return values.dtype.kind in "iu"
    return len(values) > 0 and type(values[0]) is int
