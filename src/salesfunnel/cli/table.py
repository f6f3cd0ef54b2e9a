"""``salesfunnel table``: one table, as text, as JSON or in a file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from salesfunnel.cli.files import ending_of, write
from salesfunnel.cli.outcome import CommandError, Outcome
from salesfunnel.cli.reading import read_and_tell, where_of
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics.ageing import ageing
from salesfunnel.metrics.cohort import win_rate_by_cohort
from salesfunnel.metrics.conversion import stage_table, win_rate
from salesfunnel.metrics.cycle import sales_cycle
from salesfunnel.metrics.flow import flow_table
from salesfunnel.metrics.hotspots import loss_hotspots
from salesfunnel.metrics.loss import loss_table
from salesfunnel.metrics.pipeline import pipeline
from salesfunnel.metrics.stalled import stalled
from salesfunnel.metrics.summary import summary
from salesfunnel.metrics.targets import against_targets
from salesfunnel.metrics.timeinstage import time_in_stage
from salesfunnel.metrics.trend import trend_by_period
from salesfunnel.metrics.velocity import velocity
from salesfunnel.periods import from_microseconds
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed

Made = Callable[..., Table]
TABLES: dict[str, Made] = {
    "stages": stage_table,
    "flow": flow_table,
    "losses": lambda log, **asked: loss_table(log, by_stage=True, **asked),
    "summary": summary,
    "win-rate": win_rate,
    "sales-cycle": sales_cycle,
    "time-in-stage": time_in_stage,
    "velocity": velocity,
    "pipeline": pipeline,
    "ageing": ageing,
    "stalled": stalled,
    "hotspots": loss_hotspots,
    "targets": against_targets,
    "trend": trend_by_period,
    "cohorts": win_rate_by_cohort,
}
_WITH_MODE, _WITH_PERIOD, _WITHOUT_BY = ("stages", "targets"), ("trend", "cohorts"), ("stalled",)
ENDINGS = (".csv", ".json", ".parquet", ".md", ".html", ".txt")


def run(options: argparse.Namespace) -> Outcome:
    """Print a table, or write it to a file."""
    if options.out is not None:
        if options.json:
            raise CommandError("argument --json: not allowed with argument --out")
        ending_of(options.out, ENDINGS)  # before the work
    if options.table in _WITHOUT_BY and options.by:
        raise CommandError(
            "argument --by: {table} is a list without groups; use --where", table=options.table
        )
    if options.period is not None and options.table not in _WITH_PERIOD:
        raise CommandError("argument --period: it is for {known}", known=Listed(_WITH_PERIOD))
    log = read_and_tell(options)
    asked: dict[str, Any] = {"as_of": options.as_of, "where": where_of(options)}
    if options.table not in _WITHOUT_BY:
        asked["by"] = options.by
    if options.table in _WITH_MODE:
        asked["mode"] = options.mode
    if options.table in _WITH_PERIOD:
        asked["period"] = options.period
    table = TABLES[options.table](log, **asked)
    if options.json:
        return Outcome(_as_json(log, table, options))
    if options.out is None:
        return Outcome(table.to_text(options.lang))
    _write(table, options.out, options.lang)
    return Outcome(catalogue(options.lang).text("cli.written", path=options.out))


def _as_json(log: StageLog, table: Table, options: argparse.Namespace) -> str:
    view = log.view(options.as_of, where_of(options))
    content = {
        "table": options.table,
        "as_of": None if view.as_of is None else from_microseconds(view.as_of).isoformat(),
        "entries": view.n_entries,
        "opportunities": len(view.opportunity),
        "ignored": log.ignored,
        "rejected": json.loads(log.rejected.to_json()),
        "rows": json.loads(table.to_json()),
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def _write(table: Table, path: str, lang: str) -> None:
    match ending_of(path, ENDINGS):
        case ".csv":
            table.to_csv(path)
        case ".json":
            table.to_json(path)
        case ".parquet":
            table.to_parquet(path)
        case ".md":
            write(path, table.to_markdown(lang))
        case ".html":
            write(path, f'<!doctype html>\n<meta charset="utf-8">\n{table.to_html(lang)}')
        case _:
            write(path, table.to_text(lang))
