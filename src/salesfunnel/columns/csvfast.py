"""CSV files block by block: where cells begin and end, found for all rows of a block at once.

A block is some megabytes that end with a row. Commas, line breaks and quotation marks are found in
one pass, and counting the quotation marks tells which of the others stand inside a quoted cell. The
cells stay where they are, as `Texts`. Whatever is unusual, and every fault, is left to Python's own
reader, so that what a file says does not depend on who reads it.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.files import CHUNK
from salesfunnel.columns.lazycolumns import LazyColumns
from salesfunnel.columns.rawtable import Broken, RawTable
from salesfunnel.columns.texts import Texts
from salesfunnel.kernel.strings import SPARE, Sliced, as_words
from salesfunnel.wording import Wording

BLOCK = 1 << 24
"""Bytes of a block, about."""
_CHUNK = 1 << 16
_SPECIAL = _LINE_BREAK, _RETURN, _QUOTE, _COMMA = (*b'\n\r",',)


class UnusualError(Exception):
    """What begins here is for Python's own reader."""


class Block:
    """Some whole rows.

    Parameters
    ----------
    buffer : (B,) uint64 array
        The bytes, as in `salesfunnel.kernel.strings.Sliced`.
    size : int
        How many bytes there are.

    Attributes
    ----------
    size : int
        How many bytes the whole rows among them have; 0 if there are none.
    edges : (K + 1,) int64
        -1, and what each of the K cells ends with: a comma or a line break.
    first : (R,) int64
        Which cell is the first of each row.
    n_cells : (R,) int64
        How many cells each row has.

    Raises
    ------
    UnusualError
        If there is anything that has another meaning than it has mostly.
    """

    def __init__(self, buffer: NDArray[np.uint64], size: int) -> None:
        self.buffer = buffer
        self._data = buffer.view(np.uint8)
        edges = _places(self._data[:size])
        places = edges[1:]
        kinds = self._data.take(places)
        returns = quotes = places[:0]
        if np.count_nonzero(kinds == _COMMA) + np.count_nonzero(kinds == _LINE_BREAK) < len(kinds):
            if kinds.min() == 0:
                raise UnusualError
            returns, quotes = places[kinds == _RETURN], places[kinds == _QUOTE]
            outside = (kinds == _COMMA) | (kinds == _LINE_BREAK)
            if len(quotes):
                outside &= np.cumsum(kinds == _QUOTE) & 1 == 0
            edges, kinds = np.append(-1, places[outside]), kinds[outside]
        self._has_quotes, self._has_returns = len(quotes) > 0, len(returns) > 0
        last = np.flatnonzero(kinds == _LINE_BREAK)
        self.edges = edges[: last[-1] + 2 if len(last) else 1]
        self.size = int(self.edges[-1]) + 1
        self.first = np.append(0, last[:-1] + 1)[: len(last)]
        self.n_cells = last - self.first + 1
        self._doubled = self._checked_quotes(quotes[: np.searchsorted(quotes, self.size)])
        returns = returns[: np.searchsorted(returns, self.size)]
        if not (self._data[returns + 1] == _LINE_BREAK).all():
            raise UnusualError

    def _checked_quotes(self, quotes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where two quotation marks stand for one; every cell is quoted whole or not."""
        opening, closing = quotes[::2], quotes[1::2]
        before = self._data[opening - 1]  # of the very first, zero: what follows the bytes
        after = self._data[closing + 1]
        after = np.where(after == _RETURN, self._data[closing + 2], after)
        for around in (before[opening > 0], after):
            if not ((around == _COMMA) | (around == _LINE_BREAK) | (around == _QUOTE)).all():
                raise UnusualError
        doubled: NDArray[np.int64] = closing[self._data[closing + 1] == _QUOTE]
        return doubled

    @property
    def longest_row(self) -> int:
        """The bytes of the longest row."""
        ends = self.edges[self.first + self.n_cells]
        return int(np.diff(ends, prepend=-1).max(initial=0))

    @cached_property
    def is_blank(self) -> NDArray[np.bool_]:
        """Which rows have nothing in them, not even a quoted nothing, (R,)."""
        blank = np.asarray(self.n_cells == 1)
        single = self.first[blank]
        starts, stops = self._bounds(single, 0, is_last=True)
        blank[blank] = starts == stops
        return blank

    def row(self, index: int) -> list[str]:
        """Return the cells of one row."""
        n, first = int(self.n_cells[index]), self.first[[index]]
        return [str(self.cells(first, place, is_last=place + 1 == n)[0]) for place in range(n)]

    def cells(self, first: NDArray[np.int64], place: int, *, is_last: bool) -> Texts:
        """Return the cells at one place of some rows.

        Parameters
        ----------
        first : (n,) int64
            Which cell is the first of each row; -1 for a blank cell instead.
        place : int
            Which cell of a row, from 0.
        is_last : bool
            Whether it is the last of the row.
        """
        starts, stops = self._bounds(first, place, is_last=is_last)
        if self._has_quotes:
            quoted = (self._data[starts] == _QUOTE) & (starts < stops)
            starts += quoted
            stops -= quoted
        absent = np.flatnonzero(first < 0)
        starts[absent] = stops[absent] = 0
        strings = Sliced(self.buffer, starts, stops - starts, has_zeros=False)
        return Texts(self._with_single_quotes(strings) if len(self._doubled) else strings)

    def _bounds(
        self, first: NDArray[np.int64], place: int, *, is_last: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where cells begin and end."""
        n = len(first)
        start, step = (int(first[0]), int(first[1] - first[0])) if n > 1 else (-1, 1)
        if start >= 0 < step and np.array_equal(first, np.arange(start, start + n * step, step)):
            before = self.edges[start + place :: step][:n]
            stops = self.edges[start + place + 1 :: step][:n].copy()
        else:
            before = self.edges.take(first + place, mode="clip")
            stops = self.edges.take(first + (place + 1), mode="clip")
        if is_last and self._has_returns:
            stops -= (self._data[stops - 1] == _RETURN) & (stops > before + 1)
        return before + 1, stops

    def _with_single_quotes(self, strings: Sliced) -> Sliced:
        """Return cells where a doubled quotation mark is one; such cells move behind the others."""
        starts, lengths = strings.starts, strings.lengths
        n_doubled = np.searchsorted(self._doubled, starts + lengths)
        n_doubled -= np.searchsorted(self._doubled, starts)
        rows = np.flatnonzero(n_doubled)
        whole = [bytes(cell).replace(b'""', b'"') for cell in strings.take(rows)]
        lengths[rows] = [len(cell) for cell in whole]
        starts[rows] = 8 * len(self.buffer) + np.cumsum(lengths[rows]) - lengths[rows]
        buffer = np.concatenate([self.buffer, as_words(b"".join(whole))])
        return Sliced(buffer, starts, lengths, has_zeros=False)


def _places(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return -1, and then where bytes are that may have a meaning; others may be among them."""
    found = [np.array([-1])]
    marked, also = np.empty(_CHUNK, bool), np.empty(_CHUNK, bool)
    sample = data[:_CHUNK]
    n_special = sum(np.count_nonzero(sample == kind) for kind in _SPECIAL)
    # One comparison finds all of them, and all that is below: too much in texts with many blanks.
    at_once = np.count_nonzero(sample <= _COMMA) <= 2 * n_special
    for start in range(0, len(data), _CHUNK):
        part = data[start : start + _CHUNK]
        here, more = marked[: len(part)], also[: len(part)]
        np.less_equal(part, _COMMA if at_once else 0, out=here)
        for kind in () if at_once else _SPECIAL:
            np.equal(part, kind, out=more)
            np.logical_or(here, more, out=here)
        places = here.nonzero()[0]
        places += start
        found.append(places)
    return np.concatenate(found)


def fast_tables(
    pieces: Iterable[bytes],
    encoding: str,
    name: str,
    names: Callable[[list[str]], list[str]],
    *,
    size: int,
    max_row: int,
) -> Iterator[RawTable]:
    """Yield the cells of a CSV file, one table for each block.

    Parameters
    ----------
    pieces : iterable of bytes
        The file.
    encoding : str
        ``"utf-8-sig"`` or another one.
    name : str
        What messages call the file.
    names : callable
        Takes the cells of the header for the names of columns, or raises what is wrong with them.
    size : int
        About how many bytes a block has.
    max_row : int
        Bytes of a row above which it is unusual.

    Raises
    ------
    UnusualError
        If what follows the tables that were yielded is for Python's own reader.
    """
    header: list[str] | None = None
    n_before, empty = 0, True
    for block in _blocks(_utf8(pieces, encoding), size, max_row):
        rows = np.flatnonzero(~block.is_blank)
        if header is None and len(rows):
            header = names(block.row(int(rows[0])))
            rows = rows[1:]
        if header is not None and len(rows):
            empty = False
            yield _table(name, header, block, rows, n_before)
        n_before += len(block.first)
        last = block
    if header is None:
        raise UnusualError
    if empty:
        yield _table(name, header, last, np.zeros(0, np.int64), n_before)


def _table(
    name: str, header: list[str], block: Block, rows: NDArray[np.int64], n_before: int
) -> RawTable:
    width = len(header)
    first, n_cells = block.first[rows], block.n_cells[rows]
    uneven = np.flatnonzero(n_cells != width)
    first[uneven] = -1
    expected = Wording("{width} cells, as the header has", width=width)
    found = {n: Wording("{n} cells", n=n) for n in {*n_cells[uneven].tolist()}}
    broken = {
        index: Broken(found[n], expected)
        for index, n in zip(uneven.tolist(), n_cells[uneven].tolist(), strict=True)
    }
    numbers: Sequence[int] = range(0)
    if len(rows):
        numbers = range(n_before + 1 + int(rows[0]), n_before + 2 + int(rows[-1]))
        if len(numbers) > len(rows):  # there are blank rows between them
            numbers = (n_before + 1 + rows).tolist()
    places = {name: place for place, name in enumerate(header)}

    def column(name: str) -> Texts:
        place = places[name]
        return block.cells(first, place, is_last=place + 1 == width)

    return RawTable(name, LazyColumns(places, column), numbers, broken)


def _blocks(pieces: Iterable[bytes], size: int, max_row: int) -> Iterator[Block]:
    memory = _Memory(size + 2 * CHUNK)
    buffer, n_held = memory.lend(), 0
    pieces = iter(pieces)
    at_end = False
    while not at_end:
        piece = next(pieces, b"")
        at_end = not piece
        data = buffer.view(np.uint8)
        if n_held + len(piece) + 8 * SPARE > len(data):
            buffer = np.concatenate([buffer, np.empty(max(len(buffer), len(piece)), "<u8")])
            data = buffer.view(np.uint8)
        data[n_held : n_held + len(piece)] = np.frombuffer(piece, np.uint8)
        n_held += len(piece)
        if n_held == 0 or not (at_end or n_held >= size):
            continue
        if at_end and data[n_held - 1] != _LINE_BREAK:
            data[n_held] = _LINE_BREAK
            n_held += 1
        data[n_held : n_held + 8 * SPARE] = 0
        block = Block(buffer, n_held)
        rest = data[block.size : n_held]
        if block.size == 0 or block.longest_row > max_row or (at_end and len(rest)):
            raise UnusualError
        if data[: block.size].max() >= 0x80:
            _check_utf8(data[: block.size])
        buffer, n_held = memory.lend(), len(rest)
        buffer.view(np.uint8)[:n_held] = rest
        yield block


class _Memory:
    """Buffers of one size, each of which is used again when nothing refers to it any more.

    Fresh memory costs as much as what is done with it.

    Parameters
    ----------
    size : int
        Bytes of a buffer.
    """

    def __init__(self, size: int) -> None:
        self._n_words = -(-size // 8)
        self._idle: list[memoryview] = []

    def lend(self) -> NDArray[np.uint64]:
        """Return a buffer."""
        memory = self._idle.pop() if self._idle else np.empty(self._n_words, "<u8").data
        # Not being an array's own, it stays below each view of this one, which outlives them all.
        buffer = np.frombuffer(memory, "<u8")
        finalize(buffer, self._idle.append, memory).atexit = False
        return buffer


def _utf8(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the text of a file in UTF-8, without a byte order mark."""
    if encoding != "utf-8-sig":
        try:
            yield from (text.encode() for text in codecs.iterdecode(pieces, encoding) if text)
        except UnicodeDecodeError:
            raise UnusualError from None
        return
    members = iter(pieces)
    yield next(members, b"").removeprefix(codecs.BOM_UTF8)
    yield from members


def _check_utf8(data: NDArray[np.uint8]) -> None:
    try:
        str(data.data, "utf-8")
    except UnicodeDecodeError:
        raise UnusualError from None
