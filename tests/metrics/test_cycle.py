"""The sales cycle, beside the definitions in plain Python."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.lifetimes import Life, steps
from metrics.logs import By, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel.errors import DefinitionError, UnknownStateError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import sales_cycle
from salesfunnel.metrics.cycle import OUTCOMES
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


# ── the loss and the close, and those that are still open ─────────────────────────────────────────


def lives_of(oracle: Oracle, start: int | None) -> list[Life]:
    """Return how long each took from its start to the sale, 1, to the loss, 2, or to now, 0."""
    found: list[Life] = []
    for history in oracle.histories().values():
        from_start = [r for r in history if start is None or start <= r.state <= oracle.won]
        if not from_start:
            continue
        begin = from_start[0].time
        status = oracle.status(history)
        if status in ("won", "churned"):
            sale = next(r for r in oracle.since_the_sale(history) if r.state != oracle.lost)
            found.append((sale.time - begin, 1))
        elif status == "lost":
            found.append((history[-1].time - begin, 2))
        else:
            assert oracle.as_of is not None
            found.append((oracle.as_of - begin, 0))
    return found


@given(oracles(), groupings, st.none() | st.integers(0, 3), st.sampled_from(list(OUTCOMES)))
def test_all_opportunities_count_in_the_quantiles_of_all(
    oracle: Oracle, by: By, start: int | None, of: str
) -> None:
    if start is not None and start >= oracle.n_presale:
        start = None
    name = None if start is None else f"s{start}"
    table = sales_cycle(log_of(oracle), of=of, by=by, start=name, as_of=oracle.as_of)

    causes = {"won": {1}, "lost": {2}, "closed": {1, 2}}[of]
    for row, part in zip(table.rows(), parts(oracle, by).values(), strict=True):
        lives = lives_of(part, start)
        ended = [life[0] / DAY for life in lives if life[1] in causes]
        assert row["opportunities"] == len(lives)
        assert row["deals"] == len(ended)
        if ended:
            assert row["mean_days"] == pytest.approx(np.mean(ended), rel=1e-12)
            assert row["p90_days"] == pytest.approx(np.quantile(ended, 0.9), rel=1e-12)
        asked = [(d, 1 if e in causes else 2 if e else 0) for d, e in lives]
        for column, level in LEVELS.items():
            times = [s.time / DAY for s in steps(asked) if s.incidence >= Fraction(str(level))]
            assert row[f"aj_{column}"] == (times[0] if times else None)


MIXED = log(
    ("A", "lead", "2026-01-01"),
    ("A", "care", "2026-01-03"),
    ("B", "lead", "2026-01-01"),
    ("B", "lost", "2026-01-06"),
    ("C", "demo", "2026-01-01"),
    ("C", "care", "2026-01-11"),
    ("D", "lead", "2026-01-01"),
)


def test_a_case_counted_by_hand() -> None:
    won, lost, closed = (sales_cycle(MIXED, of=of) for of in OUTCOMES)

    assert [table["deals"].tolist() for table in (won, lost, closed)] == [[2], [1], [3]]
    assert won["mean_days"].tolist() == [6]
    assert lost["mean_days"].tolist() == [5]
    assert closed["mean_days"].tolist() == [17 / 3]
    # A quarter of all four are won on day 2, and half of them on day 10; never three in four.
    assert won["aj_p25_days"].tolist() == [2]
    assert won["aj_median_days"].tolist() == [10]
    assert np.isnan(won["aj_p75_days"]).all()
    assert closed["aj_p75_days"].tolist() == [10]
    # Only C has come to the demo, or beyond the lead, other than by its sale.
    assert sales_cycle(MIXED, of="lost", start="demo")["opportunities"].tolist() == [2]


def test_each_outcome_has_a_title_and_notes_of_its_own() -> None:
    for of, title, words in (
        ("won", "Sales cycle", "to the win, of won opportunities"),
        ("lost", "Time to the loss", "to the loss, of lost opportunities"),
        ("closed", "Time to the close", "to the win or the loss, of won and lost opportunities"),
    ):
        for start in (None, "demo"):
            text = sales_cycle(MIXED, of=of, start=start).to_text()
            assert text.splitlines()[0] == title
            assert words in text
            assert ("“Demo”" in text) == (start is not None)


def test_quantiles_of_all_are_shown_where_there_are_any() -> None:
    assert "Half of all within, days" in sales_cycle(MIXED).to_text()
    assert "of all" not in sales_cycle(log(("A", "lead", "2026-01-01"))).to_text()


def test_an_outcome_that_is_none_is_refused() -> None:
    with pytest.raises(DefinitionError, match="of= is one of won, lost, closed, not 'open'"):
        sales_cycle(SOLD, of="open")
