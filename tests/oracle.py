"""The definitions once more, in plain Python: the oracle of the test suite.

It shares nothing with the package and reads like the sentences that it restates: lists,
dictionaries, one opportunity at a time, no array and no shortcut. Where a sentence can be read in
more than one way, a comment beginning with "Reading:" says which way is taken and why.

States are codes: 0 … K-1 the stages (from P on they are post-sale), K is WON, K+1 is LOST. Times
are whole microseconds, and so are durations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar

T = TypeVar("T")
Status = Literal["open", "won", "lost", "churned"]
Mode = Literal["reached", "actual", "strict"]
Ties = Literal["input", "state", "order"]
Repeats = Literal["collapse", "keep"]


class Row(NamedTuple):
    """One entry: this opportunity entered this state at this time."""

    opportunity: Hashable
    state: int
    time: int
    order: int | None = None
    amount: float | None = None
    reason: str | None = None
    labels: Mapping[str, Hashable] = MappingProxyType({})


History = list[Row]


@dataclass
class Flow:
    """Transitions added up, ``[source][target]``, and the states where histories start and end."""

    counts: list[list[int]]
    microseconds: list[list[int]]
    amount: list[list[float]]
    starts: list[int]
    ends: list[int]


def last_known(values: Iterable[T | None]) -> T | None:
    """Return the last value that is not None, or None."""
    known = [value for value in values if value is not None]
    return known[-1] if known else None


def collapse(entries: History) -> History:
    """Merge each run of entries into one state: its first time, its last non-null attributes."""
    merged = []
    for _, group in groupby(entries, key=lambda row: row.state):
        run = list(group)
        names = {name for row in run for name in row.labels}
        merged.append(
            run[0]._replace(
                amount=last_known(row.amount for row in run),
                reason=last_known(row.reason for row in run),
                labels={name: last_known(row.labels.get(name) for row in run) for name in names},
            )
        )
    return merged


class Oracle:
    """Answers about one whole log, given as rows in input order.

    ``n_stages`` is K, ``n_presale`` is P; ``as_of`` None means the last entry of the log, and
    ``ties="order"`` settles equal times by ``Row.order``.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        n_stages: int,
        n_presale: int,
        *,
        as_of: int | None = None,
        ties: Ties = "input",
    ) -> None:
        assert 1 <= n_presale <= n_stages
        self.rows = rows
        self.n_stages = n_stages
        self.n_presale = n_presale
        self.n_states = n_stages + 2
        self.won = n_stages
        self.lost = n_stages + 1
        self.as_of = max((row.time for row in rows), default=None) if as_of is None else as_of
        self.ties = ties

    # Order of work: cut, sort, settle ties, collapse repeats; everything else is classification.

    def histories(self, repeats: Repeats = "collapse") -> dict[Hashable, History]:
        """Return the settled history of every opportunity that has an entry by ``as_of``."""
        known = [row for row in self.rows if self.as_of is not None and row.time <= self.as_of]
        histories: dict[Hashable, History] = {}
        for row in sorted(known, key=self._rank):  # stable: what ranks equal keeps the input order
            histories.setdefault(row.opportunity, []).append(row)
        if repeats == "keep":
            return histories
        return {opportunity: collapse(entries) for opportunity, entries in histories.items()}

    def _rank(self, row: Row) -> tuple[int, int]:
        if self.ties == "input":
            return row.time, 0
        if self.ties == "state":
            # Reading: rows with the same time and state stay in input order, which decides only
            # their attributes.
            return row.time, row.state
        assert row.order is not None
        return row.time, row.order

    # One opportunity: a collapsed history in, one answer out.

    def is_presale(self, state: int) -> bool:
        return state < self.n_presale

    def is_postsale(self, state: int) -> bool:
        return self.n_presale <= state < self.n_stages

    def status(self, history: History) -> Status:
        """Return where the opportunity stands, by its last state."""
        states = [row.state for row in history]
        if self.is_presale(states[-1]):
            return "open"
        if states[-1] != self.lost:
            return "won"
        before = states[-2] if len(states) > 1 else None
        if before is not None and (before == self.won or self.is_postsale(before)):
            return "churned"
        return "lost"

    def since_the_sale(self, history: History) -> History:
        """Return the entries after the last pre-sale one (all, where there is none)."""
        presale = [i for i, row in enumerate(history) if self.is_presale(row.state)]
        return history[presale[-1] + 1 :] if presale else history

    def furthest(self, history: History) -> int:
        """Return the code of the furthest state: a stage, or WON."""
        if self.status(history) in ("open", "lost"):
            return max((row.state for row in history if self.is_presale(row.state)), default=0)
        states = [row.state for row in self.since_the_sale(history)]
        service = [i for i, state in enumerate(states) if self.is_postsale(state)]
        wins = [i for i, state in enumerate(states) if state == self.won]
        # Reading: WON "follows" a post-sale stage when it comes anywhere after one, not only in the
        # very next entry (the two differ only for service, LOST, WON), and a later return into
        # service does not undo completion.
        complete = any(served < won for served in service for won in wins)
        if self.n_presale == self.n_stages or complete:
            return self.won
        return max((states[i] for i in service), default=self.n_presale)

    def depth(self, history: History) -> int:
        """Return how far first entries come in the order 0, 1, 2 …; -1 if 0 is not the first."""
        # Reading: WON is the state above the last stage, so that depth can be K (otherwise nothing
        # could advance from the last stage) and a WON before the first entry into a stage breaks
        # the order there. LOST is not above anything: a deal lost and reopened is still in order.
        firsts = list(dict.fromkeys(row.state for row in history if row.state != self.lost))
        depth = -1
        for state in firsts:
            if state != depth + 1:
                break
            depth = state
        return depth

    def lost_from(self, history: History) -> int | None:
        """Return the state that a deal now LOST came from; None if not LOST, or from nothing."""
        if history[-1].state != self.lost or len(history) == 1:
            return None
        return history[-2].state

    # Stage tables.

    def stage_counts(self, mode: Mode = "reached") -> dict[str, list[int]]:
        """Return entered, advanced, lost, open, churned (and skipped, if strict), each of K."""
        return self._stage_counts(list(self.histories().values()), mode)

    def stage_counts_by(
        self, label: str, mode: Mode = "reached"
    ) -> dict[Hashable, dict[str, list[int]]]:
        """Return the same for each label at ``as_of``, its last non-null value, or None."""
        groups: dict[Hashable, list[History]] = {}
        for history in self.histories().values():
            group = last_known(row.labels.get(label) for row in history)
            groups.setdefault(group, []).append(history)
        return {group: self._stage_counts(members, mode) for group, members in groups.items()}

    def _stage_counts(self, histories: list[History], mode: Mode) -> dict[str, list[int]]:
        place = {"reached": self._reached, "actual": self._actual, "strict": self._strict}[mode]
        columns = ["entered", "advanced", "lost", "open", "churned"]
        columns += ["skipped"] if mode == "strict" else []
        counts = {column: [0] * self.n_stages for column in columns}
        for history in histories:
            for k in range(self.n_stages):
                entered, advanced, lost, is_open = place(history, k)
                counts["entered"][k] += entered
                counts["advanced"][k] += advanced
                counts["lost"][k] += lost
                counts["open"][k] += is_open
                counts["churned"][k] += self._churned_at(history) == k
                if mode == "strict":
                    # Reading: "the rest" is the rest of entered_k, so that the columns of strict
                    # add up; a deal whose first stage is not 0 (depth -1) is in none of these five.
                    counts["skipped"][k] += entered - advanced - lost - is_open
        return counts

    def _churned_at(self, history: History) -> int | None:
        # Reading: every churned deal is in `churned` once, at its furthest stage, and a churn after
        # completion (which includes every churn in a funnel without post-sale stages) at the last
        # stage, the one that it had completed. `churned` is no part of entered = advanced + lost +
        # open, so this breaks nothing, and the column adds up to the number of churned deals. The
        # modes redefine four columns and not this one: it is the same in all three.
        if self.status(history) != "churned":
            return None
        return min(self.furthest(history), self.n_stages - 1)

    def _reached(self, history: History, k: int) -> tuple[bool, bool, bool, bool]:
        furthest, status = self.furthest(history), self.status(history)
        return (
            furthest >= k,
            furthest > k,
            furthest == k and status == ("lost" if self.is_presale(k) else "churned"),
            furthest == k and status == ("open" if self.is_presale(k) else "won"),
        )

    def _actual(self, history: History, k: int) -> tuple[bool, bool, bool, bool]:
        states = [row.state for row in history]
        after = states[states.index(k) + 1 :] if k in states else []
        is_last_presale = k == self.n_presale - 1
        onward = range(self.n_presale, self.won + 1) if is_last_presale else [k + 1]
        # Reading: at a post-sale stage, "finally lost, from k" is a churn from k and "stands in k"
        # is in service, as in `reached`; a churn straight from WON, or a history of LOST alone, is
        # lost from no stage. The words are taken as facts: a deal that went back into service after
        # completion and churned there is lost from there.
        return (
            k in states,
            any(state in onward for state in after),
            self.lost_from(history) == k,
            states[-1] == k,
        )

    def _strict(self, history: History, k: int) -> tuple[bool, bool, bool, bool]:
        depth = self.depth(history)
        # Reading: "the last stage is k" says where an open or a lost deal stands or was lost from.
        # A won deal that left its last stage for WON is neither, nor is one that churned from WON.
        return (
            depth >= k,
            depth > k,
            depth == k and self.lost_from(history) == k,
            depth == k and history[-1].state == k,
        )

    # Transitions.

    def flow(self, repeats: Repeats = "collapse") -> Flow:
        """Return the flow of the whole log."""
        return self._flow_by(None, repeats).get(None, self._empty_flow())

    def flow_by(self, label: str, repeats: Repeats = "collapse") -> dict[Hashable, Flow]:
        """Return one flow for each value of a label, None where none is known yet."""
        return self._flow_by(label, repeats)

    def _flow_by(self, label: str | None, repeats: Repeats) -> dict[Hashable, Flow]:
        groups: dict[Hashable, Flow] = {}

        def group(entries: History) -> Flow:
            """Return the flow of the label known by the last of these entries."""
            known = last_known(row.labels.get(label) for row in entries) if label else None
            return groups.setdefault(known, self._empty_flow())

        for history in self.histories(repeats).values():
            group(history[:1]).starts[history[0].state] += 1
            group(history).ends[history[-1].state] += 1
            for i, (source, target) in enumerate(pairwise(history)):
                known = history[: i + 2]  # up to and including the target entry
                flow = group(known)
                flow.counts[source.state][target.state] += 1
                # Reading: with repeats kept, a transition between two entries into one state takes
                # its own time and amount to the diagonal; the time that all transitions leave a
                # state with stays the same.
                flow.microseconds[source.state][target.state] += target.time - source.time
                # Reading: a transition before any amount is known adds nothing.
                flow.amount[source.state][target.state] += (
                    last_known(row.amount for row in known) or 0
                )
        return groups

    def _empty_flow(self) -> Flow:
        size = range(self.n_states)
        return Flow(
            counts=[[0 for _ in size] for _ in size],
            microseconds=[[0 for _ in size] for _ in size],
            amount=[[0 for _ in size] for _ in size],
            starts=[0 for _ in size],
            ends=[0 for _ in size],
        )

    # Answers about all opportunities.

    def milestones(self) -> dict[Hashable, list[int | None]]:
        """Return the time of each first entry into each of the K+2 states, or None."""
        return {
            opportunity: [
                min((row.time for row in history if row.state == state), default=None)
                for state in range(self.n_states)
            ]
            for opportunity, history in self.histories().items()
        }

    def win_rate(self) -> tuple[int, int]:
        """Return numerator and denominator of the win rate by count."""
        n = Counter(self.status(history) for history in self.histories().values())
        wins = n["won"] + n["churned"]
        return wins, wins + n["lost"]

    def sales_cycle(self, start: int | None = None) -> list[int]:
        """Return the sales cycle of each won or churned deal; ``start`` may be a pre-sale stage."""
        assert start is None or self.is_presale(start)
        cycles = []
        for history in self.histories().values():
            if self.status(history) in ("won", "churned"):
                sale = next(row for row in self.since_the_sale(history) if row.state != self.lost)
                # Reading: WON is beyond every stage, LOST beyond none, so a deal that skips to its
                # win has a cycle of zero; and a start may lie before an earlier close, as the first
                # entry does.
                begin = next(
                    row for row in history if start is None or start <= row.state <= self.won
                )
                cycles.append(sale.time - begin.time)
        return cycles

    def loss_reasons(self) -> dict[tuple[int, str | None], int]:
        """Return the number of lost deals for each (furthest stage, reason)."""
        # Reading: the reason is that of the loss which stands, the last run of LOST; one given for
        # an earlier loss, since reopened, is not carried over, though an amount or a label would
        # be.
        return Counter(
            (self.furthest(history), history[-1].reason)
            for history in self.histories().values()
            if self.status(history) == "lost"
        )
