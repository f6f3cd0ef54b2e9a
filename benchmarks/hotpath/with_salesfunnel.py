"""This library, by its public calls; the innermost function by that of the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import FUNNEL, N_OWNERS, N_STATES, Entries
from benchmarks.hotpath.answer import Answer
from salesfunnel.kernel.transitions import count, pair_codes
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import StageLog


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


def flow(data: Entries) -> StageFlow:
    """Return the flow of entries in any order."""
    return log(data).flow()


def flow_of_ids(given: tuple[NDArray[Any], Entries]) -> StageFlow:
    """Return the flow of entries whose opportunities have other identifiers."""
    ids, data = given
    return log(data, opportunity=ids).flow()


def flow_by_owner(given: tuple[NDArray[Any], Entries]) -> StageFlow:
    """Return the flow by the owner at the entry into the target."""
    owner, data = given
    return log(data, attributes={"owner": owner}).flow(by="owner")


def flow_of_log(prepared: StageLog) -> StageFlow:
    """Return the flow of a log."""
    return prepared.flow()


def flow_by_owner_of_log(prepared: StageLog) -> StageFlow:
    """Return the flow of a log by owner."""
    return prepared.flow(by="owner")


def matrix(pairs: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Return how often each pair of states occurs, by the kernel."""
    source, target = pairs
    return count(pair_codes(source, target, N_STATES), N_STATES**2)


def matrix_answer(counts: NDArray[np.int64]) -> Answer:
    """Return the answer of the kernel."""
    return Answer(counts.reshape(N_STATES, N_STATES))


def answer(flow: StageFlow) -> Answer:
    """Return the answer of a flow, with all owners in the order of their numbers."""
    if flow.groups is None:
        return Answer(flow.counts, flow.seconds)
    owner = [int(str(group)) for group in flow.groups]
    counts = np.zeros((N_OWNERS, N_STATES, N_STATES), np.int64)
    seconds = np.zeros((N_OWNERS, N_STATES, N_STATES))
    counts[owner] = flow.counts
    seconds[owner] = flow.seconds
    return Answer(counts, seconds)
