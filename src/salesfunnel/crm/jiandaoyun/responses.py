"""Responses of Jiandaoyun's API v5 and the events that it pushes: pages and error bodies."""

from __future__ import annotations

from typing import Any

from salesfunnel.columns.pages import Page
from salesfunnel.errors import DataError, IncompletePagesError

CREATE, UPDATE, REMOVE, RECOVER = "data_create", "data_update", "data_remove", "data_recover"
"""What an event says of a record."""
OTHER_OPERATIONS = ("form_update", "data_test")
"""Events that are about no record."""
_FULL_PAGES = (10, 100)
"""How many records a page has where none is asked for, and at most."""


class DataPages:
    """Takes responses of ``data/list`` for pages, and tells whether the last one was there.

    A page does not say that another follows: the last one is the one that is not full.
    """

    def __init__(self) -> None:
        self._sizes: list[int] = []

    def __call__(self, value: Any) -> Page | None:
        """Return a parsed response as a page, None if it is none."""
        records = _member(value, "data")
        if isinstance(records, dict) and "op" not in value:
            records = [records]  # the response for one record
        if not isinstance(records, list):
            return None
        self._sizes.append(len(records))
        return Page(records)

    def check(self) -> None:
        """Refuse pages of which the last one is full.

        Raises
        ------
        IncompletePagesError
        """
        if not self._sizes:
            return
        last, full = self._sizes[-1], max(self._sizes)
        if last == full and (len(self._sizes) > 1 or last in _FULL_PAGES) and last > 0:
            raise IncompletePagesError(
                "data: the last page has {last} records, as many as a full one, so that more may "
                "follow: fetch pages, from the data_id of the last record on, until one has fewer "
                "or none, and give that too; or give partial=True",
                last=last,
            )


def unpack_widgets(value: Any) -> Page | None:
    """Return the response of ``widget/list`` as a page, None if it is none."""
    widgets = _member(value, "widgets")
    return Page(widgets) if isinstance(widgets, list) else None


def unpack_event(value: Any) -> Page | None:
    """Return an event as a page with one record, None if it is none."""
    return Page([value]) if isinstance(value, dict) and "op" in value else None


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return None
    if "code" in value and "msg" in value and name not in value:
        raise DataError(
            "an error of Jiandaoyun, not a page: {code}: {message}",
            code=value["code"],
            message=value["msg"],
        )
    return value.get(name)
