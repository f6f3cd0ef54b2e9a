"""The metrics of the golden cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from golden import CASES, Case

from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import flow_table, loss_table, sales_cycle, stage_table, win_rate
from salesfunnel.metrics.cycle import cycle_days
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage
from salesfunnel.table import Table


def log_of(case: Case) -> StageLog:
    rows = case.rows
    names = {name for row in rows for name in row.labels}
    ties = case.options.get("ties", "input")
    return StageLog.from_columns(
        Funnel([Stage(str(k), post_sale=k >= case.n_presale) for k in range(case.n_stages)]),
        opportunity=[row.opportunity for row in rows],
        stage=np.array([row.state for row in rows], np.int64),
        entered_at=np.array([row.time for row in rows], np.int64),
        reason=[row.reason for row in rows],
        amount=[row.amount for row in rows],
        attributes={name: [row.labels.get(name) for row in rows] for name in sorted(names)},
        order=[row.order for row in rows] if ties == "order" else None,
        ties="state" if ties == "state" else "input",
    )


def stages_of(table: Table, rows: Sequence[int] | None = None) -> dict[str, list[int]]:
    names = ["entered", "advanced", "lost", "open", "churned"]
    names += ["skipped"] if "skipped" in table else []
    picked = range(len(table)) if rows is None else rows
    return {name: [table[name].tolist()[row] for row in picked] for name in names}


def stages_by(table: Table, name: str) -> dict[str | None, dict[str, list[int]]]:
    labels = table[name].tolist()
    return {
        label: stages_of(table, [row for row, other in enumerate(labels) if other == label])
        for label in dict.fromkeys(labels)
    }


def transitions_of(table: Table, column: str) -> dict[str, float]:
    letters = {"won": "W", "lost": "L"}
    return {
        f"{letters.get(row['from'], row['from'])}>{letters.get(row['to'], row['to'])}": row[column]
        for row in table.rows()
        if row[column]
    }


def reasons_of(table: Table) -> dict[tuple[int, str | None], int]:
    return Counter({(int(row["stage"]), row["reason"]): row["numerator"] for row in table.rows()})


def fraction_of(table: Table) -> tuple[int, int]:
    (row,) = table.rows()
    return row["numerator"], row["denominator"]


def cycles_of(log: StageLog, case: Case) -> list[int]:
    start = str(case.options["start"]) if "start" in case.options else None
    as_of = case.options.get("as_of")
    _, days = cycle_days(log.view(as_of), start)
    assert sales_cycle(log, start=start, as_of=as_of)["deals"].tolist() == [len(days)]
    return sorted(round(length * 86_400_000_000) for length in days.tolist())


ANSWERS: dict[str, Callable[[StageLog, Case], object]] = {
    mode: lambda log, case, mode=mode: stages_of(
        stage_table(log, mode, as_of=case.options.get("as_of"))
    )
    for mode in ("reached", "actual", "strict")
} | {
    "reached_by": lambda log, case: stages_by(
        stage_table(log, by=case.options["by"], as_of=case.options.get("as_of")),
        case.options["by"],
    ),
    "win_rate": lambda log, case: fraction_of(win_rate(log, as_of=case.options.get("as_of"))),
    "sales_cycle": cycles_of,
    "loss_reasons": lambda log, case: reasons_of(
        loss_table(log, by_stage=True, as_of=case.options.get("as_of"))
    ),
    "flow_counts": lambda log, case: transitions_of(
        flow_table(log, as_of=case.options.get("as_of")), "transitions"
    ),
    "flow_amount": lambda log, case: transitions_of(
        flow_table(log, as_of=case.options.get("as_of")), "amount"
    ),
}
KNOWN = [
    case
    for case in CASES
    # A table of transitions leaves out repeats.
    if ANSWERS.keys() & case.expected.keys() and "repeats" not in case.options
]


def test_there_are_cases_for_every_metric() -> None:
    assert {name for case in KNOWN for name in case.expected} >= ANSWERS.keys()


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.name)
def test_golden_case(case: Case) -> None:
    log = log_of(case)
    asked = ANSWERS.keys() & case.expected.keys()

    assert {name: ANSWERS[name](log, case) for name in asked} == {
        name: value for name, value in case.expected.items() if name in asked
    }
