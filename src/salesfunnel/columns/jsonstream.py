"""JSON files of any size: the records of lists and of pages, a window of text at a time.

Python's own parser reads one value after another from where it stands in the window, and no more
than the window is held. A list that does not fit there is read element by element, and so is the
list of records of a page; any other value is too long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from salesfunnel.columns.files import LIMITS, Limits, text_pieces
from salesfunnel.columns.jsonl import breaks_off, check_characters, cut_off, not_json
from salesfunnel.columns.pages import Page, Unpack, no_page, not_all_pages
from salesfunnel.errors import DataError, EmptyFileError, FileLimitError
from salesfunnel.kernel.progress import Meter
from salesfunnel.wording import Wording

BATCH = 20_000
"""Records of a batch, at most."""
_BATCH_CHARS = 1 << 21
_MARGIN = 16
"""Characters at the end of a window within which a fault may come of what is beyond it."""
_BLANK = re.compile(r"[ \t\n\r]*")
_TOO_LONG: Final = object()
_decode = json.JSONDecoder().raw_decode


class Whole(NamedTuple):
    """All that a file says."""

    value: Any


class Piece(NamedTuple):
    """Some records of a file.

    Attributes
    ----------
    records : list
    page : Page or None
        The page that ends with them, but for its records.
    size : int
        How many records that page has.
    """

    records: list[Any]
    page: Page | None = None
    size: int = 0


def json_pieces(
    path: str | Path,
    encoding: str,
    limits: Limits = LIMITS,
    *,
    what: str,
    unpack: Unpack | None = None,
    member: str | None = None,
    watch: Meter | None = None,
) -> Iterator[Whole | Piece]:
    """Yield what a JSON file says: whole where it is no longer than a line may be, else in pieces.

    Parameters
    ----------
    path, limits, watch
        As in `salesfunnel.columns.files.chunks`; also, no value within lists and pages is longer
        than a line may be.
    encoding : str
        See `salesfunnel.columns.files.with_encoding`.
    what : str
        What messages about pages call it.
    unpack : callable, optional
        Takes an object for a page. Without it, an object around all is one of columns.
    member : str, optional
        What the list of records is called in a page.

    Raises
    ------
    UnicodeDecodeError
        If the text is not in that encoding.
    EmptyFileError, EncodingError, TruncatedFileError, FileLimitError, DataError, OSError
        If the file cannot be read.
    """
    window = _Window(text_pieces(path, encoding, limits, watch), limits.max_line, str(path), what)
    kind = window.peek()
    if not kind:
        raise EmptyFileError("{path} is empty; JSON is expected", path=path)
    if kind == "[" and not window.is_last:
        yield from _Lists(window, unpack, member).pieces()
    elif kind == "{" and not window.is_last and unpack is not None:
        yield from _page(window, unpack, member)
    elif kind == "{" and not window.is_last:
        yield Whole({key: _column(window) for key in window.members()})
    else:
        yield Whole(window.value())
    window.finish()


class _Lists:
    """A list of records, or of pages, each of which is an object or a list itself."""

    def __init__(self, window: _Window, unpack: Unpack | None, member: str | None) -> None:
        self._window = window
        self._unpack = unpack
        self._member = member

    def pieces(self) -> Iterator[Piece]:
        """Yield the records."""
        window, batch = self._window, _Batch(self._window)
        are_pages: bool | None = None
        for place, kind in enumerate(window.elements()):
            is_list = kind == "["
            may_be_page = kind == "{" and self._unpack is not None and self._member is not None
            value = window.value(may_be_long=is_list or may_be_page)
            page = self._page(value)
            is_page = value is _TOO_LONG or page is not None
            if is_list and are_pages is False:
                is_page = False
                value = window.value() if value is _TOO_LONG else value
            if are_pages is None:
                are_pages = is_page
            if are_pages is not is_page:
                raise not_all_pages(window.what, [place if are_pages else 0])
            if value is _TOO_LONG:
                yield from self._long_list() if is_list else self._long_page()
            elif page is not None and is_page:
                yield Piece([*page.records], page._replace(records=()), len(page.records))
            elif batch.add(value):
                yield Piece(batch.take())
        if batch.records or not are_pages:
            yield Piece(batch.take())

    def _page(self, value: Any) -> Page | None:
        if isinstance(value, list):
            return Page(value)
        if self._unpack is None or not isinstance(value, Mapping):
            return None
        return self._unpack(value)

    def _long_page(self) -> Iterator[Piece]:
        assert self._unpack is not None
        return _page(self._window, self._unpack, self._member)

    def _long_list(self) -> Iterator[Piece]:
        size = 0
        for records in _records(self._window):
            size += len(records)
            yield Piece(records)
        yield Piece([], Page(()), size)


def _page(window: _Window, unpack: Unpack, member: str | None) -> Iterator[Piece]:
    """Yield the records of an object that is a page."""
    members: dict[str, Any] = {}
    for key in window.members():
        value = window.value(may_be_long=key == member)
        if value is _TOO_LONG:
            members[key] = counted = _Counted()
            for records in _records(window):
                counted.size += len(records)
                yield Piece(records)
        else:
            members[key] = value
    page = unpack(members)
    if page is None:
        raise no_page(window.what, members)
    is_counted = isinstance(page.records, _Counted)
    records = [] if is_counted else [*page.records]
    yield Piece(records, page._replace(records=()), len(page.records))


class _Counted(list[Any]):
    """Stands in a page for records that were taken out of it."""

    size = 0

    def __len__(self) -> int:
        return self.size


def _column(window: _Window) -> Any:
    """Return the value of a member, of any length if it is a list."""
    value = window.value(may_be_long=True)
    if value is not _TOO_LONG:
        return value
    return [window.value() for _ in window.elements()]


def _records(window: _Window) -> Iterator[list[Any]]:
    """Yield the elements of a list, in batches; one of them at least."""
    batch = _Batch(window)
    for _ in window.elements():
        if batch.add(window.value()):
            yield batch.take()
    yield batch.take()


class _Batch:
    """Records up to a number, and up to a length of their text."""

    def __init__(self, window: _Window) -> None:
        self._window = window
        self._since = window.n_read
        self.records: list[Any] = []

    def add(self, record: Any) -> bool:
        """Add a record; return whether they are enough."""
        self.records.append(record)
        return len(self.records) >= BATCH or self._window.n_read - self._since >= _BATCH_CHARS

    def take(self) -> list[Any]:
        """Return the records, and begin anew."""
        taken, self.records, self._since = self.records, [], self._window.n_read
        return taken


class _Window:
    """The part of a text that is looked at.

    Parameters
    ----------
    pieces : iterator of str
        The text.
    size : int
        Characters that a value may have; so many at least follow where one begins.
    name, what : str
        What messages call the text: a file, and what is in it.

    Attributes
    ----------
    is_last : bool
        Whether the text ends in it.
    """

    def __init__(self, pieces: Iterator[str], size: int, name: str, what: str) -> None:
        self.name = name
        self.what = what
        self.is_last = False
        self._pieces = pieces
        self._size = size
        self._text, self._place = "", 0
        self._before = 0
        self._line, self._column = 1, 1

    @property
    def n_read(self) -> int:
        """How many characters are done with."""
        return self._before + self._place

    def peek(self) -> str:
        """Go to the next character that is not blank, and return it; nothing at the end."""
        while True:
            self._fill()
            self._place = _BLANK.match(self._text, self._place).end()  # type: ignore[union-attr]
            if self._place < len(self._text) or self.is_last:
                return self._text[self._place : self._place + 1]

    def value(self, *, may_be_long: bool = False) -> Any:
        """Return the value that begins here, and go behind it.

        If it is too long, stay before it and return a mark of that, where it may be.
        """
        self._fill()
        try:
            value, end = _decode(self._text, self._place)
        except json.JSONDecodeError as error:
            if self.is_last or not self._ends_too_soon(error):
                raise self._fault(error.msg, error.pos, is_cut=breaks_off(error)) from None
            end = len(self._text) + 1
        except RecursionError:
            raise not_json(self.name, Wording("it is nested too deeply")) from None
        except ValueError as error:
            raise not_json(self.name, error) from None
        is_all = self.is_last and self.n_read == 0  # of a file that is not much longer
        if end - self._place > self._size and not is_all:
            if may_be_long:
                return _TOO_LONG
            raise FileLimitError(
                "{path}, line {line}: a value has more than {limit:,} characters; max_line= raises "
                "the limit",
                path=self.name,
                line=self._position(self._place)[0],
                limit=self._size,
            )
        if self._text.find("\\u", self._place, end) >= 0:
            try:
                check_characters(value)
            except ValueError as error:
                raise not_json(self.name, error) from None
        self._place = end
        return value

    def elements(self) -> Iterator[str]:
        """Go into a list, and yield how each element begins, whose value is then to be taken."""
        yield from self._inside("]", self.peek)

    def members(self) -> Iterator[str]:
        """Go into an object, and yield the name of each member, whose value is then to be taken."""
        yield from self._inside("}", self._name)

    def _inside(self, end: str, begin: Callable[[], str]) -> Iterator[str]:
        self._place += 1
        mark = self.peek()
        if mark == end:
            self._place += 1
            return
        while True:
            yield begin()
            mark = self.peek()
            if mark not in (",", end):
                raise self._fault("Expecting ',' delimiter", self._place, is_cut=not mark)
            self._place += 1
            if mark == end:
                return
            self.peek()

    def _name(self) -> str:
        """Go over the name of a member, which is returned, and the colon after it."""
        if (mark := self.peek()) != '"':
            problem = "Expecting property name enclosed in double quotes"
            raise self._fault(problem, self._place, is_cut=not mark)
        name: str = self.value()
        if (mark := self.peek()) != ":":
            raise self._fault("Expecting ':' delimiter", self._place, is_cut=not mark)
        self._place += 1
        self.peek()
        return name

    def finish(self) -> None:
        """Refuse a text that goes on."""
        if self.peek():
            raise self._fault("Extra data", self._place)

    def _fill(self) -> None:
        """See to it that as much as a value may have is there, if it is anywhere."""
        have = len(self._text) - self._place
        if self.is_last or have > self._size:
            return
        parts = [self._text[self._place :]]
        while not self.is_last and have <= 2 * self._size:
            piece = next(self._pieces, None)
            self.is_last = piece is None
            parts.append(piece or "")
            have += len(parts[-1])
        self._line, self._column = self._position(self._place)
        self._before += self._place
        self._text, self._place = "".join(parts), 0

    def _position(self, place: int) -> tuple[int, int]:
        """Return the line and the column of a place in the window, both from 1."""
        n_lines = self._text.count("\n", 0, place)
        if not n_lines:
            return self._line, self._column + place
        return self._line + n_lines, place - self._text.rindex("\n", 0, place)

    def _ends_too_soon(self, error: json.JSONDecodeError) -> bool:
        """Return whether there is a fault only because the window ends."""
        near = error.pos >= len(self._text) - _MARGIN
        return near or error.msg.startswith("Unterminated string")

    def _fault(self, problem: str, place: int, *, is_cut: bool = False) -> DataError:
        if is_cut:
            return cut_off(self.name)
        line, column = self._position(place)
        return not_json(self.name, problem, line, column)
