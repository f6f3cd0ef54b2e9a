"""The main job: everything that a log can say about its funnel, as text, Markdown or a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.grouped import as_of_note
from salesfunnel.periods import Period, from_microseconds
from salesfunnel.review.finding import Finding
from salesfunnel.review.findings import findings
from salesfunnel.show.notebook import report_html
from salesfunnel.show.page import page
from salesfunnel.show.sections import Question, Section, fitting_period, sections_of
from salesfunnel.table import Phrase, Table
from salesfunnel.text.catalogue import catalogue, default_language, resolve
from salesfunnel.text.escape import escape_markdown
from salesfunnel.text.markup import Html
from salesfunnel.text.width import plain


@attrs.frozen(slots=False)
class Report:
    """Sections of tables about one log, in the order in which people read them.

    Attributes
    ----------
    asked : Question
        What the report is of.
    facts : tuple of Phrase
        What the log is: entries and opportunities known at the instant, currency of the amounts,
        rows ignored and rejected.
    sections : tuple of Section
        Each with its ``key`` and ``tables``.
    findings : tuple of Finding
        Sentences that the report opens with; there are none where the data support none.
    """

    asked: Question = attrs.field(repr=False)
    facts: tuple[Phrase, ...]
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def tables(self) -> dict[str, Table]:
        """The tables of all sections, by name."""
        return {name: table for section in self.sections for name, table in section.tables.items()}

    @property
    def notes(self) -> tuple[Phrase, ...]:
        """The notes of all tables, once each, without what is among the facts."""
        every = (note for table in self.tables.values() for note in table.notes)
        found: dict[str, Phrase] = {}
        for note in every:
            if note.key not in ("note.as_of", "note.currency", "note.where"):
                found.setdefault(note.text(default_language()), note)
        return tuple(found.values())

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, lang: str | None = None) -> str:
        """Return the report as text for a terminal, with the notes of all tables at the end."""
        lang = resolve(lang or default_language())
        words = catalogue(lang)
        facts = " · ".join(plain(fact.text(lang)) for fact in self.facts)
        parts = [f"{words.text('report.title')}\n{facts}"]
        for section in self.sections:
            if section.key == "findings":
                parts += [words.text("section.findings")]
                parts += ["\n".join(finding.text(lang) for finding in self.findings)]
            for name in section.tables:
                table, more = section.shown(name)
                text = table.to_text(lang, notes=False)
                parts.append(f"{text}\n{words.text('report.more', count=more)}" if more else text)
            if section.key == "definitions" and self.notes:
                parts.append("\n".join(plain(note.text(lang)) for note in self.notes))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        return self.to_notebook()

    def to_notebook(self, lang: str | None = None) -> Html:
        """Return the report without its pictures as a fragment of HTML, by default in English.

        It is what a notebook shows of a report; as the last line of a cell it is shown in `lang`.
        """
        return report_html(self, resolve(lang or default_language()))

    def to_markdown(self, lang: str | None = None) -> str:
        """Return the report as Markdown, in the form of GitHub, with the definitions as a list."""
        lang = resolve(lang or default_language())
        words = catalogue(lang)

        def line(text: str) -> str:
            return escape_markdown(plain(text))

        parts = [
            f"# {line(words.text('report.title'))}",
            " · ".join(line(fact.text(lang)) for fact in self.facts),
        ]
        for section in self.sections:
            parts.append(f"## {line(section.title(lang))}")
            if section.key == "findings":
                parts.append("\n".join(f"- {line(f.text(lang))}" for f in self.findings))
            for name in section.tables:
                table, more = section.shown(name)
                if table.title:
                    parts.append(f"### {line(table.title.text(lang))}")
                parts.append(table.to_markdown(lang))
                if more:
                    parts.append(line(words.text("report.more", count=more)))
            if section.key == "definitions":
                parts.append("\n".join(f"- {line(note.text(lang))}" for note in self.notes))
            if section.key == "rejected" and not section.tables:
                parts.append(line(words.text("report.all_loaded")))
        return "\n\n".join(part for part in parts if part) + "\n"

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        lang: str | None = None,
        plotly: str = "inside",
    ) -> str:
        """Return the report as one page of HTML with pictures, and write it to a file if asked to.

        The page can be mailed and opened without a network: everything is in it.

        Parameters
        ----------
        path : str or Path, optional
        lang : str, optional
            By default English.
        plotly : {"inside", "link"}
            Whether plotly's script, 5 MB, is in the page, or fetched from its makers' server when
            the page is opened, which makes a small file that needs a network for its pictures.

        Returns
        -------
        str

        Raises
        ------
        MissingExtraError
            If plotly or jinja2 is not installed.
        DefinitionError, UnknownLanguageError
            If an argument is not of this form.
        """
        text = page(self, resolve(lang or default_language()), plotly)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8", newline="")
        return text


def report(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    mode: str = "reached",
    period: str | Period | None = None,
    sections: Iterable[str] | None = None,
) -> Report:
    """Return the report on a log.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to compare groups by.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    mode : {"reached", "actual", "strict"}
        How the stage table counts; see `metrics.stage_table`.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        Of the trend and of the change in the headline; by default the shortest that cuts the
        history into no more than 36 pieces.
    sections : iterable of str, optional
        Which sections, in which order: ``"findings"``, ``"headline"``, ``"funnel"``,
        ``"losses"``, ``"time"``, ``"groups"`` (with `by`), ``"trend"``, ``"pipeline"``,
        ``"stalled"``, ``"definitions"``, ``"rejected"``; by default all.

    Returns
    -------
    Report

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    if period is None:
        unit = fitting_period(log.view(as_of, where))
    else:
        unit = period if isinstance(period, Period) else Period(period)
    asked = Question(log, by, as_of, where, mode, unit)
    made = sections_of(asked, sections)
    found: tuple[Finding, ...] = ()
    if any(section.key == "findings" for section in made):
        found = findings(log, by=by, **asked.chosen)
    # It is silent where the data support no finding.
    shown = tuple(section for section in made if section.key != "findings" or found)
    return Report(asked, _facts(asked), shown, found)


def _facts(asked: Question) -> tuple[Phrase, ...]:
    log, view = asked.log, asked.view
    if not len(log):
        facts = [Phrase("report.empty")]
    else:
        facts = [
            Phrase("report.entries", {"count": view.n_entries}),
            Phrase("report.opportunities", {"count": len(view.opportunity)}),
        ]
        if view.as_of is not None:
            facts.append(Phrase("report.as_of", {"as_of": from_microseconds(view.as_of, log.tz)}))
        facts += [note for note in as_of_note(view) if note.key == "note.where"]
    if log.amounts is not None and log.currency is not None:
        facts.append(Phrase("report.currency", {"currency": log.currency}))
    if log.ignored:
        facts.append(Phrase("report.ignored", {"count": log.ignored}))
    if len(log.rejected):
        facts.append(Phrase("report.rejected", {"count": len(log.rejected)}))
    return tuple(facts)
