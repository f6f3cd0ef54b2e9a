"""Progress is told now and then, and at the end."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from salesfunnel.datasets import make_pipeline
from salesfunnel.errors import DefinitionError
from salesfunnel.kernel import progress as module
from salesfunnel.kernel.progress import Meter, meter
from salesfunnel.log.read import read_csv, read_jsonl, read_parquet
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"])
Reports = list[tuple[int, int | None, str]]


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every report through."""
    monkeypatch.setattr(module, "INTERVAL", 0.0)


def test_reports_are_far_between(monkeypatch: pytest.MonkeyPatch) -> None:
    told: Reports = []
    clock = iter([10.0, 10.01, 10.049, 10.051, 10.06])
    monkeypatch.setattr(module, "monotonic", lambda: next(clock))
    watch = Meter(lambda *report: told.append(report), "read", 100)

    for done in (10, 20, 30, 40, 50):
        watch.at(done)
    watch.end()

    assert told == [(10, 100, "read"), (40, 100, "read"), (100, 100, "read")]


def test_the_end_is_what_was_done_where_no_total_is_known() -> None:
    told: Reports = []
    watch = Meter(lambda *report: told.append(report), "read")
    watch.at(7)
    watch.end()

    assert told == [(7, None, "read"), (7, 7, "read")]


def test_nobody_asking_costs_nothing() -> None:
    assert meter(None, "read") is None


def test_what_cannot_be_called_is_refused() -> None:
    log = make_pipeline(10)

    for call in (log.flow, log.stage_counts):
        with pytest.raises(DefinitionError, match=r"progress= is a callable, .*, not 'yes'"):
            call(progress="yes")  # type: ignore[arg-type]


def rows(n: int) -> list[tuple[str, str, str]]:
    return [(f"D{i}", "lead", "2026-01-05") for i in range(n)]


def csv_file(folder: Path) -> Path:
    path = folder / "deals.csv"
    path.write_text("id,stage,at\n" + "".join(",".join(row) + "\n" for row in rows(100_000)))
    return path


def gzip_file(folder: Path) -> Path:
    path = folder / "deals.csv.gz"
    path.write_bytes(gzip.compress(csv_file(folder).read_bytes()))
    return path


def gb_file(folder: Path) -> Path:
    path = folder / "deals.csv"
    path.write_bytes("id,stage,at\nD1,lead,2026-01-05\n商机,lead,2026-01-05\n".encode("gb18030"))
    return path


def jsonl_file(folder: Path) -> Path:
    path = folder / "deals.jsonl"
    line = '{{"id": "{}", "stage": "{}", "at": "{}"}}\n'
    path.write_text("".join(line.format(*row) for row in rows(60_000)))
    return path


def parquet_file(folder: Path) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / "deals.parquet"
    columns = zip(*rows(1000), strict=True)
    table = pa.table(dict(zip(("id", "stage", "at"), map(list, columns), strict=True)))
    parquet.write_table(table, path)
    return path


READERS: dict[str, tuple[Callable[..., StageLog], Callable[[Path], Path]]] = {
    "csv": (read_csv, csv_file),
    "gzip": (read_csv, gzip_file),
    "gb18030": (read_csv, gb_file),
    "jsonl": (read_jsonl, jsonl_file),
    "parquet": (read_parquet, parquet_file),
}
COLUMNS: dict[str, Any] = {"opportunity": "id", "stage": "stage", "entered_at": "at", "tz": "UTC"}


@pytest.mark.usefixtures("every")
@pytest.mark.parametrize("kind", READERS)
def test_a_reader_tells_how_far_it_is(kind: str, tmp_path: Path) -> None:
    reader, make = READERS[kind]
    path, told = make(tmp_path), Reports()
    log = reader(path, FUNNEL, **COLUMNS, progress=lambda *report: told.append(report))

    assert log == reader(path, FUNNEL, **COLUMNS)
    assert {what for _, _, what in told} == {"read"}
    total = 1000 if kind == "parquet" else path.stat().st_size
    assert told[-1] == (total, total, "read")
    assert all(done <= total for done, _, _ in told)
    if kind in ("csv", "jsonl"):
        assert len(told) > 2
    if kind != "gb18030":  # which is found out on a second try
        assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


@pytest.mark.usefixtures("every")
def test_counting_tells_how_far_it_is() -> None:
    log, told = make_pipeline(40_000), Reports()
    progress = lambda *report: told.append(report)  # noqa: E731  # short enough
    n = len(log)

    assert log.flow(progress=progress) == log.flow()
    assert told[-1] == (n, n, "count")
    assert len(told) > 2
    assert sorted(told) == told

    for mode in ("reached", "actual", "strict"):
        told.clear()
        log = make_pipeline(40_000)
        assert log.stage_counts(mode, progress=progress) == make_pipeline(40_000).stage_counts(mode)
        n = log.n_opportunities
        assert told[-1] == (n, n, "count")
        assert {what for _, _, what in told} == {"classify", "count"}


def test_an_error_of_the_callable_ends_the_work(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int | None, what: str) -> None:
        raise StoppedError(what)

    log = make_pipeline(100)
    calls: list[Callable[[], object]] = [
        partial(log.flow, progress=stop),
        partial(log.stage_counts, progress=stop),
        partial(read_csv, csv_file(tmp_path), FUNNEL, **COLUMNS, progress=stop),
        partial(read_jsonl, jsonl_file(tmp_path), FUNNEL, **COLUMNS, progress=stop),
        partial(read_parquet, parquet_file(tmp_path), FUNNEL, **COLUMNS, progress=stop),
    ]
    for call in calls:
        with pytest.raises(StoppedError):
            call()
