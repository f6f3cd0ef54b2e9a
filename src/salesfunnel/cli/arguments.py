"""Values of options, from the texts that they are given as."""

from __future__ import annotations

import argparse
import math

from salesfunnel.errors import UnknownLanguageError
from salesfunnel.model.stage import LOST
from salesfunnel.text.catalogue import resolve
from salesfunnel.wording import Wording


def language(text: str) -> str:
    """Return the language that a text names."""
    try:
        return resolve(text)
    except UnknownLanguageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def rate(text: str) -> tuple[str, float]:
    """Return what ``CODE=NUMBER`` says of a currency."""
    code, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not code.strip() or not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(
            Wording("{text!r} is not of the form CODE=NUMBER, as in USD=7.2", text=text)
        )
    return code.strip(), value


def mapping(text: str) -> tuple[str, str | tuple[str, str] | None]:
    """Return what ``NAME=STATE``, ``NAME=lost:REASON`` or ``NAME=`` says of a stage's name."""
    name, _, target = (part.strip() for part in text.rpartition("="))
    state, colon, reason = (part.strip() for part in target.partition(":"))
    has_reason = bool(colon) and state == LOST
    if not name or (has_reason and not reason):
        raise argparse.ArgumentTypeError(
            Wording("{text!r} is not of the form NAME=STATE, NAME=lost:REASON or NAME=", text=text)
        )
    return name, (state, reason) if has_reason else target or None


def pair(text: str) -> tuple[str, str]:
    """Return the two sides of ``NAME=VALUE``."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not name or not equals or not value:
        raise argparse.ArgumentTypeError(
            Wording("{text!r} is not of the form NAME=VALUE", text=text)
        )
    return name, value


def attribute(text: str) -> tuple[str, str]:
    """Return what ``NAME`` or ``NAME=COLUMN`` says of an attribute: its name and its column."""
    return pair(text) if "=" in text else pair(f"{text}={text}")


def label(text: str) -> tuple[str, str | None]:
    """Return what ``ATTRIBUTE=LABEL`` says; the label of ``ATTRIBUTE=`` is not known."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not name or not equals:
        raise argparse.ArgumentTypeError(
            Wording(
                "{text!r} is not of the form ATTRIBUTE=LABEL, or ATTRIBUTE= for an unknown label",
                text=text,
            )
        )
    return name, value or None


def count(text: str) -> int:
    """Return a whole number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(
            Wording("{text!r} is no whole number, 0 or more", text=text)
        )
    return int(text)
