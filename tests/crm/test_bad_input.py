"""What is wrong with a source, and what each reader says of it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from crm.entries import rejected

from salesfunnel.crm import hubspot, jiandaoyun, salesforce
from salesfunnel.errors import (
    DataError,
    DefinitionError,
    EmptyFileError,
    EncodingError,
    FileLimitError,
    MissingColumnError,
    SalesFunnelError,
    TruncatedFileError,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LossReason

FUNNEL = Funnel(["Lead", "Demo"], [LossReason("price")], reasons_closed=True)
OPTIONS: dict[str, Any] = {"funnel": FUNNEL, "tz": "UTC"}
AT = "2026-01-05T02:00:00Z"
NO_STAGE = "a state of the funnel: Lead, Demo, won, lost"


def load_salesforce(row: dict[str, Any], **options: Any) -> StageLog:
    sound = {"Id": "h", "OpportunityId": "A", "StageName": "Lead", "CreatedDate": AT, "Amount": 1}
    return salesforce.load(history=[{**sound, **row}], **OPTIONS, **options)


def load_hubspot(row: dict[str, Any], **options: Any) -> StageLog:
    sound = {"id": "1", "dealstage": "Lead", "createdate": AT, "closedate": AT, "amount": "1"}
    return hubspot.load(deals=[{**sound, **row}], **OPTIONS, **options)


def load_jiandaoyun(row: dict[str, Any], **options: Any) -> StageLog:
    sound = {"_id": "1", "stage": "Lead", "createTime": AT, "at": None, "amount": 1, "reason": None}
    fields = {"stage": "stage", "amount": "amount", "reason": "reason", "closed": "at"}
    return jiandaoyun.load(data=[{**sound, **row}], fields=fields, **OPTIONS, **options)


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────

ROWS: list[tuple[Any, dict[str, Any], str, Any, str]] = [
    # reader, what is wrong with its row, column, value, expected
    (load_salesforce, {"StageName": "Leed"}, "history.StageName", "Leed", NO_STAGE),
    (load_salesforce, {"StageName": None}, "history.StageName", None, "a stage; there is none"),
    (load_salesforce, {"StageName": ["Lead"]}, "history.StageName", "['Lead']", NO_STAGE),
    (load_salesforce, {"OpportunityId": " "}, "history.OpportunityId", " ", "an identifier; there"),
    (
        load_salesforce,
        {"OpportunityId": [1]},
        "history.OpportunityId",
        [1],
        "a text or a whole num",
    ),
    (
        load_salesforce,
        {"OpportunityId": True},
        "history.OpportunityId",
        True,
        "an identifier: a te",
    ),
    (load_salesforce, {"CreatedDate": None}, "history.CreatedDate", None, "a time; there is none"),
    (load_salesforce, {"CreatedDate": "soon"}, "history.CreatedDate", "soon", "an ISO 8601 time"),
    (load_salesforce, {"CreatedDate": 5}, "history.CreatedDate", 5, "an ISO 8601 time"),
    (load_salesforce, {"Amount": "1,000"}, "history.Amount", "1,000", "a finite number"),
    (load_salesforce, {"Amount": 10**400}, "history.Amount", 10**400, "a finite number"),
    (load_hubspot, {"dealstage": "leed"}, "deals.dealstage", "leed", NO_STAGE),
    (load_hubspot, {"dealstage": ""}, "deals.dealstage", None, "a stage; there is none"),
    (load_hubspot, {"id": None}, "deals.id", None, "an identifier; there is none"),
    (load_hubspot, {"id": 1.5}, "deals.id", 1.5, "an identifier: a text or a whole number"),
    (load_hubspot, {"createdate": "soon"}, "deals.createdate", "soon", "an ISO 8601 time"),
    (
        load_hubspot,
        {"dealstage": "won", "closedate": ""},
        "deals.closedate",
        "",
        "a time; there is",
    ),
    (load_hubspot, {"amount": "dear"}, "deals.amount", "dear", "a finite number"),
    (
        load_hubspot,
        {"dealstage": "lost", "closed_lost_reason": "?"},
        "deals.reason",
        "?",
        "a reason of the funnel: price",
    ),
    (load_jiandaoyun, {"stage": "Leed"}, "data.stage", "Leed", NO_STAGE),
    (load_jiandaoyun, {"stage": None}, "data.stage", None, "a stage; there is none"),
    (load_jiandaoyun, {"_id": ""}, "data._id", "", "an identifier; there is none"),
    (load_jiandaoyun, {"createTime": "soon"}, "data.createTime", "soon", "an ISO 8601 time"),
    (load_jiandaoyun, {"createTime": 10**20}, "data.createTime", 10**20, "an ISO 8601 time"),
    (load_jiandaoyun, {"amount": "很多"}, "data.amount", "很多", "a finite number"),
    (load_jiandaoyun, {"stage": "丢单", "at": None}, "data.at", None, "a time; there is none"),
    (
        load_jiandaoyun,
        {"stage": "丢单", "at": AT, "reason": "太贵"},
        "data.reason",
        "太贵",
        "a reason of the funnel: price",
    ),
]


@pytest.mark.parametrize(("load", "wrong", "column", "value", "expected"), ROWS)
def test_a_row_that_can_be_no_entry_is_named(
    load: Any, wrong: dict[str, Any], column: str, value: Any, expected: str
) -> None:
    log = load(wrong, errors="collect")

    assert len(log) == 0
    assert rejected(log) == [(0, column, value)]
    assert expected in log.rejected["expected"][0]
    with pytest.raises(DataError, match=r"1 row cannot be entries"):
        load(wrong)


def test_rows_of_a_file_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(
        f"OpportunityId,StageName,CreatedDate\nA,Lead,{AT}\n\nB,Leed,{AT}\nC,Lead\n",
        encoding="utf-8",
    )

    log = salesforce.load(history=path, errors="collect", **OPTIONS)

    assert rejected(log) == [
        (4, "history.StageName", "Leed"),
        (5, "history.(the row)", "2 cells"),
    ]


def test_at_most_twenty_bad_rows_are_listed() -> None:
    rows = [{"id": str(n), "dealstage": "x", "createdate": AT} for n in range(30)]

    with pytest.raises(DataError, match=r"30 rows cannot be entries(?s:.*)… and 10 more"):
        hubspot.load(deals=rows, **OPTIONS)


def test_a_record_that_contradicts_an_earlier_one_is_rejected() -> None:
    rows = [{"_id": "1", "stage": stage, "createTime": AT} for stage in ("Lead", "Demo", "Lead")]

    log = jiandaoyun.load(data=rows, fields={"stage": "stage"}, errors="collect", **OPTIONS)

    assert rejected(log) == [(1, "data._id", "1")]
    assert log.rejected["expected"][0] == "one row for each; row 0 has it too, and says otherwise"
    assert (len(log), log.ignored) == (1, 1)


def test_faults_are_in_the_order_of_the_sources() -> None:
    log = salesforce.load(
        opportunities=[
            {"Id": "A", "StageName": "Lead", "CreatedDate": AT},
            {"Id": "A", "StageName": "Demo", "CreatedDate": AT},
        ],
        history=["nothing", {"OpportunityId": "B", "StageName": "x", "CreatedDate": AT}],
        errors="collect",
        **OPTIONS,
    )

    assert rejected(log) == [
        (1, "opportunities.Id", "A"),
        (0, "history.(the row)", "'nothing'"),
        (1, "history.StageName", "x"),
    ]


@pytest.mark.parametrize(
    ("items", "column", "value", "expected"),
    [
        ("late", "deals.propertiesWithHistory.dealstage", "late", "a list of values with their"),
        ([7], "deals.propertiesWithHistory.dealstage[0]", 7, "a value with its time"),
        (
            [{"value": "Lead"}],
            "deals.propertiesWithHistory.dealstage[0].timestamp",
            None,
            "a time; there is none",
        ),
        (
            [{"value": "x", "timestamp": AT}],
            "deals.propertiesWithHistory.dealstage[0].value",
            "x",
            NO_STAGE,
        ),
    ],
)
def test_a_value_of_a_history_is_named_by_its_place(
    items: Any, column: str, value: Any, expected: str
) -> None:
    deal = {"id": "1", "dealstage": "Lead", "createdate": AT}
    log = hubspot.load(
        deals=[{**deal, "propertiesWithHistory": {"dealstage": items}}], errors="collect", **OPTIONS
    )

    assert (0, column, value) in rejected(log)
    assert expected in log.rejected["expected"][0]


# ── sources as a whole ────────────────────────────────────────────────────────────────────────────

FILES: list[tuple[str, bytes, type[SalesFunnelError], str]] = [
    ("empty.csv", b"", EmptyFileError, "is empty"),
    ("empty.json", b" ", EmptyFileError, "is empty; JSON is expected"),
    (
        "cut.json",
        b'{"results": [{"id": "1"',
        TruncatedFileError,
        "breaks off before the end of its",
    ),
    ("cut.csv", b'id,dealstage\n1,"Le', TruncatedFileError, "ends inside a quoted cell"),
    (
        "cut.csv.gz",
        gzip.compress(b"id\n" * 999, mtime=0)[:20],
        TruncatedFileError,
        "breaks off before its",
    ),
    ("wrong.json", b"{]", DataError, "not JSON"),
    ("utf16.csv", "id,dealstage\n".encode("utf-16"), EncodingError, "zero bytes"),
    ("page.json", b'{"rows": []}', DataError, "a page of the response is expected"),
    ("text.json", b'"results"', DataError, "a list of records is expected"),
    ("twice.csv", b"id,id\n1,2\n", DataError, "names a column twice: id"),
    ("alike.csv", b"deal_id,Deal ID\n1,2\n", DataError, "has the field 'deal_id' more than once|"),
    ("long.csv", b"id,dealstage\n" + b"1" * 2_000_000, FileLimitError, "max_line= raises"),
]


@pytest.mark.parametrize(("name", "data", "error", "problem"), FILES)
@pytest.mark.parametrize("reader", ["salesforce", "hubspot", "jiandaoyun"])
def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, reader: str, name: str, data: bytes, error: type[SalesFunnelError], problem: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    load: dict[str, Any] = {
        "salesforce": lambda: salesforce.load(history=path, **OPTIONS),
        "hubspot": lambda: hubspot.load(deals=path, **OPTIONS),
        "jiandaoyun": lambda: jiandaoyun.load(data=path, fields={"stage": "stage"}, **OPTIONS),
    }

    with pytest.raises(error, match=problem):
        load[reader]()


def test_limits_can_be_raised_and_lowered(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv.gz"
    path.write_bytes(gzip.compress(f"id,dealstage,createdate\n1,Lead,{AT}\n".encode()))

    assert len(hubspot.load(deals=path, **OPTIONS)) == 1
    with pytest.raises(FileLimitError, match="max_bytes= raises the limit"):
        hubspot.load(deals=path, max_bytes=10, **OPTIONS)
    with pytest.raises(FileLimitError, match="max_line= raises the limit"):
        salesforce.load(history=path, max_line=10, **OPTIONS)
    with pytest.raises(FileLimitError, match="max_bytes= raises the limit"):
        jiandaoyun.load(data=path, fields={"stage": "dealstage"}, max_bytes=10, **OPTIONS)


COLUMNS: list[tuple[Any, str]] = [
    (lambda: salesforce.load(history=[{"Id": 1}], **OPTIONS), "history has no column 'Opportunity"),
    (
        lambda: salesforce.load(history=[{"OpportunityId": 1, "CreatedDate": AT}], **OPTIONS),
        "history has no column 'StageName'; it has OpportunityId, CreatedDate",
    ),
    (
        lambda: salesforce.load(history=[{"OpportunityId": 1, "StageName": "Lead"}], **OPTIONS),
        "history has no column 'CreatedDate'",
    ),
    (
        lambda: salesforce.load(opportunities=[{"x": 1}], **OPTIONS),
        "opportunities has no column 'I",
    ),
    (
        lambda: salesforce.load(field_history=[{"OpportunityId": 1}], **OPTIONS),
        "field_history has no column 'Field'",
    ),
    (lambda: salesforce.load(leads=[{"Id": 1}], **OPTIONS), "leads has no column 'CreatedDate'"),
    (lambda: salesforce.funnel([{"ApiName": "x"}]), "stages has no column 'IsClosed'"),
    (lambda: hubspot.load(deals=[{"x": 1}], **OPTIONS), "deals has no column 'id'; it has x"),
    (lambda: hubspot.load(history=[{"deal_id": 1}], **OPTIONS), "history has no column 'value'"),
    (lambda: hubspot.funnels([{"id": 1}]), "pipelines has no column 'displayOrder'"),
    (
        lambda: jiandaoyun.load(data=[{"stage": "Lead"}], fields={"stage": "stage"}, **OPTIONS),
        "data has no field '_id' or '数据ID' or '数据 ID'; it has stage. fields= names another",
    ),
    (
        lambda: jiandaoyun.load(events=[{"op": "data_create"}], fields={"stage": "s"}, **OPTIONS),
        "events has no column 'opTime'",
    ),
]


@pytest.mark.parametrize(("load", "problem"), COLUMNS)
def test_a_column_that_is_needed_is_named(load: Any, problem: str) -> None:
    with pytest.raises(MissingColumnError, match=problem):
        load()


STAGES: list[tuple[Any, str]] = [
    (lambda: salesforce.funnel([]), "no column|there is no stage in it"),
    (
        lambda: salesforce.funnel([{"ApiName": "x", "SortOrder": "?", "IsClosed": False}]),
        r"row 0, stages.SortOrder: '\?', expected a number: the place of the stage",
    ),
    (
        lambda: salesforce.funnel([{"ApiName": "x", "SortOrder": 1, "IsClosed": "?"}]),
        r"row 0, stages.IsClosed: '\?', expected true or false",
    ),
    (
        lambda: salesforce.funnel(
            [{"ApiName": "x", "SortOrder": 1, "IsClosed": False, "DefaultProbability": 101}]
        ),
        "row 0, stages.DefaultProbability: 101, expected a number from 0 to 100",
    ),
    (
        lambda: salesforce.funnel([{"ApiName": "", "SortOrder": 1, "IsClosed": False}]),
        "row 0, stages.ApiName: None, expected the name of a stage",
    ),
    (
        lambda: hubspot.funnels([{"id": 1, "stages": 7}]),
        "pipelines.stages: 7, expected a list of s",
    ),
    (lambda: hubspot.funnels([{"id": 1, "stages": []}]), "expected a list of stages"),
    (
        lambda: hubspot.funnels([{"id": 1, "stages": [{"id": "x", "displayOrder": "?"}]}]),
        r"row 0, pipelines\[0\].stages.displayOrder: '\?', expected a number: the place",
    ),
    (
        lambda: hubspot.funnels([{"id": 1, "stages": [{"id": "x", "displayOrder": 1}]}]),
        r"pipelines\[0\].stages.probability: None, expected a number from 0 to 1",
    ),
]


@pytest.mark.parametrize(("load", "problem"), STAGES)
def test_what_is_no_stage_is_an_error(load: Any, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        load()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"errors": "ignore"}, "errors= is 'raise' or 'collect', not 'ignore'"),
        ({"ties": "no"}, "ties= is one of input, state, not 'no'"),
        ({"tz": "Mars"}, "Mars"),
        ({"stage_map": ["Lead"]}, "stage_map= maps names to states, not"),
        ({"stage_map": {"x": "nowhere"}}, "stage_map sends 'x' to 'nowhere', which is no state"),
        ({"rates": {"CNY": 0}}, "rates= maps currencies"),
        ({"funnel": "standard"}, "a log needs a Funnel, not 'standard'"),
    ],
)
def test_options_that_cannot_be_are_an_error(options: dict[str, Any], problem: str) -> None:
    loads: list[Any] = [
        lambda **given: salesforce.load(
            history=[{"OpportunityId": "A", "StageName": "Lead", "CreatedDate": AT, "Amount": 1}],
            currency="CNY",
            **given,
        ),
        lambda **given: hubspot.load(
            deals=[{"id": 1, "dealstage": "Lead", "createdate": AT, "amount": 1}],
            currency="CNY",
            **given,
        ),
        lambda **given: jiandaoyun.load(
            data=[{"_id": 1, "s": "Lead", "createTime": AT, "a": 1}],
            fields={"stage": "s", "amount": "a"},
            currency="CNY",
            **given,
        ),
    ]
    for load in loads:
        with pytest.raises(DefinitionError, match=problem):
            load(**{**OPTIONS, **options})


@pytest.mark.parametrize("source", [7, b"bytes", object()])
def test_what_is_no_source_is_an_error(source: Any) -> None:
    with pytest.raises(DefinitionError, match="history is a path, a dataframe, parsed JSON, or a"):
        salesforce.load(history=source, **OPTIONS)
