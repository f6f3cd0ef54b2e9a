"""A lead: somebody who may buy. Immutable, moved by the rules of its states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from salesfunnel.errors import DefinitionError, LeadStateError
from salesfunnel.model.evidence import Evidence, to_evidence
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.instant import instant, instant_or_none
from salesfunnel.model.leadstate import (
    CONVERTED,
    DISQUALIFIED,
    NEW,
    NEXT_STATES,
    QUALIFIED,
    WORKING,
    LeadChange,
    to_changes,
)
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.model.validation import (
    from_isoformat,
    from_list,
    from_mapping,
    is_aware_or_none,
    is_key,
    is_text,
    to_amount,
)
from salesfunnel.wording import Wording

_SCORED = ("lead", "score", "grade")
"""The free fields of an opportunity that tell which lead it was, and how it scored."""


def _to_fields(fields: Mapping[str, Any]) -> FrozenDict[Any]:
    if not isinstance(fields, Mapping) or not all(isinstance(name, str) for name in fields):
        raise DefinitionError("fields map names to values, not {fields!r}", fields=fields)
    taken = [name for name in fields if name in _OWN_FIELDS or name in _SCORED]
    if taken:
        raise DefinitionError(
            "{name!r} is the lead's own, not one of its free fields", name=taken[0]
        )
    return fields if isinstance(fields, FrozenDict) else FrozenDict(fields)


@attrs.frozen(slots=False)
class Lead:
    """Somebody who may buy: who, where from, what is known, and how far the vetting has come.

    A value: every change returns a new one. Change anything else with `attrs.evolve`.

    Parameters
    ----------
    id : str
        What data and code call it.
    customer, contact, owner, source, product : str, optional
        The account, the person there, who sells, where it came from (see
        `salesfunnel.model.sources`), what it asked for.
    amount : Decimal, int or str, optional
        What it may be worth, exactly; a float is read as it prints.
    currency : str, optional
        Currency of the amount, as in ``"CNY"``.
    received_at : datetime, optional
        When it came; aware of its time zone.
    evidence : mapping of str to Evidence, str or float
        What is known, by criterion; a criterion that is not in it is not known yet. A bare level or
        number stands for evidence without a date.
    fields : mapping of str to Any
        Whatever else is known of it.
    history : sequence of LeadChange
        How the vetting went, in order of time. Without one the lead is new.

    Raises
    ------
    DefinitionError, LevelError
        If a value is not of this form.
    LeadStateError
        If the history breaks the rules of the states.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> lead = Lead("L-1", source="web", evidence={"budget": "approved", "need": 0.5})
    >>> lead = lead.work(at=datetime(2026, 1, 5, tzinfo=timezone.utc))
    >>> lead = lead.qualify(at=datetime(2026, 1, 6, tzinfo=timezone.utc), score=75, grade="B")
    >>> lead.state, lead.score, lead.moves
    ('qualified', 75.0, ('converted', 'working', 'disqualified'))
    """

    id: str = attrs.field(validator=is_key)
    customer: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    contact: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    owner: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    source: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    product: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    amount: Decimal | None = attrs.field(default=None, kw_only=True, converter=to_amount)
    currency: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    received_at: datetime | None = attrs.field(
        default=None, kw_only=True, validator=is_aware_or_none, eq=instant_or_none
    )
    evidence: FrozenDict[Evidence] = attrs.field(
        factory=FrozenDict, kw_only=True, converter=to_evidence
    )
    fields: FrozenDict[Any] = attrs.field(factory=FrozenDict, kw_only=True, converter=_to_fields)
    history: tuple[LeadChange, ...] = attrs.field(default=(), kw_only=True, converter=to_changes)

    def __attrs_post_init__(self) -> None:
        state, since = NEW, self.received_at
        for number, change in enumerate(self.history):
            if not (number == 0 and change.state == NEW):
                self._check_step(state, change.state)
            if since is not None and instant(change.at) < instant(since):
                raise LeadStateError(
                    Wording(
                        "time goes back: {later!r} at {at} follows {state!r} at {since}",
                        later=change.state,
                        at=change.at.isoformat(),
                        state=state,
                        since=since.isoformat(),
                    ),
                    lead=self,
                    state=state,
                    asked=change.state,
                    allowed=NEXT_STATES[state],
                )
            state, since = change.state, change.at

    def _check_step(self, state: str, asked: str) -> None:
        if asked not in NEXT_STATES[state]:
            raise LeadStateError(
                Wording("cannot become {asked!r}", asked=asked),
                lead=self,
                state=state,
                asked=asked,
                allowed=NEXT_STATES[state],
            )

    # ── where it stands ───────────────────────────────────────────────────────────────────────────

    @property
    def state(self) -> str:
        """One of ``new``, ``working``, ``qualified``, ``disqualified`` and ``converted``."""
        return self.history[-1].state if self.history else NEW

    @property
    def moves(self) -> tuple[str, ...]:
        """The states that it may come into next."""
        return NEXT_STATES[self.state]

    @property
    def reason(self) -> str | None:
        """Why it is disqualified; None if it is not."""
        return self.history[-1].reason if self.history else None

    @property
    def score(self) -> float | None:
        """Its score when it was last qualified; None before, or if none was given."""
        entry = self._entry
        return None if entry is None else entry.score

    @property
    def grade(self) -> str | None:
        """Its grade when it was last qualified; None before, or if none was given."""
        entry = self._entry
        return None if entry is None else entry.grade

    @property
    def opportunity(self) -> str | None:
        """Identifier of the opportunity that it became; None before."""
        return self.history[-1].opportunity if self.history else None

    @property
    def _entry(self) -> LeadChange | None:
        """How it was last qualified."""
        return next((c for c in reversed(self.history) if c.state == QUALIFIED), None)

    def value(self, field: str) -> Any:
        """Return the value of one of its own or its free fields; None where it has none."""
        return getattr(self, field) if field in _OWN_FIELDS else self.fields.get(field)

    # ── changes ───────────────────────────────────────────────────────────────────────────────────

    def learn(
        self,
        criterion: str,
        value: str | float,
        *,
        at: datetime | None = None,
        note: str | None = None,
    ) -> Lead:
        """Return the lead with new evidence for a criterion, in the place of what was known of it.

        Raises
        ------
        DefinitionError, LevelError
            If an argument is not of the form of `Evidence`.
        """
        return attrs.evolve(
            self, evidence={**self.evidence, criterion: Evidence(value, at, note=note)}
        )

    def work(self, *, at: datetime, by: str | None = None, note: str | None = None) -> Lead:
        """Return the lead being worked: for the first time, again, or after a disqualification.

        Raises
        ------
        LeadStateError
            If the rules forbid it.
        """
        return self._enter(LeadChange(WORKING, at, by=by, note=note))

    def qualify(
        self,
        *,
        at: datetime,
        score: float | None = None,
        grade: str | None = None,
        by: str | None = None,
        note: str | None = None,
    ) -> Lead:
        """Return the lead qualified, with its score and grade kept.

        Raises
        ------
        LeadStateError
            If the rules forbid it.
        DefinitionError
            If the score is not from 0 to 100.
        """
        return self._enter(LeadChange(QUALIFIED, at, score=score, grade=grade, by=by, note=note))

    def disqualify(
        self, reason: str, *, at: datetime, by: str | None = None, note: str | None = None
    ) -> Lead:
        """Return the lead disqualified, for a reason.

        Raises
        ------
        LeadStateError
            If the rules forbid it.
        DefinitionError
            If there is no reason.
        """
        return self._enter(LeadChange(DISQUALIFIED, at, reason=reason, by=by, note=note))

    def convert(
        self,
        *,
        at: datetime,
        opportunity: str | None = None,
        by: str | None = None,
        note: str | None = None,
    ) -> Lead:
        """Return the lead converted into an opportunity, which by default has its identifier.

        Raises
        ------
        LeadStateError
            If the rules forbid it: only what is qualified is converted.
        """
        identifier = self.id if opportunity is None else opportunity
        return self._enter(LeadChange(CONVERTED, at, opportunity=identifier, by=by, note=note))

    def to_opportunity(self, id: str | None = None) -> Opportunity:  # noqa: A002
        """Return the opportunity that the lead becomes, not opened yet.

        It has the lead's own and free fields, and as free fields ``lead``, ``score`` and ``grade``:
        the identifier of the lead and what it scored when it was qualified.
        """
        scored = {"lead": self.id, "score": self.score, "grade": self.grade}
        return Opportunity(
            self.id if id is None else id,
            customer=self.customer,
            contact=self.contact,
            owner=self.owner,
            source=self.source,
            product=self.product,
            amount=self.amount,
            currency=self.currency,
            created_at=self.received_at,
            fields={**self.fields, **{k: v for k, v in scored.items() if v is not None}},
        )

    def _enter(self, change: LeadChange) -> Lead:
        self._check_step(self.state, change.state)
        return attrs.evolve(self, history=(*self.history, change))

    # ── plain data ────────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, Any]:
        """Return the lead as plain data, ready for JSON where the values of `fields` are."""
        data: dict[str, Any] = {"id": self.id}
        for field in ("customer", "contact", "owner", "source", "product", "currency"):
            if (text := getattr(self, field)) is not None:
                data[field] = text
        if self.amount is not None:
            data["amount"] = str(self.amount)
        if self.received_at is not None:
            data["received_at"] = self.received_at.isoformat()
        if self.evidence:
            data["evidence"] = {name: known.to_dict() for name, known in self.evidence.items()}
        if self.fields:
            data["fields"] = dict(self.fields)
        if self.history:
            data["history"] = [change.to_dict() for change in self.history]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Lead:
        """Return the lead that `to_dict` described.

        Raises
        ------
        DefinitionError, LevelError, LeadStateError
            If the data is not of that form.
        """
        values = from_mapping(data, cls, Wording("a lead"))
        if "received_at" in values:
            values["received_at"] = from_isoformat(values["received_at"], "received_at")
        evidence = values.get("evidence", {})
        if isinstance(evidence, Mapping):
            values["evidence"] = {k: Evidence.from_dict(v) for k, v in evidence.items()}
        values["history"] = from_list(
            values.get("history", ()), LeadChange.from_dict, Wording("the changes of a lead")
        )
        return cls(**values)


_OWN_FIELDS = frozenset(field.name for field in attrs.fields(Lead)) - {
    "fields",
    "history",
    "evidence",
}
