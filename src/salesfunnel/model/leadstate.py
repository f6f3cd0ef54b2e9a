"""The states of a lead, the rules of their order, and the changes between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from numbers import Real
from typing import Any

import attrs

from salesfunnel.errors import DefinitionError
from salesfunnel.model.instant import instant
from salesfunnel.model.missing import is_missing
from salesfunnel.model.validation import from_isoformat, from_mapping, is_aware, is_text
from salesfunnel.wording import Listed, Wording

NEW = "new"
WORKING = "working"
QUALIFIED = "qualified"
DISQUALIFIED = "disqualified"
CONVERTED = "converted"

LEAD_STATES = (NEW, WORKING, QUALIFIED, DISQUALIFIED, CONVERTED)
"""Where a lead may stand."""

NEXT_STATES: Mapping[str, tuple[str, ...]] = {
    NEW: (WORKING, QUALIFIED, DISQUALIFIED),
    WORKING: (QUALIFIED, DISQUALIFIED),
    QUALIFIED: (CONVERTED, WORKING, DISQUALIFIED),
    DISQUALIFIED: (WORKING,),
    CONVERTED: (),
}
"""Where a lead may go from each state. What was disqualified may be taken up again; what was
converted is an opportunity, and moves in the funnel from there on."""


def _to_score(value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, Real) and not isinstance(value, bool) and 0 <= value <= 100:
        return float(value)
    raise DefinitionError("a score is a number from 0 to 100 or None, not {value!r}", value=value)


@attrs.frozen(slots=False)
class LeadChange:
    """One entry of a lead's history: it came into this state at this time.

    Parameters
    ----------
    state : {"new", "working", "qualified", "disqualified", "converted"}
    at : datetime
        When; aware of its time zone.
    reason : str, optional
        Why it was disqualified: needed there, and there only.
    score : float, optional
        Its score when it was qualified, from 0 to 100.
    grade : str, optional
        Its grade when it was qualified.
    opportunity : str, optional
        Identifier of the opportunity that it was converted into: needed there, and there only.
    by, note : str, optional
        Who made the change; a remark.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    state: str = attrs.field()
    at: datetime = attrs.field(validator=is_aware, eq=instant)
    reason: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    score: float | None = attrs.field(default=None, kw_only=True, converter=_to_score)
    grade: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    opportunity: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    by: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    note: str | None = attrs.field(default=None, kw_only=True, validator=is_text)

    def __attrs_post_init__(self) -> None:
        if self.state not in LEAD_STATES:
            raise DefinitionError(
                "the state of a lead is one of {states}, not {state!r}",
                states=Listed(LEAD_STATES),
                state=self.state,
            )
        for field, state in (("reason", DISQUALIFIED), ("opportunity", CONVERTED)):
            given = getattr(self, field)
            if self.state == state and is_missing(given):
                raise DefinitionError(
                    "a lead that is {state} needs its {field}; none was given",
                    state=state,
                    field=field,
                )
            if self.state != state and given is not None:
                raise DefinitionError(
                    "only a lead that is {state} has its {field}: {other!r} was given {given!r}",
                    state=state,
                    field=field,
                    other=self.state,
                    given=given,
                )
        if self.state != QUALIFIED and not (self.score is None and self.grade is None):
            raise DefinitionError(
                "a score and a grade are kept when a lead is qualified, not {state!r}",
                state=self.state,
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain data, ready for JSON; what is None is left out."""
        data: dict[str, Any] = {"state": self.state, "at": self.at.isoformat()}
        for field in ("reason", "score", "grade", "opportunity", "by", "note"):
            if (value := getattr(self, field)) is not None:
                data[field] = value
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LeadChange:
        """Return the change that `to_dict` described.

        Raises
        ------
        DefinitionError
            If the data is not of that form.
        """
        values = from_mapping(data, cls, Wording("a change of a lead"))
        values["at"] = from_isoformat(values["at"], Wording("the time of a change"))
        return cls(**values)


def to_changes(changes: Iterable[LeadChange]) -> tuple[LeadChange, ...]:
    """Return the changes of a lead as a tuple; the lead checks that they follow one another."""
    history = tuple(changes) if isinstance(changes, Iterable) else (changes,)
    for change in history:
        if not isinstance(change, LeadChange):
            raise DefinitionError(
                "a lead's history is a sequence of LeadChange, not {changes!r}", changes=changes
            )
    return history
