"""Scores of leads: made by hand or learnt, held against outcomes; and the order to work in."""

from __future__ import annotations

from salesfunnel.scoring.criteria import Criterion, Disqualifier, Grade, Level
from salesfunnel.scoring.explain import Contribution, Explanation, Question
from salesfunnel.scoring.presets import bant
from salesfunnel.scoring.rubric import Rubric
from salesfunnel.scoring.scores import Scores
from salesfunnel.scoring.single import LeadScore
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
    "Contribution",
    "Criterion",
    "Disqualifier",
    "Explanation",
    "GainCurve",
    "Grade",
    "LeadScore",
    "Level",
    "Question",
    "Rubric",
    "Scores",
    "TimeSplit",
    "bant",
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
