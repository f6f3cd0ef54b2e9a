"""Progress on standard error."""

from __future__ import annotations

import json
import sys

import pytest
from cli.command import COLUMNS, FUNNEL, MAP, PLAIN, Command, write

from salesfunnel.cli import progress
from salesfunnel.kernel import progress as meters

OPTIONS = [*COLUMNS, "--funnel", "funnel.json", *MAP]


@pytest.fixture
def slow(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that takes long, and a terminal that shows how long."""
    write(FUNNEL, "funnel.json")
    lines = "".join(f"D{n},lead,2026-01-01T00:00Z,li\n" for n in range(100_000))
    write(PLAIN + lines)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(meters, "INTERVAL", 0.0)
    monkeypatch.setenv("FORCE_COLOR", "1")  # for rich, which looks for a terminal itself
    monkeypatch.setattr(progress, "is_watched", lambda: True)


@pytest.mark.usefixtures("slow")
def test_long_work_is_shown_with_rich(run: Command) -> None:
    done = run("table", "deals.csv", *OPTIONS, "--lang", "zh")

    assert done.code == 0
    assert "读取" in done.err
    assert "读取" not in done.out


@pytest.mark.usefixtures("slow")
def test_and_without_it(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    done = run("table", "deals.csv", *OPTIONS)

    assert done.code == 0
    assert "\r\x1b[KReading " in done.err
    assert "%" in done.err
    assert done.err.endswith("\r\x1b[K")


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("deals.json", [*COLUMNS, *MAP]),
        ("deals.json", ["--opportunity", "deal", "--entered", "lead=at"]),
        (
            "deals.json",
            ["--opportunity", "deal", "--stage", "stage", "--created", "at", "--closed", "at"],
        ),
        ("deals.json", ["--crm", "jiandaoyun", "--field", "stage=stage", "--partial"]),
    ],
)
def test_whatever_is_read(run: Command, name: str, options: list[str]) -> None:
    rows = [
        {"deal": f"D{n}", "_id": f"D{n}", "stage": "lead", "at": "2026-01-01T00:00Z"}
        | {"createTime": "2026-01-01T00:00Z"}
        for n in range(20_000)
    ]
    write(json.dumps(rows), name)

    done = run("table", name, *options, "--funnel", "funnel.json")

    assert done.code == 0
    assert "Reading" in done.err


@pytest.mark.usefixtures("slow")
def test_not_for_those_who_want_quiet(run: Command) -> None:
    assert run("table", "deals.csv", *OPTIONS, "--quiet").err == ""


@pytest.mark.usefixtures("slow")
def test_nor_where_nobody_looks(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "is_watched", lambda: False)

    assert run("table", "deals.csv", *OPTIONS).err == ""


def test_short_work_shows_nothing(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    write(FUNNEL, "funnel.json")
    monkeypatch.setattr(progress, "is_watched", lambda: True)

    assert run("table", write(PLAIN), *OPTIONS).err == ""
