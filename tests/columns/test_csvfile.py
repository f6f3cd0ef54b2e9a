"""CSV files: every way in which one can be written, or be broken."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.columns.csvfile import csv_text, read_csv_table
from salesfunnel.errors import (
    DataError,
    EmptyFileError,
    EncodingError,
    MissingColumnError,
    TruncatedFileError,
)

TEXT = "商机,stage\nA-1,需求分析\nA-2,lead\n"
COLUMNS = {"商机": ["A-1", "A-2"], "stage": ["需求分析", "lead"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deals.csv"


# ── files that can be read ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_text_is_utf_8_or_gb18030_compressed_or_not(
    path: Path, encoding: str, newline: str, compressed: bool
) -> None:
    data = TEXT.replace("\n", newline).encode(encoding)
    path.write_bytes(gzip.compress(data) if compressed else data)

    table = read_csv_table(path)

    assert table.columns == COLUMNS
    assert table.broken == {}
    assert list(table.numbers) == [2, 3]


def test_a_compressed_file_may_be_of_several_parts(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n"))

    assert read_csv_table(path).columns == {"a": ["1"], "b": ["2"]}


def test_a_header_alone_has_columns_without_rows(path: Path) -> None:
    path.write_text("a,b\n", encoding="utf-8")

    table = read_csv_table(str(path))

    assert table.columns == {"a": [], "b": []}
    assert list(table.numbers) == []


def test_names_of_columns_have_no_blanks_at_their_ends(path: Path) -> None:
    path.write_text(" a , b,,\n1, 2 ,3,4\n", encoding="utf-8")

    table = read_csv_table(path)

    assert table.column("a") == ["1"]
    assert table.column("b") == [" 2 "]
    assert list(table.columns) == ["a", "b", ""]


def test_cells_may_have_commas_line_breaks_and_quotation_marks(path: Path) -> None:
    path.write_text('a,b\n"1,5","x\ny"\n"say ""hi""",2\n', encoding="utf-8")

    table = read_csv_table(path)

    assert table.columns == {"a": ["1,5", 'say "hi"'], "b": ["x\ny", "2"]}
    assert list(table.numbers) == [2, 3]


def test_rows_are_numbered_as_a_spreadsheet_does_which_counts_blank_lines(path: Path) -> None:
    path.write_text("\na,b\n1,2\n\n\n3,4\n", encoding="utf-8")

    table = read_csv_table(path)

    assert table.columns == {"a": ["1", "3"], "b": ["2", "4"]}
    assert list(table.numbers) == [3, 6]


def test_rows_with_too_few_or_too_many_cells_are_told(path: Path) -> None:
    path.write_text("a,b\n1,2\n3\n4,5,6\n", encoding="utf-8")

    table = read_csv_table(path)

    expected = "2 cells, as the header has"
    assert table.broken == {1: ("1 cells", expected), 2: ("3 cells", expected)}
    assert table.columns == {"a": ["1", "", ""], "b": ["2", "", ""]}


# ── files that cannot ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n\r\n", gzip.compress(b"")])
def test_an_empty_file_is_told_what_is_missing(path: Path, data: bytes) -> None:
    path.write_bytes(data)

    with pytest.raises(EmptyFileError) as refusal:
        read_csv_table(path)
    assert str(refusal.value) == (
        f"{path} is empty; a line with the names of the columns is expected"
    )


def test_a_missing_column_is_told_what_there_is(path: Path) -> None:
    path.write_text(TEXT, encoding="utf-8")

    with pytest.raises(MissingColumnError) as refusal:
        read_csv_table(path).column("deal_id")
    assert str(refusal.value) == f"{path} has no column 'deal_id'; it has 商机, stage"


@pytest.mark.parametrize("left", [2, 10, 30, -9, -1])
def test_a_truncated_gzip_file_is_told(path: Path, left: int) -> None:
    path.write_bytes(gzip.compress(TEXT.encode() * 50)[:left])

    with pytest.raises(TruncatedFileError) as refusal:
        read_csv_table(path)
    assert str(refusal.value) == (
        f"{path} is a gzip file that breaks off before its end: fetch it again"
    )


@given(place=st.integers(10, 60), flipped=st.integers(1, 255))
def test_a_damaged_gzip_file_gives_no_rows(
    tmp_path_factory: pytest.TempPathFactory, place: int, flipped: int
) -> None:
    data = bytearray(gzip.compress(TEXT.encode() * 50, mtime=0))
    data[place % len(data)] ^= flipped
    path = tmp_path_factory.getbasetemp() / "damaged.csv.gz"
    path.write_bytes(data)

    with pytest.raises(DataError, match=r"is a damaged gzip file: |breaks off before its end"):
        read_csv_table(path)


def test_what_follows_a_gzip_file_is_damage(path: Path) -> None:
    path.write_bytes(gzip.compress(TEXT.encode()) + b"junk")

    with pytest.raises(DataError, match=r"deals\.csv is a damaged gzip file: Not a gzipped file"):
        read_csv_table(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_text_of_another_encoding_is_told_by_its_zero_bytes(path: Path, encoding: str) -> None:
    path.write_bytes(TEXT.encode(encoding))

    with pytest.raises(EncodingError) as refusal:
        read_csv_table(path)
    assert str(refusal.value) == (
        f"{path} is not text in UTF-8 or GB18030: it has zero bytes, as UTF-16 and spreadsheets "
        "do. Save it as CSV in UTF-8"
    )


def test_bytes_that_are_no_text_are_told_where_they_are(path: Path) -> None:
    path.write_bytes(b"a,b\n1,2\nJos\xe9,M\xfcller\xff\n")

    with pytest.raises(EncodingError) as refusal:
        read_csv_table(path)
    assert str(refusal.value) == (f"{path} is neither UTF-8 nor GB18030 text: byte 0xe9 in line 3")


def test_a_quoted_cell_without_an_end_is_told(path: Path) -> None:
    path.write_text('a,b\n1,"2\n3,4\n', encoding="utf-8")

    with pytest.raises(
        TruncatedFileError, match=r"deals\.csv ends inside a quoted cell: its end is"
    ):
        read_csv_table(path)


def test_what_follows_a_quoted_cell_is_no_csv(path: Path) -> None:
    path.write_text('a,b\n1,2\n"3"x,4\n', encoding="utf-8")

    with pytest.raises(DataError, match=r"deals\.csv, near line 3: not CSV: ',' expected after"):
        read_csv_table(path)


def test_a_column_named_twice_is_told(path: Path) -> None:
    path.write_text("a,b,a ,c,b\n", encoding="utf-8")

    with pytest.raises(DataError, match=r"deals\.csv names a column twice: a, b$"):
        read_csv_table(path)


def test_a_file_that_is_not_there_is_the_systems_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_csv_table(path)


# ── writing ───────────────────────────────────────────────────────────────────────────────────────


def test_what_a_spreadsheet_takes_for_a_formula_is_disarmed() -> None:
    rows: list[list[Any]] = [
        ["=1+1", -5],
        ["@cmd", 2.5],
        ["-3", None],
        ["li, na", True],
        [("=x",), "+a"],
    ]

    assert csv_text(["=name", "n"], rows).splitlines() == [
        "'=name,n",
        "'=1+1,-5",
        "'@cmd,2.5",
        "-3,",
        '"li, na",True',
        "\"('=x',)\",'+a",
    ]


def test_raw_text_is_what_it_is() -> None:
    assert csv_text(["=name"], [["=1+1"], [None]], raw=True) == '=name\n=1+1\n""\n'
