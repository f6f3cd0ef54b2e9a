"""After the sale: churn, repeat sales and the time between them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from lifelines import KaplanMeierFitter
from metrics.checks import check_rate
from metrics.logs import By, groupings, log_of, named, oracles, parts
from oracle import Oracle, last_known

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import churn_rate, kaplan_meier, repeat_sales, time_to_second_sale
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

DAY = 86_400_000_000


@given(oracles(), groupings)
def test_churn_counts_as_the_definitions_say(oracle: Oracle, by: By) -> None:
    table = churn_rate(log_of(oracle), by=by, as_of=oracle.as_of)

    rows, churned, sold = [], [], []
    for labels, part in parts(oracle, by).items():
        statuses = [part.status(history) for history in part.histories().values()]
        rows.append(named(labels, by))
        churned.append(statuses.count("churned"))
        sold.append(statuses.count("won") + statuses.count("churned"))
    if by is not None:
        assert list(table.select(*(rows[0] if rows else ())).rows()) == rows
    check_rate(table, "value", churned, sold)


def sales_of(oracle: Oracle) -> dict[str, list[int]]:
    """Return the instants of the sales of each customer, who is the region of these logs."""
    found: dict[str, list[int]] = defaultdict(list)
    for history in oracle.histories().values():
        customer = last_known(row.labels.get("region") for row in history)
        if oracle.status(history) in ("won", "churned") and isinstance(customer, str):
            sale = next(r for r in oracle.since_the_sale(history) if r.state != oracle.lost)
            found[customer].append(sale.time)
    return {customer: sorted(found[customer]) for customer in sorted(found)}


@given(oracles())
def test_sales_count_as_the_definitions_say(oracle: Oracle) -> None:
    sales = sales_of(oracle)
    log = log_of(oracle)
    table = repeat_sales(log, customer="region", as_of=oracle.as_of)
    each = time_to_second_sale(log, customer="region", as_of=oracle.as_of)

    check_rate(table, "value", [sum(len(n) > 1 for n in sales.values())], [len(sales)])
    assert table["sales"].tolist() == [sum(map(len, sales.values()))]
    assert each["customer"].tolist() == [*sales]
    assert each["sales"].tolist() == [len(instants) for instants in sales.values()]
    firsts = [instants[0] for instants in sales.values()]
    assert each["first_sale"].astype(np.int64).tolist() == firsts
    assert each["event"].tolist() == [len(instants) > 1 for instants in sales.values()]
    until = [[*instants, oracle.as_of][1] for instants in sales.values()]
    days = [(end - first) / DAY for end, first in zip(until, firsts, strict=True)]  # type: ignore[operator]
    assert each["days"].tolist() == days
    assert np.isnat(each["second_sale"]).tolist() == [len(n) == 1 for n in sales.values()]


FUNNEL = Funnel([Stage("lead"), Stage("care", post_sale=True)])


def log(*sales: tuple[str | None, str, str], as_of: str = "2026-12-31") -> StageLog:
    """Return a log of sales, each with its customer, owner and day, and of one lead on a last day.

    A customer may be None.
    """
    rows = [(f"O-{number}", "care", *sale) for number, sale in enumerate(sales)]
    rows.append(("last", "lead", None, "nobody", as_of))
    ids, states, customers, owners, days = zip(*rows, strict=True)
    return StageLog.from_columns(
        FUNNEL,
        opportunity=list(ids),
        stage=list(states),
        entered_at=list(days),
        attributes={"customer": list(customers), "owner": list(owners)},
        tz="UTC",
    )


ACME = [("acme", "li", "2026-01-01"), ("acme", "na", "2026-01-31"), ("acme", "na", "2026-03-01")]
SALES = log(
    *ACME,
    *[("bolt", "li", "2026-02-01")] * 2,
    (None, "li", "2026-03-01"),
    ("cube", "na", "2026-12-01"),
)


def test_a_small_case_by_hand() -> None:
    each = time_to_second_sale(SALES)

    assert list(each.select("customer", "sales", "days", "event").rows()) == [
        {"customer": "acme", "sales": 3, "days": 30, "event": True},
        {"customer": "bolt", "sales": 2, "days": 0, "event": True},
        {"customer": "cube", "sales": 1, "days": 30, "event": False},
    ]
    table = repeat_sales(SALES)
    (row,) = table.rows()
    assert (row["numerator"], row["denominator"], row["sales"]) == (2, 3, 6)
    assert (row["p25_days"], row["median_days"]) == (0, 30)
    text = table.to_text()
    assert "1 sale without a customer is not counted." in text
    assert text.splitlines()[4].split() == [
        *("66.7%", "(20.8–93.9)", "2", "3", "6", "0.00", "30.00"),
    ]
    assert "Kaplan–Meier" in text
    assert "are not the last word" in each.to_text()


def test_customers_belong_to_the_group_of_their_first_sale() -> None:
    table = repeat_sales(SALES, by="owner")

    assert table["owner"].tolist() == ["li", "na", "nobody"]
    assert table["numerator"].tolist() == [2, 0, 0]
    assert table["denominator"].tolist() == [2, 1, 0]
    assert table["sales"].tolist() == [5, 1, 0]
    np.testing.assert_array_equal(table["median_days"], [0, np.nan, np.nan])
    assert time_to_second_sale(SALES, by="owner")["owner"].tolist() == ["li", "li", "na"]


def test_the_days_are_those_of_kaplan_and_meier() -> None:
    random = np.random.default_rng(3)
    gaps = random.integers(1, 200, 61)
    sales = []
    for number, gap in enumerate(gaps.tolist()):
        first = np.datetime64("2026-01-01") + number
        sales.append((f"C{number:02}", "li", str(first)))
        if number % 3:
            sales.append((f"C{number:02}", "li", str(first + gap)))
    many = log(*sales)

    each, table = time_to_second_sale(many), repeat_sales(many)
    other = KaplanMeierFitter().fit(each["days"], each["event"])
    assert table["median_days"].tolist() == [other.median_survival_time_]
    share = other.survival_function_["KM_estimate"]
    assert table["p25_days"].tolist() == [share.index[share <= 0.75][0]]
    curve = kaplan_meier(each["days"], each["event"])
    low, high = curve.quantile_interval(0.5)
    assert (table["median_days_low"][0], table["median_days_high"][0]) == (low, high)
    assert low <= table["median_days"][0] <= high


def test_knowledge_ends_at_as_of() -> None:
    table = time_to_second_sale(SALES, as_of="2026-01-15")

    assert list(table.select("customer", "event").rows()) == [{"customer": "acme", "event": False}]
    assert 14 < table["days"][0] < 15
    assert np.isnat(table["second_sale"]).all()
    assert np.isnan(repeat_sales(SALES, as_of="2026-01-15")["median_days"]).all()


def test_without_sales_nothing_is_known() -> None:
    for empty in (log(), log((None, "li", "2026-01-01"))):
        for by in (None, "owner"):
            table = repeat_sales(empty, by=by)
            assert not table["denominator"].any()
            assert np.isnan(table["value"]).all()
            assert np.isnan(table["median_days"]).all()
        assert len(time_to_second_sale(empty)) == 0


def test_churn_reads_as_a_sentence() -> None:
    rows = [
        ("A", "care", 1),
        ("A", "lost", 2),
        ("B", "care", 1),
        ("C", "lead", 1),
        ("C", "lost", 2),
    ]
    ids, states, days = zip(*rows, strict=True)
    gone = StageLog.from_columns(
        FUNNEL,
        opportunity=list(ids),
        stage=list(states),
        entered_at=[f"2026-01-0{day}" for day in days],
        tz="UTC",
    )

    text = churn_rate(gone).to_text()
    assert text.splitlines()[4].split() == ["50.0%", "(9.5–90.5)", "1", "2"]
    assert "Churn rate: churned out of all that were sold" in text
    assert "客户流失率 = 赢单后流失 ÷ 全部成交" in churn_rate(gone).to_text("zh")


def test_bad_arguments_are_refused() -> None:
    for metric in (repeat_sales, time_to_second_sale):
        with pytest.raises(UnknownAttributeError, match="no attribute 'client'"):
            metric(SALES, customer="client")
    with pytest.raises(DefinitionError, match="by='customer': the table has a column of that name"):
        time_to_second_sale(SALES, by="customer")
