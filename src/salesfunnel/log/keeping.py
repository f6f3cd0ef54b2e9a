"""Attributes of rows → labels of a log: for each opportunity where it keeps them, or each entry."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Sized
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.values import read_labels
from salesfunnel.kernel.arranging import Ordered
from salesfunnel.kernel.codes import code_type
from salesfunnel.kernel.constant import Constant, Distances, in_order
from salesfunnel.kernel.packing import bounds
from salesfunnel.kernel.threads import MANY, both
from salesfunnel.log.labels import Labels
from salesfunnel.log.rows import Coded, Rows


class Arrange(Protocol):
    """Arranges entries of opportunities that reach so far, and columns, which come first along."""

    def __call__(
        self, columns: Sequence[NDArray[Any]], reach: tuple[int, int] | None, *, threads: bool
    ) -> Ordered:
        """Return them; `threads` tells whether two may sort."""
        ...


def arranged_with_labels(
    rows: Rows, reach: tuple[int, int] | None, arranged: Arrange, *, whole: bool
) -> tuple[Ordered, dict[str, Labels]]:
    """Return entries in order, and their labels by attribute.

    While entries are sorted, another thread finds out which attributes no opportunity changes;
    those need not be sorted. Integers among them are read once for each opportunity. Where some
    do change, which is more to sort, the other thread sorts as well.

    Parameters
    ----------
    rows : Rows
    reach : tuple of int or None
        The smallest and the largest opportunity, where they are known.
    arranged : callable
        See `Arrange`.
    whole : bool
        Whether the rows are all that was read, so that each of the labels is some row's.
    """
    given = rows.given_labels
    columns = {
        name: codes if isinstance(codes, np.ndarray) else narrow(*codes)
        for name, codes in given.items()
    }
    if columns and reach is None and len(rows.ids):
        reach = bounds(rows.ids)
    distances = Distances(rows.ids, reach or (0, 0))
    hopeful = [name for name, column in columns.items() if distances.may_keep(column)]

    def arranged_without(
        names: Collection[str], *, threads: bool
    ) -> tuple[dict[str, Coded], Ordered]:
        """Return the labels that travel, all but those of some attributes, and entries in order."""
        changing = {name: _coded(given[name]) for name in given if name not in names}
        travelling = [narrow(*coded) for coded in changing.values()]
        return changing, arranged(travelling, reach, threads=threads)

    (changing, ordered), found = both(
        lambda: arranged_without(hopeful, threads=bool(given) and not hopeful),
        lambda: {name: distances.values(columns[name]) for name in hopeful},
        at_once=bool(hopeful) and len(rows.ids) >= MANY,
    )
    kept = {name: table for name, table in found.items() if table is not None}
    if len(kept) < len(found):
        # Some opportunity changes after all what the first ones keep.
        changing, ordered = arranged_without(kept, threads=True)

    new = ordered.entries.new
    labels: dict[str, Labels] = {}

    def add(name: str, codes: NDArray[Any] | Constant, names: Sequence[str]) -> None:
        values = codes.values if isinstance(codes, Constant) else codes
        complete = whole and bool((values >= 0).all())
        labels[name] = Labels(codes, tuple(names), complete=complete, new=new)

    for name, codes in zip(changing, ordered.along, strict=False):
        add(name, codes, changing[name][1])
    tables = in_order(list(kept.values()), ordered.entries, distances.reach)
    for name, (values,) in zip(kept, tables, strict=True):
        known = given[name]
        coded = read_labels(values) if isinstance(known, np.ndarray) else (values, known[1])
        add(name, Constant(narrow(*coded)), coded[1])
    return ordered, {name: labels[name] for name in given}


def _coded(given: Coded | NDArray[np.integer[Any]]) -> Coded:
    return read_labels(given) if isinstance(given, np.ndarray) else given


def narrow(codes: NDArray[np.integer[Any]], values: Sized) -> NDArray[np.signedinteger[Any]]:
    """Return the codes of some values, -1 for none of them, in the smallest integers for that."""
    return codes.astype(code_type(len(values)), copy=False)
