"""When a change may happen: aware times, compared as the instants that they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from engine.deals import FUNNEL, day, deal

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.errors import DefinitionError, ReopenError, TimeOrderError
from salesfunnel.model.opportunity import Opportunity

pd = pytest.importorskip("pandas")

STRICT = TransitionEngine(FUNNEL)
NEW_YORK = ZoneInfo("America/New_York")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_two_changes_may_share_an_instant() -> None:
    assert STRICT.advance(deal("lead"), at=day(0)).stage == "demo"


def test_times_of_different_zones_compare_as_instants() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    opened = STRICT.open(Opportunity("O-1"), at=noon)

    # 19:59 in Shanghai is a minute before noon in UTC, 07:01 in New York a minute after it.
    with pytest.raises(TimeOrderError):
        STRICT.advance(opened, at=datetime(2026, 1, 5, 19, 59, tzinfo=SHANGHAI))
    later = STRICT.advance(opened, at=datetime(2026, 1, 5, 7, 1, tzinfo=NEW_YORK))
    assert later.stage == "demo"


def test_time_goes_on_while_the_clocks_are_put_back() -> None:
    # On 1 November 2026 New York's clocks go from 01:59 EDT (fold 0) back to 01:00 EST (fold 1).
    before = datetime(2026, 11, 1, 1, 50, tzinfo=NEW_YORK, fold=0)
    after = datetime(2026, 11, 1, 1, 10, tzinfo=NEW_YORK, fold=1)

    opened = STRICT.open(Opportunity("O-1"), at=before)

    assert STRICT.advance(opened, at=after).stage == "demo"
    with pytest.raises(TimeOrderError):
        STRICT.advance(STRICT.open(Opportunity("O-1"), at=after), at=before)


def test_the_time_limit_of_reopening_is_not_prolonged_when_the_clocks_are_put_back() -> None:
    engine = TransitionEngine(
        FUNNEL, Policy(reopen=True, reopen_within=timedelta(hours=1), loss_reason="optional")
    )
    lost_at = datetime(2026, 11, 1, 0, 30, tzinfo=NEW_YORK)
    lost = engine.lose(engine.open(Opportunity("O-1"), at=lost_at), at=lost_at)

    assert engine.reopen(lost, at=lost_at.replace(hour=1)).stage == "lead"
    with pytest.raises(ReopenError):
        engine.reopen(lost, at=lost_at.replace(hour=1, minute=10, fold=1))


class Erratic(tzinfo):
    """A zone that knows its offset in some months only."""

    def __init__(self, *months: int) -> None:
        self.months = months

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return timedelta(0) if moment is not None and moment.month in self.months else None

    def dst(self, moment: datetime | None) -> timedelta | None:
        return self.utcoffset(moment)

    def tzname(self, moment: datetime | None) -> str:
        return "erratic"


@pytest.mark.parametrize("zone", [None, Erratic()])
def test_a_time_without_an_offset_is_refused(zone: tzinfo | None) -> None:
    at = datetime(2026, 1, 5, tzinfo=zone)

    for change in (STRICT.open, STRICT.advance, STRICT.win, STRICT.lose, STRICT.reopen):
        with pytest.raises(DefinitionError) as caught:
            change(deal("lead") if change != STRICT.open else deal(), at=at)
        assert str(caught.value) == (
            f"at= has no time zone: {at!r}; give it one, as in "
            "datetime(2026, 1, 5, tzinfo=ZoneInfo('Asia/Shanghai'))"
        )


def test_a_zone_that_was_good_for_the_last_change_is_asked_again() -> None:
    zone = Erratic(1)
    opened = STRICT.open(Opportunity("O-1"), at=datetime(2026, 1, 5, tzinfo=zone))

    with pytest.raises(DefinitionError, match="at= has no time zone"):
        STRICT.advance(opened, at=datetime(2026, 2, 5, tzinfo=zone))


@pytest.mark.parametrize("at", [None, "2026-01-05", 0, date(2026, 1, 5), pd.NaT])
def test_what_is_no_time_is_refused(at: Any) -> None:
    for opportunity, change in ((deal(), STRICT.open), (deal("lead"), STRICT.advance)):
        with pytest.raises(DefinitionError) as caught:
            change(opportunity, at=at)
        assert str(caught.value).startswith("at= ")


def test_a_timestamp_of_pandas_is_a_time() -> None:
    at = pd.Timestamp("2026-01-05", tz="Asia/Shanghai")

    assert STRICT.advance(deal("lead"), at=at).history[-1].at == at
