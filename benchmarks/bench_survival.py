"""Kaplan–Meier and Aalen–Johansen curves of a million opportunities, beside lifelines.

Durations are whole days, whole seconds, or floats without ties; a third of the opportunities is
censored, and the others are won or lost. Both libraries run in turns in one process, with the
bounds of the curve, and both must find the same curve. lifelines takes much longer for the variance
of an Aalen–Johansen curve: what it asks for without is measured too, and that is what counts.

lifelines is not in the environment of the other benchmarks: run this one with the environment of
the tests, by ``python -m benchmarks.bench_survival`` or as a part of ``make bench``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.metrics.survival import aalen_johansen, kaplan_meier

AT_LEAST = 50.0
"""How many times as fast as lifelines it must be."""

OPPORTUNITIES = 1_000_000
ROUNDS = 7
PEER_ROUNDS = 3


def durations(n: int) -> dict[str, NDArray[Any]]:
    """Return durations of about two months on average, by how finely they are known."""
    days = np.random.default_rng(0).exponential(60, n)
    return {
        "whole days": np.ceil(days),
        "whole seconds": np.ceil(days * 86_400),
        "floats": days,
    }


def seconds_for(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def main() -> int:
    """Print the comparison; return 0 where it is quick enough, else 1."""
    from lifelines import AalenJohansenFitter, KaplanMeierFitter

    ending = np.random.default_rng(1).integers(0, 3, OPPORTUNITIES)
    is_event = ending > 0
    print(f"\n{f'{OPPORTUNITIES:,} opportunities':34}{'ms':>9}{'lifelines':>11}{'ratio':>8}")
    enough = True
    for name, duration in durations(OPPORTUNITIES).items():

        def ours_km(duration: NDArray[Any] = duration) -> object:
            return kaplan_meier(duration, is_event).low

        def ours_aj(duration: NDArray[Any] = duration) -> object:
            return aalen_johansen(duration, ending).low

        def peer_km(duration: NDArray[Any] = duration) -> Any:
            return KaplanMeierFitter().fit(duration, is_event)

        def peer_aj(duration: NDArray[Any] = duration) -> Any:
            return AalenJohansenFitter(calculate_variance=False, seed=0).fit(duration, ending, 1)

        for curve, ours, peer in (
            ("Kaplan–Meier", ours_km, peer_km),
            ("Aalen–Johansen", ours_aj, peer_aj),
        ):
            rounds = [seconds_for(ours) for _ in range(ROUNDS)]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                peer_rounds = [seconds_for(peer) for _ in range(PEER_ROUNDS)]
            mine, other = median(rounds), median(peer_rounds)
            label = f"{curve}, {name}"
            print(f"{label:34}{mine * 1e3:>9.1f}{other * 1e3:>11.1f}{other / mine:>7.0f}×")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
