"""Strings → small integers, in order of appearance, at a few nanoseconds a byte.

Each string is hashed, and one integer for each, ``hash | row``, is sorted: equal strings come to
stand side by side, the first row of each first. Where there are few different ones, a small table
finds them instead. Hashes only propose: every string is then compared, word by word, with the first
of its number, and those that differ from it are told apart without hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.strings import Digest, Fixed, Part, Several, Strings, Words
from salesfunnel.kernel.threads import PIECE, by_pieces, sort

_CHUNK = 1 << 16
_SAMPLE, _FEW = 1 << 10, 1 << 7
_TABLE_BITS = 12
_MIX = 0x9E3779B97F4A7C15
_STEP = 0xD1342543DE82EF94


class Numbers(NamedTuple):
    """What N values are numbered with.

    Attributes
    ----------
    codes : (N,) integers
        0 … M-1, in order of appearance.
    first : (M,) int64
        The row in which each number comes first.
    """

    codes: NDArray[np.integer[Any]]
    first: NDArray[np.int64]


def number(strings: Strings) -> Numbers:
    """Return the numbers of strings: equal ones have one, different ones have different ones."""
    if len(strings) == 0:
        return Numbers(np.zeros(0, np.int32), np.zeros(0, np.int64))
    return _few(strings) or _many(strings)


def _few(strings: Strings) -> Numbers | None:
    """Return numbers by a table of the strings in a sample; None where there are many in it."""
    n = len(strings)
    sample = strings.take(np.arange(0, n, n // _SAMPLE + 1))
    hashes, _, varies = digest(sample)
    distinct, at = np.unique(hashes, return_index=True)
    if len(distinct) > _FEW:
        return None
    known = _Known(sample.take(at), np.ones(len(varies), bool))
    shift = np.uint64(64 - _TABLE_BITS)
    table = np.zeros(1 << _TABLE_BITS, np.uint8)
    table[distinct >> shift] = np.arange(len(distinct))

    codes = np.empty(n, np.int32)
    for start, stop, words in _in_chunks(strings):
        found = table.take((_hash_of(words) >> shift).view(np.int64))
        differs = known.differ(words, found)
        codes[start:stop] = np.where(differs, len(distinct), found)
    first = _first_rows(codes, len(distinct) + 1)
    # One of the sample is not found where another has its place in the table.
    order, rank = _ranked(first[:-1], n)
    numbers = Numbers(np.append(rank, rank[:1]).take(codes), first[order])
    if first[-1] == n:
        return numbers
    others = np.flatnonzero(codes == len(distinct))
    return _joined(numbers, others, _many(strings.take(others)))


def by_appearance(codes: NDArray[np.integer[Any]], n_codes: int) -> Numbers:
    """Return codes, 0 or more and below some number, as numbers: those that occur, in order."""
    first = _first_rows(codes, n_codes)
    order, rank = _ranked(first, len(codes))
    return Numbers(rank.take(codes), first[order])


def _ranked(first: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.integer[Any]]]:
    """Return the codes that occur in n rows, in order of their first ones, and the rank of each."""
    found = np.flatnonzero(first < n)
    order = found[np.argsort(first[found])]
    rank: NDArray[np.integer[Any]] = np.zeros(len(first), _kind(n))
    rank[order] = np.arange(len(order))
    return order, rank


def _many(strings: Strings) -> Numbers:
    """Return numbers by the hashes of all strings."""
    hashes, _, varies = digest(strings)
    numbers = _in_runs(hashes)
    wrong = _wrong(strings, varies, numbers)
    return _joined(numbers, wrong, _without_hashes(strings.take(wrong))) if len(wrong) else numbers


def digest(strings: Strings) -> Digest:
    """Return the hashes of strings, and which of their words vary."""
    if isinstance(strings, (Fixed, Several)) and strings.digest is not None:
        return strings.digest
    if not isinstance(strings, Several):
        (_, part), *_ = strings.members()
        return _digest(part)
    parts = [digest(part) for part in strings.parts]
    return merged(parts, np.concatenate([part.hashes for part in parts]))


def merged(digests: Sequence[Digest], hashes: NDArray[np.uint64]) -> Digest:
    """Return what is known of several parts, at least one, given the hashes of all."""
    width = max(len(part.first) for part in digests)
    first = np.zeros((len(digests), width), np.uint64)
    varies = np.zeros(width, bool)
    for into, part in zip(first, digests, strict=True):
        into[: len(part.first)] = part.first
        varies[: len(part.varies)] |= part.varies
    varies |= (first != first[0]).any(axis=0)
    return Digest(hashes, first[0], varies)


def _digest(part: Part) -> Digest:
    hashes = np.empty(len(part), np.uint64)
    first: list[Any] = []
    varies: list[bool] = []
    n_words = []
    for start, stop, words in _in_chunks(part):
        hashes[start:stop] = _hash_of(words)
        first += [word[0] for word in words[len(first) :]]
        varies += [False] * (len(first) - len(varies))
        for place, word in enumerate(words):
            varies[place] = varies[place] or bool((word != first[place]).any())
        n_words.append(len(words))
    always = min(n_words, default=0)  # a word is 0 where a chunk has none
    return Digest(
        hashes,
        np.array(first[:always] + [0] * (len(first) - always), np.uint64),
        np.array(varies[:always] + [True] * (len(first) - always), bool),
    )


def _in_chunks(
    strings: Strings, first: int = 0, last: int | None = None
) -> Iterator[tuple[int, int, list[Words]]]:
    """Yield the words of some consecutive strings, and where these begin and end."""
    last = len(strings) if last is None else last
    for before, part in strings.members():
        for start in range(max(first - before, 0), min(last - before, len(part)), _CHUNK):
            stop = min(start + _CHUNK, last - before, len(part))
            yield before + start, before + stop, list(part.words(start, stop))


class _Known:
    """The words of M strings side by side, to compare others with.

    Parameters
    ----------
    strings : Part
        They.
    varies : (W,) bool array
        Which words to look at; the others are the same in all strings.
    """

    def __init__(self, strings: Part, varies: NDArray[np.bool_]) -> None:
        self._n_words = len(varies)
        self._places = np.flatnonzero(varies).tolist()
        words = _all_words(strings, varies)
        matrix = np.column_stack([words[place] for place in self._places] or [np.zeros(1, "<u8")])
        self._rows = matrix.view(f"V{matrix.itemsize * matrix.shape[1]}")[:, 0]

    def differ(self, words: Sequence[Words], codes: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Return which strings are not those that they have the codes of.

        Parameters
        ----------
        words : sequence of (n,) arrays
            All words of the strings.
        codes : (n,) integers
        """
        differs = np.zeros(len(codes), bool)
        for word in words[self._n_words :]:
            differs |= word != 0
        if not self._places:
            return differs
        expected = self._rows.take(codes).view("<u8").reshape(len(codes), -1)
        for column, place in enumerate(self._places):
            differs |= expected[:, column] != (words[place] if place < len(words) else 0)
        return differs


def _hash_of(words: Sequence[Words]) -> NDArray[np.uint64]:
    """Return hashes whose high bits depend on all words; those that are 0 change nothing."""
    total = words[0] * _multiplier(0)
    for place, word in enumerate(words[1:], start=1):
        total += word * _multiplier(place)
    total ^= total >> np.uint64(32)
    total *= np.uint64(_MIX)
    return total


def _multiplier(place: int) -> np.uint64:
    """Return an odd number that has nothing to do with those of other places."""
    x = _MIX + place * _STEP
    x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9 % 2**64
    return np.uint64(x | 1)


def _kind(n: int) -> np.dtype[np.signedinteger[Any]]:
    """Return the type of numbers below n."""
    return np.dtype(np.int32 if n < 2**31 else np.int64)


def _first_rows(codes: NDArray[np.integer[Any]], n_codes: int) -> NDArray[np.int64]:
    """Return where each code comes first, N for one that does not; mostly after a few rows."""
    n = len(codes)
    first = np.full(n_codes, n)
    start, size = 0, _SAMPLE
    while start < n:
        new = np.flatnonzero(first.take(codes[start : start + size]) == n)
        if len(new):
            found, at = np.unique(codes[start + new], return_index=True)
            first[found] = start + new[at]
        start, size = start + size, _CHUNK
    return first


def _in_runs(hashes: NDArray[np.uint64]) -> Numbers:
    """Return numbers by sorting; where most rows repeat that before them, only the others are."""
    n = len(hashes)
    begins = np.ones(n, bool)
    np.not_equal(hashes[1:], hashes[:-1], out=begins[1:])
    if 2 * np.count_nonzero(begins) > n:
        return _by_sorting(hashes)
    heads = np.flatnonzero(begins)
    numbers = _by_sorting(hashes[heads])
    return Numbers(np.repeat(numbers.codes, np.diff(heads, append=n)), heads[numbers.first])


def _by_sorting(hashes: NDArray[np.uint64]) -> Numbers:
    n = len(hashes)
    bits = (n - 1).bit_length()
    row_of = (1 << bits) - 1
    key, begins = np.empty(n, np.int64), np.ones(n, bool)

    def pack(start: int, stop: int) -> None:
        part = hashes[start:stop] >> np.uint64(1 + bits)
        part <<= np.uint64(bits)
        part |= np.arange(start, stop, dtype=np.uint64)
        key[start:stop] = part.view(np.int64)

    def heads(start: int, stop: int) -> NDArray[np.int64]:
        high = key[max(start - 1, 0) : stop] >> bits
        np.not_equal(high[1:], high[:-1], out=begins[max(start, 1) : stop])
        head: NDArray[np.int64] = key[start:stop][begins[start:stop]] & row_of
        return head

    by_pieces(pack, n)
    sort(key)
    found = by_pieces(heads, n)
    first = np.concatenate(found)
    appears = np.zeros(n, bool)
    appears[first] = True
    rank: NDArray[np.integer[Any]] = np.cumsum(appears, dtype=_kind(n)).take(first)
    rank -= 1
    codes = np.empty(n, rank.dtype)
    n_before = np.cumsum([0, *map(len, found)])

    def spread(start: int, stop: int) -> None:
        place = np.cumsum(begins[start:stop])
        place += n_before[start // PIECE] - 1
        codes[key[start:stop] & row_of] = rank.take(place)

    by_pieces(spread, n)
    return Numbers(codes, np.flatnonzero(appears))


def _wrong(strings: Strings, varies: NDArray[np.bool_], numbers: Numbers) -> NDArray[np.int64]:
    """Return the rows whose string is not that of the first row of their number, ascending."""
    n, n_numbers = len(strings), len(numbers.first)
    if n_numbers == n:
        return np.zeros(0, np.int64)
    known = _Known(strings.take(numbers.first), varies)

    def differing(start: int, stop: int) -> NDArray[np.int64]:
        found = [
            begin + np.flatnonzero(known.differ(words, numbers.codes[begin:end]))
            for begin, end, words in _in_chunks(strings, start, stop)
        ]
        return np.concatenate(found)

    return np.concatenate(by_pieces(differing, n))


def _without_hashes(strings: Strings) -> Numbers:
    """Return numbers by sorting whole strings: slow, and for the few that hashes do not tell."""
    varies = digest(strings).varies
    words = [word for word in _all_words(strings, varies) if len(word)]
    order = np.lexsort((np.arange(len(strings)), *words))
    begins = np.zeros(len(strings), bool)
    begins[:1] = True
    for word in words:
        begins[1:] |= word[order[1:]] != word[order[:-1]]
    first = order[begins]
    rank = np.empty(len(first), np.int32)
    by_row = np.argsort(first)
    rank[by_row] = np.arange(len(first))
    codes = np.empty(len(strings), np.int32)
    codes[order] = rank[np.cumsum(begins) - 1]
    return Numbers(codes, first[by_row])


def _all_words(strings: Strings, wanted: NDArray[np.bool_]) -> list[NDArray[np.uint64]]:
    """Return the words of all strings, those that are wanted."""
    n = len(strings)
    all_words = [np.zeros(n if want else 0, np.uint64) for want in wanted]
    for start, stop, words in _in_chunks(strings):
        for word, into in zip(words, all_words, strict=False):
            if len(into):
                into[start:stop] = word
    return all_words


def _joined(numbers: Numbers, rows: NDArray[np.int64], others: Numbers) -> Numbers:
    """Return numbers where those of some rows are others, all in order of appearance.

    `numbers` keeps its own for all that are left, so none of `first` may be among `rows`.
    """
    first = np.append(numbers.first, rows[others.first])
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    codes = rank[numbers.codes]
    codes[rows] = rank[len(numbers.first) + others.codes]
    return Numbers(codes, first[order])
