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
    at_most, at_least : float
        The values that disqualify; beyond 0 and 1 where none does.
    """

    points: float
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
        for number, limit in enumerate(self.limits):
            if score >= limit - TOLERANCE:
                return number
        raise ValueError(f"{score!r} is no score")


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


class Sums(NamedTuple):
    """What the criteria add up to, before the score is held within 0 and 100."""

    given: float
    taken: float
    seen: float
    """Points that are known, of those that can be given."""
    open_gain: float
    open_loss: float
    disqualified: bool
    may_be: int
    """How many answers that are not known yet may disqualify."""


def add_up(plan: Plan, known: Sequence[Known]) -> Sums:
    """Return what is known of a lead, added up."""
    given = taken = seen = open_gain = open_loss = 0.0
    disqualified, may_be = False, 0
    for (points, at_most, at_least), (value, left) in zip(plan.terms, known, strict=True):
        if value is None:
            may_be += at_most >= 0 or at_least <= 1
            if points >= 0:
                open_gain += points
            else:
                open_loss -= points
            continue
        if value <= at_most or value >= at_least:
            disqualified = True
        if points >= 0:
            given += value * left * points
            seen += left * points
            open_gain += (1 - left) * points
        else:
            taken -= value * left * points
            open_loss -= (1 - left) * points
    return Sums(given, taken, seen, open_gain, open_loss, disqualified, may_be)


def answered(plan: Plan, sums: Sums, place: int, known: Known, answer: float) -> Sums:
    """Return the sums with the answer to one criterion in the place of what was known of it."""
    points, at_most, at_least = plan.terms[place]
    given, taken, seen, open_gain, open_loss, disqualified, may_be = sums
    value, left = known
    if value is None:
        value, left = 0.0, 0.0
        may_be -= at_most >= 0 or at_least <= 1
    more, learnt = (answer - value * left) * points, (1 - left) * points
    hit = answer <= at_most or answer >= at_least
    if points >= 0:
        given, seen, open_gain = given + more, seen + learnt, open_gain - learnt
    else:
        taken, open_loss = taken - more, open_loss + learnt
    return Sums(given, taken, seen, open_gain, open_loss, disqualified or hit, may_be)


def score_of(plan: Plan, sums: Sums) -> tuple[float, float, float]:
    """Return score, low and high."""
    given, taken, seen, open_gain, open_loss, disqualified, may_be = sums
    if disqualified:
        return 0.0, 0.0, 0.0
    low = _held(given - (taken + open_loss))
    high = _held((given + open_gain) - taken)
    if plan.unknown == "zero":
        score = _held(given - taken)
    elif plan.unknown == "range":
        score = (low + high) / 2
    elif seen > 0:
        # Rounding may carry it over the ends of its range.
        score = min(max(100 * (given / seen) - taken, low), high)
    else:
        score = math.nan
    return score, 0.0 if may_be else low, high


def _held(score: float) -> float:
    return min(max(score, 0.0), 100.0)


def lead_score(rubric: Rubric, known: Sequence[Known], sums: Sums | None = None) -> LeadScore:
    """Return the score of what is known of a lead, whose sums may be given."""
    plan = rubric._plan
    sums = add_up(plan, known) if sums is None else sums
    score, low, high = score_of(plan, sums)
    by = None
    if sums.disqualified:
        by = next(
            part.key
            for part in rubric.disqualifiers
            if (value := known[rubric.index(part.criterion)][0]) is not None and part.hits(value)
        )
    grade = None if math.isnan(score) else plan.grade(score)
    if plan.unknown == "range" and plan.grade(low) != plan.grade(high):
        grade = None
    return LeadScore(
        score,
        None if grade is None else rubric.grades[grade].key,
        low,
        high,
        sums.seen / 100,
        by,
        rubric.qualify_at is not None and by is None and score >= rubric.qualify_at - TOLERANCE,
    )
