"""The page: one file that asks nothing of a network and shows what is in names as text."""

from __future__ import annotations

import json
import re
import sys
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import salesfunnel as sf
from salesfunnel.errors import DefinitionError, MissingExtraError, UnknownLanguageError
from salesfunnel.show import page as page_module
from salesfunnel.testing import logs
from salesfunnel.text.catalogue import languages

FUNNEL = sf.Funnel([sf.Stage("lead", "Lead"), sf.Stage("offer", "Offer")])
VOID = {"meta", "link", "br"}


class Reader(HTMLParser):
    """What is in a page: its elements, the texts in them, whether all are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts[-1] += data
        elif self.open[-1:] != ["style"]:
            self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        """What an attribute is, wherever it stands."""
        return [attrs[attribute] or "" for _, attrs in self.elements if attribute in attrs]


def linked(log: sf.StageLog, **options: Any) -> str:
    """The page without plotly in it, which is the same but for five megabytes."""
    lang = options.pop("lang", None)
    return sf.report(log, **options).to_html(lang=lang, plotly="link")


def market(n: int = 300) -> sf.StageLog:
    return sf.datasets.make_pipeline(n, months=4)


def few(*rows: tuple[str, str, str], **options: Any) -> sf.StageLog:
    ids, stages, times = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 3
    return sf.StageLog.from_columns(
        FUNNEL, opportunity=ids, stage=stages, entered_at=times, tz="UTC", **options
    )


@pytest.mark.parametrize("lang", languages())
def test_it_has_every_section_and_a_way_to_each(lang: str) -> None:
    report = sf.report(market(), by="owner")
    found = Reader(report.to_html(lang=lang, plotly="link"))

    sections = [attrs["id"] for tag, attrs in found.elements if tag == "section"]
    assert sections == [section.key for section in report.sections]
    targets = found.values("href")
    assert targets[:2] == ["data:,", "#content"]
    assert targets[2:] == [f"#{key}" for key in sections]
    for section in report.sections:
        assert section.title(lang) in found.texts
    assert found.elements[0] == ("html", {"lang": lang})
    assert Counter(tag for tag, _ in found.elements)["h1"] == 1
    identifiers = found.values("id")
    assert len(identifiers) == len(set(identifiers))
    for pointed_to in found.values("aria-labelledby"):
        assert pointed_to in identifiers


@pytest.mark.parametrize("lang", languages())
def test_its_tables_are_those_of_the_report(lang: str) -> None:
    report = sf.report(market(), by=("owner", "region"))
    text = report.to_html(lang=lang, plotly="link")

    for section in report.sections:
        for name in section.tables:
            shown, more = section.shown(name)
            if section.key != "headline":
                assert shown.to_html(lang, notes=False) in text
            if more:
                assert f"{more:,}" in text
    for note in report.notes:
        assert note.text(lang) in Reader(text).texts


def test_the_headline_says_the_numbers_of_the_summary_and_of_the_change() -> None:
    report = sf.report(market(3000))
    texts = Reader(report.to_html(plotly="link")).texts

    summary, change = report.tables["summary"], report.tables["change"]
    for name in ("opportunities", "median_days", "won_amount", "open_amount"):
        assert summary.texts(name, "en")[0] in texts
    for name in ("created", "won", "lost"):
        assert change.texts(name, "en")[0] in texts
        share = change.texts(f"{name}_change", "en")[0]
        sign = "+" if change[f"{name}_change"][0] > 0 else ""
        assert f"{sign}{share} on the period before" in texts
    rate, _, interval = summary.texts("win_rate", "en")[0].partition(" ")
    assert rate in texts
    won, closed = (summary[f"win_rate_{part}"][0] for part in ("numerator", "denominator"))
    assert f"{won:,} / {closed:,}" in texts
    assert interval in texts
    points = [100 * change[f"win_rate_difference{end}"][0] for end in ("", "_low", "_high")]
    difference, low, high = (f"{x:+.1f}" for x in points)
    assert f"{difference} points ({low} to {high}) on the period before" in texts
    assert "2024-03, the last period that is over" in texts or "2024-W" in "".join(texts)


def test_it_asks_nothing_of_a_network() -> None:
    found = Reader(sf.report(market()).to_html())

    assert all(link.startswith(("#", "data:")) for link in found.values("href"))
    assert found.values("src") == []
    data, library, script = found.scripts
    assert json.loads(data)["figures"]
    assert "plotly.js v" in library[:300]
    (policy,) = [value for value in found.values("content") if "default-src" in value]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    hashes = [
        f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
        for text in (script, library)
    ]
    assert rules["script-src"].split() == hashes


def test_linked_it_names_the_version_of_the_script_and_its_digest() -> None:
    found = Reader(linked(market()))

    (source,) = found.values("src")
    assert re.fullmatch(r"https://cdn\.plot\.ly/plotly-\d+\.\d+\.\d+\.min\.js", source)
    assert found.values("integrity")[0].startswith("sha384-")
    assert "https://cdn.plot.ly" in found.values("content")[1] + found.values("content")[0]


def test_it_is_small() -> None:
    report = sf.report(market(2000), by="owner")

    assert len(report.to_html().encode()) < 6_000_000
    assert len(report.to_html(plotly="link").encode()) < 300_000


def test_it_stays_small_with_thousands_of_groups_and_reasons() -> None:
    n = 5000
    wide = sf.StageLog.from_columns(
        FUNNEL,
        opportunity=[f"O-{i // 2}" for i in range(2 * n)],
        stage=["lead", "lost"] * n,
        entered_at=["2026-01-01", "2026-01-02"] * n,
        reason=[None if i % 2 == 0 else f"because of {i}" for i in range(2 * n)],
        attributes={"owner": [f"owner {i // 2}" for i in range(2 * n)]},
        tz="UTC",
    )

    assert len(linked(wide, by="owner").encode()) < 300_000


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    report = sf.report(market())
    path = tmp_path / "report.html"

    text = report.to_html(path, lang="zh-CN", plotly="link")
    assert path.read_bytes().decode("utf-8") == text
    assert text == report.to_html(lang="zh", plotly="link")


def test_findings_open_the_page() -> None:
    report = sf.report(market(2000))
    reader = Reader(report.to_html(plotly="link"))

    assert next(attrs["id"] for tag, attrs in reader.elements if tag == "section") == "findings"
    assert report.findings
    for found in report.findings:
        assert {found.claim.text("en"), found.uncertainty.text("en")} <= set(reader.texts)


# ── whatever there is ─────────────────────────────────────────────────────────────────────────────

ONE = ("A", "lead", "2026-01-01")
LOGS = {
    "no entries": few(),
    "one entry": few(ONE),
    "one win": few(ONE, ("A", "won", "2026-01-02")),
    "one loss": few(ONE, ("A", "lost", "2026-01-02")),
    "all at once": few(ONE, ("B", "lead", "2026-01-01"), ("C", "offer", "2026-01-01")),
    "no losses": few(ONE, ("A", "offer", "2026-01-03"), ("B", "lead", "2026-02-03")),
    "rows rejected": few(ONE, ("B", "nowhere", "2026-01-02"), errors="collect"),
    "no amounts known": few(ONE, amount=[None]),
    "negative amounts": few(ONE, ("B", "won", "2026-01-02"), amount=[-5, -7]),
}


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("case", LOGS)
def test_any_log_makes_a_page(case: str, lang: str) -> None:
    found = Reader(linked(LOGS[case], lang=lang))

    texts = " ".join(found.texts)
    assert "nan" not in texts.lower().split()
    drawn = [attrs["id"] for _, attrs in found.elements if attrs.get("class") == "chart"]
    assert drawn == [figure["id"] for figure in json.loads(found.scripts[0])["figures"]]


@settings(max_examples=15)
@given(logs(FUNNEL), st.sampled_from(languages()))
def test_whatever_the_history_it_makes_a_page(log: sf.StageLog, lang: str) -> None:
    Reader(linked(log, by="owner", lang=lang))


def test_rows_that_were_rejected_are_listed_and_else_it_says_that_all_were_loaded() -> None:
    assert "nowhere" in Reader(linked(LOGS["rows rejected"])).texts
    assert "Every row of the source was loaded." in Reader(linked(LOGS["one entry"])).texts


NASTY = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>&amp;\u202e=1+1\u2028\x00"


def test_names_are_text() -> None:
    funnel = sf.Funnel([sf.Stage("lead", NASTY)])
    log = sf.StageLog.from_columns(
        funnel,
        opportunity=[NASTY, NASTY, "B"],
        stage=["lead", "lost", "lead"],
        entered_at=["2026-01-01", "2026-01-09", "2026-01-02"],
        reason=[None, NASTY, None],
        attributes={"owner": [NASTY] * 3, NASTY: ["x"] * 3},
        tz="UTC",
    )
    text = linked(log, by=["owner", NASTY])
    found = Reader(text)

    assert "<img" not in text
    assert "\u202e" not in text
    assert "\x00" not in text
    assert len(found.scripts) == 3
    assert not any(name.startswith("on") for _, attrs in found.elements for name in attrs)
    shown = [part for part in found.texts if "alert(1)" in part]
    assert shown
    assert all("</script><script>" in part for part in shown)
    json.loads(found.scripts[0])


# ── what cannot be ────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(DefinitionError, match="plotly= is one of inside, link, not 'cdn'"):
        sf.report(few()).to_html(plotly="cdn")
    with pytest.raises(UnknownLanguageError, match="'fr'"):
        sf.report(few()).to_html(lang="fr")


@pytest.mark.parametrize("module", ["jinja2", "markupsafe", "plotly.offline"])
def test_without_the_extra_it_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page_module._template.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(MissingExtraError, match=r"pip install 'salesfunnel\[report\]'"):
        sf.report(few()).to_html()
