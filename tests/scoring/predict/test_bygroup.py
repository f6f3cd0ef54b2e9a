"""Naive Bayes by team, beside the numbers of Odoo's own test and a model of each team alone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scoring.predict.test_bayes import ODOO

from salesfunnel.errors import DataError, DefinitionError, FeatureError, OutcomeError
from salesfunnel.scoring import (
    CalibratedModel,
    NaiveBayesByModel,
    calibrate,
    fit_naive_bayes,
    fit_naive_bayes_by,
    load_model,
)

TEAM = [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3]
PAST, WAITING = [0, 1, 2, 5, 6, 7, 10, 11, 12], [3, 8, 13]
WON = [False, False, True, False, False, True, True, False, False]
STAGES = {"stage": ["1", "2", "3", "4"]}


def of(rows: list[int], team: list[Any] | None = None) -> dict[str, list[Any]]:
    columns = {name: [values[row] for row in rows] for name, values in ODOO.items()}
    return {"team": [TEAM[row] for row in rows] if team is None else team, **columns}


def test_the_probabilities_of_three_teams_are_those_of_odoo() -> None:
    model = fit_naive_bayes_by("team", of(PAST), WON, in_order=STAGES)

    assert model.score(of(WAITING)).round(2).tolist() == [33.49, 7.74, 35.09]


def test_a_lead_of_no_team_that_is_known_is_scored_by_all() -> None:
    rest = {name: values for name, values in of(PAST).items() if name != "team"}
    whole = fit_naive_bayes(rest, WON, in_order=STAGES)
    model = fit_naive_bayes_by("team", of(PAST), WON, in_order=STAGES)

    assert model.whole == whole
    for team in ([None, None, None], [4, 5, 6]):
        found = model.probability(of(WAITING, team))
        np.testing.assert_allclose(found, whole.probability(of(WAITING)), rtol=1e-12)


def test_each_team_has_the_model_of_its_leads_alone() -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.choice(list("abc"), 300).tolist() for name in ("team", "source", "size")}
    columns["tags"] = [list({*"xyz"[: rng.integers(0, 4)]}) for _ in range(300)]
    won = rng.random(300) < 0.4
    options: dict[str, Any] = {
        "increment": 1,
        "in_order": {"size": ["a", "b", "c"]},
        "blanks_count": ["source"],
        "min_leads": {"tags": 30},
    }
    model = fit_naive_bayes_by("team", columns, won, **options)

    assert model.groups == ("a", "b", "c")
    for name, part in zip(model.groups, model.models, strict=True):
        rows = [row for row, team in enumerate(columns["team"]) if team == name]
        own = {key: [values[row] for row in rows] for key, values in columns.items()}
        alone = fit_naive_bayes(
            {key: values for key, values in own.items() if key != "team"}, won[rows], **options
        )
        assert part == alone
        np.testing.assert_allclose(model.log_odds(own), alone.log_odds(own), rtol=1e-12)


def test_contributions_begin_with_the_group_and_add_up() -> None:
    model = fit_naive_bayes_by("team", of(PAST), WON, in_order=STAGES)
    added = model.contributions(of(WAITING))

    assert model.features == ("team", "country", "state", "source", "stage")
    assert added[:, 0].tolist() == [part.intercept for part in model.models]
    np.testing.assert_allclose(model.log_odds(of(WAITING)), added.sum(axis=1), rtol=1e-12)


def test_a_level_that_other_teams_know_adds_nothing_and_one_that_none_knows_is_told() -> None:
    features = {"team": ["a", "a", "b", "b"], "source": ["web", "fair", "web", "mail"]}
    model = fit_naive_bayes_by("team", features, [True, False, True, False])

    added = model.contributions({"team": ["a", "b"], "source": ["mail", "fair"]})

    assert added[:, 1].tolist() == [0, 0]
    strange = {"team": ["a"], "source": ["call"]}
    with pytest.raises(FeatureError, match="source: 1 lead has a level that the model has not se"):
        model.probability(strange)
    assert model.contributions(strange, unknown="ignore")[0, 1] == 0


def test_the_tables_stand_one_below_the_other() -> None:
    features = {"team": ["a", "a", "b", None], "source": ["web", "fair", "web", "mail"]}
    table = fit_naive_bayes_by("team", features, [True, False, True, False]).frequencies()

    assert table["team"].tolist() == ["a", "a", "b", None, None, None]
    assert table["level"].tolist() == ["fair", "web", "web", "fair", "mail", "web"]
    assert table["numerator"].tolist() == [0, 1, 1, 0, 0, 2]
    assert table["denominator"].tolist() == [1, 1, 1, 1, 1, 2]
    assert "A table for each group; the last is of all leads" in table.to_text()


def test_it_is_saved_as_plain_data_and_can_be_calibrated() -> None:
    model = fit_naive_bayes_by("team", of(PAST), WON, in_order=STAGES)
    data = json.loads(json.dumps(model.to_dict()))

    assert load_model(data) == NaiveBayesByModel.from_dict(data) == model
    with pytest.raises(DefinitionError, match="'naive_bayes_by': 2 groups and 3 models"):
        load_model({**data, "groups": ["1", "2"]})
    sure = calibrate(model, of(PAST), WON)
    again = load_model(json.loads(json.dumps(sure.to_dict())))
    assert isinstance(again, CalibratedModel)
    assert again == sure


def test_what_it_cannot_be_learnt_from_is_refused() -> None:
    features = {"team": ["a", "b"], "source": ["web", "fair"]}
    with pytest.raises(FeatureError, match="no feature 'region' among those given: team, source"):
        fit_naive_bayes_by("region", features, [True, False])
    with pytest.raises(FeatureError, match="there is no feature but 'team', which tells groups"):
        fit_naive_bayes_by("team", {"team": ["a", "b"]}, [True, False])
    with pytest.raises(FeatureError, match="in_order= names 'team', which is none of source"):
        fit_naive_bayes_by("team", features, [True, False], in_order={"team": ["a", "b"]})
    with pytest.raises(OutcomeError, match="outcomes: all 2 are won"):
        fit_naive_bayes_by("team", features, [True, True])
    with pytest.raises(DataError, match="features has 2 rows and outcomes 3"):
        fit_naive_bayes_by("team", features, [True, True, False])
    with pytest.raises(DefinitionError, match="increment= is a finite number above 0, not 0"):
        fit_naive_bayes_by("team", features, [True, False], increment=0)
