"""Real histories through the public API: the numbers that others computed, exactly."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import salesfunnel as sf

STAGES = ["A_SUBMITTED", "A_PREACCEPTED", "A_ACCEPTED", "A_FINALIZED"]
REASONS = ["A_DECLINED", "A_CANCELLED"]
LEFT_OUT = ["A_PARTLYSUBMITTED", "A_REGISTERED", "A_ACTIVATED"]


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    """What pandas made of the loan applications."""
    text = (shared_data / "bpic2012" / "expected.json").read_text(encoding="utf-8")
    numbers: dict[str, Any] = json.loads(text)
    return numbers


@pytest.fixture(scope="module")
def applications(shared_data: Path) -> sf.StageLog:
    """The loan applications of BPI Challenge 2012 as a funnel."""
    return sf.read_csv(
        shared_data / "bpic2012" / "stage_events.csv.gz",
        sf.Funnel(STAGES, REASONS),
        opportunity="case_id",
        stage="stage",
        entered_at="entered_at",
        amount="amount",
        attributes=["resource"],
        stage_map={
            "A_APPROVED": "won",
            **{reason: ("lost", reason) for reason in REASONS},
            **dict.fromkeys(LEFT_OUT),
        },
    )


def test_every_row_is_an_entry_or_ignored(
    applications: sf.StageLog, expected: dict[str, Any]
) -> None:
    assert len(applications) == expected["events"]
    assert applications.n_opportunities == expected["cases"]
    assert applications.ignored == 17_579
    assert len(applications.rejected) == 0
    assert len(applications) + applications.ignored == 60_849


def test_the_flow_is_exact_to_the_millisecond(
    applications: sf.StageLog, expected: dict[str, Any]
) -> None:
    flow = applications.flow()

    assert flow.counts.tolist() == expected["counts"]
    assert flow.durations is not None
    milliseconds = flow.durations.whole * 1_000 + flow.durations.micro // 1_000
    assert (flow.durations.micro % 1_000 == 0).all()
    assert milliseconds.tolist() == [
        [round(seconds * 1_000) for seconds in row] for row in expected["duration_sums_s"]
    ]


def test_the_flow_by_resource_adds_up_to_the_flow(applications: sf.StageLog) -> None:
    assert applications.flow(by="resource").total() == applications.flow()


def test_the_milestones_are_the_stages_reached(
    applications: sf.StageLog, expected: dict[str, Any]
) -> None:
    milestones = applications.milestones()

    entered = (~np.isnat(milestones.entered_at)).sum(axis=0).tolist()
    names = [*STAGES, "WON", "LOST"]
    assert dict(zip(names, entered, strict=True)) == expected["reached"]
    last = np.bincount(milestones.last, minlength=len(names)).tolist()
    stood = {name: n for name, n in zip(names, last, strict=True) if n}
    assert stood == expected["last_state"]


def test_the_stage_table_follows(applications: sf.StageLog, expected: dict[str, Any]) -> None:
    table = sf.metrics.stage_table(applications)

    reached, last = expected["reached"], expected["last_state"]
    assert table["entered"].tolist() == [reached[stage] for stage in STAGES]
    assert table["open"].tolist() == [last.get(stage, 0) for stage in STAGES]
    assert int(table["lost"].sum()) == reached["LOST"]
    assert int(table["advanced"][-1]) == reached["WON"]


def test_the_first_and_the_last_event(applications: sf.StageLog, expected: dict[str, Any]) -> None:
    assert applications.as_of == datetime.fromisoformat(expected["last_event"])
    first = applications.milestones().entered_at.astype("int64")
    earliest = first[first != np.iinfo(np.int64).min].min()
    assert earliest == np.datetime64(expected["first_event"].removesuffix("+00:00"), "us").astype(
        int
    )


def test_the_win_rate_and_the_cycle_have_their_denominators(
    applications: sf.StageLog, expected: dict[str, Any]
) -> None:
    win_rate = sf.metrics.win_rate(applications)

    won, lost = expected["reached"]["WON"], expected["reached"]["LOST"]
    assert win_rate["numerator"].tolist() == [won]
    assert win_rate["denominator"].tolist() == [won + lost]
    assert sf.metrics.sales_cycle(applications)["deals"].tolist() == [won]
