"""Stalled: open opportunities that stand in a stage for too long, as a list to act on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where, attribute_names
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import as_of_note, beside, money_note, quantiles
from salesfunnel.metrics.visits import Visits, visits
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_percent


def stalled(
    log: StageLog,
    *,
    quantile: float = 0.9,
    show: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the open opportunities that stand in their stage longer than they should.

    An opportunity is stalled when its present visit is longer than the stage's `max_age`; where a
    stage has none, longer than 90% of the visits to it that advanced, from which the opportunity
    went on to a later stage or a win.

    Parameters
    ----------
    log : StageLog
    quantile : float
        Which quantile of the visits that advanced is the limit, between 0 and 1.
    show : str or sequence of str, optional
        Attributes to show of each; by default the owner, where the log has one.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive, up to which visits last; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities are listed, by the labels last known at `as_of`: see `StageLog.view`.
        The limits come from all.

    Returns
    -------
    Table
        A row for each, the longest over its limit first: ``opportunity``, the attributes,
        ``stage``, ``amount``, ``entered_at`` (when the visit began), ``age_days``, ``limit_days``,
        ``over_days``, ``rule`` (``"max_age"`` or ``"quantile"``), and ``visits``: how many visits
        that advanced a quantile is of, 0 for the other rule. A stage without a `max_age` that
        nothing advanced from has no limit.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.

    Notes
    -----
    Quantiles are linear between the two nearest visits (type 7 of Hyndman and Fan 1996, The
    American Statistician 50, 361–365).
    """
    if not 0 < quantile < 1:
        raise DefinitionError(
            "quantile= is between 0 and 1, as in 0.9, not {quantile!r}", quantile=quantile
        )
    attributes = _shown(log, show)
    view = log.view(as_of, where)
    limit, n_visits, has_max = _limits(log.view(as_of), quantile)
    here = visits(view)
    stands = np.flatnonzero(~here.ended & (here.stage < log.funnel.n_presale))
    stage = here.stage[stands].astype(np.int64)
    over = here.days[stands] - limit[stage]
    late = over > 0
    order = _order(view, here, stands[late], over[late])
    found, stage, over = stands[late][order], stage[late][order], over[late][order]
    member = here.member[found]

    labels = [Column(name, _labels(view, name, here.run[found])) for name in attributes]
    rule = np.where(has_max[stage], "max_age", "quantile").astype(object)
    columns = [
        Column("opportunity", view.log.identify(view.opportunity[member])),
        Column("stage", np.array(log.funnel.states, object)[stage], labels=state_namer(log.funnel)),
        Column("amount", view.amount[member], "money"),
        Column("entered_at", here.entered[found].view("datetime64[us]"), tz=log.tz),
        Column("age_days", here.days[found]),
        Column("limit_days", limit[stage]),
        Column("over_days", over),
        Column("rule", rule, labels=partial(_rule, quantile), title="limit_from"),
        Column("visits", np.where(has_max, 0, n_visits)[stage]),
    ]
    opportunity, *rest = beside(labels, columns)[len(labels) :]
    return Table(
        [opportunity, *labels, *rest],
        title=Phrase("title.stalled"),
        notes=[*as_of_note(view), *money_note(view), Phrase("note.stalled")],
        hidden={"visits"} if log.amounts is not None else {"visits", "amount"},
    )


def _shown(log: StageLog, show: str | Sequence[str] | None) -> tuple[str, ...]:
    if show is None:
        return ("owner",) if "owner" in log.attributes else ()
    return attribute_names(show) if show else ()


def _limits(
    view: View, quantile: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the limit of each stage in days, of how many visits, and where it is a `max_age`."""
    n_stages = len(view.funnel)
    every = visits(view)
    # A visit that goes on has the target 255, a lost one K + 1.
    advanced = (every.target > every.stage) & (every.target <= n_stages)
    stage = every.stage[advanced].astype(np.int64)
    limit = quantiles(every.days[advanced], stage, n_stages, quantile)[:, 0]
    given = np.array(
        [
            np.nan if stage.max_age is None else stage.max_age / timedelta(days=1)
            for stage in view.funnel.stages
        ]
    )
    has_max = ~np.isnan(given)
    return np.where(has_max, given, limit), np.bincount(stage, minlength=n_stages), has_max


def _order(
    view: View, here: Visits, found: NDArray[np.int64], over: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the longest over the limit first, of equals the larger, then by identifier."""
    member = here.member[found]
    identifiers = view.log.identify(view.opportunity[member])
    rank = np.unique(identifiers, return_inverse=True)[1] if len(found) else member
    return np.lexsort((rank, -np.nan_to_num(view.amount[member]), -over))


def _labels(view: View, attribute: str, run: NDArray[np.int64]) -> NDArray[np.object_]:
    names = np.array([*view.log.attribute(attribute).names, None], object)
    return np.asarray(names[view.label_by(attribute, run)])


def _rule(quantile: float, rule: str, lang: str) -> str:
    share = format_percent(quantile, lang, 0 if (quantile * 100) % 1 == 0 else 1)
    return catalogue(lang).text(f"value.stalled_{rule}", share=share)
