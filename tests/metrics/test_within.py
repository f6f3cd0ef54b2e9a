"""Conversion within a time, beside the definition in plain Python and exact fractions."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.lifetimes import Life, value_at
from metrics.logs import By, groupings, log_of, named, oracles, parts
from numpy.testing import assert_allclose
from oracle import Oracle

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import conversion_within, stage_table, wilson
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage


def lives_of(oracle: Oracle, stage: int) -> list[Life]:
    """Return how long each opportunity that came to a stage took to go on: 1; or was lost: 2."""
    found: list[Life] = []
    for history in oracle.histories().values():
        came = [row.time for row in history if stage <= row.state <= oracle.won]
        went = [row.time for row in history if stage < row.state <= oracle.won]
        assert oracle.as_of is not None
        if went:
            found.append((went[0] - came[0], 1))
        elif came and history[-1].state == oracle.lost:
            found.append((history[-1].time - came[0], 2))
        elif came:
            found.append((oracle.as_of - came[0], 0))
    return found


@given(oracles(), groupings, st.integers(1, 25))
def test_it_is_as_the_definition_says(oracle: Oracle, by: By, horizon: int) -> None:
    table = conversion_within(
        log_of(oracle), timedelta(microseconds=horizon), by=by, as_of=oracle.as_of
    )

    rows = list(table.rows())
    expected = [
        (labels, k, lives_of(part, k))
        for labels, part in parts(oracle, by).items()
        for k in range(oracle.n_stages)
    ]
    assert len(rows) == len(expected)
    values = [value_at(lives, horizon, 1) for _, _, lives in expected]
    assert_allclose(table["value"], values, rtol=1e-12, atol=1e-15)
    for row, (labels, k, lives) in zip(rows, expected, strict=True):
        assert named(labels, by).items() <= row.items()
        assert row["stage"] == f"s{k}"
        assert row["denominator"] == len(lives)
        assert row["numerator"] == sum(life[1] == 1 and life[0] <= horizon for life in lives)
        assert row["censored"] == sum(life[1] == 0 and life[0] < horizon for life in lives)
        if row["value"] is None:
            assert row["low"] is row["high"] is None
        else:
            assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1
        if row["value"] in (0, 1):
            known = row["denominator"] - row["censored"]
            assert [row["low"], row["high"]] == [*map(float, wilson(row["value"] * known, known))]
        elif row["censored"] == 0 and lives:
            assert row["value"] == pytest.approx(row["numerator"] / row["denominator"])


FUNNEL = Funnel(["lead", "demo", Stage("care", post_sale=True)])


def log(*histories: str) -> StageLog:
    """Return a log of histories such as ``"lead:1 demo:5 lost:9"``: the days of January."""
    rows = [
        (f"O-{number}", *entry.split(":"))
        for number, history in enumerate(histories)
        for entry in history.split()
    ]
    return StageLog.from_columns(
        FUNNEL,
        opportunity=[row[0] for row in rows],
        stage=[row[1] for row in rows],
        entered_at=[f"2026-01-{int(row[2]):02}" for row in rows],
        attributes={"owner": ["li" if row[0] == "O-0" else "na" for row in rows]},
        tz="UTC",
    )


def test_a_case_counted_by_hand() -> None:
    # Of five leads two go on, on the days 3 and 8; one is lost on day 5; one is open since day 6
    # and one since the last day but one.
    table = conversion_within(
        log("lead:1 demo:4", "lead:1 demo:9", "lead:1 lost:6", "lead:25", "lead:30", "lead:31"),
        "7d",
    )
    lead = next(table.rows())

    # 1/6 on day 3; on day 5 one of the four still followed is lost; nobody goes on by day 7.
    assert (lead["numerator"], lead["denominator"], lead["censored"]) == (1, 6, 3)
    assert lead["value"] == pytest.approx(1 / 4)


def test_a_skipped_stage_is_passed_in_no_time() -> None:
    table = conversion_within(log("lead:1 won:4", "lead:1 demo:20"), "5d", as_of="2026-01-31")

    assert table["value"].tolist() == [0.5, 0.5, 1]
    assert table["numerator"].tolist() == [1, 1, 1]


def test_a_churn_forestalls_the_completion_of_a_service() -> None:
    table = conversion_within(log("care:1 lost:3", "care:1 won:4"), "10d")

    assert table["value"].tolist() == [1, 1, 0.5]


def test_beyond_the_data_nothing_is_known_and_the_notes_say_so() -> None:
    table = conversion_within(log("lead:1 demo:4", "lead:1"), "10d", as_of="2026-01-06")

    assert np.isnan(table["value"][0])
    assert "no opportunity was followed for 10 d from there" in table.to_text()
    assert "没有商机从该处起被跟踪满 10 天" in table.to_text("zh")
    assert (
        "no opportunity was followed" not in conversion_within(log("lead:1 won:4"), "9d").to_text()
    )


def test_the_table_says_what_it_is() -> None:
    text = conversion_within(log("lead:1 demo:4", "lead:1"), "36h", by="owner").to_text()

    assert text.splitlines()[0] == "Conversion within 1.5 d"
    assert text.splitlines()[2].split("  ")[0] == "Owner"
    assert "within 1.5 d of coming so far (Aalen–Johansen)" in text
    assert "the 95% confidence interval, pointwise" in text


def test_in_time_it_is_the_conversion_of_the_stage_table() -> None:
    closed = log("lead:1 demo:4 won:9", "lead:1 lost:5", "lead:1 demo:3 lost:20", "lead:2 lost:31")
    table = conversion_within(closed, "1000d")

    assert table["value"].tolist()[:2] == stage_table(closed)["conversion_rate"].tolist()[:2]


@pytest.mark.parametrize("horizon", ["0d", "-3d", "soon", timedelta(0), 30])
def test_a_horizon_is_a_duration(horizon: object) -> None:
    with pytest.raises(DefinitionError, match="a duration is a positive timedelta or a text"):
        conversion_within(log("lead:1"), horizon)  # type: ignore[arg-type]


def test_without_a_horizon_there_is_no_table() -> None:
    with pytest.raises(DefinitionError, match=r"horizon= are durations, as in .* at least one"):
        conversion_within(log("lead:1"), None)  # type: ignore[arg-type]


def test_groups_are_those_of_the_log() -> None:
    with pytest.raises(UnknownAttributeError, match="'region'"):
        conversion_within(log("lead:1"), "7d", by="region")


def test_a_horizon_may_be_longer_than_the_calendar() -> None:
    assert np.isnan(conversion_within(log("lead:1"), timedelta.max)["value"][0])
