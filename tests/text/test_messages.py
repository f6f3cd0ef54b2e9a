"""Every message of an error is a template with fields, and every language has a translation of it.

What is raised is read from the source, not run: a message that is put together any other way would
be said in English for ever.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import NamedTuple

import pytest

import salesfunnel
from salesfunnel import errors
from salesfunnel.text.catalogue import languages

SOURCE = Path(inspect.getfile(salesfunnel)).parent
ERRORS = {
    *(name for name, kind in vars(errors).items() if inspect.isclass(kind) and "Error" in name),
    "CommandError",
}
WORDS = {
    **dict.fromkeys(("add", "reject", "refuse_rows"), 3),
    **dict.fromkeys(("BadRow", "fault"), 3),
    **dict.fromkeys(("Broken", "refuse", "no_label_sets", "from_isoformat"), 1),
    **dict.fromkeys(("from_mapping", "from_list", "to_parts", "number_up_to"), 2),
    **dict.fromkeys(("MissingExtraError", "listing"), 0),
    "numbers": 4,
}
"""Calls that take words for people, and the place of these among their arguments."""
CODE = {"at=", "until=", "now=", "levels", "learnt_at", "received_at", "created_at", "qualify_at"}
CODE |= {"salesfunnel.testing", "Arrow", "Parquet", "to_frame"}
"""What stays as it is in every language: names of arguments, of fields, of formats."""


NAMES = ("datasets/", "log/synonyms.py", "model/", "scoring/leadlog.py", "scoring/presets/")
"""Where names of stages, reasons, sources and columns are, which have languages of their own."""
OF_OTHERS = {
    *("unexpected end of data", "field larger than"),  # errors of Python's own
    "Expecting property name enclosed in double quotes",
    "}\n@media screen and (prefers-color-scheme:dark){:root{",
}


class Site(NamedTuple):
    """One place in the source where words are made."""

    place: str
    templates: tuple[str, ...]
    fields: frozenset[str]


def form_of(template: str) -> dict[str, set[tuple[str, str | None]]]:
    """The fields of a template by name, each with the forms that it has there."""
    found: dict[str, set[tuple[str, str | None]]] = {}
    for _, name, spec, conversion in Formatter().parse(template):
        if name is not None:
            found.setdefault(name, set()).add((spec or "", conversion))
    return found


@cache
def calls() -> tuple[tuple[str, ast.Call], ...]:
    """Every call in the source, with its place."""
    found: list[tuple[str, ast.Call]] = []
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [
            (f"{path.relative_to(SOURCE)}:{node.lineno}", node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        ]
    return tuple(found)


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def own_fields(name: str) -> frozenset[str]:
    """What the constructor of an error takes beside the fields of its message."""
    kind = getattr(errors, name, errors.DataError if name == "error" else None)
    known = inspect.signature(kind).parameters.values() if kind is not None else ()
    return frozenset(
        parameter.name
        for parameter in known
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )


def says(place: str, call: ast.Call) -> bool:
    """Whether a call makes an error or words of a template."""
    if place.startswith("errors.py") and name_of(call) == "__init__":
        return True
    return name_of(call) in ERRORS | {"Wording", "error"} and name_of(call) != "MissingExtraError"


def is_message(node: ast.AST) -> bool:
    """Whether a node makes words, or an error of any kind."""
    return isinstance(node, ast.Call) and (
        name_of(node) in {"Wording", "error", "__init__"} or name_of(node).endswith("Error")
    )


def constants(node: ast.expr) -> tuple[str, ...] | None:
    """The texts that an expression may be; None where it is put together."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, ast.IfExp):
        body, other = constants(node.body), constants(node.orelse)
        return None if body is None or other is None else body + other
    return None


def is_put_together(node: ast.expr) -> bool:
    """Whether a text is made on the spot: an f-string, a sum, a %, a join or a format."""
    return any(
        isinstance(part, (ast.JoinedStr, ast.BinOp))
        or (isinstance(part, ast.Call) and name_of(part) in {"format", "join"})
        for part in ast.walk(node)
    )


@cache
def sites() -> tuple[Site, ...]:
    found = []
    for place, call in calls():
        if not says(place, call) or not call.args:
            continue
        templates = constants(call.args[0])
        if templates is not None:
            given = frozenset(key.arg for key in call.keywords if key.arg)
            found.append(Site(place, templates, given - own_fields(name_of(call))))
    return tuple(found)


def marks() -> Iterator[str]:
    """What stands between the parts of lists."""
    for _, call in calls():
        if name_of(call) == "Listed":
            (mark,) = constants(call.args[1]) or ("",) if len(call.args) > 1 else (", ",)
            yield mark


@cache
def templates() -> dict[str, frozenset[str]]:
    """Every template there is, with its fields."""
    found = {mark: frozenset[str]() for mark in marks() if mark.strip()}
    for site in sites():
        for template in site.templates:
            found[template] = site.fields & {*form_of(template)} if site.fields else frozenset()
    return found


@cache
def translations(language: str) -> dict[str, str]:
    content = (files("salesfunnel.text") / "locale" / f"{language}.json").read_text("utf-8")
    texts: dict[str, str] = json.loads(content).get("errors", {})
    return texts


def test_there_are_as_many_messages_as_one_would_think() -> None:
    assert len(sites()) > 600
    assert len(templates()) > 600


def test_no_message_is_put_together_where_it_is_raised() -> None:
    wrong = [
        f"{place}: {ast.unparse(call)}"
        for place, call in calls()
        if says(place, call) and any(map(is_put_together, call.args[:1]))
        if not isinstance(call.args[0], ast.Call) or name_of(call.args[0]) != "Wording"
    ]

    assert not wrong, (
        "give the error a template and its fields, as in "
        "DefinitionError('{name} is a number, not {given!r}', name=name, given=given): "
        + "\n".join(wrong)
    )


@pytest.mark.parametrize("word", sorted(WORDS))
def test_what_is_said_in_a_message_is_no_bare_text(word: str) -> None:
    wrong = []
    for place, call in calls():
        if name_of(call) != word or len(call.args) <= WORDS[word]:
            continue
        given = call.args[WORDS[word] if word != "fault" or len(call.args) > 1 else 0]
        bare = constants(given)
        if bare is not None and not {*bare} <= CODE:
            wrong.append(f"{place}: {bare[0]}")
        elif is_put_together(given) and not isinstance(given, ast.Call):
            wrong.append(f"{place}: {ast.unparse(given)}")

    assert not wrong, "these can be translated as Wording('…'): " + "\n".join(wrong)


def test_what_is_expected_of_a_row_is_no_bare_text() -> None:
    wrong = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            bare = constants(node.value) is not None or isinstance(node.value, ast.JoinedStr)
            if node.targets[0].id == "expected" and bare:
                wrong.append(f"{path.relative_to(SOURCE)}:{node.lineno}")

    assert not wrong


def test_no_other_text_of_the_source_is_a_sentence() -> None:
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).as_posix().startswith(NAMES):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        known = {id(part) for call in ast.walk(tree) if is_message(call) for part in ast.walk(call)}
        known |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        wrong += [
            f"{path.relative_to(SOURCE)}:{node.lineno}: {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.search("[a-z]+ [a-z]+ [a-z]+", node.value)
            and id(node) not in known
            and node.value not in OF_OTHERS
        ]

    assert not wrong, "people read these in English for ever: " + "\n".join(wrong)


def test_templates_have_the_fields_that_they_are_given() -> None:
    for site in sites():
        if not site.fields:
            continue  # the text as it stands, braces and all
        forms = [form_of(template) for template in site.templates]
        assert set().union(*forms) == site.fields, site
        assert all(len(ways) == 1 for form in forms for ways in form.values()), site


@pytest.mark.parametrize("language", sorted({*languages()} - {"en"}))
def test_every_message_has_a_translation_and_no_translation_is_left_over(language: str) -> None:
    known = translations(language)

    assert {*templates()} - {*known} == set(), "these are missing under 'errors'"
    assert {*known} - {*templates()} == set(), "nothing says these any more"


@pytest.mark.parametrize("language", sorted({*languages()} - {"en"}))
def test_translations_have_the_same_fields_as_they_stand_in_english(language: str) -> None:
    for english, text in translations(language).items():
        fields = templates()[english]
        if not fields:
            continue
        forms = form_of(text)
        assert {*forms} == fields, english
        # A field is the text that it is in English: it has its form already.
        assert all(ways == {("", None)} for ways in forms.values()), english
        assert text.format_map(dict.fromkeys(fields, "x"))


@pytest.mark.parametrize("language", sorted({*languages()} - {"en"}))
def test_translations_stand_in_the_order_of_their_english(language: str) -> None:
    assert list(translations(language)) == sorted(translations(language))


def test_chinese_is_chinese() -> None:
    same = {english for english, text in translations("zh").items() if text.isascii()}

    assert same == {"guards", "observers", "'{words}'", "{table}.{column}", "  {row}"}
