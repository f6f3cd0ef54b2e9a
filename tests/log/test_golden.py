"""Every golden case, through the public way into a log: as given, and with its rows shuffled."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from golden import CASES, HOUR, Case, Row, state_letter
from histories import EPOCH, counts_by_group, counts_values, flow_values, flows_by_group
from numpy.typing import NDArray

from salesfunnel.kernel.standing import LOST
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

METRICS = {"win_rate", "sales_cycle"}
"""Quantities that are no business of a log: they are tested with the metrics."""


def log_of(case: Case, rows: Sequence[Row]) -> StageLog:
    funnel = Funnel([Stage(f"s{k}", post_sale=k >= case.n_presale) for k in range(case.n_stages)])
    ties = case.options.get("ties", "input")
    attributes = {name for row in rows for name in row.labels}
    return StageLog.from_columns(
        funnel,
        opportunity=[row.opportunity for row in rows],
        stage=[funnel.states[row.state] for row in rows],
        entered_at=np.array([row.time for row in rows], np.int64),
        reason=[row.reason for row in rows],
        amount=[row.amount for row in rows],
        attributes={name: [row.labels.get(name) for row in rows] for name in attributes},
        order=[row.order for row in rows] if ties == "order" else None,
        ties="state" if ties == "state" else "input",
    )


def shuffled(case: Case) -> list[Row]:
    """Return the rows in another order; only those whose order settles a tie keep theirs."""
    ties = case.options.get("ties", "input")
    order = list(range(len(case.rows)))
    Random(case.name).shuffle(order)
    tied = defaultdict(list)
    for place, index in enumerate(order):
        row = case.rows[index]
        settled_by = {"input": None, "state": row.state, "order": row.order}[ties]
        tied[row.opportunity, row.time, settled_by].append((place, index))
    rows = list(case.rows)
    for members in tied.values():
        places = sorted(place for place, _ in members)
        indices = sorted(index for _, index in members)
        for place, index in zip(places, indices, strict=True):
            rows[place] = case.rows[index]
    return rows


# What the log says, in the notation of the cases.


def named_states(values: Sequence[int], case: Case) -> dict[str, int]:
    return {state_letter(code, case.n_stages): value for code, value in enumerate(values) if value}


def named_transitions(matrix: Sequence[Sequence[int]], case: Case) -> dict[str, int]:
    return {
        f"{state_letter(source, case.n_stages)}>{target}": value
        for source, row in enumerate(matrix)
        for target, value in named_states(row, case).items()
    }


def flow_of(log: StageLog, case: Case) -> dict[str, Any]:
    options = case.options
    return flow_values(
        log.flow(as_of=options.get("as_of"), repeats=options.get("repeats", "collapse"))
    )


def flow_by(log: StageLog, case: Case) -> dict[str | None, object]:
    flow = log.flow(by=case.options["by"], as_of=case.options.get("as_of"))
    return {
        group: {
            "counts": named_transitions(values["counts"], case),
            "starts": named_states(values["starts"], case),
            "ends": named_states(values["ends"], case),
        }
        for group, values in flows_by_group(flow).items()
    }


def amounts(log: StageLog, case: Case) -> dict[str, int]:
    # The oracle's amounts are millionths; those of the cases are whole.
    by_transition = named_transitions(flow_of(log, case)["amount"], case)
    return {name: millionths // 1_000_000 for name, millionths in by_transition.items()}


def milestones(log: StageLog, case: Case) -> dict[str, str]:
    found = log.milestones(as_of=case.options.get("as_of"))
    return {
        opportunity: named_milestones(times, case)
        for opportunity, times in zip(found.opportunity, found.entered_at, strict=True)
    }


def named_milestones(times: NDArray[np.datetime64], case: Case) -> str:
    hours = times.astype(np.int64) // HOUR
    firsts = sorted((hours[code], code) for code in np.flatnonzero(~np.isnat(times)).tolist())
    return " ".join(f"{state_letter(code, case.n_stages)}@{hour}" for hour, code in firsts)


def by_opportunity(log: StageLog, case: Case, quantity: str) -> dict[str, Any]:
    found = log.milestones(as_of=case.options.get("as_of"))
    return dict(zip(found.opportunity, getattr(found, quantity).tolist(), strict=True))


def furthest(log: StageLog, case: Case) -> dict[str, str]:
    codes = by_opportunity(log, case, "furthest")
    return {name: state_letter(code, case.n_stages) for name, code in codes.items()}


def loss_reasons(log: StageLog, case: Case) -> dict[tuple[int, str | None], int]:
    view = log.view(case.options.get("as_of"))
    names = (*(log.reasons.names if log.reasons is not None else ()), None)
    lost = np.flatnonzero(view.standing.status == LOST)
    return Counter(
        (int(view.standing.furthest[i]), names[view.loss_reason[i]]) for i in lost.tolist()
    )


def as_of(log: StageLog, case: Case) -> int | None:
    instant = log.flow(as_of=case.options.get("as_of")).as_of
    return None if instant is None else int((instant - EPOCH).total_seconds()) * 1_000_000


ANSWERS: dict[str, Callable[[StageLog, Case], object]] = {
    "as_of": as_of,
    "status": lambda log, case: by_opportunity(log, case, "status"),
    "furthest": furthest,
    "milestones": milestones,
    "flow_counts": lambda log, case: named_transitions(flow_of(log, case)["counts"], case),
    "flow_microseconds": lambda log, case: named_transitions(
        flow_of(log, case)["microseconds"], case
    ),
    "flow_amount": amounts,
    "starts": lambda log, case: named_states(flow_of(log, case)["starts"], case),
    "ends": lambda log, case: named_states(flow_of(log, case)["ends"], case),
    "flow_by": flow_by,
    "reached": lambda log, case: counts_values(
        log.stage_counts("reached", as_of=case.options.get("as_of"))
    ),
    "actual": lambda log, case: counts_values(
        log.stage_counts("actual", as_of=case.options.get("as_of"))
    ),
    "strict": lambda log, case: counts_values(
        log.stage_counts("strict", as_of=case.options.get("as_of"))
    ),
    "reached_by": lambda log, case: counts_by_group(
        log.stage_counts("reached", by=case.options["by"], as_of=case.options.get("as_of"))
    ),
    "loss_reasons": loss_reasons,
}


def check(case: Case, rows: Sequence[Row]) -> None:
    log = log_of(case, rows)
    expected = {name: value for name, value in case.expected.items() if name not in METRICS}
    assert {quantity: ANSWERS[quantity](log, case) for quantity in expected} == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_case(case: Case) -> None:
    check(case, case.rows)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_case_with_its_rows_in_another_order(case: Case) -> None:
    check(case, shuffled(case))


def test_most_cases_have_rows_to_shuffle() -> None:
    moved = [case.name for case in CASES if shuffled(case) != case.rows]
    assert len(moved) > len(CASES) / 2
