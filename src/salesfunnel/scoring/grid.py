"""Two rubrics beside each other, whose grades make one: A1 to D4."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import attrs
import numpy as np

from salesfunnel.errors import DefinitionError
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.validation import from_mapping, is_text, to_names
from salesfunnel.scoring.criteria import Criterion, Disqualifier, to_parts
from salesfunnel.scoring.explain import (
    Explanation,
    Question,
    contributions,
    questions,
    steps,
    swing,
)
from salesfunnel.scoring.rubric import MAX_GRADES, Rubric, to_threshold
from salesfunnel.scoring.scorer import Scorer
from salesfunnel.scoring.scores import NO_GRADE, Floats, Scores, score_array
from salesfunnel.scoring.single import TOLERANCE, Known, LeadScore, add_up, lead_score
from salesfunnel.wording import Wording


@attrs.frozen(slots=False)
class Grid(Scorer):
    """Two rubrics, as of fit and behaviour; a lead has a grade by each, written as one: ``A1``.

    The score is the geometric mean of the two, √(first × second), so that neither makes up for want
    of the other. A disqualifier of either makes it 0. An array has the columns of the first rubric,
    then those of the second.

    Parameters
    ----------
    first, second : Rubric
        They have no criterion in common.
    qualify_at : float, optional
        The score from which a lead qualifies; the limits of the two rubrics do not count here.
    name : str, optional
        What people call the grid.
    names : mapping of str to str
        Names by language.

    Attributes
    ----------
    grades : tuple of str
        The pairs of grades, those with the best of the first rubric first.

    Raises
    ------
    DefinitionError, DuplicateKeyError
        If a value is not of this form.

    Examples
    --------
    >>> grid = Grid(Rubric(["industry", "size"]), Rubric(["visits"]))
    >>> scores = grid.score([[1, 0.5, 0.1], [0.8, 0.8, 0.8]])
    >>> scores.grade.tolist(), scores.score.round(1).tolist()
    (['BD', 'AA'], [27.4, 80.0])
    """

    first: Rubric = attrs.field()
    second: Rubric = attrs.field()
    qualify_at: float | None = attrs.field(default=None, kw_only=True, converter=to_threshold)
    name: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    names: FrozenDict[str] = attrs.field(factory=FrozenDict, kw_only=True, converter=to_names)
    criteria: tuple[Criterion, ...] = attrs.field(init=False, eq=False, repr=False)
    disqualifiers: tuple[Disqualifier, ...] = attrs.field(init=False, eq=False, repr=False)
    grades: tuple[str, ...] = attrs.field(init=False, eq=False, repr=False)
    _places: dict[str, int] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        for part in (self.first, self.second):
            if not isinstance(part, Rubric):
                raise DefinitionError("a grid is of two Rubric, not of {part!r}", part=part)
        criteria = to_parts(
            (*self.first.criteria, *self.second.criteria), Criterion, Wording("criteria")
        )
        object.__setattr__(self, "criteria", criteria)
        rules = (*self.first.disqualifiers, *self.second.disqualifiers)
        object.__setattr__(
            self, "disqualifiers", to_parts(rules, Disqualifier, Wording("disqualifiers"))
        )
        places = {criterion.key: place for place, criterion in enumerate(criteria)}
        object.__setattr__(self, "_places", places)
        pairs = product(self.first.grades, self.second.grades)
        grades = tuple(f"{one.key}{other.key}" for one, other in pairs)
        if len(grades) > MAX_GRADES:
            raise DefinitionError(
                "a grid has at most {limit} grades, not {n}", limit=MAX_GRADES, n=len(grades)
            )
        object.__setattr__(self, "grades", grades)

    def grade_label(self, key: str, lang: str | None = None) -> str:
        """Return the names of a pair of grades in a language, or their plain names."""
        one, other = divmod(self.grades.index(key), len(self.second.grades))
        return self.first.grades[one].label(lang) + self.second.grades[other].label(lang)

    # ── scoring ───────────────────────────────────────────────────────────────────────────────────

    def _score_array(self, values: Floats, left: Floats | None) -> Scores:
        width = len(self.first)
        one = score_array(self.first, values[:, :width], None if left is None else left[:, :width])
        other = score_array(
            self.second, values[:, width:], None if left is None else left[:, width:]
        )
        out = one.disqualified | other.disqualified
        score, low, high = (
            np.where(
                out,
                values.dtype.type(0),
                np.sqrt(getattr(one, name)) * np.sqrt(getattr(other, name)),
            )
            for name in ("score", "low", "high")
        )
        grade = one.grade_code * np.uint8(len(self.second.grades)) + other.grade_code
        grade[out] = len(self.grades) - 1
        none = ~out & ((one.grade_code == NO_GRADE) | (other.grade_code == NO_GRADE))
        grade[none] = NO_GRADE
        return Scores(score, low, high, grade, out, self.grades, self.qualify_at)

    def _halves(self, known: Sequence[Known]) -> tuple[Sequence[Known], Sequence[Known]]:
        return known[: len(self.first)], known[len(self.first) :]

    def _score_known(self, known: Sequence[Known]) -> LeadScore:
        halves = self._halves(known)
        one, other = lead_score(self.first, halves[0]), lead_score(self.second, halves[1])
        by = one.disqualified_by or other.disqualified_by
        if by is not None:
            return LeadScore(
                0.0, self.grades[-1], 0.0, 0.0, (one.known + other.known) / 2, by, qualified=False
            )
        score = _mean(one.score, other.score)
        grade = None if one.grade is None or other.grade is None else one.grade + other.grade
        return LeadScore(
            score=score,
            grade=grade,
            low=_mean(one.low, other.low),
            high=_mean(one.high, other.high),
            known=(one.known + other.known) / 2,
            disqualified_by=None,
            qualified=self.qualify_at is not None and score >= self.qualify_at - TOLERANCE,
        )

    def _explain_known(self, known: Sequence[Known]) -> Explanation:
        halves = self._halves(known)
        result = self._score_known(known)
        parts = [
            part
            for rubric, half in zip((self.first, self.second), halves, strict=True)
            for part in contributions(rubric, half, add_up(rubric._plan, half))
        ]
        question = None if result.disqualified_by is not None else self._question(known)
        return Explanation(self, result, tuple(parts), question)

    def _question(self, known: Sequence[Known]) -> Question | None:
        """Return the question with the most grades between its answers, then the most points."""
        halves = self._halves(known)
        found: list[tuple[tuple[int, float], Question]] = []
        for place, rubric in enumerate((self.first, self.second)):
            beside = self._beside(1 - place, halves[1 - place])
            for asked in questions(rubric, halves[place], add_up(rubric._plan, halves[place])):
                low, low_grade = self._paired(place, asked.low, asked.low_grade, *beside)
                high, high_grade = self._paired(place, asked.high, asked.high_grade, *beside)
                question = Question(asked.criterion, low, high, low_grade, high_grade)
                found.append((swing(low, high, steps(rubric, asked)), question))
        return max(found, key=lambda each: each[0])[1] if found else None

    def _beside(self, place: int, known: Sequence[Known]) -> tuple[float, str]:
        """Return score and grade of one of the two; 0 where nothing is known to make one of."""
        rubric = (self.first, self.second)[place]
        score = lead_score(rubric, known).score
        score = 0.0 if math.isnan(score) else score
        return score, rubric.grades[rubric._plan.grade(score)].key

    def _paired(
        self, place: int, score: float, grade: str, beside: float, grade_beside: str
    ) -> tuple[float, str]:
        pair = (grade, grade_beside) if place == 0 else (grade_beside, grade)
        return _mean(score, beside), "".join(pair)

    # ── plain data ────────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, Any]:
        """Return the grid as plain data, ready for JSON."""
        data: dict[str, Any] = {"first": self.first.to_dict(), "second": self.second.to_dict()}
        if self.qualify_at is not None:
            data["qualify_at"] = self.qualify_at
        if self.name is not None:
            data["name"] = self.name
        if self.names:
            data["names"] = dict(self.names)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Grid:
        """Return the grid that `to_dict` described.

        Raises
        ------
        DefinitionError, DuplicateKeyError, WeightError, UnknownCriterionError
            If the data is not of that form.
        """
        values = from_mapping(data, cls, Wording("a grid"))
        for half in ("first", "second"):
            values[half] = Rubric.from_dict(values[half])
        return cls(**values)


def _mean(one: float, other: float) -> float:
    # Not of the product, which may be too small for a number of its own.
    return math.sqrt(one) * math.sqrt(other)
