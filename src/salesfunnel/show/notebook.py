"""The report in a notebook: its sentences and tables, without pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from salesfunnel.table.table import SORTABLE
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.escape import escape_html
from salesfunnel.text.markup import Html, html_details, html_facts, html_notes

if TYPE_CHECKING:
    from salesfunnel.show.report import Report


def report_html(report: Report, lang: str) -> Html:
    """Return a report as a fragment of HTML; its sections open and close."""
    words = catalogue(lang)
    parts = [html_facts(words.text("report.title"), (fact.text(lang) for fact in report.facts))]
    for section in report.sections:
        inner: list[str] = []
        if section.key == "findings":
            items = (f"<li>{escape_html(found.text(lang))}</li>" for found in report.findings)
            parts.append(f"<ol>{''.join(items)}</ol>")
            continue
        for name in section.tables:
            table, more = section.shown(name)
            sortable = len(table) >= SORTABLE
            inner.append(table.to_html(lang, notes=False, sortable=sortable))
            if more:
                inner.append(html_notes([words.text("report.more", count=more)]))
        if inner:
            is_open = " open" if section.key in ("headline", "funnel") else ""
            title = escape_html(section.title(lang))
            head = f"<summary><b>{title}</b></summary>"
            parts.append(f"<details{is_open}>{head}{''.join(inner)}</details>")
    if report.notes:
        title = words.text("section.definitions", by="")
        parts.append(html_details(title, (note.text(lang) for note in report.notes)))
    return Html("\n".join(parts))
