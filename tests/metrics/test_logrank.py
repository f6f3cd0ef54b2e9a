"""The log-rank test, beside lifelines and statsmodels."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.statistics import multivariate_logrank_test
from metrics.lifetimes import Life, columns, lives
from numpy.testing import assert_allclose
from statsmodels.duration.survfunc import survdiff

from salesfunnel.errors import DefinitionError, SizeError
from salesfunnel.metrics import logrank
from salesfunnel.metrics.logrank import _over_pairs

Groups = list[list[Life]]


@pytest.mark.parametrize("n_groups", [2, 3, 12])
@pytest.mark.parametrize("kind", ["days", "microseconds", "floats"])
def test_it_is_that_of_lifelines_and_statsmodels(n_groups: int, kind: str) -> None:
    rng = np.random.default_rng(n_groups)
    group = rng.integers(0, n_groups, 400)
    days = rng.exponential(20 + 5 * group)
    duration = {
        "days": np.ceil(days),
        "microseconds": (days * 86_400e6).astype(np.int64),
        "floats": days,
    }[kind]
    event = rng.random(400) < 0.6
    found = logrank(duration, event, group)

    peer = multivariate_logrank_test(duration, group, event)
    assert_allclose(found.statistic, peer.test_statistic, rtol=1e-9)
    assert_allclose(found.p_value, peer.p_value, rtol=1e-9, atol=1e-300)
    statistic, p_value = survdiff(duration, event, group)
    assert_allclose((found.statistic, found.p_value), (statistic, p_value), rtol=1e-7)
    assert found.degrees_of_freedom == n_groups - 1
    assert found.observed.tolist() == np.bincount(group[event], minlength=n_groups).tolist()


@given(st.lists(lives(15), min_size=1, max_size=4))
def test_expected_events_are_each_times_share_of_those_at_risk(groups: Groups) -> None:
    everyone = [(code, life) for code, group in enumerate(groups) for life in group]
    duration, ending = columns([life for _, life in everyone], "whole numbers")
    code = np.array([code for code, _ in everyone], np.int64)
    found = logrank(duration, ending > 0, code, n_groups=len(groups))

    expected = np.zeros(len(groups))
    for time in np.unique(duration[ending > 0]):
        at_risk = np.bincount(code[duration >= time], minlength=len(groups))
        events = np.count_nonzero((duration == time) & (ending > 0))
        expected += events * at_risk / at_risk.sum()
    assert_allclose(found.expected, expected, rtol=1e-12, atol=1e-12)
    assert_allclose(found.observed.sum(), found.expected.sum(), rtol=1e-12)
    assert np.isnan(found.p_value) or 0 <= found.p_value <= 1
    assert np.isnan(found.statistic) == (found.degrees_of_freedom == 0)


@given(st.lists(lives(15), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_names_of_groups_and_the_order_of_rows_do_not_matter(
    groups: Groups, random: Any
) -> None:
    def test_of(groups: Groups) -> Any:
        everyone = [(code, life) for code, group in enumerate(groups) for life in group]
        random.shuffle(everyone)
        duration, ending = columns([life for _, life in everyone], "floats")
        code = np.array([code for code, _ in everyone], np.int64)
        return logrank(duration, ending > 0, code, n_groups=len(groups))

    one, other = test_of(groups), test_of(groups[::-1])
    assert one.degrees_of_freedom == other.degrees_of_freedom
    assert_allclose(one.statistic, other.statistic, rtol=1e-9, atol=1e-9)


def test_many_risk_sets_are_looked_at_in_parts() -> None:
    rng = np.random.default_rng(0)
    duration, group = rng.exponential(1, 20_000), rng.integers(0, 20, 20_000)
    event = rng.random(20_000) < 0.7
    found = logrank(duration, event, group)

    peer = multivariate_logrank_test(duration, group, event)
    assert_allclose(found.statistic, peer.test_statistic, rtol=1e-9)


@pytest.mark.parametrize("n_groups", [1, 2, 33, 300])
def test_pairs_are_counted_in_blocks_of_any_size(n_groups: int) -> None:
    rng = np.random.default_rng(n_groups)
    for length in (0, 1, 2, 63, 64, 65, 500):
        group, value = rng.integers(0, n_groups, length), rng.random(length)
        found = _over_pairs(group, value, n_groups)

        expected = np.zeros((n_groups, n_groups))
        for row in range(length):
            np.add.at(expected, (group[row], group[row + 1 :]), value[row])
        assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_who_was_not_followed_up_to_an_event_takes_no_part() -> None:
    duration, event = [1, 5, 6, 7, 9], [False, True, True, True, False]
    found = logrank(duration, event, [2, 0, 0, 1, 1])

    assert found.degrees_of_freedom == 1
    assert found.expected[2] == 0
    assert found.statistic == logrank(duration[1:], event[1:], [0, 0, 1, 1]).statistic


@pytest.mark.parametrize(
    ("duration", "event", "group"),
    [
        ([], [], []),
        ([1, 2], [True, True], [0, 0]),
        ([1, 2], [False, False], [0, 1]),
        ([3, 3], [True, True], [0, 1]),
    ],
)
def test_where_there_is_nothing_to_compare_nothing_is_known(
    duration: Any, event: Any, group: Any
) -> None:
    found = logrank(duration, event, group)

    assert np.isnan([found.statistic, found.p_value]).all()
    assert found.degrees_of_freedom == 0


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DefinitionError, match=re.escape("duration[0] is -1")):
        logrank([-1, 2], [True, True], [0, 1])
    with pytest.raises(DefinitionError, match="group= has codes from 0 to 0, not -1"):
        logrank([1, 2], [True, True], [0, -1])
    with pytest.raises(SizeError, match="compares 2,000 groups at the most, not 2,001"):
        logrank([1, 2], [True, True], [0, 2000])
