"""A realistic pipeline: all opportunities at once, one entry of each at a time."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from dateutil.relativedelta import relativedelta
from numpy.typing import NDArray

from salesfunnel.datasets.closing import expected_days
from salesfunnel.datasets.market import (
    MEDIAN_AMOUNT,
    OWNER_SKILL,
    PRODUCTS,
    REGIONS,
    SOURCE_QUALITY,
    WORKDAY,
    Entries,
    Traits,
    check_count,
    to_log,
    working_days,
)
from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

_SOURCE_SHARE = (0.12, 0.18, 0.35, 0.20, 0.15)
_PRODUCT_SHARE = (0.50, 0.35, 0.15)
_REGION_SHARE = (0.40, 0.25, 0.20, 0.15)
_MONTH_SHARE = np.array([0.9, 0.6, 1.2, 1.1, 1.0, 1.1, 0.9, 0.8, 1.2, 0.9, 1.2, 1.0])
_GROWTH = 1.15  # a year
_PACE = np.array([product.pace for product in PRODUCTS.values()])

_STARTS_LATER = 0.04
_REPEATS, _STEPS_BACK, _SKIPS = 0.08, 0.04, 0.05
_REOPENS, _STARTS_OVER, _CHANGES_HANDS = 0.06, 0.3, 0.5
_NO_SERVICE, _UNDONE, _CHURNS, _CHURNS_LATE = 0.05, 0.015, 0.06, 0.02
_AMOUNT_LATER, _NO_REASON, _DATE_LATER = 0.25, 0.05, 0.15

_WIN_RATE = 0.25  # where stages have no targets
_DAYS, _SERVICE_DAYS, _DAYS_CLOSED = 10, 40, 40  # working days, medians
_SPREAD_OF_DAYS, _SPREAD_OF_AMOUNTS, _SPREAD_OF_CHANGES = 0.7, 0.6, 0.15  # of logarithms
_SPREAD_OF_DATES = 0.3
_SLOWER_LOSS, _QUICKER_REPEAT = 1.5, 0.5

_STAYS = -1
_PEAKS = {
    "lead_quality": 0.0,
    "customer": 0.3,
    "selling": 0.4,
    "product": 0.5,
    "competition": 0.6,
    "commercial": 0.8,
}
"""Where on the way from the first stage (0) to the sale (1) a category of loss reasons peaks."""
_AFTER_SALE = "after_sale"


def make_pipeline(
    n: int = 1000,
    *,
    seed: int = 0,
    funnel: Funnel | None = None,
    start: date = date(2024, 1, 1),
    months: int = 24,
) -> StageLog:
    """Return a realistic pipeline: opportunities that come up, and are watched, for some months.

    The same arguments give the same log as long as the versions of salesfunnel and numpy are the
    same; others may draw other histories.

    Parameters
    ----------
    n : int
        The number of opportunities, 0 or more. A hundred thousand take about a second.
    seed : int
        0 or more.
    funnel : Funnel, optional
        Any funnel; `Funnel.standard` by default.
    start : date
        The first day.
    months : int
        How many months are watched, 1 or more. What is not closed by then is open.

    Returns
    -------
    StageLog
        With the attributes owner, source, product, region and expected_close, loss reasons, amounts
        in CNY, and the business time zone Asia/Shanghai.

    Raises
    ------
    DefinitionError
        If an argument is not of this form.

    Notes
    -----
    The truth that can be found in it:

    - A visit to a stage before the sale that is resolved leads on with the log-odds of the stage,
      plus `OWNER_SKILL` of the owner, plus `SOURCE_QUALITY` of the source; else the opportunity is
      lost. The stage's own chance is target_conversion / (target_conversion + target_loss); a stage
      without these targets has the P-th root of 0.25, P being the number of stages before the sale.
    - Visits last half the `max_age` of the stage, else 10 working days (40 after the sale), in the
      median, times the pace of the product (`PRODUCTS`); losing takes half as long again.
    - The product sets the median amount, too. The region has no effect: what shows there is chance.
    - Loss reasons depend on the stage by their categories: lead_quality is most frequent at the
      first stage, then customer, selling, product, competition and, near the sale, commercial;
      after_sale comes with churn. The first reason of a category is the most frequent.
    - At each entry before the sale its owner expects the opportunity to close in the time that
      visits to its stage and those after it last in the median (five working days being a week, the
      pace of the product counting), give or take a third: expected_close is that day, or the Monday
      after its weekend. Nothing else depends on it.
    - More opportunities come up in March than in February, and 15% more every year.

    What is awkward in real data is there as well: 4% start at the second stage. Of the visits
    before the sale 8% are followed by an entry into the same stage with a new amount, 4% by a step
    back; 5% of the moves on skip a stage. Of the lost, 6% are reopened, three in ten of these at
    the first stage, half by another owner. Of the sales, 5% are marked as won at once where there
    is service to do, 1.5% are undone at each step, 6% churn in each stage after the sale and 2%
    after completion. A quarter of the opportunities have no amount at first, 15% no day on which
    they are expected to close, and 5% of the losses no reason.

    Examples
    --------
    >>> log = make_pipeline(200, seed=1)
    >>> log.n_opportunities, log.attributes
    (200, ('owner', 'source', 'product', 'region', 'expected_close'))
    """
    check_count(n)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DefinitionError("seed= is an integer, 0 or more, not {seed!r}", seed=seed)
    if funnel is None:
        funnel = Funnel.standard()
    elif not isinstance(funnel, Funnel):
        raise DefinitionError("funnel= is a Funnel, not {funnel!r}", funnel=funnel)
    days = _window(start, months)
    rng = np.random.default_rng(seed)
    traits = Traits(
        source=rng.choice(len(SOURCE_QUALITY), n, p=_SOURCE_SHARE),
        product=rng.choice(len(PRODUCTS), n, p=_PRODUCT_SHARE),
        region=rng.choice(len(REGIONS), n, p=_REGION_SHARE),
    )
    rules = _rules(funnel)
    entries = _simulate(rng, rules, traits, _creation(rng, days, n), len(days) * WORKDAY)
    # Another stream of chance: what is expected changes nothing of what happens.
    aside = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    factor = _PACE[traits.product][entries.deal] * _estimates(aside, n, len(entries.deal))
    visit = rules.seconds[: rules.n_presale]
    return to_log(funnel, days, entries, traits, expected_days(days, entries, visit, factor))


def _estimates(rng: np.random.Generator, n: int, n_entries: int) -> NDArray[np.float32]:
    """Return what owners make of each remaining time, 1 being right; NaN: nothing.

    The first n entries are those that opportunities begin with.
    """
    found: NDArray[np.float32] = rng.standard_normal(n_entries, np.float32)
    found = np.exp(_SPREAD_OF_DATES * found)
    found[:n][rng.random(n) < _DATE_LATER] = np.nan
    return found


def _window(start: date, months: int) -> NDArray[np.datetime64]:
    """Return the working days that are watched."""
    if not isinstance(start, date):
        raise DefinitionError("start= is a date, not {start!r}", start=start)
    if isinstance(months, bool) or not isinstance(months, int) or months < 1:
        raise DefinitionError(
            "months= is a number of months, 1 or more, not {months!r}", months=months
        )
    first = date(start.year, start.month, start.day)
    try:
        return working_days(first, first + relativedelta(months=months))
    except (ValueError, OverflowError):
        raise DefinitionError(
            "start={first} and months={months} lead beyond the year 9999",
            first=first,
            months=months,
        ) from None


def _creation(rng: np.random.Generator, days: NDArray[np.datetime64], n: int) -> NDArray[np.int64]:
    """Return when opportunities come up on the working clock, ascending."""
    month = days.astype("datetime64[M]").astype(np.int64)
    weight = _MONTH_SHARE[month % 12] * _GROWTH ** ((month - month[0]) / 12)
    day = rng.choice(len(days), n, p=weight / weight.sum())
    return np.sort(day * WORKDAY + rng.integers(0, WORKDAY, n))


class _Rules(NamedTuple):
    """What a funnel means for the histories in it; K stages, P of them before the sale.

    Attributes
    ----------
    log_odds : (P,)
        Of going on rather than being lost.
    seconds : (K + 2,)
        Median working time of a visit to each state.
    reasons : (P + 1, R)
        Cumulated chances of the loss reasons, by stage before the sale; the last row is for churn.
    """

    n_stages: int
    n_presale: int
    log_odds: NDArray[np.float64]
    seconds: NDArray[np.float64]
    reasons: NDArray[np.float64]


def _rules(funnel: Funnel) -> _Rules:
    n_presale = funnel.n_presale
    chance = np.array([_chance(stage, n_presale) for stage in funnel.stages[:n_presale]])
    days = [*map(_days, funnel), _DAYS_CLOSED, _DAYS_CLOSED]
    place = np.linspace(0, 1, n_presale) if n_presale > 1 else np.array([0.5])
    weights = np.empty((n_presale + 1, len(funnel.loss_reasons)))
    listed: Counter[str | None] = Counter()
    for column, reason in enumerate(funnel.loss_reasons):
        listed[reason.category] += 1
        weights[:-1, column] = _frequency(reason.category, place) / listed[reason.category]
        weights[-1, column] = 1.0 if reason.category == _AFTER_SALE else 0.02
    reasons = np.cumsum(weights, axis=1)
    reasons /= reasons[:, -1:]
    return _Rules(
        n_stages=len(funnel),
        n_presale=n_presale,
        log_odds=np.log(chance / (1 - chance)),
        seconds=np.array(days) * WORKDAY,
        reasons=reasons,
    )


def _chance(stage: Stage, n_presale: int) -> float:
    """Return the chance that a visit to a stage leads on rather than to a loss."""
    conversion, loss = stage.target_conversion, stage.target_loss
    if conversion is None or loss is None or conversion + loss == 0:
        return float(_WIN_RATE ** (1 / n_presale))
    return min(max(conversion / (conversion + loss), 0.01), 0.99)


def _days(stage: Stage) -> float:
    """Return the median working days of a visit to a stage."""
    if stage.max_age is None:
        return _SERVICE_DAYS if stage.post_sale else _DAYS
    return stage.max_age / timedelta(days=1) * 5 / 7 / 2


def _frequency(category: str | None, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how frequent a category's first reason is at places between first stage and sale."""
    if category == _AFTER_SALE:
        return np.full(len(place), 1e-9)  # where there are no others, one of these
    if category not in _PEAKS:
        return np.full(len(place), 0.2)
    return np.exp(-(((place - _PEAKS[category]) / 0.25) ** 2) / 2)


def _simulate(
    rng: np.random.Generator,
    rules: _Rules,
    traits: Traits,
    created: NDArray[np.int64],
    end: int,
) -> Entries:
    """Return the entries of all opportunities up to the end, made in rounds of one entry each."""
    n = len(created)
    skill = np.array(list(OWNER_SKILL.values()))
    quality = np.array(list(SOURCE_QUALITY.values()))[traits.source]
    pace = _PACE[traits.product]
    owner = rng.integers(0, len(skill), n)
    spread = np.exp(_SPREAD_OF_AMOUNTS * rng.standard_normal(n))
    amount = MEDIAN_AMOUNT[traits.product] * spread
    state = np.where(rng.random(n) < _STARTS_LATER, min(1, rules.n_presale - 1), 0)
    before = state.copy()
    clock = created
    reason = np.full(n, -1)

    deal = np.arange(n)
    known = np.where(rng.random(n) < _AMOUNT_LATER, np.nan, amount)
    rounds = [Entries(deal, state, clock, owner, _rounded(known), reason)]
    while len(deal):
        target = _targets(rng, rules, state, before, skill[owner] + quality[deal])
        clock = clock + _waits(rng, rules, state, target, pace[deal], end)
        moves = (target != _STAYS) & (clock < end)
        deal, owner, amount, clock = deal[moves], owner[moves], amount[moves], clock[moves]
        before, state = state[moves], target[moves]

        repeats, reopened = state == before, before == rules.n_stages + 1
        change = np.exp(_SPREAD_OF_CHANGES * rng.standard_normal(len(deal)))
        amount = np.where(repeats, amount * change, amount)
        handed_over = reopened & (rng.random(len(deal)) < _CHANGES_HANDS)
        owner = np.where(handed_over, rng.integers(0, len(skill), len(deal)), owner)
        reason = _reasons(rng, rules, before, state)
        rounds.append(Entries(deal, state, clock, owner, _rounded(amount), reason))
    return Entries(*(np.concatenate(columns) for columns in zip(*rounds, strict=True)))


def _rounded(amount: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(amount, -2)


def _targets(
    rng: np.random.Generator,
    rules: _Rules,
    state: NDArray[np.int64],
    before: NDArray[np.int64],
    effect: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return the state that each opportunity enters next."""
    presale, won, lost = rules.n_presale, rules.n_stages, rules.n_stages + 1
    event, way, pick = rng.random((3, len(state)))

    log_odds = rules.log_odds[np.minimum(state, presale - 1)] + effect
    onward = np.minimum(state + 1 + (pick < _SKIPS), presale)
    onward = np.where((onward == presale) & (pick > 1 - _NO_SERVICE), won, onward)
    resolved = np.where(way * (1 + np.exp(-log_odds)) < 1, onward, lost)
    step_back = _REPEATS + _STEPS_BACK * (state > 0)
    before_sale = np.select([event < _REPEATS, event < step_back], [state, state - 1], resolved)

    churns = np.where(state == won, _CHURNS_LATE, _CHURNS)
    after = np.where(state == won, _STAYS, state + 1)
    after_sale = np.select([event < _UNDONE, event < _UNDONE + churns], [presale - 1, lost], after)

    reopened = np.where(way < _STARTS_OVER, 0, before)
    is_reopened = (before < presale) & (event < _REOPENS)
    after_loss = np.where(is_reopened, reopened, _STAYS)
    return np.select([state < presale, state <= won], [before_sale, after_sale], after_loss)


def _waits(
    rng: np.random.Generator,
    rules: _Rules,
    state: NDArray[np.int64],
    target: NDArray[np.int64],
    pace: NDArray[np.float64],
    end: int,
) -> NDArray[np.int64]:
    """Return the working time until then, in whole seconds, at least a minute."""
    lost = rules.n_stages + 1
    kind = np.select([target == state, target == lost], [_QUICKER_REPEAT, _SLOWER_LOSS], 1.0)
    chance = np.exp(_SPREAD_OF_DAYS * rng.standard_normal(len(state)))
    # What would last beyond the end lasts till the end: the longest would not fit in an integer.
    wait = np.clip(rules.seconds[state] * pace * kind * chance, 60, end)
    return np.asarray(wait, np.int64)


def _reasons(
    rng: np.random.Generator,
    rules: _Rules,
    before: NDArray[np.int64],
    state: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return codes of the loss reasons given at entries: -1 if it is no loss, or none is given."""
    reason = np.full(len(state), -1)
    if rules.reasons.shape[1]:
        losses = np.flatnonzero(state == rules.n_stages + 1)
        given = losses[rng.random(len(losses)) >= _NO_REASON]
        cumulated = rules.reasons[np.minimum(before[given], rules.n_presale)]
        # The cumulated chances end at 1, which no draw reaches.
        reason[given] = (rng.random(len(given))[:, None] >= cumulated).sum(axis=1)
    return reason
