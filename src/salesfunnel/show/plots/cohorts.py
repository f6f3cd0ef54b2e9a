"""Cohorts: what became of the opportunities of each period by each age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.triangle import triangle_by_cohort
from salesfunnel.periods import Period
from salesfunnel.show.plots.drawing import THINNED, as_table, canvas, names, under_pointer
from salesfunnel.show.plots.flows import heat
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_decimal

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOST_LABELLED = 12
"""So many ages leave room for a number in each cell."""


def cohorts(
    source: StageLog | Table,
    *,
    outcome: str | None = None,
    period: str | Period | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the share of each cohort that was won by each age: a triangle, as time ends it.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of `metrics.triangle_by_cohort` without groups.
    outcome : str, optional
        Of a log: ``"won"`` (by default), ``"lost"``, ``"open"``, or a stage.
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        Of a log: the cohorts; by default months.
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
        ("period", "age_days", "value"),
        triangle_by_cohort,
        "metrics.triangle_by_cohort",
        outcome=outcome,
        period=period,
        as_of=as_of,
        where=where,
    )
    words = catalogue(page.lang)
    title = table.title.text(page.lang) if table.title else words.text("chart.cohorts")
    if not len(table) or np.isnan(table["value"]).all():
        return page.figure(title, [], {})
    ages = np.unique(table["age_days"])
    share = table["value"].reshape(-1, len(ages))
    lines = ["age_days", "value", "numerator", "denominator"]
    pointer = under_pointer(table, ["period"], lines, page)
    periods = table.texts("period", page.lang)[:: len(ages)]
    rows = range(0, len(table), len(ages))
    pointer["customdata"] = [pointer["customdata"][row : row + len(ages)] for row in rows]
    grid = heat(
        page,
        share,
        pointer,
        where_any=~np.isnan(share),
        gap=1,
        labelled=len(ages) <= _MOST_LABELLED,
    )
    step = max(1, -(-len(ages) // _MOST_LABELLED))
    shown = list(range(0, len(ages), step))
    return page.figure(
        title,
        [grid],
        {
            "meta": THINNED,
            "height": 150 + 26 * len(periods),
            "xaxis": {
                "tickvals": shown,
                "ticktext": [format_decimal(ages[index], page.lang, 0) for index in shown],
                "title": {"text": page.header("age_days")},
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {**names(periods), "title": {"text": page.text("chart.created_in")}},
        },
    )
