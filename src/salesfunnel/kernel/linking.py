"""The entries that count, a chunk at a time, so that every two consecutive ones meet once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.packing import chunks

Rows = slice | NDArray[np.int64]
"""Numbers of entries, ascending."""


def linked_rows(
    entries: Entries, known: NDArray[np.bool_] | None, keep_repeats: bool
) -> Iterator[Rows]:
    """Yield the entries that count, at most a chunk and one at a time.

    From the second time on, the last one of the time before is the first, so that every two
    consecutive ones are together once.
    """
    previous = -1
    for rows in _rows_that_count(entries, known, keep_repeats):
        first = rows.start if isinstance(rows, slice) else int(rows[0])
        if previous < 0:
            yield rows
        elif isinstance(rows, slice) and previous == first - 1:
            yield slice(previous, rows.stop)
        else:
            yield np.append(previous, _numbers(rows))
        previous = last_of(rows)


def last_of(rows: Rows) -> int:
    """Return the last of some rows."""
    return rows.stop - 1 if isinstance(rows, slice) else int(rows[-1])


def targets_of(rows: Rows) -> Rows:
    """Return all rows but the first."""
    return slice(rows.start + 1, rows.stop) if isinstance(rows, slice) else rows[1:]


def _numbers(rows: Rows) -> NDArray[np.int64]:
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


def _rows_that_count(
    entries: Entries, known: NDArray[np.bool_] | None, keep_repeats: bool
) -> Iterator[Rows]:
    """Yield the entries that count, a chunk at a time: a slice where all of a chunk do."""
    for start, stop in chunks(len(entries)):
        counts = None if known is None else known[start:stop].copy()
        if not keep_repeats and entries.repeats:
            fresh = np.ones(stop - start, bool)
            since = max(start, 1)
            np.not_equal(
                entries.state[since:stop],
                entries.state[since - 1 : stop - 1],
                out=fresh[since - start :],
            )
            fresh |= entries.new[start:stop]
            counts = fresh if counts is None else counts & fresh
        if counts is None or counts.all():
            yield slice(start, stop)
        elif counts.any():
            yield start + np.flatnonzero(counts)
