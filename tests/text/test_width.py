"""Text in terminal cells."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.text.width import Alignment, display_width, pad, plain, truncate

# Names as CRMs hold them, and every character that makes widths hard, lone surrogates included.
AWKWARD = list("a é–…·中文。（Ａｱ각👍🏽👩💻🇨🇳❤1#\x00\x1b\t\n\x7f\x85\xad") + list(
    "\u0301\u20e3\u200d\ufe0f\u202e\ud800"
)
texts = st.text(st.sampled_from(AWKWARD) | st.characters(exclude_categories=()), max_size=20)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("needs analysis", 14),
        ("需求分析", 8),
        ("需求 analysis", 13),
        ("（，）", 6),
        ("ＡＢ", 4),
        ("ｱｲ", 2),
        ("–…·", 3),
        ("\ufffd", 1),
    ],
)
def test_wide_characters_take_two_cells(text: str, cells: int) -> None:
    assert display_width(text) == cells


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        pytest.param("e\u0301", 1, id="combining accent"),
        pytest.param("\u0301", 0, id="combining accent alone"),
        pytest.param("a\u200bb\ufeff", 2, id="zero-width space and BOM"),
        pytest.param("\u202eabc\u2069", 3, id="bidi controls"),
        pytest.param("\x1b\x00\n\t\x85", 0, id="control characters"),
        pytest.param("co\u00adop", 5, id="soft hyphen, which terminals show"),
        pytest.param("\u1100\u1161\u11a8", 2, id="Hangul syllable in parts"),
        pytest.param("\ud800", 1, id="lone surrogate"),
        pytest.param("\u0378", 1, id="unassigned"),
        pytest.param("\U0003fffd", 2, id="ideograph that no Python knows yet"),
    ],
)
def test_what_is_drawn_into_its_neighbour_takes_no_cell(text: str, cells: int) -> None:
    assert display_width(text) == cells


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("👍", id="emoji"),
        pytest.param("👍🏽", id="skin tone"),
        pytest.param("👩\u200d💻", id="joined"),
        pytest.param("👩🏽\u200d💻", id="joined, with a skin tone"),
        pytest.param("👨\u200d👩\u200d👧\u200d👦", id="family"),
        pytest.param("🏳\ufe0f\u200d🌈", id="joined to emoji style"),
        pytest.param("❤\ufe0f", id="emoji style"),
        pytest.param("1\ufe0f\u20e3", id="keycap"),
        pytest.param("🇨🇳", id="flag"),
        pytest.param("🏴\U000e0067\U000e0062\U000e007f", id="flag by tags"),
        pytest.param("\U0001faff", id="emoji that no Python knows yet"),
    ],
)
def test_an_emoji_takes_two_cells_and_is_never_cut_in_half(text: str) -> None:
    assert display_width(text) == 2
    assert truncate(text + "abc", 3) == text + "…"
    assert truncate(text + "abc", 2) == "…"


def test_joiners_between_letters_change_no_width() -> None:
    assert display_width("a\u200db") == 2
    assert display_width("a\ufe0f") == 1
    assert display_width("中🏽") == 4


def test_two_flags_are_two_emoji() -> None:
    assert display_width("🇨🇳🇩🇪") == 4
    assert truncate("🇨🇳🇩🇪", 3) == "🇨🇳…"


@pytest.mark.parametrize(
    ("align", "padded"),
    [("left", "中文   "), ("right", "   中文"), ("center", " 中文  ")],
)
def test_padding_fills_the_cells_on_the_side_that_is_free(align: Alignment, padded: str) -> None:
    assert pad("中文", 7, align) == padded


def test_text_wider_than_the_cells_is_not_padded() -> None:
    assert pad("中文", 3) == "中文"


def test_an_unknown_alignment_is_refused() -> None:
    with pytest.raises(ValueError, match="'left', 'right' or 'center', not 'middle'"):
        pad("a", 3, "middle")  # type: ignore[arg-type]


@given(texts, st.integers(0, 30), st.sampled_from(["left", "right", "center"]))
def test_padding_gives_exactly_the_width(text: str, width: int, align: Alignment) -> None:
    padded = pad(text, width, align)

    assert display_width(padded) == max(width, display_width(text))
    assert padded.strip(" ") == text.strip(" ")


@pytest.mark.parametrize(
    ("text", "width", "ellipsis", "cut"),
    [
        ("quotation", 9, "…", "quotation"),
        ("quotation", 6, "…", "quota…"),
        ("报价与谈判", 7, "…", "报价与…"),
        ("报价与谈判", 6, "…", "报价…"),
        ("报价与谈判", 6, "...", "报..."),
        ("报价与谈判", 2, "...", "报"),
        ("e\u0301e\u0301e\u0301", 2, "…", "e\u0301…"),
        ("abc", 1, "…", "…"),
        ("abc", 0, "…", ""),
        ("", 0, "…", ""),
    ],
)
def test_text_is_cut_between_characters(text: str, width: int, ellipsis: str, cut: str) -> None:
    assert truncate(text, width, ellipsis) == cut


def test_text_cannot_be_cut_to_a_negative_width() -> None:
    with pytest.raises(ValueError, match="0 cells or more, not -1"):
        truncate("", -1)


@given(texts, st.integers(0, 30), st.sampled_from(["…", "...", "", "→"]))
def test_cut_text_never_exceeds_the_width(text: str, width: int, ellipsis: str) -> None:
    cut = truncate(text, width, ellipsis)

    assert display_width(cut) <= width
    assert cut == text or text.startswith(cut.removesuffix(ellipsis))


@given(texts, st.integers(2, 30))
def test_cut_text_loses_no_more_than_a_wide_character(text: str, width: int) -> None:
    if display_width(text) > width:
        assert display_width(truncate(text, width)) >= width - 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("李娜 (Li Na)", "李娜 (Li Na)"),
        ("two\nlines\r\nand\ta tab", "two lines and a tab"),
        ("next\x85line\u2028and\u2029paragraph", "next line and paragraph"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("nul\x00 del\x7f csi\x9b", "nul␀ del␡ csi\ufffd"),
        ("\u202eevil\u202c \u2067name\u2069 \u200emark\u200f\u061c", "evil name mark"),
        ("half\ud83d", "half\ufffd"),
        ("👩\u200d💻 ❤\ufe0f", "👩\u200d💻 ❤\ufe0f"),
        ("全角\u3000空格", "全角\u3000空格"),
    ],
)
def test_untrusted_text_becomes_one_harmless_line(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(texts)
def test_plain_text_has_no_controls_and_can_be_written(text: str) -> None:
    shown = plain(text)

    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.bidirectional(character) for character in shown} & {
        *("LRE", "RLE", "LRO", "RLO", "PDF"),
        *("LRI", "RLI", "FSI", "PDI"),
    }
    assert shown.encode().decode() == shown
    assert plain(shown) == shown


def test_a_long_run_of_combining_marks_is_measured_in_linear_time() -> None:
    # One cluster of a million characters: anything quadratic would not come back.
    assert display_width("e" + "\u0301" * 1_000_000) == 1
