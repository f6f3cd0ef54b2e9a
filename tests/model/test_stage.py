"""Stages and loss reasons: what they may be, and that they survive JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DefinitionError
from salesfunnel.model.stage import FORECAST_CATEGORIES, LossReason, Stage

keys = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda key: key not in ("won", "lost")
)
names = st.dictionaries(st.sampled_from(["zh", "en", "de"]), st.text(min_size=1, max_size=8))
rates = st.none() | st.floats(0, 1)
durations = st.none() | st.timedeltas(min_value=timedelta(microseconds=1))


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    post_sale = draw(st.booleans())
    return Stage(
        draw(keys),
        draw(st.text(max_size=8)),
        names=draw(names),
        probability=draw(rates),
        max_age=draw(durations),
        required=draw(st.lists(st.text(min_size=1, max_size=5), unique=True, max_size=3)),
        forecast_category=draw(st.none() | st.sampled_from(FORECAST_CATEGORIES)),
        target_conversion=draw(rates),
        target_loss=None if post_sale else draw(rates),
        post_sale=post_sale,
    )


# ── what a stage is ───────────────────────────────────────────────────────────────────────────────


def test_a_stage_given_only_a_key_is_called_after_it() -> None:
    stage = Stage("needs_analysis")

    assert stage.name == "Needs analysis"
    assert stage.names == {}
    assert stage.required == ()
    assert (stage.probability, stage.max_age, stage.forecast_category) == (None, None, None)
    assert (stage.target_conversion, stage.target_loss, stage.post_sale) == (None, None, False)


def test_a_stage_is_labelled_in_a_language_or_else_by_its_plain_name() -> None:
    stage = Stage("offer", "Offer", names={"zh": "报价"})

    assert stage.label("zh") == "报价"
    assert stage.label("fr") == "Offer"
    assert stage.label() == "Offer"


def test_a_maximum_age_is_a_duration_however_it_was_written() -> None:
    assert Stage("demo", max_age="14d") == Stage("demo", max_age=timedelta(days=14))


def test_stages_of_equal_values_are_equal_and_hash_alike() -> None:
    one, other = (Stage("demo", names={"zh": "演示"}, required=["owner"]) for _ in range(2))

    assert one == other
    assert hash(one) == hash(other)
    assert one != attrs.evolve(one, probability=0.4)


def test_a_stage_cannot_be_changed_in_place() -> None:
    stage = Stage("demo", names={"zh": "演示"})

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        stage.key = "other"  # type: ignore[misc]
    with pytest.raises(TypeError, match="does not support item assignment"):
        stage.names["zh"] = "示范"  # type: ignore[index]


def test_a_stage_does_not_follow_later_changes_of_what_it_was_made_from() -> None:
    chinese, required = {"zh": "演示"}, ["owner"]
    stage = Stage("demo", names=chinese, required=required)

    chinese["zh"] = "示范"
    required.append("amount")

    assert stage.label("zh") == "演示"
    assert stage.required == ("owner",)


# ── what a stage cannot be ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"key": 5}, "Stage.key is a text, not 5"),
        ({"key": ""}, "Stage.key is not empty and has no blanks at its ends: ''"),
        ({"key": "demo "}, "Stage.key is not empty and has no blanks at its ends: 'demo '"),
        ({"key": "de\nmo"}, r"Stage.key has no control characters: 'de\nmo'"),
        (
            {"key": "won"},
            (
                "the key 'won' is reserved: every funnel has the states 'won' and 'lost' "
                "beside its stages"
            ),
        ),
        (
            {"key": "lost"},
            (
                "the key 'lost' is reserved: every funnel has the states 'won' and 'lost' "
                "beside its stages"
            ),
        ),
        ({"name": 5}, "Stage.name is a text or None, not 5"),
        (
            {"names": {"zh": 5}},
            "names map languages to names, as in {'zh': '报价', 'en': 'Offer'}, not {'zh': 5}",
        ),
        (
            {"names": {"zh": ""}},
            "names map languages to names, as in {'zh': '报价', 'en': 'Offer'}, not {'zh': ''}",
        ),
        (
            {"names": "报价"},
            "names map languages to names, as in {'zh': '报价', 'en': 'Offer'}, not '报价'",
        ),
        ({"probability": 40}, "Stage.probability is a number from 0 to 1 or None, not 40"),
        ({"probability": -0.1}, "Stage.probability is a number from 0 to 1 or None, not -0.1"),
        ({"probability": True}, "Stage.probability is a number from 0 to 1 or None, not True"),
        ({"probability": "0.4"}, "Stage.probability is a number from 0 to 1 or None, not '0.4'"),
        (
            {"target_conversion": float("nan")},
            "Stage.target_conversion is a number from 0 to 1 or None, not nan",
        ),
        ({"target_loss": 1.5}, "Stage.target_loss is a number from 0 to 1 or None, not 1.5"),
        (
            {"max_age": "a while"},
            (
                "a duration is a positive timedelta or a text such as '14d', '36h', '90min', "
                "not 'a while'"
            ),
        ),
        (
            {"required": "owner"},
            "required fields are a sequence of distinct names, not 'owner'",
        ),
        (
            {"required": ["owner", "owner"]},
            "required fields are a sequence of distinct names, not ['owner', 'owner']",
        ),
        ({"required": [""]}, "required fields are a sequence of distinct names, not ['']"),
        ({"required": 5}, "required fields are a sequence of distinct names, not 5"),
        (
            {"forecast_category": "likely"},
            (
                "Stage.forecast_category is one of omitted, pipeline, best_case, commit, closed, "
                "not 'likely'"
            ),
        ),
        ({"post_sale": 1}, "Stage.post_sale is True or False, not 1"),
        (
            {"post_sale": True, "target_loss": 0.1},
            "stage 'demo' comes after the sale, where no sale can be lost: it has no target_loss",
        ),
    ],
)
def test_a_stage_that_cannot_be_is_refused_with_what_was_given(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Stage(**{"key": "demo", **values})

    assert str(refusal.value) == message


def test_evolving_a_stage_checks_it_again() -> None:
    with pytest.raises(DefinitionError, match="from 0 to 1"):
        attrs.evolve(Stage("demo"), probability=2)


# ── plain data ────────────────────────────────────────────────────────────────────────────────────


def test_the_plain_data_of_a_stage_leaves_out_what_has_its_default() -> None:
    assert Stage("demo").to_dict() == {"key": "demo", "name": "Demo"}
    assert Stage(
        "demo",
        "Show it",
        names={"zh": "演示"},
        probability=0.0,
        max_age="36h",
        required=["owner"],
        forecast_category="pipeline",
        target_conversion=0.5,
        target_loss=0.2,
    ).to_dict() == {
        "key": "demo",
        "name": "Show it",
        "names": {"zh": "演示"},
        "probability": 0.0,
        "max_age": "36h",
        "required": ["owner"],
        "forecast_category": "pipeline",
        "target_conversion": 0.5,
        "target_loss": 0.2,
    }
    assert Stage("care", post_sale=True).to_dict()["post_sale"] is True


@given(stages())
def test_a_stage_survives_json(stage: Stage) -> None:
    assert Stage.from_dict(json.loads(json.dumps(stage.to_dict()))) == stage


def test_a_plain_text_is_read_as_a_stage_or_reason_with_that_key() -> None:
    assert Stage.from_dict("demo") == Stage("demo")
    assert LossReason.from_dict("price") == LossReason("price")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (5, "a stage is read from a mapping, not from 5"),
        ({"name": "Demo"}, "a stage needs the field key; given: {'name': 'Demo'}"),
        (
            {"key": "demo", "chance": 0.4, "colour": "red"},
            (
                "a stage has no field 'chance', 'colour'; it has key, name, names, probability, "
                "max_age, required, forecast_category, target_conversion, target_loss, post_sale"
            ),
        ),
    ],
)
def test_data_that_is_no_stage_is_refused(data: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Stage.from_dict(data)

    assert str(refusal.value) == message


# ── loss reasons ──────────────────────────────────────────────────────────────────────────────────


def test_a_loss_reason_has_a_key_names_and_a_category() -> None:
    reason = LossReason("price", names={"zh": "价格过高"}, category="commercial")

    assert (reason.name, reason.category) == ("Price", "commercial")
    assert (reason.label("zh"), reason.label("en"), reason.label()) == (
        "价格过高",
        "Price",
        "Price",
    )
    assert hash(reason) == hash(attrs.evolve(reason))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"key": " price"}, "LossReason.key is not empty and has no blanks at its ends: ' price'"),
        ({"name": 5}, "LossReason.name is a text or None, not 5"),
        ({"category": 5}, "LossReason.category is a text or None, not 5"),
        (
            {"names": ["zh"]},
            "names map languages to names, as in {'zh': '报价', 'en': 'Offer'}, not ['zh']",
        ),
    ],
)
def test_a_loss_reason_that_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        LossReason(**{"key": "price", **values})

    assert str(refusal.value) == message


@given(
    st.builds(
        LossReason,
        keys,
        st.text(max_size=8),
        names=names,
        category=st.none() | st.text(max_size=8),
    )
)
def test_a_loss_reason_survives_json(reason: LossReason) -> None:
    assert LossReason.from_dict(json.loads(json.dumps(reason.to_dict()))) == reason


def test_data_that_is_no_loss_reason_is_refused() -> None:
    with pytest.raises(DefinitionError) as refusal:
        LossReason.from_dict({"key": "price", "kind": "commercial"})

    assert str(refusal.value) == (
        "a loss reason has no field 'kind'; it has key, name, names, category"
    )
