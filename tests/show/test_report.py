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
        "The funnel, stage by stage",
        "Why opportunities are lost",
        "Why opportunities are lost, by stage",
        "Sales cycle",
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

    assert list(found) == ["概览", "销售漏斗", "流失原因", "各阶段流失原因", "销售周期"]
    assert [line.split()[0] for line in found["销售漏斗"]][2:] == ["线索", "方案与报价", "服务"]
    assert found["流失原因"][2].split()[0] == "价格过高"


def test_tables_are_those_of_the_metrics() -> None:
    when = "2026-01-05"
    tables = sf.report(log(), by="owner", as_of=when, mode="strict").tables

    metrics = sf.metrics
    assert tables == {
        "summary": metrics.summary(log(), as_of=when),
        "stages": metrics.stage_table(log(), "strict", as_of=when),
        "losses": metrics.loss_table(log(), as_of=when),
        "losses_by_stage": metrics.loss_table(log(), by_stage=True, as_of=when),
        "sales_cycle": metrics.sales_cycle(log(), as_of=when),
        "groups": metrics.summary(log(), by="owner", as_of=when),
    }


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

    assert len(notes) == len(set(notes)) == 9
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
    for table in sf.report(log(), by=by).tables.values():
        check_alignment(table, lang)
        lines = table.to_text(lang, notes=False).splitlines()[2:]
        assert len({display_width(line) for line in lines}) == 1  # the last column is of numbers


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
