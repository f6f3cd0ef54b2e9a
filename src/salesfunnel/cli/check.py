"""``salesfunnel check``: the rows that cannot be read, and the breaches of the engine's rules."""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from salesfunnel.cli.outcome import FAILED, Outcome
from salesfunnel.cli.reading import read_log
from salesfunnel.engine.policy import Policy
from salesfunnel.log.stagelog import StageLog
from salesfunnel.periods import from_microseconds
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.width import plain

ALLOWED: dict[str, dict[str, Any]] = {
    "any-start": {"any_start": True},
    "skip": {"skip": None},
    "back": {"back": None},
    "win-early": {"win_early": True},
    "reopen": {"reopen": True},
    "any-reason": {"loss_reason": "any"},
    "no-reason": {"loss_reason": "optional"},
    "missing-fields": {"required_fields": False},
}
"""What `Policy` can allow, by the names of the command line."""


def run(options: argparse.Namespace) -> Outcome:
    """List what is wrong in a file; the exit code is 1 if anything is."""
    options.errors = "collect"
    log = read_log(options)
    allowed: dict[str, Any] = {}
    for name in options.allow:
        allowed |= ALLOWED[name]
    breaches = log.conform(Policy(**allowed), as_of=options.as_of)
    text = _as_json if options.json else _as_text
    code = FAILED if len(log.rejected) or len(breaches) else 0
    return Outcome(text(log, breaches, options), code)


def _as_text(log: StageLog, breaches: Table, options: argparse.Namespace) -> str:
    words = catalogue(options.lang)
    facts = [
        words.text("report.entries", count=len(log)),
        words.text("report.opportunities", count=log.n_opportunities),
    ]
    if log.ignored:
        facts.append(words.text("report.ignored", count=log.ignored))
    facts += [
        words.text("cli.bad_rows", count=len(log.rejected)),
        words.text("cli.breaches", count=len(breaches)),
    ]
    parts = [" · ".join(map(plain, facts))]
    for table in (log.rejected, breaches):
        if not len(table):
            continue
        more = len(table) - options.most
        text = table.take(slice(options.most)).to_text(options.lang, notes=False)
        if more > 0:
            text += "\n" + words.text("report.more", count=more)
        parts.append(text)
    rules, how_often = np.unique(breaches["rule"].astype(str), return_counts=True)
    if len(rules) > 1:
        named = breaches.column("rule").labels
        lines = [
            words.text("cli.by_rule", rule=named(rule, options.lang) if named else rule, count=n)
            for rule, n in zip(rules.tolist(), how_often.tolist(), strict=True)
        ]
        parts.append("\n".join(map(plain, lines)))
    parts += [plain(note.text(options.lang)) for note in breaches.notes]
    return "\n\n".join(parts)


def _as_json(log: StageLog, breaches: Table, options: argparse.Namespace) -> str:
    view = log.view(options.as_of)
    content = {
        "as_of": None if view.as_of is None else from_microseconds(view.as_of).isoformat(),
        "entries": len(log),
        "opportunities": log.n_opportunities,
        "ignored": log.ignored,
        "rejected": json.loads(log.rejected.to_json()),
        "breaches": json.loads(breaches.to_json()),
    }
    return json.dumps(content, ensure_ascii=False, indent=2)
