"""The sales cycle, beside the definitions in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.logs import By, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel.errors import DefinitionError, UnknownStateError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import sales_cycle
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

DAY = 86_400_000_000
LEVELS = {"p25_days": 0.25, "median_days": 0.5, "p75_days": 0.75, "p90_days": 0.9}


@given(oracles(), groupings, st.none() | st.integers(0, 3))
def test_cycles_are_as_the_definitions_say(oracle: Oracle, by: By, start: int | None) -> None:
    if start is not None and start >= oracle.n_presale:
        start = None
    name = None if start is None else f"s{start}"
    table = sales_cycle(log_of(oracle), by=by, start=name, as_of=oracle.as_of)

    groups = parts(oracle, by)
    days = [np.array(part.sales_cycle(start)) / DAY for part in groups.values()]
    assert table["deals"].tolist() == [len(cycles) for cycles in days]
    means = [cycles.mean() if len(cycles) else np.nan for cycles in days]
    np.testing.assert_allclose(table["mean_days"], means, rtol=1e-12)
    for column, level in LEVELS.items():
        expected = [np.quantile(cycles, level) if len(cycles) else np.nan for cycles in days]
        np.testing.assert_allclose(table[column], expected, rtol=1e-12)
    for row, labels in zip(table.rows(), groups, strict=True):
        assert named(labels, by).items() <= row.items()


FUNNEL = Funnel([Stage("lead"), Stage("demo", names={"zh": "演示"}), Stage("care", post_sale=True)])


def log(*entries: tuple[str, str, str]) -> StageLog:
    ids, states, days = zip(*entries, strict=True) if entries else ((), (), ())
    return StageLog.from_columns(
        FUNNEL, opportunity=list(ids), stage=list(states), entered_at=list(days), tz="UTC"
    )


SOLD = log(
    ("A", "lead", "2026-01-01"),
    ("A", "demo", "2026-01-05"),
    ("A", "care", "2026-01-07"),
    ("B", "lead", "2026-01-01"),
    ("B", "demo", "2026-01-02"),
    ("B", "care", "2026-01-03"),
)


def test_the_table_says_where_the_cycle_starts() -> None:
    from_first, from_demo = sales_cycle(SOLD), sales_cycle(SOLD, start="demo")

    assert from_first["mean_days"].tolist() == [4]
    assert from_demo["mean_days"].tolist() == [1.5]
    assert "from the first entry to the win" in from_first.to_text()
    assert "from the first entry into or beyond “Demo”" in from_demo.to_text()
    assert "从首次进入“演示”或其后的阶段到赢单" in from_demo.to_text("zh")


def test_without_wins_there_are_no_days() -> None:
    for table in (sales_cycle(log()), sales_cycle(log(("A", "lead", "2026-01-01")))):
        assert table["deals"].tolist() == [0]
        assert all(np.isnan(table[name]).all() for name in ("mean_days", *LEVELS))


def test_a_cycle_starts_before_the_sale() -> None:
    with pytest.raises(DefinitionError, match="a stage before the sale, where a cycle can start"):
        sales_cycle(SOLD, start="care")
    with pytest.raises(DefinitionError, match="not 'won'"):
        sales_cycle(SOLD, start="won")
    with pytest.raises(UnknownStateError, match="'offer'"):
        sales_cycle(SOLD, start="offer")
