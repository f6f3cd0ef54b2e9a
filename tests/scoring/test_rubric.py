"""Rubrics: what they may be, plain data, and what they do with one lead."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from scoring.rubrics import rubrics

from salesfunnel.errors import (
    DefinitionError,
    DuplicateKeyError,
    LeadStateError,
    LevelError,
    SalesFunnelError,
    UnknownCriterionError,
    WeightError,
)
from salesfunnel.model.evidence import Evidence
from salesfunnel.model.lead import Lead
from salesfunnel.scoring import Criterion, Disqualifier, Grade, Level, Rubric

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
BUDGET = Criterion(
    "budget",
    3,
    [Level("none", 0), Level("planned", 0.5, names={"zh": "已列入计划"}), Level("approved", 1)],
    half_life="90d",
    question="Is there a budget?",
    questions={"zh": "有预算吗？"},
)
RUBRIC = Rubric(
    [BUDGET, "need"],
    disqualifiers=[Disqualifier("no_budget", "budget", at_most=0, names={"zh": "没有预算"})],
    qualify_at=50,
    name="Ours",
    names={"zh": "我们的"},
)


def rubric(**changes: Any) -> Callable[[], Rubric]:
    return lambda: Rubric(**{"criteria": ["a", "b"], **changes})


# ── definitions ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (rubric(criteria=[]), DefinitionError, "a rubric has at least one criterion"),
        (rubric(criteria="ab"), DefinitionError, "criteria are a sequence of Criterion, not 'ab'"),
        (rubric(criteria=[3]), DefinitionError, "criteria are a sequence of Criterion, not of 3"),
        (
            rubric(criteria=["a", "a"]),
            DuplicateKeyError,
            "the key 'a' stands twice in the criteria",
        ),
        (
            rubric(criteria=[Criterion("a", 0), Criterion("b", 0)]),
            WeightError,
            "the weights of a rubric sum to more than zero, not 0: a 0, b 0",
        ),
        (
            rubric(criteria=[Criterion("a", 1), Criterion("b", -1.5)]),
            WeightError,
            "the weights of a rubric sum to more than zero, not -0.5: a 1, b -1.5",
        ),
        (rubric(unknown="guess"), DefinitionError, "unknown= is one of zero, renormalise, range, "),
        (rubric(qualify_at=101), DefinitionError, "qualify_at is a number from 0 to 100, not 101"),
        (
            rubric(grades=[]),
            DefinitionError,
            "grades go from the best to the worst, each from a lo",
        ),
        (rubric(grades=[Grade("A", 10)]), DefinitionError, "grades go from the best to the worst"),
        (
            rubric(grades=[Grade("B", 0), Grade("A", 50)]),
            DefinitionError,
            "grades go from the best to the worst, each from a lower score, the last from 0; these",
        ),
        (
            rubric(grades=[Grade("A", 50), Grade("A", 0)]),
            DuplicateKeyError,
            "the key 'A' stands twice in the grades",
        ),
        (
            rubric(grades=[Grade(f"g{n}", 100 - n / 4) for n in range(300)] + [Grade("z", 0)]),
            DefinitionError,
            "a rubric has at most 250 grades, not 301",
        ),
        (
            rubric(disqualifiers=[Disqualifier("d", "c", at_most=0)]),
            UnknownCriterionError,
            "no criterion 'c' in this rubric; it has a, b",
        ),
        (lambda: Criterion("a", math.nan), WeightError, "a weight is a finite number, below zero"),
        (lambda: Criterion("a", math.inf), WeightError, "a weight is a finite number, below zero"),
        (lambda: Criterion("a", "2"), WeightError, "a weight is a finite number"),  # type: ignore[arg-type]
        (lambda: Criterion("a", True), WeightError, "a weight is a finite number"),
        (lambda: Criterion(""), DefinitionError, "Criterion.key is not empty"),
        (
            lambda: Criterion("a", levels=[Level("x", 0), Level("x", 1)]),
            DuplicateKeyError,
            "the key 'x' stands twice in the levels",
        ),
        (lambda: Criterion("a", half_life="soon"), DefinitionError, "a duration is a positive"),
        (
            lambda: Level("x", 1.5),
            DefinitionError,
            "the value of a level is a number from 0 to 1, ",
        ),
        (
            lambda: Level("x", math.nan),
            DefinitionError,
            "the value of a level is a number from 0 to",
        ),
        (lambda: Grade("A", -1), DefinitionError, "at_least of a grade is a number from 0 to 100"),
        (lambda: Disqualifier("d", "a"), DefinitionError, "disqualifier 'd' has a limit: at_most="),
        (
            lambda: Disqualifier("d", "a", at_most=0, at_least=1),
            DefinitionError,
            "disqualifier 'd' has a limit: at_most= or at_least=, one of them",
        ),
        (
            lambda: Disqualifier("d", "a", at_most=2),
            DefinitionError,
            "the limit of a disqualifier is a number from 0 to 1, not 2",
        ),
        (
            lambda: RUBRIC.with_weights({"mood": 2}),
            UnknownCriterionError,
            "no criterion 'mood' in this rubric; it has budget, need",
        ),
        (
            lambda: RUBRIC.with_weights([1, 2, 3]),
            DefinitionError,
            "weights are a mapping, or a sequence with one for each of budget, need, not [",
        ),
        (
            lambda: RUBRIC.with_weights(5),  # type: ignore[arg-type]
            DefinitionError,
            "weights are a mapping, or a sequence with one for each of budget, need, not 5",
        ),
        (
            lambda: RUBRIC.with_weights({"budget": -1}),
            WeightError,
            "the weights of a rubric sum to",
        ),
        (lambda: RUBRIC["mood"], UnknownCriterionError, "no criterion 'mood' in this rubric"),
        (lambda: RUBRIC.index(None), UnknownCriterionError, "no criterion None in"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_refused(
    make: Callable[[], object], error: type[SalesFunnelError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        make()

    assert str(refusal.value).startswith(message)


def test_a_rubric_tells_what_it_asks_in_the_order_of_the_columns() -> None:
    assert len(RUBRIC) == 2
    assert RUBRIC.keys == ("budget", "need")
    assert RUBRIC.index("need") == 1
    assert RUBRIC["budget"] is BUDGET
    assert RUBRIC.weights.tolist() == [3, 1]
    assert RUBRIC["need"].name == "Need"


def test_names_and_questions_come_in_the_language_asked_for_or_the_plain_one() -> None:
    assert [RUBRIC.label(), RUBRIC.label("zh"), RUBRIC.label("fr")] == ["Ours", "我们的", "Ours"]
    assert Rubric(["a"]).label("zh") == ""
    assert [BUDGET.ask(), BUDGET.ask("zh")] == ["Is there a budget?", "有预算吗？"]
    assert Criterion("need", names={"zh": "需求"}).ask("zh") == "需求"
    assert RUBRIC.grade_label("A", "zh") == "A"
    assert Grade("A", 0, names={"zh": "甲"}).label("zh") == "甲"


def test_weights_are_changed_by_key_or_all_together() -> None:
    assert RUBRIC.with_weights({"need": 7}).weights.tolist() == [3, 7]
    assert RUBRIC.with_weights([5, 6]).weights.tolist() == [5, 6]
    assert RUBRIC.with_weights(np.array([5.0, 6.0])).weights.tolist() == [5, 6]
    assert RUBRIC.with_weights({"need": 7})["budget"] == BUDGET
    assert RUBRIC.with_weights({}) == RUBRIC


@given(rubrics())
def test_a_rubric_comes_back_from_json_pickle_and_copies_as_it_was(drawn: Rubric) -> None:
    for each in (drawn, RUBRIC):
        back = Rubric.from_dict(json.loads(json.dumps(each.to_dict())))
        assert back == each
        assert back.score([[0.5] * len(each)]).score == each.score([[0.5] * len(each)]).score
        assert pickle.loads(pickle.dumps(each)) == each  # noqa: S301 - our own
        assert hash(copy.deepcopy(each)) == hash(each)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "a rubric needs the field criteria"),
        ({"criteria": ["a"], "mood": 1}, "a rubric has no field 'mood'; it has criteria, grades, "),
        ({"criteria": "ab"}, "criteria are a list, not 'ab'"),
        ({"criteria": [{"weight": 1}]}, "a criterion needs the field key"),
        ({"criteria": ["a"], "grades": [{"key": "A"}]}, "a grade needs the field at_least"),
        (
            {"criteria": [{"key": "a", "levels": [{"key": "x"}]}]},
            "a level needs the field value",
        ),
        (
            {"criteria": ["a"], "disqualifiers": [{"key": "d"}]},
            "a disqualifier needs the field criterion",
        ),
    ],
)
def test_plain_data_of_another_form_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Rubric.from_dict(data)

    assert str(refusal.value).startswith(message)


# ── one lead ──────────────────────────────────────────────────────────────────────────────────────


def test_one_lead_by_hand() -> None:
    lead = Lead("L-1", evidence={"budget": "planned"})

    found = RUBRIC.score_lead(lead)

    assert (found.score, found.low, found.high) == (37.5, 37.5, 62.5)
    assert (found.grade, found.known) == ("D", 0.75)
    assert (found.disqualified_by, found.qualified) == (None, False)
    better = RUBRIC.score_lead(lead.learn("need", 0.5))
    assert (better.score, better.grade, better.qualified) == (50.0, "C", True)


def test_a_disqualified_lead_tells_by_what() -> None:
    found = RUBRIC.score_lead(Lead("L-1", evidence={"budget": "none", "need": 1}))

    assert (found.score, found.low, found.high, found.grade) == (0, 0, 0, "D")
    assert (found.disqualified_by, found.qualified) == ("no_budget", False)
    # An answer that may disqualify counts in the range.
    assert RUBRIC.score_lead(Lead("L-1", evidence={"need": 1})).low == 0


def test_a_lead_without_evidence_has_no_score_where_the_rubric_renormalises() -> None:
    found = attrs.evolve(RUBRIC, unknown="renormalise").score_lead(Lead("L-1"))

    assert math.isnan(found.score)
    assert (found.grade, found.qualified, found.low, found.high) == (None, False, 0, 100)


@pytest.mark.parametrize(
    ("days", "score", "high"), [(-1, 0, 100), (0, 75, 100), (90, 37.5, 100), (180, 18.75, 100)]
)
def test_evidence_fades_from_the_day_it_was_learnt_and_does_not_exist_before(
    days: int, score: float, high: float
) -> None:
    lead = Lead("L-1", evidence={"budget": Evidence("approved", T0)})

    found = RUBRIC.score_lead(lead, as_of=T0 + timedelta(days=days))

    assert (found.score, found.high) == (score, high)
    assert RUBRIC.score_lead(lead).score == 75


def test_evidence_without_a_date_or_a_half_life_does_not_fade() -> None:
    lead = Lead("L-1", evidence={"budget": "approved", "need": Evidence(1, T0)})

    assert RUBRIC.score_lead(lead, as_of=T0 + timedelta(days=9000)).score == 100


def test_leads_together_fade_as_each_alone() -> None:
    leads = [Lead(f"L-{n}", evidence={"budget": Evidence("approved", T0)}) for n in range(3)]
    as_of = T0 + timedelta(days=90)

    scores = RUBRIC.score_leads(iter(leads), as_of=as_of)

    assert scores.score.tolist() == [RUBRIC.score_lead(lead, as_of=as_of).score for lead in leads]


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (
            lambda: RUBRIC.score_lead(Lead("L-1", evidence={"budget": 1, "mood": 1, "x": 1})),
            UnknownCriterionError,
            "lead 'L-1' has evidence for 'mood', 'x', which this rubric does not ask for; it has b",
        ),
        (
            lambda: RUBRIC.explain(Lead("L-1", evidence={"budget": "rich"})),
            LevelError,
            "criterion 'budget': one of none, planned, approved, or a number from 0 to 1, not 'ri",
        ),
        (
            lambda: RUBRIC.score_leads([Lead("L-1", evidence={"need": "much"})]),
            LevelError,
            "criterion 'need': a number from 0 to 1, not 'much'",
        ),
        (
            lambda: RUBRIC.score_lead("L-1"),  # type: ignore[arg-type]
            DefinitionError,
            "a rubric scores a Lead, not 'L-1'",
        ),
        (
            lambda: RUBRIC.score_lead(Lead("L-1"), as_of=datetime(2026, 1, 5)),  # noqa: DTZ001
            DefinitionError,
            "as_of= has no time zone",
        ),
        (
            lambda: RUBRIC.score_lead(Lead("L-1"), extra="keep"),
            DefinitionError,
            "extra= is 'raise' or 'ignore', not 'keep'",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(
    ask: Callable[[], object], error: type[SalesFunnelError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        ask()

    assert str(refusal.value).startswith(message)


def test_evidence_for_other_rubrics_may_be_left_aside() -> None:
    lead = Lead("L-1", evidence={"budget": 1, "mood": 1})

    assert RUBRIC.score_lead(lead, extra="ignore").score == 75


# ── judging ───────────────────────────────────────────────────────────────────────────────────────


def test_a_lead_is_qualified_or_disqualified_as_its_score_says() -> None:
    good = Lead("L-1", evidence={"budget": "approved"})
    poor = Lead("L-2", evidence={"need": 0.5})
    broke = Lead("L-3", evidence={"budget": "none", "need": 1})

    good, poor, broke = (RUBRIC.judge(each, at=T0, by="rubric") for each in (good, poor, broke))

    assert (good.state, good.score, good.grade) == ("qualified", 75.0, "B")
    assert good.history[-1].by == "rubric"
    assert poor.state == "new"
    assert (broke.state, broke.reason) == ("disqualified", "no_budget")


def test_a_lead_that_is_qualified_already_stays_as_it_is() -> None:
    lead = Lead("L-1", evidence={"budget": "approved"}).qualify(at=T0, score=60)

    assert RUBRIC.judge(lead, at=T0) is lead
    assert RUBRIC.judge(lead.disqualify("no_need", at=T0), at=T0).state == "disqualified"


def test_judging_needs_a_limit_and_keeps_the_order_of_time() -> None:
    lead = Lead("L-1", received_at=T0, evidence={"budget": "approved"})

    with pytest.raises(DefinitionError, match="does not say when a lead qualifies: qualify_at="):
        Rubric(["budget"]).judge(lead, at=T0)
    with pytest.raises(LeadStateError, match="time goes back"):
        RUBRIC.judge(lead, at=T0 - timedelta(days=1))
