"""What the command line prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cli.command import COLUMNS, CSV, Command, rows, write

import salesfunnel as sf
from salesfunnel.table import Table


def test_a_report_of_names_that_the_standard_funnel_knows_needs_nothing_else(run: Command) -> None:
    done = run("report", write(CSV), *COLUMNS)

    assert (done.code, done.err) == (0, "")
    title, facts, *_ = done.out.splitlines()
    assert title == "Sales funnel report"
    assert facts == "6 entries · 3 opportunities · as of 2026-01-09 01:00 UTC"
    assert rows(done.out)[0][:4] == ["3", "1", "1", "1"]


def test_the_report_is_that_of_the_library(run: Command) -> None:
    options = ["--reason", "reason", "--amount", "amount", "--currency", "currency"]
    options += ["--by", "owner", "--as-of", "2026-01-05", "--mode", "actual", "--lang", "zh"]
    done = run("report", write(CSV), *COLUMNS, *options, "--tz", "Asia/Shanghai")

    log = read(amount="amount", currency="currency", tz="Asia/Shanghai")
    report = sf.report(log, by=["owner"], as_of="2026-01-05", mode="actual")
    assert done.out == report.to_text("zh") + "\n"
    assert "金额以 CNY 计" in done.out


def read(**options: Any) -> sf.StageLog:
    titles = {"潜在客户识别": "lead_identification", "初步接触": "initial_contact"}
    titles |= {"流失": "lost", "Lead identification": "lead_identification", "Won": "won"}
    return sf.read_csv(
        "deals.csv",
        sf.Funnel.standard(),
        opportunity="deal",
        stage="stage",
        entered_at="at",
        reason="reason",
        attributes=["owner"],
        stage_map=titles,
        **options,
    )


METRICS: dict[str, Callable[..., Table]] = {
    "flow": lambda log, mode, **options: sf.metrics.flow_table(log, **options),
    "stages": sf.metrics.stage_table,
    "losses": lambda log, mode, **options: sf.metrics.loss_table(log, by_stage=True, **options),
}


@pytest.mark.parametrize(
    ("name", "by", "as_of", "mode"),
    [*product(METRICS, [None, "owner"], [None, "2026-01-04T01:00Z"], ["reached", "strict"])],
)
def test_a_table_is_that_of_the_library(
    run: Command, name: str, by: str | None, as_of: str | None, mode: str
) -> None:
    options = ["--table", name, "--reason", "reason", "--amount", "amount", "--mode", mode]
    options += ["--by", by] if by else []
    options += ["--as-of", as_of] if as_of else []
    file = write(CSV)
    text = run("table", file, *COLUMNS, *options)
    data = run("table", file, *COLUMNS, *options, "--json")

    log = read(amount="amount")
    table = METRICS[name](log, mode=mode, by=by, as_of=as_of)
    assert text.out == table.to_text() + "\n"
    found = json.loads(data.out)
    assert found.pop("rows") == json.loads(table.to_json())
    assert found == {
        "table": name,
        "as_of": "2026-01-04T01:00:00+00:00" if as_of else "2026-01-09T01:00:00+00:00",
        "entries": 4 if as_of else 6,
        "opportunities": 3,
        "ignored": 0,
        "rejected": [],
    }


def test_the_stage_table_is_the_one_if_none_is_named(run: Command) -> None:
    done = run("table", write(CSV), *COLUMNS)

    assert done.out.startswith("The funnel, stage by stage\n")


def test_several_labels_make_groups(run: Command) -> None:
    done = run("table", write(CSV), *COLUMNS, "--by", "owner", "--by", "currency", "--json")

    groups = {(row["owner"], row["currency"]) for row in json.loads(done.out)["rows"]}
    assert groups == {("李娜", "CNY"), ("Wang", "CNY")}


REFERENCE = [
    ("Lead identification", "潜在客户识别", "1,000 300 100 600 30.0% (27.2–32.9) 10.0%"),
    ("Initial contact", "初步接触", "300 120 45 135 40.0% (34.6–45.6) 15.0%"),
    ("Needs analysis", "需求分析", "120 60 24 36 50.0% (41.2–58.8) 20.0%"),
    ("Solution design", "方案制定", "60 36 9 15 60.0% (47.4–71.4) 15.0%"),
    ("Quotation and negotiation", "报价与谈判", "36 25 4 7 69.4% (53.1–82.0) 11.1%"),
    ("Contract signing", "合同签订", "25 20 1 4 80.0% (60.9–91.1) 4.0%"),
    ("After-sales service", "售后服务", "20 18 – 2 90.0% (69.9–97.2) –"),
]


@pytest.mark.parametrize(
    ("lang", "title"), [("en", "The funnel, stage by stage"), ("zh", "销售漏斗")]
)
def test_the_demo_prints_the_reference_table(run: Command, lang: str, title: str) -> None:
    done = run("demo", "--lang", lang)

    assert (done.code, done.err) == (0, "")
    table = done.out.partition(f"\n\n{title}\n\n")[2].partition("\n\n")[0].splitlines()[2:]
    expected = [f"{zh if lang == 'zh' else en} {numbers}" for en, zh, numbers in REFERENCE]
    assert [" ".join(line.split()) for line in table] == [
        line if line.endswith("–") else line + " " + found.split()[-1]
        for line, found in zip(expected, table, strict=True)
    ]
    summary = rows(done.out)[0]
    assert summary[:5] == ["1,000", "797", "20", "183", "9.9%"]


# ── language ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "title"),
    [
        ({}, "Sales funnel report"),
        ({"LANG": "zh_CN.UTF-8"}, "销售漏斗报告"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "Sales funnel report"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN"}, "销售漏斗报告"),
        ({"LANG": "fr_FR.UTF-8"}, "Sales funnel report"),
    ],
)
def test_the_language_is_that_of_the_environment(
    run: Command, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], title: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    assert run("report", write(CSV), *COLUMNS).out.splitlines()[0] == title


def test_the_language_asked_for_comes_first(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")

    for lang in ("en", "en_GB"):
        done = run("report", write(CSV), *COLUMNS, "--lang", lang)
        assert done.out.splitlines()[0] == "Sales funnel report"
    done = run("demo", "--lang", "fr")
    assert done.code == 2
    assert "没有 'fr' 语言的文本；可用 en, zh" in done.err  # in that of the environment


# ── real data ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def bpic(shared_data: Path) -> Path:
    return shared_data / "bpic2012"


def test_a_real_log_through_the_command_line(run: Command, bpic: Path) -> None:
    expected = json.loads((bpic / "expected.json").read_text("utf-8"))
    states = [state.lower() if state in ("WON", "LOST") else state for state in expected["states"]]
    write(json.dumps({"stages": states[:-2]}), "funnel.json")
    options = ["--opportunity", "case_id", "--stage", "stage", "--entered-at", "entered_at"]
    options += ["--funnel", "funnel.json", "--map", "A_APPROVED=won"]
    for name in ("A_DECLINED", "A_CANCELLED"):
        options += ["--map", f"{name}=lost:{name}"]
    for name in ("A_PARTLYSUBMITTED", "A_REGISTERED", "A_ACTIVATED"):
        options += ["--map", f"{name}="]

    def table(name: str) -> dict[str, Any]:
        file = str(bpic / "stage_events.csv.gz")
        done = run("table", file, *options, "--table", name, "--json")
        assert (done.code, done.err) == (0, "")
        content: dict[str, Any] = json.loads(done.out)
        assert content["entries"] == expected["events"]
        assert content["opportunities"] == expected["cases"]
        assert content["ignored"] == 17_579
        assert content["rejected"] == []
        assert content["as_of"] == expected["last_event"].replace(" ", "T")
        return content

    flow = {(row["from"], row["to"]): row for row in table("flow")["rows"]}
    for (i, source), (j, target) in product(enumerate(states), repeat=2):
        row = flow.pop((source, target), {"transitions": 0, "seconds": 0})
        assert row["transitions"] == expected["counts"][i][j]
        assert round(row["seconds"], 3) == expected["duration_sums_s"][i][j]
    assert flow == {}

    stages = table("stages")["rows"]
    reached, last = expected["reached"], expected["last_state"]
    assert [row["entered"] for row in stages] == [reached[stage] for stage in states[:-2]]
    assert stages[-1]["advanced"] == reached["WON"]
    assert sum(row["lost"] for row in stages) == reached["LOST"]
    assert {row["stage"]: row["open"] for row in stages if row["open"]} == {
        stage: last[stage] for stage in states[:-2] if stage in last
    }

    losses = table("losses")["rows"]
    assert sum(row["numerator"] for row in losses) == last["LOST"]
    assert {row["reason"] for row in losses} == {"A_DECLINED", "A_CANCELLED"}


# ── the report in files, and for programs ─────────────────────────────────────────────────────────


def test_a_report_is_written_as_a_page(run: Command) -> None:
    done = run(
        "report", write(CSV), *COLUMNS, "--out", "page.html", "--lang", "zh", "--by", "owner"
    )

    assert (done.code, done.out, done.err) == (0, "已写入 page.html\n", "")
    text = Path("page.html").read_text("utf-8")
    assert text.startswith("<!doctype html>") or text.lower().startswith("<!doctype html>")
    assert 'lang="zh' in text
    assert "潜在客户识别" in text


@pytest.mark.parametrize("ending", ["md", "txt"])
def test_a_report_is_written_as_text(run: Command, ending: str) -> None:
    options = ["--reason", "reason", "--attribute", "owner", "--out", f"r.{ending}"]
    done = run("report", write(CSV), *COLUMNS, *options)

    assert (done.code, done.out) == (0, f"r.{ending} written\n")
    report = sf.report(read())
    expected = report.to_markdown() if ending == "md" else report.to_text() + "\n"
    assert Path(f"r.{ending}").read_text("utf-8") == expected


def test_a_report_for_programs_has_every_table_and_finding(run: Command) -> None:
    log = sf.datasets.make_pipeline(3000)
    log.to_parquet("log.parquet")
    done = run("report", "log.parquet", "--json", "--by", "source")
    run("report", "log.parquet", "--out", "r.json", "--by", "source")

    found = json.loads(done.out)
    report = sf.report(log, by="source")
    assert found["facts"] == [fact.text("en") for fact in report.facts]
    assert [finding["text"] for finding in found["findings"]] == [
        finding.text() for finding in report.findings
    ]
    assert found["findings"]
    assert {name: len(table) for name, table in report.tables.items()} == {
        name: len(rows) for name, rows in found["tables"].items()
    }
    assert Path("r.json").read_text("utf-8") == done.out


def test_a_report_of_a_selection(run: Command) -> None:
    options = ["--where", "owner=Wang", "--where", "owner=李娜", "--period", "week"]
    options += ["--reason", "reason"]
    done = run("report", write(CSV), *COLUMNS, *options)
    log = read()

    assert (
        done.out
        == sf.report(log, where={"owner": ["Wang", "李娜"]}, period="week").to_text() + "\n"
    )
    wrong = run("report", "deals.csv", *COLUMNS, "--where", "owner=Nobody")
    assert (wrong.code, wrong.out) == (1, "")
    assert "(on the command line, where= is --where)" in wrong.err


def test_the_demo_is_written_too(run: Command) -> None:
    done = run("demo", "--out", "report.html")

    assert done.out.startswith("Sales funnel report\n")
    assert done.out.endswith("\n\nreport.html written\n")
    assert Path("report.html").stat().st_size > 100_000
