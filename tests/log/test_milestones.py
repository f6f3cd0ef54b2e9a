"""Milestones: what the oracle says of first entries, status and furthest state."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from histories import log_of, oracles
from hypothesis import given
from hypothesis import strategies as st
from oracle import Oracle

from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel


@given(oracles(), st.booleans())
def test_milestones_are_what_the_oracle_says(oracle: Oracle, bare: bool) -> None:
    found = log_of(oracle, bare=bare).milestones(as_of=oracle.as_of)

    histories = oracle.histories()
    names = found.opportunity.tolist()
    times = [
        [None if np.isnat(time) else int(time.astype(np.int64)) for time in row]
        for row in found.entered_at
    ]
    assert dict(zip(names, times, strict=True)) == oracle.milestones()
    assert found.status.tolist() == [oracle.status(histories[name]) for name in names]
    assert found.furthest.tolist() == [oracle.furthest(histories[name]) for name in names]
    assert found.last.tolist() == [histories[name][-1].state for name in names]
    assert len(found) == len(histories)


def test_times_are_in_utc_and_never_is_not_a_time() -> None:
    log = StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=["A"],
        stage=["demo"],
        entered_at=["2026-01-31T08:00:00+08:00"],
    )

    found = log.milestones()

    assert found.entered_at.dtype == np.dtype("datetime64[us]")
    assert found.entered_at[0, 1] == np.datetime64("2026-01-31T00:00:00")
    assert np.isnat(found.entered_at[0, [0, 2, 3]]).all()
    assert found.states == ("lead", "demo", "won", "lost")
    assert found.as_of == datetime(2026, 1, 31, tzinfo=UTC)


def test_milestones_cannot_be_changed_under_the_log() -> None:
    log = StageLog.from_columns(
        Funnel(["lead"]), opportunity=["A"], stage=["lead"], entered_at=np.array([0])
    )
    found = log.milestones()

    for column in (found.entered_at, found.status_code, found.furthest, found.last):
        with pytest.raises(ValueError, match="read-only"):
            column[...] = 1
