"""What stands for a value that is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from salesfunnel.model.missing import is_missing


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " \t",
        float("nan"),
        Decimal("NaN"),
        np.float32("nan"),
        np.datetime64("NaT"),
        pd.NaT,
        pd.NA,
    ],
)
def test_blanks_and_what_is_no_number_are_missing(value: Any) -> None:
    assert is_missing(value)


@pytest.mark.parametrize(
    "value",
    [
        "-",
        "nan",
        0,
        0.0,
        False,
        Decimal(0),
        np.datetime64("2026-01-05"),
        datetime(2026, 1, 5, tzinfo=UTC),
        [],
        np.array([float("nan")]),
    ],
)
def test_a_value_is_not_missing_because_it_is_nothing_much(value: Any) -> None:
    assert not is_missing(value)
