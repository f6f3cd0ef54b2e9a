"""``salesfunnel report``: everything about a history, as text, a page or Markdown."""

from __future__ import annotations

import argparse
import json
from typing import Any

from salesfunnel.cli.files import ending_of, write
from salesfunnel.cli.outcome import CommandError, Outcome
from salesfunnel.cli.reading import read_and_tell, where_of
from salesfunnel.show.report import Report, report
from salesfunnel.text.catalogue import catalogue

ENDINGS = (".html", ".htm", ".md", ".txt", ".json")


def run(options: argparse.Namespace) -> Outcome:
    """Print the report, or write it to a file."""
    if options.out is not None:
        if options.json:
            raise CommandError("argument --json: not allowed with argument --out")
        ending_of(options.out, ENDINGS)  # before the work
    found = report(
        read_and_tell(options),
        by=options.by,
        as_of=options.as_of,
        where=where_of(options),
        mode=options.mode,
        period=options.period,
    )
    if options.json:
        return Outcome(as_json(found, options.lang))
    return printed(found, options)


def printed(found: Report, options: argparse.Namespace) -> Outcome:
    """Return a report as text, or write it to the file asked for and say so."""
    if options.out is None:
        return Outcome(found.to_text(options.lang))
    ending = ending_of(options.out, ENDINGS)
    if ending in (".html", ".htm"):
        found.to_html(options.out, lang=options.lang)
    elif ending == ".md":
        write(options.out, found.to_markdown(options.lang))
    elif ending == ".json":
        write(options.out, as_json(found, options.lang))
    else:
        write(options.out, found.to_text(options.lang))
    return Outcome(catalogue(options.lang).text("cli.written", path=options.out))


def as_json(found: Report, lang: str) -> str:
    """Return a report as JSON: facts and findings as people read them, tables in full."""
    content: dict[str, Any] = {
        "facts": [fact.text(lang) for fact in found.facts],
        "findings": [
            {
                "kind": finding.kind,
                "text": finding.text(lang),
                "sales_at_stake": finding.at_stake,
                "rows": json.loads(finding.table.to_json()),
            }
            for finding in found.findings
        ],
        "tables": {name: json.loads(table.to_json()) for name, table in found.tables.items()},
    }
    return json.dumps(content, ensure_ascii=False, indent=2)
