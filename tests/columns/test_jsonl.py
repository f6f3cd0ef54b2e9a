"""JSON and JSON Lines: records as columns, and every way to be broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from salesfunnel.columns.files import LIMITS, Limits, with_encoding
from salesfunnel.columns.jsonl import json_line_batches, read_json, records_table
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.errors import (
    DataError,
    EmptyFileError,
    EncodingError,
    FileLimitError,
    TruncatedFileError,
)

RECORD = "a JSON object, with a value for each column"


def read_json_lines(path: str | Path, limits: Limits = LIMITS) -> RawTable:
    """Return a small file, which is one batch."""

    def read(encoding: str) -> RawTable:
        one, *_ = json_line_batches(path, encoding, limits)
        return one

    return with_encoding(path, read, limits)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deals.jsonl"


# ── records ───────────────────────────────────────────────────────────────────────────────────────


def test_records_become_columns_with_none_where_a_field_is_missing() -> None:
    table = records_table([{"id": 1, "stage": "lead"}, {"id": 2, "owner": None}], "the deals")

    assert table.columns == {"id": [1, 2], "stage": ["lead", None], "owner": [None, None]}
    assert list(table.numbers) == [0, 1]
    assert table.broken == {}


def test_objects_are_taken_apart_and_lists_are_not() -> None:
    table = records_table([{"Owner": {"Name": "李娜", "Role": {"Name": "AE"}}, "tags": [1]}], "x")

    assert table.columns == {"Owner.Name": ["李娜"], "Owner.Role.Name": ["AE"], "tags": [[1]]}


def test_what_is_no_object_is_a_broken_row() -> None:
    table = records_table([{"id": 1}, "two", None, {}], "x")

    assert table.columns == {"id": [1, None, None, None]}
    assert table.broken == {1: ("'two'", RECORD), 2: ("None", RECORD)}


# ── JSON Lines ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_line_is_a_record_and_blank_ones_are_counted(
    path: Path, encoding: str, newline: str
) -> None:
    text = '{"id": 1, "阶段": "线索"}\n\n  \n{"id": 2}\n'.replace("\n", newline)
    path.write_bytes(gzip.compress(text.encode(encoding)))

    table = read_json_lines(path)

    assert table.columns == {"id": [1, 2], "阶段": ["线索", None]}
    assert list(table.numbers) == [1, 4]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        '{"id": 2,}',
        '{"id": "\\ud800"}',
        '{"id": ' + "[" * 100_000,
        '{"id": ' + "1" * 5_000 + "}",
    ],
)
def test_a_line_that_is_no_object_is_a_broken_row(path: Path, line: str) -> None:
    path.write_text(f'{{"id": 1}}\n{line}\n{{"id": 3}}\n', encoding="utf-8")

    table = read_json_lines(path)

    assert table.columns == {"id": [1, None, 3]}
    assert list(table.numbers) == [1, 2, 3]
    assert list(table.broken) == [1]
    assert table.broken[1].expected == RECORD
    assert len(table.broken[1].found) <= 80


@pytest.mark.parametrize("left", ['{"id": 2, "st', '{"id": 2', '{"id":', "{"])
def test_a_file_that_breaks_off_inside_a_line_is_told(path: Path, left: str) -> None:
    path.write_text(f'{{"id": 1}}\n{left}', encoding="utf-8")

    with pytest.raises(TruncatedFileError) as refusal:
        read_json_lines(path)
    assert str(refusal.value) == f"{path} breaks off inside line 2: fetch it again"


def test_a_line_longer_than_the_limit_is_refused(path: Path) -> None:
    path.write_text('{"id": 1}\n{"id": "' + "商" * 50 + '"}\n', encoding="utf-8")

    with pytest.raises(FileLimitError) as refusal:
        read_json_lines(path, Limits(max_line=159))
    assert str(refusal.value) == (
        f"{path}, line 2 has more than 159 bytes; max_line= raises the limit"
    )
    assert len(read_json_lines(path, Limits(max_line=160)).numbers) == 2


def test_an_empty_file_is_told(path: Path) -> None:
    path.write_bytes(b"\n \n")

    with pytest.raises(EmptyFileError, match="is empty; a JSON object in each line is expected"):
        read_json_lines(path)


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_json_file_is_read_whole(path: Path) -> None:
    path.write_text('{"records": [{"id": 1.5}]}', encoding="utf-8-sig")

    assert read_json(path) == {"records": [{"id": 1.5}]}


@pytest.mark.parametrize(
    ("data", "error", "why"),
    [
        (b"", EmptyFileError, "is empty; JSON is expected"),
        (b'{"records": [', TruncatedFileError, "breaks off before the end of its JSON"),
        (b'{"records": "un', TruncatedFileError, "breaks off before the end of its JSON"),
        (b'{"a": 1,\n "b" 2}', DataError, "line 2, column 6: not JSON: Expecting ':' delimiter"),
        (b'{"a": "\\udc00"}', DataError, "not JSON: it has half of a character"),
        (b"[" * 100_000, DataError, "not JSON: it is nested too deeply"),
        (b"1" * 5_000, DataError, "not JSON: Exceeds the limit"),
        ("{}".encode("utf-16"), EncodingError, "is not text in UTF-8 or GB18030"),
        (b'{"a": "Jos\xe9"}\xff', EncodingError, "is neither UTF-8 nor GB18030 text"),
    ],
)
def test_a_broken_json_file_is_told(
    path: Path, data: bytes, error: type[DataError], why: str
) -> None:
    path.write_bytes(data)

    with pytest.raises(error) as refusal:
        read_json(path)
    assert type(refusal.value) is error
    assert why in str(refusal.value)
