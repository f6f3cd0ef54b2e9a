"""Text made safe for where it is written: HTML, Markdown, a spreadsheet."""

from __future__ import annotations

import re
import unicodedata

from salesfunnel.text.width import BIDI_NESTING, SURROGATES, plain

_HTML: dict[int, str | None] = {
    **SURROGATES,
    # HTML has no control characters but white space; a page with a NUL or an ESC in it is invalid.
    **dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - set(map(ord, "\t\n\r")), "\ufffd"),
    **dict.fromkeys(map(ord, BIDI_NESTING)),
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
    ord("'"): "&#x27;",
}

_MARKDOWN_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}

# The patterns are strings, so that `re` compiles them on first use and not on import.
# An underscore inside a word (``lead_identification``) opens no emphasis and stays readable.
_MARKDOWN_SPECIAL = r"[\\`*|~$\[\]]|(?<![^\W_])_|_(?![^\W_])"

# Digits as a spreadsheet reads them: -5  +3.2e4  -1,234.50  -3.0%
_NUMBER = r"(?a)[+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?%?"


def escape_html(text: str) -> str:
    """Return `text` for use in HTML, as content or inside a quoted attribute.

    ``&``, ``<``, ``>`` and both quotes become references. What a page cannot hold (control
    characters, lone surrogates) becomes U+FFFD, and bidirectional embeddings, overrides and
    isolates, which would reorder the text after it, are removed.
    """
    return text.translate(_HTML)


def escape_markdown(text: str) -> str:
    """Return `text` for one cell of a Markdown table: no markup, no HTML, no line breaks.

    The cell needs a space before the bar that ends it. Escapes follow GitHub Flavored Markdown
    [1]_; ``$`` is escaped too, for the renderers that read mathematics between two of them.

    References
    ----------
    .. [1] GitHub Flavored Markdown Spec, 4.10 Tables and 6.1 Backslash escapes. https://github.github.com/gfm/
    """
    return re.sub(_MARKDOWN_SPECIAL, r"\\\g<0>", plain(text)).translate(_MARKDOWN_ENTITIES)


def neutralise_formula(cell: str) -> str:
    """Return the content of a CSV cell such that no spreadsheet takes it for a formula.

    A cell that starts with ``=``, ``+``, ``-``, ``@`` or one of their fullwidth forms, after white
    space and invisible characters or not, or with a tab or a line break, gets an apostrophe in
    front [1]_. Plain numbers (``-5``, ``+3.2e4``, ``-1,234.50``, ``-3.0%``) stay numbers.

    References
    ----------
    .. [1] OWASP, CSV Injection. https://owasp.org/www-community/attacks/CSV_Injection
    """
    if _starts_formula(cell) and not re.fullmatch(_NUMBER, cell.strip(" ")):
        return "'" + cell
    return cell


def _starts_formula(cell: str) -> bool:
    if cell.startswith(("\t", "\r", "\n")):
        return True
    for character in cell:
        if character.isspace() or unicodedata.category(character) in {"Cf", "Cc"}:
            continue
        # Compatibility forms (＝ U+FF1D, ﹦ U+FE66 …) fold to the sign that they are a form of.
        return unicodedata.normalize("NFKC", character) in {"=", "+", "-", "@"}
    return False
