"""The table of transitions, beside the definitions in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from metrics.logs import By, groupings, log_of, oracles
from oracle import Flow, Oracle

from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import flow_table
from salesfunnel.model.funnel import Funnel

COLUMNS = ["from", "to", "transitions", "seconds", "mean_seconds", "amount"]


def rows_of(flow: Flow, oracle: Oracle) -> Iterator[dict[str, object]]:
    states = [*(f"s{k}" for k in range(oracle.n_stages)), "won", "lost"]
    for source, counts in enumerate(flow.counts):
        for target, count in enumerate(counts):
            if count:
                seconds = flow.microseconds[source][target] / 1e6
                amount = flow.amount[source][target]
                cells = (states[source], states[target], count, seconds, seconds / count, amount)
                yield dict(zip(COLUMNS, cells, strict=True))


@given(oracles())
def test_transitions_are_as_the_definitions_say(oracle: Oracle) -> None:
    table = flow_table(log_of(oracle), as_of=oracle.as_of)

    assert list(table.rows()) == list(rows_of(oracle.flow(), oracle))


@given(oracles())
def test_groups_are_those_of_the_time(oracle: Oracle) -> None:
    table = flow_table(log_of(oracle), by="owner", as_of=oracle.as_of)

    flows = oracle.flow_by("owner")
    assert list(table.rows()) == [
        {"owner": owner} | row
        for owner in sorted(flows, key=lambda owner: (owner is None, str(owner)))
        for row in rows_of(flows[owner], oracle)
    ]


def totals(rows: Iterator[Mapping[str, object]], *names: str) -> Counter[tuple[object, ...]]:
    """Return the transitions of the rows that are alike in these columns."""
    counts: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        transitions = row["transitions"]
        assert isinstance(transitions, int)
        counts[tuple(row[name] for name in names)] += transitions
    return counts


@given(oracles(), groupings)
def test_groups_add_up_to_the_whole(oracle: Oracle, by: By) -> None:
    log = log_of(oracle)
    pair = ("from", "to")

    whole = totals(flow_table(log, as_of=oracle.as_of).rows(), *pair)
    assert totals(flow_table(log, by=by, as_of=oracle.as_of).rows(), *pair) == whole
    for name in (by,) if isinstance(by, str) else by or ():
        alone = totals(flow_table(log, by=name, as_of=oracle.as_of).rows(), name, *pair)
        assert totals(flow_table(log, by=by, as_of=oracle.as_of).rows(), name, *pair) == alone


def log(amount: list[float] | None = None) -> StageLog:
    return StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=["A", "A"],
        stage=["lead", "won"],
        entered_at=["2026-01-01", "2026-01-02T12:00"],
        amount=amount,
        attributes={"owner": ["li", "na"]},
        tz="Asia/Shanghai",
    )


def test_people_see_the_mean_time_and_the_amounts_that_are_known() -> None:
    assert flow_table(log()).to_text().splitlines() == [
        "From state to state",
        "",
        "From  To   Transitions  Mean time",
        "────  ───  ───────────  ─────────",
        "Lead  Won            1      1.5 d",
        "",
        "As of 2026-01-02 12:00 UTC+08:00.",
    ]
    assert "Amount" in flow_table(log([1, 2])).to_text()


@pytest.mark.parametrize(
    ("lang", "note"), [("en", "the two need not agree"), ("zh", "两者可能不一致")]
)
def test_by_group_it_says_why_other_tables_may_differ(lang: str, note: str) -> None:
    assert note in flow_table(log(), by="owner").to_text(lang)
    assert note not in flow_table(log()).to_text(lang)


def test_an_empty_log_has_no_transitions() -> None:
    empty = StageLog.from_columns(Funnel(["lead"]), opportunity=[], stage=[], entered_at=[])

    assert list(flow_table(empty).rows()) == []
    assert flow_table(empty).columns == tuple(COLUMNS)
