"""Responses of Salesforce's APIs: pages of records, identifiers, error bodies."""

from __future__ import annotations

import string
from typing import Any

from salesfunnel.columns.pages import Page
from salesfunnel.errors import DataError

_SUFFIX = string.ascii_uppercase + "012345"


def unpack(value: Any) -> Page | None:
    """Return a parsed response of the REST API as a page, None if it is none.

    A page has ``records``; ``done`` is false, and ``nextRecordsUrl`` there, where another follows;
    ``totalSize`` is the number of records of all pages.
    """
    if not isinstance(value, dict):
        return None
    if "errorCode" in value and "records" not in value:
        raise DataError(
            "an error of Salesforce, not a page: {code}: {message}",
            code=value["errorCode"],
            message=value.get("message"),
        )
    records = value.get("records")
    if not isinstance(records, list):
        return None
    total = value.get("totalSize")
    more = value.get("done") is False or bool(value.get("nextRecordsUrl"))
    is_count = isinstance(total, int) and not isinstance(total, bool)
    return Page(records, more, total if is_count else None)


def long_id(given: str) -> str:
    """Return the 18-character form of a 15-character identifier; any other as it is.

    Reports show the short form, in which case matters; the API the long one, whose last three
    characters say which of the fifteen are capitals, five to each, the first the lowest bit.

    >>> long_id("0061G00000N38JZ")
    '0061G00000N38JZQAZ'
    """
    if len(given) != 15 or not (given.isascii() and given.isalnum()):
        return given
    groups = (given[:5], given[5:10], given[10:])
    return given + "".join(
        _SUFFIX[sum(1 << place for place, letter in enumerate(group) if letter.isupper())]
        for group in groups
    )
