"""Kaplan–Meier and Aalen–Johansen curves, beside exact fractions and beside lifelines."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from metrics.lifetimes import FORMS, Life, columns, lives, steps
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics import aalen_johansen, kaplan_meier, wilson

forms = st.sampled_from(list(FORMS))

# ── by exact fractions, with ties ─────────────────────────────────────────────────────────────────


@given(lives(), forms)
def test_a_kaplan_meier_curve_is_exact_for_ties(group: list[Life], form: str) -> None:
    duration, ending = columns(group, form)
    curve = kaplan_meier(duration, ending > 0)

    expected = steps(group)
    assert_array_equal(curve.time, FORMS[form]([step.time for step in expected]))
    assert curve.time.dtype == duration.dtype
    assert curve.at_risk.tolist() == [step.at_risk for step in expected]
    assert curve.events.tolist() == [step.events + step.competing for step in expected]
    assert_allclose(curve.survival, [float(step.survival) for step in expected], rtol=1e-12)
    variance = [float(step.survival**2 * step.hazard_variance) for step in expected]
    assert_allclose(curve.variance, variance, rtol=1e-12)


@given(lives(), forms)
def test_an_aalen_johansen_curve_is_exact_for_ties(group: list[Life], form: str) -> None:
    duration, ending = columns(group, form)
    one, other = (aalen_johansen(duration, ending, cause) for cause in (1, 2))

    expected = steps(group)
    assert_array_equal(one.time, FORMS[form]([step.time for step in expected]))
    assert one.at_risk.tolist() == [step.at_risk for step in expected]
    assert one.events.tolist() == [step.events for step in expected]
    assert one.competing.tolist() == [step.competing for step in expected]
    assert_allclose(one.incidence, [float(s.incidence) for s in expected], rtol=1e-12, atol=1e-15)
    survival = np.array([float(step.survival) for step in expected])
    assert_allclose(one.incidence + other.incidence + survival, 1, rtol=1e-12)


@given(lives())
def test_without_a_competing_event_the_incidence_is_what_has_not_survived(
    group: list[Life],
) -> None:
    duration, ending = columns(group, "floats")
    curve, survival = aalen_johansen(duration, ending > 0), kaplan_meier(duration, ending > 0)

    assert_allclose(curve.incidence, 1 - survival.survival, rtol=1e-12, atol=1e-15)
    assert_allclose(curve.variance, survival.variance, rtol=1e-9, atol=1e-15)


@given(st.lists(st.tuples(st.integers(0, 3), lives(9)), max_size=4), forms)
@settings(max_examples=40)
def test_groups_are_as_each_alone(groups: list[tuple[int, list[Life]]], form: str) -> None:
    n_groups = 5
    everyone = [(code, life) for code, group in groups for life in group]
    code = np.array([code for code, _ in everyone], np.int64)
    duration, ending = columns([life for _, life in everyone], form)
    order = np.random.default_rng(len(everyone)).permutation(len(everyone))
    options: dict[str, Any] = {"group": code[order], "n_groups": n_groups}
    survival = kaplan_meier(duration[order], ending[order] > 0, **options)
    incidence = aalen_johansen(duration[order], ending[order], **options)

    for number in range(n_groups):
        own = duration[code == number], ending[code == number]
        for whole, alone in (
            (survival, kaplan_meier(own[0], own[1] > 0)),
            (incidence, aalen_johansen(*own)),
        ):
            part = whole[number]
            rows = whole.group == number
            assert_array_equal(part.time, alone.time)
            assert_array_equal(whole.time[rows], alone.time)
            assert_array_equal(part.at_risk, alone.at_risk)
            for name in ("estimate", "variance", "low", "high"):
                expected = getattr(alone, name)
                assert_allclose(getattr(part, name), expected, rtol=1e-9, atol=1e-12)
                assert_allclose(getattr(whole, name)[rows], expected, rtol=1e-9, atol=1e-12)
            times, shares = FORMS[form]([0, 3, 7, 12, 20]), [0.1, 0.5, 1.0]
            assert whole.at(times).shape == (n_groups, 5)
            assert_allclose(whole.at(times)[number], alone.at(times), rtol=1e-12)
            assert_array_equal(whole.quantile(shares)[number], alone.quantile(shares))
            for ours, theirs in (
                (whole.interval_at(times), alone.interval_at(times)),
                (whole.quantile_interval(shares), alone.quantile_interval(shares)),
            ):
                found = np.array(ours)[:, number]
                assert_allclose(found, theirs, rtol=1e-9, atol=1e-12)
        for horizon in (None, 5.0):
            means = survival.restricted_mean(horizon)
            lone = kaplan_meier(own[0], own[1] > 0).restricted_mean(horizon)
            assert_allclose([value[number] for value in means], lone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["seconds", "floats", "floats with ties and zeros"])
def test_a_long_curve_counts_what_a_table_of_its_times_counts(kind: str) -> None:
    rng = np.random.default_rng(5)
    n, n_groups = 150_000, 3
    duration = rng.exponential(40, n)
    if kind == "seconds":
        duration = np.floor(duration * 3_600)
    elif kind != "floats":
        duration = np.floor(duration * 300) / 512
    ending, group = rng.integers(0, 3, n), rng.integers(0, n_groups, n)

    for codes in (None, group):
        curve = aalen_johansen(duration, ending, group=codes)
        alone = kaplan_meier(duration, ending > 0, group=codes)
        rows = 0
        for number in [None] if codes is None else range(n_groups):
            own = slice(None) if number is None else group == number
            time, row = np.unique(duration[own], return_inverse=True)
            ended = np.array([np.bincount(row, ending[own] == code) for code in range(3)])
            at_risk = ended.sum() - np.cumsum(ended.sum(axis=0)) + ended.sum(axis=0)
            happened = ended[1:].any(axis=0)
            part = curve if number is None else curve[number]
            one = alone if number is None else alone[number]
            assert_array_equal(part.time, time[happened])
            assert_array_equal(part.at_risk, at_risk[happened])
            assert_array_equal(part.events, ended[1][happened])
            assert_array_equal(part.competing, ended[2][happened])
            assert_array_equal(one.time, time[happened])
            assert_array_equal(one.at_risk, at_risk[happened])
            assert_array_equal(one.events, ended[1:].sum(axis=0)[happened])
            left = np.cumprod(1 - ended[1:].sum(axis=0)[happened] / at_risk[happened])
            assert_allclose(one.survival, left, rtol=1e-9, atol=1e-12)
            rows += int(happened.sum())
        assert len(curve) == len(alone) == rows


# ── beside lifelines ──────────────────────────────────────────────────────────────────────────────


def sample(seed: int, tied: bool = True) -> tuple[NDArray[Any], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    days = rng.exponential(40, 300)
    return (np.ceil(days) if tied else days), rng.integers(0, 3, 300)


def quietly(work: Callable[[], Any]) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return work()


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_a_kaplan_meier_curve_is_that_of_lifelines(tied: bool, level: float) -> None:
    duration, ending = sample(1, tied)
    curve = kaplan_meier(duration, ending > 0, level=level)

    peer = quietly(lambda: KaplanMeierFitter(alpha=1 - level).fit(duration, ending > 0))
    bounds = peer.confidence_interval_survival_function_.loc[curve.time].to_numpy()
    assert_allclose(curve.survival, peer.survival_function_at_times(curve.time), atol=1e-9)
    inside = curve.survival > 0
    assert_allclose(curve.low[inside], bounds[inside, 0], atol=1e-9)
    assert_allclose(curve.high[inside], bounds[inside, 1], atol=1e-9)
    assert curve.quantile(0.5) == peer.median_survival_time_
    assert curve.quantile(0.25) == quietly(lambda: peer.percentile(0.75))
    assert_allclose(
        curve.restricted_mean(30).mean, restricted_mean_survival_time(peer, 30), atol=1e-9
    )


@pytest.mark.parametrize("cause", [1, 2])
def test_an_aalen_johansen_curve_is_that_of_lifelines(cause: int) -> None:
    duration, ending = sample(2, tied=False)  # of ties lifelines makes noise
    curve = aalen_johansen(duration, ending, cause)

    peer = quietly(lambda: AalenJohansenFitter().fit(duration, ending, cause))
    assert_allclose(
        curve.incidence, peer.cumulative_density_.loc[curve.time].to_numpy()[:, 0], atol=1e-9
    )
    variance = peer.variance_.loc[curve.time].to_numpy()
    bounds = peer.confidence_interval_.loc[curve.time].to_numpy()
    known = (curve.incidence > 0) & ~np.isnan(variance)
    assert known.sum() > 150
    assert_allclose(curve.variance[known], variance[known], atol=1e-9)
    assert_allclose(curve.low[known], bounds[known, 0], atol=1e-9)
    assert_allclose(curve.high[known], bounds[known, 1], atol=1e-9)


# ── what a curve can be asked ─────────────────────────────────────────────────────────────────────

FREIREICH = (
    [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35],
    [True] * 9 + [False] * 12,
)
"""Weeks in remission under 6-MP: Freireich et al. (1963), example 1.2 of Klein and Moeschberger."""


def test_a_curve_counted_by_hand() -> None:
    curve = kaplan_meier(*FREIREICH)

    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.events.tolist() == [3, 1, 1, 1, 1, 1, 1]
    # table 4.1 of Klein and Moeschberger
    assert curve.survival.round(3).tolist() == [0.857, 0.807, 0.753, 0.69, 0.627, 0.538, 0.448]
    assert np.sqrt(curve.variance).round(3).tolist() == [
        *(0.076, 0.087, 0.096, 0.107, 0.114, 0.128, 0.135)
    ]
    mean = curve.restricted_mean(35)
    assert round(float(mean.mean), 3) == 23.287
    assert round(float(np.sqrt(mean.variance)), 2) == 2.83
    assert curve.quantile([0.25, 0.5]).tolist() == [13, 23]


def test_the_value_at_a_time_includes_what_happens_then() -> None:
    curve = kaplan_meier([2, 4, 4, 9], [True, True, False, False])

    assert curve.at([0, 1.9, 2, 3, 4, 9]).tolist() == [1, 1, 0.75, 0.75, 0.5, 0.5]
    assert curve.at([[0], [2]]).tolist() == [[1], [0.75]]
    assert curve.at(2).shape == ()


def test_nothing_is_known_later_than_anybody_was_followed() -> None:
    open_ended = kaplan_meier([2, 4, 9], [True, True, False])
    ended = kaplan_meier([2, 4, 9], [True, True, True])

    assert np.isnan(open_ended.at(9.1))
    assert ended.at(100) == 0
    assert np.isnan(open_ended.restricted_mean(10).mean)
    assert ended.restricted_mean(100).mean == 5
    assert aalen_johansen([2, 4], [1, 2]).at(50) == 0.5
    assert np.isnan(aalen_johansen([2, 4], [1, 0]).at(50))
    assert np.isnan(aalen_johansen([2, 4], [1, 0]).interval_at(50)).all()


def test_a_quantile_is_the_first_time_that_a_share_is_reached() -> None:
    curve = kaplan_meier([1, 2, 3, 4], [True, True, True, False])

    assert curve.quantile([0.25, 0.26, 0.5, 0.75]).tolist() == [1, 2, 2, 3]
    assert np.isnan(curve.quantile(0.76))
    # nine factors whose product in floats is a little above 0.1
    assert kaplan_meier(range(1, 11), [True] * 9 + [False]).quantile(0.9) == 9


@given(lives(), st.floats(0.01, 1))
def test_quantiles_lie_between_their_bounds(group: list[Life], q: float) -> None:
    duration, ending = columns(group, "whole numbers")
    for curve in (kaplan_meier(duration, ending > 0), aalen_johansen(duration, ending)):
        low, high = curve.quantile_interval(q)
        found = curve.quantile(q)

        # What was not reached lies beyond all that is known.
        ordered = [np.inf if np.isnan(time) else float(time) for time in (low, found, high)]
        assert ordered == sorted(ordered)


@given(lives(), st.floats(0.5, 0.99))
def test_intervals_contain_the_estimate_and_are_shares(group: list[Life], level: float) -> None:
    duration, ending = columns(group, "floats")
    for curve in (
        kaplan_meier(duration, ending > 0, level=level),
        aalen_johansen(duration, ending, level=level),
    ):
        assert (curve.low <= curve.estimate).all()
        assert (curve.estimate <= curve.high).all()
        assert ((curve.low >= 0) & (curve.high <= 1)).all()


def test_where_the_curve_is_at_an_end_its_interval_is_that_of_a_share() -> None:
    duration = [1, 2, 2, 3]
    zero = kaplan_meier(duration, [True, False, True, True])
    none_won = aalen_johansen(duration, [2, 0, 2, 0])
    all_won = aalen_johansen(duration, [1, 1, 1, 1])

    # Of the first four three fates are known at the end, and all of them have ended.
    assert [zero.low[-1], zero.high[-1]] == list(wilson(0, 3))
    assert [none_won.low[-1], none_won.high[-1]] == list(wilson(0, 4))
    assert [all_won.low[-1], all_won.high[-1]] == list(wilson(4, 4))


def test_before_anything_happened_the_interval_is_that_of_those_at_risk() -> None:
    survival = kaplan_meier([1, 2, 5], [False, True, False])
    incidence = aalen_johansen([1, 2, 5], [0, 1, 0])

    assert list(survival.interval_at(0)) == list(wilson(2, 2))
    assert list(incidence.interval_at(1.5)) == list(wilson(0, 2))
    assert np.isnan(kaplan_meier([1], [False]).interval_at(0)).all()


@given(lives(20), st.none() | st.integers(0, 12))
def test_a_restricted_mean_is_the_area_below_the_curve(
    group: list[Life], horizon: int | None
) -> None:
    duration, ending = columns(group, "whole numbers")
    found = kaplan_meier(duration, ending > 0).restricted_mean(horizon)

    rows, longest = steps(group), max((d for d, _ in group), default=-1)
    complete = bool(rows) and rows[-1].at_risk == rows[-1].events + rows[-1].competing
    until = longest if horizon is None else horizon
    if not group or (until > longest and not complete):
        assert np.isnan(found).all()
        return

    def area(start: float) -> float:
        corners = [start, *(r.time for r in rows if start < r.time < until), max(until, start)]
        heights = [
            next((float(r.survival) for r in reversed(rows) if r.time <= corner), 1.0)
            for corner in corners[:-1]
        ]
        return sum(h * (b - a) for h, (a, b) in zip(heights, pairwise(corners), strict=True))

    variance = sum(
        area(r.time) ** 2 * d / (r.at_risk * (r.at_risk - d))
        for r in rows
        if r.time <= until and (d := r.events + r.competing) < r.at_risk
    )
    assert_allclose(found.mean, area(0), rtol=1e-12, atol=1e-12)
    assert_allclose(found.variance, variance, rtol=1e-9, atol=1e-12)
    assert 0 <= found.low <= found.mean <= found.high <= until


@given(st.lists(st.integers(0, 50), min_size=1))
def test_of_what_has_all_ended_the_restricted_mean_is_the_mean(duration: list[int]) -> None:
    found = kaplan_meier(duration, np.ones(len(duration), bool)).restricted_mean()

    assert_allclose(found.mean, np.mean(duration), rtol=1e-12)
    assert_allclose(found.variance, np.var(duration) / len(duration), rtol=1e-9, atol=1e-9)


@given(lives(), st.randoms(use_true_random=False))
def test_the_order_of_opportunities_does_not_matter(group: list[Life], random: Any) -> None:
    shuffled = list(group)
    random.shuffle(shuffled)
    for form in FORMS:
        one, other = (aalen_johansen(*columns(lives, form)) for lives in (group, shuffled))
        assert_array_equal(one.incidence, other.incidence)
        assert_array_equal(one.variance, other.variance)


def test_nothing_is_known_of_nobody() -> None:
    for curve in (kaplan_meier([], []), aalen_johansen([], [])):
        assert len(curve) == 0
        assert np.isnan([curve.at(0), curve.quantile(0.5), *curve.interval_at(0)]).all()
    assert np.isnan(kaplan_meier([], []).restricted_mean()).all()
    for n_groups in (0, 2):
        groups = kaplan_meier([], [], group=[], n_groups=n_groups)
        assert groups.at([1, 2]).shape == groups.quantile([0.1, 0.5]).shape == (n_groups, 2)
        assert groups.restricted_mean().mean.shape == (n_groups,)


def test_zero_is_zero_with_either_sign() -> None:
    for other in (0.25, 2.0):
        curve = kaplan_meier([0.0, -0.0, other, other], [True, True, False, True])
        assert curve.time.tolist() == [0, other]
        assert curve.survival.tolist() == [0.5, 0.25]
        assert kaplan_meier([-0.0, 0.0], [True, False]).time.tolist() == [0]


def test_many_opportunities_are_counted_as_few_are() -> None:
    rng = np.random.default_rng(3)
    duration, ending = rng.integers(0, 2000, 200_000), rng.integers(0, 3, 200_000)
    group = rng.integers(0, 40, 200_000)

    counted = aalen_johansen(duration, ending, group=group)
    sorted_ = aalen_johansen(duration * 1_000_003, ending, group=group)
    ranked = aalen_johansen(np.sqrt(duration * 1e200), ending, group=group)
    for other in (sorted_, ranked):
        assert_array_equal(counted.incidence, other.incidence)
        assert_array_equal(counted.sets.starts, other.sets.starts)
    assert_array_equal(counted.time * 1_000_003, sorted_.time)


# ── what cannot be ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("curve", [kaplan_meier, aalen_johansen])
@pytest.mark.parametrize(
    ("duration", "event", "message"),
    [
        ([1, -2], [1, 1], "durations are finite and not negative: duration[1] is -2"),
        ([1, math.nan], [1, 1], "duration[1] is nan"),
        ([math.inf, 1.5], [1, 1], "duration[0] is inf"),
        (["1"], [1], "duration= is a sequence of numbers, not <U1 of shape (1,)"),
        ([[1, 2]], [1, 1], "duration= is a sequence of numbers, not int64 of shape (1, 2)"),
        ([1, 2], [1], "duration= and event= are of one length, not 2 and 1"),
        ([1], ["won"], "event= is"),
        ([1, 2], [0, math.nan], "event[1] is nan"),
        ([1, 2], [0, -1], "event[1] is -1"),
        ([1, 2], [0.5, 1], "event[0] is 0.5"),
    ],
)
def test_what_is_no_duration_or_event_is_refused(
    curve: Callable[..., Any], duration: Any, event: Any, message: str
) -> None:
    with pytest.raises(DefinitionError, match=re.escape(message)):
        curve(duration, event)


def test_several_causes_need_a_curve_that_knows_them() -> None:
    with pytest.raises(DefinitionError, match=re.escape("booleans, or 0 and 1; event[1] is 2")):
        kaplan_meier([1, 2], [1, 2])


@pytest.mark.parametrize("cause", [0, -1, 1.5, True, "won"])
def test_a_cause_is_a_positive_integer(cause: Any) -> None:
    with pytest.raises(DefinitionError, match="cause= is a positive integer, as 0 is for censored"):
        aalen_johansen([1], [1], cause)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": [0, -1]}, "group= has codes from 0 to 0, not -1"),
        ({"group": [0, 3], "n_groups": 3}, "group= has codes from 0 to 2, not 3"),
        ({"group": [0]}, "group= is an integer for each duration, of shape (2,), not int64 of"),
        ({"group": [0.0, 1.0]}, "not float64 of shape (2,)"),
        ({"n_groups": 2}, "n_groups=2 needs group=, the code of each one's group"),
        ({"level": 95}, "level= is between 0 and 1, as in 0.95, not 95"),
    ],
)
def test_groups_and_levels_are_checked(options: dict[str, Any], message: str) -> None:
    for curve in (kaplan_meier, aalen_johansen):
        with pytest.raises(DefinitionError, match=re.escape(message)):
            curve([1, 2], [1, 0], **options)


def test_questions_are_checked() -> None:
    curve = kaplan_meier([1, 2], [True, False])
    with pytest.raises(DefinitionError, match="times are durations, which are not negative"):
        curve.at([1, -1])
    with pytest.raises(DefinitionError, match="times are durations"):
        curve.interval_at(math.nan)
    for q in (0, 1.1, math.nan):
        with pytest.raises(DefinitionError, match="shares above 0, up to 1"):
            curve.quantile(q)
    for horizon in (-1, math.nan):
        with pytest.raises(DefinitionError, match="horizon= is a duration, not negative"):
            curve.restricted_mean(horizon)
    with pytest.raises(DefinitionError, match="no group 0 in this curve; it has no groups"):
        curve[0]
    with pytest.raises(DefinitionError, match="no group 2 in this curve; groups are 0 to 1"):
        kaplan_meier([1, 2], [True, False], group=[0, 1])[2]
