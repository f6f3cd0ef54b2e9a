"""What a policy may say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from salesfunnel.engine.policy import Policy
from salesfunnel.errors import DefinitionError


def test_the_default_allows_nothing_beyond_one_stage_forward() -> None:
    assert attrs.asdict(Policy()) == {
        "any_start": False,
        "skip": 0,
        "back": 0,
        "win_early": False,
        "reopen": False,
        "reopen_within": None,
        "loss_reason": "known",
        "required_fields": True,
    }


def test_policies_of_the_same_rules_are_equal_and_hash_alike() -> None:
    assert Policy(skip=2) == Policy(skip=2) != Policy(skip=3)
    assert hash(Policy(skip=2)) == hash(Policy(skip=2))


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Policy().skip = 1  # type: ignore[misc]


def test_the_time_limit_of_reopening_is_a_duration_or_its_text() -> None:
    assert Policy(reopen=True, reopen_within="36h") == Policy(
        reopen=True, reopen_within=timedelta(hours=36)
    )


def test_a_time_limit_of_reopening_needs_reopening() -> None:
    with pytest.raises(DefinitionError, match=r"reopen_within limits reopening: .* reopen=True"):
        Policy(reopen_within=timedelta(days=1))


@pytest.mark.parametrize("option", ["any_start", "win_early", "reopen", "required_fields"])
@pytest.mark.parametrize("value", [1, 0, None, "yes"])
def test_a_flag_is_true_or_false(option: str, value: object) -> None:
    options: dict[str, Any] = {option: value}

    with pytest.raises(DefinitionError) as caught:
        Policy(**options)

    assert str(caught.value) == f"Policy.{option} is True or False, not {value!r}"


@pytest.mark.parametrize("option", ["skip", "back"])
@pytest.mark.parametrize("value", [-1, 1.0, True, "1"])
def test_a_limit_counts_stages(option: str, value: object) -> None:
    options: dict[str, Any] = {option: value}

    with pytest.raises(DefinitionError) as caught:
        Policy(**options)

    assert str(caught.value) == (
        f"Policy.{option} is a number of stages, 0 or more, or None for any number, not {value!r}"
    )


@pytest.mark.parametrize("value", ["sometimes", None, True])
def test_loss_reasons_are_known_any_or_optional(value: Any) -> None:
    with pytest.raises(DefinitionError) as caught:
        Policy(loss_reason=value)

    assert str(caught.value) == f"Policy.loss_reason is one of known, any, optional, not {value!r}"


@pytest.mark.parametrize("value", ["soon", timedelta(0), timedelta(days=-1), 7])
def test_a_time_limit_is_a_positive_duration(value: Any) -> None:
    with pytest.raises(DefinitionError, match="a duration is a positive timedelta or a text"):
        Policy(reopen=True, reopen_within=value)


def test_options_have_names() -> None:
    with pytest.raises(TypeError, match="positional"):
        Policy(True)  # type: ignore[call-arg]
