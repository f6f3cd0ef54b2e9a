"""Gains, lift and conversion by grade, beside scikit-learn and counting by hand."""

from __future__ import annotations

import re
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.checks import check_rate
from scoring.scored import Scored, scored
from sklearn.metrics import roc_curve

from salesfunnel.errors import DataError, DefinitionError, OutcomeError
from salesfunnel.scoring import conversion_by_grade, gain_curve, lift_table

n_bins = st.integers(1, 12)


def gain_by_scikit_learn(data: Scored, depth: Any) -> Any:
    """The share of the won leads found at some depths, from scikit-learn's ROC curve."""
    false, true, _ = roc_curve(data.won, data.scores, drop_intermediate=False)
    share = np.mean(data.won)
    return np.interp(depth, false * (1 - share) + true * share, true)


@given(scored())
def test_the_gain_curve_is_that_of_scikit_learn(data: Scored) -> None:
    curve = gain_curve(data.scores, data.won)

    assert len(curve.depth) == len(set(data.scores.tolist())) + 1
    np.testing.assert_allclose(
        curve.gain, gain_by_scikit_learn(data, curve.depth), rtol=0, atol=1e-12
    )
    assert (np.diff(curve.depth) > 0).all()
    assert (np.diff(curve.gain) >= 0).all()
    assert (curve.depth[-1], curve.gain[-1]) == (1, 1)


@given(scored(), n_bins)
def test_spread_ties_give_the_lift_of_scikit_learn(data: Scored, bins: int) -> None:
    table = lift_table(data.scores, data.won, bins=bins, ties="spread")

    depth = np.arange(1, bins + 1) / bins
    gain = gain_by_scikit_learn(data, depth)
    np.testing.assert_allclose(table["cumulative_gain"], gain, rtol=0, atol=1e-12)
    np.testing.assert_allclose(table["cumulative_lift"], gain / depth, rtol=1e-12, atol=1e-12)
    lift = np.diff(gain, prepend=0) * bins
    np.testing.assert_allclose(table["lift"], lift, rtol=0, atol=1e-12 * bins)
    np.testing.assert_allclose(
        table["conversion_rate_denominator"], len(data.won) / bins, rtol=1e-12
    )
    assert table["cumulative_gain_numerator"][-1] == np.count_nonzero(data.won)


@given(scored(), n_bins)
def test_ties_kept_together_are_counted_whole(data: Scored, bins: int) -> None:
    table = lift_table(data.scores, data.won, bins=bins)

    n = len(data.won)
    members: dict[int, list[int]] = {}
    for index, score in enumerate(data.scores):
        above = int(np.count_nonzero(data.scores > score))
        middle = above + np.count_nonzero(data.scores == score) / 2
        members.setdefault(int(middle * bins / n + 1e-9), []).append(index)
    rows = [members[number] for number in sorted(members)]
    assert table["bin"].tolist() == [number + 1 for number in sorted(members)]
    assert table["score_low"].tolist() == [min(data.scores[row]) for row in rows]
    assert table["score_high"].tolist() == [max(data.scores[row]) for row in rows]
    won, leads = [int(data.won[row].sum()) for row in rows], [len(row) for row in rows]
    check_rate(table, "conversion_rate", won, leads)
    total = int(data.won.sum())
    so_far, leads_so_far = np.cumsum(won).tolist(), np.cumsum(leads).tolist()
    check_rate(table, "cumulative_gain", so_far, [total] * len(rows))
    check_rate(table, "cumulative_lead_share", leads_so_far, [n] * len(rows), bounded=False)
    np.testing.assert_allclose(table["lift"], table["conversion_rate"] / (total / n), rtol=1e-12)
    np.testing.assert_allclose(
        table["cumulative_lift"], table["cumulative_gain"] / table["cumulative_lead_share"]
    )


@given(scored(), n_bins, st.sampled_from(["together", "spread"]), st.integers(0, 2**32))
def test_the_order_of_leads_decides_nothing(data: Scored, bins: int, ties: str, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(data.won))

    table = lift_table(data.scores, data.won, bins=bins, ties=ties)

    assert lift_table(data.scores[order], data.won[order], bins=bins, ties=ties) == table


@given(st.integers(1, 60), n_bins)
def test_without_ties_bins_differ_by_one_lead_at_most(n: int, bins: int) -> None:
    won = np.arange(n + 1) % 2 == 0
    for scores in (np.arange(n + 1), -np.arange(n + 1)):
        leads = lift_table(scores, won, bins=bins)["conversion_rate_denominator"]

        assert leads.max() - leads.min() <= 1
        assert len(leads) == min(bins, n + 1)


def test_spread_counts_are_the_mean_over_every_order_of_the_ties() -> None:
    scores, won = np.array([3, 2, 2, 2, 1, 1]), np.array([1, 1, 0, 1, 0, 1])
    table = lift_table(scores, won, bins=3, ties="spread")

    counts = []
    for tied in permutations(range(6)):
        ordered = [index for score in (3, 2, 1) for index in tied if scores[index] == score]
        counts.append(won[ordered].reshape(3, 2).sum(axis=1))
    np.testing.assert_allclose(table["conversion_rate_numerator"], np.mean(counts, axis=0))
    assert table["score_high"].tolist() == [3, 2, 1]
    assert table["score_low"].tolist() == [2, 2, 1]


def test_all_scores_equal_are_one_bin() -> None:
    (row,) = lift_table([5, 5, 5, 5], [1, 0, 0, 1]).rows()

    assert (row["bin"], row["lift"], row["cumulative_gain"]) == (6, 1, 1)


def test_it_says_what_becomes_of_ties_and_that_there_are_too_few() -> None:
    for ties, words in (("together", "stay in one bin"), ("spread", "spread over the bins")):
        text = lift_table([1, 2, 3], [1, 0, 0], ties=ties).to_text()
        assert words in text
        assert "Too few outcomes to tell for sure: 1 won and 2 lost." in text
    many = np.arange(400)
    assert "Too few" not in lift_table(many, many % 2 == 0).to_text()


# ── grades ────────────────────────────────────────────────────────────────────────────────────────


def test_conversion_by_grade() -> None:
    grades = ["B", "A", "A", None, "B", "A", "C"]
    table = conversion_by_grade(grades, [0, 1, 1, 1, 1, 0, 0], order=["A", "B", "C", "D"])

    assert table["grade"].tolist() == ["A", "B", "C", "D", None]
    check_rate(table, "value", [2, 1, 0, 0, 1], [3, 2, 1, 0, 1])
    check_rate(table, "lead_share", [3, 2, 1, 0, 1], [7] * 5, bounded=False)
    np.testing.assert_allclose(table["lift"], table["value"] / (4 / 7), rtol=1e-12)


def test_grades_ascend_where_no_order_is_given() -> None:
    table = conversion_by_grade(np.array(["C", "A", "B"]), [0, 1, 1])

    assert table["grade"].tolist() == ["A", "B", "C"]
    assert "Too few outcomes" in table.to_text()


def test_a_grade_that_is_not_in_the_order_is_refused() -> None:
    message = "grades: 'C', 'E' not among those of order=: 'A', 'B'"
    with pytest.raises(DataError, match=re.escape(message)):
        conversion_by_grade(["A", "E", "C"], [1, 0, 1], order=["A", "B"])


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("bins", [0, -1, 2.5, True, None])
def test_bins_that_are_no_number_are_refused(bins: Any) -> None:
    message = f"bins= is a number of bins, 1 or more, not {bins!r}"
    with pytest.raises(DefinitionError, match=re.escape(message)):
        lift_table([1, 2], [1, 0], bins=bins)


def test_another_way_with_ties_is_refused() -> None:
    with pytest.raises(DefinitionError, match="ties= is one of together, spread, not 'input'"):
        lift_table([1, 2], [1, 0], ties="input")


def test_outcomes_that_are_all_equal_or_of_another_length_are_refused() -> None:
    with pytest.raises(OutcomeError, match="outcomes: all 2 are won"):
        lift_table([1, 2], [1, 1])
    with pytest.raises(OutcomeError, match="outcomes: all 2 are won"):
        gain_curve([1, 2], [1, 1])
    with pytest.raises(OutcomeError, match="outcomes: all 2 are won"):
        conversion_by_grade(["A", "B"], [1, 1])
    with pytest.raises(DataError, match="grades has 3 rows and outcomes 2"):
        conversion_by_grade(["A", "B", "C"], [1, 0])
