"""The rubrics that are ready made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from salesfunnel.errors import DefinitionError, UnknownCriterionError, WeightError
from salesfunnel.model.lead import Lead
from salesfunnel.scoring import (
    Grid,
    Rubric,
    bant,
    champ,
    fit_behaviour,
    meddic,
    strategic_selling,
)

RUBRICS = (bant, champ, meddic, strategic_selling)
ALL = (*RUBRICS, fit_behaviour)


@pytest.mark.parametrize("make", ALL)
def test_every_text_is_in_english_and_chinese(make: Callable[[], Rubric | Grid]) -> None:
    rubric = make()

    assert rubric.label("en")
    assert rubric.label("zh") != rubric.label("en")
    questions = []
    for criterion in rubric.criteria:
        for part in (criterion, *criterion.levels):
            assert part.names.keys() == {"en", "zh"}
            assert part.names["en"] == part.name
            assert any("\u4e00" <= character <= "\u9fff" for character in part.names["zh"])
        assert criterion.questions.keys() == {"en", "zh"}
        assert criterion.questions["zh"].endswith("？")
        assert criterion.question == criterion.questions["en"]
        assert criterion.question.endswith("?")
        questions.append(criterion.question)
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("make", ALL)
def test_levels_go_from_0_to_1_and_the_best_answers_make_100(
    make: Callable[[], Rubric | Grid],
) -> None:
    rubric = make()

    for criterion in rubric.criteria:
        values = [level.value for level in criterion.levels]
        assert values == sorted(set(values))
        assert (values[0], values[-1]) == (0, 1)
    best = {c.key: c.levels[-1 if c.weight > 0 else 0].key for c in rubric.criteria}
    worst = {c.key: c.levels[0 if c.weight > 0 else -1].key for c in rubric.criteria}
    assert rubric.score_lead(Lead("L", evidence=best)).score == pytest.approx(100)
    assert rubric.score_lead(Lead("L", evidence=worst)).score == 0
    columns = {key: [best[key], worst[key], None] for key in rubric.keys}
    np.testing.assert_allclose(rubric.score(columns).score, [100, 0, 0])
    assert rubric.qualify_at == 60


@pytest.mark.parametrize("make", ALL)
def test_a_preset_comes_back_from_plain_data(make: Callable[[], Rubric | Grid]) -> None:
    rubric = make()

    assert type(rubric).from_dict(rubric.to_dict()) == rubric


@pytest.mark.parametrize("make", RUBRICS)
def test_weights_and_what_is_unknown_may_be_chosen(make: Callable[..., Rubric]) -> None:
    first = make().keys[0]
    rubric = make({first: 7}, unknown="renormalise")

    assert rubric[first].weight == 7
    assert rubric.weights.tolist()[1:] == make().weights.tolist()[1:]
    assert rubric.unknown == "renormalise"
    with pytest.raises(UnknownCriterionError, match="no criterion 'mood'"):
        make({"mood": 1})
    with pytest.raises(WeightError, match="sum to more than zero"):
        make(dict.fromkeys(make().keys, 0))
    with pytest.raises(DefinitionError, match="unknown= is one of"):
        make(unknown="guess")


def test_bant_asks_for_budget_authority_need_and_timeline_in_equal_parts() -> None:
    rubric = bant()

    assert rubric.keys == ("budget", "authority", "need", "timeline")
    assert [c.label("zh") for c in rubric.criteria] == ["预算", "决策者", "需求", "时间"]
    assert rubric.score(np.eye(4)).score.tolist() == [25] * 4
    assert rubric.score(np.ones((1, 4))).grade.tolist() == ["A"]


def test_red_flags_take_points_and_response_modes_give_them() -> None:
    rubric = strategic_selling()
    flags = [c for c in rubric.criteria if c.weight < 0]
    modes = [c for c in rubric.criteria if c.key.endswith("_response")]

    assert len(flags) == 5
    assert all(c.label("zh").startswith("红旗：") for c in flags)
    assert [level.key for level in modes[0].levels] == [
        "overconfident",
        "even_keel",
        "trouble",
        "growth",
    ]
    known = {c.key: 1 for c in rubric.criteria if c.weight > 0}
    score = [
        rubric.score_lead(Lead("L", evidence={**known, **{c.key: "yes" for c in flags[:n]}})).score
        for n in range(3)
    ]
    assert score == pytest.approx([100, 100 - 100 / 14.5, 100 - 200 / 14.5])


def test_behaviour_fades_and_fit_does_not() -> None:
    grid = fit_behaviour()

    assert {c.half_life is None for c in grid.first.criteria} == {True}
    assert [c.key for c in grid.second.criteria if c.half_life is None] == ["unsubscribed"]
    assert {c.half_life for c in fit_behaviour(half_life=None).criteria} == {None}
    assert grid.grades[0] == "A1"
    assert grid.grades[-1] == "D4"
    assert fit_behaviour(unknown="range").first.unknown == "range"
