"""The bootstrap, where its answer is known otherwise."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import loss_table, win_rate
from salesfunnel.metrics.bootstrap import bootstrap, bootstrap_bounds, bootstrap_ratio
from salesfunnel.metrics.rates import ratio
from salesfunnel.model.funnel import Funnel

Ints = NDArray[np.int64]
ONE_GROUP = np.zeros(200, np.int64)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(7).normal(10, 3, 200)

    low, high = bootstrap_bounds(
        lambda times, _, values: np.array([(times * values[:, 0]).sum() / times.sum()]),
        ONE_GROUP,
        values[:, None],
        1,
        replicates=4000,
    )

    error = values.std() / np.sqrt(200)
    assert low[0] == pytest.approx(values.mean() - 1.96 * error, abs=error / 10)
    assert high[0] == pytest.approx(values.mean() + 1.96 * error, abs=error / 10)


def test_each_group_is_drawn_from_its_own_and_those_alike_are_one() -> None:
    group = np.array([3, 1, 0, 1, 0, 1])
    values = np.array([[7.0], [5], [2], [5], [1], [6]])
    sizes, alike = set(), set()

    def statistic(times: Ints, among: Ints, known: NDArray[np.float64]) -> NDArray[np.float64]:
        sizes.add(tuple(np.bincount(among, times, minlength=4)))
        alike.add((tuple(among), tuple(known[:, 0])))
        return np.zeros(1)

    bootstrap_bounds(statistic, group, values, 4, replicates=100)
    assert sizes == {(2, 3, 0, 1)}
    assert alike == {((0, 0, 1, 1, 3), (1, 2, 5, 6, 7))}


def test_a_statistic_unknown_in_some_draws_is_taken_from_the_others() -> None:
    # Of two only one is worth anything: in a quarter of the draws there is nothing to divide by.
    low, high = bootstrap_ratio(
        np.array([1.0, 0, 0]), np.array([1.0, 0, 0]), np.array([0, 0, 1]), 2, 200, 0
    )

    assert (low[0], high[0]) == (1, 1)
    assert np.isnan([low[1], high[1]]).all()  # never known


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=12))
def test_it_depends_on_the_seed_and_not_on_the_order(
    pairs: list[tuple[int, int]],
) -> None:
    group = np.array([g for g, _ in pairs], np.int64)
    worth = np.array([v for _, v in pairs], np.float64)
    order = np.argsort(worth, kind="stable")[::-1]
    won = worth * (worth % 2)

    given = bootstrap_ratio(won, worth, group, 3, 100, 5)
    turned = bootstrap_ratio(won[order], worth[order], group[order], 3, 100, 5)
    np.testing.assert_array_equal(given, turned)
    low, high = given
    known = ~np.isnan(low)
    assert (low[known] <= high[known]).all()


def log(*deals: tuple[str, float | None], reason: str = "price") -> StageLog:
    """Return a log of deals that ended won or lost, with their amounts."""
    ends, amounts = zip(*deals, strict=True)
    return StageLog.from_columns(
        Funnel(["lead"]),
        opportunity=list(range(len(deals))),
        stage=list(ends),
        entered_at=["2026-01-01"] * len(deals),
        reason=[f"{reason}{number % 2}" for number in range(len(deals))],
        amount=list(amounts),
        tz="UTC",
    )


DEALS = log(*[("won", 100.0)] * 40, *[("lost", 100.0)] * 60, ("lost", None))


def test_win_rates_by_amount_have_an_interval_on_request() -> None:
    table = win_rate(DEALS, weight="amount", bootstrap=1000)

    # Of equal amounts it is a rate by count: 0.4 with a standard error of 0.049.
    assert table["value"].tolist() == [0.4]
    assert table["low"][0] == pytest.approx(0.304, abs=0.015)
    assert table["high"][0] == pytest.approx(0.496, abs=0.015)
    assert win_rate(DEALS, weight="amount", bootstrap=1000) == table
    assert win_rate(DEALS, weight="amount", bootstrap=1000, seed=1) != table
    text = table.to_text()
    assert "by drawing the opportunities again 1,000 times (bootstrap)" in text
    assert "no confidence interval" not in text


def test_shares_of_reasons_by_amount_have_an_interval_on_request() -> None:
    table = loss_table(DEALS, weight="amount", bootstrap=1000, by_stage=True)

    assert table["value"].tolist() == [0.5, 0.5]
    for low, high in zip(table["low"], table["high"], strict=True):
        assert low == pytest.approx(0.373, abs=0.025)
        assert high == pytest.approx(0.627, abs=0.025)
    empty = loss_table(log(("won", 1.0)), weight="amount", bootstrap=100)
    assert len(empty) == 0


def test_a_negative_amount_leaves_no_interval_either() -> None:
    refunded = log(("won", 10.0), ("lost", -5.0), ("lost", 3.0))

    for table in (
        win_rate(refunded, weight="amount", bootstrap=100),
        loss_table(refunded, weight="amount", bootstrap=100),
    ):
        assert np.isnan(table["value"]).all()
        assert np.isnan(table["low"]).all()
        assert "Where an amount is negative there are no rates by amount." in table.to_text()


@pytest.mark.parametrize("replicates", [0, 99, True, 1000.0, "1000"])
def test_too_few_resamples_are_refused(replicates: object) -> None:
    message = f"bootstrap= is a number of resamples, 100 or more, as in 1000, not {replicates!r}"
    with pytest.raises(DefinitionError, match=re.escape(message)):
        win_rate(DEALS, weight="amount", bootstrap=replicates)  # type: ignore[arg-type]


def test_counts_have_their_own_interval() -> None:
    for metric in (win_rate, loss_table):
        with pytest.raises(DefinitionError, match="has its Wilson interval anyway"):
            metric(DEALS, bootstrap=1000)
    with pytest.raises(DefinitionError, match=r"level= is between 0 and 1"):
        bootstrap_bounds(
            lambda *_: np.zeros(1), ONE_GROUP, np.zeros((200, 1)), 1, replicates=100, level=95
        )


# ── of any statistic ──────────────────────────────────────────────────────────────────────────────


def mean(times: Ints, values: NDArray[np.float64]) -> float:
    return float(np.average(values, weights=times))


def share(times: Ints, worth: NDArray[np.float64], won: NDArray[np.float64]) -> float:
    return float((times * worth * won).sum() / (times * worth).sum())


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
def test_each_method_is_that_of_scipy_but_for_chance(method: str) -> None:
    rng = np.random.default_rng(3)
    worth, won = rng.lognormal(3, 1, 60), rng.random(60) < 0.4
    found = bootstrap(share, worth, won, method=method, replicates=6000)

    peer = stats.bootstrap(
        (worth, won),
        lambda x, y, axis=-1: (x * y).sum(axis=axis) / x.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=6000,
        method={"bca": "BCa"}.get(method, method),
        rng=np.random.default_rng(4),
    ).confidence_interval
    width = peer.high - peer.low
    whole = share(np.ones(60, np.int64), worth, won.astype(float))
    assert found.value == pytest.approx(whole, rel=1e-12)
    np.testing.assert_allclose([found.low, found.high], peer, rtol=0, atol=0.04 * width)


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_the_order_of_opportunities_does_not_matter(
    method: str, values: list[int], random: Any
) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    one, other = (bootstrap(mean, v, method=method, replicates=100) for v in (values, shuffled))

    assert one == other
    assert one.value == pytest.approx(np.mean(values))


def test_a_statistic_may_be_an_array() -> None:
    values = [1, 2, 4, 8, 16, 16]

    def both(times: Ints, x: NDArray[np.float64]) -> list[list[float]]:
        return [[mean(times, x)], [-mean(times, x)]]

    for method in ("percentile", "basic", "bca"):
        found = bootstrap(both, values, method=method)
        alone = bootstrap(mean, values, method=method)
        assert found.low.shape == (2, 1)
        np.testing.assert_allclose(found.low[0, 0], alone.low)
        np.testing.assert_allclose(found.high[1, 0], -found.low[0, 0])
        assert (found.low < found.value).all()
        assert (found.value < found.high).all()


def test_many_opportunities_are_left_out_in_blocks() -> None:
    values = np.random.default_rng(0).normal(10, 3, 3000)
    found = bootstrap(mean, values, method="bca", replicates=2000)

    error = values.std() / np.sqrt(3000)
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=error / 8)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=error / 8)


def test_what_is_not_known_stays_so() -> None:
    def rate(times: Ints, won: NDArray[np.float64], lost: NDArray[np.float64]) -> Any:
        return ratio((times * won).sum(), (times * (won + lost)).sum())

    for method in ("percentile", "basic", "bca"):
        assert np.isnan(bootstrap(rate, [0, 0], [0, 0], method=method)).all()
        low, value, high = np.sort(bootstrap(rate, [1, 0], [0, 0], method=method))
        assert low == value == high == 1
        assert np.array(bootstrap(mean, [7], method=method)).tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ((), {}, "columns are sequences of one length, not of shapes none"),
        (([1, 2], [1]), {}, "not of shapes (2,), (1,)"),
        ((1,), {}, "not of shapes ()"),
        (([],), {}, "columns are of one opportunity at least"),
        (([1, np.nan],), {}, "columns are numbers, none of them NaN: leave out who has none"),
        ((["a"],), {}, "columns are numbers"),
        (([1],), {"method": "t"}, "method= is one of percentile, basic, bca, not 't'"),
        (([1],), {"replicates": 10}, "is a number of resamples, 100 or more, as in 1000, not 10"),
        (([1],), {"level": 0}, "level= is between 0 and 1, as in 0.95, not 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(columns: Any, options: Any, message: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(message)):
        bootstrap(mean, *columns, **options)
