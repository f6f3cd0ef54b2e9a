"""Durations that are partly censored, and their curves in plain Python and exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

Life = tuple[float, int]
"""A duration and how it ended: 0 censored, 1 and 2 events."""

FORMS: dict[str, Any] = {
    "whole numbers": lambda d: np.array(d, np.int64),
    "whole floats": lambda d: np.array(d, float),
    "floats": lambda d: np.array(d, float) * 0.37,
    "large whole numbers": lambda d: np.array(d, np.int64) * 10**14,
    "floats far apart": lambda d: np.where(np.array(d) > 5, 1e150, 1e-150) * np.array(d, float),
}
"""Durations from 0 on, in all the ways that they are counted or sorted."""


class Step(NamedTuple):
    """One row of a curve, exactly."""

    time: float
    at_risk: int
    events: int
    competing: int
    survival: Fraction
    incidence: Fraction
    hazard_variance: Fraction


def lives(max_size: int = 30) -> st.SearchStrategy[list[Life]]:
    """Draw the lives of a group; many end at the same time."""
    return st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=max_size)


def steps(group: Sequence[Life]) -> list[Step]:
    """Return the rows of the curves: the survival of all events, the incidence of event 1."""
    found: list[Step] = []
    survival, incidence, variance = Fraction(1), Fraction(0), Fraction(0)
    for time in sorted({duration for duration, ending in group if ending}):
        n = sum(duration >= time for duration, _ in group)
        d = sum(life == (time, 1) for life in group)
        others = sum(life == (time, 2) for life in group)
        incidence += survival * Fraction(d, n)
        survival *= 1 - Fraction(d + others, n)
        if n > d + others:
            variance += Fraction(d + others, n * (n - d - others))
        found.append(Step(time, n, d, others, survival, incidence, variance))
    return found


def columns(group: Sequence[Life], form: str) -> tuple[Any, Any]:
    """Return durations and endings as arrays."""
    return FORMS[form]([duration for duration, _ in group]), np.array(
        [ending for _, ending in group], np.int64
    )


def value_at(group: Sequence[Life], time: float, cause: int) -> float:
    """Return the share to which a cause (0: none of them) has happened; NaN if it is not known."""
    rows, longest = steps(group), max((duration for duration, _ in group), default=-1)
    complete = bool(rows) and rows[-1].at_risk == rows[-1].events + rows[-1].competing
    if time > longest and not complete:
        return math.nan
    if cause == 2:
        swapped = [(duration, {1: 2, 2: 1}.get(ending, 0)) for duration, ending in group]
        return value_at(swapped, time, 1)
    passed = [row for row in rows if row.time <= time]
    if not passed:
        return 0.0 if cause else 1.0
    return float(passed[-1].incidence if cause else passed[-1].survival)
