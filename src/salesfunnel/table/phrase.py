"""Phrase: a text of the catalogue that is put into words when its language is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.times import format_datetime


class Phrase(NamedTuple):
    """A text of the catalogue: its key, and the values of its fields.

    A value that depends on the language is put in it first: a phrase, a datetime, or a callable
    that gives the text in a language.
    """

    key: str
    values: Mapping[str, object] = {}

    def text(self, lang: str) -> str:
        """Return the text in a language."""
        values = {name: _in_language(value, lang) for name, value in self.values.items()}
        return catalogue(lang).text(self.key, **values)


def _in_language(value: object, lang: str) -> object:
    if isinstance(value, Phrase):
        return value.text(lang)
    if isinstance(value, datetime):
        return format_datetime(value, lang)
    return value(lang) if callable(value) else value
