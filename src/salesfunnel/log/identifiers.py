"""Identifiers of two parts: joined in the order of a log of both, and compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.texts import as_objects
from salesfunnel.columns.values import distinct_values
from salesfunnel.errors import MergeError


def join_identifiers(
    a: NDArray[Any], b: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Return the identifiers of both parts, and where they stood one part after the other.

    Integers in arrays ascend, as they do in a log; others stay as they are, for which the order is
    None.

    Parameters
    ----------
    a, b : (m,) arrays
        Of any types, which may differ.

    Raises
    ------
    MergeError
        If both have one identifier.
    """
    together = _concatenated(a, b)
    if together.dtype.kind in "iu":
        order = np.argsort(together, kind="stable")
        together = together[order]
        again = np.flatnonzero(together[1:] == together[:-1])
        if len(again):
            raise _shared(together[again[0]].item())
        return together, order
    codes = distinct_values(together).codes
    again = np.flatnonzero(np.bincount(codes, minlength=1) > 1)
    if len(again):
        raise _shared(together.tolist()[int(np.argmax(codes == again[0]))])
    return together, None


def _concatenated(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return both arrays as one, of which no value is another than it was."""
    if len(a) == 0 or len(b) == 0:
        return b if len(a) == 0 else a
    kinds = {a.dtype.kind, b.dtype.kind}
    if kinds == {"i", "u"}:  # which numpy would make floats
        signed, unsigned = (a, b) if a.dtype.kind == "i" else (b, a)
        for kind in (np.int64, np.uint64):
            limits = np.iinfo(kind)
            if int(unsigned.max()) <= limits.max and int(signed.min()) >= limits.min:
                return np.concatenate([a.astype(kind), b.astype(kind)])
    elif len(kinds) == 1:
        return np.concatenate([a, b])
    return as_objects([*a.tolist(), *b.tolist()])


def _shared(identifier: object) -> MergeError:
    return MergeError(
        "cannot add: both have the opportunity {identifier!r}; milestones add where no "
        "opportunity is in two parts",
        identifier=identifier,
    )


def same_identifiers(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether identifiers are equal, one by one, whatever array they are in."""
    if a.dtype == b.dtype and a.dtype != object:
        return np.array_equal(a, b)
    return len(a) == len(b) and bool(a.tolist() == b.tolist())
