"""Whether two logs say the same, whatever codes and storage they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.log.identifiers import same_identifiers
from salesfunnel.log.labels import Labels

if TYPE_CHECKING:
    from salesfunnel.log.stagelog import StageLog


def same_log(a: StageLog, b: StageLog) -> bool:
    """Return whether two logs have the same entries of the same opportunities, in one order.

    Funnel, zone, currency, states, times, reasons, amounts, record numbers and attributes count;
    how many rows were rejected or ignored on the way does not.
    """
    if (a.funnel, a.currency, a.attributes, len(a)) != (
        b.funnel,
        b.currency,
        b.attributes,
        len(b),
    ) or str(a.tz) != str(b.tz):
        return False
    first, second = a.entries, b.entries
    arrays: list[tuple[NDArray[Any] | None, NDArray[Any] | None]] = [
        (first.state, second.state),
        (first.time, second.time),
        (a.entries.first_rows, b.entries.first_rows),
        (a.amounts, b.amounts),
        (a.records, b.records),
    ]
    for x, y in arrays:
        if (x is None) != (y is None):
            return False
        if x is not None and y is not None and not _equal(x, y):
            return False
    labels = [(a.reasons, b.reasons)]
    labels += [(a.attribute(name), b.attribute(name)) for name in a.attributes]
    return all(_same_labels(x, y) for x, y in labels) and same_identifiers(
        a.opportunities, b.opportunities
    )


def _equal(x: NDArray[Any], y: NDArray[Any]) -> bool:
    return np.array_equal(x, y, equal_nan=x.dtype.kind == "f")


def _same_labels(x: Labels | None, y: Labels | None) -> bool:
    """Return whether labels are the same texts; one that no entry has may be among the names."""
    if x is None or y is None:
        return x is y
    place = {name: code for code, name in enumerate(x.names)}
    recoded = np.array([*(place.get(name, -2) for name in y.names), -1], np.int64)
    return np.array_equal(x.codes, recoded[y.codes])
