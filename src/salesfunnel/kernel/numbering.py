"""Strings → small integers, in order of appearance, at a few nanoseconds a byte.

Each string is hashed, and one integer for each, ``hash | row``, is sorted: equal strings come to
stand side by side, the first row of each first. Where there are few different ones, a small table
finds them instead. Hashes only propose: every string is then compared, word by word, with the first
of its number, and those that differ from it are told apart without hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.strings import Digest, Fixed, Part, Strings, Words

_CHUNK = 1 << 16
_PIECE, _THREADS = 1 << 18, 2
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
    known = _all_words(sample.take(at), np.ones(len(varies), bool))
    shift = np.uint64(64 - _TABLE_BITS)
    table = np.zeros(1 << _TABLE_BITS, np.uint8)
    table[distinct >> shift] = np.arange(len(distinct))

    codes = np.empty(n, np.int32)
    for start, stop, words in _in_chunks(strings):
        found = table.take((_hash_of(words) >> shift).view(np.int64))
        differs = _differ(words, known, found)
        codes[start:stop] = np.where(differs, len(distinct), found)
    first = _first_rows(codes, len(distinct) + 1)
    # One of the sample is not found where another has its place in the table.
    found_at = np.flatnonzero(first[:-1] < n)
    order = found_at[np.argsort(first[found_at])]
    rank = np.zeros(len(first), np.int32)
    rank[order] = np.arange(len(order))
    numbers = Numbers(rank[codes], first[order])
    if first[-1] == n:
        return numbers
    others = np.flatnonzero(codes == len(distinct))
    return _joined(numbers, others, _many(strings.take(others)))


def _many(strings: Strings) -> Numbers:
    """Return numbers by the hashes of all strings."""
    hashes, _, varies = digest(strings)
    numbers = _in_runs(hashes)
    wrong = _wrong(strings, varies, numbers)
    return _joined(numbers, wrong, _without_hashes(strings.take(wrong))) if len(wrong) else numbers


def digest(strings: Strings) -> Digest:
    """Return the hashes of strings, and which of their words vary."""
    parts = [
        part.digest if isinstance(part, Fixed) and part.digest else _digest(part)
        for _, part in strings.members()
    ]
    if len(parts) == 1:
        return parts[0]
    width = max(len(part.first) for part in parts)
    first = np.zeros((len(parts), width), np.uint64)
    varies = np.zeros(width, bool)
    for into, part in zip(first, parts, strict=True):
        into[: len(part.first)] = part.first
        varies[: len(part.varies)] |= part.varies
    varies |= (first != first[0]).any(axis=0)
    return Digest(np.concatenate([part.hashes for part in parts]), first[0], varies)


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


def _differ(
    words: Sequence[Words], known: Sequence[Words], codes: NDArray[np.integer[Any]]
) -> NDArray[np.bool_]:
    """Return which strings are not those that they have the codes of.

    Parameters
    ----------
    words : sequence of (n,) arrays
    known : sequence of (M,) arrays
        The words of M strings; empty ones are the same in all strings.
    codes : (n,) integers
    """
    differs = np.zeros(len(codes), bool)
    for word, expected in zip_longest(words, known):
        if expected is None:
            differs |= word != 0
        elif len(expected):
            differs |= expected.take(codes) != (0 if word is None else word)
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


def _first_rows(codes: NDArray[np.int32], n_codes: int) -> NDArray[np.int64]:
    """Return where each code comes first, N for one that does not; mostly after a few rows."""
    n = len(codes)
    first = np.full(n_codes, n)
    for start in range(0, n, _CHUNK):
        new = np.flatnonzero(first.take(codes[start : start + _CHUNK]) == n)
        if len(new):
            found, at = np.unique(codes[start + new], return_index=True)
            first[found] = start + new[at]
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
    key = np.empty(n, np.int64)
    for start in range(0, n, _CHUNK):
        part = hashes[start : start + _CHUNK] >> np.uint64(1 + bits)
        part <<= np.uint64(bits)
        part |= np.arange(start, start + len(part), dtype=np.uint64)
        key[start : start + _CHUNK] = part.view(np.int64)
    key.sort()

    row_of = (1 << bits) - 1
    found = []
    begins = np.ones(n, bool)
    for start in range(0, n, _CHUNK):
        high = key[max(start - 1, 0) : start + _CHUNK] >> bits
        into = begins[max(start, 1) : start + _CHUNK]
        np.not_equal(high[1:], high[:-1], out=into)
        found.append(key[start : start + _CHUNK][begins[start : start + _CHUNK]] & row_of)
    first = np.concatenate(found)
    rank = np.empty(len(first), np.int32 if n < 2**31 else np.int64)
    # Sorted with the place beside it: a third of the time of argsort.
    packed = (first << bits) | np.arange(len(first)) if 2 * bits < 64 else None
    if packed is None:
        order = np.argsort(first)
    else:
        packed.sort()
        order = packed & row_of
    rank[order] = np.arange(len(first))
    codes = np.empty(n, rank.dtype)
    before = -1
    for start in range(0, n, _CHUNK):
        place = np.cumsum(begins[start : start + _CHUNK])
        place += before
        before = int(place[-1])
        codes[key[start : start + _CHUNK] & row_of] = rank.take(place)
    return Numbers(codes, first[order])


def _wrong(strings: Strings, varies: NDArray[np.bool_], numbers: Numbers) -> NDArray[np.int64]:
    """Return the rows whose string is not that of the first row of their number, ascending."""
    n, n_numbers = len(strings), len(numbers.first)
    if n_numbers == n:
        return np.zeros(0, np.int64)
    known = _all_words(strings.take(numbers.first), varies)

    def differing(start: int) -> list[NDArray[np.int64]]:
        return [
            begin + np.flatnonzero(_differ(words, known, numbers.codes[begin:end]))
            for begin, end, words in _in_chunks(strings, start, start + _PIECE)
        ]

    starts = range(0, n, _PIECE)
    if len(starts) > 1:
        with ThreadPoolExecutor(_THREADS) as threads:
            found = list(threads.map(differing, starts))
    else:
        found = list(map(differing, starts))
    return np.concatenate([part for parts in found for part in parts])


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
