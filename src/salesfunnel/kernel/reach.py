"""When each opportunity first came so far: the times that belong to the furthest states."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.runs import Runs
from salesfunnel.kernel.standing import NEVER, Standing


def reach_times(runs: Runs, where: Standing, n_stages: int, n_presale: int) -> NDArray[np.int64]:
    """Return when each opportunity first came to each stage and to WON, or beyond it.

    What counts is what its furthest state counts: stages before the sale at any time, and from the
    sale on, where it stands, what came after the last stage before it. So an opportunity came to a
    state if and only if its furthest state is this one or a later one.

    Returns
    -------
    (m, K + 1) int64
        Microseconds, never falling along the states; at the first stage the first entry of all;
        `NEVER` (the smallest integer) beyond the furthest state.
    """
    n_runs, starts, state = len(runs.state), runs.starts, runs.state
    far = np.full((len(starts), n_stages + 1), np.iinfo(np.int64).max)
    if n_runs:
        index = np.arange(n_runs)
        since = (where.sale >= 0)[runs.member] & (index >= where.sale[runs.member])
        service = since & (state >= n_presale) & (state < n_stages)
        won = since & (state == n_stages)
        first_service = np.minimum.reduceat(np.where(service, index, n_runs), starts)
        # A win starts the service, and completes it if it comes after some of it.
        completes = won & (index > first_service[runs.member])
        came = np.where(won & ~completes, n_presale, state)
        counts = (state < n_presale) | service | won
        np.minimum.at(far, (runs.member[counts], came[counts]), runs.time[counts])
        far = np.minimum.accumulate(far[:, ::-1], axis=1)[:, ::-1]
        far[:, 0] = runs.time[starts]
    beyond = where.furthest[:, None] < np.arange(n_stages + 1)
    return np.where(beyond, NEVER, far)
