"""Scores of many leads: arrays in, arrays out, as the definition says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring.rubrics import Values, expected_range, known_by, lead_values, rubrics

from salesfunnel.errors import (
    DefinitionError,
    LevelError,
    MissingColumnError,
    SalesFunnelError,
    ShapeError,
    UnknownCriterionError,
)
from salesfunnel.model.lead import Lead
from salesfunnel.scoring import Criterion, Disqualifier, Grade, Level, Rubric, Scores, bant
from salesfunnel.scoring import scores as scores_module

NAN = math.nan


Case = tuple[Rubric, list[list[float | None]]]


def rubrics_and_leads(**kinds: Any) -> st.SearchStrategy[Case]:
    def with_leads(rubric: Rubric) -> st.SearchStrategy[Case]:
        return st.tuples(st.just(rubric), st.lists(known_by(rubric), min_size=1, max_size=4))

    return rubrics(**kinds).flatmap(with_leads)


def score(rubric: Rubric, leads: Sequence[Values], dtype: Any = np.float64) -> Scores:
    return rubric.score(np.array([lead_values(lead) for lead in leads], dtype))


# ── what a score is ───────────────────────────────────────────────────────────────────────────────


def test_by_hand() -> None:
    # budget 0.5, need unknown: 2 of 4 weights are known, and half of them is given.
    rubric = Rubric(
        [Criterion("budget", 2), Criterion("need", 2), Criterion("competitor", -1)],
        grades=[Grade("A", 50), Grade("B", 25), Grade("C", 0)],
        qualify_at=25,
    )
    values = [[0.5, NAN, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 1.0], [1.0, NAN, NAN]]

    zero = rubric.score(values)
    assert zero.score.tolist() == [25, 75, 0, 50]
    assert zero.low.tolist() == [25, 75, 0, 25]
    assert zero.high.tolist() == [75, 75, 0, 100]
    assert zero.grade.tolist() == ["B", "A", "C", "A"]
    assert zero.grade_code.tolist() == [1, 0, 2, 0]
    assert zero.qualified.tolist() == [True, True, False, True]
    assert zero.disqualified.tolist() == [False] * 4

    renormalised = Rubric(rubric.criteria, grades=rubric.grades, unknown="renormalise").score(
        [*values, [NAN, NAN, 0.5]]
    )
    assert renormalised.score.tolist()[:4] == [50, 75, 0, 100]
    assert math.isnan(renormalised.score[4])
    assert renormalised.grade.tolist() == ["A", "A", "C", "A", ""]
    assert renormalised.grade_code[4] == 255
    assert (renormalised.low[4], renormalised.high[4]) == (0, 87.5)

    middle = Rubric(rubric.criteria, grades=rubric.grades, unknown="range").score(values)
    assert middle.score.tolist() == [50, 75, 0, 62.5]
    assert middle.grade.tolist() == ["", "A", "C", ""]


@given(rubrics_and_leads())
def test_score_and_range_are_what_the_definition_says(
    case: Case,
) -> None:
    rubric, leads = case

    scores = score(rubric, leads)

    for row, lead in enumerate(leads):
        expected = expected_range(rubric, lead)
        found = scores.score[row], scores.low[row], scores.high[row]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@given(rubrics_and_leads(), st.sampled_from([np.float32, np.float64]))
def test_the_score_lies_in_its_range_and_the_range_within_0_and_100(case: Case, dtype: Any) -> None:
    scores = score(*case, dtype)

    known = ~np.isnan(scores.score)
    assert ((scores.low <= scores.score) | ~known).all()
    assert ((scores.score <= scores.high) | ~known).all()
    assert (scores.low >= 0).all()
    assert (scores.low <= scores.high).all()
    assert (scores.high <= 100).all()
    assert scores.score.dtype == scores.low.dtype == scores.high.dtype == dtype


@given(rubrics_and_leads(), st.sampled_from([np.float32, np.float64]), st.randoms())
def test_permuting_leads_permutes_scores_to_the_last_bit(
    case: Case, dtype: Any, random: Any
) -> None:
    rubric, leads = case
    order = list(range(len(leads)))
    random.shuffle(order)

    scores, permuted = score(rubric, leads, dtype), score(rubric, [leads[i] for i in order], dtype)

    for name in ("score", "low", "high", "grade", "grade_code", "disqualified", "qualified"):
        np.testing.assert_array_equal(getattr(scores, name)[order], getattr(permuted, name))


@given(rubrics_and_leads(negative=False, disqualifiers=False), st.data())
def test_more_evidence_for_a_criterion_never_lowers_the_score(
    case: Case, data: st.DataObject
) -> None:
    rubric, leads = case
    place = data.draw(st.integers(0, len(rubric) - 1))
    more = []
    for lead in leads:
        value = lead[place]
        least = 0.0 if value is None else value
        more.append([*lead[:place], value, *lead[place + 1 :]])
        # To renormalise, what was not known counted as the average: a poor answer may lower it.
        if value is not None or rubric.unknown == "zero":
            more[-1][place] = data.draw(st.floats(least, 1))

    before, after = score(rubric, leads), score(rubric, more)

    unknown = np.isnan(before.score)
    assert ((after.score >= before.score) | unknown).all()
    assert (after.low >= before.low).all()
    codes = (before.grade_code == 255) | (after.grade_code == 255)
    assert ((after.grade_code <= before.grade_code) | codes).all()


@given(rubrics_and_leads(), st.data())
def test_an_answer_leads_to_a_score_within_the_range_that_was_told(
    case: Case, data: st.DataObject
) -> None:
    rubric, leads = case
    answered = [
        [data.draw(st.floats(0, 1)) if value is None else value for value in lead] for lead in leads
    ]

    before, after = score(rubric, leads), score(rubric, answered)

    assert (after.score >= before.low - 1e-9).all()
    assert (after.score <= before.high + 1e-9).all()


@given(rubrics_and_leads())
def test_one_lead_alone_scores_as_it_does_among_many(
    case: Case,
) -> None:
    rubric, rows = case
    leads = [
        Lead(
            f"L-{number}",
            evidence={k: v for k, v in zip(rubric.keys, row, strict=True) if v is not None},
        )
        for number, row in enumerate(rows)
    ]

    many, as_leads = score(rubric, rows), rubric.score_leads(leads)

    for row, lead in enumerate(leads):
        one = rubric.score_lead(lead)
        for scores in (many, as_leads):
            np.testing.assert_array_equal(
                [one.score, one.low, one.high],
                [scores.score[row], scores.low[row], scores.high[row]],
            )
            assert (one.grade or "") == scores.grade[row]
            assert one.qualified == scores.qualified[row]
            assert (one.disqualified_by is not None) == scores.disqualified[row]


def test_a_chunk_without_gaps_scores_as_one_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for unknown in ("zero", "renormalise", "range"):
        rubric = Rubric(
            [Criterion("a", 3), Criterion("b", 2), Criterion("c", -1)],
            unknown=unknown,
            disqualifiers=[Disqualifier("d", "b", at_most=0.1)],
        )
        values = rng.random((100, 3))
        values[50:][rng.random((50, 3)) < 0.3] = NAN
        whole = rubric.score(values)
        monkeypatch.setattr(scores_module, "CHUNK", 7)
        cut = rubric.score(values)
        monkeypatch.undo()
        for name in ("score", "low", "high", "grade", "disqualified"):
            np.testing.assert_array_equal(getattr(whole, name), getattr(cut, name))


def test_a_grade_that_is_missed_by_rounding_is_reached() -> None:
    rubric = Rubric(list("abcdefg"), qualify_at=60)
    value = 0.6
    assert sum([value * (100 / 7)] * 7) < 60

    for dtype in (np.float32, np.float64):
        scores = rubric.score(np.full((1, 7), value, dtype))
        assert scores.grade.tolist() == ["B"]
        assert scores.qualified.tolist() == [True]
    found = rubric.score_lead(Lead("L-1", evidence=dict.fromkeys(rubric.keys, value)))
    assert (found.grade, found.qualified) == ("B", True)


# ── what comes in ─────────────────────────────────────────────────────────────────────────────────

BUDGET = Criterion("budget", 3, [Level("none", 0), Level("planned", 0.5), Level("approved", 1)])
RUBRIC = Rubric([BUDGET, Criterion("need", 1)])
ROWS = [["approved", 1.0], ["planned", 0.0], [None, 0.5], ["none", None]]
EXPECTED = [100.0, 37.5, 12.5, 0.0]


@pytest.mark.parametrize(
    "values",
    [
        {"need": [1.0, 0.0, 0.5, None], "budget": ["approved", "planned", None, "none"], "x": [0]},
        {"budget": ["approved", 0.5, "", 0], "need": np.array([1, 0, 0.5, NAN], np.float32)},
        np.array(ROWS, object),
        ROWS,
        [[1, 1], [0.5, 0], [NAN, 0.5], [0, NAN]],
        [[1, 1], [0.5, 0], [None, 0.5], [0, None]],
        np.ma.masked_invalid([[1, 1], [0.5, 0], [NAN, 0.5], [0, NAN]]),
        np.array([[1, 1], [0.5, 0], [NAN, 0.5], [0, NAN]], order="F"),
        pd.DataFrame(ROWS, columns=["budget", "need"]).assign(owner="li.na"),
        pl.DataFrame(ROWS, schema=["budget", "need"], orient="row"),
        pl.DataFrame({"budget": [1.0, 0.5, None, 0.0], "need": [1.0, 0.0, 0.5, None]}),
    ],
)
def test_values_come_as_arrays_columns_and_dataframes(values: Any) -> None:
    scores = RUBRIC.score(values)

    assert scores.score.tolist() == EXPECTED
    assert scores.score.dtype == np.float64


def test_whole_numbers_and_truth_values_count_as_0_and_1() -> None:
    for values in ([[1, 0], [0, 1]], [[True, False], [False, True]]):
        assert RUBRIC.score(values).score.tolist() == [75, 25]
        assert RUBRIC.score(np.array(values)).score.tolist() == [75, 25]
        columns = dict(zip(RUBRIC.keys, zip(*values, strict=True), strict=True))
        assert RUBRIC.score(columns).score.tolist() == [75, 25]


def test_what_comes_in_stays_as_it_was_and_what_comes_out_cannot_be_changed() -> None:
    values = np.array([[0.5, NAN]], np.float32)
    values.flags.writeable = False

    scores = RUBRIC.score(values, age=[[1.0, NAN]])

    for column in (scores.score, scores.low, scores.high, scores.grade_code, scores.disqualified):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_no_leads_have_no_scores() -> None:
    for scores in (RUBRIC.score(np.empty((0, 2))), RUBRIC.score_leads([])):
        assert len(scores) == len(scores.score) == len(scores.grade) == len(scores.qualified) == 0
    assert repr(scores) == "Scores(0 leads, grades A, B, C, D)"


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            np.zeros((3, 5)),
            ShapeError,
            "values are an array with a row for each lead and 2 columns (budget, need), not of sha",
        ),
        ([0.5, 0.5], ShapeError, "values are an array with a row for each lead and 2 columns"),
        (0.5, ShapeError, "values are an array with a row for each lead and 2 columns"),
        ([[0.5, 0.5], [0.5]], ShapeError, "the rows of an array are of one length; these differ"),
        (
            [[0.5, 0.5], [NAN, 1.5]],
            LevelError,
            "row 1, criterion 'need': a value is a number from 0 to 1, or NaN where it is not kno",
        ),
        ([[-0.25, 0.5]], LevelError, "row 0, criterion 'budget': a value is a number from 0 to 1"),
        ([[math.inf, 0.5]], LevelError, "row 0, criterion 'budget': a value is a number"),
        (
            {"budget": ["planned", "rich"], "need": [1, 1]},
            LevelError,
            "row 1, criterion 'budget': one of none, planned, approved, or a number from 0 to 1, n",
        ),
        (
            {"budget": [1, 1], "need": [0.5, "much"]},
            LevelError,
            "row 1, criterion 'need': a number from 0 to 1, not 'much'",
        ),
        ({"budget": [[1]], "need": [1]}, LevelError, "row 0, criterion 'budget': one of none"),
        ({"budget": [1, 1], "need": [1]}, ShapeError, "columns are of one length, not budget 2, "),
        (
            {"budget": [1]},
            MissingColumnError,
            "the table of values has no column 'need'; it has budget",
        ),
        (
            pd.DataFrame({"need": [1]}),
            MissingColumnError,
            "the table of values has no column 'budget'",
        ),
    ],
)
def test_values_of_another_form_are_refused(
    values: Any, error: type[SalesFunnelError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        RUBRIC.score(values)

    assert str(refusal.value).startswith(message)


def test_the_row_of_a_bad_value_is_told_wherever_it_stands() -> None:
    values = np.full((100_000, 4), 0.5, np.float32)
    values[70_001, 2] = 2
    values[:, 1] = NAN

    with pytest.raises(LevelError, match=r"row 70001, criterion 'need': .* not 2$"):
        bant().score(values)


# ── age ───────────────────────────────────────────────────────────────────────────────────────────

FADING = Rubric([Criterion("budget", 3, half_life="90d"), Criterion("need", 1)])


@pytest.mark.parametrize(
    "age",
    [
        [[0, 0], [90, 900], [180, NAN], [NAN, 5]],
        np.array([[0, 0], [90, 900], [180, 0], [0, 5]], "timedelta64[D]"),
        {"budget": [0, 90, 180, None]},
        pd.DataFrame({"budget": [0, 90, 180, NAN], "need": [0, 0, 0, 0]}),
        [0, 90, 180, NAN],
    ],
)
def test_old_evidence_becomes_what_is_not_known(age: Any) -> None:
    scores = FADING.score(np.ones((4, 2)), age=age)

    assert scores.score.tolist() == [100, 62.5, 43.75, 100]
    assert scores.low.tolist() == [100, 62.5, 43.75, 100]
    assert scores.high.tolist() == [100, 100, 100, 100]


def test_what_is_not_there_yet_is_not_known() -> None:
    scores = FADING.score([[1, 1], [1, 1]], age=[[-1, 0], [0, -0.5]])

    assert scores.score.tolist() == [25, 75]
    assert scores.high.tolist() == [100, 100]


def test_evidence_faded_by_half_counts_half_where_the_rubric_renormalises() -> None:
    rubric = Rubric(FADING.criteria, unknown="renormalise")

    # (3 · ½ · 1 + 1 · 0) / (3 · ½ + 1)
    assert rubric.score([[1, 0]], age=[90]).score.tolist() == pytest.approx([60])


@given(rubrics_and_leads(negative=False, disqualifiers=False, unknown="zero"), st.data())
def test_an_older_lead_never_scores_higher(case: Case, data: st.DataObject) -> None:
    rubric, leads = case
    fading = Rubric(
        [Criterion(c.key, c.weight, half_life="30d") for c in rubric.criteria],
        grades=rubric.grades,
    )
    age = data.draw(st.lists(st.floats(0, 1e6), min_size=len(leads), max_size=len(leads)))
    values = np.array([lead_values(lead) for lead in leads])

    new, old = fading.score(values, age=np.zeros(len(leads))), fading.score(values, age=age)

    np.testing.assert_array_equal(new.score, rubric.score(values).score)
    assert (old.score <= new.score).all()
    assert (old.high >= new.high - 1e-9).all()


def test_what_disqualified_disqualifies_however_old_it_is() -> None:
    rubric = Rubric(FADING.criteria, disqualifiers=[Disqualifier("no_budget", "budget", at_most=0)])

    scores = rubric.score([[0, 1], [0, 1]], age=[[9000, 0], [-1, 0]])

    assert scores.disqualified.tolist() == [True, False]
    assert scores.score.tolist() == [0, 25]
    assert scores.low.tolist() == [0, 0]  # the answer may disqualify it


@pytest.mark.parametrize(
    ("age", "error", "message"),
    [
        ([1, 2], ShapeError, "age= has the shape of the values, (1, 2), or one age for each lead"),
        ([["old", "new"]], DefinitionError, "age= is in days, or timedelta64"),
        ({"mood": [1]}, UnknownCriterionError, "no criterion 'mood' in this rubric; it has budget"),
        ({"need": [1, 2]}, ShapeError, "age= has a column 'need' of shape (2,), not (1,)"),
    ],
)
def test_ages_of_another_form_are_refused(
    age: Any, error: type[SalesFunnelError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        FADING.score([[1, 1]], age=age)

    assert str(refusal.value).startswith(message)


def test_scores_of_float32_are_those_of_float64_but_for_rounding() -> None:
    values = np.random.default_rng(0).random((1000, 4))
    narrow, wide = bant().score(values.astype(np.float32)), bant().score(values)

    np.testing.assert_allclose(narrow.score, wide.score, atol=1e-4)
