"""What a score could not have known: features that tell the outcome because they came after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError, FeatureError
from salesfunnel.log.labels import Labels
from salesfunnel.metrics.intervals import wilson
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.periods import FIRST
from salesfunnel.scoring.predict.features import FeatureColumn, read_features
from salesfunnel.scoring.predict.several import LabelSets
from salesfunnel.scoring.validate.arrays import both_kinds, check_least, read_outcomes, same_length
from salesfunnel.scoring.validate.auc import Auc, roc_auc
from salesfunnel.scoring.validate.enough import outcome_notes
from salesfunnel.scoring.validate.split import Times, read_instants
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed

RECORDED_LATE, ORDERS, SETTLES = "recorded_late", "orders", "settles"


def leak_check(
    features: Any,
    outcomes: ArrayLike,
    *,
    recorded_at: Mapping[str, Times] | None = None,
    scored_at: Times | None = None,
    decided_at: Times | None = None,
    limit: float = 0.95,
    min_leads: int = 20,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return for each feature whether it tells the outcome in a way that no score could have known.

    A feature is found for one of three reasons. ``recorded_late``: it was recorded after the lead
    was scored, or, where that time is not given, not before the lead was decided. ``orders``: a
    number by itself orders won and lost leads nearly without a fault. ``settles``: most leads have
    a level that nearly always goes with the same outcome. The last two are not proofs, but what is
    so good was mostly written down with the outcome: an amount that is zero for every lost deal, a
    closing reason, a field that only won customers have.

    Parameters
    ----------
    features : mapping, dataframe, Features, or (N, features) array of numbers
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    recorded_at : mapping of str to (N,) sequence of times, optional
        For some of the features when each lead's value was recorded last; None or NaT where that is
        not known.
    scored_at, decided_at : (N,) sequence of times, optional
        When each lead is scored, and when it was won or lost; one of them at least to use
        `recorded_at`.
    limit : float
        From which area under the curve a number orders too well (or from 1 − limit down), and from
        which share of one outcome a level settles it; between 0.5 and 1.
    min_leads : int
        Of a level, before it can settle anything.
    tz : str or tzinfo, optional
        The zone of times that name none.

    Returns
    -------
    Table
        A row for each feature: ``feature``, ``finding`` (None if there is none); ``late``, the
        share of leads for which it was recorded late, with its parts (of those whose time is
        known); ``auc`` of a number with ``auc_low`` and ``auc_high``, NaN for labels; ``settled``,
        the share of leads with a level that settles the outcome, with its parts. Whether a number
        is known counts as a level.

    Raises
    ------
    DataError
        If an outcome or a time is none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    FeatureError
        If a feature is not of the form that `Features` takes, or `recorded_at` names another.
    NaiveTimeError
        If a time names no zone and `tz` is not given.
    DefinitionError
        If another argument is not of this form.

    Notes
    -----
    A level settles the outcome if its share of one outcome is from `limit` on and the overall share
    is outside its Wilson interval; a feature is found if more than half of all leads have such
    levels.

    Examples
    --------
    >>> won = [True, False] * 30
    >>> features = {"closing_reason": [None, "price"] * 30, "source": ["web", "web", "event"] * 20}
    >>> table = leak_check(features, won)
    >>> dict(zip(table["feature"], table["finding"], strict=True))
    {'closing_reason': 'settles', 'source': None}
    """
    given = read_features(features)
    won = read_outcomes(outcomes)
    same_length(won, features=given)
    both_kinds(won)
    if not 0.5 < limit < 1:
        raise DefinitionError("limit= is between 0.5 and 1, as in 0.95, not {limit!r}", limit=limit)
    check_least(min_leads)
    late = _late(given.names, len(won), recorded_at or {}, scored_at, decided_at, tz)
    rows = [
        _judge(given.column(name), won, late.get(name, (0, 0)), limit, min_leads)
        for name in given.names
    ]
    findings = np.empty(len(rows), object)
    findings[:] = [row.finding for row in rows]
    areas = np.array([_bounds(row.auc) for row in rows], np.float64).reshape(-1, 3)
    measured = any(row.auc is not None for row in rows)
    late_counts = np.array([row.late for row in rows], np.int64)
    settled = np.array([row.settled for row in rows], np.int64)
    return Table(
        [
            Column("feature", np.array(given.names, object)),
            Column("finding", findings, labels=_name),
            *rate_columns("late", late_counts[:, 0], late_counts[:, 1]),
            Column("auc", areas[:, 0], "rate"),
            Column("auc_low", areas[:, 1], "rate"),
            Column("auc_high", areas[:, 2], "rate"),
            *rate_columns("settled", settled, np.full(len(rows), len(won))),
        ],
        title=Phrase("title.leak_check"),
        notes=[
            *([Phrase("note.leak_late")] if late else []),
            Phrase("note.leak_settled"),
            *([Phrase("note.auc", {"level": "95%"})] if measured else []),
            *outcome_notes(won),
        ],
        hidden=[name for name, shown in (("late", late), ("auc", measured)) if not shown],
    )


class _Row(NamedTuple):
    finding: str | None
    late: tuple[int, int]
    auc: Auc | None
    settled: int


def _judge(
    column: FeatureColumn,
    won: NDArray[np.bool_],
    late: tuple[int, int],
    limit: float,
    min_leads: int,
) -> _Row:
    auc = None
    rows = np.arange(len(won))
    if isinstance(column, LabelSets):
        rows, level = column.rows, column.labels.codes + 1
    elif isinstance(column, Labels):
        level = column.codes + 1
    else:
        known = ~np.isnan(column)
        level = known.astype(np.int64)
        if 0 < np.count_nonzero(won[known]) < np.count_nonzero(known):
            auc = roc_auc(column[known], won[known])
    settled = _settled(rows, level, won, limit, min_leads)
    finding = None
    if late[0]:
        finding = RECORDED_LATE
    elif auc is not None and max(auc.value, 1 - auc.value) >= limit:
        finding = ORDERS
    elif 2 * settled > len(won):
        finding = SETTLES
    return _Row(finding, late, auc, settled)


def _settled(
    rows: NDArray[np.int64],
    level: NDArray[np.integer[Any]],
    won: NDArray[np.bool_],
    limit: float,
    min_leads: int,
) -> int:
    """Return how many leads have a level that nearly always goes with the same outcome.

    `rows` says whose level each is; a lead may have several.
    """
    leads = np.bincount(level)
    hits = np.bincount(level[won[rows]], minlength=len(leads))
    low, high = wilson(hits, leads)
    base = won.mean()
    usual = np.maximum(hits, leads - hits)
    # NaN bounds of a level without leads compare as false, and so does it.
    settles = (
        (usual >= limit * leads) & (leads >= max(min_leads, 1)) & ((base < low) | (base > high))
    )
    return len(np.unique(rows[settles[level]]))


def _late(
    names: tuple[str, ...],
    n_leads: int,
    recorded_at: Mapping[str, Times],
    scored_at: Times | None,
    decided_at: Times | None,
    tz: str | tzinfo | None,
) -> dict[str, tuple[int, int]]:
    """Return for some features for how many leads they were recorded late, of how many."""
    if not recorded_at:
        return {}
    if scored_at is not None:
        latest = read_instants(scored_at, "scored_at", tz)
    elif decided_at is not None:
        # What is recorded in the instant of the decision is recorded with it.
        latest = read_instants(decided_at, "decided_at", tz) - 1
    else:
        raise DefinitionError("recorded_at= says when; scored_at= or decided_at= says too late")
    found = {}
    for name, times in recorded_at.items():
        if name not in names:
            raise FeatureError(
                "recorded_at= names {name!r}, which is none of {known}",
                name=name,
                known=Listed(names),
            )
        recorded = read_instants(times, f"recorded_at[{name!r}]", tz, gaps=True)
        if not len(recorded) == len(latest) == n_leads:
            raise FeatureError(
                "recorded_at[{name!r}] has {n_recorded:,} rows, the times of the leads are "
                "{n_times:,} and outcomes {n_leads:,}; there must be one of each",
                name=name,
                n_recorded=len(recorded),
                n_times=len(latest),
                n_leads=n_leads,
            )
        known = recorded > FIRST
        found[name] = (int((recorded[known] > latest[known]).sum()), int(known.sum()))
    return found


def _bounds(auc: Auc | None) -> tuple[float, float, float]:
    return (np.nan, np.nan, np.nan) if auc is None else (auc.value, auc.low, auc.high)


def _name(finding: str, lang: str) -> str:
    return catalogue(lang).text(f"value.leak_{finding}")
