"""Risk sets: the times at which something happened, and to how many of those still followed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.memory import copied, empty
from salesfunnel.kernel.threads import sort
from salesfunnel.metrics.lifetimes import COMPETING, EVENT, Durations, Lifetimes
from salesfunnel.metrics.ordinals import CHUNK, KEY_BITS, ordinals_of, whole_numbers

_FEW_CELLS = 1 << 16
_FLOAT_BITS = 62
"""Integers of so many bits, seen as floats, are finite and not negative."""


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


def risk_sets(known: Lifetimes) -> RiskSets:
    """Return the risk sets of each group.

    Whole durations of a small range are counted. Others are sorted, each packed into one integer
    with its group and its ending, which is several times as fast as sorting rows.
    """
    longest = int(known.duration.max(initial=0))
    cells = (longest + 1) * known.n_groups << known.ending_bits
    if cells <= max(len(known.duration), _FEW_CELLS):
        counted = _count(known, longest + 1)
        if counted is not None:
            return counted
    return _sort(known)


def _count(known: Lifetimes, n_times: int) -> RiskSets | None:
    """Return the risk sets of durations from 0 to n_times - 1; None if not all are whole."""
    n_groups, bits = known.n_groups, known.ending_bits
    endings = 1 << bits
    cells = np.zeros(n_groups * n_times * endings, np.int64)
    chunk = max(2 * CHUNK, 4 * len(cells))
    for low in range(0, len(known.duration), chunk):
        part = slice(low, low + chunk)
        key = whole_numbers(known.duration[part])
        if key is None:
            return None
        if known.group is not None:
            key += known.group[part] * n_times
        key <<= bits
        key |= known.ending[part]
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


def _sort(known: Lifetimes) -> RiskSets:
    """Return the risk sets of any durations."""
    n_groups, bits = known.n_groups, known.ending_bits
    group_bits = (n_groups - 1).bit_length() if n_groups else 0
    ordinals = ordinals_of(known.duration, KEY_BITS - group_bits - bits)
    time_bits = ordinals.most.bit_length()
    key_bits = group_bits + time_bits + bits
    kind = np.int32 if key_bits < 32 else np.int64
    key = empty(len(known.duration), kind)
    for low in range(0, len(key), CHUNK):
        part = slice(low, low + CHUNK)
        packed = ordinals.of(part, kind)
        if known.group is not None:
            packed |= (known.group[part] << time_bits).astype(kind, copy=False)
        packed <<= bits
        packed |= known.ending[part]
        key[part] = packed
    # Positive integers, seen as unsigned ones or as small floats, order alike and sort quicker.
    if kind is np.int32:
        sort(key.view(np.uint32))
    else:
        sort(key.view(np.float64) if key_bits <= _FLOAT_BITS else key)

    in_time = (1 << time_bits) - 1
    size = np.array([len(key)])
    if known.group is not None:
        size = np.bincount(known.group, minlength=n_groups)
    # An empty group looks at the end of the one before; what it finds there is not used.
    longest = key[np.maximum(np.cumsum(size) - 1, 0)] >> bits & in_time if len(key) else size
    steps = _steps(key, bits)
    time, at_risk = np.right_shift(steps.key, bits, out=steps.key), steps.left
    starts = np.array([0, len(time)])
    if n_groups != 1:
        group = (time >> time_bits).astype(np.int64)
        starts = np.searchsorted(group, np.arange(n_groups + 1))
        at_risk -= (len(key) - np.cumsum(size))[group]
        time &= in_time
    return RiskSets(
        starts=starts,
        size=size,
        longest=np.where(size > 0, ordinals.decode(longest), np.nan),
        time=ordinals.decode(time),
        at_risk=at_risk,
        events=steps.events,
        competing=steps.competing,
    )


class _Steps(NamedTuple):
    """The times at which anything happened, n of them.

    Attributes
    ----------
    key : (n,) int
        That of the first row of each.
    left : (n,) int64
        How many rows there are from that one on.
    events, competing : (n,) int64
        What happened then.
    """

    key: NDArray[Any]
    left: NDArray[np.int64]
    events: NDArray[np.int64]
    competing: NDArray[np.int64]


def _steps(key: NDArray[Any], bits: int) -> _Steps:
    """Return the times at which anything happened, from sorted keys with endings in the last bits.

    At each time events come first, then those that compete: the first row of a time with either is
    one of them, and the number of rows from it on is that of the risk set.

    The keys that are returned take the place of the first ones that were given.
    """
    codes = (1 << bits) - 1
    most = codes >> 1  # COMPETING, or EVENT alone; what is above is censored
    left, n = empty(len(key), np.int64), 0
    more_at, more_ended = [], []
    before: Any = None
    for low in range(0, len(key), CHUNK):
        part = key[low : low + CHUNK]
        ending = part & codes
        happened = ending <= most
        is_first = happened.copy()
        is_first[1:] &= _differs(part[1:], part[:-1], codes)
        if before is not None:
            is_first[0] &= _differs(part[0], before, codes)
        before = part[-1]
        place = np.flatnonzero(is_first)
        here = slice(n, n + len(place))
        key[here] = part[place]
        np.subtract(len(key) - low, place, out=left[here])
        more = np.flatnonzero(happened ^ is_first)
        if len(more):
            more_at.append(np.searchsorted(place, more) + (n - 1))
            more_ended.append(ending[more])
        n += len(place)
    left, at = left[:n], key[:n]
    if bits == 1:
        competing = np.broadcast_to(np.int64(0), n)
        one = np.broadcast_to(np.int64(1), n)
        events = copied(one, np.int64) if more_at else one
    else:
        competing = copied(at, np.int64)
        competing &= codes
        events = copied(competing, np.int64)
        events ^= 1
    if more_at:
        step, ended = np.concatenate(more_at), np.concatenate(more_ended)
        np.add.at(events, step[ended == EVENT], 1)
        if bits > 1:
            np.add.at(competing, step[ended == COMPETING], 1)
    return _Steps(at, left, events, competing)


def _differs(key: NDArray[Any], other: NDArray[Any], codes: int) -> NDArray[np.bool_]:
    """Return whether the times of two keys differ, which is where they do but in the last bits."""
    return np.asarray(np.bitwise_xor(key, other) > codes)
