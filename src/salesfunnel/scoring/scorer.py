"""What rubrics and grids of rubrics have in common: what they ask, and how they are asked."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from salesfunnel.errors import DefinitionError, UnknownCriterionError
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.instant import instant
from salesfunnel.model.lead import Lead
from salesfunnel.scoring.criteria import Criterion, Disqualifier
from salesfunnel.scoring.scores import Floats, Scores
from salesfunnel.scoring.single import Known, LeadScore
from salesfunnel.scoring.values import check_values, fade, read_values
from salesfunnel.wording import Listed

if TYPE_CHECKING:
    from salesfunnel.scoring.explain import Explanation


class Scorer(ABC):
    """What scores leads: a `Rubric`, or a `Grid` of two.

    Attributes
    ----------
    criteria : tuple of Criterion
        What is asked, in the order of the columns of an array.
    qualify_at : float or None
        The score from which a lead qualifies.
    """

    criteria: tuple[Criterion, ...]
    disqualifiers: tuple[Disqualifier, ...]
    qualify_at: float | None
    name: str | None
    names: FrozenDict[str]
    _places: dict[str, int]

    @abstractmethod
    def _score_known(self, known: Sequence[Known]) -> LeadScore: ...

    @abstractmethod
    def _explain_known(self, known: Sequence[Known]) -> Explanation: ...

    @abstractmethod
    def _score_array(self, values: Floats, left: Floats | None) -> Scores: ...

    @abstractmethod
    def grade_label(self, key: str, lang: str | None = None) -> str:
        """Return the name of a grade in a language, or its plain name."""

    # ── what is asked ─────────────────────────────────────────────────────────────────────────────

    def __len__(self) -> int:
        return len(self.criteria)

    def __getitem__(self, key: str) -> Criterion:
        return self.criteria[self.index(key)]

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the criteria, in the order of the columns of an array."""
        return tuple(self._places)

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
                "no criterion {key!r} in this rubric; it has {known}",
                key=key,
                known=Listed(self._places),
            ) from None

    def label(self, lang: str | None = None) -> str:
        """Return the name in a language, or the plain name where there is none in it."""
        name = self.name or ""
        return name if lang is None else self.names.get(lang, name)

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
        return self._score_known(self.read(lead, as_of=as_of, extra=extra))

    def explain(
        self, lead: Lead, *, as_of: datetime | None = None, extra: str = "raise"
    ) -> Explanation:
        """Return the score of one lead with what each criterion gives, and what to ask next.

        Parameters and errors are those of `score_lead`.
        """
        return self._explain_known(self.read(lead, as_of=as_of, extra=extra))

    def judge(
        self, lead: Lead, *, at: datetime, by: str | None = None, extra: str = "raise"
    ) -> Lead:
        """Return the lead moved as its score at an instant says, or as it is where it says nothing.

        A lead that is hit by a disqualifier is disqualified for it; one from `qualify_at` is
        qualified, with its score and grade kept. Only a lead that is new or being worked is moved.

        Raises
        ------
        DefinitionError
            If there is no `qualify_at`.
        UnknownCriterionError, LevelError, LeadStateError
            If the evidence is not of this form, or time goes back.
        """
        if self.qualify_at is None:
            raise DefinitionError("this rubric does not say when a lead qualifies: qualify_at=")
        found = self.score_lead(lead, as_of=at, extra=extra)
        if not {"qualified", "disqualified"} <= set(lead.moves):
            return lead
        if found.disqualified_by is not None:
            return lead.disqualify(found.disqualified_by, at=at, by=by)
        if found.qualified:
            return lead.qualify(at=at, score=found.score, grade=found.grade, by=by)
        return lead

    def read(
        self, lead: Lead, *, as_of: datetime | None = None, extra: str = "raise"
    ) -> list[Known]:
        """Return what is known by each criterion: its value, and the share that has not faded.

        Parameters and errors are those of `score_lead`.
        """
        if not isinstance(lead, Lead):
            raise DefinitionError("a rubric scores a Lead, not {lead!r}", lead=lead)
        if extra not in ("raise", "ignore"):
            raise DefinitionError("extra= is 'raise' or 'ignore', not {extra!r}", extra=extra)
        evidence = lead.evidence
        if extra == "raise" and not evidence.keys() <= self._places.keys():
            strangers = [key for key in evidence if key not in self._places]
            raise UnknownCriterionError(
                "lead {lead!r} has evidence for {strangers}, which this rubric does not ask for; "
                "it has {known}. extra='ignore' leaves such evidence aside",
                lead=lead.id,
                strangers=Listed(map(repr, strangers)),
                known=Listed(self._places),
            )
        now = None if as_of is None else instant(as_of, "as_of=")
        known: list[Known] = []
        for criterion in self.criteria:
            given = evidence.get(criterion.key)
            value = None if given is None else criterion.value(given.value)
            left = 1.0
            if given is not None and now is not None and given.learnt_at is not None:
                age = now - instant(given.learnt_at)
                if age < timedelta(0):
                    value = None
                elif criterion.half_life is not None:
                    left = 2.0 ** -(age / criterion.half_life)
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
        known = read_values(self, values)
        check_values(self, known)
        return self._score_array(*fade(self, known, age))

    def score_leads(
        self, leads: Iterable[Lead], *, as_of: datetime | None = None, extra: str = "raise"
    ) -> Scores:
        """Return the scores of some leads, in their order.

        Parameters and errors are those of `score_lead`.
        """
        known = [self.read(lead, as_of=as_of, extra=extra) for lead in leads]
        shape = (len(known), len(self))
        values = np.array(
            [math.nan if value is None else value for row in known for value, _ in row], float
        ).reshape(shape)
        left = np.array([left for row in known for _, left in row], float).reshape(shape)
        return self._score_array(values, None if (left == 1).all() else left)
