"""Logistic regression: the weights are the best ones, and they can be read."""

from __future__ import annotations

import json
import math
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from salesfunnel.errors import (
    ConvergenceError,
    DataError,
    DefinitionError,
    FeatureError,
    MissingExtraError,
    OutcomeError,
)
from salesfunnel.scoring import (
    LevelWeights,
    LogisticModel,
    NumberWeight,
    cross_validate,
    fit_logistic,
    load_model,
    log_loss,
    time_folds,
)
from salesfunnel.scoring.predict.solve import newton

SOURCES = np.array(["web", "referral", "event"])


def leads(n: int = 400, seed: int = 0) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Leads whose source and employees decide, and whose region does not."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 3, n)
    employees = rng.normal(50, 20, n)
    odds = np.array([-0.5, 1.0, 0.0])[source] + (employees - 50) / 20 - 0.3
    won = rng.random(n) < 1 / (1 + np.exp(-odds))
    region = np.array(["north", "south"])[rng.integers(0, 2, n)]
    return {"source": SOURCES[source], "employees": employees, "region": region}, won


# ── the fit ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("penalty", [0.1, 1.0, 25.0])
def test_the_weights_are_those_of_scikit_learn(penalty: float) -> None:
    features, won = leads()
    model = fit_logistic(features, won, penalty=penalty)

    employees = features["employees"]
    standard = (employees - employees.mean()) / employees.std()
    levels = [features["source"] == level for level in ("event", "referral", "web")]
    regions = [features["region"] == level for level in ("north", "south")]
    design = np.column_stack([*levels, standard, *regions]).astype(float)
    other = LogisticRegression(C=1 / penalty, solver="lbfgs", tol=1e-10, max_iter=5000)
    other.fit(design, won)
    source, number, region = model.terms
    assert isinstance(source, LevelWeights)
    assert isinstance(number, NumberWeight)
    assert isinstance(region, LevelWeights)
    found = [*source.weights, number.weight, *region.weights]
    np.testing.assert_allclose(found, other.coef_[0], atol=1e-5)
    assert model.intercept == pytest.approx(other.intercept_[0], abs=1e-5)
    np.testing.assert_allclose(
        model.probability(features), other.predict_proba(design)[:, 1], atol=1e-6
    )


@st.composite
def problems(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.bool_], float]:
    n, width = draw(st.integers(4, 60)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    design = rng.normal(size=(n, width)) * rng.choice([0.1, 1, 10], width)
    if width > 2:
        design[:, 1] = design[:, 0] + rng.normal(size=n) * draw(st.sampled_from([1e-3, 1]))
    odds = design @ rng.normal(size=width)
    won = rng.random(n) < 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    won[:2] = [True, False]
    return design, won, draw(st.sampled_from([0.01, 1, 30]))


@given(problems())
def test_weights_held_at_zero_or_above_are_the_best_there(
    problem: tuple[NDArray[np.float64], NDArray[np.bool_], float],
) -> None:
    """Where a weight is zero, going up would raise the loss; elsewhere nothing would lower it."""
    design, won, penalty = problem
    held = np.ones(design.shape[1], bool)

    intercept, weights = newton(design, won.astype(float), penalty, held, 200)

    assert (weights >= 0).all()
    p = 1 / (1 + np.exp(-np.clip(intercept + design @ weights, -700, 700)))
    gradient = design.T @ (p - won) + penalty * weights
    tolerance = 2e-8 * len(won)
    assert np.abs(gradient[weights > 0]).max(initial=0) <= tolerance
    assert (gradient[weights == 0] >= -tolerance).all()
    assert abs((p - won).sum()) <= tolerance


@settings(max_examples=15)
@given(problems())
def test_without_bounds_newton_is_scikit_learn(
    problem: tuple[NDArray[np.float64], NDArray[np.bool_], float],
) -> None:
    design, won, _ = problem
    design = (design - design.mean(axis=0)) / design.std(axis=0)
    intercept, weights = newton(design, won.astype(float), 1.0, np.zeros(design.shape[1], bool), 99)

    other = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit(design, won)
    np.testing.assert_allclose(weights, other.coef_[0], atol=1e-5)
    assert intercept == pytest.approx(other.intercept_[0], abs=1e-5)


def test_nonnegative_weights_are_not_below_zero_and_only_of_those_named() -> None:
    features, won = leads()
    features["against"] = -features["employees"]

    free = fit_logistic(features, won)
    held = fit_logistic(features, won, nonnegative=True)
    named = fit_logistic(features, won, nonnegative=["against"])

    assert min(free_weights(free)) < 0
    assert min(free_weights(held)) == 0
    assert held.nonnegative == ("source", "employees", "region", "against")
    by_name = {term.feature: term for term in named.terms}
    against, source = by_name["against"], by_name["source"]
    assert isinstance(against, NumberWeight)
    assert isinstance(source, LevelWeights)
    assert against.weight == 0
    assert min(source.weights) < 0
    assert named.nonnegative == ("against",)


def free_weights(model: LogisticModel) -> list[float]:
    return [weight for term in model.terms for weight in term.weights]


def test_more_of_a_nonnegative_feature_never_lowers_the_probability() -> None:
    rng = np.random.default_rng(3)
    evidence = rng.random((300, 4))
    won = rng.random(300) < evidence[:, 0]
    model = fit_logistic(evidence, won, nonnegative=True)

    more = np.minimum(evidence + rng.random((300, 4)), 1)

    assert (model.probability(more) >= model.probability(evidence)).all()
    assert model.features == ("x0", "x1", "x2", "x3")


def test_a_stronger_penalty_holds_weights_back() -> None:
    features, won = leads()
    sizes = [
        np.abs(free_weights(fit_logistic(features, won, penalty=penalty))).sum()
        for penalty in (0.1, 1, 10, 100, 1e6)
    ]

    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-3


def test_the_order_of_leads_decides_nothing() -> None:
    features, won = leads()
    order = np.random.default_rng(1).permutation(len(won))
    shuffled = {name: column[order] for name, column in features.items()}

    a, b = fit_logistic(features, won), fit_logistic(shuffled, won[order])

    np.testing.assert_allclose(a.probability(features)[order], b.probability(shuffled), atol=1e-9)


def test_a_level_that_settles_the_outcome_has_a_finite_weight() -> None:
    model = fit_logistic({"spam": ["yes", "no"] * 20}, [False, True] * 20)

    (term,) = model.terms
    assert isinstance(term, LevelWeights)
    assert term.levels == ("no", "yes")
    assert term.weights[0] == pytest.approx(-term.weights[1])
    assert 1 < term.weights[0] < 5


# ── what is not known ─────────────────────────────────────────────────────────────────────────────


def test_unknown_numbers_and_labels_have_weights_of_their_own() -> None:
    features = {"employees": [10, None, 30, None] * 10, "source": ["web", None, "web", ""] * 10}
    model = fit_logistic(features, [False, True, False, True] * 10)

    number, label = model.terms
    assert isinstance(number, NumberWeight)
    assert isinstance(label, LevelWeights)
    assert (number.mean, number.scale, number.n_known, number.n_unknown) == (20, 10, 20, 20)
    assert number.unknown is not None
    assert number.unknown > 0
    assert label.levels == ("web", None)
    assert label.counts == (20, 20)
    known, unknown = model.probability({"employees": [20, None], "source": ["web", None]})
    assert known < 0.5 < unknown
    alone = model.probability({"employees": [None], "source": [None]})
    assert alone.tolist() == [unknown]


def test_what_was_never_seen_is_an_error_or_adds_nothing() -> None:
    features, won = leads()
    model = fit_logistic(features, won)
    new = {"source": ["web", "fair", None], "employees": [50, 50, None], "region": ["north"] * 3}

    message = (
        "source: 2 leads have levels that the model has not seen (unknown='ignore' scores them "
        "without):\n  row 1, source: 'fair', expected one of 'event', 'referral', 'web'\n  row 2, "
        "source: None"
    )
    with pytest.raises(FeatureError, match=re.escape(message)) as caught:
        model.probability(new)
    assert caught.value.rows[0].value == "fair"
    with pytest.raises(FeatureError, match="row 2, employees: nan, expected a number"):
        model.probability({**new, "source": ["web"] * 3})

    added = model.contributions(new, unknown="ignore")

    assert added[1:, 0].tolist() == [0, 0]
    assert added[2, 1] == 0
    assert added[0, 0] != 0
    with pytest.raises(DefinitionError, match="unknown= is one of error, ignore, not 'drop'"):
        model.probability(new, unknown="drop")


def test_a_number_that_is_always_the_same_has_no_weight() -> None:
    model = fit_logistic({"x": [3, 3, 3, 3], "y": [1, 2, 1, 2]}, [0, 1, 0, 1])

    constant = model.terms[0]
    assert isinstance(constant, NumberWeight)
    assert constant.weight == pytest.approx(0, abs=1e-9)
    assert np.isfinite(model.probability({"x": [9], "y": [1]})).all()


# ── reading it ────────────────────────────────────────────────────────────────────────────────────


def test_contributions_add_up_to_the_log_odds() -> None:
    features, won = leads()
    model = fit_logistic(features, won)

    added = model.contributions(features)
    odds = model.log_odds(features)

    assert added.shape == (len(won), 3)
    np.testing.assert_allclose(model.intercept + added.sum(axis=1), odds, rtol=1e-12)
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), model.probability(features), rtol=1e-12)
    np.testing.assert_array_equal(model.score(features), 100 * model.probability(features))


def test_the_weights_are_a_table() -> None:
    features, won = leads(60)
    table = fit_logistic(features, won).weights()

    assert table["feature"].tolist() == [*["source"] * 3, "employees", *["region"] * 2]
    assert table["level"].tolist() == ["event", "referral", "web", None, "north", "south"]
    assert table["leads"][:3].sum() == table["leads"][3] == 60
    np.testing.assert_allclose(table["odds_ratio"], np.exp(table["weight"]))
    assert table["mean"][3] == pytest.approx(features["employees"].mean())
    assert np.isnan(table["mean"][[0, 5]]).all()
    text = table.to_text()
    assert "Learnt from" in text
    assert "Too few outcomes for 6 weights" in text
    assert "Unknown" not in text
    absent = fit_logistic({"x": [1, None, 2, None]}, [0, 1, 0, 1]).weights()
    assert absent["unknown"].tolist() == [False, True]
    assert "Unknown" in absent.to_text()


def test_other_columns_are_left_alone_and_dataframes_are_scored() -> None:
    features, won = leads()
    model = fit_logistic(pd.DataFrame(features), won)
    frame = pd.DataFrame({"other": "x", **features})

    np.testing.assert_array_equal(model.probability(frame), model.probability(features))


def test_a_model_is_saved_as_plain_data() -> None:
    features, won = leads()
    features["source"] = np.where(np.arange(len(won)) % 9 == 0, None, features["source"])
    features["employees"] = np.where(np.arange(len(won)) % 7 == 0, np.nan, features["employees"])
    model = fit_logistic(features, won, nonnegative=["employees"])

    text = json.dumps(model.to_dict())

    assert LogisticModel.from_dict(json.loads(text)) == model
    assert load_model(json.loads(text)) == model


# ── penalties tried by time ───────────────────────────────────────────────────────────────────────


def test_penalties_are_tried_on_the_future_only() -> None:
    features, won = leads(240)
    came = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=6 * i) for i in range(240)]
    done = [at + timedelta(days=2) for at in came]

    table = cross_validate(features, won, came, done, penalties=[10, 1], folds=3)

    for penalty, loss, leads_tried in zip(
        table["penalty"], table["log_loss"], table["leads"], strict=True
    ):
        losses = []
        for fold in time_folds(came, done, 3):
            past = {name: column[fold.train] for name, column in features.items()}
            future = {name: column[fold.test] for name, column in features.items()}
            model = fit_logistic(past, won[fold.train], penalty=penalty)
            n_tried = np.count_nonzero(fold.test)
            losses.append(log_loss(model.probability(future), won[fold.test]) * n_tried)
        assert loss == pytest.approx(sum(losses) / leads_tried, rel=1e-9)
    assert table["penalty"].tolist() == [1, 10]
    assert table["best"].sum() == 1
    assert table["log_loss"][table["best"]] == table["log_loss"].min()
    assert (table["standard_error"] > 0).all()
    assert "Learnt 3 times" in table.to_text()


def test_chance_asks_for_the_strongest_penalty() -> None:
    rng = np.random.default_rng(5)
    came = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(400)]
    done = [at + timedelta(days=1) for at in came]
    label = np.array(list("abcdefghij"))[rng.integers(0, 10, 400)]

    table = cross_validate(
        {"label": label}, rng.random(400) < 0.4, came, done, penalties=[0.01, 1000]
    )

    assert table["penalty"][table["best"]].tolist() == [1000]


def test_a_fold_that_has_seen_one_outcome_only_is_refused() -> None:
    came = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=i) for i in range(40)]
    with pytest.raises(
        OutcomeError, match=r"outcomes before 2026-.* \(fewer folds= have more\): all"
    ):
        cross_validate({"x": range(40)}, [i > 35 for i in range(40)], came, came)


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────


def test_outcomes_that_cannot_be_learnt_from_are_refused() -> None:
    with pytest.raises(OutcomeError, match="outcomes: all 3 are lost"):
        fit_logistic({"x": [1, 2, 3]}, [False] * 3)
    with pytest.raises(DataError, match="features has 3 rows and outcomes 2"):
        fit_logistic({"x": [1, 2, 3]}, [False, True])
    with pytest.raises(DataError, match="row 2, outcomes: nan, expected True"):
        fit_logistic({"x": [1, 2, 3]}, [0, 1, math.nan])


@pytest.mark.parametrize("penalty", [0, -1, math.inf, math.nan, True, "1"])
def test_a_penalty_that_is_none_is_refused(penalty: Any) -> None:
    with pytest.raises(DefinitionError, match=f"a penalty is a .*above 0, not {penalty!r}"):
        fit_logistic({"x": [1, 2]}, [0, 1], penalty=penalty)


def test_arguments_of_another_form_are_refused() -> None:
    with pytest.raises(FeatureError, match="nonnegative= names 'y', which is none of x"):
        fit_logistic({"x": [1, 2]}, [0, 1], nonnegative=["y"])
    with pytest.raises(FeatureError, match="nonnegative= names 'yes', which is none of x"):
        fit_logistic({"x": [1, 2]}, [0, 1], nonnegative="yes")
    with pytest.raises(DefinitionError, match="nonnegative= is a bool or names of features, not 5"):
        fit_logistic({"x": [1, 2]}, [0, 1], nonnegative=5)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="max_iterations= is 1 or more, not 0"):
        fit_logistic({"x": [1, 2]}, [0, 1], max_iterations=0)
    with pytest.raises(DefinitionError, match="penalties= are numbers above 0, at least one"):
        cross_validate({"x": [1, 2]}, [0, 1], ["2026-01-01"] * 2, ["2026-01-02"] * 2, penalties=[])


@pytest.mark.parametrize("nonnegative", [False, True])
def test_too_few_iterations_are_an_error(nonnegative: bool) -> None:
    features, won = leads()
    with pytest.raises(ConvergenceError, match="did not settle within 1 iterations; allow more"):
        fit_logistic(features, won, max_iterations=1, nonnegative=nonnegative)


def test_other_features_than_those_learnt_from_are_refused() -> None:
    features, won = leads()
    model = fit_logistic(features, won)
    with pytest.raises(FeatureError, match="no feature 'employees' among those given: source"):
        model.probability({"source": ["web"]})
    with pytest.raises(FeatureError, match="employees: the model has learnt from numbers here"):
        model.probability({**features, "employees": ["many"] * len(won)})
    numbers = fit_logistic(np.array([[1, 2], [3, 1], [2, 2.5]]), [0, 1, 0])
    with pytest.raises(FeatureError, match=r"of shape \(leads, 2\), a column for each of x0, x1"):
        numbers.probability(np.zeros((3, 5)))


@pytest.mark.parametrize("nonnegative", [False, True])
def test_it_needs_scikit_learn(monkeypatch: pytest.MonkeyPatch, nonnegative: bool) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'salesfunnel\[predict\]'"):
        fit_logistic({"x": [1, 2]}, [0, 1], nonnegative=nonnegative)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "forest"}, "this is no saved model of the kind 'logistic', but 'forest'"),
        ({"terms": 3}, "a saved model of the kind 'logistic': 'int' object is not iterable"),
        ({"penalty": "much"}, "a saved model of the kind 'logistic': could not convert string"),
    ],
)
def test_damaged_data_is_refused(change: dict[str, Any], message: str) -> None:
    data = fit_logistic({"x": [1, 2, 3]}, [0, 1, 1]).to_dict()
    with pytest.raises(DefinitionError, match=re.escape(message)):
        LogisticModel.from_dict({**data, **change})
    with pytest.raises(DefinitionError, match="'logistic' has no 'intercept'"):
        LogisticModel.from_dict({name: data[name] for name in data if name != "intercept"})
