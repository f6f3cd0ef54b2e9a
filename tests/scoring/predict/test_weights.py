"""The weights of a rubric, learnt."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest

from salesfunnel.errors import DataError, LevelError, OutcomeError, ShapeError
from salesfunnel.scoring import Criterion, Rubric, bant, fit_rubric, roc_auc


def evidence(n: int = 600, seed: int = 0) -> tuple[Any, Any]:
    """Leads of which need decides, timeline a little, and authority not at all."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, (n, 4)) / 4
    odds = 4 * values[:, 2] + 1.5 * values[:, 3] + 0.8 * values[:, 0] - 3
    return values, rng.random(n) < 1 / (1 + np.exp(-odds))


def test_what_decides_gets_the_weight() -> None:
    values, won = evidence()
    rubric = bant()

    learnt = fit_rubric(rubric, values, won)

    weights = dict(zip(learnt.keys, learnt.weights, strict=True))
    assert list(weights) == ["budget", "authority", "need", "timeline"]
    assert weights["need"] > weights["timeline"] > weights["budget"] > weights["authority"] >= 0
    assert learnt.weights.sum() == pytest.approx(rubric.weights.sum())
    assert attrs.evolve(learnt, criteria=rubric.criteria) == rubric, "all else stays"
    later, outcome = evidence(seed=1)
    before, after = (roc_auc(r.score(later).score, outcome).value for r in (rubric, learnt))
    assert after > before


def test_the_sign_of_a_weight_stays() -> None:
    values, won = evidence()
    rubric = Rubric(
        [Criterion("good", 1), Criterion("bad", -1), Criterion("need", 2), Criterion("also", 1)]
    )
    values[:, 1] = 1 - values[:, 2]

    learnt = fit_rubric(rubric, values, won)

    assert (np.sign(learnt.weights) == [1, -1, 1, 1]).all()
    assert learnt.weights[learnt.weights > 0].sum() == pytest.approx(4)
    helps_the_lost = fit_rubric(Rubric(["lost", "need"]), 1 - values[:, 1:3][:, ::-1], won)
    assert helps_the_lost.weights[0] == 0


@pytest.mark.parametrize("unknown", ["zero", "renormalise", "range"])
def test_what_is_not_known_yet_is_no_obstacle(unknown: str) -> None:
    values, won = evidence()
    values[::5, 1] = np.nan
    values[1::7, 2] = np.nan

    learnt = fit_rubric(bant(unknown=unknown), values, won)

    assert learnt.weights.argmax() == 2
    columns = dict(zip(learnt.keys, values.T, strict=True))
    assert fit_rubric(bant(unknown=unknown), columns, won) == learnt


def test_what_cannot_be_learnt_from_is_refused() -> None:
    values, won = evidence(40)
    with pytest.raises(OutcomeError, match="outcomes: all 40 are lost"):
        fit_rubric(bant(), values, won & False)
    with pytest.raises(OutcomeError, match="there are no weights to learn"):
        fit_rubric(Rubric(["a"]), 1.0 - won[:, None], won)
    with pytest.raises(DataError, match="features has 40 rows and outcomes 39"):
        fit_rubric(bant(), values, won[1:])
    with pytest.raises(ShapeError, match="a row for each lead and 4 columns"):
        fit_rubric(bant(), values[:, 1:], won)
    with pytest.raises(LevelError):
        fit_rubric(bant(), {key: ["certainly"] * 40 for key in bant().keys}, won)


def test_a_value_out_of_range_is_told() -> None:
    message = "row 1, criterion 'need': a value is a number from 0 to 1, or NaN where it is not kno"
    with pytest.raises(LevelError, match=message):
        fit_rubric(Rubric(["budget", "need"]), [[0, 1], [1, 2]] * 5, [True, False] * 5)
