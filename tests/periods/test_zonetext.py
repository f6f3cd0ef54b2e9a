"""Zones as texts that any machine reads."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import dateutil.tz
import pytest

from salesfunnel.errors import DefinitionError
from salesfunnel.periods import zone_of_text, zone_text

HOURS = timedelta(hours=5, minutes=45)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        (UTC, "UTC"),
        (ZoneInfo("Asia/Shanghai"), "Asia/Shanghai"),
        (timezone(HOURS), "+05:45"),
        (timezone(-HOURS, "Here and there"), "-05:45 Here and there"),
        (timezone(timedelta(seconds=1, microseconds=5)), "+00:00:01.000005"),
        (timezone(timedelta(0), "GMT"), "+00:00 GMT"),
        (dateutil.tz.UTC, "dateutil:UTC"),
        (dateutil.tz.tzoffset(None, 3600), "dateutil:+01:00"),
        (dateutil.tz.tzoffset("CET", 3600), "dateutil:+01:00 CET"),
        (dateutil.tz.gettz("America/New_York"), "dateutil:America/New_York"),
    ],
)
def test_a_zone_comes_back_from_its_text(zone: tzinfo, text: str) -> None:
    back = zone_of_text(text)

    assert zone_text(zone) == text
    assert back == zone
    assert type(back) is type(zone)
    assert str(back) == str(zone)
    assert (
        datetime(2026, 1, 31, tzinfo=back).tzname() == datetime(2026, 1, 31, tzinfo=zone).tzname()
    )


def test_a_zone_of_pytz_comes_back_by_its_name() -> None:
    class Foreign(dateutil.tz.tzrange):
        zone = "Asia/Shanghai"

    assert zone_of_text(zone_text(Foreign("CST"))) == ZoneInfo("Asia/Shanghai")


def nameless() -> tzinfo:
    for folder in ("/usr/share/zoneinfo", "/usr/lib/zoneinfo"):
        path = Path(folder, "Asia/Shanghai")
        if path.exists():
            return ZoneInfo.from_file(io.BytesIO(path.read_bytes()))
    return dateutil.tz.tzlocal()


@pytest.mark.parametrize("zone", [dateutil.tz.tzlocal(), dateutil.tz.tzrange("EST"), nameless()])
def test_a_zone_without_a_name_is_refused(zone: tzinfo) -> None:
    with pytest.raises(DefinitionError, match="cannot be written: it has neither an IANA name"):
        zone_text(zone)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Asia/Nowhere", "not 'Asia/Nowhere'"),
        ("dateutil:Asia/Nowhere", "there is no time zone 'Asia/Nowhere' on this machine"),
        ("dateutil:/etc/localtime", "there is no time zone '/etc/localtime' on this machine"),
        ("dateutil:../../etc/localtime", "there is no time zone"),
        ("dateutil:", "there is no time zone ''"),
        ("+25:00", r"'\+25:00' is no offset"),
        ("+", r"'\+' is no offset"),
        ("", "not ''"),
    ],
)
def test_what_is_no_zone_here_is_refused(text: str, why: str) -> None:
    with pytest.raises(DefinitionError, match=why):
        zone_of_text(text)
