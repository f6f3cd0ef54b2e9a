"""Files as bytes and text: decompressed within limits, and decoded."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, NamedTuple

from salesfunnel.errors import DataError, EncodingError, FileLimitError, TruncatedFileError

CHUNK = 1 << 20
"""Bytes read at a time."""
MAX_BYTES, MAX_LINE = 1 << 30, 1 << 20


class Limits(NamedTuple):
    """What a file may be at most, so that a small or a strange one cannot fill the memory.

    Attributes
    ----------
    max_bytes : int
        Bytes in a compressed file, once decompressed: 1 GiB by default.
    max_line : int
        Bytes of a line: 1 MiB by default.
    """

    max_bytes: int = MAX_BYTES
    max_line: int = MAX_LINE


LIMITS = Limits()
"""The limits where none are given."""


def read_bytes(path: str | Path, limits: Limits = LIMITS) -> bytes:
    """Return the content of a file, decompressed if it is gzip or zip.

    Raises
    ------
    FileLimitError, TruncatedFileError, DataError
        If a compressed file is too large, breaks off, or is damaged.
    OSError
        If there is no such file.
    """
    return b"".join(chunks(path, limits))


def chunks(path: str | Path, limits: Limits = LIMITS) -> Iterator[bytes]:
    """Yield the content of a file in pieces; errors are those of `read_bytes`."""
    size = 0
    with _opened(Path(path)) as (file, compressed):
        while piece := file.read(CHUNK):
            size += len(piece)
            if compressed and size > limits.max_bytes:
                raise FileLimitError(
                    f"{path} holds more than {limits.max_bytes:,} bytes, once decompressed; "
                    "max_bytes= raises the limit"
                )
            yield piece


def content_name(path: str | Path) -> str:
    """Return the name of what is in a file, whose ending says what it is: ``deals.csv``.

    It is the file's own without ``.gz``, or that of the one file in a zip file.
    """
    path = Path(path)
    if path.suffix.lower() == ".zip":
        with _opened(path) as (file, _):
            return PurePath(file.name).name
    return path.stem if path.suffix.lower() == ".gz" else path.name


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes] | gzip.GzipFile, bool]]:
    """Open a file to read its content, and tell whether it is compressed."""
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        try:
            if magic.startswith(b"\x1f\x8b"):
                with gzip.GzipFile(fileobj=file) as inner:
                    yield inner, True
            elif magic == b"PK\x03\x04":
                with zipfile.ZipFile(file) as archive, archive.open(_member(archive, path)) as one:
                    yield one, True
            else:
                yield file, False
        except EOFError:
            kind = "gzip" if magic.startswith(b"\x1f\x8b") else "zip"
            raise TruncatedFileError(
                f"{path} is a {kind} file that breaks off before its end: fetch it again"
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{path} is a damaged gzip file: {error}") from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise DataError(
                f"{path} is a zip file that is damaged, breaks off or has a password: {error}"
            ) from None


def _member(archive: zipfile.ZipFile, path: Path) -> str:
    """Return the name of the one file in a zip file."""
    names = [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith(("__MACOSX/", "."))
    ]
    if "[Content_Types].xml" in names:
        raise DataError(
            f"{path} is a spreadsheet, not text: save it as CSV, or read it with "
            "pandas.read_excel and give the dataframe"
        )
    if len(names) != 1:
        raise DataError(
            f"{path} is a zip file with {len(names)} files in it; one is expected"
            + (f", not {', '.join(names[:5])}" if names else "")
        )
    return names[0]


def decode(data: bytes, name: str) -> str:
    """Return text in UTF-8, with or without a byte order mark, or in GB18030.

    Raises
    ------
    EncodingError
        If it is neither.
    """
    if b"\x00" in data:
        raise EncodingError(
            f"{name} is not text in UTF-8 or GB18030: it has zero bytes, as UTF-16 and "
            "spreadsheets do. Save it as CSV in UTF-8"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf8 = error
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        line = data.count(b"\n", 0, utf8.start) + 1
        raise EncodingError(
            f"{name} is neither UTF-8 nor GB18030 text: byte {data[utf8.start]:#04x} in line {line}"
        ) from None
