"""What errors say, in the reader's language.

A message is written in English where it is raised, and keeps the template and the fields that it
is made of (`salesfunnel.wording`). The file of a language has the translations under ``errors``,
by the English template; what it does not have is said in English.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from salesfunnel.text.catalogue import catalogue, default_language, resolve
from salesfunnel.wording import Listed, Wording, wording_of

_LEAST_LETTERS = 8
"""A template with fewer of its own could be that of any text."""


def explain(error: BaseException, lang: str | None = None) -> str:
    """Return what an error says, in a language.

    What was given stays as it was given, and names of arguments and columns stay what they are.
    An error that is not this library's says what it says.

    Parameters
    ----------
    error : BaseException
    lang : str, optional
        The language, such as ``"zh"`` or ``"zh-CN"``; by default English, as in ``str(error)``.

    Raises
    ------
    UnknownLanguageError
        If there are no texts in it. It is a `ValueError`.

    Examples
    --------
    >>> from salesfunnel import Stage, explain
    >>> try:
    ...     Stage("demo", probability=40)
    ... except ValueError as error:
    ...     print(explain(error, lang="zh"))
    Stage.probability 应为 0 到 1 之间的数或 None，而不是 40
    """
    return said(wording_of(error), resolve(lang) if lang else default_language())


def said(words: str, lang: str) -> str:
    """Return words in a language; those that are no `Wording` or `Listed` are only themselves."""
    if isinstance(words, Listed):
        between = catalogue(lang).wording(words.between) or words.between
        return between.join(said(part, lang) for part in words.parts)
    if isinstance(words, Wording):
        template = catalogue(lang).wording(words.template)
        if template is None:
            return str(words)
        if not words.fields:
            return template
        return template.format_map({name: said(text, lang) for name, text in words.fields.items()})
    return str(words)


@lru_cache(maxsize=1024)
def reworded(text: str, lang: str) -> str:
    """Return in a language what a text says that has lost its template on the way.

    So has what comes back from a file, and what other modules of Python's (argparse) have made of
    it. It is that of the template which leaves the least to its fields; where there is none it is
    said as it is.
    """
    for template, pattern in _patterns(resolve(lang)):
        found = pattern.fullmatch(text)
        if found is not None:
            fields = {name: reworded(value, lang) for name, value in found.groupdict().items()}
            return template.format_map(fields) if fields else template
    return text


@cache
def _patterns(lang: str) -> list[tuple[str, re.Pattern[str]]]:
    """Return the translations of a language, each with what its English matches."""
    from string import Formatter

    found = []
    for english, template in catalogue(lang).wordings.items():
        parts, letters, known = [], 0, set[str]()
        for literal, name, _, _ in Formatter().parse(english):
            parts.append(re.escape(literal))
            letters += sum(map(str.isalnum, literal))
            if name is not None:
                parts.append(f"(?P={name})" if name in known else f"(?P<{name}>.*?)")
                known.add(name)
        if letters < _LEAST_LETTERS:
            continue
        if not all(map(str.isidentifier, known)):  # the text as it stands, braces and all
            parts = [re.escape(english)]
        found.append((letters, template, re.compile("".join(parts), re.DOTALL)))
    found.sort(key=lambda one: -one[0])
    return [(template, pattern) for _, template, pattern in found]
