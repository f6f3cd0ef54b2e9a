"""Entries in any order → sorted entries, and what belongs to them in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.entries import Columns, Entries
from salesfunnel.kernel.ordering import ascend, is_sorted, permutation
from salesfunnel.kernel.packing import CHUNK, Field, Packed, Span, chunks, pack, span_of


class Ordered(NamedTuple):
    """Entries in order, and what came with them.

    Attributes
    ----------
    entries : Entries
    order : (N,) int64 array or None
        What settled ties, in the order of the entries, where it was given.
    along : list of (N,) arrays
        What was to come along, in the order of the entries.
    """

    entries: Entries
    order: NDArray[np.int64] | None
    along: list[NDArray[Any]]


def arrange(
    opportunity: NDArray[np.integer[Any]],
    time: NDArray[np.int64],
    state: NDArray[np.uint8],
    n_states: int,
    *,
    by_state: bool = False,
    order: NDArray[np.int64] | None = None,
    along: Sequence[NDArray[Any]] = (),
    span: Span | None = None,
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
    span : Span, optional
        From where to where opportunities and times reach, where that is known.
    threads : bool
        Whether they may be sorted in two threads.
    """
    given = _Given(opportunity, time, state, n_states, by_state, order, along, threads)
    if span is not None:
        given.span = span
    # Keys that have the row settle ties at no cost, where there is room for it; elsewhere keys that
    # carry what belongs to the entries do better.
    return (
        _as_it_came(given)
        or _by_rows(given, whole=True)
        or _by_keys(given)
        or _by_rows(given)
        or _by_permutation(given)
    )


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
    def span(self) -> Span:
        return span_of(self.opportunity, self.time)


def _as_it_came(given: _Given) -> Ordered | None:
    """Return entries that came in order.

    What is kept is a copy, which does not change with the caller's columns.
    """
    opportunity, time, tie = given.opportunity, given.time, given.tie
    # The first entries tell most of what comes in no order.
    first = slice(0, CHUNK)
    if not is_sorted(opportunity[first], time[first], None if tie is None else tie[first]):
        return None
    packed = pack(opportunity, time, [given.state], given.span, presorted=True)
    if packed is not None and tie is None:
        if not ascend(packed.key, given.state.bits):
            return None
    elif not is_sorted(opportunity, time, tie):
        return None
    if packed is None:
        columns = Columns(_narrow(opportunity).copy(), given.states.copy(), time.copy())
        entries = Entries.of_columns(columns)
    else:
        entries = Entries(
            given.states.copy(), _beginnings(packed, 0)[0], packed=packed, state_in_key=True
        )
    return Ordered(entries, given.order, list(given.along))


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
        for index, column in enumerate(given.along):
            table = _by_opportunity(given, column)
            if table is not None:
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
        _restore_input_order(packed, given, loose, tied)
    unpacked = iter(range(len(packed.layout.fields)))
    order = None if given.order is None else _unpacked(packed, next(unpacked), given.order)
    state = _unpacked(packed, next(unpacked), given.states)
    along: dict[int, NDArray[Any]] = {
        index: _unpacked(packed, next(unpacked), given.along[index]) for index in carried
    }
    if own:
        member = packed.opportunity_at(np.flatnonzero(new)) - given.span.first
        along.update({index: _spread(table[member], new) for index, table in own.items()})
    entries = Entries(state, new, packed=packed, state_in_key=not given.settled and not carried)
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
    columns = Columns(_narrow(given.opportunity)[rows], given.states[rows], given.time[rows])
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


def _restore_input_order(
    packed: Packed, given: _Given, loose: Sequence[Field], tied: NDArray[np.int64]
) -> None:
    """Put ties, which keys order by their lowest fields, back into the order of the input.

    Only the opportunities that have ties pay for it: their entries are sorted again by themselves,
    and come to stand in the same rows.
    """
    rows = np.flatnonzero(_is_among(given.opportunity, tied))
    tie = None if given.tie is None else given.tie[rows]
    rows = rows[permutation(given.opportunity[rows], given.time[rows], tie)]
    low = np.zeros(len(rows), np.int64)
    for field in loose:
        assert field.values is not None
        low <<= field.bits
        low |= field.values[rows].astype(np.int64) - field.least
    mask = (1 << sum(field.bits for field in loose)) - 1
    filled = 0
    for start, stop in chunks(len(packed.key)):
        places = start + np.flatnonzero(_is_among(packed.opportunity(start, stop), tied))
        packed.key[places] &= ~mask
        packed.key[places] |= low[filled : filled + len(places)]
        filled += len(places)


def _is_among(opportunity: NDArray[np.integer[Any]], some: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which opportunities are among some, which ascend."""
    first, last = int(some[0]), int(some[-1])
    if last - first > 4 * len(opportunity) + CHUNK:
        return np.asarray(np.isin(opportunity, some))
    # With a place for all that is below, and one for what is above.
    table = np.zeros(last - first + 3, bool)
    table[some - first + 1] = True
    place = np.clip(opportunity.astype(np.int64, copy=False), first - 1, last + 1)
    place -= first - 1
    found: NDArray[np.bool_] = table[place]
    return found


def _by_opportunity(given: _Given, column: NDArray[Any]) -> NDArray[Any] | None:
    """Return what each opportunity has in a column, by its distance from the first.

    None if one has several values, or where such a table would be too large.
    """
    span, n = given.span, len(column)
    if span.last - span.first > 4 * n + CHUNK:
        return None
    bits = column.view(f"u{column.itemsize}")  # so that a missing amount equals another
    table = np.zeros(span.last - span.first + 1, bits.dtype)

    def fill(start: int, stop: int) -> None:
        table[_distance(given, start, stop)] = bits[start:stop]

    def fits(start: int, stop: int) -> bool:
        return np.array_equal(table[_distance(given, start, stop)], bits[start:stop])

    # A few entries mostly tell what changes, before all are looked at.
    for start, stop in chunks(min(n, 4 * CHUNK)):
        fill(start, stop)
    if not all(fits(start, stop) for start, stop in chunks(min(n, 4 * CHUNK))):
        return None
    for start, stop in chunks(n):
        fill(start, stop)
    return table.view(column.dtype) if all(fits(*some) for some in chunks(n)) else None


def _spread(values: NDArray[Any], new: NDArray[np.bool_]) -> NDArray[Any]:
    """Return at each entry the value of its opportunity."""
    out = np.empty(len(new), values.dtype)
    before = 0
    for start, stop in chunks(len(new)):
        member = np.cumsum(new[start:stop]) + (before - 1)
        out[start:stop] = values[member]
        before = int(member[-1]) + 1
    return out


def _distance(given: _Given, start: int, stop: int) -> NDArray[np.integer[Any]]:
    opportunity = given.opportunity[start:stop]
    if given.span.first == 0:
        return opportunity
    distance: NDArray[np.int64] = np.subtract(opportunity, given.span.first, dtype=np.int64)
    return distance


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


def _narrow(opportunity: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Return opportunities in four bytes each where they fit."""
    limits = np.iinfo(np.int32)
    if len(opportunity) and not limits.min <= opportunity.min() <= opportunity.max() <= limits.max:
        return opportunity
    return opportunity.astype(np.int32)
