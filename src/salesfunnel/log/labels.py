"""Labels of entries, and the groups that they make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.kernel.codes import code_type, combine, look_up
from salesfunnel.kernel.constant import Constant
from salesfunnel.kernel.packing import chunks
from salesfunnel.wording import Listed, Wording

Label = str | None
Group = Label | tuple[Label, ...]
"""What a group is called: a label, None if unknown; or one for each of several attributes."""
Where = Mapping[str, Label | Collection[Label]]
"""Which opportunities: for each attribute its label, or those that it may have; None is unknown."""


class Labels:
    """One attribute.

    Attributes
    ----------
    names : tuple of str
        What the codes stand for.
    complete : bool
        Whether it is known that each name occurs, and that no entry is without a label.
    constant : Constant or None
        The code of each opportunity, where it is known that none ever changes it.

    Parameters
    ----------
    codes : (N,) integers or Constant
        Of the label at each entry, or of each opportunity; -1 where it has none.
    names, complete
        As the attributes.
    new : (N,) bool array, optional
        Which entries are the first of their opportunity, for those of whole opportunities.
    """

    def __init__(
        self,
        codes: NDArray[np.integer] | Constant,
        names: tuple[str, ...],
        *,
        complete: bool = False,
        new: NDArray[np.bool_] | None = None,
    ) -> None:
        self.names = names
        self.complete = complete
        self.constant = codes if isinstance(codes, Constant) else None
        self._new = new
        if not isinstance(codes, Constant):
            vars(self)["codes"] = codes

    @cached_property
    def codes(self) -> NDArray[np.integer]:
        """The code of the label at each entry, (N,); -1 where it has none."""
        assert self.constant is not None
        assert self._new is not None
        codes = self.constant.at_entries(self._new)
        codes.flags.writeable = False
        return codes

    @property
    def _arrays(self) -> list[NDArray[np.integer]]:
        constant = [] if self.constant is None else [self.constant.values]
        return constant + ([vars(self)["codes"]] if "codes" in vars(self) else [])

    @property
    def nbytes(self) -> int:
        """Bytes that the codes take."""
        return sum(array.nbytes for array in self._arrays)

    def freeze(self) -> None:
        """Make the codes read-only."""
        for array in self._arrays:
            array.flags.writeable = False


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
            "by= is the name of an attribute or several distinct ones, not {by!r}", by=by
        )
    return names


class Selection(NamedTuple):
    """The labels that one attribute may have.

    Attributes
    ----------
    attribute : str
    labels : tuple of Label
        In order, an unknown one last.
    """

    attribute: str
    labels: tuple[Label, ...]

    def codes(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the codes of the labels, -1 for an unknown one.

        Raises
        ------
        UnknownAttributeError
            If no opportunity of the log has one of them.
        """
        index = {name: code for code, name in enumerate(names)}
        for label in self.labels:
            if label is not None and label not in index:
                known = Listed(repr(name) for name in names[:10])
                more = Wording(" and {n:,} more", n=len(names) - 10) if len(names) > 10 else ""
                raise UnknownAttributeError(
                    "where= asks for the {attribute} {label!r}, which the log does not have; it "
                    "has {known}{more}",
                    attribute=self.attribute,
                    label=label,
                    known=known or Wording("none"),
                    more=more,
                )
        return np.array([-1 if label is None else index[label] for label in self.labels], np.int64)


def selections(where: Where | None) -> tuple[Selection, ...]:
    """Return what a ``where=`` selects, in an order of its own.

    Raises
    ------
    DefinitionError
        If it is no mapping from attributes to labels.
    """
    if where is None:
        return ()
    if not isinstance(where, Mapping) or not all(isinstance(name, str) for name in where):
        raise DefinitionError(
            "where= maps attributes to labels, as in {{'owner': ['li.na', 'wang.wei']}}, not "
            "{where!r}",
            where=where,
        )
    found = []
    for attribute, asked in sorted(where.items()):
        several = isinstance(asked, Iterable) and not isinstance(asked, str)
        labels = list(cast(Iterable[object], asked)) if several else [asked]
        if not labels or not all(label is None or isinstance(label, str) for label in labels):
            raise DefinitionError(
                "where= gives {attribute!r} a label or a list of labels (texts; None for an "
                "unknown one), not {asked!r}",
                attribute=attribute,
                asked=asked,
            )
        texts = sorted({label for label in labels if isinstance(label, str)})
        found.append(Selection(attribute, (*texts, *([None] if None in labels else []))))
    return tuple(found)


def occurring(
    codes: NDArray[np.integer], names: Sequence[str]
) -> tuple[NDArray[np.integer], tuple[Label, ...]]:
    """Return codes of the labels that occur, and these; an unknown one, -1, comes to be the last.

    Parameters
    ----------
    codes : (n,) integers
    names : sequence of str
        What they stand for.
    """
    occurs = np.zeros(len(names) + 1, bool)
    for start, stop in chunks(len(codes)):
        occurs[codes[start:stop]] = True  # -1 is the last place
    places = np.flatnonzero(occurs)
    labels: list[Label] = [*names, None]
    if len(places) < len(occurs) - 1 or occurs[-1]:
        rank = np.cumsum(occurs) - 1
        codes = look_up(rank.astype(code_type(len(places))), codes)
    return codes, tuple(labels[place] for place in places.tolist())


def group(codes: Sequence[NDArray[np.integer]], names: Sequence[tuple[str, ...]]) -> Grouping:
    """Return the groups that occur: by one attribute a label each, by several a tuple of labels."""
    if len(codes) == 1:
        found, labels = occurring(codes[0], names[0])
        return Grouping(found.astype(np.int64, copy=False), labels)
    combined, combinations = combine(list(codes))
    groups: list[Group] = []
    for combination in combinations.tolist():
        labels = tuple(
            None if code < 0 else known[code]
            for code, known in zip(combination, names, strict=True)
        )
        groups.append(labels if len(labels) > 1 else labels[0])
    return Grouping(combined, tuple(groups))
