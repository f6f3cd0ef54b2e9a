"""The stage whose losses cost most, and the reason behind them."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.codes import NULL
from salesfunnel.kernel.standing import CHURNED, LOST, OPEN, WON
from salesfunnel.log.naming import reason_namer, state_namer
from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import as_of_note
from salesfunnel.metrics.intervals import newcombe, wilson
from salesfunnel.metrics.lossreasons import losses, reason_column
from salesfunnel.metrics.rates import rate_columns, ratio
from salesfunnel.review.finding import ENOUGH, LEVEL, Finding, about
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.numbers import format_money, format_percent, format_rate_interval

DRAWS = 2000
"""How often the opportunities are drawn again."""


class Costs(NamedTuple):
    """What the losses at each of P stages before the sale cost.

    Attributes
    ----------
    lost, advanced : (P,) int64
        Opportunities finally lost at the stage, and those that went on from it.
    chance : (P,) float64
        The share of those that go on that are won in the end, by the resolved conversion of the
        later stages.
    sales : (P,) float64
        lost · chance: the sales that the losses cost.
    low, high : (P,) float64
        Percentile interval of `sales` (Efron and Tibshirani 1993, chapter 13).
    first : (P,) float64
        In what share of the draws the stage cost more than any other.
    sold : int
    """

    lost: NDArray[np.int64]
    advanced: NDArray[np.int64]
    chance: NDArray[np.float64]
    sales: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    first: NDArray[np.float64]
    sold: int


def costs(view: View) -> Costs:
    """Return what the losses at each stage cost, with the bootstrap of the whole log.

    All that these numbers need of an opportunity is whether it was sold, or else the stage where it
    was lost or is open: drawing opportunities with replacement is drawing how many there are of
    each such kind, from the multinomial distribution.
    """
    n = view.funnel.n_presale
    status, furthest = view.standing.status, view.standing.furthest
    lost, still = (np.bincount(furthest[status == s], minlength=n)[:n] for s in (LOST, OPEN))
    sold = int(np.count_nonzero((status == WON) | (status == CHURNED)))
    kinds = np.array([*lost, *still, sold], np.int64)
    advanced, chance = _chances(kinds, n)
    total = int(kinds.sum())
    drawn = np.random.default_rng(0).multinomial(total, kinds / max(total, 1), DRAWS)
    cost = drawn[:, :n] * _chances(drawn, n)[1]
    low, high = np.quantile(cost, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    best = cost.max(axis=1, keepdims=True)
    alone = (cost == best) & ((cost == best).sum(axis=1, keepdims=True) == 1)
    return Costs(lost, advanced, chance, lost * chance, low, high, alone.mean(axis=0), sold)


def _chances(kinds: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many went on from each stage, and the share of them that is won in the end."""
    lost, still, sold = kinds[..., :n], kinds[..., n:-1], kinds[..., -1:]
    beyond = np.cumsum((lost + still)[..., ::-1], axis=-1)[..., ::-1]
    advanced = beyond - lost - still + sold
    resolved = np.nan_to_num(ratio(advanced, advanced + lost))
    chance = np.ones(resolved.shape)
    chance[..., :-1] = np.cumprod(resolved[..., :0:-1], axis=-1)[..., ::-1]
    return advanced, chance


def costliest_stage(view: View, found: Costs) -> tuple[int, Finding] | None:
    """Return the stage that costs most and the finding of it; None where no stage stands out."""
    if len(found.lost) < 2 or found.sold < ENOUGH:
        return None
    stage = int(np.argmax(found.sales))
    if found.first[stage] < LEVEL or found.lost[stage] < ENOUGH:
        return None
    lost, left = int(found.lost[stage]), int(found.lost[stage] + found.advanced[stage])
    low, high = wilson(lost, left)
    values: dict[str, object] = {
        "count": lost,
        "rate": partial(format_rate_interval, lost / left, float(low), float(high)),
        "chance": partial(format_percent, float(found.chance[stage])),
    }
    key = "finding.stage_evidence"
    gone = losses(view)
    amounts = gone.amount[(gone.stage == stage) & ~np.isnan(gone.amount)]
    if len(amounts):
        key = "finding.stage_evidence_amount"
        values["amount"] = partial(format_money, float(amounts.sum()), view.log.currency, digits=0)
    name = partial(state_namer(view.funnel), view.funnel.states[stage])
    return stage, Finding(
        kind="stage",
        claim=Phrase("finding.stage", {"stage": name, "sales": about(float(found.sales[stage]))}),
        evidence=Phrase(key, values),
        uncertainty=Phrase(
            "finding.stage_uncertainty",
            {
                "low": about(float(found.low[stage])),
                "high": about(float(found.high[stage])),
                "share": partial(format_percent, float(found.first[stage])),
                "draws": DRAWS,
            },
        ),
        at_stake=float(found.sales[stage]),
        table=_stage_table(view, found),
    )


def _stage_table(view: View, found: Costs) -> Table:
    states = np.array(view.funnel.states[: len(found.lost)], object)
    left = found.advanced + found.lost
    return Table(
        [
            Column("stage", states, labels=state_namer(view.funnel)),
            Column("lost", found.lost),
            *rate_columns("resolved_conversion", found.advanced, left),
            Column("chance", found.chance, "rate", title="won_in_the_end"),
            Column("sales", found.sales, title="sales_lost"),
            Column("low", found.low),
            Column("high", found.high),
            Column("first", found.first, "rate", title="costs_most"),
        ],
        title=Phrase("title.finding_stage"),
        notes=[*as_of_note(view), Phrase("note.finding_stage", {"count": DRAWS})],
    )


def main_reason(view: View, found: Costs, stage: int | None) -> Finding | None:
    """Return the reason of most losses at a stage, or of all; None where none stands out.

    It must be clearly more frequent than the next one, and reasons must be known of at least half
    of the losses.
    """
    lost = losses(view)
    if view.log.reasons is None:
        return None
    here = np.ones(len(lost.stage), bool) if stage is None else lost.stage == stage
    n_reasons = len(view.log.reasons.names)
    given = lost.reason != NULL
    counts = np.bincount(lost.reason[here & given], minlength=n_reasons)
    n_lost, known = int(np.count_nonzero(here)), int(counts.sum())
    order = np.argsort(-counts, kind="stable")
    rivals = int(np.count_nonzero(counts)) - 1
    if rivals < 1 or 2 * known < n_lost:
        return None
    first, second = (int(counts[code]) for code in order[:2])
    lead, _ = wilson(first, first + second, 1 - (1 - LEVEL) / rivals)
    if first < ENOUGH or lead <= 0.5:
        return None
    low, high = wilson(first, known)
    namer = reason_namer(view.funnel)
    names = [view.log.reasons.names[code] for code in order[:2]]
    values: dict[str, object] = {
        "reason": partial(namer, names[0]),
        "second": partial(namer, names[1]),
        "share": partial(format_rate_interval, first / known, float(low), float(high)),
        "lost": first,
        "count": known,
        "next": second,
    }
    key = "finding.reason_evidence"
    claim = "finding.reason"
    if stage is not None:
        claim = "finding.reason_at_stage"
        values["stage"] = partial(state_namer(view.funnel), view.funnel.states[stage])
        there = np.bincount(lost.reason[~here & given], minlength=n_reasons)
        others, its = int(there.sum()), int(there[order[0]])
        apart, _ = newcombe(first, known, its, others)
        if others and apart > 0:
            key = "finding.reason_evidence_more"
            values["elsewhere"] = partial(format_percent, its / others)
    cost = found.sales[slice(None) if stage is None else slice(stage, stage + 1)].sum()
    return Finding(
        kind="reason",
        claim=Phrase(claim, values),
        evidence=Phrase(key, values),
        uncertainty=Phrase(
            "finding.reason_uncertainty" if known < n_lost else "finding.reason_uncertainty_all",
            {"count": n_lost - known},
        ),
        at_stake=float(cost * first / n_lost),
        table=Table(
            [
                reason_column(view.log, order[: rivals + 1]),
                *rate_columns(
                    "value",
                    counts[order[: rivals + 1]],
                    np.full(rivals + 1, known),
                    titles=("share", "lost", "total_lost"),
                ),
            ],
            title=Phrase(
                "title.finding_reason" if stage is None else "title.finding_reason_at_stage",
                values,
            ),
            notes=[*as_of_note(view), Phrase("note.interval", {"level": "95%"})],
        ),
    )
