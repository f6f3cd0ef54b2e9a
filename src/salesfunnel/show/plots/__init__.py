"""Plots: a module for each picture; functions take a log, a flow or a table, and return a figure.

They need plotly, which comes with ``pip install 'salesfunnel[report]'``.
"""

from __future__ import annotations

from salesfunnel.show.plots.cohorts import cohorts
from salesfunnel.show.plots.duration import time_in_stage
from salesfunnel.show.plots.flows import heatmap, sankey
from salesfunnel.show.plots.funnel import funnel
from salesfunnel.show.plots.groups import ranked, win_rates
from salesfunnel.show.plots.losses import loss_pareto, losses_by_stage
from salesfunnel.show.plots.pipeline import pipeline, pipeline_by_period
from salesfunnel.show.plots.trend import control_chart, trend

__all__ = [
    "cohorts",
    "control_chart",
    "funnel",
    "heatmap",
    "loss_pareto",
    "losses_by_stage",
    "pipeline",
    "pipeline_by_period",
    "ranked",
    "sankey",
    "time_in_stage",
    "trend",
    "win_rates",
]
