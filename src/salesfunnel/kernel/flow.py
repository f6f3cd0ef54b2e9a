"""The innermost loop: sorted entries → from×to counts and exact sums of time, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import SizeError
from salesfunnel.kernel.entries import Entries
from salesfunnel.kernel.packing import CHUNK
from salesfunnel.kernel.transitions import MICRO

_FLOAT_BITS = 53
_LIMB = 26
_INT64_MAX = np.iinfo(np.int64).max


class FlowSums(NamedTuple):
    """Transitions added up.

    Attributes
    ----------
    counts : (S, S) int64
    seconds, microseconds : (S, S) int64
        Sums of durations: whole seconds, and the microseconds beyond.
    starts, ends : (S,) int64
        Opportunities by their first and their last state.
    """

    counts: NDArray[np.int64]
    seconds: NDArray[np.int64]
    microseconds: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def add_up(
    entries: Entries, n_states: int, *, until: int | None = None, keep_repeats: bool = False
) -> FlowSums:
    """Return the flow of sorted entries.

    Parameters
    ----------
    entries : Entries
    n_states : int
        S: the states are 0 … S-1.
    until : int, optional
        Entries after this time, in microseconds, do not count.
    keep_repeats : bool
        Whether consecutive entries into one state are transitions, or one entry.

    Raises
    ------
    SizeError
        If a sum could pass 64-bit integers.
    """
    # One table for transitions within an opportunity, and one for steps from the end of one to the
    # start of the next: the rows of that one add up to the ends, its columns to the starts.
    size = n_states * n_states
    counts = np.zeros(2 * size, np.int64)
    low, high = np.zeros(size, np.int64), np.zeros(size, np.int64)
    starts, ends = np.zeros(n_states, np.int64), np.zeros(n_states, np.int64)
    scale = _scale(entries)
    for chunk in _chunks(entries, scale):
        opportunity, state, clock = _until(chunk, scale, until)
        if len(state) == 0:
            continue
        starts[state[0]] += 1
        ends[state[-1]] += 1
        new = opportunity[1:] != opportunity[:-1]
        repeated = (state[1:] == state[:-1]) & ~new
        if not keep_repeats and repeated.any():
            first = np.flatnonzero(np.append(True, ~repeated))
            state, clock, new = state[first], clock[first], new[first[1:] - 1]
        code = state[:-1].astype(np.intp)
        code *= n_states
        code += state[1:]
        code += new * np.intp(size)
        counts += np.bincount(code, minlength=2 * size)
        elapsed = clock[1:] - clock[:-1]
        # bincount adds in float64: exact as long as what it adds stays below 2⁵³.
        if scale.longest.bit_length() + len(code).bit_length() <= _FLOAT_BITS:
            low += np.bincount(code, elapsed, minlength=2 * size)[:size].astype(np.int64)
        else:
            limb = elapsed & ((1 << _LIMB) - 1)
            low += np.bincount(code, limb, minlength=2 * size)[:size].astype(np.int64)
            elapsed >>= _LIMB
            high += np.bincount(code, elapsed, minlength=2 * size)[:size].astype(np.int64)
    between = counts[size:].reshape(n_states, n_states)
    seconds, microseconds = _in_seconds(low, high, scale, len(entries))
    return FlowSums(
        counts[:size].reshape(n_states, n_states),
        seconds.reshape(n_states, n_states),
        microseconds.reshape(n_states, n_states),
        starts + between.sum(axis=0),
        ends + between.sum(axis=1),
    )


class _Scale(NamedTuple):
    """What a clock counts: steps of `unit` microseconds from `first_time`, at most `longest`.

    `mask` leaves of a clock's bits those that count time.
    """

    first_time: int
    unit: int
    longest: int
    mask: int


class _Chunk(NamedTuple):
    """Entries of whole opportunities: within one, the clock's differences are steps of time."""

    opportunity: NDArray[np.integer[Any]]
    state: NDArray[np.uint8]
    clock: NDArray[np.int64]


def _scale(entries: Entries) -> _Scale:
    if entries.packed is not None:
        layout = entries.packed.layout
        mask = (1 << layout.time_bits) - 1
        return _Scale(layout.first_time, layout.unit, mask, mask)
    assert entries.columns is not None
    time = entries.columns.time
    first, last = (int(time.min()), int(time.max())) if len(time) else (0, 0)
    return _Scale(first, 1, last - first, -1)


def _chunks(entries: Entries, scale: _Scale) -> Iterator[_Chunk]:
    """Yield the entries of whole opportunities, as many as fit in a chunk, at least one's."""
    if entries.packed is None:
        assert entries.columns is not None
        opportunity, state, time = entries.columns
        for start, stop in _whole(opportunity, 0, 0, len(time)):
            clock = time[start:stop] - scale.first_time
            yield _Chunk(opportunity[start:stop], state[start:stop], clock)
        return
    packed = entries.packed
    layout = packed.layout
    for first, last in pairwise(packed.rows.tolist()):
        for start, stop in _whole(packed.key, layout.opportunity_shift, first, last):
            clock = packed.key[start:stop] >> layout.low_bits
            yield _Chunk(clock >> layout.time_bits, entries.state_of(start, stop), clock)


def _whole(
    key: NDArray[np.integer[Any]], shift: int, start: int, stop: int
) -> Iterator[tuple[int, int]]:
    """Yield bounds of chunks that split no opportunity: the upper part of an ascending key."""
    while stop - start > CHUNK:
        # Where the opportunity begins that the chunk's end would split; if it began the chunk,
        # where the next one does.
        split = int(key[start + CHUNK]) >> shift
        end = start + int(np.searchsorted(key[start : start + CHUNK], split << shift))
        if end == start:
            after = np.searchsorted(key[start:stop], ((split + 1) << shift) - 1, side="right")
            end = start + int(after)
        yield start, end
        start = end
    if start < stop:
        yield start, stop


def _until(chunk: _Chunk, scale: _Scale, until: int | None) -> _Chunk:
    """Leave out the entries after a time."""
    if until is None or (until - scale.first_time) // scale.unit >= scale.longest:
        return chunk
    known = (chunk.clock & scale.mask) <= (until - scale.first_time) // scale.unit
    return _Chunk(chunk.opportunity[known], chunk.state[known], chunk.clock[known])


def _in_seconds(
    low: NDArray[np.int64], high: NDArray[np.int64], scale: _Scale, n_entries: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return sums of steps, given in limbs, as whole seconds and microseconds."""
    if n_entries * scale.longest * scale.unit <= _INT64_MAX:
        seconds, microseconds = np.divmod(((high << _LIMB) + low) * scale.unit, MICRO)
        return seconds, microseconds
    # Too long for 64 bits, perhaps: put together in integers of any length, a cell at a time.
    sums = [
        divmod(((h << _LIMB) + rest) * scale.unit, MICRO)
        for h, rest in zip(high.tolist(), low.tolist(), strict=True)
    ]
    if any(whole > _INT64_MAX for whole, _ in sums):
        raise SizeError("a sum of durations is beyond 64 bits of seconds")
    return (
        np.array([whole for whole, _ in sums], np.int64),
        np.array([micro for _, micro in sums], np.int64),
    )
