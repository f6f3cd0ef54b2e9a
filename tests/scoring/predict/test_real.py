"""A score learnt from a real CRM, and from generated data whose truth is known."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from salesfunnel.datasets import OWNER_SKILL, SOURCE_QUALITY, make_pipeline
from salesfunnel.log.labels import Labels
from salesfunnel.scoring import (
    Features,
    LevelWeights,
    compare_scores,
    cross_validate,
    fit_logistic,
    fit_naive_bayes,
    lead_history,
    leak_check,
    roc_auc,
    time_split,
)


class Deals(NamedTuple):
    features: dict[str, Any]
    won: NDArray[np.bool_]
    came: NDArray[np.datetime64]
    decided: NDArray[np.datetime64]


@pytest.fixture(scope="module")
def maven(shared_data: Path) -> Deals:
    """The decided deals of the CRM."""
    path = shared_data / "maven_crm" / "sales_pipeline.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["deal_stage"] in ("Won", "Lost")]

    def dates(name: str) -> NDArray[np.datetime64]:
        days = [datetime.strptime(row[name], "%m/%d/%Y").date() for row in rows]  # noqa: DTZ007
        return np.array(days, "datetime64[us]")

    names = {"product": "product", "agent": "sales_agent", "account": "account"}
    return Deals(
        {name: [row[column] for row in rows] for name, column in names.items()},
        np.array([row["deal_stage"] == "Won" for row in rows]),
        dates("engage_date"),
        dates("close_date"),
    )


def test_product_agent_and_account_hardly_tell_what_will_be_won(maven: Deals) -> None:
    """Learnt by the end of August, tried on what came after: no better than a coin, and said so."""
    split = time_split(maven.came, maven.decided, "2017-08-31", tz="UTC")
    features = Features(maven.features)
    past, future = features[split.train], features[split.test]
    won = maven.won[split.test]
    assert [np.count_nonzero(part) for part in (split.train, split.test, split.straddling)] == [
        *(4091, 1727, 893)
    ]

    logistic = fit_logistic(past, maven.won[split.train], penalty=100)
    bayes = fit_naive_bayes(past, maven.won[split.train])
    table = compare_scores(
        {
            "logistic": logistic.probability(future, unknown="ignore"),
            "bayes": bayes.probability(future, unknown="ignore"),
        },
        won,
    )

    assert table["auc"] == pytest.approx([0.4834, 0.4883], abs=1e-3)
    assert table["auc_low"] == pytest.approx([0.4553, 0.4602], abs=1e-3)
    assert table["auc_high"] == pytest.approx([0.5118, 0.5165], abs=1e-3)
    assert table["auc_low"][1] < 0.5 < table["auc_high"][0]
    assert (table["difference_low"][1] < 0) & (table["difference_high"][1] > 0)
    assert "Too few" not in table.to_text()
    # In the past itself the score looks better than it is.
    assert roc_auc(logistic.probability(past), maven.won[split.train]).low > 0.54


def test_trying_penalties_by_time_finds_that_there_is_little_to_learn(maven: Deals) -> None:
    known = maven.decided <= np.datetime64("2017-08-31")
    features = Features(maven.features).select("product", "agent")[known]

    table = cross_validate(
        features,
        maven.won[known],
        maven.came[known],
        maven.decided[known],
        penalties=[1, 1000],
        folds=2,
        tz="UTC",
    )

    assert table["penalty"][table["best"]].tolist() == [1000]


def test_the_value_at_the_close_is_found_to_leak(maven: Deals, shared_data: Path) -> None:
    path = shared_data / "maven_crm" / "sales_pipeline.csv"
    with path.open(encoding="utf-8", newline="") as file:
        value = [float(row["close_value"]) for row in csv.DictReader(file) if row["close_value"]]
    features = {**maven.features, "close_value": value}

    by_itself = leak_check(features, maven.won)
    by_time = leak_check(
        features,
        maven.won,
        recorded_at={"close_value": maven.decided},
        scored_at=maven.came,
        tz="UTC",
    )

    assert by_itself["finding"].tolist() == [None, None, None, "orders"]
    assert by_itself["auc"][3] == 1
    assert by_time["finding"].tolist() == [None, None, None, "recorded_late"]


def test_the_planted_order_is_found() -> None:
    history = lead_history(make_pipeline(60_000, seed=1))
    split = history.split("2025-03-31")
    past, future = history[split.train], history[split.test]

    model = fit_logistic(past.features, past.won)

    order = {
        term.feature: [level for _, level in sorted(zip(term.weights, term.levels, strict=True))]
        for term in model.terms
        if isinstance(term, LevelWeights)
    }
    assert order["source"] == sorted(SOURCE_QUALITY, key=SOURCE_QUALITY.__getitem__)
    assert order["owner"] == sorted(OWNER_SKILL, key=OWNER_SKILL.__getitem__)
    truth = sum(
        np.array([planted[name] for name in column.names])[column.codes]
        for name, planted in (("source", SOURCE_QUALITY), ("owner", OWNER_SKILL))
        if isinstance(column := future.features.column(name), Labels)
    )
    found, best = (
        roc_auc(score, future.won) for score in (model.probability(future.features), truth)
    )
    assert found.low > 0.65
    assert found.value == pytest.approx(best.value, abs=0.01)


def test_chance_is_not_taken_for_a_score() -> None:
    """Outcomes dealt out at random: the interval of what was learnt holds a coin."""
    history = lead_history(make_pipeline(4000, seed=4))
    split = history.split("2025-03-31")
    won = np.random.default_rng(0).permutation(history.won)

    model = fit_logistic(history.features[split.train], won[split.train])
    auc = roc_auc(model.probability(history.features[split.test]), won[split.test])

    assert auc.low < 0.5 < auc.high
