"""Names for people made from the names that data and code use."""

from __future__ import annotations


def humanised(name: str) -> str:
    """Return a readable name: ``won_amount`` becomes ``Won amount``.

    A name that is not all lower case (``ARR``, ``A_SUBMITTED``, ``商机阶段``) was chosen for
    people, or is known to them as it is, and stays.
    """
    if not name.islower():
        return name
    words = " ".join(name.replace("_", " ").split()) or name
    return words[:1].upper() + words[1:]
