"""Naive Bayes, beside the numbers of Odoo's own test and the formula in plain Python."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DataError, DefinitionError, FeatureError, OutcomeError
from salesfunnel.metrics import wilson
from salesfunnel.scoring import NaiveBayesModel, fit_naive_bayes, load_model

# The leads of the test of predictive lead scoring in Odoo's module crm (teams 1, 2 and 3 one after
# the other), in which e-mail and phone are the same for all.
ODOO = {
    "country": [1, 2, 3, 1, 2, 1, 1, 1, 1, 2, 2, 1, 2, 1],
    "state": [1, 2, 3, 2, 2, 2, 2, 3, 2, 1, 2, 2, 3, 2],
    "source": [1, 2, 3, 3, 2, 2, 3, 3, 3, 2, 2, 1, 3, 3],
    "stage": [1, 2, 3, 2, 1, 3, 2, 1, 2, 2, 3, 1, 1, 2],
}


@pytest.mark.parametrize(
    ("learnt_from", "won", "scored", "probability"),
    [
        ([0, 1, 2], [False, False, True], 3, 33.49),
        ([5, 6, 7], [False, False, True], 8, 7.74),
        ([10, 11, 12], [True, False, False], 13, 35.09),
    ],
)
def test_the_probabilities_are_those_of_odoo(
    learnt_from: list[int], won: list[bool], scored: int, probability: float
) -> None:
    past = {name: [values[i] for i in learnt_from] for name, values in ODOO.items()}
    lead = {name: [values[scored]] for name, values in ODOO.items()}
    model = fit_naive_bayes(past, won, in_order={"stage": ["1", "2", "3", "4"]})

    assert model.score(lead, unknown="ignore").round(2).tolist() == [probability]


# ── the formula ───────────────────────────────────────────────────────────────────────────────────

Rows = list[tuple[str | None, str | None, bool]]


@st.composite
def histories(draw: st.DrawFn) -> Rows:
    label = st.none() | st.sampled_from("abc")
    rows = draw(st.lists(st.tuples(label, label, st.booleans()), max_size=20))
    return [*rows, ("a", "b", True), ("b", "a", False)]


def slow_probability(
    rows: Rows, lead: Sequence[str | None], increment: float, blanks: set[int], least: int
) -> float:
    """Odoo's sums and products, one after the other."""
    of_won = increment + sum(row[2] for row in rows)
    of_lost = increment + sum(not row[2] for row in rows)
    for place, value in enumerate(lead):
        table: dict[str | None, list[float]] = {}
        for row in rows:
            if row[place] is not None or place in blanks:
                counts = table.setdefault(row[place], [0, 0])  # type: ignore[arg-type]
                counts[not row[2]] += 1
        table = {level: counts for level, counts in table.items() if sum(counts) >= least}
        if value not in table:
            continue
        won_total = sum(counts[0] + increment for counts in table.values())
        lost_total = sum(counts[1] + increment for counts in table.values())
        of_won *= (table[value][0] + increment) / won_total
        of_lost *= (table[value][1] + increment) / lost_total
    return of_won / (of_won + of_lost)


@given(
    histories(),
    st.sampled_from([0.1, 1.0]),
    st.sets(st.sampled_from([0, 1])),
    st.sampled_from([0, 3]),
)
def test_the_probability_is_that_of_the_formula(
    rows: Rows, increment: float, blanks: set[int], least: int
) -> None:
    first, second, won = zip(*rows, strict=True)
    features = {"x": list(first), "y": list(second)}
    model = fit_naive_bayes(
        features,
        list(won),
        increment=increment,
        blanks_count=["xy"[place] for place in blanks],
        min_leads={"x": least, "y": least},
    )

    leads = [(x, y) for x in (*"abcz", None) for y in (*"abcz", None)]
    found = model.probability(
        {"x": [x for x, _ in leads], "y": [y for _, y in leads]}, unknown="ignore"
    )

    expected = [slow_probability(rows, lead, increment, blanks, least) for lead in leads]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_stage_counts_for_those_before_it() -> None:
    features = {"stage": ["lead", "demo", "offer", "offer", "demo", None]}
    won = [False, False, False, True, True, False]
    model = fit_naive_bayes(features, won, in_order={"stage": ["lead", "demo", "offer"]})

    (term,) = model.terms
    assert term.won == (2, 2, 2)
    assert term.lost == (3, 2, 1)
    expected = -np.log(np.array([3.1, 2.1, 1.1]) / 3.1)
    np.testing.assert_allclose(term.weights, expected, rtol=1e-12)


def test_contributions_add_up_and_a_blank_adds_nothing() -> None:
    features = {"source": ["web", "fair", None, "web"], "size": [1, 2, 2, 1]}
    model = fit_naive_bayes(features, [True, False, True, True])

    added = model.contributions({"source": ["web", None], "size": [2, None]})

    assert added[1].tolist() == [0, 0]
    odds = model.log_odds({"source": ["web", None], "size": [2, None]})
    np.testing.assert_allclose(odds, np.log(3.1 / 1.1) + added.sum(axis=1), rtol=1e-12)


def test_whole_numbers_are_labels_and_others_are_not() -> None:
    model = fit_naive_bayes({"size": [1, 2, 2.0, None]}, [True, False, True, True])

    assert model.terms[0].levels == ("1", "2")
    assert model.probability({"size": ["1"]}) == model.probability({"size": [1]})
    message = (
        "size: naive Bayes counts labels, and this is a column of numbers; cut it into classes"
    )
    with pytest.raises(FeatureError, match=message):
        fit_naive_bayes({"size": [1.5, 2]}, [True, False])


# ── reading and saving it ─────────────────────────────────────────────────────────────────────────


def test_the_frequencies_are_a_table() -> None:
    features = {"source": ["web", "fair", None, "web"], "size": [1, 2, 2, 1]}
    model = fit_naive_bayes(features, [True, False, True, True], blanks_count=["source"])
    table = model.frequencies()

    assert table["feature"].tolist() == ["source", "source", "source", "size", "size"]
    assert table["level"].tolist() == ["fair", "web", None, "1", "2"]
    assert table["numerator"].tolist() == [0, 2, 1, 2, 1]
    assert table["denominator"].tolist() == [1, 2, 1, 2, 2]
    low, high = wilson(table["numerator"], table["denominator"])
    np.testing.assert_array_equal([table["low"], table["high"]], [low, high])
    np.testing.assert_allclose(table["odds_ratio"], np.exp(table["weight"]))
    text = table.to_text()
    assert "Scoring adds 0.1 to every count." in text
    assert "Learnt from 3 won and 1 lost leads." in text
    assert "Too few outcomes" in text


def test_a_model_is_saved_as_plain_data() -> None:
    features = {"source": ["web", "fair", None, "web"], "stage": ["a", "b", "b", "a"]}
    model = fit_naive_bayes(
        features, [1, 0, 1, 1], in_order={"stage": ["a", "b"]}, min_leads=2, increment=1
    )
    data = json.loads(json.dumps(model.to_dict()))

    assert load_model(data) == NaiveBayesModel.from_dict(data) == model
    with pytest.raises(DefinitionError, match="a saved model of the kind 'naive_bayes' has no 'te"):
        NaiveBayesModel.from_dict({**{k: v for k, v in data.items() if k != "terms"}})


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────


def test_a_level_that_was_never_seen_is_an_error_or_adds_nothing() -> None:
    model = fit_naive_bayes({"source": list("abcdefghijklmn")}, [True, False] * 7)

    message = (
        "source: 1 lead has a level that the model has not seen (unknown='ignore' scores them "
        "without):\n  row 1, source: 'z', expected one of 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', "
        "'i', 'j', 'k', 'l', … (14 in all)"
    )
    with pytest.raises(FeatureError, match=re.escape(message)):
        model.probability({"source": ["a", "z"]})
    assert model.contributions({"source": ["z"]}, unknown="ignore").tolist() == [[0]]
    with pytest.raises(FeatureError, match="stage: 1 lead has a level that the model has not seen"):
        fit_naive_bayes({"stage": ["a", "c"]}, [1, 0], in_order={"stage": ["a", "b"]})


def test_outcomes_that_cannot_be_learnt_from_are_refused() -> None:
    with pytest.raises(OutcomeError, match="outcomes: all 2 are won"):
        fit_naive_bayes({"x": ["a", "b"]}, [True, True])
    with pytest.raises(DataError, match="features has 2 rows and outcomes 3"):
        fit_naive_bayes({"x": ["a", "b"]}, [True, True, False])


@pytest.mark.parametrize("increment", [0, -0.1, np.inf, np.nan, True])
def test_an_increment_that_is_none_is_refused(increment: Any) -> None:
    with pytest.raises(DefinitionError, match="increment= is a finite number above 0, not "):
        fit_naive_bayes({"x": ["a", "b"]}, [True, False], increment=increment)


@pytest.mark.parametrize("least", [-1, 0.5, {"x": True}])
def test_a_number_of_leads_that_is_none_is_refused(least: Any) -> None:
    with pytest.raises(DefinitionError, match="min_leads= is a number of leads, 0 or more, not "):
        fit_naive_bayes({"x": ["a", "b"]}, [True, False], min_leads=least)


@pytest.mark.parametrize(
    "argument", [{"in_order": {"y": ["a"]}}, {"blanks_count": ["y"]}, {"min_leads": {"y": 5}}]
)
def test_features_that_are_not_there_are_refused(argument: dict[str, Any]) -> None:
    (name,) = argument
    with pytest.raises(FeatureError, match=f"{name}= names 'y', which is none of x"):
        fit_naive_bayes({"x": ["a", "b"]}, [True, False], **argument)
