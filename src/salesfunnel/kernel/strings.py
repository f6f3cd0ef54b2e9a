"""Many strings in one buffer, seen as words of eight bytes, which arrays can hash and compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

_WORD = 8
SPARE = 8
"""Words of zeros after the bytes of a buffer, so that what begins near their end can be read."""
_CHUNK = 1 << 16
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(_WORD + 1)], "<u8")
"""What the first n bytes of a word are."""

Words = NDArray[np.unsignedinteger[Any]]


class Digest(NamedTuple):
    """What is known of N strings without another look at them.

    Attributes
    ----------
    hashes : (N,) uint64
        Equal strings have equal ones.
    first : (W,) uint64
        The words of the first string.
    varies : (W,) bool
        Which words are not the same in all strings.
    """

    hashes: NDArray[np.uint64]
    first: NDArray[np.uint64]
    varies: NDArray[np.bool_]


class Strings(Protocol):
    """N strings of bytes, in one part or several: two are equal if all their words are."""

    def __len__(self) -> int:
        """Return how many there are."""

    def members(self) -> Iterator[tuple[int, Part]]:
        """Yield the parts, each with the number of strings before it."""

    def take(self, rows: NDArray[np.integer[Any]]) -> Part:
        """Return some of them, in ascending order of their rows."""


class Part(Strings, Protocol):
    """Strings in one buffer; they can be taken in any order."""

    def words(self, start: int, stop: int) -> Iterator[Words]:
        """Yield words of some consecutive strings, ``(stop - start,)``: all first ones, and so on.

        There are as many as the longest of these strings needs; those that are not there are 0.
        """

    def leads(self) -> NDArray[np.uint8]:
        """Return the first byte of each, 0 for one without any."""

    def padded(self) -> Fixed | None:
        """Return the same strings in whole words; None where that is large, or loses a zero."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield them."""


@attrs.frozen(eq=False)
class Fixed:
    """Strings in a matrix, one in each row; zeros at the end of a row are no part of the string.

    Attributes
    ----------
    matrix : (N, width) uint8
        The bytes; those of one row side by side.
    digest : Digest or None
        What is known of them already.
    """

    matrix: NDArray[np.uint8]
    digest: Digest | None = None

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.matrix)

    def words(self, start: int, stop: int) -> Iterator[Words]:
        """Yield words of some strings; the last overlaps the one before it where it has to."""
        width = self.matrix.shape[1]
        size = min(_WORD, 1 << width.bit_length() - 1)
        for place in (*range(0, width - size, size), width - size):
            yield self.matrix[start:stop, place : place + size].view(f"u{size}")[:, 0]

    def members(self) -> Iterator[tuple[int, Part]]:
        """Yield the strings, as one part."""
        yield 0, self

    def take(self, rows: NDArray[np.integer[Any]]) -> Fixed:
        """Return some of them."""
        width = self.matrix.shape[1]
        if self.matrix.flags.c_contiguous:  # seen as one value each, which is quicker
            return Fixed(
                self.matrix.view(f"V{width}")[:, 0][rows].view(np.uint8).reshape(-1, width)
            )
        return Fixed(self.matrix[rows])

    def leads(self) -> NDArray[np.uint8]:
        """Return the first byte of each, 0 for one without any."""
        return self.matrix[:, 0]

    def padded(self) -> Fixed:
        """Return the same strings in whole words."""
        n, width = self.matrix.shape
        if width % _WORD == 0:
            return self
        matrix = np.zeros((n, width + -width % _WORD), np.uint8)
        matrix[:, :width] = self.matrix
        return Fixed(matrix)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the strings."""
        packed = np.ascontiguousarray(self.matrix).view(f"S{self.matrix.shape[1]}")
        yield from packed[:, 0].tolist()

    def trimmed(self) -> Fixed:
        """Return the same strings without columns that are zero in all of them."""
        matrix = np.ascontiguousarray(self.matrix)
        n, width = matrix.shape
        in_words = matrix.view("<u8") if width % _WORD == 0 else matrix
        used = np.bitwise_or.reduce(in_words, axis=0).tobytes().rstrip(b"\0")
        needed = max(1, len(used))
        rows: NDArray[Any] = np.ndarray((n,), f"V{needed}", matrix, strides=(width,))
        return Fixed(np.ascontiguousarray(rows).view(np.uint8).reshape(n, needed))

    def sliced(self) -> Sliced:
        """Return the same strings one by one, without the zeros at their ends."""
        n, width = self.matrix.shape
        lengths = np.full(n, width)
        ended = np.flatnonzero(self.matrix[:, -1] == 0)
        for place in reversed(range(width)):
            ended = ended[self.matrix[ended, place] == 0]
            if len(ended) == 0:
                break
            lengths[ended] = place
        starts = np.arange(0, n * width, width)
        return Sliced(as_words(np.ascontiguousarray(self.matrix).reshape(-1)), starts, lengths)


@attrs.frozen(eq=False)
class Sliced:
    """Strings anywhere in a buffer.

    Attributes
    ----------
    buffer : (B,) little-endian uint64
        The bytes, and some words more; as `as_words` makes it.
    starts : (N,) int64
        The byte that each begins at.
    lengths : (N,) int64
        How many bytes each has.
    has_zeros : bool
        Whether a byte of them may be zero.
    """

    buffer: NDArray[np.uint64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    has_zeros: bool = True

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts)

    def words(self, start: int, stop: int) -> Iterator[Words]:
        """Yield the lengths and then the words of some strings."""
        part = self.take(slice(start, stop))
        yield part.lengths.view(np.uint64)
        yield from part.in_words().T

    def in_words(self) -> NDArray[np.uint64]:
        """Return the words of all strings, at least one: ``(N, n)``, zeros after their ends."""
        n_words = -(-int(self.lengths.max(initial=1)) // _WORD)
        size = n_words * _WORD
        data = self.buffer.view(np.uint8)
        if int(self.starts.max(initial=0)) + size > len(data):
            data = np.concatenate([data, np.zeros(size, np.uint8)])
        # So many bytes from every byte on, one on top of another: indexing copies those asked for.
        anywhere = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
        words = anywhere[self.starts].view("<u8").reshape(len(self), n_words)
        # What is kept of a word by the length of its string, counted from where the word begins.
        kept = np.concatenate([np.zeros(size, "<u8"), _MASKS, np.full(size, _MASKS[-1])])
        for place in range(int(self.lengths.min(initial=size)) // _WORD, n_words):
            words[:, place] &= kept.take(self.lengths + (size - place * _WORD))
        return words

    def members(self) -> Iterator[tuple[int, Part]]:
        """Yield the strings, as one part."""
        yield 0, self

    def take(self, rows: NDArray[np.integer[Any]] | slice) -> Sliced:
        """Return some of them."""
        return attrs.evolve(self, starts=self.starts[rows], lengths=self.lengths[rows])

    def leads(self) -> NDArray[np.uint8]:
        """Return the first byte of each, 0 for one without any."""
        found: NDArray[np.uint8] = self.buffer.view(np.uint8).take(self.starts)
        found[self.lengths == 0] = 0
        return found

    def padded(self) -> Fixed | None:
        """Return the same strings in whole words; None where that is large, or loses a zero."""
        n, widest = len(self), int(self.lengths.max(initial=1))
        n_words = -(-widest // _WORD)
        if n * n_words * _WORD > 2 * int(self.lengths.sum()) + 16 * n:
            return None
        if self.has_zeros:
            ends = (self.starts + (self.lengths - 1))[self.lengths > 0]
            if not self.buffer.view(np.uint8)[ends].all():
                return None
        return Fixed(self.in_words().view(np.uint8))

    def __iter__(self) -> Iterator[bytes]:
        """Yield the strings."""
        data = self.buffer.data.cast("B")
        for row in range(0, len(self), _CHUNK):
            starts = self.starts[row : row + _CHUNK]
            stops = starts + self.lengths[row : row + _CHUNK]
            for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
                yield bytes(data[start:stop])


@attrs.frozen(eq=False)
class Several:
    """Matrices of strings, one after another, as `Sliced.padded` makes them.

    Attributes
    ----------
    parts : sequence of Fixed
        At least one; widths are multiples of 8.
    digest : Digest or None
        What is known of all of them already.
    """

    parts: Sequence[Fixed]
    digest: Digest | None = None

    def __len__(self) -> int:
        """Return how many strings there are."""
        return sum(map(len, self.parts))

    def members(self) -> Iterator[tuple[int, Fixed]]:
        """Yield the parts, each with the number of strings before it."""
        return zip(accumulate(map(len, self.parts), initial=0), self.parts, strict=False)

    def take(self, rows: NDArray[np.integer[Any]]) -> Fixed:
        """Return some of them, whose rows ascend."""
        width = max(part.matrix.shape[1] for part in self.parts)
        matrix = np.zeros((len(rows), width), np.uint8)
        for before, part in self.members():
            start, stop = np.searchsorted(rows, [before, before + len(part)])
            taken = part.take(rows[start:stop] - before).matrix
            matrix[start:stop, : taken.shape[1]] = taken
        return Fixed(matrix)


def as_words(*parts: bytes | NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return bytes, one part after another, as the buffer of `Sliced`; a few zeros follow them."""
    n_bytes = sum(map(len, parts))
    words = np.empty(n_bytes // _WORD + 1 + SPARE, "<u8")
    data = words.view(np.uint8)
    data[n_bytes:] = 0
    start = 0
    for part in parts:
        data[start : start + len(part)] = np.frombuffer(part, np.uint8)
        start += len(part)
    return words
