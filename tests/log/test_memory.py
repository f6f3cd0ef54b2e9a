"""Files are read in less memory than they have text, whatever their form and whoever reads them."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from salesfunnel.columns import csvfile
from salesfunnel.columns.jsonl import records_table
from salesfunnel.crm import hubspot, jiandaoyun, salesforce
from salesfunnel.log.current import read_current
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.wide import read_wide
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"])
N = 6_000
NOTE = "what was said, " * 300
DAYS = [f"2026-01-{day:02}T09:30:00Z" for day in range(1, 29)]
CURRENT: Any = {"opportunity": "id", "stage": "stage", "created": "at", "closed": "end"}


def current() -> Iterator[dict[str, Any]]:
    for n in range(N):
        yield {"id": f"O-{n}", "stage": "demo", "at": DAYS[n % 28], "end": None, "note": NOTE}


def wide() -> Iterator[dict[str, Any]]:
    for n in range(N):
        yield {"id": f"O-{n}", "lead": DAYS[n % 28], "note": NOTE}


def history() -> Iterator[dict[str, Any]]:
    for n in range(N):
        about = {"Id": f"H{n}", "OpportunityId": f"{n:018}", "Note": NOTE}
        yield {**about, "StageName": "demo", "CreatedDate": DAYS[n % 28]}


def deals() -> Iterator[dict[str, Any]]:
    for n in range(N):
        moves = [{"value": "demo", "timestamp": DAYS[n % 28]}]
        about = {"dealstage": "demo", "notes": NOTE}
        yield {"id": str(n), "properties": about, "propertiesWithHistory": {"dealstage": moves}}


def forms() -> Iterator[dict[str, Any]]:
    for n in range(N):
        yield {"_id": f"O-{n}", "createTime": DAYS[n % 28], "stage": "demo", "_widget_1": NOTE}


def write(path: Path, records: Iterator[dict[str, Any]], member: str | None) -> None:
    """Write records as JSON or as CSV, a few at a time."""
    with path.open("w", encoding="utf-8") as out:
        if path.suffix == ".csv":
            for place, record in enumerate(records):
                columns = records_table([record], "").columns
                out.write(",".join(columns) + "\n" if place == 0 else "")
                out.write(",".join(f'"{values[0] or ""}"' for values in columns.values()) + "\n")
            return
        out.write("[" if member is None else f'{{"{member}": [')
        for place, record in enumerate(records):
            out.write((", " if place else "") + json.dumps(record))
        out.write("]" if member is None else '], "done": true}')


@pytest.mark.parametrize(
    ("name", "records", "member", "load"),
    [
        ("a.json", current, None, lambda path: read_current(path, FUNNEL, **CURRENT)),
        ("b.json", wide, None, lambda path: read_wide(path, FUNNEL, opportunity="id")),
        ("c.json", history, "records", lambda path: salesforce.load(history=path, funnel=FUNNEL)),
        ("c.csv", history, None, lambda path: salesforce.load(history=path, funnel=FUNNEL)),
        ("d.json", deals, "results", lambda path: hubspot.load(deals=path, funnel=FUNNEL)),
        (
            "e.json",
            forms,
            "data",
            lambda path: jiandaoyun.load(
                data=path, funnel=FUNNEL, fields={"stage": "stage"}, partial=True
            ),
        ),
    ],
)
def test_a_file_takes_less_memory_than_its_text(
    tmp_path: Path,
    name: str,
    records: Callable[[], Iterator[dict[str, Any]]],
    member: str | None,
    load: Callable[[Path], StageLog],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csvfile, "BLOCK", 1 << 20)
    path = tmp_path / name
    write(path, records(), member)
    gc.collect()
    tracemalloc.start()
    try:
        log = load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(log) == N
    assert path.stat().st_size > 25_000_000
    assert peak < 22_000_000
