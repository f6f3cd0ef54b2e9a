"""Options that may fit a file."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from salesfunnel.cli.funnels import given_funnel
from salesfunnel.log.suggest import suggest_mapping

_SCALARS = (
    *("opportunity", "stage", "entered_at", "created", "closed", "reason", "amount", "order"),
    *("currency", "tz"),
)


_CRMS = {
    ('"attributes"', "/sobjects/"): "--crm salesforce --source history=FILE --source stages=FILE",
    ('"results"', '"dealstage"'): "--crm hubspot --source pipelines=FILE",
    ('"_id"', '"_widget_'): "--crm jiandaoyun --source widgets=FILE --field stage=FIELD",
}
"""What stands at the beginning of what a CRM exported as JSON, and the options that read it."""
_LOOKED_AT = 65_536


def as_options(path: str, options: argparse.Namespace) -> str:
    """Return the options that a file seems to need, ready to be typed; empty where none are found.

    Raises
    ------
    SalesFunnelError, OSError
        If the file cannot be read.
    """
    for marks, needed in _CRMS.items():
        if all(mark in _beginning(path) for mark in marks):
            return needed
    found = suggest_mapping(path, given_funnel(options))
    return shlex.join(_options(found.arguments))


def _beginning(path: str) -> str:
    with Path(path).open("rb") as file:
        return file.read(_LOOKED_AT).decode("utf-8", "replace")


def _options(arguments: Mapping[str, Any]) -> Iterator[str]:
    for name in _SCALARS:
        if isinstance(arguments.get(name), str):
            yield from (f"--{name.replace('_', '-')}", arguments[name])
    for state, column in (arguments.get("stages") or {}).items():
        yield from ("--entered", f"{state}={column}")
    for name, meaning in (arguments.get("stage_map") or {}).items():
        target = ":".join(meaning) if isinstance(meaning, tuple) else meaning or ""
        yield from ("--map", f"{name}={target}")
