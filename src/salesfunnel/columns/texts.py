"""Columns of texts: many in one buffer, and the strings of those that come in another form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.strings import Fixed, Part, Sliced, as_words
from salesfunnel.model.missing import is_missing

Column = Sequence[Any] | NDArray[Any]

LONGEST = 1 << 10
"""Bytes of the longest text that is seen as words; with longer ones a column is none of names."""
_CHUNK = 1 << 12
_SEPARATOR = "\n"
_ENCODING = ("utf-8", "surrogatepass")
_TEXTS = frozenset({str, np.str_})
_MISSING = frozenset({"NoneType", "float", "NAType", "NaTType"})
"""Types of what stands for a missing text, in lists and in the libraries of dataframes."""


class Texts(Sequence[Any]):
    """N texts in one buffer of UTF-8; each becomes one of Python's own when it is asked for.

    Parameters
    ----------
    strings : Part
        Where they are.
    absent : (N,) bool array, optional
        Which of them are None; they have the empty string.
    """

    def __init__(self, strings: Part, absent: NDArray[np.bool_] | None = None) -> None:
        self.strings = strings
        self.absent = absent

    def __len__(self) -> int:
        return len(self.strings)

    @overload
    def __getitem__(self, index: int) -> str | None: ...
    @overload
    def __getitem__(self, index: slice) -> list[str | None]: ...
    def __getitem__(self, index: int | slice) -> str | list[str | None] | None:
        if isinstance(index, slice):
            return list(self.take(np.arange(len(self))[index]))
        return next(iter(self.take(np.array([range(len(self))[index]]))))

    def __iter__(self) -> Iterator[str | None]:
        texts = (text.decode(*_ENCODING) for text in self.strings)
        if self.absent is None:
            yield from texts
            return
        for text, is_absent in zip(texts, self.absent.tolist(), strict=True):
            yield None if is_absent else text

    def take(self, rows: NDArray[np.integer[Any]]) -> Texts:
        """Return the texts of some rows."""
        return Texts(self.strings.take(rows), None if self.absent is None else self.absent[rows])

    def array(self) -> NDArray[Any]:
        """Return the texts as an array: of texts if they are ASCII and compact, else of objects."""
        padded = self.strings.padded() if isinstance(self.strings, Sliced) else self.strings
        is_whole = self.absent is None or not self.absent.any()
        if is_whole and isinstance(padded, Fixed):
            matrix = padded.trimmed().matrix
            if matrix.max(initial=0) < 0x80:
                return matrix.astype(np.uint32).view(f"U{matrix.shape[1]}")[:, 0]
        return as_objects(list(self))


class Encoded(Sequence[Any]):
    """N values that stand in a dictionary.

    Parameters
    ----------
    codes : (N,) integers
        The place of each in the dictionary; -1 for None.
    values : list
        The dictionary, in which some may be equal, or of no use.
    """

    def __init__(self, codes: NDArray[np.integer[Any]], values: list[Any]) -> None:
        self.codes = codes
        self.values = values

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return list(Encoded(self.codes[index], self.values))
        code = int(self.codes[index])
        return None if code < 0 else self.values[code]

    def __iter__(self) -> Iterator[Any]:
        values = [*self.values, None]
        return iter([values[code] for code in self.codes.tolist()])

    def each(self, change: Callable[[Any], Any]) -> Encoded:
        """Return the column with every value of the dictionary changed."""
        return Encoded(self.codes, [change(value) for value in self.values])


def strings_of(values: Column) -> Part | None:
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
    strings: Part | None
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
    if isinstance(values, Texts):
        return values.take(rows).array()
    return as_objects([values[row] for row in rows.tolist()])


def compacted(values: NDArray[Any]) -> NDArray[Any] | Texts:
    """Return values in a byte a character, if they are texts of an array in ASCII."""
    if values.dtype.kind != "U" or values.dtype.itemsize == 0:
        return values
    narrow = _narrow(values)
    return values if narrow is None or narrow.max(initial=0) >= 0x80 else Texts(Fixed(narrow))


def as_objects(values: Sequence[Any]) -> NDArray[np.object_]:
    """Return values as an array of objects, whatever they are."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def are_missing(values: NDArray[Any] | Texts) -> NDArray[np.bool_]:
    """Return which values stand for none."""
    missing = np.zeros(len(values), bool)
    if isinstance(values, np.ndarray) and values.dtype.kind == "S":
        return missing
    unsure = may_be_missing(values)
    for index, value in zip(unsure.tolist(), take(values, unsure).tolist(), strict=True):
        missing[index] = is_missing(value)
    return missing


def may_be_missing(values: NDArray[Any] | Texts) -> NDArray[np.int64]:
    """Return the rows that may have no value: those that do not begin with a mark of ASCII."""
    if isinstance(values, Texts):
        leads: NDArray[Any] = values.strings.leads()
    elif values.dtype.kind == "U":
        leads = _matrix(values, np.uint32)[:, 0]
    else:
        return np.arange(len(values))
    return np.flatnonzero((leads <= 0x20) | (leads >= 0x7F))


def _matrix(values: NDArray[Any], dtype: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    """Return the bytes or characters of an array of texts or bytes, one value in each row."""
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    width = values.dtype.itemsize // np.dtype(dtype).itemsize
    return native.view(dtype).reshape(len(values), width)


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


def _of_list(values: Sequence[Any]) -> Part | None:
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
    data = text.encode(*_ENCODING)
    n = len(values)
    if n == 0 or data.count(_SEPARATOR.encode()) > n:  # one has a line break inside
        encoded = [value.encode(*_ENCODING) for value in values]
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


def _unless_long(strings: Part) -> Part | None:
    if isinstance(strings, Sliced) and strings.lengths.max(initial=0) > LONGEST:
        return None
    return strings
