"""How a log and a flow look in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from salesfunnel.log.naming import state_namer
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import from_microseconds, zone_name
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.markup import Html, html_details, html_facts, html_notes, html_table
from salesfunnel.text.numbers import format_integer
from salesfunnel.text.times import format_datetime

if TYPE_CHECKING:
    from salesfunnel.log.stageflow import StageFlow
    from salesfunnel.log.stagelog import StageLog

_COUNTED = 2_000_000
"""Entries up to which a log is counted for being looked at: a tenth of a second."""
_WIDEST, _LISTED = 20, 20
"""States that a matrix has at most, and transitions that are listed in place of a larger one."""
_STRONGEST = 0.4
"""Share of the colour of a cell of all transitions of its row."""


def log_html(log: StageLog, lang: str) -> Html:
    """Return what a log is, its attributes, and how many opportunities came how far."""
    words = catalogue(lang)
    facts = [
        words.text("report.entries", count=len(log)),
        words.text("report.opportunities", count=log.n_opportunities),
    ]
    bounds = log.entries.time_bounds
    if bounds is not None:
        first, last = (format_datetime(from_microseconds(at, log.tz), lang) for at in bounds)
        facts.append(words.text("notebook.from_to", first=first, last=last))
    facts.append(zone_name(log.tz))
    if log.amounts is not None and log.currency is not None:
        facts.append(words.text("report.currency", currency=log.currency))
    if log.ignored:
        facts.append(words.text("report.ignored", count=log.ignored))
    if len(log.rejected):
        facts.append(words.text("report.rejected", count=len(log.rejected)))
    parts = [html_facts("StageLog", facts)]
    if 0 < len(log) <= _COUNTED:
        parts.append(_counts(log).to_html(lang, notes=False))
    if log.attributes:
        labels = [
            words.text(
                "notebook.attribute",
                attribute=words.header(name),
                count=len(log.attribute(name).names),
            )
            for name in log.attributes
        ]
        summary = words.text("notebook.attributes", count=len(labels))
        parts.append(html_details(summary, labels))
    return Html("\n".join(parts))


def _counts(log: StageLog) -> Table:
    counts = log.stage_counts()
    return Table(
        [
            Column("stage", np.array(counts.stages, object), labels=state_namer(log.funnel)),
            Column("entered", counts.entered),
            Column("advanced", counts.advanced),
            Column("lost", counts.lost),
            Column("open", counts.open),
        ],
        title=Phrase("title.stage_table"),
    )


def flow_html(flow: StageFlow, lang: str, funnel: Funnel | None) -> Html:
    """Return a flow as a matrix from state to state, of all its groups together."""
    words, whole = catalogue(lang), flow.total()
    counts = whole.counts
    facts = [words.text("notebook.transitions", count=int(counts.sum()))]
    if flow.groups is not None:
        by = " × ".join(words.header(name) for name in flow.by)
        facts.append(words.text("notebook.groups", count=len(flow.groups), by=by))
    if flow.as_of is not None:
        facts.append(words.text("report.as_of", as_of=format_datetime(flow.as_of, lang)))
    name = state_namer(funnel)
    names = [name(key, lang) for key in flow.states]
    note = words.text("notebook.flow")
    left, entered = (np.flatnonzero(counts.any(axis=axis)).tolist() for axis in (1, 0))
    if len(left) > _WIDEST or len(entered) > _WIDEST:
        matrix = _list(whole, names, lang)
        note = words.text("notebook.flow_list", count=_LISTED)
    else:
        matrix = _matrix(whole, names, left, entered, lang)
    return Html("\n".join([html_facts("StageFlow", facts), matrix, html_notes([note])]))


def _matrix(
    flow: StageFlow, names: Sequence[str], left: list[int], entered: list[int], lang: str
) -> str:
    """Return the states that something left or stands in, by those that something entered."""
    words = catalogue(lang)
    out = flow.counts.sum(axis=1, keepdims=True)
    shares = np.divide(flow.counts, out, out=np.zeros(flow.counts.shape), where=out > 0)
    rows, strength = [], []
    for place, name in enumerate(names):
        ends = (flow.starts[place].item(), flow.ends[place].item())
        if place not in left and not any(ends):
            continue
        cells = [*flow.counts[place, entered].tolist(), *ends]
        rows.append([name, *(format_integer(n, lang) if n else "·" for n in cells)])
        strength.append([0.0, *(shares[place, entered] * _STRONGEST).tolist(), 0.0, 0.0])
    header = [
        words.text("notebook.from"),
        *(names[place] for place in entered),
        words.text("notebook.started"),
        words.text("notebook.standing"),
    ]
    numbers = [False, *[True] * (len(header) - 1)]
    return html_table(lang, header, rows, numbers, shares=strength, row_headers=True)


def _list(flow: StageFlow, names: Sequence[str], lang: str) -> str:
    """Return the most frequent transitions, one row each."""
    words = catalogue(lang)
    flat = flow.counts.ravel()
    most = np.argsort(-flat, kind="stable")[:_LISTED]
    most = most[flat[most] > 0]
    sources, targets = np.unravel_index(most, flow.counts.shape)
    rows = [
        [names[source], names[target], format_integer(n, lang)]
        for source, target, n in zip(
            sources.tolist(), targets.tolist(), flat[most].tolist(), strict=True
        )
    ]
    header = [words.header(name) for name in ("from", "to", "transitions")]
    return html_table(lang, header, rows, [False, False, True])
