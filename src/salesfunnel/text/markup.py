"""Fragments of HTML for notebooks: tables and facts, escaped, readable without style or script.

Jupyter and VS Code show them with the notebook's own style. GitHub takes scripts and styles away,
so that nothing may depend on either; what it leaves, such as ``align``, is said as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isinf

from salesfunnel.text.escape import escape_html
from salesfunnel.text.width import display_width

SORT = (
    "<script>(function(){"
    "document.querySelectorAll('table.salesfunnel[data-sort=\"\"]').forEach(function(table){"
    "table.dataset.sort='on';var heads=Array.from(table.tHead.rows[0].cells);"
    "heads.forEach(function(head,at){head.tabIndex=0;head.style.cursor='pointer';"
    "function value(row){var cell=row.cells[at];"
    "return 'v' in cell.dataset?(cell.dataset.v===''?null:Number(cell.dataset.v)):"
    "cell.textContent;}"
    "function sort(){var up=head.getAttribute('aria-sort')!=='ascending';"
    "heads.forEach(function(other){other.removeAttribute('aria-sort');});"
    "head.setAttribute('aria-sort',up?'ascending':'descending');"
    "Array.from(table.tBodies[0].rows).map(function(row){return [value(row),row];})"
    ".sort(function(a,b){if(a[0]===null||b[0]===null)return (a[0]===null)-(b[0]===null);"
    "var order=typeof a[0]==='number'?a[0]-b[0]:a[0].localeCompare(b[0]);"
    "return up?order:-order;})"
    ".forEach(function(pair){table.tBodies[0].appendChild(pair[1]);});}"
    "head.addEventListener('click',sort);"
    "head.addEventListener('keydown',function(event){"
    "if(event.key==='Enter'||event.key===' '){event.preventDefault();sort();}});"
    "});});})();</script>"
)
"""Makes the headers of tables with ``data-sort=""`` sort their rows, by mouse or by keyboard."""


_SHORT, _BREAKS = 16, frozenset(" -–")
"""Cells of a terminal that a text takes which is not broken into lines, and where it would be."""


class Html(str):
    """A fragment of HTML: a notebook shows what it says, and templates do not escape it again."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)

    def __html__(self) -> str:
        return str(self)


def html_table(
    lang: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    is_number: Sequence[bool],
    *,
    caption: str | None = None,
    values: Sequence[Sequence[float | None] | None] | None = None,
    shares: Sequence[Sequence[float]] | None = None,
    row_headers: bool = False,
) -> str:
    """Return a table; every text in it is escaped.

    Parameters
    ----------
    lang : str
        The language of the texts.
    header : sequence of str
    rows : iterable of sequence of str
    is_number : sequence of bool
        For each column whether it is of numbers, which stand to the right.
    caption : str, optional
    values : sequence, optional
        For each column the numbers that its rows are sorted by, None where there is none; or None
        for a column that is sorted by its texts. With them the table is one that `SORT` sorts.
    shares : sequence of sequence of float, optional
        For each row how strongly each cell is coloured, from 0 to 1.
    row_headers : bool
        Whether the first cell of a row is its header.
    """
    sides = ["right" if right else "left" for right in is_number]

    def cell(row: int, column: int, text: str) -> str:
        tag, side = "td", sides[column]
        style, more = f"text-align:{side}", f' align="{side}"'
        # A number stays on one line, and so does a short name: 30.0% (27–33), 2025-11.
        # Chinese would be broken between any two characters.
        cells = display_width(text)
        breaks = cells > len(text) or not _BREAKS.isdisjoint(text)
        if breaks and (is_number[column] or cells <= _SHORT):
            style += ";white-space:nowrap"
        if row_headers and column == 0:
            tag = "th"
            more += ' scope="row"'
        if values is not None and (numbers := values[column]) is not None:
            number = numbers[row]
            more += f' data-v="{"" if number is None else _brief(number)}"'
        if shares is not None and (share := shares[row][column]) > 0:
            style += f";background:rgba(0,114,178,{share:.2f})"
        return f'<{tag}{more} style="{style}">{escape_html(text)}</{tag}>'

    head = "".join(
        f'<th align="{side}" scope="col" style="text-align:{side}">{escape_html(text)}</th>'
        for text, side in zip(header, sides, strict=True)
    )
    body = "".join(
        f"<tr>{''.join(cell(row, column, text) for column, text in enumerate(texts))}</tr>"
        for row, texts in enumerate(rows)
    )
    sort = "" if values is None else ' data-sort=""'
    parts = [f'<table class="salesfunnel" lang="{escape_html(lang)}"{sort}>']
    if caption is not None:
        parts.append(f"<caption>{escape_html(caption)}</caption>")
    parts += [f"<thead><tr>{head}</tr></thead>", f"<tbody>{body}</tbody>", "</table>"]
    return "\n".join(parts)


def _brief(number: float) -> str:
    """Return a number, exactly if it is whole, and else as exactly as rows need to be in order."""
    if isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return str(int(number)) if number.is_integer() else f"{number:.9g}"


def html_facts(title: str | None, facts: Iterable[str]) -> str:
    """Return a line of facts, after a title in bold if there is one."""
    parts = [] if title is None else [f"<b>{escape_html(title)}</b>"]
    parts += map(escape_html, facts)
    return f"<p>{' · '.join(parts)}</p>"


def html_notes(notes: Iterable[str]) -> str:
    """Return notes, each a paragraph in small print."""
    return "\n".join(f"<p><small>{escape_html(note)}</small></p>" for note in notes)


def html_details(summary: str, items: Iterable[str]) -> str:
    """Return a list that opens when its summary is clicked."""
    listed = "".join(f"<li>{escape_html(item)}</li>" for item in items)
    return f"<details><summary><b>{escape_html(summary)}</b></summary><ul>{listed}</ul></details>"
