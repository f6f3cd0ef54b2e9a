"""Whether there are outcomes enough to tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salesfunnel.table import Phrase

FEW = 100
"""With fewer of the rarer outcome a measure of a score is uncertain."""
PER_VARIABLE = 10
"""With fewer of the rarer outcome for each weight that is learnt, weights are uncertain."""


def outcome_notes(won: NDArray[np.bool_], n_variables: int = 0) -> list[Phrase]:
    """Return what must be said of outcomes that are too few; see `enough_notes`."""
    n_won = int(np.count_nonzero(won))
    return enough_notes(n_won, len(won) - n_won, n_variables)


def enough_notes(n_won: int, n_lost: int, n_variables: int = 0) -> list[Phrase]:
    """Return what must be said of outcomes that are too few; nothing where there are enough.

    Parameters
    ----------
    n_won, n_lost : int
    n_variables : int
        How many weights are learnt from them.

    Notes
    -----
    A score is judged from at least 100 of each outcome: Y. Vergouwe, E. W. Steyerberg, M. J. C.
    Eijkemans and J. D. F. Habbema (2005), Journal of Clinical Epidemiology 58, 475–483. Weights are
    learnt from at least 10 of the rarer outcome each: P. Peduzzi, J. Concato, E. Kemper, T. R.
    Holford and A. R. Feinstein (1996), Journal of Clinical Epidemiology 49, 1373–1379.
    """
    rarer = min(n_won, n_lost)
    counts = {"won": n_won, "lost": n_lost, "few": FEW}
    notes = [Phrase("note.few_outcomes", counts)] if rarer < FEW else []
    if n_variables and rarer < PER_VARIABLE * n_variables:
        values = {"rarer": rarer, "variables": n_variables, "enough": PER_VARIABLE * n_variables}
        notes.append(Phrase("note.few_per_variable", values))
    return notes
