"""Stream: the events of a data push as they come, kept until a log is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from salesfunnel.crm.jiandaoyun.loading import load
from salesfunnel.crm.jiandaoyun.responses import (
    CREATE,
    OTHER_OPERATIONS,
    RECOVER,
    REMOVE,
    UPDATE,
)
from salesfunnel.errors import DataError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.wording import Listed

_OPERATIONS = (CREATE, UPDATE, RECOVER, REMOVE)


class Stream:
    """The history of a form, built from the events that it pushes.

    Events may come in any order, and more than once: Jiandaoyun sends one again where it got no
    answer. What has come is in `events`, ready for JSON, to be kept and given back later.

    Parameters
    ----------
    events : iterable of mapping
        Events that came before.
    **options
        As in `load`: fields, widgets, funnel, stage_map, tz …

    Examples
    --------
    >>> stream = Stream(fields={"stage": "_widget_17"})
    >>> event = {
    ...     "op": "data_create",
    ...     "opTime": 1767495600000,
    ...     "data": {"_id": "65f1", "_widget_17": "初步接触"},
    ... }
    >>> stream.push(event), stream.push(event)
    (True, False)
    >>> stream.log()
    StageLog(1 entries of 1 opportunities, 7 stages, as of 2026-01-04 03:00:00+00:00)
    """

    def __init__(self, events: Iterable[Mapping[str, Any]] = (), **options: Any) -> None:
        self._options = options
        self._events: dict[str, Mapping[str, Any]] = {}
        self._deliveries: set[str] = set()
        for event in events:
            self.push(event)

    def __len__(self) -> int:
        """Return the number of events, each counted once."""
        return len(self._events)

    @property
    def events(self) -> tuple[Mapping[str, Any], ...]:
        """The events, in the order in which they came."""
        return tuple(self._events.values())

    def push(self, event: Mapping[str, Any] | str | bytes, *, delivery: str | None = None) -> bool:
        """Take an event, and return whether it is a new one about a record.

        Parameters
        ----------
        event : mapping, str or bytes
            The body of the request, parsed or not.
        delivery : str, optional
            Its header ``X-JDY-DeliverId``, which is the same where an event is sent again.

        Raises
        ------
        DataError
            If it is no event.
        """
        body = _parsed(event)
        operation = body.get("op")
        if operation in OTHER_OPERATIONS:
            return False
        if operation not in _OPERATIONS or not isinstance(body.get("data"), Mapping):
            raise DataError(
                "no event of a record: op is {operation!r}, where one of {known} is expected, and "
                "data a JSON object",
                operation=operation,
                known=Listed(_OPERATIONS),
            )
        try:
            key = json.dumps(body, sort_keys=True, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise DataError("no event: {error}", error=error) from None
        if key in self._events or (delivery is not None and delivery in self._deliveries):
            return False
        if delivery is not None:
            self._deliveries.add(delivery)
        self._events[key] = body
        return True

    def log(self, data: Any = None, **options: Any) -> StageLog:
        """Return the log of all that has come.

        Parameters
        ----------
        data : source, optional
            Records of the form, for those from before the first event: see `load`.
        **options
            As in `load`, in place of those of the stream.

        Raises
        ------
        SalesFunnelError
            As in `load`.
        """
        return load(data=data, events=list(self._events.values()), **{**self._options, **options})


def _parsed(event: Mapping[str, Any] | str | bytes) -> Mapping[str, Any]:
    if isinstance(event, (str, bytes)):
        try:
            event = json.loads(event)
        except (ValueError, RecursionError) as error:
            raise DataError("no event: not JSON: {error}", error=error) from None
    if not isinstance(event, Mapping):
        raise DataError("no event: a JSON object is expected, not {event!r}", event=event)
    return event
