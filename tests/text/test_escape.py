"""Text made safe for HTML, Markdown and spreadsheets."""

from __future__ import annotations

import html
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.text.escape import escape_html, escape_markdown, neutralise_formula
from salesfunnel.text.width import plain

SPECIAL = "&<>\"'\\`*_|~$[]()!#;=+-@＝＋－＠ \t\r\n\x00\x1b\ufeff\u202e\ud800"
MARKUP = [*SPECIAL, "ab", "中", "5", "1.5"]
texts = st.lists(st.sampled_from(MARKUP) | st.characters(exclude_categories=())).map("".join)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("报价与谈判", "报价与谈判"),
        ("R&D <b>", "R&amp;D &lt;b&gt;"),
        ("\"a\" 'b'", "&quot;a&quot; &#x27;b&#x27;"),
        ("&amp;", "&amp;amp;"),
        ("a\nb\tc", "a\nb\tc"),
        ("a\x00b\x1bc\x85d\ud800e", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("\u202eabc\u2066", "abc"),
        ("\u200fשלום\u200f", "\u200fשלום\u200f"),
    ],
)
def test_html_is_escaped(text: str, escaped: str) -> None:
    assert escape_html(text) == escaped


@given(texts)
def test_escaped_html_has_no_markup_left(text: str) -> None:
    escaped = escape_html(text)

    assert not set(escaped) & set("<>\"'")
    assert "&" not in re.sub("&(amp|lt|gt|quot|#x27);", "", escaped)
    assert escaped.encode().decode() == escaped


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs"])))
def test_a_browser_shows_what_was_escaped(text: str) -> None:
    assert html.unescape(escape_html(text)) == text


@given(texts)
def test_escaped_html_stays_inside_a_quoted_attribute(text: str) -> None:
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, [name for name, _ in attrs]))

    parser = Tags()
    parser.feed(
        f"<td title=\"{escape_html(text)}\" lang='{escape_html(text)}'>{escape_html(text)}</td>"
    )
    parser.close()

    assert tags == [("td", ["title", "lang"])]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("李娜", "李娜"),
        ("lead_identification", "lead_identification"),
        ("_private_ a__b", r"\_private\_ a\_\_b"),
        ("a|b", r"a\|b"),
        ("`code` *bold* ~~gone~~", r"\`code\` \*bold\* \~\~gone\~\~"),
        ("$5 or $6", r"\$5 or \$6"),
        ("[x](http://example.com)", r"\[x\](http://example.com)"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("two\r\nlines", "two lines"),
        (r"C:\new", r"C:\\new"),
        ("\x1b[31m", r"␛\[31m"),
    ],
)
def test_markdown_is_escaped(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


@given(texts)
def test_a_markdown_renderer_shows_the_cell_as_it_was(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    renderer = markdown_it.MarkdownIt("gfm-like", {"linkify": False})

    table = f"| a | b |\n| --- | --- |\n| {escape_markdown(text)} | end |"
    rendered = renderer.render(table)

    cells = re.findall("<td>(.*?)</td>", rendered)
    # Renderers trim a cell.
    assert [html.unescape(cell).strip() for cell in cells] == [plain(text).strip(), "end"]


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-1+1",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1",
        "\tanything",
        "\ranything",
        "\nanything",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(A1)",
        "﹦1",
        " =1",
        "\u3000=1",
        "\ufeff=1",
        "\x00=1",
        "-",
        "+86 138 0000 0000",
        "-5\n=1",
        "-1,23",
        "-٥",
    ],
)
def test_a_cell_that_may_start_a_formula_is_neutralised(cell: str) -> None:
    assert neutralise_formula(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell",
    ["", " ", "李娜", "a=b", "1-2", "'=1", "–", "N/A", "2024-03-05"],
)
def test_other_text_stays(cell: str) -> None:
    assert neutralise_formula(cell) == cell


@pytest.mark.parametrize(
    "cell",
    [
        "-5",
        "+3.2e4",
        "-0.5",
        "-.5",
        "-5.",
        "-1,234,567.50",
        "-3.0%",
        "+8613800000000",
        "-1E-7",
        " -5 ",
    ],
)
def test_plain_numbers_stay_numbers(cell: str) -> None:
    assert neutralise_formula(cell) == cell


@given(st.floats(-1e300, 1e300) | st.integers(-(10**30), 10**30))
def test_every_number_that_python_writes_stays(number: float) -> None:
    for cell in (str(number), f"{number:+}", f"{number:,}", f"{number:e}", f"{number:.1%}"):
        assert neutralise_formula(cell) == cell


@given(texts)
def test_a_neutralised_cell_starts_no_formula(cell: str) -> None:
    safe = neutralise_formula(cell)

    is_number = set(safe) <= set("+-0123456789.,eE% ") and any(map(str.isdigit, safe))
    visible = "".join(c for c in safe if unicodedata.category(c) not in {"Cc", "Cf"}).lstrip()
    assert is_number or not visible.startswith(tuple("=+-@＝＋－＠"))
    assert not safe.startswith(("\t", "\r", "\n"))
    assert neutralise_formula(safe) == safe
    assert safe in (cell, "'" + cell)
