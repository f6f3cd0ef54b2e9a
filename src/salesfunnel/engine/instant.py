"""The instant that an aware time stands for, whatever zone it is told in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from salesfunnel.errors import DefinitionError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(at: object) -> timedelta:
    """Return how long after the epoch an aware datetime is.

    Instants compare and subtract as physical time does. Two datetimes of one zone do not: Python takes
    their clock readings, which are an hour off, or even in the wrong order, around a change of the clocks.

    Raises
    ------
    DefinitionError
        If it is not an aware datetime.
    """
    if isinstance(at, datetime):
        try:
            since = at - EPOCH
        except TypeError:  # it has no zone, or one that does not know its offset
            raise DefinitionError(
                f"at= has no time zone: {at!r}; give it one, as in "
                "datetime(2026, 1, 5, tzinfo=ZoneInfo('Asia/Shanghai'))"
            ) from None
        if isinstance(since, timedelta):  # pandas' NaT is a datetime, but no time
            return since
    raise DefinitionError(f"at= is an aware datetime, not {at!r}")
