"""Leads as a log: their states before the stages of the opportunities that they became."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

import attrs

from salesfunnel.columns.rejects import listing
from salesfunnel.errors import BadRow, DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.instant import instant
from salesfunnel.model.lead import Lead
from salesfunnel.model.leadstate import CONVERTED, DISQUALIFIED, NEW, QUALIFIED, WORKING
from salesfunnel.model.opportunity import Opportunity, StageChange
from salesfunnel.model.reasons import DISQUALIFICATION_REASONS
from salesfunnel.model.stage import LOST, Stage
from salesfunnel.wording import Wording

LEAD_STAGES = (
    Stage("lead_new", "New lead", names={"en": "New lead", "zh": "新线索"}),
    Stage("lead_working", "Lead in work", names={"en": "Lead in work", "zh": "线索跟进"}),
    Stage("lead_qualified", "Qualified lead", names={"en": "Qualified lead", "zh": "合格线索"}),
)
"""The states of leads as stages; a lead that is disqualified is lost, for its reason."""
_STAGE_OF = {NEW: "lead_new", WORKING: "lead_working", QUALIFIED: "lead_qualified"}
_LABELS = ("customer", "contact", "owner", "source", "product", "currency")


def lead_funnel(funnel: Funnel) -> Funnel:
    """Return a funnel that begins with leads: `LEAD_STAGES`, then the stages of another.

    Its loss reasons are those of the other, and those that leads are disqualified for.

    Raises
    ------
    DefinitionError, DuplicateKeyError
        If it is no funnel, or has such stages already.
    """
    if not isinstance(funnel, Funnel):
        raise DefinitionError("leads come before a Funnel, not {funnel!r}", funnel=funnel)
    more = [reason for reason in DISQUALIFICATION_REASONS if not funnel.knows_reason(reason.key)]
    return attrs.evolve(
        funnel,
        stages=(*LEAD_STAGES, *funnel.stages),
        loss_reasons=(*funnel.loss_reasons, *more),
    )


def lead_log(
    leads: Iterable[Lead],
    opportunities: Iterable[Opportunity],
    funnel: Funnel,
    *,
    rates: Mapping[str, float] | None = None,
    tz: str | tzinfo | None = None,
    errors: str = "raise",
) -> StageLog:
    """Return the log of leads from the day that they came: one history each, to the sale or not.

    Everything that asks a log can be asked of it: how far leads come, how long that takes, by whom
    and from where. What became an opportunity goes on with the history of that.

    Parameters
    ----------
    leads : iterable of Lead
    opportunities : iterable of Opportunity
        What became of those converted. An opportunity that is not among them stands at the first
        stage since the conversion; one that came from no lead is not in the log.
    funnel : Funnel
        That of the opportunities.
    rates, tz, errors
        As in `StageLog.from_opportunities`.

    Returns
    -------
    StageLog
        Of the funnel `lead_funnel`. Attributes are the leads' customer, contact, owner, source,
        product and free fields (those of the opportunity where the lead has none), and ``score``
        and ``grade`` at its qualification; amounts are the opportunity's, or else the lead's.

    Raises
    ------
    DataError
        If a lead has no time at all, two have one identifier, or as in `from_opportunities`.
    CurrencyError, DefinitionError
        As in `StageLog.from_opportunities`.
    """
    members = tuple(leads)
    for member in members:
        if not isinstance(member, Lead):
            raise DefinitionError(
                "a log of leads is made of Lead values, not of {member!r}", member=member
            )
    timeless = [
        BadRow(row, "received_at", None, Wording("when the lead came"))
        for row, lead in enumerate(members)
        if _arrival(lead) is None
    ]
    if timeless:
        raise listing(Wording("leads without a time: {n:,}", n=len(timeless)), timeless)
    followed = {opportunity.id: opportunity for opportunity in opportunities}
    whole = [_whole(lead, followed.get(lead.opportunity or ""), funnel) for lead in members]
    return StageLog.from_opportunities(
        whole, lead_funnel(funnel), rates=rates, tz=tz, errors=errors
    )


def _arrival(lead: Lead) -> datetime | None:
    if lead.received_at is not None:
        return lead.received_at
    return lead.history[0].at if lead.history else None


def _whole(lead: Lead, opportunity: Opportunity | None, funnel: Funnel) -> Opportunity:
    """Return a lead and what became of it as one opportunity of the longer funnel."""
    arrival = _arrival(lead)
    assert arrival is not None
    changes = [StageChange("lead_new", arrival)]
    for change in lead.history:
        if change.state == DISQUALIFIED:
            changes.append(StageChange(LOST, change.at, reason=change.reason))
        elif change.state == CONVERTED:
            went_on = () if opportunity is None else opportunity.history
            changes += went_on or [StageChange(funnel.stages[0].key, change.at)]
        elif change.state != NEW:
            changes.append(StageChange(_STAGE_OF[change.state], change.at))
    # Stable: what happened in one instant keeps its order.
    changes.sort(key=lambda change: instant(change.at))
    return Opportunity(lead.id, history=changes, **_values(lead, opportunity))


def _values(lead: Lead, opportunity: Opportunity | None) -> dict[str, Any]:
    scored = {"score": lead.score, "grade": lead.grade}
    fields = {**lead.fields, **{key: value for key, value in scored.items() if value is not None}}
    values: dict[str, Any] = {name: getattr(lead, name) for name in _LABELS}
    values |= {"amount": lead.amount, "fields": fields}
    if opportunity is not None:
        values["fields"] = {**opportunity.fields, **fields}
        for name in _LABELS:
            values[name] = values[name] or getattr(opportunity, name)
        if opportunity.amount is not None:
            values |= {"amount": opportunity.amount, "currency": opportunity.currency}
    values["fields"].pop("lead", None)
    return values
