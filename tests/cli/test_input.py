"""What the options say of the file."""

from __future__ import annotations

import json

import pytest
from cli.command import COLUMNS, CSV, FUNNEL, MAP, PLAIN, Command, rows, write


def test_names_mean_what_the_map_says(run: Command) -> None:
    write(FUNNEL, "funnel.json")
    funnel = ["--funnel", "funnel.json"]
    done = run("table", write(PLAIN), *COLUMNS, *funnel, *MAP, "--table", "losses", "--json")

    found = json.loads(done.out)
    assert (found["entries"], found["ignored"]) == (4, 1)
    assert [(row["stage"], row["reason"]) for row in found["rows"]] == [("lead", "price")]
    assert "1 row ignored" in run("report", "deals.csv", *COLUMNS, *funnel, *MAP).out


def test_blanks_around_a_mapped_name_mean_nothing(run: Command) -> None:
    spaced = ["--map", " Dead = lost : price ", "--map", "Archived = ", "--map", "A=B = won"]
    write(FUNNEL, "funnel.json")
    command = ["table", write(PLAIN), *COLUMNS, "--funnel", "funnel.json", "--json"]

    assert run(*command, *spaced) == run(*command, *MAP)


@pytest.mark.parametrize("text", ["Dead", "=won", " =won", "Dead=lost:", ""])
def test_a_map_that_is_none_is_not_understood(run: Command, text: str) -> None:
    done = run("report", write(PLAIN), *COLUMNS, "--map", text)

    assert done.code == 2
    assert f"{text!r} is not of the form NAME=STATE, NAME=lost:REASON or NAME=" in done.err


def test_a_preset_is_a_funnel(run: Command) -> None:
    done = run("table", write(PLAIN.replace("lead", "Prospecting")), *COLUMNS, *MAP)
    assert done.code == 1

    done = run("table", "deals.csv", *COLUMNS, *MAP, "--preset", "salesforce")
    assert done.code == 0
    assert rows(done.out)[0][:4] == ["Prospecting", "2", "1", "1"]


def test_a_funnel_is_read_as_editors_save_it(run: Command) -> None:
    write(b"\xef\xbb\xbf" + FUNNEL.encode(), "funnel.json")

    assert run("table", write(PLAIN), *COLUMNS, *MAP, "--funnel", "funnel.json").code == 0


def test_one_funnel_is_enough(run: Command) -> None:
    done = run("table", write(PLAIN), *COLUMNS, "--funnel", "f.json", "--preset", "saas")

    assert done.code == 2
    assert "--preset: not allowed with argument --funnel" in done.err


def test_without_a_funnel_unknown_stages_are_listed(run: Command) -> None:
    done = run("report", write(PLAIN + "C,lost,2026-01-01T00:00Z,\n"), *COLUMNS, "--map", "lead=")

    assert (done.code, done.out) == (1, "")
    assert "does not know every stage in column 'stage'" in done.err
    assert "--funnel FILE.json or --preset NAME" in done.err
    assert "stages found: lead, Dead, Archived, A=B, lost\n" in done.err
    assert "not known: Dead, Archived, A=B\n" in done.err
    assert "states of the standard funnel: lead_identification, " in done.err


def test_a_wrong_column_of_stages_is_not_listed_to_its_end(run: Command) -> None:
    lines = "".join(f"D{number},lead,2026-01-01T00:00Z\n" for number in range(60))
    options = ["--opportunity", "deal", "--stage", "deal", "--entered-at", "at"]
    done = run("report", write("deal,stage,at\n" + lines), *options)

    assert "D49 … and 10 more\n" in done.err
    assert "D50" not in done.err


def test_names_in_a_message_cannot_reach_the_terminal(run: Command) -> None:
    done = run("report", write(PLAIN.replace("Dead", "\x1b[31mDead")), *COLUMNS)

    assert "␛[31mDead" in done.err
    assert "\x1b" not in done.err


def test_ties_and_record_numbers_settle_equal_times(run: Command) -> None:
    same = "deal,stage,at,no\nA,offer,2026-01-01,1\nA,lead,2026-01-01,0\n"
    write(FUNNEL, "funnel.json")
    options = [*COLUMNS, "--funnel", "funnel.json", "--tz", "UTC", "--table", "flow"]

    for how, move in (
        ([], ["Offer", "Lead"]),
        (["--ties", "state"], ["Lead", "Offer"]),
        (["--order", "no"], ["Lead", "Offer"]),
    ):
        assert rows(run("table", write(same), *options, *how).out)[0][:2] == move


def test_times_of_other_forms(run: Command) -> None:
    write(FUNNEL, "funnel.json")
    text = "deal,stage,at\nA,lead,01/31/2026\nB,lead,\n"
    options = ["--funnel", "funnel.json", "--tz", "Asia/Shanghai", "--json"]
    options += ["--date-format", "%m/%d/%Y", "--missing-time", "2026-02-01"]
    done = run("table", write(text), *COLUMNS, *options)

    assert json.loads(done.out)["as_of"] == "2026-01-31T16:00:00+00:00"


def test_amounts_in_several_currencies_need_rates(run: Command) -> None:
    mixed = CSV.replace("500,CNY", "500,USD")
    options = ["--amount", "amount", "--currency", "currency"]
    done = run("report", write(mixed), *COLUMNS, *options)
    assert done.code == 1
    assert "amounts in CNY, USD" in done.err
    assert "(on the command line, rates= is --rate)" in done.err

    done = run("report", "deals.csv", *COLUMNS, *options, "--rate", "USD=7.2", "--rate", "CNY=1")
    assert done.code == 0
    assert rows(done.out)[0][-2:] == ["3,600", "0"]


@pytest.mark.parametrize("text", ["USD", "=7", "USD=x", "USD=-1", "USD=0", "USD=nan", "USD=inf"])
def test_a_rate_that_is_none_is_not_understood(run: Command, text: str) -> None:
    done = run("report", write(CSV), *COLUMNS, "--rate", text)

    assert done.code == 2
    assert f"{text!r} is not of the form CODE=NUMBER" in done.err
