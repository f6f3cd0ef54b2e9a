"""Exports of CRMs."""

from __future__ import annotations

import argparse
from typing import Any

from salesfunnel.cli.funnels import asked_funnel
from salesfunnel.cli.outcome import CommandError
from salesfunnel.crm import hubspot, jiandaoyun, salesforce
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.stagelog import StageLog
from salesfunnel.wording import Listed

SOURCES = {
    "salesforce": (
        *("opportunities", "history", "stages", "field_history", "leads"),
        *("accounts", "contacts", "users"),
    ),
    "hubspot": ("deals", "pipelines", "history", "owners", "companies", "contacts"),
    "jiandaoyun": ("data", "widgets", "events"),
}
"""What may be given by ``--source``; the first is FILE."""
_OWN = ("opportunity", "stage", "entered_at", "created", "closed", "amount", "entered", "start")
"""Options about columns that the readers of a CRM know themselves."""


def read_crm(options: argparse.Namespace, progress: Progress | None) -> StageLog:
    """Return the log of the export of a CRM.

    Raises
    ------
    CommandError
        If options do not go with the CRM.
    SalesFunnelError, OSError
        If a file cannot be read.
    """
    crm, known = options.crm, SOURCES[options.crm]
    for name in _OWN:
        if getattr(options, name):
            option = name.replace("_", "-")
            raise CommandError(
                "argument --{option}: not allowed with --crm, which knows it", option=option
            )
    sources: dict[str, Any] = {known[0]: options.file}
    for name, path in options.source:
        if name not in known[1:]:
            raise CommandError(
                "argument --source: {crm} has no {name!r}; there are {known}",
                crm=crm,
                name=name,
                known=Listed(known[1:]),
            )
        sources.setdefault(name, []).append(path)
    common: dict[str, Any] = {
        "funnel": asked_funnel(options),
        "stage_map": dict(options.map) or None,
        "partial": options.partial,
        "ties": options.ties,
        "currency": options.currency,
        "rates": dict(options.rate) or None,
        "missing_time": options.missing_time,
        "date_format": options.date_format,
        "tz": options.tz,
        "errors": options.errors,
        "max_bytes": options.max_bytes,
        "progress": progress,
    }
    if crm == "jiandaoyun":
        _refuse(options, "pipeline", "order", "reason", "attribute")
        if not options.field:
            raise CommandError(
                "the following arguments are required: --field, as in --field stage=商机阶段"
            )
        return jiandaoyun.load(**sources, **common, fields=dict(options.field))
    _refuse(options, "field")
    common |= {"order": options.order, "attributes": dict(options.attribute)}
    if options.reason is not None:
        common["loss_reason"] = options.reason
    if crm == "hubspot":
        return hubspot.load(**sources, **common, pipeline=options.pipeline)
    _refuse(options, "pipeline")
    return salesforce.load(**sources, **common)


def _refuse(options: argparse.Namespace, *names: str) -> None:
    for name in names:
        if getattr(options, name):
            raise CommandError(
                "argument --{name}: it is not for --crm {crm}", name=name, crm=options.crm
            )
