"""What people call the states, the reasons and the rules, in their language."""

from __future__ import annotations

from collections.abc import Callable

from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LOST, WON
from salesfunnel.text.catalogue import catalogue, languages
from salesfunnel.text.humanise import humanised

Namer = Callable[[str, str], str]
"""Gives the name of a key in a language."""


def state_namer(funnel: Funnel | None) -> Namer:
    """Return what names the states of a funnel; of one that is not known, by their keys."""

    def name(key: str, lang: str) -> str:
        if key in (WON, LOST):
            return catalogue(lang).text(f"state.{key}")
        return humanised(key) if funnel is None else funnel[key].label(lang)

    return name


def names_of_states(funnel: Funnel) -> dict[str, str]:
    """Return the keys of the states by what people call them, in every language.

    A name that several states have, or that is itself a key, is left out.
    """
    name = state_namer(funnel)
    found: dict[str, set[str]] = {}
    for lang in languages():
        for key in funnel.states:
            found.setdefault(name(key, lang), set()).add(key)
    return {
        title: keys.pop()
        for title, keys in found.items()
        if len(keys) == 1 and title not in funnel.states
    }


def reason_namer(funnel: Funnel) -> Namer:
    """Return what names loss reasons; one that the funnel does not know is its own name."""

    def name(key: str, lang: str) -> str:
        return funnel.reason(key).label(lang) if funnel.knows_reason(key) else key

    return name


def catalogue_namer(prefix: str) -> Namer:
    """Return what names keys by the catalogue's texts ``prefix.key``."""
    return lambda key, lang: catalogue(lang).text(f"{prefix}.{key}")
