"""Scores of leads: made by hand or learnt, held against outcomes; and the order to work in."""

from __future__ import annotations

from salesfunnel.engine.convert import Conversion, convert
from salesfunnel.model.sources import SOURCES, Source, find_source
from salesfunnel.scoring.assign import Owner, assign
from salesfunnel.scoring.criteria import Criterion, Disqualifier, Grade, Level
from salesfunnel.scoring.explain import Contribution, Explanation, Question
from salesfunnel.scoring.grid import Grid
from salesfunnel.scoring.leadconversion import (
    lead_conversion,
    lead_conversion_by_cohort,
    source_quality,
)
from salesfunnel.scoring.leadlog import lead_funnel, lead_log
from salesfunnel.scoring.predict.bayes import LevelCounts, NaiveBayesModel, fit_naive_bayes
from salesfunnel.scoring.predict.bygroup import NaiveBayesByModel, fit_naive_bayes_by
from salesfunnel.scoring.predict.calibrate import (
    CalibratedModel,
    IsotonicCalibration,
    PlattCalibration,
    calibrate,
    fit_isotonic,
    fit_platt,
    load_model,
)
from salesfunnel.scoring.predict.features import Features
from salesfunnel.scoring.predict.history import LeadHistory, lead_history
from salesfunnel.scoring.predict.leaks import leak_check
from salesfunnel.scoring.predict.logistic import LogisticModel, cross_validate, fit_logistic
from salesfunnel.scoring.predict.terms import LevelWeights, NumberWeight
from salesfunnel.scoring.predict.weights import fit_rubric
from salesfunnel.scoring.presets.bant import bant
from salesfunnel.scoring.presets.champ import champ
from salesfunnel.scoring.presets.fitbehaviour import fit_behaviour
from salesfunnel.scoring.presets.meddic import meddic
from salesfunnel.scoring.presets.strategic import strategic_selling
from salesfunnel.scoring.rank import prioritise
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
    "SOURCES",
    "Auc",
    "AucDifference",
    "Brier",
    "CalibratedModel",
    "Contribution",
    "Conversion",
    "Criterion",
    "Disqualifier",
    "Explanation",
    "Features",
    "GainCurve",
    "Grade",
    "Grid",
    "IsotonicCalibration",
    "LeadHistory",
    "LeadScore",
    "Level",
    "LevelCounts",
    "LevelWeights",
    "LogisticModel",
    "NaiveBayesByModel",
    "NaiveBayesModel",
    "NumberWeight",
    "Owner",
    "PlattCalibration",
    "Question",
    "Rubric",
    "Scores",
    "Source",
    "TimeSplit",
    "assign",
    "bant",
    "brier_score",
    "calibrate",
    "calibration_table",
    "champ",
    "compare_auc",
    "compare_scores",
    "conversion_by_grade",
    "convert",
    "cross_validate",
    "find_source",
    "fit_behaviour",
    "fit_isotonic",
    "fit_logistic",
    "fit_naive_bayes",
    "fit_naive_bayes_by",
    "fit_platt",
    "fit_rubric",
    "gain_curve",
    "lead_conversion",
    "lead_conversion_by_cohort",
    "lead_funnel",
    "lead_history",
    "lead_log",
    "leak_check",
    "lift_table",
    "load_model",
    "log_loss",
    "meddic",
    "prioritise",
    "roc_auc",
    "source_quality",
    "strategic_selling",
    "time_folds",
    "time_split",
]
