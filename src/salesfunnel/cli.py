"""The command line: ``salesfunnel report``, ``table`` and ``demo``."""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from salesfunnel.columns.csvfile import csv_batches
from salesfunnel.columns.files import with_encoding
from salesfunnel.errors import (
    BadRow,
    DataError,
    DefinitionError,
    SalesFunnelError,
    UnknownLanguageError,
)
from salesfunnel.log.naming import names_of_states
from salesfunnel.log.read import read_csv
from salesfunnel.log.stagecounts import MODES
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics.conversion import stage_table
from salesfunnel.metrics.flow import flow_table
from salesfunnel.metrics.loss import loss_table
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.missing import is_missing
from salesfunnel.model.presets import PRESETS
from salesfunnel.model.stage import LOST
from salesfunnel.periods import from_microseconds
from salesfunnel.show.report import report
from salesfunnel.table import Table
from salesfunnel.text.catalogue import default_language, languages, resolve
from salesfunnel.text.width import plain

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
_LISTED = 50
"""How many names of stages a message lists at most."""
_OPTIONS = {
    "as_of=": "--as-of",
    "by=": "--by",
    "date_format=": "--date-format",
    "errors=": "--errors",
    "missing_time=": "--missing-time",
    "order=": "--order",
    "rates=": "--rate",
    "stage_map": "--map",
    "ties=": "--ties",
    "tz=": "--tz",
}
"""Parameters that the library's messages speak of, and what they are called here."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 for bad data or files, 2 for a bad command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal cannot show appears as a code
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        # Flushed here, for what fails when the interpreter exits can no longer be handled.
        print(options.run(options), flush=True)
    except BrokenPipeError:
        # The reader has seen enough; what is still to be flushed goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SalesFunnelError as error:
        _complain(str(error))
        return FAILED
    except OSError as error:
        _complain(f"{error.filename or 'output'}: {error.strerror}")
        return FAILED
    return DONE


def _complain(message: str) -> None:
    """Print a message, and what the parameters that it speaks of are called here."""
    lines = f"salesfunnel: {message}".split("\n")
    options = [f"{name} is {option}" for name, option in _OPTIONS.items() if name in message]
    if options:
        lines.append(f"(on the command line, {', '.join(options)})")
    print("\n".join(map(plain, lines)), file=sys.stderr)


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
    view = log.view(options.as_of)
    return json.dumps(
        {
            "table": options.table,
            "as_of": None if view.as_of is None else from_microseconds(view.as_of).isoformat(),
            "entries": view.n_entries,
            "opportunities": len(view.opportunity),
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
    log = read_csv(
        options.file,
        funnel,
        opportunity=options.opportunity,
        stage=options.stage,
        entered_at=options.entered_at,
        reason=options.reason,
        attributes=options.by or (),
        amount=options.amount,
        stage_map=stage_map,
        order=options.order,
        ties=options.ties,
        currency=options.currency,
        rates=dict(options.rate) or None,
        missing_time=options.missing_time,
        date_format=options.date_format,
        tz=options.tz,
        errors=options.errors,
    )
    if len(log.rejected):
        rows = [BadRow(**row) for row in log.rejected.rows()]
        shown = DataError.shown
        what = "1 row is" if len(rows) == 1 else f"{len(rows):,} rows are"
        _complain(str(DataError(f"{what} left out:", rows[:shown], max(0, len(rows) - shown))))
    return log


def _funnel(options: argparse.Namespace, stage_map: dict[str, Any]) -> Funnel:
    """Return the funnel asked for; without one the standard funnel, if it knows every stage."""
    if options.funnel is not None:
        try:
            # As some editors save it, the file starts with a byte order mark.
            text = Path(options.funnel).read_text(encoding="utf-8-sig")
            return Funnel.from_dict(json.loads(text))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DefinitionError(f"{options.funnel} is not JSON: {error}") from None
        except DefinitionError as error:
            raise DefinitionError(f"{options.funnel}: {error}") from None
    if options.preset is not None:
        return Funnel.preset(options.preset)
    funnel = Funnel.standard()
    known = {*funnel.states, *names_of_states(funnel), *stage_map}
    found = with_encoding(options.file, lambda encoding: _stages(options, encoding))
    unknown = [name for name in found if name not in known]
    if unknown:
        raise DefinitionError(
            f"the standard funnel does not know every stage in column {options.stage!r}. "
            "Name your funnel by --funnel FILE.json or --preset NAME, or say what a name means by "
            "--map 'NAME=STATE' ('NAME=lost:REASON' for a loss, 'NAME=' for rows that are no "
            "stage).\n"
            f"stages found: {_listing(list(found))}\n"
            f"not known: {_listing(unknown)}\n"
            f"states of the standard funnel: {', '.join(funnel.states)}"
        )
    return funnel


def _stages(options: argparse.Namespace, encoding: str) -> dict[str, None]:
    """Return the names in the column of stages, in the order in which they come."""
    return dict.fromkeys(
        name.strip()
        for batch in csv_batches(options.file, encoding)
        for name in batch.column(options.stage)
        if not is_missing(name)
    )


def _listing(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" … and {more:,} more" if more > 0 else "")


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
    columns.add_argument("--currency", metavar="COLUMN|CODE", help="currency of the amounts")
    columns.add_argument(
        "--rate",
        action="append",
        default=[],
        type=_rate,
        metavar="CODE=NUMBER",
        help="worth of one unit of a currency in that of the report; may be repeated",
    )

    meaning = parser.add_argument_group("what the file means")
    funnel = meaning.add_mutually_exclusive_group()
    funnel.add_argument("--funnel", metavar="FILE.json", help="the funnel, as Funnel.to_dict()")
    funnel.add_argument(
        "--preset", metavar="NAME", help=f"a ready-made funnel: {', '.join(PRESETS)}"
    )
    meaning.add_argument(
        "--map",
        action="append",
        default=[],
        type=_mapping,
        metavar="NAME=STATE",
        help="what a stage's name in the file means: a state of the funnel, lost:REASON, or "
        "nothing for rows to leave out; may be repeated",
    )
    meaning.add_argument(
        "--tz", metavar="ZONE", help="zone of times that name none, as in Asia/Shanghai"
    )
    meaning.add_argument(
        "--date-format", metavar="FORMAT", help="form of the times, as in %%m/%%d/%%Y, or lenient"
    )
    meaning.add_argument("--missing-time", metavar="TIME", help="time of the rows without one")
    meaning.add_argument(
        "--ties",
        choices=("input", "state"),
        default="input",
        help="how equal times are settled: by the order of the rows, or by state (input)",
    )
    meaning.add_argument(
        "--errors",
        choices=("raise", "collect"),
        default="raise",
        help="whether rows that cannot be read stop the command, or are left out (raise)",
    )

    question = parser.add_argument_group("the question")
    question.add_argument(
        "--by", action="append", metavar="COLUMN", help="group by a label; may be repeated"
    )
    question.add_argument("--as-of", metavar="TIME", help="what was known then, inclusive")
    question.add_argument(
        "--mode",
        choices=MODES,
        default="reached",
        help="whom a stage counts: all who came so far or farther, who entered it, or who entered "
        "it and all before it in order (reached)",
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
    settings = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    try:
        return resolve(next(filter(None, settings), default_language()))
    except UnknownLanguageError:
        return default_language()


def _rate(text: str) -> tuple[str, float]:
    """Return what ``CODE=NUMBER`` says of a currency."""
    code, _, number = text.rpartition("=")
    try:
        rate = float(number)
    except ValueError:
        rate = math.nan
    if not code.strip() or not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form CODE=NUMBER, as in USD=7.2")
    return code.strip(), rate


def _mapping(text: str) -> tuple[str, str | tuple[str, str] | None]:
    """Return what ``NAME=STATE``, ``NAME=lost:REASON`` or ``NAME=`` says of a stage's name."""
    name, _, target = (part.strip() for part in text.rpartition("="))
    state, colon, reason = (part.strip() for part in target.partition(":"))
    has_reason = bool(colon) and state == LOST
    if not name or (has_reason and not reason):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form NAME=STATE, NAME=lost:REASON or NAME="
        )
    return name, (state, reason) if has_reason else target or None
