"""Draw the pictures of the documentation from generated data: ``python docs/pictures/draw.py``.

They are screenshots of pages, taken by Chromium; it and the environment of the tests are needed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

import salesfunnel as sf
from salesfunnel.show.report import Report

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1000, 1200
CHARTS = ("funnel", "sankey", "time_in_stage", "ranked", "control_chart")
"""Those that the how-to guide of plots shows, one by one."""


def main() -> int:
    """Write the pictures beside this file, and print how large they are."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not installed")
        return 1
    report = sf.report(sf.datasets.make_pipeline(5000), by="owner")
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        for lang, theme in (("en", "light"), ("zh", "light"), ("en", "dark")):
            _draw(browser, report, Path(folder) / "report.html", lang, theme)
        browser.close()
    for picture in sorted(HERE.glob("*.png")):
        print(f"{picture.stat().st_size / 1000:6.0f} kB  {picture.name}")
    return 0


def _draw(browser: Browser, report: Report, path: Path, lang: str, theme: str) -> None:
    report.to_html(path, lang=lang)
    page = browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page.goto(path.as_uri())
    page.wait_for_function(
        "theme => [...document.querySelectorAll('.chart')].every(c => c.dataset.drawn === theme)",
        arg=theme,
    )
    name = f"report-{lang}" + ("-dark" if theme == "dark" else "")
    page.screenshot(path=HERE / f"{name}.png")
    if (lang, theme) == ("en", "light"):
        page.add_style_tag(content="nav { position: static }")  # it would stand before a chart
        for key in CHARTS:
            page.locator(f"#chart-{key}").screenshot(path=HERE / f"{key}.png")
    page.close()


if __name__ == "__main__":
    sys.exit(main())
