"""What all contestants must agree on: how often each state followed each, and after how long."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import N_STATES


class Answer(NamedTuple):
    """From×to matrices, ``(S, S)`` or ``(G, S, S)``.

    Attributes
    ----------
    counts : (…, S, S) int64
    seconds : (…, S, S) float64 or None
        Sums of durations; None where the question is for counts alone.
    """

    counts: NDArray[np.int64]
    seconds: NDArray[np.float64] | None = None


class DisagreementError(Exception):
    """Two contestants give different answers to one question, so that their times say nothing."""


def from_rows(
    source: Any, target: Any, count: Any, seconds: Any = None, *, group: Any = 0, n_groups: int = 0
) -> Answer:
    """Return the answer that a result of one row for each pair of states (and group) gives."""
    shape = (n_groups, N_STATES, N_STATES) if n_groups else (N_STATES, N_STATES)
    place = (np.asarray(group, np.int64) * N_STATES + source) * N_STATES + target
    counts = np.zeros(shape, np.int64)
    counts.flat[place] = count
    if seconds is None:
        return Answer(counts)
    sums = np.zeros(shape)
    sums.flat[place] = seconds
    return Answer(counts, sums)


def check_agreement(name: str, answer: Answer, other: str, expected: Answer) -> None:
    """Raise unless both answers are the same; sums of floats may differ in their last digits.

    Raises
    ------
    DisagreementError
        If counts differ at all, or seconds by more than a billionth.
    """
    differ = np.asarray(answer.counts != expected.counts)
    if differ.any():
        raise DisagreementError(
            f"{name} and {other} count differently in {differ.sum():,} of {differ.size:,} places: "
            f"{answer.counts[differ][:5].tolist()} and {expected.counts[differ][:5].tolist()} …"
        )
    if answer.seconds is None or expected.seconds is None:
        return
    differ = ~np.isclose(answer.seconds, expected.seconds, rtol=1e-9, atol=1e-3)
    if differ.any():
        raise DisagreementError(
            f"{name} and {other} sum seconds differently in {differ.sum():,} places: "
            f"{answer.seconds[differ][:5].tolist()} and {expected.seconds[differ][:5].tolist()} …"
        )
