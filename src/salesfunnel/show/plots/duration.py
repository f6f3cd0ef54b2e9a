"""Time in stage: which share is still there after so many days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.bands import KINDS
from salesfunnel.metrics.clock import MICROSECONDS_PER_DAY
from salesfunnel.metrics.survival import kaplan_meier
from salesfunnel.metrics.visits import visits
from salesfunnel.show.plots.drawing import canvas, numbers, pointer_template, safe
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_decimal, format_integer, format_rate_interval
from salesfunnel.wording import Listed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_POINTS = 80
_LONGEST = 0.9
"""The axis of time reaches to where this share has left the slowest of the stages."""
BANDS = ("pointwise", *KINDS)
_DASHES = ("solid", "dash", "dot", "dashdot")


def time_in_stage(
    source: StageLog,
    *,
    bands: str = "pointwise",
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return for each stage the share of visits that last longer than so many days.

    Kaplan–Meier curves with their intervals (0.95): visits that still go on are not left out, they
    count for as long as they have lasted.

    Parameters
    ----------
    source : StageLog
    bands : {"pointwise", "equal_precision", "hall_wellner"}
        Whether intervals hold at each time by itself or for the whole curve at once: see
        `KaplanMeier.band`.
    as_of : datetime, date or str, optional
        The instant of knowledge.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count.
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
    if not isinstance(source, StageLog):
        raise DefinitionError(
            "a StageLog, whose visits are drawn, not {given}", given=type(source).__name__
        )
    if bands not in BANDS:
        raise DefinitionError(
            "bands= is one of {known}, not {bands!r}", known=Listed(BANDS), bands=bands
        )
    view = source.view(as_of, where)
    found, n_stages = visits(view), len(source.funnel)
    title = catalogue(page.lang).text("chart.time_in_stage")
    if not len(found.stage):
        return page.figure(title, [], {})
    duration = found.left - found.entered
    curves = kaplan_meier(duration, found.ended, group=found.stage, n_groups=n_stages)
    until = np.fmin(curves.quantile(_LONGEST), curves.sets.longest)
    longest = float(np.nanmax(until)) / MICROSECONDS_PER_DAY
    if not longest > 0:
        return page.figure(title, [], {})
    days = np.linspace(0, longest, _POINTS)
    name = state_namer(source.funnel)
    sizes = np.bincount(found.stage, minlength=n_stages).tolist()
    series, still = page.palette.series, page.text("chart.still_in_stage")
    traces: list[dict[str, Any]] = []
    for stage in np.flatnonzero(sizes).tolist():
        curve = curves[stage]
        at = np.floor(days * MICROSECONDS_PER_DAY)
        share = curve.at(at)
        if bands == "pointwise":
            low, high = curve.interval_at(at)
        else:
            low, high = curve.band(bands).at(at)
        shown = ~np.isnan(share)
        bounded = shown & ~np.isnan(low)  # a band begins with the first event
        label = name(source.funnel.states[stage], page.lang)
        colour = series[stage % len(series)]
        texts = [
            [
                safe(label),
                format_decimal(day, page.lang, 1),
                format_rate_interval(part, lower, upper, page.lang),
                format_integer(sizes[stage], page.lang),
            ]
            for day, part, lower, upper in zip(
                *(values[shown].tolist() for values in (days, share, low, high)), strict=True
            )
        ]
        shared = {"type": "scatter", "x": numbers(days[shown]), "legendgroup": str(stage)}
        edge = {
            "x": numbers(days[bounded]),
            "mode": "lines",
            "line": {"width": 0, "shape": "hv"},
            "hoverinfo": "skip",
        }
        traces += [
            {**shared, **edge, "y": numbers(high[bounded]), "showlegend": False},
            {
                **shared,
                **edge,
                "y": numbers(low[bounded]),
                "fill": "tonexty",
                "fillcolor": page.palette.open_veil,
                "showlegend": False,
            },
            {
                **shared,
                "mode": "lines",
                "y": numbers(share[shown]),
                "name": safe(label),
                "line": {
                    "color": colour,
                    "width": 2,
                    "shape": "hv",
                    "dash": _DASHES[stage // len(series) % len(_DASHES)],
                },
                "customdata": texts,
                "hovertemplate": pointer_template(
                    [page.header("days"), still, page.header("visits")]
                ),
            },
        ]
    layout = {
        "height": 460,
        "xaxis": {"title": {"text": page.header("days")}, "rangemode": "tozero"},
        "yaxis": {
            "title": {"text": still},
            "tickformat": ".0%",
            "range": [0, 1.02],
        },
        "showlegend": True,
    }
    return page.figure(title, traces, layout)
