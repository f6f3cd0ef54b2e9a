"""What a log says, entry by entry, for tests to compare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from salesfunnel.log.stagelog import StageLog

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def told(log: StageLog) -> list[tuple[str, str, str]]:
    """Return opportunity, state and time of every entry, in order; times without seconds."""
    entries = log.entries
    ids = log.identify(entries.opportunity).tolist()
    states = [log.funnel.states[code] for code in entries.state.tolist()]
    at = [f"{EPOCH + timedelta(microseconds=micro):%m-%d %H:%M}" for micro in entries.time.tolist()]
    return list(zip(ids, states, at, strict=True))


def collapsed(log: StageLog) -> list[tuple[str, str, str]]:
    """Return the entries without those that repeat the state before."""
    kept: list[tuple[str, str, str]] = []
    for entry in told(log):
        if not kept or kept[-1][:2] != entry[:2]:
            kept.append(entry)
    return kept


def labels(log: StageLog, name: str) -> list[str | None]:
    """Return the label of every entry."""
    found = log.attribute(name)
    return [None if code < 0 else found.names[code] for code in found.codes.tolist()]


def amounts(log: StageLog) -> list[float | None]:
    """Return the amount of every entry."""
    if log.amounts is None:
        return [None] * len(log)
    return [None if value != value else value for value in log.amounts.tolist()]


def reasons(log: StageLog) -> dict[str, str]:
    """Return the reason of each entry that has one, by opportunity and state."""
    if log.reasons is None:
        return {}
    names = log.reasons.names
    return {
        opportunity: names[code]
        for (opportunity, _, _), code in zip(told(log), log.reasons.codes.tolist(), strict=True)
        if code >= 0
    }


def rejected(log: StageLog) -> list[tuple[int, str, Any]]:
    """Return row, column and value of what was rejected."""
    table = log.rejected
    columns = (table[name].tolist() for name in ("row", "column", "value"))
    return list(zip(*columns, strict=True))
