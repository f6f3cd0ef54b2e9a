"""A time zone as a text, and back: its IANA name or its offset, never a place on one machine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from dateutil import tz as dateutil_tz

from salesfunnel.errors import DefinitionError
from salesfunnel.periods.zone import to_zone

_DATEUTIL = "dateutil:"
_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_DATABASE = "zoneinfo/"
"""What the folder of the zone database is called, wherever a machine has it."""


def zone_text(zone: tzinfo) -> str:
    """Return a zone as a text that `zone_of_text` reads, on any machine.

    It is ``"UTC"``, an IANA name or an offset such as ``"+05:45"``, after which its name may stand;
    with ``dateutil:`` before it, a zone of dateutil's own.

    Raises
    ------
    DefinitionError
        If the zone has neither a name nor one offset, as that of the machine.

    Examples
    --------
    >>> zone_text(to_zone("Asia/Shanghai")), zone_text(timezone(timedelta(hours=-3), "BRT"))
    ('Asia/Shanghai', '-03:00 BRT')
    """
    if zone is UTC:
        return "UTC"
    if isinstance(zone, timezone):
        name = zone.tzname(None)
        return _offset_text(zone, None if name == timezone(_offset(zone)).tzname(None) else name)
    if isinstance(zone, dateutil_tz.tzutc):
        return _DATEUTIL + "UTC"
    if isinstance(zone, dateutil_tz.tzoffset):
        return _DATEUTIL + _offset_text(zone, zone.tzname(None))
    if isinstance(zone, dateutil_tz.tzfile):
        place = str(getattr(zone, "_filename", "")).rpartition(_DATABASE)[2]
        if _NAME.fullmatch(place) and dateutil_tz.gettz(place) == zone:
            return _DATEUTIL + place
    # ZoneInfo has a key, and pytz calls it zone.
    key = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if isinstance(key, str):
        return key
    raise DefinitionError(
        "the time zone {zone!r} cannot be written: it has neither an IANA name nor one offset; "
        "give tz= an IANA name, such as 'Asia/Shanghai'",
        zone=zone,
    )


def zone_of_text(text: str) -> tzinfo:
    """Return the zone that `zone_text` wrote.

    Raises
    ------
    DefinitionError
        If there is none of that name on this machine, or it is no such text.
    """
    _, dateutil, rest = text.rpartition(_DATEUTIL)
    if rest[:1] in ("+", "-"):
        offset, _, name = rest.partition(" ")
        try:
            delta = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").utcoffset()
        except ValueError:
            raise DefinitionError("{text!r} is no offset of a time zone", text=text) from None
        delta = timedelta(0) if delta is None else delta
        if dateutil:
            return dateutil_tz.tzoffset(name or None, delta)
        return timezone(delta, name) if name else timezone(delta)
    if not dateutil:
        return to_zone(rest)
    # What is no name dateutil would take for a path.
    named = _NAME.fullmatch(rest) is not None
    zone = dateutil_tz.UTC if rest == "UTC" else dateutil_tz.gettz(rest) if named else None
    if zone is None:
        raise DefinitionError("there is no time zone {rest!r} on this machine", rest=rest)
    return zone


def _offset_text(zone: tzinfo, name: str | None) -> str:
    offset = datetime(2000, 1, 1, tzinfo=timezone(_offset(zone))).isoformat()[19:]
    return f"{offset} {name}" if name else offset


def _offset(zone: tzinfo) -> timedelta:
    return zone.utcoffset(None) or timedelta(0)
