"""HubSpot: deals with their history, pipelines, and exports of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from crm.entries import amounts, labels, reasons, rejected, told

from salesfunnel.crm import hubspot
from salesfunnel.errors import (
    DataError,
    DefinitionError,
    IncompletePagesError,
    MissingColumnError,
    NaiveTimeError,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LossReason


def stage(key: str, place: int, chance: float, label: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "id": key,
        "label": label or key.title(),
        "displayOrder": place,
        "metadata": {"isClosed": str(chance in (0, 1)).lower(), "probability": str(chance)},
        "archived": False,
        **fields,
    }


SALES: dict[str, Any] = {
    "id": "default",
    "label": "Sales",
    "stages": [
        stage("demo", 1, 0.4),
        stage("lead", 0, 0.2),
        stage("old", 2, 0.5, archived=True),
        stage("closedwon", 3, 1.0, "Closed won"),
        stage("closedlost", 4, 0.0, "Closed lost"),
    ],
}
RENEWAL: dict[str, Any] = {
    "id": "77",
    "label": "Renewal",
    "stages": [
        stage("7701", 0, 0.5, "Due"),
        stage("7702", 1, 1.0, "Renewed"),
        stage("7703", 2, 0.0, "Closed lost"),
    ],
}


def deal(key: str, stage: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": key,
        "properties": {
            "dealstage": stage,
            "pipeline": "default",
            "createdate": "2026-01-05T02:00:00.000Z",
            "closedate": "2026-03-31T02:00:00.000Z",
            "amount": "100",
            "hubspot_owner_id": "51",
            "hs_lastmodifieddate": "2026-02-02T10:00:00.000Z",
            **properties,
        },
    }


def value(given: Any, at: str) -> dict[str, Any]:
    return {"value": given, "timestamp": f"2026-{at}:00.000Z", "sourceType": "CRM_UI"}


def with_history(record: dict[str, Any], **histories: list[Any]) -> dict[str, Any]:
    return {**record, "propertiesWithHistory": histories}


def load(**sources: Any) -> StageLog:
    return hubspot.load(**{"pipelines": [SALES], **sources})


# ── the sample responses ──────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "hubspot"


@pytest.fixture(scope="module")
def sample(folder: Path) -> dict[str, Any]:
    return {"deals": folder / "deals_v3.json", "pipelines": folder / "pipelines_v3.json"}


STORY = [
    ("9001", "appointmentscheduled", "02-03 09:00"),
    ("9001", "qualifiedtobuy", "02-05 09:30"),
    ("9001", "contractsent", "02-20 10:00"),
    ("9001", "won", "03-02 16:00"),
    ("9002", "appointmentscheduled", "02-04 09:00"),
    ("9002", "qualifiedtobuy", "02-10 09:30"),
    ("9002", "lost", "02-18 10:00"),
    ("9003", "appointmentscheduled", "03-01 09:00"),
    ("9003", "presentationscheduled", "03-09 09:00"),
    ("9003", "qualifiedtobuy", "03-12 09:00"),
]


def test_the_sample_loads_completely(sample: dict[str, Any]) -> None:
    log = hubspot.load(**sample)

    assert told(log) == STORY
    assert log.ignored == len(log.rejected) == 0
    assert log.milestones().status.tolist() == ["won", "lost", "open"]
    assert reasons(log) == {"9002": "Chose competitor"}
    assert labels(log, "owner") == ["51"] * 4 + ["52"] * 3 + ["51"] * 3
    assert amounts(log) == [24_000.0] * 4 + [4_800.0] * 3 + [None] * 3
    assert labels(log, "pipeline") == ["Sales Pipeline"] * 10


@pytest.mark.parametrize("kind", ["hs_v2_date_entered_", "hs_date_entered_"])
def test_the_times_of_entering_tell_the_same_as_the_history(
    sample: dict[str, Any], kind: str
) -> None:
    text = sample["deals"].read_text(encoding="utf-8")
    response = json.loads(text.replace("hs_v2_date_entered_", kind))
    for record in response["results"]:
        del record["propertiesWithHistory"]

    log = hubspot.load(deals=response, pipelines=sample["pipelines"])

    assert told(log) == STORY


def test_the_funnel_is_that_of_the_pipeline(sample: dict[str, Any]) -> None:
    funnels = hubspot.funnels(sample["pipelines"])

    assert list(funnels) == ["default"]
    assert funnels["default"].states == (
        "appointmentscheduled",
        "qualifiedtobuy",
        "presentationscheduled",
        "decisionmakerboughtin",
        "contractsent",
        "won",
        "lost",
    )
    assert [stage.probability for stage in funnels["default"]] == [0.2, 0.4, 0.6, 0.8, 0.9]
    assert funnels["default"]["qualifiedtobuy"].name == "Qualified To Buy"
    assert funnels["default"].name == "Sales Pipeline"


# ── history ───────────────────────────────────────────────────────────────────────────────────────


def test_owner_and_amount_follow_their_own_histories() -> None:
    record = with_history(
        deal("1", "demo", amount="120", hubspot_owner_id="52"),
        dealstage=[value("demo", "01-20T10:00"), value("lead", "01-05T02:00")],
        amount=[value("120", "01-25T10:00"), value("100", "01-05T02:00")],
        hubspot_owner_id=[value("52", "01-20T10:00"), value("51", "01-04T02:00")],
        closedate=[value("2026-03-31T02:00:00.000Z", "01-05T02:00")],
    )

    owners = {"results": [{"id": "52", "firstName": "Li", "lastName": "Na"}, {"id": "51"}]}
    log = load(deals=[record], owners=owners)

    assert told(log) == [
        ("1", "lead", "01-05 02:00"),
        ("1", "demo", "01-20 10:00"),
        ("1", "demo", "01-25 10:00"),
    ]
    assert amounts(log) == [100, 100, 120]
    assert labels(log, "owner") == ["51", "Li Na", "Li Na"]
    assert labels(log, "expected_close") == ["2026-03-31"] * 3
    assert log.flow().counts.sum() == 1


def test_the_same_stage_again_is_no_transition() -> None:
    again = [value("demo", "01-21T10:00"), value("demo", "01-20T10:00")]
    log = load(deals=[with_history(deal("1", "demo"), dealstage=again)])

    assert len(log) == 2
    assert log.flow().counts.sum() == 0


def test_of_equal_times_the_older_comes_first() -> None:
    at_once = [value("demo", "01-05T02:00"), value("lead", "01-05T02:00")]
    log = load(deals=[with_history(deal("1", "demo"), dealstage=at_once)])

    assert [state for _, state, _ in told(log)] == ["lead", "demo"]


def test_older_responses_have_times_in_milliseconds() -> None:
    item = {"value": "demo", "timestamp": 1_767_578_400_000}
    history = load(deals=[with_history(deal("1", "demo"), dealstage=[item])])
    standing = load(deals=[deal("2", "demo", createdate="1767578400000")])

    assert told(history) == [("1", "demo", "01-05 02:00")]
    assert told(standing) == [("2", "demo", "01-05 02:00")]


def test_a_history_of_other_properties_alone_is_none() -> None:
    log = load(
        deals=[with_history(deal("1", "demo"), dealstage=[], amount=[value("1", "02-05T02:00")])]
    )

    assert told(log) == [("1", "demo", "01-05 02:00")]


def test_a_reopened_deal_keeps_the_reason_of_its_last_loss_alone() -> None:
    lost = [
        value("closedlost", "01-08T02:00"),
        value("demo", "01-07T02:00"),
        value("closedlost", "01-06T02:00"),
    ]
    record = with_history(deal("1", "closedlost", closed_lost_reason="Price"), dealstage=lost)
    log = load(deals=[record])

    assert log.reasons is not None
    assert log.reasons.codes.tolist() == [-1, -1, 0]
    assert reasons(load(deals=[record], loss_reason=None)) == {}


# ── times of entering ─────────────────────────────────────────────────────────────────────────────


def test_newer_properties_stand_above_older_ones() -> None:
    log = load(
        deals=[
            deal(
                "1",
                "demo",
                hs_date_entered_lead="2026-01-01T02:00:00Z",
                hs_v2_date_entered_lead="2026-01-05T02:00:00Z",
                hs_date_entered_demo="2026-01-06T02:00:00Z",
                hs_v2_date_entered_demo=None,
            )
        ]
    )

    assert told(log) == [("1", "lead", "01-05 02:00"), ("1", "demo", "01-06 02:00")]


def test_a_property_is_known_by_the_stage_however_its_name_is_written() -> None:
    key = "0b1c-2d"
    pipeline = {**SALES, "stages": [stage(key, 0, 0.5), *SALES["stages"]]}
    log = load(
        pipelines=[pipeline],
        deals=[deal("1", key, hs_v2_date_entered_0b1c_2d_123456="2026-01-05T02:00:00Z")],
    )

    assert told(log) == [("1", key, "01-05 02:00")]


def test_a_property_of_an_unknown_stage_is_rejected() -> None:
    record = deal(
        "1",
        "demo",
        hs_v2_date_entered_x="2026-01-06T02:00:00Z",
        hs_v2_date_entered_demo="2026-01-07",
    )
    log = load(deals=[record], errors="collect", tz="UTC")

    assert told(log) == [("1", "demo", "01-07 00:00")]
    assert rejected(log) == [(0, "deals.properties.hs_v2_date_entered_x", "x")]


# ── deals as they stand ───────────────────────────────────────────────────────────────────────────


def test_without_a_history_only_what_is_certain_is_told() -> None:
    log = load(deals=[deal("1", "demo"), deal("2", "closedlost")])

    assert told(log) == [("1", "demo", "01-05 02:00"), ("2", "lost", "03-31 02:00")]


def test_a_stage_where_no_history_ends_is_an_error() -> None:
    record = with_history(deal("1", "closedwon"), dealstage=[value("demo", "01-05T02:00")])

    with pytest.raises(
        DataError,
        match=r"row 0, deals\.properties.dealstage: 'closedwon', expected 'demo', where its",
    ):
        load(deals=[record])


# ── several pipelines ─────────────────────────────────────────────────────────────────────────────

BOTH = [
    deal("1", "demo"),
    deal("2", "7701", pipeline="77"),
    with_history(
        deal("3", "7702", pipeline="77"),
        dealstage=[
            value("7702", "02-02T02:00"),
            value("7701", "02-01T02:00"),
            value("closedwon", "01-05T02:00"),
        ],
    ),
]


def test_one_pipeline_of_several_is_named() -> None:
    pipelines = [SALES, RENEWAL]

    with pytest.raises(
        DefinitionError, match=r"name one by pipeline=.*'default' \(Sales\), '77' \(Renewal\)"
    ):
        load(deals=BOTH, pipelines=pipelines)
    with pytest.raises(DefinitionError, match="there is no pipeline 'Leads'; there are 'default'"):
        load(deals=BOTH, pipelines=pipelines, pipeline="Leads")
    by_label = load(deals=BOTH, pipelines=pipelines, pipeline="Renewal")
    assert told(by_label) == told(load(deals=BOTH, pipelines=pipelines, pipeline="77"))
    assert sorted(told(by_label)) == [
        ("2", "7701", "01-05 02:00"),
        ("3", "7701", "02-01 02:00"),
        ("3", "won", "02-02 02:00"),
    ]
    assert by_label.ignored == 2, "the deal and the entry of the other pipeline"


def test_all_pipelines_are_loaded_one_by_one() -> None:
    logs = hubspot.load_by_pipeline(deals=BOTH, pipelines=[SALES, RENEWAL])

    assert {key: log.n_opportunities for key, log in logs.items()} == {"default": 1, "77": 2}
    assert logs["77"].funnel.states == ("7701", "won", "lost")
    alone = hubspot.load_by_pipeline(deals=BOTH[:1], pipelines=[SALES, RENEWAL])
    assert list(alone) == ["default"]


def test_a_deal_that_names_no_pipeline_is_known_by_its_stage() -> None:
    records = [deal("1", "demo", pipeline=None), deal("2", "7701", pipeline=None)]
    logs = hubspot.load_by_pipeline(deals=records, pipelines=[SALES, RENEWAL])

    assert {key: log.opportunities.tolist() for key, log in logs.items()} == {
        "default": ["1"],
        "77": ["2"],
    }
    for name in ("Demo", "Demo (Sales)", "Closed lost (Sales)"):
        log = load(deals=[deal("1", name, pipeline=None)], pipelines=[SALES, RENEWAL])
        assert log.funnel.name == "Sales"
    with pytest.raises(DefinitionError, match="are of a pipeline that they do not name: name one"):
        load(deals=[deal("1", "Closed lost", pipeline=None)], pipelines=[SALES, RENEWAL])


def test_an_unknown_pipeline_is_rejected() -> None:
    log = load(deals=[deal("1", "demo"), deal("2", "demo", pipeline="88")], errors="collect")

    assert rejected(log) == [(1, "deals.properties.pipeline", "88")]


def test_a_funnel_of_ones_own_takes_all_pipelines() -> None:
    funnel = Funnel(["new", "late"], [LossReason("price", "Too dear", names={"zh": "价格过高"})])
    lost = deal("4", "7703", pipeline="77", closed_lost_reason="价格过高")
    log = load(
        deals=[*BOTH, lost],
        pipelines=[SALES, RENEWAL],
        funnel=funnel,
        stage_map={"demo": "late", "7701": "new"},
    )

    assert log.n_opportunities == 4
    assert log.stage_counts(by="pipeline").groups == ("Renewal", "Sales")
    assert log.stage_counts(by="pipeline").entered[:, 0].tolist() == [3, 1]
    assert reasons(log) == {"4": "price"}
    assert log.flow().counts.sum() == 2


def test_a_stage_is_closed_as_its_flag_or_else_its_probability_says() -> None:
    def told_by(chance: float, **metadata: str) -> tuple[str, ...]:
        tested = {**stage("x", 1, chance), "metadata": {"probability": str(chance), **metadata}}
        pipeline = {**SALES, "stages": [stage("lead", 0, 0.2), tested]}
        return hubspot.funnels([pipeline])["default"].states

    assert "x" not in told_by(1)
    assert "x" not in told_by(0)
    assert "x" in told_by(0.5)
    assert "x" in told_by(0, isClosed="false")
    assert "x" in told_by(1, isClosed="false")
    assert "x" not in told_by(0.5, isClosed="true")


def test_an_archived_stage_is_there_only_if_a_deal_was_in_it() -> None:
    past = with_history(
        deal("1", "demo"), dealstage=[value("demo", "01-06T02:00"), value("old", "01-05T02:00")]
    )

    assert "old" not in hubspot.funnels([SALES])["default"]
    assert "old" not in load(deals=[deal("1", "demo")]).funnel
    assert "old" in load(deals=[past]).funnel
    entered = deal("1", "old", hs_v2_date_entered_old="2026-01-05T02:00:00Z")
    assert "old" in load(deals=[entered]).funnel


# ── exports ───────────────────────────────────────────────────────────────────────────────────────


def test_an_export_is_read_by_its_titles(tmp_path: Path) -> None:
    path = tmp_path / "hubspot-crm-exports.csv"
    path.write_text(
        "Record ID,Deal Name,Deal Stage,Pipeline,Close Date,Create Date,Amount,Deal owner,"
        'Associated Company,"Date entered ""Lead (Sales)""","Date entered ""Demo (Sales)"""\n'
        "1,One,Demo (Sales),Sales,2026-03-31 10:00,2026-01-05 10:00,100,Li Na,Northwind,"
        "2026-01-05 10:00,2026-01-06 10:00\n"
        "2,Two,Closed lost (Sales),Sales,2026-03-31 10:00,2026-01-05 10:00,,,,,\n",
        encoding="utf-8",
    )

    with pytest.raises(NaiveTimeError, match="give the zone of the data by tz="):
        load(deals=path)
    log = load(deals=path, tz="Asia/Shanghai")
    assert told(log) == [
        ("1", "lead", "01-05 02:00"),
        ("1", "demo", "01-06 02:00"),
        ("2", "lost", "03-31 02:00"),
    ]
    assert labels(log, "owner") == ["Li Na", "Li Na", None]
    assert labels(log, "customer") == ["Northwind", "Northwind", None]


def test_a_dataframe_of_properties_is_read() -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "dealstage": ["demo", "closedwon"],
            "createdate": pd.to_datetime(["2026-01-05T02:00Z", "2026-01-05T02:00Z"]),
            "closedate": pd.to_datetime([None, "2026-01-06T02:00Z"]),
            "amount": [100.0, None],
        }
    )

    log = load(deals=frame)

    assert told(log) == [("1", "demo", "01-05 02:00"), ("2", "won", "01-06 02:00")]
    assert amounts(log) == [100, None]


def test_a_history_may_be_a_table_of_its_own() -> None:
    rows = [
        {"deal_id": 1, "name": "dealstage", "value": "lead", "timestamp": "2026-01-05T02:00Z"},
        {"deal_id": 1, "name": "dealstage", "value": "demo", "timestamp": "2026-01-06T02:00Z"},
        {"deal_id": 1, "name": "amount", "value": "100", "timestamp": "2026-01-04T02:00Z"},
        {"deal_id": 1, "name": "amount", "value": "120", "timestamp": "2026-01-07T02:00Z"},
        {"deal_id": 1, "name": "dealname", "value": "One", "timestamp": "2026-01-07T02:00Z"},
        {"deal_id": 9, "name": "dealstage", "value": "lead", "timestamp": "2026-01-08T02:00Z"},
        {"deal_id": 8, "name": "amount", "value": "9", "timestamp": "2026-01-08T02:00Z"},
    ]

    log = load(deals=[deal("1", "demo")], history=rows)

    assert told(log) == [
        ("1", "lead", "01-05 02:00"),
        ("1", "demo", "01-06 02:00"),
        ("1", "demo", "01-07 02:00"),
        ("9", "lead", "01-08 02:00"),
    ]
    assert amounts(log) == [100, 100, 120, None]
    assert len(log) + log.ignored == len(rows)


def test_a_record_number_settles_equal_times() -> None:
    at = {"deal_id": 1, "timestamp": "2026-01-05T02:00Z"}
    rows = [{**at, "value": "demo", "no": 2}, {**at, "value": "lead", "no": 1}]

    def states(**options: Any) -> list[str]:
        return [state for _, state, _ in told(load(history=rows, **options))]

    assert states() == ["demo", "lead"]
    assert states(order="no") == ["lead", "demo"]
    assert states(ties="state") == ["lead", "demo"]


def test_archived_deals_count_unless_they_should_not() -> None:
    records = [{**deal("1", "demo"), "archived": True}, {**deal("2", "demo"), "archived": False}]

    assert load(deals=records).n_opportunities == 2
    assert told(load(deals=records, deleted=False)) == [("2", "demo", "01-05 02:00")]


# ── companies, contacts, attributes ───────────────────────────────────────────────────────────────


def test_company_and_contact_travel_with_the_deal() -> None:
    record = {
        **deal("1", "demo", hs_analytics_source="PAID_SEARCH", hs_priority="high"),
        "associations": {
            "companies": {"results": [{"id": "70", "type": "deal_to_company"}]},
            "contacts": {"results": [{"id": "80", "type": "deal_to_contact"}]},
        },
    }

    log = load(
        deals=[record, deal("2", "demo")],
        companies={"results": [{"id": "70", "properties": {"name": "Northwind", "tier": "gold"}}]},
        contacts=[{"id": "80", "properties": {"email": "wei@example.invalid"}}],
        attributes={"tier": "company.tier", "priority": "hs_priority"},
    )

    assert labels(log, "customer") == ["Northwind", None]
    assert labels(log, "contact") == ["wei@example.invalid", None]
    assert labels(log, "source") == ["PAID_SEARCH", None]
    assert labels(log, "tier") == ["gold", None]
    assert labels(log, "priority") == ["high", None]
    bare = load(deals=[record])
    assert labels(bare, "customer") == ["70"]
    with pytest.raises(MissingColumnError, match="deals have no field 'hs_x'; they have id, prop"):
        load(deals=[record], attributes=["hs_x"])


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────


def page(*records: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    paging = {"paging": {"next": {"after": after, "link": "?after"}}} if after else {}
    return {"results": list(records), **paging}


def test_pages_are_one_after_another() -> None:
    pages = [page(deal("1", "demo"), after="2"), page(deal("2", "demo"))]

    assert load(deals=pages).n_opportunities == 2


def test_pages_that_are_not_all_there_are_an_error() -> None:
    unfinished = [page(deal("1", "demo"), after="2")]

    with pytest.raises(IncompletePagesError, match="deals: the last page says that more follow"):
        load(deals=unfinished)
    assert load(deals=unfinished, partial=True).n_opportunities == 1
    found = {**page(deal("1", "demo")), "total": 2}
    with pytest.raises(IncompletePagesError, match="1 records in 1 page, where the response says"):
        load(deals=[found])


def test_a_page_that_came_twice_adds_nothing() -> None:
    first = page(deal("1", "demo"), after="2")
    log = load(deals=[first, first, page(deal("2", "demo"))])

    assert log.n_opportunities == 2
    assert log.ignored == 1


def test_an_error_body_is_no_page() -> None:
    body = {"status": "error", "category": "MISSING_SCOPES", "message": "This app hasn't …"}

    with pytest.raises(DataError, match="an error of HubSpot, not a page: MISSING_SCOPES: This"):
        load(deals=body)


# ── exports with other names: Fivetran ────────────────────────────────────────────────────────────


def test_deals_of_fivetran_are_entries_or_rejected(folder: Path) -> None:
    log = hubspot.load(
        deals=folder / "deal_data.csv", funnel=Funnel(["open"]), tz="UTC", errors="collect"
    )

    # Their stages are hashed away: none is left.
    assert len(log) == 0
    assert len(log.rejected) == 44
    assert {column for _, column, _ in rejected(log)} == {"deals.deal_pipeline_stage_id"}


def test_stage_history_of_fivetran_has_the_time_of_the_crm(folder: Path) -> None:
    options: dict[str, Any] = {
        "history": folder / "deal_stage_data.csv",
        "funnel": Funnel(["open"]),
        "stage_map": {"f66ca9bc5a02c2f1513ce83f0a0e117d": "open"},
        "date_format": "%Y-%m-%d %H:%M:%S",
        "tz": "UTC",
        "errors": "collect",
    }

    log = hubspot.load(**options)

    assert len(log) + len(log.rejected) == 14
    assert {column for _, column, _ in rejected(log)} == {"history.value"}
    assert told(log)[0] == ("3954699413", "open", "01-07 06:49")
    named = hubspot.load(**options, entered_at="_fivetran_synced")
    assert told(named)[0] == ("3954699413", "open", "01-07 08:15")


def test_the_pipelines_of_fivetran_are_rows_of_stages(folder: Path) -> None:
    path = folder / "deal_pipeline_stage_data.csv"
    table = pd.read_csv(path)
    is_open = ~table["is_closed"] & ~table["_fivetran_deleted"] & table["active"]

    funnels = hubspot.funnels(path)

    assert {key: len(funnel) for key, funnel in funnels.items()} == (
        table[is_open].groupby("pipeline_id").size().to_dict()
    )


def test_a_property_history_of_fivetran_is_ignored_where_its_names_are_hashed(folder: Path) -> None:
    log = hubspot.load(
        history=folder / "deal_property_history_data.csv", funnel=Funnel(["open"]), tz="UTC"
    )

    assert len(log) == 0
    assert log.ignored == 100


def test_there_must_be_something_to_load() -> None:
    with pytest.raises(DefinitionError, match="nothing to load: give deals=, or history="):
        load()
    with pytest.raises(DefinitionError, match=r"Give pipelines=, as GET /crm/v3/pipelines/deals"):
        hubspot.load(deals=[deal("1", "demo")])
