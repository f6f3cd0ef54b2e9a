"""The same rows twice: as a log, and as the oracle that knows what the metrics of it are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from oracle import History, Oracle, Row, last_known

from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

ATTRIBUTES = ("owner", "region")
By = str | tuple[str, ...] | None
Labels = tuple[str | None, ...]

groupings = st.sampled_from([None, "owner", ("region", "owner")])
"""What `by=` may be."""

_LABELS = [None, "li", "na"]
_BLANKS = [  # rows with everything but their place in a history
    Row("", 0, 0, order, amount, reason, {"owner": owner, "region": region})
    for order in range(3)
    for amount in (None, 10.0, 25.0)
    for reason in (None, "price", "timing")
    for owner in _LABELS
    for region in _LABELS
]


@st.composite
def oracles(draw: st.DrawFn, *, tied: bool = True) -> Oracle:
    """Draw the oracle of any log at all; without ties its rows mean the same in any order."""
    n_stages = draw(st.integers(1, 4))
    n_presale = draw(st.integers(max(1, n_stages - 2), n_stages))
    lost = n_stages + 1
    onward = lost + 1  # to the next state; any other move is to the state that it names
    steps = st.tuples(
        st.just(onward) | st.integers(0, lost),
        st.integers(0 if tied else 1, 5),
        st.sampled_from(_BLANKS),
    )
    rows = []
    for number, history in enumerate(draw(st.lists(st.lists(steps, max_size=6), max_size=5))):
        state, time = -1, 0
        for move, gap, blank in history:
            state = min(state + 1, lost) if move == onward else move
            time += gap
            rows.append(blank._replace(opportunity=f"O-{number}", state=state, time=time))
    return Oracle(
        rows,
        n_stages,
        n_presale,
        as_of=draw(st.none() | st.integers(-1, 20)),
        ties=draw(st.sampled_from(["input", "state", "order"])) if tied else "input",
    )


def funnel_of(oracle: Oracle) -> Funnel:
    """Return a funnel of as many stages, called s0, s1 …"""
    keys = [f"s{k}" for k in range(oracle.n_stages)]
    return Funnel([Stage(key, post_sale=k >= oracle.n_presale) for k, key in enumerate(keys)])


def log_of(oracle: Oracle, rows: Sequence[Row] | None = None) -> StageLog:
    """Return the log of an oracle's rows, or of others in their place."""
    rows = oracle.rows if rows is None else rows
    return StageLog.from_columns(
        funnel_of(oracle),
        opportunity=[row.opportunity for row in rows],
        stage=np.array([row.state for row in rows], np.int64),
        entered_at=np.array([row.time for row in rows], np.int64),
        reason=[row.reason for row in rows],
        amount=[row.amount for row in rows],
        attributes={name: [row.labels.get(name) for row in rows] for name in ATTRIBUTES},
        order=[row.order for row in rows] if oracle.ties == "order" else None,
        ties="state" if oracle.ties == "state" else "input",
    )


def parts(oracle: Oracle, by: By) -> dict[Labels, Oracle]:
    """Return an oracle for each group, in the order of tables: by label, the unknown one last."""
    if by is None:
        return {(): oracle}
    names = (by,) if isinstance(by, str) else by
    members: dict[Labels, set[object]] = {}
    for opportunity, history in oracle.histories().items():
        labels = tuple(_label(history, name) for name in names)
        members.setdefault(labels, set()).add(opportunity)
    return {labels: part(oracle, members[labels]) for labels in sorted(members, key=_rank)}


def part(oracle: Oracle, opportunities: set[object]) -> Oracle:
    """Return the oracle of some of the opportunities, which knows as much as the whole."""
    return Oracle(
        [row for row in oracle.rows if row.opportunity in opportunities],
        oracle.n_stages,
        oracle.n_presale,
        as_of=oracle.as_of,
        ties=oracle.ties,
    )


def named(labels: Labels, by: By) -> dict[str, str | None]:
    """Return the labels of a group as the first columns of a table have them."""
    names = () if by is None else (by,) if isinstance(by, str) else by
    return dict(zip(names, labels, strict=True))


def amount_of(history: History) -> float:
    """Return the amount of an opportunity: the last known one, or nothing."""
    return last_known(row.amount for row in history) or 0.0


def _label(history: History, name: str) -> str | None:
    label = last_known(row.labels.get(name) for row in history)
    assert label is None or isinstance(label, str)
    return label


def _rank(labels: Labels) -> list[tuple[bool, str]]:
    return [(label is None, label or "") for label in labels]


def spread(oracle: Oracle, step: int, start: int = 0) -> Oracle:
    """Return the same histories with longer times, in microseconds, from a start on."""
    return Oracle(
        [row._replace(time=start + row.time * step) for row in oracle.rows],
        oracle.n_stages,
        oracle.n_presale,
        as_of=None if oracle.as_of is None else start + oracle.as_of * step,
        ties=oracle.ties,
    )
