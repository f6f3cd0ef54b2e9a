"""Rubrics and what is known of leads, drawn; and what a score is, said once more and slowly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from hypothesis import strategies as st

from salesfunnel.scoring import Criterion, Disqualifier, Grade, Rubric

Values = Sequence[float | None]

answers = st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1)
"""What may be known by a criterion."""


@st.composite
def rubrics(
    draw: st.DrawFn,
    *,
    negative: bool = True,
    disqualifiers: bool = True,
    unknown: str | None = None,
) -> Rubric:
    """Draw a rubric of up to four criteria."""
    n = draw(st.integers(1, 4))
    weights = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    if sum(weights) == 0:
        weights[0] = 1
    if negative:
        for place in draw(st.sets(st.integers(0, n - 1))):
            if sum(weights) - 2 * weights[place] > 0:
                weights[place] = -weights[place]
    keys = [f"c{place}" for place in range(n)]
    rules = []
    if disqualifiers:
        for place in draw(st.sets(st.integers(0, n - 1), max_size=2)):
            limit = draw(st.sampled_from([0.0, 0.25, 1.0]))
            if draw(st.booleans()):
                rules.append(Disqualifier(f"d{place}", keys[place], at_most=limit))
            else:
                rules.append(Disqualifier(f"d{place}", keys[place], at_least=limit))
    limits = draw(st.sets(st.integers(1, 100), max_size=4))
    return Rubric(
        [Criterion(key, weight) for key, weight in zip(keys, weights, strict=True)],
        grades=[Grade(f"g{at}", at) for at in sorted({*limits, 0}, reverse=True)],
        disqualifiers=rules,
        unknown=unknown or draw(st.sampled_from(["zero", "renormalise", "range"])),
        qualify_at=draw(st.none() | st.integers(0, 100)),
    )


@st.composite
def known_by(draw: st.DrawFn, rubric: Rubric) -> list[float | None]:
    """Draw what is known of one lead, by the criteria of a rubric."""
    return draw(st.lists(answers, min_size=len(rubric), max_size=len(rubric)))


def expected_range(rubric: Rubric, values: Values) -> tuple[float, float, float]:
    """Return score, low and high: exact, and by trying the ends of what is not known."""
    if _hits(rubric, values):
        return 0.0, 0.0, 0.0
    low, high = _points(rubric, values, worst=True), _points(rubric, values, worst=False)
    known = [c.weight for c, v in zip(rubric.criteria, values, strict=True) if v is not None]
    if rubric.unknown == "zero":
        score = _points(rubric, [v or 0 for v in values], worst=True)
    elif rubric.unknown == "range":
        score = (low + high) / 2
    elif sum(weight for weight in known if weight > 0) == 0:
        score = None
    else:
        gives = sum(Fraction(weight) for weight in known if weight > 0)
        all_gives = sum(Fraction(c.weight) for c in rubric.criteria if c.weight > 0)
        score = Fraction(0)
        for criterion, value in zip(rubric.criteria, values, strict=True):
            base = gives if criterion.weight > 0 else all_gives
            score += 100 * Fraction(criterion.weight) * Fraction(value or 0) / base
        score = min(max(score, Fraction(0)), Fraction(100))
    if any(
        value is None
        and (_hits(rubric, _with(values, place, 0.0)) or _hits(rubric, _with(values, place, 1.0)))
        for place, value in enumerate(values)
    ):
        low = Fraction(0)
    return math.nan if score is None else float(score), float(low), float(high)


def _with(values: Values, place: int, value: float) -> Values:
    return [*values[:place], value, *values[place + 1 :]]


def _hits(rubric: Rubric, values: Values) -> bool:
    for rule in rubric.disqualifiers:
        value = values[rubric.index(rule.criterion)]
        if value is not None and rule.at_most is not None and value <= rule.at_most:
            return True
        if value is not None and rule.at_least is not None and value >= rule.at_least:
            return True
    return False


def _points(rubric: Rubric, values: Values, *, worst: bool) -> Fraction:
    whole = sum(Fraction(c.weight) for c in rubric.criteria if c.weight > 0)
    points = Fraction(0)
    for criterion, value in zip(rubric.criteria, values, strict=True):
        end = 0 if (criterion.weight > 0) == worst else 1
        answer = Fraction(end if value is None else value)
        points += 100 * Fraction(criterion.weight) * answer / whole
    return min(max(points, Fraction(0)), Fraction(100))


def lead_values(values: Values) -> list[float]:
    """Return values as an array has them: NaN where not known."""
    return [math.nan if value is None else value for value in values]
