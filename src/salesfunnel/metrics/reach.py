"""Reach: when each opportunity came to each stage, in each way of counting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.reach import reach_times
from salesfunnel.kernel.standing import NEVER, actual, reached, strict
from salesfunnel.log.stagecounts import MODES
from salesfunnel.log.view import View
from salesfunnel.wording import Listed


def entry_times(view: View, mode: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return when each opportunity came to each stage for the first time, and to which it did.

    Parameters
    ----------
    view : View
    mode : {"reached", "actual", "strict"}
        Who counts for a stage. In the mode reached the first entry into the stage or one beyond it
        counts; at stages after the sale, only those of the sale that stands.

    Returns
    -------
    time : (m, K) int64
        Microseconds since 1970 in UTC; `NEVER` where an opportunity does not count.
    entered : (m, K) bool
        Which ones count.

    Raises
    ------
    DefinitionError
        If there is no such mode.
    """
    n_stages, n_presale = len(view.funnel), view.funnel.n_presale
    if mode == "reached":
        entered = reached(view.standing, n_stages).entered
        time = reach_times(view.runs, view.standing, n_stages, n_presale)[:, :n_stages]
    elif mode == "actual":
        masks = actual(view.runs, view.standing, n_stages, n_presale)
        entered, time = masks.entered, view.first_entries[:, :n_stages]
    elif mode == "strict":
        entered = strict(view.runs, view.standing, n_stages).entered
        time = view.first_entries[:, :n_stages]
    else:
        raise DefinitionError(
            "mode= is one of {known}, not {mode!r}", known=Listed(MODES), mode=mode
        )
    return np.where(entered, time, NEVER), entered
