"""The command line: ``salesfunnel report``, ``table`` and ``demo``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from salesfunnel.columns.csvfile import read_csv_table
from salesfunnel.columns.values import is_missing
from salesfunnel.errors import DefinitionError, SalesFunnelError, UnknownLanguageError
from salesfunnel.log.naming import state_namer
from salesfunnel.log.read import read_csv
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics.conversion import stage_table
from salesfunnel.metrics.flow import flow_table
from salesfunnel.metrics.loss import loss_table
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import from_microseconds
from salesfunnel.show.report import report
from salesfunnel.table import Table
from salesfunnel.text.catalogue import default_language, languages, resolve

TABLES: dict[str, Callable[[StageLog, argparse.Namespace], Table]] = {
    "flow": lambda log, options: flow_table(log, by=options.by, as_of=options.as_of),
    "stages": lambda log, options: stage_table(
        log, options.mode, by=options.by, as_of=options.as_of
    ),
    "losses": lambda log, options: loss_table(
        log, by_stage=True, by=options.by, as_of=options.as_of
    ),
}
DONE, FAILED = 0, 1
"""Exit codes; a command that is not understood ends with argparse's 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 for bad data or files, 2 for a bad command."""
    options = _parser().parse_args(arguments)
    try:
        print(options.run(options))
    except BrokenPipeError:
        # The reader has seen enough; what is still to be flushed goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SalesFunnelError as error:
        print(f"salesfunnel: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"salesfunnel: {error.filename}: {error.strerror}", file=sys.stderr)
        return FAILED
    return DONE


# ── commands ──────────────────────────────────────────────────────────────────────────────────────


def _report(options: argparse.Namespace) -> str:
    log = _read(options)
    found = report(log, by=options.by, as_of=options.as_of, mode=options.mode)
    return found.to_text(options.lang)


def _table(options: argparse.Namespace) -> str:
    log = _read(options)
    table = TABLES[options.table](log, options)
    if not options.json:
        return table.to_text(options.lang)
    instant = log.view(options.as_of).as_of
    return json.dumps(
        {
            "table": options.table,
            "as_of": None if instant is None else from_microseconds(instant).isoformat(),
            "entries": len(log),
            "opportunities": log.n_opportunities,
            "ignored": log.ignored,
            "rejected": json.loads(log.rejected.to_json()),
            "rows": json.loads(table.to_json()),
        },
        ensure_ascii=False,
        indent=2,
    )


def _demo(options: argparse.Namespace) -> str:
    from salesfunnel.datasets import reference_pipeline

    return report(reference_pipeline()).to_text(options.lang)


# ── input ─────────────────────────────────────────────────────────────────────────────────────────


def _read(options: argparse.Namespace) -> StageLog:
    stage_map = dict(options.map)
    funnel = _funnel(options, stage_map)
    return read_csv(
        options.file,
        funnel,
        opportunity=options.opportunity,
        stage=options.stage,
        entered_at=options.entered_at,
        reason=options.reason,
        attributes=list(dict.fromkeys([*options.attribute, *(options.by or ())])),
        amount=options.amount,
        stage_map={**_names(funnel, stage_map), **stage_map},
        order=options.order,
        ties=options.ties,
        currency=options.currency,
        missing_time=options.missing_time,
        date_format=options.date_format,
        tz=options.tz,
        errors=options.errors,
    )


def _funnel(options: argparse.Namespace, stage_map: dict[str, Any]) -> Funnel:
    """Return the funnel asked for; without one the standard funnel, if it knows every stage."""
    if options.funnel is not None:
        try:
            return Funnel.from_dict(json.loads(Path(options.funnel).read_text(encoding="utf-8")))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DefinitionError(f"{options.funnel} is not JSON: {error}") from None
    if options.preset is not None:
        return Funnel.preset(options.preset)
    funnel = Funnel.standard()
    known = {*funnel.states, *_names(funnel, {}), *stage_map}
    found = dict.fromkeys(
        name.strip()
        for name in read_csv_table(options.file).column(options.stage)
        if not is_missing(name)
    )
    unknown = [name for name in found if name not in known]
    if unknown:
        raise DefinitionError(
            f"the standard funnel does not know every stage in column {options.stage!r}. "
            "Name your funnel by --funnel FILE.json or --preset NAME, or map names by --map 'NAME=STATE' "
            f"('NAME=lost:REASON' for a loss, 'NAME=' for rows that are no stage).\n"
            f"stages found: {', '.join(found)}\n"
            f"not known: {', '.join(unknown)}\n"
            f"states of the standard funnel: {', '.join(funnel.states)}"
        )
    return funnel


def _names(funnel: Funnel, taken: dict[str, Any]) -> dict[str, str]:
    """Return the keys of the funnel's states by what people call them, in every language."""
    name = state_namer(funnel)
    found: dict[str, set[str]] = {}
    for lang in languages():
        for key in funnel.states:
            found.setdefault(name(key, lang), set()).add(key)
    return {
        title: keys.pop()
        for title, keys in found.items()
        if len(keys) == 1 and title not in funnel.states and title not in taken
    }


# ── options ───────────────────────────────────────────────────────────────────────────────────────


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="salesfunnel",
        description="Turns the history of sales opportunities into answers.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser(
        "report", help="everything about a file of stage history", allow_abbrev=False
    )
    _add_input(command)
    command.set_defaults(run=_report)

    command = commands.add_parser("table", help="one table, as text or JSON", allow_abbrev=False)
    _add_input(command)
    command.add_argument("--table", choices=TABLES, default="stages", help="which (stages)")
    command.add_argument("--json", action="store_true", help="as JSON, with all columns")
    command.set_defaults(run=_table)

    command = commands.add_parser("demo", help="the report on generated data", allow_abbrev=False)
    _add_language(command)
    command.set_defaults(run=_demo)
    return parser


def _add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="CSV, or CSV in .gz: one row for each entry")
    columns = parser.add_argument_group("columns of the file")
    for name, needed, what in (
        ("opportunity", True, "identifier of the opportunity"),
        ("stage", True, "stage that was entered"),
        ("entered-at", True, "time of the entry"),
        ("reason", False, "loss reason"),
        ("amount", False, "amount"),
        ("order", False, "record number, which settles equal times"),
    ):
        columns.add_argument(f"--{name}", required=needed, metavar="COLUMN", help=what)
    columns.add_argument(
        "--attribute", action="append", default=[], metavar="COLUMN", help="label; may be repeated"
    )
    columns.add_argument("--currency", metavar="COLUMN|CODE", help="currency of the amounts")

    meaning = parser.add_argument_group("what the file means")
    meaning.add_argument("--funnel", metavar="FILE.json", help="the funnel, as Funnel.to_dict()")
    meaning.add_argument("--preset", metavar="NAME", help="a ready-made funnel: salesforce …")
    meaning.add_argument(
        "--map",
        action="append",
        default=[],
        type=_mapping,
        metavar="NAME=STATE",
        help="what a stage name means: a state, lost:REASON, or nothing for rows to leave out",
    )
    meaning.add_argument("--tz", help="zone of times that name none, as in Asia/Shanghai")
    meaning.add_argument("--date-format", metavar="FORMAT", help="as in %%m/%%d/%%Y; or lenient")
    meaning.add_argument("--missing-time", metavar="TIME", help="time of the rows without one")
    meaning.add_argument("--ties", choices=("input", "state"), default="input")
    meaning.add_argument("--errors", choices=("raise", "collect"), default="raise")

    question = parser.add_argument_group("the question")
    question.add_argument(
        "--by", action="append", metavar="COLUMN", help="group by a label; may be repeated"
    )
    question.add_argument("--as-of", metavar="TIME", help="what was known then, inclusive")
    question.add_argument(
        "--mode", choices=("reached", "actual", "strict"), default="reached", help="how to count"
    )
    _add_language(parser)


def _add_language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lang",
        type=_language,
        default=_language_of_environment(),
        help=f"language: {', '.join(languages())}",
    )


def _language(text: str) -> str:
    try:
        return resolve(text)
    except UnknownLanguageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _language_of_environment() -> str:
    try:
        return resolve(os.environ.get("LC_ALL") or os.environ.get("LANG") or default_language())
    except UnknownLanguageError:
        return default_language()


def _mapping(text: str) -> tuple[str, str | tuple[str, str] | None]:
    """Return what ``NAME=STATE``, ``NAME=lost:REASON`` or ``NAME=`` says of a stage's name."""
    name, equals, target = text.rpartition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form NAME=STATE, NAME=lost:REASON or NAME="
        )
    state, colon, reason = target.partition(":")
    if colon and state == "lost":
        return name, (state, reason)
    return name, target or None
