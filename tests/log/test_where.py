"""where=: some of the opportunities, by their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from histories import MODES, log_of, oracles
from hypothesis import given
from hypothesis import strategies as st
from oracle import Mode, Oracle

from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics.grouped import as_of_note
from salesfunnel.model.funnel import Funnel


def small() -> StageLog:
    return StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=["A", "A", "B", "C", "C"],
        stage=["lead", "demo", "lead", "lead", "lost"],
        entered_at=np.arange(5),
        amount=[1, 2, 4, 8, 16],
        attributes={
            "owner": ["li", "wang", "li", None, None],
            "source": ["web", None, "web", "fair", "fair"],
        },
    )


@given(oracles(), st.sampled_from(MODES))
def test_where_gives_what_grouping_gives_for_that_group(oracle: Oracle, mode: Mode) -> None:
    log = log_of(oracle)
    by_owner = log.stage_counts(mode, by="owner", as_of=oracle.as_of)

    for owner in by_owner.groups or ():
        found = log.stage_counts(mode, as_of=oracle.as_of, where={"owner": owner})
        assert found == by_owner[owner]


@given(oracles(), st.sampled_from(["collapse", "keep"]))
def test_the_parts_of_a_selection_add_up_to_all(oracle: Oracle, repeats: str) -> None:
    log = log_of(oracle)
    owners = [*log.attribute("owner").names, None]
    whole = log.flow(as_of=oracle.as_of, repeats=repeats)

    parts = [
        log.flow(as_of=oracle.as_of, where={"owner": owner}, repeats=repeats) for owner in owners
    ]
    total = parts[0]
    for part in parts[1:]:
        total += part
    assert total == whole
    assert log.flow(as_of=oracle.as_of, where={"owner": owners}, repeats=repeats) == whole


def test_labels_count_as_last_known_at_the_instant() -> None:
    log = small()

    assert log.milestones(where={"owner": "li"}).opportunity.tolist() == ["B"]
    assert log.milestones(where={"owner": "li"}, as_of=0).opportunity.tolist() == ["A"]
    assert log.milestones(where={"owner": None}).opportunity.tolist() == ["C"]


def test_several_attributes_must_all_fit_and_several_labels_are_alternatives() -> None:
    log = small()

    both = log.milestones(where={"owner": ["li", None], "source": ["web", "fair"]})
    assert both.opportunity.tolist() == ["B", "C"]
    assert log.milestones(where={"owner": "wang", "source": "fair"}).opportunity.tolist() == []


def test_amounts_and_entries_are_those_of_the_selected() -> None:
    view = small().view(where={"source": ["fair"]})

    assert view.amount.tolist() == [16]
    assert view.n_entries == 2
    flow = small().flow(where={"source": "web"})
    assert flow.amount[0, 1] == 2
    assert flow.starts.tolist() == [2, 0, 0, 0]


def test_a_selection_is_named_in_the_notes() -> None:
    notes = as_of_note(small().view(where={"source": "web", "owner": ["wang", None]}))

    assert notes[-1].text("en") == "Only opportunities with Owner = wang, Unknown; Source = web."
    assert notes[-1].text("zh") == "仅含 负责人 = wang、未知；来源 = web 的商机。"


def test_equal_selections_share_a_view() -> None:
    log = small()

    first = log.view(where={"owner": ["wang", "li"]})
    assert log.view(where={"owner": ("li", "wang", "li")}) is first


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ({"team": "a"}, UnknownAttributeError, "no attribute 'team'; it has owner, source"),
        (
            {"owner": "zhao"},
            UnknownAttributeError,
            "the owner 'zhao', which the log does not have; it has 'li', 'wang'",
        ),
        ({"owner": []}, DefinitionError, "gives 'owner' a label or a list of labels"),
        ({"owner": 3}, DefinitionError, "gives 'owner' a label or a list of labels"),
        ({"owner": [["li"]]}, DefinitionError, "gives 'owner' a label or a list of labels"),
        ("owner", DefinitionError, "where= maps attributes to labels"),
        ({1: "li"}, DefinitionError, "where= maps attributes to labels"),
    ],
)
def test_what_cannot_be_selected_is_named(where: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=r"where=|no attribute") as caught:
        small().flow(where=where)

    assert message in str(caught.value)
