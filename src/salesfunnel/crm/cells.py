"""Cells as CRMs write them → texts, identifiers, truth values, times and days."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from salesfunnel.model.missing import is_missing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[ T])")
_FOLDED = re.compile(r"[\W_]+")
_YES, _NO = frozenset({"true", "1", "yes", "是"}), frozenset({"false", "0", "no", "否"})


def fold(name: str) -> str:
    """Return the name of a field without what exports write differently.

    >>> fold("Loss_Reason__c") == fold("loss_reason_c") == fold("LossReason C")
    True
    >>> fold("Account.Name")
    'account.name'
    """
    return ".".join(_FOLDED.sub("", part) for part in name.casefold().split("."))


def text(value: Any) -> str | None:
    """Return what a cell says, without blanks at its ends; None where it is missing.

    Whole numbers are digits, whatever their type: an export that has an identifier as a number, or
    as a float since another row lacks it, means the same one.
    """
    if isinstance(value, str):
        return value.strip() or None
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def identifier(value: Any) -> str | None:
    """Return the identifier that a cell is: a text or a whole number; None if it is neither."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (str, int, float, np.integer, np.floating)
    ):
        return None
    if isinstance(value, (float, np.floating)) and not float(value).is_integer():
        return None
    return text(value)


def truth(value: Any) -> bool | None:
    """Return whether a cell says yes, True, or no, False; None if neither."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    word = (text(value) or "").casefold()
    return True if word in _YES else False if word in _NO else None


def number(value: Any) -> float | None:
    """Return the finite number that a cell shows, None if it shows none."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        shown = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return shown if math.isfinite(shown) else None


def epoch(values: Iterable[Any]) -> list[Any]:
    """Return times with milliseconds since 1970, as numbers or digits, made datetimes."""
    return [_from_milliseconds(value) for value in values]


def _from_milliseconds(value: Any) -> Any:
    digits = value
    if isinstance(value, str) and re.fullmatch(r"\s*\d{11,14}\s*", value):
        digits = int(value)
    if isinstance(digits, (int, float)) and not isinstance(digits, bool):
        try:
            return _EPOCH + timedelta(milliseconds=digits)
        except (OverflowError, ValueError):
            return value
    return value


def day(value: Any) -> str | None:
    """Return the day of a date or a time, as ``2026-03-31``; another text as it is."""
    if isinstance(value, date) and not is_missing(value):
        return value.isoformat()[:10]
    shown = text(value)
    match = None if shown is None else _DAY.match(shown)
    return match[0] if match else shown
