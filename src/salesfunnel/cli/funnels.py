"""The funnel of a command: the one named, or the standard one if it knows every stage."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from salesfunnel.cli.formats import format_of
from salesfunnel.columns.files import Limits
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.source import in_batches
from salesfunnel.errors import DefinitionError
from salesfunnel.log.naming import names_of_states
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.missing import is_missing
from salesfunnel.wording import Listed, Wording

_LISTED = 50
"""How many names of stages a message lists at most."""


def asked_funnel(options: argparse.Namespace) -> Funnel | None:
    """Return the funnel that options name; None where they name none.

    Raises
    ------
    DefinitionError
        If the file has none in it, or there is no preset of that name.
    OSError
        If there is no such file.
    """
    if options.funnel is not None:
        try:
            # As some editors save it, the file starts with a byte order mark.
            text = Path(options.funnel).read_text(encoding="utf-8-sig")
            return Funnel.from_dict(json.loads(text))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DefinitionError(
                "{path} is not JSON: {error}", path=options.funnel, error=error
            ) from None
        except DefinitionError as error:
            raise DefinitionError("{path}: {error}", path=options.funnel, error=error) from None
    return None if options.preset is None else Funnel.preset(options.preset)


def given_funnel(options: argparse.Namespace) -> Funnel:
    """Return the funnel that options name, by default the standard one."""
    return asked_funnel(options) or Funnel.standard()


def funnel_of(options: argparse.Namespace, stage_map: dict[str, Any]) -> Funnel:
    """Return the funnel asked for; without one the standard funnel, if it knows every stage.

    Raises
    ------
    DefinitionError
        If it does not; the message lists the stages of the file.
    """
    asked = asked_funnel(options)
    if asked is not None:
        return asked
    funnel = Funnel.standard()
    known = {*funnel.states, *names_of_states(funnel), *stage_map}
    found = _stages(options)
    unknown = [name for name in found if name not in known]
    if unknown:
        raise DefinitionError(
            "the standard funnel does not know every stage in column {column!r}. Name your funnel "
            "by --funnel FILE.json or --preset NAME, or say what a name means by --map "
            "'NAME=STATE' ('NAME=lost:REASON' for a loss, 'NAME=' for rows that are no stage).\n"
            "stages found: {found}\n"
            "not known: {unknown}\n"
            "states of the standard funnel: {states}",
            column=options.stage,
            found=_listing(list(found)),
            unknown=_listing(unknown),
            states=Listed(funnel.states),
        )
    return funnel


def _stages(options: argparse.Namespace) -> dict[str, None]:
    """Return the names in the column of stages, in the order in which they come."""
    form, limits = format_of(options.file, options.format), Limits(options.max_bytes)

    def names(batches: Iterable[RawTable]) -> dict[str, None]:
        return dict.fromkeys(
            str(name).strip()
            for batch in batches
            if options.stage in batch.columns or not batch.is_sparse
            for name in batch.plain(options.stage)
            if not is_missing(name)
        )

    return in_batches(options.file, options.file, names, limits=limits, ending=f".{form}")


def _listing(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    listed = Listed(names[:_LISTED])
    return Wording("{listed} … and {more:,} more", listed=listed, more=more) if more > 0 else listed
