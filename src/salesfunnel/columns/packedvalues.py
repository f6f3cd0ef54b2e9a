"""Columns of anything as plain arrays, and back: texts in one buffer, other values as texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.npz import Stored
from salesfunnel.columns.texts import as_objects
from salesfunnel.errors import DefinitionError
from salesfunnel.wording import Wording

_BYTES, _ENDS, _KINDS = ".bytes", ".ends", ".kinds"
_TEXT = 0
_CODED: tuple[tuple[type, Callable[[Any], str], Callable[[str], Any]], ...] = (
    (str, str.__str__, str),
    (bytes, bytes.hex, bytes.fromhex),
    (bool, str, {"True": True, "False": False}.__getitem__),
    (int, "{:x}".format, lambda text: int(text, 16)),
    (float, float.hex, float.fromhex),
    (type(None), str, {"None": None}.__getitem__),
    (Decimal, str, Decimal),
    (UUID, str, UUID),
    (datetime, datetime.isoformat, datetime.fromisoformat),
    (date, date.isoformat, date.fromisoformat),
)
"""What an array of objects may have, in texts and back; a kind is a place in this list."""

_KIND_OF = {known: kind for kind, (known, _, _) in enumerate(_CODED)}


def pack_values(
    name: str, values: NDArray[Any], what: str, *, others_as_text: bool = False
) -> dict[str, NDArray[Any]]:
    """Return a column as arrays without objects, for `unpack_values`.

    Parameters
    ----------
    name : str
        What the arrays are to be called.
    values : (n,) array
        Numbers, texts or bytes, or objects.
    what : str
        What a message calls one of the values.
    others_as_text : bool
        Whether values of types that are not known become texts.

    Raises
    ------
    DefinitionError
        If a value is of a type that is not known.
    """
    if values.dtype != object:
        return {name: values}
    kinds, texts = np.zeros(len(values), np.uint8), []
    for place, value in enumerate(values.tolist()):
        plain = value.item() if isinstance(value, np.generic) else value
        kind = _kind(plain)
        if kind is None:
            if not others_as_text:
                raise DefinitionError(
                    "{what} {value!r} is of the type {kind}, which cannot be saved: make it a text",
                    what=what,
                    value=value,
                    kind=type(value).__name__,
                )
            kind, plain = _TEXT, str(plain)
        kinds[place] = kind
        texts.append(_CODED[kind][1](plain))
    arrays = pack_texts(name, texts)
    return arrays | {name + _KINDS: kinds} if kinds.any() else arrays


def _kind(value: Any) -> int | None:
    kind = _KIND_OF.get(type(value))
    if kind is None:  # a text, or a number, of a type of somebody's own
        kind = next(
            (_KIND_OF[known] for known in (str, int, float) if isinstance(value, known)), None
        )
    return kind


def unpack_values(stored: Stored, name: str) -> NDArray[Any]:
    """Return the column that `pack_values` packed.

    Raises
    ------
    FileFormatError
        If there is none that makes sense.
    """
    if name in stored.arrays:
        values = stored.arrays[name]
        if values.dtype.kind not in "biufSU" or values.ndim != 1:
            raise stored.fault(
                Wording(
                    "the array {name!r} is {dtype} of shape {shape}",
                    name=name,
                    dtype=values.dtype,
                    shape=values.shape,
                )
            )
        if values.dtype.kind == "U" and (_code_points(values) > 0x10FFFF).any():
            raise stored.fault(Wording("the array {name!r} is no text", name=name))
        return values
    texts = unpack_texts(stored, name)
    if name + _KINDS not in stored.arrays:
        return as_objects(texts)
    most = len(_CODED) - 1
    kinds = stored.array(name + _KINDS, np.uint8, (len(texts),), most=most).tolist()
    try:
        return as_objects([_CODED[k][2](text) for k, text in zip(kinds, texts, strict=True)])
    except (ValueError, KeyError, ArithmeticError) as error:
        raise stored.fault(
            Wording("{name!r} has a value that is none: {error}", name=name, error=error)
        ) from None


def _code_points(values: NDArray[np.str_]) -> NDArray[np.uint32]:
    return np.ascontiguousarray(values).view(np.uint32)


def pack_texts(name: str, texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return texts as two arrays: their bytes in UTF-8, and where each ends."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return {
        name + _BYTES: np.frombuffer(b"".join(encoded), np.uint8),
        name + _ENDS: np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded))),
    }


def unpack_texts(stored: Stored, name: str) -> list[str]:
    """Return the texts that `pack_texts` packed; errors are those of `unpack_values`."""
    data = stored.array(name + _BYTES, np.uint8).tobytes()
    ends = stored.array(name + _ENDS, np.int64, least=0, most=len(data))
    if (ends[1:] < ends[:-1]).any() or (ends[-1] if len(ends) else 0) != len(data):
        raise stored.fault(Wording("the texts {name!r} do not end where they should", name=name))
    stops = ends.tolist()
    try:
        return [
            data[start:stop].decode("utf-8", "surrogatepass")
            for start, stop in zip([0, *stops], stops, strict=False)
        ]
    except UnicodeDecodeError as error:
        raise stored.fault(
            Wording("{name!r} has what is no text: {problem}", name=name, problem=error.reason)
        ) from None
