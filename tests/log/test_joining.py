"""A log read in batches is the log read at once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from histories import FORMS, funnel_of, oracles
from hypothesis import given
from hypothesis import strategies as st
from oracle import Oracle

from salesfunnel.columns.csvfile import csv_batches
from salesfunnel.errors import CurrencyError, DataError
from salesfunnel.log import read as reading
from salesfunnel.log.build import build
from salesfunnel.log.labels import Labels
from salesfunnel.log.read import read_csv
from salesfunnel.log.rows import Source
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"], ["price"])


def content(log: StageLog) -> dict[str, Any]:
    """Return all that a log says, whatever the codes in it are."""

    def texts(labels: Labels | None) -> list[Any] | None:
        if labels is None:
            return None
        return [None if code < 0 else labels.names[code] for code in labels.codes.tolist()]

    opportunity, state, time = log.entries
    return {
        "opportunity": log.identify(opportunity).tolist(),
        "state": state.tolist(),
        "time": time.tolist(),
        "reasons": texts(log.reasons),
        "amounts": None if log.amounts is None else np.nan_to_num(log.amounts, nan=-0.5).tolist(),
        "attributes": {name: texts(log.attribute(name)) for name in log.attributes},
        "records": None if log.records is None else log.records.tolist(),
        "currency": log.currency,
        "rejected": list(log.rejected.rows()),
        "ignored": log.ignored,
    }


@given(oracle=oracles(), cuts=st.lists(st.integers(0, 28), max_size=3), arrays=st.booleans())
def test_rows_in_batches_are_the_same_log(oracle: Oracle, cuts: list[int], arrays: bool) -> None:
    rows = oracle.rows
    ids: Any = [row.opportunity for row in rows]
    if arrays and all(isinstance(i, int) and abs(i) < 2**62 for i in ids):
        ids = np.array(ids, np.int64)
    columns: dict[str, Any] = {
        "opportunity": ids,
        "stage": [row.state for row in rows],
        "entered_at": FORMS["microseconds"]([row.time for row in rows]),
        "reason": [row.reason for row in rows],
        "amount": [row.amount for row in rows],
        "order": [str(row.order) for row in rows] if oracle.ties == "order" else None,
    }
    owners = [row.labels.get("owner") for row in rows]
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]

    def source(start: int, stop: int) -> Source:
        parts: dict[str, Any] = {
            name: None if column is None else column[start:stop] for name, column in columns.items()
        }
        return Source(
            **parts,
            attributes={"owner": owners[start:stop]},
            currency=["CNY"] * (stop - start),
            row_number=lambda index: start + index,
        )

    ties = "state" if oracle.ties == "state" else "input"
    whole = build(funnel_of(oracle), source(0, len(rows)), ties=ties, errors="collect")
    parts = (source(a, b) for a, b in pairwise(bounds))
    joined = build(funnel_of(oracle), parts, ties=ties, errors="collect")

    assert content(joined) == content(whole)


# ── a CSV file ────────────────────────────────────────────────────────────────────────────────────

TEXT = """id,stage,at,reason,owner,amount,currency,record
A-1,Lead,2026-01-05,,Li Na,12000.5,CNY,9

A-1,demo,2026-01-05,,,,CNY,10000000000000000000000
A-2,lead,2026-01-06,,Wang,,CNY,3.5
A-2,nowhere,2026-01-06,,Wang,,CNY,4
A-1,lost,2026-01-08,price,Wang,13000,CNY,4
A-2,archived,2026-01-09,,,,,5
A-2,demo
A-2,demo,2026-01-10,,,,,six
"""
COLUMNS: dict[str, Any] = {
    "opportunity": "id",
    "stage": "stage",
    "entered_at": "at",
    "reason": "reason",
    "attributes": ["owner"],
    "amount": "amount",
    "order": "record",
    "currency": "currency",
    "stage_map": {"archived": None},
    "tz": "Asia/Shanghai",
}


@pytest.fixture
def in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(*arguments: Any, **options: Any) -> Any:
        return csv_batches(*arguments, **options, n_cells=8)

    monkeypatch.setattr(reading, "csv_batches", small)


def test_a_file_in_batches_is_the_same_log(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(TEXT, encoding="utf-8")
    whole = read_csv(path, FUNNEL, **COLUMNS, errors="collect")
    request.getfixturevalue("in_small_batches")

    batches = read_csv(path, FUNNEL, **COLUMNS, errors="collect")

    assert content(batches) == content(whole)
    assert whole.rejected["row"].tolist() == [6, 9, 10]
    assert len(whole) + whole.ignored + len(whole.rejected) == 8


@pytest.mark.usefixtures("in_small_batches")
def test_bad_rows_of_all_batches_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    rows = "".join(f"A-{n},nowhere,2026-01-05\n" for n in range(50))
    path.write_text(f"id,stage,at\nA-0,lead,2026-01-05\n{rows}", encoding="utf-8")
    columns: dict[str, Any] = {"opportunity": "id", "stage": "stage", "entered_at": "at"}

    with pytest.raises(DataError, match=r"^50 rows cannot be entries") as refusal:
        read_csv(path, FUNNEL, **columns, tz="UTC")
    assert [bad.row for bad in refusal.value.rows] == list(range(3, 23))
    assert refusal.value.more == 30
    collected = read_csv(path, FUNNEL, **columns, tz="UTC", errors="collect")
    assert len(collected.rejected) == 50


@pytest.mark.usefixtures("in_small_batches")
def test_a_file_that_turns_out_not_to_be_utf_8_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    rows = "".join(f"A-{n},lead,2026-01-05,Li\n" for n in range(1_000))
    text = f"id,stage,at,owner\n{rows}A-1,demo,2026-01-06,王\n"
    path.write_bytes(text.encode("gb18030"))

    log = read_csv(
        path,
        FUNNEL,
        opportunity="id",
        stage="stage",
        entered_at="at",
        attributes="owner",
        tz="UTC",
    )

    assert len(log) == 1_001
    assert log.attribute("owner").names == ("Li", "王")


@pytest.mark.usefixtures("in_small_batches")
def test_currencies_that_differ_between_batches_are_told(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(
        "id,stage,at,n,currency\nA,lead,2026-01-05,1,\nA,lead,2026-01-05,1,CNY\n"
        "A,lead,2026-01-05,1,USD\n",
        encoding="utf-8",
    )
    columns: dict[str, Any] = {"opportunity": "id", "stage": "stage", "entered_at": "at"}
    columns |= {"amount": "n", "currency": "currency", "tz": "UTC"}

    with pytest.raises(CurrencyError, match=r"currency: amounts in CNY, USD; give what one unit"):
        read_csv(path, FUNNEL, **columns)
    log = read_csv(path, FUNNEL, **columns, rates={"CNY": 1, "USD": 7}, errors="collect")
    assert log.currency == "CNY"
    assert log.amounts is not None
    assert log.amounts.tolist() == [1, 7]
