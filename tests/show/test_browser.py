"""The page in a real browser: all is drawn, nothing fetched, the numbers are those of the API."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

import salesfunnel as sf
from salesfunnel import metrics
from salesfunnel.show.plots.palette import PALETTES
from salesfunnel.show.report import Report

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LOANS = sf.Funnel(
    ["A_SUBMITTED", "A_PREACCEPTED", "A_ACCEPTED", "A_FINALIZED"], ["A_DECLINED", "A_CANCELLED"]
)
PHONE: ViewportSize = {"width": 380, "height": 800}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser(require_program: Callable[[str], str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=require_program("chromium"), args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def market() -> Report:
    return sf.report(sf.datasets.make_pipeline(100_000), by="owner")


@pytest.fixture(scope="module")
def loans(shared_data: Path) -> Report:
    log = sf.read_csv(
        shared_data / "bpic2012" / "stage_events.csv.gz",
        LOANS,
        opportunity="case_id",
        stage="stage",
        entered_at="entered_at",
        amount="amount",
        attributes=["resource"],
        stage_map={
            "A_APPROVED": "won",
            **{reason.key: ("lost", reason.key) for reason in LOANS.loss_reasons},
            **dict.fromkeys(["A_PARTLYSUBMITTED", "A_REGISTERED", "A_ACTIVATED"]),
        },
    )
    return sf.report(log, by="resource")


class Opened(NamedTuple):
    """A page, what the browser said about it, what it asked for beside itself."""

    page: Page
    messages: list[str]
    requests: list[str]

    def wait_until_drawn(self, theme: str) -> None:
        """Wait until every chart is drawn in the colours of a theme."""
        self.page.wait_for_function(
            "theme => [...document.querySelectorAll('.chart')]"
            ".every(chart => chart.dataset.drawn === theme)",
            arg=theme,
        )


Open = Callable[[str, str], Opened]


@pytest.fixture(scope="module")
def open_report(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Opened]:
    """Return a function that opens a report in a language, in a browser that has no cache."""

    def open_(report: Report, lang: str) -> Opened:
        path = tmp_path_factory.mktemp("pages") / "report.html"
        assert len(report.to_html(path, lang=lang).encode()) < 6_000_000
        page = browser.new_page(viewport=DESKTOP, color_scheme="light")
        found = Opened(page, [], [])
        page.on("console", lambda message: found.messages.append(message.text))
        page.on("pageerror", lambda error: found.messages.append(str(error)))
        page.on("request", lambda request: found.requests.append(request.url))
        page.goto(path.as_uri())
        found.wait_until_drawn("light")
        found.requests.remove(path.as_uri())
        return found

    return open_


@pytest.fixture(scope="module")
def opened(
    open_report: Callable[..., Opened], market: Report, request: pytest.FixtureRequest
) -> Open:
    """Return a function to the page of one of the reports, which is opened once for all tests."""

    @cache
    def of(name: str, lang: str) -> Opened:
        return open_report(request.getfixturevalue(name), lang)

    return of


def cells(page: Page, name: str) -> list[list[str]]:
    """The texts of a table, row by row, as the browser has them."""
    found: list[list[str]] = page.evaluate(
        "id => [...document.getElementById(id).querySelectorAll('tr')]"
        ".map(row => [...row.cells].map(cell => cell.textContent))",
        f"table-{name}",
    )
    return found


def drawn(page: Page, key: str) -> list[dict[str, Any]]:
    """The data of a chart, as plotly has it."""
    found: list[dict[str, Any]] = page.evaluate(
        "id => document.getElementById(id).data.map(trace => JSON.parse(JSON.stringify(trace)))",
        f"chart-{key}",
    )
    return found


CHARTS = [
    *("funnel", "sankey", "heatmap", "losses_by_stage", "loss_pareto", "time_in_stage"),
    *("ranked", "trend", "control_chart", "cohorts", "pipeline"),
]
"""Of any report; loans are not expected to close on a day."""
CASES = [("market", "en"), ("market", "zh"), ("loans", "en"), ("loans", "zh")]


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_nothing_goes_wrong_and_nothing_is_fetched(name: str, lang: str, opened: Open) -> None:
    found = opened(name, lang)

    assert found.messages == []
    assert [url for url in found.requests if not url.startswith("data:")] == []


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_every_chart_is_drawn(name: str, lang: str, opened: Open) -> None:
    page = opened(name, lang).page

    keys = [*CHARTS, "pipeline_by_period"] if name == "market" else CHARTS
    assert page.evaluate("[...document.querySelectorAll('.chart')].map(c => c.id)") == [
        f"chart-{key}" for key in keys
    ]
    shapes = page.evaluate(
        "[...document.querySelectorAll('.chart')].map(chart => "
        "[...chart.querySelectorAll('.trace, .sankey-link, .hm, .bars, .funnellayer')]"
        ".filter(part => part.getBoundingClientRect().width > 0).length)"
    )
    assert all(number > 0 for number in shapes)


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_every_table_is_that_of_the_api(
    name: str, lang: str, opened: Open, request: pytest.FixtureRequest
) -> None:
    report: Report = request.getfixturevalue(name)
    page = opened(name, lang).page

    for section in report.sections:
        for table_name in section.tables:
            table, _ = section.shown(table_name)
            if section.key == "headline":
                continue  # its numbers are on cards
            header, *rows = cells(page, table_name)
            texts = {
                table.column(column).header(lang): table.texts(column, lang)
                for column in table.columns
                if table.column(column).header(lang) in header
            }
            assert len(rows) == len(table)
            for place, title in enumerate(header):
                assert [row[place] for row in rows] == texts[title]


@pytest.mark.parametrize("name", ["market", "loans"])
def test_what_is_drawn_is_what_the_api_says(
    name: str, opened: Open, request: pytest.FixtureRequest
) -> None:
    report: Report = request.getfixturevalue(name)
    page = opened(name, "en").page

    log, period = report.asked.log, report.asked.period
    assert drawn(page, "funnel")[0]["x"] == metrics.stage_table(log)["entered"].tolist()
    assert sum(drawn(page, "sankey")[0]["link"]["value"]) == log.flow().counts.sum()
    lost = metrics.loss_table(log)["numerator"].sum()
    assert sum(sum(bar["x"]) for bar in drawn(page, "losses_by_stage")) == lost
    assert drawn(page, "loss_pareto")[0]["x"] == metrics.loss_pareto(log)["value"][:15].tolist()
    trend = metrics.trend_by_period(log, period=period)
    for line, column in zip(drawn(page, "trend"), ("created", "won", "lost"), strict=True):
        assert line["y"] == trend[column].tolist()
    control = metrics.control_chart_by_period(log, period=period)
    rate = np.array(drawn(page, "control_chart")[-1]["y"], float)
    assert rate == pytest.approx(control["win_rate"], nan_ok=True)
    summary = report.tables["summary"]
    for column in ("opportunities", "median_days"):
        assert summary.texts(column, "en")[0] in page.inner_text("#headline")


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_sections_are_reached_by_keyboard(
    name: str, lang: str, opened: Open, request: pytest.FixtureRequest
) -> None:
    report: Report = request.getfixturevalue(name)
    page = opened(name, lang).page

    def focused() -> str:
        return str(page.evaluate("document.activeElement.getAttribute('href')"))

    page.keyboard.press("Tab")
    assert focused() == "#content"
    for section in report.sections:
        page.keyboard.press("Tab")
        assert focused() == f"#{section.key}"
        page.keyboard.press("Enter")
        page.wait_for_function("key => location.hash === '#' + key", arg=section.key)
        top = page.evaluate(
            "key => document.getElementById('title-' + key).getBoundingClientRect().top",
            section.key,
        )
        assert 0 <= top <= DESKTOP["height"]
        page.evaluate("key => document.querySelector(`nav a[href='#${key}']`).focus()", section.key)
    page.focus("#losses summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('#losses details').open")
    page.focus("#table-stalled")
    assert page.evaluate("document.activeElement.id") == "table-stalled"


@pytest.mark.parametrize(
    ("name", "lang", "theme", "size"),
    [
        ("market", "en", "light", DESKTOP),
        ("market", "zh", "dark", PHONE),
        ("loans", "en", "dark", PHONE),
    ],
)
def test_axe_finds_nothing_to_complain_about(
    name: str, lang: str, theme: Literal["light", "dark"], size: ViewportSize, opened: Open
) -> None:
    found = opened(name, lang)
    found.page.set_viewport_size(size)
    found.page.emulate_media(color_scheme=theme)
    found.wait_until_drawn(theme)

    broken = Axe().run(found.page).response["violations"]

    found.page.set_viewport_size(DESKTOP)
    found.page.emulate_media(color_scheme="light")
    found.wait_until_drawn("light")
    # Contrasts, names, order, what a keyboard reaches: what a program can check of WCAG 2.2.
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in broken] == []


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_no_band_or_bar_reaches_out_of_its_picture(name: str, lang: str, opened: Open) -> None:
    page = opened(name, lang).page

    frame = page.locator("#chart-sankey .main-svg").first.bounding_box()
    bars = [bar.bounding_box() for bar in page.locator("#chart-sankey .node-rect").all()]
    assert frame is not None
    for bar in bars:
        assert bar is not None
        assert frame["y"] - 1 <= bar["y"]
        assert bar["y"] + bar["height"] <= frame["y"] + frame["height"] - 60  # the legend's room


def test_chinese_has_glyphs(opened: Open) -> None:
    page = opened("market", "zh").page

    assert page.inner_text("h1") == "销售漏斗报告"
    # A character that no font has is the same box as any other that none has.
    distinct = page.evaluate(
        """() => {
          const draw = (text) => {
            const canvas = document.createElement("canvas");
            const pen = canvas.getContext("2d");
            pen.font = "40px " + getComputedStyle(document.body).fontFamily;
            pen.fillText(text, 10, 50);
            return canvas.toDataURL();
          };
          return new Set([..."漏斗商机转化"].map(draw)).size;
        }"""
    )
    if distinct == 1 and os.environ.get("SALESFUNNEL_REQUIRE_SYSTEM") != "1":
        pytest.skip("no Chinese font is installed")
    assert distinct == 6


def test_it_follows_the_theme_of_the_reader(opened: Open) -> None:
    found = opened("market", "en")
    page = found.page

    def colours() -> tuple[str, str]:
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return ground, drawn(page, "funnel")[0]["marker"]["color"]

    assert colours() == ("rgb(255, 255, 255)", PALETTES["light"].won)
    page.emulate_media(color_scheme="dark")
    found.wait_until_drawn("dark")
    assert colours() == ("rgb(20, 23, 27)", PALETTES["dark"].won)
    assert drawn(page, "heatmap")[0]["textfont"]["color"] == PALETTES["dark"].text

    # On paper all is light, open, as wide as the paper, and there at once.
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    bands = "[...document.querySelectorAll('.sankey-link')].map(b => getComputedStyle(b).opacity)"
    assert {*page.evaluate(bands)} == {"1"}
    found.wait_until_drawn("light")
    assert page.locator("#chart-sankey .main-svg").first.bounding_box()["width"] == 680  # type: ignore[index]
    assert page.evaluate("[...document.querySelectorAll('details')].every(d => d.open)")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    found.wait_until_drawn("dark")
    page.emulate_media(color_scheme="light")
    found.wait_until_drawn("light")
    assert found.messages == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_phone_need_not_scroll_sideways(lang: str, opened: Open) -> None:
    page = opened("market", lang).page

    page.set_viewport_size(PHONE)
    page.wait_for_function(
        "width => [...document.querySelectorAll('figure:not(.wide) .main-svg')]"
        ".every(chart => chart.getBoundingClientRect().right <= width)",
        arg=PHONE["width"],
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    # Bands from left to right and a matrix need room: they scroll in a frame of their own.
    for name in ("sankey", "heatmap"):
        frame = page.locator("figure", has=page.locator(f"#chart-{name}"))
        style = "f => [getComputedStyle(f).overflowX, f.scrollWidth > f.clientWidth]"
        assert frame.evaluate(style) == ["auto", True]
    page.set_viewport_size(DESKTOP)


def test_no_picture_is_taller_than_the_paper(opened: Open) -> None:
    found = opened("loans", "en")
    heights = (
        "[...document.querySelectorAll('.chart .main-svg')]"
        ".map(chart => chart.getBoundingClientRect().height)"
    )

    assert max(found.page.evaluate(heights)) > 820
    found.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    found.wait_until_drawn("light")
    assert max(found.page.evaluate(heights)) == 820
    found.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    found.wait_until_drawn("light")
    assert max(found.page.evaluate(heights)) > 820


def test_markup_in_names_is_shown_and_not_run(open_report: Callable[..., Opened]) -> None:
    nasty = "<img src=x onerror=alert(1)><b>bold</b>"
    log = sf.StageLog.from_columns(
        sf.Funnel([sf.Stage("lead", nasty), sf.Stage("offer", nasty)]),
        opportunity=["A", "A", "B", "B"],
        stage=["lead", "offer", "lead", "lost"],
        entered_at=["2026-01-01", "2026-01-02", "2026-01-01", "2026-01-05"],
        reason=[None, None, None, nasty],
        tz="UTC",
    )
    found = open_report(sf.report(log), "en")

    assert found.messages == []
    assert found.page.evaluate("document.querySelectorAll('img').length") == 0
    ticks = found.page.evaluate(
        "[...document.querySelectorAll('#chart-funnel .ytick text')].map(t => t.textContent)"
    )
    assert ticks == [f"{nasty[:25]}…"] * 2
