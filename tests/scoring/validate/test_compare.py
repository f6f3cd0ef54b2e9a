"""Scores side by side."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from scoring.scored import Scored, scored

from salesfunnel.errors import DataError, DefinitionError, OutcomeError
from salesfunnel.scoring import brier_score, compare_auc, compare_scores, log_loss, roc_auc


@given(scored(probabilities=True))
def test_each_row_says_what_the_single_functions_say(data: Scored) -> None:
    points = np.arange(len(data.won)) * 7 % 40 * 1.0 + 3
    table = compare_scores({"points": points, "model": data.scores}, data.won, level=0.9)

    assert table["score"].tolist() == ["points", "model"]
    for index, scores in enumerate((points, data.scores)):
        auc = roc_auc(scores, data.won, level=0.9)
        row = [table[f"auc{part}"][index] for part in ("", "_low", "_high")]
        assert row == [auc.value, auc.low, auc.high]
    np.testing.assert_allclose(
        table["auc_numerator"] / table["auc_denominator"], table["auc"], rtol=1e-12
    )
    against = compare_auc(points, data.scores, data.won, level=0.9)
    for name, value in {
        "difference": against.value,
        "difference_low": against.low,
        "difference_high": against.high,
        "p_value": against.p_value,
    }.items():
        assert math.isnan(table[name][0])
        np.testing.assert_equal(table[name][1], value)
    assert np.isnan([table["brier"][0], table["log_loss"][0]]).all()
    assert table["brier"][1] == brier_score(data.scores, data.won).value
    assert table["log_loss"][1] == log_loss(data.scores, data.won)


def test_it_says_what_it_compares_with_and_on_what() -> None:
    scores = {"rubric": [3.0, 1, 2, 1], "model": [0.9, 0.8, 0.1, 0.2]}
    text = compare_scores(scores, [1, 1, 0, 0], level=0.9).to_text()

    assert "Difference: AUC less that of “rubric”" in text
    assert "the 90% confidence interval" in text
    assert "Judged on 2 won and 2 lost leads." in text
    assert "Too few outcomes to tell for sure" in text


def test_a_single_score_has_nothing_to_differ_from() -> None:
    text = compare_scores({"rubric": [3, 1, 2, 1]}, [1, 1, 0, 0]).to_text()

    assert "Difference" not in text
    assert "AUC" in text


def test_bad_input_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"scores= is a mapping .*, not an empty one"):
        compare_scores({}, [True, False])
    with pytest.raises(
        DefinitionError, match=r"scores= is a mapping from names to scores, .* list"
    ):
        compare_scores([1, 2], [True, False])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="row 1, model: nan, expected a finite number"):
        compare_scores({"rubric": [1, 2], "model": [0.5, math.nan]}, [True, False])
    with pytest.raises(DataError, match="has 3 rows and outcomes 2"):
        compare_scores({"rubric": [1, 2], "model": [1, 2, 3]}, [True, False])
    with pytest.raises(OutcomeError, match="outcomes: all 2 are won"):
        compare_scores({"rubric": [1, 2]}, [True, True])
