"""Names for people made from the names that data and code use."""

from __future__ import annotations


def humanised(name: str) -> str:
    """Return a readable name: ``won_amount`` becomes ``Won amount``.

    A name that is not all lower case (``ARR``, ``iPhone_model``, ``商机阶段``) was written for
    people already and keeps its letters as they are.
    """
    words = " ".join(name.replace("_", " ").split()) or name
    return words[:1].upper() + words[1:] if words.islower() else words
