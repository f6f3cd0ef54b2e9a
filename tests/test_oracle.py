"""The oracle vouches for the package, so it is held to the hand-written cases and to laws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import get_args

import pytest
from golden import CASES, HOUR, Case, state_letter
from hypothesis import given
from hypothesis import strategies as st
from oracle import Flow, Mode, Oracle, Row

MODES: tuple[Mode, ...] = get_args(Mode)

# What the oracle says, in the notation of the cases.


def ask(case: Case) -> Oracle:
    options = case.options
    return Oracle(
        [Row(*row) for row in case.rows],
        case.n_stages,
        case.n_presale,
        as_of=options.get("as_of"),
        ties=options.get("ties", "input"),
    )


def named_states(values: Sequence[float], case: Case) -> dict[str, float]:
    return {state_letter(code, case.n_stages): value for code, value in enumerate(values) if value}


def named_transitions(matrix: Sequence[Sequence[float]], case: Case) -> dict[str, float]:
    return {
        f"{state_letter(source, case.n_stages)}>{target}": value
        for source, row in enumerate(matrix)
        for target, value in named_states(row, case).items()
    }


def named_flow(flow: Flow, case: Case) -> dict[str, object]:
    return {
        "counts": named_transitions(flow.counts, case),
        "starts": named_states(flow.starts, case),
        "ends": named_states(flow.ends, case),
    }


def named_milestones(times: Sequence[int | None], case: Case) -> str:
    firsts = sorted((time, code) for code, time in enumerate(times) if time is not None)
    return " ".join(f"{state_letter(code, case.n_stages)}@{time // HOUR}" for time, code in firsts)


def flow_of(oracle: Oracle, case: Case) -> Flow:
    return oracle.flow(case.options.get("repeats", "collapse"))


ANSWERS: dict[str, Callable[[Oracle, Case], object]] = {
    "as_of": lambda oracle, _: oracle.as_of,
    "status": lambda oracle, _: {
        name: oracle.status(history) for name, history in oracle.histories().items()
    },
    "furthest": lambda oracle, case: {
        name: state_letter(oracle.furthest(history), case.n_stages)
        for name, history in oracle.histories().items()
    },
    "milestones": lambda oracle, case: {
        name: named_milestones(times, case) for name, times in oracle.milestones().items()
    },
    "flow_counts": lambda oracle, case: named_transitions(flow_of(oracle, case).counts, case),
    "flow_microseconds": lambda oracle, case: named_transitions(
        flow_of(oracle, case).microseconds, case
    ),
    "flow_amount": lambda oracle, case: named_transitions(flow_of(oracle, case).amount, case),
    "starts": lambda oracle, case: named_states(flow_of(oracle, case).starts, case),
    "ends": lambda oracle, case: named_states(flow_of(oracle, case).ends, case),
    "flow_by": lambda oracle, case: {
        group: named_flow(flow, case) for group, flow in oracle.flow_by(case.options["by"]).items()
    },
    "reached": lambda oracle, _: oracle.stage_counts("reached"),
    "actual": lambda oracle, _: oracle.stage_counts("actual"),
    "strict": lambda oracle, _: oracle.stage_counts("strict"),
    "reached_by": lambda oracle, case: oracle.stage_counts_by(case.options["by"], "reached"),
    "win_rate": lambda oracle, _: oracle.win_rate(),
    "sales_cycle": lambda oracle, case: sorted(oracle.sales_cycle(case.options.get("start"))),
    "loss_reasons": lambda oracle, _: oracle.loss_reasons(),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_case(case: Case) -> None:
    oracle = ask(case)
    assert {quantity: ANSWERS[quantity](oracle, case) for quantity in case.expected} == (
        case.expected
    )


def test_every_case_has_its_own_name() -> None:
    assert Counter(case.name for case in CASES).most_common(1)[0][1] == 1


# Laws that hold for every log, however wild.


OWNERS: list[dict[str, str | None]] = [{}, {"owner": None}, {"owner": "li"}, {"owner": "na"}]
BLANKS = [  # rows with everything but their place in a history
    Row("", 0, 0, order, amount, reason, labels)
    for order in range(3)
    for amount in (None, 10, 25)
    for reason in (None, "price", "timing")
    for labels in OWNERS
]


@st.composite
def oracles(draw: st.DrawFn) -> Oracle:
    """Draw a log of any histories at all, in a funnel of 1-5 stages, 0-2 of them post-sale."""
    n_stages = draw(st.integers(1, 5))
    n_presale = draw(st.integers(max(1, n_stages - 2), n_stages))
    lost = n_stages + 1
    onward = lost + 1  # to the next state; any other move is to the state that it names
    steps = st.tuples(
        st.just(onward) | st.integers(0, lost),
        st.integers(0, 3),  # no time at all is a tie
        st.sampled_from(BLANKS),
    )
    rows = []
    for opportunity, history in enumerate(draw(st.lists(st.lists(steps, max_size=10), max_size=4))):
        state, time = -1, 0
        for move, gap, blank in history:
            state = min(state + 1, lost) if move == onward else move
            time += gap
            rows.append(blank._replace(opportunity=opportunity, state=state, time=time))
    return Oracle(
        draw(st.permutations(rows)) if draw(st.booleans()) else rows,
        n_stages,
        n_presale,
        as_of=draw(st.none() | st.integers(-1, 20)),
        ties=draw(st.sampled_from(["input", "state", "order"])),
    )


def check_reached(oracle: Oracle) -> None:
    """Assert everything that the design promises of the mode ``reached``."""
    table = oracle.stage_counts("reached")
    presale = slice(oracle.n_presale)
    n = Counter(oracle.status(history) for history in oracle.histories().values())
    assert table["entered"] == [
        advanced + lost + is_open
        for advanced, lost, is_open in zip(
            table["advanced"], table["lost"], table["open"], strict=True
        )
    ]
    assert all(before >= after for before, after in pairwise(table["entered"]))
    assert sum(table["lost"][presale]) == n["lost"]
    assert sum(table["open"][presale]) == n["open"]
    assert table["advanced"][oracle.n_presale - 1] == n["won"] + n["churned"]
    assert table["entered"][0] == n.total()
    # Not promised in so many words, but what "lost = churns before completion, also in `churned`"
    # comes to.
    assert table["advanced"][:-1] == table["entered"][1:]
    assert sum(table["churned"]) == n["churned"]
    for k in range(oracle.n_presale, oracle.n_stages):
        assert table["churned"][k] >= table["lost"][k]


@given(oracles())
def test_reached_adds_up_for_any_log(oracle: Oracle) -> None:
    check_reached(oracle)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reached_adds_up_for_golden_cases(case: Case) -> None:
    check_reached(ask(case))


@given(oracles())
def test_strict_adds_up_and_never_grows(oracle: Oracle) -> None:
    table = oracle.stage_counts("strict")
    assert all(count >= 0 for column in table.values() for count in column)
    assert table["advanced"][:-1] == table["entered"][1:]
    for k, entered in enumerate(table["entered"]):
        rest = table["advanced"][k] + table["lost"][k] + table["open"][k] + table["skipped"][k]
        assert entered == rest


@given(oracles())
def test_actual_stands_where_the_flow_ends(oracle: Oracle) -> None:
    table = oracle.stage_counts("actual")
    milestones = oracle.milestones().values()
    for k in range(oracle.n_stages):
        assert table["entered"][k] == sum(times[k] is not None for times in milestones)
        assert table["advanced"][k] <= table["entered"][k]
        assert table["open"][k] == oracle.flow().ends[k]
        assert table["lost"][k] <= oracle.flow().counts[k][oracle.lost]


@given(oracles())
def test_what_flows_in_flows_out_or_stays(oracle: Oracle) -> None:
    flow = oracle.flow()
    histories = oracle.histories()
    for state in range(oracle.n_states):
        inflow = sum(row[state] for row in flow.counts)
        assert flow.starts[state] + inflow == flow.ends[state] + sum(flow.counts[state])
        assert flow.counts[state][state] == 0
    assert sum(flow.starts) == sum(flow.ends) == len(histories)
    assert sum(map(sum, flow.microseconds)) == sum(
        history[-1].time - history[0].time for history in histories.values()
    )


@given(oracles())
def test_kept_repeats_are_on_the_diagonal_alone(oracle: Oracle) -> None:
    kept, collapsed = oracle.flow("keep"), oracle.flow()
    for source in range(oracle.n_states):
        for target in range(oracle.n_states):
            if source != target:
                assert kept.counts[source][target] == collapsed.counts[source][target]
    assert (kept.starts, kept.ends) == (collapsed.starts, collapsed.ends)
    assert sum(map(sum, kept.counts)) == sum(
        len(history) - 1 for history in oracle.histories("keep").values()
    )


def add(columns: Sequence[Sequence[float]]) -> list[float]:
    return [sum(values) for values in zip(*columns, strict=True)]


@given(oracles())
def test_groups_add_up_to_the_whole(oracle: Oracle) -> None:
    whole, flows = oracle.flow(), list(oracle.flow_by("owner").values())
    for state in range(oracle.n_states) if flows else ():
        assert add([flow.counts[state] for flow in flows]) == whole.counts[state]
        assert add([flow.microseconds[state] for flow in flows]) == whole.microseconds[state]
        assert add([flow.amount[state] for flow in flows]) == whole.amount[state]
    assert sum(sum(flow.starts) for flow in flows) == sum(whole.starts)
    assert sum(sum(flow.ends) for flow in flows) == sum(whole.ends)
    for mode in MODES:
        tables = list(oracle.stage_counts_by("owner", mode).values())
        for column, values in oracle.stage_counts(mode).items() if tables else ():
            assert add([table[column] for table in tables]) == values


@given(oracles())
def test_the_future_does_not_exist(oracle: Oracle) -> None:
    past = [row for row in oracle.rows if oracle.as_of is not None and row.time <= oracle.as_of]
    truncated = Oracle(past, oracle.n_stages, oracle.n_presale, ties=oracle.ties)
    assert truncated.histories() == oracle.histories()


@given(oracles())
def test_the_order_of_opportunities_means_nothing(oracle: Oracle) -> None:
    apart = sorted(oracle.rows, key=lambda row: str(row.opportunity), reverse=True)
    other = Oracle(apart, oracle.n_stages, oracle.n_presale, as_of=oracle.as_of, ties=oracle.ties)
    assert other.histories() == oracle.histories()


@given(oracles())
def test_sales_cycles_belong_to_wins(oracle: Oracle) -> None:
    wins, resolved = oracle.win_rate()
    assert sum(oracle.loss_reasons().values()) == resolved - wins
    from_first = oracle.sales_cycle()
    assert len(from_first) == wins
    for start in range(oracle.n_presale):
        from_stage = oracle.sales_cycle(start)
        for later, longest in zip(from_stage, from_first, strict=True):
            assert 0 <= later <= longest
