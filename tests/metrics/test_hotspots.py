"""Which reasons are over-represented where, beside another implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from metrics.logs import By, groupings, log_of, oracles
from numpy.typing import NDArray
from oracle import Oracle
from scipy.stats import chi2, chi2_contingency
from statsmodels.stats.contingency_tables import Table as Contingency

from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import adjusted_residuals, benjamini_hochberg, loss_hotspots, loss_table
from salesfunnel.model.funnel import Funnel

REASONS = ["price", "timing", None]


def log_of_counts(counts: NDArray[np.int64]) -> StageLog:
    """Return a log with so many losses of each owner for each reason."""
    cells = [
        (f"O{row}", REASONS[column])
        for (row, column), n in np.ndenumerate(counts)
        for _ in range(n)
    ]
    owners, reasons = zip(*cells, strict=True) if cells else ((), ())
    return StageLog.from_columns(
        Funnel(["lead"]),
        opportunity=list(range(len(cells))),
        stage=["lost"] * len(cells),
        entered_at=["2026-01-01"] * len(cells),
        reason=list(reasons),
        attributes={"owner": list(owners)},
        tz="UTC",
    )


tables = arrays.arrays(
    np.int64, st.tuples(st.integers(2, 4), st.just(3)), elements=st.integers(1, 40)
)


@given(tables)
def test_it_agrees_with_statsmodels_and_scipy(counts: NDArray[np.int64]) -> None:
    table = loss_hotspots(log_of_counts(counts), by="owner")

    other = Contingency(counts, shift_zeros=False)
    expected = chi2_contingency(counts).expected_freq
    rows = {(row["owner"], row["reason"]): row for row in table.rows()}
    assert len(rows) == len(table) == counts.size
    for (line, column), n in np.ndenumerate(counts):
        row = rows[f"O{line}", REASONS[column]]
        assert row["lost"] == n
        assert row["expected"] == pytest.approx(expected[line, column], rel=1e-12)
        residual = other.standardized_resids[line, column]
        assert row["residual"] == pytest.approx(residual, rel=1e-9, abs=1e-12)
        if row["p_value"] is not None:
            assert row["p_value"] == pytest.approx(chi2.sf(residual**2, 1), rel=1e-7)


@given(tables)
def test_findings_are_what_is_left_after_the_adjustment(counts: NDArray[np.int64]) -> None:
    table = loss_hotspots(log_of_counts(counts), by="owner")

    np.testing.assert_array_equal(table["q_value"], benjamini_hochberg(table["p_value"]))
    for row in table.rows():
        found = row["q_value"] is not None and row["q_value"] <= 0.05
        over = row["residual"] > 0
        assert row["finding"] == (("over" if over else "under") if found else None)
    tested = ~np.isnan(table["p_value"])
    assert (np.diff(tested.astype(int)) <= 0).all()  # they come first
    assert (np.diff(table["residual"][tested]) <= 0).all()


@given(oracles(), groupings)
def test_losses_are_those_of_the_loss_table(oracle: Oracle, by: By) -> None:
    log = log_of(oracle)
    table = loss_hotspots(log, by=by, as_of=oracle.as_of)

    counted = loss_table(log, by_stage=by is None, by=by, as_of=oracle.as_of)
    about = [*(["stage"] if by is None else [by] if isinstance(by, str) else by), "reason"]
    losses = {tuple(row[name] for name in about): row["numerator"] for row in counted.rows()}
    found = {tuple(row[name] for name in about): row["lost"] for row in table.rows()}
    assert {cell: n for cell, n in found.items() if n} == losses
    places, reasons = {cell[:-1] for cell in found}, {cell[-1] for cell in found}
    assert len(table) == len(found) == len(places) * len(reasons)


def test_where_little_is_expected_nothing_is_tested() -> None:
    # 30 of 40 for the price against 10 of 40: clear; the third owner has too few losses to tell.
    counts = np.array([[30, 10, 0], [10, 30, 0], [3, 0, 0]])
    table = loss_hotspots(log_of_counts(counts), by="owner")

    findings = {(row["owner"], row["reason"]): row["finding"] for row in table.rows()}
    assert findings == {
        ("O0", "price"): "over",
        ("O1", "timing"): "over",
        ("O1", "price"): "under",
        ("O0", "timing"): "under",
        ("O2", "price"): None,
        ("O2", "timing"): None,
    }
    assert np.isnan(table["p_value"]).tolist() == [False] * 4 + [True] * 2
    text = table.to_text()
    assert text.splitlines()[4].split()[-3:] == ["more", "than", "expected"]
    assert "where fewer than 5 losses are expected nothing is tested" in text
    assert "furthest" not in text


def test_one_reason_or_one_place_has_nothing_to_stand_out_from() -> None:
    for counts in ([[50, 0, 0], [50, 0, 0]], [[20, 30, 10]]):
        table = loss_hotspots(log_of_counts(np.array(counts)), by="owner")
        assert np.isnan(table["residual"]).all()
        assert set(table["finding"].tolist()) == {None}


def test_a_log_without_losses_has_no_rows() -> None:
    log = StageLog.from_columns(Funnel(["lead"]), opportunity=[], stage=[], entered_at=[])

    assert len(loss_hotspots(log)) == 0
    assert "furthest stage" in loss_hotspots(log).to_text()


def test_residuals_take_leading_axes_and_empty_tables() -> None:
    counts = np.array([[[30, 10], [20, 40]], [[0, 0], [0, 0]], [[5, 0], [5, 0]]])

    found = adjusted_residuals(counts)

    assert found[0].round(4).tolist() == [[4.0825, -4.0825], [-4.0825, 4.0825]]
    assert np.isnan(found[1:]).all()
    assert math.isclose(found[0, 0, 0], 10 / math.sqrt(20 * 0.6 * 0.5))
