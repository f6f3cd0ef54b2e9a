"""Labels of entries, and the groups that they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.codes import combine

Label = str | None
Group = Label | tuple[Label, ...]
"""What a group is called: a label, None if unknown; or one for each of several attributes."""


class Labels(NamedTuple):
    """One attribute: a code for each entry, -1 where it has none, and what the codes stand for."""

    codes: NDArray[np.integer]
    names: tuple[str, ...]


class Grouping(NamedTuple):
    """A partition of opportunities or transitions.

    Attributes
    ----------
    codes : (n,) int64
        Index of each one's group.
    groups : tuple of Group
        What the groups are called, in order.
    """

    codes: NDArray[np.int64]
    groups: tuple[Group, ...]


def attribute_names(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return the attributes that a ``by=`` names.

    Raises
    ------
    DefinitionError
        If it names none, or one twice.
    """
    names = tuple(by) if isinstance(by, Iterable) and not isinstance(by, str) else (by,)
    if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise DefinitionError(
            f"by= is the name of an attribute or several distinct ones, not {by!r}"
        )
    return names


def group(codes: Sequence[NDArray[np.int64]], names: Sequence[tuple[str, ...]]) -> Grouping:
    """Return the groups that occur: by one attribute a label each, by several a tuple of labels."""
    combined, combinations = combine(list(codes))
    groups: list[Group] = []
    for combination in combinations.tolist():
        labels = tuple(
            None if code < 0 else known[code]
            for code, known in zip(combination, names, strict=True)
        )
        groups.append(labels if len(labels) > 1 else labels[0])
    return Grouping(combined, tuple(groups))
