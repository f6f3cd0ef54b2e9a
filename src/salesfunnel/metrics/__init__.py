"""Measures of a funnel: a module for each question, with functions on arrays and tables of logs."""

from __future__ import annotations

from salesfunnel.metrics.ageing import ageing
from salesfunnel.metrics.bands import Band
from salesfunnel.metrics.between import conversion_between, conversion_matrix
from salesfunnel.metrics.bootstrap import Bootstrap, bootstrap
from salesfunnel.metrics.change import change_by_period
from salesfunnel.metrics.cohort import conversion_by_cohort, win_rate_by_cohort
from salesfunnel.metrics.control import PChart, control_chart_by_period, p_chart
from salesfunnel.metrics.conversion import (
    conversion_rate,
    cumulative_conversion,
    loss_rate,
    resolved_conversion,
    stage_table,
    win_rate,
)
from salesfunnel.metrics.coverage import coverage_ratio, pipeline_coverage
from salesfunnel.metrics.cycle import sales_cycle
from salesfunnel.metrics.drift import Homogeneity, drift, homogeneity
from salesfunnel.metrics.flow import flow_table
from salesfunnel.metrics.hotspots import adjusted_residuals, loss_hotspots
from salesfunnel.metrics.intervals import newcombe, wilson
from salesfunnel.metrics.logrank import LogRank, logrank
from salesfunnel.metrics.loss import loss_by_period, loss_pareto, loss_table, losses_without_reason
from salesfunnel.metrics.lostfrom import lost_from
from salesfunnel.metrics.mix import RateChange, decompose_rate, win_rate_change
from salesfunnel.metrics.multiple import benjamini_hochberg, two_sided_p
from salesfunnel.metrics.pipeline import pipeline, pipeline_by_period, weighted_pipeline
from salesfunnel.metrics.pooledrate import pooled_rate
from salesfunnel.metrics.pooling import PooledRates, pool_rates
from salesfunnel.metrics.repeat import churn_rate, repeat_sales, time_to_second_sale
from salesfunnel.metrics.stalled import stalled
from salesfunnel.metrics.stillopen import logrank_test, survival_table
from salesfunnel.metrics.summary import summary
from salesfunnel.metrics.survival import (
    AalenJohansen,
    KaplanMeier,
    RestrictedMean,
    aalen_johansen,
    kaplan_meier,
)
from salesfunnel.metrics.targets import against_target, against_targets
from salesfunnel.metrics.timeinstage import time_in_stage
from salesfunnel.metrics.trend import entered_by_period, moving_average, trend_by_period
from salesfunnel.metrics.triangle import retention_by_cohort, triangle_by_cohort
from salesfunnel.metrics.velocity import sales_velocity, velocity
from salesfunnel.metrics.within import conversion_within

__all__ = [
    "AalenJohansen",
    "Band",
    "Bootstrap",
    "Homogeneity",
    "KaplanMeier",
    "LogRank",
    "PChart",
    "PooledRates",
    "RateChange",
    "RestrictedMean",
    "aalen_johansen",
    "adjusted_residuals",
    "against_target",
    "against_targets",
    "ageing",
    "benjamini_hochberg",
    "bootstrap",
    "change_by_period",
    "churn_rate",
    "control_chart_by_period",
    "conversion_between",
    "conversion_by_cohort",
    "conversion_matrix",
    "conversion_rate",
    "conversion_within",
    "coverage_ratio",
    "cumulative_conversion",
    "decompose_rate",
    "drift",
    "entered_by_period",
    "flow_table",
    "homogeneity",
    "kaplan_meier",
    "logrank",
    "logrank_test",
    "loss_by_period",
    "loss_hotspots",
    "loss_pareto",
    "loss_rate",
    "loss_table",
    "losses_without_reason",
    "lost_from",
    "moving_average",
    "newcombe",
    "p_chart",
    "pipeline",
    "pipeline_by_period",
    "pipeline_coverage",
    "pool_rates",
    "pooled_rate",
    "repeat_sales",
    "resolved_conversion",
    "retention_by_cohort",
    "sales_cycle",
    "sales_velocity",
    "stage_table",
    "stalled",
    "summary",
    "survival_table",
    "time_in_stage",
    "time_to_second_sale",
    "trend_by_period",
    "triangle_by_cohort",
    "two_sided_p",
    "velocity",
    "weighted_pipeline",
    "wilson",
    "win_rate",
    "win_rate_by_cohort",
    "win_rate_change",
]
