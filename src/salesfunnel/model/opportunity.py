"""An opportunity and its history: immutable values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs

from salesfunnel.errors import DefinitionError
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.instant import instant, instant_or_none
from salesfunnel.model.missing import is_missing
from salesfunnel.model.stage import LOST, WON
from salesfunnel.model.validation import (
    from_isoformat,
    from_list,
    from_mapping,
    is_aware,
    is_aware_or_none,
    is_key,
    is_text,
    one_of,
    to_amount,
    to_date,
)
from salesfunnel.text.catalogue import default_language, resolve
from salesfunnel.wording import Listed, Wording

if TYPE_CHECKING:
    from salesfunnel.model.funnel import Funnel
    from salesfunnel.text.markup import Html

STATUSES = ("open", "won", "lost", "churned")
"""Where an opportunity may stand, in the order of the codes that arrays use."""
OPEN = "open"
CHURNED = "churned"


@attrs.frozen(slots=False)
class StageChange:
    """One entry of a history: the opportunity entered this state at this time.

    Parameters
    ----------
    stage : str
        Key of the state entered: a stage, ``won`` or ``lost``.
    at : datetime
        When; aware of its time zone.
    reason : str, optional
        Why, where the state is ``lost``.
    status : {"open", "won", "lost", "churned"}, optional
        Where the opportunity stands from then on. Without it a stage is ``open``, and the sinks
        speak for themselves; the engine gives a post-sale stage its ``won`` and a loss from there
        its ``churned``.
    by : str, optional
        Who made the change.
    note : str, optional
        A remark.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    stage: str = attrs.field(validator=is_key)
    at: datetime = attrs.field(validator=is_aware, eq=instant)
    reason: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    status: str = attrs.field(default=None, kw_only=True, validator=one_of(STATUSES))
    by: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    note: str | None = attrs.field(default=None, kw_only=True, validator=is_text)

    def __attrs_post_init__(self) -> None:
        possible = {WON: (WON,), LOST: (LOST, CHURNED)}.get(self.stage, (OPEN, WON))
        if self.status is None:
            object.__setattr__(self, "status", possible[0])
        elif self.status not in possible:
            raise DefinitionError(
                "after entering {stage!r} an opportunity is {possible}, not {status!r}",
                stage=self.stage,
                possible=Listed(possible, " or "),
                status=self.status,
            )
        if self.reason is not None and self.stage != LOST:
            raise DefinitionError(
                "only a loss has a reason: entering {stage!r} was given {reason!r}",
                stage=self.stage,
                reason=self.reason,
            )

    @classmethod
    def _trusted(
        cls,
        stage: str,
        at: datetime,
        reason: str | None,
        status: str,
        by: str | None,
        note: str | None,
    ) -> StageChange:
        """Return a change from values that the engine has checked, without checking them again."""
        self = object.__new__(cls)
        values = self.__dict__
        values["stage"] = stage
        values["at"] = at
        values["reason"] = reason
        values["status"] = status
        values["by"] = by
        values["note"] = note
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain data, ready for JSON; what is None is left out."""
        data: dict[str, Any] = {
            "stage": self.stage,
            "at": self.at.isoformat(),
            "status": self.status,
        }
        for field in ("reason", "by", "note"):
            if (value := getattr(self, field)) is not None:
                data[field] = value
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StageChange:
        """Return the change that `to_dict` described.

        Raises
        ------
        DefinitionError
            If the data is not of that form.
        """
        values = from_mapping(data, cls, Wording("a stage change"))
        values["at"] = from_isoformat(values["at"], Wording("the time of a change"))
        return cls(**values)


def _to_history(changes: Iterable[StageChange]) -> tuple[StageChange, ...]:
    if not isinstance(changes, Iterable):
        raise DefinitionError(
            "a history is a sequence of StageChange, not {changes!r}", changes=changes
        )
    history = tuple(changes)
    for change in history:
        if not isinstance(change, StageChange):
            raise DefinitionError(
                "a history is a sequence of StageChange, not of {change!r}", change=change
            )
    for before, after in pairwise(history):
        if instant(after.at) < instant(before.at):
            raise DefinitionError(
                "a history is in order of time: {after!r} at {after_at} follows {before!r} at "
                "{before_at}",
                after=after.stage,
                after_at=after.at.isoformat(),
                before=before.stage,
                before_at=before.at.isoformat(),
            )
    return history


def _to_fields(fields: Mapping[str, Any]) -> FrozenDict[Any]:
    if not isinstance(fields, Mapping) or not all(isinstance(name, str) for name in fields):
        raise DefinitionError("fields map names to values, not {fields!r}", fields=fields)
    taken = [name for name in fields if name in _OWN_FIELDS]
    if taken:
        raise DefinitionError(
            "{name!r} is the opportunity's own, not one of its free fields", name=taken[0]
        )
    return fields if isinstance(fields, FrozenDict) else FrozenDict(fields)


@attrs.frozen(slots=False)
class Opportunity:
    """One possible sale: who, what, how much, and the way it went so far.

    A value: the engine returns a new one for each change. Change anything else with `attrs.evolve`.

    Parameters
    ----------
    id : str
        What data and code call it.
    customer, contact, owner, source, product : str, optional
        The account, the person there, who sells, where it came from, what is sold.
    amount : Decimal, int or str, optional
        What it is worth, exactly; a float is read as it prints.
    currency : str, optional
        Currency of the amount, as in ``"CNY"``.
    created_at : datetime, optional
        When it was recorded; aware of its time zone.
    expected_close : date or str, optional
        The day by which it is expected to close.
    fields : mapping of str to Any
        Whatever else is known of it.
    history : sequence of StageChange
        The way it went, in order of time; made by the engine.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    id: str = attrs.field(validator=is_key)
    customer: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    contact: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    owner: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    source: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    product: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    amount: Decimal | None = attrs.field(default=None, kw_only=True, converter=to_amount)
    currency: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    created_at: datetime | None = attrs.field(
        default=None,
        kw_only=True,
        validator=is_aware_or_none,
        eq=instant_or_none,
    )
    expected_close: date | None = attrs.field(default=None, kw_only=True, converter=to_date)
    fields: FrozenDict[Any] = attrs.field(factory=FrozenDict, kw_only=True, converter=_to_fields)
    history: tuple[StageChange, ...] = attrs.field(default=(), kw_only=True, converter=_to_history)

    @property
    def stage(self) -> str | None:
        """Key of the state that it stands in; None before it is opened."""
        return self.history[-1].stage if self.history else None

    @property
    def status(self) -> str | None:
        """One of ``open``, ``won``, ``lost`` and ``churned``; None before it is opened."""
        return self.history[-1].status if self.history else None

    @property
    def entered_at(self) -> datetime | None:
        """When it entered the state that it stands in; None before it is opened."""
        return self.history[-1].at if self.history else None

    def value(self, field: str) -> Any:
        """Return the value of one of its own or its free fields; None where it has none."""
        return getattr(self, field) if field in _OWN_FIELDS else self.fields.get(field)

    def missing(self, required: Iterable[str]) -> tuple[str, ...]:
        """Return those of the required fields that have no value (None, a blank text, NaN)."""
        return tuple(field for field in required if is_missing(self.value(field)))

    def _with_change(self, change: StageChange) -> Opportunity:
        """Return the opportunity one change later; the engine has checked that it may follow."""
        new = object.__new__(type(self))
        values = self.__dict__.copy()
        values["history"] = (*self.history, change)
        object.__setattr__(new, "__dict__", values)
        return new

    def to_html(self, lang: str | None = None, *, funnel: Funnel | None = None) -> Html:
        """Return the opportunity and its way as HTML; everything in it is escaped.

        Parameters
        ----------
        lang : str, optional
            By default English.
        funnel : Funnel, optional
            Whose names stages and loss reasons have; without it, those of their keys.
        """
        from salesfunnel.model.markup import opportunity_html

        return opportunity_html(self, resolve(lang or default_language()), funnel)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_dict(self) -> dict[str, Any]:
        """Return the opportunity as plain data, ready for JSON where the values of `fields` are."""
        data: dict[str, Any] = {"id": self.id}
        for field in ("customer", "contact", "owner", "source", "product", "currency"):
            if (text := getattr(self, field)) is not None:
                data[field] = text
        if self.amount is not None:
            data["amount"] = str(self.amount)
        if self.created_at is not None:
            data["created_at"] = self.created_at.isoformat()
        if self.expected_close is not None:
            data["expected_close"] = self.expected_close.isoformat()
        if self.fields:
            data["fields"] = dict(self.fields)
        data["history"] = [change.to_dict() for change in self.history]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Opportunity:
        """Return the opportunity that `to_dict` described.

        Raises
        ------
        DefinitionError
            If the data is not of that form.
        """
        values = from_mapping(data, cls, Wording("an opportunity"))
        if "created_at" in values:
            values["created_at"] = from_isoformat(values["created_at"], "created_at")
        values["history"] = from_list(
            values.get("history", ()), StageChange.from_dict, Wording("the changes of a history")
        )
        return cls(**values)


_OWN_FIELDS = frozenset(field.name for field in attrs.fields(Opportunity)) - {"fields", "history"}
