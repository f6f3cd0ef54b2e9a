"""From a lead to an opportunity, in one step."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.errors import DefinitionError
from salesfunnel.model.lead import Lead
from salesfunnel.model.opportunity import Opportunity


class Conversion(NamedTuple):
    """A lead that became an opportunity.

    Attributes
    ----------
    lead : Lead
        Converted, and naming the opportunity.
    opportunity : Opportunity
        At the first stage, with the lead's score and grade among its fields.
    """

    lead: Lead
    opportunity: Opportunity


def convert(
    lead: Lead,
    engine: TransitionEngine,
    *,
    at: datetime,
    opportunity: str | None = None,
    by: str | None = None,
    note: str | None = None,
) -> Conversion:
    """Return a qualified lead converted, and the opportunity that it becomes, at the first stage.

    Both happen or neither does. The opportunity keeps what the lead has, its `fields` among them,
    and as ``lead``, ``score`` and ``grade`` where it came from and what it scored when it was
    qualified: labels that every metric can group by.

    Parameters
    ----------
    lead : Lead
    engine : TransitionEngine
        Opens the opportunity by its rules; its observers hear of it.
    at : datetime
    opportunity : str, optional
        Identifier of the opportunity; by default that of the lead.
    by, note : str, optional
        Who did it; a remark.

    Raises
    ------
    LeadStateError
        If the lead is not qualified, or time goes back.
    TransitionError
        If the engine refuses to open the opportunity: one of its kinds.
    ObserverError
        If observers failed: the opportunity is this error's, and the lead was not converted yet.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> from salesfunnel.model.funnel import Funnel
    >>> at = datetime(2026, 1, 5, tzinfo=timezone.utc)
    >>> lead = Lead("L-1", source="web").qualify(at=at, score=75, grade="B")
    >>> lead, opportunity = convert(lead, TransitionEngine(Funnel(["demo", "offer"])), at=at)
    >>> lead.state, opportunity.stage, opportunity.fields["grade"]
    ('converted', 'demo', 'B')
    """
    if not isinstance(engine, TransitionEngine):
        raise DefinitionError(
            "a TransitionEngine opens the opportunity, not {engine!r}", engine=engine
        )
    converted = lead.convert(at=at, opportunity=opportunity, by=by, note=note)
    opened = engine.open(lead.to_opportunity(opportunity), at=at, by=by, note=note)
    return Conversion(converted, opened)
