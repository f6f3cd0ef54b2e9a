"""The commands and their options, with help in the reader's language."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any

from salesfunnel.cli import check, convert, demo, report, table
from salesfunnel.cli.arguments import attribute, count, label, language, mapping, pair, rate
from salesfunnel.cli.formats import CRMS, FORMATS
from salesfunnel.cli.parser import Parser
from salesfunnel.columns.files import MAX_BYTES
from salesfunnel.errors import UnknownLanguageError
from salesfunnel.log.stagecounts import MODES
from salesfunnel.model.presets import PRESETS
from salesfunnel.periods import PERIODS
from salesfunnel.text.catalogue import catalogue, default_language, languages, resolve

_USAGE = {"convert": " FILE OUT", "demo": ""}
"""What follows the names of commands, where that is not one file."""

Words = Callable[..., str]


def make_parser(lang: str) -> Parser:
    """Return what parses a command line, its help in a language."""
    texts = catalogue(lang)

    def words(key: str, **values: object) -> str:
        return texts.text(f"cli.{key}", **values)

    parser = Parser(
        lang=lang,
        prog="salesfunnel",
        description=words("description"),
        allow_abbrev=False,
        add_help=False,
        epilog=words("epilog"),
    )
    _add_help(parser.add_argument_group(words("options")), words)
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title=words("commands")
    )

    def command(name: str, run: Callable[[argparse.Namespace], Any]) -> argparse.ArgumentParser:
        text = words(f"command_{name}")
        made = commands.add_parser(
            name,
            lang=lang,
            help=text,
            description=text,
            usage=f"salesfunnel {name}{_USAGE.get(name, ' FILE')} {words('usage')}",
            allow_abbrev=False,
            add_help=False,
        )
        made.set_defaults(run=run, parser=made)
        return made

    made = command("report", report.run)
    _add_input(made, words)
    question = _add_question(made, words)
    question.add_argument("--period", choices=PERIODS, help=words("period"))
    output = _add_output(made, words, lang)
    output.add_argument("--out", metavar="FILE", help=words("out_report"))
    output.add_argument("--json", action="store_true", help=words("json_report"))

    made = command("table", table.run)
    _add_input(made, words)
    question = _add_question(made, words)
    question.add_argument("--period", choices=PERIODS, help=words("period"))
    question.add_argument("--table", choices=table.TABLES, default="stages", help=words("table"))
    output = _add_output(made, words, lang)
    output.add_argument("--out", metavar="FILE", help=words("out_table"))
    output.add_argument("--json", action="store_true", help=words("json_table"))

    made = command("check", check.run)
    _add_input(made, words)
    question = made.add_argument_group(words("group_rules"))
    question.add_argument("--as-of", metavar="TIME", help=words("as_of"))
    question.add_argument(
        "--allow", action="append", choices=check.ALLOWED, default=[], help=words("allow")
    )
    question.add_argument("--most", metavar="N", type=count, default=50, help=words("most"))
    output = _add_output(made, words, lang)
    output.add_argument("--json", action="store_true", help=words("json_check"))

    made = command("convert", convert.run)
    _add_input(made, words)
    output = _add_output(made, words, lang)
    output.add_argument("out", metavar="OUT", help=words("out_convert"))
    output.add_argument("--raw", action="store_true", help=words("raw"))

    made = command("demo", demo.run)
    output = _add_output(made, words, lang)
    output.add_argument("--out", metavar="FILE", help=words("out_demo"))
    return parser


def language_of(arguments: Sequence[str]) -> str:
    """Return the language that arguments ask for, or else the environment; English if neither."""
    settings = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    asked = [*filter(None, settings)][:1]
    for index, argument in enumerate(arguments):
        if argument == "--lang" and index + 1 < len(arguments):
            asked.append(arguments[index + 1])
        elif argument.startswith("--lang="):
            asked.append(argument.removeprefix("--lang="))
    for lang in reversed(asked):
        try:
            return resolve(lang)
        except UnknownLanguageError:  # which is said in the language of the environment
            continue
    return default_language()


def _add_help(parser: argparse._ActionsContainer, words: Words) -> None:
    parser.add_argument("-h", "--help", action="help", help=words("help"))


def _add_input(parser: argparse.ArgumentParser, words: Words) -> None:
    source = parser.add_argument_group(words("group_file"))
    source.add_argument("file", metavar="FILE", help=words("file"))
    source.add_argument("--settings", metavar="FILE.toml", help=words("settings"))
    source.add_argument("--format", choices=FORMATS, help=words("format"))
    source.add_argument("--crm", choices=CRMS, help=words("crm"))
    source.add_argument(
        "--source",
        action="append",
        default=[],
        type=pair,
        metavar="NAME=FILE",
        help=words("source"),
    )
    source.add_argument(
        "--field",
        action="append",
        default=[],
        type=pair,
        metavar="MEANING=FIELD",
        help=words("field"),
    )
    source.add_argument("--pipeline", metavar="NAME", help=words("pipeline"))
    source.add_argument("--partial", action="store_true", help=words("partial"))
    source.add_argument(
        "--max-bytes", metavar="N", type=count, default=MAX_BYTES, help=words("max_bytes")
    )

    columns = parser.add_argument_group(words("group_columns"))
    for name in (
        *("opportunity", "stage", "entered-at", "created", "closed"),
        *("reason", "amount", "order"),
    ):
        columns.add_argument(
            f"--{name}", metavar="COLUMN", help=words(f"column_{name.replace('-', '_')}")
        )
    columns.add_argument(
        "--entered",
        action="append",
        default=[],
        type=pair,
        metavar="STATE=COLUMN",
        help=words("entered"),
    )
    columns.add_argument(
        "--attribute",
        action="append",
        default=[],
        type=attribute,
        metavar="NAME[=COLUMN]",
        help=words("attribute"),
    )
    columns.add_argument("--currency", metavar="COLUMN|CODE", help=words("currency"))
    columns.add_argument(
        "--rate", action="append", default=[], type=rate, metavar="CODE=NUMBER", help=words("rate")
    )

    meaning = parser.add_argument_group(words("group_meaning"))
    funnel = meaning.add_mutually_exclusive_group()
    funnel.add_argument("--funnel", metavar="FILE.json", help=words("funnel"))
    presets = ", ".join(PRESETS)
    funnel.add_argument("--preset", metavar="NAME", help=words("preset", presets=presets))
    meaning.add_argument(
        "--map",
        action="append",
        default=[],
        type=mapping,
        metavar="NAME=STATE",
        help=words("map"),
    )
    meaning.add_argument("--start", metavar="STAGE", help=words("start"))
    meaning.add_argument("--tz", metavar="ZONE", help=words("tz"))
    meaning.add_argument("--date-format", metavar="FORMAT", help=words("date_format"))
    meaning.add_argument("--missing-time", metavar="TIME", help=words("missing_time"))
    meaning.add_argument("--ties", choices=("input", "state"), default="input", help=words("ties"))
    meaning.add_argument(
        "--errors", choices=("raise", "collect"), default="raise", help=words("errors")
    )


def _add_question(parser: argparse.ArgumentParser, words: Words) -> argparse._ArgumentGroup:
    question = parser.add_argument_group(words("group_question"))
    question.add_argument("--by", action="append", metavar="ATTRIBUTE", help=words("by"))
    question.add_argument(
        "--where",
        action="append",
        default=[],
        type=label,
        metavar="ATTRIBUTE=LABEL",
        help=words("where"),
    )
    question.add_argument("--as-of", metavar="TIME", help=words("as_of"))
    question.add_argument("--mode", choices=MODES, default="reached", help=words("mode"))
    return question


def _add_output(
    parser: argparse.ArgumentParser, words: Words, lang: str
) -> argparse._ArgumentGroup:
    output = parser.add_argument_group(words("group_output"))
    output.add_argument(
        "--lang",
        type=language,
        default=lang,
        help=words("lang", languages=", ".join(languages())),
    )
    output.add_argument("--quiet", action="store_true", help=words("quiet"))
    _add_help(output, words)
    return output
