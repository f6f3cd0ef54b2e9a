"""Time in stage, beside the definition in plain Python and exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from metrics.lifetimes import Life, steps
from metrics.logs import By, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel.errors import UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import time_in_stage
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

DAY = 86_400_000_000
LEVELS = {"p25_days": 0.25, "median_days": 0.5, "p75_days": 0.75, "p90_days": 0.9}


def lives_of(oracle: Oracle, stage: int) -> list[Life]:
    """Return how long each visit to a stage lasted, and whether it has ended."""
    found: list[Life] = []
    for history in oracle.histories().values():
        for row, after in zip(history, [*history[1:], None], strict=True):
            if row.state == stage:
                end = oracle.as_of if after is None else after.time
                assert end is not None
                found.append((end - row.time, int(after is not None)))
    return found


@given(oracles(), groupings)
def test_it_is_as_the_definition_says(oracle: Oracle, by: By) -> None:
    table = time_in_stage(log_of(oracle), by=by, as_of=oracle.as_of)

    rows = list(table.rows())
    expected = [
        (labels, k, lives_of(part, k))
        for labels, part in parts(oracle, by).items()
        for k in range(oracle.n_stages)
    ]
    assert len(rows) == len(expected)
    for row, (labels, k, lives) in zip(rows, expected, strict=True):
        assert named(labels, by).items() <= row.items()
        assert row["stage"] == f"s{k}"
        days = [duration / DAY for duration, ended in lives if ended]
        assert (row["visits"], row["ended"]) == (len(lives), len(days))
        assert row["mean_days"] == (pytest.approx(np.mean(days), rel=1e-12) if days else None)
        for column, level in LEVELS.items():
            exact = pytest.approx(np.quantile(days, level), rel=1e-12) if days else None
            assert row[column] == exact
            left = [s.time / DAY for s in steps(lives) if 1 - s.survival >= Fraction(str(level))]
            assert row[f"km_{column}"] == (left[0] if left else None)


FUNNEL = Funnel([Stage("lead"), Stage("demo"), Stage("care", post_sale=True)])


def log(*entries: tuple[str, str, str]) -> StageLog:
    ids, states, days = zip(*entries, strict=True)
    return StageLog.from_columns(
        FUNNEL, opportunity=list(ids), stage=list(states), entered_at=list(days), tz="UTC"
    )


VISITED = log(
    ("A", "lead", "2026-01-01"),
    ("A", "demo", "2026-01-03"),
    ("A", "lead", "2026-01-04"),
    ("A", "demo", "2026-01-10"),
    ("A", "care", "2026-01-12"),
    ("B", "lead", "2026-01-01"),
)


def test_a_case_counted_by_hand() -> None:
    lead, demo, care = time_in_stage(VISITED).rows()

    # A was in lead twice, for 2 and 6 days; B has been there for 11 days.
    assert (lead["visits"], lead["ended"], lead["mean_days"], lead["median_days"]) == (3, 2, 4, 4)
    assert (lead["km_p25_days"], lead["km_median_days"], lead["km_p75_days"]) == (2, 6, None)
    assert (demo["visits"], demo["ended"], demo["km_p90_days"]) == (2, 2, 2)
    assert (care["visits"], care["ended"], care["mean_days"]) == (1, 0, None)


def test_a_current_visit_lasts_until_the_instant_of_knowledge() -> None:
    late = time_in_stage(VISITED, as_of="2026-03-01")

    assert late["km_median_days"].tolist()[:2] == [6, 1]
    assert "lasts longer than it has so far (Kaplan–Meier)" in late.to_text()
    assert "Median with current visits, days" in late.to_text()
    assert "As of 2026-03-01" in late.to_text()


def test_groups_are_those_of_the_log() -> None:
    with pytest.raises(UnknownAttributeError, match="'owner'"):
        time_in_stage(VISITED, by="owner")
