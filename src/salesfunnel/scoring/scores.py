"""The scores of many leads at once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.scoring.single import TOLERANCE, Plan, Term

if TYPE_CHECKING:
    from salesfunnel.scoring.rubric import Rubric

Floats = NDArray[np.floating[Any]]

NO_GRADE = 255
"""The number of no grade."""
CHUNK = 1 << 15  # leads whose intermediate arrays stay in a core's cache
_TOLERANCE_32 = 1e-3


class Scores:
    """The scores of N leads, in the order that they were given in.

    Attributes
    ----------
    score : (N,) array of float
        From 0 to 100; NaN where nothing is known and the rubric renormalises.
    low, high : (N,) arrays of float
        The lowest and the highest score that the answers to what is not known may lead to.
    grade_code : (N,) array of uint8
        The number of the grade, 0 the best; 255 where there is none.
    disqualified : (N,) array of bool
        Whether a disqualifier hits; the score is then 0.
    grades : tuple of str
        The grades' keys, the best first.
    """

    def __init__(
        self,
        score: Floats,
        low: Floats,
        high: Floats,
        grade_code: NDArray[np.uint8],
        disqualified: NDArray[np.bool_],
        grades: tuple[str, ...],
        qualify_at: float | None,
    ) -> None:
        for column in (score, low, high, grade_code, disqualified):
            column.flags.writeable = False
        self.score = score
        self.low = low
        self.high = high
        self.grade_code = grade_code
        self.disqualified = disqualified
        self.grades = grades
        self._qualify_at = qualify_at

    def __len__(self) -> int:
        return len(self.score)

    def __repr__(self) -> str:
        return f"Scores({len(self):,} leads, grades {', '.join(self.grades)})"

    @cached_property
    def grade(self) -> NDArray[np.str_]:
        """The key of each grade, (N,); empty where there is none."""
        # 255 is far beyond the last name: the clipped one is the empty text.
        keys = np.array([*self.grades, ""])
        return np.asarray(keys.take(self.grade_code, mode="clip"))

    @cached_property
    def qualified(self) -> NDArray[np.bool_]:
        """Whether each reaches the rubric's `qualify_at`, (N,); False where it has none."""
        if self._qualify_at is None:
            return np.zeros(len(self), bool)
        limit = self.score.dtype.type(self._qualify_at - tolerance(self.score.dtype))
        return np.asarray((self.score >= limit) & ~self.disqualified)


def tolerance(dtype: np.dtype[Any]) -> float:
    """Return by how much a score may miss a limit for rounding alone."""
    return _TOLERANCE_32 if dtype == np.float32 else TOLERANCE


def score_array(rubric: Rubric, values: Floats, left: Floats | None = None) -> Scores:
    """Return the scores of leads.

    Parameters
    ----------
    rubric : Rubric
    values : (N, criteria) array of float32 or float64
        From 0 to 1, NaN where not known.
    left : (N, criteria) array, optional
        The share of each evidence that has not faded, from 0 to 1.
    """
    n, dtype = len(values), values.dtype
    score, low, high = np.empty(n, dtype), np.empty(n, dtype), np.empty(n, dtype)
    grade, disqualified = np.empty(n, np.uint8), np.zeros(n, bool)
    for begin in range(0, n, CHUNK):
        part = slice(begin, begin + CHUNK)
        sums = _Sums(rubric._plan, values[part], None if left is None else left[part])
        score[part], low[part], high[part] = sums.scores()
        grade[part] = sums.grades(score[part], low[part], high[part])
        disqualified[part] = sums.disqualified
    keys = tuple(grade.key for grade in rubric.grades)
    return Scores(score, low, high, grade, disqualified, keys, rubric.qualify_at)


class _Sums:
    """What the criteria add up to for a chunk of leads, each (n,) or a number for all of them.

    Every operation works lead by lead, in the order of the criteria, so that the same evidence has
    the same score to the last bit wherever it stands; a product of matrices does not promise that.
    """

    def __init__(self, plan: Plan, values: Floats, left: Floats | None) -> None:
        self.plan = plan
        self.given: Any = 0
        self.taken: Any = 0
        self.seen: Any = 0
        """Points that are known, of those that can be given; only where the rubric renormalises."""
        self.open_gain: Any = 0
        self.open_loss: Any = 0
        self.disqualified: Any = False
        self.may_be: Any = False
        """Whether an answer that is not known yet may disqualify."""
        self.is_complete = left is None and not np.isnan(values).any()
        for place, term in enumerate(plan.terms):
            value = values[:, place]
            if term.may_disqualify:
                hit = (value <= term.at_most) | (value >= term.at_least)
                self.disqualified = self.disqualified | hit
            if self.is_complete:
                self._add(term, value, None, None)
                continue
            is_unknown = np.isnan(value)
            if term.may_disqualify:
                self.may_be = self.may_be | is_unknown
            value = np.fmax(value, 0)  # of NaN and a number, the number
            if left is None:
                unknown = is_unknown.astype(values.dtype)
                self._add(term, value, None, unknown)
            else:
                share = np.where(is_unknown, 0, left[:, place])
                self._add(term, value * share, share, 1 - share)

    def _add(self, term: Term, value: Floats, known: Floats | None, unknown: Floats | None) -> None:
        points = value.dtype.type(abs(term.points))
        if term.points < 0:
            self.taken = self.taken + value * points
            if unknown is not None:
                self.open_loss = self.open_loss + unknown * points
            return
        self.given = self.given + value * points
        if unknown is not None:
            self.open_gain = self.open_gain + unknown * points
            if self.plan.unknown == "renormalise":
                self.seen = self.seen + (1 - unknown if known is None else known) * points

    def scores(self) -> tuple[Floats, Floats, Floats]:
        """Return score, low and high of each lead."""
        low = _held(self.given - (self.taken + self.open_loss))
        if self.is_complete:
            score = high = low
        else:
            high = _held((self.given + self.open_gain) - self.taken)
            score = self._score(low, high)
            if self.may_be is not False:
                low = np.where(self.may_be, 0, low)
        if self.disqualified is not False:
            score, low, high = (np.where(self.disqualified, 0, x) for x in (score, low, high))
        return score, low, high

    def _score(self, low: Floats, high: Floats) -> Floats:
        if self.plan.unknown == "range":
            return np.asarray((low + high) / 2)
        if self.plan.unknown == "zero":
            return _held(self.given - self.taken) if self.plan.takes else low
        share = np.full_like(low, np.nan)
        np.divide(self.given, self.seen, out=share, where=self.seen > 0)
        # Rounding may carry it over the ends of its range.
        return np.asarray(np.minimum(np.maximum(100 * share - self.taken, low), high))

    def grades(self, score: Floats, low: Floats, high: Floats) -> NDArray[np.uint8]:
        """Return the number of the grade of each lead."""
        grade = self._grade(score)
        if self.plan.unknown == "renormalise":
            grade[np.isnan(score)] = NO_GRADE
        elif self.plan.unknown == "range" and not self.is_complete:
            grade[self._grade(low) != self._grade(high)] = NO_GRADE
        return grade

    def _grade(self, score: Floats) -> NDArray[np.uint8]:
        grade = np.zeros(len(score), np.uint8)
        for limit in self.plan.limits[:-1]:  # the last is 0, which every score reaches
            grade += score < limit - tolerance(score.dtype)
        return grade


def _held(score: Any) -> Floats:
    return np.asarray(np.minimum(np.maximum(score, 0), 100))
