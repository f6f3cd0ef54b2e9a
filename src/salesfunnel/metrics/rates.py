"""Rates as columns of tables: never a bare number, always with what it is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.metrics.intervals import wilson
from salesfunnel.table import Column, Phrase
from salesfunnel.wording import Listed

WEIGHTS = ("count", "amount")
"""Whether opportunities count as one each, or by their amounts."""
RATE_PARTS = ("", "_numerator", "_denominator", "_low", "_high")
"""What comes after a rate's name in the names of its columns."""
WIN_RATE = ("win_rate", "won", "won_or_lost")
"""The titles of a win rate, of its numerator and its denominator."""


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> NDArray[np.float64]:
    """Return numerator / denominator, of the broadcast shape; NaN where the denominator is zero."""
    top, bottom = np.asarray(numerator, float), np.asarray(denominator, float)
    out = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    return np.asarray(np.divide(top, bottom, out=out, where=bottom != 0))


def rate_columns(
    name: str,
    numerator: NDArray[np.int64] | NDArray[np.float64],
    denominator: NDArray[np.int64] | NDArray[np.float64],
    *,
    defined: NDArray[np.bool_] | None = None,
    bounded: bool = True,
    titles: tuple[str | Phrase | None, str | None, str | None] = (None, None, None),
) -> list[Column]:
    """Return a rate by count with its numerator, denominator and Wilson interval, as columns.

    Parameters
    ----------
    name : str
        Of the rate; ``"value"`` for the only rate of a table, whose parts then have no prefix.
    numerator, denominator : (n,) integers, or fractions of them
    defined : (n,) bool, optional
        Where the rate has a meaning; elsewhere it is NaN, of 0.
    bounded : bool
        Whether the rate is a proportion; if not, its bounds are NaN.
    titles : tuple of str
        The columns whose titles in the catalogue people see above rate, numerator and denominator.
    """
    if defined is not None:
        numerator, denominator = numerator * defined, denominator * defined
    if bounded:
        low, high = wilson(numerator, denominator)
    else:
        low = high = np.full(len(numerator), np.nan)
    prefix = "" if name == "value" else f"{name}_"
    return [
        Column(name, ratio(numerator, denominator), "rate", title=titles[0]),
        Column(f"{prefix}numerator", numerator, title=titles[1]),
        Column(f"{prefix}denominator", denominator, title=titles[2]),
        Column(f"{prefix}low", low, "rate"),
        Column(f"{prefix}high", high, "rate"),
    ]


def amount_rate_columns(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    *,
    defined: NDArray[np.bool_] | None = None,
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    titles: tuple[str | Phrase | None, str | None, str | None] = (None, None, None),
) -> list[Column]:
    """Return a rate by amount, the only one of its table, as columns.

    Parameters
    ----------
    numerator, denominator : (n,) float
    defined : (n,) bool, optional
        Where the rate has a meaning: where no amount is negative. Elsewhere it is NaN.
    bounds : pair of (n,) float, optional
        Its interval, by bootstrap; NaN without.
    titles : tuple of str
        The columns whose titles in the catalogue people see above rate, numerator and denominator.
    """
    value = ratio(numerator, denominator)
    low, high = (np.full(len(value), np.nan),) * 2 if bounds is None else bounds
    if defined is not None:
        value, low, high = (np.where(defined, values, np.nan) for values in (value, low, high))
    return [
        Column("value", value, "rate", title=titles[0]),
        Column("numerator", numerator, "money", title=titles[1]),
        Column("denominator", denominator, "money", title=titles[2]),
        Column("low", low, "rate"),
        Column("high", high, "rate"),
    ]


def check_weight(weight: str, bootstrap: int | None = None) -> None:
    """Refuse a ``weight=`` that is none of `WEIGHTS`, and a bootstrap of counts."""
    if weight not in WEIGHTS:
        raise DefinitionError(
            "weight= is one of {known}, not {weight!r}", known=Listed(WEIGHTS), weight=weight
        )
    if bootstrap is not None and weight == "count":
        raise DefinitionError(
            "bootstrap= is for weight='amount': a rate by count has its Wilson interval anyway"
        )


def interval_notes(weight: str, bootstrap: int | None = None) -> list[Phrase]:
    """Return what people must know of the interval of a rate by count or by amount."""
    if weight == "count":
        return [Phrase("note.interval", {"level": "95%"})]
    if bootstrap is None:
        return [Phrase("note.amount_rate")]
    values = {"level": "95%", "count": bootstrap}
    return [Phrase("note.by_amount"), Phrase("note.bootstrap_interval", values)]
