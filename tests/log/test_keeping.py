"""Labels that opportunities keep, beside those that change: what is asked of a log is the same."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.kernel import constant
from salesfunnel.log import keeping
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo", "offer"])
DAY = 86_400_000_000


@pytest.fixture(params=["few rows", "many rows"], autouse=True)
def as_many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done with many rows must be the same as with few."""
    if request.param == "many rows":
        monkeypatch.setattr(keeping, "MANY", 0)
        monkeypatch.setattr(constant, "CHUNK", 2)


rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 30)), min_size=1, max_size=25
)


@given(rows, st.data(), st.booleans(), st.booleans())
def test_labels_are_those_of_the_rows(
    members: list[tuple[int, int, int]], data: st.DataObject, keeps: bool, numbers: bool
) -> None:
    choice = st.sampled_from([10, -4, 7, 100])
    if keeps:
        of = {member: data.draw(choice) for member, _, _ in members}
        owner = [of[member] for member, _, _ in members]
    else:
        owner = [data.draw(choice) for _ in members]
    opportunity, state, day = (np.array(column) for column in zip(*members, strict=True))
    given_owner = np.array(owner) if numbers else [str(label) for label in owner]

    log = StageLog.from_columns(
        FUNNEL,
        opportunity=opportunity,
        stage=state,
        entered_at=day * DAY,
        attributes={"fixed": np.full(len(members), 3), "owner": given_owner},
        tz="UTC",
    )

    order = np.lexsort((day, opportunity))
    labels = log.attribute("owner")
    assert [labels.names[code] for code in labels.codes.tolist()] == [
        str(owner[place]) for place in order.tolist()
    ]
    assert list(labels.names) == sorted({str(label) for label in owner})
    assert labels.complete
    assert log.attributes == ("fixed", "owner")
    assert log.attribute("fixed").names == ("3",)
    if keeps:
        assert labels.constant is not None

    flow = log.flow(by="owner", repeats="keep")
    counted: Counter[tuple[str, int, int]] = Counter()
    for a, b in pairwise(order.tolist()):
        if opportunity[a] == opportunity[b]:
            counted[str(owner[b]), int(state[a]), int(state[b])] += 1
    found = {
        (label, int(source), int(target)): int(flow[label].counts[source, target])
        for label in flow.groups or ()
        for source, target in np.argwhere(flow[label].counts)
    }
    assert found == dict(counted)
    assert flow.total() == log.flow(repeats="keep")


def test_labels_kept_are_an_eighth_of_those_at_entries() -> None:
    # Given eight entries each; not more than a byte a label either way.
    n = 800
    log = StageLog.from_columns(
        FUNNEL,
        opportunity=np.arange(n) % 100,
        stage=np.arange(n) // 100 % 3,
        entered_at=np.arange(n) * DAY,
        attributes={"owner": np.arange(n) % 100 % 7},
        tz="UTC",
    )
    labels = log.attribute("owner")

    assert labels.nbytes == 100
    assert not labels.codes.flags.writeable
    assert labels.nbytes == 900


def of(
    opportunity: NDArray[np.int64],
    stage: NDArray[np.int64],
    day: NDArray[np.int64],
    **attributes: object,
) -> StageLog:
    return StageLog.from_columns(
        FUNNEL,
        opportunity=opportunity,
        stage=stage,
        entered_at=day * DAY,
        attributes=attributes,
        tz="UTC",
    )


@pytest.mark.parametrize("sketch", [False, True])
@pytest.mark.parametrize("sources", [["web"], ["web", "fair"]])
@pytest.mark.parametrize("day", [10, 400, 10**6])
def test_groups_kept_are_those_of_entries_at_any_time_and_of_any_selection(
    sources: list[str], day: int, sketch: bool
) -> None:
    rng = np.random.default_rng(4)
    n = 900
    opportunity, stage = rng.integers(0, 200, n), rng.integers(0, 5, n)
    days = rng.permutation(n)
    owner = opportunity % 5
    source = np.where(opportunity % 3 == 0, "web", "fair")
    kept = of(opportunity, stage, days, owner=owner, source=source)
    # One opportunity more, which changes both, and no other keeps them any longer.
    changing = of(
        np.append(opportunity, [1_000, 1_000]),
        np.append(stage, [0, 1]),
        np.append(days, [10**6, 10**6 + 1]),
        owner=[*owner.astype(str), "x", "y"],
        source=[*source, "none", "other"],
    )
    assert kept.attribute("owner").constant is not None
    assert changing.attribute("owner").constant is None

    where, as_of = {"source": sources}, day * DAY
    flow = kept.flow(by="owner", as_of=as_of, where=where, sketch=sketch)
    expected = changing.flow(by="owner", as_of=as_of, where=where, sketch=sketch)

    assert flow == expected
    counts = kept.stage_counts(by="owner", as_of=as_of, where=where)
    assert counts == changing.stage_counts(by="owner", as_of=as_of, where=where)
