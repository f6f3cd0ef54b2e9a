"""Options from a file."""

from __future__ import annotations

import json

import pytest
from cli.command import COLUMNS, CSV, FUNNEL, MAP, PLAIN, Command, write

SETTINGS = """\
opportunity = "deal"
stage = "stage"
entered_at = "at"
funnel = "funnel.json"
tz = "Asia/Shanghai"
by = ["owner"]
as-of = 2026-01-02
mode = "actual"
lang = "zh"

[map]
Dead = "lost:price"
Archived = ""
"A=B" = "won"

[where]
owner = ["li", "na"]
"""


@pytest.fixture(autouse=True)
def _files(run: Command) -> None:
    write(FUNNEL, "funnel.json")
    write(SETTINGS, "settings.toml")


def test_a_file_of_settings_is_as_good_as_options(run: Command) -> None:
    options = [*COLUMNS, "--funnel", "funnel.json", *MAP, "--tz", "Asia/Shanghai"]
    options += ["--by", "owner", "--as-of", "2026-01-02", "--mode", "actual", "--lang", "zh"]
    options += ["--where", "owner=li", "--where", "owner=na"]
    expected = run("table", write(PLAIN), *options)

    assert run("table", "deals.csv", "--settings", "settings.toml") == expected
    assert run("table", "deals.csv", "--settings=settings.toml") == expected
    assert expected.code == 0


def test_the_command_line_comes_first(run: Command) -> None:
    write(PLAIN)
    options = ["--settings", "settings.toml", "--lang", "en", "--as-of", "2026-01-03"]
    done = run("table", "deals.csv", *options, "--where", "owner=li", "--by", "owner", "--json")

    found = json.loads(done.out)
    assert {row["owner"] for row in found["rows"]} == {"li"}
    assert found["as_of"] == "2026-01-03T15:59:59.999999+00:00"


def test_a_preset_takes_the_place_of_the_funnel(run: Command) -> None:
    options = ["--settings", "settings.toml", "--preset", "standard", "--lang", "en"]
    done = run("table", write(CSV), *options, "--where", "owner=Wang")

    assert "Lead identification" in done.out


def test_what_a_command_does_not_ask_is_left_aside(run: Command) -> None:
    done = run("check", write(PLAIN), "--settings", "settings.toml")
    assert done.code == 0
    assert "2 个商机" in done.out

    done = run("convert", "deals.csv", "out.parquet", "--settings", "settings.toml")
    assert done.code == 0
    done = run("table", "out.parquet", "--by", "owner", "--table", "summary", "--json")
    assert [row["owner"] for row in json.loads(done.out)["rows"]] == ["li", "na"]


def test_other_settings(run: Command) -> None:
    text = "deal,stage,at,amount,cur\nA,lead,2026-01-01,5,USD\nA,offer,2026-01-02,7,CNY\n"
    settings = SETTINGS.split("by =", maxsplit=1)[0] + (
        'amount = "amount"\ncurrency = "cur"\nerrors = "collect"\nmax-bytes = 1000000\n'
        "partial = false\n[rates]\nUSD = 7.2\nCNY = 1\n[attributes]\nmoney = 'cur'\n"
    )
    done = run("table", write(text), "--settings", write(settings, "s.toml"), "--by", "money")

    assert (done.code, done.err) == (0, "")
    assert "CNY" in done.out


BAD = {
    "syntax": ("opportunity = ", "s.toml is not TOML: "),
    "bytes": (b"\xff\xfe", "s.toml is not TOML: "),
    "unknown": (
        "color = 1",
        "s.toml has the setting 'color', which is none; there are format, crm",
    ),
    "list": ("stage = ['a']", "s.toml: stage is a text, not ['a']"),
    "flag": ("partial = 'yes'", "s.toml: partial is true or false, not 'yes'"),
    "table": ("map = 'x'", "s.toml: map is a table, as in [map] with a line for each, not 'x'"),
    "line": ("[map]\na = [1]", "s.toml: map.a is a text, not [1]"),
    "where": ("where = 'x'", "s.toml: where is a table of attributes and labels, not 'x'"),
    "by": ("by = [[1]]", "s.toml: by is a text, not [1]"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_settings_are_told(run: Command, text: str | bytes, message: str) -> None:
    done = run("table", write(PLAIN), "--settings", write(text, "s.toml"))

    assert (done.code, done.out) == (1, "")
    assert message in done.err


def test_a_bad_value_is_that_of_its_option(run: Command) -> None:
    done = run("table", write(PLAIN), "--settings", write("ties = 'x'", "s.toml"))
    assert done.code == 2
    assert "argument --ties: invalid choice: 'x'" in done.err


def test_a_file_of_settings_that_is_not_there_is_told(run: Command) -> None:
    done = run("table", write(PLAIN), "--settings", "none.toml")

    assert done == (1, "", "salesfunnel: none.toml: No such file or directory\n")
    assert run("table", "deals.csv", "--settings").code == 2


def test_options_that_may_fit_are_told_where_some_are_missing(run: Command) -> None:
    text = "deal_id,stage,entered_at\nA,Lead,2026-01-01\nA,Closed Won,2026-01-02\n"
    done = run("table", write(text), "--preset", "standard")

    assert done.code == 2
    assert "required: --opportunity, --stage, --entered-at\ndeals.csv looks as if" in done.err
    assert "--opportunity deal_id --stage stage --entered-at entered_at" in done.err
    assert "--map 'Closed Won=won'" in done.err
