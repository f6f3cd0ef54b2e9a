"""The words that people read, by key and language.

The texts of a language are the file ``locale/<language>.json``; adding a language is adding one
file, with the same keys and the same fields as ``en.json``, and ``errors`` beside them. A text is
a template of `str.format`, or an object of two of them, ``one`` and ``other``, chosen by the field
``count``; a language without a plural has ``other`` alone.

Keys are grouped by their first part:

===============  ==================================================================================
``column.``      the header of a table's column, by the column's name
``header.``      headers of the columns that a table adds to each of its rates (``<rate>_low`` …)
``state.``       the two states that are no stages, ``won`` and ``lost``
``status.``      where an opportunity stands
``mode.``        counting modes of the stage table
``title.``       titles of tables
``note.``        notes under tables
``rule.``        the engine's rules, by how they are broken
``progress.``    what is done in long work
``report.``      the report
``section.``     titles of the sections of a report
``page.``        words of its page
``cli.``         the command line: its help and what it prints
``chart.``       titles, axes and words of plots
``finding.``     the sentences of findings
``notebook.``    words of what a notebook shows of a value
``value.``       words in the place of a value
``currency.``    symbols of currencies; a currency without one shows its code
``number.``      how numbers are written: marks, large units, patterns
``date.``        how dates and times are written
``duration.``    how lengths of time are written
===============  ==================================================================================

What errors say is under ``errors``, by the English templates, which stand where they are raised;
`salesfunnel.text.explaining` says it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from salesfunnel.errors import MissingTextError, UnknownLanguageError
from salesfunnel.text.humanise import humanised
from salesfunnel.wording import Listed, Wording

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Text: TypeAlias = str | Mapping[str, str]

_RATE_PARTS = ("low", "high", "numerator", "denominator")


class Catalogue:
    """The texts of one language.

    Parameters
    ----------
    language : str
        The language's code.
    texts : mapping of str to (str or mapping)
        Templates by key; a mapping has the plural forms ``one`` and ``other``.
    wordings : mapping of str to str, optional
        What errors say: templates by their English.
    """

    __slots__ = ("_texts", "language", "wordings")

    def __init__(
        self,
        language: str,
        texts: Mapping[str, Text],
        wordings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.language = language
        self.wordings = wordings
        self._texts = texts

    def __repr__(self) -> str:
        return f"<Catalogue {self.language}: {len(self._texts)} texts>"

    def __contains__(self, key: object) -> bool:
        return key in self._texts

    def text(self, key: str, /, **values: object) -> str:
        """Return the text of `key` with its fields filled in.

        Parameters
        ----------
        key : str
        **values
            The fields' values by name; `count` also chooses the plural form.

        Raises
        ------
        MissingTextError
            If the language has no such text, or a field of it has no value. It is a `KeyError`.
        """
        try:
            return self._template(key, values).format_map(values)
        except MissingTextError:
            raise
        except KeyError as error:
            raise MissingTextError(
                "the text {key!r} in language {language!r} needs a value for {missing!r}; given: "
                "{given}",
                key=key,
                language=self.language,
                missing=error.args[0],
                given=Listed(values) or Wording("none"),
            ) from None

    def wording(self, template: str) -> str | None:
        """Return what an English template of an error is here; None where it has no translation."""
        return self.wordings.get(template)

    def header(self, column: str) -> str:
        """Return the header of a table's column.

        The columns that belong to a rate (``win_rate_low``, ``…_high``, ``…_numerator``,
        ``…_denominator``) are named after it. The library's own columns all have a text; a column
        of the user's data (an attribute of the log) has none, and shows its own name made
        readable: ``deal_owner`` becomes ``Deal owner`` in every language.
        """
        key = f"column.{column}"
        if key in self._texts:
            return self.text(key)
        rate, _, part = column.rpartition("_")
        if part in _RATE_PARTS and f"column.{rate}" in self._texts:
            return self.text(f"header.{part}", rate=self.text(f"column.{rate}"))
        return humanised(column)

    def _template(self, key: str, values: Mapping[str, object]) -> str:
        text = self._texts.get(key)
        if text is None:
            raise MissingTextError(
                "there is no text {key!r} in language {language!r}", key=key, language=self.language
            )
        if isinstance(text, str):
            return text
        if "one" in text and values["count"] == 1:
            return text["one"]
        return text["other"]


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of the languages that there are texts in, sorted."""
    names = (file.name for file in _locale().iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


def default_language() -> str:
    """Return the language used where the caller asks for none: always ``"en"``.

    The environment is not looked at: the same program gives the same text everywhere.
    """
    return "en"


@lru_cache(maxsize=64)
def resolve(lang: str) -> str:
    """Return the catalogue's language for the name of a language or locale.

    ``"zh"``, ``"zh-CN"``, ``"zh_Hans_CN"`` and ``"zh_CN.UTF-8"`` are all ``"zh"``: the parts of
    the name are dropped from its end until there is a catalogue of that name.

    Raises
    ------
    UnknownLanguageError
        If there is no catalogue for it (as for the locales ``C`` and ``POSIX``). It is a
        `ValueError`.
    """
    known = {language.lower(): language for language in languages()}
    parts = re.split("[-_]", re.split("[.@]", lang)[0].lower())
    for end in range(len(parts), 0, -1):
        language = known.get("-".join(parts[:end]))
        if language is not None:
            return language
    raise UnknownLanguageError(
        "there are no texts in language {lang!r}; give one of: {languages}",
        lang=lang,
        languages=Listed(languages()),
    )


def catalogue(lang: str) -> Catalogue:
    """Return the texts of a language, named in any way that `resolve` understands.

    A language is read on its first use, once.

    Raises
    ------
    UnknownLanguageError
        If there is no catalogue for it.
    """
    return _load(resolve(lang))


@cache
def _load(language: str) -> Catalogue:
    import json

    content = _locale().joinpath(f"{language}.json").read_text(encoding="utf-8")
    texts = json.loads(content)
    wordings = texts.pop("errors", {})
    return Catalogue(language, texts, wordings)


def _locale() -> Traversable:
    from importlib.resources import files

    return files("salesfunnel.text") / "locale"
