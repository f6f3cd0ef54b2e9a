"""Stalled opportunities, beside the definition in plain Python."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.logs import By, groupings, log_of, named, oracles, parts, spread
from oracle import Oracle, last_known

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import stalled
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage
from salesfunnel.periods import BusinessCalendar

DAY = 86_400_000_000
OFFICE = BusinessCalendar(("09:00", "17:00"), holidays=["1970-01-05"], tz="UTC")


def with_limits(oracle: Oracle, limits: list[int | None]) -> StageLog:
    """Return the log of an oracle whose stages have a `max_age` of some days, or none."""
    log = log_of(oracle)
    stages = [
        Stage(
            f"s{k}", post_sale=k >= oracle.n_presale, max_age=None if limit is None else f"{limit}d"
        )
        for k, limit in enumerate(limits[: oracle.n_stages])
    ]
    log.funnel = Funnel(stages)
    return log


@settings(max_examples=80)
@given(
    oracles(),
    st.lists(st.none() | st.integers(1, 8), min_size=4, max_size=4),
    st.sampled_from([0.5, 0.9]),
    groupings,
    st.sampled_from([None, OFFICE]),
)
def test_stalled_are_those_over_the_limit_of_their_stage(
    oracle: Oracle,
    limits: list[int | None],
    level: float,
    by: By,
    calendar: BusinessCalendar | None,
) -> None:
    oracle = spread(oracle, DAY)
    log = with_limits(oracle, limits)
    table = stalled(log, by=by, quantile=level, calendar=calendar, as_of=oracle.as_of)

    def days(start: int, end: int) -> float:
        if calendar is None:
            return (end - start) / DAY
        return float(calendar.business_seconds(start, end)) / calendar.seconds_per_day

    def advanced(part: Oracle, stage: int) -> list[float]:
        return [
            days(visit.time, following.time)
            for history in part.histories().values()
            for visit, following in pairwise(history)
            if visit.state == stage and stage < following.state <= oracle.won
        ]

    expected: dict[object, tuple[Any, ...]] = {}
    for labels, part in parts(oracle, by).items():
        for opportunity, history in part.histories().items():
            stage, given_limit = history[-1].state, [*limits, None, None][history[-1].state]
            if oracle.status(history) != "open":
                continue
            own, every = advanced(part, stage), advanced(oracle, stage)
            if not (given_limit or every):
                continue
            rule = "max_age" if given_limit else "quantile" if own else "quantile_of_all"
            limit = given_limit or float(np.quantile(own or every, level))
            age = days(history[-1].time, oracle.as_of or 0)
            if age > limit * (1 + 1e-12):
                expected[opportunity] = (
                    *named(labels, by).values(),
                    f"s{stage}",
                    rule,
                    0 if given_limit else len(own or every),
                    last_known(row.labels.get("owner") for row in history),
                    last_known(row.amount for row in history),
                    pytest.approx(age),
                    pytest.approx(limit),
                    pytest.approx(age - limit),
                )
    grouped = [] if by is None else [by] if isinstance(by, str) else [*by]
    names = (
        *grouped,
        *("stage", "rule", "visits", "owner", "amount", "age_days", "limit_days", "over_days"),
    )
    found = {row["opportunity"]: tuple(row[name] for name in names) for row in table.rows()}
    assert found == expected
    assert table.columns[: len(grouped) + 1] == (*grouped, "opportunity")
    # The groups one after the other, and in each the longest over its limit first.
    groups = [tuple(row[name] for name in grouped) for row in table.rows()]
    assert [key for key, _ in groupby(groups)] == list(dict.fromkeys(groups))
    for _, rows in groupby(range(len(table)), key=lambda row: groups[row]):
        assert (np.diff(table["over_days"][list(rows)]) <= 0).all()


@settings(max_examples=40)
@given(oracles(tied=False), st.data())
def test_the_order_of_the_rows_changes_nothing(oracle: Oracle, data: st.DataObject) -> None:
    shuffled = log_of(oracle, data.draw(st.permutations(oracle.rows)))

    assert stalled(shuffled, as_of=oracle.as_of) == stalled(log_of(oracle), as_of=oracle.as_of)


FUNNEL = Funnel([Stage("lead", max_age="10d"), "offer", Stage("care", post_sale=True)])


def log(*entries: tuple[str, str, str], **columns: Any) -> StageLog:
    ids, states, days = zip(*entries, strict=True) if entries else ((), (), ())
    return StageLog.from_columns(
        FUNNEL,
        opportunity=list(ids),
        stage=list(states),
        entered_at=list(days),
        tz="UTC",
        **columns,
    )


ENTRIES = [
    *(("A", "offer", "2026-01-01"), ("A", "care", "2026-01-11")),  # ten days, and advanced
    *(("B", "offer", "2026-01-01"), ("B", "won", "2026-01-21")),  # twenty
    *(("C", "offer", "2026-01-01"), ("C", "lost", "2026-03-01")),  # lost: no measure of how long
    *(("D", "offer", "2026-01-01"), ("D", "lead", "2026-02-19")),  # nor stepped back; a lead since
    ("E", "offer", "2026-02-01"),
    ("F", "lead", "2026-02-19"),
    ("G", "offer", "2026-02-12"),
    ("H", "lead", "2026-01-01"),
]
OWNERS = ["li"] * 8 + ["na", "li", None, "na"]
AMOUNTS = [5] * 7 + [1, 2, 30, None, 4]
LOG = log(*ENTRIES, attributes={"owner": OWNERS, "region": OWNERS[::-1]}, amount=AMOUNTS)


def test_the_list_by_hand() -> None:
    table = stalled(LOG)

    # At the offer 0.9 of the way from 10 to 20 days: 19. F and D are ten days old, not more.
    assert [tuple(row.values()) for row in table.select(*SHOWN).rows()] == [
        ("H", "na", "lead", 4, 59, 10, 49, "max_age"),
        ("E", "na", "offer", 2, 28, 19, 9, "quantile"),
    ]
    assert table["entered_at"][1] == np.datetime64("2026-02-01")
    assert table["visits"].tolist() == [0, 2]
    assert table.texts("rule") == ["the stage", "90% of visits"]
    assert stalled(LOG, quantile=0.999).texts("rule", "zh")[1] == "99.9% 的停留"


SHOWN = ("opportunity", "owner", "stage", "amount", "age_days", "limit_days", "over_days", "rule")


def test_a_day_later_more_are_stalled_the_larger_first() -> None:
    table = stalled(LOG, as_of="2026-03-02T00:00")

    # F and D are a day over, F with the larger amount.
    assert table["opportunity"].tolist() == ["H", "E", "F", "D"]


def test_a_selection_is_held_against_the_limits_of_all() -> None:
    table = stalled(LOG, where={"owner": "na"})

    assert table["opportunity"].tolist() == ["H", "E"]
    assert table["limit_days"].tolist() == [10, 19]
    assert len(stalled(LOG, where={"owner": "li"})) == 0


def test_the_attributes_to_show_can_be_chosen() -> None:
    assert stalled(LOG).columns[:3] == ("opportunity", "owner", "stage")
    assert stalled(LOG, show=["region", "owner"]).columns[:4] == (
        *("opportunity", "region", "owner", "stage"),
    )
    assert stalled(LOG, show=())["stage"].tolist() == ["lead", "offer"]
    bare = stalled(log(*ENTRIES))
    assert bare.columns[:2] == ("opportunity", "stage")
    assert "Amount" not in bare.to_text()
    with pytest.raises(UnknownAttributeError, match="no attribute 'team'"):
        stalled(LOG, show="team")


def test_a_group_is_measured_by_its_own_visits() -> None:
    entries = [*ENTRIES[:4], ("E", "offer", "2026-02-01"), ("G", "offer", "2026-02-12")]
    teams = ["x", "x", "y", "y", "x", "y"]
    table = stalled(
        log(*entries, attributes={"team": teams, "owner": teams}), by="team", as_of="2026-03-05"
    )

    # The offer took ten days in the one team and twenty in the other.
    assert table.columns[:4] == ("team", "opportunity", "owner", "stage")
    assert table["team"].tolist() == ["x", "y"]
    assert table["opportunity"].tolist() == ["E", "G"]
    assert table["limit_days"].tolist() == [10, 20]
    assert table["visits"].tolist() == [1, 1]


def test_the_attribute_of_a_group_is_not_shown_again() -> None:
    assert stalled(LOG, by="owner").columns[:3] == ("owner", "opportunity", "stage")
    assert stalled(LOG, by=["owner", "region"]).columns[:3] == ("owner", "region", "opportunity")


def test_a_group_without_visits_that_advanced_is_measured_by_those_of_all() -> None:
    owners = ["li"] * 4 + ["na"]
    table = stalled(
        log(*ENTRIES[:4], ("E", "offer", "2026-02-01"), attributes={"owner": owners}),
        by="owner",
        as_of="2026-03-01T00:00",
    )

    assert table["limit_days"].tolist() == [19]
    assert table["rule"].tolist() == ["quantile_of_all"]
    assert table["visits"].tolist() == [2]
    assert table.texts("rule") == ["90% of visits of all"]
    assert table.texts("rule", "zh") == ["全部停留的 90%"]


def test_an_attribute_called_like_a_column_is_refused() -> None:
    with pytest.raises(DefinitionError, match="by='stage': the table has a column of that name"):
        stalled(log(("A", "lead", "2026-01-01"), attributes={"stage": ["x"]}), by="stage")


def test_with_a_calendar_days_are_working_days() -> None:
    office = BusinessCalendar(("09:00", "17:00"))
    # From Thursday on: 22 working days until Friday evening, 8 weekend days within.
    table = stalled(
        log(("H", "lead", "2026-01-01"), ("X", "lead", "2026-01-23")),
        calendar=office,
        as_of="2026-01-30T18:00",
    )

    assert table["opportunity"].tolist() == ["H"]
    assert table["age_days"].tolist() == [22]
    assert table["limit_days"].tolist() == [10]
    assert "a day is 8 h of it" in table.to_text()
    with pytest.raises(DefinitionError, match="calendar= is a BusinessCalendar, as in"):
        stalled(LOG, calendar="09:00")  # type: ignore[arg-type]


def test_where_nothing_advanced_there_is_no_limit() -> None:
    table = stalled(log(("E", "offer", "2026-02-01"), ("F", "offer", "2026-06-01")))
    assert len(table) == 0
    assert len(stalled(log())) == 0


@pytest.mark.parametrize("quantile", [0, 1, 90, float("nan")])
def test_a_quantile_is_a_share(quantile: float) -> None:
    with pytest.raises(DefinitionError, match=r"quantile= is between 0 and 1, as in 0\.9, not"):
        stalled(LOG, quantile=quantile)
