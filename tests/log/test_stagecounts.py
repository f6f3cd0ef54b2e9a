"""StageCounts: what the oracle says in the three modes, the identities, and that counts add."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from histories import MODES, counts_by_group, counts_values, grouped, log_of, oracles, part_of
from hypothesis import given
from hypothesis import strategies as st
from oracle import Mode, Oracle

from salesfunnel.errors import DefinitionError, MergeError, UnknownAttributeError
from salesfunnel.log.stagecounts import StageCounts
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.testing import logs

modes = st.sampled_from(MODES)


def small(name: str = "A", time: int = 0, **columns: object) -> StageLog:
    values: dict[str, Any] = {
        "opportunity": [name, name],
        "stage": ["lead", "demo"],
        "entered_at": np.array([0, time]),
        "attributes": {"owner": ["li", None]},
    }
    return StageLog.from_columns(Funnel(["lead", "demo"]), **{**values, **columns})


# ── against the oracle ────────────────────────────────────────────────────────────────────────────


@given(oracles(), modes)
def test_stage_counts_are_what_the_oracle_says(oracle: Oracle, mode: Mode) -> None:
    counts = log_of(oracle).stage_counts(mode, as_of=oracle.as_of)

    assert counts_values(counts) == oracle.stage_counts(mode)
    assert mode == "strict" or not counts.skipped.any()


@given(oracles(), modes, st.sampled_from(["owner", ("owner", "region")]))
def test_stage_counts_by_label_are_what_the_oracle_says(
    oracle: Oracle, mode: Mode, by: str | tuple[str, ...]
) -> None:
    counts = log_of(oracle).stage_counts(mode, by=by, as_of=oracle.as_of)

    names = (by,) if isinstance(by, str) else by
    assert counts_by_group(counts) == grouped(oracle, *names).stage_counts_by("group", mode)
    assert counts.total() == log_of(oracle).stage_counts(mode, as_of=oracle.as_of)


# ── the identities ────────────────────────────────────────────────────────────────────────────────


def check_reached(log: StageLog, as_of: int | None) -> None:
    """Assert what is promised of the mode ``reached``, whatever the log."""
    counts = log.stage_counts("reached", as_of=as_of)
    status = Counter(log.milestones(as_of=as_of).status.tolist())
    presale = slice(log.funnel.n_presale)

    assert (counts.entered == counts.advanced + counts.lost + counts.open).all()
    assert counts.lost[presale].sum() == status["lost"]
    assert counts.open[presale].sum() == status["open"]
    assert counts.advanced[presale][-1] == status["won"] + status["churned"]
    assert counts.entered[0] == status.total()
    assert (np.diff(counts.entered) <= 0).all()
    assert counts.churned.sum() == status["churned"]


@given(logs(), st.data())
def test_reached_adds_up_for_every_log(log: StageLog, data: st.DataObject) -> None:
    times = sorted(set(log.entries.time.tolist()))
    check_reached(log, data.draw(st.none() | st.sampled_from([*times, 0])))


@given(oracles())
def test_reached_adds_up_at_every_time_of_the_calendar(oracle: Oracle) -> None:
    check_reached(log_of(oracle), oracle.as_of)


# ── adding ────────────────────────────────────────────────────────────────────────────────────────


@given(oracles(), modes, st.sampled_from([None, "owner", ("owner", "region")]), st.data())
def test_parts_add_up_to_the_whole_in_any_order(
    oracle: Oracle, mode: Mode, by: str | tuple[str, ...] | None, data: st.DataObject
) -> None:
    members: list[set[Hashable]] = [set(), set(), set()]
    for opportunity in dict.fromkeys(row.opportunity for row in oracle.rows):
        data.draw(st.sampled_from(members)).add(opportunity)
    a, b, c = (
        log_of(part_of(oracle, names)).stage_counts(mode, by=by, as_of=oracle.as_of)
        for names in members
    )

    whole = log_of(oracle).stage_counts(mode, by=by, as_of=oracle.as_of)

    assert reduce(add, [a, b, c]) == whole
    assert a + (b + c) == whole
    assert c + b + a == whole


def test_an_empty_log_adds_to_anything() -> None:
    log = small()
    nothing = StageLog.from_columns(
        log.funnel, opportunity=[], stage=[], entered_at=[], attributes={"owner": []}
    )

    for mode in MODES:
        for by in (None, "owner"):
            empty, counts = nothing.stage_counts(mode, by=by), log.stage_counts(mode, by=by)
            assert empty.as_of is None
            assert empty + counts == counts + empty == counts


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (
            small().stage_counts(),
            small(time=5).stage_counts(),
            "one is as of 1970-01-01T00:00:00+00:00, the other as of 1970-01-01T00:00:00.000005",
        ),
        (
            small().stage_counts(by="owner"),
            small().stage_counts(),
            "one is by owner, the other by nothing",
        ),
        (
            small().stage_counts("actual"),
            small().stage_counts("strict"),
            "one counts 'actual', the other 'strict'",
        ),
    ],
)
def test_what_does_not_belong_together_does_not_add(
    one: StageCounts, other: StageCounts, why: str
) -> None:
    with pytest.raises(MergeError) as refusal:
        one + other
    assert str(refusal.value).startswith(f"cannot add: {why}")


def test_counts_of_other_stages_do_not_add() -> None:
    other = StageLog.from_columns(
        Funnel(["lead", "offer"]), opportunity=["B"], stage=["lead"], entered_at=np.array([0])
    )

    with pytest.raises(MergeError, match="one has the states lead, demo, won, lost, the other lea"):
        small().stage_counts() + other.stage_counts()


def test_counts_add_to_counts_alone() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = small().stage_counts() + small().flow()


# ── looking into them ─────────────────────────────────────────────────────────────────────────────


def test_a_group_is_found_by_its_label() -> None:
    counts = small(attributes={"owner": [None, None]}).stage_counts(by="owner")

    assert counts.groups == (None,)
    assert counts[None].entered.tolist() == [1, 1]
    assert counts.stages == ("lead", "demo")
    with pytest.raises(UnknownAttributeError, match=r"no group 'li' by owner; there are None$"):
        counts["li"]


def test_counts_are_equal_by_content() -> None:
    assert small().stage_counts() == small("B").stage_counts()
    assert small().stage_counts() != small().stage_counts("strict")
    assert small().stage_counts() != small().stage_counts(by="owner")
    assert small().stage_counts() != "counts"


def test_an_unknown_mode_is_told_what_there_is() -> None:
    with pytest.raises(DefinitionError, match="mode= is one of reached, actual, strict, not 'all'"):
        small().stage_counts("all")
