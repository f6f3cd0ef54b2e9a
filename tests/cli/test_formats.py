"""Every format that can be read, and what can be written."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cli.command import COLUMNS, FUNNEL, MAP, PLAIN, Command, Run, write

import salesfunnel as sf
from salesfunnel.table import Table

OPTIONS = [*COLUMNS, "--funnel", "funnel.json", *MAP]


@pytest.fixture(autouse=True)
def _funnel(run: Command) -> None:
    write(FUNNEL, "funnel.json")


def records() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(PLAIN)))


def as_jsonl() -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records()).encode()


def as_parquet() -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(records()), out)
    return out.getvalue()


def as_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("deals.jsonl", as_jsonl())
    return out.getvalue()


FILES = {
    "deals.csv": PLAIN.encode,
    "deals.csv.gz": lambda: gzip.compress(PLAIN.encode()),
    "deals.jsonl": as_jsonl,
    "deals.ndjson.gz": lambda: gzip.compress(as_jsonl()),
    "deals.zip": as_zip,
    "deals.json": lambda: json.dumps(records()).encode(),
    "deals.parquet": as_parquet,
}


@pytest.mark.parametrize("name", FILES)
def test_the_ending_says_what_a_file_is(run: Command, name: str) -> None:
    expected = run("table", write(PLAIN, "plain.csv"), *OPTIONS, "--by", "owner", "--json")
    done = run("table", write(FILES[name](), name), *OPTIONS, "--by", "owner", "--json")

    assert done == expected
    assert done.code == 0


@pytest.mark.parametrize(
    ("name", "form"),
    [("deals.jsonl", "jsonl"), ("deals.json", "json"), ("deals.parquet", "parquet")],
)
def test_an_option_says_what_an_ending_does_not(run: Command, name: str, form: str) -> None:
    file = write(FILES[name](), "export.dat")

    assert run("table", file, *OPTIONS, "--format", form) == run("table", write(PLAIN), *OPTIONS)


@pytest.mark.parametrize("name", FILES)
def test_unknown_stages_are_listed_in_every_format(run: Command, name: str) -> None:
    done = run("table", write(FILES[name](), name), *COLUMNS)

    assert done.code == 1
    assert "stages found: lead, Dead, Archived, A=B\n" in done.err


def test_a_limit_of_what_is_compressed(run: Command) -> None:
    file = write(gzip.compress(PLAIN.encode()), "deals.csv.gz")
    done = run("table", file, *OPTIONS, "--max-bytes", "10")

    assert done.code == 1
    assert "(on the command line, max_bytes= is --max-bytes)" in done.err


# ── a row for each opportunity ────────────────────────────────────────────────────────────────────

CURRENT = """\
deal,stage,from,to,owner
A,Won,2026-01-05,2026-02-03,li
B,Offer,2026-01-20,,na
"""
WIDE = """\
deal,Lead date,Offer date,Won date
A,2026-01-05,2026-01-20,2026-02-03
B,2026-01-20,,
"""


def test_a_table_of_now_is_read(run: Command) -> None:
    options = ["--opportunity", "deal", "--stage", "stage", "--created", "from", "--closed", "to"]
    options += ["--funnel", "funnel.json", "--tz", "UTC", "--start", "lead", "--by", "owner"]
    done = run("table", write(CURRENT), *options, "--json")

    log = sf.read_current(
        "deals.csv", sf.Funnel(["lead", "offer"]), opportunity="deal", stage="stage",
        created="from", closed="to", start="lead", attributes=["owner"], tz="UTC",
    )  # fmt: skip
    table = sf.metrics.stage_table(log, by=["owner"])
    assert json.loads(done.out)["rows"] == json.loads(table.to_json())
    assert json.loads(done.out)["entries"] == 3


def test_a_table_of_now_without_a_funnel_lists_its_stages(run: Command) -> None:
    options = ["--opportunity", "deal", "--stage", "stage", "--created", "from", "--closed", "to"]
    done = run("table", write(CURRENT), *options, "--tz", "UTC")

    assert done.code == 1
    assert "stages found: Won, Offer\nnot known: Offer\n" in done.err


def test_a_column_of_dates_for_each_state_is_read(run: Command) -> None:
    options = ["--opportunity", "deal", "--funnel", "funnel.json", "--tz", "UTC"]
    for state in ("lead", "offer", "won"):
        options += ["--entered", f"{state}={state.title()} date"]
    done = run("table", write(WIDE), *options, "--json")

    found = json.loads(done.out)
    assert (found["entries"], found["opportunities"]) == (4, 2)
    assert [row["entered"] for row in found["rows"]] == [2, 1]


# ── CRMs ──────────────────────────────────────────────────────────────────────────────────────────

SALESFORCE = [
    {
        "Id": f"006000000000{n:03}AAA",
        "StageName": stage,
        "CreatedDate": "2026-01-02T03:00:00.000+0000",
        "CloseDate": "2026-02-01",
        "IsClosed": stage.startswith("Closed"),
        "IsWon": stage == "Closed Won",
        "Why__c": "price" if stage == "Closed Lost" else None,
        "Industry__c": "Steel",
    }
    for n, stage in enumerate(["Prospecting", "Closed Won", "Closed Lost"])
]
HUBSPOT = {
    "results": [
        {
            "id": str(n),
            "properties": {
                "dealstage": stage,
                "pipeline": "p1",
                "createdate": "2026-01-02T03:00:00Z",
                "closedate": "2026-02-01T03:00:00Z",
                "dealname": "A",
            },
        }
        for n, stage in enumerate(["s1", "s2"])
    ]
}
PIPELINES = {
    "results": [
        {
            "id": "p1",
            "label": "Sales",
            "stages": [
                {
                    "id": "s1",
                    "label": "Lead",
                    "displayOrder": 0,
                    "metadata": {"probability": "0.2"},
                },
                {
                    "id": "s2",
                    "label": "Won",
                    "displayOrder": 1,
                    "metadata": {"isClosed": "true", "probability": "1.0"},
                },
            ],
        }
    ]
}
JIANDAOYUN = {
    "data": [{"_id": "65f1", "createTime": "2026-02-01T03:00:00.000Z", "_widget_17": "需求分析"}]
}
WIDGETS = {"widgets": [{"label": "商机阶段", "name": "_widget_17", "type": "combo"}]}


def table_of(done: Run) -> Any:
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_an_export_of_salesforce_is_read(run: Command) -> None:
    file = write(json.dumps(SALESFORCE), "opportunities.json")
    options = ["--crm", "salesforce", "--preset", "salesforce", "--tz", "UTC", "--reason", "Why__c"]
    options += ["--attribute", "industry=Industry__c", "--by", "industry", "--table", "losses"]
    found = table_of(run("table", file, *options, "--json"))

    assert found["opportunities"] == 3
    assert [(row["industry"], row["reason"]) for row in found["rows"]] == [("Steel", "price")]


def test_an_export_of_hubspot_is_read_with_its_pipelines(run: Command) -> None:
    file = write(json.dumps(HUBSPOT), "deals.json")
    source = ["--source", f"pipelines={write(json.dumps(PIPELINES), 'pipelines.json')}"]
    found = table_of(run("table", file, "--crm", "hubspot", *source, "--pipeline", "p1", "--json"))

    assert found["opportunities"] == 2
    assert [row["entered"] for row in found["rows"]] == [2]


def test_an_export_of_jiandaoyun_is_read_with_its_fields(run: Command) -> None:
    file = write(json.dumps(JIANDAOYUN), "data.json")
    source = ["--source", f"widgets={write(json.dumps(WIDGETS), 'widgets.json')}"]
    field = ["--field", "stage=商机阶段"]
    found = table_of(run("table", file, "--crm", "jiandaoyun", *source, *field, "--json"))

    assert [row["stage"] for row in found["rows"] if row["open"]] == ["needs_analysis"]


def test_an_export_that_does_not_fit_is_told(run: Command) -> None:
    file = write(json.dumps(SALESFORCE), "opportunities.json")
    done = run("table", file, "--crm", "salesforce")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("salesfunnel: ")
    assert "stages= is --source stages=FILE" in done.err


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        (
            {"records": [{"attributes": {"url": "/services/data/v62.0/sobjects/Opportunity/1"}}]},
            "--crm salesforce --source history=FILE --source stages=FILE",
        ),
        (HUBSPOT, "--crm hubspot --source pipelines=FILE"),
        (JIANDAOYUN, "--crm jiandaoyun --source widgets=FILE --field stage=FIELD"),
    ],
)
def test_an_export_is_known_for_what_it_is(run: Command, content: object, needed: str) -> None:
    done = run("table", write(json.dumps(content), "export.json"))

    assert done.code == 2
    assert done.err.endswith(f"export.json looks as if these fitted: {needed}\n")


# ── writing ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", ["parquet", "json", "npz"])
def test_what_was_converted_needs_no_options(run: Command, ending: str) -> None:
    write(PLAIN)
    done = run("convert", "deals.csv", f"out.{ending}", *OPTIONS, "--attribute", "owner")
    assert done == Run(0, f"4 entries · 2 opportunities · out.{ending} written\n", "")

    expected = json.loads(run("table", "deals.csv", *OPTIONS, "--by", "owner", "--json").out)
    found = json.loads(run("table", f"out.{ending}", "--by", "owner", "--json").out)
    assert found | {"ignored": 1} == expected


def test_csv_is_disarmed_unless_it_is_raw(run: Command) -> None:
    write('deal,stage,at,owner\n=1+1,lead,2026-01-01T00:00Z,"=HYPERLINK(""x"")"\n')
    options = [*COLUMNS, "--funnel", "funnel.json", "--attribute", "owner"]
    assert run("convert", "deals.csv", "out.csv", *options).code == 0
    assert run("convert", "deals.csv", "raw.csv", *options, "--raw", "--lang", "zh") == Run(
        0, "1 条阶段记录 · 1 个商机 · 已写入 raw.csv\n", ""
    )

    safe, raw = (Path(name).read_text("utf-8-sig") for name in ("out.csv", "raw.csv"))
    assert "'=1+1" in safe
    assert "'=HYPERLINK" in safe
    assert "'" not in raw
    log = sf.StageLog.from_csv("raw.csv", sf.Funnel(["lead", "offer"]))
    assert log.attribute("owner").names == ('=HYPERLINK("x")',)


def test_attributes_may_be_called_otherwise_than_their_columns(run: Command) -> None:
    options = [*OPTIONS, "--attribute", "seller=owner", "--by", "seller", "--table", "summary"]
    found = table_of(run("table", write(PLAIN), *options, "--json"))

    assert [row["seller"] for row in found["rows"]] == ["li", "na"]


WRITTEN = {
    "t.csv": lambda table: table.to_csv(),
    "t.json": lambda table: table.to_json(),
    "t.md": lambda table: table.to_markdown("zh"),
    "t.txt": lambda table: table.to_text("zh"),
    "t.html": lambda table: table.to_html("zh"),
}


@pytest.mark.parametrize("name", [*WRITTEN, "t.parquet"])
def test_a_table_is_written_to_a_file(run: Command, name: str) -> None:
    done = run("table", write(PLAIN), *OPTIONS, "--out", name, "--lang", "zh")
    assert done == Run(0, f"已写入 {name}\n", "")

    log = sf.read_csv(
        "deals.csv", sf.Funnel.from_dict(json.loads(FUNNEL)), opportunity="deal", stage="stage",
        entered_at="at", stage_map={"Dead": ("lost", "price"), "Archived": None, "A=B": "won"},
    )  # fmt: skip
    table = sf.metrics.stage_table(log)
    if name == "t.parquet":
        assert Table.from_parquet(name) == table
    else:
        text = Path(name).read_text("utf-8-sig")
        assert WRITTEN[name](table).removeprefix("\ufeff").rstrip("\n") in text


TABLES = (
    *(
        "stages",
        "flow",
        "losses",
        "summary",
        "win-rate",
        "sales-cycle",
        "time-in-stage",
        "velocity",
    ),
    *("pipeline", "ageing", "stalled", "hotspots", "targets", "trend", "cohorts"),
)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_name(run: Command, name: str) -> None:
    options = [*OPTIONS, "--where", "owner=na", "--table", name]
    text = PLAIN.replace("at,owner", "at,owner,amount")
    write("\n".join(line + (",5" if n else "") for n, line in enumerate(text.splitlines())) + "\n")
    options += ["--amount", "amount"]
    done = run("table", "deals.csv", *options)

    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("name", ["trend", "cohorts"])
def test_what_goes_by_time_has_its_period(run: Command, name: str) -> None:
    options = [*OPTIONS, "--table", name, "--period", "quarter"]

    assert "2026Q1" in run("table", write(PLAIN), *options).out
