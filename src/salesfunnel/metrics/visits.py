"""Visits: each stay of an opportunity in a stage, ended or still going on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.standing import NOWHERE
from salesfunnel.log.view import View
from salesfunnel.metrics.clock import MICROSECONDS_PER_DAY


class Visits(NamedTuple):
    """Stays in stages, n of them, by opportunity and time.

    Attributes
    ----------
    run : (n,) int64
        Index of each in the runs of the view.
    member : (n,) int64
        Index of its opportunity among the m of the view: of its label in a grouping, its status …
    stage : (n,) uint8
        The stage visited, pre-sale or post-sale.
    entered : (n,) int64
        When it began, microseconds since 1970 in UTC.
    left : (n,) int64
        When the next state was entered; of a visit that still goes on, the instant of knowledge.
    target : (n,) uint8
        The state entered next; 255 for a visit that still goes on.
    """

    run: NDArray[np.int64]
    member: NDArray[np.int64]
    stage: NDArray[np.uint8]
    entered: NDArray[np.int64]
    left: NDArray[np.int64]
    target: NDArray[np.uint8]

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Which ones have an end, (n,); the others are censored at the instant of knowledge."""
        ended: NDArray[np.bool_] = self.target != NOWHERE
        return ended

    @property
    def days(self) -> NDArray[np.float64]:
        """How long each lasted, or lasts so far, (n,)."""
        return (self.left - self.entered) / MICROSECONDS_PER_DAY


def visits(view: View) -> Visits:
    """Return every visit to a stage that a view knows of.

    A stage that was entered twice was visited twice. WON and LOST are no stages. Where an
    opportunity stands in a stage, open or in service, its visit goes on: it is censored.
    """
    runs, n_runs = view.runs, len(view.runs.state)
    run = np.flatnonzero(runs.state < len(view.funnel))
    goes_on = np.zeros(n_runs, bool)
    goes_on[runs.ends] = True
    ended, following = ~goes_on[run], np.minimum(run + 1, n_runs - 1)
    until = 0 if view.as_of is None else view.as_of
    return Visits(
        run=run,
        member=runs.member[run],
        stage=runs.state[run],
        entered=runs.time[run],
        left=np.where(ended, runs.time[following], until),
        target=np.where(ended, runs.state[following], NOWHERE).astype(np.uint8),
    )
