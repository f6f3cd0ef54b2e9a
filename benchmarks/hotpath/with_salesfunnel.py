"""This library, by its public calls; the innermost function by that of the kernel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import FUNNEL, N_OWNERS, N_STATES, Entries
from benchmarks.hotpath.answer import Answer
from salesfunnel.kernel.transitions import count_pairs
from salesfunnel.log.labels import Group
from salesfunnel.log.stagelog import StageLog


class ByOwner(NamedTuple):
    """What is asked of a flow by owner."""

    groups: tuple[Group, ...] | None
    counts: NDArray[np.int64]
    seconds: NDArray[np.float64]


def log(data: Entries, **columns: Any) -> StageLog:
    """Return a log of entries; `columns` add to them or replace them."""
    return StageLog.from_columns(
        FUNNEL,
        **{
            "opportunity": data.opportunity,
            "stage": data.state,
            "entered_at": data.time,
            **columns,
        },
    )


def flow(data: Entries) -> Answer:
    """Return the flow of entries in any order."""
    return flow_of_log(log(data))


def flow_of_ids(given: tuple[NDArray[Any], Entries]) -> Answer:
    """Return the flow of entries whose opportunities have other identifiers."""
    ids, data = given
    return flow_of_log(log(data, opportunity=ids))


def flow_of_log(prepared: StageLog) -> Answer:
    """Return the flow of a log."""
    flow = prepared.flow()
    return Answer(flow.counts, flow.seconds)


def counts_of_log(prepared: StageLog) -> Answer:
    """Return the counts of a log."""
    return Answer(prepared.flow(durations=False).counts)


def flow_by_owner(given: tuple[NDArray[Any], Entries]) -> ByOwner:
    """Return the flow by the owner at the entry into the target."""
    owner, data = given
    return flow_by_owner_of_log(log(data, attributes={"owner": owner}))


def flow_by_owner_of_log(prepared: StageLog) -> ByOwner:
    """Return the flow of a log by owner."""
    flow = prepared.flow(by="owner")
    return ByOwner(flow.groups, flow.counts, flow.seconds)


def matrix(pairs: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Return how often each pair of states occurs, by the kernel."""
    source, target = pairs
    return count_pairs(source, target, N_STATES)


def matrix_answer(counts: NDArray[np.int64]) -> Answer:
    """Return the answer of the kernel."""
    return Answer(counts)


def by_owner_answer(flow: ByOwner) -> Answer:
    """Return the answer of a flow by owner, with all owners in the order of their numbers."""
    owner = [int(str(group)) for group in flow.groups or ()]
    counts = np.zeros((N_OWNERS, N_STATES, N_STATES), np.int64)
    seconds = np.zeros((N_OWNERS, N_STATES, N_STATES))
    counts[owner] = flow.counts
    seconds[owner] = flow.seconds
    return Answer(counts, seconds)
