"""Risk sets: the times at which something happened, and to how many of those still followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.wording import Wording

Durations = NDArray[Any]
"""Numbers of one kind, int64 or float64."""

EVENT, COMPETING, CENSORED = range(3)
"""How following an opportunity ended; at equal times events come before what is censored."""

_FEW_CELLS = 1 << 16
_CHUNK = 1 << 16
KEY_BITS = 63
_WHOLE = 2**53
"""Below this floats tell whole numbers apart."""
_FLOAT_BITS = 62
"""Integers of so many bits, seen as floats, are finite and not negative."""


class Lifetimes(NamedTuple):
    """Checked durations of N opportunities.

    Attributes
    ----------
    duration : (N,) int64 or float64
        How long each was followed: not negative, finite.
    ending : (N,) uint8
        `EVENT`, `COMPETING` or `CENSORED`.
    group : (N,) int64 or None
        Codes 0 … G-1; None where all are one group.
    n_groups : int
    """

    duration: Durations
    ending: NDArray[np.uint8]
    group: NDArray[np.int64] | None
    n_groups: int


class RiskSets(NamedTuple):
    """The n times at which anything happened, group after group.

    Attributes
    ----------
    starts : (G + 1,) int64
        Where each group begins among the n, and n.
    size : (G,) int64
        How many opportunities are in each group.
    longest : (G,) float64
        The longest duration in each group; NaN in an empty one.
    time : (n,) int64 or float64
        Ascending within a group, each one once.
    at_risk : (n,) int64
        How many were followed at least so long.
    events, competing : (n,) int64
        To how many of them the event, or another one, happened then.
    """

    starts: NDArray[np.int64]
    size: NDArray[np.int64]
    longest: NDArray[np.float64]
    time: Durations
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    competing: NDArray[np.int64]


# ── checking ──────────────────────────────────────────────────────────────────────────────────────


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
    ending = _endings(event, cause)
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
        return Lifetimes(length, ending, None, 1)
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
    return Lifetimes(length, ending, codes.astype(np.int64, copy=False), n_groups)


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
        # 0 for an event, 2 for none.
        return np.asarray((array.view(np.uint8) ^ 1) << 1, np.uint8)
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


# ── counting ──────────────────────────────────────────────────────────────────────────────────────


def risk_sets(known: Lifetimes, *, competing: bool = True) -> RiskSets:
    """Return the risk sets of each group.

    Whole durations of a small range are counted. Others are sorted, each packed into one integer
    with its group and its ending, which is several times as fast as sorting rows.

    Parameters
    ----------
    known : Lifetimes
    competing : bool
        Whether there may be events that compete.
    """
    bits = 2 if competing else 1
    longest = int(known.duration.max(initial=0))
    if (longest + 1) * known.n_groups << bits <= max(len(known.duration), _FEW_CELLS):
        counted = _count(known, longest + 1, bits)
        if counted is not None:
            return counted
    return _sort(known, bits)


def _count(known: Lifetimes, n_times: int, bits: int) -> RiskSets | None:
    """Return the risk sets of durations from 0 to n_times - 1; None if not all are whole."""
    n_groups, endings = known.n_groups, 1 << bits
    cells = np.zeros(n_groups * n_times * endings, np.int64)
    # A table that fits a core's cache is added to chunk by chunk.
    chunk = _CHUNK if len(cells) <= _FEW_CELLS else max(len(known.duration), 1)
    for low in range(0, len(known.duration), chunk):
        part = slice(low, low + chunk)
        duration = known.duration[part]
        if duration.dtype.kind == "f" and (np.floor(duration) != duration).any():
            return None
        key = duration.astype(np.int64)
        if known.group is not None:
            key += known.group[part] * n_times
        key <<= bits
        key |= known.ending[part] >> (2 - bits)
        cells += np.bincount(key, minlength=len(cells))
    by_time = cells.reshape(n_groups, n_times, endings)
    ended = by_time.sum(axis=2)
    size = ended.sum(axis=1)
    at_risk = size[:, None] - np.cumsum(ended, axis=1) + ended
    last = n_times - 1 - np.argmax(ended[:, ::-1] > 0, axis=1)
    happened = by_time[..., EVENT] > 0
    if bits > 1:
        happened |= by_time[..., COMPETING] > 0
    group, time = np.nonzero(happened)
    events = by_time[..., EVENT][group, time]
    return RiskSets(
        starts=np.searchsorted(group, np.arange(n_groups + 1)),
        size=size,
        longest=np.where(size > 0, last, np.nan),
        time=time.astype(known.duration.dtype),
        at_risk=at_risk[group, time],
        events=events,
        competing=by_time[..., COMPETING][group, time] if bits > 1 else np.zeros_like(events),
    )


def _sort(known: Lifetimes, bits: int) -> RiskSets:
    """Return the risk sets of any durations."""
    n_groups = known.n_groups
    group_bits = (n_groups - 1).bit_length() if n_groups else 0
    ordinals = ordinals_of(known.duration, KEY_BITS - group_bits - bits)
    time_bits = ordinals.most.bit_length()
    small = group_bits + time_bits + bits <= 32
    key: NDArray[Any] = np.empty(len(known.duration), np.uint32 if small else np.int64)
    for low in range(0, len(key), _CHUNK):
        part = slice(low, low + _CHUNK)
        packed = ordinals.of(part)
        if known.group is not None:
            packed |= known.group[part] << time_bits
        packed <<= bits
        packed |= known.ending[part] >> (2 - bits)
        key[part] = packed
    if small or group_bits + time_bits + bits > _FLOAT_BITS:
        key.sort()
    else:
        key.view(np.float64).sort()  # which is quicker, and orders small integers alike

    # At each time events come first, so that the first row of a time with events is one of them,
    # and the number of rows from it on is that of the risk set.
    code = (key & ((1 << bits) - 1)).astype(np.uint8)
    happened = code != CENSORED >> (2 - bits)
    time = key >> bits
    is_first = happened.copy()
    is_first[1:] &= time[1:] != time[:-1]
    place = np.flatnonzero(is_first)
    at = time[place]
    total: NDArray[np.int64] = np.broadcast_to(np.int64(1), len(at))
    if len(at) < np.count_nonzero(happened):
        is_last = happened.copy()
        is_last[:-1] &= (time[1:] != time[:-1]) | ~happened[1:]
        total = np.flatnonzero(is_last) - place + 1
    events = total
    if bits > 1:
        is_event = code == EVENT
        up_to = np.cumsum(is_event)
        before = up_to[place] - is_event[place]
        events = np.diff(before, append=up_to[-1:])

    if n_groups == 1:
        size = np.array([len(key)])
        starts, at_risk = np.array([0, len(at)]), len(key) - place
    else:
        assert known.group is not None
        size = np.bincount(known.group, minlength=n_groups)
        group = (at >> time_bits).astype(np.int64)
        starts = np.searchsorted(group, np.arange(n_groups + 1))
        at_risk = np.cumsum(size)[group] - place
    in_time = (1 << time_bits) - 1
    # An empty group looks at the end of the one before; what it finds there is not used.
    longest = key[np.maximum(np.cumsum(size) - 1, 0)] >> bits & in_time if len(key) else size
    return RiskSets(
        starts=starts,
        size=size,
        longest=np.where(size > 0, ordinals.decode(longest), np.nan),
        time=ordinals.decode(at & in_time if group_bits else at),
        at_risk=at_risk,
        events=events,
        competing=total - events if bits > 1 else np.broadcast_to(np.int64(0), len(at)),
    )


class Ordinals(NamedTuple):
    """Durations as integers that order as they do: those of a slice, the largest, the way back."""

    of: Callable[[slice], NDArray[np.int64]]
    most: int
    decode: Callable[[NDArray[Any]], Durations]


def ordinals_of(duration: Durations, bits: int) -> Ordinals:
    """Return durations as integers of at most so many bits."""
    most = duration.max(initial=0)
    if most < 1 << bits and (duration.dtype.kind == "i" or _are_whole(duration)):
        return Ordinals(
            lambda part: duration[part].astype(np.int64),
            int(most),
            lambda ordinal: ordinal.astype(duration.dtype),
        )
    if duration.dtype.kind == "f":
        # The bit patterns of positive floats order as they do; 0 comes before them.
        least = duration.min(initial=most)
        has_zero = least == 0
        if has_zero:
            least = duration.min(initial=most, where=duration > 0)
        base = int(np.float64(least).view(np.int64)) - 1
        above = int(np.float64(most).view(np.int64)) - base
        if 0 <= above < 1 << bits:
            pattern: NDArray[np.int64] = duration.view(np.int64)

            def encode(part: slice) -> NDArray[np.int64]:
                if not has_zero:
                    return pattern[part] - base
                found = np.maximum(pattern[part], 0)  # of two zeros one has a sign
                found -= base
                return np.maximum(found, 0, out=found)

            def decode(ordinal: NDArray[Any]) -> Durations:
                found = ordinal.astype(np.int64)
                found += base
                if has_zero:
                    found[ordinal == 0] = 0
                return found.view(np.float64)

            return Ordinals(encode, above, decode)
    distinct, rank = np.unique(duration, return_inverse=True)
    return Ordinals(
        lambda part: rank[part].astype(np.int64),
        max(len(distinct) - 1, 0),
        lambda ordinal: distinct[ordinal],
    )


def _are_whole(duration: Durations) -> bool:
    """Return whether floats are whole numbers, and small enough for that to say something."""
    if duration.max(initial=0) >= _WHOLE:
        return False
    parts = (duration[low : low + _CHUNK] for low in range(0, len(duration), _CHUNK))
    return all((np.floor(part) == part).all() for part in parts)
