"""Real data once more in pandas: loan applications (BPI Challenge 2012) and a seller's CRM."""

from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from salesfunnel import metrics
from salesfunnel.log.read import read_csv
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.table import Table

STAGES = ["A_SUBMITTED", "A_PREACCEPTED", "A_ACCEPTED", "A_FINALIZED"]
REASONS = ["A_DECLINED", "A_CANCELLED"]
ENDS = {"A_APPROVED": "won", "A_DECLINED": "lost", "A_CANCELLED": "lost"}


def cells(table: Table, *names: str) -> dict[Hashable, Any]:
    """Return the last of some columns by the others."""
    return {tuple(row[name] for name in names[:-1]): row[names[-1]] for row in table.rows()}


def counted(series: pd.Series) -> dict[Hashable, Any]:
    """Return a series of several index levels as a dictionary, without zeros."""
    return {key: value for key, value in series.to_dict().items() if value}


# ── loan applications ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    text = (shared_data / "bpic2012" / "expected.json").read_text(encoding="utf-8")
    numbers: dict[str, Any] = json.loads(text)
    return numbers


@pytest.fixture(scope="module")
def loans(shared_data: Path) -> StageLog:
    left_out = ["A_PARTLYSUBMITTED", "A_REGISTERED", "A_ACTIVATED"]
    return read_csv(
        shared_data / "bpic2012" / "stage_events.csv.gz",
        Funnel(STAGES, REASONS),
        opportunity="case_id",
        stage="stage",
        entered_at="entered_at",
        amount="amount",
        attributes=["resource"],
        stage_map={
            "A_APPROVED": "won",
            **{reason: ("lost", reason) for reason in REASONS},
            **dict.fromkeys(left_out),
        },
    )


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> pd.DataFrame:
    """One row for each application: furthest and last stage, end, amount, resource, times."""
    events = pd.read_csv(shared_data / "bpic2012" / "stage_events.csv.gz", dtype={"resource": str})
    events = events[events["stage"].isin([*STAGES, *ENDS])]
    events["entered_at"] = pd.to_datetime(events["entered_at"], format="ISO8601", utc=True)
    events = events.sort_values(["case_id", "entered_at"], kind="stable")
    events["rank"] = events["stage"].map({name: code for code, name in enumerate(STAGES)})
    by_case = events.groupby("case_id")
    frame = by_case.agg(
        furthest=("rank", "max"),
        last=("stage", "last"),
        first_at=("entered_at", "first"),
        last_at=("entered_at", "last"),
        amount=("amount", "last"),
        resource=("resource", "last"),
    )
    frame["furthest"] = frame["furthest"].map(lambda code: STAGES[int(code)])
    frame["end"] = frame["last"].map(ENDS).fillna("open")
    return frame


@pytest.fixture(scope="module")
def lost(cases: pd.DataFrame) -> pd.DataFrame:
    return cases[cases["end"] == "lost"]


def test_conversion_between_the_stages(loans: StageLog, expected: dict[str, Any]) -> None:
    # No application skipped a stage or went back, so that every mode gives the numbers of others.
    reached = {**expected["reached"], "won": expected["reached"]["WON"]}
    names = [*STAGES, "won"]
    pairs = {
        (source, target): (reached[target], reached[source])
        for at, source in enumerate(STAGES)
        for target in names[at + 1 :]
    }
    for mode in ("reached", "actual", "strict"):
        table = metrics.conversion_between(loans, mode)
        found = {
            (row["from"], row["to"]): (row["numerator"], row["denominator"]) for row in table.rows()
        }
        assert found == pairs


def test_reasons_by_stage_and_by_resource(loans: StageLog, lost: pd.DataFrame) -> None:
    by_stage = metrics.loss_table(loans, by_stage=True)
    assert cells(by_stage, "stage", "reason", "numerator") == counted(
        lost.groupby(["furthest", "last"]).size()
    )
    by_resource = metrics.loss_table(loans, by="resource")
    assert cells(by_resource, "resource", "reason", "numerator") == counted(
        lost.groupby(["resource", "last"], dropna=False).size()
    )
    amounts = cells(by_resource, "resource", "reason", "amount")
    assert amounts == pytest.approx(lost.groupby(["resource", "last"])["amount"].sum().to_dict())


def test_reasons_by_period_and_by_amount(loans: StageLog, lost: pd.DataFrame) -> None:
    month = lost["last_at"].dt.strftime("%Y-%m")
    by_month = metrics.loss_by_period(loans, period="month")
    assert cells(by_month, "period", "reason", "numerator") == counted(
        lost.groupby([month, "last"]).size()
    )
    quarter = lost["last_at"].dt.tz_localize(None).dt.to_period("Q").astype(str)
    amounts = lost.groupby([quarter, "last"])["amount"].sum()
    by_quarter = metrics.loss_by_period(loans, weight="amount")
    assert cells(by_quarter, "period", "reason", "numerator") == pytest.approx(amounts.to_dict())
    shares = amounts / amounts.groupby(level=0).transform("sum")
    assert cells(by_quarter, "period", "reason", "value") == pytest.approx(shares.to_dict())


def test_the_cumulative_shares_of_the_reasons(loans: StageLog, lost: pd.DataFrame) -> None:
    table = metrics.loss_pareto(loans, by_stage=True)

    counts = lost.groupby(["furthest", "last"]).size().rename("n").reset_index()
    counts = counts.sort_values(["furthest", "n"], ascending=[True, False])
    counts["share"] = counts.groupby("furthest")["n"].transform(lambda n: n.cumsum() / n.sum())
    expected = counts.set_index(["furthest", "last"])["share"].to_dict()
    assert cells(table, "stage", "reason", "cumulative") == pytest.approx(expected)


def test_where_they_were_lost_from(
    loans: StageLog, lost: pd.DataFrame, expected: dict[str, Any]
) -> None:
    table = metrics.lost_from(loans)

    assert table["furthest"].tolist() == table["stood"].tolist() == STAGES
    assert table["numerator"].tolist() == [row[-1] for row in expected["counts"][:4]]
    assert table["denominator"].tolist() == [len(lost)] * 4
    without = metrics.losses_without_reason(loans)
    assert without["numerator"].tolist() == [0]
    assert without["denominator"].tolist() == [expected["reached"]["LOST"]]


def test_which_reasons_stand_out(loans: StageLog, lost: pd.DataFrame) -> None:
    table = metrics.loss_hotspots(loans)

    observed = pd.crosstab(lost["furthest"], lost["last"])
    total = observed.to_numpy().sum()
    row, column = observed.sum(axis=1), observed.sum(axis=0)
    expected = pd.DataFrame(np.outer(row, column) / total, observed.index, observed.columns)
    scale = np.sqrt(expected.mul(1 - row / total, axis=0).mul(1 - column / total, axis=1))
    residual = ((observed - expected) / scale).stack().to_dict()
    assert cells(table, "stage", "reason", "residual") == pytest.approx(residual, rel=1e-9)
    # Most are declined at once; who was finalised and lost had cancelled.
    found = cells(table, "stage", "reason", "finding")
    assert found["A_SUBMITTED", "A_DECLINED"] == "over"
    assert found["A_FINALIZED", "A_CANCELLED"] == "over"


def test_the_velocity_of_the_loans(loans: StageLog, cases: pd.DataFrame) -> None:
    (row,) = metrics.velocity(loans).rows()

    won = cases[cases["end"] == "won"]
    still, lost = (cases["end"] == "open").sum(), (cases["end"] == "lost").sum()
    days = (won["last_at"] - won["first_at"]).dt.total_seconds() / 86_400
    assert row["open"] == still
    assert row["mean_won_amount"] == pytest.approx(won["amount"].mean(), rel=1e-9)
    assert row["mean_days"] == pytest.approx(days.mean(), rel=1e-9)
    rate = len(won) / (len(won) + lost)
    expected = still * rate * won["amount"].mean() / days.mean()
    assert row["velocity"] == pytest.approx(expected, rel=1e-9)


def test_the_open_pipeline_of_the_loans(loans: StageLog, cases: pd.DataFrame) -> None:
    for as_of in (None, "2012-01-31"):
        table = metrics.pipeline(loans, as_of=as_of)
        if as_of is None:
            still = cases[cases["end"] == "open"]
            counts, amounts = still["last"].value_counts(), still.groupby("last")["amount"].sum()
            assert table["open"].tolist() == [counts.get(stage, 0) for stage in STAGES]
            assert table["amount"].tolist() == [amounts.get(stage, 0) for stage in STAGES]
        else:
            instant = pd.Timestamp("2012-02-01", tz="UTC")
            known = (cases["first_at"] < instant) & (
                (cases["end"] == "open") | (cases["last_at"] >= instant)
            )
            assert table["open"].sum() == known.sum()


# ── a hardware seller ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def deals(shared_data: Path) -> pd.DataFrame:
    folder = shared_data / "maven_crm"
    frame = pd.read_csv(folder / "sales_pipeline.csv").merge(
        pd.read_csv(folder / "sales_teams.csv"), on="sales_agent", how="left"
    )
    for name in ("engage_date", "close_date"):
        frame[name] = pd.to_datetime(frame[name], format="%m/%d/%Y")
    return frame[frame["engage_date"].notna()]


@pytest.fixture(scope="module")
def seller(deals: pd.DataFrame) -> StageLog:
    closed = deals[deals["close_date"].notna()]
    both = pd.concat(
        [
            deals.assign(state="Engaging", at=deals["engage_date"]),
            closed.assign(state=closed["deal_stage"].str.lower(), at=closed["close_date"]),
        ]
    )
    return StageLog.from_columns(
        Funnel(["Prospecting", "Engaging"]),
        opportunity=both["opportunity_id"].to_numpy(object),
        stage=both["state"].to_numpy(object),
        entered_at=both["at"].to_numpy(),
        amount=both["close_value"].to_numpy(),
        attributes={
            "manager": both["manager"].to_numpy(object),
            "product": both["product"].to_numpy(object),
            "customer": both["account"].to_numpy(object),
        },
        tz="UTC",
    )


def test_win_rates_by_two_attributes_of_a_selection(seller: StageLog, deals: pd.DataFrame) -> None:
    managers = ["Cara Losch", "Summer Sewald"]
    table = metrics.win_rate(seller, by=["manager", "product"], where={"manager": managers})

    closed = deals[deals["close_date"].notna() & deals["manager"].isin(managers)]
    won = closed.assign(won=closed["deal_stage"] == "Won").groupby(["manager", "product"])["won"]
    assert cells(table, "manager", "product", "numerator") == won.sum().to_dict()
    assert cells(table, "manager", "product", "denominator") == won.count().to_dict()
    assert cells(table, "manager", "product", "value") == pytest.approx(won.mean().to_dict())


def test_the_velocity_of_each_manager(seller: StageLog, deals: pd.DataFrame) -> None:
    table = metrics.velocity(seller, by="manager")

    rows = {}
    for manager, group in deals.groupby("manager"):
        won = group[group["deal_stage"] == "Won"]
        lost = (group["deal_stage"] == "Lost").sum()
        still = (group["deal_stage"] == "Engaging").sum()
        days = (won["close_date"] - won["engage_date"]).dt.days.mean()
        rate = len(won) / (len(won) + lost)
        rows[(manager,)] = still * rate * won["close_value"].mean() / days
    assert cells(table, "manager", "velocity") == pytest.approx(rows, rel=1e-9)


def test_losses_have_no_reasons_here(seller: StageLog, deals: pd.DataFrame) -> None:
    table = metrics.losses_without_reason(seller, by="manager")

    lost = deals[deals["deal_stage"] == "Lost"].groupby("manager").size()
    assert cells(table, "manager", "numerator") == {(k,): n for k, n in lost.to_dict().items()}
    assert set(table["value"]) == {1.0}
