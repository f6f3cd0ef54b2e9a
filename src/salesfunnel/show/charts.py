"""Charts of a report: which pictures each section has. A new one is a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from salesfunnel.show import plots
from salesfunnel.show.sections import Section

if TYPE_CHECKING:
    from salesfunnel.show.report import Report


class Chart(NamedTuple):
    """A picture in a section: its name, its title, and plotly's data and layout."""

    key: str
    title: str
    data: list[Any]
    layout: dict[str, Any]


def charts(report: Report, section: Section, lang: str) -> list[Chart]:
    """Return the pictures of a section, without those that have nothing to show."""
    import json

    found = []
    for key, figure in _figures(report, section, lang):
        if not figure.data:
            continue
        content = json.loads(figure.to_json())
        layout = content["layout"]
        # The title is a heading of the page, the template that of the theme of its reader.
        title = layout.pop("title")["text"]
        del layout["template"]
        layout.setdefault("margin", {})["t"] = 16
        found.append(Chart(key, title, content["data"], layout))
    return found


def _figures(report: Report, section: Section, lang: str) -> Iterator[tuple[str, Any]]:
    asked, tables = report.asked, section.tables
    log, options = asked.log, asked.chosen
    if section.key == "funnel":
        yield "funnel", plots.funnel(tables["stages"], lang=lang)
        flow = log.flow(**options)
        yield "sankey", plots.sankey(flow, funnel=log.funnel, lang=lang)
        yield "heatmap", plots.heatmap(flow, funnel=log.funnel, lang=lang)
    elif section.key == "losses":
        yield "losses_by_stage", plots.losses_by_stage(tables["losses_by_stage"], lang=lang)
        yield "loss_pareto", plots.loss_pareto(log, lang=lang, **options)
    elif section.key == "time":
        yield "time_in_stage", plots.time_in_stage(log, lang=lang, **options)
    elif section.key == "groups":
        yield "ranked", plots.ranked(tables["groups"], lang=lang)
    elif section.key == "trend":
        yield "trend", plots.trend(tables["trend"], lang=lang)
        yield "control_chart", plots.control_chart(tables["control_chart"], lang=lang)
        yield "cohorts", plots.cohorts(log, period=asked.period, lang=lang, **options)
    elif section.key == "pipeline":
        yield "pipeline", plots.pipeline(tables["pipeline"], lang=lang)
        if "pipeline_by_period" in tables:
            table = tables["pipeline_by_period"]
            yield "pipeline_by_period", plots.pipeline_by_period(table, lang=lang)
