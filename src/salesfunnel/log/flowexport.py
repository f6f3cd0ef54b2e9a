"""A flow as columns and back, for its `to_csv`, `to_json`, `to_parquet` and `to_frame`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.saved import Saved
from salesfunnel.errors import DataError, MissingColumnError
from salesfunnel.kernel.sums import ExactSums
from salesfunnel.log.export import from_column, to_column
from salesfunnel.log.labels import Group
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.wording import Listed

FIRST = ("from", "to", "count")
DURATIONS, AMOUNTS = ("seconds", "microseconds"), ("amount", "millionths")
LAST = ("as_of", "zone")
OWN = (*FIRST, *DURATIONS, *AMOUNTS, *LAST)
"""Columns that are no attributes."""


def save_flow(flow: StageFlow) -> Saved:
    """Return a flow as columns: a row for each group, source and target that is not zero.

    Before them stand the attributes that make the groups. A row without a source counts the
    opportunities that started in its target, one without a target those that stand in its source.
    A group that has no such row, and a flow without any, have one in which nothing stands but the
    instant of knowledge.
    """
    n_states = len(flow.states)
    named = {"count": flow.counts}
    for names, sums in ((DURATIONS, flow.durations), (AMOUNTS, flow.amounts)):
        named |= {} if sums is None else dict(zip(names, sums, strict=True))

    def grouped(array: NDArray[np.int64]) -> NDArray[np.int64]:
        return array if flow.groups is not None else array[None]

    # One more state on both sides, from which opportunities start and to which they go at the end.
    n_groups = 1 if flow.groups is None else len(flow.groups)
    table = np.zeros((len(named), n_groups, n_states + 1, n_states + 1), np.int64)
    for place, array in enumerate(named.values()):
        table[place, :, :n_states, :n_states] = grouped(array)
    table[0, :, n_states, :n_states] = grouped(flow.starts)
    table[0, :, :n_states, n_states] = grouped(flow.ends)
    shown = (table != 0).any(axis=0)
    shown[~shown.any(axis=(1, 2)), n_states, n_states] = True
    group, source, target = np.nonzero(shown)
    values = table[:, group, source, target]
    labels = [
        _labels(flow.groups or (), place, len(flow.by))[group] for place in range(len(flow.by))
    ]
    if not len(group):  # without any group: a row for the instant alone
        source = target = np.array([n_states])
        values = np.zeros((len(named), 1), np.int64)
        labels = [np.array([None], object) for _ in flow.by]

    keys = np.array([*flow.states, None], object)
    columns: dict[str, NDArray[Any]] = {
        to_column(name, OWN): column for name, column in zip(flow.by, labels, strict=True)
    }
    columns |= {"from": keys[source], "to": keys[target], **dict(zip(named, values, strict=True))}
    instant = np.datetime64("NaT" if flow.instant is None else flow.instant, "us")
    columns["as_of"] = np.full(len(source), instant)
    if flow.zone is not None:
        columns["zone"] = np.full(len(source), flow.zone, object)
    return Saved(columns, {"format": "salesfunnel.StageFlow", "states": list(flow.states)})


def load_flow(saved: Saved, name: str) -> StageFlow:
    """Return the flow that was saved with what is about it.

    Raises
    ------
    DataError
        If it was no flow.
    """
    about = saved.about
    if about.get("format") != "salesfunnel.StageFlow":
        raise DataError(
            "{name} is no flow that was written by StageFlow.to_json or to_parquet", name=name
        )
    try:
        states = tuple(map(str, about["states"]))
    except (KeyError, TypeError) as error:
        raise DataError(
            "{name}: what it says about the flow is damaged: {error!r}", name=name, error=error
        ) from None
    return flow_of_columns(saved.columns, states, name=name)


def flow_of_columns(
    columns: Mapping[str, NDArray[Any]], states: Sequence[str], *, name: str
) -> StageFlow:
    """Return the flow of columns as `save_flow` has them.

    Raises
    ------
    MissingColumnError, DataError
        If they are none.
    """
    lacking = [column for column in (*FIRST, "as_of") if column not in columns]
    if lacking:
        raise MissingColumnError(
            "{name} has no column {column!r}, which a flow has that was written; it has {columns}",
            name=name,
            column=lacking[0],
            columns=Listed(columns),
        )
    by = [column for column in columns if column not in OWN]
    numbers = [column for column in OWN[2:7] if column in columns]
    n_states = len(states)
    code: dict[Any, int] = {key: place for place, key in enumerate(states)} | {None: n_states}
    try:
        source = np.array([code[key] for key in columns["from"].tolist()], np.int64)
        target = np.array([code[key] for key in columns["to"].tolist()], np.int64)
        values = np.array([columns[column].astype(np.int64) for column in numbers])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            "{name} is no flow of {states}: {missing!r} stands in it",
            name=name,
            states=Listed(states),
            missing=error.args[0],
        ) from None

    groups, group = _groups([columns[column].tolist() for column in by], source, target, n_states)
    n_groups = len(groups) if by else 1
    table = np.zeros((len(numbers), n_groups, n_states + 1, n_states + 1), np.int64)
    if n_groups:
        table[:, group, source, target] = values
    table = table if by else table[:, 0]

    def sums(names: tuple[str, str]) -> ExactSums | None:
        if not {*names} <= {*numbers}:
            return None
        whole, micro = (table[numbers.index(part)] for part in names)
        return ExactSums(
            whole[..., :n_states, :n_states].copy(), micro[..., :n_states, :n_states].copy()
        )

    return StageFlow(
        states=tuple(states),
        by=tuple(map(from_column, by)),
        groups=groups if by else None,
        counts=table[0, ..., :n_states, :n_states].copy(),
        durations=sums(DURATIONS),
        amounts=sums(AMOUNTS),
        starts=table[0, ..., n_states, :n_states].copy(),
        ends=table[0, ..., :n_states, n_states].copy(),
        instant=_instant(columns["as_of"], name),
        zone=columns["zone"].tolist()[0] if "zone" in columns else None,
    )


def _groups(
    labels: Sequence[Sequence[Any]],
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    n_states: int,
) -> tuple[tuple[Group, ...], NDArray[np.int64]]:
    """Return the groups in their order, and which one each row is of."""
    if not labels:
        return (), np.zeros(len(source), np.int64)
    rows = list(zip(*labels, strict=True))
    order: dict[Any, int] = {}
    group = np.array([order.setdefault(row, len(order)) for row in rows], np.int64)
    alone = len(rows) == 1 and (source[0], target[0]) == (n_states, n_states)
    if alone and all(label is None for label in rows[0]):
        return (), group
    return tuple(row[0] if len(labels) == 1 else row for row in order), group


def _labels(groups: Sequence[Group], place: int, n_attributes: int) -> NDArray[Any]:
    labels = np.empty(len(groups), object)
    labels[:] = [
        group[place] if n_attributes > 1 and isinstance(group, tuple) else group for group in groups
    ]
    return labels


def _instant(column: NDArray[Any], name: str) -> int | None:
    """Return the one instant of a column."""
    nothing = np.iinfo(np.int64).min
    if column.dtype.kind == "M":
        instants = set(column.astype("datetime64[us]").view(np.int64).tolist())
    else:
        instants = {nothing if value is None else value for value in column.tolist()}
    instant = instants.pop() if len(instants) == 1 else ""
    if not isinstance(instant, int):
        raise DataError(
            "{name} is no flow: in the column 'as_of' is not one time, as there should", name=name
        )
    return None if instant == nothing else instant
