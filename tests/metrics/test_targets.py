"""Conversion and loss against their targets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.logs import By, groupings, log_of, oracles
from oracle import Mode, Oracle

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import against_target, against_targets, stage_table, wilson
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

counts = st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def log(
    advanced: int,
    lost: int,
    still: int,
    target_conversion: float | None = None,
    target_loss: float | None = None,
) -> StageLog:
    """Return a log of so many that went on from the lead, were lost there and are open there."""
    lead = Stage("lead", target_conversion=target_conversion, target_loss=target_loss)
    funnel = Funnel([lead, Stage("demo"), Stage("care", post_sale=True)])
    histories = [["lead", "demo"]] * advanced + [["lead", "lost"]] * lost + [["lead"]] * still
    rows = [
        (number, state, f"2026-01-0{day}")
        for number, history in enumerate(histories)
        for day, state in enumerate(history, start=1)
    ]
    ids, states, days = zip(*rows, strict=True) if rows else ((), (), ())
    return StageLog.from_columns(
        funnel, opportunity=list(ids), stage=list(states), entered_at=list(days), tz="UTC"
    )


def flags(table_of: StageLog) -> tuple[str | None, str | None]:
    row = next(against_targets(table_of).rows())
    return row["conversion_target"], row["loss_target"]


def test_a_flag_needs_an_interval_that_supports_it() -> None:
    # 60 of 100 went on (50.2 to 69.1%), 20 were lost (13.3 to 28.9%).
    assert flags(log(60, 20, 20, target_conversion=0.5, target_loss=0.29)) == ("met", "met")
    assert flags(log(60, 20, 20, target_conversion=0.51, target_loss=0.28)) == ("unclear",) * 2
    assert flags(log(60, 20, 20, target_conversion=0.7, target_loss=0.13)) == ("missed",) * 2
    # The same shares of 10 say nothing yet.
    assert flags(log(6, 2, 2, target_conversion=0.7, target_loss=0.13)) == ("unclear", "unclear")


def test_without_a_target_there_is_no_flag() -> None:
    assert flags(log(60, 20, 20)) == (None, None)
    table = against_targets(log(60, 20, 20, target_conversion=0.5))
    assert table["conversion_target"].tolist() == ["met", None, None]
    assert table["loss_target"].tolist() == [None, None, None]
    assert np.isnan(table["target_loss"]).all()


def test_a_target_of_zero_or_one() -> None:
    assert flags(log(0, 0, 3, target_conversion=0, target_loss=0)) == ("met", "unclear")
    assert flags(log(0, 1, 99, target_conversion=0, target_loss=0)) == ("met", "missed")
    assert flags(log(99, 0, 1, target_conversion=1, target_loss=1)) == ("missed", "met")
    assert flags(log(100, 0, 0, target_conversion=1, target_loss=1)) == ("unclear", "met")
    assert flags(log(0, 0, 0, target_conversion=0, target_loss=0)) == ("unclear", "unclear")


@given(counts, st.floats(0, 1), st.booleans())
def test_a_rate_on_the_wrong_side_never_meets_its_target(
    count: tuple[int, int], target: float, at_most: bool
) -> None:
    k, n = count
    (flag,) = against_target(*wilson([k], [n]), target, at_most=at_most).tolist()
    value = k / n if n else math.nan

    if flag == "met":
        assert value <= target if at_most else value >= target
    if flag == "missed":
        assert value > target if at_most else value < target
    if n == 0:
        assert flag == "unclear"


@given(oracles(), st.sampled_from(["reached", "actual", "strict"]), groupings)
def test_its_rates_are_those_of_the_stage_table(oracle: Oracle, mode: Mode, by: By) -> None:
    table = against_targets(log_of(oracle), mode, by=by, as_of=oracle.as_of)
    stages = stage_table(log_of(oracle), mode, by=by, as_of=oracle.as_of)

    new = {"target_conversion", "conversion_target", "target_loss", "loss_target"}
    shared = [name for name in table.columns if name not in new]
    assert table.select(*shared) == stages.select(*shared)
    assert {"entered", "conversion_rate_high", "loss_rate_numerator"} < {*shared}


def test_people_read_words() -> None:
    met = log(60, 20, 20, target_conversion=0.5, target_loss=0.2)

    text, chinese = against_targets(met).to_text(), against_targets(met).to_text("zh")
    row = "Lead 100 60.0% (50.2–69.1) 50.0% met 20.0% (13.3–28.9) 20.0% not enough data"
    assert text.splitlines()[4].split() == row.split()
    assert chinese.splitlines()[4].split()[-1] == "数据不足"
    assert "only where the whole interval says so" in text


def test_flags_broadcast() -> None:
    found = against_target([[0.3], [0.6]], [[0.5], [0.9]], [0.2, 0.55, math.nan])

    assert found.tolist() == [["met", "missed", None], ["met", "met", None]]


def test_an_attribute_cannot_hide_a_column() -> None:
    hiding = StageLog.from_columns(
        Funnel(["lead"]),
        opportunity=["A"],
        stage=["lead"],
        entered_at=["2026-01-01"],
        attributes={"target_loss": ["x"]},
        tz="UTC",
    )

    with pytest.raises(DefinitionError, match="the table has a column of that name"):
        against_targets(hiding, by="target_loss")
