"""Where deals were lost from, beside the definitions in plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from metrics.checks import check_rate
from metrics.logs import By, amount_of, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import lost_from
from salesfunnel.model.funnel import Funnel


@given(oracles(), groupings)
def test_it_counts_as_the_definitions_say(oracle: Oracle, by: By) -> None:
    table = lost_from(log_of(oracle), by=by, as_of=oracle.as_of)

    rows, numerator, denominator = [], [], []
    for labels, part in parts(oracle, by).items():
        counts: Counter[tuple[int, int]] = Counter()
        amounts: Counter[tuple[int, int]] = Counter()
        for history in part.histories().values():
            if part.status(history) == "lost":
                stood = part.lost_from(history)
                pair = part.furthest(history), 99 if stood is None else stood
                counts[pair] += 1
                amounts[pair] += amount_of(history)  # type: ignore[assignment]
        for furthest, stood in sorted(counts):
            name = None if stood == 99 else f"s{stood}"
            rows.append(named(labels, by) | {"furthest": f"s{furthest}", "stood": name})
            rows[-1]["amount"] = amounts[furthest, stood]  # type: ignore[assignment]
            numerator.append(counts[furthest, stood])
            denominator.append(counts.total())
    assert list(table.select(*(rows[0] if rows else ())).rows()) == rows
    check_rate(table, "value", numerator, denominator)


def test_a_step_back_shows() -> None:
    histories = ["lead demo lost", "lead demo lead lost", "lead lost", "lost", "lead demo won lost"]
    rows = [
        (number, state, f"2026-01-0{day}")
        for number, history in enumerate(histories)
        for day, state in enumerate(history.split(), start=1)
    ]
    ids, states, days = zip(*rows, strict=True)
    log = StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=list(ids),
        stage=list(states),
        entered_at=list(days),
        tz="UTC",
    )

    table = lost_from(log)

    assert list(table.select("furthest", "stood", "numerator").rows()) == [
        {"furthest": "lead", "stood": "lead", "numerator": 1},
        {"furthest": "lead", "stood": None, "numerator": 1},
        {"furthest": "demo", "stood": "lead", "numerator": 1},
        {"furthest": "demo", "stood": "demo", "numerator": 1},
    ]  # the deal that churned is not lost
    assert table["denominator"].tolist() == [4, 4, 4, 4]
    text = table.to_text()
    assert [line.split()[:2] for line in text.splitlines()[4:8]] == [
        ["Lead", "Lead"],
        ["Lead", "–"],
        ["Demo", "Lead"],
        ["Demo", "Demo"],
    ]
    assert "Where they differ, it had stepped back" in text
    assert "Lost amount" not in text


def test_a_log_without_losses_has_no_rows() -> None:
    log = StageLog.from_columns(Funnel(["lead"]), opportunity=[], stage=[], entered_at=[])

    table = lost_from(log)
    assert len(table) == 0
    assert table["numerator"].dtype == np.int64
