"""Pipeline: what is open, what it is worth, when it should close, and whether it is enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.kernel.codes import combine
from salesfunnel.kernel.standing import NEVER, OPEN
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.expected import expected_close
from salesfunnel.metrics.grouped import as_of_note, beside, groups_of, money_note, sums
from salesfunnel.metrics.periodic import By, split_by
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import Period, period_index, period_label, to_zone, zone_name
from salesfunnel.table import Column, Phrase, Table

CLOSE = "expected_close"
"""The attribute that says when an opportunity should close, where no other is named."""


def weighted_pipeline(amount: ArrayLike, probability: ArrayLike) -> NDArray[np.float64]:
    """Return Σ amount · probability over the last axis.

    Parameters
    ----------
    amount, probability : (..., n) array-like of float
        Of each opportunity, or of all in each stage; they broadcast. A probability that is NaN only
        matters where there is an amount.

    Returns
    -------
    (...) array of float
        NaN where the probability of some amount is not known.

    Examples
    --------
    >>> weighted_pipeline([1000, 400, 0], [0.25, 0.5, float("nan")]).item()
    450.0
    """
    worth = np.asarray(amount, float)
    return np.asarray(np.where(worth == 0, 0, worth * np.asarray(probability)).sum(axis=-1))


def pipeline(
    log: StageLog,
    *,
    by_stage: bool = True,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the open opportunities, at the stages where they stand, and what they are worth.

    A snapshot of any past date is ``as_of=`` that date.

    Parameters
    ----------
    log : StageLog
    by_stage : bool
        Whether there is a row for each stage before the sale.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each stage (of each group): the group's labels, ``stage`` and its ``probability``
        of a win, ``open``, ``amount`` (the sum of the known amounts), ``without_amount`` (how many
        have none) and ``weighted`` (Σ amount · probability of the stage). `weighted` is NaN where
        there are amounts in a stage without a probability, or a negative amount.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups, deals = groups_of(view, by), open_deals(view)
    n_places = log.funnel.n_presale if by_stage else 1
    place = groups.codes[deals.member] * n_places + (deals.stage if by_stage else 0)
    columns, notes = _worth(deals, log.funnel, place, groups.n * n_places)
    if by_stage:
        keys = np.array(log.funnel.states[:n_places], object)
        columns = [
            Column("stage", np.tile(keys, groups.n), labels=state_namer(log.funnel)),
            Column("probability", np.tile(probabilities(log.funnel), groups.n), "rate"),
            *columns,
        ]
    return Table(
        beside(groups.columns(np.repeat(np.arange(groups.n), n_places)), columns),
        title=Phrase("title.pipeline"),
        notes=[*as_of_note(view), *money_note(view), Phrase("note.pipeline"), *notes],
        hidden=_hidden(deals),
    )


def pipeline_by_period(
    log: StageLog,
    *,
    period: str | Period | None = None,
    close: str = CLOSE,
    date_format: str | None = None,
    by: By = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Return the open opportunities by the period in which they should close.

    Parameters
    ----------
    log : StageLog
    period : {"day", "week", "month", "quarter", "year"} or Period, optional
        By default months. ``by="quarter"`` says the same as ``period="quarter"``.
    close : str
        The attribute whose labels are the dates when opportunities should close.
    date_format : str, optional
        Form of the labels, as in `datetime.strptime`; by default ISO 8601. ``"lenient"`` reads any
        form that is not ambiguous.
    by : str, Period, or sequence of them, optional
        Attributes to group by: the labels last known at `as_of`; and the period.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry. A snapshot has the dates
        that were expected then.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods are cut in; by default the log's.

    Returns
    -------
    Table
        A row for each period in which something should close (of each group): the group's labels,
        ``period`` (None, the last: no date is known), ``open``, ``overdue`` (how many of them
        should have closed before the day of `as_of`), ``amount``, ``without_amount`` and
        ``weighted``, as in `pipeline`.

    Raises
    ------
    DataError
        If a label is no date.
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    attributes, asked = split_by(view, by, period)
    groups, deals = groups_of(view, attributes), open_deals(view)
    zone = log.tz if tz is None else to_zone(tz)
    due = expected_close(view, deals.member, close, zone, date_format)
    known = due != NEVER
    index = np.full(len(due), np.iinfo(np.int64).max)  # no date comes last
    index[known] = period_index(due[known], asked.unit, zone)
    periods, position = np.unique(index, return_inverse=True)
    place, cells = combine([groups.codes[deals.member], position.astype(np.int64)])
    labels = np.array(
        [None if i == np.iinfo(np.int64).max else period_label(i, asked.unit) for i in periods],
        object,
    )
    overdue = np.zeros(len(due), bool)
    if view.as_of is not None:
        today = period_index(np.array([view.as_of]), "day", zone)[0]
        overdue[known] = period_index(due[known], "day", zone) < today
    columns, notes = _worth(deals, log.funnel, place, len(cells))
    late = Column("overdue", np.bincount(place[overdue], minlength=len(cells)))
    shown = [Column("period", labels[cells[:, 1]], title=CLOSE), columns[0], late, *columns[1:]]
    return Table(
        beside(groups.columns(cells[:, 0]), shown),
        title=Phrase("title.pipeline_by_period"),
        notes=[
            *as_of_note(view),
            *money_note(view),
            Phrase("note.zone", {"zone": zone_name(zone)}),
            Phrase("note.overdue"),
            *notes,
        ],
        hidden=_hidden(deals),
    )


class OpenDeals(NamedTuple):
    """The open opportunities of a view, n of them.

    Attributes
    ----------
    member : (n,) int64
        Index of each among the m of the view.
    stage : (n,) int64
        The stage where it stands.
    amount : (n,) float64
        Its last known amount; NaN where there is none.
    """

    member: NDArray[np.int64]
    stage: NDArray[np.int64]
    amount: NDArray[np.float64]


def open_deals(view: View) -> OpenDeals:
    """Return the open opportunities of a view."""
    member = np.flatnonzero(view.standing.status == OPEN)
    return OpenDeals(member, view.standing.last[member].astype(np.int64), view.amount[member])


def probabilities(funnel: Funnel) -> NDArray[np.float64]:
    """Return the chance of a win at each stage before the sale, (P,); NaN where none is given."""
    return np.array([stage.probability for stage in funnel.stages[: funnel.n_presale]], float)


class Worth(NamedTuple):
    """What open opportunities are worth, by place; (n,) each.

    Attributes
    ----------
    number : int64
    amount : float64
        The sum of the known amounts.
    unknown : int64
        How many have no amount.
    weighted : float64
        Σ amount · probability; NaN where a probability is missing or an amount is negative.
    """

    number: NDArray[np.int64]
    amount: NDArray[np.float64]
    unknown: NDArray[np.int64]
    weighted: NDArray[np.float64]


def worth_of(
    deals: OpenDeals, funnel: Funnel, place: NDArray[np.int64], n_places: int
) -> tuple[Worth, list[Phrase]]:
    """Return what open opportunities are worth by place, and what must be said about it."""
    known = ~np.isnan(deals.amount)
    chance = probabilities(funnel)[deals.stage]
    unweighted = (deals.amount != 0) & known & np.isnan(chance)
    is_negative = deals.amount < 0
    unclear = np.bincount(place[unweighted | is_negative], minlength=n_places) > 0
    weighted = sums(deals.amount * np.nan_to_num(chance), place, n_places)
    notes = [Phrase("note.weighted")]
    if unweighted.any():
        stages = np.unique(deals.stage[unweighted]).tolist()
        notes.append(Phrase("note.no_probability", {"stages": partial(_names, funnel, stages)}))
    if is_negative.any():
        notes.append(Phrase("note.negative_pipeline"))
    worth = Worth(
        np.bincount(place, minlength=n_places),
        sums(deals.amount, place, n_places),
        np.bincount(place[~known], minlength=n_places),
        np.where(unclear, np.nan, weighted),
    )
    return worth, notes


def _names(funnel: Funnel, stages: Sequence[int], lang: str) -> str:
    return " · ".join(funnel.stages[stage].label(lang) for stage in stages)


def _worth(
    deals: OpenDeals, funnel: Funnel, place: NDArray[np.int64], n_places: int
) -> tuple[list[Column], list[Phrase]]:
    worth, notes = worth_of(deals, funnel, place, n_places)
    columns = [
        Column("open", worth.number),
        Column("amount", worth.amount, "money", title="open_amount"),
        Column("without_amount", worth.unknown),
        Column("weighted", worth.weighted, "money", title="weighted_amount"),
    ]
    return columns, notes


def _hidden(deals: OpenDeals) -> tuple[str, ...]:
    """Return the columns that people need not see: how many have no amount, if none of them."""
    return () if np.isnan(deals.amount).any() else ("without_amount",)
