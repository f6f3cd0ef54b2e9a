"""Assignment: turns, room and territories."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import DefinitionError, DuplicateKeyError, SalesFunnelError, ShapeError
from salesfunnel.model.lead import Lead
from salesfunnel.scoring import Owner, assign
from salesfunnel.table import Table


def owners_of(table: Table) -> list[str | None]:
    owners: list[str | None] = table["owner"].tolist()
    return owners


def test_owners_take_turns_in_the_order_given() -> None:
    table = assign(range(5), ["li", "wang"])

    assert owners_of(table) == ["li", "wang", "li", "wang", "li"]
    assert set(table["reason"].tolist()) == {"turn"}
    assert table["lead"].tolist() == [0, 1, 2, 3, 4]


def test_the_turn_goes_on_after_the_last_one() -> None:
    assert owners_of(assign("abcd", ["li", "wang", "zhou"], after="li")) == [
        "wang",
        "zhou",
        "li",
        "wang",
    ]


def test_nobody_gets_more_than_they_have_room_for() -> None:
    team = [Owner("li", capacity=3, has=2), Owner("wang", capacity=2), Owner("zhou", capacity=0)]

    table = assign(range(4), team)

    assert owners_of(table) == ["li", "wang", "wang", None]
    assert table["reason"].tolist() == ["turn", "turn", "turn", "no_capacity"]


def test_a_lead_goes_to_those_of_its_territory() -> None:
    team = [Owner("li", territories=["east"]), Owner("wang", territories="west"), Owner("zhou")]
    regions = ["east", "west", "north", None, "east", "west"]

    table = assign(range(6), team, territory=regions)
    without_zhou = assign(range(4), team[:2], territory=regions[:4])

    assert owners_of(table) == ["li", "wang", "zhou", "zhou", "li", "wang"]
    assert table["territory"].tolist() == regions
    assert owners_of(without_zhou) == ["li", "wang", None, None]
    assert without_zhou["reason"].tolist()[2:] == ["no_territory", "no_territory"]


def test_whoever_waited_longest_is_next_across_territories() -> None:
    team = [Owner("li"), Owner("wang", territories=["east"])]

    table = assign(range(5), team, territory=["west", "east", "east", "west", "east"])

    # After wang and li in the east, li takes the west again, so that the east is wang's.
    assert owners_of(table) == ["li", "wang", "li", "li", "wang"]


def test_by_load_whoever_has_the_most_room_is_next() -> None:
    team = [Owner("li", capacity=10, has=5), Owner("wang", capacity=4, has=1)]

    table = assign(range(6), team, rule="load")

    # Shares: wang 1/4, li 5/10, wang 2/4, wang 3/4 …
    assert owners_of(table) == ["wang", "li", "wang", "li", "li", "wang"]
    assert owners_of(assign(range(3), [Owner("a", has=1), Owner("b")], rule="load")) == [
        "b",
        "a",
        "b",
    ]


def test_a_lead_keeps_the_owner_that_it_has_who_then_has_less_room() -> None:
    leads = [
        Lead("L1"),
        Lead("L2", owner="li"),
        Lead("L3", owner="somebody else", fields={"region": "east"}),
    ]

    table = assign(leads, [Owner("li", capacity=1), Owner("wang", capacity=1)])

    assert owners_of(table) == ["wang", "li", "somebody else"]
    assert table["reason"].tolist() == ["turn", "kept", "kept"]
    assert table["lead"].tolist() == ["L1", "L2", "L3"]
    given_owner = assign(["L1", "L2"], ["li", "wang"], owner=[None, "wang"])
    assert owners_of(given_owner) == ["li", "wang"]
    by_field = assign(leads, [Owner("li", territories=["east"])], territory="region")
    assert owners_of(by_field) == [None, "li", "somebody else"]


@given(
    st.lists(st.sampled_from(["east", "west", None]), max_size=20),
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 4), st.sampled_from([(), ("east",), ("east", "west")])
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["round_robin", "load"]),
)
def test_no_rule_is_broken_and_no_lead_left_that_somebody_could_take(
    places: list[str | None], limits: list[tuple[int | None, tuple[str, ...]]], rule: str
) -> None:
    team = [
        Owner(f"o{n}", capacity=None if rule == "load" else capacity, territories=territories)
        for n, (capacity, territories) in enumerate(limits)
    ]

    found = owners_of(assign(range(len(places)), team, rule=rule, territory=places))

    has: Counter[str | None] = Counter()
    for place, key in zip(places, found, strict=True):
        takers = {
            each.key
            for each in team
            if (not each.territories or place in each.territories)
            and (each.capacity is None or has[each.key] < each.capacity)
        }
        assert key in takers if takers else key is None
        if rule == "load" and key is not None:
            assert has[key] == min(has[taker] for taker in takers)
        has[key] += 1


def test_the_table_says_why_in_both_languages() -> None:
    table = assign(["L1"], ["li"])

    assert table.to_text().splitlines()[-1].startswith("In turn: whoever has gone longest")
    assert "their turn" in table.to_text()
    assert "轮到" in table.to_text("zh")
    assert "按负荷分配" in assign(["L1"], ["li"], rule="load").to_text("zh")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"owners": []}, DefinitionError, "leads are assigned to at least one owner; none was giv"),
        ({"owners": ["li", "li"]}, DuplicateKeyError, "the key 'li' stands twice in the owners"),
        ({"owners": [3]}, DefinitionError, "owners are a sequence of Owner, not of 3"),
        ({"rule": "luck"}, DefinitionError, "rule= is one of round_robin, load, not 'luck'"),
        ({"after": "zhou"}, DefinitionError, "after= is one of li, not 'zhou'"),
        (
            {"owners": [Owner("li", capacity=1), "wang"], "rule": "load"},
            DefinitionError,
            "by load either every owner has a capacity, or none has",
        ),
        (
            {"owners": [Owner("li", territories=["east"])]},
            DefinitionError,
            "owners have territories, and territory= says where leads belong",
        ),
        ({"territory": ["east"]}, ShapeError, "territory has a value for each of 2 leads, not 1"),
        ({"territory": "region"}, DefinitionError, "territory= by a field needs leads as Lead"),
        ({"owner": ["li"]}, ShapeError, "owner has a value for each of 2 leads, not 1"),
    ],
)
def test_what_cannot_be_assigned_is_refused(
    arguments: dict[str, Any], error: type[SalesFunnelError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        assign(**{"leads": ["L1", "L2"], "owners": ["li"], **arguments})

    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity": -1}, "a number of leads is a whole number of 0 or more, not -1"),
        ({"capacity": 1.5}, "a number of leads is a whole number of 0 or more, not 1.5"),
        ({"has": True}, "a number of leads is a whole number of 0 or more, not True"),
        ({"territories": [3]}, "territories are a sequence of texts, not [3]"),
        ({"key": ""}, "Owner.key is not empty"),
    ],
)
def test_what_cannot_be_an_owner_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Owner(**{"key": "li", **arguments})

    assert str(refusal.value).startswith(message)
