"""Explanations: what each criterion gives, and the question to ask next."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring.rubrics import Values, known_by, rubrics

from salesfunnel.model.evidence import Evidence
from salesfunnel.model.lead import Lead
from salesfunnel.scoring import Criterion, Disqualifier, Level, Rubric, bant, strategic_selling

T0 = datetime(2026, 1, 5, tzinfo=UTC)


def lead_of(rubric: Rubric, values: Values) -> Lead:
    known = zip(rubric.keys, values, strict=True)
    return Lead("L-1", evidence={key: value for key, value in known if value is not None})


cases = rubrics().flatmap(lambda rubric: st.tuples(st.just(rubric), known_by(rubric)))
Case = tuple[Rubric, list[float | None]]


@given(cases)
def test_the_points_make_the_score(case: Case) -> None:
    rubric, values = case
    found = rubric.explain(lead_of(rubric, values))

    assert found.result == rubric.score_lead(lead_of(rubric, values)) or math.isnan(found.score)
    points = math.fsum(part.points for part in found.contributions)
    if found.result.disqualified_by is not None:
        assert found.score == 0
    elif rubric.unknown == "range":
        if found.result.low > 0 and found.result.high < 100:
            assert found.score == pytest.approx(points)
    elif not math.isnan(found.score):
        assert found.score == pytest.approx(min(max(points, 0), 100))
    assert [part.criterion for part in found.contributions] == list(rubric.keys)
    assert [part.value for part in found.contributions] == values


@given(cases)
def test_the_question_is_the_one_whose_answers_lie_the_most_grades_apart(case: Case) -> None:
    rubric, values = case
    found = rubric.explain(lead_of(rubric, values))

    swings = {}
    order = [grade.key for grade in rubric.grades]
    limits = [grade.at_least for grade in rubric.grades]
    for place, value in enumerate(values):
        if value is None and found.result.disqualified_by is None:
            ends = []
            for answer in (0.0, 1.0):
                answered = [*values[:place], answer, *values[place + 1 :]]
                ends.append(rubric.score_lead(lead_of(rubric, answered)).score)
            if math.isnan(ends[0]):
                continue
            low, high = min(ends), max(ends)
            grades = [
                next(n for n, at in enumerate(limits) if end >= at - 1e-9) for end in (low, high)
            ]
            swings[rubric.keys[place]] = (
                grades[0] - grades[1],
                round(high - low, 9),
                low,
                high,
                grades,
            )
    if not swings:
        assert found.question is None
        return
    assert found.question is not None
    steps, apart, low, high, grades = swings[found.question.criterion]
    assert all((steps, apart) >= each[:2] for each in swings.values())
    earlier = list(swings)[: list(swings).index(found.question.criterion)]
    assert all((steps, apart) > swings[key][:2] for key in earlier)
    assert (found.question.low, found.question.high) == pytest.approx((low, high))
    assert [found.question.low_grade, found.question.high_grade] == [order[n] for n in grades]


def test_a_printed_explanation_says_it_all() -> None:
    lead = Lead("L-1", evidence={"budget": "approved", "need": 0.5})

    found = bant().explain(lead)

    assert repr(found) == "Explanation(score=37.5, grade='D')"
    assert (
        str(found)
        == """\
Score of the lead

Criterion  Level     Points  At most
─────────  ────────  ──────  ───────
Budget     Approved   25.00    25.00
Authority  –           0.00    25.00
Need       –          12.50    25.00
Timeline   –           0.00    25.00

Score 37.5, grade D; once all is known, from 37.5 to 87.5.
Ask next: Who decides, and have we spoken with them? The answers lead from 37.5 (D) to 62.5 (B)."""
    )
    assert "预算" in found.to_table().to_text("zh")
    assert "下一步最该问：谁来决策？" in found.to_table().to_text("zh")
    assert found._repr_html_() == found.to_table().to_html()


def test_a_table_of_an_explanation_has_what_code_needs() -> None:
    table = bant().explain(Lead("L-1", evidence={"budget": "planned"})).to_table()

    assert table["criterion"].tolist() == ["budget", "authority", "need", "timeline"]
    assert table["level"].tolist() == ["planned", None, None, None]
    np.testing.assert_array_equal(table["value"], [0.6, np.nan, np.nan, np.nan])
    assert table["points"].tolist() == [15, 0, 0, 0]
    assert table["most"].tolist() == [25] * 4
    assert table["left"].tolist() == [1] * 4


def test_faded_evidence_is_shown_and_may_be_asked_for_again() -> None:
    rubric = Rubric([Criterion("budget", half_life="30d"), Criterion("need")])
    lead = Lead("L-1", evidence={"budget": Evidence(1, T0), "need": 1})

    found = rubric.explain(lead, as_of=T0 + timedelta(days=30))

    assert found.contributions[0].left == 0.5
    assert found.contributions[0].points == 25
    assert found.question is not None
    assert (found.question.criterion, found.question.low, found.question.high) == (
        "budget",
        50,
        100,
    )
    assert "50.0%" in str(found)
    assert "Not faded" in str(found)


def test_a_disqualified_lead_is_asked_nothing() -> None:
    rubric = Rubric(
        ["budget", "need"],
        disqualifiers=[Disqualifier("no_budget", "budget", at_most=0, names={"zh": "没有预算"})],
    )

    found = rubric.explain(Lead("L-1", evidence={"budget": 0}))

    assert found.question is None
    assert "Disqualified: No budget." in str(found)
    assert "已判定不合格：没有预算。" in found.to_table().to_text("zh")


def test_a_lead_of_which_all_is_known_is_asked_nothing() -> None:
    found = Rubric(["budget"]).explain(Lead("L-1", evidence={"budget": 1}))

    assert found.question is None
    assert "Ask next" not in str(found)


def test_a_score_that_there_is_none_of_shows_as_a_dash() -> None:
    found = Rubric(["budget"], unknown="renormalise").explain(Lead("L-1"))

    assert "Score –, grade –; once all is known, from 0.0 to 100.0." in str(found)


def test_levels_that_share_a_key_and_not_a_name_show_the_key() -> None:
    rubric = Rubric(
        [
            Criterion("a", levels=[Level("none", 0, names={"en": "No budget"})]),
            Criterion("b", levels=[Level("none", 0, names={"en": "No need"})]),
        ]
    )

    shown = str(rubric.explain(Lead("L-1", evidence={"a": "none", "b": "none"})))

    assert shown.count("None") == 2
    assert "No budget" not in shown


def test_a_criterion_without_a_question_is_asked_for_by_name() -> None:
    rubric = Rubric([Criterion("employees", names={"zh": "员工人数"})])
    table = rubric.explain(Lead("L-1")).to_table()

    assert table.notes[-1].text("en") == (
        "Ask next: Employees? The answers lead from 0.0 (D) to 100.0 (A)."
    )
    assert table.notes[-1].text("zh").startswith("下一步最该问：员工人数？不同回答")


def test_one_buyer_is_asked_after_as_one_and_several_as_several() -> None:
    rubric = strategic_selling()

    assert rubric["economic_response"].ask().startswith("Does the economic buyer see ")
    assert rubric["user_response"].ask().startswith("Do the user buyers see ")
