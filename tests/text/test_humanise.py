"""Names for people made from the names of data and code."""

from __future__ import annotations

import pytest

from salesfunnel.text.humanise import humanised


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("won_amount", "Won amount"),
        ("owner", "Owner"),
        ("_deal__owner_", "Deal owner"),
        ("ARR", "ARR"),
        ("iPhone_model", "iPhone_model"),
        ("A_SUBMITTED", "A_SUBMITTED"),
        ("商机阶段", "商机阶段"),
        ("", ""),
        ("__", "__"),
    ],
)
def test_a_name_in_lower_case_becomes_readable(name: str, readable: str) -> None:
    assert humanised(name) == readable
