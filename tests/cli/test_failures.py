"""How the command line fails: one message, and an exit code."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence

import pytest
from cli.command import COLUMNS, CSV, FUNNEL, MAP, PLAIN, Command, Run, write


def test_rows_that_cannot_be_read_are_told_and_kept(run: Command) -> None:
    text = PLAIN + "C,nowhere,2026-01-01T00:00Z,\n,lead,2026-01-01T00:00Z,\n"
    write(FUNNEL, "funnel.json")
    options = [*COLUMNS, "--funnel", "funnel.json", *MAP, "--errors", "collect"]
    done = run("table", write(text), *options, "--json")

    assert done.code == 0
    found = json.loads(done.out)
    assert found["opportunities"] == 2
    assert [(row["row"], row["column"], row["value"]) for row in found["rejected"]] == [
        (7, "stage", "nowhere"),
        (8, "deal", ""),
    ]
    assert done.err.startswith("salesfunnel: 2 rows are left out:\n  row 7, stage: 'nowhere', ")
    assert "(on the command line, stage_map is --map)" in done.err
    assert "2 rows rejected" in run("report", "deals.csv", *options).out


def test_of_many_bad_rows_the_first_are_told(run: Command) -> None:
    write(FUNNEL, "funnel.json")
    text = "deal,stage,at\nA,lead,2026-01-01T00:00Z\n" + "A,x,2026-01-01T00:00Z\n" * 30
    done = run(
        *("table", write(text), *COLUMNS, "--funnel", "funnel.json", "--errors", "collect"),
    )

    assert done.code == 0
    assert "30 rows are left out:" in done.err
    assert done.err.count("\n  row ") == 20
    assert "… and 10 more" in done.err


BROKEN_GZIP = gzip.compress(CSV.encode(), mtime=0)[:-20]
BAD_FILES: dict[str, tuple[str | bytes, Sequence[str], str]] = {
    "empty": ("", (), "deals.csv is empty; a line with the names of the columns is expected"),
    "truncated": (BROKEN_GZIP, (), "a gzip file that breaks off before its end"),
    "encoding": (b"deal,stage,at\n\xff\xff,x,y\n", (), "neither UTF-8 nor GB18030"),
    "column": ("deal,at\n", (), "has no column 'stage'; it has deal, at"),
    "misspelt": (PLAIN, ("--by", "Ownr"), "it has deal, stage, at, owner. Did you mean 'owner'?"),
    "by": (PLAIN, ("--by", "region"), "has no column 'region'; it has deal, stage, at, owner"),
    "stage": (PLAIN, (), "row 3, stage: 'Dead', expected a state of the funnel: lead, offer"),
    "map": (PLAIN, ("--map", "Dead=gone"), "'Dead' to 'gone', which is no state of the funnel"),
    "reason": (PLAIN, ("--map", "Dead=lost:x"), "the loss reason 'x'; the funnel has price"),
    "date": ("deal,stage,at\nA,lead,soon\n", (), "row 2, at: 'soon', expected an ISO 8601 time"),
    "naive": (
        "deal,stage,at\nA,lead,2026-01-01\n",
        (),
        "give the zone of the data by tz=, as in tz='Asia/Shanghai' or tz='UTC'",
    ),
    "tz": (PLAIN, (*MAP, "--tz", "Mars"), "tz= is an IANA name such as 'Asia/Shanghai'"),
    "amount": (
        "deal,stage,at,a\nA,lead,2026-01-01T00:00Z,lots\n",
        ("--amount", "a"),
        "row 2, a: 'lots', expected a finite number",
    ),
    "as_of": (PLAIN, (*MAP, "--as-of", "soon"), "(on the command line, as_of= is --as-of)"),
    "label": (
        PLAIN.replace("owner", "open"),
        (*MAP, "--by", "open"),
        "by='open': the table has a column of that name",
    ),
    "ties": (
        PLAIN,
        (*MAP, "--ties", "state", "--order", "owner"),
        "ties='state' and order= both settle equal times",
    ),
}


@pytest.mark.parametrize(("data", "options", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_input_is_told_in_one_message(
    run: Command, data: str | bytes, options: Sequence[str], message: str
) -> None:
    write(FUNNEL, "funnel.json")
    done = run("report", write(data), *COLUMNS, "--funnel", "funnel.json", *options)

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("salesfunnel: ")
    assert message in done.err
    assert "Traceback" not in done.err


BAD_FUNNELS = {
    "syntax": ("{", "funnel.json is not JSON: "),
    "encoding": (b"\xff\xfe", "funnel.json is not JSON: "),
    "list": ("[1]", "funnel.json: a funnel is read from a mapping, not from [1]"),
    "empty": ('{"stages": []}', "funnel.json: "),
    "twice": ('{"stages": ["a", "a"]}', "funnel.json: the key 'a' stands twice"),
    "many": (json.dumps({"stages": [f"s{k}" for k in range(251)]}), "250"),
}


@pytest.mark.parametrize(("data", "message"), BAD_FUNNELS.values(), ids=BAD_FUNNELS)
def test_a_bad_funnel_is_told(run: Command, data: str | bytes, message: str) -> None:
    done = run("report", write(PLAIN), *COLUMNS, "--funnel", write(data, "funnel.json"))

    assert (done.code, done.out) == (1, "")
    assert message in done.err


def test_an_unknown_preset_is_told_with_those_there_are(run: Command) -> None:
    done = run("report", write(PLAIN), *COLUMNS, "--preset", "nope")

    assert done.code == 1
    assert "no preset 'nope'; there are standard, salesforce, hubspot, " in done.err


def test_a_message_of_the_library_is_put_into_the_words_of_the_command_line(run: Command) -> None:
    text = "deal,stage,at\nA,lead,2026-01-01\n"
    done = run("report", write(text), *COLUMNS, "--map", "lead=lead_identification")

    assert done.err.endswith("\n(on the command line, tz= is --tz)\n")


def test_a_file_that_is_not_there_is_told(run: Command) -> None:
    assert run("report", "deals.csv", *COLUMNS) == Run(
        1, "", "salesfunnel: deals.csv: No such file or directory\n"
    )
    write(PLAIN)
    done = run("report", "deals.csv", *COLUMNS, "--funnel", "funnel.json")
    assert done == Run(1, "", "salesfunnel: funnel.json: No such file or directory\n")
    assert run("report", ".", *COLUMNS).err == "salesfunnel: .: Is a directory\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["page"], "invalid choice: 'page'"),
        (["report"], "required: FILE"),
        (["report", "x"], "required: --opportunity, --stage, --entered-at"),
        (["report", "x", "--stage", "s"], "required: --opportunity, --entered-at"),
        (["table", "x", "--opportunity", "o", "--stage", "s", "--created", "c"], "--closed"),
        (["check", "x", "--entered", "won=w"], "required: --opportunity"),
        (["check", "x", "--entered", "won"], "'won' is not of the form NAME=VALUE"),
        (["check", "x", *COLUMNS, "--entered", "won=w"], "--stage: not allowed with --entered"),
        (["check", "x", *COLUMNS, "--created", "c"], "--entered-at: not allowed with --created"),
        (["check", "x", *COLUMNS, "--start", "lead"], "--start: it is for files with --created"),
        (["check", "x", *COLUMNS, "--source", "a=b"], "argument --source: it is for --crm"),
        (["check", "x", *COLUMNS, "--partial"], "argument --partial: it is for --crm"),
        (["check", "x", *COLUMNS, "--attribute", "a="], "'a=' is not of the form NAME=VALUE"),
        (["check", "x", *COLUMNS, "--allow", "all"], "invalid choice: 'all'"),
        (["check", "x", *COLUMNS, "--most", "-1"], "'-1' is no whole number, 0 or more"),
        (["check", "x", *COLUMNS, "--max-bytes", "1k"], "'1k' is no whole number"),
        (["check", "x", *COLUMNS, "--format", "xls"], "invalid choice: 'xls'"),
        (["check", "x", "--crm", "siebel"], "invalid choice: 'siebel'"),
        (["check", "x", *COLUMNS, "--crm", "hubspot"], "--opportunity: not allowed with --crm"),
        (["check", "x", "--crm", "hubspot", "--field", "a=b"], "--field: it is not for --crm hub"),
        (["check", "x", "--crm", "salesforce", "--pipeline", "p"], "--pipeline: it is not for"),
        (["check", "x", "--crm", "jiandaoyun", "--reason", "r"], "--reason: it is not for"),
        (["check", "x", "--crm", "jiandaoyun"], "required: --field, as in --field stage="),
        (
            ["check", "x", "--crm", "hubspot", "--source", "deals=y"],
            "has no 'deals'; there",
        ),
        (
            ["table", "x", *COLUMNS, "--where", "owner"],
            "'owner' is not of the form ATTR",
        ),
        (["table", "x", *COLUMNS, "--period", "decade"], "invalid choice: 'decade'"),
        (["table", "x", *COLUMNS, "--period", "month"], "argument --period: it is for trend, coh"),
        (["table", "x", *COLUMNS, "--table", "stalled", "--by", "o"], "a list without groups"),
        (["table", "x", *COLUMNS, "--out", "t.xlsx"], "the ending says what is written: .csv"),
        (["table", "x", *COLUMNS, "--out", "t.csv", "--json"], "--json: not allowed with"),
        (["report", "x", *COLUMNS, "--out", "r.pdf"], "the ending says what is written: .html"),
        (["report", "x", *COLUMNS, "--out", "r.md", "--json"], "--json: not allowed with"),
        (["demo", "--out", "r.pdf"], "the ending says what is written: .html"),
        (["convert", "x", *COLUMNS], "required: OUT"),
        (["convert", "x", "y.xlsx", *COLUMNS], "the ending says what is written: .csv, .json"),
        (["convert", "x", "y.json", *COLUMNS, "--raw"], "argument --raw: it is for CSV"),
        (["table", "x", *COLUMNS, "--table", "wins"], "invalid choice: 'wins'"),
        (["report", "x", *COLUMNS, "--mode", "all"], "invalid choice: 'all'"),
        (["report", "x", *COLUMNS, "--as", "2026"], "unrecognized arguments: --as"),
    ],
)
def test_a_command_that_is_not_understood_ends_with_2(
    run: Command, arguments: list[str], message: str
) -> None:
    done = run(*arguments)

    assert done.code == 2
    assert message in done.err


def test_help_explains_every_option(run: Command) -> None:
    for command in ("report", "table", "check", "convert"):
        for lang, word in (("en", "columns of the file"), ("zh", "文件中的列")):
            done = run(command, "--help", "--lang", lang)
            assert done.code == 0
            assert "%m/%d/%Y" in done.out
            assert "salesforce" in done.out
            assert word in done.out
    assert "Exit codes: 0 done" in " ".join(run("--help").out.split())
