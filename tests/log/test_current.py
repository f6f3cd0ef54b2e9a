"""Tables of now: what is read from them, and what is not made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DataError, DefinitionError, MissingColumnError, NaiveTimeError
from salesfunnel.log.current import read_current
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import sales_cycle, summary, win_rate
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

FUNNEL = Funnel(["lead", "demo", Stage("service", "Service", post_sale=True)], ["price"])
FIELDS: dict[str, Any] = {
    "opportunity": "id",
    "stage": "stage",
    "created": "from",
    "closed": "to",
    "tz": "UTC",
}
ROWS: list[dict[str, Any]] = [
    {"id": "A", "stage": "won", "from": "2026-01-05", "to": "2026-02-03"},
    {"id": "B", "stage": "Demo", "from": "2026-01-20", "to": "2026-12-31"},
    {"id": "C", "stage": "dead", "from": "2026-01-21", "to": "2026-01-22"},
    {"id": "D", "stage": "service", "from": "2026-01-06", "to": "2026-01-30"},
    {"id": "E", "stage": "junk", "from": None, "to": None},
]
MAP: dict[str, Any] = {"stage_map": {"dead": ("lost", "price"), "junk": None}}


def read(rows: Any = ROWS, **options: Any) -> StageLog:
    return read_current(rows, FUNNEL, **{**FIELDS, **MAP, **options})


def entries(log: StageLog) -> list[tuple[str, str, str]]:
    """Return opportunity, state and day of each entry."""
    opportunity, state, time = log.entries
    days = np.asarray(time).view("datetime64[us]").astype("datetime64[D]").astype(str)
    return [
        (identifier, FUNNEL.states[code], day)
        for identifier, code, day in zip(
            log.identify(opportunity).tolist(), state.tolist(), days.tolist(), strict=True
        )
    ]


# ── what the rows say ─────────────────────────────────────────────────────────────────────────────


def test_an_open_one_is_where_it_stands_since_it_was_created_and_a_closed_one_its_close() -> None:
    log = read()

    assert entries(log) == [
        ("A", "won", "2026-02-03"),
        ("B", "demo", "2026-01-20"),
        ("C", "lost", "2026-01-22"),
        ("D", "service", "2026-01-30"),
    ]
    assert log.ignored == 1
    assert log.reasons is not None
    assert log.reasons.names == ("price",)


def test_with_a_start_a_closed_one_has_two_entries() -> None:
    expected = [
        ("A", "lead", "2026-01-05"),
        ("A", "won", "2026-02-03"),
        ("B", "demo", "2026-01-20"),
        ("C", "lead", "2026-01-21"),
        ("C", "lost", "2026-01-22"),
        ("D", "lead", "2026-01-06"),
        ("D", "service", "2026-01-30"),
    ]

    assert entries(read(start="lead")) == expected
    assert entries(read(start="Lead")) == expected


def test_the_close_of_an_open_one_is_not_looked_at() -> None:
    rows = [{**ROWS[1], "to": "not even a date"}]

    assert entries(read(rows)) == [("B", "demo", "2026-01-20")]
    assert entries(read(rows, start="lead")) == [("B", "demo", "2026-01-20")]


def test_the_creation_of_a_closed_one_counts_only_with_a_start() -> None:
    rows = [{**ROWS[0], "from": "not even a date"}]

    assert entries(read(rows)) == [("A", "won", "2026-02-03")]
    with pytest.raises(DataError, match="row 0, from: 'not even a date', expected an ISO 8601"):
        read(rows, start="lead")


def test_a_deal_won_in_the_instant_of_its_creation_is_won() -> None:
    rows = [{**ROWS[0], "to": "2026-01-05"}]

    for ties in ("input", "state"):
        log = read(rows, start="lead", ties=ties)
        assert [state for _, state, _ in entries(log)] == ["lead", "won"]


def test_what_is_known_of_now_is_said_of_every_entry() -> None:
    rows = [
        {**ROWS[0], "owner": "Li", "n": "12.5", "unit": "USD", "why": None, "no": 7},
        {**ROWS[2], "owner": None, "n": None, "unit": None, "why": "price", "no": 3},
    ]

    log = read(
        rows,
        stage_map={"dead": "lost"},
        start="lead",
        attributes={"seller": "owner"},
        amount="n",
        currency="unit",
        rates={"CNY": 1, "USD": 7},
        reason="why",
        order="no",
    )

    assert log.attribute("seller").codes.tolist() == [0, 0, -1, -1]
    assert log.amounts is not None
    assert np.nan_to_num(log.amounts, nan=-1).tolist() == [87.5, 87.5, -1, -1]
    assert log.currency == "CNY"
    assert log.reasons is not None
    assert log.reasons.codes.tolist() == [-1, -1, 0, 0]
    assert log.view().loss_reason.tolist() == [-1, 0]


def test_a_missing_time_may_be_given() -> None:
    rows = [
        {"id": "A", "stage": "lead", "from": None, "to": None},
        {"id": "B", "stage": "won", "from": "2026-01-01", "to": None},
        {"id": "C", "stage": "won", "from": "", "to": "2026-03-01"},
    ]

    assert entries(read(rows, start="demo", missing_time="2026-02-01")) == [
        ("A", "lead", "2026-02-01"),
        ("B", "demo", "2026-01-01"),
        ("B", "won", "2026-02-01"),
        ("C", "demo", "2026-02-01"),
        ("C", "won", "2026-03-01"),
    ]


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet", "pandas"])
def test_the_table_may_have_any_form(tmp_path: Path, form: str) -> None:
    frame = pd.DataFrame(ROWS)
    path: Any = tmp_path / f"deals.{form}"
    if form == "csv":
        frame.to_csv(path, index=False)
    elif form == "parquet":
        frame.to_parquet(path)
    elif form == "pandas":
        path = frame
    else:
        frame.to_json(path, orient="records", lines=form == "jsonl")

    assert entries(read(path, start="lead")) == entries(read(start="lead"))


# ── what cannot be an entry ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ({"id": " "}, "id", "an identifier; there is none"),
        ({"id": "A"}, "id", "an identifier of its own; an earlier row has this one"),
        ({"stage": "leed"}, "stage", "a state of the funnel: lead, demo, service, won, lost"),
        ({"stage": None}, "stage", "a stage; there is none"),
        ({"from": None}, "from", "a time; there is none (missing_time= would give one)"),
        ({"from": "soon"}, "from", "an ISO 8601 time such as"),
        ({"from": 5}, "from", "an ISO 8601 time such as"),
        ({"stage": "won", "to": None}, "to", "a time; there is none (missing_time= would give"),
        ({"stage": "won", "to": "2026-01-19"}, "to", "a time not before 'from'"),
        ({"n": "1,000"}, "n", "a finite number, with a point and no separators"),
        ({"no": "first"}, "no", "a record number"),
        ({"unit": "EUR", "n": 5}, "unit", "a currency with a rate: CNY"),
    ],
)
def test_a_row_with_a_fault_makes_no_entry(row: dict[str, Any], column: str, expected: str) -> None:
    good = {"n": 1, "no": 1, "unit": "CNY"}
    rows = [{**ROWS[0], **good}, {**ROWS[1], **good, **row}, {**ROWS[2], **good}]
    options: Any = {"start": "lead", "amount": "n", "order": "no", "currency": "unit"}
    options |= {"rates": {"CNY": 1}}

    log = read(rows, **options, errors="collect")

    (bad,) = log.rejected.rows()
    assert (bad["row"], bad["column"]) == (1, column)
    assert bad["expected"].startswith(expected)
    assert log.opportunities.tolist() == ["A", "C"]
    assert log.n_opportunities + log.ignored + len(log.rejected) == len(rows)
    with pytest.raises(DataError, match=r"^1 row cannot be entries"):
        read(rows, **options)


def test_rows_of_a_file_are_numbered_as_in_every_reader(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("id,stage,from,to\nA,lead,2026-01-01,\nA,lead\nB,lead,x,\n", encoding="utf-8")

    rejected = read(path, errors="collect").rejected

    assert list(zip(rejected["row"], rejected["column"], strict=True)) == [
        (3, "(the row)"),
        (4, "from"),
    ]


def test_reasons_are_checked_against_a_closed_list() -> None:
    funnel = Funnel(["lead"], ["price"], reasons_closed=True)
    rows = [{"id": "A", "stage": "lost", "from": None, "to": "2026-01-05", "why": "weather"}]

    with pytest.raises(DataError, match="why: 'weather', expected a reason of the funnel: price"):
        read_current(rows, funnel, **FIELDS, reason="why")


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"start": "won"}, DefinitionError, "start='won' is no stage before the sale; the funnel"),
        ({"start": "service"}, DefinitionError, "is no stage before the sale; the funnel has lead"),
        ({"start": "leed"}, DefinitionError, "start='leed' is no stage before the sale"),
        ({"errors": "skip"}, DefinitionError, "errors= is 'raise' or 'collect', not 'skip'"),
        ({"ties": "any"}, DefinitionError, "ties= is one of input, state, not 'any'"),
        ({"created": "gone"}, MissingColumnError, "the table has no column 'gone'; it has id, sta"),
        ({"closed": "gone"}, MissingColumnError, "the table has no column 'gone'; it has id, sta"),
        ({"tz": None}, NaiveTimeError, "from: '2026-01-20' names no time zone; give the zone"),
    ],
)
def test_wrong_arguments_are_told(
    options: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error) as refusal:
        read(**options)
    assert type(refusal.value) is error
    assert why in str(refusal.value)


DAYS = st.sampled_from([None, "", "soon", "2026-01-05", "2026-02-05", "2026-03-05"])


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "id": st.sampled_from(["A", "B", "C", None]),
                "stage": st.sampled_from(["lead", "Demo", "won", "dead", "junk", "?", None]),
                "from": DAYS,
                "to": DAYS,
            }
        ),
        max_size=6,
    ),
    start=st.sampled_from([None, "lead", "demo"]),
    missing=st.sampled_from([None, "2026-02-01"]),
)
def test_every_row_is_an_opportunity_rejected_or_ignored(
    rows: list[dict[str, Any]], start: str | None, missing: str | None
) -> None:
    log = read(
        {name: [row[name] for row in rows] for name in ROWS[0]},
        start=start,
        missing_time=missing,
        errors="collect",
    )

    assert log.n_opportunities + len(log.rejected) + log.ignored == len(rows)
    status = log.milestones().status
    closed = int((status != "open").sum())
    assert len(log) == log.n_opportunities + (closed if start else 0)


# ── real data ─────────────────────────────────────────────────────────────────────────────────────


def test_a_real_crm_gives_the_numbers_that_others_computed(shared_data: Path) -> None:
    folder = shared_data / "maven_crm"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    teams = pd.read_csv(folder / "sales_teams.csv")
    table = pd.read_csv(folder / "sales_pipeline.csv").merge(teams, on="sales_agent")
    columns: Any = {
        "opportunity": "opportunity_id",
        "stage": "deal_stage",
        "created": "engage_date",
        "closed": "close_date",
        "start": "Engaging",
        "amount": "close_value",
        "date_format": "%m/%d/%Y",
        "tz": "UTC",
    }
    funnel = Funnel(["prospecting", "engaging"])

    without = read_current(
        folder / "sales_pipeline.csv", funnel, **columns, attributes="account", errors="collect"
    )
    log = read_current(
        table, funnel, **columns, attributes=["manager", "account"], missing_time="2017-12-31"
    )

    assert len(without.rejected) == expected["missing"]["engage_date"]
    assert set(without.rejected["column"]) == {"engage_date"}
    by_stage = expected["by_stage"]
    closed = by_stage["Won"] + by_stage["Lost"]
    assert len(log) == expected["opportunities"] + closed
    assert len(log.rejected) == log.ignored == 0
    (row,) = summary(log).rows()
    assert row["opportunities"] == expected["opportunities"]
    assert (row["won"], row["lost"]) == (by_stage["Won"], by_stage["Lost"])
    assert row["won_amount"] == expected["won_amount"]
    assert row["win_rate"] == pytest.approx(expected["win_rate"], rel=1e-15)
    last = np.bincount(log.milestones().last, minlength=4).tolist()
    assert last == [by_stage[name] for name in ("Prospecting", "Engaging", "Won", "Lost")]
    (cycle,) = sales_cycle(log).rows()
    assert cycle["mean_days"] == pytest.approx(expected["cycle_days_won"]["mean"], rel=1e-12)
    assert cycle["median_days"] == expected["cycle_days_won"]["median"]
    managers = win_rate(log, by="manager")
    rates = dict(zip(managers["manager"], managers["value"].round(6), strict=True))
    assert rates == expected["win_rate_by_manager"]
    entered = log.milestones().entered_at
    quarters = pd.PeriodIndex(entered[:, funnel.won], freq="Q").value_counts().to_dict()
    found = {str(quarter): n for quarter, n in quarters.items()}
    assert found == expected["won_by_close_quarter"]
    dated = entered[:, 1][entered[:, 1] != np.datetime64("2017-12-31")]
    assert [str(dated[~np.isnat(dated)].min())[:10], str(dated[~np.isnat(dated)].max())[:10]] == (
        expected["engage_date"]
    )
    account = log.attribute("account").codes[log.entries.first_rows]
    assert int((account < 0).sum()) == expected["missing"]["account"]
