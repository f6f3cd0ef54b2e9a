"""Entries in any order → sorted entries, and what belongs to them in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.codes import factorize_integers
from salesfunnel.kernel.constant import Constant, Distances, in_order
from salesfunnel.kernel.entries import Columns, Entries
from salesfunnel.kernel.ordering import permutation
from salesfunnel.kernel.packing import (
    CHUNK,
    KEY_BITS,
    Field,
    Packed,
    Span,
    bounds,
    chunks,
    pack,
)
from salesfunnel.kernel.presorted import as_it_came, looks_sorted, narrow
from salesfunnel.kernel.ties import restore_input_order


class Ordered(NamedTuple):
    """Entries in order, and what came with them.

    Attributes
    ----------
    entries : Entries
    order : (N,) int64 array or None
        What settled ties, in the order of the entries, where it was given.
    along : list of (N,) arrays or Constant
        What was to come along, in the order of the entries, or by opportunity where it was found to
        be constant.
    opportunities : (M,) array or None
        What the opportunities of the entries stand for, ascending, where they were so far apart
        that they had to be numbered.
    """

    entries: Entries
    order: NDArray[np.int64] | None
    along: list[NDArray[Any] | Constant]
    opportunities: NDArray[Any] | None = None


def arrange(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    state: NDArray[np.uint8],
    n_states: int,
    *,
    by_state: bool = False,
    order: NDArray[np.int64] | None = None,
    along: Sequence[NDArray[Any]] = (),
    reach: tuple[int, int] | None = None,
    time_bounds: tuple[int, int] | None = None,
    threads: bool = False,
) -> Ordered:
    """Return entries in order: by opportunity, then time, then what settles ties, then as input.

    Parameters
    ----------
    opportunity, time, state : (N,) arrays
        Opportunities whose differences are within 63 bits.
    n_states : int
        S: the states are 0 … S-1.
    by_state : bool
        Whether ties go by state.
    order : (N,) int64 array, optional
        What settles ties instead, as a record number does.
    along : sequence of (N,) arrays
        What to bring into the same order: codes, -1 or more, or floats.
    reach, time_bounds : tuple of int, optional
        The smallest and the largest opportunity and time, where they are known.
    threads : bool
        Whether they may be sorted in two threads.
    """
    given = _Given(opportunity, time, state, n_states, by_state, order, along, threads)
    if reach is not None:
        given.reach = reach
    if time_bounds is not None:
        given.time_bounds = time_bounds
    entries = given.as_it_came()
    distinct = None
    if given.reach_bits + len(time).bit_length() > KEY_BITS:
        # So far apart that a key would have no room for the number of the row.
        given.opportunity, distinct = factorize_integers(opportunity)
        given.reach = 0, len(distinct) - 1
        entries = given.as_it_came()
    if entries is not None:
        ordered = Ordered(entries, order, list(along))
    else:
        # Keys that have the row settle ties at no cost, where there is room for it; elsewhere keys
        # that carry what belongs to the entries do better.
        ordered = (
            _by_rows(given, whole=True)
            or _by_keys(given)
            or _by_rows(given)
            or _by_permutation(given)
        )
    return ordered._replace(opportunities=distinct)


class _Given:
    """What is to be arranged."""

    def __init__(
        self,
        opportunity: NDArray[np.integer[Any]],
        time: NDArray[np.int64],
        state: NDArray[np.uint8],
        n_states: int,
        by_state: bool,
        order: NDArray[np.int64] | None,
        along: Sequence[NDArray[Any]],
        threads: bool,
    ) -> None:
        self.opportunity = opportunity
        self.time = time
        self.state = Field(state, (n_states - 1).bit_length())
        self.states = state
        self.order = order
        self.along = along
        self.by_state = by_state
        self.threads = threads
        self.tie: NDArray[Any] | None = state if by_state else order
        # Above the state in a key stands what settles ties before it could.
        self.settled = [] if order is None else [_field(order, least=int(order.min(initial=0)))]

    @cached_property
    def reach(self) -> tuple[int, int]:
        return bounds(self.opportunity) if len(self.opportunity) else (0, 0)

    @property
    def reach_bits(self) -> int:
        return (self.reach[1] - self.reach[0]).bit_length()

    @cached_property
    def time_bounds(self) -> tuple[int, int]:
        return bounds(self.time) if len(self.time) else (0, 0)

    @property
    def span(self) -> Span:
        return Span(*self.reach, *self.time_bounds)

    def as_it_came(self) -> Entries | None:
        """Return entries that came in order; None where they did not."""
        if not looks_sorted(self.opportunity, self.time, self.tie):
            return None
        entries = as_it_came(self.opportunity, self.time, self.states, self.tie, self.time_bounds)
        if entries is not None and len(entries):
            self.reach = int(self.opportunity[0]), int(self.opportunity[-1])
        return entries


def _by_keys(given: _Given) -> Ordered | None:
    """Return entries sorted by keys that carry all, or all but what an opportunity never changes.

    None where they do not fit.
    """
    own: dict[int, NDArray[Any]] = {}
    carried = {i: _field(column) for i, column in enumerate(given.along) if _are_codes(column)}
    packed = None
    if len(carried) == len(given.along):
        packed = _pack(given, carried, whole=True)
    if packed is None and given.along:
        distances = Distances(given.opportunity, given.reach)
        for index, column in enumerate(given.along):
            if (table := distances.values(column)) is not None:
                own[index] = table
                carried.pop(index, None)
        if len(carried) + len(own) < len(given.along):
            return None
    if packed is None:
        packed = _pack(given, carried)
    if packed is None:
        return None

    loose = [*([] if given.by_state else [given.state]), *carried.values()]
    new, tied = _beginnings(packed, sum(field.bits for field in loose))
    if len(tied):
        restore_input_order(packed, given.opportunity, given.time, given.tie, loose, tied)
    unpacked = iter(range(len(packed.layout.fields)))
    order = None if given.order is None else _unpacked(packed, next(unpacked), given.order)
    state = _unpacked(packed, next(unpacked), given.states)
    along: dict[int, NDArray[Any] | Constant] = {
        index: _unpacked(packed, next(unpacked), given.along[index]) for index in carried
    }
    entries = Entries(state, new, packed=packed, state_in_key=not given.settled and not carried)
    along.update(zip(own, in_order(list(own.values()), entries, given.reach), strict=True))
    return Ordered(entries, order, [along[index] for index in range(len(given.along))])


def _pack(given: _Given, carried: dict[int, Field], *, whole: bool = False) -> Packed | None:
    fields = [*given.settled, given.state, *carried.values()]
    return pack(
        given.opportunity, given.time, fields, given.span, whole=whole, threads=given.threads
    )


def _by_rows(given: _Given, *, whole: bool = False) -> Ordered | None:
    """Return entries sorted together with the numbers of their rows, which bring the rest.

    None where they do not fit.
    """
    opportunity, time, n = given.opportunity, given.time, len(given.time)
    settled = [given.state] if given.by_state else given.settled
    row = Field(None, (n - 1).bit_length())
    packed = pack(
        opportunity, time, [*settled, row], given.span, whole=whole, threads=given.threads
    )
    if packed is None:
        return None
    rows = _unpacked(packed, len(settled), np.zeros(0, np.int64))
    entries = Entries(given.states[rows], _beginnings(packed, 0)[0], packed=packed)
    return _along(given, entries, rows)


def _by_permutation(given: _Given) -> Ordered:
    """Return entries in columns, which always fit."""
    rows = permutation(given.opportunity, given.time, given.tie)
    columns = Columns(narrow(given.opportunity)[rows], given.states[rows], given.time[rows])
    return _along(given, Entries.of_columns(columns), rows)


def _along(given: _Given, entries: Entries, rows: NDArray[np.integer[Any]]) -> Ordered:
    order = None if given.order is None else given.order[rows]
    return Ordered(entries, order, [column[rows] for column in given.along])


def _beginnings(packed: Packed, loose_bits: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which entries begin an opportunity, and which opportunities have ties, ascending.

    Ties are entries that differ in their lowest bits alone, which are in no order of their own.
    """
    key, shift = packed.key, packed.layout.opportunity_shift
    new = np.ones(len(key), bool)
    buffer = np.empty(CHUNK, np.int64)
    found = [np.zeros(0, np.int64)]
    for start, stop in chunks(len(key) - 1):
        differ = buffer[: stop - start]
        np.bitwise_xor(key[start + 1 : stop + 1], key[start:stop], out=differ)
        np.greater_equal(differ, 1 << shift, out=new[start + 1 : stop + 1])
        if loose_bits:
            ties = differ < 1 << loose_bits
            if ties.any():
                ties &= differ > 0
                found.append(packed.opportunity(start, stop)[ties])
    new[packed.rows[:-1]] = True  # opportunities of two parts may look alike
    return new, np.unique(np.concatenate(found))


def _are_codes(column: NDArray[Any]) -> bool:
    return column.dtype.kind in "iu"


def _field(codes: NDArray[np.integer[Any]], least: int = -1) -> Field:
    """Return integers, none of them below the least, as a field."""
    return Field(codes, (int(codes.max(initial=least)) - least).bit_length(), least)


def _unpacked(packed: Packed, index: int, like: NDArray[Any]) -> NDArray[Any]:
    """Return the values of a field, in the type that they had."""
    out = np.empty(len(packed.key), like.dtype)
    packed.unpack(index, out)
    return out
