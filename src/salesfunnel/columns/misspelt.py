"""Names of columns that are misspelt: which is meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from salesfunnel.wording import Wording


def did_you_mean(name: str, known: Iterable[str]) -> Wording | str:
    """Return the question which of the known names is meant; empty where none is alike.

    Capitals, spaces, hyphens and underscores make no difference.

    Examples
    --------
    >>> print(did_you_mean("Deal ID", ["deal_id", "stage"]))
    . Did you mean 'deal_id'?
    >>> did_you_mean("owner", ["deal_id", "stage"])
    ''
    """
    by_letters = {_letters(other): other for other in reversed([*known])}
    found = get_close_matches(_letters(name), by_letters, n=1)
    return Wording(". Did you mean {name!r}?", name=by_letters[found[0]]) if found else ""


def _letters(name: str) -> str:
    return name.casefold().translate({ord(mark): None for mark in " -_"})
