"""One source in every form: files and dataframes are the same log, and have the same faults."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather, ipc, parquet

from salesfunnel.columns import source
from salesfunnel.columns.arrow import arrow_batches
from salesfunnel.columns.jsonl import json_line_batches
from salesfunnel.errors import (
    CurrencyError,
    DataError,
    DefinitionError,
    EmptyFileError,
    EncodingError,
    FileLimitError,
    MissingColumnError,
    MissingExtraError,
    NaiveTimeError,
    TruncatedFileError,
)
from salesfunnel.log.read import read_csv, read_jsonl, read_parquet
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"], ["price"])
ROWS: list[dict[str, Any]] = [
    {"id": "A-1", "stage": "Lead", "at": "2026-01-05T09:00+08:00", "owner": "李娜", "n": 12000.5},
    {"id": "A-1", "stage": "演示", "at": "2026-01-06T09:00+08:00", "owner": None, "n": None},
    {"id": "A-2", "stage": "lead", "at": "2026-01-06T09:00+08:00", "owner": "王伟", "n": None},
    {"id": "A-1", "stage": "dead", "at": "2026-01-08T09:00+08:00", "owner": "王伟", "n": 13000.0},
    {"id": "A-2", "stage": "gone", "at": "2026-01-09T09:00+08:00", "owner": None, "n": None},
]
for number, row in enumerate(ROWS):
    row |= {"why": "price" if row["stage"] == "dead" else None, "currency": "CNY", "record": number}
FIELDS: dict[str, Any] = {
    "opportunity": "id",
    "stage": "stage",
    "entered_at": "at",
    "reason": "why",
    "attributes": {"owner": "owner"},
    "amount": "n",
    "order": "record",
    "currency": "currency",
}
READING: dict[str, Any] = {
    "stage_map": {"演示": "demo", "dead": "lost", "gone": None},
    "tz": "Asia/Shanghai",
}
Reader = Callable[..., StageLog]


def as_csv(rows: list[dict[str, Any]], folder: Path) -> Any:
    pd.DataFrame(rows).to_csv(folder / "deals.csv", index=False)
    return folder / "deals.csv"


def as_jsonl(rows: list[dict[str, Any]], folder: Path) -> Any:
    lines = [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
    (folder / "deals.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "deals.jsonl"


def as_json(rows: list[dict[str, Any]], folder: Path) -> Any:
    text = json.dumps(rows, ensure_ascii=False, default=str)
    (folder / "deals.json").write_text(text, encoding="utf-8")
    return folder / "deals.json"


def as_parquet(rows: list[dict[str, Any]], folder: Path) -> Any:
    parquet.write_table(pa.Table.from_pylist(rows), folder / "deals.parquet")
    return folder / "deals.parquet"


def as_feather(rows: list[dict[str, Any]], folder: Path) -> Any:
    feather.write_feather(pa.Table.from_pylist(rows), folder / "deals.feather")
    return folder / "deals.feather"


def as_stream(rows: list[dict[str, Any]], folder: Path) -> Any:
    table = pa.Table.from_pylist(rows)
    with ipc.new_stream(folder / "deals.arrows", table.schema) as out:
        out.write_table(table, max_chunksize=2)
    return folder / "deals.arrows"


def as_pandas(rows: list[dict[str, Any]], folder: Path) -> Any:
    return pd.DataFrame(rows)


def as_polars(rows: list[dict[str, Any]], folder: Path) -> Any:
    return pl.DataFrame(rows)


def as_pyarrow(rows: list[dict[str, Any]], folder: Path) -> Any:
    return pa.Table.from_pylist(rows)


def as_relation(rows: list[dict[str, Any]], folder: Path) -> Any:
    return duckdb.from_arrow(pa.Table.from_pylist(rows))


FORMS: dict[str, tuple[Callable[[list[dict[str, Any]], Path], Any], Reader, int]] = {
    "csv": (as_csv, read_csv, 2),
    "jsonl": (as_jsonl, read_jsonl, 1),
    "json": (as_json, read_jsonl, 0),
    "parquet": (as_parquet, read_parquet, 0),
    "feather": (as_feather, read_parquet, 0),
    "stream": (as_stream, read_parquet, 0),
    "pandas": (as_pandas, StageLog.from_frame, 0),
    "polars": (as_polars, StageLog.from_frame, 0),
    "pyarrow": (as_pyarrow, StageLog.from_frame, 0),
    "duckdb": (as_relation, StageLog.from_frame, 0),
}
"""What writes a form, what reads it, and what it calls the first row."""


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return a function that reads rows in a form, and what the form calls the first row."""
    write, read, first = FORMS[request.param]

    def of(rows: list[dict[str, Any]], **changed: Any) -> StageLog:
        return read(write(rows, tmp_path), FUNNEL, **{**FIELDS, **READING, **changed})

    return of, first


def test_every_form_is_the_same_log(form: Any) -> None:
    read, _ = form

    log = read(ROWS)

    assert log.opportunities.tolist() == ["A-1", "A-2"]
    assert log.milestones().status.tolist() == ["lost", "open"]
    assert (len(log), log.ignored, len(log.rejected)) == (4, 1, 0)
    assert log.currency == "CNY"
    assert log.view().amount.tolist()[:1] == [13000]
    assert log.attribute("owner").names == ("李娜", "王伟")
    assert log.reasons is not None
    assert log.reasons.names == ("price",)
    assert str(log.as_of) == "2026-01-08 01:00:00+00:00"
    assert str(log.tz) == str(read(ROWS, tz="Asia/Shanghai").tz)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("id", None, "an identifier; there is none"),
        ("stage", "leed", "a state of the funnel: lead, demo, won, lost (stage_map= says what "),
        ("stage", None, "a stage; there is none"),
        ("at", None, "a time; there is none (missing_time= would give one)"),
        ("at", "soon", "an ISO 8601 time such as 2026-01-31T09:30:00+08:00 (date_format= names"),
        ("at", "9999999-01-01", "an ISO 8601 time such as 2026-01-31T09:30:00+08:00"),
        ("currency", "EUR", "a currency with a rate: CNY"),
        ("record", None, "a record number"),
    ],
)
def test_a_row_that_cannot_be_an_entry_is_told_in_every_form(
    form: Any, column: str, value: Any, expected: str
) -> None:
    read, first = form
    rows = [dict(row) for row in ROWS]
    rows[3][column] = value
    options = {"rates": {"CNY": 1}} if column == "currency" else {}

    with pytest.raises(DataError, match=r"^1 row cannot be entries") as refusal:
        read(rows, **options)
    (bad,) = refusal.value.rows
    assert (bad.row, bad.column) == (first + 3, column)
    assert bad.expected.startswith(expected)
    log = read(rows, **options, errors="collect")
    assert log.rejected["row"].tolist() == [first + 3]
    assert len(log) + log.ignored + len(log.rejected) == len(rows)


@pytest.mark.parametrize("name", [*FIELDS])
def test_a_missing_column_is_told_in_every_form(form: Any, name: str) -> None:
    read, _ = form
    asked: Any = ["gone"] if name == "attributes" else "gone"
    if name == "currency":  # what is no column is the currency of all
        assert read(ROWS, currency="gone").currency == "gone"
        return

    with pytest.raises(MissingColumnError, match=r"has no column 'gone'; it has .*id.*stage"):
        read(ROWS, **{name: asked})


def test_wrong_arguments_are_told_in_every_form(form: Any) -> None:
    read, _ = form

    for wrong in (
        {"errors": "ignore"},
        {"ties": "shuffle"},
        {"stage_map": ["lead"]},
        {"rates": ["CNY"]},
        {"attributes": 5},
        {"ties": "state"},
        {"tz": "Mars/Base"},
    ):
        with pytest.raises(DefinitionError):
            read(ROWS, **wrong)
    with pytest.raises(CurrencyError, match="currency: amounts in CNY, USD; give what one unit"):
        read([*ROWS[:3], {**ROWS[3], "currency": "USD"}])
    with pytest.raises(NaiveTimeError, match="at: '2026-01-05 09:00' names no time zone"):
        read([{**ROWS[0], "at": "2026-01-05 09:00"}, *ROWS[1:]], tz=None)


def test_options_mean_the_same_in_every_form(form: Any) -> None:
    read, _ = form
    rows = [{**row, "at": "05.01.2026"} for row in ROWS[:3]] + [{**ROWS[3], "at": None}]

    log = read(rows, date_format="%d.%m.%Y", missing_time="2026-02-01")

    assert str(log.as_of) == "2026-01-31 16:00:00+00:00"
    rows = [{**row, "at": "13.01.2026"} for row in rows[:3]] + rows[3:]
    tied = read(rows, date_format="lenient", order=None, ties="state", missing_time="2026-01-13")
    assert tied.view().runs.state.tolist() == [0, 1, 3, 0]
    in_dollars = read(ROWS, rates={"CNY": 0.5, "USD": 1})
    assert in_dollars.currency == "USD"
    assert in_dollars.amounts is not None
    assert np.nansum(in_dollars.amounts) == 12500.25


# ── dataframes and Arrow files have types ─────────────────────────────────────────────────────────

TYPED = ["parquet", "feather", "stream", "pandas", "polars", "pyarrow", "duckdb"]


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize(
    "moment",
    [
        datetime.fromisoformat("2026-01-05T09:00:00.000001+08:00"),
        datetime.fromisoformat("2026-01-05T09:00:00.000001"),
        date(2026, 1, 5),
    ],
    ids=["aware", "naive", "date"],
)
@pytest.mark.parametrize("gap", [False, True])
def test_times_may_have_a_type(name: str, moment: Any, gap: bool, tmp_path: Path) -> None:
    write, read, _ = FORMS[name]
    rows = [{"id": "A", "stage": "lead", "at": moment}, {"id": "B", "stage": "lead", "at": moment}]
    rows += [{"id": "C", "stage": "lead", "at": None}] if gap else []

    log = read(
        write(rows, tmp_path),
        FUNNEL,
        opportunity="id",
        stage="stage",
        entered_at="at",
        tz="Asia/Shanghai",
        errors="collect",
    )

    at = "2026-01-05T01:00:00.000001" if isinstance(moment, datetime) else "2026-01-04T16:00:00"
    assert log.entries.time.view("datetime64[us]").tolist() == [datetime.fromisoformat(at)] * 2
    assert len(log.rejected) == gap


@pytest.mark.parametrize("name", TYPED)
def test_numbers_are_no_times_but_for_dates_of_eight_digits(name: str, tmp_path: Path) -> None:
    write, read, _ = FORMS[name]
    columns: Any = {"opportunity": "id", "stage": "stage", "entered_at": "at", "tz": "UTC"}

    def rows(at: Any) -> Any:
        return write([{"id": "A", "stage": "lead", "at": at}], tmp_path)

    assert str(read(rows(20260131), FUNNEL, **columns).as_of) == "2026-01-31 00:00:00+00:00"
    for number in (1_769_817_600, 1_769_817_600_000, 46053.5):
        with pytest.raises(DataError, match=r"at: .* expected an ISO 8601 time"):
            read(rows(number), FUNNEL, **columns)


@pytest.mark.parametrize("name", TYPED)
def test_stages_and_identifiers_may_be_numbers(name: str, tmp_path: Path) -> None:
    write, read, _ = FORMS[name]
    columns: Any = {"opportunity": "id", "stage": "stage", "entered_at": "at", "tz": "UTC"}
    rows: list[dict[str, Any]] = [
        {"id": 7, "stage": 0, "at": "2026-01-31"},
        {"id": 3, "stage": 1, "at": "2026-01-31"},
    ]

    log = read(write(rows, tmp_path), FUNNEL, **columns)
    assert log.opportunities.tolist() == [3, 7]
    assert log.entries.state.tolist() == [1, 0]
    mapped = read(write(rows, tmp_path), FUNNEL, **columns, stage_map={0: "won", 1: "lost"})
    assert mapped.milestones().status.tolist() == ["lost", "won"]
    gaps: list[dict[str, Any]] = [*rows, {"id": None, "stage": None, "at": "2026-01-31"}]
    log = read(
        write(gaps, tmp_path), FUNNEL, **columns, stage_map={0: "won", 1: "lost"}, errors="collect"
    )
    assert sorted(log.opportunities.tolist()) == [3, 7]
    assert len(log.rejected) == 1


@pytest.mark.parametrize("name", ["jsonl", *TYPED])
def test_what_is_nested_is_a_text(name: str, tmp_path: Path) -> None:
    write, read, _ = FORMS[name]
    rows = [{"id": ["A"], "stage": "lead", "at": "2026-01-31", "tags": ["a", "b"]}]
    columns: Any = {"opportunity": "id", "stage": "stage", "entered_at": "at", "tz": "UTC"}

    log = read(write(rows, tmp_path), FUNNEL, **columns, attributes="tags")

    assert log.opportunities.tolist() == ['["A"]']
    assert log.attribute("tags").names == ('["a", "b"]',)


# ── JSON Lines ────────────────────────────────────────────────────────────────────────────────────


def read_lines(path: Path, *lines: str, **options: Any) -> StageLog:
    path.write_text("\n".join(lines), encoding="utf-8")
    columns: Any = {"opportunity": "id", "stage": "stage", "entered_at": "at", "tz": "UTC"}
    return read_jsonl(path, FUNNEL, **columns, **options)


def test_fields_may_be_nested_or_missing(tmp_path: Path) -> None:
    log = read_lines(
        tmp_path / "d.jsonl",
        '{"id": "A", "stage": "lead", "at": "2026-01-31"}',
        '{"id": "B", "stage": "lead", "at": "2026-01-31", "owner": {"name": "Li"}}',
        attributes={"owner": "owner.name"},
    )

    assert log.attribute("owner").names == ("Li",)


def test_lines_that_are_no_records_are_told_by_their_numbers(tmp_path: Path) -> None:
    lines = ['{"id": "A", "stage": "lead", "at": "2026-01-31"}', "", "oops", "[]", '{"id": "B"}']

    log = read_lines(tmp_path / "d.jsonl", *lines, errors="collect")

    assert list(zip(log.rejected["row"], log.rejected["column"], strict=True)) == [
        (3, "(the row)"),
        (4, "(the row)"),
        (5, "stage"),
    ]
    assert log.rejected["expected"][0] == "a JSON object, with a value for each column"
    with pytest.raises(DataError, match=r"row 3, \(the row\): 'oops', expected a JSON object"):
        read_lines(tmp_path / "d.jsonl", *lines)


def test_lines_of_which_none_is_a_record_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 1, \(the row\): '\[1\]', expected a JSON object"):
        read_lines(tmp_path / "d.jsonl", "[1]")
    log = read_lines(tmp_path / "d.jsonl", "[1]", "oops", errors="collect")
    assert log.rejected["row"].tolist() == [1, 2]


def test_a_field_that_comes_late_is_a_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(*arguments: Any, **options: Any) -> Any:
        return json_line_batches(*arguments, **options, n_rows=1)

    monkeypatch.setattr(source, "json_line_batches", small)
    lines = [
        '{"id": "A", "stage": "lead", "at": "2026-01-31", "currency": "CNY"}',
        '{"id": "B", "stage": "lost", "at": "2026-01-31", "why": "price", "n": 5}',
    ]

    log = read_lines(tmp_path / "d.jsonl", *lines, reason="why", amount="n", currency="currency")

    assert log.reasons is not None
    assert log.reasons.names == ("price",)
    assert log.amounts is not None
    assert np.nansum(log.amounts) == 5
    with pytest.raises(MissingColumnError, match="has no column 'whi'; it has id, stage, at, curr"):
        read_lines(tmp_path / "d.jsonl", *lines, reason="whi")


@pytest.mark.parametrize(
    ("data", "error", "why"),
    [
        (b"", EmptyFileError, "is empty; a JSON object in each line is expected"),
        (b'{"id": "A", "st', TruncatedFileError, "breaks off inside line 1: fetch it again"),
        (b"\x1f\x8b\x08", TruncatedFileError, "is a gzip file that breaks off before its end"),
        ('{"id": 1}'.encode("utf-16"), EncodingError, "is not text in UTF-8 or GB18030"),
        (
            b'{"id": "\xff"}',
            EncodingError,
            "is neither UTF-8 nor GB18030 text: byte 0xff in line 1",
        ),
        (
            b'{"id": "' + b"x" * (1 << 20) + b'"}',
            FileLimitError,
            "line 1 has more than 1,048,576 b",
        ),
        (b'{"id": 1}', MissingColumnError, "has no column 'at'; it has id"),
    ],
)
def test_a_broken_file_of_lines_is_told(
    tmp_path: Path, data: bytes, error: type[DataError], why: str
) -> None:
    path = tmp_path / "deals.jsonl"
    path.write_bytes(data)

    with pytest.raises(error) as refusal:
        read_jsonl(path, FUNNEL, opportunity="id", stage="stage", entered_at="at")
    assert type(refusal.value) is error
    assert why in str(refusal.value)


# ── Parquet ───────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_table_is_an_empty_log(tmp_path: Path) -> None:
    table = pa.table({name: pa.array([], pa.string()) for name in ("id", "stage", "at")})
    parquet.write_table(table, tmp_path / "a.parquet")
    feather.write_feather(table, tmp_path / "a.feather")
    with ipc.new_stream(tmp_path / "a.arrows", table.schema):
        pass

    for path in tmp_path.iterdir():
        log = read_parquet(path, FUNNEL, opportunity="id", stage="stage", entered_at="at")
        assert len(log) == 0


def test_rows_of_later_batches_keep_their_numbers(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(
        [{"id": f"A-{i}", "stage": "lead", "at": "2026-01-31"} for i in range(6)]
    )
    table = table.set_column(1, "stage", pa.array(["lead"] * 4 + ["leed", "lead"]))
    with ipc.new_stream(tmp_path / "a.arrows", table.schema) as out:
        out.write_table(table, max_chunksize=2)

    log = read_parquet(
        tmp_path / "a.arrows",
        FUNNEL,
        opportunity="id",
        stage="stage",
        entered_at="at",
        tz="UTC",
        errors="collect",
    )

    assert log.rejected["row"].tolist() == [4]
    assert log.n_opportunities == 5
    parquet.write_table(table, tmp_path / "a.parquet")
    batches = list(arrow_batches(tmp_path / "a.parquet", n_rows=4))
    assert [list(batch.numbers) for batch in batches] == [[0, 1, 2, 3], [4, 5]]


@pytest.mark.parametrize("cut", [0, 3, 5, 100, -4, -20])
@pytest.mark.parametrize("name", ["parquet", "feather"])
def test_a_broken_arrow_file_is_told(tmp_path: Path, cut: int, name: str) -> None:
    path = FORMS[name][0](ROWS, tmp_path)
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(DataError, match=r"Parquet or Arrow file"):
        read_parquet(path, FUNNEL, opportunity="id", stage="stage", entered_at="at")


def test_a_column_named_twice_is_told(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["A"])] * 3, names=["id", "at", "id"])
    parquet.write_table(table, tmp_path / "a.parquet")

    with pytest.raises(DataError, match=r"a\.parquet names a column twice: id$"):
        read_parquet(tmp_path / "a.parquet", FUNNEL, opportunity="id", stage="s", entered_at="at")


def test_a_file_that_is_not_there_is_the_systems_error(tmp_path: Path) -> None:
    for read in (read_csv, read_jsonl, read_parquet):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "gone", FUNNEL, opportunity="id", stage="stage", entered_at="at")


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = as_parquet(ROWS, tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'salesfunnel\[arrow\]'"):
        read_parquet(path, FUNNEL, opportunity="id", stage="stage", entered_at="at")
