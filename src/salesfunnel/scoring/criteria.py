"""What a rubric is made of: criteria with levels, grades, and what disqualifies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from numbers import Real
from typing import Any, TypeVar

import attrs
import numpy as np

from salesfunnel.errors import DefinitionError, DuplicateKeyError, LevelError, WeightError
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.missing import is_missing
from salesfunnel.model.validation import (
    duration_text,
    from_list,
    from_mapping,
    is_key,
    is_text,
    to_duration,
    to_names,
)
from salesfunnel.text.humanise import humanised
from salesfunnel.wording import Listed, Wording

Part = TypeVar("Part")


def to_parts(parts: Iterable[Any], cls: type[Part], what: str) -> tuple[Part, ...]:
    """Return the members of a definition: all of one class, no two with one key."""
    if isinstance(parts, (str, Mapping)) or not isinstance(parts, Iterable):
        raise DefinitionError(
            "{what} are a sequence of {kind}, not {parts!r}",
            what=what,
            kind=cls.__name__,
            parts=parts,
        )
    members = tuple(parts)
    seen: set[object] = set()
    for member in members:
        if not isinstance(member, cls):
            raise DefinitionError(
                "{what} are a sequence of {kind}, not of {member!r}",
                what=what,
                kind=cls.__name__,
                member=member,
            )
        key = getattr(member, "key", None)
        if key in seen:
            raise DuplicateKeyError(
                "the key {key!r} stands twice in the {what}", key=key, what=what
            )
        seen.add(key)
    return members


def number_up_to(highest: float, value: object, what: str) -> float:
    """Return a number from 0 to the highest; `what` names it in the message."""
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if 0 <= number <= highest:
            return number
    raise DefinitionError(
        "{what} is a number from 0 to {highest}, not {value!r}",
        what=what,
        highest=highest,
        value=value,
    )


def _to_worth(value: float) -> float:
    return number_up_to(1, value, Wording("the value of a level"))


def _to_at_least(value: float) -> float:
    return number_up_to(100, value, Wording("at_least of a grade"))


def _to_limit(value: float | None) -> float | None:
    return None if value is None else number_up_to(1, value, Wording("the limit of a disqualifier"))


def _to_weight(value: float) -> float:
    if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise WeightError(
        "a weight is a finite number, below zero for negative points, not {value!r}", value=value
    )


@attrs.frozen(slots=False)
class _Named:
    """What has a key for code, and names for people."""

    key: str = attrs.field(validator=is_key)
    name: str = attrs.field(default="", kw_only=True, validator=is_text)
    names: FrozenDict[str] = attrs.field(factory=FrozenDict, kw_only=True, converter=to_names)

    def __attrs_post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", humanised(self.key))

    def label(self, lang: str | None = None) -> str:
        """Return the name in a language, or the plain name where there is none in it."""
        return self.name if lang is None else self.names.get(lang, self.name)

    def _named(self) -> dict[str, Any]:
        data: dict[str, Any] = {"key": self.key, "name": self.name}
        if self.names:
            data["names"] = dict(self.names)
        return data


@attrs.frozen(slots=False)
class Level(_Named):
    """One of the answers that a criterion knows, and what it is worth.

    Parameters
    ----------
    key : str
        What data and code call it.
    value : float
        From 0 (worst) to 1 (best); for a criterion of negative points, from 0 (not so) to 1.
    name : str, optional
        What people call it; made from the key where it is not given.
    names : mapping of str to str
        Names by language.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    value: float = attrs.field(converter=_to_worth)

    def to_dict(self) -> dict[str, Any]:
        """Return the level as plain data, ready for JSON."""
        return {**self._named(), "value": self.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Level:
        """Return the level that `to_dict` described."""
        return cls(**from_mapping(data, cls, Wording("a level")))


def _to_levels(levels: Iterable[Level]) -> tuple[Level, ...]:
    return to_parts(levels, Level, Wording("levels"))


@attrs.frozen(slots=False)
class Criterion(_Named):
    """One thing to find out about a lead.

    Parameters
    ----------
    key : str
        What data and code call it.
    weight : float
        What it counts, beside the others; below zero it takes points away.
    levels : sequence of Level
        The answers that it knows. A number from 0 to 1 is evidence without them too.
    half_life : timedelta or str, optional
        Evidence fades: after this long, as in ``"90d"``, half of it counts as not known.
    question : str, optional
        What to ask to find out.
    questions : mapping of str to str
        The question by language.
    name : str, optional
        What people call it; made from the key where it is not given.
    names : mapping of str to str
        Names by language.

    Attributes
    ----------
    ends : tuple of float
        The least and the most that an answer may be worth.

    Raises
    ------
    DefinitionError, DuplicateKeyError, WeightError
        If a value is not of this form.
    """

    weight: float = attrs.field(default=1.0, converter=_to_weight)
    levels: tuple[Level, ...] = attrs.field(default=(), converter=_to_levels)
    half_life: timedelta | None = attrs.field(default=None, kw_only=True, converter=to_duration)
    question: str = attrs.field(default="", kw_only=True, validator=is_text)
    questions: FrozenDict[str] = attrs.field(factory=FrozenDict, kw_only=True, converter=to_names)
    ends: tuple[float, float] = attrs.field(init=False, eq=False, repr=False)
    _values: dict[str, float] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        object.__setattr__(self, "_values", {level.key: level.value for level in self.levels})
        worth = [level.value for level in self.levels] or [0.0, 1.0]
        object.__setattr__(self, "ends", (min(worth), max(worth)))

    def value(self, given: str | float | None) -> float | None:
        """Return what a level's key or a number is worth; None where there is none.

        Raises
        ------
        LevelError
            If it is none of the levels, and no number from 0 to 1.
        """
        if type(given) is float and 0.0 <= given <= 1.0:
            return given
        if isinstance(given, str) and (value := self._values.get(given)) is not None:
            return value
        if is_missing(given):
            return None
        if isinstance(given, (Real, np.bool_)) and 0 <= given <= 1:
            return float(given)
        raise LevelError(
            "criterion {key!r}: {allowed}, not {given!r}",
            key=self.key,
            allowed=self._allowed(),
            given=given,
        )

    def level(self, value: float) -> Level | None:
        """Return the level that is worth a value; None where there is none."""
        return next((level for level in self.levels if level.value == value), None)

    def ask(self, lang: str | None = None) -> str:
        """Return the question in a language; the criterion's name where it has none."""
        question = self.question if lang is None else self.questions.get(lang, self.question)
        return question or self.label(lang)

    def _allowed(self) -> str:
        known = Listed(level.key for level in self.levels)
        if known:
            return Wording("one of {known}, or a number from 0 to 1", known=known)
        return Wording("a number from 0 to 1")

    def to_dict(self) -> dict[str, Any]:
        """Return the criterion as plain data, ready for JSON; what has its default is left out."""
        data = {**self._named(), "weight": self.weight}
        if self.levels:
            data["levels"] = [level.to_dict() for level in self.levels]
        if self.half_life is not None:
            data["half_life"] = duration_text(self.half_life)
        if self.question:
            data["question"] = self.question
        if self.questions:
            data["questions"] = dict(self.questions)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | str) -> Criterion:
        """Return the criterion that `to_dict` described; a plain text is one with that key."""
        if isinstance(data, str):
            return cls(data)
        values = from_mapping(data, cls, Wording("a criterion"))
        values["levels"] = from_list(values.get("levels", ()), Level.from_dict, Wording("levels"))
        return cls(**values)


@attrs.frozen(slots=False)
class Grade(_Named):
    """A grade, and the score from which it is given.

    Parameters
    ----------
    key : str
        As in ``"A"``.
    at_least : float
        From 0 to 100.
    name : str, optional
        What people call it; made from the key where it is not given.
    names : mapping of str to str
        Names by language.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    at_least: float = attrs.field(converter=_to_at_least)

    def to_dict(self) -> dict[str, Any]:
        """Return the grade as plain data, ready for JSON."""
        return {**self._named(), "at_least": self.at_least}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Grade:
        """Return the grade that `to_dict` described."""
        return cls(**from_mapping(data, cls, Wording("a grade")))


@attrs.frozen(slots=False)
class Disqualifier(_Named):
    """What rules a lead out, whatever else speaks for it: its score is then 0.

    Parameters
    ----------
    key : str
        The reason, as in ``"no_budget"``.
    criterion : str
        Key of the criterion that it looks at; one of weight 0 serves for nothing else.
    at_most, at_least : float
        One of them: what the criterion's value must not reach, from 0 to 1. Evidence is taken as it
        was given; it does not fade for this.
    name : str, optional
        What people call it; made from the key where it is not given.
    names : mapping of str to str
        Names by language.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    criterion: str = attrs.field(validator=is_key)
    at_most: float | None = attrs.field(default=None, kw_only=True, converter=_to_limit)
    at_least: float | None = attrs.field(default=None, kw_only=True, converter=_to_limit)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if (self.at_most is None) == (self.at_least is None):
            raise DefinitionError(
                "disqualifier {key!r} has a limit: at_most= or at_least=, one of them", key=self.key
            )

    def hits(self, value: float) -> bool:
        """Return whether a value of its criterion disqualifies."""
        return value <= self.at_most if self.at_most is not None else value >= self._least

    @property
    def _least(self) -> float:
        assert self.at_least is not None
        return self.at_least

    def to_dict(self) -> dict[str, Any]:
        """Return the disqualifier as plain data, ready for JSON."""
        data = {**self._named(), "criterion": self.criterion}
        limit = "at_least" if self.at_most is None else "at_most"
        return {**data, limit: getattr(self, limit)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Disqualifier:
        """Return the disqualifier that `to_dict` described."""
        return cls(**from_mapping(data, cls, Wording("a disqualifier")))
