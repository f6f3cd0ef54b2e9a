"""The same histories twice: as rows for the oracle, and as a log.

The oracle's states are codes and its amounts millionths, both integers, so that every answer of the
two can be compared exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st
from oracle import Flow, Mode, Oracle, Row, Ties, last_known

from salesfunnel.log.stagecounts import StageCounts
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
ATTRIBUTES = ("owner", "region")
MILLION = 1_000_000


def moment(microseconds: int) -> datetime:
    """Return microseconds since 1970 as a datetime."""
    return EPOCH + timedelta(microseconds=microseconds)


def funnel_of(oracle: Oracle) -> Funnel:
    """Return a funnel of as many stages, called s0, s1 …, that knows the reason ``price``."""
    stages = [Stage(f"s{k}", post_sale=k >= oracle.n_presale) for k in range(oracle.n_stages)]
    return Funnel(stages, ["price"])


FORMS: dict[str, Callable[[list[int]], Any]] = {
    "microseconds": lambda times: np.array(times, np.int64),
    "datetime64": lambda times: np.array(times, "datetime64[us]"),
    "datetimes": lambda times: [moment(time) for time in times],
    "texts": lambda times: [moment(time).isoformat() for time in times],
}
"""How times may be given."""


def log_of(
    oracle: Oracle,
    rows: Sequence[Row] | None = None,
    *,
    form: str = "microseconds",
    bare: bool = False,
) -> StageLog:
    """Return the log of an oracle's rows, or of others; `bare`, of histories alone, in arrays."""
    rows = oracle.rows if rows is None else rows
    ids = [row.opportunity for row in rows]
    known: dict[str, Any] = {
        "reason": [row.reason for row in rows],
        "amount": [None if row.amount is None else row.amount / MILLION for row in rows],
        "attributes": {name: [row.labels.get(name) for row in rows] for name in ATTRIBUTES},
    }
    return StageLog.from_columns(
        funnel_of(oracle),
        opportunity=np.array(ids) if bare else ids,
        stage=np.array([row.state for row in rows], np.int64),
        entered_at=FORMS[form]([row.time for row in rows]),
        order=[row.order for row in rows] if oracle.ties == "order" else None,
        ties="state" if oracle.ties == "state" else "input",
        tz="UTC",
        **({} if bare else known),
    )


def grouped(oracle: Oracle, *attributes: str) -> Oracle:
    """Return an oracle whose rows have one more label, ``group``: what is known of some by then.

    The oracle groups by one label; to group by several, they are made one.
    """
    rows = []
    for history in oracle.histories("keep").values():
        for place, row in enumerate(history):
            known = tuple(
                last_known(earlier.labels.get(name) for earlier in history[: place + 1])
                for name in attributes
            )
            labels = {**row.labels, "group": known if len(known) > 1 else known[0]}
            rows.append(row._replace(order=place, labels=labels))
    return Oracle(rows, oracle.n_stages, oracle.n_presale, as_of=oracle.as_of, ties="order")


# ── comparing ─────────────────────────────────────────────────────────────────────────────────────


def flow_values(flow: StageFlow) -> dict[str, Any]:
    """Return a flow without groups as plain integers, durations in microseconds."""

    def millionths(sums: Any) -> list[list[int]] | None:
        if sums is None:
            return None
        assert ((sums.micro >= 0) & (sums.micro < MILLION)).all()
        exact = sums.whole.astype(object) * MILLION + sums.micro.astype(object)
        plain: list[list[int]] = exact.tolist()
        return plain

    return {
        "counts": flow.counts.tolist(),
        "microseconds": millionths(flow.durations),
        "amount": millionths(flow.amounts),
        "starts": flow.starts.tolist(),
        "ends": flow.ends.tolist(),
    }


def flows_by_group(flow: StageFlow) -> dict[Any, dict[str, Any]]:
    """Return the flow of each group as plain integers."""
    assert flow.groups is not None
    return {group: flow_values(flow[group]) for group in flow.groups}


def counts_values(counts: StageCounts) -> dict[str, list[int]]:
    """Return stage counts without groups as plain integers, those of the oracle."""
    names = ["entered", "advanced", "lost", "open", "churned"]
    names += ["skipped"] if counts.mode == "strict" else []
    return {name: getattr(counts, name).tolist() for name in names}


def counts_by_group(counts: StageCounts) -> dict[Any, dict[str, list[int]]]:
    """Return the stage counts of each group as plain integers."""
    assert counts.groups is not None
    return {group: counts_values(counts[group]) for group in counts.groups}


def oracle_values(flow: Flow) -> dict[str, Any]:
    """Return a flow of the oracle in the same form."""
    return vars(flow)


# ── drawing ───────────────────────────────────────────────────────────────────────────────────────

_IDS: list[list[Hashable]] = [
    [0, 1, 2, 3, 4],
    [7, 3, 1_000, 5, 6],
    [-(2**63), 2**63 - 1, 0, -1, 1],
    ["O-1", "O-10", "商机", "=1", "a,b"],
    [2**70, 1, -(2**70), 2, 3],
]
_BLANKS = [  # rows with everything but their place in a history
    Row("", 0, 0, order, amount, reason, {"owner": owner, "region": region})
    for order in range(3)
    for amount in (None, 12_340_000, -1, 9_000_000_000_000_000_000)
    for reason in (None, "price", "timing")
    for owner in (None, "li", "na")
    for region in (None, "北", "li")
]
_STEPS = (0, 1, 999_999, 3_600_000_000, 2**53 + 1)


@st.composite
def oracles(
    draw: st.DrawFn,
    *,
    max_opportunities: int = 4,
    max_entries: int = 7,
    ties: Sequence[Ties] = ("input", "state", "order"),
) -> Oracle:
    """Draw any histories at all, at any time of the calendar, known at any instant."""
    n_stages = draw(st.integers(1, 5))
    n_presale = draw(st.integers(max(1, n_stages - 2), n_stages))
    lost = n_stages + 1
    onward = lost + 1  # to the next state; any other move is to the state that it names
    moves = st.tuples(
        st.just(onward) | st.integers(0, lost),
        st.sampled_from(_STEPS),
        st.sampled_from(_BLANKS),
    )
    histories = draw(st.lists(st.lists(moves, max_size=max_entries), max_size=max_opportunities))
    ids = draw(st.sampled_from(_IDS))
    rows = []
    for opportunity, history in zip(ids, histories, strict=False):
        state, time = -1, 0
        for move, step, blank in history:
            state = min(state + 1, lost) if move == onward else move
            time += step
            rows.append(blank._replace(opportunity=opportunity, state=state, time=time))
    longest = max((row.time for row in rows), default=0)
    begin = draw(st.sampled_from([0, -1_500_000, 1_767_225_600_000_000, FIRST, LAST - longest]))
    rows = [row._replace(time=row.time + begin) for row in rows]
    around = [begin - 1, *(row.time + after for row in rows for after in (-1, 0, 1))]
    instants = sorted({min(max(instant, FIRST), LAST) for instant in around})
    return Oracle(
        draw(st.permutations(rows)) if draw(st.booleans()) else rows,
        n_stages,
        n_presale,
        as_of=draw(st.none() | st.sampled_from(instants)),
        ties=draw(st.sampled_from(ties)),
    )


def part_of(oracle: Oracle, opportunities: set[Hashable]) -> Oracle:
    """Return the oracle of some of the opportunities, which knows as much as the whole."""
    return Oracle(
        [row for row in oracle.rows if row.opportunity in opportunities],
        oracle.n_stages,
        oracle.n_presale,
        as_of=oracle.as_of,
        ties=oracle.ties,
    )


MODES: tuple[Mode, ...] = ("reached", "actual", "strict")
