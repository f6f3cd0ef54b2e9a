"""Checks that several values of the model share: keys, names, rates, durations, times."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from salesfunnel.errors import DefinitionError
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.instant import instant
from salesfunnel.wording import Listed

if TYPE_CHECKING:
    Attribute = attrs.Attribute[Any]

Value = TypeVar("Value")

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(w|d|h|min|s)\s*")
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = timedelta.max // _MICROSECOND
_UNIT_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "min": 60, "s": 1}


def is_key(instance: object, attribute: Attribute, value: object) -> None:
    """Validate that a value can name something: a printable text without blanks at its ends."""
    what = _named(instance, attribute)
    if not isinstance(value, str):
        raise DefinitionError("{what} is a text, not {value!r}", what=what, value=value)
    if not value or value != value.strip():
        raise DefinitionError(
            "{what} is not empty and has no blanks at its ends: {value!r}", what=what, value=value
        )
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise DefinitionError("{what} has no control characters: {value!r}", what=what, value=value)


def is_text(instance: object, attribute: Attribute, value: object) -> None:
    """Validate a text, or None."""
    if value is not None and not isinstance(value, str):
        raise DefinitionError(
            "{what} is a text or None, not {value!r}", what=_named(instance, attribute), value=value
        )


def is_flag(instance: object, attribute: Attribute, value: object) -> None:
    """Validate True or False."""
    if not isinstance(value, bool):
        raise DefinitionError(
            "{what} is True or False, not {value!r}", what=_named(instance, attribute), value=value
        )


def is_rate(instance: object, attribute: Attribute, value: object) -> None:
    """Validate a number in [0, 1], or None."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise DefinitionError(
            "{what} is a number from 0 to 1 or None, not {value!r}",
            what=_named(instance, attribute),
            value=value,
        )


def is_aware(instance: object, attribute: Attribute, value: object) -> None:
    """Validate a datetime that knows its zone."""
    instant(value, _named(instance, attribute))


is_aware_or_none = attrs.validators.optional(is_aware)
"""Validate a datetime that knows its zone, or None."""


def one_of(choices: tuple[str, ...]) -> Callable[[object, Attribute, object], None]:
    """Return a validator of one of some texts, or None."""

    def validate(instance: object, attribute: Attribute, value: object) -> None:
        if value is not None and value not in choices:
            raise DefinitionError(
                "{what} is one of {choices}, not {value!r}",
                what=_named(instance, attribute),
                choices=Listed(choices),
                value=value,
            )

    return validate


def to_names(names: Mapping[str, str]) -> FrozenDict[str]:
    """Return names by language as an immutable mapping."""
    if not isinstance(names, Mapping) or not all(
        isinstance(text, str) and text for pair in names.items() for text in pair
    ):
        raise DefinitionError(
            "names map languages to names, as in {{'zh': '报价', 'en': 'Offer'}}, not {names!r}",
            names=names,
        )
    return names if isinstance(names, FrozenDict) else FrozenDict(names)


def to_duration(value: timedelta | str | None) -> timedelta | None:
    """Return a positive duration from a timedelta or a text such as ``14d``, ``36h``, ``90min``."""
    if value is None:
        return None
    duration: object = value
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        # Decimal: a float would not bring every timedelta back as it was written.
        length = int(Decimal(match[1]) * _UNIT_SECONDS[match[2]] * 1_000_000) if match else 0
        duration = timedelta(microseconds=length) if length <= _LONGEST else None
    if isinstance(duration, timedelta) and duration > timedelta(0):
        return duration
    raise DefinitionError(
        "a duration is a positive timedelta or a text such as '14d', '36h', '90min', not {value!r}",
        value=value,
    )


def duration_text(value: timedelta) -> str:
    """Return a duration as a text that `to_duration` reads back unchanged."""
    if value.microseconds:
        return f"{Decimal(value // _MICROSECOND) / 1_000_000}s"
    seconds = value // timedelta(seconds=1)
    unit = next(unit for unit in ("d", "h", "min", "s") if seconds % _UNIT_SECONDS[unit] == 0)
    return f"{seconds // _UNIT_SECONDS[unit]}{unit}"


def to_date(value: date | str | None) -> date | None:
    """Return a calendar date from a date, a datetime or an ISO 8601 text."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, date) and value == value:  # pandas' NaT is a date, but no day
        return value.date() if isinstance(value, datetime) else value
    raise DefinitionError(
        "a date is a date or a text such as '2026-03-31', not {value!r}", value=value
    )


def to_amount(value: Decimal | float | str | None) -> Decimal | None:
    """Return an exact amount of money; a float is read as it prints."""
    if value is None:
        return None
    if isinstance(value, (Decimal, Real, str)) and not isinstance(value, bool):
        try:
            amount = Decimal(str(value).strip())
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount.is_finite():
            return amount
    raise DefinitionError(
        "an amount is a finite Decimal, an int or digits, not {value!r}", value=value
    )


def _named(instance: object, attribute: Attribute) -> str:
    return f"{type(instance).__name__}.{attribute.name}"


def from_mapping(data: object, cls: type[attrs.AttrsInstance], what: str) -> dict[str, Any]:
    """Return plain data as the arguments of an attrs class: none missing, none unknown."""
    if not isinstance(data, Mapping):
        raise DefinitionError(
            "{what} is read from a mapping, not from {data!r}", what=what, data=data
        )
    fields = {field.name: field for field in attrs.fields(cls) if field.init}
    unknown = [key for key in data if key not in fields]
    if unknown:
        raise DefinitionError(
            "{what} has no field {unknown}; it has {known}",
            what=what,
            unknown=Listed(map(repr, unknown)),
            known=Listed(fields),
        )
    missing = [
        name
        for name, field in fields.items()
        if field.default is attrs.NOTHING and name not in data
    ]
    if missing:
        raise DefinitionError(
            "{what} needs the field {missing}; given: {data!r}",
            what=what,
            missing=Listed(missing),
            data=data,
        )
    return dict(data)


def from_list(data: object, read: Callable[[Any], Value], what: str) -> tuple[Value, ...]:
    """Return the members of a list of plain data, each read by `read`."""
    if isinstance(data, (str, Mapping)) or not isinstance(data, Iterable):
        raise DefinitionError("{what} are a list, not {data!r}", what=what, data=data)
    return tuple(read(member) for member in data)


def from_isoformat(value: object, what: str) -> Any:
    """Return a text as the time that it is; anything else is left to the checks that follow."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise DefinitionError(
            "{what} is an ISO 8601 text, not {value!r}", what=what, value=value
        ) from None
