"""Building a log: what cannot be an entry is raised, or kept beside the log with its row."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.errors import (
    CurrencyError,
    DataError,
    DefinitionError,
    NaiveTimeError,
    UnknownAttributeError,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity, StageChange
from salesfunnel.model.stage import Stage

FUNNEL = Funnel(["lead", "demo"], ["price"])
CLOSED = Funnel(["lead", "demo"], ["price", "timing"], reasons_closed=True)
T0 = datetime(2026, 1, 5, 9, tzinfo=UTC)

GOOD: dict[str, Any] = {
    "opportunity": ["A", "A", "B", "B"],
    "stage": ["lead", "demo", "lead", "lost"],
    "entered_at": [f"2026-01-0{day}T09:00Z" for day in (5, 6, 7, 8)],
}


def build(funnel: Funnel = FUNNEL, **columns: Any) -> StageLog:
    return StageLog.from_columns(funnel, **{**GOOD, **columns})


def with_third(column: str, value: Any, others: Any = None) -> dict[str, Any]:
    """Return a column that has a value in its third row, and what is good in the others."""
    values = list(GOOD.get(column, [others] * 4))
    values[2] = value
    return {column: values}


COLUMN = "a list or a one-dimensional array, one value for each row"
STATES = "lead, demo, won, lost"
NUMBER = "a finite number, with a point and no separators, as in 12500.50"
ISO = "an ISO 8601 time such as 2026-01-31T09:30:00+08:00 (date_format= names another form)"
ONE_WAY = "a time that can be read in one way only (date_format= says which, as in '%d/%m/%Y')"
STATE = f"a state of the funnel: {STATES} (stage_map= says what other names mean)"


# ── rows that cannot be entries ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        (with_third("stage", "demos"), ("stage", "demos", STATE)),
        (with_third("stage", 7), ("stage", 7, STATE)),
        (with_third("stage", None), ("stage", None, "a stage; there is none")),
        (with_third("stage", "  "), ("stage", "  ", "a stage; there is none")),
        (
            {"stage": [0, 1, 4, 3]},
            ("stage", 4, "the code of a state: 0 to 3"),
        ),
        (
            {"stage": np.array([0, 1, -1, 3], np.int8)},
            ("stage", -1, "the code of a state: 0 to 3"),
        ),
        (
            with_third("opportunity", None),
            ("opportunity", None, "an identifier; there is none"),
        ),
        (with_third("opportunity", ""), ("opportunity", "", "an identifier; there is none")),
        (
            with_third("entered_at", None),
            ("entered_at", None, "a time; there is none (missing_time= would give one)"),
        ),
        (with_third("entered_at", "soon"), ("entered_at", "soon", ISO)),
        (with_third("entered_at", "2026-02-30T00:00Z"), ("entered_at", "2026-02-30T00:00Z", ISO)),
        (
            {**with_third("entered_at", "03/04/2026"), "date_format": "lenient", "tz": "UTC"},
            ("entered_at", "03/04/2026", ONE_WAY),
        ),
        (with_third("amount", "12,500", "100"), ("amount", "12,500", NUMBER)),
        (with_third("amount", float("inf"), 100), ("amount", float("inf"), NUMBER)),
        (
            {**with_third("currency", "EUR", "CNY"), "amount": [1] * 4, "rates": {"CNY": 1}},
            ("currency", "EUR", "a currency with a rate: CNY"),
        ),
        (with_third("order", "first", 1), ("order", "first", "a record number")),
    ],
)
def test_a_row_that_cannot_be_an_entry_is_told_or_kept(
    columns: dict[str, Any], fault: tuple[str, Any, str]
) -> None:
    column, value, expected = fault

    with pytest.raises(DataError) as refusal:
        build(**columns)
    assert str(refusal.value) == (
        "1 row cannot be entries (errors='collect' loads the others and keeps these in "
        f"log.rejected):\n  row 2, {column}: {value!r}, expected {expected}"
    )
    assert [tuple(row) for row in refusal.value.rows] == [(2, *fault)]
    assert refusal.value.more == 0

    log = build(**columns, errors="collect")
    assert list(log.rejected.rows()) == [
        {"row": 2, "column": column, "value": value, "expected": expected}
    ]
    assert len(log) == 3
    assert log.opportunities.tolist() == ["A", "B"]
    assert log.entries.state.tolist() == [0, 1, 3]


def test_an_unknown_loss_reason_is_a_fault_where_the_list_is_closed() -> None:
    reason = ["weather", None, "weather", "weather"]

    with pytest.raises(
        DataError, match=r"row 3, reason: 'weather', expected a reason of the funnel"
    ):
        build(CLOSED, reason=reason)
    log = build(CLOSED, reason=reason, errors="collect")
    assert list(log.rejected.rows()) == [
        {
            "row": 3,
            "column": "reason",
            "value": "weather",
            "expected": "a reason of the funnel: price, timing",
        }
    ]
    assert len(log) == 3
    assert len(build(CLOSED, reason=[None, None, None, "timing"])) == 4
    assert build(FUNNEL, reason=reason).view().loss_reason.tolist() == [-1, 0]


def test_a_row_has_one_fault_and_rows_are_in_their_order() -> None:
    columns: dict[str, Any] = {
        "opportunity": ["A", None, "B", "B"],
        "stage": ["lead", "nowhere", "lead", "lost"],
        "entered_at": ["soon", "2026-01-06T09:00Z", None, "2026-01-08T09:00Z"],
    }

    rejected = build(**columns, errors="collect").rejected

    assert rejected["row"].tolist() == [0, 1, 2]
    assert rejected["column"].tolist() == ["entered_at", "stage", "entered_at"]


def test_twenty_bad_rows_are_listed_and_the_others_counted() -> None:
    columns: dict[str, Any] = {
        "opportunity": list(range(30)),
        "stage": ["lead"] * 5 + ["nowhere"] * 25,
        "entered_at": [T0] * 30,
    }

    with pytest.raises(DataError) as refusal:
        build(**columns)
    lines = str(refusal.value).splitlines()
    assert lines[0].startswith("25 rows cannot be entries")
    assert [line.split(",")[0] for line in lines[1:21]] == [f"  row {row}" for row in range(5, 25)]
    assert lines[21:] == ["  … and 5 more"]

    log = build(**columns, errors="collect")
    assert len(log.rejected) == 25
    assert log.opportunities.tolist() == [0, 1, 2, 3, 4]


def test_a_log_of_bad_rows_alone_is_empty() -> None:
    log = build(stage=["?"] * 4, errors="collect")

    assert len(log) == log.n_opportunities == 0
    assert log.as_of is None
    assert len(log.rejected) == 4


def test_an_opportunity_without_a_good_row_is_not_in_the_log() -> None:
    log = build(
        opportunity=["A", "B", "C", "C"], stage=["lead", "?", "lead", "demo"], errors="collect"
    )

    assert log.opportunities.tolist() == ["A", "C"]
    assert log.identify(log.entries.opportunity).tolist() == ["A", "C", "C"]


def test_rejected_rows_may_be_taken_along_whatever_they_hold() -> None:
    rejected = build(
        entered_at=[date(2026, 1, 5), b"\xff", 1.5, pd.NaT],
        amount=[float("inf"), None, None, None],
        tz="UTC",
        errors="collect",
    ).rejected

    assert '"inf"' in rejected.to_json()
    assert "b'\\xff'" in rejected.to_csv()
    assert rejected.to_frame("polars")["value"].to_list() == ["inf", "b'\\xff'", "1.5", "NaT"]
    assert "1.5" in str(rejected)


# ── stage maps ────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_map_says_what_names_mean() -> None:
    log = build(
        stage=["Neu", " Demo ", "Tot", 5],
        stage_map={"Neu": "lead", " Demo": "demo", "Tot": ("lost", "price"), 5: None},
    )

    assert log.entries.state.tolist() == [0, 1, 3]
    assert log.ignored == 1
    assert log.reasons is not None
    assert [log.reasons.names[code] for code in log.reasons.codes[2:]] == ["price"]


def test_what_a_stage_map_does_not_name_is_the_funnels() -> None:
    log = build(stage=["lead", "Show", "lead", "lost"], stage_map={"Show": "demo"})

    assert log.entries.state.tolist() == [0, 1, 0, 3]


def test_a_stage_map_may_name_codes() -> None:
    log = build(stage=np.array([10, 20, 10, 99]), stage_map={10: "lead", 20: "demo", 99: "lost"})

    assert log.entries.state.tolist() == [0, 1, 0, 3]


@pytest.mark.parametrize("blank", ["", None, float("nan"), " "])
def test_a_stage_map_may_say_what_a_missing_stage_means(blank: Any) -> None:
    columns = with_third("stage", None)

    assert build(**columns, stage_map={blank: None}).ignored == 1
    assert build(**columns, stage_map={blank: "demo"}).entries.state.tolist() == [0, 1, 1, 3]


def test_ignored_rows_have_no_faults() -> None:
    log = build(
        opportunity=["A", "A", None, "B"],
        stage=["lead", "demo", "archived", "lost"],
        entered_at=["2026-01-05T09:00Z", "2026-01-06T09:00Z", "whenever", "2026-01-08T09:00Z"],
        amount=[1, 2, "much", 3],
        stage_map={"archived": None},
    )

    assert log.ignored == 1
    assert len(log) == 3
    assert len(log.rejected) == 0


def test_the_reason_of_a_stage_map_comes_before_that_of_the_row() -> None:
    log = build(
        opportunity=["A", "B", "C", "D"],
        stage=["Price", "Dead", "lost", "Dead"],
        reason=["weather", "timing", "price", None],
        stage_map={"Price": ("lost", "price"), "Dead": "lost"},
    )

    assert log.reasons is not None
    names = [*log.reasons.names, None]
    assert [names[code] for code in log.view().loss_reason] == ["price", "timing", "price", None]


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("demonstration", f"which is no state of the funnel; it has {STATES}"),
        (5, f"which is no state of the funnel; it has {STATES}"),
        (["lost", "price"], f"which is no state of the funnel; it has {STATES}"),
        (("lost", "price", "late"), f"which is no state of the funnel; it has {STATES}"),
        (("won", "price"), "only ('lost', reason) has a second part"),
        (("lost", ""), "only ('lost', reason) has a second part"),
        (("lost", 3), "only ('lost', reason) has a second part"),
    ],
)
def test_a_stage_map_leads_to_states(target: Any, why: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        build(stage_map={"Dead": target})
    assert str(refusal.value).startswith(f"stage_map sends 'Dead' to {target!r}")
    assert str(refusal.value).endswith(why)


def test_a_stage_map_gives_reasons_that_a_closed_list_has() -> None:
    with pytest.raises(DefinitionError) as refusal:
        build(CLOSED, stage_map={"Dead": ("lost", "weather")})
    assert str(refusal.value) == (
        "stage_map gives 'Dead' the loss reason 'weather'; the funnel has price, timing"
    )
    assert len(build(FUNNEL, stage_map={"Dead": ("lost", "weather")})) == 4


def test_a_long_list_of_states_is_cut_short() -> None:
    funnel = Funnel([f"s{k}" for k in range(250)])

    with pytest.raises(DataError, match=r"s0, s1, .*, s11, …, won, lost \(stage_map="):
        build(funnel, stage=["s0", "s1", "s2", "s250"])


# ── times and zones ───────────────────────────────────────────────────────────────────────────────


def test_a_time_without_a_zone_needs_one_also_where_errors_are_collected() -> None:
    for errors in ("raise", "collect"):
        with pytest.raises(NaiveTimeError) as refusal:
            build(**with_third("entered_at", "2026-01-07 09:00"), errors=errors)
        assert str(refusal.value) == (
            "entered_at: '2026-01-07 09:00' names no time zone; give the zone of the data by tz=, "
            "as in tz='Asia/Shanghai' or tz='UTC'"
        )


def test_a_zone_may_be_named_or_given_and_is_the_logs() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")

    for tz in ("Asia/Shanghai", shanghai):
        log = build(**with_third("entered_at", "2026-01-07 09:00"), tz=tz)
        assert log.tz == shanghai
        assert log.entries.time[2] == np.datetime64("2026-01-07T01:00", "us").astype(np.int64)
    assert build().tz is UTC
    with pytest.raises(
        DefinitionError, match="tz= is an IANA name such as 'Asia/Shanghai' or a tz"
    ):
        build(tz="Asia/Peking")


def test_rows_without_a_time_may_be_given_one() -> None:
    log = build(**with_third("entered_at", ""), missing_time="2020-01-01", tz="UTC")

    assert log.entries.time[2] == np.datetime64("2020-01-01", "us").astype(np.int64)
    assert len(log.rejected) == 0


# ── money ─────────────────────────────────────────────────────────────────────────────────────────


def test_amounts_in_several_currencies_need_rates_also_where_errors_are_collected() -> None:
    columns: dict[str, Any] = {"amount": [1, 2, 3, 4], "currency": ["CNY", "USD", "CNY", None]}

    for errors in ("raise", "collect"):
        with pytest.raises(
            CurrencyError, match=r"currency: amounts in CNY, USD; give what one unit"
        ):
            build(**columns, errors=errors)
    log = build(**columns | {"currency": ["CNY", "USD", "CNY", "CNY"]}, rates={"CNY": 1, "USD": 7})
    assert log.amounts is not None
    assert log.amounts.tolist() == [1, 14, 3, 4]
    assert log.currency == "CNY"


def test_a_currency_is_known_without_rates_where_it_is_one() -> None:
    assert build(amount=[1, 2, 3, 4], currency="EUR").currency == "EUR"
    assert build(currency="EUR").currency == "EUR"
    assert build(amount=[1, 2, 3, 4]).currency is None


# ── arguments ─────────────────────────────────────────────────────────────────────────────────────


def test_columns_are_of_one_length() -> None:
    with pytest.raises(DataError) as refusal:
        build(stage=["lead"] * 3)
    assert str(refusal.value) == (
        "the columns of a log are of one length; given: opportunity 4, stage 3, entered_at 4"
    )
    for columns in (
        {"amount": [1]},
        {"reason": ["price"]},
        {"order": [1]},
        {"currency": ["CNY"], "amount": [1] * 4},
        {"attributes": {"owner": ["li"]}},
    ):
        with pytest.raises(DataError, match=r"the columns of a log are of one length; given: .* 1"):
            build(**columns)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"ties": "random"}, "ties= is one of input, state, not 'random'"),
        (
            {"ties": "state", "order": [1, 2, 3, 4]},
            "ties='state' and order= both settle equal times: give one of them",
        ),
        ({"errors": "ignore"}, "errors= is 'raise' or 'collect', not 'ignore'"),
        ({"funnel": ["lead", "demo"]}, "a log needs a Funnel, not ['lead', 'demo']"),
        (
            {"opportunity": "A"},
            f"opportunity is {COLUMN}, not 'A'",
        ),
        (
            {"order": np.eye(4)},
            f"order is {COLUMN}, not of shape (4, 4)",
        ),
    ],
)
def test_an_argument_of_another_form_is_told(arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        build(**arguments)
    assert str(refusal.value) == why


def test_an_attribute_of_none_is_none() -> None:
    log = build(attributes={"owner": ["li"] * 4, "region": None})

    assert log.attributes == ("owner",)
    with pytest.raises(
        UnknownAttributeError, match="the log has no attribute 'region'; it has owner"
    ):
        log.flow(by="region")


def test_the_arrays_given_stay_as_they_are() -> None:
    columns: dict[str, Any] = {
        "opportunity": np.array([1, 1, 2, 2]),
        "stage": np.array([0, 1, 0, 3], np.uint8),
        "entered_at": np.array([0, 1, 2, 3]),
        "amount": np.array([1.0, 2, 3, 4]),
        "order": np.array([1, 2, 3, 4]),
    }

    log = build(**columns)

    for column in columns.values():
        np.add(column, 1, out=column)
    assert log.entries.time.tolist() == [0, 1, 2, 3]
    assert log.opportunities.tolist() == [1, 2]


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_columns_of_dataframes_are_columns(library: Any) -> None:
    frame = library(
        {
            "id": ["A", "A", "B"],
            "stage": ["lead", "demo", "lead"],
            "at": [T0, T0.replace(day=6), T0.replace(day=7)],
            "owner": ["li", None, "na"],
            "amount": [1.5, None, 3],
        }
    )

    log = StageLog.from_columns(
        FUNNEL,
        opportunity=frame["id"],
        stage=frame["stage"],
        entered_at=frame["at"],
        attributes={"owner": frame["owner"]},
        amount=frame["amount"],
        tz="UTC",
    )

    assert log.opportunities.tolist() == ["A", "B"]
    assert log.flow(by="owner").groups == ("li", "na")
    assert log.view().amount.tolist() == [1.5, 3]
    assert log.as_of == T0.replace(day=7)


# ── from opportunities ────────────────────────────────────────────────────────────────────────────


def test_opportunities_bring_their_histories_and_values() -> None:
    engine = TransitionEngine(CLOSED)
    won = engine.open(
        Opportunity("O-1", amount="12.50", currency="CNY", owner="li", fields={"plan": "gold"}),
        at=T0,
    )
    won = engine.win(engine.advance(won, at=T0.replace(day=6)), at=T0.replace(day=7))
    lost = engine.open(Opportunity("O-2", currency="CNY"), at=T0)
    lost = engine.lose(lost, reason="timing", at=T0.replace(day=9))
    never = Opportunity("O-3")

    log = StageLog.from_opportunities([won, lost, never], CLOSED)

    assert log.opportunities.tolist() == ["O-1", "O-2"]
    assert log.milestones().status.tolist() == ["won", "lost"]
    assert log.attributes == ("currency", "owner", "plan")
    assert log.flow(by="plan").groups == ("gold", None)
    assert log.view().amount[0] == 12.5
    assert log.currency == "CNY"
    assert log.reasons is not None
    assert log.reasons.names == ("timing",)
    assert log.as_of == T0.replace(day=9)


def test_fields_that_stages_require_are_attributes_also_where_none_has_one() -> None:
    funnel = Funnel([Stage("lead", required=["budget", "amount"])])

    log = StageLog.from_opportunities(
        [Opportunity("O-1", history=[StageChange("lead", T0)])], funnel
    )

    assert "budget" in log.attributes
    assert "amount" not in log.attributes


def test_two_opportunities_of_one_id_are_told() -> None:
    change = StageChange("lead", T0)

    with pytest.raises(DataError) as refusal:
        StageLog.from_opportunities([Opportunity("O-1", history=[change])] * 2, FUNNEL)
    assert str(refusal.value) == "two opportunities have the id 'O-1'; a log needs one of each"


def test_a_log_is_made_of_opportunities() -> None:
    with pytest.raises(DefinitionError, match="a log is made of Opportunity values, not of 'O-1'"):
        StageLog.from_opportunities(["O-1"], FUNNEL)  # type: ignore[list-item]


def test_no_opportunities_are_an_empty_log() -> None:
    assert len(StageLog.from_opportunities([], FUNNEL)) == 0
    assert len(StageLog.from_opportunities([Opportunity("O-1")], FUNNEL)) == 0


def test_a_state_of_another_funnel_is_told_with_its_row() -> None:
    strange = Opportunity("O-1", history=[StageChange("lead", T0), StageChange("pilot", T0)])

    with pytest.raises(DataError, match=r"row 1, stage: 'pilot', expected a state of the funnel"):
        StageLog.from_opportunities([strange], FUNNEL)
    assert len(StageLog.from_opportunities([strange], FUNNEL, errors="collect").rejected) == 1


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5), max_size=12),
    st.booleans(),
)
def test_integer_identifiers_of_any_size_keep_their_value(ids: list[int], ascending: bool) -> None:
    ids = sorted(ids) if ascending else ids

    log = StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=np.array(ids, np.int64),
        stage=np.arange(len(ids)) % 2,
        entered_at=np.arange(len(ids)),
    )

    assert log.opportunities.tolist() == sorted(set(ids))
    assert log.identify(log.entries.opportunity).tolist() == sorted(ids)
    assert int(log.flow().starts.sum()) == len(set(ids))
