"""Losses: where and why, stacked by stage, and the vital few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.loss import loss_pareto as pareto_table
from salesfunnel.metrics.loss import loss_table
from salesfunnel.show.plots.drawing import (
    FROM_ZERO,
    as_table,
    canvas,
    from_zero,
    names,
    numbers,
    pointer_template,
    safe,
    under_pointer,
)
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_integer
from salesfunnel.wording import Wording

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOST_SERIES = 6
_MOST_REASONS = 15


def losses_by_stage(
    source: StageLog | Table,
    *,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return how many were lost at each stage, stacked by reason; the rarer reasons together.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of ``metrics.loss_table(log, by_stage=True)``.
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
        ("stage", "reason", "numerator"),
        lambda log, **options: loss_table(log, by_stage=True, **options),
        Wording("metrics.loss_table with by_stage=True"),
        as_of=as_of,
        where=where,
    )
    title = catalogue(page.lang).text("chart.losses_by_stage")
    if not len(table):
        return page.figure(title, [], {})
    # By position in the table rather than by name: names may be equal, or missing.
    stage_keys = list(dict.fromkeys(table["stage"].tolist()))
    stage_names = dict(zip(table["stage"].tolist(), table.texts("stage", page.lang), strict=True))
    reason_names = dict(zip(table["reason"].tolist(), _reasons(table, page.lang), strict=True))
    totals = dict.fromkeys(reason_names, 0)
    for reason, number in zip(table["reason"].tolist(), table["numerator"].tolist(), strict=True):
        totals[reason] += number
    ranked = sorted(totals, key=lambda reason: -totals[reason])
    own = ranked if len(ranked) <= _MOST_SERIES else ranked[: _MOST_SERIES - 1]
    place = {reason: min(index, len(own)) for index, reason in enumerate(ranked)}
    counts = np.zeros((len(own) + 1, len(stage_keys)), np.int64)
    for stage, reason, number in zip(
        *(table[name].tolist() for name in ("stage", "reason", "numerator")), strict=True
    ):
        counts[place[reason], stage_keys.index(stage)] += number
    rest = catalogue(page.lang).text("chart.other_reasons", count=len(ranked) - len(own))
    series = [*(reason_names[reason] for reason in own), rest]
    first, last, *others = page.palette.lost, page.palette.won, *page.palette.others
    colours = (*(first, *others, last)[: len(own)], page.palette.still_open)
    bars = []
    for name, colour, row in zip(series, colours, counts.tolist(), strict=True):
        if not any(row):
            continue
        texts = [
            [safe(stage_names[key]), safe(name), format_integer(number, page.lang)]
            for key, number in zip(stage_keys, row, strict=True)
        ]
        bars.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(stage_keys))),
                "x": row,
                "name": safe(name),
                "marker": {"color": colour, "line": {"width": 1, "color": page.palette.ground}},
                "customdata": texts,
                "hovertemplate": pointer_template([page.header("reason"), page.header("lost")]),
            }
        )
    layout = {
        "barmode": "stack",
        "height": 190 + 44 * len(stage_keys),
        "meta": FROM_ZERO,
        "xaxis": {"title": {"text": page.header("lost")}, **from_zero(counts.sum(axis=0), page)},
        "yaxis": names([stage_names[key] for key in stage_keys]),
        "legend": {"traceorder": "normal"},
        "showlegend": True,
    }
    return page.figure(title, bars, layout)


def loss_pareto(
    source: StageLog | Table,
    *,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the loss reasons by frequency with their cumulative share: the vital few stand out.

    Parameters
    ----------
    source : StageLog or Table
        A log, or the table of `metrics.loss_pareto` without groups and stages.
    as_of, where, lang, theme
        As in `losses_by_stage`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    DefinitionError, UnknownAttributeError, UnknownLanguageError, MissingExtraError
        If an argument is not of this form, or plotly is not installed.
    """
    page = canvas(lang, theme)
    needed = ("reason", "value", "cumulative", "vital")
    table = as_table(source, needed, pareto_table, "metrics.loss_pareto", as_of=as_of, where=where)
    title = catalogue(page.lang).text("chart.loss_pareto")
    if not len(table):
        return page.figure(title, [], {})
    table = table.take(slice(_MOST_REASONS))
    place = list(range(len(table)))
    colours = page.palette
    lines = ["value", "numerator", "denominator", "cumulative"]
    shared: dict[str, Any] = {
        "y": place,
        "orientation": "h",
        **under_pointer(table, ["reason"], [c for c in lines if c in table], page),
    }
    bars = {
        "type": "bar",
        "x": numbers(table["value"]),
        "name": page.header("share"),
        "marker": {
            "color": [colours.lost if few else colours.still_open for few in table["vital"]]
        },
        **shared,
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": numbers(table["cumulative"]),
        "name": page.header("cumulative_share"),
        "line": {"color": colours.won, "width": 2},
        **shared,
    }
    layout = {
        "height": 190 + 30 * len(table),
        "xaxis": {"tickformat": ".0%", "range": [0, 1.02], "title": {"text": page.header("share")}},
        "yaxis": names(_reasons(table, page.lang)),
        "showlegend": True,
    }
    return page.figure(title, [bars, line], layout)


def _reasons(table: Table, lang: str) -> list[str]:
    """Return what the reasons are called; where none was given, that."""
    none = catalogue(lang).text("chart.no_reason")
    texts = table.texts("reason", lang)
    return [none if key is None else text for key, text in zip(table["reason"], texts, strict=True)]
