"""Responses of HubSpot's CRM API v3: pages of records, error bodies, names of properties."""

from __future__ import annotations

from typing import Any

from salesfunnel.columns.pages import Page
from salesfunnel.errors import DataError

MEMBER = "results"
"""What the list of records is called in a page."""


def unpack(value: Any) -> Page | None:
    """Return a parsed response as a page, None if it is none.

    A page has ``results``, and ``paging.next.after`` where another follows. The search tells in
    ``total`` how many records all pages have.
    """
    if not isinstance(value, dict):
        return None
    if value.get("status") == "error" and "results" not in value:
        raise DataError(
            "an error of HubSpot, not a page: {category}: {message}",
            category=value.get("category"),
            message=value.get("message"),
        )
    records = value.get(MEMBER)
    if not isinstance(records, list):
        return None
    paging = value.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    more = bool(following.get("after")) if isinstance(following, dict) else bool(following)
    total = value.get("total")
    is_count = isinstance(total, int) and not isinstance(total, bool)
    return Page(records, more, total if is_count else None)


def property_names(name: str, *titles: str) -> tuple[str, ...]:
    """Return what sources call a property: the API, a table made of it, and an export."""
    return f"properties.{name}", name, f"property_{name}", *titles
