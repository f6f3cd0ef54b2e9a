"""Why a lead has its score, and what to ask next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import attrs
import numpy as np

from salesfunnel.scoring.criteria import Criterion, Level
from salesfunnel.scoring.single import (
    Known,
    LeadScore,
    Sums,
    add_up,
    answered,
    lead_score,
    score_of,
)
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import MISSING, format_decimal

if TYPE_CHECKING:
    from salesfunnel.scoring.rubric import Rubric
    from salesfunnel.scoring.scorer import Scorer


@attrs.frozen
class Contribution:
    """What one criterion gives to a score.

    Attributes
    ----------
    criterion : str
        Its key.
    value : float or None
        What is known, from 0 to 1; None where nothing is.
    left : float
        The share of the evidence that has not faded.
    points : float
        What it gives, or below zero takes. The points of all criteria make the score, which is held
        within 0 and 100 (and is 0 where a disqualifier hits); in a grid, those of each rubric make
        the score of that one.
    most : float
        What it gives, or takes, at most.
    """

    criterion: str
    value: float | None
    left: float
    points: float
    most: float


@attrs.frozen
class Question:
    """A criterion that is not fully known, and where its answers lead.

    Attributes
    ----------
    criterion : str
        Its key.
    low, high : float
        The scores after its worst and its best answer.
    low_grade, high_grade : str
        Their grades.
    """

    criterion: str
    low: float
    high: float
    low_grade: str
    high_grade: str


@attrs.frozen(repr=False)
class Explanation:
    """The score of one lead, what each criterion gives, and what to ask next.

    Printed, or shown in a notebook, it is the table that `to_table` returns.

    Attributes
    ----------
    rubric : Rubric or Grid
    result : LeadScore
        Score, grade and range.
    contributions : tuple of Contribution
        In the order of the criteria.
    question : Question or None
        The question whose answer may change the grade most: the most grades lie between its worst
        answer and its best; of equal ones that with the most points between them, then the first.
        None where all is known, and where the lead is disqualified.
    """

    rubric: Scorer
    result: LeadScore
    contributions: tuple[Contribution, ...]
    question: Question | None

    @property
    def score(self) -> float:
        """The score, from 0 to 100."""
        return self.result.score

    @property
    def grade(self) -> str | None:
        """The key of the grade; None where there is none."""
        return self.result.grade

    def __repr__(self) -> str:
        return f"Explanation(score={self.score:.4g}, grade={self.grade!r})"

    def __str__(self) -> str:
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()

    def to_table(self) -> Table:
        """Return the contributions as a table; score, range and question are its notes.

        A row for each criterion: ``criterion``, ``level`` (the key of the level that is known, if
        it is one), ``value`` (NaN where not known), ``left``, ``points`` and ``most``.
        """
        parts, rubric = self.contributions, self.rubric
        levels = np.empty(len(parts), object)
        named: dict[str, Level] = {}
        for place, part in enumerate(parts):
            level = None if part.value is None else rubric.criteria[place].level(part.value)
            if level is not None:
                levels[place] = level.key
                # Levels of two criteria may share a key and not their names: people see the key.
                if named.setdefault(level.key, level).names != level.names:
                    named[level.key] = Level(level.key, 0)

        def name(key: str, lang: str) -> str:
            return named[key].label(lang)

        columns = [
            Column(
                "criterion",
                [part.criterion for part in parts],
                labels=lambda key, lang: rubric[key].label(lang),
            ),
            Column("level", levels, labels=name),
            Column("value", [math.nan if p.value is None else p.value for p in parts]),
            Column("left", [part.left for part in parts], "rate", title="evidence_left"),
            Column("points", [part.points for part in parts]),
            Column("most", [part.most for part in parts], title="points_at_most"),
        ]
        faded = any(part.left < 1 for part in parts)
        return Table(
            columns,
            title=Phrase("title.lead_score"),
            notes=[self._verdict(), *self._advice()],
            hidden={"value"} if faded else {"value", "left"},
        )

    def _verdict(self) -> Phrase:
        found = self.result
        if found.disqualified_by is not None:
            reason = next(p for p in self.rubric.disqualifiers if p.key == found.disqualified_by)
            return Phrase("note.disqualified", {"reason": reason.label})
        return Phrase(
            "note.lead_score",
            {
                "score": _points(found.score),
                "grade": MISSING if found.grade is None else self._grade(found.grade),
                "low": _points(found.low),
                "high": _points(found.high),
            },
        )

    def _advice(self) -> list[Phrase]:
        if self.question is None:
            return []
        criterion = self.rubric[self.question.criterion]
        values = {
            "question": partial(_question, criterion),
            "low": _points(self.question.low),
            "high": _points(self.question.high),
            "low_grade": self._grade(self.question.low_grade),
            "high_grade": self._grade(self.question.high_grade),
        }
        return [Phrase("note.ask_next", values)]

    def _grade(self, key: str) -> object:
        return partial(self.rubric.grade_label, key)


def _question(criterion: Criterion, lang: str) -> str:
    asked, name = criterion.ask(lang), criterion.label(lang)
    return asked if asked != name else catalogue(lang).text("value.question", name=name)


def _points(score: float) -> object:
    return lambda lang: format_decimal(score, lang, 1)


def explain(rubric: Rubric, known: Sequence[Known]) -> Explanation:
    """Return the score of what is known of a lead, and why; see `Rubric.explain`."""
    sums = add_up(rubric._plan, known)
    result = lead_score(rubric, known, sums)
    return Explanation(
        rubric,
        result,
        contributions(rubric, known, sums),
        None if sums.disqualified else next_question(rubric, known, sums),
    )


def contributions(rubric: Rubric, known: Sequence[Known], sums: Sums) -> tuple[Contribution, ...]:
    """Return what each criterion gives."""
    plan = rubric._plan
    factor = 100 / sums.seen if plan.unknown == "renormalise" and sums.seen > 0 else 1.0
    parts = []
    for criterion, (points, *_), (value, left) in zip(
        rubric.criteria, plan.terms, known, strict=True
    ):
        share = 0.0 if value is None else left
        given = (value or 0.0) * share * points
        if points > 0:
            given *= factor
        if plan.unknown == "range":
            given += (1 - share) * points / 2
        parts.append(Contribution(criterion.key, value, left, given, points))
    return tuple(parts)


def next_question(rubric: Rubric, known: Sequence[Known], sums: Sums) -> Question | None:
    """Return the question whose answer may change the grade most; see `Explanation`."""
    asked = questions(rubric, known, sums)
    return max(
        asked, key=lambda each: swing(each.low, each.high, steps(rubric, each)), default=None
    )


def questions(rubric: Rubric, known: Sequence[Known], sums: Sums) -> list[Question]:
    """Return a question for each criterion that is not fully known."""
    plan = rubric._plan
    found = []
    for place, (criterion, now) in enumerate(zip(rubric.criteria, known, strict=True)):
        if now[0] is not None and now[1] == 1:
            continue
        least, most = criterion.ends
        one = score_of(plan, answered(plan, sums, place, now, least))[0]
        other = score_of(plan, answered(plan, sums, place, now, most))[0]
        if math.isnan(one):  # one that counts nothing, where nothing else is known
            continue
        low, high = min(one, other), max(one, other)
        keys = (rubric.grades[plan.grade(score)].key for score in (low, high))
        found.append(Question(criterion.key, low, high, *keys))
    return found


def steps(rubric: Rubric, question: Question) -> int:
    """Return how many grades lie between the answers to a question."""
    keys = [grade.key for grade in rubric.grades]
    return keys.index(question.low_grade) - keys.index(question.high_grade)


def swing(low: float, high: float, n_steps: int) -> tuple[int, float]:
    """Return how much a question matters, to compare; equal but for rounding is equal."""
    return n_steps, round(high - low, 9)
