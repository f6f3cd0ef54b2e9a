"""Words that know what they are made of: they are texts, and go wherever texts go."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from salesfunnel.errors import DefinitionError
from salesfunnel.wording import Listed, Wording, wording_of

COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda value, p=p: pickle.loads(pickle.dumps(value, p))  # noqa: S301
        for p in range(2, 6)
    ),
]


def test_a_wording_is_its_english_text() -> None:
    words = Wording("{name} is one of {n:,}, not {given!r}", name="late=", n=1200, given="x")

    assert words == "late= is one of 1,200, not 'x'"
    assert str(words) == words
    assert type(str(words)) is str
    assert json.dumps([words]) == "[\"late= is one of 1,200, not 'x'\"]"
    assert words.template == "{name} is one of {n:,}, not {given!r}"
    assert words.fields == {"name": "late=", "n": "1,200", "given": "'x'"}


def test_without_fields_a_wording_is_the_text_as_it_stands() -> None:
    words = Wording("give {'a': 1} or {")

    assert words == "give {'a': 1} or {"
    assert words.fields == {}


def test_with_fields_braces_are_doubled_as_in_format() -> None:
    assert Wording("give {{'{key}': 1}}", key="a") == "give {'a': 1}"


def test_a_field_that_is_used_twice_is_filled_in_twice() -> None:
    assert Wording("{a}, {b} and {a!s}", a=1, b="x") == "1, x and 1"


def test_a_field_without_a_value_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="b"):
        Wording("{a} {b}", a=1)


def test_fields_keep_no_values_but_their_texts() -> None:
    given = [1]
    words = Wording("not {given!r}, {given}", given=given)
    given.append(2)

    assert words == "not [1], [1]"
    assert all(isinstance(text, str) for text in words.fields.values())


def test_a_field_can_be_said_in_another_language_itself() -> None:
    inner = Wording("{n} stages", n=2)
    words = Wording("leaves out {stages} ({names})", stages=inner, names=Listed(["a", "b"]))

    assert words == "leaves out 2 stages (a, b)"
    assert words.fields["stages"] is inner
    assert isinstance(words.fields["names"], Listed)


def test_a_wording_of_a_wording_is_the_same() -> None:
    words = Wording("{n} stages", n=2)

    assert Wording(words) is words


def test_a_list_stands_in_the_place_of_nothing_where_it_is_empty() -> None:
    assert (Listed([]) or Wording("none")) == "none"
    assert Listed(["a", 1, "c"], " or ") == "a or 1 or c"


@pytest.mark.parametrize("copied", COPIES)
def test_copies_know_what_they_are_made_of(copied: Callable[[Any], Any]) -> None:
    listed = Listed(["a", Wording("{n} stages", n=2)], " or ")
    words = Wording("{path} is {known}: {plain!r}", path="x.csv", known=listed, plain="{}")
    other = copied(words)

    assert other == words == "x.csv is a or 2 stages: '{}'"
    assert other.template == words.template
    assert other.fields == words.fields
    assert other.fields["known"].parts == ("a", "2 stages")
    assert other.fields["known"].between == " or "
    assert other.fields["known"].parts[1].template == "{n} stages"


def test_an_error_in_a_message_keeps_its_words() -> None:
    inner = DefinitionError("{n} is too many", n=3)
    words = Wording("{path}: {error}", path="x.json", error=inner)

    assert words == "x.json: 3 is too many"
    assert words.fields["error"] is inner.words


def test_words_of_errors_are_found_where_they_have_some() -> None:
    words = Wording("it is nested too deeply")

    assert wording_of(ValueError(words)) is words
    assert wording_of(DefinitionError("plain")) == "plain"
    assert wording_of(OSError(2, "No such file")) == "[Errno 2] No such file"
    assert wording_of(KeyError("a")) == "'a'"


def test_an_error_says_what_its_words_say() -> None:
    error = DefinitionError("{name} is a text, not {given!r}", name="owner", given=4)
    bare = DefinitionError("stages are {'a': 1}")

    assert str(error) == "owner is a text, not 4"
    assert error.args == ("owner is a text, not 4",)
    assert error.words == str(error)
    assert str(bare) == "stages are {'a': 1}"
    assert str(DefinitionError()) == ""
