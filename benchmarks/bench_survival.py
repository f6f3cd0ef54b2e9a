"""Kaplan–Meier and Aalen–Johansen curves of a million opportunities, beside lifelines.

Durations are whole days, whole seconds, or floats without ties; a third of the opportunities is
censored, the others are won or lost. Both libraries run in turns in one process and must find the
same curve; medians count. The aim is 50 times as fast. Below that stands what numpy alone takes for
the least that each case must do: counting integers, sorting, and four logarithms or exponentials
for the bounds of each row.

lifelines computes the bounds of a curve together with it; here they are computed when they are
asked for, and both times are shown. For those of an Aalen–Johansen curve lifelines loops over all
times, minutes at this size: it is asked for them of a tenth, and else for the curve alone.

lifelines is not in the environment of the other benchmarks, as it holds pandas back: this one runs
in that of the tests, by ``python -m benchmarks.bench_survival`` or as a part of ``make bench``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.metrics.survival import aalen_johansen, kaplan_meier

AIM = 50.0
"""How many times as fast as lifelines a curve is to be."""

OPPORTUNITIES = 1_000_000
ROUNDS = 5

Floats = NDArray[np.float64]


class Case(NamedTuple):
    """One comparison, and what both find: values at the times of ours."""

    name: str
    rounds: int
    ours: Callable[[], Any]
    peer: Callable[[], Any]
    answers: Callable[[Any, Any], tuple[Floats, Floats]]


def durations(n: int) -> dict[str, Floats]:
    """Return durations of two months on average, by how finely they are known."""
    days = np.random.default_rng(0).exponential(60, n)
    return {
        "whole days": np.ceil(days),
        "whole seconds": np.ceil(days * 86_400),
        "floats": days,
    }


def cases(name: str, duration: Floats, ending: NDArray[np.int64]) -> list[Case]:
    """Return what is compared for some durations, ended in one of two ways or censored."""
    from lifelines import AalenJohansenFitter, KaplanMeierFitter

    is_event = ending > 0
    tied = name != "floats"

    def peer_aj() -> Any:
        return AalenJohansenFitter(seed=0, calculate_variance=False).fit(duration, ending, 1)

    def peer_aj_of_a_tenth() -> Any:
        return AalenJohansenFitter(seed=0).fit(duration[::10], ending[::10], 1)

    def peer_km() -> Any:
        return KaplanMeierFitter().fit(duration, is_event)

    def survivals(ours: Any, peer: Any) -> tuple[Floats, Floats]:
        return ours.survival, peer.survival_function_.loc[ours.time].to_numpy()[:, 0]

    def incidences(ours: Any, peer: Any) -> tuple[Floats, Floats]:
        # Where there are ties lifelines moves them apart by chance: only the ends agree, roughly.
        values = peer.cumulative_density_.to_numpy()[:, 0]
        if tied:
            return ours.incidence[-1:].round(2), values[-1:].round(2)
        return ours.incidence, peer.cumulative_density_.loc[ours.time].to_numpy()[:, 0]

    def km() -> Any:
        return kaplan_meier(duration, is_event)

    def aj() -> Any:
        return aalen_johansen(duration, ending)

    def aj_of_a_tenth() -> Any:
        return aalen_johansen(duration[::10], ending[::10])

    found = [
        Case(f"Kaplan–Meier, {name}", ROUNDS, km, peer_km, survivals),
        Case(f"Kaplan–Meier, {name}, with bounds", ROUNDS, bounded(km), peer_km, survivals),
        Case(f"Aalen–Johansen, {name}", ROUNDS, aj, peer_aj, incidences),
    ]
    if not tied:
        label = f"Aalen–Johansen, {name}, with bounds, a tenth"
        found.append(Case(label, 1, bounded(aj_of_a_tenth), peer_aj_of_a_tenth, incidences))
    return found


def yardsticks() -> dict[str, Callable[[], Any]]:
    """Return the least that numpy can do for a curve of as many opportunities, a third censored."""
    found = durations(OPPORTUNITIES)
    days, shares = (
        found["whole days"].astype(np.int64),
        np.linspace(1, 0, OPPORTUNITIES * 2 // 3 + 1),
    )
    return {
        "np.bincount of days that are integers": lambda: np.bincount(days),
        "np.sort of floats": lambda: np.sort(found["floats"]),
        "np.sort of seconds in 32 bits": lambda: np.sort(found["whole seconds"].astype(np.uint32)),
        "np.exp of as many rows, four times": lambda: [np.exp(shares) for _ in range(4)],
    }


def bounded(curve: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that makes a curve and asks for its bounds."""

    def work() -> Any:
        found = curve()
        assert len(found.low) == len(found.high)
        return found

    return work


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the milliseconds that a call takes, and what it gives."""
    started = perf_counter()
    found = work()
    return (perf_counter() - started) * 1e3, found


def main() -> int:
    """Print the comparison, and what misses the aim."""
    ending = np.random.default_rng(1).integers(0, 3, OPPORTUNITIES)
    print(f"\n{f'{OPPORTUNITIES:,} opportunities':44}{'ms':>9}{'lifelines':>12}{'ratio':>8}")
    slow = []
    for name, duration in durations(OPPORTUNITIES).items():
        for case in cases(name, duration, ending):
            ours, peer = [], []
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for _ in range(case.rounds):
                    for _ in range(3):
                        milliseconds, curve = timed(case.ours)
                        ours.append(milliseconds)
                    milliseconds, fitted = timed(case.peer)
                    peer.append(milliseconds)
            np.testing.assert_allclose(*case.answers(curve, fitted), rtol=0, atol=1e-9)
            ratio = median(peer) / median(ours)
            row = f"{case.name:44}{median(ours):>9.1f}{median(peer):>12.1f}{ratio:>7.0f}×"
            print(row, flush=True)
            if ratio < AIM:
                slow.append(case.name)
    print(f"below {AIM:.0f}×: {'; '.join(slow)}" if slow else f"at least {AIM:.0f}× throughout")
    for name, work in yardsticks().items():
        print(f"{name:44}{median(timed(work)[0] for _ in range(3 * ROUNDS)):>9.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
