"""What a notebook shows of a funnel, an opportunity, a log, a flow, a table and a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nh3
import numpy as np
import pytest
from markupsafe import Markup, escape
from playwright.sync_api import Page, sync_playwright

import salesfunnel as sf
from salesfunnel.errors import UnknownStateError
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import languages

START = datetime(2026, 1, 5, 1, tzinfo=UTC)
NASTY = "<script>alert(1)</script>\u202e\"'&\x1b[31m"
FUNNEL = sf.Funnel(
    [
        sf.Stage("lead", NASTY, names={"zh": NASTY}, required=(NASTY,)),
        sf.Stage("demo", "Demo", names={"zh": "演示"}, probability=0.4, max_age="14d"),
        sf.Stage("care", "Care", post_sale=True, target_conversion=0.9),
    ],
    [sf.LossReason("price", NASTY, names={"zh": "价格"})],
    name=NASTY,
)


def opportunity() -> sf.Opportunity:
    engine = sf.TransitionEngine(sf.Funnel(["lead", "first_demo"], ["price"]))
    deal = sf.Opportunity(
        NASTY.replace("\x1b", ""),
        amount="12000",
        currency="CNY",
        owner="李娜",
        fields={"colour": NASTY},
    )
    deal = engine.open(deal, at=START)
    deal = engine.advance(deal, at=START + timedelta(days=3), note=NASTY)
    return engine.lose(deal, reason="price", at=START + timedelta(days=5))


def log() -> sf.StageLog:
    return sf.StageLog.from_columns(
        FUNNEL,
        opportunity=[NASTY, NASTY, "B", "B", "C"],
        stage=["lead", "demo", "lead", "lost", "lead"],
        entered_at=[START + timedelta(days=day) for day in range(5)],
        reason=[None, None, None, NASTY, None],
        attributes={"owner": [NASTY, NASTY, "li", "li", None], NASTY: [NASTY] * 5},
        amount=[5.0] * 5,
        currency="CNY",
    )


def keyed() -> sf.StageLog:
    """A log whose stages have keys that are markup, as a flow shows them."""
    key = NASTY.replace("\x1b", "")
    return sf.StageLog.from_columns(
        sf.Funnel([key, "b"]),
        opportunity=["A", "A"],
        stage=[key, "b"],
        entered_at=np.arange(2),
        attributes={NASTY: ["x", "y"]},
        tz="UTC",
    )


def table(n: int = 12) -> Table:
    values = [3.5, 10.0, float("nan"), -2.0, *map(float, range(4, n))][:n]
    return Table(
        [
            Column("stage", [f"{NASTY}{i}" for i in range(n)]),
            Column("won_amount", np.array(values), "money"),
            Column("entered_at", np.arange(n).astype("datetime64[D]").astype("datetime64[us]")),
        ],
        title=Phrase("title.finding_reason_at_stage", {"stage": NASTY}),
    )


VALUES: dict[str, Callable[[], Any]] = {
    "funnel": lambda: FUNNEL,
    "opportunity": opportunity,
    "log": log,
    "flow": lambda: keyed().flow(),
    "flow by": lambda: keyed().flow(by=NASTY),
    "table": table,
    "report": lambda: sf.report(log(), by="owner"),
}


class Elements(HTMLParser):
    """The elements of a page, how deep they stand, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.depth = 0
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.depth += 1
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if not self._in_script:
            self.text += data


@pytest.mark.parametrize("name", VALUES)
def test_names_that_are_markup_are_shown_as_text(name: str) -> None:
    html = VALUES[name]()._repr_html_()
    found = Elements(html)

    assert "<script>alert" not in html
    assert "<script>alert(1)</script>" in found.text
    assert not {"\u202e", "\x1b"} & {*html}
    # Of the elements of a page only those that notebooks and GitHub show, all of them closed.
    known = {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "b", "small", "script"}
    assert {*found.tags} <= known | {"details", "summary", "ul", "ol", "li"}
    assert found.tags.count("script") == (name == "table")
    assert found.attributes <= {
        "align",
        "class",
        "lang",
        "scope",
        "style",
        "data-sort",
        "data-v",
        "open",
    }
    assert found.depth == 0


@pytest.mark.parametrize("name", [name for name in VALUES if name not in ("table", "report")])
@pytest.mark.parametrize("lang", languages())
def test_a_value_is_shown_in_a_language(name: str, lang: str) -> None:
    value = VALUES[name]()

    assert f'lang="{lang}"' in value.to_html(lang)
    assert value.to_html(f"{lang}_XX.UTF-8") == value.to_html(lang)
    assert value.to_html("en") == value.to_html() == value._repr_html_()
    with pytest.raises(ValueError, match="fr"):
        value.to_html("fr")


def rows(html: str) -> list[list[str]]:
    return [
        [re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row)]
        for row in re.findall("<tr>(.*?)</tr>", html)
    ]


def test_a_funnel_is_its_stages_and_reasons() -> None:
    html = sf.Funnel(
        [
            sf.Stage("demo", "Demo", probability=0.4, max_age="14d"),
            sf.Stage("care", post_sale=True),
        ],
        ["price", "time"],
    ).to_html()

    assert rows(html) == [
        ["Stage", "Key", "Probability", "Maximum age", "After the sale"],
        ["Demo", "demo", "40%", "14.0 d", "–"],
        ["Care", "care", "–", "–", "Yes"],
    ]
    assert "<summary><b>2 loss reasons</b></summary><ul><li>Price</li><li>Time</li></ul>" in html
    assert html.startswith("<p><b>Funnel</b> · 2 stages</p>")


def test_an_opportunity_is_its_path() -> None:
    html = opportunity().to_html("zh")

    assert [row[:3] for row in rows(html)] == [
        ["阶段", "进入时间", "停留时长"],
        ["Lead", "2026-01-05 01:00 UTC", "3.0 天"],
        ["First demo", "2026-01-08 01:00 UTC", "2.0 天"],
        ["流失", "2026-01-10 01:00 UTC", "–"],
    ]
    assert "流失 · ¥12,000.00 · 负责人: 李娜" in html


def test_an_opportunity_that_is_not_opened_says_so() -> None:
    assert sf.Opportunity("A")._repr_html_() == "<p><b>A</b> · not opened yet</p>"


def test_a_log_is_its_size_and_its_stages() -> None:
    html = sf.datasets.reference_pipeline().to_html()

    assert "1,762 entries · 1,000 opportunities · 2025-01-0" in html
    assert rows(html)[1] == ["Lead identification", "1,000", "300", "100", "600"]
    assert "<summary><b>5 attributes</b></summary>" in html
    empty = sf.StageLog.from_columns(FUNNEL, opportunity=[], stage=[], entered_at=[])
    assert empty._repr_html_() == "<p><b>StageLog</b> · 0 entries · 0 opportunities · UTC</p>"


def test_a_flow_is_a_matrix_without_what_does_not_occur() -> None:
    flow = log().flow()

    assert rows(flow.to_html()) == [
        ["From", "Demo", "Lost", "Started", "Standing"],
        ["Lead", "1", "1", "3", "1"],
        ["Demo", "·", "·", "·", "1"],
        ["Lost", "·", "·", "·", "1"],
    ]
    assert "background:rgba(0,114,178,0.20)" in flow.to_html()
    assert rows(log().flow(by="owner").to_html()) == rows(flow.to_html())
    assert "3 groups by Owner" in log().flow(by="owner").to_html()


def test_a_flow_of_very_many_states_is_its_most_frequent_transitions() -> None:
    keys = [f"s{k}" for k in range(40)]
    chain = sf.StageLog.from_columns(
        sf.Funnel(keys),
        opportunity=["A"] * 40 + ["B"] * 3,
        stage=[*keys, *keys[:3]],
        entered_at=np.arange(43, dtype=np.int64),
    )

    found = rows(chain.flow()._repr_html_())
    assert found[:3] == [["From", "To", "Transitions"], ["S0", "S1", "2"], ["S1", "S2", "2"]]
    assert len(found) == 21


def test_a_long_table_is_shown_in_part_and_can_be_sorted() -> None:
    html = table(100)._repr_html_()

    assert len(rows(html)) == 61
    assert "… and 40 more." in html
    assert 'data-v="-2"' in html
    assert "data-v" not in table(100).to_html()
    assert len(rows(table(100).to_html())) == 101
    assert table(9)._repr_html_() == table(9).to_html()


def test_a_report_opens_with_its_findings() -> None:
    report = sf.report(sf.datasets.make_pipeline(3000), by="source")
    html = report._repr_html_()

    assert html.startswith("<p><b>Sales funnel report</b> · ")
    assert html.index("<ol>") < html.index("<table")
    for finding in report.findings:
        assert finding.text() in Elements(html).text
    for section in report.sections:
        for name in section.tables:
            shown, _ = section.shown(name)
            assert shown.to_html(notes=False, sortable=len(shown) >= 10) in html
    assert len(html) < 200_000


def test_names_are_those_of_a_funnel_that_is_given() -> None:
    funnel = sf.Funnel(
        [
            sf.Stage("lead", "Lead", names={"zh": "线索"}),
            sf.Stage("first_demo", names={"zh": "演示"}),
        ],
        [sf.LossReason("price", names={"zh": "价格"})],
    )
    way = rows(opportunity().to_html("zh", funnel=funnel))
    flow = log().flow()

    assert [row[0] for row in way] == ["阶段", "线索", "演示", "流失"]
    assert way[-1][3] == "价格"
    assert [row[0] for row in rows(flow.to_html("zh", funnel=FUNNEL))][2] == "演示"
    with pytest.raises(UnknownStateError, match="demo"):
        flow.to_html("zh", funnel=funnel)


def test_a_report_is_shown_in_a_language_too() -> None:
    report = sf.report(log(), by="owner")

    assert report.to_notebook() == report._repr_html_()
    assert "<b>销售漏斗报告</b>" in report.to_notebook("zh_CN")
    assert 'lang="en"' not in report.to_notebook("zh")


@pytest.mark.parametrize("name", VALUES)
def test_the_html_of_a_value_is_shown_and_not_escaped_again(name: str) -> None:
    value = VALUES[name]()
    html = value.to_notebook("zh") if name == "report" else value.to_html("zh")

    # A text would be shown with its tags: this one is HTML for notebooks and for templates.
    assert html._repr_html_() == html.__html__() == html
    assert type(html._repr_html_()) is str
    assert escape(html) == Markup(html)


def test_short_names_and_numbers_are_not_broken_into_lines() -> None:
    shown = Table(
        [
            Column("period", ["2025-11", "a name of several words"]),
            Column("win_rate", np.array([0.5, np.inf]), "rate"),
            Column("win_rate_low", [0.25, 0.5]),
            Column("win_rate_high", [0.75, 0.5]),
            Column("value", [1.5, 2.0]),
        ]
    ).to_html(sortable=True)

    assert ';white-space:nowrap">2025-11<' in shown
    assert ';white-space:nowrap">50.0% (25.0–75.0)<' in shown
    assert 'style="text-align:left">a name of several words<' in shown
    assert 'data-v="1.5" style="text-align:right">1.50<' in shown
    assert 'data-v="Infinity"' in shown


# ── elsewhere ─────────────────────────────────────────────────────────────────────────────────────

# What GitHub leaves of HTML, by its published filter: https://github.com/gjtorikian/html-pipeline,
# lib/html_pipeline/sanitization_filter.rb
GITHUB_TAGS = {
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "br",
        "b",
        "i",
        "strong",
        "em",
        "a",
        "pre",
        "code",
        "img",
    ),
    *("tt", "div", "ins", "del", "sup", "sub", "p", "ol", "ul", "table", "thead", "tbody", "tfoot"),
    *("blockquote", "dl", "dt", "dd", "kbd", "q", "samp", "var", "hr", "ruby", "rt", "rp", "li"),
    *("tr", "td", "th", "s", "strike", "summary", "details", "caption", "figure", "figcaption"),
    *("abbr", "bdo", "cite", "dfn", "mark", "small", "span", "time", "wbr"),
}
GITHUB_ATTRIBUTES = {"align", "colspan", "dir", "id", "lang", "nowrap", "open", "scope", "title"}


def on_github(html: str) -> str:
    return nh3.clean(
        html,
        tags=GITHUB_TAGS,
        attributes={"*": GITHUB_ATTRIBUTES},
        clean_content_tags={"script", "style"},
    )


@pytest.mark.parametrize("name", VALUES)
def test_on_github_everything_is_still_read(name: str) -> None:
    html = VALUES[name]()._repr_html_()
    left = Elements(on_github(html))

    assert left.text.split() == Elements(html).text.split()
    assert left.tags == [tag for tag in Elements(html).tags if tag != "script"]
    assert left.attributes <= {"align", "lang", "open", "scope"}


@pytest.fixture(scope="module")
def notebook() -> Any:
    """A notebook that Jupyter has run; its last cell shows a table that can be sorted."""
    import nbformat.v4
    from nbclient import NotebookClient

    sources = [
        "import salesfunnel as sf; log = sf.datasets.make_pipeline(1000)",
        "log.funnel",
        "sf.Opportunity('A')",
        "log.flow().to_html('zh', funnel=log.funnel)",
        "sf.report(log, by='owner').to_notebook('zh')",
        "sf.metrics.stalled(log)",
    ]
    v4: Any = nbformat.v4
    found = v4.new_notebook(cells=[v4.new_code_cell(text) for text in sources])
    return NotebookClient(found, timeout=120).execute()


def test_jupyter_shows_html_for_every_value(notebook: Any) -> None:
    shown = [output.data["text/html"] for cell in notebook.cells for output in cell.outputs]

    assert len(shown) == len(notebook.cells) - 1
    assert all(html.startswith(("<p><b>", "<table")) for html in shown)


@pytest.mark.parametrize("github", [False, True])
def test_a_saved_notebook_is_read_with_its_scripts_or_without(
    notebook: Any, github: bool, page: Page, tmp_path: Path
) -> None:
    from nbconvert import HTMLExporter

    exporter: Any = HTMLExporter
    html, _ = exporter(template_name="basic").from_notebook_node(notebook)
    html = on_github(html) if github else html
    file = tmp_path / "notebook.html"
    file.write_text(f'<meta charset="utf-8">{html}', encoding="utf-8")
    page.goto(file.as_uri())

    table = page.locator("table").last
    age = table.locator("thead th", has_text="Age in days")
    age.click()
    assert age.get_attribute("aria-sort") == (None if github else "ascending")
    assert table.locator("tbody tr").count() >= 10
    assert page.get_by_text("销售漏斗报告").count() == 1
    assert page.locator("details").count() == 10


# ── in a browser ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def page(require_program: Callable[[str], str]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=require_program("chromium"), args=["--no-sandbox"]
        )
        yield browser.new_page()
        browser.close()


def test_headers_sort_by_mouse_and_by_keyboard(page: Page, tmp_path: Path) -> None:
    messages: list[str] = []
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    file = tmp_path / "notebook.html"
    # Two cells of a notebook: each brings the script, which sets each table up once.
    cell = table()._repr_html_()
    file.write_text(f'<meta charset="utf-8">{cell}{cell}', encoding="utf-8")
    page.goto(file.as_uri())

    def column(at: int) -> list[str]:
        return page.locator(f"table >> nth=0 >> tbody tr td:nth-child({at})").all_text_contents()

    heads = page.locator("table >> nth=0 >> th")
    before = column(2)
    heads.nth(1).click()
    assert column(2) == ["-2", "4", "4", "5", "6", "7", "8", "9", "10", "10", "11", "–"]
    heads.nth(1).press("Enter")
    assert column(2) == ["11", "10", "10", "9", "8", "7", "6", "5", "4", "4", "-2", "–"]
    assert heads.nth(1).get_attribute("aria-sort") == "descending"
    heads.nth(2).press(" ")
    assert column(2) == before
    assert heads.nth(1).get_attribute("aria-sort") is None
    heads.nth(0).click()
    assert column(1) == sorted(column(1))
    other = page.locator("table >> nth=1 >> tbody tr td:nth-child(2)").all_text_contents()
    assert other == before
    assert messages == []


def test_headers_sort_in_vs_code_too(page: Page) -> None:
    # VS Code sets the HTML of an output, which runs no script, and then makes each script anew.
    page.set_content("<!DOCTYPE html><body style='color:#ccc;background:#1f1f1f'><div></div>")
    page.evaluate(
        """html => {
          const output = document.querySelector("div");
          output.innerHTML = html;
          for (const script of output.querySelectorAll("script")) {
            const again = document.createElement("script");
            again.textContent = script.textContent;
            script.replaceWith(again);
          }
        }""",
        table()._repr_html_(),
    )

    head = page.locator("th").nth(1)
    head.click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert page.locator("tbody tr td:nth-child(2)").all_text_contents()[:2] == ["-2", "4"]
