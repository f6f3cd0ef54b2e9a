"""Bad rows: the first fault of each, in order, raised or kept."""

from __future__ import annotations

import numpy as np
import pytest

from salesfunnel.columns.rejects import Rejects
from salesfunnel.errors import BadRow, DataError, DefinitionError


def mask(*rows: int, of: int = 4) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    bad = np.zeros(of, bool)
    bad[list(rows)] = True
    return bad


def test_the_first_fault_of_a_row_is_the_one_that_counts() -> None:
    rejects = Rejects(4, "collect")
    rejects.add(mask(2), "stage", ["a", "b", "c", "d"], "a stage")
    rejects.add(mask(2, 0), "at", np.array([1.5, 2, 3, 4]), "a time")

    assert rejects.settle() == [BadRow(0, "at", 1.5, "a time"), BadRow(2, "stage", "c", "a stage")]
    assert rejects.bad.tolist() == [True, False, True, False]
    assert type(rejects.settle()[0].value) is float


def test_rows_left_out_have_no_faults() -> None:
    rejects = Rejects(4)
    rejects.leave_out(mask(1))
    rejects.add(mask(1), "stage", ["a", "b", "c", "d"], "a stage")

    assert rejects.settle() == []
    assert rejects.bad.tolist() == [False, True, False, False]


def test_rows_are_called_what_the_source_calls_them() -> None:
    rejects = Rejects(4, "collect", lambda index: 10 * index)
    rejects.add(mask(3), "stage", ["a", "b", "c", "d"], "a stage")

    assert rejects.settle()[0].row == 30


def test_bad_rows_raise_with_the_first_twenty_of_them() -> None:
    rejects = Rejects(25)
    rejects.add(mask(*range(25), of=25), "stage", [f"s{i}" for i in range(25)], "a stage")

    with pytest.raises(DataError) as refusal:
        rejects.settle()

    lines = str(refusal.value).splitlines()
    assert lines[0] == (
        "25 rows cannot be entries "
        "(errors='collect' loads the others and keeps these in log.rejected):"
    )
    assert lines[1] == "  row 0, stage: 's0', expected a stage"
    assert lines[20] == "  row 19, stage: 's19', expected a stage"
    assert lines[21:] == ["  … and 5 more"]
    assert len(refusal.value.rows) == 20
    assert refusal.value.more == 5


def test_one_bad_row_is_one() -> None:
    rejects = Rejects(4)
    rejects.add(mask(1), "stage", ["a", "b", "c", "d"], "a stage")

    with pytest.raises(DataError, match=r"^1 row cannot be entries"):
        rejects.settle()


def test_errors_are_raised_or_collected() -> None:
    with pytest.raises(DefinitionError, match="errors= is 'raise' or 'collect', not 'ignore'"):
        Rejects(1, "ignore")
