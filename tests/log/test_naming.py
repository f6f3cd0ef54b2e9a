"""Names for people: states, reasons, and whatever the catalogue has."""

from __future__ import annotations

from salesfunnel.log.naming import catalogue_namer, reason_namer, state_namer
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

FUNNEL = Funnel([Stage("demo", "Demo", names={"zh": "演示"}), "lead_in"])


def test_states_have_the_names_of_their_stages_and_the_sinks_those_of_the_catalogue() -> None:
    name = state_namer(FUNNEL)

    assert [name(key, "en") for key in FUNNEL.states] == ["Demo", "Lead in", "Won", "Lost"]
    assert [name(key, "zh") for key in FUNNEL.states] == ["演示", "Lead in", "赢单", "流失"]


def test_reasons_have_their_names_and_unknown_ones_are_their_own() -> None:
    name = reason_namer(Funnel.standard())

    assert name("price", "en") == "Price too high"
    assert name("price", "zh") == "价格过高"
    assert name("weather", "zh") == "weather"


def test_texts_of_the_catalogue_are_found_by_their_prefix() -> None:
    name = catalogue_namer("rule")

    assert name("step_back", "en") == "steps back"
    assert name("step_back", "zh") == "阶段回退"
