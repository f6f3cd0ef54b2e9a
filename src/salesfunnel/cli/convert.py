"""``salesfunnel convert``: the history of a file in another form."""

from __future__ import annotations

import argparse

from salesfunnel.cli.files import ending_of
from salesfunnel.cli.outcome import CommandError, Outcome
from salesfunnel.cli.reading import read_and_tell
from salesfunnel.text.catalogue import catalogue

ENDINGS = (".csv", ".json", ".parquet", ".npz")


def run(options: argparse.Namespace) -> Outcome:
    """Write the entries of a file to another; all but CSV have the funnel with them."""
    ending = ending_of(options.out, ENDINGS)
    if options.raw and ending != ".csv":
        raise CommandError("argument --raw: it is for CSV; the others write what is there")
    log = read_and_tell(options)
    if ending == ".csv":
        log.to_csv(options.out, raw=options.raw)
    elif ending == ".json":
        log.to_json(options.out)
    elif ending == ".parquet":
        log.to_parquet(options.out)
    else:
        log.save(options.out)
    words = catalogue(options.lang)
    facts = [
        words.text("report.entries", count=len(log)),
        words.text("report.opportunities", count=log.n_opportunities),
        words.text("cli.written", path=options.out),
    ]
    return Outcome(" · ".join(facts))
