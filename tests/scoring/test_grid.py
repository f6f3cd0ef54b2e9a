"""Grids: two rubrics beside each other."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scoring.rubrics import known_by, lead_values, rubrics

from salesfunnel.errors import DefinitionError, DuplicateKeyError, UnknownCriterionError
from salesfunnel.model.lead import Lead
from salesfunnel.scoring import Disqualifier, Grade, Grid, Rubric, fit_behaviour

FIT = Rubric(
    ["industry", "size"],
    grades=[Grade("A", 50), Grade("B", 0, names={"zh": "乙"})],
    disqualifiers=[Disqualifier("too_small", "size", at_most=0)],
)
BEHAVIOUR = Rubric(["visits"], grades=[Grade("1", 60), Grade("2", 0)])
GRID = Grid(FIT, BEHAVIOUR, qualify_at=40, name="Both", names={"zh": "双维"})


def renamed(rubric: Rubric, prefix: str) -> Rubric:
    data = rubric.to_dict()
    for part in data["criteria"]:
        part["key"] = prefix + part["key"]
    for part in data.get("disqualifiers", []):
        part["key"], part["criterion"] = prefix + part["key"], prefix + part["criterion"]
    return Rubric.from_dict(data)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Grid, list[list[float | None]]]:
    unknown = draw(st.sampled_from(["zero", "renormalise", "range"]))
    grid = Grid(
        renamed(draw(rubrics(unknown=unknown)), "x"),
        renamed(draw(rubrics(unknown=unknown)), "y"),
        qualify_at=draw(st.none() | st.integers(0, 100)),
    )
    row = st.tuples(known_by(grid.first), known_by(grid.second)).map(
        lambda halves: [*halves[0], *halves[1]]
    )
    return grid, draw(st.lists(row, min_size=1, max_size=4))


def test_by_hand() -> None:
    scores = GRID.score([[1, 0.5, 0.25], [0.5, 0.3, 1], [1, 0, 1], [1, math.nan, 0.64]])

    # √(75 · 25), √(40 · 100), disqualified, √(50 · 64)
    assert scores.score.tolist() == pytest.approx([43.301270189, 63.245553203, 0, 56.568542495])
    assert scores.grade.tolist() == ["A2", "B1", "B2", "A1"]
    assert scores.qualified.tolist() == [True, True, False, True]
    assert scores.low.tolist() == pytest.approx([43.301270189, 63.245553203, 0, 0])
    assert scores.high.tolist() == pytest.approx([43.301270189, 63.245553203, 0, 80])
    assert scores.grades == ("A1", "A2", "B1", "B2")


@given(cases(), st.sampled_from([np.float32, np.float64]))
def test_score_and_grade_are_made_of_those_of_the_two(
    case: tuple[Grid, list[list[float | None]]], dtype: type
) -> None:
    grid, rows = case
    array: NDArray[Any] = np.array([lead_values(row) for row in rows]).astype(dtype)
    width = len(grid.first)

    scores = grid.score(array)
    one, other = grid.first.score(array[:, :width]), grid.second.score(array[:, width:])

    assert scores.score.dtype == dtype
    for row in range(len(rows)):
        if one.disqualified[row] or other.disqualified[row]:
            assert (scores.score[row], scores.low[row], scores.high[row]) == (0, 0, 0)
            assert scores.grade[row] == grid.grades[-1]
            assert scores.disqualified[row]
            continue
        for name in ("score", "low", "high"):
            expected = math.sqrt(float(getattr(one, name)[row]) * float(getattr(other, name)[row]))
            np.testing.assert_allclose(getattr(scores, name)[row], expected, rtol=1e-6, atol=1e-9)
        grades = one.grade[row], other.grade[row]
        assert scores.grade[row] == ("".join(grades) if all(grades) else "")
    known = ~np.isnan(scores.score)
    assert ((scores.low <= scores.score) | ~known).all()
    assert ((scores.score <= scores.high) | ~known).all()


@given(cases())
def test_one_lead_alone_scores_as_it_does_among_many(
    case: tuple[Grid, list[list[float | None]]],
) -> None:
    grid, rows = case
    leads = [
        Lead("L-1", evidence={k: v for k, v in zip(grid.keys, row, strict=True) if v is not None})
        for row in rows
    ]
    many = grid.score_leads(leads)

    for row, lead in enumerate(leads):
        one, explained = grid.score_lead(lead), grid.explain(lead)
        np.testing.assert_allclose(
            [one.score, one.low, one.high], [many.score[row], many.low[row], many.high[row]]
        )
        assert (one.grade or "") == many.grade[row]
        assert one.qualified == many.qualified[row]
        assert (one.disqualified_by is not None) == many.disqualified[row]
        assert explained.grade == one.grade
        assert [part.criterion for part in explained.contributions] == list(grid.keys)
        if one.disqualified_by is not None or None not in rows[row]:
            assert explained.question is None
        if explained.question is not None:
            assert explained.question.low <= explained.question.high
            assert explained.question.low_grade in grid.grades
            assert str(explained)


def test_the_question_moves_the_pair_of_grades_most() -> None:
    found = GRID.explain(Lead("L-1", evidence={"industry": 0.9, "size": 0.3}))

    assert found.question is not None
    assert found.question.criterion == "visits"
    assert (found.question.low_grade, found.question.high_grade) == ("A2", "A1")
    assert found.question.low == 0
    assert found.question.high == pytest.approx(math.sqrt(60 * 100))
    assert "Score 0.0, grade A2" in str(found)


def test_names_come_from_both() -> None:
    assert GRID.grade_label("B2", "zh") == "乙2"
    assert [GRID.label(), GRID.label("zh")] == ["Both", "双维"]
    assert GRID.keys == ("industry", "size", "visits")
    assert GRID["visits"].key == "visits"


def test_a_grid_judges_leads_too() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    good = Lead("L-1", evidence={"industry": 1, "size": 0.5, "visits": 1})
    small = Lead("L-2", evidence={"size": 0})

    good, small = GRID.judge(good, at=at), GRID.judge(small, at=at)

    assert (good.state, good.grade) == ("qualified", "A1")
    assert (small.state, small.reason) == ("disqualified", "too_small")


def test_a_grid_comes_back_from_json_as_it_was() -> None:
    assert Grid.from_dict(json.loads(json.dumps(GRID.to_dict()))) == GRID
    assert Grid.from_dict(Grid(FIT, BEHAVIOUR).to_dict()) == Grid(FIT, BEHAVIOUR)


def test_what_cannot_be_a_grid_is_refused() -> None:
    with pytest.raises(DefinitionError, match="a grid is of two Rubric, not of 'fit'"):
        Grid("fit", BEHAVIOUR)  # type: ignore[arg-type]
    with pytest.raises(DuplicateKeyError, match="the key 'visits' stands twice in the criteria"):
        Grid(BEHAVIOUR, BEHAVIOUR)
    with pytest.raises(DefinitionError, match="qualify_at is a number from 0 to 100"):
        Grid(FIT, BEHAVIOUR, qualify_at=-1)
    many = [Grade(f"g{n}", 100 - n) for n in range(99)] + [Grade("z", 0)]
    with pytest.raises(DefinitionError, match="a grid has at most 250 grades, not 10000"):
        Grid(Rubric(["a"], grades=many), Rubric(["b"], grades=many))
    with pytest.raises(UnknownCriterionError, match="no criterion 'mood' in this rubric"):
        GRID.index("mood")
    with pytest.raises(UnknownCriterionError, match="has evidence for 'mood'"):
        GRID.score_lead(Lead("L-1", evidence={"mood": 1}))


def test_no_other_question_moves_a_lead_of_fit_and_behaviour_more() -> None:
    grid = fit_behaviour()
    rng = np.random.default_rng(0)
    width = len(grid.second.grades)

    def asked(evidence: dict[str, float], key: str) -> tuple[int, float]:
        """How many grades, of either rubric, and points lie between the answers."""
        low, high = (
            grid.score_lead(Lead("L-1", evidence={**evidence, key: end})) for end in grid[key].ends
        )
        places = [divmod(grid.grades.index(str(each.grade)), width) for each in (low, high)]
        n_steps = abs(places[0][0] - places[1][0]) + abs(places[0][1] - places[1][1])
        return n_steps, round(abs(high.score - low.score), 6)

    for _ in range(150):
        evidence = {
            part.key: float(rng.choice([level.value for level in part.levels]))
            for part in grid.criteria
            if rng.random() < 0.5
        }
        question = grid.explain(Lead("L-1", evidence=evidence)).question
        open_ones = {key: asked(evidence, key) for key in grid.keys if key not in evidence}
        if question is None:
            assert not open_ones
        else:
            assert open_ones[question.criterion] == max(open_ones.values())
