"""Rubrics: what is asked of a lead, what each answer counts, and the grades that come out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError, WeightError
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.validation import from_list, from_mapping, is_text, to_names
from salesfunnel.scoring.criteria import Criterion, Disqualifier, Grade, number_up_to, to_parts
from salesfunnel.scoring.explain import Explanation, explain
from salesfunnel.scoring.scorer import Scorer
from salesfunnel.scoring.scores import Floats, Scores, score_array
from salesfunnel.scoring.single import Known, LeadScore, Plan, Term, lead_score
from salesfunnel.wording import Listed, Wording

UNKNOWN = ("zero", "renormalise", "range")
"""What a criterion that is not known yet may count as."""

DEFAULT_GRADES = (Grade("A", 80), Grade("B", 60), Grade("C", 40), Grade("D", 0))


def _to_criteria(criteria: Iterable[Criterion | str]) -> tuple[Criterion, ...]:
    if isinstance(criteria, Iterable) and not isinstance(criteria, (str, Mapping)):
        criteria = [Criterion(part) if isinstance(part, str) else part for part in criteria]
    members = to_parts(criteria, Criterion, Wording("criteria"))
    if not members:
        raise DefinitionError("a rubric has at least one criterion; none was given")
    return members


def _to_grades(grades: Iterable[Grade]) -> tuple[Grade, ...]:
    members = to_parts(grades, Grade, Wording("grades"))
    limits = [grade.at_least for grade in members]
    if not limits or limits[-1] != 0 or any(a <= b for a, b in pairwise(limits)):
        raise DefinitionError(
            "grades go from the best to the worst, each from a lower score, the last from 0; "
            "these are from {limits}",
            limits=Listed(f"{limit:g}" for limit in limits) or Wording("nothing"),
        )
    if len(members) > MAX_GRADES:
        raise DefinitionError(
            "a rubric has at most {limit} grades, not {n}", limit=MAX_GRADES, n=len(members)
        )
    return members


MAX_GRADES = 250
"""A grade's number fits in one byte, with room for none."""


def _to_disqualifiers(parts: Iterable[Disqualifier]) -> tuple[Disqualifier, ...]:
    return to_parts(parts, Disqualifier, Wording("disqualifiers"))


def to_threshold(score: float | None) -> float | None:
    """Return the score from which a lead qualifies, from 0 to 100, or None."""
    return None if score is None else number_up_to(100, score, "qualify_at")


@attrs.frozen(slots=False)
class Rubric(Scorer):
    """How leads are scored: plain data that can be read, argued about and saved.

    The score is 100 times the weighted mean of the criteria's values, by weights above zero; those
    below zero take points away. It is held within 0 and 100.

    Parameters
    ----------
    criteria : sequence of Criterion or str
        What is asked; a text stands for a criterion with that key and weight 1.
    grades : sequence of Grade
        From the best to the worst, the last from 0; by default A from 80, B from 60, C from 40, D.
    disqualifiers : sequence of Disqualifier
        What makes the score 0.
    unknown : {"zero", "renormalise", "range"}
        What a criterion counts that is not known yet: nothing; as much as the known ones do on
        average (NaN where nothing is known; negative points stay as they are); or half its weight,
        the middle of its range (and there is a grade only where the whole
        range has it).
    qualify_at : float, optional
        The score from which a lead qualifies.
    name : str, optional
        What people call the rubric.
    names : mapping of str to str
        Names by language.

    Raises
    ------
    DefinitionError, DuplicateKeyError
        If a value is not of this form.
    WeightError
        If the weights sum to zero or below.
    UnknownCriterionError
        If a disqualifier looks at a criterion that is none of these.

    Examples
    --------
    >>> rubric = Rubric([Criterion("budget", 2), Criterion("need", 1), Criterion("competitor", -1)])
    >>> rubric.keys
    ('budget', 'need', 'competitor')
    >>> scores = rubric.score([[1.0, 0.5, 0.0], [0.5, float("nan"), 1.0]])
    >>> scores.score.round(1).tolist(), scores.high.round(1).tolist(), scores.grade.tolist()
    ([83.3, 0.0], [83.3, 33.3], ['A', 'D'])
    >>> Rubric.from_dict(rubric.to_dict()) == rubric
    True
    """

    criteria: tuple[Criterion, ...] = attrs.field(converter=_to_criteria)
    grades: tuple[Grade, ...] = attrs.field(
        default=DEFAULT_GRADES, kw_only=True, converter=_to_grades
    )
    disqualifiers: tuple[Disqualifier, ...] = attrs.field(
        default=(), kw_only=True, converter=_to_disqualifiers
    )
    unknown: str = attrs.field(default="zero", kw_only=True)
    qualify_at: float | None = attrs.field(default=None, kw_only=True, converter=to_threshold)
    name: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    names: FrozenDict[str] = attrs.field(factory=FrozenDict, kw_only=True, converter=to_names)
    _places: dict[str, int] = attrs.field(init=False, eq=False, repr=False)
    _plan: Plan = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.unknown not in UNKNOWN:
            raise DefinitionError(
                "unknown= is one of {known}, not {given!r}",
                known=Listed(UNKNOWN),
                given=self.unknown,
            )
        places = {criterion.key: place for place, criterion in enumerate(self.criteria)}
        object.__setattr__(self, "_places", places)
        for disqualifier in self.disqualifiers:
            self.index(disqualifier.criterion)
        weights = [criterion.weight for criterion in self.criteria]
        if not math.fsum(weights) > 0:
            listing = Listed(f"{c.key} {c.weight:g}" for c in self.criteria)
            raise WeightError(
                "the weights of a rubric sum to more than zero, not {total:g}: {listing}",
                total=math.fsum(weights),
                listing=listing,
            )
        object.__setattr__(self, "_plan", self._make_plan())

    def _make_plan(self) -> Plan:
        whole = math.fsum(c.weight for c in self.criteria if c.weight > 0)
        terms = []
        for criterion in self.criteria:
            limits = [d for d in self.disqualifiers if d.criterion == criterion.key]
            terms.append(
                Term(
                    points=100 * criterion.weight / whole,
                    at_most=max((d.at_most for d in limits if d.at_most is not None), default=-1.0),
                    at_least=min(
                        (d.at_least for d in limits if d.at_least is not None), default=2.0
                    ),
                )
            )
        return Plan(
            terms=tuple(terms),
            unknown=self.unknown,
            limits=tuple(grade.at_least for grade in self.grades),
            takes=any(term.points < 0 for term in terms),
        )

    # ── what it is ────────────────────────────────────────────────────────────────────────────────

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights of the criteria, (criteria,)."""
        return np.array([criterion.weight for criterion in self.criteria])

    def grade_label(self, key: str, lang: str | None = None) -> str:
        """Return the name of a grade in a language, or its plain name."""
        return next(grade for grade in self.grades if grade.key == key).label(lang)

    def with_weights(self, weights: Mapping[str, float] | Sequence[float] | NDArray[Any]) -> Rubric:
        """Return the rubric with other weights: by key, the others as they are, or one for each.

        Raises
        ------
        UnknownCriterionError, WeightError, DefinitionError
            If they are not of this form.
        """
        if isinstance(weights, Mapping):
            by_place = {self.index(key): weight for key, weight in weights.items()}
        elif np.ndim(weights) == 1 and len(weights) == len(self):
            by_place = dict(enumerate(weights))
        else:
            raise DefinitionError(
                "weights are a mapping, or a sequence with one for each of {criteria}, not "
                "{weights!r}",
                criteria=Listed(self.keys),
                weights=weights,
            )
        criteria = [
            attrs.evolve(criterion, weight=by_place.get(place, criterion.weight))
            for place, criterion in enumerate(self.criteria)
        ]
        return attrs.evolve(self, criteria=criteria)

    # ── scoring ───────────────────────────────────────────────────────────────────────────────────

    def _score_known(self, known: Sequence[Known]) -> LeadScore:
        return lead_score(self, known)

    def _explain_known(self, known: Sequence[Known]) -> Explanation:
        return explain(self, known)

    def _score_array(self, values: Floats, left: Floats | None) -> Scores:
        return score_array(self, values, left)

    # ── plain data ────────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, Any]:
        """Return the rubric as plain data, ready for JSON."""
        data: dict[str, Any] = {
            "criteria": [criterion.to_dict() for criterion in self.criteria],
            "grades": [grade.to_dict() for grade in self.grades],
            "unknown": self.unknown,
        }
        if self.disqualifiers:
            data["disqualifiers"] = [part.to_dict() for part in self.disqualifiers]
        if self.qualify_at is not None:
            data["qualify_at"] = self.qualify_at
        if self.name is not None:
            data["name"] = self.name
        if self.names:
            data["names"] = dict(self.names)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rubric:
        """Return the rubric that `to_dict` described.

        Raises
        ------
        DefinitionError, DuplicateKeyError, WeightError, UnknownCriterionError
            If the data is not of that form.
        """
        values = from_mapping(data, cls, Wording("a rubric"))
        for field, part in (
            ("criteria", Criterion),
            ("grades", Grade),
            ("disqualifiers", Disqualifier),
        ):
            if field in values:
                values[field] = from_list(values[field], part.from_dict, field)
        return cls(**values)
