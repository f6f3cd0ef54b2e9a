"""Files as bytes and text: decompressed within limits, and decoded."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, Any, NamedTuple, TextIO, TypeVar

from salesfunnel.errors import DataError, EncodingError, FileLimitError, TruncatedFileError
from salesfunnel.kernel.progress import Meter, Progress, meter
from salesfunnel.wording import Listed, Wording

T = TypeVar("T")

CHUNK = 1 << 20
"""Bytes read at a time."""
ENCODINGS = ("utf-8-sig", "gb18030")
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


def chunks(
    path: str | Path, limits: Limits = LIMITS, watch: Meter | None = None
) -> Iterator[bytes]:
    """Yield the content of a file in pieces; errors are those of `read_bytes`."""
    size = 0
    with _opened(Path(path)) as (file, compressed, raw):
        while piece := file.read(CHUNK):
            if watch is not None:
                watch.at(raw.tell())
            size += len(piece)
            if compressed and size > limits.max_bytes:
                raise FileLimitError(
                    "{path} holds more than {limit:,} bytes, once decompressed; max_bytes= raises "
                    "the limit",
                    path=path,
                    limit=limits.max_bytes,
                )
            yield piece


def meter_of(progress: Progress | None, path: str | Path) -> Meter | None:
    """Return what tells of reading a file, in bytes of it; None where nobody asked."""
    return meter(progress, "read", None if progress is None else Path(path).stat().st_size)


def text_lines(
    path: str | Path, encoding: str, limits: Limits = LIMITS, watch: Meter | None = None
) -> TextIO:
    """Return the lines of a file, decompressed and decoded as they are asked for.

    `with_encoding` finds the encoding. Line breaks stay as they are.

    Raises
    ------
    UnicodeDecodeError
        While lines are read, if the text is not in that encoding.
    FileLimitError, EncodingError, TruncatedFileError, DataError, OSError
        While lines are read, as `read_bytes`; also if a line is too long or has zero bytes.
    """
    stream = io.BufferedReader(_Stream(_checked_lines(path, limits, watch)), CHUNK)
    return io.TextIOWrapper(stream, encoding, newline="")


def text_pieces(
    path: str | Path, encoding: str, limits: Limits = LIMITS, watch: Meter | None = None
) -> Iterator[str]:
    """Yield the text of a file in pieces, decompressed and decoded, however long its lines are.

    Errors are those of `text_lines`, but for long lines.
    """

    def pieces() -> Iterator[bytes]:
        for piece in chunks(path, limits, watch):
            if b"\0" in piece:
                raise _zero_bytes(path)
            yield piece

    return codecs.iterdecode(pieces(), encoding)


def with_encoding(path: str | Path, read: Callable[[str], T], limits: Limits = LIMITS) -> T:
    """Return what a function makes of a file's encoding, the first of UTF-8 and GB18030 that fits.

    Raises
    ------
    EncodingError
        If `read` raises a UnicodeDecodeError for both.
    """
    for encoding in ENCODINGS:
        try:
            return read(encoding)
        except UnicodeDecodeError:
            continue
    raise _no_text(path, limits)


def content_name(path: str | Path) -> str:
    """Return the name of what is in a file, whose ending says what it is: ``deals.csv``.

    It is the file's own without ``.gz``, or that of the one file in a zip file.
    """
    path = Path(path)
    if path.suffix.lower() == ".zip":
        with _opened(path) as (file, *_):
            return PurePath(file.name).name
    return path.stem if path.suffix.lower() == ".gz" else path.name


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes] | gzip.GzipFile, bool, IO[bytes]]]:
    """Open a file to read its content; tell whether it is compressed, and give the file itself."""
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        try:
            if magic.startswith(b"\x1f\x8b"):
                with gzip.GzipFile(fileobj=file) as inner:
                    yield inner, True, file
            elif magic == b"PK\x03\x04":
                with zipfile.ZipFile(file) as archive, archive.open(_member(archive, path)) as one:
                    yield one, True, file
            else:
                yield file, False, file
        except EOFError:
            kind = "gzip" if magic.startswith(b"\x1f\x8b") else "zip"
            raise TruncatedFileError(
                "{path} is a {kind} file that breaks off before its end: fetch it again",
                path=path,
                kind=kind,
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                "{path} is a damaged gzip file: {error}", path=path, error=error
            ) from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise DataError(
                "{path} is a zip file that is damaged, breaks off or has a password: {error}",
                path=path,
                error=error,
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
            "{path} is a spreadsheet, not text: save it as CSV, or read it with pandas.read_excel "
            "and give the dataframe",
            path=path,
        )
    if len(names) != 1:
        raise DataError(
            "{path} is a zip file with {n} files in it; one is expected{names}",
            path=path,
            n=len(names),
            names=Wording(", not {names}", names=Listed(names[:5])) if names else "",
        )
    return names[0]


def _checked_lines(path: str | Path, limits: Limits, watch: Meter | None = None) -> Iterator[bytes]:
    """Yield the content of a file, whose lines are not too long and have no zero bytes."""
    step = min(CHUNK, max(1, limits.max_line))
    n_lines, length = 0, 0
    for whole in chunks(path, limits, watch):
        if b"\x00" in whole:
            raise _zero_bytes(path)
        ends = b"\n" if b"\n" in whole else b"\r"
        # A piece no longer than a line may be has no room for one that is too long between two
        # line breaks, so that its first and its last one are all that must be looked at.
        for start in range(0, len(whole), step):
            piece = whole[start : start + step]
            first = piece.find(ends)
            if length + (len(piece) if first < 0 else first) > limits.max_line:
                raise FileLimitError(
                    "{path}, line {line} has more than {limit:,} bytes; max_line= raises the limit",
                    path=path,
                    line=n_lines + 1,
                    limit=limits.max_line,
                )
            length = length + len(piece) if first < 0 else len(piece) - piece.rfind(ends) - 1
            n_lines += piece.count(ends)
        yield whole


class _Stream(io.RawIOBase):
    """Pieces of a file, to be read as if they were the file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def decode(data: bytes, name: str | Path) -> str:
    """Return text in UTF-8, with or without a byte order mark, or in GB18030.

    Raises
    ------
    EncodingError
        If it is neither.
    """
    if b"\x00" in data:
        raise _zero_bytes(name)
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _neither(data, name)


def _zero_bytes(name: str | Path) -> EncodingError:
    return EncodingError(
        "{name} is not text in UTF-8 or GB18030: it has zero bytes, as UTF-16 and spreadsheets "
        "do. Save it as CSV in UTF-8",
        name=name,
    )


def _neither(data: bytes, name: str | Path, lines_before: int = 0) -> EncodingError:
    """Return what is wrong with bytes that are not UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = lines_before + data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
    return EncodingError(
        "{name} is neither UTF-8 nor GB18030 text: byte {byte:#04x} in line {line}",
        name=name,
        byte=byte,
        line=line,
    )


def _no_text(path: str | Path, limits: Limits) -> EncodingError:
    """Return what is wrong with a file that is not UTF-8, without holding all of it."""
    n_lines, rest = 0, b""
    for piece in chunks(path, limits):
        data = rest + piece
        try:
            data.decode()
            rest = b""
        except UnicodeDecodeError as error:
            # The last character of a piece may go on in the next.
            if error.reason != "unexpected end of data":
                return _neither(data, path, n_lines)
            data, rest = data[: error.start], data[error.start :]
        n_lines += data.count(b"\n")
    return _neither(rest, path, n_lines)
