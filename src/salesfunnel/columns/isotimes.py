"""ISO 8601 times in the forms that machines write, read eight characters at a time.

A form is where the digits of a time are, and what stands between them. All times of one form are
read at once, then those of the next. What is of no form, or no time, is left to a parser that reads
one text after another.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.strings import Sliced

Word = NDArray[np.uint64]

_CHUNK = 1 << 16
_MOST_FORMS, _SAMPLE = 12, 64
_TIME = re.compile(rb"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(:\d\d(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?")
_WORD = 8
_HIGH_BITS = np.uint64(0x8080808080808080)
_SECOND, _MINUTE, _DAY = 1_000_000, 60_000_000, 86_400_000_000


class IsoTimes(NamedTuple):
    """Times of texts.

    Attributes
    ----------
    micro : (N,) int64
        Microseconds since 1970, in UTC where the text names a zone, else on the clock of some zone.
    naive : (N,) bool
        Whether a time that was read names no zone.
    unread : (U,) int64
        The rows that were not read, ascending.
    """

    micro: NDArray[np.int64]
    naive: NDArray[np.bool_]
    unread: NDArray[np.int64]


def read_iso_times(texts: Sliced) -> IsoTimes:
    """Return the times of texts of the usual forms, as `datetime.fromisoformat` reads them."""
    n = len(texts)
    micro, naive, unread = np.zeros(n, np.int64), np.zeros(n, bool), np.arange(n)
    tried: set[_Form] = set()
    while len(unread) and len(tried) < _MOST_FORMS:
        sample = texts.take(unread[:: len(unread) // _SAMPLE + 1])
        form = next((f for f in map(_form, sample) if f is not None and f not in tried), None)
        if form is None:
            break
        tried.add(form)
        left = [unread[:0]]
        for start in range(0, len(unread), _CHUNK):
            rows: Any = unread[start : start + _CHUNK]
            if len(unread) == n:  # nothing has been read: a slice is quicker than rows
                rows = slice(start, start + _CHUNK)
            micro[rows], bad = _read(form, texts.take(rows))
            naive[rows] = not form.zone
            left.append(unread[start : start + _CHUNK][bad])
        unread = np.concatenate(left)
    naive[unread] = False
    return IsoTimes(micro, naive, unread)


class _Form(NamedTuple):
    """A form of times.

    Attributes
    ----------
    pattern : bytes
        A time of the form, with 0 for every digit.
    has_time, has_second : bool
        Whether it has more than a date, and more than hour and minute.
    fraction : int
        How many digits a second has after its point.
    zone : bytes
        How the zone begins: Z, +, -, or nothing.
    """

    pattern: bytes
    has_time: bool
    has_second: bool
    fraction: int
    zone: bytes


def _form(text: bytes) -> _Form | None:
    """Return the form of a text; None if it is no time."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    second, fraction, zone = match.groups(b"")
    return _Form(
        pattern=re.sub(rb"\d", b"0", text),
        has_time=len(text) > len("2026-01-31"),
        has_second=bool(second),
        fraction=len(fraction),
        zone=zone[:1],
    )


def _read(form: _Form, texts: Sliced) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the times of texts in microseconds, and which texts are no time of this form."""
    length, *words = texts.words(0, len(texts))
    if len(words) * _WORD < len(form.pattern):
        return np.zeros(len(texts), np.int64), np.ones(len(texts), bool)
    faults = np.zeros(len(texts), np.uint64)  # in the high bit of each byte, whether it is wrong
    digits: list[Word] = []  # in each byte the digit that stands there, and 0 for what is between
    pairs: list[Word] = []  # in each byte the number that its digit and the next one make
    for word, (expected, room, limits) in zip(words, _masks(form), strict=False):
        digit = word ^ expected
        pair = digit * np.uint64(10)
        pair += digit >> np.uint64(8)
        faults |= digit
        faults |= digit + room
        faults |= pair + limits
        digits.append(digit)
        pairs.append(pair)

    def one(place: int) -> Word:
        return _byte(digits, place)

    def two(place: int) -> Word:
        if place % _WORD < _WORD - 1:
            return _byte(pairs, place)
        return one(place) * np.uint64(10) + one(place + 1)

    month = two(0) * np.uint64(100)
    month += two(2)
    month <<= np.uint64(4)
    month += two(5)
    days = _months().take(month.view(np.int64), mode="clip")
    day = two(8).view(np.int64) - 1
    bad = day.view(np.uint64) >= (days & 31).view(np.uint64)
    days >>= 5
    days += day
    micro = days * _DAY
    if form.has_time:
        minutes = two(11) * np.uint64(60)
        minutes += two(14)
        micro += minutes.view(np.int64) * _MINUTE
    if form.has_second:
        micro += two(17).view(np.int64) * _SECOND
    for place in range(min(form.fraction, 6)):  # what is below a microsecond is left out
        micro += one(20 + place).view(np.int64) * 10 ** (5 - place)
    if form.zone in (b"+", b"-"):
        hour, minute = two(len(form.pattern) - 5), two(len(form.pattern) - 2)
        bad |= (hour > 23) | (minute > 59)
        ahead = (hour * np.uint64(60) + minute).view(np.int64) * _MINUTE
        micro += ahead if form.zone == b"-" else -ahead
    faults &= _HIGH_BITS
    bad |= faults != 0
    bad |= length != len(form.pattern)
    return micro, bad


@cache
def _masks(form: _Form) -> list[tuple[np.uint64, np.uint64, np.uint64]]:
    """Return what is expected in each word, and what can be added where it is that.

    The sum has no high bit: of a digit and its room, of a number of two digits and its limit.
    """
    size = -(-len(form.pattern) // _WORD) * _WORD
    expected = form.pattern.ljust(size, b"\0")
    room = bytes(0x7F - 9 if byte == ord("0") else 0x7F for byte in expected)
    limits = bytearray(size)
    for place, most in ((5, 12), (11, 23), (14, 59), (17, 59)):
        if expected[place : place + 2] == b"00":
            limits[place] = 0x7F - most
    words = (np.frombuffer(part, "<u8") for part in (expected, room, bytes(limits)))
    return list(zip(*words, strict=True))


def _byte(words: list[Word], place: int) -> Word:
    shifted: Word = words[place // _WORD] >> np.uint64(8 * (place % _WORD))
    shifted &= np.uint64(0xFF)
    return shifted


@cache
def _months() -> NDArray[np.int64]:
    """Return ``first day << 5 | days`` for each ``year << 4 | month``; no days where there is none.

    Days count from 1970-01-01; years are 1 to 9999.
    """
    firsts = np.arange("0001-01", "10000-02", dtype="datetime64[M]").astype("datetime64[D]")
    first = firsts.astype(np.int64)
    table = np.zeros((10_000, 16), np.int64)
    table[1:, 1:13] = ((first[:-1] << 5) | np.diff(first)).reshape(-1, 12)
    return table.reshape(-1)
