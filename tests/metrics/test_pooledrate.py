"""Groups ranked by pooled rates, beside the rates that they are pooled from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.logs import By, log_of, oracles
from numpy.testing import assert_allclose
from oracle import Oracle

from salesfunnel.errors import DefinitionError, UnknownAttributeError, UnknownStateError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import pool_rates, pooled_rate, stage_table, win_rate
from salesfunnel.model.funnel import Funnel


@given(oracles(), st.sampled_from(["owner", ("region", "owner")]), st.booleans())
@settings(max_examples=50)
def test_the_rates_are_those_of_the_groups_pooled(oracle: Oracle, by: By, of_stage: bool) -> None:
    assert by is not None
    log = log_of(oracle)
    stage = "s0" if of_stage else None
    table = pooled_rate(log, by, stage=stage, as_of=oracle.as_of)

    names = [by] if isinstance(by, str) else list(by)
    if of_stage:
        plain = list(stage_table(log, by=by, as_of=oracle.as_of).rows())
        counts = {
            tuple(row[name] for name in names): (row["advanced"], row["entered"])
            for row in plain
            if row["stage"] == "s0"
        }
    else:
        plain = list(win_rate(log, by=by, as_of=oracle.as_of).rows())
        counts = {
            tuple(row[name] for name in names): (row["numerator"], row["denominator"])
            for row in plain
        }
    expected = pool_rates(*np.array([*counts.values()], int).reshape(-1, 2).T)
    rates = dict(zip(counts, expected.rate, strict=True))
    rows = list(table.rows())
    assert len(rows) == len(counts)
    for row in rows:
        group = tuple(row[name] for name in names)
        assert (row["numerator"], row["denominator"]) == counts[group]
        if row["denominator"]:
            assert_allclose(row["value"], rates[group], rtol=1e-9)
            assert row["low"] <= row["value"] <= row["high"]
            assert row["raw_rate"] == row["numerator"] / row["denominator"]
            better = sum(rate > row["value"] * (1 + 1e-12) for rate in rates.values())
            assert row["rank"] == better + 1
        else:
            assert row["value"] is row["low"] is row["high"] is row["raw_rate"] is None
            assert row["rank"] == 0
    shown = [row["value"] for row in rows]
    assert shown == sorted(shown, key=lambda rate: -1 if rate is None else -rate) or None in shown
    assert [rate is None for rate in shown] == sorted(rate is None for rate in shown)


def log(**owners: str) -> StageLog:
    """Return a log in which each owner has deals as in ``"wwl"``: won, lost or open."""
    rows = [
        (f"{owner}-{number}", state, owner)
        for owner, outcomes in owners.items()
        for number, outcome in enumerate(outcomes)
        for state in ("lead", {"w": "won", "l": "lost"}.get(outcome))
        if state is not None
    ]
    return StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=[row[0] for row in rows],
        stage=[row[1] for row in rows],
        entered_at=["2026-01-01"] * len(rows),
        attributes={"owner": [row[2] for row in rows]},
        tz="UTC",
    )


TEAM = log(
    li="w",
    na="w" * 40 + "l" * 20,
    wu="l" * 9 + "w",
    xu="w" * 9 + "l",
    yu="o" * 3,
    zhao="w" * 9 + "l",
)


def test_a_single_lucky_win_does_not_lead_the_ranking() -> None:
    table = pooled_rate(TEAM, "owner")

    assert table["owner"].tolist() == ["xu", "zhao", "li", "na", "wu", "yu"]
    assert table["rank"].tolist() == [1, 1, 3, 4, 5, 0]
    assert table["raw_rate"].tolist()[:3] == [0.9, 0.9, 1]


def test_people_read_what_was_done() -> None:
    text = pooled_rate(TEAM, "owner").to_text()
    assert text.splitlines()[0] == "Win rates, partially pooled"
    assert "each group counts as if it had" in text
    assert "the 95% interval of the pooled rate" in text
    yu = next(line for line in text.splitlines() if line.startswith("yu"))
    assert yu.split() == ["yu", "–", "–", "0", "0", "–"]

    text = pooled_rate(TEAM, "owner", stage="lead").to_text("zh")
    assert text.splitlines()[0] == "“Lead”转化率（部分合并）"
    assert "原始比率" in text


def test_the_method_can_be_chosen() -> None:
    by_moments = pooled_rate(TEAM, "owner", method="moments")

    assert by_moments != pooled_rate(TEAM, "owner")
    with pytest.raises(DefinitionError, match="method= is one of likelihood, moments, not 'mean'"):
        pooled_rate(TEAM, "owner", method="mean")


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(UnknownAttributeError, match="'region'"):
        pooled_rate(TEAM, "region")
    with pytest.raises(UnknownStateError, match="'offer'"):
        pooled_rate(TEAM, "owner", stage="offer")
    with pytest.raises(DefinitionError, match="stage= is a stage of the funnel, not 'won'"):
        pooled_rate(TEAM, "owner", stage="won")


def test_nothing_is_ranked_of_nobody() -> None:
    nobody = pooled_rate(log(), "owner")

    assert len(nobody) == 0
    assert "each group counts as if" not in nobody.to_text()
