"""Pages of responses, and whether all of them are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from salesfunnel.errors import DataError, IncompletePagesError
from salesfunnel.wording import Listed, Wording


class Page(NamedTuple):
    """One page of a response.

    Attributes
    ----------
    records : sequence
        What is on it.
    more : bool
        Whether it says that another page follows.
    total : int or None
        How many records it says that all pages have together.
    """

    records: Sequence[Any]
    more: bool = False
    total: int | None = None


Unpack = Callable[[Any], Page | None]
"""Takes a parsed JSON value for a page of its response; None where it is none."""


class Seen(NamedTuple):
    """A page whose records are elsewhere by now: it, and how many it had."""

    page: Page
    size: int


def pages_of(value: Any, what: str, unpack: Unpack | None) -> list[Page]:
    """Return the pages of a parsed JSON value.

    Raises
    ------
    DataError
        If it has none.
    """
    if isinstance(value, Mapping):
        page = None if unpack is None else unpack(value)
        if page is None:
            raise no_page(what, value)
        return [page]
    if not isinstance(value, (list, tuple)):
        raise DataError(
            "{what}: a list of records is expected, not {value!r}", what=what, value=value
        )
    found = [unpack(item) if unpack and isinstance(item, Mapping) else None for item in value]
    if any(page is not None for page in found):
        if strange := [place for place, page in enumerate(found) if page is None]:
            raise not_all_pages(what, strange)
        return [page for page in found if page is not None]
    if value and all(isinstance(item, (list, tuple)) for item in value):
        return [Page(item) for item in value]
    return [Page(value)]


def no_page(what: str, keys: Iterable[Any]) -> DataError:
    """Return the error of an object that is no page."""
    return DataError(
        "{what}: a page of the response is expected, not an object with {keys}",
        what=what,
        keys=Listed(map(str, keys)) or Wording("nothing"),
    )


def not_all_pages(what: str, places: Iterable[int]) -> DataError:
    """Return the error of a list in which some are pages, and others, at these places, are not."""
    return DataError(
        "{what}: what is at {places} of the list is no page",
        what=what,
        places=Listed(map(str, places)),
    )


def check_complete(pages: Iterable[Seen], what: str) -> None:
    """Refuse pages that are not all there; each response ends with a page that no other follows.

    Raises
    ------
    IncompletePagesError
    """
    n_pages, n_records = 0, 0
    for page, size in pages:
        n_pages, n_records = n_pages + 1, n_records + size
        if page.more:
            continue
        if page.total is not None and page.total != n_records:
            pages_given = Wording(
                "1 page" if n_pages == 1 else "{n_pages:,} pages", n_pages=n_pages
            )
            raise IncompletePagesError(
                "{what}: {n_records:,} records in {pages_given}, where the response says that "
                "there are {total:,}: give every page once, or partial=True",
                what=what,
                n_records=n_records,
                pages_given=pages_given,
                total=page.total,
            )
        n_pages, n_records = 0, 0
    if n_pages:
        raise IncompletePagesError(
            "{what}: the last page says that more follow: fetch all pages and give them in their "
            "order, or give partial=True",
            what=what,
        )
