"""DuckDB on all its threads: lead() over each opportunity by time, then group."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np

from benchmarks.data import N_OWNERS, Entries
from benchmarks.hotpath.answer import Answer, from_rows

Columns = dict[str, Any]
"""A query reads numpy columns in place; its result is a mapping from names to arrays."""


def _connect() -> duckdb.DuckDBPyConnection:
    """Return a new database in memory that draws no progress bar."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    return connection


_connection = _connect()
"""Opening one takes longer than many a query."""


_FLOW = """
    SELECT source, target, count(*) AS count, sum(passed) / 1e6 AS seconds
    FROM (
        SELECT state AS source, lead(state) OVER w AS target, lead(time) OVER w - time AS passed
        FROM entries
        WINDOW w AS (PARTITION BY opportunity ORDER BY time)
    )
    WHERE target IS NOT NULL
    GROUP BY ALL
"""
_FLOW_OF_SORTED = """
    SELECT source, target, count(*) AS count, sum(passed) / 1e6 AS seconds
    FROM (
        SELECT
            state AS source,
            lead(state) OVER () AS target,
            lead(time) OVER () - time AS passed,
            opportunity = lead(opportunity) OVER () AS same
        FROM {}
    )
    WHERE same
    GROUP BY ALL
"""


def flow(data: Entries) -> Columns:
    """Return counts and seconds of unsorted entries."""
    return _query(_FLOW, entries=data._asdict())


def database(entries: Columns) -> duckdb.DuckDBPyConnection:
    """Return a database in memory with columns as the table ``entries``."""
    connection = _connect()
    connection.register("given", entries)
    connection.execute("CREATE TABLE entries AS FROM given")
    return connection


def flow_of_database(connection: duckdb.DuckDBPyConnection) -> Columns:
    """Return counts and seconds of the table ``entries``, in any order."""
    result: Columns = connection.execute(_FLOW).fetchnumpy()
    return result


def flow_sorted_first(data: Entries) -> Columns:
    """Return the same by sorting all rows, which then stream through a window without partitions.

    Faster, and not what people write.
    """
    return _query(
        _FLOW_OF_SORTED.format("(FROM entries ORDER BY opportunity, time)"), entries=data._asdict()
    )


def flow_of_sorted(ordered: Columns) -> Columns:
    """Return counts and seconds of columns in order, which the window keeps."""
    return _query(_FLOW_OF_SORTED.format("entries"), entries=ordered)


def flow_by_owner(entries: Columns) -> Columns:
    """Return counts and seconds by the owner at the entry into the target."""
    return _query(
        """
        SELECT source, target, owner, count(*) AS count, sum(passed) / 1e6 AS seconds
        FROM (
            SELECT
                state AS source,
                lead(state) OVER w AS target,
                lead(owner) OVER w AS owner,
                lead(time) OVER w - time AS passed
            FROM entries
            WINDOW w AS (PARTITION BY opportunity ORDER BY time)
        )
        WHERE target IS NOT NULL
        GROUP BY ALL
        """,
        entries=entries,
    )


def counts_of_sorted(ordered: Columns) -> Columns:
    """Return the counts of columns in order, which the window keeps."""
    return _query(
        """
        SELECT source, target, count(*) AS count
        FROM (
            SELECT
                state AS source,
                lead(state) OVER () AS target,
                opportunity = lead(opportunity) OVER () AS same
            FROM ordered
        )
        WHERE same
        GROUP BY ALL
        """,
        ordered=ordered,
    )


def matrix(pairs: Columns) -> Columns:
    """Return how often each pair of states occurs."""
    return _query("SELECT source, target, count(*) AS count FROM pairs GROUP BY ALL", pairs=pairs)


def answer(result: Columns) -> Answer:
    """Return the answer of a result of one row for each pair."""
    columns = {name: np.asarray(column) for name, column in result.items()}
    if "owner" in columns:
        return from_rows(
            columns["source"],
            columns["target"],
            columns["count"],
            columns["seconds"],
            group=columns["owner"],
            n_groups=N_OWNERS,
        )
    return from_rows(columns["source"], columns["target"], columns["count"], columns.get("seconds"))


def _query(text: str, **tables: Any) -> Columns:
    for name, table in tables.items():
        _connection.register(name, table)
    result: Columns = _connection.execute(text).fetchnumpy()
    return result
