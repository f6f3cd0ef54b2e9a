"""The sales velocity, beside the definitions in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, groupings, log_of, named, oracles, parts
from oracle import Oracle, last_known

from salesfunnel.errors import DefinitionError, UnknownStateError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import sales_velocity, velocity
from salesfunnel.model.funnel import Funnel

DAY = 86_400_000_000


@given(oracles(), groupings, st.none() | st.integers(0, 3))
def test_it_counts_as_the_definitions_say(oracle: Oracle, by: By, start: int | None) -> None:
    if start is not None and start >= oracle.n_presale:
        start = None
    name = None if start is None else f"s{start}"
    table = velocity(log_of(oracle), by=by, start=name, as_of=oracle.as_of)

    groups = parts(oracle, by)
    factors, expected = [], []
    for labels, part in groups.items():
        histories = part.histories().values()
        n = Counter[str](part.status(history) for history in histories)
        sold = [h for h in histories if part.status(h) in ("won", "churned")]
        amounts = [a for h in sold if (a := last_known(r.amount for r in h)) is not None]
        days = [cycle / DAY for cycle in part.sales_cycle(start)]
        amount = fmean(amounts) if amounts else math.nan
        mean_days = fmean(days) if days else math.nan
        won, resolved = part.win_rate()
        worth = n["open"] * won / resolved * amount if resolved else math.nan
        factors.append(named(labels, by) | {"open": n["open"]})
        expected.append([amount, mean_days, worth / mean_days if mean_days else math.nan])
    assert list(table.select(*(factors[0] if factors else ())).rows()) == factors
    for column, name in enumerate(("mean_won_amount", "mean_days", "velocity")):
        values = [row[column] for row in expected]
        np.testing.assert_allclose(table[name], values, rtol=1e-12, atol=0)
    for name in ("velocity_low", "velocity_high"):
        assert np.isnan(table[name]).all()
    rates = [part.win_rate() for part in groups.values()]
    check_rate(table, "win_rate", [won for won, _ in rates], [total for _, total in rates])


def log(*deals: tuple[str, int, float | None], owner: str = "li") -> StageLog:
    """Return a log of deals: how each ended, after how many days, and its amount."""
    rows = [
        (number, state, f"2026-01-{day:02}", amount)
        for number, (end, days, amount) in enumerate(deals)
        for state, day in (("lead", 1), (end, 1 + days))
        if state != "open"
    ]
    ids, states, when, amounts = zip(*rows, strict=True) if rows else ((), (), (), ())
    return StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=list(ids),
        stage=list(states),
        entered_at=list(when),
        amount=list(amounts),
        attributes={"owner": [owner] * len(ids)},
        tz="UTC",
    )


OPEN = ("open", 0, None)


def test_a_small_case_by_hand() -> None:
    table = velocity(log(("won", 10, 100), ("won", 20, 300), ("lost", 2, 50), OPEN, OPEN, OPEN))

    (row,) = table.rows()
    factors = row["open"], row["win_rate"], row["mean_won_amount"], row["mean_days"]
    assert factors == (3, 2 / 3, 200, 15)
    assert row["velocity"] == pytest.approx(3 * (2 / 3) * 200 / 15)
    text = table.to_text()
    assert text.splitlines()[4].split() == ["3", "66.7%", "(20.8–93.9)", "200", "15.00", "27"]
    assert "open opportunities × win rate × mean won amount ÷ mean sales cycle" in text
    assert "low" not in text.splitlines()[2]


def test_amounts_that_are_not_known_are_not_zero() -> None:
    table = velocity(log(("won", 10, 100), ("won", 20, None), ("won", 20, None), OPEN))

    assert table["mean_won_amount"].tolist() == [100]
    assert "2 won opportunities have no known amount: the mean is of the others." in table.to_text()
    one = velocity(log(("won", 10, 100), ("won", 20, None)))
    assert "1 won opportunity has no known amount" in one.to_text()


def test_a_negative_amount_leaves_no_velocity_and_the_notes_say_why() -> None:
    refunded = log(("won", 10, 100), ("won", 20, -5), OPEN)

    table = velocity(refunded, by="owner", bootstrap=100)
    names = ("mean_won_amount", "velocity", "velocity_low", "velocity_high")
    assert all(np.isnan(table[name]).all() for name in names)
    assert table["mean_days"].tolist() == [15]
    assert "Where a won amount is negative" in table.to_text()
    lost = velocity(log(("won", 10, 100), ("lost", 2, -5), OPEN))
    assert lost["velocity"].tolist() == [5]
    assert "negative" not in lost.to_text()


def test_a_sale_that_takes_no_time_leaves_no_velocity() -> None:
    table = velocity(log(("won", 0, 100), OPEN))

    assert np.isnan(table["velocity"]).all()
    assert "Where the mean sales cycle is 0 days, there is no velocity." in table.to_text()


def test_without_wins_there_is_nothing_to_say() -> None:
    for nothing in (log(), log(OPEN), log(("lost", 3, 10))):
        (row,) = velocity(nothing, bootstrap=100).rows()
        assert row["velocity"] is row["velocity_low"] is row["mean_won_amount"] is None


def test_the_interval_comes_on_request_and_from_the_seed() -> None:
    deals = [("won", 5 + number % 20, 50.0 + number) for number in range(80)]
    many = log(*deals, *[("lost", 2, None)] * 80, *[OPEN] * 40)

    table = velocity(many, bootstrap=400)
    (row,) = table.rows()
    assert row["velocity_low"] < row["velocity"] < row["velocity_high"]
    # Of four factors, each with a relative error of some percent, the first is the least certain.
    assert 0.5 < row["velocity_low"] / row["velocity"] < 0.85
    assert 1.15 < row["velocity_high"] / row["velocity"] < 1.5
    assert velocity(many, bootstrap=400) == table
    assert velocity(many, bootstrap=400, seed=3) != table
    assert "by drawing the opportunities again 400 times (bootstrap)" in table.to_text()
    assert "Velocity, per day, low" in table.to_text()


def test_a_cycle_from_a_named_stage() -> None:
    table = velocity(log(("won", 10, 100), OPEN), start="demo")

    assert table["mean_days"].tolist() == [0]  # straight past it
    assert "from the first entry into or beyond “Demo”" in table.to_text()
    with pytest.raises(UnknownStateError, match="'offer'"):
        velocity(log(), start="offer")
    with pytest.raises(DefinitionError, match="bootstrap= is a number of resamples"):
        velocity(log(), bootstrap=3)


def test_the_formula_takes_arrays() -> None:
    found = sales_velocity([60, 10, 5], 0.25, [8000, math.nan, 100], [40, 40, 0])

    np.testing.assert_array_equal(found, [3000, math.nan, math.nan])
