"""Lifetimes: how long opportunities were followed and how that ended, checked and in one form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.wording import Wording

Durations = NDArray[Any]
"""Numbers of one kind, int64 or float64."""

EVENT, COMPETING = range(2)
"""How following an opportunity ended; at equal times events come before what is censored."""


class Lifetimes(NamedTuple):
    """Checked durations of N opportunities.

    Attributes
    ----------
    duration : (N,) int64 or float64
        How long each was followed: not negative, finite.
    ending : (N,) uint8
        `EVENT`, or `COMPETING` where there may be such events, or the next number: censored.
    group : (N,) int64 or None
        Codes 0 … G-1; None where all are one group.
    n_groups : int
    censored : int
        The number of the ending that is none: 2 where there may be competing events, else 1.
    """

    duration: Durations
    ending: NDArray[np.uint8]
    group: NDArray[np.int64] | None
    n_groups: int
    censored: int

    @property
    def ending_bits(self) -> int:
        """How many bits an ending takes."""
        return self.censored.bit_length()


def lifetimes(
    duration: ArrayLike,
    event: ArrayLike,
    cause: int | None = None,
    group: ArrayLike | None = None,
    n_groups: int | None = None,
) -> Lifetimes:
    """Return checked durations and how each ended.

    Parameters
    ----------
    duration : (N,) array-like of numbers
    event : (N,) array-like
        Without `cause`: booleans, or 0 and 1. With it: integers, 0 for censored, else a cause.
    cause : int, optional
        The cause of interest; all others compete with it.
    group : (N,) array-like of int, optional
        Codes 0 … G-1.
    n_groups : int, optional
        G; by default the largest code and one.

    Raises
    ------
    DefinitionError
        If they are not of this form.
    """
    length = _durations(duration)
    ending, censored = _endings(event, cause), 1 if cause is None else 2
    if len(ending) != len(length):
        raise DefinitionError(
            "duration= and event= are of one length, not {n_durations} and {n_events}",
            n_durations=len(length),
            n_events=len(ending),
        )
    if group is None:
        if n_groups not in (None, 1):
            raise DefinitionError(
                "n_groups={n_groups} needs group=, the code of each one's group", n_groups=n_groups
            )
        return Lifetimes(length, ending, None, 1, censored)
    codes = np.asarray(group)
    if codes.shape != length.shape or (codes.dtype.kind not in "iu" and len(codes)):
        raise DefinitionError(
            "group= is an integer for each duration, of shape {shape}, not {dtype} of shape "
            "{given}",
            shape=length.shape,
            dtype=codes.dtype,
            given=codes.shape,
        )
    least, most = (int(codes.min()), int(codes.max())) if len(codes) else (0, -1)
    n_groups = most + 1 if n_groups is None else n_groups
    if least < 0 or most >= n_groups:
        wrong = least if least < 0 else most
        raise DefinitionError(
            "group= has codes from 0 to {last}, not {wrong}", last=n_groups - 1, wrong=wrong
        )
    return Lifetimes(length, ending, codes.astype(np.int64, copy=False), n_groups, censored)


def _durations(values: ArrayLike) -> Durations:
    array = np.asarray(values)
    if array.ndim != 1 or (array.dtype.kind not in "iuf" and array.size):
        raise DefinitionError(
            "duration= is a sequence of numbers, not {dtype} of shape {shape}",
            dtype=array.dtype,
            shape=array.shape,
        )
    array = array.astype(np.float64 if array.dtype.kind not in "iu" else np.int64, copy=False)
    # A NaN is not at least 0 either.
    if len(array) and not (array.min() >= 0 and array.max() < np.inf):
        first = int(np.flatnonzero(~((array >= 0) & (array < np.inf)))[0])
        raise DefinitionError(
            "durations are finite and not negative: duration[{first}] is {value}",
            first=first,
            value=array[first],
        )
    return array


def _endings(values: ArrayLike, cause: int | None) -> NDArray[np.uint8]:
    array = np.asarray(values)
    what = Wording(
        "booleans, or 0 and 1" if cause is None else "integers: 0 for censored, else the cause"
    )
    if array.ndim != 1 or (array.dtype.kind not in "biuf" and array.size):
        raise DefinitionError(
            "event= is {what}; not {dtype} of shape {shape}",
            what=what,
            dtype=array.dtype,
            shape=array.shape,
        )
    if cause is None:
        if array.dtype.kind != "b":
            _refuse((array != 0) & (array != 1), array, what)
            array = array == 1
        return np.asarray(~array.astype(bool, copy=False)).view(np.uint8)
    if isinstance(cause, bool) or not isinstance(cause, (int, np.integer)) or cause < 1:
        raise DefinitionError(
            "cause= is a positive integer, as 0 is for censored, not {cause!r}", cause=cause
        )
    if array.dtype.kind == "f":
        _refuse(array != np.floor(array), array, what)
    if array.dtype.kind in "if" and array.min(initial=0) < 0:
        _refuse(array < 0, array, what)
    # 0 for the cause, 1 for another, 2 for none of both.
    endings: NDArray[np.uint8] = np.add(array != cause, array == 0, dtype=np.uint8)
    return endings


def _refuse(wrong: NDArray[np.bool_], values: NDArray[Any], what: str) -> None:
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise DefinitionError(
            "event= is {what}; event[{first}] is {value}",
            what=what,
            first=first,
            value=values[first],
        )
