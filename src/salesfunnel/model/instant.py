"""The instant that an aware time stands for, whatever zone it is told in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from salesfunnel.errors import DefinitionError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(at: object, what: str = "at=") -> timedelta:
    """Return how long after the epoch an aware datetime is; `what` names it in the message.

    Instants compare and subtract as physical time does. Datetimes do not always: two of one zone
    compare by their clock readings, which run backwards where the clocks are put back, and in the
    hour that then happens twice no time is equal to the same time told in another zone.

    Raises
    ------
    DefinitionError
        If it is not an aware datetime.
    """
    if isinstance(at, datetime):
        try:
            since = at - _EPOCH
        except TypeError:  # it has no zone, or one that does not know its offset
            raise DefinitionError(
                "{what} has no time zone: {at!r}; give it one, as in datetime(2026, 1, 5, "
                "tzinfo=ZoneInfo('Asia/Shanghai'))",
                what=what,
                at=at,
            ) from None
        if isinstance(since, timedelta):  # pandas' NaT is a datetime, but no time
            return since
    raise DefinitionError("{what} is an aware datetime, not {at!r}", what=what, at=at)


def instant_or_none(at: datetime | None) -> timedelta | None:
    """Return the instant of an aware datetime, or None for None."""
    return None if at is None else instant(at)
