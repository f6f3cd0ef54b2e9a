"""The report: what people read first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import salesfunnel as sf
from salesfunnel.errors import DefinitionError, UnknownAttributeError, UnknownLanguageError
from salesfunnel.table import Table
from salesfunnel.testing import logs
from salesfunnel.text.catalogue import languages
from salesfunnel.text.width import display_width

FUNNEL = sf.Funnel(
    [
        sf.Stage("lead", "Lead", names={"zh": "线索"}),
        sf.Stage("offer", "Offer made", names={"zh": "方案与报价"}),
        sf.Stage("care", "Care", names={"zh": "服务"}, post_sale=True),
    ],
    [sf.LossReason("price", "Price too high", names={"zh": "价格过高"})],
)
Row = tuple[str, str, str, str | None, str | None, float | None]
ROWS: list[Row] = [
    ("A", "lead", "2026-01-01", None, "李娜", 1000),
    ("A", "offer", "2026-01-03", None, None, 1200),
    ("A", "care", "2026-01-09", None, None, None),
    ("B", "lead", "2026-01-02", None, "Wang", 500),
    ("B", "offer", "2026-01-04", None, None, None),
    ("B", "lost", "2026-01-05", "price", None, None),
    ("C", "lead", "2026-01-06", None, None, None),
    ("C", "lost", "2026-01-12", None, None, None),
    ("D", "lead", "2026-01-12", None, "李娜", 300),
]


def log(rows: Sequence[Row] = ROWS, **options: Any) -> sf.StageLog:
    ids, stages, times, reasons, owners, amounts = (
        [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * len(ROWS[0])
    )
    return sf.StageLog.from_columns(
        FUNNEL,
        opportunity=ids,
        stage=stages,
        entered_at=times,
        reason=reasons,
        amount=amounts,
        attributes={"owner": owners},
        tz="Asia/Shanghai",
        **options,
    )


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines below each title, without rule and header line."""
    blocks = text.split("\n\n")
    return {
        title: body.splitlines()
        for title, body in pairwise(blocks)
        if "\n" not in title and "─" in body
    }


def test_it_says_what_it_is_about() -> None:
    title, facts, *_ = str(sf.report(log(currency="CNY"))).splitlines()

    assert title == "Sales funnel report"
    assert facts == (
        "9 entries · 4 opportunities · as of 2026-01-12 00:00 UTC+08:00 · amounts in CNY"
    )


def test_it_says_so_in_chinese() -> None:
    title, facts, *_ = sf.report(log(currency="CNY")).to_text("zh").splitlines()

    assert title == "销售漏斗报告"
    assert facts == (
        "9 条阶段记录 · 4 个商机 · 数据截至 2026-01-12 00:00 UTC+08:00 · 金额以 CNY 计"
    )


def test_rows_that_are_no_entries_are_counted() -> None:
    rows = [*ROWS, ("E", "Archived", "2026-01-07", None, None, None)]
    rows += [("F", "nowhere", "2026-01-07", None, None, None)] * 2
    report = sf.report(log(rows, stage_map={"Archived": None}, errors="collect"))

    assert (
        str(report)
        .splitlines()[1]
        .endswith(" · 1 row ignored, as the stage map asks · 2 rows rejected")
    )
    assert report.to_text("zh").splitlines()[1].endswith(" · 按阶段映射忽略 1 行 · 2 行未能载入")


def test_it_has_every_table() -> None:
    found = sections(str(sf.report(log())))

    assert list(found) == [
        "Summary",
        "Change against the period before",
        "The funnel, stage by stage",
        "Why opportunities are lost",
        "Why opportunities are lost, by stage",
        "Sales cycle",
        "Time in stage",
        "Trend by period",
        "Win rate with control limits",
        "Open pipeline",
        "Stalled opportunities",
    ]
    assert found["Summary"][2].split()[:4] == ["4", "1", "1", "2"]
    assert [line.split()[:4] for line in found["The funnel, stage by stage"][2:]] == [
        ["Lead", "4", "2", "1"],
        ["Offer", "made", "2", "1"],
        ["Care", "1", "0", "–"],
    ]
    assert [line.split("  ")[0] for line in found["Why opportunities are lost"][2:]] == [
        "Price too high",
        "–",
    ]
    by_stage = found["Why opportunities are lost, by stage"][2:]
    assert [re.split("  +", line)[:2] for line in by_stage] == [
        ["Lead", "–"],
        ["Offer made", "Price too high"],
    ]
    assert found["Sales cycle"][2].split()[:2] == ["1", "8.00"]


def test_it_has_every_table_in_chinese() -> None:
    found = sections(sf.report(log()).to_text("zh"))

    assert list(found) == [
        *("概览", "与上期比较", "销售漏斗", "流失原因", "各阶段流失原因", "销售周期"),
        *("各阶段停留时长", "各期趋势", "赢单率控制图", "在跟商机管道", "停滞的商机"),
    ]
    assert [line.split()[0] for line in found["销售漏斗"]][2:] == ["线索", "方案与报价", "服务"]
    assert found["流失原因"][2].split()[0] == "价格过高"


def test_tables_are_those_of_the_metrics() -> None:
    when = "2026-01-11"  # a Sunday, the end of the second week
    chosen: dict[str, Any] = {"as_of": when, "where": {"owner": ["李娜", "Wang"]}}
    tables = sf.report(log(), by="owner", mode="strict", period="week", **chosen).tables

    metrics = sf.metrics
    change = metrics.change_by_period(log(), period="week", **chosen)
    assert tables == {
        "summary": metrics.summary(log(), **chosen),
        "change": change.take(slice(1, 2)),
        "stages": metrics.stage_table(log(), "strict", **chosen),
        "losses": metrics.loss_table(log(), **chosen),
        "losses_by_stage": metrics.loss_table(log(), by_stage=True, **chosen),
        "sales_cycle": metrics.sales_cycle(log(), **chosen),
        "time_in_stage": metrics.time_in_stage(log(), **chosen),
        "groups": metrics.summary(log(), by="owner", **chosen),
        "trend": metrics.trend_by_period(log(), period="week", **chosen),
        "control_chart": metrics.control_chart_by_period(log(), period="week", **chosen),
        "pipeline": metrics.pipeline(log(), **chosen),
        "stalled": metrics.stalled(log(), **chosen),
    }
    assert change["complete"].tolist() == [True, True]


def test_expected_dates_make_a_table_of_their_own() -> None:
    dated = sf.StageLog.from_columns(
        FUNNEL,
        opportunity=["A"],
        stage=["lead"],
        entered_at=["2026-01-01"],
        attributes={"expected_close": ["2026-02-03"]},
        tz="UTC",
    )

    table = sf.report(dated).tables["pipeline_by_period"]
    assert table == sf.metrics.pipeline_by_period(dated)


def test_sections_are_chosen_in_any_order() -> None:
    report = sf.report(log(), sections=["stalled", "funnel", "rejected"])

    assert [section.key for section in report.sections] == ["stalled", "funnel", "rejected"]
    assert list(report.tables) == ["stalled", "stages"]
    assert [section.title("zh") for section in report.sections] == [
        *("停滞的商机", "漏斗", "未载入的数据"),
    ]
    for wrong in (["funnels"], ["funnel", "funnel"], "funnel"):
        with pytest.raises(
            DefinitionError, match="sections= is some of findings, headline, funnel"
        ):
            sf.report(log(), sections=wrong)
    with pytest.raises(DefinitionError, match="'groups' needs by="):
        sf.report(log(), sections=["groups"])


def test_what_is_selected_is_one_of_the_facts() -> None:
    report = sf.report(log(), where={"owner": "Wang"})

    assert str(report).splitlines()[1].endswith(" · Only opportunities with Owner = Wang.")
    assert str(report).count("Owner = Wang") == 1


@pytest.mark.parametrize(
    ("last", "unit"),
    [
        ("2026-02-05", "day"),  # the 36th
        ("2026-02-06", "week"),
        ("2026-12-31", "month"),
        ("2029-02-01", "quarter"),
        ("2040-02-01", "year"),
    ],
)
def test_periods_are_as_short_as_there_is_room_for(last: str, unit: str) -> None:
    rows: list[Row] = [
        (str(n), "lead", day, None, None, None) for n, day in enumerate(("2026-01-01", last))
    ]

    assert sf.report(log(rows)).asked.period == sf.Period(unit)
    assert sf.report(log(rows), period="week").asked.period == sf.Period("week")
    assert sf.report(log(rows), period=sf.Period("year")).asked.period == sf.Period("year")


def test_long_tables_show_their_head_and_say_what_is_left_out() -> None:
    rows: list[Row] = [
        (f"{owner}-{n}", "lead", "2026-01-01", None, f"owner {owner:02}", None)
        for owner in range(40)
        for n in range(1 + owner % 2)
    ]
    report = sf.report(log(rows), by="owner", sections=["groups"])

    table, more = report.sections[0].shown("groups")
    assert (len(table), more) == (30, 10)
    assert table["opportunities"].tolist() == [2] * 20 + [1] * 10
    assert str(report).endswith("\n… and 10 more.")
    assert report.to_text("zh").endswith("\n……另有 10 行。")
    assert len(report.tables["groups"]) == 40


def test_findings_come_first_and_only_where_there_are_any() -> None:
    market = sf.datasets.make_pipeline(2000)
    report = sf.report(market, by="owner")
    found = sf.review.findings(market, by="owner")

    assert [section.key for section in report.sections][:2] == ["findings", "headline"]
    assert [f.text() for f in report.findings] == [f.text() for f in found] != []
    assert str(report).split("\n\n")[1:3] == ["What stands out", "\n".join(map(str, found))]
    assert "\n## 要点\n\n- " in report.to_markdown("zh")
    assert sf.report(log()).findings == ()
    assert sf.report(log()).sections[0].key == "headline"
    assert sf.report(market, sections=["funnel"]).findings == ()


def test_markdown_has_headings_tables_and_definitions() -> None:
    rows = [*ROWS, ("F|*", "nowhere", "2026-01-07", None, None, None)]
    report = sf.report(log(rows, errors="collect"), by="owner")
    text = report.to_markdown()

    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[:4] == [
        "# Sales funnel report",
        "## Headline numbers",
        "### Summary",
        "### Change against the period before",
    ]
    assert [heading for heading in headings if heading.startswith("## ")] == [
        f"## {section.title('en')}" for section in report.sections
    ]
    for table in report.tables.values():
        assert table.to_markdown() in text
    assert "- Win rate: won out of won and lost;" in text
    assert "nowhere" in text
    assert "## 销售漏斗" not in text
    assert "Every row of the source was loaded." in sf.report(log()).to_markdown()
    assert "所有数据行均已载入。" in sf.report(log()).to_markdown("zh")


def test_groups_are_compared() -> None:
    found = sections(str(sf.report(log(), by="owner")))

    assert [line.split()[:2] for line in found["Summary by Owner"][2:]] == [
        ["Wang", "1"],
        ["李娜", "2"],
        ["–", "1"],
    ]


def test_notes_stand_once_at_the_end() -> None:
    text = str(sf.report(log()))
    notes = text.rpartition("\n\n")[2].splitlines()

    assert len(notes) == len(set(notes)) == len(sf.report(log()).notes) > 15
    assert all(text.count(note) == 1 for note in notes)
    assert not any(note.startswith("As of") for note in notes)


def test_what_was_not_known_by_then_is_not_counted() -> None:
    facts = str(sf.report(log(), as_of=datetime(2026, 1, 2, 16, tzinfo=UTC))).splitlines()[1]
    assert facts == "3 entries · 2 opportunities · as of 2026-01-03 00:00 UTC+08:00"

    facts = str(sf.report(log(), as_of="2025-12-31")).splitlines()[1]
    assert facts == "0 entries · 0 opportunities · as of 2025-12-31 23:59 UTC+08:00"


@pytest.mark.parametrize("by", [None, "owner"])
def test_an_empty_log_has_a_report_that_says_so(by: str | None) -> None:
    text = str(sf.report(log([]), by=by))

    assert text.splitlines()[:2] == ["Sales funnel report", "The log has no entries."]
    assert "(no rows)" in text
    assert "nan" not in text.lower()
    assert "没有任何阶段记录。" in sf.report(log([]), by=by).to_text("zh")


def check_alignment(table: Table, lang: str) -> None:
    """Assert that nothing is printed between the columns of a table, on any line."""
    header, rule, *rows = table.to_text(lang, notes=False).splitlines()[2:]
    columns = [match.span() for match in re.finditer("─+", rule)]
    gaps = [range(end, start) for (_, end), (start, _) in pairwise(columns)]
    assert gaps
    for line in [header, *rows] if len(table) else [header]:
        # By terminal cell; a Chinese character fills two of them.
        cells = "".join(character * display_width(character) for character in line)
        assert len(cells) <= columns[-1][1]
        assert {cells[cell] for gap in gaps for cell in gap} == {" "}


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("by", [None, "owner"])
def test_columns_are_aligned(lang: str, by: str | None) -> None:
    for name, table in sf.report(log(), by=by).tables.items():
        check_alignment(table, lang)
        lines = table.to_text(lang, notes=False).splitlines()[2:]
        if name not in {"change", "control_chart", "stalled"}:  # whose last column is of texts
            assert len({display_width(line) for line in lines}) == 1


# Line breaks, escape sequences, letters of other directions: in names they cannot break a line.
NASTY = sf.Funnel(
    [sf.Stage("lead", "Lead\x1b[31m"), sf.Stage("offer", "عرض\u202e", names={"zh": "报价"})],
    [sf.LossReason("price", "too\nhigh")],
)


@given(logs(NASTY), st.sampled_from(languages()))
def test_any_log_has_a_report(log: sf.StageLog, lang: str) -> None:
    text = sf.report(log, by="owner").to_text(lang)

    assert all(line.isprintable() for line in text.splitlines())
    assert "nan" not in text


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(UnknownAttributeError, match="'region'"):
        sf.report(log(), by="region")
    with pytest.raises(DefinitionError, match="mode="):
        sf.report(log(), mode="all")
    with pytest.raises(DefinitionError, match="as_of="):
        sf.report(log(), as_of="soon")
    with pytest.raises(UnknownLanguageError, match="'fr'"):
        sf.report(log()).to_text("fr")
