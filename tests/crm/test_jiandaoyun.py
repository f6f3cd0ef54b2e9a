"""Jiandaoyun: records of a form, the events that it pushes, and exports of it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from crm.entries import amounts, labels, reasons, rejected, told

from salesfunnel.crm import jiandaoyun
from salesfunnel.errors import (
    DataError,
    DefinitionError,
    IncompletePagesError,
    MissingColumnError,
    NaiveTimeError,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FORM = {
    "widgets": [
        {"label": "商机阶段", "name": "stage_alias", "widgetName": "_widget_1", "type": "combo"},
        {"label": "预计金额", "name": "_widget_2", "widgetName": "_widget_2", "type": "number"},
        {"label": "负责人", "name": "_widget_3", "widgetName": "_widget_3", "type": "user"},
        {"label": "标签", "name": "_widget_4", "widgetName": "_widget_4", "type": "checkboxgroup"},
        {"label": "备注", "name": "_widget_5", "widgetName": "_widget_5", "type": "text"},
        {"label": "备注", "name": "_widget_6", "widgetName": "_widget_6", "type": "text"},
        {"label": "丢单原因", "name": "_widget_7", "widgetName": "_widget_7", "type": "combo"},
        {"label": "成交日期", "name": "_widget_8", "widgetName": "_widget_8", "type": "datetime"},
    ],
    "sysWidgets": [{"name": "createTime", "type": "datetime"}],
}
FIELDS = {"stage": "商机阶段", "amount": "预计金额", "owner": "负责人", "reason": "丢单原因"}
SECOND = 1_767_578_400_000
"""2026-01-05 02:00 in UTC, in milliseconds."""


def record(key: str, stage: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "_id": key,
        "createTime": "2026-01-05T02:00:00.000Z",
        "updateTime": "2026-02-02T02:00:00.000Z",
        "stage_alias": stage,
        **fields,
    }


def event(
    key: str, op: str, minute: int, stage: str | None = None, **fields: Any
) -> dict[str, Any]:
    return {"op": op, "opTime": SECOND + 60_000 * minute, "data": record(key, stage, **fields)}


def load(**sources: Any) -> StageLog:
    return jiandaoyun.load(**{"widgets": FORM, "fields": FIELDS, **sources})


# ── the samples ───────────────────────────────────────────────────────────────────────────────────

SAMPLE_FIELDS = {
    "stage": "商机阶段",
    "amount": "预计金额",
    "owner": "负责人",
    "source": "线索来源",
    "reason": "丢单原因",
    "customer": "客户名称",
}
EVENTS = [
    ("65f000000000000000000001", "lead_identification", "01-04 03:00"),
    ("65f000000000000000000001", "initial_contact", "01-07 03:00"),
    ("65f000000000000000000001", "initial_contact", "01-08 03:00"),
    ("65f000000000000000000001", "needs_analysis", "01-13 03:00"),
    ("65f000000000000000000001", "solution_design", "01-27 03:00"),
    ("65f000000000000000000001", "quotation_negotiation", "02-10 03:00"),
    ("65f000000000000000000001", "contract_signing", "03-02 02:00"),
]


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "jiandaoyun"


@pytest.fixture(scope="module")
def sample(folder: Path) -> dict[str, Any]:
    return {
        "data": folder / "data_list_v5.json",
        "widgets": folder / "widgets_v5.json",
        "events": sorted(folder.glob("webhook_*.json")),
        "tz": "Asia/Shanghai",
    }


def test_the_samples_load_completely(sample: dict[str, Any]) -> None:
    log = jiandaoyun.load(**sample, fields={**SAMPLE_FIELDS, "closed": "updateTime"})

    assert told(log) == [
        *EVENTS,
        ("65f000000000000000000002", "lost", "02-11 02:00"),
        ("65f000000000000000000003", "needs_analysis", "02-01 03:00"),
    ]
    assert log.ignored == len(log.rejected) == 0
    assert log.funnel == Funnel.standard()
    assert reasons(log) == {"65f000000000000000000002": "price"}
    assert labels(log, "owner") == ["李娜"] * 7 + ["王强"] * 2
    assert labels(log, "source") == ["网站"] * 7 + ["推荐", "市场活动"]
    assert amounts(log) == [128_000] * 7 + [36_000, 9_000]
    assert log.flow().counts.sum() == 5, "the second event in 初步接触 is no transition"


def test_no_time_is_taken_from_the_last_change_unless_it_is_named(sample: dict[str, Any]) -> None:
    log = jiandaoyun.load(**sample, fields=SAMPLE_FIELDS, errors="collect")

    assert rejected(log) == [(1, "data.closed", None)]
    assert log.n_opportunities == 2
    with pytest.raises(DataError, match="the time of the close: fields="):
        jiandaoyun.load(**sample, fields=SAMPLE_FIELDS)


def test_a_close_without_a_time_is_let_in_at_a_time_that_is_named(sample: dict[str, Any]) -> None:
    log = jiandaoyun.load(**sample, fields=SAMPLE_FIELDS, missing_time="2026-02-28")

    assert told(log) == [
        *EVENTS,
        ("65f000000000000000000002", "lost", "02-27 16:00"),
        ("65f000000000000000000003", "needs_analysis", "02-01 03:00"),
    ]
    assert log.ignored == len(log.rejected) == 0


def test_export_and_api_agree_on_every_time(sample: dict[str, Any], folder: Path) -> None:
    api = jiandaoyun.load(
        data=sample["data"],
        widgets=sample["widgets"],
        fields={**SAMPLE_FIELDS, "closed": "updateTime"},
    )
    export = jiandaoyun.load(
        data=folder / "export.csv",
        fields={**SAMPLE_FIELDS, "closed": "更新时间"},
        tz="Asia/Shanghai",
    )

    assert told(export) == told(api)
    assert amounts(export) == amounts(api)
    assert reasons(export) == reasons(api)
    for name in api.attributes:
        assert labels(export, name) == labels(api, name)
    with pytest.raises(NaiveTimeError, match="names no time zone"):
        jiandaoyun.load(data=folder / "export.csv", fields={"stage": "商机阶段"})


def test_what_looks_like_a_formula_or_a_script_is_a_text(sample: dict[str, Any]) -> None:
    fields = {
        "stage": "商机阶段",
        "customer": "客户名称",
        "name": "商机名称",
        "closed": "updateTime",
    }
    log = jiandaoyun.load(**sample, fields=fields)

    assert labels(log, "customer")[-1] == '=HYPERLINK("http://example.invalid","点我")'
    assert labels(log, "name")[-1] == "恶意名称 <script>alert(1)</script>"


# ── fields ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["商机阶段", "stage_alias", "_widget_1"])
@pytest.mark.parametrize("key", ["stage_alias", "_widget_1", "商机阶段"])
def test_a_field_is_known_by_its_title_its_alias_or_its_identifier(name: str, key: str) -> None:
    data = [{"_id": "1", "createTime": "2026-01-05T02:00Z", key: "初步接触"}]

    log = load(data=data, fields={"stage": name})

    assert told(log) == [("1", "initial_contact", "01-05 02:00")]


def test_without_the_form_titles_are_not_known() -> None:
    with pytest.raises(
        MissingColumnError,
        match=r"data has no field '商机阶段'; it has _id, .*; widgets= tells which title belongs",
    ):
        load(data=[record("1", "初步接触")], widgets=None)


def test_a_field_that_the_form_does_not_have_is_an_error() -> None:
    with pytest.raises(
        MissingColumnError, match="data has no field '区域'; it has _id, createTime"
    ):
        load(data=[record("1", "初步接触")], fields={**FIELDS, "region": "区域"})


def test_a_field_that_no_record_has_filled_in_may_be_missing() -> None:
    log = load(data=[record("1", "初步接触")])

    assert amounts(log) == [None]
    assert log.attributes == ()


def test_a_title_of_two_fields_is_an_error() -> None:
    with pytest.raises(
        DataError, match="'备注' is the title of several fields: _widget_5, _widget_6"
    ):
        load(data=[record("1", "初步接触")], fields={**FIELDS, "note": "备注"})


def test_members_and_lists_are_labels() -> None:
    ann = {"_id": "u1", "name": "李娜", "username": "R-1"}
    log = load(
        data=[
            record("1", "初步接触", _widget_3=ann, _widget_4=["老客户", "重点"]),
            record("2", "初步接触", _widget_3=None, _widget_4=[ann, {"name": "王强"}]),
        ],
        fields={**FIELDS, "tags": "标签"},
    )

    assert labels(log, "owner") == ["李娜", None]
    assert labels(log, "tags") == ["老客户, 重点", "李娜, 王强"]


def test_system_fields_have_their_names() -> None:
    log = load(
        data=[record("1", None, flowState=0), record("2", None, flowState=1, deal="D-2")],
        fields={"stage": "flowState", "deal": "deal"},
        stage_map={0: "initial_contact", 1: "won"},
        missing_time="2026-02-02T02:00Z",
    )

    assert [state for _, state, _ in told(log)] == ["initial_contact", "won"]
    assert labels(log, "deal") == [None, "D-2"]


def test_identifier_and_creation_may_be_fields_of_the_form() -> None:
    log = load(
        data=[record("1", "初步接触", number="D-1", since="2026-01-01T00:00:00Z")],
        fields={**FIELDS, "opportunity": "number", "created": "since"},
    )

    assert told(log) == [("D-1", "initial_contact", "01-01 00:00")]


def test_a_day_is_that_of_the_company() -> None:
    data = [record("1", "初步接触", _widget_8="2026-04-29T16:00:00.000Z")]
    fields = {**FIELDS, "expected_close": "成交日期"}

    assert labels(load(data=data, fields=fields), "expected_close") == ["2026-04-29"]
    shanghai = load(data=data, fields=fields, tz="Asia/Shanghai")
    assert labels(shanghai, "expected_close") == ["2026-04-30"]
    plain = [
        record("1", "初步接触", _widget_8="2026-04-30"),
        record("2", "初步接触", _widget_8="soon"),
    ]
    assert labels(load(data=plain, fields=fields), "expected_close") == ["2026-04-30", "soon"]


def test_the_stage_must_be_named() -> None:
    with pytest.raises(DefinitionError, match="fields= names at least the field with the stage"):
        load(data=[record("1", "初步接触")], fields={"amount": "预计金额"})
    with pytest.raises(DefinitionError, match="fields= maps what a field says to the field"):
        load(data=[record("1", "初步接触")], fields={"stage": 1})


# ── stages ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("潜在客户识别", "lead_identification"),
        ("Initial contact", "initial_contact"),
        ("needs_analysis", "needs_analysis"),
        ("售后服务", "after_sales_service"),
        ("赢单", "won"),
        ("成交", "won"),
        ("丢单", "lost"),
        ("输单", "lost"),
    ],
)
def test_stages_are_known_by_their_names(name: str, state: str) -> None:
    log = load(events=[event("1", "data_create", 0, name)])

    assert told(log) == [("1", state, "01-05 02:00")]


def test_an_unknown_stage_is_rejected_unless_the_map_says_what_it_means() -> None:
    events = [event("1", "data_create", 0, "商务洽谈"), event("1", "data_update", 1, "初步接触")]

    log = load(events=events, errors="collect")
    assert rejected(log) == [(0, "events.data.stage_alias", "商务洽谈")]
    log = load(events=events, stage_map={"商务洽谈": "needs_analysis"})
    assert [state for _, state, _ in told(log)] == ["needs_analysis", "initial_contact"]


def test_a_closed_record_has_the_time_that_a_field_says() -> None:
    data = [record("1", "赢单", _widget_8="2026-03-01T02:00:00Z"), record("2", "丢单")]

    log = load(data=data, fields={**FIELDS, "closed": "成交日期"}, errors="collect")

    assert told(log) == [("1", "won", "03-01 02:00")]
    assert rejected(log) == [(1, "data._widget_8", None)]
    filled = load(data=data, fields={**FIELDS, "closed": "成交日期"}, missing_time="2026-04-01T00Z")
    assert told(filled)[1] == ("2", "lost", "04-01 00:00")


# ── events ────────────────────────────────────────────────────────────────────────────────────────

STORY = [
    event("1", "data_create", 0, "潜在客户识别", _widget_2=100, _widget_3={"name": "李娜"}),
    event("1", "data_update", 1, "潜在客户识别", _widget_2=120, _widget_3={"name": "李娜"}),
    event("1", "data_update", 2, "初步接触", _widget_2=120, _widget_3={"name": "王强"}),
    event("2", "data_create", 3, "初步接触"),
    event("1", "data_update", 4, "丢单", _widget_2=120, _widget_7="价格过高"),
]


def test_events_are_a_history() -> None:
    log = load(events=STORY)

    assert told(log) == [
        ("1", "lead_identification", "01-05 02:00"),
        ("1", "lead_identification", "01-05 02:01"),
        ("1", "initial_contact", "01-05 02:02"),
        ("1", "lost", "01-05 02:04"),
        ("2", "initial_contact", "01-05 02:03"),
    ]
    assert amounts(log) == [100, 120, 120, 120, None]
    assert labels(log, "owner") == ["李娜", "李娜", "王强", None, None]
    assert reasons(log) == {"1": "price"}


def test_the_order_in_which_events_come_does_not_matter() -> None:
    expected = sorted(told(load(events=STORY)))
    shuffled = [*STORY, *STORY]
    for seed in range(5):
        random.Random(seed).shuffle(shuffled)
        log = load(events=shuffled)
        assert sorted(told(log)) == expected
        assert reasons(log) == {"1": "price"}
        assert log.ignored == len(STORY), "each came twice"


def test_a_creation_comes_before_a_change_in_the_same_instant() -> None:
    log = load(
        events=[
            event("1", "data_update", 0, "初步接触"),
            event("1", "data_create", 0, "潜在客户识别"),
        ]
    )

    assert [state for _, state, _ in told(log)] == ["lead_identification", "initial_contact"]


def test_a_removed_record_is_gone_with_its_events() -> None:
    removal = event("1", "data_remove", 9, "丢单")
    data = [record("1", "丢单"), record("2", "初步接触")]

    log = load(events=[*STORY, removal], data=data)

    assert told(log) == [("2", "initial_contact", "01-05 02:03")]
    assert log.ignored == 6, "four events, the removal, and the record"
    kept = load(events=[*STORY, removal], keep_removed=True)
    assert told(kept) == told(load(events=STORY))
    assert kept.ignored == 1


def test_a_recovered_record_is_there_again() -> None:
    log = load(
        events=[
            event("1", "data_recover", 2, "初步接触"),
            event("1", "data_remove", 1, "初步接触"),
            event("1", "data_create", 0, "初步接触"),
        ]
    )

    assert [at for _, _, at in told(log)] == ["01-05 02:00", "01-05 02:02"]
    assert log.ignored == 1


def test_events_about_no_record_are_ignored_and_unknown_ones_rejected() -> None:
    log = load(
        events=[
            *STORY,
            {"op": "form_update", "opTime": SECOND, "data": {}},
            {"op": "data_burn", "opTime": SECOND, "data": record("1", "丢单")},
        ],
        errors="collect",
    )

    assert len(log) == len(STORY)
    assert log.ignored == 1
    assert rejected(log) == [(6, "events.op", "data_burn")]


def test_a_record_that_stands_elsewhere_than_its_last_event_is_an_error() -> None:
    with pytest.raises(
        DataError, match=r"row 0, data.stage_alias: '需求分析', expected '丢单', where its history"
    ):
        load(events=STORY, data=[record("1", "需求分析")])


def test_events_may_be_lines_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in STORY), encoding="utf-8")

    assert told(load(events=path)) == told(load(events=STORY))


def test_records_may_be_a_dataframe() -> None:
    frame = pd.DataFrame(
        {"_id": ["1"], "createTime": pd.to_datetime(["2026-01-05T02:00Z"]), "阶段": ["初步接触"]}
    )

    log = load(data=frame, fields={"stage": "阶段"})

    assert told(log) == [("1", "initial_contact", "01-05 02:00")]


# ── a stream ──────────────────────────────────────────────────────────────────────────────────────


def stream(*events: Any, **options: Any) -> jiandaoyun.Stream:
    return jiandaoyun.Stream(events, **{"fields": FIELDS, "widgets": FORM, **options})


def test_a_stream_gives_the_log_of_all_that_came() -> None:
    came = stream()

    assert [came.push(one) for one in STORY] == [True] * 5
    assert told(came.log()) == told(load(events=STORY))
    assert told(came.log(data=[record("3", "需求分析")]))[-1] == (
        "3",
        "needs_analysis",
        "01-05 02:00",
    )


def test_an_event_that_comes_again_changes_nothing() -> None:
    came = stream(*STORY)

    assert len(came) == 5
    assert came.push(json.dumps(STORY[0])) is False
    assert came.push(json.dumps(STORY[0]).encode()) is False
    assert len(came) == 5


def test_a_delivery_that_comes_again_is_known_by_its_identifier() -> None:
    came = stream()

    assert came.push(STORY[0], delivery="sha1=7d38") is True
    assert came.push({**STORY[0], "opTime": SECOND + 1}, delivery="sha1=7d38") is False


def test_a_stream_can_be_kept_and_taken_up_again() -> None:
    saved = json.loads(json.dumps(stream(*STORY[:3]).events))

    again = stream(*saved)
    again.push(STORY[3])
    again.push(STORY[4])

    assert told(again.log()) == told(load(events=STORY))


def test_events_about_no_record_are_not_kept() -> None:
    came = stream()

    assert came.push({"op": "form_update", "opTime": SECOND}) is False
    assert len(came) == 0


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("{", "no event: not JSON"),
        (b"\xff", "no event: not JSON"),
        ("[" * 100_000, "no event: not JSON"),
        ("[]", r"no event: a JSON object is expected, not \[\]"),
        (
            {"op": "data_burn", "data": {}},
            "op is 'data_burn', where one of data_create, data_update",
        ),
        ({"op": "data_create", "data": []}, "and data a JSON object"),
        ({"op": "data_create", "data": {"_id": {1}}}, "no event: Object of type set"),
    ],
)
def test_what_is_no_event_is_refused(event: Any, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        stream().push(event)


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────


def pages(*sizes: int) -> list[dict[str, Any]]:
    keys = iter(range(1000))
    return [{"data": [record(str(next(keys)), "初步接触") for _ in range(n)]} for n in sizes]


@pytest.mark.parametrize("sizes", [(3,), (99,), (100, 100, 1), (100, 0), (20, 20, 0), (0,)])
def test_the_last_page_is_the_one_that_is_not_full(sizes: tuple[int, ...]) -> None:
    assert load(data=pages(*sizes)).n_opportunities == sum(sizes)


@pytest.mark.parametrize("sizes", [(10,), (100,), (100, 100), (20, 20)])
def test_a_last_page_that_is_full_is_an_error(sizes: tuple[int, ...]) -> None:
    with pytest.raises(IncompletePagesError, match="data: the last page has"):
        load(data=pages(*sizes))

    assert load(data=pages(*sizes), partial=True).n_opportunities == sum(sizes)


def test_a_page_that_came_twice_adds_nothing() -> None:
    first, last = pages(20, 3)

    log = load(data=[first, first, last])

    assert (log.n_opportunities, log.ignored) == (23, 20)


def test_the_response_for_one_record_is_a_page_too() -> None:
    assert load(data={"data": record("1", "初步接触")}).n_opportunities == 1


def test_an_error_body_is_no_page() -> None:
    body = {"code": 8303, "msg": "Rate limit exceeded"}

    with pytest.raises(DataError, match="an error of Jiandaoyun, not a page: 8303: Rate limit"):
        load(data=body)


def test_there_must_be_something_to_load() -> None:
    with pytest.raises(DefinitionError, match="nothing to load: give data=, or events="):
        load()
