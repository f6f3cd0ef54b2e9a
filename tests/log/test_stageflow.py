"""StageFlow: what the oracle says of any histories, and that flows add."""

from __future__ import annotations

from collections.abc import Hashable
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from histories import (
    FORMS,
    flow_values,
    flows_by_group,
    grouped,
    log_of,
    oracle_values,
    oracles,
    part_of,
)
from hypothesis import given
from hypothesis import strategies as st
from oracle import Oracle

from salesfunnel.errors import DefinitionError, MergeError, SizeError, UnknownAttributeError
from salesfunnel.kernel.sums import ExactSums
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

GROUPINGS = ["owner", ("owner",), ("owner", "region"), ("region", "owner")]
HOUR = 3_600_000_000


def attributes(by: str | tuple[str, ...]) -> tuple[str, ...]:
    return (by,) if isinstance(by, str) else by


def small(name: str = "A", **columns: object) -> StageLog:
    values: dict[str, Any] = {
        "opportunity": [name] * 3,
        "stage": ["lead", "demo", "won"],
        "entered_at": np.arange(3) * HOUR,
        "attributes": {"owner": ["li", None, "na"]},
    }
    return StageLog.from_columns(Funnel(["lead", "demo"]), **{**values, **columns})


# ── against the oracle ────────────────────────────────────────────────────────────────────────────


@given(oracles(), st.sampled_from(sorted(FORMS)), st.sampled_from(["collapse", "keep"]))
def test_a_flow_is_what_the_oracle_says(oracle: Oracle, form: str, repeats: str) -> None:
    flow = log_of(oracle, form=form).flow(as_of=oracle.as_of, repeats=repeats)

    expected = oracle.flow("keep" if repeats == "keep" else "collapse")
    assert flow_values(flow) == oracle_values(expected)
    assert flow.groups is None
    assert flow.by == ()


@given(oracles(), st.sampled_from(["collapse", "keep"]))
def test_a_flow_of_histories_alone_is_what_the_oracle_says(oracle: Oracle, repeats: str) -> None:
    flow = log_of(oracle, bare=True).flow(as_of=oracle.as_of, repeats=repeats)

    expected = oracle_values(oracle.flow("keep" if repeats == "keep" else "collapse"))
    assert flow_values(flow) == {**expected, "amount": None}
    assert np.isnan(flow.amount).all()


@given(oracles(), st.sampled_from(GROUPINGS), st.sampled_from(["collapse", "keep"]))
def test_a_flow_by_label_is_what_the_oracle_says(
    oracle: Oracle, by: str | tuple[str, ...], repeats: str
) -> None:
    flow = log_of(oracle).flow(by=by, as_of=oracle.as_of, repeats=repeats)

    expected = grouped(oracle, *attributes(by)).flow_by(
        "group", "keep" if repeats == "keep" else "collapse"
    )
    assert flows_by_group(flow) == {
        group: oracle_values(values) for group, values in expected.items()
    }
    assert flow.by == attributes(by)


@given(oracles(), st.sampled_from(GROUPINGS))
def test_groups_are_in_the_order_of_their_labels_with_the_unknown_last(
    oracle: Oracle, by: str | tuple[str, ...]
) -> None:
    groups = log_of(oracle).flow(by=by, as_of=oracle.as_of).groups

    assert groups is not None
    labels = [group if isinstance(group, tuple) else (group,) for group in groups]
    assert labels == sorted(
        labels, key=lambda group: [(part is None, part or "") for part in group]
    )


@given(oracles(max_opportunities=3))
def test_groups_add_up_to_the_whole(oracle: Oracle) -> None:
    log = log_of(oracle)

    assert log.flow(by=["owner", "region"], as_of=oracle.as_of).total() == log.flow(
        as_of=oracle.as_of
    )


@given(oracles())
def test_the_future_does_not_exist(oracle: Oracle) -> None:
    past = [row for row in oracle.rows if oracle.as_of is None or row.time <= oracle.as_of]

    flow = log_of(oracle).flow(by="owner", as_of=oracle.as_of)

    assert flows_by_group(flow) == flows_by_group(log_of(oracle, past).flow(by="owner"))


# ── adding ────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def oracles_in_parts(draw: st.DrawFn) -> tuple[Oracle, list[Oracle]]:
    """Draw an oracle, and oracles of parts of its opportunities: some of them may be empty."""
    oracle = draw(oracles())
    opportunities = list(dict.fromkeys(row.opportunity for row in oracle.rows))
    places = draw(st.lists(st.integers(0, 2), min_size=len(opportunities)))
    members: list[set[Hashable]] = [set(), set(), set()]
    for opportunity, place in zip(opportunities, places, strict=False):
        members[place].add(opportunity)
    return oracle, [part_of(oracle, names) for names in members]


@given(oracles_in_parts(), st.sampled_from([None, "owner", ("owner", "region")]))
def test_parts_add_up_to_the_whole_in_any_order(
    drawn: tuple[Oracle, list[Oracle]], by: str | tuple[str, ...] | None
) -> None:
    oracle, parts = drawn
    a, b, c = (log_of(part).flow(by=by, as_of=oracle.as_of) for part in parts)

    whole = log_of(oracle).flow(by=by, as_of=oracle.as_of)

    assert reduce(add, [a, b, c]) == whole
    assert a + (b + c) == whole
    assert c + b + a == whole
    assert oracle.as_of is None or flow_values(whole.total()) == oracle_values(oracle.flow())


def test_groups_that_only_one_part_has_are_in_the_sum() -> None:
    one = small("A", attributes={"owner": ["li"] * 3}).flow(by="owner", as_of=2 * HOUR)
    other = small("B", attributes={"owner": [None, "an", "an"]}).flow(by="owner", as_of=2 * HOUR)

    both = one + other

    assert both.groups == ("an", "li", None)
    assert both["li"] == one["li"]
    assert both["an"].counts.sum() == 2
    assert both[None].starts.sum() == 1
    assert both[None].counts.sum() == 0


def test_an_empty_log_adds_to_anything() -> None:
    log = small()
    nothing = StageLog.from_columns(
        log.funnel, opportunity=[], stage=[], entered_at=[], attributes={"owner": []}
    )

    for by in (None, "owner"):
        empty, flow = nothing.flow(by=by), log.flow(by=by)
        assert empty.as_of is None
        assert empty + flow == flow + empty == flow
        assert empty + empty == empty


def test_a_flow_adds_to_flows_alone() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = small().flow() + 1


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (
            small().flow(),
            small(entered_at=np.arange(3)).flow(),
            r"as of 1970-01-01T02:00:00\+00:00, the other as of .*; give both the same as_of=",
        ),
        (small().flow(), small().flow(by="owner"), "one is by nothing, the other by owner"),
        (
            small().flow(),
            StageLog.from_columns(
                Funnel(["lead"]), opportunity=["B"], stage=["lead"], entered_at=np.array([2 * HOUR])
            ).flow(),
            "one has the states lead, demo, won, lost, the other lead, won, lost",
        ),
    ],
)
def test_what_does_not_belong_together_does_not_add(
    one: StageFlow, other: StageFlow, why: str
) -> None:
    with pytest.raises(MergeError, match=f"cannot add: .*{why}"):
        one + other
    with pytest.raises(MergeError, match="cannot add"):
        other + one


def test_equal_instants_add_however_they_were_given() -> None:
    flow = small().flow(as_of="1970-01-01T10:00+08:00") + small("B").flow()

    assert flow.starts.tolist() == [2, 0, 0, 0]


# ── looking into one ──────────────────────────────────────────────────────────────────────────────


def test_a_group_is_found_by_its_label() -> None:
    flow = small().flow(by="owner")

    assert flow["li"].counts.tolist() == [[0, 1, 0, 0], [0] * 4, [0] * 4, [0] * 4]
    assert flow["na"].seconds[1, 2] == 3600.0
    assert flow["na"].ends.tolist() == [0, 0, 1, 0]
    assert flow["li"].groups is None


def test_an_unknown_group_is_told_what_there_is() -> None:
    log = small()
    with pytest.raises(UnknownAttributeError, match="no group 'wu' by owner; there are 'li', 'na'"):
        log.flow(by="owner")["wu"]
    with pytest.raises(UnknownAttributeError, match="this was not grouped; by= makes groups"):
        log.flow()["li"]
    many = small(
        opportunity=list(range(15)),
        stage=["lead"] * 15,
        entered_at=np.zeros(15, np.int64),
        attributes={"owner": [f"o{i:02}" for i in range(15)]},
    )
    with pytest.raises(UnknownAttributeError, match=r"'o00', .*'o09' and 5 more$"):
        many.flow(by="owner")["wu"]


def test_an_array_of_a_flow_is_its_counts() -> None:
    flow = small().flow()

    assert np.asarray(flow).tolist() == flow.counts.tolist()
    assert np.asarray(flow, float).dtype == np.float64


def test_flows_are_equal_by_content() -> None:
    assert small().flow() == small().flow()
    assert small().flow() != small(stage=["lead", "demo", "lost"]).flow()
    assert small().flow() != small().flow(by="owner")
    assert small().flow() != "flow"


@pytest.mark.parametrize("by", [(), ("owner", "owner"), ("owner", 1), 5, ""])
def test_groups_are_named_attributes(by: object) -> None:
    with pytest.raises((DefinitionError, UnknownAttributeError), match="attribute"):
        small().flow(by=by)  # type: ignore[arg-type]


def test_an_unknown_attribute_is_told_what_there_is() -> None:
    with pytest.raises(UnknownAttributeError, match="no attribute 'region'; it has owner"):
        small().flow(by="region")
    with pytest.raises(UnknownAttributeError, match="no attribute 'owner'; it has none"):
        small(attributes=None).flow(by="owner")


def test_repeats_are_collapsed_or_kept() -> None:
    with pytest.raises(DefinitionError, match="repeats= is 'collapse' or 'keep', not 'drop'"):
        small().flow(repeats="drop")


# ── never a wrong number ──────────────────────────────────────────────────────────────────────────


def test_amounts_beyond_what_adds_exactly_are_refused() -> None:
    log = small(amount=[1e13, None, None])

    with pytest.raises(
        SizeError, match=r"an amount of 10,000,000,000,000 is too large .* 9,223,37"
    ):
        log.flow()


def test_sums_beyond_64_bits_are_refused() -> None:
    n = 1_100_000
    log = small(
        opportunity=np.repeat(np.arange(n), 2),
        stage=np.tile([0, 1], n),
        entered_at=np.tile([0, 1], n),
        amount=np.full(2 * n, 9e12),
        attributes=None,
    )

    with pytest.raises(SizeError, match=r"2,200,000 values .* add up to more than 64 bits hold"):
        log.flow()


def test_one_large_amount_among_many_small_ones_adds_exactly() -> None:
    n = 1_100_000
    amount = np.full(2 * n, 1.0)
    amount[0] = 9e12  # known at the first opportunity's only transition until the next amount
    amount[1] = np.nan
    log = small(
        opportunity=np.repeat(np.arange(n), 2),
        stage=np.tile([0, 1], n),
        entered_at=np.tile([0, 1], n),
        amount=amount,
        attributes=None,
    )

    amounts = log.flow().amounts
    assert amounts is not None
    assert amounts.whole[0, 1] == 9_000_000_000_000 + n - 1


def test_flows_that_add_up_to_more_than_64_bits_are_refused() -> None:
    flow = small(amount=[1.0, None, None]).flow()
    assert flow.amounts is not None
    huge = np.full_like(flow.amounts.whole, 2**62)
    large = StageFlow(
        flow.states,
        flow.by,
        flow.groups,
        flow.counts,
        flow.durations,
        ExactSums(huge, flow.amounts.micro),
        flow.starts,
        flow.ends,
        flow.instant,
    )

    with pytest.raises(SizeError, match="a sum is beyond 64-bit integers"):
        large + large


def test_more_groups_than_memory_holds_are_refused() -> None:
    n = 900
    log = StageLog.from_columns(
        Funnel([f"s{k}" for k in range(250)]),
        opportunity=np.arange(n),
        stage=np.zeros(n, np.int64),
        entered_at=np.zeros(n, np.int64),
        attributes={"owner": np.arange(n)},
    )

    with pytest.raises(
        SizeError,
        match=r"of 900 groups × 252 × 252 states takes 1,375,315,200 bytes in 3 arrays, more than "
        r"max_bytes=1,000,000,000: group by what has fewer labels, or allow more",
    ):
        log.flow(by="owner", max_bytes=1_000_000_000)
    assert log.flow(by="owner", durations=False, max_bytes=1_000_000_000).counts.sum() == 0


def test_a_funnel_of_250_stages_flows() -> None:
    funnel = Funnel([f"s{k}" for k in range(250)])
    log = StageLog.from_columns(
        funnel,
        opportunity=["A"] * 252,
        stage=[*funnel.states],
        entered_at=np.arange(252),
    )

    flow = log.flow()

    assert np.array_equal(np.diagonal(flow.counts, 1), np.ones(251, np.int64))
    assert flow.counts.sum() == 251
    assert log.stage_counts().churned.sum() == 1
