"""The page: a report as one file of HTML that needs nothing beside itself."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256, sha384
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from salesfunnel.errors import DefinitionError, MissingExtraError
from salesfunnel.show.cards import cards
from salesfunnel.show.charts import Chart, charts
from salesfunnel.show.plots.palette import DARK, FONT, LIGHT, Palette, recolouring, template
from salesfunnel.show.sections import Section
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.escape import escape_html
from salesfunnel.wording import Listed, Wording

if TYPE_CHECKING:
    from jinja2 import Template

    from salesfunnel.show.report import Report

PLOTLY = ("inside", "link")
_FOLDED = ("losses_by_stage", "trend", "control_chart")
"""Tables that say what a picture beside them says, at length: they open on request."""
# What ends a script, or a line of one, is written as an escape in it.
_IN_SCRIPT = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


class Shown(NamedTuple):
    """A table on the page: its fragment of HTML, its title, how many rows are left out."""

    key: str
    title: str
    html: Any
    more: int
    folded: bool


def page(report: Report, lang: str, plotly: str) -> str:
    """Return a report as a page in a language, with plotly's script inside or linked.

    Raises
    ------
    MissingExtraError
        If plotly or jinja2 is not installed.
    DefinitionError
        If `plotly` is none of `PLOTLY`.
    """
    if plotly not in PLOTLY:
        raise DefinitionError(
            "plotly= is one of {known}, not {plotly!r}", known=Listed(PLOTLY), plotly=plotly
        )
    try:
        from markupsafe import Markup
        from plotly.offline import get_plotlyjs, get_plotlyjs_version
    except ImportError as error:
        raise MissingExtraError(Wording("an HTML report"), "report") from error
    page_template, words = _template(), catalogue(lang)

    sections = []
    pictures: list[Chart] = []
    for section in report.sections:
        drawn = charts(report, section, lang)
        pictures += drawn
        sections.append(
            {
                "key": section.key,
                "title": section.title(lang),
                "cards": cards(report, section, lang) if section.key == "headline" else [],
                "charts": drawn,
                "tables": _tables(section, lang),
            }
        )
    script, library = _file("page.js"), get_plotlyjs()
    return page_template.render(
        lang=lang,
        text=words.text,
        facts=[fact.text(lang) for fact in report.facts],
        findings=[
            [part.text(lang) for part in (found.claim, found.evidence, found.uncertainty)]
            for found in report.findings
        ],
        sections=sections,
        notes=[note.text(lang) for note in report.notes],
        figures=Markup(_figures(pictures)),
        style=Markup(_colours() + _file("page.css")),
        script=Markup(script),
        library=Markup(library) if plotly == "inside" else None,
        link=f"https://cdn.plot.ly/plotly-{get_plotlyjs_version()}.min.js",
        integrity="sha384-" + b64encode(sha384(library.encode()).digest()).decode(),
        policy=_policy([script, library] if plotly == "inside" else [script], plotly),
        markup=Markup,
    )


def _tables(section: Section, lang: str) -> list[Shown]:
    from markupsafe import Markup

    found = []
    for name in section.tables:
        if section.key == "headline":
            continue  # the cards have its numbers
        table, more = section.shown(name)
        title = table.title.text(lang) if table.title else ""
        html = Markup(table.to_html(lang, notes=False))
        found.append(Shown(name, title, html, more, name in _FOLDED))
    return found


def _figures(pictures: list[Chart]) -> str:
    """Return what the page's script draws, as JSON that can stand in a page."""
    content = {
        "figures": [
            {"id": f"chart-{chart.key}", "data": chart.data, "layout": chart.layout}
            for chart in pictures
        ],
        "templates": {"light": template("light"), "dark": template("dark")},
        "dark": recolouring(),
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_IN_SCRIPT)


def _policy(scripts: list[str], plotly: str) -> str:
    """Return the content security policy: the page runs its own scripts and asks no network."""
    hashes = [
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts
    ]
    if plotly == "link":
        hashes.append("https://cdn.plot.ly")
    return (
        f"default-src 'none'; script-src {' '.join(hashes)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _colours() -> str:
    """Return the colours of the page, which are those of its pictures."""
    light, dark = _variables(LIGHT), _variables(DARK)
    return (
        f":root{{color-scheme:light dark;--font:{FONT};{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )


def _variables(palette: Palette) -> str:
    shown = ("ground", "text", "quiet", "grid", "won", "lost", "faint")
    return "".join(f"--{name}:{getattr(palette, name)};" for name in shown)


@cache
def _file(name: str) -> str:
    return (files("salesfunnel.show") / "template" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise MissingExtraError(Wording("an HTML report"), "report") from error

    def escaped(value: object) -> object:
        return value if isinstance(value, Markup) else Markup(escape_html(str(value)))

    environment = Environment(
        autoescape=True,
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(_file("page.html.j2"))
