"""The immutable mapping: a value, all the way down."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest

from salesfunnel.model.frozendict import FrozenDict

Numbers = FrozenDict[int]


def test_it_reads_like_a_dict() -> None:
    numbers = FrozenDict({"one": 1, "two": 2})

    assert numbers["one"] == 1
    assert numbers.get("three") is None
    assert list(numbers.items()) == [("one", 1), ("two", 2)]
    assert len(numbers) == 2
    assert {**numbers, "three": 3} == {"one": 1, "two": 2, "three": 3}
    assert repr(numbers) == "{'one': 1, 'two': 2}"


def test_without_items_it_is_empty() -> None:
    assert FrozenDict() == {}
    assert not FrozenDict()


def test_it_cannot_be_changed() -> None:
    numbers = FrozenDict({"one": 1})

    with pytest.raises(TypeError, match="does not support item assignment"):
        numbers["one"] = 2  # type: ignore[index]
    with pytest.raises(TypeError, match="does not support item deletion"):
        del numbers["one"]  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="FrozenDict is immutable"):
        numbers._items = {}
    with pytest.raises(AttributeError, match="FrozenDict is immutable"):
        del numbers._items
    with pytest.raises(AttributeError, match="FrozenDict is immutable"):
        numbers.other = 1
    assert numbers == {"one": 1}


def test_it_does_not_follow_the_mapping_that_it_was_made_from() -> None:
    source = {"one": 1}
    numbers = FrozenDict(source)

    source["one"] = 2

    assert numbers["one"] == 1


@pytest.mark.parametrize("same", [FrozenDict, dict, MappingProxyType])
def test_it_equals_any_mapping_with_the_same_items_in_any_order(
    same: Callable[[dict[str, int]], Mapping[str, int]],
) -> None:
    numbers = FrozenDict({"one": 1, "two": 2})

    assert numbers == same({"two": 2, "one": 1})
    assert numbers != same({"one": 1})


def test_it_equals_nothing_but_mappings() -> None:
    assert FrozenDict({"one": 1}) != [("one", 1)]


def test_equal_ones_hash_alike_whatever_their_order() -> None:
    assert hash(FrozenDict({"one": 1, "two": 2})) == hash(FrozenDict({"two": 2, "one": 1}))


def test_it_is_unhashable_only_where_a_value_is() -> None:
    lists = FrozenDict({"one": [1]})

    assert lists == {"one": [1]}
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        hash(lists)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda numbers: pickle.loads(pickle.dumps(numbers))],  # noqa: S301
)
def test_a_copy_is_equal_and_immutable_too(copied: Callable[[Numbers], Numbers]) -> None:
    other = copied(FrozenDict({"one": 1}))

    assert type(other) is FrozenDict
    assert other == {"one": 1}
    with pytest.raises(AttributeError, match="immutable"):
        other._items = {}


def test_a_deep_copy_shares_no_mutable_value_with_the_original() -> None:
    original = FrozenDict({"one": [1]})

    copy.deepcopy(original)["one"].append(2)

    assert original == {"one": [1]}
