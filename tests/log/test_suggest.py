"""Guesses at what columns and stages mean: what is found, why, and what is left open."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from salesfunnel.errors import DefinitionError, FileLimitError
from salesfunnel.log.current import read_current
from salesfunnel.log.read import read_csv, read_jsonl
from salesfunnel.log.suggest import Suggestion, suggest_mapping
from salesfunnel.log.synonyms import COLUMNS, STAGES, plain_name
from salesfunnel.log.wide import read_wide
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"], ["price"])
HISTORY: list[dict[str, Any]] = [
    {"Deal ID": "A", "StageName": "Lead", "Changed At": "2026-01-05T09:00Z", "Owner": "Li", "n": 1},
    {"Deal ID": "A", "StageName": "DEMO", "Changed At": "2026-01-06T09:00Z", "Owner": "Li", "n": 2},
    {"Deal ID": "B", "StageName": "Closed Lost", "Changed At": "2026-01-07T09:00Z", "Owner": "Li"},
    {"Deal ID": "B", "StageName": "Demoo", "Changed At": "2026-01-07T10:00Z", "Owner": "Wang"},
    {"Deal ID": "B", "StageName": "Nurture", "Changed At": "2026-01-08T09:00Z", "Owner": "Wang"},
]


def reasons(found: Suggestion, lang: str = "en") -> dict[str, tuple[str, str]]:
    """Return the meaning of each name, and why."""
    return {guess.name: (guess.meaning, guess.why.text(lang)) for guess in found.guesses}


def questions(found: Suggestion, lang: str = "en") -> list[str]:
    return [question.text(lang) for question in found.questions]


# ── history ───────────────────────────────────────────────────────────────────────────────────────


def test_columns_and_stages_are_guessed_with_reasons() -> None:
    found = suggest_mapping(HISTORY, FUNNEL)

    assert found.reader == "from_frame"
    assert found.arguments == {
        "opportunity": "Deal ID",
        "stage": "StageName",
        "entered_at": "Changed At",
        "attributes": {"owner": "Owner"},
        "stage_map": {"DEMO": "demo", "Closed Lost": "lost", "Demoo": "demo"},
    }
    assert reasons(found) == {
        "Deal ID": ("opportunity", "called “deal id”"),
        "StageName": ("stage", "called “stage name”"),
        "Changed At": ("entered_at", "called “changed at”"),
        "Owner": ("owner", "called “owner”"),
        "DEMO": ("demo", "the same but for case, spaces or signs"),
        "Closed Lost": ("lost", "a common name for it"),
        "Demoo": ("demo", "almost the same as “demo”"),
    }
    assert found.unknown == ("Nurture",)
    assert questions(found) == [
        "Names of stages that nothing is known of; say what they mean by stage_map=: Nurture."
    ]


def test_a_suggestion_is_what_the_reader_takes(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    pd.DataFrame(HISTORY[:-1]).to_csv(path, index=False)

    found = suggest_mapping(path, FUNNEL)

    assert found.reader == "read_csv"
    assert len(read_csv(path, FUNNEL, **found.arguments)) == 4


def test_headers_and_stages_may_be_chinese() -> None:
    rows = [
        {
            "商机编号": "A",
            "商机阶段": "线索",
            "变更时间": "2026/1/5 09:00",
            "负责人": "李娜",
            "商机金额（元）": 5,
            "客户名称": "某公司",
            "丢单原因": None,
            "最后修改时间": "2026/2/1 09:00",
        },
        {
            "商机编号": "A",
            "商机阶段": "输单",
            "变更时间": "2026/1/25 09:00",
            "负责人": "李娜",
            "商机金额（元）": 5,
            "客户名称": "某公司",
            "丢单原因": "价格",
            "最后修改时间": "2026/2/1 09:00",
        },
    ]

    found = suggest_mapping(rows)

    assert found.arguments == {
        "opportunity": "商机编号",
        "stage": "商机阶段",
        "entered_at": "变更时间",
        "reason": "丢单原因",
        "amount": "商机金额（元）",
        "attributes": {"owner": "负责人", "customer": "客户名称"},
        "stage_map": {"线索": "lead_identification", "输单": "lost"},
        "date_format": "%Y/%m/%d %H:%M",
    }
    assert questions(found, "zh") == [
        "时间未注明时区，请用 tz= 指明，例如 tz='Asia/Shanghai'。",
        "未采用，因其记录的是修改时间：最后修改时间。",
    ]
    assert "该阶段的常见叫法" in found.to_text("zh")


def test_a_time_of_editing_is_never_a_time_of_entry() -> None:
    for name in ("LastModifiedDate", "updated_at", "hs_lastmodifieddate", "更新时间", "修改日期"):
        rows = [{"id": "A", "stage": "lead", name: "2026-01-05"}]
        found = suggest_mapping(rows, FUNNEL)
        assert name not in found.arguments.values()
        assert questions(found)[0] == "No column was found for entered_at."
        assert questions(found)[-1] == f"Not used, as they say when a row was edited: {name}."


def test_what_is_in_a_column_must_agree_with_its_header() -> None:
    rows = [{"id": "A", "stage": "lead", "date": "n/a", "amount": "much", "at": "2026-01-05"}]

    arguments = suggest_mapping(rows, FUNNEL).arguments

    assert arguments["entered_at"] == "at"
    assert "amount" not in arguments


def test_stages_may_be_known_by_their_values_alone() -> None:
    rows = [
        {"id": "A", "x": "k", "where": "Lead", "at": "2026-01-05"},
        {"id": "A", "x": "k", "where": "Demo", "at": "2026-01-06"},
    ]

    found = suggest_mapping(rows, FUNNEL)

    assert found.arguments["stage"] == "where"
    assert reasons(found)["where"] == ("stage", "its values are names of stages")
    assert "stage_map" not in found.arguments


def test_a_column_called_as_something_else_is_not_taken_by_a_part_of_its_name() -> None:
    rows = [{"id": "A", "stage": "lead", "Create Date": "2026-01-05", "Event Date": "2026-01-05"}]

    found = suggest_mapping(rows, FUNNEL)

    assert found.arguments["created"] == "Create Date"
    assert found.reader == "read_current"
    rows.append({"id": "A", "stage": "demo", "Create Date": "2026-01-05", "When": "2026-01-05"})
    assert suggest_mapping(rows, FUNNEL).arguments["entered_at"] == "Create Date"


# ── tables with one row per opportunity ───────────────────────────────────────────────────────────


def test_a_table_of_now_is_known_by_its_columns() -> None:
    rows = [
        {"id": "A", "stage": "Closed Won", "created": "2026-01-05", "close date": "2026-02-03"},
        {"id": "B", "stage": "lead", "created": "2026-01-06", "close date": None},
    ]

    found = suggest_mapping(rows, FUNNEL)

    assert found.reader == "read_current"
    log = read_current(rows, FUNNEL, **found.arguments, tz="UTC", start="lead")
    assert log.milestones().status.tolist() == ["won", "open"]


def test_a_wide_table_is_known_by_dates_under_names_of_stages() -> None:
    rows = [
        {"id": "A", "Lead": "2026-01-05", "DEMO": "2026-01-06", "成交": "2026-02-03", "owner": "x"},
        {"id": "B", "Lead": "2026-01-06", "DEMO": None, "成交": None, "owner": None},
    ]

    found = suggest_mapping(rows, FUNNEL)

    assert found.reader == "read_wide"
    assert found.arguments["stages"] == {"lead": "Lead", "demo": "DEMO", "won": "成交"}
    assert reasons(found)["成交"] == ("won", "a common name for it")
    assert reasons(found)["Lead"] == ("lead", "the name of the stage")
    log = read_wide(rows, FUNNEL, **found.arguments, tz="UTC")
    assert log.milestones().status.tolist() == ["won", "open"]


# ── times ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("times", "form", "asked"),
    [
        (["2026-01-05", "2026-01-06T09:30"], None, ["Times name no zone"]),
        (["2026-01-05T09:30Z", "2026-01-06T09:30+0800"], None, []),
        ([datetime(2026, 1, 5, tzinfo=UTC)], None, []),
        (["01/25/2026", "01/05/2026"], "%m/%d/%Y", ["Times name no zone"]),
        (["25.01.2026"], "%d.%m.%Y", ["Times name no zone"]),
        (["2026-01-25 6:49:18", "2026-1-5 16:49:18"], "%Y-%m-%d %H:%M:%S", ["Times name no zone"]),
        (["2026年1月5日"], "%Y年%m月%d日", ["Times name no zone"]),
        (
            ["01/05/2026", "02/05/2026"],
            None,
            ["Dates can be read in several ways; say which by date_format=: %d/%m/%Y, %m/%d/%Y."],
        ),
    ],
)
def test_forms_of_times_are_told_or_asked(
    times: list[Any], form: str | None, asked: list[str]
) -> None:
    rows = [{"id": "A", "stage": "lead", "at": time} for time in times]

    found = suggest_mapping(rows, FUNNEL)

    assert found.arguments["entered_at"] == "at"
    assert found.arguments.get("date_format") == form
    assert len(questions(found)) == max(len(asked), 2 if "several" in str(asked) else 0)
    for question, start in zip(questions(found), asked, strict=False):
        assert question.startswith(start)


# ── the value, and bad input ──────────────────────────────────────────────────────────────────────


def test_a_suggestion_shows_itself() -> None:
    found = suggest_mapping(HISTORY, FUNNEL)

    assert str(found).startswith("What the source may mean, for from_frame\n")
    assert found.to_text("zh").startswith("数据源的推测含义（用于from_frame）\n")
    assert repr(found).startswith("Suggestion(from_frame, {'opportunity': 'Deal ID',")
    assert "<table" in found._repr_html_()
    assert found.table["argument"].tolist()[:2] == ["opportunity", "stage"]


def test_of_a_large_file_the_beginning_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    row = "deal-{0},lead,2026-01-05," + "x" * 1_000 + "\n"
    text = "id,stage,at,note\n" + "".join(map(row.format, range(20_000)))
    path.write_text(text + "deal-0,zzz,2026-01-05,\n")

    found = suggest_mapping(path, FUNNEL)

    assert found.reader == "read_csv"
    assert found.unknown == ()
    number = next(word for word in questions(found)[-1].split() if word[0].isdigit())
    assert 2_000 < int(number.replace(",", "")) < 18_000
    assert questions(found)[-1] == (
        f"Only the first {number} rows were looked at; later ones may have other stages."
    )
    assert questions(found, "zh")[-1] == f"仅查看了前{number}行，其后各行可能有其他阶段。"


def test_limits_of_files_hold_and_can_be_raised(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("id,stage,at\n" + "A" * 2_000 + ",lead,2026-01-05\n")

    with pytest.raises(FileLimitError, match="max_line= raises the limit"):
        suggest_mapping(path, FUNNEL, max_line=1_000)
    assert suggest_mapping(path, FUNNEL, max_line=3_000).arguments["opportunity"] == "id"


def test_nothing_may_be_found_at_all() -> None:
    for source in ([], [{"x": None}], pd.DataFrame({"x": [None]})):
        found = suggest_mapping(source, FUNNEL)
        assert found.arguments == {}
        assert questions(found) == [
            "No column was found for opportunity.",
            "No column was found for stage.",
            "No column was found for entered_at.",
        ]


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(DefinitionError, match="funnel= is a Funnel, not 'standard'"):
        suggest_mapping(HISTORY, "standard")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="the table is a path, a dataframe, parsed JSON"):
        suggest_mapping(5)


def test_synonyms_are_as_names_are_made_plain() -> None:
    for field, names in [*COLUMNS.items(), *STAGES.items()]:
        assert len(set(names)) == len(names), field
        for name in names:
            assert plain_name(name) == name
    everywhere = [name for names in COLUMNS.values() for name in names]
    assert len(set(everywhere)) == len(everywhere)


@pytest.mark.parametrize(
    ("path", "reader", "expected"),
    [
        (
            "maven_crm/sales_pipeline.csv",
            "read_current",
            {
                "opportunity": "opportunity_id",
                "stage": "deal_stage",
                "created": "engage_date",
                "closed": "close_date",
                "amount": "close_value",
                "date_format": "%m/%d/%Y",
            },
        ),
        (
            "bpic2012/stage_events.csv.gz",
            "read_csv",
            {"opportunity": "case_id", "stage": "stage", "entered_at": "entered_at"},
        ),
        (
            "jiandaoyun/export.csv",
            "read_current",
            {"stage": "商机阶段", "created": "创建时间", "amount": "预计金额"},
        ),
    ],
)
def test_real_files_are_understood(
    shared_data: Path, path: str, reader: str, expected: dict[str, str]
) -> None:
    found = suggest_mapping(shared_data / path)

    assert found.reader == reader
    assert expected.items() <= found.arguments.items()


@pytest.mark.parametrize("ending", ["json", "jsonl", "json.gz"])
def test_what_is_suggested_for_records_reads_them(tmp_path: Path, ending: str) -> None:
    about = {"stage": "lead", "entered at": "2026-01-05"}
    rows = [{"Deal ID": f"D{n % 4}", **about} for n in range(8)]
    text = "\n".join(map(json.dumps, rows)) if ending == "jsonl" else json.dumps(rows)
    path = tmp_path / f"deals.{ending}"
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())

    found = suggest_mapping(path, FUNNEL)

    assert found.reader == "read_jsonl"
    assert len(read_jsonl(path, FUNNEL, **found.arguments, tz="UTC")) == 8
