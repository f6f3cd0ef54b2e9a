"""What an order of work is worth: gains, lift, and conversion by grade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.columns.values import as_column, read_labels
from salesfunnel.errors import DataError, DefinitionError
from salesfunnel.metrics.rates import rate_columns, ratio
from salesfunnel.scoring.validate.arrays import (
    both_kinds,
    check_bins,
    read_outcomes,
    read_pair,
    read_scores,
    same_length,
)
from salesfunnel.scoring.validate.enough import outcome_notes
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Listed

TIES = ("together", "spread")


class GainCurve(NamedTuple):
    """What share of the won leads is found by working down the scores.

    Attributes
    ----------
    depth : (D + 1,)
        The share of all leads worked, from 0 to 1; one point for each of the D distinct scores.
    gain : (D + 1,)
        The share of the won leads among them, from 0 to 1.
    """

    depth: NDArray[np.float64]
    gain: NDArray[np.float64]


def gain_curve(scores: ArrayLike, outcomes: ArrayLike) -> GainCurve:
    """Return what share of the won leads is found by working down the scores.

    Between its points the curve is straight: leads of one score come in no order.

    Parameters
    ----------
    scores : (N,) array-like of numbers
        Higher first.
    outcomes : (N,) array-like of bool
        Whether each lead was won.

    Returns
    -------
    GainCurve

    Raises
    ------
    DataError
        If a score is no finite number, an outcome none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.

    Examples
    --------
    >>> curve = gain_curve([3, 2, 2, 1], [True, False, True, False])
    >>> curve.depth.tolist(), curve.gain.tolist()
    ([0.0, 0.25, 0.75, 1.0], [0.0, 0.5, 1.0, 1.0])
    """
    values = read_scores(scores)
    won = read_pair(values, outcomes)
    _, leads, hits = _by_score(values, won)
    depth = np.append(0, np.cumsum(leads)) / len(won)
    gain = np.append(0, np.cumsum(hits)) / np.count_nonzero(won)
    return GainCurve(depth, gain)


def lift_table(
    scores: ArrayLike, outcomes: ArrayLike, *, bins: int = 10, ties: str = "together"
) -> Table:
    """Return how leads convert by the place of their score: lift and cumulative gain.

    Parameters
    ----------
    scores : (N,) array-like of numbers
        Higher first.
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    bins : int
        How many bins of equal size the leads are cut into, by descending score.
    ties : {"together", "spread"}
        What becomes of equal scores across the edge of two bins; the order of the leads decides
        nothing. ``"together"``: all of them go where the middle one belongs, so that counts are
        whole, bins differ in size, and an empty bin has no row. ``"spread"``: each bin takes its
        share of them, and of the won ones among them, so that bins have the same size and counts
        are fractions, the mean over every order of the ties.

    Returns
    -------
    Table
        A row for each bin, the highest scores first: ``bin`` (from 1), ``score_low``,
        ``score_high``; ``conversion_rate`` won / leads with its parts; ``lift``, its conversion
        over that of all leads; ``cumulative_gain``, won so far / all won with its parts;
        ``cumulative_lead_share``, leads so far / all leads with its parts; ``cumulative_lift``,
        gain over lead share.

    Raises
    ------
    DataError
        If a score is no finite number, an outcome none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    DefinitionError
        If `bins` or `ties` is not of this form.

    Examples
    --------
    >>> table = lift_table([9, 8, 7, 6, 5, 4], [1, 1, 0, 1, 0, 0], bins=2)
    >>> table["lift"].round(3).tolist(), table["cumulative_gain"].round(3).tolist()
    ([1.333, 0.667], [0.667, 1.0])
    """
    check_bins(bins)
    if ties not in TIES:
        raise DefinitionError(
            "ties= is one of {known}, not {ties!r}", known=Listed(TIES), ties=ties
        )
    values = read_scores(scores)
    won = read_pair(values, outcomes)
    found = _together(values, won, bins) if ties == "together" else _spread(values, won, bins)
    leads, hits = found.leads, found.hits
    all_leads = np.full(len(leads), len(won))
    all_hits = np.full(len(leads), np.count_nonzero(won))
    leads_so_far, hits_so_far = leads.cumsum(), hits.cumsum()
    if ties == "spread":  # the sums of fractions end a rounding error off the whole
        leads_so_far[-1], hits_so_far[-1] = len(won), all_hits[0]
    base = all_hits / all_leads
    return Table(
        [
            Column("bin", found.bin),
            Column("score_low", found.low),
            Column("score_high", found.high),
            *rate_columns("conversion_rate", hits, leads, titles=(None, "won", "leads")),
            Column("lift", ratio(ratio(hits, leads), base)),
            *rate_columns("cumulative_gain", hits_so_far, all_hits),
            *rate_columns("cumulative_lead_share", leads_so_far, all_leads, bounded=False),
            Column("cumulative_lift", ratio(ratio(hits_so_far, leads_so_far), base)),
        ],
        title=Phrase("title.lift_table"),
        notes=[
            Phrase("note.lift"),
            Phrase(f"note.ties_{ties}"),
            Phrase("note.interval", {"level": "95%"}),
            *outcome_notes(won),
        ],
    )


def conversion_by_grade(
    grades: Sequence[object] | NDArray[np.generic],
    outcomes: ArrayLike,
    *,
    order: Sequence[str] | None = None,
) -> Table:
    """Return how leads of each grade convert.

    Parameters
    ----------
    grades : (N,) sequence
        The grade of each lead, such as ``"A"``; None for a lead without one.
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    order : sequence of str, optional
        All grades, the best first: each has a row, also if no lead has it. By default the grades
        that occur, ascending; leads without one come last.

    Returns
    -------
    Table
        A row for each grade: ``grade``; ``value`` won / leads, ``numerator``, ``denominator``,
        ``low`` and ``high`` (Wilson, 0.95); ``lift``, its conversion over that of all leads; and
        ``lead_share``, leads / all leads with its parts.

    Raises
    ------
    DataError
        If an outcome is none, the lengths differ, or a grade is not in `order`.
    OutcomeError
        If all outcomes are equal.

    Examples
    --------
    >>> table = conversion_by_grade(["A", "B", "B", "A"], [True, False, True, True])
    >>> table["grade"].tolist(), table["numerator"].tolist(), table["denominator"].tolist()
    (['A', 'B'], [2, 1], [2, 2])
    """
    won = read_outcomes(outcomes)
    codes, found = read_labels(as_column(grades, "grades"))
    same_length(won, grades=codes)
    both_kinds(won)
    names = list(found if order is None else order)
    if strangers := sorted(set(found) - set(names)):
        raise DataError(
            "grades: {strangers} not among those of order=: {known}",
            strangers=Listed(map(repr, strangers)),
            known=Listed(map(repr, names)),
        )
    place = np.array([*(names.index(name) for name in found), len(names)], np.int64)[codes]
    n_rows = len(names) + int((codes < 0).any())
    leads = np.bincount(place, minlength=n_rows)
    hits = np.bincount(place[won], minlength=n_rows)
    labels = np.empty(n_rows, object)
    labels[: len(names)] = names
    base = np.count_nonzero(won) / len(won)
    return Table(
        [
            Column("grade", labels),
            *rate_columns("value", hits, leads, titles=("conversion_rate", "won", "leads")),
            Column("lift", ratio(hits, leads) / base),
            *rate_columns("lead_share", leads, np.full(n_rows, len(won)), bounded=False),
        ],
        title=Phrase("title.conversion_by_grade"),
        notes=[
            Phrase("note.lift"),
            Phrase("note.interval", {"level": "95%"}),
            *outcome_notes(won),
        ],
    )


# ── bins ──────────────────────────────────────────────────────────────────────────────────────────


class _Bins(NamedTuple):
    bin: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    leads: NDArray[np.int64] | NDArray[np.float64]
    hits: NDArray[np.int64] | NDArray[np.float64]


def _by_score(
    scores: NDArray[np.float64], won: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct scores, descending, and how many leads and won leads have each."""
    descending, code = np.unique(-scores, return_inverse=True)
    n = len(descending)
    return -descending, np.bincount(code, minlength=n), np.bincount(code[won], minlength=n)


def _together(scores: NDArray[np.float64], won: NDArray[np.bool_], bins: int) -> _Bins:
    score, leads, hits = _by_score(scores, won)
    # Twice the middle place of each score, from 0 to 2 N: in whole numbers no rounding decides.
    middle = 2 * np.cumsum(leads) - leads
    number = middle * bins // (2 * len(won))
    first = np.flatnonzero(np.diff(number, prepend=-1))
    last = np.append(first[1:], len(number)) - 1
    return _Bins(
        number[first] + 1,
        score[last],
        score[first],
        np.add.reduceat(leads, first),
        np.add.reduceat(hits, first),
    )


def _spread(scores: NDArray[np.float64], won: NDArray[np.bool_], bins: int) -> _Bins:
    score, leads, hits = _by_score(scores, won)
    edges = np.arange(bins + 1) * len(won) / bins
    depth = np.append(0, np.cumsum(leads))
    so_far = np.interp(edges, depth, np.append(0, np.cumsum(hits)))
    first = np.minimum(np.searchsorted(depth, edges[:-1], "right") - 1, len(score) - 1)
    last = np.maximum(np.searchsorted(depth, edges[1:], "left") - 1, 0)
    size = np.diff(edges)
    # Where all of a bin is won, rounding may count an ulp more than there is.
    found = np.minimum(np.diff(so_far), size)
    return _Bins(np.arange(1, bins + 1), score[last], score[first], size, found)
