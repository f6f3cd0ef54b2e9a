"""Tables of now: one row per opportunity, with its stage and when it was created and closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Unpack

import numpy as np

from salesfunnel.columns.files import MAX_BYTES, MAX_LINE, Limits
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.build import check
from salesfunnel.log.naming import names_of_states
from salesfunnel.log.read import Fields
from salesfunnel.log.reader import Reader
from salesfunnel.log.rows import Meaning, Parsing, Rows
from salesfunnel.log.spread import Seen, Spread, log_of_batches
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.wording import Listed, Wording


def read_current(
    source: Any,
    funnel: Funnel,
    *,
    opportunity: str,
    stage: str,
    created: str,
    closed: str,
    start: str | None = None,
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
    """Return the log of a table of now: one row per opportunity, with the stage where it stands.

    Such a table has no history, and none is made up. An open opportunity is one entry, into its
    stage, at the time when it was created. A closed one (won, lost, or at a post-sale stage) is its
    close; with `start` it also has an entry into that stage when it was created. What stands in
    `closed` of an open one, such as an expected date, is not looked at, and no time is ever taken
    from a column such as “last modified”.

    Parameters
    ----------
    source : path, dataframe, list of records, or a list of any of them
        A path is read by its ending: ``.json``, ``.jsonl``, ``.parquet``, ``.arrow``, and all
        others as CSV; text may be compressed (gzip, zip).
    funnel : Funnel
    opportunity, stage, created, closed : str
        Columns of the identifier, the stage now, and the times when it was created and closed.
    start : str, optional
        The stage that a closed opportunity had entered when it was created.
    reason, attributes, amount, order, currency
        Columns as in `read_csv`; what they say of now is said of every entry of the opportunity.
    max_bytes, max_line, progress
        As in `read_csv`; of several files each is told of by itself.
    ties, errors
        As in `StageLog.from_columns`.
    **parsing
        ``stage_map``, ``rates``, ``missing_time``, ``date_format`` and ``tz``, as in
        `StageLog.from_columns`. `missing_time` stands for any time that an entry
        needs and the row does not have.

    Raises
    ------
    OSError, EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, MissingColumnError
        If the source as a whole cannot be read.
    DataError
        If rows cannot be entries and ``errors="raise"``: for what is told in
        `StageLog.from_columns`, for an identifier that an earlier row has, or for a close before
        the time when it was created. Such rows make no entry at all.
    NaiveTimeError, CurrencyError, DefinitionError, MissingExtraError
        As in `StageLog.from_columns` and `StageLog.from_frame`.

    Examples
    --------
    >>> from salesfunnel.model.funnel import Funnel
    >>> log = read_current(
    ...     [
    ...         {"id": "A", "stage": "Won", "from": "2026-01-05", "to": "2026-02-03"},
    ...         {"id": "B", "stage": "Demo", "from": "2026-01-20", "to": None},
    ...     ],
    ...     Funnel(["lead", "demo"]),
    ...     opportunity="id",
    ...     stage="stage",
    ...     created="from",
    ...     closed="to",
    ...     start="lead",
    ...     tz="UTC",
    ... )
    >>> len(log), log.milestones().status.tolist()
    (3, ['won', 'open'])
    """
    check(funnel, ties, errors)
    first = None if start is None else _start(start, funnel)
    fields = Fields(opportunity, stage, created, reason, attributes, amount, order, currency)
    meaning = Meaning.of(funnel, **parsing)

    def rows_of(table: RawTable, seen: Seen) -> Rows:
        reader = Reader(fields.source(table), meaning)
        states = reader.states()
        spread = Spread(reader, seen)
        is_closed = states.codes >= funnel.n_presale
        needs_start = ~is_closed if first is None else np.ones(len(is_closed), bool)
        started = reader.times_where(needs_start, table.times(created), created)
        ended = reader.times_where(is_closed, table.times(closed), closed)
        reader.rejects.add(
            needs_start & is_closed & (ended < started),
            closed,
            table.scalars(closed),
            Wording("a time not before {created!r}", created=created),
        )
        code = 0 if first is None else first
        begun = np.where(is_closed, code, states.codes)
        return spread.rows(
            states,
            entered=np.column_stack([needs_start, is_closed]),
            state=np.column_stack([begun, states.codes]).astype(np.uint8),
            time=np.column_stack([started, ended]),
        )

    return log_of_batches(
        source,
        funnel,
        rows_of,
        fields=fields,
        more=(closed,),
        limits=Limits(max_bytes, max_line),
        progress=progress,
        ties=ties,
        tz=parsing.get("tz"),
        errors=errors,
    )


def _start(start: str, funnel: Funnel) -> int:
    """Return the code of the stage that opportunities start at."""
    key = names_of_states(funnel).get(start, start)
    stages = [member.key for member in funnel]
    if key not in stages[: funnel.n_presale]:
        raise DefinitionError(
            "start={start!r} is no stage before the sale; the funnel has {stages}",
            start=start,
            stages=Listed(stages[: funnel.n_presale]),
        )
    return funnel.index(key)
