"""Features of which a lead may have several labels at once, as it has tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.values import read_labels
from salesfunnel.errors import BadRow, FeatureError
from salesfunnel.log.labels import Labels
from salesfunnel.model.missing import is_missing
from salesfunnel.wording import Wording

_COLLECTIONS = (list, tuple, set, frozenset, np.ndarray)


@attrs.frozen(eq=False)
class LabelSets:
    """One feature of N leads: the labels of each, in any number.

    Attributes
    ----------
    rows : (P,) int64
        Which lead, ascending: once for each of its labels, and once if it has none.
    labels : Labels
        The labels, (P,); -1 for a lead that has none.
    n_leads : int
    """

    rows: NDArray[np.int64]
    labels: Labels
    n_leads: int

    def take(self, chosen: NDArray[Any] | slice) -> LabelSets:
        """Return the labels of some of the leads: a mask, places, or a slice."""
        leads = np.arange(self.n_leads)[chosen]
        sizes = np.bincount(self.rows, minlength=self.n_leads)
        starts = np.cumsum(sizes) - sizes
        rows = np.repeat(np.arange(len(leads)), sizes[leads])
        within = np.arange(len(rows)) - np.searchsorted(rows, rows)
        places = np.repeat(starts[leads], sizes[leads]) + within
        labels = Labels(self.labels.codes[places], self.labels.names)
        return LabelSets(rows, labels, len(leads))


class Pairs(NamedTuple):
    """Leads and their labels, (P,) each; -1 for a lead that has none."""

    rows: NDArray[np.int64]
    labels: Labels


def is_collection(value: object) -> bool:
    """Return whether a value is of several labels."""
    return isinstance(value, _COLLECTIONS)


def read_label_sets(values: Sequence[Any], name: str) -> LabelSets:
    """Return the labels of each lead; one that stands twice counts once.

    Raises
    ------
    FeatureError
        If the value of a lead is no collection, or one of its labels is none.
    """
    rows: list[int] = []
    members: list[str | None] = []
    for row, value in enumerate(values):
        if is_collection(value):
            found = value.tolist() if isinstance(value, np.ndarray) else value
        elif is_missing(value):
            found = ()
        else:
            raise _refused(
                name, row, value, Wording("a list of labels, as other leads have, or none")
            )
        for member in found:
            if is_collection(member) or is_missing(member):
                raise _refused(name, row, member, Wording("labels, each of them a text"))
        # In an order of their own, so that what they add up to is the same to the last bit.
        distinct: list[str | None] = [*sorted(set(map(str, found)))]
        rows += [row] * max(len(distinct), 1)
        members += distinct or [None]
    codes, names = read_labels(members)
    return LabelSets(np.array(rows, np.int64), Labels(codes, tuple(names)), len(values))


def _refused(name: str, row: int, value: object, expected: str) -> FeatureError:
    return FeatureError(
        "{name} has a value that cannot be used:", [BadRow(row, name, value, expected)], name=name
    )


def no_label_sets(name: str, what: str) -> FeatureError:
    """Return the error for several labels where a lead can have one only."""
    return FeatureError(
        "{name}: {what}, and these leads have several labels; give a column of 0 and 1 for each "
        "label (naive Bayes takes several as they are)",
        name=name,
        what=what,
    )
