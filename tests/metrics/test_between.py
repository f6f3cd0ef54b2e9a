"""Conversion between any two stages, beside the definitions in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, groupings, log_of, named, oracles, parts
from oracle import History, Mode, Oracle

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import conversion_between, conversion_matrix, stage_table
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

MODES: tuple[Mode, ...] = get_args(Mode)


def came_to(oracle: Oracle, mode: Mode) -> Callable[[History, int, int], bool]:
    """Return what says whether an opportunity that entered a stage reached a state from there."""

    def by_number(number: Callable[[History], int]) -> Callable[[History, int, int], bool]:
        return lambda history, source, target: number(history) >= max(source, target)

    def afterwards(history: History, source: int, target: int) -> bool:
        states = [row.state for row in history]
        return source in states and target in states[states.index(source) :]

    if mode == "actual":
        return afterwards
    return by_number(oracle.furthest if mode == "reached" else oracle.depth)


@given(oracles(), st.sampled_from(MODES), groupings, st.booleans())
def test_pairs_count_as_the_definitions_say(oracle: Oracle, mode: Mode, by: By, back: bool) -> None:
    back = back and mode == "actual"
    table = conversion_between(log_of(oracle), mode, by=by, as_of=oracle.as_of, back=back)

    names = [*(f"s{k}" for k in range(oracle.n_stages)), "won"]
    rows, numerator, denominator = [], [], []
    for labels, part in parts(oracle, by).items():
        reached, histories = came_to(part, mode), part.histories().values()
        for source in range(oracle.n_stages):
            for target in range(oracle.n_stages + 1):
                if target > source or (back and target < source):
                    rows.append(named(labels, by) | {"from": names[source], "to": names[target]})
                    numerator.append(sum(reached(h, source, target) for h in histories))
                    denominator.append(sum(reached(h, source, source) for h in histories))
    assert list(table.select(*(rows[0] if rows else ())).rows()) == rows
    check_rate(table, "value", numerator, denominator)


@given(oracles(), st.sampled_from(["reached", "strict"]), groupings)
def test_from_each_stage_to_the_next_is_the_conversion_of_the_stage_table(
    oracle: Oracle, mode: Mode, by: By
) -> None:
    log = log_of(oracle)
    between = conversion_between(log, mode, by=by, as_of=oracle.as_of)
    stages = stage_table(log, mode, by=by, as_of=oracle.as_of)

    states = log.funnel.states
    onward = [
        states.index(target) == states.index(source) + 1
        for source, target in zip(between["from"], between["to"], strict=True)
    ]
    for part, name in (("numerator", "advanced"), ("denominator", "entered")):
        assert between[part][onward].tolist() == stages[name].tolist()
    np.testing.assert_array_equal(between["value"][onward], stages["conversion_rate"])


SERVICE = Funnel([Stage("lead"), Stage("demo"), Stage("offer"), Stage("care", post_sale=True)])


def log(*histories: str) -> StageLog:
    """Return a log of histories such as ``"lead demo won"``, an entry an hour."""
    rows = [
        (f"O-{number}", state, f"2026-01-01T{hour:02}:00Z")
        for number, history in enumerate(histories)
        for hour, state in enumerate(history.split())
    ]
    ids, states, times = zip(*rows, strict=True) if rows else ((), (), ())
    return StageLog.from_columns(
        SERVICE, opportunity=list(ids), stage=list(states), entered_at=list(times)
    )


DEALS = log(
    "lead demo offer care won",
    "lead offer care",  # skipped the demo
    "lead offer demo lost",  # stepped back to it
    "demo lead",  # began there
    "lead lost",
)


@pytest.mark.parametrize(
    ("mode", "counts"),
    [
        ("reached", {"lead demo": (4, 5), "lead care": (2, 5), "demo offer": (3, 4)}),
        ("actual", {"lead demo": (2, 5), "lead care": (2, 5), "demo offer": (1, 3)}),
        ("strict", {"lead demo": (1, 4), "lead care": (1, 4), "demo offer": (1, 1)}),
    ],
)
def test_a_small_case_by_hand(mode: str, counts: dict[str, tuple[int, int]]) -> None:
    table = conversion_between(DEALS, mode)

    found = {
        f"{row['from']} {row['to']}": (row["numerator"], row["denominator"]) for row in table.rows()
    }
    assert found.items() >= counts.items()
    assert len(found) == 10


def test_pairs_that_lead_back() -> None:
    table = conversion_between(DEALS, "actual", back=True)

    states = SERVICE.states
    back = {
        f"{row['from']} {row['to']}": row["numerator"]
        for row in table.rows()
        if row["numerator"] and states.index(row["from"]) > states.index(row["to"])
    }
    assert back == {"offer demo": 1, "demo lead": 1}
    assert len(table) == 16
    with pytest.raises(DefinitionError, match=r"back=True needs mode='actual': in the mode 'stri"):
        conversion_between(DEALS, "strict", back=True)


def test_the_notes_say_what_reaching_means() -> None:
    reached, actual = conversion_between(DEALS).to_text(), conversion_between(DEALS, "actual")

    assert "Reached: came at least so far, by whatever way." in reached
    assert "with its service complete" in reached
    assert "an entry into the state after its first entry into the other" in actual.to_text()
    assert "with its service complete" not in actual.to_text()
    assert "到达：按顺序逐一经过各阶段" in conversion_between(DEALS, "strict").to_text("zh")


def test_nothing_is_known_of_nothing() -> None:
    for mode in MODES:
        table = conversion_between(log(), mode)
        assert len(table) == 10
        assert np.isnan(table["value"]).all()


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(DefinitionError, match="mode= is one of reached, actual, strict, not 'all'"):
        conversion_between(DEALS, "all")
    with pytest.raises(UnknownAttributeError, match="no attribute 'owner'"):
        conversion_between(DEALS, by="owner")


def test_the_matrix_takes_groups_and_empty_stages() -> None:
    counts = np.array([[[4, 2, 1], [0, 2, 1]], [[0, 0, 0], [0, 0, 0]]])

    rates = conversion_matrix(counts)

    assert rates[0].tolist() == [[1, 0.5, 0.25], [0, 1, 0.5]]
    assert np.isnan(rates[1]).all()
