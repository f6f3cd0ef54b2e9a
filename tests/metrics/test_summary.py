"""The headline figures, beside the definitions in plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from metrics.checks import check_rate
from metrics.logs import By, amount_of, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import summary
from salesfunnel.model.funnel import Funnel

DAY = 86_400_000_000


@given(oracles(), groupings)
def test_the_summary_counts_as_the_definitions_say(oracle: Oracle, by: By) -> None:
    table = summary(log_of(oracle), by=by, as_of=oracle.as_of)

    groups = parts(oracle, by)
    rows, medians = [], []
    for labels, part in groups.items():
        histories = part.histories().values()
        n = Counter[str](part.status(history) for history in histories)
        amounts: dict[str, float] = dict.fromkeys(("open", "won", "lost", "churned"), 0.0)
        for history in histories:
            amounts[part.status(history)] += amount_of(history)
        rows.append(
            named(labels, by)
            | {"opportunities": n.total()}
            | {status: n[status] for status in ("open", "won", "lost", "churned")}
            | {
                "won_amount": amounts["won"] + amounts["churned"],
                "open_amount": amounts["open"],
            }
        )
        cycles = part.sales_cycle()
        medians.append(np.median(cycles) / DAY if cycles else np.nan)
    assert list(table.select(*(rows[0] if rows else ())).rows()) == rows
    np.testing.assert_allclose(table["median_days"], medians, rtol=1e-12)
    rates = [part.win_rate() for part in groups.values()]
    check_rate(table, "win_rate", [won for won, _ in rates], [resolved for _, resolved in rates])


FUNNEL = Funnel(["lead"])


def won(amounts: list[float] | None = None, owner: str | None = "li") -> StageLog:
    return StageLog.from_columns(
        FUNNEL,
        opportunity=["A", "A"],
        stage=["lead", "won"],
        entered_at=["2026-01-01", "2026-01-03"],
        amount=amounts,
        attributes={"owner": [owner, None], "region": ["north", None]},
        tz="UTC",
    )


def test_it_shows_what_the_log_has() -> None:
    without, with_amounts = summary(won()).to_text(), summary(won([10, 2500])).to_text()

    assert "amount" not in without
    assert "Churned" not in without
    assert with_amounts.splitlines()[4].split()[-3:] == ["2.00", "2,500", "0"]


@pytest.mark.parametrize(
    ("lang", "title"), [("en", "Summary by Owner × Region"), ("zh", "概览（负责人 × 区域）")]
)
def test_its_title_says_what_is_compared(lang: str, title: str) -> None:
    assert summary(won(), by=("owner", "region")).to_text(lang).splitlines()[0] == title


def test_an_empty_log_has_one_row_of_nothing() -> None:
    empty = StageLog.from_columns(FUNNEL, opportunity=[], stage=[], entered_at=[])

    (row,) = summary(empty).rows()
    assert row["opportunities"] == row["won"] == row["won_amount"] == 0
    assert row["win_rate"] is row["median_days"] is None
