"""Business time: the zone that days and periods are cut in, the periods, and working hours."""

from __future__ import annotations

from salesfunnel.periods.business import BusinessCalendar
from salesfunnel.periods.calendar import (
    PERIODS,
    Period,
    period_index,
    period_label,
    period_of,
    period_start,
    to_span,
)
from salesfunnel.periods.clocks import wall_to_utc
from salesfunnel.periods.zone import (
    EPOCH,
    FIRST,
    LAST,
    end_of_day,
    from_microseconds,
    to_instant,
    to_microseconds,
    to_zone,
    zone_name,
)
from salesfunnel.periods.zonetext import zone_of_text, zone_text

__all__ = [
    "EPOCH",
    "FIRST",
    "LAST",
    "PERIODS",
    "BusinessCalendar",
    "Period",
    "end_of_day",
    "from_microseconds",
    "period_index",
    "period_label",
    "period_of",
    "period_start",
    "to_instant",
    "to_microseconds",
    "to_span",
    "to_zone",
    "wall_to_utc",
    "zone_name",
    "zone_of_text",
    "zone_text",
]
