"""Rubrics: what is asked of a lead, what each answer counts, and the grades that come out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import (
    DefinitionError,
    UnknownCriterionError,
    WeightError,
)
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.instant import instant
from salesfunnel.model.lead import Lead
from salesfunnel.model.validation import from_list, from_mapping, is_text, to_names
from salesfunnel.scoring.criteria import Criterion, Disqualifier, Grade, number_up_to, to_parts
from salesfunnel.scoring.single import Known, LeadScore, Plan, Term, lead_score

if TYPE_CHECKING:
    from salesfunnel.scoring.explain import Explanation
    from salesfunnel.scoring.scores import Scores

UNKNOWN = ("zero", "renormalise", "range")
"""What a criterion that is not known yet may count as."""

DEFAULT_GRADES = (Grade("A", 80), Grade("B", 60), Grade("C", 40), Grade("D", 0))


def _to_criteria(criteria: Iterable[Criterion | str]) -> tuple[Criterion, ...]:
    if isinstance(criteria, Iterable) and not isinstance(criteria, (str, Mapping)):
        criteria = [Criterion(part) if isinstance(part, str) else part for part in criteria]
    members = to_parts(criteria, Criterion, "criteria")
    if not members:
        raise DefinitionError("a rubric has at least one criterion; none was given")
    return members


def _to_grades(grades: Iterable[Grade]) -> tuple[Grade, ...]:
    members = to_parts(grades, Grade, "grades")
    limits = [grade.at_least for grade in members]
    if not limits or limits[-1] != 0 or any(a <= b for a, b in pairwise(limits)):
        raise DefinitionError(
            "grades go from the best to the worst, each from a lower score, the last from 0; "
            f"these are from {', '.join(f'{limit:g}' for limit in limits) or 'nothing'}"
        )
    if len(members) > MAX_GRADES:
        raise DefinitionError(f"a rubric has at most {MAX_GRADES} grades, not {len(members)}")
    return members


MAX_GRADES = 250
"""A grade's number fits in one byte, with room for none."""


def _to_disqualifiers(parts: Iterable[Disqualifier]) -> tuple[Disqualifier, ...]:
    return to_parts(parts, Disqualifier, "disqualifiers")


def _to_threshold(score: float | None) -> float | None:
    return None if score is None else number_up_to(100, score, "qualify_at")


@attrs.frozen(slots=False)
class Rubric:
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
    qualify_at: float | None = attrs.field(default=None, kw_only=True, converter=_to_threshold)
    name: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    names: FrozenDict[str] = attrs.field(factory=FrozenDict, kw_only=True, converter=to_names)
    _places: dict[str, int] = attrs.field(init=False, eq=False, repr=False)
    _plan: Plan = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.unknown not in UNKNOWN:
            raise DefinitionError(f"unknown= is one of {', '.join(UNKNOWN)}, not {self.unknown!r}")
        places = {criterion.key: place for place, criterion in enumerate(self.criteria)}
        object.__setattr__(self, "_places", places)
        for disqualifier in self.disqualifiers:
            self.index(disqualifier.criterion)
        weights = [criterion.weight for criterion in self.criteria]
        if not math.fsum(weights) > 0:
            listing = ", ".join(f"{c.key} {c.weight:g}" for c in self.criteria)
            raise WeightError(
                f"the weights of a rubric sum to more than zero, not {math.fsum(weights):g}: "
                f"{listing}"
            )
        object.__setattr__(self, "_plan", self._make_plan())

    def _make_plan(self) -> Plan:
        whole = math.fsum(c.weight for c in self.criteria if c.weight > 0)
        terms = []
        for criterion in self.criteria:
            limits = [d for d in self.disqualifiers if d.criterion == criterion.key]
            half_life = criterion.half_life
            terms.append(
                Term(
                    points=100 * criterion.weight / whole,
                    half_life_days=half_life / timedelta(days=1) if half_life else math.inf,
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

    def __len__(self) -> int:
        return len(self.criteria)

    def __getitem__(self, key: str) -> Criterion:
        return self.criteria[self.index(key)]

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the criteria, in the order of the columns of an array."""
        return tuple(self._places)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights of the criteria, (criteria,)."""
        return np.array([criterion.weight for criterion in self.criteria])

    def index(self, key: str) -> int:
        """Return the place of a criterion, which is its column in an array.

        Raises
        ------
        UnknownCriterionError
            If there is no such criterion.
        """
        try:
            return self._places[key]
        except (KeyError, TypeError):
            raise UnknownCriterionError(
                f"no criterion {key!r} in this rubric; it has {', '.join(self._places)}"
            ) from None

    def label(self, lang: str | None = None) -> str:
        """Return the name in a language, or the plain name where there is none in it."""
        name = self.name or ""
        return name if lang is None else self.names.get(lang, name)

    def with_weights(self, weights: Mapping[str, float] | Sequence[float]) -> Rubric:
        """Return the rubric with other weights: by key, the others as they are, or one for each.

        Raises
        ------
        UnknownCriterionError, WeightError, DefinitionError
            If they are not of this form.
        """
        if isinstance(weights, Mapping):
            by_place = {self.index(key): weight for key, weight in weights.items()}
        elif len(weights) == len(self):
            by_place = dict(enumerate(weights))
        else:
            raise DefinitionError(
                f"there is a weight for each of {', '.join(self.keys)}; given: {len(weights)}"
            )
        criteria = [
            attrs.evolve(criterion, weight=by_place.get(place, criterion.weight))
            for place, criterion in enumerate(self.criteria)
        ]
        return attrs.evolve(self, criteria=criteria)

    # ── one lead ──────────────────────────────────────────────────────────────────────────────────

    def score_lead(
        self, lead: Lead, *, as_of: datetime | None = None, extra: str = "raise"
    ) -> LeadScore:
        """Return the score of one lead, its grade, and the range given what is not known.

        Parameters
        ----------
        lead : Lead
        as_of : datetime, optional
            The instant of knowledge, inclusive: evidence that was learnt later does not exist, and
            what a criterion's `half_life` says has faded by then. Without it all counts in full.
        extra : {"raise", "ignore"}
            What evidence is for a criterion that the rubric does not have: an error, or none of its
            business, as where a lead has evidence for several rubrics.

        Raises
        ------
        UnknownCriterionError, LevelError, DefinitionError
            If the evidence or an argument is not of this form.
        """
        return lead_score(self, self.read(lead, as_of=as_of, extra=extra))

    def explain(
        self, lead: Lead, *, as_of: datetime | None = None, extra: str = "raise"
    ) -> Explanation:
        """Return the score of one lead with what each criterion gives, and what to ask next.

        Parameters and errors are those of `score_lead`.
        """
        from salesfunnel.scoring.explain import explain

        return explain(self, self.read(lead, as_of=as_of, extra=extra))

    def judge(
        self,
        lead: Lead,
        *,
        at: datetime,
        by: str | None = None,
        extra: str = "raise",
    ) -> Lead:
        """Return the lead moved as its score at an instant says, or as it is where it says nothing.

        A lead that is hit by a disqualifier is disqualified for it, and one from `qualify_at` is
        qualified with its score and grade. Only a new lead or one being worked is moved.

        Raises
        ------
        DefinitionError
            If the rubric has no `qualify_at`.
        UnknownCriterionError, LevelError, LeadStateError
            If the evidence is not of this form, or time goes back.
        """
        if self.qualify_at is None:
            raise DefinitionError("this rubric does not say when a lead qualifies: qualify_at=")
        if not {"qualified", "disqualified"} <= set(lead.moves):
            return lead
        found = self.score_lead(lead, as_of=at, extra=extra)
        if found.disqualified_by is not None:
            return lead.disqualify(found.disqualified_by, at=at, by=by)
        if found.qualified:
            return lead.qualify(at=at, score=found.score, grade=found.grade, by=by)
        return lead

    def read(
        self, lead: Lead, *, as_of: datetime | None = None, extra: str = "raise"
    ) -> list[Known]:
        """Return what is known by each criterion: the value, and the share of it that is left."""
        if not isinstance(lead, Lead):
            raise DefinitionError(f"a rubric scores a Lead, not {lead!r}")
        if extra not in ("raise", "ignore"):
            raise DefinitionError(f"extra= is 'raise' or 'ignore', not {extra!r}")
        evidence = lead.evidence
        if extra == "raise" and not evidence.keys() <= self._places.keys():
            strangers = [key for key in evidence if key not in self._places]
            raise UnknownCriterionError(
                f"lead {lead.id!r} has evidence for {', '.join(map(repr, strangers))}, which this "
                f"rubric does not ask for; it has {', '.join(self._places)}. "
                "extra='ignore' leaves such evidence aside"
            )
        now = None if as_of is None else instant(as_of, "as_of=")
        known: list[Known] = []
        for criterion, term in zip(self.criteria, self._plan.terms, strict=True):
            given = evidence.get(criterion.key)
            value = None if given is None else criterion.value(given.value)
            left = 1.0
            if given is not None and now is not None and given.learnt_at is not None:
                age = now - instant(given.learnt_at)
                if age < timedelta(0):
                    value = None
                elif term.half_life_days < math.inf:
                    left = 2.0 ** -(age / timedelta(days=1) / term.half_life_days)
            known.append((value, left))
        return known

    # ── many ──────────────────────────────────────────────────────────────────────────────────────

    def score(self, values: Any, *, age: Any = None) -> Scores:
        """Return the scores of many leads.

        Parameters
        ----------
        values : (N, criteria) array, mapping of str to (N,) columns, or dataframe
            Values from 0 (worst) to 1 (best), NaN where not known. Columns have the criteria's
            keys; they may hold the keys of levels too, and None where not known; other columns are
            left aside.
        age : (N, criteria) array, (N,) array, mapping or dataframe, optional
            How old the evidence is, in days or as timedelta64; NaN where that is not known, which
            counts as new. A negative age means evidence that is not there yet. Only criteria with a
            `half_life` fade.

        Returns
        -------
        Scores
            ``.score`` (N,) from 0 to 100, ``.low`` and ``.high`` (N,), ``.grade`` (N,): float32
            where the values are float32, and else float64.

        Raises
        ------
        ShapeError
            If the array has another width, or the ages another shape.
        LevelError
            If a value is neither from 0 to 1 nor one of the criterion's levels: it says which.
        MissingColumnError
            If a criterion has no column.
        """
        from salesfunnel.scoring.scores import score_array
        from salesfunnel.scoring.values import fade, read_values

        return score_array(self, *fade(self, read_values(self, values), age))

    def score_leads(
        self, leads: Iterable[Lead], *, as_of: datetime | None = None, extra: str = "raise"
    ) -> Scores:
        """Return the scores of some leads, in their order.

        Parameters and errors are those of `score_lead`.
        """
        from salesfunnel.scoring.scores import score_array

        known = [self.read(lead, as_of=as_of, extra=extra) for lead in leads]
        shape = (len(known), len(self))
        values = np.array(
            [math.nan if value is None else value for row in known for value, _ in row], float
        ).reshape(shape)
        left = np.array([left for row in known for _, left in row], float).reshape(shape)
        return score_array(self, values, None if (left == 1).all() else left)

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
        values = from_mapping(data, cls, "a rubric")
        for field, part in (
            ("criteria", Criterion),
            ("grades", Grade),
            ("disqualifiers", Disqualifier),
        ):
            if field in values:
                values[field] = from_list(values[field], part.from_dict, field)
        return cls(**values)
