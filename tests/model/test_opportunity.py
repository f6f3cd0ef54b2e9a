"""Opportunities and their history: what they may be, values, and JSON."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DefinitionError
from salesfunnel.model.instant import instant
from salesfunnel.model.opportunity import Opportunity, StageChange

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
T1, T2 = T0 + timedelta(days=4), T0 + timedelta(days=9)
NAIVE = datetime(2026, 1, 5)  # noqa: DTZ001
SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


# ── changes ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("stage", "status"), [("demo", "open"), ("won", "won"), ("lost", "lost")])
def test_without_a_status_a_stage_is_open_and_the_sinks_speak_for_themselves(
    stage: str, status: str
) -> None:
    assert StageChange(stage, T0).status == status


@pytest.mark.parametrize(
    ("stage", "status"), [("care", "won"), ("lost", "churned"), ("lost", "lost"), ("demo", "open")]
)
def test_a_change_carries_the_status_that_it_was_given(stage: str, status: str) -> None:
    assert StageChange(stage, T0, status=status).status == status


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StageChange("", T0), "StageChange.stage is not empty and has no blanks"),
        (lambda: StageChange("demo", NAIVE), "StageChange.at has no time zone: datetime.datetime("),
        (
            lambda: StageChange("demo", "2026-01-05"),  # type: ignore[arg-type]
            "StageChange.at is an aware datetime, not '2026-01-05'",
        ),
        (
            lambda: StageChange("demo", T0, status="going well"),
            "StageChange.status is one of open, won, lost, churned, not 'going well'",
        ),
        (
            lambda: StageChange("demo", T0, status="lost"),
            "after entering 'demo' an opportunity is open or won, not 'lost'",
        ),
        (
            lambda: StageChange("won", T0, status="churned"),
            "after entering 'won' an opportunity is won, not 'churned'",
        ),
        (
            lambda: StageChange("lost", T0, status="open"),
            "after entering 'lost' an opportunity is lost or churned, not 'open'",
        ),
        (
            lambda: StageChange("demo", T0, reason="price"),
            "only a loss has a reason: entering 'demo' was given 'price'",
        ),
        (
            lambda: StageChange("lost", T0, reason=5),  # type: ignore[arg-type]
            "StageChange.reason is a text or None, not 5",
        ),
        (
            lambda: StageChange("demo", T0, by=5),  # type: ignore[arg-type]
            "StageChange.by is a text or None, not 5",
        ),
    ],
)
def test_a_change_that_cannot_be_is_refused(make: Callable[[], StageChange], message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        make()

    assert str(refusal.value).startswith(message)


def test_changes_at_one_moment_are_equal_in_whatever_zone_it_is_told() -> None:
    here, there = StageChange("demo", T0), StageChange("demo", T0.astimezone(SHANGHAI))

    assert here == there
    assert hash(here) == hash(there)
    assert here != StageChange("demo", T1)


def test_a_change_in_the_hour_that_happens_twice_equals_itself_in_another_zone() -> None:
    at = datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK, fold=1)
    change = StageChange("demo", at)

    assert change == StageChange("demo", at.astimezone(UTC))
    assert change != StageChange("demo", at.replace(fold=0))


def test_a_change_as_the_engine_makes_it_equals_the_one_that_was_checked() -> None:
    trusted = StageChange._trusted("lost", T0, "price", "lost", "li.na", "too dear")

    assert trusted == StageChange("lost", T0, reason="price", by="li.na", note="too dear")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        trusted.stage = "won"  # type: ignore[misc]


# ── what an opportunity is ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def opportunity() -> Opportunity:
    return Opportunity(
        "O-1",
        customer="Acme",
        contact="Wang",
        owner="li.na",
        source="web",
        product="Suite",
        amount="12000.00",
        currency="CNY",
        created_at=T0,
        expected_close="2026-03-31",
        fields={"region": "North", "seats": 40},
        history=[StageChange("lead", T0), StageChange("demo", T1, by="li.na")],
    )


def test_an_opportunity_given_only_an_id_has_nothing_else() -> None:
    opportunity = Opportunity("O-1")

    assert opportunity.history == ()
    assert opportunity.fields == {}
    assert (opportunity.stage, opportunity.status, opportunity.entered_at) == (None, None, None)
    assert (opportunity.amount, opportunity.created_at, opportunity.expected_close) == (
        None,
        None,
        None,
    )


def test_an_opportunity_stands_where_its_history_ends(opportunity: Opportunity) -> None:
    assert (opportunity.stage, opportunity.status) == ("demo", "open")
    assert opportunity.entered_at == T1


def test_amount_and_date_are_parsed_at_the_door(opportunity: Opportunity) -> None:
    assert opportunity.amount == Decimal(12000)
    assert opportunity.expected_close == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("field", "value"),
    [("owner", "li.na"), ("id", "O-1"), ("region", "North"), ("seats", 40), ("colour", None)],
)
def test_a_value_is_found_among_the_own_and_the_free_fields(
    opportunity: Opportunity, field: str, value: object
) -> None:
    assert opportunity.value(field) == value


def test_fields_without_a_value_are_missing() -> None:
    opportunity = Opportunity(
        "O-1", owner="", amount=0, fields={"region": "", "seats": 0, "signed": False, "notes": None}
    )

    required = ("owner", "amount", "region", "seats", "signed", "notes", "contact", "colour")
    assert opportunity.missing(required) == ("owner", "region", "notes", "contact", "colour")
    assert opportunity.missing(()) == ()


def test_a_field_whose_comparison_has_no_single_truth_is_not_missing() -> None:
    scores = Opportunity("O-1", fields={"scores": np.array([1.0, 2.0])})

    assert scores.missing(["scores"]) == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": 1}, "Opportunity.id is a text, not 1"),
        ({"id": ""}, "Opportunity.id is not empty and has no blanks at its ends: ''"),
        ({"owner": 7}, "Opportunity.owner is a text or None, not 7"),
        ({"currency": 156}, "Opportunity.currency is a text or None, not 156"),
        (
            {"amount": "12,000"},
            "an amount is a finite Decimal, an int or digits, not '12,000'",
        ),
        (
            {"created_at": NAIVE},
            (
                "Opportunity.created_at has no time zone: datetime.datetime(2026, 1, 5, 0, 0); "
                "give it one, as in datetime(2026, 1, 5, tzinfo=ZoneInfo('Asia/Shanghai'))"
            ),
        ),
        (
            {"expected_close": "end of March"},
            "a date is a date or a text such as '2026-03-31', not 'end of March'",
        ),
        ({"fields": [("a", 1)]}, "fields map names to values, not [('a', 1)]"),
        ({"fields": {1: "a"}}, "fields map names to values, not {1: 'a'}"),
        (
            {"fields": {"region": "North", "amount": 1}},
            "'amount' is the opportunity's own, not one of its free fields",
        ),
        ({"history": None}, "a history is a sequence of StageChange, not None"),
        ({"history": ["demo"]}, "a history is a sequence of StageChange, not of 'demo'"),
        (
            {"history": [StageChange("lead", T1), StageChange("demo", T0)]},
            (
                "a history is in order of time: 'demo' at 2026-01-05T09:00:00+00:00 follows "
                "'lead' at 2026-01-09T09:00:00+00:00"
            ),
        ),
    ],
)
def test_an_opportunity_that_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Opportunity(**{"id": "O-1", **values})

    assert str(refusal.value) == message


def test_two_changes_may_share_one_moment_whatever_the_zones() -> None:
    at = T0.astimezone(SHANGHAI)

    history = Opportunity("O-1", history=[StageChange("lead", T0), StageChange("demo", at)]).history

    assert [change.stage for change in history] == ["lead", "demo"]


def test_a_history_is_in_order_of_time_also_when_the_clocks_go_back() -> None:
    first = StageChange("lead", datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK))
    second = StageChange("demo", datetime(2026, 11, 1, 1, 10, tzinfo=NEW_YORK, fold=1))

    assert Opportunity("O-1", history=[first, second]).stage == "demo"
    with pytest.raises(DefinitionError, match="a history is in order of time: 'lead'"):
        Opportunity("O-1", history=[second, first])


# ── values ────────────────────────────────────────────────────────────────────────────────────────


def test_opportunities_of_equal_values_are_equal_and_hash_alike(opportunity: Opportunity) -> None:
    same = Opportunity.from_dict(opportunity.to_dict())

    assert same == opportunity
    assert hash(same) == hash(opportunity)
    assert opportunity != attrs.evolve(opportunity, owner="wei")


def test_an_amount_is_equal_however_it_was_written() -> None:
    written: list[Any] = ["12000", 12000, 12000.0, Decimal("12000.00")]

    assert len({Opportunity("O-1", amount=amount) for amount in written}) == 1


def test_unhashable_fields_cost_the_hash_and_nothing_else() -> None:
    opportunity = Opportunity("O-1", fields={"tags": ["hot"]})

    assert opportunity == Opportunity("O-1", fields={"tags": ["hot"]})
    assert opportunity.value("tags") == ["hot"]
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        hash(opportunity)


def test_an_opportunity_cannot_be_changed_in_place(opportunity: Opportunity) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        opportunity.owner = "wei"  # type: ignore[misc]
    with pytest.raises(TypeError, match="does not support item assignment"):
        opportunity.fields["region"] = "South"  # type: ignore[index]


def test_evolving_an_opportunity_keeps_its_history_and_checks_it_again(
    opportunity: Opportunity,
) -> None:
    dearer = attrs.evolve(opportunity, amount="15000")

    assert (dearer.amount, dearer.history) == (Decimal(15000), opportunity.history)
    with pytest.raises(DefinitionError, match="an amount is a finite Decimal"):
        attrs.evolve(opportunity, amount="a lot")
    with pytest.raises(DefinitionError, match="in order of time"):
        attrs.evolve(opportunity, history=opportunity.history[::-1])


def test_a_change_later_only_the_history_is_longer(opportunity: Opportunity) -> None:
    change = StageChange("offer", T2)

    moved = opportunity._with_change(change)

    assert moved == attrs.evolve(opportunity, history=(*opportunity.history, change))
    assert opportunity.stage == "demo"


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))],  # noqa: S301
)
def test_a_copy_of_an_opportunity_is_equal(
    opportunity: Opportunity, copied: Callable[[Opportunity], Opportunity]
) -> None:
    assert copied(opportunity) == opportunity


# ── plain data ────────────────────────────────────────────────────────────────────────────────────

texts = st.none() | st.text(max_size=8)
ids = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
moments = st.datetimes(timezones=st.just(UTC) | st.timezones())
amounts = st.none() | st.decimals(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@st.composite
def changes(draw: st.DrawFn) -> StageChange:
    stage = draw(st.sampled_from(["lead", "demo", "care", "won", "lost"]))
    statuses = {"won": ["won"], "lost": ["lost", "churned"]}.get(stage, ["open", "won"])
    return StageChange(
        stage,
        draw(moments),
        status=draw(st.sampled_from(statuses)),
        reason=draw(texts) if stage == "lost" else None,
        by=draw(texts),
        note=draw(texts),
    )


@st.composite
def opportunities(draw: st.DrawFn) -> Opportunity:
    history = draw(st.lists(changes(), max_size=4))
    return Opportunity(
        draw(ids),
        customer=draw(texts),
        contact=draw(texts),
        owner=draw(texts),
        source=draw(texts),
        product=draw(texts),
        amount=draw(amounts),
        currency=draw(texts),
        created_at=draw(st.none() | moments),
        expected_close=draw(st.none() | st.dates()),
        fields={f"x_{name}": value for name, value in draw(free_fields).items()},
        history=sorted(history, key=lambda change: instant(change.at)),
    )


free_fields = st.dictionaries(st.text(max_size=5), json_values, max_size=3)


@given(changes())
def test_a_change_survives_json(change: StageChange) -> None:
    assert StageChange.from_dict(json.loads(json.dumps(change.to_dict()))) == change


@given(opportunities())
def test_an_opportunity_survives_json(opportunity: Opportunity) -> None:
    assert Opportunity.from_dict(json.loads(json.dumps(opportunity.to_dict()))) == opportunity


def test_the_plain_data_of_an_opportunity_leaves_out_what_it_does_not_have(
    opportunity: Opportunity,
) -> None:
    assert Opportunity("O-1").to_dict() == {"id": "O-1", "history": []}
    assert opportunity.to_dict() == {
        "id": "O-1",
        "customer": "Acme",
        "contact": "Wang",
        "owner": "li.na",
        "source": "web",
        "product": "Suite",
        "amount": "12000.00",
        "currency": "CNY",
        "created_at": "2026-01-05T09:00:00+00:00",
        "expected_close": "2026-03-31",
        "fields": {"region": "North", "seats": 40},
        "history": [
            {"stage": "lead", "at": "2026-01-05T09:00:00+00:00", "status": "open"},
            {
                "stage": "demo",
                "at": "2026-01-09T09:00:00+00:00",
                "status": "open",
                "by": "li.na",
            },
        ],
    }


def test_data_may_be_as_short_as_one_would_write_it() -> None:
    data = {"id": "O-1", "history": [{"stage": "lead", "at": "2026-01-05T17:00+08:00"}]}

    opportunity = Opportunity.from_dict(data)

    assert opportunity == Opportunity("O-1", history=[StageChange("lead", T0)])
    assert Opportunity.from_dict({"id": "O-2"}) == Opportunity("O-2")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("O-1", "an opportunity is read from a mapping, not from 'O-1'"),
        ({"owner": "li.na"}, "an opportunity needs the field id; given: {'owner': 'li.na'}"),
        (
            {"id": "O-1", "history": {"stage": "lead"}},
            "the changes of a history are a list, not {'stage': 'lead'}",
        ),
        (
            {"id": "O-1", "history": [{"stage": "lead"}]},
            "a stage change needs the field at; given: {'stage': 'lead'}",
        ),
        (
            {"id": "O-1", "history": [{"stage": "lead", "at": "yesterday"}]},
            "the time of a change is an ISO 8601 text, not 'yesterday'",
        ),
        (
            {"id": "O-1", "history": [{"stage": "lead", "at": 5}]},
            "StageChange.at is an aware datetime, not 5",
        ),
        (
            {"id": "O-1", "history": [{"stage": "lead", "at": T0.isoformat(), "when": "now"}]},
            "a stage change has no field 'when'; it has stage, at, reason, status, by, note",
        ),
        (
            {"id": "O-1", "created_at": "yesterday"},
            "created_at is an ISO 8601 text, not 'yesterday'",
        ),
    ],
)
def test_data_that_is_no_opportunity_is_refused(data: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Opportunity.from_dict(data)

    assert str(refusal.value) == message


def test_a_time_without_zone_in_data_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"StageChange\.at has no time zone"):
        StageChange.from_dict({"stage": "lead", "at": "2026-01-05T09:00"})
