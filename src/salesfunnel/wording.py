"""Words that another language can say: the pieces that messages are made of.

A message is written where it belongs, in English, and stays its template and its fields, so that
`salesfunnel.text.explaining` can find the template in a language and fill it in there. The
standard library does it by the same idea [1]_.

References
----------
.. [1] gettext: Multilingual internationalization services.
   https://docs.python.org/3/library/gettext.html
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


class Wording(str):
    """An English text that knows the template and the fields it was made of.

    It is a text like any other, and equal to one; only its translation needs to know more. A field
    may be a `Wording` or `Listed` itself, or an error made of them; with these the whole is said in
    another language.

    Parameters
    ----------
    template : str
        A template of `str.format`, as in ``"{name} is one of {known}, not {given!r}"``. Without
        fields it is the text as it stands, braces and all.
    **fields
        Their values. What is kept of a value is how it stands in the text: a `Wording` holds on to
        nothing else, and goes through pickle.

    Attributes
    ----------
    template : str
    fields : dict of str to str
        The texts of the fields, by name.

    Examples
    --------
    >>> Wording("{name} is a number, not {given!r}", name="late=", given="x")
    "late= is a number, not 'x'"
    """

    __slots__ = ("fields", "template")
    fields: dict[str, str]
    template: str

    def __new__(cls, template: str, /, **fields: object) -> Wording:
        """Return the text of a template with its fields filled in."""
        if isinstance(template, Wording) and not fields:
            return template
        texts: dict[str, str] = {}
        text = template
        if fields:
            parts = []
            for literal, name, spec, conversion in _parsed(template):
                parts.append(literal)
                if name is not None:
                    texts[name] = _text(fields[name], spec or "", conversion)
                    parts.append(texts[name])
            text = "".join(parts)
        made = super().__new__(cls, text)
        made.fields = texts
        made.template = template
        return made


class Listed(str):
    """A list in words, as in ``a, b, c``; each language has its own marks between the parts.

    Parameters
    ----------
    parts : iterable
        Texts, or what is listed by its `str`.
    between : str
        What stands between two parts: ``", "``, ``"; "``, ``" or "`` or a line break.

    Attributes
    ----------
    parts : tuple of str
    between : str
    """

    __slots__ = ("between", "parts")
    between: str
    parts: tuple[str, ...]

    def __new__(cls, parts: Iterable[object], between: str = ", ") -> Listed:
        """Return the parts in a row."""
        texts = tuple(_text(part, "", None) for part in parts)
        made = super().__new__(cls, between.join(texts))
        made.between = between
        made.parts = texts
        return made

    def __getnewargs__(self) -> tuple[tuple[str, ...], str]:  # type: ignore[override]
        return self.parts, self.between


@lru_cache(maxsize=1024)
def _parsed(template: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    from string import Formatter  # not loaded before something has to be said

    return tuple(Formatter().parse(template))


def _text(value: object, spec: str, conversion: str | None) -> str:
    """Return a field as it stands in a text; what can be said in another language stays that."""
    if conversion == "r":
        value = repr(value)
    elif not spec:
        if isinstance(value, BaseException):
            value = wording_of(value)
        if isinstance(value, (Wording, Listed)):
            return value
    return format(value, spec)


def wording_of(error: BaseException) -> str:
    """Return what an error says, as it can be translated where it can be."""
    words = getattr(error, "words", None)
    if words is None and len(error.args) == 1:  # ValueError(Wording(…))
        words = error.args[0]
    return words if isinstance(words, (Wording, Listed)) else str(error)
