"""Files as bytes and text: what they may be packed in, and what is refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from salesfunnel.columns.files import Limits, content_name, decode, read_bytes
from salesfunnel.errors import DataError, EncodingError, FileLimitError, TruncatedFileError

TEXT = "商机,stage\nA-1,需求分析\n".encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deals"


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return out.getvalue()


@pytest.mark.parametrize("data", [TEXT, gzip.compress(TEXT), zipped(deals__csv=TEXT)])
def test_a_file_is_read_as_it_is_or_out_of_gzip_or_zip(path: Path, data: bytes) -> None:
    path.write_bytes(data)

    assert read_bytes(path) == TEXT
    assert read_bytes(str(path)) == TEXT


def test_what_a_mac_adds_to_a_zip_file_is_passed_over(path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.mkdir("export")
        archive.writestr("export/deals.csv", TEXT)
        archive.writestr("__MACOSX/export/._deals.csv", b"junk")
        archive.writestr(".DS_Store", b"junk")
    path.write_bytes(out.getvalue())

    assert read_bytes(path) == TEXT


def test_the_name_of_the_content_is_that_without_its_packing(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    archive.write_bytes(zipped(deals__jsonl=b"{}"))

    assert content_name("deals.csv") == "deals.csv"
    assert content_name("a/deals.json.GZ") == "deals.json"
    assert content_name(archive) == "deals.jsonl"


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(deals__csv=data)])
def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(path: Path, pack: object) -> None:
    assert callable(pack)
    path.write_bytes(pack(bytes(5_000_000)))  # 5 MB of zeroes, packed into 5 kB

    with pytest.raises(FileLimitError) as refusal:
        read_bytes(path, Limits(max_bytes=4_999_999))
    assert str(refusal.value) == (
        f"{path} holds more than 4,999,999 bytes, once decompressed; max_bytes= raises the limit"
    )
    assert len(read_bytes(path, Limits(max_bytes=5_000_000))) == 5_000_000


def test_the_limit_is_not_for_files_as_they_are(path: Path) -> None:
    path.write_bytes(TEXT)

    assert read_bytes(path, Limits(max_bytes=1)) == TEXT


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped(), "is a zip file with 0 files in it; one is expected"),
        (zipped(a__csv=b"", b__csv=b""), "with 2 files in it; one is expected, not a.csv, b.csv"),
        (
            zipped(**{"[Content_Types]__xml": b"", "xl/workbook__xml": b""}),
            "is a spreadsheet, not text: save it as CSV, or read it with pandas.read_excel",
        ),
        (zipped(a__csv=TEXT)[:-9], "is a zip file that is damaged, breaks off or has a password"),
        (b"PK\x03\x04", "is a zip file that is damaged, breaks off or has a password"),
    ],
)
def test_a_zip_file_that_cannot_be_read_is_told(path: Path, data: bytes, why: str) -> None:
    path.write_bytes(data)

    if data.startswith(b"PK\x05"):  # an archive without files has another mark and is no text
        with pytest.raises(EncodingError, match="zero bytes"):
            decode(read_bytes(path), str(path))
        return
    with pytest.raises(DataError) as refusal:
        read_bytes(path)
    assert why in str(refusal.value)


@pytest.mark.parametrize("place", range(30, 60, 3))
def test_a_damaged_zip_file_gives_nothing(path: Path, place: int) -> None:
    data = bytearray(zipped(deals__csv=TEXT * 50))
    data[place] ^= 0xFF
    path.write_bytes(bytes(data))

    with pytest.raises(DataError, match=r"is a zip file that|is a damaged gzip file|breaks off"):
        read_bytes(path)


def test_a_zip_file_with_a_password_is_told(path: Path) -> None:
    data = bytearray(zipped(deals__csv=TEXT))
    data[6] |= 1  # the flag of encryption, in the entry and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))

    with pytest.raises(DataError, match=r"breaks off or has a password: .*encrypted"):
        read_bytes(path)


def test_a_truncated_gzip_file_is_told(path: Path) -> None:
    path.write_bytes(gzip.compress(TEXT)[:-9])

    with pytest.raises(TruncatedFileError, match="is a gzip file that breaks off before its end"):
        read_bytes(path)
