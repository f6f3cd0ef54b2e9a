"""Salesforce: what its histories tell, and nothing besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from crm.entries import amounts, collapsed, labels, reasons, rejected, told

from salesfunnel.crm import salesforce
from salesfunnel.errors import (
    CurrencyError,
    DataError,
    DefinitionError,
    IncompletePagesError,
    MissingColumnError,
    NaiveTimeError,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LossReason, Stage

STAGES: list[dict[str, Any]] = [
    {"ApiName": "Lead", "SortOrder": 1, "IsClosed": False, "DefaultProbability": 10},
    {"ApiName": "Demo", "SortOrder": 2, "IsClosed": False, "ForecastCategory": "BestCase"},
    {"ApiName": "Old", "SortOrder": 3, "IsClosed": False, "IsActive": False},
    {"ApiName": "Closed Won", "SortOrder": 4, "IsClosed": True, "IsWon": True},
    {"ApiName": "Closed Lost", "SortOrder": 5, "IsClosed": True, "IsWon": False},
]


def opportunity(key: str, stage: str, **fields: Any) -> dict[str, Any]:
    closed = stage.startswith("Closed")
    return {
        "Id": key,
        "StageName": stage,
        "IsClosed": closed,
        "IsWon": stage == "Closed Won",
        "CreatedDate": "2026-01-05T02:00:00.000+0000",
        "CloseDate": "2026-03-31",
        "Amount": 100,
        "OwnerId": "005A",
        **fields,
    }


def entry(key: str, stage: str, at: str, **fields: Any) -> dict[str, Any]:
    return {
        "OpportunityId": key,
        "StageName": stage,
        "CreatedDate": f"2026-{at}:00.000+0000",
        **fields,
    }


def change(key: str, field: str, old: Any, new: Any, at: str, **fields: Any) -> dict[str, Any]:
    return {
        "OpportunityId": key,
        "Field": field,
        "OldValue": old,
        "NewValue": new,
        "CreatedDate": f"2026-{at}:00.000+0000",
        **fields,
    }


def load(**sources: Any) -> StageLog:
    return salesforce.load(**{"stages": STAGES, "tz": "UTC", **sources})


# ── the sample responses ──────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "salesforce"


@pytest.fixture(scope="module")
def sample(folder: Path) -> dict[str, Any]:
    return {
        "opportunities": folder / "rest_opportunities.json",
        "history": folder / "rest_opportunity_history.json",
        "stages": folder / "rest_stages.json",
    }


FIRST = "0065g00000A1AAA1AA"
FIRST_STORY = [
    (FIRST, "Prospecting", "01-05 02:11"),
    (FIRST, "Qualification", "01-09 08:00"),
    (FIRST, "Needs Analysis", "01-20 03:15"),
    (FIRST, "Proposal/Price Quote", "02-11 06:00"),
    (FIRST, "Negotiation/Review", "02-27 06:00"),
    (FIRST, "won", "03-05 09:45"),
]


def test_the_sample_loads_completely(sample: dict[str, Any]) -> None:
    log = salesforce.load(**sample, loss_reason="Loss_Reason__c")

    assert len(log) == 14
    assert log.ignored == len(log.rejected) == 0
    assert log.n_opportunities == 3
    assert log.milestones().status.tolist() == ["won", "lost", "open"]
    assert log.currency == "CNY"
    assert reasons(log) == {"0065g00000A1AAA2AA": "Price"}
    assert collapsed(log)[:6] == FIRST_STORY


def test_a_repeated_stage_is_no_transition(sample: dict[str, Any]) -> None:
    log = salesforce.load(**sample)

    # 14 records, 3 of them the first of their opportunity and 1 a change of the amount alone.
    assert log.flow().counts.sum() == 10
    assert log.flow().counts.trace() == 0
    assert amounts(log)[1:3] == [50_000, 62_000]


def test_the_funnel_is_that_of_the_stages(sample: dict[str, Any]) -> None:
    funnel = salesforce.funnel(sample["stages"])

    assert [stage.key for stage in funnel] == [
        "Prospecting",
        "Qualification",
        "Needs Analysis",
        "Value Proposition",
        "Proposal/Price Quote",
        "Negotiation/Review",
    ]
    assert [stage.probability for stage in funnel] == [0.1, 0.1, 0.2, 0.5, 0.75, 0.9]
    assert [stage.forecast_category for stage in funnel] == [
        "pipeline",
        "pipeline",
        "pipeline",
        "best_case",
        "best_case",
        "commit",
    ]
    assert salesforce.load(**sample).funnel == funnel


def test_field_history_and_stage_history_give_the_same_entries(
    sample: dict[str, Any], folder: Path
) -> None:
    stages = salesforce.load(**sample)
    fields = salesforce.load(
        opportunities=sample["opportunities"],
        field_history=folder / "rest_field_history.json",
        stages=sample["stages"],
        tz="Asia/Shanghai",
    )

    def of_first(log: StageLog) -> list[tuple[str, str, str]]:
        return [told for told in collapsed(log) if told[0] == FIRST]

    assert of_first(fields) == of_first(stages) == FIRST_STORY
    # Without a history only what is certain: a close at midnight in China, a stage since creation.
    assert collapsed(fields)[6:] == [
        ("0065g00000A1AAA2AA", "lost", "02-01 16:00"),
        ("0065g00000A1AAA3AA", "Needs Analysis", "02-01 01:00"),
    ]


def test_owner_amount_and_forecast_are_those_of_their_time(
    sample: dict[str, Any], folder: Path
) -> None:
    log = salesforce.load(**sample, field_history=folder / "rest_field_history.json")

    first = slice(0, 8)
    assert labels(log, "owner")[first] == ["Ann"] * 4 + ["Li Na"] * 4
    assert amounts(log)[first] == [None, 50_000, 62_000, 62_000, None, 62_000, 58_000, 58_000]
    assert labels(log, "forecast_category")[first] == [
        *["pipeline"] * 4,
        None,
        "best_case",
        "commit",
        "closed",
    ]
    # 14 records of stages and the change of owner; the other changes say nothing new.
    assert (len(log), log.ignored, len(log.rejected)) == (15, 8, 0)
    # The owner of the third is known by name since the history of the first has that name.
    assert labels(log, "owner")[-1] == "Li Na"


# ── the same from every form ──────────────────────────────────────────────────────────────────────


def records_of(path: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["records"]
    return [{k: v for k, v in record.items() if k != "attributes"} for record in records]


@pytest.mark.parametrize("form", ["records", "response", "pages", "csv", "pandas", "polars"])
def test_every_form_gives_the_same_log(sample: dict[str, Any], form: str, tmp_path: Path) -> None:
    expected = salesforce.load(**sample, loss_reason="Loss_Reason__c")
    sources: dict[str, Any] = {}
    for name, path in sample.items():
        records = records_of(path)
        match form:
            case "records":
                sources[name] = records
            case "response":
                sources[name] = json.loads(path.read_text(encoding="utf-8"))
            case "pages":
                total, url = len(records), "/services/data/v62.0/query/01g-2"
                sources[name] = [
                    {
                        "totalSize": total,
                        "done": False,
                        "nextRecordsUrl": url,
                        "records": records[:2],
                    },
                    {"totalSize": total, "done": True, "records": records[2:]},
                ]
            case "csv":
                # As Bulk API 2.0 writes it: no value is an empty cell.
                sources[name] = tmp_path / f"{name}.csv"
                pd.DataFrame(records, dtype=object).to_csv(sources[name], index=False)
            case "pandas":
                sources[name] = pd.DataFrame(records)
            case "polars":
                sources[name] = pl.DataFrame(records)

    log = salesforce.load(**sources, loss_reason="Loss_Reason__c")

    assert told(log) == told(expected)
    assert amounts(log) == amounts(expected)
    assert reasons(log) == reasons(expected)
    assert {name: labels(log, name) for name in log.attributes} == {
        name: labels(expected, name) for name in expected.attributes
    }
    assert log.funnel == expected.funnel


def test_bulk_results_come_in_several_files(tmp_path: Path) -> None:
    header = "OPPORTUNITYID,STAGENAME,CREATEDDATE\n"
    for part, line in enumerate(
        ["A,Lead,2026-01-05T02:00:00.000Z", "A,Demo,2026-01-06T02:00:00.000Z"]
    ):
        (tmp_path / f"part{part}.csv").write_text(header + line + "\n", encoding="utf-8")

    log = load(history=[tmp_path / "part0.csv", tmp_path / "part1.csv"])

    assert told(log) == [("A", "Lead", "01-05 02:00"), ("A", "Demo", "01-06 02:00")]


def test_a_report_is_read_by_its_labels(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(
        "Opportunity ID,Stage,Closed,Won,Created Date,Close Date,Amount,Account Name,"
        "Opportunity Owner\n"
        "0061G00000N38JZ,Lead,0,0,2026-01-05,2026-03-31,100,Northwind,Ann\n",
        encoding="utf-8",
    )

    log = load(opportunities=path, history=[entry("0061G00000N38JZQAZ", "Lead", "01-05T02:00")])

    # A report has 15 characters of the identifier, the history 18.
    assert told(log) == [("0061G00000N38JZQAZ", "Lead", "01-05 02:00")]
    assert labels(log, "customer") == ["Northwind"]
    assert labels(log, "owner") == ["Ann"]


def nested(done: bool = True) -> dict[str, Any]:
    story = [("Lead", "01-05T02:00"), ("Demo", "01-20T10:00")]
    items = [entry("", stage, at) for stage, at in story]
    for item in items:
        del item["OpportunityId"]
    return opportunity("A", "Demo", OpportunityHistories={"done": done, "records": items})


def test_a_history_asked_for_with_the_opportunities_is_read() -> None:
    log = load(opportunities=[nested(), opportunity("B", "Demo", OpportunityHistories=None)])

    assert told(log) == [
        ("A", "Lead", "01-05 02:00"),
        ("A", "Demo", "01-20 10:00"),
        ("B", "Demo", "01-05 02:00"),
    ]
    with pytest.raises(IncompletePagesError, match="the history of 'A' goes on in another page"):
        load(opportunities=[nested(done=False)])
    assert len(load(opportunities=[nested(done=False)], partial=True)) == 2
    own = load(opportunities=[nested()], history=[entry("A", "Demo", "01-06T02:00")])
    assert told(own) == [("A", "Demo", "01-06 02:00")]


# ── field history ─────────────────────────────────────────────────────────────────────────────────


def test_the_first_stage_is_the_old_value_at_the_creation() -> None:
    log = load(
        opportunities=[opportunity("A", "Closed Won")],
        field_history=[
            change("A", "StageName", "Demo", "Closed Won", "02-02T10:00"),
            change("A", "StageName", "Lead", "Demo", "01-20T10:00"),
        ],
    )

    assert told(log) == [
        ("A", "Lead", "01-05 02:00"),
        ("A", "Demo", "01-20 10:00"),
        ("A", "won", "02-02 10:00"),
    ]


def test_without_a_record_the_creation_is_in_the_history_or_unknown() -> None:
    history = [change("A", "StageName", "Lead", "Demo", "01-20T10:00")]
    created = change("A", "created", None, None, "01-04T10:00")

    assert told(load(field_history=history)) == [("A", "Demo", "01-20 10:00")]
    log = load(field_history=[*history, created])
    assert told(log) == [("A", "Lead", "01-04 10:00"), ("A", "Demo", "01-20 10:00")]
    assert log.ignored == 0


def test_an_open_opportunity_whose_stage_never_changed_is_in_it_since_its_creation() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo", Amount=120)],
        field_history=[change("A", "Amount", 100, 120, "01-20T10:00")],
    )

    assert told(log) == [("A", "Demo", "01-05 02:00"), ("A", "Demo", "01-20 10:00")]
    assert amounts(log) == [100, 120]


def test_a_closed_opportunity_whose_stage_never_changed_has_its_close_alone() -> None:
    log = load(
        opportunities=[opportunity("A", "Closed Lost")],
        field_history=[change("A", "Amount", 100, 120, "01-20T10:00")],
    )

    assert told(log) == [("A", "lost", "03-31 00:00")]
    assert log.ignored == 1


def test_changes_of_other_fields_are_ignored() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo")],
        field_history=[
            change("A", "NextStep", None, "call", "01-06T10:00"),
            change("A", "StageName", "Lead", "Demo", "01-20T10:00"),
        ],
    )

    assert len(log) == 2
    assert log.ignored == 1


def test_expected_close_and_forecast_category_follow_the_history() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo", ForecastCategory="Forecast")],
        field_history=[
            change("A", "StageName", "Lead", "Demo", "01-20T10:00"),
            change("A", "CloseDate", "2026-02-28", "2026-03-31", "01-21T10:00"),
            change("A", "ForecastCategoryName", "Pipeline", "Commit", "01-22T10:00"),
        ],
    )

    assert labels(log, "expected_close") == ["2026-02-28"] * 2 + ["2026-03-31"] * 2
    assert labels(log, "forecast_category") == ["pipeline"] * 3 + ["commit"]


def test_what_is_expected_now_is_not_said_of_earlier_entries() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo", ForecastCategory="Forecast")],
        history=[entry("A", "Lead", "01-05T02:00"), entry("A", "Demo", "01-20T10:00")],
    )

    assert labels(log, "expected_close") == [None, "2026-03-31"]
    assert labels(log, "forecast_category") == [None, "commit"]
    assert amounts(log) == [100, 100]
    assert labels(log, "owner") == ["005A", "005A"]


@pytest.mark.parametrize("turned", [False, True])
def test_changes_of_one_second_link_up(turned: bool) -> None:
    history = [
        change("A", "StageName", "Lead", "Demo", "01-20T10:00"),
        change("A", "Amount", 1, 2, "01-20T10:00"),
        change("A", "StageName", "Demo", "Old", "01-20T10:00"),
        change("A", "StageName", "Old", "Demo", "01-21T10:00"),
        change("A", "StageName", "Demo", "Closed Won", "01-21T10:00"),
    ]
    log = load(
        opportunities=[opportunity("A", "Closed Won")],
        field_history=history[::-1] if turned else history,
    )

    assert [state for _, state, _ in told(log) if state != "won"][:3] == ["Lead", "Demo", "Old"]
    assert [state for _, state, _ in collapsed(log)] == ["Lead", "Demo", "Old", "Demo", "won"]


# ── owners ────────────────────────────────────────────────────────────────────────────────────────

ANN, BO = "0055g0000011111AAA", "0055g0000022222AAA"


def test_a_change_of_owner_repeats_the_stage() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo", OwnerId=BO)],
        history=[entry("A", "Lead", "01-05T02:00"), entry("A", "Demo", "01-20T10:00")],
        field_history=[
            change("A", "Owner", "Ann", "Bo", "01-25T10:00"),
            change("A", "Owner", "Zoe", "Ann", "01-01T10:00"),
        ],
        users=[{"Id": BO, "Name": "Bo"}],
    )

    assert told(log)[2] == ("A", "Demo", "01-25 10:00")
    assert labels(log, "owner") == ["Ann", "Ann", "Bo"]
    assert log.ignored == 1, "a change before the first stage repeats nothing"
    assert log.flow().counts.sum() == 1


def test_users_are_named_by_their_identifiers() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo", OwnerId=BO)],
        field_history=[
            change("A", "StageName", "Lead", "Demo", "01-20T10:00"),
            change("A", "OwnerId", ANN[:15], BO[:15], "01-25T10:00"),
        ],
        users=[{"Id": ANN, "Name": "Ann"}, {"Id": BO, "Name": "Bo"}],
    )

    assert labels(log, "owner") == ["Ann", "Ann", "Bo"]


def test_a_change_of_owner_that_comes_twice_by_identifier_and_by_name_is_one() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo", OwnerId=BO), opportunity("B", "Demo", OwnerId=ANN)],
        field_history=[
            change("A", "StageName", "Lead", "Demo", "01-20T10:00"),
            change("A", "Owner", "Ann", "Bo", "01-25T10:00"),
            change("A", "Owner", ANN, BO, "01-25T10:00"),
        ],
    )

    assert told(log)[:3] == [
        ("A", "Lead", "01-05 02:00"),
        ("A", "Demo", "01-20 10:00"),
        ("A", "Demo", "01-25 10:00"),
    ]
    assert labels(log, "owner") == ["Ann", "Ann", "Bo", "Ann"]
    assert log.ignored == 1


# ── records as they stand ─────────────────────────────────────────────────────────────────────────


def test_without_a_history_only_what_is_certain_is_told() -> None:
    log = load(
        opportunities=[
            opportunity("A", "Demo", LastModifiedDate="2026-02-02T10:00:00.000+0000"),
            opportunity("B", "Closed Lost", LastModifiedDate="2026-02-02T10:00:00.000+0000"),
        ]
    )

    assert told(log) == [("A", "Demo", "01-05 02:00"), ("B", "lost", "03-31 00:00")]


def test_a_day_needs_a_time_zone() -> None:
    with pytest.raises(NaiveTimeError, match="CloseDate: '2026-03-31' names no time zone"):
        load(opportunities=[opportunity("A", "Closed Won")], tz=None)


def test_what_the_user_calls_lost_and_the_crm_open_has_no_time() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo")], stage_map={"Demo": "lost"}, errors="collect"
    )

    assert len(log) == 0
    assert rejected(log) == [(0, "opportunities.CloseDate", None)]


def test_a_stage_where_no_history_ends_is_an_error() -> None:
    with pytest.raises(
        DataError,
        match=r"row 0, opportunities.StageName: 'Closed Won', expected 'Demo', where its history "
        "ends: an entry is missing there, and its time is not known",
    ):
        load(
            opportunities=[opportunity("A", "Closed Won")],
            history=[entry("A", "Demo", "01-20T10:00")],
        )


# ── the funnel ────────────────────────────────────────────────────────────────────────────────────


def test_an_inactive_stage_is_there_only_if_an_opportunity_was_in_it() -> None:
    past = [entry("A", "Old", "01-05T02:00"), entry("A", "Demo", "01-06T02:00")]

    assert salesforce.funnel(STAGES).states == ("Lead", "Demo", "won", "lost")
    assert salesforce.funnel(STAGES, keep=["Old"]).states == ("Lead", "Demo", "Old", "won", "lost")
    assert "Old" in load(history=past).funnel
    assert "Old" not in load(history=past[1:]).funnel
    moved = [change("A", "StageName", "Old", "Demo", "01-06T02:00")]
    assert "Old" in load(field_history=moved).funnel


def test_a_funnel_of_ones_own_takes_the_place_of_the_stages() -> None:
    funnel = Funnel(
        [Stage("open", "Lead", names={"zh": "演示"})], [LossReason("price", "Too dear")]
    )
    log = load(
        funnel=funnel,
        opportunities=[opportunity("A", "Closed Lost", Loss__c="Too dear")],
        history=[
            entry("A", "Lead", "01-05T02:00"),
            entry("A", "演示", "01-06T02:00"),
            entry("A", "Demo", "01-07T02:00"),
            entry("A", "Closed Lost", "01-08T02:00"),
        ],
        stage_map={"Demo": None},
        loss_reason="loss_c",
    )

    assert told(log) == [
        ("A", "open", "01-05 02:00"),
        ("A", "open", "01-06 02:00"),
        ("A", "lost", "01-08 02:00"),
    ]
    assert log.ignored == 1
    assert reasons(log) == {"A": "price"}


def test_records_say_which_stages_are_closed() -> None:
    log = load(
        stages=None,
        funnel=Funnel(["Lead"]),
        opportunities=[opportunity("A", "Signed", IsClosed=True, IsWon=True)],
        history=[entry("A", "Lead", "01-05T02:00"), entry("A", "Signed", "01-06T02:00")],
    )

    assert [state for _, state, _ in told(log)] == ["Lead", "won"]


def test_a_reason_is_that_of_the_last_loss() -> None:
    log = load(
        opportunities=[opportunity("A", "Closed Lost", Loss__c="Price")],
        history=[
            entry("A", "Closed Lost", "01-06T02:00"),
            entry("A", "Demo", "01-07T02:00"),
            entry("A", "Closed Lost", "01-08T02:00"),
        ],
        loss_reason="Loss__c",
    )

    assert log.reasons is not None
    assert log.reasons.codes.tolist() == [-1, -1, 0]


# ── accounts, contacts, attributes ────────────────────────────────────────────────────────────────


def test_account_and_contact_travel_with_the_opportunity() -> None:
    log = load(
        opportunities=[
            opportunity("A", "Demo", AccountId="001A", ContactId="003A", Region__c="East"),
            opportunity("B", "Demo", AccountId="001B", Account={"Name": "Contoso", "Tier": "gold"}),
        ],
        accounts=[{"Id": "001A", "Name": "Northwind", "Industry": "Retail"}],
        contacts=[{"Id": "003A", "Name": "Wang Wei"}],
        attributes={"industry": "Account.Industry", "region": "Region__c", "tier": "Account.Tier"},
    )

    assert labels(log, "customer") == ["Northwind", "Contoso"]
    assert labels(log, "contact") == ["Wang Wei", None]
    assert labels(log, "industry") == ["Retail", None]
    assert labels(log, "region") == ["East", None]
    assert labels(log, "tier") == [None, "gold"]


def test_a_field_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(
        MissingColumnError, match=r"opportunities have no field 'Tier__c'; they have Id, StageName"
    ):
        load(opportunities=[opportunity("A", "Demo")], attributes=["Tier__c"])


def test_an_attribute_that_is_kept_over_time_is_not_given_again() -> None:
    with pytest.raises(DefinitionError, match="the attribute 'owner' is there already"):
        load(opportunities=[opportunity("A", "Demo")], attributes={"owner": "Name"})


# ── leads ─────────────────────────────────────────────────────────────────────────────────────────


def lead(key: str, at: str, target: str | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "Id": key,
        "CreatedDate": f"2026-{at}:00.000+0000",
        "ConvertedOpportunityId": target,
        "IsConverted": target is not None,
        "LeadSource": "Web",
        "OwnerId": "005L",
        "Company": "Northwind",
        **fields,
    }


LEADS = [
    lead("L1", "01-03T10:00", "A", Rating="Hot"),
    lead("L2", "01-02T10:00", "A", LeadSource="Fair"),
    lead("L3", "01-04T10:00"),
    lead("L4", "01-09T10:00", "B"),
]


def test_a_converted_lead_lends_its_labels_to_the_opportunity() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo"), opportunity("B", "Demo", LeadSource="Call")],
        leads=LEADS,
        attributes={"rating": "Lead.Rating"},
    )

    assert told(log) == [("A", "Demo", "01-05 02:00"), ("B", "Demo", "01-05 02:00")]
    assert labels(log, "lead") == ["L2", "L4"]
    assert labels(log, "lead_source") == ["Fair", "Web"]
    assert labels(log, "lead_owner") == ["005L", "005L"]
    assert labels(log, "lead_created") == ["2026-01-02", "2026-01-09"]
    assert labels(log, "source") == ["Fair", "Call"]
    assert log.ignored == 2, "the second lead of A, and the one that was not converted"


def test_on_request_leads_are_the_stage_before_all() -> None:
    log = load(
        opportunities=[opportunity("A", "Demo"), opportunity("B", "Demo")],
        leads=LEADS,
        lead_stage=Stage("inbox", probability=0.02),
    )

    assert log.funnel.states == ("inbox", "Lead", "Demo", "won", "lost")
    assert told(log) == [
        ("A", "inbox", "01-02 10:00"),
        ("A", "Demo", "01-05 02:00"),
        ("L3", "inbox", "01-04 10:00"),
        ("B", "Demo", "01-05 02:00"),
    ]
    assert labels(log, "source") == ["Fair", "Fair", "Web", "Web"]
    assert labels(log, "customer") == ["Northwind", None, "Northwind", None]
    assert log.ignored == 2, "the second lead of A, and the one that came when B was there already"


def test_the_stage_of_leads_may_be_in_the_funnel_already() -> None:
    log = load(leads=LEADS, lead_stage="Lead")

    assert log.funnel.states == ("Lead", "Demo", "won", "lost")
    assert sorted(told(log)) == [
        ("A", "Lead", "01-02 10:00"),
        ("B", "Lead", "01-09 10:00"),
        ("L3", "Lead", "01-04 10:00"),
    ]


# ── options ───────────────────────────────────────────────────────────────────────────────────────


def test_records_in_the_recycle_bin_count_unless_they_should_not() -> None:
    sources = {
        "opportunities": [
            opportunity("A", "Demo", IsDeleted=True),
            opportunity("B", "Demo", IsDeleted=False),
        ],
        "history": [entry("A", "Demo", "01-05T02:00"), entry("B", "Demo", "01-05T02:00")],
        "field_history": [change("A", "Amount", 1, 2, "01-06T02:00")],
    }

    assert load(**sources).n_opportunities == 2
    without = load(**sources, deleted=False)
    assert told(without) == [("B", "Demo", "01-05 02:00")]
    assert without.ignored == 3


def test_a_record_number_settles_equal_times() -> None:
    history = [
        entry("A", "Demo", "01-05T02:00", Number=2),
        entry("A", "Lead", "01-05T02:00", Number=1),
    ]

    assert [state for _, state, _ in told(load(history=history))] == ["Demo", "Lead"]
    ordered = load(history=history, order="Number")
    assert [state for _, state, _ in told(ordered)] == ["Lead", "Demo"]
    by_state = load(history=history, ties="state")
    assert [state for _, state, _ in told(by_state)] == ["Lead", "Demo"]


def test_currencies_are_those_of_the_records() -> None:
    opportunities = [
        opportunity("A", "Demo", CurrencyIsoCode="CNY"),
        opportunity("B", "Demo", CurrencyIsoCode="USD", Money="EUR"),
    ]

    with pytest.raises(CurrencyError, match="CurrencyIsoCode: amounts in CNY, USD"):
        load(opportunities=opportunities)
    log = load(opportunities=opportunities, rates={"CNY": 1, "USD": 7})
    assert (amounts(log), log.currency) == ([100, 700], "CNY")
    assert load(opportunities=opportunities[1:], currency="Money").currency == "EUR"
    bare = [opportunity("A", "Demo")]
    assert load(opportunities=bare, currency="JPY").currency == "JPY"


def test_times_of_another_form_and_missing_ones() -> None:
    history = [
        {"OpportunityId": "A", "StageName": "Lead", "CreatedDate": "5/1/2026"},
        {"OpportunityId": "A", "StageName": "Demo", "CreatedDate": None},
    ]

    log = load(history=history, date_format="%d/%m/%Y", missing_time="2026-02-01")

    assert told(log) == [("A", "Lead", "01-05 00:00"), ("A", "Demo", "02-01 00:00")]


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────


def pages() -> list[dict[str, Any]]:
    rows = [entry("A", "Lead", "01-05T02:00", Id="1"), entry("A", "Demo", "01-06T02:00", Id="2")]
    first = {"totalSize": 2, "done": False, "nextRecordsUrl": "/x-1", "records": rows[:1]}
    return [first, {"totalSize": 2, "done": True, "records": rows[1:]}]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (pages()[:1], "history: the last page says that more follow"),
        (pages()[1:], "history: 1 records in 1 page, where the response says that there are 2"),
        ([pages()[0], *pages()], "history: 3 records in 3 pages"),
    ],
)
def test_pages_that_are_not_all_there_are_an_error(wrong: list[Any], problem: str) -> None:
    with pytest.raises(IncompletePagesError, match=problem):
        load(history=wrong)

    assert load(history=wrong, partial=True).n_opportunities == 1


def test_a_page_that_came_twice_adds_nothing() -> None:
    log = load(history=[pages()[0], *pages()], partial=True)

    assert len(log) == 2
    assert log.ignored == 1


def test_an_error_body_is_no_page() -> None:
    body = {"errorCode": "INVALID_FIELD", "message": "No such column 'Stage'"}

    with pytest.raises(DataError, match="an error of Salesforce, not a page: INVALID_FIELD: No"):
        load(history=body)


# ── exports with other names: Fivetran ────────────────────────────────────────────────────────────

HASHED = {"GavUFuuf4DrnQAoiRGlWpQ==": "won", "tXi3M8u3iPxq0ggxTSxMKw==": "lost"}


def test_opportunities_of_fivetran_load_as_they_stand(folder: Path) -> None:
    log = salesforce.load(
        opportunities=folder / "sf_opportunity_data.csv",
        funnel=Funnel(["open"]),
        stage_map=HASHED,
        tz="UTC",
        errors="collect",
    )

    assert len(log) + len(log.rejected) == 10
    assert log.ignored == 0
    assert all(column == "opportunities.stage_name" for _, column, _ in rejected(log))
    assert told(log)[0] == ("006q000000HddohAAB", "won", "12-19 00:00")


def test_a_time_of_synchronisation_is_no_entry_time_unless_named(folder: Path) -> None:
    path = folder / "sf_opportunity_history_data.csv"
    options: dict[str, Any] = {
        "funnel": Funnel(["open"]),
        "stage_map": HASHED,
        "tz": "UTC",
        "errors": "collect",
    }

    with pytest.raises(MissingColumnError, match="name it to take it nevertheless, as in entered"):
        salesforce.load(history=path, **options)
    log = salesforce.load(history=path, entered_at="_fivetran_start", **options)
    assert len(log) + len(log.rejected) == 10
    assert told(log)[0] == ("006q000000HddohAAB", "won", "10-17 21:10")


def test_a_lead_of_fivetran_is_a_lead(folder: Path) -> None:
    log = salesforce.load(
        leads=folder / "sf_lead_data.csv", lead_stage="lead", funnel=Funnel(["open"]), tz="UTC"
    )

    assert told(log) == [("00Q1G00000nDnM5UAK", "lead", "11-11 17:23")]


def test_there_must_be_something_to_load() -> None:
    with pytest.raises(DefinitionError, match="nothing to load: give opportunities=, history="):
        load()
    with pytest.raises(DefinitionError, match=r"Give stages=, the records of OpportunityStage, or"):
        salesforce.load(history=[entry("A", "Lead", "01-05T02:00")])
