"""What tables by group share: the columns that name the groups, and sums and quantiles by group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial, reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Group, Selection, attribute_names
from salesfunnel.log.view import View
from salesfunnel.periods import from_microseconds
from salesfunnel.table import Column, Phrase
from salesfunnel.text.catalogue import catalogue


class Groups(NamedTuple):
    """The groups that a table compares; without any, all opportunities are one that has no name.

    Attributes
    ----------
    by : tuple of str
        The attributes; empty without groups.
    names : tuple of Group
        What the groups are called, in the order of their codes; empty without groups.
    codes : (m,) int64
        The group of each opportunity.
    n : int
        How many groups there are: 1 without groups.
    """

    by: tuple[str, ...]
    names: tuple[Group, ...]
    codes: NDArray[np.int64]
    n: int

    def columns(self, index: NDArray[np.integer] | None = None) -> list[Column]:
        """Return the columns that name the group of each row, by default one row for each."""
        return group_columns(self.by, self.names, np.arange(self.n) if index is None else index)


def groups_of(view: View, by: str | Sequence[str] | None) -> Groups:
    """Return the groups that a ``by=`` makes of the opportunities, by their last known labels."""
    if by is None:
        return Groups((), (), np.zeros(len(view.opportunity), np.int64), 1)
    grouping = view.grouping(by)
    return Groups(attribute_names(by), grouping.groups, grouping.codes, len(grouping.groups))


def group_columns(
    by: Sequence[str], groups: Sequence[Group], index: NDArray[np.integer]
) -> list[Column]:
    """Return one column for each attribute, naming the group of each row by its index."""
    columns = []
    for position, attribute in enumerate(by):
        labels = np.empty(len(groups), object)
        labels[:] = [group[position] if isinstance(group, tuple) else group for group in groups]
        columns.append(Column(attribute, labels[index]))
    return columns


def beside(labels: Sequence[Column], columns: Sequence[Column]) -> list[Column]:
    """Return the columns of a table: the groups' labels, then what the table has of its own.

    Raises
    ------
    DefinitionError
        If an attribute is called like one of the table's own columns, which would hide it.
    """
    own = {column.name for column in columns}
    for label in labels:
        if label.name in own:
            raise DefinitionError(
                "by={name!r}: the table has a column of that name; give the attribute another one "
                "when the log is made, as in attributes={{{other!r}: …}}",
                name=label.name,
                other=f"deal_{label.name}",
            )
    return [*labels, *columns]


def as_of_note(view: View) -> list[Phrase]:
    """Return notes on what a view is of: the instant, in the log's zone, and the selection if any.

    An empty log has no instant.
    """
    notes = []
    if view.as_of is not None:
        as_of = from_microseconds(view.as_of, view.log.tz)
        notes.append(Phrase("note.as_of", {"as_of": as_of}))
    if view.where:
        notes.append(Phrase("note.where", {"where": partial(_selected, view.where)}))
    return notes


def money_note(view: View) -> list[Phrase]:
    """Return the note on what the amounts are in, where a view has any and that is known."""
    log = view.log
    if log.amounts is None or log.currency is None:
        return []
    return [Phrase("note.currency", {"currency": log.currency})]


def _selected(where: Sequence[Selection], lang: str) -> str:
    words = catalogue(lang)

    def listed(texts: Iterable[str], key: str) -> str:
        return reduce(lambda head, tail: words.text(key, head=head, tail=tail), texts)

    unknown = words.text("value.unknown")
    return listed(
        (
            f"{words.header(attribute)} = "
            + listed((label or unknown for label in labels), "value.list")
            for attribute, labels in where
        ),
        "value.list_of_lists",
    )


def sums(
    values: NDArray[np.float64], group: NDArray[np.integer], n_groups: int
) -> NDArray[np.float64]:
    """Return sums by group, ``(n_groups,)``; NaN adds nothing.

    In ascending order, so that the order of the rows in the source does not change the last digit.
    """
    known = np.flatnonzero(~np.isnan(values))
    ordered = known[np.argsort(values[known])]
    return np.asarray(np.bincount(group[ordered], values[ordered], minlength=n_groups), np.float64)


def quantiles(
    values: NDArray[np.float64], group: NDArray[np.integer], n_groups: int, q: ArrayLike
) -> NDArray[np.float64]:
    """Return quantiles by group, ``(n_groups, len(q))``; NaN for an empty group.

    Linear between the two nearest values, as `numpy.quantile` does by default (type 7 of Hyndman
    and Fan 1996, The American Statistician 50, 361–365).
    """
    levels = np.atleast_1d(np.asarray(q, float))
    sizes = np.bincount(group, minlength=n_groups)
    if len(values) == 0:
        return np.full((n_groups, len(levels)), np.nan)
    if n_groups == 1:
        ordered = np.sort(values)
    else:
        # By value, then stably by group: codes of 16 bits and fewer are counted and not compared,
        # which takes less than half the time that lexsort takes.
        by_value = np.argsort(values)
        codes = group[by_value].astype(np.min_scalar_type(max(n_groups - 1, 0)))
        ordered = values[by_value[np.argsort(codes, kind="stable")]]
    begin = np.cumsum(sizes) - sizes
    position = np.maximum(sizes - 1, 0)[:, None] * levels
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(sizes - 1, 0)[:, None])
    first = np.minimum(begin, len(values) - 1)[:, None]
    low, high = ordered[first + below], ordered[first + above]
    found = low + (high - low) * (position - below)
    return np.where(sizes[:, None] > 0, found, np.nan)
