"""Bands around survival curves: critical values beside other ways to them, and their coverage."""

from __future__ import annotations

import math
import re
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from metrics.lifetimes import Life, columns, lives
from numpy.testing import assert_allclose, assert_array_equal

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics import aalen_johansen, kaplan_meier
from salesfunnel.metrics.bands import KINDS, equal_precision_critical, hall_wellner_critical
from salesfunnel.metrics.intervals import critical_value

LEVELS = (0.9, 0.95, 0.99)
REMISSION = (
    [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35],
    [True] * 9 + [False] * 12,
)
"""Weeks in remission under 6-MP: Freireich et al. (1963)."""

# ── critical values ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("level", "known"), [(0.9, 1.2238), (0.95, 1.3581), (0.99, 1.6276)])
def test_over_all_times_hall_and_wellners_value_is_kolmogorovs(level: float, known: float) -> None:
    assert round(hall_wellner_critical(1e-9, 1 - 1e-9, level), 4) == known


def test_hall_and_wellners_value_is_that_of_published_tables() -> None:
    # table C.4 of Klein and Moeschberger, in their example 4.2
    assert round(hall_wellner_critical(0.1, 0.6, 0.95), 4) == 1.3211


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("high", [0.1, 0.4, 0.75, 0.95])
def test_from_the_start_hall_and_wellners_value_is_that_of_their_formula(
    level: float, high: float
) -> None:
    k = hall_wellner_critical(1e-12, high, level)

    # G of Hall and Wellner (1980), equation 2.6
    tail, r, d = NormalDist().cdf, k * math.sqrt((1 - high) / high), 1 / (1 - high)
    terms = (
        (-1) ** j * math.exp(-2 * (j * k) ** 2) * (tail(r * (2 * j + d)) - tail(r * (2 * j - d)))
        for j in range(1, 60)
    )
    found = 2 * tail(k / math.sqrt(high * (1 - high))) - 1 + 2 * sum(terms)
    assert_allclose(found, level, atol=1e-7)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("low", "high"), [(0.1, 0.6), (0.02, 0.98), (0.3, 0.4), (0.001, 0.5)])
def test_equal_precision_is_that_of_differences_in_place_of_the_equation(
    low: float, high: float, level: float
) -> None:
    c = equal_precision_critical(low, high, level)

    # The Ornstein–Uhlenbeck process on a grid, with absorbing ends, exact in time.
    x = np.linspace(-c, c, 402)[1:-1]
    step = x[1] - x[0]
    half = np.exp(-((x[:-1] + x[1:]) ** 2) / 8)  # the density between the points, but for a factor
    density = np.exp(-(x**2) / 2)
    edges = np.concatenate([[math.exp(-((c - step / 2) ** 2) / 2)], half])
    both = edges + np.append(edges[1:], edges[0])
    away = np.diag(both / density) - np.diag(half / np.sqrt(density[1:] * density[:-1]), 1)
    away -= np.diag(half / np.sqrt(density[1:] * density[:-1]), -1)
    rates, shapes = np.linalg.eigh(away / step**2)
    parts = shapes.T @ np.sqrt(density) * math.sqrt(step / math.sqrt(2 * math.pi))
    length = 0.5 * math.log(high * (1 - low) / (low * (1 - high)))
    assert_allclose(np.sum(parts**2 * np.exp(-rates * length)), level, atol=5e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_equal_precision_is_near_the_expansion_that_tables_are_made_by(level: float) -> None:
    c = equal_precision_critical(0.1, 0.6, level)

    # R. Miller and D. Siegmund (1982), Biometrics 38, 1011–1016; Nair (1984)
    spread = math.log(0.6 * 0.9 / (0.1 * 0.4))
    tail = NormalDist().pdf(c) * (4 / c + (c - 1 / c) * spread)
    assert_allclose(tail, 1 - level, rtol=0.05)


def test_at_a_single_time_a_band_is_an_interval() -> None:
    for level in LEVELS:
        z = critical_value(level)
        assert_allclose(equal_precision_critical(0.3, 0.3 + 1e-12, level), z, rtol=1e-3)
        assert_allclose(
            hall_wellner_critical(0.3, 0.3 + 1e-12, level), z * math.sqrt(0.21), rtol=1e-5
        )


# ── bands ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_a_band_by_its_formula(kind: str) -> None:
    curve = kaplan_meier(*REMISSION)
    band = curve.band(kind)

    n = 21
    sums = [3 / (21 * 18), 1 / (17 * 16), 1 / (15 * 14), 1 / (12 * 11), 1 / (11 * 10)]
    variance = np.cumsum([*sums, 1 / (7 * 6), 1 / (6 * 5)])
    a = n * variance / (1 + n * variance)
    log = np.log(curve.survival)
    if kind == "equal_precision":
        assert band.critical == equal_precision_critical(*a[[0, -1]].tolist(), 0.95)
        exponent = band.critical * np.sqrt(variance) / log
    else:
        assert band.critical == hall_wellner_critical(*a[[0, -1]].tolist(), 0.95)
        exponent = band.critical * (1 + n * variance) / (math.sqrt(n) * log)
    assert_allclose(band.low, curve.survival ** np.exp(-exponent), rtol=1e-9)
    assert_allclose(band.high, curve.survival ** np.exp(exponent), rtol=1e-9)
    assert (band.since, band.until, band.level) == (6, 35, 0.95)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shorter_stretch_has_a_narrower_band(kind: str) -> None:
    curve = kaplan_meier(*REMISSION)
    whole, part = curve.band(kind), curve.band(kind, since=8, until=20)

    assert part.critical < whole.critical
    assert np.isnan(part.low).tolist() == [True, False, False, False, False, True, True]
    inside = ~np.isnan(part.low)
    assert (part.low[inside] > whole.low[inside]).all()
    assert (part.high[inside] < whole.high[inside]).all()
    low, high = part.at([7, 8, 12, 20, 20.5])
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False, False, False, True]
    # on day 8 the curve is what it was on day 7
    assert [low[1], low[2], low[3]] == [part.low[1], part.low[2], part.low[4]]


@given(lives())
@settings(max_examples=25, deadline=None)
def test_a_band_contains_the_pointwise_bounds(group: list[Life]) -> None:
    duration, ending = columns(group, "whole numbers")
    curve = kaplan_meier(duration, ending > 0)
    band = curve.band()

    inside = ~np.isnan(band.low)
    assert_array_equal(inside, curve.survival > 0)
    assert (band.low[inside] <= curve.low[inside] + 1e-9).all()
    assert (band.high[inside] >= curve.high[inside] - 1e-9).all()
    assert ((band.low[inside] >= 0) & (band.high[inside] <= 1)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_band_covers_the_whole_curve_as_often_as_it_says(kind: str) -> None:
    rng = np.random.default_rng(8)
    n, rounds = 300, 200
    covered = pointwise = 0
    for _ in range(rounds):
        life, followed = rng.exponential(1, n), rng.uniform(0.5, 4, n)
        curve = kaplan_meier(np.minimum(life, followed), life <= followed)
        # The stretch is fixed beforehand, and its critical value is nearly the same in each round.
        band = curve.band(kind, since=0.1, until=1.5)
        inside = (curve.time >= band.since) & (curve.time <= band.until)
        rows = np.flatnonzero(inside)
        # Between two steps the truth falls: it is at its highest at the first, lowest at the next.
        first, last = (
            np.exp(-curve.time[rows]),
            np.exp(-curve.time[np.minimum(rows + 1, len(curve) - 1)]),
        )
        covered += bool(((band.high[rows] >= first) & (band.low[rows] <= last)).all())
        pointwise += bool(((curve.high[rows] >= first) & (curve.low[rows] <= last)).all())
    # The binomial standard error of 0.95 is 0.014.
    assert 0.91 <= covered / rounds <= 0.99
    assert pointwise / rounds < 0.75


def test_a_band_ends_with_the_last_share_above_nothing() -> None:
    band = kaplan_meier([1, 2, 3, 5], [True, True, True, True]).band()

    assert band.until == 3
    assert np.isnan(band.low).tolist() == [False, False, False, True]
    assert np.isnan(band.at(4)).all()


def test_where_nothing_is_known_there_is_no_band() -> None:
    for curve in (kaplan_meier([], []), kaplan_meier([3], [False]), kaplan_meier([3], [True])):
        band = curve.band()
        assert np.isnan([band.critical, band.since, band.until, *band.low, *band.at(1)]).all()
    assert np.isnan(kaplan_meier(*REMISSION).band(since=36).critical)
    assert np.isnan(kaplan_meier(*REMISSION).band(until=5).critical)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "wide"}, "a band is one of equal_precision, hall_wellner, not 'wide'"),
        ({"since": -1}, "since= is a duration, not negative, not -1"),
        ({"until": math.nan}, "until= is a duration, not negative, not nan"),
        ({"since": 9, "until": 8}, "a band lasts from since= to a later until=, not from 9 to 8"),
    ],
)
def test_a_band_that_cannot_be_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(message)):
        kaplan_meier(*REMISSION).band(**options)  # type: ignore[arg-type]


def test_bands_of_groups_are_asked_for_one_by_one() -> None:
    curves = kaplan_meier([1, 2, 3, 4], [True] * 4, group=[0, 0, 1, 1])

    with pytest.raises(DefinitionError, match=r"of 2 groups; ask the curve of one"):
        curves.band()
    assert curves[1].band().since == 3


def test_a_curve_with_competing_events_has_no_band_and_says_what_to_do() -> None:
    with pytest.raises(DefinitionError, match=r"no band; for m times at once ask \.interval_at"):
        aalen_johansen([1, 2], [1, 2]).band()
