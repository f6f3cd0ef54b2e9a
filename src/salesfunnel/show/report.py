"""The main job: everything that a log can say about its funnel, on one page of text."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.conversion import stage_table
from salesfunnel.metrics.cycle import sales_cycle
from salesfunnel.metrics.loss import loss_table
from salesfunnel.metrics.summary import summary
from salesfunnel.periods import from_microseconds
from salesfunnel.table import Phrase, Table
from salesfunnel.text.catalogue import catalogue, default_language
from salesfunnel.text.width import plain


@attrs.frozen(slots=False)
class Report:
    """Tables about one log, in the order in which people read them.

    Attributes
    ----------
    facts : tuple of Phrase
        What the log is: entries and opportunities known at the instant, currency of the amounts,
        rows ignored and rejected.
    tables : dict of str to Table
        ``summary``, ``stages``, ``losses``, ``losses_by_stage``, ``sales_cycle``, and by group
        ``groups`` if one was asked for.
    """

    facts: tuple[Phrase, ...]
    tables: dict[str, Table]

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, lang: str | None = None) -> str:
        """Return the report as text for a terminal, with the notes of all tables at the end."""
        lang = default_language() if lang is None else lang
        title = catalogue(lang).text("report.title")
        facts = " · ".join(plain(fact.text(lang)) for fact in self.facts)
        parts = [f"{title}\n{facts}"]
        parts += [table.to_text(lang, notes=False) for table in self.tables.values()]
        notes = dict.fromkeys(
            plain(note.text(lang))
            for table in self.tables.values()
            for note in table.notes
            if note.key != "note.as_of"  # one of the facts
        )
        if notes:
            parts.append("\n".join(notes))
        return "\n\n".join(parts)


def report(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    mode: str = "reached",
) -> Report:
    """Return the report on a log.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to compare groups by.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    mode : {"reached", "actual", "strict"}
        How the stage table counts; see `metrics.stage_table`.

    Returns
    -------
    Report

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    tables = {
        "summary": summary(log, as_of=as_of),
        "stages": stage_table(log, mode, as_of=as_of),
        "losses": loss_table(log, as_of=as_of),
        "losses_by_stage": loss_table(log, by_stage=True, as_of=as_of),
        "sales_cycle": sales_cycle(log, as_of=as_of),
    }
    if by is not None:
        tables["groups"] = summary(log, by=by, as_of=as_of)
    return Report(_facts(log, as_of), tables)


def _facts(log: StageLog, as_of: Instant | None) -> tuple[Phrase, ...]:
    if not len(log):
        facts = [Phrase("report.empty")]
    else:
        view = log.view(as_of)
        facts = [
            Phrase("report.entries", {"count": view.n_entries}),
            Phrase("report.opportunities", {"count": len(view.opportunity)}),
        ]
        if view.as_of is not None:
            facts.append(Phrase("report.as_of", {"as_of": from_microseconds(view.as_of, log.tz)}))
    if log.amounts is not None and log.currency is not None:
        facts.append(Phrase("report.currency", {"currency": log.currency}))
    if log.ignored:
        facts.append(Phrase("report.ignored", {"count": log.ignored}))
    if len(log.rejected):
        facts.append(Phrase("report.rejected", {"count": len(log.rejected)}))
    return tuple(facts)
