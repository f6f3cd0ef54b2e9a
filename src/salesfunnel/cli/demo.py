"""``salesfunnel demo``: the report on generated data."""

from __future__ import annotations

import argparse

from salesfunnel.cli.files import ending_of
from salesfunnel.cli.outcome import Outcome
from salesfunnel.cli.report import ENDINGS, printed
from salesfunnel.show.report import report


def run(options: argparse.Namespace) -> Outcome:
    """Print the report on the reference pipeline, and write it to a file if one is given."""
    from salesfunnel.datasets import reference_pipeline

    if options.out is not None:
        ending_of(options.out, ENDINGS)  # before the work
    found = report(reference_pipeline(), by="owner")
    text = found.to_text(options.lang)
    if options.out is not None:
        text += f"\n\n{printed(found, options).text}"
    return Outcome(text)
