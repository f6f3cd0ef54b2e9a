"""Scores of leads: made by hand or learnt, held against outcomes."""

from __future__ import annotations

from salesfunnel.scoring.validate.auc import Auc, AucDifference, compare_auc, roc_auc
from salesfunnel.scoring.validate.calibration import (
    Brier,
    brier_score,
    calibration_table,
    log_loss,
)
from salesfunnel.scoring.validate.compare import compare_scores
from salesfunnel.scoring.validate.ranking import (
    GainCurve,
    conversion_by_grade,
    gain_curve,
    lift_table,
)
from salesfunnel.scoring.validate.split import TimeSplit, time_folds, time_split

__all__ = [
    "Auc",
    "AucDifference",
    "Brier",
    "GainCurve",
    "TimeSplit",
    "brier_score",
    "calibration_table",
    "compare_auc",
    "compare_scores",
    "conversion_by_grade",
    "gain_curve",
    "lift_table",
    "log_loss",
    "roc_auc",
    "time_folds",
    "time_split",
]
