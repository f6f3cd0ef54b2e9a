"""What a company allows its opportunities to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from salesfunnel.errors import DefinitionError
from salesfunnel.model.validation import is_flag, one_of, to_duration
from salesfunnel.wording import Listed

if TYPE_CHECKING:
    from salesfunnel.model.validation import Attribute

LOSS_REASONS = ("known", "any", "optional")


def _is_limit(instance: object, attribute: Attribute, value: object) -> None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return
    raise DefinitionError(
        "{kind}.{attribute} is a number of stages, 0 or more, or None for any number, not "
        "{value!r}",
        kind=type(instance).__name__,
        attribute=attribute.name,
        value=value,
    )


@attrs.frozen(slots=False)
class Policy:
    """The rules that an engine enforces and that `StageLog.conform` reports on.

    The default is strict: start at the first stage, one stage forward at a time, win from the last
    stage before the sale, no loss without a reason that the funnel knows, nothing after a close.

    Parameters
    ----------
    any_start : bool
        Whether an opportunity may start at any stage before the sale, not just the first.
    skip : int or None
        How many stages one move forward may leave out; None for any number.
    back : int or None
        How many stages one move may go back, within the stages before the sale or within those
        after it; None for any number. Undoing a win is a reopening, not a step back.
    win_early : bool
        Whether an opportunity may be won from before the last pre-sale stage.
    reopen : bool
        Whether what is lost may return to the state before, and what is won to the last pre-sale
        stage that it visited.
    reopen_within : timedelta or str, optional
        How long after entering the state that it leaves; without a limit where it is None.
    loss_reason : {"known", "any", "optional"}
        Whether a loss needs a reason from the funnel's list, any reason, or none.
    required_fields : bool
        Whether a stage is entered only with the fields that it requires.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    any_start: bool = attrs.field(default=False, kw_only=True, validator=is_flag)
    skip: int | None = attrs.field(default=0, kw_only=True, validator=_is_limit)
    back: int | None = attrs.field(default=0, kw_only=True, validator=_is_limit)
    win_early: bool = attrs.field(default=False, kw_only=True, validator=is_flag)
    reopen: bool = attrs.field(default=False, kw_only=True, validator=is_flag)
    reopen_within: timedelta | None = attrs.field(default=None, kw_only=True, converter=to_duration)
    loss_reason: str = attrs.field(default="known", kw_only=True, validator=one_of(LOSS_REASONS))
    required_fields: bool = attrs.field(default=True, kw_only=True, validator=is_flag)

    def __attrs_post_init__(self) -> None:
        if self.loss_reason is None:
            raise DefinitionError(
                "Policy.loss_reason is one of {known}, not None", known=Listed(LOSS_REASONS)
            )
        if self.reopen_within is not None and not self.reopen:
            raise DefinitionError("Policy.reopen_within limits reopening: it needs reopen=True")
