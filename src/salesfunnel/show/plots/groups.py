"""Groups: owners ranked with what chance allows, and win rates side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.conversion import win_rate
from salesfunnel.metrics.summary import summary
from salesfunnel.show.plots.drawing import (
    as_table,
    canvas,
    groups_in,
    labels,
    names,
    numbers,
    under_pointer,
)
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOST_GROUPS = 30


def ranked(
    source: StageLog | Table,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the win rates of owners, or of other groups, from the highest down, with intervals.

    A line shows the win rate of all. Whose interval reaches over it differs by no more than chance
    allows. Of many groups those with the most closed deals are shown.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of ``metrics.summary(log, by=…)``.
    by : str or sequence of str, optional
        Of a log: the attributes that make the groups; by default the owner.
    as_of : datetime, date or str, optional
        Of a log: the instant of knowledge.
    where : mapping of str to label or collection of labels, optional
        Of a log: which opportunities count.
    lang : str, optional
        By default English.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    DefinitionError, UnknownAttributeError, UnknownLanguageError, MissingExtraError
        If an argument is not of this form, or plotly is not installed.
    """
    page = canvas(lang, theme)
    needed = ("opportunities", "win_rate", "win_rate_low", "win_rate_high")
    asked = "owner" if by is None and isinstance(source, StageLog) else by
    table = as_table(source, needed, summary, "metrics.summary", by=asked, as_of=as_of, where=where)
    by_names = _groups(table, "opportunities")
    title = catalogue(page.lang).text("chart.ranked", by=_headers(by_names, page.lang))
    closed = table["win_rate_denominator"]
    if not closed.any():
        return page.figure(title, [], {})
    rate = table["win_rate_numerator"].sum() / closed.sum()
    shown = table.take(_largest(closed))
    shown = shown.take(np.argsort(-shown["win_rate"], kind="stable"))
    place = list(range(len(shown)))
    lines = ["win_rate", "win_rate_numerator", "win_rate_denominator", "open", "opportunities"]
    colours = page.palette
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(shown["win_rate"]),
        "y": place,
        "error_x": _bars(shown["win_rate"], shown["win_rate_low"], shown["win_rate_high"])
        | {"color": colours.still_open, "thickness": 2},
        "marker": {"color": colours.won, "size": 10},
        "name": page.header("win_rate"),
        **under_pointer(shown, by_names, lines, page),
        "showlegend": False,
    }
    layout = {
        "height": 150 + 30 * len(shown),
        "xaxis": {"tickformat": ".0%", "title": {"text": page.header("win_rate")}},
        "yaxis": names(labels(shown, by_names, page.lang)),
        "shapes": [
            {
                "type": "line",
                "x0": float(rate),
                "x1": float(rate),
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": colours.quiet, "width": 1, "dash": "dash"},
            }
        ],
        "annotations": [
            {
                "x": float(rate),
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "text": page.text("value.all"),
                "showarrow": False,
                "font": {"size": 12},
            }
        ],
    }
    return page.figure(title, [dots], layout)


def win_rates(
    source: StageLog | Table,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the win rates of groups as bars with intervals, in the order of the groups' sizes.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of ``metrics.win_rate(log, by=…)``.
    by : str or sequence of str, optional
        Of a log: the attributes that make the groups; a log needs them.
    as_of, where, lang, theme
        As in `ranked`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    DefinitionError, UnknownAttributeError, UnknownLanguageError, MissingExtraError
        If an argument is not of this form, or plotly is not installed.
    """
    page = canvas(lang, theme)
    if by is None and isinstance(source, StageLog):
        raise DefinitionError("win_rates needs by=: the attribute whose groups are compared")
    needed = ("value", "numerator", "denominator", "low", "high")
    table = as_table(source, needed, win_rate, "metrics.win_rate", by=by, as_of=as_of, where=where)
    by_names = _groups(table, "value")
    title = catalogue(page.lang).text("chart.win_rates", by=_headers(by_names, page.lang))
    if not table["denominator"].any():
        return page.figure(title, [], {})
    shown = table.take(_largest(table["denominator"]))
    colours = page.palette
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": numbers(shown["value"]),
        "y": list(range(len(shown))),
        "error_x": _bars(shown["value"], shown["low"], shown["high"]) | {"color": colours.text},
        "marker": {"color": colours.won},
        "name": page.header("win_rate"),
        **under_pointer(shown, by_names, ["value", "numerator", "denominator"], page),
    }
    layout = {
        "height": 130 + 30 * len(shown),
        "xaxis": {"tickformat": ".0%", "title": {"text": page.header("win_rate")}},
        "yaxis": names(labels(shown, by_names, page.lang)),
        "showlegend": False,
    }
    return page.figure(title, [bars], layout)


def _groups(table: Table, first: str) -> list[str]:
    found = groups_in(table, first)
    if not found:
        raise DefinitionError("this figure compares groups; give by= when you make the table")
    return found


def _headers(by: Sequence[str], lang: str) -> str:
    return " × ".join(catalogue(lang).header(name) for name in by)


def _largest(size: NDArray[Any]) -> NDArray[np.int64]:
    """Return the rows of the largest groups, from the largest down, without empty ones."""
    order = np.argsort(-size, kind="stable")[:_MOST_GROUPS]
    return np.asarray(order[size[order] > 0])


def _bars(value: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": numbers(high - value),
        "arrayminus": numbers(value - low),
    }
