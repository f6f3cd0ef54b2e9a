"""Scores, probabilities and outcomes as a user gives them → checked arrays."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.columns.values import as_column
from salesfunnel.errors import BadRow, DataError, DefinitionError, OutcomeError
from salesfunnel.wording import Wording


def read_scores(scores: ArrayLike, name: str = "scores") -> NDArray[np.float64]:
    """Return scores as floats, (N,).

    Raises
    ------
    DataError
        If one of them is no finite number.
    """
    column = as_column(scores, name)
    array = np.asarray(column)
    if array.dtype.kind not in "biuf":
        array = np.array([_number(value) for value in column], np.float64)
    array = array.astype(np.float64)
    refuse_rows(~np.isfinite(array), name, column, Wording("a finite number"))
    return array


def read_probabilities(
    probabilities: ArrayLike, name: str = "probabilities"
) -> NDArray[np.float64]:
    """Return probabilities as floats, (N,).

    Raises
    ------
    DataError
        If one of them is not between 0 and 1.
    """
    array = read_scores(probabilities, name)
    bad = (array < 0) | (array > 1)
    refuse_rows(
        bad, name, array, Wording("a probability, from 0 to 1 (divide a score of 100 by 100)")
    )
    return array


def read_outcomes(outcomes: ArrayLike, name: str = "outcomes") -> NDArray[np.bool_]:
    """Return outcomes as bools, (N,): whether each lead was won.

    Raises
    ------
    DataError
        If one of them is neither true or 1 nor false or 0.
    """
    column = as_column(outcomes, name)
    array = np.asarray(column)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind not in "iuf":
        array = np.array([_number(value) for value in column], np.float64)
    bad = (array != 0) & (array != 1)
    refuse_rows(
        bad, name, column, Wording("True (won) or False (lost); leave out the undecided leads")
    )
    return np.asarray(array == 1)


def read_pair(
    scores: NDArray[np.float64], outcomes: ArrayLike, name: str = "scores"
) -> NDArray[np.bool_]:
    """Return the outcomes of as many leads as have scores, won ones and lost ones among them.

    Raises
    ------
    DataError
        If the lengths differ or an outcome is none; `OutcomeError` if all of them are equal.
    """
    won = read_outcomes(outcomes)
    same_length(won, **{name: scores})
    both_kinds(won)
    return won


def same_length(won: NDArray[np.bool_], **others: Sized) -> None:
    """Raise `DataError` if a column has not as many rows as there are outcomes."""
    for name, values in others.items():
        if len(values) != len(won):
            raise DataError(
                "{name} has {n_values:,} rows and outcomes {n_outcomes:,}; there must be one of "
                "each for every lead",
                name=name,
                n_values=len(values),
                n_outcomes=len(won),
            )


def both_kinds(won: NDArray[np.bool_], where: str = "") -> None:
    """Raise `OutcomeError` if there are not won leads as well as lost ones."""
    n_won = int(np.count_nonzero(won))
    if not 0 < n_won < len(won):
        found = Wording(
            "all {n:,} are won"
            if n_won
            else "all {n:,} are lost"
            if len(won)
            else "there are none",
            n=len(won),
        )
        raise OutcomeError(
            "outcomes{where}: {found}; to tell one from the other takes leads that were won and "
            "leads that were lost",
            where=where,
            found=found,
        )


def refuse_rows(
    bad: NDArray[np.bool_],
    column: str,
    values: Sequence[Any] | NDArray[Any],
    expected: str,
    error: type[DataError] = DataError,
) -> None:
    """Raise an error with the rows that are bad, if any are."""
    rows = np.flatnonzero(bad)
    if len(rows) == 0:
        return
    shown = []
    for index in rows[: DataError.shown].tolist():
        value = values[index]
        value = value.item() if isinstance(value, np.generic) else value
        shown.append(BadRow(index, column, value, expected))
    noun = Wording("value" if len(rows) == 1 else "values")
    raise error(
        "{name} has {n:,} {noun} that cannot be used:",
        shown,
        len(rows) - len(shown),
        name=column,
        n=len(rows),
        noun=noun,
    )


def check_bins(bins: int) -> None:
    """Raise `DefinitionError` if `bins` is no number of bins."""
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)) or bins < 1:
        raise DefinitionError("bins= is a number of bins, 1 or more, not {bins!r}", bins=bins)


def check_least(least: object) -> None:
    """Raise `DefinitionError` if `least` is no number of leads."""
    if isinstance(least, bool) or not isinstance(least, (int, np.integer)) or least < 0:
        raise DefinitionError(
            "min_leads= is a number of leads, 0 or more, not {least!r}", least=least
        )


def _number(value: Any) -> float:
    """Return what is a number as one, and anything else (a text, None) as NaN."""
    if isinstance(value, str):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan
