"""When opportunities should close: the dates that labels of an attribute are."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.times import read_times
from salesfunnel.errors import DataError
from salesfunnel.kernel.standing import NEVER
from salesfunnel.log.view import View
from salesfunnel.wording import Listed, Wording

FOLLOWING = ("expected_close", "forecast_category")
"""Attributes that are set by how a deal goes, so that they tell nothing about why."""

_SHOWN = 10


def expected_close(
    view: View,
    member: NDArray[np.int64],
    attribute: str,
    zone: tzinfo,
    date_format: str | None = None,
) -> NDArray[np.int64]:
    """Return when some opportunities of a view should close, as was last known at its instant.

    Parameters
    ----------
    view : View
    member : (n,) int64
        Which ones, as indices among the m of the view.
    attribute : str
        Whose labels are dates or times.
    zone : tzinfo
        Where those that name no zone are read.
    date_format : str, optional
        Form of the labels, as in `datetime.strptime`; by default ISO 8601; ``"lenient"`` for any
        form that is not ambiguous.

    Returns
    -------
    (n,) int64
        Microseconds since 1970 in UTC; a date is its midnight. `NEVER` where none is known.

    Raises
    ------
    UnknownAttributeError
        If the log has no such attribute.
    DataError
        If a label of one of these opportunities is no date.
    """
    names = view.log.attribute(attribute).names
    # Each date is read once, however many opportunities are expected then.
    codes, index = np.unique(view.label_by(attribute, view.runs.ends[member]), return_inverse=True)
    known = codes >= 0
    labels = [names[code] for code in codes[known].tolist()]
    rejects = Rejects(len(labels), "collect")
    found = read_times(labels, rejects, column=attribute, tz=zone, date_format=date_format)
    if rejects.bad.any():
        bad = [label for label, is_bad in zip(labels, rejects.bad, strict=True) if is_bad]
        more = Wording(" and {n:,} more", n=len(bad) - _SHOWN) if len(bad) > _SHOWN else ""
        form = (
            Wording("an ISO 8601 date such as 2026-03-31")
            if date_format is None
            else repr(date_format)
        )
        raise DataError(
            "the attribute {attribute!r} says when opportunities should close, but {labels}{rest} "
            "cannot be read as {form}; date_format= names the form of its labels, close= another "
            "attribute",
            attribute=attribute,
            labels=Listed(map(repr, bad[:_SHOWN])),
            rest=more,
            form=form,
        )
    times = np.full(len(codes), NEVER)
    times[known] = found
    return np.asarray(times[index])
