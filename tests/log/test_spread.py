"""Tables with one row per opportunity, read batch by batch: as if they were read at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesfunnel.columns import source
from salesfunnel.columns.csvfile import csv_batches
from salesfunnel.columns.jsonl import json_line_batches
from salesfunnel.errors import DataError, MissingColumnError, SalesFunnelError
from salesfunnel.log.current import read_current
from salesfunnel.log.spread import Seen
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.wide import read_wide
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"], ["price"])
CURRENT: dict[str, Any] = {"stage": "stage", "created": "from", "closed": "to", "start": "lead"}
WIDE: dict[str, Any] = {"stages": {"lead": "from", "won": "to"}}
MORE: dict[str, Any] = {"attributes": ["owner"], "amount": "n", "order": "no", "reason": "why"}

days = st.none() | st.sampled_from(["2026-01-05", "2026-01-05", "2026-01-12", "soon"])
rows = st.fixed_dictionaries(
    {
        "id": st.none() | st.sampled_from(["A", "B", "C", "D", 1, 2]),
        "stage": st.sampled_from(["lead", "demo", "won", "lost", "leed"]),
    },
    optional={
        "from": days,
        "to": days,
        "owner": st.sampled_from(["Li", "Wang"]),
        "n": st.integers(0, 9),
        "no": st.integers(0, 5),
        "why": st.just("price"),
    },
)


def in_batches_of(monkeypatch: pytest.MonkeyPatch, n_rows: int) -> None:
    def lines(*arguments: Any, **options: Any) -> Any:
        return json_line_batches(*arguments, **options, n_rows=n_rows)

    def cells(*arguments: Any, **options: Any) -> Any:
        return csv_batches(*arguments, **options, n_cells=n_rows)

    monkeypatch.setattr(source, "json_line_batches", lines)
    monkeypatch.setattr(source, "csv_batches", cells)


def read(path: Path, **options: Any) -> StageLog | str:
    reader = read_current if "created" in options else read_wide
    try:
        return reader(path, FUNNEL, opportunity="id", tz="UTC", **options)
    except SalesFunnelError as error:
        return f"{type(error).__name__}: {error}"


@given(table=st.lists(rows, min_size=1, max_size=8), n_rows=st.integers(1, 3))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("errors", ["collect", "raise"])
@pytest.mark.parametrize("form", [CURRENT, WIDE])
def test_in_batches_it_is_the_same_log(
    form: dict[str, Any],
    errors: str,
    table: list[dict[str, Any]],
    n_rows: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "deals.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
    options = {**form, **MORE, "errors": errors}

    in_batches_of(monkeypatch, 1 << 30)
    whole = read(path, **options)
    in_batches_of(monkeypatch, n_rows)
    parts = read(path, **options)

    assert parts == whole
    if isinstance(whole, StageLog) and isinstance(parts, StageLog):
        assert parts.rejected == whole.rejected
        assert len(table) == whole.n_opportunities + len(whole.rejected)


def test_an_identifier_of_an_earlier_batch_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(
        "id,stage,from,to\nA,demo,2026-01-05,\nB,lead,2026-01-06,\nA,won,2026-01-07,2026-01-08\n"
    )
    in_batches_of(monkeypatch, 4)

    log = read(path, **CURRENT, errors="collect")

    assert isinstance(log, StageLog)
    assert log.n_opportunities == 2
    assert log.rejected["row"].tolist() == [4]
    assert log.rejected["expected"][0] == "an identifier of its own; an earlier row has this one"
    assert "row 4, id: 'A'" in str(read(path, **CURRENT))


def test_a_column_that_no_record_has_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deals.jsonl"
    path.write_text('{"id": "A", "stage": "lead", "from": "2026-01-05"}\n{"id": "B"}\n')
    in_batches_of(monkeypatch, 1)

    with pytest.raises(MissingColumnError, match="has no column 'to'; it has id, stage, from"):
        read_current(path, FUNNEL, opportunity="id", tz="UTC", **CURRENT)
    with pytest.raises(MissingColumnError, match="has no column 'to'; it has id, stage, from"):
        read_wide(path, FUNNEL, opportunity="id", tz="UTC", **WIDE)


def test_columns_called_as_states_may_come_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deals.jsonl"
    path.write_text('{"id": "A", "Lead": "2026-01-05"}\n{"id": "B", "won": "2026-01-06"}\n')
    in_batches_of(monkeypatch, 1)

    log = read_wide(path, FUNNEL, opportunity="id", tz="UTC")

    assert log.milestones().status.tolist() == ["open", "won"]
    path.write_text('{"id": "A", "Lead": "soon"}\n')
    with pytest.raises(DataError, match="row 1, Lead: 'soon'"):
        read_wide(path, FUNNEL, opportunity="id", tz="UTC")


def test_what_was_seen_is_known_by_its_identifier() -> None:
    seen = Seen()

    names = np.array(["A", "B"], object)
    assert seen.again(np.array([0, 1, 0, -1]), names).tolist()[:3] == [False, False, True]
    assert seen.again(np.array([1, 0]), np.array(["C", "B"], object)).tolist() == [True, False]
    assert seen.again(np.array([7, 7, 8]), None).tolist() == [False, True, False]
    assert seen.again(np.array([8]), None).tolist() == [True]
