"""What a golden case is, and the short notation that deals are written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypedDict

HOUR = 3_600_000_000
"""Microseconds in an hour."""


class Row(NamedTuple):
    """One row of history: state a code (0 … K-1 stages, K WON, K+1 LOST), time in microseconds."""

    opportunity: str
    state: int
    time: int
    order: int | None
    amount: int | None
    reason: str | None
    labels: Mapping[str, str | None]


class Options(TypedDict, total=False):
    """What a case passes along: ``as_of`` in microseconds, ``ties="order"`` for an order column.

    ``repeats`` belongs to the flow, ``start`` (a stage) to the sales cycle, ``by`` (a label) to the
    quantities that end in ``_by``.
    """

    as_of: int
    ties: Literal["input", "state", "order"]
    repeats: Literal["collapse", "keep"]
    start: int
    by: str


_WON, _LOST = -1, -2  # the sinks, until a case says how many stages come before them

Stages = dict[str, list[int]]
"""Columns of a stage table, each of length K."""

Transitions = dict[str, int]
"""By source and target, as in ``{"0>1": 2, "1>W": 1}``; what is not named is zero."""

States = dict[str, int]
"""By state, as in ``{"0": 3, "L": 1}``; what is not named is zero."""


class GroupFlow(TypedDict):
    """The flow of one group."""

    counts: Transitions
    starts: States
    ends: States


class Expected(TypedDict, total=False):
    """The quantities that a case is about, each of them whole."""

    as_of: int | None
    status: dict[str, str]  # of every opportunity that counts
    furthest: dict[str, str]  # a state, written as in deals
    milestones: dict[str, str]  # first entries, written as in deals
    flow_counts: Transitions
    flow_microseconds: Transitions
    flow_amount: Transitions
    starts: States
    ends: States
    flow_by: dict[str | None, GroupFlow]
    reached: Stages
    actual: Stages
    strict: Stages
    reached_by: dict[str | None, Stages]
    win_rate: tuple[int, int]
    sales_cycle: list[int]  # microseconds, ascending
    loss_reasons: dict[tuple[int, str | None], int]  # by the stage where lost, and the reason


@dataclass(frozen=True)
class Case:
    """One sentence of the definitions, with deals that pin it down."""

    name: str
    sentence: str
    funnel: tuple[int, int]  # how many stages, and how many of them before the sale
    deals: Sequence[Sequence[Row]]
    expected: Expected
    options: Options = field(default_factory=Options)

    @property
    def n_stages(self) -> int:
        """K, the number of stages."""
        return self.funnel[0]

    @property
    def n_presale(self) -> int:
        """P, the number of pre-sale stages, which come first."""
        return self.funnel[1]

    @property
    def rows(self) -> list[Row]:
        """All rows in input order, with the states as codes of this case's funnel."""
        codes = {_WON: self.n_stages, _LOST: self.n_stages + 1}
        return [
            row._replace(state=codes.get(row.state, row.state))
            for rows in self.deals
            for row in rows
        ]


def state_letter(code: int, n_stages: int) -> str:
    """Return how deals write the state of a code."""
    return {n_stages: "W", n_stages + 1: "L"}.get(code, str(code))


def deal(
    opportunity: str,
    history: str,
    *,
    order: Sequence[int] | None = None,
    amount: int | Sequence[int | None] | None = None,
    reason: str | Sequence[str | None] | None = None,
    **labels: str | Sequence[str | None],
) -> list[Row]:
    """Return the rows of one opportunity, in the order written.

    A state without ``@hour`` comes one hour after the state written before it. Attributes are given
    for each row, or as one value: an amount or a label then stands on the first row, a reason on
    the last.
    """
    times: list[int] = []
    states: list[int] = []
    for word in history.split():
        letter, _, hour = word.partition("@")
        states.append({"W": _WON, "L": _LOST}[letter] if letter in "WL" else int(letter))
        times.append(int(hour) * HOUR if hour else times[-1] + HOUR if times else 0)
    nothing = [None] * (len(states) - 1)
    amounts = [amount, *nothing] if amount is None or isinstance(amount, int) else amount
    reasons = [*nothing, reason] if reason is None or isinstance(reason, str) else reason
    columns = {
        name: [value, *nothing] if isinstance(value, str) else value
        for name, value in labels.items()
    }
    return [
        Row(
            opportunity,
            state=states[i],
            time=times[i],
            order=None if order is None else order[i],
            amount=amounts[i],
            reason=reasons[i],
            labels={name: values[i] for name, values in columns.items()},
        )
        for i in range(len(states))
    ]


def deals(**histories: str) -> list[list[Row]]:
    """Return the rows of several opportunities that have nothing but a history."""
    return [deal(opportunity, history) for opportunity, history in histories.items()]


def stages(**columns: list[int]) -> Stages:
    """Return the columns of a stage table (reached or actual); a column not named is all zero."""
    nothing = [0] * len(columns["entered"])
    return {
        name: columns.get(name, nothing)
        for name in ("entered", "advanced", "lost", "open", "churned")
    }


def strict(**columns: list[int]) -> Stages:
    """Return the columns of a stage table in mode strict; a column not named is all zero."""
    return stages(**columns) | {"skipped": columns.get("skipped", [0] * len(columns["entered"]))}
