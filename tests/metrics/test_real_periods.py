"""Series, cohorts and ages of real data, once more in pandas: a seller's CRM and loans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from salesfunnel import metrics
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel


@pytest.fixture(scope="module")
def frame(shared_data: Path) -> pd.DataFrame:
    """The opportunities of a CRM that have an engage date: product, dates, value, what became."""
    deals = pd.read_csv(shared_data / "maven_crm" / "sales_pipeline.csv")
    for name in ("engage_date", "close_date"):
        deals[name] = pd.to_datetime(deals[name])
    return deals[deals["engage_date"].notna()].reset_index(drop=True)


@pytest.fixture(scope="module")
def log(frame: pd.DataFrame) -> StageLog:
    closed = frame[frame["close_date"].notna()]
    states = closed["deal_stage"].str.lower()
    return StageLog.from_columns(
        Funnel(["engaging"]),
        opportunity=[*frame["opportunity_id"], *closed["opportunity_id"]],
        stage=["engaging"] * len(frame) + states.tolist(),
        entered_at=pd.concat([frame["engage_date"], closed["close_date"]]).to_numpy(),
        attributes={"product": [*frame["product"], *closed["product"]]},
        amount=[*frame["close_value"], *closed["close_value"]],
        tz="UTC",
    )


@pytest.mark.parametrize(("unit", "frequency"), [("month", "M"), ("quarter", "Q"), ("day", "D")])
def test_the_trend_of_a_crm(log: StageLog, frame: pd.DataFrame, unit: str, frequency: str) -> None:
    table = metrics.trend_by_period(log, period=unit)

    created = frame["engage_date"].dt.to_period(frequency)
    won, lost = (frame[frame["deal_stage"] == stage] for stage in ("Won", "Lost"))
    every = pd.period_range(created.min(), frame["close_date"].max(), freq=frequency)
    assert table["period"].tolist() == [str(period) for period in every]

    def series(when: pd.Series, values: pd.Series | None = None) -> list[float]:
        grouped = (when if values is None else values).groupby(when.dt.to_period(frequency))
        found = grouped.size() if values is None else grouped.sum()
        return found.reindex(every, fill_value=0).tolist()  # type: ignore[no-any-return]

    assert table["created"].tolist() == series(frame["engage_date"])
    assert table["won"].tolist() == series(won["close_date"])
    assert table["lost"].tolist() == series(lost["close_date"])
    assert table["won_amount"].tolist() == series(won["close_date"], won["close_value"])


def test_the_cohorts_of_a_crm(log: StageLog, frame: pd.DataFrame) -> None:
    table = metrics.win_rate_by_cohort(log, "60d", by="product")

    age = (frame["close_date"] - frame["engage_date"]).dt.days
    cohort = frame["engage_date"].dt.to_period("M")
    last = frame["close_date"].max()
    by = [frame["product"], cohort]
    won, lost = (
        ((frame["deal_stage"] == stage) & (age <= 60)).groupby(by).sum()
        for stage in ("Won", "Lost")
    )
    created = frame.groupby(by).size()
    for row in table.rows():
        place = (row["product"], pd.Period(row["period"]))
        assert row["created"] == created.get(place, 0)
        seen = place[1].end_time.floor("us") + pd.Timedelta("60d") <= last
        assert row["complete"] == seen
        assert row["won"] == (won.get(place, 0) if seen else None)
        assert row["lost"] == (lost.get(place, 0) if seen else None)


def test_the_ages_of_what_is_open_in_a_crm(log: StageLog, frame: pd.DataFrame) -> None:
    table = metrics.ageing(log)

    standing = frame[frame["deal_stage"] == "Engaging"]
    days = (frame["close_date"].max() - standing["engage_date"]).dt.days
    edges = [0, 7, 14, 30, 60, 90, np.inf]
    bands = pd.cut(days, edges, right=False).value_counts(sort=False)
    assert table["numerator"].tolist() == bands.tolist()


def test_what_is_stalled_in_a_crm(log: StageLog, frame: pd.DataFrame) -> None:
    table = metrics.stalled(log, show="product")

    won = frame[frame["deal_stage"] == "Won"]
    limit = (won["close_date"] - won["engage_date"]).dt.days.quantile(0.9)
    standing = frame[frame["deal_stage"] == "Engaging"]
    days = (frame["close_date"].max() - standing["engage_date"]).dt.days
    assert set(table["opportunity"]) == set(standing[days > limit]["opportunity_id"])
    assert set(table["limit_days"].tolist()) == {limit}


def test_whether_a_crm_changed(log: StageLog, frame: pd.DataFrame) -> None:
    table = metrics.drift(log, "2017Q2", "2017Q4", by="product")

    closed = frame[frame["close_date"].notna()]
    quarter = closed["close_date"].dt.to_period("Q").astype(str)
    two = quarter.isin(["2017Q2", "2017Q4"])
    outcome = pd.crosstab(quarter[two], closed["deal_stage"][two])
    created = frame["engage_date"].dt.to_period("Q").astype(str)
    chosen = created.isin(["2017Q2", "2017Q4"])
    mix = pd.crosstab(created[chosen], frame["product"][chosen])
    rows = {row["test"]: row for row in table.rows()}
    for name, counts in (("outcome", outcome), ("mix", mix)):
        expected = stats.chi2_contingency(counts, correction=False)
        assert rows[name]["statistic"] == pytest.approx(expected.statistic, rel=1e-9)
        assert rows[name]["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)


def test_where_a_change_of_the_win_rate_comes_from(log: StageLog, frame: pd.DataFrame) -> None:
    table = metrics.win_rate_change(log, "2017Q2", "2017Q4", by="product")

    closed = frame[frame["close_date"].notna()]
    quarter = closed["close_date"].dt.to_period("Q").astype(str)
    rates = (closed["deal_stage"] == "Won").groupby(quarter).mean()
    assert table["change"].sum() == pytest.approx(rates["2017Q4"] - rates["2017Q2"], abs=1e-14)
