"""Numbers of a real CRM, computed by others."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import sales_cycle, stage_table, summary, win_rate
from salesfunnel.model.funnel import Funnel


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "maven_crm"


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "expected.json").read_text("utf-8"))
    return content


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def log(folder: Path) -> StageLog:
    """The opportunities that have a date: entries at their engage date and their close date."""
    managers = {row["sales_agent"]: row["manager"] for row in read(folder / "sales_teams.csv")}
    entries = [
        (row["opportunity_id"], state, row[date], managers[row["sales_agent"]], row["close_value"])
        for row in read(folder / "sales_pipeline.csv")
        for state, date in (("Engaging", "engage_date"), (row["deal_stage"].lower(), "close_date"))
        if row[date]
    ]
    ids, states, dates, manager, value = (list(column) for column in zip(*entries, strict=True))
    return StageLog.from_columns(
        Funnel(["Prospecting", "Engaging"]),
        opportunity=ids,
        stage=states,
        entered_at=dates,
        date_format="%m/%d/%Y",
        tz="UTC",
        amount=value,
        attributes={"manager": manager},
    )


def test_the_outcomes_are_those_of_the_crm(log: StageLog, expected: dict[str, Any]) -> None:
    (row,) = summary(log).rows()

    by_stage = expected["by_stage"]
    found = {"Won": row["won"], "Lost": row["lost"], "Engaging": row["open"]}
    assert found == {name: by_stage[name] for name in found}
    assert row["opportunities"] == expected["opportunities"] - expected["missing"]["engage_date"]
    assert row["won_amount"] == expected["won_amount"]
    assert row["win_rate"] == pytest.approx(expected["win_rate"], rel=1e-15)
    assert row["median_days"] == expected["cycle_days_won"]["median"]


def test_win_rates_by_manager(log: StageLog, expected: dict[str, Any]) -> None:
    table = win_rate(log, by="manager")

    found = dict(zip(table["manager"], table["value"].round(6), strict=True))
    assert found == expected["win_rate_by_manager"]
    assert list(found) == sorted(found)


def test_the_sales_cycle(log: StageLog, expected: dict[str, Any]) -> None:
    (row,) = sales_cycle(log).rows()

    assert row["deals"] == expected["by_stage"]["Won"]
    assert row["mean_days"] == pytest.approx(expected["cycle_days_won"]["mean"], rel=1e-12)
    assert row["median_days"] == expected["cycle_days_won"]["median"]


def test_all_of_them_came_past_the_first_stage(log: StageLog, expected: dict[str, Any]) -> None:
    table = stage_table(log)

    won, lost, still = (expected["by_stage"][name] for name in ("Won", "Lost", "Engaging"))
    assert table["entered"].tolist() == [won + lost + still] * 2
    assert table["advanced"].tolist() == [won + lost + still, won]
    assert table["lost"].tolist() == [0, lost]
    assert table["open"].tolist() == [0, still]
