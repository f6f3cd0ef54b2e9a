"""Pipeline: what is open, by stage and by when it should close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.pipeline import pipeline as pipeline_table
from salesfunnel.metrics.pipeline import pipeline_by_period as pipeline_by_period_table
from salesfunnel.periods import Period
from salesfunnel.show.plots.drawing import (
    FROM_ZERO,
    Canvas,
    as_table,
    canvas,
    from_zero,
    names,
    numbers,
    under_pointer,
)
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_NEEDED = ("open", "amount", "weighted")


def pipeline(
    source: StageLog | Table,
    *,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the open opportunities by stage: their amounts, weighted too; without any, how many.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of `metrics.pipeline` without groups.
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
    needed = ("stage", *_NEEDED)
    table = as_table(source, needed, pipeline_table, "metrics.pipeline", as_of=as_of, where=where)
    return _bars(page, table, "stage", catalogue(page.lang).text("chart.pipeline"))


def pipeline_by_period(
    source: StageLog | Table,
    *,
    period: str | Period | None = None,
    close: str | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the open opportunities by the period in which they should close.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of `metrics.pipeline_by_period` without groups.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        Of a log: by default months.
    close : str, optional
        Of a log: the attribute that says when; by default ``"expected_close"``.
    as_of, where, lang, theme
        As in `pipeline`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    DefinitionError, DataError, UnknownAttributeError, UnknownLanguageError, MissingExtraError
        If an argument is not of this form, a label is no date, or plotly is not installed.
    """
    page = canvas(lang, theme)
    needed = ("period", "overdue", *_NEEDED)
    table = as_table(
        source,
        needed,
        pipeline_by_period_table,
        "metrics.pipeline_by_period",
        period=period,
        close=close,
        as_of=as_of,
        where=where,
    )
    return _bars(page, table, "period", catalogue(page.lang).text("chart.pipeline_by_period"))


def _bars(page: Canvas, table: Table, what: str, title: str) -> Figure:
    if not table["open"].any():
        return page.figure(title, [], {})
    amounts = bool(np.nan_to_num(table["amount"]).any())
    colours = page.palette
    lines = ["open", *(["amount", "weighted"] if amounts else [])]
    lines += ["overdue"] if "overdue" in table else []
    shared: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(table))),
        **under_pointer(table, [what], lines, page),
    }
    first = "amount" if amounts else "open"
    header = "open_amount" if amounts else "open"
    bars = [
        {
            **shared,
            "x": numbers(table[first]),
            "name": page.header(header),
            "marker": {"color": colours.still_open},
        }
    ]
    if amounts and not np.isnan(table["weighted"]).all() and np.nan_to_num(table["weighted"]).any():
        bars.append(
            {
                **shared,
                "x": numbers(table["weighted"]),
                "name": page.header("weighted_amount"),
                "marker": {"color": colours.won},
            }
        )
    layout = {
        "height": 190 + (48 if len(bars) > 1 else 34) * len(table),
        "barmode": "group",
        "meta": FROM_ZERO,
        "xaxis": {
            "title": {"text": page.amount(header, table) if amounts else page.header(header)},
            **from_zero([bar["x"] for bar in bars], page),
        },
        "yaxis": names(table.texts(what, page.lang)),
        "showlegend": len(bars) > 1,
    }
    return page.figure(title, bars, layout)
