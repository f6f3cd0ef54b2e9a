"""The sketch of a flow: quantiles of its durations, whatever is asked of it and added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from functools import reduce
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from histories import ATTRIBUTES, grouped, log_of, oracles, part_of
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle, Repeats

from salesfunnel.errors import DefinitionError, FileFormatError, MergeError, SizeError
from salesfunnel.kernel.sketch import ACCURACY
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

HOUR = 3_600_000_000
LEVELS = [0.0, 0.1, 0.5, 0.9, 1.0]
Cells = dict[tuple[Hashable, int, int], list[int]]


def durations_of(oracle: Oracle, repeats: Repeats = "collapse", by: str | None = None) -> Cells:
    """Return the durations by group, source and target, in microseconds."""
    found: Cells = defaultdict(list)
    for history in oracle.histories(repeats).values():
        for source, target in pairwise(history):
            group = None if by is None else target.labels.get(by)
            found[group, source.state, target.state].append(target.time - source.time)
    return found


def agree(found: Any, durations: Cells, group: Hashable = None) -> None:
    """Assert that quantiles ``(q, S, S)`` are within one percent of those of durations."""
    n_states = found.shape[-1]
    for source in range(n_states):
        for target in range(n_states):
            exact = durations.get((group, source, target))
            cell = found[:, source, target]
            if exact is None:
                assert np.isnan(cell).all()
            else:
                expected = np.quantile(np.array(exact, float), LEVELS) / 1e6
                assert (np.abs(cell - expected) <= ACCURACY * expected).all()


@settings(max_examples=60)
@given(oracles(), st.sampled_from(["collapse", "keep"]), st.booleans())
def test_quantiles_are_those_of_the_durations(
    oracle: Oracle, repeats: Repeats, durations: bool
) -> None:
    log = log_of(oracle)

    flow = log.flow(as_of=oracle.as_of, repeats=repeats, sketch=True, durations=durations)

    agree(flow.quantile(LEVELS), durations_of(oracle, repeats))
    assert flow.sketch is not None
    assert flow.sketch.n_durations.tolist() == flow.counts.tolist()


@settings(max_examples=60)
@given(oracles(), st.sampled_from(["collapse", "keep"]))
def test_quantiles_by_group_are_those_of_its_durations(oracle: Oracle, repeats: Repeats) -> None:
    flow = log_of(oracle).flow(by=ATTRIBUTES, as_of=oracle.as_of, repeats=repeats, sketch=True)

    assert flow.groups is not None
    labelled = grouped(oracle, *ATTRIBUTES)
    durations = durations_of(labelled, repeats, by="group")
    found = flow.quantile(LEVELS)
    for place, group in enumerate(flow.groups):
        agree(found[:, place], durations, group)
        assert np.array_equal(flow[group].quantile(LEVELS), found[:, place], equal_nan=True)
    assert flow.total() == log_of(oracle).flow(as_of=oracle.as_of, repeats=repeats, sketch=True)


@settings(max_examples=60)
@given(
    oracles(),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.sampled_from([None, "owner", ("owner", "region")]),
)
def test_sketches_of_parts_add_up_to_that_of_the_whole(
    oracle: Oracle, places: list[int], by: Any
) -> None:
    names = list(dict.fromkeys(row.opportunity for row in oracle.rows))
    as_of = max((row.time for row in oracle.rows), default=None)
    parts = [
        {name for name, part in zip(names, places, strict=False) if part == place}
        for place in range(3)
    ]

    def flow_of(part: Oracle) -> StageFlow:
        return log_of(part).flow(by=by, as_of=as_of, sketch=True)

    a, b, c = (flow_of(part_of(oracle, part)) for part in parts)

    whole = flow_of(oracle)
    assert reduce(add, [a, b, c]) == whole
    assert a + (b + c) == whole
    assert c + b + a == whole


@settings(max_examples=30)
@given(oracles(), st.sampled_from([None, "owner"]))
def test_a_sketch_is_saved_with_its_flow(
    tmp_path_factory: pytest.TempPathFactory, oracle: Oracle, by: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "sketch.npz"
    flow = log_of(oracle).flow(by=by, sketch=True)

    flow.save(path)

    assert StageFlow.load(path) == flow


def small(n: int = 5, **columns: Any) -> StageLog:
    """Return a log of n opportunities that take 1, 2, 3 … hours from lead to demo."""
    values: dict[str, Any] = {
        "opportunity": [*range(n), *range(n)],
        "stage": ["lead"] * n + ["demo"] * n,
        "entered_at": np.concatenate([np.zeros(n, np.int64), np.arange(1, n + 1) * HOUR]),
        "attributes": {"owner": ["li", "na", *["li"] * (n - 2)] * 2},
    }
    return StageLog.from_columns(Funnel(["lead", "demo"]), **{**values, **columns})


def test_the_median_of_a_few_by_owner_and_of_those_selected() -> None:
    log = small()

    flow = log.flow(by="owner", sketch=True)

    assert flow.quantile(0.5).shape == (2, 4, 4)
    assert flow["li"].quantile(0.5)[0, 1] / 3600 == pytest.approx(3.5, rel=0.01)
    assert flow["na"].quantile(0.5)[0, 1] / 3600 == pytest.approx(2, rel=0.01)
    assert log.flow(where={"owner": "na"}, sketch=True) == flow["na"]
    assert flow.total().quantile([0, 1])[:, 0, 1] / 3600 == pytest.approx([1, 5], rel=0.01)


def test_what_is_not_known_yet_is_in_no_quantile() -> None:
    flow = small().flow(as_of=3 * HOUR, sketch=True)

    assert flow.quantile(1.0)[0, 1] / 3600 == pytest.approx(3, rel=0.01)


def test_durations_by_period_are_those_of_its_entries() -> None:
    flow = small(30).flow(by="day", sketch=True)

    assert flow["1970-01-02"].quantile(0)[0, 1] / 3600 == pytest.approx(24, rel=0.01)


def test_a_flow_without_a_sketch_has_no_quantiles_and_adds_to_none_with_one() -> None:
    without, sketched = small().flow(), small().flow(sketch=True)

    assert without.sketch is None
    assert without != sketched
    with pytest.raises(DefinitionError, match="no sketch of durations: make it with sketch=True"):
        without.quantile(0.5)
    with pytest.raises(DefinitionError, match="q= is a number from 0 to 1"):
        sketched.quantile(2)
    for one, other in ((without, sketched), (sketched, without)):
        with pytest.raises(MergeError, match="one has a sketch of durations, the other has none"):
            one + other


def test_an_empty_log_has_a_sketch_too() -> None:
    log = small()
    nothing = StageLog.from_columns(
        log.funnel, opportunity=[], stage=[], entered_at=[], attributes={"owner": []}
    )

    for by in (None, "owner"):
        empty, flow = nothing.flow(by=by, sketch=True), log.flow(by=by, sketch=True)
        assert empty + flow == flow + empty == flow
        assert np.isnan(empty.quantile([0.5])).all()


def test_a_sketch_too_large_is_refused() -> None:
    n = 1_000
    log = small(n, entered_at=np.concatenate([np.zeros(n), 1.02 ** np.arange(n) * 1e6]).astype(int))

    with pytest.raises(SizeError, match=r"the sketch of durations takes \d\d,\d+ bytes, more than"):
        log.flow(sketch=True, max_bytes=5_000)


def test_progress_goes_on_through_both_passes() -> None:
    told: list[tuple[int, int | None, str]] = []

    small().flow(sketch=True, progress=lambda *report: told.append(report))

    assert told[-1] == (20, 20, "count")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


@pytest.mark.parametrize(
    "change",
    [
        lambda keys, counts: (keys[::-1], counts),
        lambda keys, counts: (keys, counts + 1),
        lambda keys, counts: (keys | 4095, counts),
        lambda keys, counts: (keys + (4 << 12), counts),
        lambda keys, counts: (keys + (64 << 12), counts),
        lambda keys, counts: (keys, counts[1:]),
        lambda keys, counts: (keys, counts * 0),
    ],
)
def test_a_sketch_that_cannot_be_is_refused(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "flow.npz"
    small().flow(sketch=True).save(path)
    with np.load(path) as found:
        arrays = dict(found)
    keys, counts = change(arrays["sketch.keys"], arrays["sketch.counts"])
    np.savez(path, **{**arrays, "sketch.keys": keys, "sketch.counts": counts})

    with pytest.raises(FileFormatError, match="sketch"):
        StageFlow.load(path)
