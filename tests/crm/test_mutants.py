"""Two hundred broken variants for each reader: refused by name, or every row accounted for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crm.mutants import Mutant, Record

from salesfunnel.crm import hubspot, jiandaoyun, salesforce
from salesfunnel.errors import SalesFunnelError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

SEEDS = range(200)
FUNNEL = Funnel(["Lead", "Demo"])
OPTIONS: dict[str, Any] = {"funnel": FUNNEL, "tz": "UTC"}

Load = Callable[..., StageLog]


def attempt(load: Load, **options: Any) -> StageLog | None:
    """Return what is loaded; None where it is refused, by an error of the library with a text."""
    try:
        log = load(**options)
    except SalesFunnelError as error:
        refused = str(error)
    else:
        assert str(log.rejected)
        return log
    assert refused
    return None


def check(load: Load, mutant: Mutant, name: str, folder: Path) -> None:
    """Load a mutant: it is refused, or its rows are entries, rejected or ignored ones."""
    source, n_rows = mutant.source(folder)
    options = {name: source, "partial": True, **OPTIONS}
    log = attempt(load, **options, errors="collect")
    if log is None:
        return
    if n_rows is not None:
        assert len(log) + len(log.rejected) + log.ignored == n_rows
    assert log.stage_counts().entered.shape == (2,)
    strict = attempt(load, **options)
    assert (strict is None) == (len(log.rejected) > 0)
    assert strict is None or len(strict) == len(log)


# ── Salesforce ────────────────────────────────────────────────────────────────────────────────────


def of_salesforce(pages: list[list[Any]]) -> Any:
    total = sum(map(len, pages))
    found = [
        {"totalSize": total, "done": place == len(pages) - 1, "records": records}
        for place, records in enumerate(pages)
    ]
    return found if len(found) > 1 else found[0]


OPPORTUNITIES: list[Record] = [
    {
        "attributes": {"type": "Opportunity"},
        "Id": f"0065g00000A1AAA{n}AA",
        "StageName": stage,
        "IsClosed": stage.startswith("Closed"),
        "IsWon": stage == "Closed Won",
        "CreatedDate": f"2026-01-0{n}T02:00:00.000+0000",
        "CloseDate": "2026-03-31",
        "Amount": 1000.5 * n,
        "CurrencyIsoCode": "CNY",
        "OwnerId": "0055g0000011111AAA",
        "Account": {"Name": "上海某某科技有限公司", "attributes": {"type": "Account"}},
    }
    for n, stage in enumerate(["Lead", "Demo", "Closed Won", "Closed Lost"], start=1)
]
HISTORY: list[Record] = [
    {
        "Id": f"0085g000000000{n}AAA",
        "OpportunityId": f"0065g00000A1AAA{1 + n % 3}AA",
        "StageName": ["Lead", "Demo", "Demo", "Closed Won"][n % 4],
        "CreatedDate": f"2026-01-1{n}T02:00:00.000+0000",
        "Amount": 100 * n,
        "CloseDate": "2026-03-31",
        "ForecastCategory": "Pipeline",
        "IsDeleted": False,
    }
    for n in range(8)
]
CHANGES: list[Record] = [
    {
        "Id": f"0175g000000000{n}AAA",
        "OpportunityId": f"0065g00000A1AAA{1 + n % 2}AA",
        "Field": field,
        "OldValue": old,
        "NewValue": new,
        "CreatedDate": f"2026-01-1{n}T02:00:00.000+0000",
    }
    for n, (field, old, new) in enumerate(
        [
            ("created", None, None),
            ("created", None, None),
            ("StageName", "Lead", "Demo"),
            ("Amount", 50, 60),
            ("Owner", "Ann", "Li Na"),
            ("StageName", "Lead", "Closed Lost"),
            ("NextStep", "call", "wait"),
            ("StageName", "Demo", "Closed Won"),
        ]
    )
]
LEADS: list[Record] = [
    {
        "Id": f"00Q1G00000nDnM{n}UAK",
        "CreatedDate": f"2026-01-0{n}T02:00:00.000+0000",
        "ConvertedOpportunityId": f"0065g00000A1AAA{n}AA" if n % 2 else None,
        "LeadSource": "Web",
        "Company": "Northwind",
    }
    for n in range(1, 6)
]


@pytest.mark.parametrize("seed", SEEDS)
def test_salesforce_refuses_or_accounts_for_every_row(seed: int, tmp_path: Path) -> None:
    name, records = [
        ("opportunities", OPPORTUNITIES),
        ("history", HISTORY),
        ("field_history", CHANGES),
        ("leads", LEADS),
    ][seed % 4]
    load = salesforce.load
    if name == "leads":

        def load(**options: Any) -> StageLog:
            return salesforce.load(**options, lead_stage="Lead")

    check(load, Mutant(seed, records, of_salesforce), name, tmp_path)


@pytest.mark.parametrize("seed", range(60))
def test_salesforce_joins_what_is_broken_without_a_crash(seed: int, tmp_path: Path) -> None:
    sources = {
        name: Mutant(3 * seed + place, records, of_salesforce).source(tmp_path)[0]
        for place, (name, records) in enumerate(
            [
                ("opportunities", OPPORTUNITIES),
                ("history", HISTORY),
                ("field_history", CHANGES),
                ("leads", LEADS),
            ]
        )
    }
    stages = [
        {"ApiName": key, "SortOrder": place, "IsClosed": place > 1, "IsWon": place == 2}
        for place, key in enumerate(["Lead", "Demo", "Closed Won", "Closed Lost"])
    ]
    broken = Mutant(seed, stages, of_salesforce).source(tmp_path)[0] if seed % 3 == 0 else stages
    attempt(
        salesforce.load,
        **sources,
        stages=broken,
        tz="UTC",
        partial=True,
        errors="collect",
        loss_reason="Account.Name",
    )


# ── HubSpot ───────────────────────────────────────────────────────────────────────────────────────


def of_hubspot(pages: list[list[Any]]) -> Any:
    found: list[dict[str, Any]] = [{"results": records} for records in pages]
    for page in found[:-1]:
        page["paging"] = {"next": {"after": "1"}}
    return found if len(found) > 1 else found[0]


DEALS: list[Record] = [
    {
        "id": str(9000 + n),
        "properties": {
            "dealstage": stage,
            "pipeline": "default",
            "amount": "24000",
            "createdate": f"2026-02-0{n}T09:00:00.000Z",
            "closedate": "2026-03-02T16:00:00.000Z",
            "hubspot_owner_id": "51",
            "closed_lost_reason": "Chose competitor",
        },
        "archived": False,
    }
    for n, stage in enumerate(["Lead", "Demo", "won", "lost"], start=1)
]
STAGE_ROWS: list[Record] = [
    {
        "deal_id": 9000 + n % 3,
        "name": "amount" if n == 4 else "dealstage",
        "value": "120" if n == 4 else ["Lead", "Demo", "won"][n % 3],
        "timestamp": f"2026-02-0{n}T09:00:00.000Z",
    }
    for n in range(1, 8)
]
ITEMS: list[Record] = [
    {"value": stage, "timestamp": f"2026-02-0{n}T09:00:00.000Z", "sourceType": "CRM_UI"}
    for n, stage in enumerate(["won", "Demo", "Demo", "Lead"], start=1)
]


@pytest.mark.parametrize("seed", SEEDS)
def test_hubspot_refuses_or_accounts_for_every_row(seed: int, tmp_path: Path) -> None:
    name, records = [("deals", DEALS), ("history", STAGE_ROWS), ("items", ITEMS)][seed % 3]
    mutant = Mutant(seed, records, of_hubspot)
    if name != "items":
        check(hubspot.load, mutant, name, tmp_path)
        return
    deal = {"id": "1", "propertiesWithHistory": {"dealstage": mutant.records}}
    log = hubspot.load(deals=[deal], errors="collect", **OPTIONS)
    if mutant.records:
        assert len(log) + len(log.rejected) + log.ignored == len(mutant.records)


@pytest.mark.parametrize("seed", range(60))
def test_hubspot_joins_what_is_broken_without_a_crash(seed: int, tmp_path: Path) -> None:
    pipeline = {
        "id": "default",
        "label": "Sales",
        "stages": [
            {"id": key, "label": key, "displayOrder": n, "metadata": {"probability": chance}}
            for n, (key, chance) in enumerate(
                [("Lead", "0.2"), ("Demo", "0.4"), ("closedwon", "1.0"), ("closedlost", "0.0")]
            )
        ],
    }
    stages = Mutant(seed, pipeline["stages"], of_hubspot).records  # type: ignore[arg-type]
    owners: list[Record] = [{"id": "51", "firstName": "Li", "lastName": "Na", "email": "l@x.y"}]
    attempt(
        hubspot.load,
        deals=Mutant(seed, DEALS, of_hubspot).source(tmp_path)[0],
        pipelines=[{**pipeline, "stages": stages}],
        owners=Mutant(seed, owners, of_hubspot).source(tmp_path)[0],
        tz="UTC",
        errors="collect",
        partial=True,
    )


# ── Jiandaoyun ────────────────────────────────────────────────────────────────────────────────────


def of_jiandaoyun(pages: list[list[Any]]) -> Any:
    found = [{"data": records} for records in pages]
    return found if len(found) > 1 else found[0]


def of_events(pages: list[list[Any]]) -> Any:
    return [event for records in pages for event in records]


def of_form(pages: list[list[Any]]) -> Any:
    return {"widgets": of_events(pages)}


FIELDS = {"stage": "_widget_1", "amount": "_widget_2", "owner": "_widget_3", "closed": "_widget_4"}
FORM: list[Record] = [
    {
        "_id": f"65f00000000000000000000{n}",
        "createTime": f"2026-01-0{n}T03:00:00.000Z",
        "updateTime": "2026-03-02T02:00:00.000Z",
        "_widget_1": stage,
        "_widget_2": 128_000,
        "_widget_3": {"_id": "5f1", "name": "李娜"},
        "_widget_4": "2026-03-01T03:00:00.000Z",
    }
    for n, stage in enumerate(["Lead", "Demo", "赢单", "丢单"], start=1)
]
EVENTS: list[Record] = [
    {
        "op": "data_create" if n < 2 else "data_update" if n < 7 else "data_remove",
        "opTime": 1_767_495_600_000 + 86_400_000 * n,
        "data": {**FORM[n % 2], "_widget_1": ["Lead", "Demo", "Demo", "丢单"][n % 4]},
    }
    for n in range(8)
]


@pytest.mark.parametrize("seed", SEEDS)
def test_jiandaoyun_refuses_or_accounts_for_every_row(seed: int, tmp_path: Path) -> None:
    def load(**options: Any) -> StageLog:
        return jiandaoyun.load(fields=FIELDS, **options)

    if seed % 2:
        check(load, Mutant(seed, FORM, of_jiandaoyun), "data", tmp_path)
    else:
        check(load, Mutant(seed, EVENTS, of_events, paged=False), "events", tmp_path)


@pytest.mark.parametrize("seed", range(60))
def test_jiandaoyun_joins_what_is_broken_without_a_crash(seed: int, tmp_path: Path) -> None:
    widgets: list[Record] = [
        {"label": label, "name": name, "widgetName": name, "type": "text"}
        for label, name in [("阶段", "_widget_1"), ("金额", "_widget_2"), ("负责人", "_widget_3")]
    ]
    attempt(
        jiandaoyun.load,
        data=Mutant(seed, FORM, of_jiandaoyun).source(tmp_path)[0],
        events=Mutant(seed, EVENTS, of_events, paged=False).source(tmp_path)[0],
        widgets=Mutant(seed, widgets, of_form, paged=False).source(tmp_path)[0],
        fields={"stage": "阶段", "amount": "金额", "owner": "负责人"},
        errors="collect",
        partial=True,
        **OPTIONS,
    )
