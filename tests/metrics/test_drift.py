"""Tests of whether two stretches of time differ, beside scipy's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from metrics.logs import log_of, oracles, spread
from oracle import Oracle, last_known
from scipy import stats

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import benjamini_hochberg, drift, homogeneity
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

DAY = 86_400_000_000
tables = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 40), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


# ── one table ─────────────────────────────────────────────────────────────────────────────────────


@given(tables, st.sampled_from([("chi2", "pearson"), ("g", "log-likelihood")]))
@example([[48, 32], [56, 14]], ("chi2", "pearson"))
@example([[0, 0], [3, 4]], ("g", "log-likelihood"))
def test_it_is_the_test_of_scipy(counts: list[list[int]], method: tuple[str, str]) -> None:
    ours, theirs = method
    found = homogeneity(counts, ours)

    table = np.array(counts)
    kept = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if not kept.size:
        assert math.isnan(found.statistic)
        assert found.df == 0
        assert math.isnan(found.p_value)
        return
    expected = stats.chi2_contingency(kept, correction=False, lambda_=theirs)
    assert found.df == expected.dof == (kept.shape[0] - 1) * (kept.shape[1] - 1)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    if expected.dof == 0:
        assert np.isnan([found.p_value, found.cramers_v, found.smallest_expected]).all()
        return
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert found.smallest_expected == pytest.approx(expected.expected_freq.min())
    v = stats.contingency.association(kept, method="cramer", correction=False)
    assert found.cramers_v == pytest.approx(v, rel=1e-9, abs=1e-7)


def test_many_tables_are_tested_at_once() -> None:
    tables = np.random.default_rng(2).integers(0, 9, (5, 3, 2, 4))
    tables[0, 0] = 0

    together = homogeneity(tables)
    assert together.p_value.shape == (5, 3)
    for place in np.ndindex(5, 3):
        alone = homogeneity(tables[place])
        for whole, part in zip(together, alone, strict=True):
            np.testing.assert_allclose(np.asarray(whole)[place], part, rtol=1e-12)
    assert homogeneity(np.zeros((0, 2, 3))).df.shape == (0,)


@pytest.mark.parametrize("counts", [[1, 2], [[1, -2]], [[math.nan, 2]]])
def test_what_is_no_table_is_refused(counts: Any) -> None:
    with pytest.raises(DefinitionError, match="counts are tables of rows and columns"):
        homogeneity(counts)
    with pytest.raises(DefinitionError, match="method= is one of chi2, g, not 'fisher'"):
        homogeneity([[1, 2]], "fisher")


# ── a log ─────────────────────────────────────────────────────────────────────────────────────────


def compared(
    oracle: Oracle, spans: list[tuple[int, int]]
) -> dict[tuple[str, str | None], list[Counter[Hashable]]]:
    """Return what is counted before and after for each test."""
    counts: dict[tuple[str, str | None], list[Counter[Hashable]]] = {}

    def add(test: str, of: str | None, time: int, code: Hashable) -> None:
        pair = counts.setdefault((test, of), [Counter(), Counter()])
        for counter, (start, end) in zip(pair, spans, strict=True):
            counter[code] += start <= time <= end

    keys = [*(f"s{k}" for k in range(oracle.n_stages)), "won", "lost"]
    for history in oracle.histories().values():
        for source, target in pairwise(history):
            add("transitions", keys[source.state], target.time, target.state)
        status = oracle.status(history)
        sale = [row for row in oracle.since_the_sale(history) if row.state != oracle.lost]
        if status == "lost":
            add("reason", None, history[-1].time, history[-1].reason)
            add("outcome", None, history[-1].time, False)
        elif status != "open":
            add("outcome", None, sale[0].time, True)
        label = last_known(row.labels.get("owner") for row in history)
        add("mix", "owner", history[0].time, label)
    return counts


@settings(max_examples=80)
@given(oracles(), st.integers(0, 9), st.sampled_from(["chi2", "g"]))
def test_before_and_after_are_counted_one_at_a_time(
    oracle: Oracle, border: int, method: str
) -> None:
    oracle = spread(oracle, DAY)
    spans = [(0, border * DAY), (border * DAY + 1, 30 * DAY)]
    table = drift(log_of(oracle), *spans, by="owner", method=method, as_of=oracle.as_of)

    counts = compared(oracle, spans)
    by_state = {of: pair for (test, of), pair in counts.items() if test == "transitions"}
    statistic, df = 0.0, 0
    seen = {row["of"] for row in table.rows() if row["test"] == "transitions"} - {None}
    assert seen == {of for of, pair in by_state.items() if pair[0].total() + pair[1].total()}
    for row in table.rows():
        pair = counts.get((row["test"], row["of"]), [Counter(), Counter()])
        if row["test"] == "transitions" and row["of"] is None:
            together = [sum((pair[i] for pair in by_state.values()), Counter()) for i in (0, 1)]
            assert [row["before"], row["after"]] == [counter.total() for counter in together]
            assert row["df"] == df
            if df:
                assert row["statistic"] == pytest.approx(statistic)
                assert row["p_value"] == pytest.approx(stats.chi2.sf(statistic, df))
            assert row["q_value"] is row["cramers_v"] is None
            continue
        codes = sorted(pair[0].keys() | pair[1].keys(), key=str)
        test = homogeneity([[counter[code] for code in codes] or [0] for counter in pair], method)
        assert [row["before"], row["after"]] == [counter.total() for counter in pair]
        expected = [None if math.isnan(part) else pytest.approx(float(part)) for part in test]
        names = ("statistic", "df", "p_value", "cramers_v", "smallest_expected")
        assert [row[name] for name in names] == expected
        if row["test"] == "transitions" and row["df"]:
            statistic, df = statistic + row["statistic"], df + row["df"]
    parts = ~((table["test"] == "transitions") & np.array([of is None for of in table["of"]]))
    np.testing.assert_array_equal(
        table["q_value"][parts], benjamini_hochberg(table["p_value"][parts])
    )


@settings(max_examples=30)
@given(oracles(tied=False), st.data())
def test_the_order_of_the_rows_changes_nothing(oracle: Oracle, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(oracle.rows))
    tables = [
        drift(log_of(oracle, rows), (0, 3), (4, 9), by=["owner", "region"], as_of=oracle.as_of)
        for rows in (oracle.rows, shuffled)
    ]
    assert tables[0] == tables[1]


FUNNEL = Funnel(["lead", Stage("offer", names={"zh": "报价"})], ["price"])


def log(*entries: tuple[str, str, str], **columns: Any) -> StageLog:
    ids, states, days = zip(*entries, strict=True) if entries else ((), (), ())
    return StageLog.from_columns(
        FUNNEL,
        opportunity=list(ids),
        stage=list(states),
        entered_at=list(days),
        tz="Asia/Shanghai",
        **columns,
    )


LOG = log(
    ("A", "lead", "2026-01-05"),
    ("A", "offer", "2026-01-06"),
    ("A", "won", "2026-01-07"),
    ("B", "lead", "2026-01-05"),
    ("B", "lost", "2026-01-31"),
    ("C", "lead", "2026-02-01"),
    ("C", "lost", "2026-02-28"),
    ("D", "lead", "2026-03-01"),  # in neither
    reason=[None] * 4 + ["price", None, None, None],
    attributes={"owner": ["li"] * 5 + ["na"] * 3},
)


def test_two_months_by_hand() -> None:
    table = drift(LOG, "2026-01", "2026-02", by="owner")

    rows = {(row["test"], row["of"]): row for row in table.rows()}
    assert {place: (row["before"], row["after"], row["df"]) for place, row in rows.items()} == {
        ("transitions", "lead"): (2, 1, 1),  # offer and lost; lost
        ("transitions", "offer"): (1, 0, 0),
        ("transitions", None): (3, 1, 1),
        ("outcome", None): (2, 1, 1),
        ("reason", None): (1, 1, 1),  # price; none given
        ("mix", "owner"): (2, 1, 1),
    }
    assert rows["reason", None]["statistic"] == 2
    assert rows["mix", "owner"]["statistic"] == 3
    assert rows["mix", "owner"]["cramers_v"] == 1
    assert rows["mix", "owner"]["smallest_expected"] == pytest.approx(1 / 3)
    # A pair of dates includes both days; that of a month is the month.
    assert drift(LOG, ("2026-01-01", "2026-01-31"), "2026-02", by="owner") == table
    assert drift(LOG, "2026Q1", "2025Q4")["before"].sum() > 0


def test_the_text_says_what_is_compared() -> None:
    table = drift(LOG, "2026-01", "2026-02", by="owner", as_of="2026-02-20")

    text, chinese = table.to_text(), table.to_text("zh")
    assert "Before: 2026-01-01 00:00 UTC+08:00 to 2026-01-31 23:59 UTC+08:00; after: 2026-" in text
    assert "Not all of it was over yet." in text
    assert "Pearson" in text
    assert "Loss reasons" in text
    assert "报价" in chinese
    assert "负责人" in chinese
    assert "新建商机的构成" in chinese
    over = drift(LOG, "2026-01", "2026-02", method="g").to_text()
    assert "Likelihood ratio" in over
    assert "Not all" not in over


def test_of_an_empty_log_nothing_differs() -> None:
    table = drift(log(), "2026-01", "2026-02")

    assert table["before"].tolist() == table["after"].tolist() == [0, 0, 0]
    assert np.isnan(table["p_value"]).all()


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        (("2026-01", "2026Q1"), "before= and after= do not overlap, as '2026-01' and '2026Q1' do"),
        (("2026-02", ("2026-01-01", "2026-02-01")), "do not overlap"),
        (("spring", "2026-02"), "before= is a period such as '2026Q1', '2026-03' or '2026-W10'"),
        (("2026-01", "2026-13"), "after= is a period such as '2026Q1'"),
        (("2026-01", ("2026-03-01", "2026-02-01")), "the earlier one first"),
        (("2026-01", ("2026-03-01",)), "after= is a period such as"),
        (("2026-01", ("2026-03-01", "soon")), "after= as a pair is an aware datetime"),
        ((2026, "2026-03"), "before= is a period such as '2026Q1', '2026-03' or '2026-W10', or a"),
    ],
)
def test_what_is_no_stretch_of_time_is_told_what_one_is(
    spans: tuple[Any, Any], message: str
) -> None:
    with pytest.raises(DefinitionError) as refusal:
        drift(LOG, *spans)
    assert message in str(refusal.value)


def test_the_rest_is_checked_too() -> None:
    with pytest.raises(DefinitionError, match="method= is one of chi2, g, not 'fisher'"):
        drift(LOG, "2026-01", "2026-02", method="fisher")
    with pytest.raises(UnknownAttributeError, match="no attribute 'team'"):
        drift(LOG, "2026-01", "2026-02", by="team")
