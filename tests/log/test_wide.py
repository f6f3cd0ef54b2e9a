"""Wide tables: a column of dates for each stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DataError, DefinitionError, MissingColumnError, NaiveTimeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.wide import read_wide
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"], ["price"])
ROWS: list[dict[str, Any]] = [
    {"id": "A", "Lead": "2026-01-05", "demo": "2026-01-12", "Won": "2026-02-03", "流失": None},
    {"id": "B", "Lead": "2026-01-20", "demo": None, "Won": None, "流失": None},
    {"id": "C", "Lead": "2026-01-06", "demo": "", "Won": "", "流失": "2026-01-06"},
]
NAMED = {"lead": "Lead", "Demo": "demo", "won": "Won", "lost": "流失"}


def read(rows: Any = ROWS, **options: Any) -> StageLog:
    return read_wide(rows, FUNNEL, **{"opportunity": "id", "tz": "UTC", **options})


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


EXPECTED = [
    ("A", "lead", "2026-01-05"),
    ("A", "demo", "2026-01-12"),
    ("A", "won", "2026-02-03"),
    ("B", "lead", "2026-01-20"),
    ("C", "lead", "2026-01-06"),
    ("C", "lost", "2026-01-06"),
]


def test_every_date_is_an_entry() -> None:
    assert entries(read()) == EXPECTED
    assert entries(read(stages=NAMED)) == EXPECTED
    assert entries(read(stages=dict(reversed(NAMED.items())))) == EXPECTED


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "pandas", "polars"])
def test_the_table_may_have_any_form(tmp_path: Path, form: str) -> None:
    frame = pd.DataFrame(ROWS)
    path: Any = tmp_path / f"deals.{form}"
    if form == "csv":
        frame.to_csv(path, index=False)
    elif form == "pandas":
        path = frame
    elif form == "polars":
        path = pl.DataFrame(ROWS).with_columns(pl.col("Lead").str.to_datetime(time_zone="UTC"))
    else:
        frame.to_json(path, orient="records", lines=form == "jsonl", force_ascii=False)

    assert entries(read(path)) == EXPECTED


def test_columns_of_states_alone_are_read() -> None:
    log = read([{"id": "A", "Lead": "2026-01-05", "updated": "2027-01-01"}], attributes="updated")

    assert entries(log) == [("A", "lead", "2026-01-05")]
    assert log.attribute("updated").names == ("2027-01-01",)


def test_stages_that_were_skipped_or_went_back_are_facts() -> None:
    rows = [{"id": "A", "Lead": "2026-01-09", "demo": "2026-01-05", "Won": None, "流失": None}]

    assert [state for _, state, _ in entries(read(rows))] == ["demo", "lead"]


def test_what_is_said_of_a_row_is_said_of_its_entries() -> None:
    rows = [{**row, "owner": "Li", "n": 5, "why": "price", "no": 1} for row in ROWS]

    log = read(rows, attributes=["owner"], amount="n", reason="why", order="no", currency="CNY")

    assert log.attribute("owner").codes.tolist() == [0] * 6
    assert log.amounts is not None
    assert log.amounts.tolist() == [5] * 6
    assert log.currency == "CNY"
    assert log.view().loss_reason.tolist() == [-1, -1, 0]
    assert entries(log) == EXPECTED


def test_a_row_without_any_date_may_be_given_one() -> None:
    rows = [{"id": "A", "Lead": None, "demo": None, "Won": None, "流失": None}]

    assert entries(read(rows, missing_time="2026-01-01")) == [("A", "lead", "2026-01-01")]


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ({"id": None}, "id", "an identifier; there is none"),
        ({"id": "A"}, "id", "an identifier of its own; an earlier row has this one"),
        ({"Lead": None}, "Lead", "a time; there is none (missing_time= would give one)"),
        ({"Lead": "soon"}, "Lead", "an ISO 8601 time such as"),
        ({"demo": "soon"}, "demo", "an ISO 8601 time such as"),
        ({"Won": "2026-01-19"}, "Won", "a time not before that of the first stage"),
        ({"流失": "2026-01-19"}, "流失", "a time not before that of the first stage"),
        ({"n": "much"}, "n", "a finite number, with a point and no separators"),
    ],
)
def test_a_row_with_a_fault_makes_no_entry(row: dict[str, Any], column: str, expected: str) -> None:
    rows = [{**ROWS[0], "n": 1}, {**ROWS[1], "n": 1, **row}, {**ROWS[2], "n": 1}]

    log = read(rows, amount="n", errors="collect")

    (bad,) = log.rejected.rows()
    assert (bad["row"], bad["column"]) == (1, column)
    assert bad["expected"].startswith(expected)
    assert log.opportunities.tolist() == ["A", "C"]
    with pytest.raises(DataError, match=r"^1 row cannot be entries"):
        read(rows, amount="n")


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"stages": {}}, DefinitionError, "stages= maps states to columns; it is empty"),
        ({"stages": {"sold": "Won"}}, DefinitionError, "stages= has 'sold', which is no state of"),
        (
            {"stages": {"lead": "Lead", "Lead": "Won"}},
            DefinitionError,
            "stages= names the state 'lead' twice",
        ),
        (
            {"stages": {"lead": "gone"}},
            MissingColumnError,
            "the table has no column 'gone'; it has",
        ),
        ({"stage_map": {"a": "lead"}}, DefinitionError, "a wide table has no names of stages for"),
        ({"opportunity": "gone"}, MissingColumnError, "the table has no column 'gone'; it has id"),
        ({"errors": "skip"}, DefinitionError, "errors= is 'raise' or 'collect', not 'skip'"),
        ({"tz": None}, NaiveTimeError, "Lead: '2026-01-05' names no time zone; give the zone of"),
    ],
)
def test_wrong_arguments_are_told(
    options: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error) as refusal:
        read(**options)
    assert type(refusal.value) is error
    assert why in str(refusal.value)


def test_a_table_without_columns_of_states_is_told() -> None:
    with pytest.raises(MissingColumnError) as refusal:
        read([{"id": "A", "first contact": "2026-01-05"}])
    assert str(refusal.value) == (
        "no column of the table is called as a state is (lead, demo, won, lost); stages= maps "
        "states to columns, of which there are id, first contact"
    )
    with pytest.raises(DefinitionError) as ambiguous:
        read([{"id": "A", "Lead": "2026-01-05", "lead": "2026-01-06"}])
    assert str(ambiguous.value) == (
        "two columns are called as the state 'lead' is: Lead, lead; stages= says which is meant"
    )


DAYS = st.sampled_from([None, "", "soon", "2026-01-05", "2026-02-05", "2026-03-05"])


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "id": st.sampled_from(["A", "B", "C", None]),
                **dict.fromkeys(("Lead", "demo", "Won", "流失"), DAYS),
            }
        ),
        max_size=5,
    ),
    missing=st.sampled_from([None, "2026-02-01"]),
)
def test_every_row_is_an_opportunity_or_rejected(
    rows: list[dict[str, Any]], missing: str | None
) -> None:
    table = {name: [row[name] for row in rows] for name in ROWS[0]}

    log = read(table, missing_time=missing, errors="collect")

    assert log.n_opportunities + len(log.rejected) == len(rows)
    assert log.ignored == 0
    loaded = set(log.opportunities.tolist())
    dates = {
        row["id"]: sum(bool(row[name]) for name in ("Lead", "demo", "Won", "流失"))
        for row in reversed(rows)
    }
    assert len(log) == sum(max(1, dates[identifier]) for identifier in loaded)
