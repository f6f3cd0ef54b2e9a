"""Arrays, and plain data about them, in an .npz file: no pickle, and nothing believed unseen.

Every member is an array as `numpy.load` reads it; the one called ``about`` holds JSON in UTF-8.
"""

from __future__ import annotations

import errno
import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from salesfunnel.errors import EmptyFileError, FileFormatError, FileLimitError, TruncatedFileError
from salesfunnel.wording import Listed, Wording, wording_of

VERSION = 1
"""Of the format: raised by a change that older versions of the library cannot read."""
MAX_BYTES = 2 << 30
_ABOUT, _ENDING = "about", ".npy"
_LEVEL = 1
"""Of compression: zeros go as well as with more, and it takes a third of the time."""
_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE = 1 << 24


class Stored(NamedTuple):
    """What was read from a file: arrays, and plain data about them.

    Attributes
    ----------
    name : str
        What messages call the file.
    about : dict
    arrays : dict of str to array
    """

    name: str
    about: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def array(
        self,
        name: str,
        kind: type[np.generic],
        shape: tuple[int, ...] | None = None,
        *,
        least: int | None = None,
        most: int | None = None,
    ) -> NDArray[Any]:
        """Return an array that must be of a kind and a shape, and within bounds.

        Parameters
        ----------
        name : str
        kind : type of numpy
            Of the array, or the kind that it is one of, as ``np.signedinteger``.
        shape : tuple of int, optional
            By default one dimension, of any length.
        least, most : int, optional
            The smallest and the largest value that may be.

        Raises
        ------
        FileFormatError
            If there is none like that.
        """
        array = self.arrays.get(name)
        if array is None:
            raise self.fault(Wording("the array {name!r} is missing", name=name))
        as_wanted = array.ndim == 1 if shape is None else array.shape == shape
        if not as_wanted or not np.issubdtype(array.dtype, kind):
            wanted = "(n,)" if shape is None else str(shape)
            raise self.fault(
                Wording(
                    "the array {name!r} is {dtype} of shape {shape}, not {kind} of shape {wanted}",
                    name=name,
                    dtype=array.dtype,
                    shape=array.shape,
                    kind=kind.__name__,
                    wanted=wanted,
                )
            )
        if array.size and not (least is None and most is None):
            low, high = array.min(), array.max()
            if (least is not None and low < least) or (most is not None and high > most):
                raise self.fault(
                    Wording(
                        "the array {name!r} is from {low} to {high}, not within {least} to {most}",
                        name=name,
                        low=low,
                        high=high,
                        least=least,
                        most=most,
                    )
                )
        return array

    def fault(self, problem: str) -> FileFormatError:
        """Return the error that says what is wrong with the file."""
        return FileFormatError(
            "{name} is damaged or was changed since it was saved: {problem}",
            name=self.name,
            problem=problem,
        )


def write_npz(
    path: str | Path,
    kind: str,
    about: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    *,
    compressed: bool,
) -> None:
    """Write arrays, none of them of objects, and what JSON can hold about them.

    The same content makes the same bytes.

    Parameters
    ----------
    path : str or Path
    kind : str
        What the file holds.
    about : mapping
    arrays : mapping of str to array
    compressed : bool
        Whether it is worth compressing, as what is mostly zeros.
    """
    header = {"format": f"salesfunnel.{kind}", "version": VERSION, "arrays": [*arrays], **about}
    text = json.dumps(header, allow_nan=False).encode("ascii")
    content = {_ABOUT: np.frombuffer(text, np.uint8), **arrays}
    how = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", how, compresslevel=_LEVEL) as file:
        for name, array in content.items():
            with file.open(name + _ENDING, "w", force_zip64=True) as member:
                npy.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


def read_npz(path: str | Path, kind: str, *, max_bytes: int = MAX_BYTES) -> Stored:
    """Return what `write_npz` wrote.

    Parameters
    ----------
    path : str or Path
    kind : str
        What the file must hold.
    max_bytes : int
        The most bytes that compressed arrays may have.

    Raises
    ------
    EmptyFileError, TruncatedFileError, FileLimitError
        If the file is empty, breaks off, or would become larger than `max_bytes`.
    FileFormatError
        If it was not written by `write_npz`, holds something else, is of a newer version of the
        format, or is damaged.
    OSError
        If there is no such file.
    """
    with Path(path).open("rb") as source:
        if not zipfile.is_zipfile(source):
            raise _no_zip(source, path, kind)
        arrays: dict[str, NDArray[Any]] = {}
        try:
            with zipfile.ZipFile(source) as file:
                members = file.infolist()
                _check_sizes(members, path, max_bytes)
                _of_kind(file, members, path, kind)
                for member in members:
                    name = member.filename.removesuffix(_ENDING)
                    if name in arrays:
                        raise ValueError(Wording("the array {name!r} is there twice", name=name))
                    arrays[name] = _array(file, member)
        except (FileFormatError, FileLimitError):
            raise
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            raise Stored(str(path), {}, {}).fault(wording_of(error)) from None
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # A table of contents that says to be before the beginning of the file.
            raise Stored(str(path), {}, {}).fault(
                Wording("its table of contents is elsewhere")
            ) from None
    stored = Stored(str(path), _about(arrays.pop(_ABOUT)), arrays)
    if stored.about.get("arrays") != [*arrays]:  # a table of contents may lose one
        raise stored.fault(Wording("its arrays are {names}", names=Listed(arrays)))
    return stored


def _no_zip(source: IO[bytes], path: str | Path, kind: str) -> Exception:
    source.seek(0)
    begins = source.read(4)
    if not begins:
        return EmptyFileError("{path} is empty", path=path)
    if begins == b"PK\x03\x04":
        return TruncatedFileError(
            "{path} breaks off before its end: save or copy it once more", path=path
        )
    return FileFormatError("{path} is no file that {kind}.save wrote", path=path, kind=kind)


def _check_sizes(members: Sequence[zipfile.ZipInfo], path: str | Path, max_bytes: int) -> None:
    """Refuse what could fill the memory, and sizes that the file has no room for."""
    if any(member.compress_type not in _COMPRESSION for member in members):
        raise ValueError(Wording("an array is compressed as none is"))
    plain = [member for member in members if not member.compress_type]
    length = Path(path).stat().st_size
    if any(member.file_size != min(member.compress_size, length) for member in plain):
        raise ValueError(Wording("an array is not as long as it says"))
    size = sum(member.file_size for member in members if member.compress_type)
    if size > max_bytes:
        raise FileLimitError(
            "{path} holds {size:,} bytes once decompressed, more than max_bytes={max_bytes:,}, "
            "which raises the limit",
            path=path,
            size=size,
            max_bytes=max_bytes,
        )


def _of_kind(
    file: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], path: str | Path, kind: str
) -> None:
    """Refuse a file that holds something else, or what a later version wrote."""
    about = [member for member in members if member.filename == _ABOUT + _ENDING]
    header = _about(_array(file, about[0])) if about else {}
    found, version = header.get("format"), header.get("version")
    if not isinstance(found, str) or not found.startswith("salesfunnel."):
        raise FileFormatError("{path} is no file that {kind}.save wrote", path=path, kind=kind)
    other = found.removeprefix("salesfunnel.")
    if other != kind:
        raise FileFormatError(
            "{path} holds a {other}, not a {kind}: read it by {other}.load",
            path=path,
            other=other,
            kind=kind,
        )
    if not isinstance(version, int) or version > VERSION:
        raise FileFormatError(
            "{path} is of version {version!r} of the format, and this version of salesfunnel "
            "reads up to {latest}: install a newer one",
            path=path,
            version=version,
            latest=VERSION,
        )


def _about(array: NDArray[Any]) -> dict[str, Any]:
    about = json.loads(array.tobytes().decode("ascii"))
    if not isinstance(about, dict):
        raise ValueError(Wording("{name!r} is no object of JSON", name=_ABOUT))
    return about


def _array(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Return the array of a member, whose size is believed only if the content is as long."""
    with file.open(member) as content:
        version = npy.read_magic(content)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, by_column, dtype = read(content)
        count = math.prod(shape)
        if dtype.hasobject or min(shape, default=0) < 0 or (by_column and len(shape) > 1):
            raise ValueError(Wording("{name} is no array as it was written", name=member.filename))
        if count * dtype.itemsize != member.file_size - content.tell():
            raise ValueError(
                Wording(
                    "{name} is not as long as its shape {shape}", name=member.filename, shape=shape
                )
            )
        array = np.empty(count, dtype)
        buffer = array.view(np.uint8) if array.nbytes else np.zeros(0, np.uint8)
        for start in range(0, len(buffer), _PIECE):
            piece = content.read(min(_PIECE, len(buffer) - start))
            buffer[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
        if content.read(1):  # at the end, where the checksum is looked at
            raise ValueError(
                Wording(
                    "{name} is longer than its shape {shape}", name=member.filename, shape=shape
                )
            )
    return array.astype(dtype.newbyteorder("="), copy=False).reshape(shape)
