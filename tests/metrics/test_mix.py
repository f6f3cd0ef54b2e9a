"""The parts of a change of a rate, in exact fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import log_of, oracles, spread
from oracle import Oracle, last_known

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import decompose_rate, win_rate_change
from salesfunnel.model.funnel import Funnel

DAY = 86_400_000_000
cell = st.tuples(st.integers(0, 10), st.integers(0, 10)).map(lambda pair: (pair[0], sum(pair)))
groups = st.lists(st.tuples(cell, cell), min_size=1, max_size=5)


def exact(cells: list[tuple[tuple[int, int], tuple[int, int]]]) -> list[tuple[Fraction, Fraction]]:
    """Return mix and within of each group by the formula, in fractions."""
    totals = [sum(group[side][1] for group in cells) for side in (0, 1)]
    overall = [Fraction(sum(g[side][0] for g in cells), totals[side]) for side in (0, 1)]
    parts = []
    for group in cells:
        share = [Fraction(group[side][1], totals[side]) for side in (0, 1)]
        rate = [Fraction(k, n) if n else None for k, n in group]
        known = [rate[side] if rate[side] is not None else rate[1 - side] for side in (0, 1)]
        first, second = (Fraction(0) if r is None else r for r in known)
        mix = (share[1] - share[0]) * ((first + second) / 2 - (overall[0] + overall[1]) / 2)
        parts.append((mix, (second - first) * (share[0] + share[1]) / 2))
    assert sum(mix + within for mix, within in parts) == overall[1] - overall[0]
    return parts


@given(groups)
def test_the_parts_are_those_of_the_formula_and_add_up(
    cells: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    (k1, n1), (k2, n2) = (
        np.array([[group[side][part] for group in cells] for part in (0, 1)]) for side in (0, 1)
    )
    found = decompose_rate(k1, n1, k2, n2)

    if not n1.sum() or not n2.sum():
        assert np.isnan([*found.mix, *found.within]).all()
        return
    parts = exact(cells)
    np.testing.assert_allclose(found.mix, [float(mix) for mix, _ in parts], rtol=0, atol=1e-15)
    np.testing.assert_allclose(found.within, [float(w) for _, w in parts], rtol=0, atol=1e-15)
    change = k2.sum() / n2.sum() - k1.sum() / n1.sum()
    assert (found.mix + found.within).sum() == pytest.approx(change, rel=0, abs=1e-15)


@given(groups)
def test_there_and_back_is_no_change(
    cells: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    (k1, n1), (k2, n2) = (
        np.array([[group[side][part] for group in cells] for part in (0, 1)]) for side in (0, 1)
    )
    there, back = decompose_rate(k1, n1, k2, n2), decompose_rate(k2, n2, k1, n1)

    np.testing.assert_allclose(there.mix, -back.mix, atol=1e-15)
    np.testing.assert_allclose(there.within, -back.within, atol=1e-15)


def test_a_rate_that_falls_while_all_of_its_parts_rise() -> None:
    # Partners win 20% → 25%, own leads 60% → 65%; the partners' deals go from 20 of 100 to 80.
    change = decompose_rate([4, 48], [20, 80], [20, 13], [80, 20])

    assert (change.within > 0).all()
    assert (change.mix < 0).all()
    assert change.within.sum() == pytest.approx(0.05)
    assert change.mix.sum() == pytest.approx(0.33 - 0.52 - 0.05)


def test_leading_axes_are_changes_of_their_own() -> None:
    k = np.random.default_rng(1).integers(0, 5, (4, 2, 3))
    found = decompose_rate(*(k[i] if i % 2 == 0 else k[i - 1] + k[i] + 1 for i in range(4)))

    for row in range(2):
        alone = decompose_rate(
            *(k[i][row] if i % 2 == 0 else k[i - 1][row] + k[i][row] + 1 for i in range(4))
        )
        np.testing.assert_array_equal(found.mix[row], alone.mix)
        np.testing.assert_array_equal(found.within[row], alone.within)


@pytest.mark.parametrize("cells", [(3, 2, 1, 1), (1, 1, -1, 1), ([0, 2], [1, 1], 0, 0)])
def test_impossible_successes_are_refused(cells: Any) -> None:
    with pytest.raises(DefinitionError, match="successes are from 0 to the number of trials"):
        decompose_rate(*cells)


# ── a log ─────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60)
@given(oracles(), st.integers(0, 9))
def test_what_was_closed_before_and_after_is_counted_by_group(oracle: Oracle, border: int) -> None:
    oracle = spread(oracle, DAY)
    spans = [(0, border * DAY), (border * DAY + 1, 30 * DAY)]
    table = win_rate_change(log_of(oracle), *spans, by="owner", as_of=oracle.as_of)

    labels = table["owner"].tolist()
    won, closed = np.zeros((2, len(labels)), int), np.zeros((2, len(labels)), int)
    for history in oracle.histories().values():
        status = oracle.status(history)
        if status == "open":
            continue
        sale = [row for row in oracle.since_the_sale(history) if row.state != oracle.lost]
        time = history[-1].time if status == "lost" else sale[0].time
        group = labels.index(last_known(row.labels.get("owner") for row in history))
        for side, (start, end) in enumerate(spans):
            closed[side, group] += start <= time <= end
            won[side, group] += start <= time <= end and status != "lost"
    for side, name in enumerate(("before", "after")):
        check_rate(table, f"win_rate_{name}", won[side].tolist(), closed[side].tolist())
        total = [int(closed[side].sum())] * len(labels)
        check_rate(table, f"share_{name}", closed[side].tolist(), total)
    parts = decompose_rate(won[0], closed[0], won[1], closed[1])
    np.testing.assert_array_equal(table["mix"], parts.mix)
    np.testing.assert_array_equal(table["within"], parts.within)
    np.testing.assert_array_equal(table["change"], parts.mix + parts.within)


def closed(*cells: tuple[str, str, int, int]) -> StageLog:
    rows = [
        (f"{owner} {month} {number}", state, f"{month}-15", owner)
        for owner, month, won, lost in cells
        for number, outcome in enumerate(["won"] * won + ["lost"] * lost)
        for state in ("lead", outcome)
    ]
    ids, states, days, owners = zip(*rows, strict=True) if rows else ((), (), (), ())
    return StageLog.from_columns(
        Funnel(["lead"]),
        opportunity=list(ids),
        stage=list(states),
        entered_at=list(days),
        attributes={"owner": list(owners)},
        tz="UTC",
    )


LOG = closed(("li", "2026-01", 4, 16), ("na", "2026-01", 48, 32), ("li", "2026-02", 20, 60))


def test_a_group_that_left_is_all_mix() -> None:
    table = win_rate_change(LOG, "2026-01", "2026-02", by="owner")

    li, na = table.rows()
    assert na["within"] == 0
    assert na["mix"] == pytest.approx(-0.8 * (0.6 - (0.52 + 0.25) / 2))
    assert li["within"] == pytest.approx(0.05 * (0.2 + 1) / 2)
    assert table["change"].sum() == pytest.approx(0.25 - 0.52)
    assert na["win_rate_after"] is None
    text = table.to_text()
    assert "Overall win rate: from 52.0% to 25.0%, a change of -27.0% points" in text
    assert "-30.0% from the mix of groups, 3.0% from within them" in text
    assert "构成变化 -30.0%" in table.to_text("zh")


def test_without_deals_on_one_side_nothing_is_known() -> None:
    table = win_rate_change(LOG, "2026-01", "2027-01", by="owner")

    assert np.isnan([*table["mix"], *table["within"], *table["change"]]).all()
    assert "from 52.0% to –" in table.to_text()
    assert len(win_rate_change(closed(), "2026-01", "2026-02", by="owner")) == 0


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DefinitionError, match="before= and after= do not overlap"):
        win_rate_change(LOG, "2026-01", "2026", by="owner")
    with pytest.raises(UnknownAttributeError, match="no attribute 'team'"):
        win_rate_change(LOG, "2026-01", "2026-02", by="team")
