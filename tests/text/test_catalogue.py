"""The words that people read, in every language."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from string import Formatter

import pytest

from salesfunnel.errors import MissingTextError, SalesFunnelError, UnknownLanguageError
from salesfunnel.text.catalogue import (
    Catalogue,
    Text,
    catalogue,
    default_language,
    languages,
    resolve,
)

GROUPS = {
    *("column", "header", "state", "status", "mode", "title", "note", "report", "value"),
    *("rule", "currency", "number", "date", "duration"),
    *("chart", "finding", "progress", "section", "page", "cli", "notebook"),
}


def texts_of(language: str) -> dict[str, Text]:
    """The file of a language; a key that stands there twice fails."""

    def distinct(pairs: list[tuple[str, Text]]) -> dict[str, Text]:
        keys = [key for key, _ in pairs]
        assert sorted(set(keys)) == sorted(keys)
        return dict(pairs)

    content = (files("salesfunnel.text") / "locale" / f"{language}.json").read_text("utf-8")
    texts: dict[str, Text] = json.loads(content, object_pairs_hook=distinct)
    texts.pop("errors", None)  # tests/text/test_messages.py looks at these
    return texts


def templates(text: Text) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def fields(text: Text) -> Iterator[tuple[str, str]]:
    """The fields of a text, each with its format."""
    for template in templates(text):
        for _, name, form, _ in Formatter().parse(template):
            if name is not None:
                yield name, form or ""


def test_the_languages_are_the_files_there_are() -> None:
    assert languages() == ("en", "zh")
    assert default_language() in languages()


@pytest.mark.parametrize("language", languages())
def test_every_language_has_the_same_keys(language: str) -> None:
    assert list(texts_of(language)) == list(texts_of("en"))


@pytest.mark.parametrize("language", languages())
def test_every_language_has_the_same_fields(language: str) -> None:
    english = {key: {name for name, _ in fields(text)} for key, text in texts_of("en").items()}
    here = {key: {name for name, _ in fields(text)} for key, text in texts_of(language).items()}

    assert here == english


@pytest.mark.parametrize("language", languages())
def test_the_keys_are_sorted_and_of_a_known_group(language: str) -> None:
    keys = list(texts_of(language))

    assert keys == sorted(keys)
    assert {key.partition(".")[0] for key in keys} == GROUPS


@pytest.mark.parametrize("language", languages())
def test_every_text_can_be_filled_in(language: str) -> None:
    for key, text in texts_of(language).items():
        values = {name: 1234 if form else "x" for name, form in fields(text)}
        assert all(name.isidentifier() for name in values), key
        filled = catalogue(language).text(key, **values)
        assert filled == filled.strip() != "", key


@pytest.mark.parametrize("language", languages())
def test_plural_forms_are_one_and_other_by_count(language: str) -> None:
    for key, text in texts_of(language).items():
        if not isinstance(text, str):
            assert set(text) == {"one", "other"}, key
            assert all("count" in dict(fields(form)) for form in text.values()), key


def test_chinese_has_no_plural_forms() -> None:
    assert all(isinstance(text, str) for text in texts_of("zh").values())


def test_the_terms_are_those_of_the_field() -> None:
    keys = ["opportunities", "conversion_rate", "loss_rate", "win_rate", "sales_cycle", "reason"]

    assert [catalogue("zh").header(key) for key in keys] == [
        *("商机数量", "转化率", "商机流失率", "赢单率", "销售周期", "流失原因"),
    ]


def test_a_text_is_filled_in_with_its_fields() -> None:
    assert catalogue("en").text("note.as_of", as_of="2024-03-05") == "As of 2024-03-05."
    assert catalogue("zh").text("note.as_of", as_of="2024-03-05") == "数据截至 2024-03-05。"


def test_values_are_taken_as_they_are() -> None:
    given = Catalogue("en", {"a": "{key} of {self}"})

    assert given.text("a", key="{x}", self="{0.__class__}") == "{x} of {0.__class__}"


@pytest.mark.parametrize(
    ("lang", "count", "text"),
    [
        ("en", 0, "0 opportunities"),
        ("en", 1, "1 opportunity"),
        ("en", 1234, "1,234 opportunities"),
        ("zh", 1, "1 个商机"),
        ("zh", 1234, "1,234 个商机"),
    ],
)
def test_count_chooses_the_plural_form(lang: str, count: int, text: str) -> None:
    assert catalogue(lang).text("report.opportunities", count=count) == text


def test_a_language_may_have_one_form_for_every_count() -> None:
    given = Catalogue("xx", {"a": {"other": "{count} x"}})

    assert [given.text("a", count=count) for count in (1, 2)] == ["1 x", "2 x"]


def test_a_missing_text_names_key_and_language() -> None:
    with pytest.raises(KeyError, match=r"no text 'title\.nothing' in language 'zh'") as caught:
        catalogue("zh").text("title.nothing")

    assert isinstance(caught.value, MissingTextError)


def test_a_missing_field_names_text_language_and_field() -> None:
    with pytest.raises(
        MissingTextError, match=r"'note\.as_of' in language 'en' needs .* 'as_of'; given: none"
    ):
        catalogue("en").text("note.as_of")


def test_a_plural_text_needs_its_count() -> None:
    with pytest.raises(
        MissingTextError, match=r"'report\.entries' .* needs .* 'count'; given: number"
    ):
        catalogue("en").text("report.entries", number=1)


def test_a_catalogue_knows_which_texts_it_has() -> None:
    assert "column.entered" in catalogue("en")
    assert "column.nothing" not in catalogue("en")
    assert repr(Catalogue("xx", {"a": "b"})) == "<Catalogue xx: 1 texts>"


@pytest.mark.parametrize(
    ("column", "english", "chinese"),
    [
        ("entered", "Entered", "进入"),
        ("from", "From", "转自"),
        ("win_rate_low", "Win rate, low", "赢单率下限"),
        ("conversion_rate_denominator", "Conversion rate, denominator", "转化率分母"),
        ("low", "Low", "下限"),
    ],
)
def test_columns_have_headers(column: str, english: str, chinese: str) -> None:
    assert catalogue("en").header(column) == english
    assert catalogue("zh").header(column) == chinese


@pytest.mark.parametrize(
    ("column", "header"),
    [
        ("deal_owner", "Deal owner"),
        ("very_low", "Very low"),
        ("商机阶段", "商机阶段"),
        ("_low", "Low"),
    ],
)
def test_columns_of_the_users_data_show_their_own_name(column: str, header: str) -> None:
    assert catalogue("en").header(column) == header
    assert catalogue("zh").header(column) == header


@pytest.mark.parametrize(
    ("lang", "language"),
    [
        ("en", "en"),
        ("en_US", "en"),
        ("en-GB", "en"),
        ("EN", "en"),
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zh_CN.UTF-8", "zh"),
        ("zh_CN.gb18030@pinyin", "zh"),
        ("zh-Hans-CN", "zh"),
    ],
)
def test_names_of_locales_lead_to_the_language(lang: str, language: str) -> None:
    assert resolve(lang) == language
    assert catalogue(lang) is catalogue(language)
    assert catalogue(lang).language == language


@pytest.mark.parametrize(
    "lang", ["fr", "C", "C.UTF-8", "POSIX", "", "english", "../en", "z", "-zh"]
)
def test_an_unknown_language_is_refused_with_those_there_are(lang: str) -> None:
    for function in (resolve, catalogue):
        with pytest.raises(ValueError, match="give one of: en, zh") as caught:
            function(lang)
        assert isinstance(caught.value, UnknownLanguageError)
        assert isinstance(caught.value, SalesFunnelError)
        assert repr(lang) in str(caught.value)


def test_the_default_language_does_not_depend_on_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("LANG", "LC_ALL", "LANGUAGE"):
        monkeypatch.setenv(variable, "zh_CN.UTF-8")

    assert default_language() == "en"


def test_a_language_is_read_on_its_first_use() -> None:
    script = """if True:
        import sys
        from pathlib import Path
        opened = []
        sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
        read = lambda: [Path(name).name for name in opened if name.endswith(".json")]
        from salesfunnel.text.catalogue import catalogue
        from salesfunnel.text import escape, numbers, times, width
        assert read() == [], read()
        catalogue("zh")
        catalogue("zh-CN")
        assert read() == ["zh.json"], read()
    """
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
