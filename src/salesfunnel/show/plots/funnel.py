"""Funnel: how many came to each stage, and which part of them went on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.conversion import stage_table
from salesfunnel.show.plots.drawing import as_table, canvas, names, numbers, safe, under_pointer
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_integer

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_COUNTS = ("entered", "advanced", "lost", "open")


def funnel(
    source: StageLog | Table,
    *,
    mode: str | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the funnel: a bar for each stage, and between two bars the conversion.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of `metrics.stage_table` without groups.
    mode : {"reached", "actual", "strict"}, optional
        Of a log: how stages count.
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
        ("stage", *_COUNTS, "conversion_rate"),
        stage_table,
        "metrics.stage_table",
        mode=mode,
        as_of=as_of,
        where=where,
    )
    title = catalogue(page.lang).text("chart.funnel")
    if not table["entered"].any():
        return page.figure(title, [], {})
    n_stages = len(table)
    lines = [*_COUNTS, "conversion_rate", "loss_rate", "cumulative_conversion"]
    rates = table.texts("conversion_rate", page.lang)
    colours = page.palette
    bars = {
        "type": "funnel",
        "orientation": "h",
        "y": list(range(n_stages)),
        "x": numbers(table["entered"]),
        "text": [format_integer(value, page.lang) for value in table["entered"].tolist()],
        "textinfo": "text",
        "textposition": "auto",
        "insidetextfont": {"color": colours.ground},
        "marker": {"color": colours.won},
        "connector": {"fillcolor": colours.open_veil, "line": {"width": 0}},
        **under_pointer(table, ["stage"], [c for c in lines if c in table], page),
        "name": page.header("entered"),
        "showlegend": False,
    }
    # The last stage's conversion leads to the win, which has no bar.
    between = [
        {
            "x": 0,
            "y": index + 0.5,
            "text": "↓ " + safe(rates[index]),
            "showarrow": False,
            "font": {"size": 12},
        }
        for index in range(n_stages)
    ]
    return page.figure(
        title,
        [bars],
        {
            "height": 90 + 64 * n_stages,
            "funnelgap": 0.45,
            "xaxis": {"visible": False},
            "yaxis": {
                **names(table.texts("stage", page.lang)),
                "range": [n_stages - 0.2, -0.5],
            },
            "annotations": between,
        },
    )
