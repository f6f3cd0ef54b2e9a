"""The arithmetic of a score, for one lead; `scores` does the same on arrays, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import attrs

if TYPE_CHECKING:
    from salesfunnel.scoring.rubric import Rubric

TOLERANCE = 1e-9
"""A score that misses a limit by rounding reaches it; arrays of float32 have a wider one."""

Known: TypeAlias = tuple[float | None, float]
"""What is known by a criterion: its value (None: nothing), and the share of it that has not faded.
What has faded counts as not known."""


class Term(NamedTuple):
    """A criterion as the arithmetic needs it.

    Attributes
    ----------
    points : float
        What it gives at most, or below zero takes; those that give make 100 together.
    half_life_days : float
        Infinite where evidence does not fade.
    at_most, at_least : float
        The values that disqualify; beyond 0 and 1 where none does.
    """

    points: float
    half_life_days: float
    at_most: float
    at_least: float

    @property
    def may_disqualify(self) -> bool:
        """Whether any value of it disqualifies."""
        return self.at_most >= 0 or self.at_least <= 1


class Plan(NamedTuple):
    """A rubric as the arithmetic needs it; `limits` are those of the grades, the best first."""

    terms: tuple[Term, ...]
    unknown: str
    limits: tuple[float, ...]
    takes: bool
    """Whether any criterion takes points."""

    def grade(self, score: float) -> int:
        """Return the number of a score's grade, 0 the best."""
        return next(n for n, limit in enumerate(self.limits) if score >= limit - TOLERANCE)


class Totals(NamedTuple):
    """The score of one lead, as numbers.

    Attributes
    ----------
    score, low, high : float
        As in `LeadScore`.
    grade : int or None
        The number of the grade, 0 the best; None where there is none.
    known : float
        How many of the 100 points that can be given are known.
    disqualified : bool
    """

    score: float
    low: float
    high: float
    grade: int | None
    known: float
    disqualified: bool


@attrs.frozen
class LeadScore:
    """The score of one lead.

    Attributes
    ----------
    score : float
        From 0 to 100; NaN where nothing is known and the rubric renormalises.
    grade : str or None
        None where there is no score, or where the rubric gives ranges and this one has several.
    low, high : float
        The lowest and the highest score that the answers to what is not known may lead to.
    known : float
        The share of the weights above zero that is known, from 0 to 1.
    disqualified_by : str or None
        The key of the first disqualifier that hits it; the score is then 0.
    qualified : bool
        Whether the score reaches the rubric's `qualify_at`; False where it has none.
    """

    score: float
    grade: str | None
    low: float
    high: float
    known: float
    disqualified_by: str | None
    qualified: bool


def totals(plan: Plan, known: Sequence[Known]) -> Totals:
    """Return the score of what is known of a lead."""
    given = taken = open_gain = open_loss = seen = 0.0
    disqualified = may_be = False
    for (points, _, at_most, at_least), (answer, share) in zip(plan.terms, known, strict=True):
        value, left = (0.0, 0.0) if answer is None else (answer, share)
        if answer is None:
            may_be = may_be or at_most >= 0 or at_least <= 1
        elif value <= at_most or value >= at_least:
            disqualified = True
        if points >= 0:
            given += value * left * points
            seen += left * points
            open_gain += (1 - left) * points
        else:
            taken -= value * left * points
            open_loss -= (1 - left) * points
    if disqualified:
        return Totals(0.0, 0.0, 0.0, len(plan.limits) - 1, seen, True)
    low = _held(given - (taken + open_loss))
    high = _held((given + open_gain) - taken)
    if plan.unknown == "zero":
        score = _held(given - taken)
    elif plan.unknown == "range":
        score = (low + high) / 2
    elif seen > 0:
        # Rounding may carry it over the ends of its range.
        score = min(max(_held(100 * (given / seen) - taken), low), high)
    else:
        score = math.nan
    if may_be:
        low = 0.0
    grade = None if math.isnan(score) else plan.grade(score)
    if plan.unknown == "range" and plan.grade(low) != plan.grade(high):
        grade = None
    return Totals(score, low, high, grade, seen, False)


def _held(score: float) -> float:
    return min(max(score, 0.0), 100.0)


def lead_score(rubric: Rubric, known: Sequence[Known]) -> LeadScore:
    """Return the score of what is known of a lead, in the words of its rubric."""
    found = totals(rubric._plan, known)
    by = None
    if found.disqualified:
        by = next(
            part.key
            for part in rubric.disqualifiers
            if (value := known[rubric.index(part.criterion)][0]) is not None and part.hits(value)
        )
    return LeadScore(
        score=found.score,
        grade=None if found.grade is None else rubric.grades[found.grade].key,
        low=found.low,
        high=found.high,
        known=found.known / 100,
        disqualified_by=by,
        qualified=(
            rubric.qualify_at is not None
            and by is None
            and found.score >= rubric.qualify_at - TOLERANCE
        ),
    )
