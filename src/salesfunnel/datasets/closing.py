"""When generated opportunities are expected to close: dates that their owners would write down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salesfunnel.datasets.market import UNKNOWN, WORKDAY, Entries

_LAST = np.datetime64("9999-12-31").astype(np.int64)
_THURSDAY = 3  # the weekday of the first day of 1970; Monday is 0


def expected_days(
    days: NDArray[np.datetime64],
    entries: Entries,
    visit: NDArray[np.float64],
    factor: NDArray[np.floating],
) -> NDArray[np.int64]:
    """Return the day on which each entry says that its opportunity should close.

    Parameters
    ----------
    days : (D,) datetime64[D]
        The working days that are watched.
    entries : Entries
        N of them.
    visit : (P,) float
        How long a visit to each stage before the sale typically lasts, in seconds of working time.
    factor : (N,) float
        By what the typical time that remains at the stage is multiplied; NaN: no date is known.

    Returns
    -------
    (N,) int64
        Days since 1970, none of them at a weekend, the year 9999 being the last; `UNKNOWN` where no
        date is known, and at entries into WON, LOST and stages after the sale.
    """
    is_presale = entries.state < len(visit)
    here = np.flatnonzero(is_presale & ~np.isnan(factor))
    remaining = np.cumsum(visit[::-1])[::-1][entries.state[here]] * factor[here]
    calendar_days = np.minimum(np.ceil(remaining / WORKDAY * (7 / 5)), _LAST).astype(np.int64)
    day = days.astype("datetime64[D]").astype(np.int64)[entries.clock[here] // WORKDAY]
    day += calendar_days
    weekday = (day + _THURSDAY) % 7
    day += np.where(weekday > 4, 7 - weekday, 0)
    found = np.full(len(entries.state), UNKNOWN)
    found[here] = np.minimum(day, _LAST)
    return found
