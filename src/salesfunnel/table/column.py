"""Column: values under a name, and how people read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.columns.values import to_plain
from salesfunnel.errors import DefinitionError
from salesfunnel.table.phrase import Phrase
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import (
    MISSING,
    format_decimal,
    format_integer,
    format_money,
    format_p_value,
    format_percent,
)
from salesfunnel.text.times import format_datetime, format_duration
from salesfunnel.text.width import plain
from salesfunnel.wording import Listed

_KINDS = ("text", "integer", "decimal", "rate", "money", "p_value", "seconds", "time")


class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        What code calls it; people see its title from the catalogue.
    values : array-like
        One-dimensional; texts as an object array, with None where there is none.
    kind : {"text", "integer", "decimal", "rate", "money", "p_value", "seconds", "time"}, optional
        How people see the values; told from the dtype where it is not given.
    labels : callable, optional
        Gives the name of a value for people: ``labels(value, lang)``.
    title : str or Phrase, optional
        The column whose title in the catalogue people see, where it is not this one's, or the text.
    blank : (n,) bool array, optional
        Values that are of no meaning to people, who see "–"; code and exports have them.
    tz : tzinfo, optional
        The zone in which people see times; by default UTC, in which code and exports have them.
    """

    __slots__ = ("blank", "kind", "labels", "name", "title", "tz", "values")

    def __init__(
        self,
        name: str,
        values: ArrayLike | Sequence[object],
        kind: str | None = None,
        labels: Callable[[Any, str], str] | None = None,
        *,
        title: str | Phrase | None = None,
        blank: NDArray[np.bool_] | None = None,
        tz: tzinfo | None = None,
    ) -> None:
        array = values if isinstance(values, np.ndarray) else _as_array(values)
        if array.ndim != 1:
            raise DefinitionError(
                "column {name!r} is one-dimensional, not {shape}", name=name, shape=array.shape
            )
        if kind is not None and kind not in _KINDS:
            raise DefinitionError(
                "a column is of the kind {known}, not {kind!r}", known=Listed(_KINDS), kind=kind
            )
        if array.dtype.kind == "U":
            array = array.astype(object)
        array = array.view()
        array.flags.writeable = False
        self.name = name
        self.values: NDArray[Any] = array
        self.kind = kind or {"i": "integer", "u": "integer", "f": "decimal", "M": "time"}.get(
            array.dtype.kind, "text"
        )
        self.labels = labels
        self.title = title or name
        self.blank = blank
        self.tz = tz

    def header(self, lang: str) -> str:
        """Return the title that people see."""
        title = self.title
        return plain(
            title.text(lang) if isinstance(title, Phrase) else catalogue(lang).header(title)
        )

    def is_blank(self, index: int) -> bool:
        """Return whether a value is of no meaning to people."""
        return self.blank is not None and bool(self.blank[index])

    def sort_values(self) -> list[float | None] | None:
        """Return the numbers that rows are sorted by; None for texts, which sort as they read."""
        if self.kind == "text":
            return None
        values = self.values
        known = ~np.isnat(values) if values.dtype.kind == "M" else values == values
        if self.blank is not None:
            known = known & ~self.blank
        if values.dtype.kind == "M":
            values = values.astype("datetime64[us]").astype(np.int64)
        return [
            float(value) if there else None
            for value, there in zip(values.tolist(), known.tolist(), strict=True)
        ]

    def cell(self, index: int, lang: str) -> str:
        """Return one value as people read it."""
        value = self.values[index]
        if self.is_blank(index):
            return MISSING
        if self.kind == "text":
            if value is None:
                return MISSING
            if isinstance(value, (bool, np.bool_)):
                return catalogue(lang).text("value.true" if value else "value.false")
            return plain(self.labels(value, lang) if self.labels else str(value))
        if self.kind == "time":
            time = to_plain(self.values[index : index + 1])[0]
            return format_datetime(time.astimezone(self.tz) if time and self.tz else time, lang)
        number = value.item() if isinstance(value, np.generic) else value
        if self.kind == "rate":
            return format_percent(number, lang)
        if self.kind == "integer":
            return format_integer(number, lang)
        if self.kind == "seconds":
            return format_duration(number, lang)
        if self.kind == "p_value":
            return format_p_value(number, lang)
        return (
            format_money(number, None, lang, digits=0)
            if self.kind == "money"
            else format_decimal(number, lang, 2)
        )


def _as_array(values: ArrayLike | Sequence[object]) -> NDArray[Any]:
    array = np.asarray(values)
    return np.array(values, object) if array.dtype.kind in "US" else array
