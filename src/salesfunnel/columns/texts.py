"""Columns of texts: many in one buffer, and the strings of those that come in another form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.strings import Fixed, Sliced, Strings, as_words
from salesfunnel.model.missing import is_missing

Column = Sequence[Any] | NDArray[Any]

LONGEST = 1 << 10
"""Bytes of the longest text that is seen as words; with longer ones a column is none of names."""
_CHUNK = 1 << 12
_SEPARATOR = "\n"
_TEXTS = frozenset({str, np.str_})
_MISSING = frozenset({"NoneType", "float", "NAType", "NaTType"})
"""Types of what stands for a missing text, in lists and in the libraries of dataframes."""


class Texts(Sequence[str]):
    """N texts in one buffer of UTF-8; each becomes one of Python's own when it is asked for.

    Parameters
    ----------
    strings : Sliced
        Where they are.
    """

    def __init__(self, strings: Sliced) -> None:
        self.strings = strings

    def __len__(self) -> int:
        return len(self.strings)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self.at(np.arange(len(self))[index])
        return self.at(np.array([range(len(self))[index]]))[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self.at(np.arange(len(self))))

    def at(self, rows: NDArray[np.integer[Any]]) -> list[str]:
        """Return the texts of some rows."""
        return [text.decode("utf-8", "surrogatepass") for text in self.strings.take(rows)]


def strings_of(values: Column) -> Strings | None:
    """Return the strings of a column of texts, or of an array of bytes; None of any other.

    Equal values have equal strings, and others have not. What is missing may be among texts, and
    has the empty string.
    """
    if isinstance(values, Texts):
        return _unless_long(values.strings)
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "SU":
            narrow = _narrow(values) if values.dtype.kind == "U" else None
            return Fixed(_matrix(values, np.uint8) if narrow is None else narrow)
        return _of_list(values.tolist()) if values.dtype.kind in "OT" else None
    return _of_list(values)


def sliced_of(values: Column) -> Sliced | None:
    """Return the strings of a column of texts, which are ASCII where the texts are; else None."""
    if isinstance(values, Texts):
        return _unless_long(values.strings)
    strings: Strings | None
    if isinstance(values, np.ndarray) and values.dtype.kind in "SU":
        narrow = _narrow(values) if values.dtype.kind == "U" else None
        strings = None if narrow is None else Fixed(narrow)
    else:
        strings = strings_of(values)
    if isinstance(strings, Fixed):
        return strings.sliced()
    assert strings is None or isinstance(strings, Sliced)
    return strings


def take(values: Column, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return some values of a column, as an array of texts, of bytes or of objects."""
    if isinstance(values, np.ndarray):
        found: NDArray[Any] = values[rows]
        return found if values.dtype.kind in "OSU" else found.astype(object)
    return as_objects(
        values.at(rows) if isinstance(values, Texts) else [values[row] for row in rows.tolist()]
    )


def as_objects(values: Sequence[Any]) -> NDArray[np.object_]:
    """Return values as an array of objects, whatever they are."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def are_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which values stand for none."""
    missing = np.zeros(len(values), bool)
    unsure = np.arange(len(values))
    if values.dtype.kind == "S":
        return missing
    if values.dtype.kind == "U":
        # What begins with a letter, digit or mark of ASCII is not blank.
        begins = _matrix(values, np.uint32)[:, 0]
        unsure = np.flatnonzero((begins <= 0x20) | (begins >= 0x7F))
    for index, value in zip(unsure.tolist(), values[unsure].tolist(), strict=True):
        missing[index] = is_missing(value)
    return missing


def _matrix(values: NDArray[Any], dtype: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    """Return the bytes or characters of an array of texts or bytes, one value in each row."""
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return native.view(dtype).reshape(len(values), -1)


def _narrow(values: NDArray[np.str_]) -> NDArray[np.uint8] | None:
    """Return an array of texts in Latin-1, one in each row; None if it has other characters."""
    wide = _matrix(values, np.uint32)
    narrow = np.empty(wide.shape, np.uint8)
    for start in range(0, len(wide), _CHUNK):
        part = wide[start : start + _CHUNK]
        if part.max() > 0xFF:
            return None
        narrow[start : start + _CHUNK] = part
    return narrow


def _of_list(values: Sequence[Any]) -> Strings | None:
    """Return the strings of a list of texts, among which some may be missing; None of others."""
    kinds = set(map(type, values)) - _TEXTS
    if not all(kind.__name__ in _MISSING for kind in kinds):
        return None
    if kinds:
        values = [v if type(v) in _TEXTS else "" if is_missing(v) else None for v in values]
    try:
        text = _SEPARATOR.join([*values, ""])
    except TypeError:  # a float that is a number
        return None
    data = text.encode("utf-8", "surrogatepass")
    n = len(values)
    if n == 0 or data.count(_SEPARATOR.encode()) > n:  # one has a line break inside
        encoded = [value.encode("utf-8", "surrogatepass") for value in values]
        lengths = np.fromiter(map(len, encoded), np.int64, n)
        data = b"".join(encoded)
        return _unless_long(Sliced(as_words(data), np.cumsum(lengths) - lengths, lengths))
    width = len(values[0])
    bytes_ = np.frombuffer(data, np.uint8)
    # In a matrix, zeros at the end would be no part of the text.
    if width and len(data) == n * (width + 1) and b"\0" not in data:
        matrix = bytes_.reshape(n, width + 1)
        if (matrix[:, width] == ord(_SEPARATOR)).all():
            return Fixed(matrix[:, :width]) if width <= LONGEST else None
    stops = np.flatnonzero(bytes_ == ord(_SEPARATOR))
    starts = np.append(0, stops[:-1] + 1)
    return _unless_long(Sliced(as_words(data), starts, stops - starts))


def _unless_long(strings: Sliced) -> Sliced | None:
    return strings if strings.lengths.max(initial=0) <= LONGEST else None
