"""A look at the columns of a source: what kind of values they have."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np

from salesfunnel.columns.rawtable import RawTable, Values
from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.times import read_times
from salesfunnel.columns.values import plain_values, read_amounts
from salesfunnel.model.missing import is_missing
from salesfunnel.periods import to_zone

SIZE = 500
"""How many values of a column are looked at."""
_MOST = 0.8
"""The share of values that must be of a kind for a column to be."""
FORMATS = (
    *("%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y年%m月%d日"),
    *("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"),
    *("%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"),
    *("%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M", "%d-%b-%Y", "%b %d, %Y", "%d %b %Y"),
)
"""Forms of times that are not ISO 8601, or nearly (2026-1-5 9:30), as files have them."""


class Sample:
    """The values of a column, of which the first that are there are looked at closely."""

    def __init__(self, values: Values, is_instant: bool) -> None:
        self._values = values
        self._is_instant = is_instant

    @cached_property
    def found(self) -> list[Any]:
        """The first values that are there."""
        found: list[Any] = []
        for value in plain_values(self._values[: 20 * SIZE]):
            if not is_missing(value):
                found.append(value)
                if len(found) == SIZE:
                    break
        return found

    @property
    def texts(self) -> list[str]:
        """They as texts."""
        return [str(value).strip() for value in self.found]

    @cached_property
    def forms(self) -> tuple[str | None, ...]:
        """The forms in which most of them are times; None for ISO 8601 and times with a type."""
        if isinstance(self._values, np.ndarray) and self._values.dtype.kind == "M":
            return (None,)
        if self._is_instant:
            return (None,)
        digits = [value for value in self.texts if re.search(r"\d", value)]
        typed = any(isinstance(value, date) for value in self.found)
        if not self.found or (not typed and len(digits) < len(self.found)):
            return ()
        if all(isinstance(value, (int, float)) for value in self.found):
            return ()
        return tuple(form for form in (None, *FORMATS) if self._share(form) >= _MOST)

    def _share(self, form: str | None) -> float:
        rejects = Rejects(len(self.found), "collect")
        read_times(self.found, rejects, column="", tz=to_zone("UTC"), date_format=form)
        return 1 - float(rejects.bad.mean())

    @property
    def is_time(self) -> bool:
        """Whether most are times."""
        return bool(self.forms)

    @property
    def is_naive(self) -> bool:
        """Whether some are times without a zone."""
        if self._is_instant:
            return False
        for value in self.found:
            if isinstance(value, datetime) and value.tzinfo is not None:
                continue
            if isinstance(value, str) and re.search(r"(?:Z|[+-]\d\d:?\d\d)$", value.strip()):
                continue
            return True
        return False

    @property
    def is_number(self) -> bool:
        """Whether most are numbers."""
        rejects = Rejects(len(self.found), "collect")
        read_amounts(self.found, rejects, "")
        return bool(self.found) and 1 - float(rejects.bad.mean()) >= _MOST

    @property
    def is_unique(self) -> bool:
        """Whether no value comes twice."""
        values = [value for value in plain_values(self._values) if not is_missing(value)]
        return len(set(map(str, values))) == len(values) > 0

    def distinct(self) -> list[str]:
        """Return all different values as texts, in the order in which they come."""
        return list(
            dict.fromkeys(
                str(value).strip() for value in plain_values(self._values) if not is_missing(value)
            )
        )


def samples_of(table: RawTable) -> dict[str, Sample]:
    """Return the columns of a source to look at."""
    return {
        str(name): Sample(table.scalars(name), name in table.instants) for name in table.columns
    }
