"""From what a log says at an instant to its flow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError, SizeError
from salesfunnel.kernel.codes import compact_codes
from salesfunnel.kernel.constant import Constant
from salesfunnel.kernel.flow import add_up
from salesfunnel.kernel.groupflow import Grouped
from salesfunnel.kernel.progress import Progress, meter
from salesfunnel.kernel.runs import ends_at_starts, last_known_rows
from salesfunnel.kernel.sketch import sketch_durations
from salesfunnel.kernel.sums import as_millionths
from salesfunnel.log.labels import Group, group, occurring
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.view import View
from salesfunnel.periods import PERIODS, Period, period_index, period_label

By = str | Period | Sequence[str | Period]
"""What a flow is grouped by: attributes and periods."""
MAX_BYTES = 2 << 30
_INT = 8


def stage_flow(
    view: View,
    by: By | None = None,
    *,
    tz: tzinfo | None = None,
    durations: bool = True,
    sketch: bool = False,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
) -> StageFlow:
    """Return the flow of a view; `StageLog.flow` describes the arguments and errors."""
    entries, n_states = view.log.entries, len(view.funnel.states)
    keys = () if by is None else _keys(by, view)
    zone = view.log.tz if tz is None else tz
    carry = _Carry(view)
    groups, names = (None, None) if by is None else _groups(view, keys, zone, carry, sketch)
    amounts = None
    if view.log.amounts is not None:
        known = ~np.isnan(view.log.amounts)
        amounts = carry.back(as_millionths(carry.on(view.log.amounts, known)))
    n_sums = 2 * durations + 2 * (amounts is not None)
    _check_size(groups, n_states, n_sums, max_bytes)
    watch = meter(progress, "count", len(entries) * (1 + sketch))
    sums = add_up(
        entries,
        n_states,
        known=view.known,
        keep_repeats=view.keep_repeats,
        groups=groups,
        amounts=amounts,
        durations=durations,
        watch=watch,
    )
    found = None
    if sketch:
        found = sketch_durations(
            entries,
            n_states,
            known=view.known,
            keep_repeats=view.keep_repeats,
            groups=groups,
            watch=watch,
        )
        if found.nbytes > max_bytes:
            raise SizeError(
                "the sketch of durations takes {size:,} bytes, more than max_bytes={max_bytes:,}: "
                "group by what has fewer labels, or allow more",
                size=found.nbytes,
                max_bytes=max_bytes,
            )
    if watch is not None:
        watch.end()
    return StageFlow(
        states=view.funnel.states,
        by=tuple(key.unit if isinstance(key, Period) else key for key in keys),
        groups=names,
        counts=sums.counts,
        durations=sums.durations,
        amounts=sums.amounts,
        starts=sums.starts,
        ends=sums.ends,
        instant=view.as_of,
        zone=str(zone) if any(isinstance(key, Period) for key in keys) else None,
        sketch=found,
    )


def _keys(by: By, view: View) -> tuple[str | Period, ...]:
    """Return what a ``by=`` names, periods told from attributes.

    Raises
    ------
    DefinitionError
        If it names nothing, one thing twice, or a period that is an attribute as well.
    UnknownAttributeError
        If the log has no such attribute.
    """
    given = tuple(by) if isinstance(by, Iterable) and not isinstance(by, str) else (by,)
    if not given or not all(isinstance(key, (str, Period)) for key in given):
        raise DefinitionError(
            "by= is the name of an attribute, a period, or several distinct ones, not {by!r}", by=by
        )
    keys: list[str | Period] = []
    for key in given:
        if isinstance(key, str) and key in PERIODS:
            if key in view.log.attributes:
                raise DefinitionError(
                    "by={key!r} is an attribute of the log and a period: say which by "
                    "sf.Period({key!r}), or give the attribute another name",
                    key=key,
                )
            keys.append(Period(key))
        else:
            if isinstance(key, str):
                view.log.attribute(key)
            keys.append(key)
    if len(set(keys)) < len(keys):
        raise DefinitionError("by= names distinct attributes and periods, not {by!r}", by=by)
    return tuple(keys)


class _Carry(NamedTuple):
    """Brings values to where they count: from the last entry with one, to the start of a run."""

    view: View

    def on(self, values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
        """Return the last known value of its opportunity at each entry, (N,)."""
        if known.all():
            return values
        return values[last_known_rows(known, self.view.log.entries.new)]

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values where those of the last entry of a run stand at its first one, (N,)."""
        entries = self.view.log.entries
        if self.view.keep_repeats or not entries.repeats:
            return values
        first, last = ends_at_starts(entries.state, entries.new, self.view.known)
        carried = values.copy()
        carried[first] = values[last]
        return carried


def _groups(
    view: View, keys: Sequence[str | Period], zone: tzinfo, carry: _Carry, by_entry: bool
) -> tuple[Grouped, tuple[Group, ...]]:
    """Return the group of each entry that counts, and what the groups are called.

    That of each opportunity instead, where it is the same for all entries; not with `by_entry`.
    """
    counts = _that_count(view)
    if len(keys) == 1 and isinstance(keys[0], str):
        labels = view.log.attribute(keys[0])
        everything = labels.constant if labels.constant and not by_entry else labels.codes
        if counts is None and labels.complete:
            return Grouped(everything, len(labels.names)), labels.names
        if isinstance(everything, Constant):
            there = slice(None) if counts is None else counts[view.log.entries.first_rows]
            own, occurring_labels = occurring(everything.values[there], labels.names)
            return Grouped(Constant(own), len(occurring_labels)), occurring_labels
    codes: list[NDArray[np.integer[Any]]] = []
    names: list[tuple[str, ...]] = []
    for key in keys:
        if isinstance(key, Period):
            index = period_index(view.log.entries.time, key.unit, zone)
            found, distinct = compact_codes(index if counts is None else index[counts])
            codes.append(found)
            names.append(tuple(period_label(number, key.unit) for number in distinct.tolist()))
        else:
            labels = view.log.attribute(key)
            at_entry = carry.back(carry.on(labels.codes, labels.codes >= 0))
            codes.append(at_entry if counts is None else at_entry[counts])
            names.append(labels.names)
    together, groups = _combined(codes, names)
    if counts is not None:
        everywhere = np.zeros(len(view.log), together.dtype)
        everywhere[counts] = together
        together = everywhere
    return Grouped(together, len(groups)), groups


def _combined(
    codes: Sequence[NDArray[np.integer[Any]]], names: Sequence[tuple[str, ...]]
) -> tuple[NDArray[np.integer[Any]], tuple[Group, ...]]:
    """Return one code for all labels of an entry, and what the codes stand for."""
    if len(codes) == 1:
        return occurring(codes[0], names[0])
    return group(codes, names)


def _that_count(view: View) -> NDArray[np.bool_] | None:
    """Return which entries begin a run, or are one, and count; None stands for all."""
    entries = view.log.entries
    if view.keep_repeats or not entries.repeats:
        return view.known
    fresh = entries.new.copy()
    fresh[1:] |= entries.state[1:] != entries.state[:-1]
    return fresh if view.known is None else fresh & view.known


def _check_size(groups: Grouped | None, n_states: int, n_sums: int, max_bytes: int) -> None:
    """Refuse a result that is too large.

    Raises
    ------
    SizeError
    """
    n_groups = 1 if groups is None else groups.n_groups
    arrays = 1 + n_sums
    size = n_groups * n_states * (n_states * arrays + 2) * _INT
    if size > max_bytes:
        raise SizeError(
            "a flow of {n_groups:,} groups × {n_states} × {n_states} states takes {size:,} bytes "
            "in {arrays} arrays, more than max_bytes={max_bytes:,}: group by what has fewer "
            "labels, or allow more",
            n_groups=n_groups,
            n_states=n_states,
            size=size,
            arrays=arrays,
            max_bytes=max_bytes,
        )
