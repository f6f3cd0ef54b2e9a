"""CSV files: every way in which one can be written, or be broken."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.columns.csvfile import csv_batches, csv_text
from salesfunnel.columns.files import LIMITS, Limits, with_encoding
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.errors import (
    DataError,
    EmptyFileError,
    EncodingError,
    FileLimitError,
    MissingColumnError,
    TruncatedFileError,
)

TEXT = "商机,stage\nA-1,需求分析\nA-2,lead\n"
COLUMNS = {"商机": ["A-1", "A-2"], "stage": ["需求分析", "lead"]}


def read_csv_table(path: str | Path, limits: Limits = LIMITS) -> RawTable:
    """Return a small file, which is one batch."""

    def read(encoding: str) -> RawTable:
        one, *_ = csv_batches(path, encoding, limits)
        return one

    return with_encoding(path, read, limits)


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


@pytest.mark.parametrize("mark", [";", "\t"])
def test_columns_that_are_not_set_apart_by_commas_are_told(path: Path, mark: str) -> None:
    path.write_text(TEXT.replace(",", mark), encoding="utf-8")

    with pytest.raises(MissingColumnError) as refusal:
        read_csv_table(path).column("stage")
    assert str(refusal.value) == (
        f"{path} has no column 'stage'; it has 商机{mark}stage. Its columns are set apart by "
        f"{mark!r}: save it with commas"
    )


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


# ── limits ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("cells", [["x" * 50, "y"], ["x", "y" * 50], ["x", "y"]])
def test_a_line_longer_than_the_limit_is_refused(
    path: Path, newline: str, cells: list[str]
) -> None:
    longest = max(5, *map(len, [",".join(cells)]))
    path.write_bytes(newline.join(["a,b", "1,2", ",".join(cells), "3,4", "12,34"]).encode())

    table = read_csv_table(path, Limits(max_line=longest + len(newline) - 1))
    assert table.columns["a"] == ["1", cells[0], "3", "12"]
    with pytest.raises(FileLimitError) as refusal:
        read_csv_table(path, Limits(max_line=longest - 1))
    line = 3 if longest > 5 else 5
    assert str(refusal.value) == (
        f"{path}, line {line} has more than {longest - 1} bytes; max_line= raises the limit"
    )


def test_a_line_of_many_pieces_is_measured_over_all(path: Path) -> None:
    path.write_text("a,b\n1," + "x" * (1 << 20), encoding="utf-8")

    with pytest.raises(FileLimitError, match=r"line 2 has more than 1,048,576 bytes; max_line="):
        read_csv_table(path)
    assert len(read_csv_table(path, Limits(max_line=1 << 21)).columns["b"][0]) == 1 << 20


def test_a_cell_that_never_ends_is_refused_before_it_fills_the_memory(path: Path) -> None:
    path.write_text('a,b\n1,"2\n' + "3,4\n" * 600_000, encoding="utf-8")

    with pytest.raises(
        FileLimitError, match=r"a cell has more than .* one quotation mark too many"
    ):
        read_csv_table(path)


def test_a_bomb_is_refused(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))

    with pytest.raises(FileLimitError, match="holds more than 1,000,000 bytes, once decompressed"):
        read_csv_table(path, Limits(max_bytes=1_000_000))


def test_a_header_of_very_many_names_takes_no_time(path: Path) -> None:
    path.write_text(",".join(map(str, range(100_000))), encoding="utf-8")

    assert len(read_csv_table(path).columns) == 100_000


# ── batches ───────────────────────────────────────────────────────────────────────────────────────


@given(n_cells=st.integers(1, 12))
def test_batches_together_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, n_cells: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "batches.csv"
    path.write_text('a,b\n1,2\n\n"x\ny",4\n5\n\n\n7,8\n', encoding="utf-8")
    whole = read_csv_table(path)

    batches = list(csv_batches(path, "utf-8", n_cells=n_cells))

    for name, cells in whole.columns.items():
        assert [cell for batch in batches for cell in batch.columns[name]] == cells
    assert [number for batch in batches for number in batch.numbers] == [2, 4, 5, 8]
    assert [batch.numbers[index] for batch in batches for index in batch.broken] == [5]


def test_a_file_of_another_encoding_is_told_even_where_it_is_long(path: Path) -> None:
    path.write_bytes(b"a,b\n" + "商,1\n".encode() * 300_000 + b"\xff,2\n")

    with pytest.raises(EncodingError) as refusal:
        read_csv_table(path)
    assert str(refusal.value) == (
        f"{path} is neither UTF-8 nor GB18030 text: byte 0xff in line 300002"
    )


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
