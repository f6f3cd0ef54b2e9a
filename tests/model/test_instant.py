"""Instants: physical time, also where the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from salesfunnel.errors import DefinitionError
from salesfunnel.model.instant import instant

pd = pytest.importorskip("pandas")

NEW_YORK = ZoneInfo("America/New_York")
SHANGHAI = ZoneInfo("Asia/Shanghai")
# On 1 November 2026 the clocks of New York go from 2:00 back to 1:00.
FIRST_HALF_PAST_ONE = datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK)
SECOND_TEN_PAST_ONE = datetime(2026, 11, 1, 1, 10, tzinfo=NEW_YORK, fold=1)


def test_one_moment_is_one_instant_in_every_zone() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)

    assert (
        instant(noon)
        == instant(noon.astimezone(SHANGHAI))
        == noon - datetime(1970, 1, 1, tzinfo=UTC)
    )


def test_a_moment_in_the_hour_that_happens_twice_is_one_instant_too() -> None:
    in_utc = FIRST_HALF_PAST_ONE.astimezone(UTC)

    assert in_utc != FIRST_HALF_PAST_ONE  # what Python makes of it
    assert instant(in_utc) == instant(FIRST_HALF_PAST_ONE)


def test_the_second_pass_of_an_hour_comes_after_the_first() -> None:
    assert SECOND_TEN_PAST_ONE < FIRST_HALF_PAST_ONE  # what the clocks read
    assert instant(SECOND_TEN_PAST_ONE) - instant(FIRST_HALF_PAST_ONE) == timedelta(minutes=40)


@pytest.mark.parametrize(
    "limit", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
@pytest.mark.parametrize("hours", [-14, 14])
def test_the_first_and_the_last_dates_have_instants(limit: datetime, hours: int) -> None:
    there = limit.replace(tzinfo=timezone(timedelta(hours=hours)))

    assert instant(limit) - instant(there) == timedelta(hours=hours)


def test_a_pandas_timestamp_is_a_time_like_any_other() -> None:
    stamp = pd.Timestamp("2026-01-05 20:00", tz="Asia/Shanghai")

    assert instant(stamp) == instant(datetime(2026, 1, 5, 12, tzinfo=UTC))


def test_a_time_without_zone_is_refused_and_told_how_to_get_one() -> None:
    with pytest.raises(DefinitionError) as refusal:
        instant(datetime(2026, 1, 5))  # noqa: DTZ001

    assert str(refusal.value) == (
        "at= has no time zone: datetime.datetime(2026, 1, 5, 0, 0); give it one, as in "
        "datetime(2026, 1, 5, tzinfo=ZoneInfo('Asia/Shanghai'))"
    )


@pytest.mark.parametrize("no_time", [None, "2026-01-05", 1_767_571_200, date(2026, 1, 5), pd.NaT])
def test_what_is_no_time_is_refused(no_time: object) -> None:
    with pytest.raises(DefinitionError) as refusal:
        instant(no_time, "the start")

    assert str(refusal.value) == f"the start is an aware datetime, not {no_time!r}"
