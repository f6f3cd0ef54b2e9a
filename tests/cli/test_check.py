"""``check``: what is wrong in a file, and how that is told."""

from __future__ import annotations

import json

import pytest
from cli.command import COLUMNS, FUNNEL, MAP, PLAIN, Command, rows, write

OPTIONS = [*COLUMNS, "--funnel", "funnel.json", *MAP]
BAD = PLAIN + "C,nowhere,2026-01-01T00:00Z,\nD,offer,2026-01-01T00:00Z,\nE,won,2026-01-01T00:00Z,\n"


@pytest.fixture(autouse=True)
def _funnel(run: Command) -> None:
    write(FUNNEL, "funnel.json")


def test_a_file_without_faults_ends_with_0(run: Command) -> None:
    text = "deal,stage,at\nA,lead,2026-01-01T00:00Z\nA,offer,2026-01-02T00:00Z\n"
    done = run("check", write(text), *OPTIONS)

    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "2 entries · 1 opportunity · 0 rows that cannot be read · 0 breaches of the rules\n"
    )


def test_bad_rows_and_breaches_are_listed_and_the_exit_code_is_1(run: Command) -> None:
    done = run("check", write(BAD), *OPTIONS)

    assert (done.code, done.err) == (1, "")
    facts, _, bad, _, breaches, counts = done.out.split("\n\n")
    assert facts == (
        "6 entries · 4 opportunities · 1 row ignored, as the stage map asks · "
        "1 row that cannot be read · 3 breaches of the rules"
    )
    assert bad.splitlines()[2].split()[:3] == ["7", "stage", "nowhere"]
    assert [line.split()[0] for line in breaches.splitlines()[2:]] == ["B", "D", "E"]
    assert sum(int(line.rpartition(": ")[2]) for line in counts.splitlines()) == 3


def test_what_is_allowed_is_no_breach(run: Command) -> None:
    allowed = ["--allow", "any-start", "--allow", "win-early"]
    done = run("check", write(PLAIN), *OPTIONS, *allowed)

    assert done.code == 0
    assert run("check", "deals.csv", *OPTIONS).code == 1


def test_of_many_the_first_are_listed(run: Command) -> None:
    text = "deal,stage,at\n" + "".join(f"D{n},x,2026-01-01T00:00Z\n" for n in range(60))
    done = run("check", write(text), *OPTIONS)
    assert len(rows(done.out)) == 51
    assert done.out.rstrip().endswith("… and 10 more.")

    few = run("check", "deals.csv", *OPTIONS, "--most", "3", "--lang", "zh")
    assert "……另有 57 行" in few.out


def test_what_was_known_before_is_what_is_checked(run: Command) -> None:
    done = run("check", write(BAD), *OPTIONS, "--as-of", "2025-12-31T00:00Z")

    assert "0 breaches" in done.out
    assert done.code == 1  # a row that cannot be read has no time


def test_json_has_every_row(run: Command) -> None:
    done = run("check", write(BAD), *OPTIONS, "--json", "--most", "1")

    found = json.loads(done.out)
    assert done.code == 1
    assert [row["value"] for row in found["rejected"]] == ["nowhere"]
    assert [row["rule"] for row in found["breaches"]].count("start_stage") == 2
    assert len(found["breaches"]) == 3
    assert (found["entries"], found["opportunities"], found["ignored"]) == (6, 4, 1)
    assert found["as_of"] == "2026-01-03T00:00:00+00:00"


def test_names_that_are_markup_or_escapes_stay_text(run: Command) -> None:
    text = 'deal,stage,at\n"\x1b[31m<script>",offer,2026-01-01T00:00Z\n"\u202eA",x\x07,now\n'
    done = run("check", write(text), *OPTIONS)

    assert done.code == 1
    assert "<script>" in done.out
    assert not {"\x1b", "\u202e", "\x07"} & {*done.out}
