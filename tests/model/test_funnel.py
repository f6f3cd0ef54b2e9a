"""Funnels: their states, their limits, adapting them by value, and JSON."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import (
    DefinitionError,
    DuplicateKeyError,
    UnknownReasonError,
    UnknownStateError,
)
from salesfunnel.model.funnel import MAX_STAGES, Funnel
from salesfunnel.model.stage import LossReason, Stage


@pytest.fixture
def funnel() -> Funnel:
    return Funnel(
        [
            Stage("lead", "Lead", names={"zh": "线索"}),
            Stage("demo", "Demo", probability=0.4, max_age="14d"),
            Stage("offer", "Offer", required=["amount"]),
            Stage("care", "Care", post_sale=True),
        ],
        [LossReason("price", category="commercial"), LossReason("timing")],
        name="Ours",
    )


# ── states and lookups ────────────────────────────────────────────────────────────────────────────


def test_the_states_are_the_stages_in_order_then_won_and_lost(funnel: Funnel) -> None:
    assert funnel.states == ("lead", "demo", "offer", "care", "won", "lost")
    assert [funnel.index(state) for state in funnel.states] == [0, 1, 2, 3, 4, 5]
    assert (funnel.n_presale, funnel.won, funnel.lost) == (3, 4, 5)


def test_a_funnel_is_a_sequence_of_its_stages(funnel: Funnel) -> None:
    assert len(funnel) == 4
    assert [stage.key for stage in funnel] == ["lead", "demo", "offer", "care"]
    assert funnel["demo"].probability == 0.4


def test_a_funnel_contains_its_stages_and_their_keys_but_not_the_sinks(funnel: Funnel) -> None:
    assert "demo" in funnel
    assert all(stage in funnel for stage in funnel)
    assert "won" not in funnel
    assert "lost" not in funnel
    assert "trial" not in funnel
    assert Stage("demo") not in funnel
    assert 1 not in funnel


def test_a_text_stands_for_a_stage_or_a_reason_with_that_key() -> None:
    assert Funnel(["lead", "demo"], ["price"]) == Funnel(
        (Stage("lead"), Stage("demo")), (LossReason("price"),)
    )


def test_stages_may_come_from_an_iterator() -> None:
    assert Funnel(Stage(key) for key in ("lead", "demo")).states[:2] == ("lead", "demo")


def test_an_unknown_state_is_refused_with_those_that_there_are(funnel: Funnel) -> None:
    for lookup in (funnel.index, funnel.__getitem__):
        with pytest.raises(UnknownStateError) as refusal:
            lookup("trial")
        assert str(refusal.value) == (
            "no state 'trial' in this funnel; it has lead, demo, offer, care, won, lost"
        )
        assert isinstance(refusal.value, KeyError)


def test_what_cannot_be_a_key_is_no_state_either(funnel: Funnel) -> None:
    with pytest.raises(UnknownStateError, match="no state 0 in this funnel"):
        funnel.index(0)  # type: ignore[arg-type]
    with pytest.raises(UnknownStateError, match="no state \\['demo'\\] in this funnel"):
        funnel.index(["demo"])  # type: ignore[arg-type]


def test_a_sink_has_a_number_but_no_properties(funnel: Funnel) -> None:
    with pytest.raises(UnknownStateError) as refusal:
        funnel["won"]

    assert str(refusal.value) == "'won' is a sink of the funnel, not a stage with properties"


def test_a_loss_reason_is_found_by_its_key(funnel: Funnel) -> None:
    assert funnel.reason("price").category == "commercial"
    assert funnel.knows_reason("price")
    assert not funnel.knows_reason("budget")
    assert not funnel.knows_reason(["price"])  # type: ignore[arg-type]


def test_an_unknown_loss_reason_is_refused_with_those_that_there_are(funnel: Funnel) -> None:
    with pytest.raises(UnknownReasonError) as refusal:
        funnel.reason("budget")
    assert str(refusal.value) == "no loss reason 'budget' in this funnel; it has price, timing"
    assert isinstance(refusal.value, KeyError)

    with pytest.raises(UnknownReasonError, match="it has none"):
        Funnel(["lead"]).reason("budget")
    with pytest.raises(UnknownReasonError, match="no loss reason \\['price'\\]"):
        funnel.reason(["price"])  # type: ignore[arg-type]


# ── what a funnel cannot be ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Funnel([]),
            DefinitionError,
            "a funnel has at least one stage; none was given",
        ),
        (
            lambda: Funnel([f"s{number}" for number in range(251)]),
            DefinitionError,
            "a funnel has at most 250 stages, not 251",
        ),
        (
            lambda: Funnel(["lead", "demo", "lead"]),
            DuplicateKeyError,
            "the key 'lead' stands twice in the stages of one funnel",
        ),
        (
            lambda: Funnel(["lead"], ["price", LossReason("price", "Too dear")]),
            DuplicateKeyError,
            "the key 'price' stands twice in the loss reasons of one funnel",
        ),
        (
            lambda: Funnel(["lead", "won"]),
            DefinitionError,
            (
                "the key 'won' is reserved: every funnel has the states 'won' and 'lost' "
                "beside its stages"
            ),
        ),
        (
            lambda: Funnel([Stage("care", post_sale=True)]),
            DefinitionError,
            "a funnel has at least one stage before the sale: 'care', the first, is post-sale",
        ),
        (
            lambda: Funnel(["lead", Stage("care", post_sale=True), "offer"]),
            DefinitionError,
            "post-sale stages come last: 'offer' follows 'care' but is not post-sale",
        ),
        (
            lambda: Funnel("lead"),
            DefinitionError,
            "stages are a sequence of Stage, not 'lead'",
        ),
        (
            lambda: Funnel(None),  # type: ignore[arg-type]
            DefinitionError,
            "stages are a sequence of Stage, not None",
        ),
        (
            lambda: Funnel(["lead", 5]),  # type: ignore[list-item]
            DefinitionError,
            "stages are a sequence of Stage, not of 5",
        ),
        (
            lambda: Funnel(["lead"], "price"),
            DefinitionError,
            "loss reasons are a sequence of LossReason, not 'price'",
        ),
        (
            lambda: Funnel(["lead"], [Stage("price", "Price")]),  # type: ignore[list-item]
            DefinitionError,
            "loss reasons are a sequence of LossReason, not of " + repr(Stage("price", "Price")),
        ),
        (
            lambda: Funnel(["lead"], name=5),  # type: ignore[arg-type]
            DefinitionError,
            "Funnel.name is a text or None, not 5",
        ),
        (
            lambda: Funnel(["lead"], reasons_closed="yes"),  # type: ignore[arg-type]
            DefinitionError,
            "Funnel.reasons_closed is True or False, not 'yes'",
        ),
    ],
)
def test_a_funnel_that_cannot_be_is_refused_with_what_was_given(
    make: Callable[[], Funnel], error: type[DefinitionError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        make()

    assert str(refusal.value) == message


def test_a_funnel_may_have_exactly_250_stages_so_that_every_state_fits_in_a_byte() -> None:
    funnel = Funnel([f"s{number}" for number in range(MAX_STAGES)])

    assert len(funnel) == 250
    assert funnel.lost == 251


# ── values ────────────────────────────────────────────────────────────────────────────────────────


def test_funnels_of_equal_values_are_equal_and_hash_alike(funnel: Funnel) -> None:
    same = Funnel(list(funnel), list(funnel.loss_reasons), name="Ours")

    assert same == funnel
    assert hash(same) == hash(funnel)
    assert {same: "found"}[funnel] == "found"


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"reasons_closed": True},
        {"loss_reasons": ()},
        {"stages": ("lead", "demo")},
    ],
)
def test_a_funnel_with_another_value_is_another_funnel(
    funnel: Funnel, change: dict[str, Any]
) -> None:
    assert attrs.evolve(funnel, **change) != funnel


def test_a_funnel_cannot_be_changed_in_place(funnel: Funnel) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        funnel.stages = ()  # type: ignore[misc]


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda funnel: pickle.loads(pickle.dumps(funnel))],  # noqa: S301
)
def test_a_copy_of_a_funnel_is_equal_and_works(
    funnel: Funnel, copied: Callable[[Funnel], Funnel]
) -> None:
    other = copied(funnel)

    assert other == funnel
    assert other.index("offer") == 2
    assert other.knows_reason("timing")


# ── adapting, by value ────────────────────────────────────────────────────────────────────────────


def test_a_stage_is_inserted_before_or_after_another(funnel: Funnel) -> None:
    trial = Stage("trial", max_age="30d")

    assert funnel.insert(trial, after="demo").states[:4] == ("lead", "demo", "trial", "offer")
    assert funnel.insert("trial", before="lead").states[:2] == ("trial", "lead")
    assert funnel.insert(trial, after="demo")["trial"] is trial
    assert funnel.states == ("lead", "demo", "offer", "care", "won", "lost")


@pytest.mark.parametrize("place", [{}, {"before": "lead", "after": "demo"}])
def test_an_insertion_needs_one_place(funnel: Funnel, place: dict[str, str]) -> None:
    with pytest.raises(DefinitionError) as refusal:
        funnel.insert("trial", **place)

    assert str(refusal.value) == "insert needs a place: before= or after= one stage"


def test_an_insertion_is_checked_like_any_funnel(funnel: Funnel) -> None:
    with pytest.raises(DuplicateKeyError, match="'demo' stands twice"):
        funnel.insert("demo", after="offer")
    with pytest.raises(DefinitionError, match="'trial' follows 'care' but is not post-sale"):
        funnel.insert("trial", after="care")
    with pytest.raises(UnknownStateError, match="no state 'close'"):
        funnel.insert("trial", before="close")
    with pytest.raises(UnknownStateError, match="'won' is a sink"):
        funnel.insert("trial", before="won")


def test_a_stage_is_dropped(funnel: Funnel) -> None:
    assert funnel.drop("demo").states == ("lead", "offer", "care", "won", "lost")
    assert "demo" in funnel


def test_the_last_stage_before_the_sale_cannot_be_dropped() -> None:
    with pytest.raises(DefinitionError, match="at least one stage; none was given"):
        Funnel(["lead"]).drop("lead")
    with pytest.raises(DefinitionError, match="'care', the first, is post-sale"):
        Funnel(["lead", Stage("care", post_sale=True)]).drop("lead")


def test_a_stage_is_replaced_by_another_or_in_some_of_its_values(funnel: Funnel) -> None:
    assert funnel.replace("demo", Stage("trial")).states[:3] == ("lead", "trial", "offer")

    likelier = funnel.replace("demo", probability=0.6, max_age="7d")
    assert likelier["demo"] == Stage("demo", "Demo", probability=0.6, max_age="7d")
    assert likelier.replace("demo", funnel["demo"]) == funnel
    assert funnel.replace("demo", key="show").states[:3] == ("lead", "show", "offer")


@pytest.mark.parametrize("values", [{}, {"stage": Stage("trial"), "probability": 0.6}])
def test_a_replacement_needs_a_stage_or_values_but_not_both(
    funnel: Funnel, values: dict[str, Any]
) -> None:
    with pytest.raises(DefinitionError) as refusal:
        funnel.replace("demo", **values)

    assert str(refusal.value) == "replace takes either a new stage or the values to change"


def test_a_replacement_is_checked_like_any_stage_and_funnel(funnel: Funnel) -> None:
    with pytest.raises(DefinitionError, match="a stage has no field 'chance'"):
        funnel.replace("demo", chance=0.6)
    with pytest.raises(DefinitionError, match="from 0 to 1"):
        funnel.replace("demo", probability=60)
    with pytest.raises(DuplicateKeyError, match="'lead' stands twice"):
        funnel.replace("demo", key="lead")
    with pytest.raises(UnknownStateError, match="no state 'trial'"):
        funnel.replace("trial", probability=0.6)


def test_a_stage_is_renamed_for_people_and_keeps_its_key(funnel: Funnel) -> None:
    renamed = funnel.rename("demo", "Show it", zh="演示")

    assert renamed.states == funnel.states
    assert renamed["demo"].label() == "Show it"
    assert renamed["demo"].label("zh") == "演示"
    assert renamed["demo"].probability == 0.4


def test_renaming_in_one_language_leaves_the_others(funnel: Funnel) -> None:
    renamed = funnel.rename("lead", de="Anfrage")

    assert renamed["lead"].name == "Lead"
    assert renamed["lead"].names == {"zh": "线索", "de": "Anfrage"}


def test_the_name_in_the_language_of_the_plain_name_follows_it() -> None:
    funnel = Funnel([Stage("demo", "Demo", names={"en": "Demo", "zh": "演示"})])

    renamed = funnel.rename("demo", "Show it")

    assert renamed["demo"].names == {"en": "Show it", "zh": "演示"}


# ── plain data ────────────────────────────────────────────────────────────────────────────────────


@st.composite
def funnels(draw: st.DrawFn) -> Funnel:
    # Written as JSON would have it: what the stages may hold is the matter of test_stage.py.
    size = draw(st.integers(1, 6))
    n_presale = draw(st.integers(1, size))
    stages = [
        Stage(f"s{place}", post_sale=place >= n_presale, max_age=draw(st.none() | st.just("3d")))
        for place in range(size)
    ]
    reasons = draw(st.lists(st.sampled_from(["price", "timing", "价格"]), unique=True))
    return Funnel(
        stages,
        reasons,
        name=draw(st.none() | st.text(max_size=5)),
        reasons_closed=draw(st.booleans()),
    )


@given(funnels())
def test_a_funnel_survives_json(funnel: Funnel) -> None:
    assert Funnel.from_dict(json.loads(json.dumps(funnel.to_dict()))) == funnel


def test_the_plain_data_of_a_funnel_is_what_one_would_write_by_hand() -> None:
    data = {
        "stages": [{"key": "lead", "name": "Lead"}],
        "loss_reasons": [{"key": "price", "name": "Price"}],
    }

    assert Funnel(["lead"], ["price"]).to_dict() == data
    assert Funnel.from_dict({"stages": ["lead"], "loss_reasons": ["price"]}).to_dict() == data
    assert Funnel.from_dict({"stages": ["lead"]}) == Funnel(["lead"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "a funnel is read from a mapping, not from []"),
        ({}, "a funnel needs the field stages; given: {}"),
        ({"stages": "lead"}, "the stages of a funnel are a list, not 'lead'"),
        ({"stages": {"lead": {}}}, "the stages of a funnel are a list, not {'lead': {}}"),
        ({"stages": [5]}, "a stage is read from a mapping, not from 5"),
        (
            {"stages": ["lead"], "loss_reasons": None},
            "the loss reasons of a funnel are a list, not None",
        ),
        (
            {"stages": ["lead"], "states": ["won"]},
            "a funnel has no field 'states'; it has stages, loss_reasons, name, reasons_closed",
        ),
    ],
)
def test_data_that_is_no_funnel_is_refused(data: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Funnel.from_dict(data)

    assert str(refusal.value) == message
