"""Many tests at once: how surprising a difference is, and how surprising among so many."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError

_ERFC = np.frompyfunc(math.erfc, 1, 1)


def two_sided_p(z: ArrayLike) -> NDArray[np.float64]:
    """Return the two-sided p-values of standard normal statistics.

    Parameters
    ----------
    z : array-like of float
        Of any shape.

    Returns
    -------
    array of float
        The chance of a value at least as far from 0 as `z`, of the same shape; NaN where `z` is.
        Its square is chi-squared with one degree of freedom, so this is that test too.

    Examples
    --------
    >>> two_sided_p([0, 1.96, -1.96]).round(3).tolist()
    [1.0, 0.05, 0.05]
    """
    return np.asarray(_ERFC(np.abs(np.asarray(z, float)) / math.sqrt(2)), np.float64)


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted for their number: the false discovery rates at which each is found.

    Calling a finding what has an adjusted value of at most 0.05, no more than 5% of the findings
    are expected to be none.

    Parameters
    ----------
    p : (..., n) array-like of float
        P-values in [0, 1]; each line of the last axis is a family of its own. NaN is no test.

    Returns
    -------
    (..., n) array of float
        The smallest of p₍ⱼ₎ · n / j over the ranks j from that of the p-value on, at most 1; NaN
        where there was no test.

    Raises
    ------
    DefinitionError
        If a p-value is not in [0, 1].

    Notes
    -----
    Y. Benjamini and Y. Hochberg (1995), "Controlling the false discovery rate: a practical and
    powerful approach to multiple testing", Journal of the Royal Statistical Society B 57, 289–300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.02, 0.03, 0.5]).tolist()
    [0.04, 0.04, 0.04, 0.5]
    """
    values = np.atleast_1d(np.asarray(p, float))
    if ((values < 0) | (values > 1)).any():
        raise DefinitionError("p-values are in [0, 1], with NaN where there was no test")
    order = np.argsort(values, axis=-1)  # NaN comes last
    ascending = np.take_along_axis(values, order, axis=-1)
    tests = np.count_nonzero(~np.isnan(values), axis=-1)[..., None]
    rank = np.arange(1, values.shape[-1] + 1)
    scaled = np.clip(ascending * tests / rank, ascending, 1.0)  # rounding may fall below
    # The smallest from each rank on; fmin passes over the NaN at the end.
    smallest = np.fmin.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.empty_like(values)
    np.put_along_axis(adjusted, order, smallest, axis=-1)
    return np.where(np.isnan(values), np.nan, adjusted).reshape(np.shape(p))
