"""Text in terminal cells: how wide it is, how to align and cut it, how to make it safe to print.

A Chinese character takes two cells, a combining mark none. Widths follow the categories and the
East Asian widths of `unicodedata` [1]_; characters of ambiguous width (``–``, ``…``, ``·``) count
one cell, as terminals show them outside the old East Asian encodings.

References
----------
.. [1] Unicode Standard Annex #11, East Asian Width. https://www.unicode.org/reports/tr11/
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

_SOFT_HYPHEN = "\u00ad"
_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_STYLE = "\ufe0f"  # variation selector 16: show the character before as an emoji
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)  # two of them make a flag
# Of characters newer than this Python's Unicode, those of these blocks are wide: emoji, ideographs.
_EMOJI_BLOCKS = range(0x1F300, 0x1FB00)
_IDEOGRAPH_PLANES = range(0x20000, 0x3FFFE)
# Vowels and finals of Hangul, drawn into the syllable before them.
_HANGUL_JOINING = frozenset({*range(0x1160, 0x1200), *range(0xD7B0, 0xD800)})
# Characters that emoji style widens though they are no pictographs (as in the keycap 1️⃣).
_EMOJI_CAPABLE = frozenset("#*0123456789‼⁉ℹ↔◻◼⤴⤵")

# Embeddings, overrides and isolates: unclosed, they reorder what follows the text.
BIDI_NESTING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Bidirectional controls that reach beyond their text."""
_BIDI_MARKS = "\u061c\u200e\u200f"

SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
"""Translation of lone surrogates, which no encoding can write, to the replacement character."""

_PLAIN: dict[int, str | None] = {
    **SURROGATES,
    **{code: chr(0x2400 + code) for code in range(0x20)},  # the picture of the control: ␛ for ESC
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys(map(ord, "\t\n\v\f\r\x85\u2028\u2029"), " "),
    **dict.fromkeys(map(ord, BIDI_NESTING + _BIDI_MARKS)),
}

Alignment = Literal["left", "right", "center"]


def plain(text: str) -> str:
    """Return untrusted text as one harmless line of a terminal.

    Line breaks and tabs become spaces. Other control characters become visible (an escape sequence
    shows as ``␛[31m`` and colours nothing), lone surrogates become U+FFFD, and bidirectional
    controls, with which a name could reorder the line around it, are removed.
    """
    if text.isprintable():
        return text
    return text.replace("\r\n", "\n").translate(_PLAIN)


def display_width(text: str) -> int:
    """Return the number of terminal cells that `text` takes.

    East Asian wide and fullwidth characters and emoji take 2; combining marks, format and control
    characters take 0. An emoji made of several characters (joined, with a skin tone, a flag, a
    keycap) takes 2 as a whole. Escape sequences are not understood: give text that went through
    `plain`.
    """
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(cells for _, cells in _clusters(text))


def pad(text: str, width: int, align: Alignment = "left") -> str:
    """Return `text` with spaces added to fill `width` cells; wider text stays as it is.

    Parameters
    ----------
    text : str
    width : int
        Cells to fill.
    align : {"left", "right", "center"}
        Where the text stands; centred text with an odd space over has it on the right.

    Raises
    ------
    ValueError
        If `align` is none of these.
    """
    space = max(width - display_width(text), 0)
    match align:
        case "left":
            return text + " " * space
        case "right":
            return " " * space + text
        case "center":
            return " " * (space // 2) + text + " " * (space - space // 2)
        case _:
            raise ValueError(f"align is 'left', 'right' or 'center', not {align!r}")


def truncate(text: str, width: int, ellipsis: str = "…") -> str:
    """Return `text` cut to at most `width` cells, with `ellipsis` at the cut.

    Text that fits is returned as it is. What is drawn as one (a letter with its marks, an emoji of
    several characters) is kept or left out as a whole, so the result may be a cell narrower than
    `width`. An `ellipsis` wider than `width` is left out.

    Raises
    ------
    ValueError
        If `width` is negative.
    """
    if width < 0:
        raise ValueError(f"text is cut to 0 cells or more, not {width}")
    if display_width(text) <= width:
        return text
    room = width - display_width(ellipsis)
    if room < 0:
        room, ellipsis = width, ""
    kept = []
    for cluster, cells in _clusters(text):
        if cells > room:
            break
        room -= cells
        kept.append(cluster)
    return "".join(kept) + ellipsis


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield the parts of `text` that are drawn as one, each with its cells."""
    start, cells = 0, 0
    for index, character in enumerate(text):
        if index and _continues(text, start, index):
            if character == _EMOJI_STYLE and _takes_emoji_style(text[start]):
                cells = 2
            elif ord(character) in _FLAG_LETTERS:
                cells += 1
        else:
            if index:
                yield text[start:index], cells
            start, cells = index, _cells(character)
    if text:
        yield text[start:], cells


def _continues(text: str, start: int, index: int) -> bool:
    """Return whether the character at `index` is drawn into the cluster that began at `start`."""
    first, previous, character = text[start], text[index - 1], text[index]
    if _cells(character) == 0:
        return True
    if ord(character) in _FLAG_LETTERS:
        return index == start + 1 and ord(first) in _FLAG_LETTERS
    joined = previous == _ZERO_WIDTH_JOINER and _is_pictograph(character)
    return (joined or ord(character) in _SKIN_TONES) and _is_pictograph(first)


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    """Return the cells of a character that stands alone."""
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf", "Cc", "Zl", "Zp"}:
        return 1 if character == _SOFT_HYPHEN else 0
    if ord(character) in _HANGUL_JOINING:
        return 0
    if category == "Cn":
        code = ord(character)
        return 2 if code in _EMOJI_BLOCKS or code in _IDEOGRAPH_PLANES else 1
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_pictograph(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "So" or (category == "Cn" and ord(character) in _EMOJI_BLOCKS)


def _takes_emoji_style(character: str) -> bool:
    return _is_pictograph(character) or character in _EMOJI_CAPABLE
