"""CSV read block by block says what Python's own reader says, of whatever file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from salesfunnel.columns import csvfile
from salesfunnel.columns.csvfast import UnusualError, _Memory, fast_tables
from salesfunnel.columns.csvfile import csv_batches
from salesfunnel.columns.files import LIMITS, Limits, chunks, with_encoding
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.texts import Texts
from salesfunnel.errors import DataError, SalesFunnelError
from salesfunnel.kernel.progress import Meter
from salesfunnel.kernel.strings import Sliced


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "deals.csv"


@pytest.fixture(scope="module", autouse=True)
def _limit_of_cells() -> Iterator[None]:
    """Put back the limit that large files raise, for the tests of others."""
    limit = csv.field_size_limit()
    yield
    csv.field_size_limit(limit)


def together(tables: Iterator[RawTable]) -> dict[str, Any]:
    """Return everything that tables say of their rows."""
    found: dict[str, Any] = {"columns": {}, "numbers": [], "broken": {}}
    for table in tables:
        for name, values in table.columns.items():
            found["columns"].setdefault(name, []).extend(values)
        for index, row in table.broken.items():
            found["broken"][len(found["numbers"]) + index] = row
        found["numbers"] += table.numbers
    return found


def read(path: Path, limits: Limits = LIMITS) -> dict[str, Any] | tuple[type, str]:
    """Return what a file says, or what is wrong with it."""
    try:
        return with_encoding(
            path, lambda encoding: together(csv_batches(path, encoding, limits)), limits
        )
    except SalesFunnelError as error:
        return type(error), str(error)


def check(path: Path, data: bytes, limits: Limits = LIMITS) -> dict[str, Any] | tuple[type, str]:
    """Compare readers, the fast one with blocks of every size, and return what they say."""
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvfile, "LONG", 1 << 60)
        expected = read(path, limits)
        patch.setattr(csvfile, "LONG", 0)
        for size in (1, 7, 64, 1 << 20):
            patch.setattr(csvfile, "BLOCK", size)
            patch.setattr(csvfile, "chunks", in_pieces(size))
            assert read(path, limits) == expected
    return expected


def in_pieces(size: int) -> Any:
    """Return what reads a file in pieces of some size."""

    def pieces(path: Path, limits: Limits, watch: Meter | None) -> Iterator[bytes]:
        for piece in chunks(path, limits, watch):
            for start in range(0, len(piece), size):
                yield piece[start : start + size]

    return pieces


def is_fast(data: bytes, encoding: str = "utf-8-sig") -> bool:
    """Return whether the fast reader reads something to its end."""
    try:
        for _ in fast_tables([data], encoding, "", list, size=1 << 20, max_row=1 << 20):
            pass
    except UnusualError:
        return False
    return True


# ── files as programs write them ──────────────────────────────────────────────────────────────────

cells = st.text(st.sampled_from('a1é商"，,\n\r\t ;'), max_size=5) | st.sampled_from(
    ["0061", "2026-01-31T09:30:00Z", "", '"', '""']
)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=8)
)


def written(rows: list[list[str]], quoting: Any, end: str) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator=end).writerows(rows)
    return out.getvalue()


@settings(max_examples=150)
@given(
    tables,
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    st.booleans(),
)
def test_what_a_writer_writes_is_read_alike(
    path: Path, rows: list[list[str]], quoting: Any, end: str, encoding: str, is_cut: bool
) -> None:
    header = [f"c{place}" for place in range(len(rows[0]) if rows else 2)]
    text = written([header, *rows], quoting, end)
    if is_cut:
        text = text.removesuffix(end)

    found = check(path, text.encode(encoding, "replace"))

    if quoting == csv.QUOTE_ALL and encoding != "gb18030" and not isinstance(found, tuple):
        assert list(zip(*found["columns"].values(), strict=True)) == [tuple(r) for r in rows]


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "bc",
                "é",
                "商",
                ",",
                "\n",
                "\r\n",
                "\r",
                '"',
                '""',
                " ",
                '",',
                ',"',
                '"\n',
                '\n"',
            ]
        ),
        max_size=30,
    ),
    st.sampled_from(["", "id,stage\n", '"id","stage"\r\n', "\ufeffid\n"]),
)
@example(['"a""b"', ",", '"', "\n", '"', "\n", "x", ",", "y"], "id,stage\n")
@example(['5" pipe', ",", "x"], "id,stage\n")
@example(['"a"x', ",", "y"], "id,stage\n")
@example(["a", ",", '"b'], "id,stage\n")
@example(["a,b\r"], "id,stage\r\n")
@example(['a,"b"\r'], "id,stage\r\n")
@example(['"a\r\n\r\nb",c'], "id,stage\r\n")
@example(["a\rb,c\n"], "id,stage\r\n")
@example(['""\n'], "id\n")
def test_whatever_stands_in_a_file_is_read_alike(path: Path, parts: list[str], header: str) -> None:
    check(path, (header + "".join(parts)).encode())


@settings(max_examples=100)
@given(st.data())
def test_bytes_that_were_changed_are_told_alike(path: Path, data: st.DataObject) -> None:
    text = 'id,stage,at\n"O-1",lead,2026-01-31\nO-2,"de,mo",2026-02-01\r\nO-3,"商""机",\n' * 2
    raw = bytearray(text.encode(data.draw(st.sampled_from(["utf-8", "gb18030"]))))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(raw) - 1))
        put = data.draw(st.sampled_from([b"", b"\0", b"\xff", b"\xe5", b'"', b"\r", b"\n", b",,"]))
        raw[place : place + 1] = put

    check(path, bytes(raw))


def test_of_two_faults_the_first_is_told_whoever_reads(path: Path) -> None:
    row = '"O-3","商""机",\n'.encode("gb18030")

    kind, message = check(path, b'"d,stage,at\n' + row + row[:-1] + b"\xff")

    assert kind is DataError
    assert "not CSV" in message


def test_texts_full_of_blanks_are_read_alike(path: Path) -> None:
    text = "id,note\n" + 'A,"a b c d e f, g"\r\nB,  h i j k!\r\n' * 40

    found = check(path, text.encode())

    assert isinstance(found, dict)
    assert found["numbers"] == list(range(2, 82))


def test_a_buffer_is_used_again_once_nothing_refers_to_it() -> None:
    memory = _Memory(80)
    first = memory.lend()
    cells = Sliced(first, np.array([0]), np.array([3])).take(slice(None))
    place = first.ctypes.data

    del first
    other = memory.lend()
    del cells

    assert other.ctypes.data != place
    assert memory.lend().ctypes.data == place


@pytest.mark.parametrize("size", [20, 200, 3000])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_row_that_is_too_long_is_told_alike(path: Path, size: int, quote: str) -> None:
    row = f"{quote}{'x' * size}{quote},lead\n"

    for text in (f"id,stage\n{row}", f"id,stage\nA,lead\n{row}A,lead\n", f"{row}A,lead\n"):
        check(path, text.encode(), Limits(max_line=100))


# ── what is read fast ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "id,stage\nA,lead\nB,demo\n",
        "id,stage\r\nA,lead\r\nB,demo",
        "\n\nid,stage\n\nA,lead\n\n",
        '"id","stage"\n"A","le,ad"\n"B","de\nmo"\n',
        'id,stage\nA,"say ""hi"""\nB,""\n',
        "id,stage\nA\nB,demo,x\n",
        "商机,阶段\nA,需求\n",
        "id,stage\n",
    ],
)
def test_usual_files_are_read_fast(path: Path, text: str) -> None:
    assert is_fast(text.encode())
    assert is_fast(text.encode("gb18030"), "gb18030")

    assert not isinstance(check(path, text.encode()), tuple)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"id,stage\rA,lead\r",
        b'id,stage\nA,5" pipe\n',
        b'id,stage\nA,"lead\n',
        b"id,stage\nA,\xff\n",
        b"id,stage\nA,\0\n",
        b"id,stage\n" + b"x" * (1 << 20),
    ],
)
def test_what_is_unusual_or_wrong_is_left_to_pythons_reader(path: Path, data: bytes) -> None:
    assert not is_fast(data)

    check(path, data, Limits(max_line=1 << 24))


def test_a_large_file_comes_as_texts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "BLOCK", 1 << 20)
    rows = [f'"O-{i}",lead,2026-01-31,"say ""{i}"""\n' for i in range(100_000)]
    path.write_text("id,stage,at,note\n" + "".join(rows) + '5" pipe,x,y,z\n', encoding="utf-8")

    found = list(csv_batches(path, "utf-8-sig"))

    assert len(found) > 1
    assert isinstance(found[0].columns["id"], Texts)
    assert not isinstance(found[-1].columns["id"], Texts)  # it begins where the last block did
    whole = together(iter(found))
    assert whole["numbers"] == list(range(2, 100_003))
    assert whole["columns"]["id"][::50_000] == ["O-0", "O-50000", '5" pipe']
    assert whole["columns"]["note"][:2] == ['say "0"', 'say "1"']


def test_a_column_is_made_when_it_is_asked_for(path: Path) -> None:
    path.write_text("id,stage\n" + "A,lead\n" * 20_000, encoding="utf-8")

    columns = next(csv_batches(path, "utf-8-sig")).columns

    assert list(columns) == ["id", "stage"]
    assert len(columns) == 2
    assert columns["id"] is columns["id"]
    with pytest.raises(KeyError):
        columns["at"]
