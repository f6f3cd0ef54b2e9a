"""A stage of a funnel, and a reason for losing an opportunity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import attrs

from salesfunnel.errors import DefinitionError
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.validation import (
    duration_text,
    from_mapping,
    is_flag,
    is_key,
    is_rate,
    is_text,
    one_of,
    to_duration,
    to_names,
)
from salesfunnel.text.humanise import humanised
from salesfunnel.wording import Wording

WON = "won"
"""Key of the state of a won opportunity."""
LOST = "lost"
"""Key of the state of a lost opportunity."""
FORECAST_CATEGORIES = ("omitted", "pipeline", "best_case", "commit", "closed")
"""What a stage may count as in a forecast, from the least certain to the most."""


def _to_required(fields: Iterable[str]) -> tuple[str, ...]:
    if isinstance(fields, Iterable) and not isinstance(fields, str):
        names = tuple(fields)
        if all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names):
            return names
    raise DefinitionError(
        "required fields are a sequence of distinct names, not {fields!r}", fields=fields
    )


@attrs.frozen(slots=False)
class Stage:
    """One of the ordered steps of a funnel.

    Parameters
    ----------
    key : str
        What data and code call the stage; ``won`` and ``lost`` are reserved.
    name : str, optional
        What people call it; made from the key where it is not given.
    names : mapping of str to str
        Names by language, as in ``{"zh": "需求分析"}``.
    probability : float, optional
        Chance of winning an opportunity that stands in this stage, in [0, 1].
    max_age : timedelta or str, optional
        How long an opportunity may stay before it is stalled: ``"14d"``, ``"36h"``, ``"90min"``.
    required : sequence of str
        Entry criteria: fields of the opportunity, its own or its free `fields`, that must have a
        value.
    forecast_category : {"omitted", "pipeline", "best_case", "commit", "closed"}, optional
        What an opportunity in this stage counts as in a forecast.
    target_conversion, target_loss : float, optional
        Targets for the stage's rates, in [0, 1]: advanced / entered and lost / entered.
    post_sale : bool
        Whether the stage comes after the sale is won. Such a stage has no loss rate, so no
        `target_loss`.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    key: str = attrs.field(validator=is_key)
    name: str = attrs.field(default="", validator=is_text)
    names: FrozenDict[str] = attrs.field(factory=FrozenDict, kw_only=True, converter=to_names)
    probability: float | None = attrs.field(default=None, kw_only=True, validator=is_rate)
    max_age: timedelta | None = attrs.field(default=None, kw_only=True, converter=to_duration)
    required: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_to_required)
    forecast_category: str | None = attrs.field(
        default=None, kw_only=True, validator=one_of(FORECAST_CATEGORIES)
    )
    target_conversion: float | None = attrs.field(default=None, kw_only=True, validator=is_rate)
    target_loss: float | None = attrs.field(default=None, kw_only=True, validator=is_rate)
    post_sale: bool = attrs.field(default=False, kw_only=True, validator=is_flag)

    def __attrs_post_init__(self) -> None:
        if self.key in (WON, LOST):
            raise DefinitionError(
                "the key {key!r} is reserved: every funnel has the states 'won' and 'lost' beside "
                "its stages",
                key=self.key,
            )
        if not self.name:
            object.__setattr__(self, "name", humanised(self.key))
        if self.post_sale and self.target_loss is not None:
            raise DefinitionError(
                "stage {key!r} comes after the sale, where no sale can be lost: it has no "
                "target_loss",
                key=self.key,
            )

    def label(self, lang: str | None = None) -> str:
        """Return the name in a language, or the plain name where there is none in it."""
        return self.name if lang is None else self.names.get(lang, self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return the stage as plain data, ready for JSON; what has its default is left out."""
        data: dict[str, Any] = {"key": self.key, "name": self.name}
        if self.names:
            data["names"] = dict(self.names)
        if self.max_age is not None:
            data["max_age"] = duration_text(self.max_age)
        if self.required:
            data["required"] = list(self.required)
        if self.post_sale:
            data["post_sale"] = True
        for field in ("probability", "forecast_category", "target_conversion", "target_loss"):
            if (value := getattr(self, field)) is not None:
                data[field] = value
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | str) -> Stage:
        """Return the stage that `to_dict` described; a plain text is a stage with that key."""
        return (
            cls(data)
            if isinstance(data, str)
            else cls(**from_mapping(data, cls, Wording("a stage")))
        )


@attrs.frozen(slots=False)
class LossReason:
    """A reason for losing an opportunity.

    Parameters
    ----------
    key : str
        What data and code call the reason.
    name : str, optional
        What people call it; made from the key where it is not given.
    names : mapping of str to str
        Names by language, as in ``{"zh": "价格过高"}``.
    category : str, optional
        A heading that several reasons share, as in ``"commercial"``.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    key: str = attrs.field(validator=is_key)
    name: str = attrs.field(default="", validator=is_text)
    names: FrozenDict[str] = attrs.field(factory=FrozenDict, kw_only=True, converter=to_names)
    category: str | None = attrs.field(default=None, kw_only=True, validator=is_text)

    def __attrs_post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", humanised(self.key))

    def label(self, lang: str | None = None) -> str:
        """Return the name in a language, or the plain name where there is none in it."""
        return self.name if lang is None else self.names.get(lang, self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as plain data, ready for JSON; what has its default is left out."""
        data: dict[str, Any] = {"key": self.key, "name": self.name}
        if self.names:
            data["names"] = dict(self.names)
        if self.category is not None:
            data["category"] = self.category
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | str) -> LossReason:
        """Return the reason that `to_dict` described; a plain text is a reason with that key."""
        return (
            cls(data)
            if isinstance(data, str)
            else cls(**from_mapping(data, cls, Wording("a loss reason")))
        )
