"""Two hundred broken files for each reader: a log that has every row, or a named error."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from mutations import Rows, mutated_bytes, mutated_rows
from pyarrow import parquet

from salesfunnel.columns.files import decode, read_bytes
from salesfunnel.errors import SalesFunnelError, SizeError
from salesfunnel.log.current import read_current
from salesfunnel.log.read import read_csv, read_jsonl, read_parquet
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.suggest import suggest_mapping
from salesfunnel.log.wide import read_wide
from salesfunnel.metrics import stage_table
from salesfunnel.model.funnel import Funnel
from salesfunnel.table import Table

N_FILES = 200
FUNNEL = Funnel(["lead", "demo"], ["price"])
HISTORY: Rows = [
    {
        "id": f"A-{n % 5}",
        "stage": ("lead", "演示", "won", "归档")[n % 4],
        "at": f"2026-01-{n + 1:02d}T09:30:00+08:00",
        "owner": ("李娜", "Wang", None)[n % 3],
        "n": 100.5 * n,
        "why": None,
        "record": n,
    }
    for n in range(12)
]
NOW: Rows = [
    {
        "id": f"A-{n}",
        "stage": ("lead", "演示", "won", "归档")[n % 4],
        "from": f"2026-01-{n + 1:02d}",
        "to": f"2026-02-{n + 1:02d}",
        "owner": ("李娜", "Wang", None)[n % 3],
        "n": 100.5 * n,
    }
    for n in range(8)
]
WIDE: Rows = [
    {
        "id": f"A-{n}",
        "lead": f"2026-01-{n + 1:02d}",
        "demo": f"2026-01-{n + 11:02d}" if n % 2 else None,
        "won": f"2026-02-{n + 1:02d}" if n % 3 == 0 else None,
        "lost": None,
        "n": 100.5 * n,
    }
    for n in range(8)
]
READING: dict[str, Any] = {"tz": "Asia/Shanghai", "errors": "collect"}
MAP: dict[str, Any] = {"stage_map": {"演示": "demo", "归档": None}}
ENTRIES: dict[str, Any] = {
    "opportunity": "id",
    "stage": "stage",
    "entered_at": "at",
    "reason": "why",
    "attributes": ["owner"],
    "amount": "n",
    "order": "record",
    **MAP,
    **READING,
}
CURRENT: dict[str, Any] = {
    "opportunity": "id",
    "stage": "stage",
    "created": "from",
    "closed": "to",
    "start": "lead",
    "attributes": ["owner"],
    "amount": "n",
    **MAP,
    **READING,
}
STAGES: dict[str, Any] = {"opportunity": "id", "amount": "n", **READING}


def as_csv(rows: Rows) -> bytes:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_jsonl(rows: Rows) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def as_json(rows: Rows) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


def n_csv(path: Path) -> int:
    """Return how many rows Python's own reader finds."""
    csv.field_size_limit(1 << 20)
    text = decode(read_bytes(path), "x")
    return sum(bool(cells) for cells in csv.reader(io.StringIO(text, newline=""), strict=True)) - 1


def n_lines(path: Path) -> int:
    lines = decode(read_bytes(path), "x").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return sum(bool(line.strip()) for line in lines)


def n_json(path: Path) -> int:
    return len(json.loads(decode(read_bytes(path), "x")))


Read = Callable[[Path], StageLog]
FILES: dict[str, tuple[Rows, Callable[[Rows], bytes], Read, Callable[[Path], int]]] = {
    "history.csv": (HISTORY, as_csv, lambda path: read_csv(path, FUNNEL, **ENTRIES), n_csv),
    "history.jsonl": (HISTORY, as_jsonl, lambda path: read_jsonl(path, FUNNEL, **ENTRIES), n_lines),
    "now.csv": (NOW, as_csv, lambda path: read_current(path, FUNNEL, **CURRENT), n_csv),
    "history.json": (HISTORY, as_json, lambda path: read_jsonl(path, FUNNEL, **ENTRIES), n_json),
    "now.jsonl": (NOW, as_jsonl, lambda path: read_current(path, FUNNEL, **CURRENT), n_lines),
    "now.json": (NOW, as_json, lambda path: read_current(path, FUNNEL, **CURRENT), n_json),
    "wide.csv": (WIDE, as_csv, lambda path: read_wide(path, FUNNEL, **STAGES), n_csv),
    "wide.json": (WIDE, as_json, lambda path: read_wide(path, FUNNEL, **STAGES), n_json),
}


def accounted_for(log: StageLog, n_rows: int, name: str) -> None:
    """Assert that every row is an entry (or an opportunity), rejected, or ignored."""
    made = len(log) if name.startswith("history") else log.n_opportunities
    assert made + len(log.rejected) + log.ignored == n_rows


def usable(log: StageLog, seed: int) -> None:
    """Assert, of one in ten, that what was read can be shown and written."""
    if seed % 10:
        return
    str(stage_table(log))
    str(log.rejected)
    log.rejected.to_html()
    log.to_csv()
    with suppress(SizeError):  # of amounts that are too large to add up
        log.flow(by=list(log.attributes) or None)


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_a_log_or_a_named_error(name: str, tmp_path: Path) -> None:
    rows, write, read, count = FILES[name]
    loaded = refused = 0
    for seed in range(N_FILES):
        random = Random(seed)
        data = write(mutated_rows(rows, random, nested=not name.endswith("csv")))
        path = tmp_path / f"{seed}-{name}"
        path.write_bytes(mutated_bytes(data, random))
        try:
            log = read(path)
        except SalesFunnelError:
            refused += 1
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        loaded += 1
        try:
            accounted_for(log, count(path), name)
            usable(log, seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
    assert loaded > N_FILES / 4
    assert refused > N_FILES / 10


def as_objects(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows, dtype=object)


def as_typed(rows: Rows) -> pd.DataFrame:
    """Return a dataframe with the types that pandas finds for itself."""
    return pd.DataFrame(rows)


def as_table(rows: Rows) -> pa.Table:
    """Return an Arrow table, of whose columns those of several types are texts."""
    columns = {}
    for column in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(column) for row in rows]
        try:
            columns[column] = pa.array(values)
        except (pa.ArrowException, OverflowError):
            columns[column] = pa.array([None if v is None else str(v) for v in values])
    return pa.table(columns)


@pytest.mark.parametrize("make", [as_objects, as_typed, as_table])
def test_a_broken_dataframe_is_a_log_or_a_named_error(make: Callable[[Rows], Any]) -> None:
    loaded = 0
    for seed in range(N_FILES):
        rows = mutated_rows(HISTORY, Random(seed), nested=True)
        frame = make(rows)
        try:
            log = StageLog.from_frame(frame, FUNNEL, **ENTRIES)
        except SalesFunnelError:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        loaded += 1
        assert len(log) + len(log.rejected) + log.ignored == len(rows), f"seed {seed}"
        usable(log, seed)
    assert loaded > N_FILES / 2


def test_a_broken_parquet_file_is_a_log_or_a_named_error(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    loaded = refused = 0
    for seed in range(N_FILES):
        random = Random(seed)
        rows = mutated_rows(HISTORY, random, nested=True)
        parquet.write_table(as_table(rows), path)
        whole = path.read_bytes()
        path.write_bytes(mutated_bytes(whole, random))
        try:
            log = read_parquet(path, FUNNEL, **ENTRIES)
        except SalesFunnelError:
            refused += 1
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        loaded += 1
        if path.read_bytes() == whole:
            assert len(log) + len(log.rejected) + log.ignored == len(rows), f"seed {seed}"
        usable(log, seed)
    assert loaded > N_FILES / 4
    assert refused > N_FILES / 10


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_looked_at_without_failing(name: str, tmp_path: Path) -> None:
    rows, write, _, _ = FILES[name]
    for seed in range(N_FILES // 8):
        random = Random(seed)
        data = write(mutated_rows(rows, random, nested=not name.endswith("csv")))
        path = tmp_path / f"{seed}-{name}"
        path.write_bytes(mutated_bytes(data, random))
        try:
            str(suggest_mapping(path, FUNNEL))
        except SalesFunnelError:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


LOG = StageLog.from_columns(
    FUNNEL,
    opportunity=[row["id"] for row in HISTORY],
    stage=["lead", "demo", "won"] * 4,
    entered_at=[row["at"] for row in HISTORY],
    attributes={"owner": [row["owner"] for row in HISTORY]},
    amount=[row["n"] for row in HISTORY],
)
SAVED: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {
    "log.csv": (
        lambda path: LOG.to_csv(path, raw=True),
        lambda path: StageLog.from_csv(path, FUNNEL),
    ),
    "log.json": (LOG.to_json, StageLog.from_json),
    "log.parquet": (LOG.to_parquet, StageLog.from_parquet),
    "flow.csv": (
        lambda path: LOG.flow(by="owner").to_csv(path, raw=True),
        lambda path: StageFlow.from_csv(path, FUNNEL),
    ),
    "flow.json": (LOG.flow().to_json, StageFlow.from_json),
    "flow.parquet": (LOG.flow().to_parquet, StageFlow.from_parquet),
    "table.csv": (lambda path: stage_table(LOG).to_csv(path, raw=True), Table.from_csv),
    "table.json": (lambda path: stage_table(LOG).to_json(path, raw=True), Table.from_json),
    "table.parquet": (stage_table(LOG).to_parquet, Table.from_parquet),
}
"""What the library wrote itself, and what reads it back."""


@pytest.mark.parametrize("name", SAVED)
def test_what_was_written_and_then_broken_is_read_or_a_named_error(
    name: str, tmp_path: Path
) -> None:
    write, read = SAVED[name]
    path = tmp_path / name
    write(path)
    whole = path.read_bytes()
    for seed in range(N_FILES):
        path.write_bytes(mutated_bytes(whole, Random(seed)))
        try:
            read(path)
        except SalesFunnelError:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
