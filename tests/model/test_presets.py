"""Ready-made funnels: the standard one, the CRMs' defaults, the industries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from math import prod
from pathlib import Path

import pytest

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.errors import DefinitionError, RequiredFieldError
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.model.presets import PRESETS
from salesfunnel.model.reasons import LOSS_REASONS

T0 = datetime(2026, 1, 5, tzinfo=UTC)
INDUSTRIES = ("saas", "tender", "car_dealer")

every_preset = pytest.mark.parametrize("name", PRESETS)


# ── all of them ───────────────────────────────────────────────────────────────────────────────────


def test_the_presets_are_the_standard_two_crms_and_three_industries() -> None:
    assert tuple(PRESETS) == ("standard", "salesforce", "hubspot", *INDUSTRIES)


@every_preset
def test_a_preset_is_found_by_its_name_and_always_the_same(name: str) -> None:
    assert Funnel.preset(name) == PRESETS[name]()


def test_an_unknown_preset_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(DefinitionError) as refusal:
        Funnel.preset("bakery")

    assert str(refusal.value) == (
        "no preset 'bakery'; there are standard, salesforce, hubspot, saas, tender, car_dealer"
    )


@every_preset
def test_every_stage_and_reason_of_a_preset_has_names_in_both_languages(name: str) -> None:
    funnel = Funnel.preset(name)

    for part in (*funnel, *funnel.loss_reasons):
        assert part.label("en") == part.name
        assert part.label("en").isascii()
        assert any("\u4e00" <= character <= "\u9fff" for character in part.label("zh"))
    for lang in ("en", "zh"):
        labels = [part.label(lang) for part in funnel]
        assert len(set(labels)) == len(labels)


@every_preset
def test_the_chance_of_winning_never_falls_along_a_preset_and_is_certain_after_the_sale(
    name: str,
) -> None:
    funnel = Funnel.preset(name)

    chances = [stage.probability for stage in funnel]
    assert None not in chances
    assert chances == sorted(chances, key=lambda chance: chance or 0.0)
    assert all(stage.probability == 1.0 for stage in funnel if stage.post_sale)
    assert all((stage.probability or 0.0) < 1.0 for stage in funnel if not stage.post_sale)


@every_preset
def test_a_preset_survives_json(name: str) -> None:
    funnel = Funnel.preset(name)

    assert Funnel.from_dict(json.loads(json.dumps(funnel.to_dict()))) == funnel


@every_preset
def test_a_preset_accepts_losses_over_price_and_leaves_its_list_of_reasons_open(name: str) -> None:
    funnel = Funnel.preset(name)

    assert funnel.knows_reason("price")
    assert funnel.loss_reasons[-1].key == "other"
    assert not funnel.reasons_closed


@every_preset
def test_a_reason_that_presets_share_means_the_same_in_each(name: str) -> None:
    shared = {reason.key: reason for reason in LOSS_REASONS}

    for reason in Funnel.preset(name).loss_reasons:
        assert reason == shared.get(reason.key, reason)


def test_the_reasons_stand_under_eight_headings() -> None:
    headings = list(dict.fromkeys(reason.category for reason in LOSS_REASONS))

    assert headings == [
        "commercial",
        "competition",
        "product",
        "customer",
        "selling",
        "lead_quality",
        "after_sale",
        "other",
    ]
    for name in PRESETS:
        assert {reason.category for reason in Funnel.preset(name).loss_reasons} <= set(headings)


# ── standard ──────────────────────────────────────────────────────────────────────────────────────


def test_the_standard_funnel_has_the_seven_stages_and_thirteen_rates_of_the_reference_table() -> (
    None
):
    funnel = Funnel.standard()

    rows = [
        (stage.key, stage.label("zh"), stage.target_conversion, stage.target_loss)
        for stage in funnel
    ]
    assert rows == [
        ("lead_identification", "潜在客户识别", 0.30, 0.10),
        ("initial_contact", "初步接触", 0.40, 0.15),
        ("needs_analysis", "需求分析", 0.50, 0.20),
        ("solution_design", "方案制定", 0.60, 0.15),
        ("quotation_negotiation", "报价与谈判", 0.70, 0.10),
        ("contract_signing", "合同签订", 0.80, 0.05),
        ("after_sales_service", "售后服务", 0.90, None),
    ]
    assert [stage.key for stage in funnel if stage.post_sale] == ["after_sales_service"]


def test_the_standard_probabilities_are_the_chances_of_winning_if_the_targets_are_met() -> None:
    funnel = Funnel.standard()

    for place, stage in enumerate(funnel):
        ahead = [later.target_conversion for later in funnel.stages[place : funnel.n_presale]]
        assert stage.probability == pytest.approx(prod(rate or 0.0 for rate in ahead), abs=0.005)


def test_the_standard_forecast_goes_from_pipeline_to_closed() -> None:
    assert [stage.forecast_category for stage in Funnel.standard()] == [
        "pipeline",
        "pipeline",
        "pipeline",
        "pipeline",
        "best_case",
        "commit",
        "closed",
    ]


def test_every_standard_stage_before_the_sale_can_stall() -> None:
    assert [stage.max_age is None for stage in Funnel.standard()] == [False] * 6 + [True]


def test_an_opportunity_that_has_only_an_id_walks_the_standard_funnel_to_the_end() -> None:
    engine = TransitionEngine(Funnel.standard())

    opportunity = engine.open(Opportunity("O-1"), at=T0)
    for day in range(1, 8):
        opportunity = engine.advance(opportunity, at=T0 + timedelta(days=day))

    assert [change.stage for change in opportunity.history] == [
        *(stage.key for stage in Funnel.standard()),
        "won",
    ]


# ── CRMs ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_salesforce_stages_are_the_delivered_ones() -> None:
    funnel = Funnel.preset("salesforce")

    assert [(stage.key, stage.probability) for stage in funnel] == [
        ("Prospecting", 0.10),
        ("Qualification", 0.10),
        ("Needs Analysis", 0.20),
        ("Value Proposition", 0.50),
        ("Id. Decision Makers", 0.60),
        ("Perception Analysis", 0.70),
        ("Proposal/Price Quote", 0.75),
        ("Negotiation/Review", 0.90),
    ]
    assert {stage.forecast_category for stage in funnel} == {"pipeline"}
    assert funnel.n_presale == len(funnel)


def test_the_salesforce_stages_hold_those_that_an_organisation_really_returns(
    shared_data: Path,
) -> None:
    records = json.loads((shared_data / "salesforce" / "rest_stages.json").read_text())["records"]
    funnel = Funnel.preset("salesforce")

    still_open = [record for record in records if not record["IsClosed"]]
    codes = [funnel.index(record["ApiName"]) for record in still_open]
    assert codes == sorted(codes)
    for record in still_open:
        assert funnel[record["ApiName"]].probability == record["DefaultProbability"] / 100


def test_the_hubspot_stages_are_those_of_the_default_pipeline(shared_data: Path) -> None:
    pipelines = json.loads((shared_data / "hubspot" / "pipelines_v3.json").read_text())["results"]
    still_open = [
        stage for stage in pipelines[0]["stages"] if stage["metadata"]["isClosed"] == "false"
    ]

    assert [(stage.key, stage.name, stage.probability) for stage in Funnel.preset("hubspot")] == [
        (stage["id"], stage["label"], float(stage["metadata"]["probability"]))
        for stage in still_open
    ]


def test_the_hubspot_keys_are_the_internal_ids() -> None:
    assert Funnel.preset("hubspot").states == (
        "appointmentscheduled",
        "qualifiedtobuy",
        "presentationscheduled",
        "decisionmakerboughtin",
        "contractsent",
        "won",
        "lost",
    )


# ── industries ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "presale", "post_sale"),
    [
        (
            "saas",
            ["discovery", "demo", "trial", "proposal", "security_legal_review"],
            ["onboarding", "adoption", "renewal"],
        ),
        (
            "tender",
            [
                "project_tracking",
                "bid_decision",
                "prequalification",
                "bid_preparation",
                "bid_submitted",
                "evaluation",
                "award",
                "contract_signing",
            ],
            ["delivery", "acceptance", "warranty"],
        ),
        (
            "car_dealer",
            [
                "inquiry",
                "appointment",
                "showroom_visit",
                "test_drive",
                "quotation",
                "order_signing",
            ],
            ["delivery", "maintenance"],
        ),
    ],
)
def test_each_industry_sells_in_its_own_steps(
    name: str, presale: list[str], post_sale: list[str]
) -> None:
    funnel = Funnel.preset(name)

    assert [stage.key for stage in funnel if not stage.post_sale] == presale
    assert [stage.key for stage in funnel if stage.post_sale] == post_sale


@pytest.mark.parametrize("name", INDUSTRIES)
def test_an_industry_keeps_reasons_for_customers_who_leave_after_the_sale(name: str) -> None:
    categories = {reason.category for reason in Funnel.preset(name).loss_reasons}

    assert {"commercial", "product", "selling", "after_sale"} <= categories


def test_a_tender_needs_its_number_and_deadline_before_anyone_decides_to_bid() -> None:
    engine = TransitionEngine(Funnel.preset("tender"))
    tracked = engine.open(Opportunity("T-1", customer="City", fields={"tender_number": "9"}), at=T0)

    with pytest.raises(RequiredFieldError) as refusal:
        engine.advance(tracked, at=T0)

    assert refusal.value.missing == ("bid_deadline",)
