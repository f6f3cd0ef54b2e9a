"""Finding: one thing that the data say, with its evidence and its uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from salesfunnel.table import Phrase, Table
from salesfunnel.text.catalogue import catalogue, default_language
from salesfunnel.text.numbers import format_decimal
from salesfunnel.text.width import plain

KINDS = ("stage", "reason", "difference", "change")
LEVEL = 0.95
"""Confidence that a finding must have to be one, and level of its interval."""
ENOUGH = 5
"""How many opportunities must be on either side of a comparison."""


@attrs.frozen(slots=False, eq=False)
class Finding:
    """One thing that the data say.

    Attributes
    ----------
    kind : {"stage", "reason", "difference", "change"}
        The stage that costs most; the reason behind it; who or what differs; what changed.
    claim, evidence, uncertainty : Phrase
        A sentence each: what was found, the numbers that it rests on, and how far they can be
        trusted.
    at_stake : float
        About how many sales it is about, by which findings are ordered.
    table : Table
        The numbers of the sentences, beside those that they were compared with.
    """

    kind: str
    claim: Phrase
    evidence: Phrase
    uncertainty: Phrase
    at_stake: float
    table: Table

    def text(self, lang: str | None = None) -> str:
        """Return the three sentences in a language, English by default."""
        lang = default_language() if lang is None else lang
        words = catalogue(lang)
        claim, *rest = (
            plain(part.text(lang)) for part in (self.claim, self.evidence, self.uncertainty)
        )
        for sentence in rest:
            claim = words.text("finding.sentences", head=claim, tail=sentence)
        return claim

    def __str__(self) -> str:
        return self.text()


def about(number: float) -> Callable[[str], str]:
    """Return what writes an estimated number: whole from ten on, else with one decimal."""
    return partial(format_decimal, number, digits=0 if abs(number) >= 9.95 else 1)


def points(low: float, high: float) -> dict[str, Callable[[str], str]]:
    """Return the bounds of a difference of rates as percentage points, the smaller first.

    Those of a fall are told without their sign, as the sentence says which way it goes.
    """
    bounds = sorted((abs(low), abs(high)))
    return {
        name: partial(format_decimal, bound * 100, digits=1)
        for name, bound in zip(("low", "high"), bounds, strict=True)
    }
