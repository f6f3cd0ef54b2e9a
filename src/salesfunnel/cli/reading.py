"""From the options to a log: what is read, and how."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from salesfunnel.cli.complaint import complain
from salesfunnel.cli.crms import read_crm
from salesfunnel.cli.formats import format_of
from salesfunnel.cli.funnels import funnel_of, given_funnel
from salesfunnel.cli.hints import as_options
from salesfunnel.cli.outcome import CommandError
from salesfunnel.cli.progress import shown_progress
from salesfunnel.columns.files import Limits
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.source import in_batches
from salesfunnel.errors import BadRow, DataError, SalesFunnelError
from salesfunnel.log.build import build
from salesfunnel.log.current import read_current
from salesfunnel.log.read import Fields, alike, read_csv, read_jsonl, read_parquet
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.wide import read_wide
from salesfunnel.wording import Listed, Wording

_HISTORY = ("opportunity", "stage", "entered_at")


def read_and_tell(options: argparse.Namespace) -> StageLog:
    """Return the log that the options describe, and say on standard error which rows it lacks.

    Errors are those of `read_log`.
    """
    log = read_log(options)
    if len(log.rejected):
        rows = [BadRow(**row) for row in log.rejected.rows()]
        shown = DataError.shown
        what = Wording("1 row is" if len(rows) == 1 else "{n:,} rows are", n=len(rows))
        more = max(0, len(rows) - shown)
        complain(DataError("{what} left out:", rows[:shown], more, what=what).words, options.lang)
    return log


def read_log(options: argparse.Namespace) -> StageLog:
    """Return the log that the options describe.

    Raises
    ------
    CommandError
        If options are missing, or do not go together.
    SalesFunnelError, OSError
        If the file cannot be read.
    """
    with shown_progress(options) as progress:
        return _read(options, progress)


def _read(options: argparse.Namespace, progress: Any) -> StageLog:
    if options.crm is not None:
        return read_crm(options, progress)
    for name in ("source", "field", "pipeline", "partial"):
        if getattr(options, name):
            raise CommandError("argument --{name}: it is for --crm", name=name)
    if options.entered:
        return _wide(options, progress)
    if options.created is not None or options.closed is not None:
        return _current(options, progress)
    if not any(getattr(options, name) for name in _HISTORY):
        found = _saved(options)
        if found is not None:
            return found
    return _history(options, progress)


def attributes_of(options: argparse.Namespace) -> dict[str, str]:
    """Return the attributes that options name, each with its column."""
    asked = [*(getattr(options, "by", None) or ()), *(name for name, _ in _where(options))]
    return {name: name for name in asked} | dict(options.attribute)


def _where(options: argparse.Namespace) -> list[tuple[str, str | None]]:
    return getattr(options, "where", None) or []


def where_of(options: argparse.Namespace) -> Mapping[str, list[str | None]] | None:
    """Return the selection that options name: an attribute given twice may have either label."""
    found: dict[str, list[str | None]] = {}
    for name, label in _where(options):
        found.setdefault(name, []).append(label)
    return found or None


# ── tables of rows ────────────────────────────────────────────────────────────────────────────────


def _columns(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "opportunity": options.opportunity,
        "reason": options.reason,
        "attributes": attributes_of(options),
        "amount": options.amount,
        "order": options.order,
        "currency": options.currency,
    }


def _reading(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "ties": options.ties,
        "rates": dict(options.rate) or None,
        "missing_time": options.missing_time,
        "date_format": options.date_format,
        "tz": options.tz,
        "errors": options.errors,
    }


def _history(options: argparse.Namespace, progress: Any) -> StageLog:
    """Return the log of a file with a row for each entry."""
    _require(options, *_HISTORY)
    if options.start is not None:
        raise CommandError("argument --start: it is for files with --created and --closed")
    form = format_of(options.file, options.format)
    if form == "npz":
        raise CommandError("a saved log (.npz) has its columns: leave out those options")
    stage_map = dict(options.map)
    funnel = funnel_of(options, stage_map)
    columns = _columns(options) | {"stage": options.stage, "entered_at": options.entered_at}
    reading = _reading(options) | {"stage_map": stage_map}
    if form == "parquet":
        return read_parquet(options.file, funnel, **columns, **reading, progress=progress)
    if form == "json":
        fields = Fields(**columns)

        def read(batches: Iterator[RawTable]) -> StageLog:
            return build(funnel, map(fields.source, alike(batches, fields)), **reading)

        limits = Limits(options.max_bytes)
        return in_batches(
            options.file, options.file, read, limits=limits, progress=progress, ending=".json"
        )
    reader = read_jsonl if form == "jsonl" else read_csv
    return reader(
        options.file,
        funnel,
        **columns,
        **reading,
        max_bytes=options.max_bytes,
        progress=progress,
    )


def _current(options: argparse.Namespace, progress: Any) -> StageLog:
    """Return the log of a file with a row for each opportunity."""
    if options.entered_at is not None:
        raise CommandError("argument --entered-at: not allowed with --created and --closed")
    _require(options, "opportunity", "stage", "created", "closed")
    stage_map = dict(options.map)
    return read_current(
        options.file,
        funnel_of(options, stage_map),
        **_columns(options),
        **_reading(options),
        stage=options.stage,
        created=options.created,
        closed=options.closed,
        start=options.start,
        stage_map=stage_map,
        max_bytes=options.max_bytes,
        progress=progress,
    )


def _wide(options: argparse.Namespace, progress: Any) -> StageLog:
    """Return the log of a file with a row for each opportunity and a column for each state."""
    for name in ("stage", "entered_at", "created", "closed", "start", "map"):
        if getattr(options, name):
            option = name.replace("_", "-")
            raise CommandError("argument --{option}: not allowed with --entered", option=option)
    _require(options, "opportunity")
    return read_wide(
        options.file,
        given_funnel(options),
        **_columns(options),
        **_reading(options),
        stages=dict(options.entered),
        max_bytes=options.max_bytes,
        progress=progress,
    )


def _saved(options: argparse.Namespace) -> StageLog | None:
    """Return the log that ``convert`` wrote, where the file is one; None where it is not."""
    form = format_of(options.file, options.format)
    if form == "npz":
        return StageLog.load(options.file)
    readers: Mapping[str, Callable[[str], StageLog]] = {
        "json": lambda path: StageLog.from_json(path, max_bytes=options.max_bytes),
        "parquet": StageLog.from_parquet,
    }
    if form not in readers:
        return None
    try:
        return readers[form](options.file)
    except DataError:
        return None


def _require(options: argparse.Namespace, *names: str) -> None:
    missing = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) is None]
    if missing:
        raise CommandError(
            "the following arguments are required: {missing}{hint}",
            missing=Listed(missing),
            hint=_hint(options),
        )


def _hint(options: argparse.Namespace) -> str:
    """Return what the file seems to be, where it can be read."""
    try:
        found = as_options(options.file, options)
    except (SalesFunnelError, OSError):
        return ""
    if not found:
        return ""
    return Wording("\n{file} looks as if these fitted: {options}", file=options.file, options=found)
