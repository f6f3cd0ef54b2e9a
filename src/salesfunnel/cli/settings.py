"""Options from a TOML file, put before those of the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from salesfunnel.errors import DefinitionError
from salesfunnel.wording import Listed

OPTION = "--settings"
SCALARS = (
    *("format", "crm", "pipeline", "partial", "opportunity", "stage", "entered-at", "created"),
    *("closed", "start", "reason", "amount", "order", "currency", "funnel", "preset", "tz"),
    *("date-format", "missing-time", "ties", "errors", "max-bytes"),
)
TABLES = {
    "map": "map",
    "rates": "rate",
    "attributes": "attribute",
    "entered": "entered",
    "sources": "source",
    "fields": "field",
}
"""Tables of the file, and the options that their lines are."""
QUESTION = ("as-of", "mode", "lang", "period")
"""Settings that only some commands have; for the others they are of no meaning."""
ASKED = {
    "report": {"by", "where", *QUESTION},
    "table": {"by", "where", *QUESTION},
    "check": {"as-of", "lang"},
    "convert": {"lang"},
}
_EITHER = {"funnel": "preset", "preset": "funnel"}


def with_settings(arguments: Sequence[str]) -> list[str]:
    """Return arguments with what the file of ``--settings`` says put before the other options.

    So what the command line says itself comes last, and holds; of options that may be repeated
    those about the file add up, ``--by`` and ``--where`` take the place of the file's.
    `convert` keeps the attributes that `by` names.

    Raises
    ------
    DefinitionError
        If the file is no TOML, or has a setting that there is not.
    OSError
        If there is no such file.
    """
    path = _path(arguments)
    command = arguments[0] if arguments else ""
    if path is None or command not in ASKED:
        return [*arguments]
    try:
        with Path(path).open("rb") as file:
            content = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError("{path} is not TOML: {error}", path=path, error=error) from None
    given = {argument.partition("=")[0].removeprefix("--") for argument in arguments}
    asked = ASKED[command]
    put: list[str] = []
    for name, value in content.items():
        setting = name.replace("_", "-")
        if setting in (*SCALARS, *QUESTION):
            known = setting in SCALARS or setting in asked
            if known and _EITHER.get(setting) not in given:
                put += _scalar(path, setting, value)
        elif setting in TABLES:
            pairs = _pairs(path, setting, value)
            put += [f"--{TABLES[setting]}={key}={text}" for key, text in pairs]
        elif setting in ("by", "where"):
            options = _by(path, value) if setting == "by" else _where(path, value)
            put += options if setting in asked and setting not in given else []
            if command == "convert" and setting == "by":  # what is asked of it must be in it
                put += [option.replace("--by=", "--attribute=") for option in options]
        else:
            known_names = Listed([*SCALARS, *QUESTION, "by", "where", *TABLES])
            raise DefinitionError(
                "{path} has the setting {name!r}, which is none; there are {known}",
                path=path,
                name=name,
                known=known_names,
            )
    return [command, *put, *arguments[1:]]


def _path(arguments: Sequence[str]) -> str | None:
    found = None
    for index, argument in enumerate(arguments):
        if argument == OPTION and index + 1 < len(arguments):
            found = arguments[index + 1]
        elif argument.startswith(f"{OPTION}="):
            found = argument.removeprefix(f"{OPTION}=")
    return found


def _scalar(path: str, setting: str, value: Any) -> list[str]:
    if setting == "partial":
        if not isinstance(value, bool):
            raise DefinitionError(
                "{path}: {setting} is true or false, not {value!r}",
                path=path,
                setting=setting,
                value=value,
            )
        return ["--partial"] if value else []
    return [f"--{setting}={_text(path, setting, value)}"]


def _text(path: str, setting: str, value: Any) -> str:
    """Return a text, number or date of the file as the command line would have it."""
    if isinstance(value, (bool, dict, list)):
        raise DefinitionError(
            "{path}: {setting} is a text, not {value!r}", path=path, setting=setting, value=value
        )
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _pairs(path: str, setting: str, value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        raise DefinitionError(
            "{path}: {setting} is a table, as in [{setting}] with a line for each, not {value!r}",
            path=path,
            setting=setting,
            value=value,
        )
    for key, text in value.items():
        yield key, _text(path, f"{setting}.{key}", text)


def _by(path: str, value: Any) -> list[str]:
    names = value if isinstance(value, list) else [value]
    return [f"--by={_text(path, 'by', name)}" for name in names]


def _where(path: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        raise DefinitionError(
            "{path}: where is a table of attributes and labels, not {value!r}",
            path=path,
            value=value,
        )
    return [
        f"--where={name}={_text(path, f'where.{name}', label)}"
        for name, labels in value.items()
        for label in (labels if isinstance(labels, list) else [labels])
    ]
