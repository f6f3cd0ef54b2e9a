"""Flows: from which state to which, as bands and as a grid."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.rates import ratio
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LOST
from salesfunnel.show.plots.drawing import (
    Canvas,
    as_flow,
    canvas,
    names,
    numbers,
    pointer_template,
    safe,
    tick,
)
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_integer, format_percent
from salesfunnel.text.times import format_duration

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_KIND = {kind: f"chart.flow_{kind}" for kind in ("forward", "skip", "back", "lost", "won")}
_LINE = 12
_STAGES_AT, _LOST_AT = 0.3, 0.9
"""How far down stand the stages, and what was lost, where bands go back."""


def sankey(
    source: StageLog | StageFlow,
    *,
    funnel: Funnel | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return the transitions as bands from state to state: skips, step-backs and losses too.

    Parameters
    ----------
    source : StageLog or StageFlow
        A log, or its flow; the groups of a flow are taken together.
    funnel : Funnel, optional
        Of a flow: what names its states; by default their keys are shown.
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
    flow = as_flow(source, as_of=as_of, where=where)
    title = catalogue(page.lang).text("chart.sankey")
    place = np.nonzero(flow.counts)
    from_state, to_state = place
    count = flow.counts[place]
    if not len(count):
        return page.figure(title, [], {})
    states = _names(source, funnel, flow.states, page.lang)
    n_stages = len(flow.states) - 2
    kind = _kinds(from_state, to_state, n_stages)
    shown = np.unique(place)
    node = np.zeros(len(flow.states), np.int64)
    node[shown] = np.arange(len(shown))
    colours = page.palette
    veils = {
        "forward": colours.won_veil,
        "skip": colours.open_veil,
        "back": colours.back_veil,
        "lost": colours.lost_veil,
        "won": colours.won_veil,
    }
    solid = {
        "forward": colours.won,
        "skip": colours.still_open,
        "back": colours.others[1],
        "lost": colours.lost,
    }
    rows = zip(from_state.tolist(), to_state.tolist(), count.tolist(), kind, strict=True)
    texts = [
        [_arrow(states[start], states[end]), format_integer(n, page.lang), page.text(_KIND[what])]
        for start, end, n, what in rows
    ]
    titles = [page.header("transitions"), page.header("kind")]
    if flow.durations is not None:
        mean = ratio(flow.seconds[place], count).tolist()
        titles.append(page.header("mean_seconds"))
        for text, seconds in zip(texts, mean, strict=True):
            text.append(format_duration(seconds, page.lang))
    bands = {
        "type": "sankey",
        "arrangement": "snap",
        "node": {
            **_places(flow, shown),
            "label": [_broken(states[state]) for state in shown.tolist()],
            "color": [
                colours.lost if flow.states[state] == LOST else colours.won
                for state in shown.tolist()
            ],
            "pad": 12,
            "thickness": 16,
            "line": {"width": 0},
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": node[from_state].tolist(),
            "target": node[to_state].tolist(),
            "value": count.tolist(),
            "color": [veils[what] for what in kind],
            "customdata": texts,
            "hovertemplate": pointer_template(titles),
        },
    }
    # A diagram of bands has no legend of its own: points that are nowhere carry it.
    legend = [
        {
            "type": "scatter",
            "x": [None],
            "y": [None],
            "mode": "markers",
            "marker": {"color": solid[what], "symbol": "square", "size": 11},
            "name": page.text(_KIND[what]),
        }
        for what in solid
        if what in kind
    ]
    none: dict[str, Any] = {"visible": False, "fixedrange": True}
    layout = {
        "height": 520,
        "xaxis": none,
        "yaxis": none,
        "margin": {"l": 24, "r": 24, "b": 96},
        "showlegend": True,
    }
    return page.figure(title, [bands, *legend], layout)


def _broken(name: str) -> str:
    """Return a name in lines so short that it ends before the next bar begins."""
    return "<br>".join(wrap(tick(name), _LINE, break_long_words=False))


def _places(flow: StageFlow, shown: NDArray[np.int64]) -> dict[str, list[float]]:
    """Return where the middles of bars stand: states from left to right, lost below the end.

    Bands that go back or on from the end would otherwise turn the order about. With any of them
    plotly leaves room for their ways above and below, a third of the height each; without, a bar is
    as high as what goes through it, stages hang from the top, and what was lost stands at the foot.
    Where each stage leads to the next and none back, plotly knows best: no bands cross then.
    """
    lost = flow.states.index(LOST)
    across = shown[shown != lost]
    from_state, to_state = np.nonzero(flow.counts)
    goes_back = (to_state <= from_state).any()
    if not goes_back and flow.counts[across[:-1], across[1:]].all():
        return {}
    step = 0.998 / max(len(across) - 1, 1)
    x = np.where(shown == lost, 0.999, 0.001 + step * np.searchsorted(across, shown))
    size = np.maximum(flow.counts.sum(axis=0), flow.counts.sum(axis=1))[shown].astype(float)
    half = size / max(size.max(), size[x > 0.99].sum()) / 2
    y = np.where(shown == lost, 1 - half, half)
    if goes_back:
        y = np.where(shown == lost, _LOST_AT, _STAGES_AT)
    return {"x": x.tolist(), "y": np.clip(y, 0.001, 0.999).tolist()}


def heatmap(
    source: StageLog | StageFlow,
    *,
    funnel: Funnel | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    lang: str | None = None,
    theme: str = "light",
) -> Figure:
    """Return where opportunities went from each state: a grid of state by state, each row 100%.

    Parameters
    ----------
    source, funnel, as_of, where, lang, theme
        As in `sankey`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    DefinitionError, UnknownAttributeError, UnknownLanguageError, MissingExtraError
        If an argument is not of this form, or plotly is not installed.
    """
    page = canvas(lang, theme)
    flow = as_flow(source, as_of=as_of, where=where)
    title = catalogue(page.lang).text("chart.heatmap")
    counts = flow.counts
    from_states = np.flatnonzero(counts.sum(axis=1))
    to_states = np.flatnonzero(counts.sum(axis=0))
    if not len(from_states):
        return page.figure(title, [], {})
    states = _names(source, funnel, flow.states, page.lang)
    share = ratio(counts, counts.sum(axis=1, keepdims=True))[np.ix_(from_states, to_states)]
    count = counts[np.ix_(from_states, to_states)]
    starts = [states[state] for state in from_states.tolist()]
    ends = [states[state] for state in to_states.tolist()]
    texts = [
        [
            [_arrow(start, end), format_percent(part, page.lang), format_integer(n, page.lang)]
            if n
            else []
            for end, part, n in zip(ends, parts, row, strict=True)
        ]
        for start, parts, row in zip(starts, share.tolist(), count.tolist(), strict=True)
    ]
    pointer = {
        "customdata": texts,
        "hovertemplate": pointer_template([page.header("share"), page.header("transitions")]),
    }
    grid = heat(page, share, pointer, where_any=count > 0)
    return page.figure(
        title,
        [grid],
        {
            "height": 150 + 40 * len(starts),
            "xaxis": {
                "tickvals": list(range(len(ends))),
                "ticktext": [tick(end) for end in ends],
                "title": {"text": page.header("to")},
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {**names(starts), "title": {"text": page.header("from")}},
        },
    )


def heat(
    page: Canvas,
    share: NDArray[np.float64],
    pointer: dict[str, Any],
    *,
    where_any: NDArray[np.bool_],
    gap: int = 2,
    labelled: bool = True,
) -> dict[str, Any]:
    """Return a grid of shares, stronger where they are larger, with the shares written into it."""
    shown = np.where(where_any, share, np.nan)
    return {
        "type": "heatmap",
        "z": [numbers(row) for row in shown],
        "x": list(range(share.shape[1])),
        "y": list(range(share.shape[0])),
        "zmin": 0,
        "colorscale": [[0, page.palette.faint], [1, page.palette.strong]],
        "xgap": gap,
        "ygap": gap,
        "hoverongaps": False,
        **pointer,
        "texttemplate": "%{z:.0%}" if labelled else "",
        # Left to itself, plotly puts white on tones in the middle, where it is hard to read.
        "textfont": {"color": page.palette.text},
        "colorbar": {"tickformat": ".0%", "thickness": 10, "outlinewidth": 0},
    }


def _arrow(start: str, end: str) -> str:
    return f"{safe(start)} → {safe(end)}"


def _kinds(from_state: NDArray[np.int64], to_state: NDArray[np.int64], n_stages: int) -> list[str]:
    """Return what each transition is: forward by one, a skip, back, a loss or a win."""
    lost = to_state == n_stages + 1
    won = (to_state == n_stages) & (from_state < n_stages)
    back = (to_state <= from_state) & ~lost
    skip = (to_state > from_state + 1) & ~lost & ~won
    found = np.select([lost, won, back, skip], ["lost", "won", "back", "skip"], "forward")
    return list(map(str, found))


def _names(
    source: StageLog | StageFlow, funnel: Funnel | None, states: tuple[str, ...], lang: str
) -> list[str]:
    """Return what the states are called."""
    name = state_namer(source.funnel if isinstance(source, StageLog) else funnel)
    return [name(key, lang) for key in states]
