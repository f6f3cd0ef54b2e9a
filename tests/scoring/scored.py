"""Random scores and outcomes, with ties."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray


class Scored(NamedTuple):
    scores: NDArray[np.float64]
    won: NDArray[np.bool_]


@st.composite
def scored(draw: st.DrawFn, *, probabilities: bool = False, least: int = 1) -> Scored:
    """Draw scores with many ties, and outcomes of both kinds, at least so many of each."""
    n_won, n_lost = (draw(st.integers(least, 40)) for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    levels = draw(st.integers(1, 30))
    scores = rng.integers(0, levels + 1, n_won + n_lost) / levels
    if not probabilities:
        scores = np.round(100 * scores - 20, 3)
    won = rng.permutation(np.arange(n_won + n_lost) < n_won)
    return Scored(scores, won)
