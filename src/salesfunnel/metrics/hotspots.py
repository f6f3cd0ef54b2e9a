"""Hot spots: which loss reasons are over-represented where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.kernel.codes import NULL, factorize_integers
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import catalogue_namer, state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of
from salesfunnel.metrics.lossreasons import losses, reason_column
from salesfunnel.metrics.multiple import benjamini_hochberg, two_sided_p
from salesfunnel.metrics.rates import ratio
from salesfunnel.table import Column, Phrase, Table

LEVEL = 0.05
"""The false discovery rate of the findings."""
_ENOUGH = 5
"""Cells where fewer are expected are not tested (W. G. Cochran 1954, Biometrics 10, 417–451)."""


def adjusted_residuals(counts: ArrayLike) -> NDArray[np.float64]:
    """Return how far each cell of a contingency table is from what its margins let expect.

    Parameters
    ----------
    counts : (..., R, C) array-like of numbers
        How often each row goes with each column.

    Returns
    -------
    (..., R, C) array of float
        (n - e) / √(e (1 - row / N) (1 - column / N)) with e = row · column / N: standard normal in
        large tables of rows and columns that have nothing to do with each other. NaN where a row or
        a column is empty or is all there is.

    Notes
    -----
    S. J. Haberman (1973), "The analysis of residuals in cross-classified tables", Biometrics 29,
    205–220.

    Examples
    --------
    >>> adjusted_residuals([[30, 10], [20, 40]]).round(2)
    array([[ 4.08, -4.08],
           [-4.08,  4.08]])
    """
    observed = np.asarray(counts, float)
    row, column, total = _margins(observed)
    expected = _expected(observed)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(expected * (1 - row / total) * (1 - column / total))
        return np.where(spread > 0, (observed - expected) / spread, np.nan)


def loss_hotspots(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return which reasons opportunities are lost for more often, or less often, in some places.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes whose groups are compared, by the labels last known at `as_of`. By default the
        stages where opportunities were lost are: the furthest of each.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each place with losses and each reason that occurs, the most over-represented
        first and what was not tested last: the group's labels, or ``stage``; ``reason`` (None: no
        reason was given); ``lost``; ``expected``, were the reasons the same everywhere;
        ``residual``, the adjusted residual; ``p_value`` of it (two-sided, normal); ``q_value``, the
        p-value adjusted for the number of tests by Benjamini and Hochberg; ``finding``, ``"over"``
        or ``"under"`` where that is at most 0.05, else None. Cells where fewer than 5 are expected,
        with or without the reason, here or elsewhere, are not tested: their ``p_value`` and
        ``q_value`` are NaN.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups, lost = groups_of(view, by), losses(view)
    place, places = factorize_integers(lost.stage if by is None else groups.codes[lost.member])
    # A missing reason comes after all that have a name.
    last = np.iinfo(np.int64).max
    reason, reasons = factorize_integers(np.where(lost.reason == NULL, last, lost.reason))
    reasons = np.where(reasons == last, NULL, reasons)
    shape = (len(places), len(reasons))
    counts = np.bincount(place * len(reasons) + reason, minlength=shape[0] * shape[1])
    observed = counts.reshape(shape).astype(np.float64)
    expected = _expected(observed)
    residual = adjusted_residuals(observed)
    p = np.where(_smallest_expected(observed) >= _ENOUGH, two_sided_p(residual), np.nan).ravel()
    q = benjamini_hochberg(p)
    found = np.where(q <= LEVEL, np.where(residual.ravel() > 0, "over", "under"), "").astype(object)
    found[found == ""] = None

    rows = np.lexsort((-residual.ravel(), np.isnan(p)))  # what was not tested comes last
    at, why = (codes.ravel()[rows] for codes in np.indices(shape))
    columns = (
        []
        if by is not None
        else [
            Column(
                "stage",
                np.array(log.funnel.states, object)[places[at]],
                labels=state_namer(log.funnel),
            )
        ]
    )
    columns += [
        reason_column(log, reasons[why]),
        Column("lost", counts[rows]),
        Column("expected", expected.ravel()[rows], title="expected_lost"),
        Column("residual", residual.ravel()[rows]),
        Column("p_value", p[rows], "p_value"),
        Column("q_value", q[rows], "p_value"),
        Column("finding", found[rows], labels=catalogue_namer("value")),
    ]
    notes = as_of_note(view)
    if by is None:
        notes.append(Phrase("note.lost_at_furthest"))
    return Table(
        beside([] if by is None else groups.columns(places[at]), columns),
        title=Phrase("title.loss_hotspots"),
        notes=[*notes, Phrase("note.hotspots")],
    )


def _margins(
    observed: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return (
        observed.sum(axis=-1, keepdims=True),
        observed.sum(axis=-2, keepdims=True),
        observed.sum(axis=(-2, -1), keepdims=True),
    )


def _expected(observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the margins let expect; NaN where nothing was counted."""
    row, column, total = _margins(observed)
    return ratio(row * column, total)


def _smallest_expected(observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least that is expected of the four: this reason or another, here or elsewhere."""
    row, column, total = _margins(observed)
    expected = _expected(observed)
    both = np.minimum(expected, total - row - column + expected)
    return np.asarray(np.minimum(both, np.minimum(row, column) - expected))
