"""What is known of a lead by one criterion, and when it was learnt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from numbers import Real
from typing import Any

import attrs

from salesfunnel.errors import DefinitionError, LevelError
from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.instant import instant_or_none
from salesfunnel.model.validation import from_isoformat, from_mapping, is_aware_or_none, is_text
from salesfunnel.wording import Wording


def _to_level(value: str | float) -> str | float:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, Real):
        number = float(value)
        if 0 <= number <= 1:
            return number
    raise LevelError(
        "evidence is the key of a level or a number from 0 to 1 (what is not known is left out), "
        "not {value!r}",
        value=value,
    )


@attrs.frozen(slots=False)
class Evidence:
    """What is known of a lead by one criterion of a rubric.

    Parameters
    ----------
    value : str or float
        The key of one of the criterion's levels, or a number from 0 (worst) to 1 (best).
    learnt_at : datetime, optional
        When it was learnt; aware of its time zone. Old evidence may fade.
    note : str, optional
        What was said, or where it stands.

    Raises
    ------
    LevelError
        If the value is neither a text nor a number from 0 to 1.
    DefinitionError
        If another value is not of this form.
    """

    value: str | float = attrs.field(converter=_to_level)
    learnt_at: datetime | None = attrs.field(
        default=None, validator=is_aware_or_none, eq=instant_or_none
    )
    note: str | None = attrs.field(default=None, kw_only=True, validator=is_text)

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence as plain data, ready for JSON; what is None is left out."""
        data: dict[str, Any] = {"value": self.value}
        if self.learnt_at is not None:
            data["learnt_at"] = self.learnt_at.isoformat()
        if self.note is not None:
            data["note"] = self.note
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | str | float) -> Evidence:
        """Return the evidence that `to_dict` described; a bare level or number is its value.

        Raises
        ------
        DefinitionError, LevelError
            If the data is not of that form.
        """
        if isinstance(data, (str, Real)):
            return cls(data)
        values = from_mapping(data, cls, Wording("evidence"))
        if "learnt_at" in values:
            values["learnt_at"] = from_isoformat(values["learnt_at"], "learnt_at")
        return cls(**values)


def to_evidence(evidence: Mapping[str, Evidence | str | float]) -> FrozenDict[Evidence]:
    """Return evidence by criterion, immutable; a bare level or number becomes evidence."""
    if not isinstance(evidence, Mapping) or not all(
        isinstance(name, str) and name for name in evidence
    ):
        raise DefinitionError(
            "evidence maps criteria to what is known of them, not {evidence!r}", evidence=evidence
        )
    return FrozenDict(
        {
            name: value if isinstance(value, Evidence) else Evidence(value)
            for name, value in evidence.items()
        }
    )
