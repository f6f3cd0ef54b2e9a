"""Loss reasons, beside the definitions in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, amount_of, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import loss_by_period, loss_pareto, loss_table, losses_without_reason
from salesfunnel.model.funnel import Funnel


@given(oracles(), groupings, st.booleans())
def test_losses_count_as_the_definitions_say(oracle: Oracle, by: By, by_stage: bool) -> None:
    table = loss_table(log_of(oracle), by_stage=by_stage, by=by, as_of=oracle.as_of)

    rows, numerator, denominator = [], [], []
    for labels, part in parts(oracle, by).items():
        counts: Counter[tuple[int, str | None]] = Counter()
        amounts: dict[tuple[int, str | None], float] = defaultdict(float)
        for history in part.histories().values():
            if part.status(history) == "lost":
                place = part.furthest(history) if by_stage else 0
                counts[place, history[-1].reason] += 1
                amounts[place, history[-1].reason] += amount_of(history)
        assert counts.total() == sum(part.loss_reasons().values())
        for place, reason in sorted(counts, key=lambda cell: _rank(cell, counts)):
            row: dict[str, object] = {**named(labels, by)}
            row |= {"stage": f"s{place}"} if by_stage else {}
            rows.append(row | {"reason": reason, "amount": amounts[place, reason]})
            numerator.append(counts[place, reason])
            denominator.append(sum(n for cell, n in counts.items() if cell[0] == place))
    found = [name for name in table.columns if table.column(name).title not in _RATE_TITLES]
    assert list(table.select(*found).rows()) == rows
    check_rate(table, "value", numerator, denominator)


_RATE_TITLES = ("share", "lost", "total_lost", "low", "high")


def _rank(
    cell: tuple[int, str | None], counts: Counter[tuple[int, str | None]]
) -> tuple[int, int, bool, str]:
    """By stage; the most frequent reason first, those of equal frequency by name, none last."""
    place, reason = cell
    return place, -counts[cell], reason is None, reason or ""


@given(oracles(), groupings, st.booleans())
def test_by_amount_each_loss_weighs_what_it_is_worth(
    oracle: Oracle, by: By, by_stage: bool
) -> None:
    log, options = log_of(oracle), {"by_stage": by_stage, "by": by, "as_of": oracle.as_of}
    counted = loss_table(log, **options)  # type: ignore[arg-type]
    weighed = loss_table(log, weight="amount", **options)  # type: ignore[arg-type]

    about = [name for name in counted.columns if counted.column(name).kind == "text"]
    amounts = {tuple(row[name] for name in about): row["amount"] for row in counted.rows()}
    totals: Counter[tuple[object, ...]] = Counter()
    for key, amount in amounts.items():
        totals[key[:-1]] += amount
    found = {tuple(row[name] for name in about): row for row in weighed.rows()}
    assert found.keys() == amounts.keys()
    for key, row in found.items():
        total = totals[key[:-1]]
        assert row["numerator"] == row["amount"] == amounts[key]
        assert row["denominator"] == total
        assert row["value"] == (amounts[key] / total if total else None)
        assert row["low"] is row["high"] is None
    places = [(key[:-1], -amounts[key]) for key in found]
    for (place, amount), (next_place, next_amount) in pairwise(places):
        assert place != next_place or amount <= next_amount  # the most expensive first


@given(oracles(), groupings, st.booleans(), st.sampled_from(["count", "amount"]))
def test_the_vital_few_are_the_fewest_that_make_up_80_percent(
    oracle: Oracle, by: By, by_stage: bool, weight: str
) -> None:
    log = log_of(oracle)
    table = loss_pareto(log, by_stage=by_stage, by=by, weight=weight, as_of=oracle.as_of)

    plain = loss_table(log, by_stage=by_stage, by=by, weight=weight, as_of=oracle.as_of)
    assert table.select(*plain.columns) == plain
    about = [name for name in table.columns if table.column(name).title in _PLACES]
    places = defaultdict(list)
    for row in table.rows():
        places[tuple(row[name] for name in about)].append(row)
    for rows in places.values():
        total = rows[0]["denominator"]
        before = 0
        for row in rows:
            assert row["vital"] == (before < 0.8 * total)
            before += row["numerator"]
            assert row["cumulative"] == (pytest.approx(before / total) if total else None)
        assert before == total


_PLACES = ("owner", "region", "stage")


@given(oracles(), groupings, st.booleans())
def test_losses_without_a_reason(oracle: Oracle, by: By, by_stage: bool) -> None:
    log = log_of(oracle)
    table = losses_without_reason(log, by_stage=by_stage, by=by, as_of=oracle.as_of)

    rows, numerator, denominator = [], [], []
    for labels, part in parts(oracle, by).items():
        lost_ones = [h for h in part.histories().values() if part.status(h) == "lost"]
        for stage in range(part.n_presale) if by_stage else [None]:
            here = [h for h in lost_ones if stage is None or part.furthest(h) == stage]
            rows.append(named(labels, by) | ({} if stage is None else {"stage": f"s{stage}"}))
            numerator.append(sum(h[-1].reason is None for h in here))
            denominator.append(len(here))
    if rows and rows[0]:
        assert list(table.select(*rows[0]).rows()) == rows
    check_rate(table, "value", numerator, denominator)


FUNNEL = Funnel(["lead", "demo"], ["price"])


def lost(*reasons: str | None, amount: float | list[float] | None = None) -> StageLog:
    """Return a log of opportunities lost from the lead, for these reasons."""
    n = len(reasons)
    amounts = amount if isinstance(amount, list) else [amount] * n
    return StageLog.from_columns(
        FUNNEL,
        opportunity=[number for number in range(n) for _ in range(2)],
        stage=["lead", "lost"] * n,
        entered_at=["2026-01-01", "2026-01-02"] * n,
        reason=[given for reason in reasons for given in (None, reason)],
        amount=None if amount is None else [value for value in amounts for _ in range(2)],
        tz="UTC",
    )


def test_the_most_frequent_reason_comes_first_and_known_ones_have_their_names() -> None:
    table = loss_table(lost("price", None, "Too late", "price", None))

    assert table["reason"].tolist() == ["price", None, "Too late"]
    assert table["numerator"].tolist() == [2, 2, 1]
    text = table.to_text()
    assert [line.split()[0] for line in text.splitlines()[4:7]] == ["Price", "–", "Too"]
    assert "“–” as a loss reason: none was given." in text


def test_shares_are_of_the_losses_in_the_same_place() -> None:
    overall, by_stage = loss_table(lost("price")), loss_table(lost("price"), by_stage=True)

    assert "shares are of those lost at the same stage" not in overall.to_text()
    assert "shares are of those lost at the same stage" in by_stage.to_text()
    assert "“–”" not in overall.to_text()


def test_amounts_are_shown_where_the_log_has_some() -> None:
    assert "Lost amount" not in loss_table(lost("price")).to_text()
    table = loss_table(lost("price", "price", amount=12.5))
    assert "Lost amount" in table.to_text()
    assert table["amount"].tolist() == [25]


def test_a_log_without_losses_has_no_rows() -> None:
    for by_stage in (False, True):
        table = loss_table(lost(), by_stage=by_stage)
        assert len(table) == 0
        assert table["numerator"].dtype == np.int64
        assert "(no rows)" in table.to_text()


def test_a_log_without_a_column_of_reasons_has_losses_without_one() -> None:
    log = StageLog.from_columns(
        FUNNEL, opportunity=["A"], stage=["lost"], entered_at=["2026-01-01"], tz="UTC"
    )

    assert list(loss_table(log).select("reason", "numerator").rows()) == [
        {"reason": None, "numerator": 1}
    ]


def test_the_vital_few_by_hand() -> None:
    reasons = ["price"] * 5 + ["timing"] * 3 + ["budget", None]
    table = loss_pareto(lost(*reasons))

    assert table["reason"].tolist() == ["price", "timing", "budget", None]
    assert table["cumulative"].tolist() == [0.5, 0.8, 0.9, 1]
    assert table["vital"].tolist() == [True, True, False, False]
    row = "Price 50.0% (23.7–76.3) 5 10 50.0% Yes"
    assert table.to_text().splitlines()[4].split() == row.split()
    assert "Vital few: the reasons that make up 80%" in table.to_text()


def test_amounts_decide_which_are_the_vital_few() -> None:
    reasons = ["price", "price", "timing", "budget"]
    table = loss_pareto(lost(*reasons, amount=[10, 10, 100, 5]), weight="amount")

    assert table["reason"].tolist() == ["timing", "price", "budget"]
    assert table["cumulative"].tolist() == [0.8, 0.96, 1]
    assert table["vital"].tolist() == [True, False, False]
    text = table.to_text()
    assert text.splitlines()[4].split() == ["timing", "80.0%", "100", "125", "80.0%", "Yes"]
    assert "rates by amount have no confidence interval" in text


def test_a_negative_amount_leaves_no_shares_by_amount() -> None:
    refunded = lost("price", "timing", amount=[100, -20])

    table = loss_pareto(refunded, weight="amount")
    assert table["numerator"].tolist() == [100, -20]
    assert np.isnan(table["value"]).all()
    assert np.isnan(table["cumulative"]).all()
    assert not table["vital"].any()
    assert "Where an amount is negative there are no rates by amount." in table.to_text()
    assert "negative" not in loss_pareto(refunded).to_text()


def test_a_weight_that_is_none_is_refused() -> None:
    for table in (loss_table, loss_pareto):
        with pytest.raises(DefinitionError, match="weight= is one of count, amount, not 'value'"):
            table(lost("price"), weight="value")


def test_stages_without_losses_have_no_share_without_a_reason() -> None:
    table = losses_without_reason(lost("price", None, None), by_stage=True)

    assert table["stage"].tolist() == ["lead", "demo"]
    assert table["numerator"].tolist() == [2, 0]
    assert table["denominator"].tolist() == [3, 0]
    text = table.to_text()
    assert text.splitlines()[5].split() == ["Demo", "–", "0", "0"]
    assert "An opportunity is lost at the furthest stage that it reached." in text
    assert "furthest" not in losses_without_reason(lost("price")).to_text()


DAY = 86_400_000_000


@given(oracles(), groupings, st.sampled_from(["day", "week"]))
def test_losses_by_period_are_those_of_each_period(oracle: Oracle, by: By, period: str) -> None:
    stretched = Oracle(
        [row._replace(time=row.time * DAY) for row in oracle.rows],
        oracle.n_stages,
        oracle.n_presale,
        as_of=None if oracle.as_of is None else oracle.as_of * DAY,
        ties=oracle.ties,
    )
    table = loss_by_period(log_of(stretched), period=period, by=by, as_of=stretched.as_of)

    expected: Counter[tuple[object, ...]] = Counter()
    for labels, part in parts(stretched, by).items():
        for history in part.histories().values():
            if part.status(history) == "lost":
                day = date(1970, 1, 1) + timedelta(days=history[-1].time // DAY)
                year, week, _ = day.isocalendar()
                name = str(day) if period == "day" else f"{year}-W{week:02}"
                expected[*labels, name, history[-1].reason] += 1
    names = [*labels_of(by), "period", "reason"]
    found = {tuple(row[name] for name in names): row for row in table.rows()}
    assert {key: row["numerator"] for key, row in found.items()} == expected
    assert len(found) == len(table)
    for key, row in found.items():
        same = sum(n for other, n in expected.items() if other[:-1] == key[:-1])
        assert row["denominator"] == same
    assert table["period"].tolist() == sorted(table["period"].tolist()) or by is not None


def labels_of(by: By) -> tuple[str, ...]:
    return () if by is None else (by,) if isinstance(by, str) else by


def test_periods_are_cut_in_the_zone_of_the_log_or_another() -> None:
    log = StageLog.from_columns(
        FUNNEL,
        opportunity=["A", "B"],
        stage=["lost", "lost"],
        entered_at=["2026-03-31T15:00Z", "2026-03-31T17:00Z"],
        reason=["price", "timing"],
        tz="Asia/Shanghai",
    )

    table = loss_by_period(log)
    assert table["period"].tolist() == ["2026Q1", "2026Q2"]
    assert loss_by_period(log, tz="UTC")["period"].tolist() == ["2026Q1", "2026Q1"]
    assert loss_by_period(log, by="month")["period"].tolist() == ["2026-03", "2026-04"]
    text = table.to_text()
    assert "Periods are cut in the time zone Asia/Shanghai." in text
    assert "Shares are of the opportunities lost in the same period and group." in text
    assert "2026Q2 (not over)" in text
    with pytest.raises(DefinitionError, match=r"Period\.unit is one of day"):
        loss_by_period(log, period="decade")
