"""Wide tables: one row per opportunity, with a column of dates for each stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.files import MAX_BYTES, MAX_LINE, Limits
from salesfunnel.columns.rawtable import RawTable, Values
from salesfunnel.columns.source import has_records, read_source
from salesfunnel.columns.texts import Texts, are_missing
from salesfunnel.errors import DefinitionError, MissingColumnError
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.build import check
from salesfunnel.log.naming import names_of_states
from salesfunnel.log.read import Fields
from salesfunnel.log.reader import Reader
from salesfunnel.log.rows import Meaning, Parsing, Rows
from salesfunnel.log.spread import Seen, Spread, log_of_batches
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.states import States
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.missing import is_missing
from salesfunnel.wording import Listed, Wording


def read_wide(
    source: Any,
    funnel: Funnel,
    *,
    opportunity: str,
    stages: Mapping[str, str] | None = None,
    reason: str | None = None,
    attributes: Iterable[str] | Mapping[str, str] = (),
    amount: str | None = None,
    order: str | None = None,
    currency: str | None = None,
    max_bytes: int = MAX_BYTES,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
    ties: str = "input",
    errors: str = "raise",
    **parsing: Unpack[Parsing],
) -> StageLog:
    """Return the log of a wide table: one row per opportunity, one column of dates for each state.

    A date in the column of a state is an entry into it; where there is none, the opportunity never
    was there, or has not come so far. Equal times are in the order of the states.

    Parameters
    ----------
    source : path, dataframe, list of records, or a list of any of them
        As in `read_current`.
    funnel : Funnel
    opportunity : str
        Column of the identifier.
    stages : mapping of str to str, optional
        From states (a key, or the name in any language) to the columns of the dates when they were
        entered, ``won`` and ``lost`` among them; by default the columns that are called as states
        are.
    reason, attributes, amount, order, currency
        Columns as in `read_csv`; what they say is said of every entry of the opportunity, and a
        reason counts at the entry into ``lost``.
    max_bytes, max_line, progress
        As in `read_csv`; of several files each is told of by itself.
    ties, errors
        As in `StageLog.from_columns`.
    **parsing
        ``rates``, ``missing_time``, ``date_format`` and ``tz``, as there. `missing_time` lets rows
        without any date in, at the first of the stages; ``stage_map`` is not for here, as `stages`
        names the states.

    Raises
    ------
    OSError, EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, MissingColumnError
        If the source as a whole cannot be read.
    DataError
        If rows cannot be entries and ``errors="raise"``: for what is told in
        `StageLog.from_columns`, for an identifier that an earlier row has, or for a win or a loss
        before everything else. Such rows make no entry at all.
    NaiveTimeError, CurrencyError, DefinitionError, MissingExtraError
        As in `StageLog.from_columns` and `StageLog.from_frame`.

    Examples
    --------
    >>> from salesfunnel.model.funnel import Funnel
    >>> log = read_wide(
    ...     [
    ...         {"id": "A", "Lead": "2026-01-05", "Demo": "2026-01-12", "Won": "2026-02-03"},
    ...         {"id": "B", "Lead": "2026-01-20", "Demo": None, "Won": None},
    ...     ],
    ...     Funnel(["lead", "demo"]),
    ...     opportunity="id",
    ...     tz="UTC",
    ... )
    >>> log.flow().counts.tolist()
    [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    """
    check(funnel, ties, errors)
    if parsing.get("stage_map"):
        raise DefinitionError(
            "a wide table has no names of stages for stage_map= to translate: stages= maps states "
            "to columns"
        )
    limits = Limits(max_bytes, max_line)
    if stages is None and has_records(source):
        # Which columns of dates there are is known at the end, as records may lack any of them.
        source = read_source(source, Wording("the table"), limits=limits, progress=progress)
    meaning = Meaning.of(funnel, **parsing)

    def fields(column: str) -> Fields:
        return Fields(opportunity, column, column, reason, attributes, amount, order, currency)

    def rows_of(table: RawTable, seen: Seen) -> Rows:
        columns = _columns_of(stages, funnel, table)
        reader = Reader(fields(next(iter(columns.values()))).source(table), meaning)
        spread = Spread(reader, seen)
        codes = np.array(list(columns), np.uint8)
        values = [table.times(column) for column in columns.values()]
        entered = np.column_stack([~_missing(dates) for dates in values])
        entered[:, 0] |= ~entered.any(axis=1)
        time = np.column_stack(
            [
                reader.times_where(entered[:, place], dates, column)
                for place, (column, dates) in enumerate(zip(columns.values(), values, strict=True))
            ]
        )
        _reject_early_ends(reader, columns, values, entered, time)
        is_lost = entered[:, codes == funnel.lost].any(axis=1)
        standing = np.where(is_lost, funnel.lost, 0).astype(np.uint8)
        return spread.rows(
            States(standing, np.zeros(len(standing), bool), None),
            entered=entered,
            state=np.tile(codes, (len(entered), 1)),
            time=time,
        )

    return log_of_batches(
        source,
        funnel,
        rows_of,
        fields=fields(next(iter((stages or {}).values()), opportunity)),
        more=(stages or {}).values(),
        limits=limits,
        progress=progress,
        ties=ties,
        tz=parsing.get("tz"),
        errors=errors,
    )


def _columns_of(
    stages: Mapping[str, str] | None, funnel: Funnel, table: RawTable
) -> dict[int, str]:
    """Return the columns of dates by the codes of their states, ascending."""
    names = names_of_states(funnel)
    if stages is None:
        called = {title: title for title in funnel.states} | names
        found: dict[int, str] = {}
        for column in table.columns:
            if (
                column in called
                and found.setdefault(funnel.index(called[column]), column) != column
            ):
                raise DefinitionError(
                    "two columns are called as the state {state!r} is: {column}, {other}; stages= "
                    "says which is meant",
                    state=called[column],
                    column=found[funnel.index(called[column])],
                    other=column,
                )
        if not found:
            raise MissingColumnError(
                "no column of {name} is called as a state is ({states}); stages= maps states to "
                "columns, of which there are {columns}",
                name=table.name,
                states=Listed(funnel.states),
                columns=Listed(table.columns),
            )
        return dict(sorted(found.items()))
    columns: dict[int, str] = {}
    for state, column in stages.items():
        key = names.get(state, state)
        if key not in funnel.states:
            raise DefinitionError(
                "stages= has {state!r}, which is no state of the funnel; it has {states}",
                state=state,
                states=Listed(funnel.states),
            )
        if funnel.index(key) in columns:
            raise DefinitionError("stages= names the state {key!r} twice", key=key)
        table.column(column)
        columns[funnel.index(key)] = column
    if not columns:
        raise DefinitionError("stages= maps states to columns; it is empty")
    return dict(sorted(columns.items()))


def _missing(values: Values) -> NDArray[np.bool_]:
    if isinstance(values, Texts):
        return are_missing(values)
    if isinstance(values, np.ndarray):
        if values.dtype.kind == "M":
            return np.isnat(values)
        if values.dtype.kind in "iu":
            return np.zeros(len(values), bool)
    return np.fromiter(map(is_missing, values), bool, len(values))


def _reject_early_ends(
    reader: Reader,
    columns: Mapping[int, str],
    values: list[Values],
    entered: NDArray[np.bool_],
    time: NDArray[np.int64],
) -> None:
    """Reject rows that were won or lost before any other entry."""
    n_stages = len(reader.meaning.funnel)
    is_stage = np.array([code < n_stages for code in columns])
    if not is_stage.any():
        return
    latest = np.iinfo(np.int64).max
    start = np.where(entered & is_stage, time, latest).min(axis=1)
    for place, (code, column) in enumerate(columns.items()):
        if code >= n_stages:
            reader.rejects.add(
                entered[:, place] & (start < latest) & (time[:, place] < start),
                column,
                values[place],
                Wording("a time not before that of the first stage"),
            )
