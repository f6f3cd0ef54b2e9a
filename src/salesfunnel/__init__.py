"""Sales-funnel modelling: where deals are lost and why, which to work next, what will close.

The names here are the public face. The model and the engine, which an application needs at once,
are imported with the package; what works on arrays is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from salesfunnel import errors
from salesfunnel.engine.engine import Move, TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.errors import SalesFunnelError
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity, StageChange
from salesfunnel.model.stage import LossReason, Stage

if TYPE_CHECKING:
    from salesfunnel import crm, datasets, metrics, review, scoring, testing
    from salesfunnel.log.current import read_current
    from salesfunnel.log.milestones import Milestones
    from salesfunnel.log.read import read_csv, read_jsonl, read_parquet
    from salesfunnel.log.stagecounts import StageCounts
    from salesfunnel.log.stageflow import StageFlow
    from salesfunnel.log.stagelog import StageLog
    from salesfunnel.log.suggest import Suggestion, suggest_mapping
    from salesfunnel.log.wide import read_wide
    from salesfunnel.model.evidence import Evidence
    from salesfunnel.model.lead import Lead
    from salesfunnel.model.leadstate import LeadChange
    from salesfunnel.periods.business import BusinessCalendar
    from salesfunnel.periods.calendar import Period
    from salesfunnel.show.report import Report, report
    from salesfunnel.table import Table
    from salesfunnel.text.explaining import explain

__version__ = "0.1.0"

__all__ = [
    "BusinessCalendar",
    "Evidence",
    "Funnel",
    "Lead",
    "LeadChange",
    "LossReason",
    "Milestones",
    "Move",
    "Opportunity",
    "Period",
    "Policy",
    "Report",
    "SalesFunnelError",
    "Stage",
    "StageChange",
    "StageCounts",
    "StageFlow",
    "StageLog",
    "Suggestion",
    "Table",
    "TransitionEngine",
    "crm",
    "datasets",
    "errors",
    "explain",
    "metrics",
    "read_csv",
    "read_current",
    "read_jsonl",
    "read_parquet",
    "read_wide",
    "report",
    "review",
    "scoring",
    "suggest_mapping",
    "testing",
]

_LATER = {
    "BusinessCalendar": "salesfunnel.periods.business",
    "Evidence": "salesfunnel.model.evidence",
    "Lead": "salesfunnel.model.lead",
    "LeadChange": "salesfunnel.model.leadstate",
    "Milestones": "salesfunnel.log.milestones",
    "Period": "salesfunnel.periods.calendar",
    "Report": "salesfunnel.show.report",
    "StageCounts": "salesfunnel.log.stagecounts",
    "StageFlow": "salesfunnel.log.stageflow",
    "StageLog": "salesfunnel.log.stagelog",
    "Suggestion": "salesfunnel.log.suggest",
    "Table": "salesfunnel.table",
    "explain": "salesfunnel.text.explaining",
    "read_csv": "salesfunnel.log.read",
    "read_current": "salesfunnel.log.current",
    "read_jsonl": "salesfunnel.log.read",
    "read_parquet": "salesfunnel.log.read",
    "read_wide": "salesfunnel.log.wide",
    "report": "salesfunnel.show.report",
    "suggest_mapping": "salesfunnel.log.suggest",
}
_MODULES = {"crm", "datasets", "metrics", "review", "scoring", "testing"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"salesfunnel.{name}")
    if name not in _LATER:
        raise AttributeError(f"module 'salesfunnel' has no attribute {name!r}")
    value = getattr(import_module(_LATER[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
