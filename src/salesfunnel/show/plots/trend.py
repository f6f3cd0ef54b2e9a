"""Trend: what happened in each period, and whether it is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.control import control_chart_by_period
from salesfunnel.metrics.trend import trend_by_period
from salesfunnel.periods import Period
from salesfunnel.show.plots.drawing import (
    THINNED,
    as_table,
    canvas,
    from_zero,
    numbers,
    ticks,
    under_pointer,
)
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_DRAWN = ("created", "won", "lost")


def trend(
    source: StageLog | Table,
    *,
    period: str | Period | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return how many opportunities were created, won and lost, period by period.

    The last period has a hollow mark when it was not over.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of `metrics.trend_by_period` without groups.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        Of a log: by default months.
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
    table = as_table(
        source,
        ("period", "complete", "created", "won", "lost"),
        trend_by_period,
        "metrics.trend_by_period",
        period=period,
        as_of=as_of,
        where=where,
    )
    title = catalogue(page.lang).text("chart.trend")
    if not len(table):
        return page.figure(title, [], {})
    colours = page.palette
    traces = []
    for name, colour, symbol in (
        ("created", colours.still_open, "circle"),
        ("won", colours.won, "square"),
        ("lost", colours.lost, "diamond"),
    ):
        marks = [symbol if over else f"{symbol}-open" for over in table["complete"].tolist()]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": list(range(len(table))),
                "y": numbers(table[name]),
                "name": page.header(name),
                "line": {"color": colour, "width": 2},
                "marker": {"color": colour, "symbol": marks, "size": 7},
                **under_pointer(table, ["period"], _DRAWN, page),
            }
        )
    layout = {
        "height": 380,
        "meta": THINNED,
        "xaxis": {**ticks(table["period"].tolist()), "showgrid": False},
        "yaxis": {
            "title": {"text": page.header("opportunities")},
            **from_zero(np.array([table[name] for name in _DRAWN]), page),
        },
        "showlegend": True,
    }
    return page.figure(title, traces, layout)


def control_chart(
    source: StageLog | Table,
    *,
    period: str | Period | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the win rate of each period between its control limits; signals have a mark of theirs.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of `metrics.control_chart_by_period` without groups.
    period, as_of, where, lang, theme
        As in `trend`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    DefinitionError, UnknownAttributeError, UnknownLanguageError, MissingExtraError
        If an argument is not of this form, or plotly is not installed.
    """
    page = canvas(lang, theme)
    limits = ("lower_limit", "upper_limit", "centre")
    table = as_table(
        source,
        ("period", "win_rate", *limits, "signal"),
        control_chart_by_period,
        "metrics.control_chart_by_period",
        period=period,
        as_of=as_of,
        where=where,
    )
    title = catalogue(page.lang).text("chart.control_chart")
    if not len(table) or np.isnan(table["win_rate"]).all():
        return page.figure(title, [], {})
    colours = page.palette
    place = list(range(len(table)))
    band: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": place, "hoverinfo": "skip"}
    edge = {"color": colours.still_open, "width": 1, "shape": "hvh"}
    signals = [signal is not None for signal in table["signal"].tolist()]
    lines = ["win_rate", "win_rate_numerator", "win_rate_denominator", *limits, "signal"]
    traces = [
        {**band, "y": numbers(table["upper_limit"]), "line": edge, "showlegend": False},
        {
            **band,
            "y": numbers(table["lower_limit"]),
            "line": edge,
            "fill": "tonexty",
            "fillcolor": colours.open_veil,
            "name": page.text("chart.control_limits"),
        },
        {
            **band,
            "y": numbers(table["centre"]),
            "line": {"color": colours.quiet, "width": 1, "dash": "dash"},
            "name": page.header("centre"),
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": place,
            "y": numbers(table["win_rate"]),
            "name": page.header("win_rate"),
            "line": {"color": colours.won, "width": 2},
            "marker": {
                "color": [colours.lost if out else colours.won for out in signals],
                "symbol": ["diamond" if out else "circle" for out in signals],
                "size": [12 if out else 7 for out in signals],
                "opacity": 1,
            },
            **under_pointer(table, ["period"], lines, page),
        },
    ]
    layout = {
        "height": 380,
        "meta": THINNED,
        "xaxis": {**ticks(table["period"].tolist()), "showgrid": False},
        "yaxis": {
            "tickformat": ".0%",
            "rangemode": "tozero",
            "title": {"text": page.header("win_rate")},
        },
        "showlegend": True,
    }
    return page.figure(title, traces, layout)
