"""Adding a language is adding one file: with a made-up one, all that people read is in it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import pytest

import salesfunnel as sf
from salesfunnel import metrics
from salesfunnel.cli import main
from salesfunnel.show.notebook import report_html
from salesfunnel.text import catalogue, numbers
from salesfunnel.text.numbers import format_decimal, format_money, format_percent
from salesfunnel.text.times import format_date, format_datetime, format_duration

NEW = "de"
FORMS = {
    "number.group_mark": ".",
    "number.decimal_mark": ",",
    "number.percent": "{number} %",
    "number.money": "{amount} {symbol}",
    "number.money_by_code": "{amount} {currency}",
    "date.date": "{day:02}.{month:02}.{year:04}",
    "duration.days": "{days} T",
}
"""How the language writes numbers and dates; all its words are the English ones in brackets."""
_PLAIN = ("number.", "date.", "duration.", "currency.")


def made_up(key: str, text: Any) -> Any:
    if key in FORMS:
        return FORMS[key]
    if key.startswith(_PLAIN):
        return text
    if isinstance(text, dict):
        return {form: f"«{template}»" for form, template in text.items()}
    return f"«{text}»"


def made_up_messages(known: dict[str, str]) -> dict[str, str]:
    """The English of each message in brackets, but for marks between the parts of lists."""
    return {
        english: english if english in {", ", "; ", " or "} else f"«{_with_fields(english, text)}»"
        for english, text in known.items()
    }


def _with_fields(english: str, text: str) -> str:
    has_fields = any(
        re.fullmatch(r"\w+", name) for _, name, _, _ in Formatter().parse(text) if name
    )
    return re.sub(r"(?<!\{)(\{\w+)[!:][^}]*\}", r"\1}", english) if has_fields else english


def forget() -> None:
    for cached in (
        *(catalogue.languages, catalogue.resolve, catalogue._load),
        *(numbers._marks, numbers._large_units),
    ):
        assert isinstance(cached, type(lru_cache(str)))
        cached.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _one_more_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put one more file into a copy of the folder of languages."""
    folder = tmp_path_factory.mktemp("locale")
    with pytest.MonkeyPatch.context() as patch:
        for file in (files("salesfunnel.text") / "locale").iterdir():
            shutil.copy(str(file), folder / file.name)
        english = json.loads((folder / "en.json").read_text("utf-8"))
        new = {key: made_up(key, text) for key, text in english.items()}
        new["errors"] = made_up_messages(
            json.loads((folder / "zh.json").read_text("utf-8"))["errors"]
        )
        (folder / f"{NEW}.json").write_text(json.dumps(new), "utf-8")
        patch.setattr(catalogue, "_locale", lambda: folder)
        forget()
        yield
    forget()


FUNNEL = sf.Funnel(
    [
        sf.Stage("s1", "S1", probability=0.1, max_age="1d"),
        sf.Stage("s2", "S2"),
        sf.Stage("s3", "S3"),
    ],
    [sf.LossReason("r1", "R1"), sf.LossReason("r2", "R2")],
    name="F1",
)


@pytest.fixture(scope="module")
def log() -> sf.StageLog:
    """A log whose names have a digit each, so that every other word is one of the language."""
    rng, n, day = np.random.default_rng(3), 900, 86_400_000_000
    depth = rng.choice(3, n, p=[0.6, 0.25, 0.15])
    start = rng.integers(0, 700, n) * day
    end = rng.choice([3, 4, 9], n, p=[0.3, 0.6, 0.1])  # won, lost, open
    who = rng.choice(["O1", "O2", "O3"], n)
    end[(who == "O1") & (end == 4)] = 3
    rows = [(i, k, start[i] + k * day) for i in range(n) for k in range(depth[i] + 1)]
    rows += [(i, end[i], start[i] + 5 * day) for i in range(n) if end[i] != 9]
    ids, states, times = (np.array(column) for column in zip(*rows, strict=True))
    return sf.StageLog.from_columns(
        FUNNEL,
        opportunity=ids,
        stage=states,
        entered_at=times,
        reason=[("R1", "R2")[i % 5 == 0] if k == 4 else None for i, k, _ in rows],
        attributes={
            "owner": who[ids].tolist(),
            "expected_close": ["1972-06-30"] * len(ids),
        },
        amount=(1000.0 + ids).tolist(),
        currency="EUR",
        tz="UTC",
    )


def rest(text: str) -> str:
    """Return what is left of a text without what comes from the language's file."""
    while text != (text := re.sub("«[^«»]*»", " ", text)):
        pass
    assert not {"«", "»"} & {*text}, text
    return text


def strange(text: str) -> set[str]:
    """Return the words of a text that are neither of the language nor names of the data."""
    words = re.findall(r"[^\W\d_][\w.-]*", rest(text))
    # Names of the data have a digit; UTC, EUR and units of time stand in numbers and dates.
    known = {"UTC", "EUR", "T", "h", "min", "s", "ms", "k"}
    return {word for word in words if not re.search(r"\d", word)} - known


def test_the_language_is_found() -> None:
    assert catalogue.languages() == ("de", "en", "zh")
    assert catalogue.resolve("de_AT.UTF-8") == "de"


def test_numbers_dates_and_money_are_written_its_way() -> None:
    assert format_decimal(1234567.5, NEW, 2) == "1.234.567,50"
    assert format_percent(0.123, NEW) == "12,3 %"
    assert format_money(1234.5, "EUR", NEW) == "1.234,50 €"
    assert format_money(-1234.5, "CHF", NEW) == "-1.234,50 CHF"
    at = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
    assert format_date(at, NEW) == "05.03.2026"
    assert format_datetime(at, NEW) == "05.03.2026 14:30 UTC"
    assert format_duration(3.25 * 86400, NEW) == "3,2 T"


def test_a_name_that_the_language_lacks_is_the_plain_one() -> None:
    assert sf.Funnel.standard()["needs_analysis"].label(NEW) == "Needs analysis"


TABLES: dict[str, Callable[..., sf.Table]] = {
    "summary": lambda log: metrics.summary(log, by="owner"),
    "stages": metrics.stage_table,
    "flow": metrics.flow_table,
    "losses": lambda log: metrics.loss_table(log, by_stage=True),
    "cycle": metrics.sales_cycle,
    "time": metrics.time_in_stage,
    "velocity": metrics.velocity,
    "pipeline": metrics.pipeline,
    "ageing": metrics.ageing,
    "stalled": metrics.stalled,
    "hotspots": metrics.loss_hotspots,
    "targets": metrics.against_targets,
    "trend": metrics.trend_by_period,
    "change": metrics.change_by_period,
    "control": metrics.control_chart_by_period,
    "cohorts": metrics.win_rate_by_cohort,
    "within": lambda log: metrics.conversion_within(log, "30d"),
    "logrank": lambda log: metrics.logrank_test(log, by="owner"),
    "where": lambda log: metrics.win_rate(log, where={"owner": ["O1", "O2"]}),
    "conform": lambda log: log.conform(),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_in_it_to_the_last_word(log: sf.StageLog, name: str) -> None:
    table = TABLES[name](log)

    assert len(table)
    assert strange(table.to_text(NEW)) == set()
    assert strange(table.to_text("en"))


def test_a_report_is_in_it(log: sf.StageLog) -> None:
    report = sf.report(log, by="owner", where={"owner": ["O1", "O2", "O3"]})

    assert len(report.findings) == 3
    assert strange(report.to_text(NEW)) == set()


class Texts(HTMLParser):
    """What people read of a page, or hear: its texts, without scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        self.found += [
            value or "" for name, value in attrs if name in ("aria-label", "title", "alt")
        ]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.append(data)


def test_its_page_is_in_it(log: sf.StageLog, tmp_path: Path) -> None:
    html = sf.report(log, by="owner").to_html(lang=NEW, plotly="link")
    texts = Texts(html).found

    assert f'lang="{NEW}"' in html
    assert {word for text in texts for word in strange(text)} == set()


def test_what_a_notebook_shows_is_in_it(log: sf.StageLog) -> None:
    engine = sf.TransitionEngine(FUNNEL)
    deal = engine.open(sf.Opportunity("D1", owner="O1"), at=datetime(2026, 1, 1, tzinfo=UTC))
    report = sf.report(log, by="owner")
    shown: list[str] = [value.to_html(NEW) for value in (FUNNEL, deal, log.flow(by="owner"))]
    shown += [log.to_html(NEW).replace("StageLog", ""), report_html(report, NEW)]
    words = {w for html in shown for text in Texts(html).found for w in strange(text)}

    assert words - {"StageFlow"} == set()


def test_the_command_line_speaks_it(
    log: sf.StageLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = str(tmp_path / "log.npz"), str(tmp_path / "x9.csv")
    log.save(file)

    assert main(["table", file, "--table", "summary", "--lang", NEW]) == 0
    assert main(["check", file, "--lang", NEW]) == 1
    assert main(["convert", file, out, "--lang", NEW]) == 0
    printed = capsys.readouterr().out.replace(out, "x9")
    assert strange(printed) == set()

    for command in ("report", "table", "check", "convert", "demo"):
        with pytest.raises(SystemExit):
            main([command, "--help", "--lang", NEW])
        shown = capsys.readouterr().out
        options = re.findall(r"(?m)^  +(--[a-z-]+|-h)", shown)
        assert options
        # Each option and each group of them has its text.
        assert shown.count("«") > len(options)
        assert shown.count("«") == shown.count("»")


# ── what went wrong ───────────────────────────────────────────────────────────────────────────────


def test_errors_are_said_in_it(tmp_path: Path) -> None:
    path = tmp_path / "d1.csv"
    path.write_text("i1,s1,t1\nA1,x1,1970-01-01T00:00Z\nA1,s1\n,s1,1970-01-01T00:00Z\n")
    reading: dict[str, Any] = {"opportunity": "i1", "stage": "s1", "entered_at": "t1"}
    with pytest.raises(sf.errors.DataError) as caught:
        sf.read_csv(path, FUNNEL, **reading)
    log = sf.read_csv(path, FUNNEL, errors="collect", **reading)

    assert len(log.rejected) == 3
    assert strange(sf.explain(caught.value, NEW)) == set()
    assert strange(log.rejected.to_text(NEW)) == set()


def test_the_command_line_says_its_own_errors_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["table"], ["table", "x1.csv"], ["x1"], ["table", "x1.csv", "--most", "1"]):
        with pytest.raises(SystemExit):
            main([*arguments, "--lang", NEW])
        err = capsys.readouterr().err
        assert err.startswith("«usage: »")
        assert strange(err) <= {"salesfunnel", "table", "h", "COMMAND", "FILE"}
