"""Shares by an age: to how many something has happened by then, where not all were followed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.metrics.curves import Floats
from salesfunnel.metrics.intervals import wilson
from salesfunnel.metrics.survival import aalen_johansen, kaplan_meier
from salesfunnel.table import Column

Integers = NDArray[np.int64]


class Shares(NamedTuple):
    """Shares of G groups by T ages, each (G, T).

    Attributes
    ----------
    value : float64
        By the curve; NaN where nobody was followed so long.
    numerator : int64
        Those to whom it is known to have happened by then (or, of those still open, that they
        are). Not all others are known not to be, so that this is not `value` times the denominator.
    denominator : int64
        All.
    low, high : float64
        Bounds of the value (0.95).
    censored : int64
        Those followed for less, about whom nothing is known at that age.
    """

    value: Floats
    numerator: Integers
    denominator: Integers
    low: Floats
    high: Floats
    censored: Integers

    def columns(self, name: str, titles: tuple[str | None, ...] = (None,) * 3) -> list[Column]:
        """Return the columns of this rate, for a row for each group and age."""
        prefix = "" if name == "value" else f"{name}_"
        return [
            Column(name, self.value.reshape(-1), "rate", title=titles[0]),
            Column(f"{prefix}numerator", self.numerator.reshape(-1), title=titles[1]),
            Column(f"{prefix}denominator", self.denominator.reshape(-1), title=titles[2]),
            Column(f"{prefix}low", self.low.reshape(-1), "rate"),
            Column(f"{prefix}high", self.high.reshape(-1), "rate"),
        ]


def shares_at(
    duration: Integers,
    ending: NDArray[np.integer],
    cause: int,
    group: Integers,
    n_groups: int,
    times: Integers,
) -> Shares:
    """Return the shares to which a cause has happened by some ages, or none of them has.

    Parameters
    ----------
    duration : (N,) int64
        How long each was followed.
    ending : (N,) integers
        What happened then: 0 nothing, 1, 2 … the causes.
    cause : int
        Which one; 0 for none of them: Kaplan–Meier instead of Aalen–Johansen.
    group : (N,) int64
        Codes 0 … G-1.
    n_groups : int
    times : (T,) int64
        The ages.
    """

    def counted(mask: NDArray[np.bool_]) -> Integers:
        return np.bincount(group[mask], minlength=n_groups)

    if cause:
        incidence = aalen_johansen(duration, ending, cause, group=group, n_groups=n_groups)
        value, (low, high) = incidence.at(times), incidence.interval_at(times)
    else:
        survival = kaplan_meier(duration, ending > 0, group=group, n_groups=n_groups)
        value, (low, high) = survival.at(times), survival.interval_at(times)
    has_ended, happened = ending > 0, ending == cause
    shape = (len(times), n_groups)
    by_time = [
        [
            counted(happened & (duration <= time) if cause else (duration > time) | ~has_ended)
            for time in times
        ],
        [counted(~has_ended & (duration < time)) for time in times],
    ]
    numerator, censored = (np.array(part, np.int64).reshape(shape).T for part in by_time)
    if not cause:
        numerator = numerator - censored
    denominator = np.broadcast_to(np.bincount(group, minlength=n_groups)[:, None], numerator.shape)
    # At an end the curve has no interval; there it is that of a share of those who are known.
    fates = denominator - censored
    at_end = (value == 0) | (value == 1)
    ends = wilson(np.where(at_end, np.nan_to_num(value) * fates, 0), fates)
    low, high = (np.where(at_end, end, bound) for end, bound in zip(ends, (low, high), strict=True))
    return Shares(value, numerator, denominator, low, high, censored)
