"""Drawing: what all charts share, from their colours to the texts under the pointer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError, MissingExtraError
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import StageLog
from salesfunnel.show.plots.palette import Palette, palette, template
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue, default_language, resolve
from salesfunnel.text.escape import escape_html
from salesfunnel.text.numbers import format_money
from salesfunnel.text.width import plain, truncate
from salesfunnel.wording import Listed, Wording

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_TICK = 26
"""Cells of a terminal that a name on an axis may take; under the pointer it is whole."""
_MOST_TICKS, _MOST_STEPS = 9, 6
THINNED = {"thinned": {"room": 70, "keep": "last"}}
FROM_ZERO = {"thinned": {"room": 110, "keep": "first"}}
"""What a figure carries whose labels along the way may be thinned out where there is no room: the
pixels for each, those of the names beside them included, and whether the first or the last stays.
"""


@attrs.frozen
class Canvas:
    """What a figure is drawn on: its language and its theme."""

    lang: str
    theme: str

    @property
    def palette(self) -> Palette:
        """The colours."""
        return palette(self.theme)

    def text(self, key: str, /, **values: object) -> str:
        """Return a text of the catalogue, safe in a figure."""
        return safe(catalogue(self.lang).text(key, **values))

    def header(self, column: str) -> str:
        """Return the title of a column, safe in a figure."""
        return safe(catalogue(self.lang).header(column))

    def amount(self, column: str, table: Table) -> str:
        """Return the title of a column of amounts of a table, with their currency if it is said."""
        known = (note.values["currency"] for note in table.notes if note.key == "note.currency")
        currency = next(known, None)
        title = self.header(column)
        if currency is None:
            return title
        return self.text("chart.amount", amount=title, currency=currency)

    def figure(
        self, title: str, traces: Sequence[dict[str, Any]], layout: dict[str, Any]
    ) -> Figure:
        """Return the figure of some traces; without any it says that there is nothing to show."""
        graph_objects = _plotly()
        if not traces:
            hidden = {"visible": False}
            layout = {
                "xaxis": hidden,
                "yaxis": hidden,
                "height": 160,
                "annotations": [
                    {
                        "text": self.text("chart.nothing"),
                        "x": 0.5,
                        "y": 0.5,
                        "xref": "paper",
                        "yref": "paper",
                        "showarrow": False,
                    }
                ],
            }
        return graph_objects.Figure(
            data=list(traces),
            layout={"title": {"text": safe(title)}, "template": template(self.theme), **layout},
        )


def canvas(lang: str | None, theme: str) -> Canvas:
    """Return what a figure is drawn on.

    Raises
    ------
    DefinitionError
        If there is no such theme.
    UnknownLanguageError
        If there is no such language.
    """
    palette(theme)
    return Canvas(resolve(lang or default_language()), theme)


def _plotly() -> Any:
    try:
        import plotly.graph_objects
    except ImportError as error:
        raise MissingExtraError(Wording("a plot"), "report") from error
    return plotly.graph_objects


# ── what is drawn ─────────────────────────────────────────────────────────────────────────────────


def as_table(
    source: StageLog | Table,
    needed: Iterable[str],
    make: Callable[..., Table],
    name: str,
    **options: Any,
) -> Table:
    """Return the table that a figure is drawn from: the one given, or that of a log.

    Raises
    ------
    DefinitionError
        If it is a table without the columns that are drawn, or a table with options for a log.
    """
    given = {key: value for key, value in options.items() if value is not None}
    if isinstance(source, StageLog):
        return make(source, **given)
    if not isinstance(source, Table):
        raise DefinitionError(
            "a StageLog, or the table of {name}, not {given}",
            name=name,
            given=type(source).__name__,
        )
    if given:
        asked = Listed(f"{key}=" for key in given)
        raise DefinitionError(
            "{asked} is asked of a log; give it to {name} when you make a table",
            asked=asked,
            name=name,
        )
    missing = [column for column in needed if column not in source]
    if missing:
        raise DefinitionError(
            "this figure is drawn from the table of {name}; the one given has no column {missing}",
            name=name,
            missing=Listed(map(repr, missing)),
        )
    return source


def as_flow(source: StageLog | StageFlow, **options: Any) -> StageFlow:
    """Return the flow that a figure is drawn from, of all groups together.

    Raises
    ------
    DefinitionError
        If it is neither a log nor a flow, or a flow with options for a log.
    """
    given = {key: value for key, value in options.items() if value is not None}
    if isinstance(source, StageLog):
        return source.flow(**given)
    if not isinstance(source, StageFlow):
        raise DefinitionError("a StageLog or a StageFlow, not {given}", given=type(source).__name__)
    if given:
        asked = Listed(f"{key}=" for key in given)
        raise DefinitionError(
            "{asked} is asked of a log; give it to log.flow() when you make one", asked=asked
        )
    return source if source.groups is None else source.total()


# ── texts ─────────────────────────────────────────────────────────────────────────────────────────


def safe(text: str) -> str:
    """Return a text that plotly shows as it is: without markup, references or controls."""
    return escape_html(plain(text))


def tick(text: str) -> str:
    """Return a name cut to the length that an axis has room for."""
    return safe(truncate(plain(text), _TICK))


def ticks(texts: Sequence[str]) -> dict[str, Any]:
    """Return an axis that has a name at each whole number from 0 on, as many as there is room for.

    By number, so that equal names stay apart and what looks like a number or a date is none.
    """
    step = max(1, math.ceil(len(texts) / _MOST_TICKS))
    shown = range((len(texts) - 1) % step, len(texts), step)
    return {"tickvals": list(shown), "ticktext": [tick(texts[index]) for index in shown]}


def names(texts: Sequence[str]) -> dict[str, Any]:
    """Return an axis that has a name at each whole number from 0 on, all of them, from the top."""
    return {
        "tickvals": list(range(len(texts))),
        "ticktext": [tick(text) for text in texts],
        "range": [len(texts) - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
    }


def from_zero(values: ArrayLike, page: Canvas) -> dict[str, Any]:
    """Return an axis that has numbers at round places, zero among them, as the language has them.

    Amounts of money are ``400M`` in English and ``4亿`` in Chinese, which plotly does not know.
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    low, high = min(0.0, *known, 0.0), max(0.0, *known, 0.0)
    reach = (high - low) / _MOST_STEPS or 1.0
    power = 10.0 ** math.floor(math.log10(reach))
    step = max(next(n for n in (1, 2, 5, 10) if n * power >= reach * (1 - 1e-9)) * power, 1.0)
    places = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return {
        "tickvals": places,
        "ticktext": [safe(format_money(place, None, page.lang, compact=True)) for place in places],
        "rangemode": "tozero",
    }


def under_pointer(
    table: Table, heading: Sequence[str], lines: Sequence[str], canvas: Canvas
) -> dict[str, Any]:
    """Return what stands under the pointer at each row: a heading, and columns with their titles.

    Nothing in a name is a template, since plotly fills it into one and looks no further.
    """
    heads = zip(*(map(safe, table.texts(name, canvas.lang)) for name in heading), strict=True)
    columns = [map(safe, table.texts(name, canvas.lang)) for name in lines]
    return {
        "customdata": list(map(list, zip(map(" · ".join, heads), *columns, strict=True))),
        "hovertemplate": pointer_template(
            [safe(table.column(name).header(canvas.lang)) for name in lines]
        ),
    }


def pointer_template(titles: Sequence[str]) -> str:
    """Return the template of a heading and some titled values, which are in the custom data."""
    lines = [f"{title}: %{{customdata[{index}]}}" for index, title in enumerate(titles, start=1)]
    return "<br>".join(["<b>%{customdata[0]}</b>", *lines]) + "<extra></extra>"


def labels(table: Table, by: Sequence[str], lang: str) -> list[str]:
    """Return what the groups of a table's rows are called."""
    parts = [table.texts(name, lang) for name in by]
    return [" · ".join(row) for row in zip(*parts, strict=True)]


def groups_in(table: Table, first: str) -> list[str]:
    """Return the columns before one, which name the groups of a table."""
    return list(table.columns[: table.columns.index(first)])


def numbers(values: ArrayLike) -> list[float | int | None]:
    """Return numbers as JSON has them: None for what is not known."""
    array: NDArray[Any] = np.asarray(values)
    found: list[Any] = array.tolist()
    if array.dtype.kind != "f":
        return found
    return [value if math.isfinite(value) else None for value in found]
