"""Values and ages of many leads, as they come → arrays with a column for each criterion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.frames import from_frame, is_frame
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.values import as_column, plain_values
from salesfunnel.errors import DefinitionError, LevelError, ShapeError
from salesfunnel.kernel.codes import factorize_objects
from salesfunnel.model.missing import is_missing
from salesfunnel.scoring.criteria import Criterion
from salesfunnel.scoring.scores import CHUNK, Floats
from salesfunnel.wording import Listed, Wording

if TYPE_CHECKING:
    from salesfunnel.scoring.scorer import Scorer

_DAY = np.timedelta64(1, "D")


def read_values(scorer: Scorer, values: Any) -> Floats:
    """Return values as an array (N, criteria): of float32 as it is, else of float64.

    Raises
    ------
    ShapeError, LevelError, MissingColumnError
        As `Rubric.score` describes.
    """
    table = _table(values, Wording("the table of values"))
    if table is not None:
        columns = [
            read_levels(criterion, as_column(table.column(criterion.key), criterion.key))
            for criterion in scorer.criteria
        ]
        _check_lengths(scorer.keys, columns)
        return np.column_stack(columns)
    array = _array(values)
    if array.ndim != 2 or array.shape[1] != len(scorer):
        raise ShapeError(
            "values are an array with a row for each lead and {n} columns ({criteria}), not of "
            "shape {given}",
            n=len(scorer),
            criteria=Listed(scorer.keys),
            given=array.shape,
        )
    if array.dtype.kind not in "iufb":
        return np.column_stack(
            [
                read_levels(part, column)
                for part, column in zip(scorer.criteria, array.T, strict=True)
            ]
        )
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def read_levels(criterion: Criterion, column: Any) -> Floats:
    """Return a column of numbers and keys of levels as numbers, NaN where not known, (N,)."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iufb":
        return column if column.dtype in (np.float32, np.float64) else column.astype(np.float64)
    plain = plain_values(column)
    try:
        codes, distinct = factorize_objects(None if is_missing(v) else v for v in plain)
        worth = [criterion.value(value) for value in distinct]
    except (LevelError, TypeError):
        raise _first_bad(criterion, plain) from None
    return np.array([*worth, np.nan], np.float64)[codes]


def _first_bad(criterion: Criterion, values: Any) -> LevelError:
    for row, value in enumerate(values):
        try:
            criterion.value(value)
        except LevelError as error:
            return LevelError("row {row}, {error}", row=row, error=error)
    raise AssertionError("one of the values was refused")


def check_values(scorer: Scorer, values: Floats) -> None:
    """Raise a `LevelError` that names the first value that is neither from 0 to 1 nor NaN."""
    for begin in range(0, len(values), CHUNK):
        part = values[begin : begin + CHUNK]
        least, most = np.fmin.reduce(part, axis=None), np.fmax.reduce(part, axis=None)
        if (least >= 0 and most <= 1) or np.isnan(most):
            continue
        row, place = np.argwhere((part < 0) | (part > 1))[0]
        raise LevelError(
            "row {row}, criterion {criterion!r}: a value is a number from 0 to 1, or NaN where it "
            "is not known, not {value:g}",
            row=begin + row,
            criterion=scorer.keys[place],
            value=part[row, place],
        )


def fade(scorer: Scorer, values: Floats, age: Any) -> tuple[Floats, Floats | None]:
    """Return what is known at an age, and the share of it that has not faded, (N, criteria).

    Raises
    ------
    ShapeError, DefinitionError, UnknownCriterionError
        If the ages are not of the form that `Rubric.score` describes.
    """
    if age is None:
        return values, None
    days = _ages(scorer, values.shape, age)
    half_lives = np.array([_half_life_days(criterion) for criterion in scorer.criteria])
    with np.errstate(over="ignore"):  # far before the evidence was there
        left = np.exp2(-days / half_lives)
    left[np.isnan(days)] = 1  # of an unknown age, so as good as new
    is_later = days < 0
    known = values
    if is_later.any():
        known = np.where(is_later, values.dtype.type(np.nan), values)
        left[is_later] = 1
    return known, left.astype(values.dtype)


def _half_life_days(criterion: Criterion) -> float:
    return math.inf if criterion.half_life is None else criterion.half_life / timedelta(days=1)


def _ages(scorer: Scorer, shape: tuple[int, ...], age: Any) -> NDArray[np.float64]:
    days = np.full(shape, np.nan)
    table = _table(age, "age=")
    if table is None:
        array = _days(_array(age))
        if array.shape != shape and array.shape != shape[:1]:
            raise ShapeError(
                "age= has the shape of the values, {shape}, or one age for each lead, {one_each}, "
                "not {given}",
                shape=shape,
                one_each=shape[:1],
                given=array.shape,
            )
        days[:] = array.reshape(len(array), -1)
        return days
    for key in table.columns:
        column = _days(np.asarray(table.column(key)))
        if column.shape != shape[:1]:
            raise ShapeError(
                "age= has a column {key!r} of shape {given}, not {one_each}",
                key=key,
                given=column.shape,
                one_each=shape[:1],
            )
        days[:, scorer.index(key)] = column
    return days


def _days(age: NDArray[Any]) -> NDArray[np.float64]:
    if age.dtype.kind == "m":
        return np.asarray(age / _DAY)
    try:
        return age.astype(np.float64)
    except (TypeError, ValueError):
        raise DefinitionError(
            "age= is in days, or timedelta64; NaN where it is not known, not {dtype}",
            dtype=age.dtype,
        ) from None


def _table(values: Any, name: str) -> RawTable | None:
    """Return a mapping or a dataframe as a table; None for anything else."""
    if isinstance(values, Mapping):
        return RawTable(name, values, range(0))
    if isinstance(values, (np.ndarray, list, tuple)) or not is_frame(values):
        return None
    return from_frame(values, name)


def _array(values: Any) -> NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    try:
        return np.asarray(values)
    except ValueError:
        raise ShapeError("the rows of an array are of one length; these differ") from None


def _check_lengths(keys: tuple[str, ...], columns: list[Floats]) -> None:
    if len({len(column) for column in columns}) > 1:
        listing = Listed(
            (f"{key} {len(column)}" for key, column in zip(keys, columns, strict=True))
        )
        raise ShapeError("columns are of one length, not {listing}", listing=listing)
