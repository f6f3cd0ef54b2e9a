"""What a name of a stage in data may mean, and why one may think so."""

from __future__ import annotations

from difflib import SequenceMatcher

from salesfunnel.log.naming import names_of_states
from salesfunnel.log.synonyms import LOST, STAGES, WON, plain_name
from salesfunnel.model import stage
from salesfunnel.model.funnel import Funnel
from salesfunnel.table import Phrase

ALIKE = 0.85
"""How alike two names are at least, of at most 1, for one to be taken for the other."""


class StageNames:
    """The names that the states of a funnel have, here and elsewhere."""

    def __init__(self, funnel: Funnel) -> None:
        self._known = {key: key for key in funnel.states} | names_of_states(funnel)
        self._plain = {plain_name(name): key for name, key in self._known.items()}
        self._common = {
            name: key
            for key, names in {**STAGES, stage.WON: WON, stage.LOST: LOST}.items()
            if key in funnel.states
            for name in names
        }

    def is_known(self, name: str) -> bool:
        """Return whether readers know a name without being told."""
        return name.strip() in self._known

    def meaning(self, name: str) -> tuple[str, Phrase] | None:
        """Return the key of the state that a name may mean, and why; None where nothing is near."""
        plain = plain_name(name)
        if self.is_known(name):
            return self._known[name.strip()], Phrase("value.why_name")
        if plain in self._plain:
            return self._plain[plain], Phrase("value.why_case")
        if plain in self._common:
            return self._common[plain], Phrase("value.why_common")
        near, other = max(
            ((SequenceMatcher(None, plain, other).ratio(), other) for other in self._plain),
            default=(0.0, ""),
        )
        if near >= ALIKE:
            return self._plain[other], Phrase("value.why_alike", {"name": other})
        return None
