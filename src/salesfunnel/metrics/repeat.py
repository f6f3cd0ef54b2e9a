"""After the sale: how many deals churn, how many customers buy again, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.standing import CHURNED, NEVER
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.clock import MICROSECONDS_PER_DAY
from salesfunnel.metrics.grouped import Groups, as_of_note, beside, groups_of
from salesfunnel.metrics.rates import rate_columns
from salesfunnel.metrics.survival import kaplan_meier
from salesfunnel.table import Column, Phrase, Table

_QUANTILES = {"p25_days": 0.25, "median_days": 0.5}


def churn_rate(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return how many of the deals that were sold churned: churned / (won + churned).

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group (one without): its labels, ``value``, ``numerator``, ``denominator``,
        ``low`` and ``high`` (Wilson, 0.95). Which post-sale stage they churn from is in
        `stage_table`.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups, standing = groups_of(view, by), view.standing
    churned, sold = (
        np.bincount(groups.codes[mask], minlength=groups.n)
        for mask in (standing.status == CHURNED, standing.sale >= 0)
    )
    columns = rate_columns(
        "value", churned, sold, titles=("churn_rate", "churned", "won_or_churned")
    )
    return Table(
        beside(groups.columns(), columns),
        title=Phrase("title.churn_rate"),
        notes=[
            *as_of_note(view),
            Phrase("note.churn_rate"),
            Phrase("note.interval", {"level": "95%"}),
        ],
    )


def repeat_sales(
    log: StageLog,
    *,
    customer: str = "customer",
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return how many customers bought again, and how long that takes.

    Parameters
    ----------
    log : StageLog
    customer : str
        The attribute whose labels are the customers. A sale without one does not count.
    by : str or sequence of str, optional
        Attributes to group customers by: the labels, last known at `as_of`, of the first
        opportunity that each bought.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each group (one without): its labels; ``value``, the customers with a second sale
        out of those with a first one, with ``numerator``, ``denominator``, ``low`` and ``high``
        (Wilson, 0.95); ``sales``, of all of them; ``p25_days`` and ``median_days``, by when 25% and
        50% of the customers have their second sale, ``median_days_low`` and ``median_days_high``
        (Kaplan–Meier, customers without one censored at `as_of`; NaN where it is not known yet).

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.

    Notes
    -----
    Opportunities won or churned are sales, at the instant of `sales_cycle`. A share of customers
    who bought again grows with the time that they are followed; the quantiles take that into
    account.
    """
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    sales = _second_sales(view, customer, groups)
    customers = np.bincount(sales.group, minlength=groups.n)
    again = np.bincount(sales.group[sales.second != NEVER], minlength=groups.n)
    curve = kaplan_meier(sales.days, sales.second != NEVER, group=sales.group, n_groups=groups.n)
    low, high = curve.quantile_interval(0.5)
    columns = [
        *rate_columns(
            "value", again, customers, titles=("repeat_rate", "repeat_customers", "customers")
        ),
        Column("sales", np.bincount(sales.group, sales.number, groups.n).astype(np.int64)),
        *(
            Column(name, curve.quantile(q), title=f"second_sale_{name}")
            for name, q in _QUANTILES.items()
        ),
        Column("median_days_low", low, title="second_sale_median_days_low"),
        Column("median_days_high", high, title="second_sale_median_days_high"),
    ]
    notes = [*as_of_note(view), Phrase("note.repeat_sales")]
    if sales.anonymous:
        notes.append(Phrase("note.sales_without_customer", {"count": sales.anonymous}))
    return Table(
        beside(groups.columns(), columns),
        title=Phrase("title.repeat_sales"),
        notes=[*notes, Phrase("note.interval", {"level": "95%"})],
        hidden=("median_days_low", "median_days_high"),
    )


def time_to_second_sale(
    log: StageLog,
    *,
    customer: str = "customer",
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return, customer by customer, how long it took from the first sale to the second.

    Parameters
    ----------
    log : StageLog
    customer, by, as_of, where
        As in `repeat_sales`.

    Returns
    -------
    Table
        A row for each customer with a sale, in the order of their names: the group's labels,
        ``customer``, ``sales``, ``first_sale`` and ``second_sale`` (NaT: none so far), ``days``
        from the one to the other or to `as_of`, and ``event``, whether there was a second one: what
        `kaplan_meier` takes.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    sales = _second_sales(view, customer, groups)
    names = np.array(log.attribute(customer).names, object)
    columns = [
        Column("customer", names[sales.customer]),
        Column("sales", sales.number),
        # The smallest int64, which stands for never, is NaT.
        Column("first_sale", sales.first.view("datetime64[us]"), tz=log.tz),
        Column("second_sale", sales.second.view("datetime64[us]"), tz=log.tz),
        Column("days", sales.days),
        Column("event", sales.second != NEVER),
    ]
    return Table(
        beside(groups.columns(sales.group), columns),
        title=Phrase("title.time_to_second_sale"),
        notes=[*as_of_note(view), Phrase("note.second_sale_censored")],
    )


class _Sales(NamedTuple):
    """The sales of each customer with any, by code; (c,) each.

    Attributes
    ----------
    customer, group : int64
        Codes of the label, and of the group of the first sale.
    number : int64
        How many sales.
    first, second : int64
        When, in microseconds; `NEVER` without a second.
    days : float64
        From the first to the second or to the instant of knowledge.
    anonymous : int
        How many sales have no customer.
    """

    customer: NDArray[np.int64]
    group: NDArray[np.int64]
    number: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    days: NDArray[np.float64]
    anonymous: int


def _second_sales(view: View, attribute: str, groups: Groups) -> _Sales:
    sold = np.flatnonzero(view.standing.sale >= 0)
    customer = view.label_by(attribute, view.runs.ends[sold])
    known = customer >= 0
    anonymous = int(np.count_nonzero(~known))
    sold, customer = sold[known], customer[known]
    time, group = view.runs.time[view.standing.sale[sold]], groups.codes[sold]
    # Sales of one instant: by group, so that the order of opportunities decides nothing.
    order = np.lexsort((group, time, customer))
    customer, time, group = customer[order], time[order], group[order]
    starts = np.flatnonzero(np.append(True, customer[1:] != customer[:-1])[: len(customer)])
    number = np.diff(np.append(starts, len(customer)))
    first, second = time[starts], np.full(len(starts), NEVER)
    again = number > 1
    second[again] = time[starts[again] + 1]
    until = np.where(again, second, 0 if view.as_of is None else view.as_of)
    return _Sales(
        customer[starts],
        group[starts],
        number,
        first,
        second,
        (until - first) / MICROSECONDS_PER_DAY,
        anonymous,
    )
