"""The world of the sample data: who sells what, on which days, and how that becomes a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.arranging import arrange
from salesfunnel.kernel.codes import code_type, sort_categories
from salesfunnel.log.labels import Labels
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

OWNER_SKILL: Mapping[str, float] = MappingProxyType(
    {
        "li.na": 0.50,
        "wang.wei": 0.35,
        "zhang.min": 0.20,
        "liu.yang": 0.05,
        "chen.jing": -0.05,
        "zhao.lei": -0.20,
        "huang.ting": -0.35,
        "zhou.jie": -0.50,
    }
)
"""The owners, and what each adds to the log-odds of going on in `make_pipeline`."""

SOURCE_QUALITY: Mapping[str, float] = MappingProxyType(
    {"referral": 0.6, "partner": 0.3, "website": 0.0, "trade_show": -0.2, "cold_call": -0.6}
)
"""The sources, and what each adds to the log-odds of going on in `make_pipeline`."""


class Product(NamedTuple):
    """A product of the sample data.

    Attributes
    ----------
    amount : int
        The median amount of its opportunities, in CNY.
    pace : float
        How long its visits to stages last in `make_pipeline`, beside those of a product of pace 1.
    """

    amount: int
    pace: float


PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {
        "starter": Product(20_000, 0.7),
        "professional": Product(80_000, 1.0),
        "enterprise": Product(400_000, 1.4),
    }
)
"""The products."""

REGIONS = ("east", "south", "north", "southwest")
"""The regions."""

MEDIAN_AMOUNT = np.array([product.amount for product in PRODUCTS.values()])

# ── the working clock: seconds of working time since nine on the first day ────────────────────────

WORKDAY = 9 * 3600
"""Seconds from nine to six."""

_ZONE = "Asia/Shanghai"
_NINE_IN_SHANGHAI = timedelta(hours=9 - 8) // timedelta(microseconds=1)


def working_days(
    first: date, after: date, holidays: NDArray[np.datetime64] | None = None
) -> NDArray[np.datetime64]:
    """Return the weekdays from the first day up to the one before `after`, without the holidays."""
    days = np.arange(np.datetime64(first), np.datetime64(after))
    off = np.zeros(0, "datetime64[D]") if holidays is None else holidays
    working: NDArray[np.datetime64] = days[np.is_busday(days, holidays=off)]
    return working


def instants(days: NDArray[np.datetime64], clock: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return readings of the working clock as microseconds since 1970 in UTC, (N,)."""
    nine = days.astype("datetime64[us]").astype(np.int64) + _NINE_IN_SHANGHAI
    return nine[clock // WORKDAY] + clock % WORKDAY * 1_000_000


# ── entries → log ─────────────────────────────────────────────────────────────────────────────────


class Entries(NamedTuple):
    """Generated entries, those of one opportunity in order: each (N,).

    `deal` is the index of the opportunity, `clock` a reading of the working clock; `owner` and
    `reason` are codes, the reason's -1 where there is none.
    """

    deal: NDArray[np.int64]
    state: NDArray[np.int64]
    clock: NDArray[np.int64]
    owner: NDArray[np.int64]
    amount: NDArray[np.float64]
    reason: NDArray[np.int64]


class Traits(NamedTuple):
    """What opportunities never change: codes, each (M,)."""

    source: NDArray[np.int64]
    product: NDArray[np.int64]
    region: NDArray[np.int64]


UNKNOWN = np.iinfo(np.int64).min
"""The day of an entry at which no date is written down."""


def to_log(
    funnel: Funnel,
    days: NDArray[np.datetime64],
    entries: Entries,
    traits: Traits,
    expected: NDArray[np.int64],
) -> StageLog:
    """Return the log of generated entries; the opportunities are called ``D-1`` and so on.

    `expected`, (N,), is the day since 1970 on which each entry says that its opportunity should
    close, `UNKNOWN` where it says nothing.
    """
    n = len(traits.source)
    width = len(str(n))
    order = np.argsort(entries.deal, kind="stable")
    deal = entries.deal[order]
    reasons = [reason.key for reason in funnel.loss_reasons]
    # The codes are at hand. Made into texts for a reader, and by it into codes again, they would
    # take most of the time.
    empty = StageLog.from_columns(funnel, opportunity=(), stage=(), entered_at=(), tz=_ZONE)
    return StageLog(
        funnel,
        arrange(
            deal,
            instants(days, entries.clock[order]),
            entries.state[order].astype(np.uint8),
            len(funnel.states),
        ).entries,
        np.array([f"D-{number:0{width}d}" for number in range(1, n + 1)], object),
        reasons=_labels(entries.reason[order], reasons),
        amounts=entries.amount[order],
        attributes={
            "owner": _labels(entries.owner[order], OWNER_SKILL),
            "source": _labels(traits.source[deal], SOURCE_QUALITY),
            "product": _labels(traits.product[deal], PRODUCTS),
            "region": _labels(traits.region[deal], REGIONS),
            "expected_close": _dates(expected[order]),
        },
        tz=empty.tz,
        currency="CNY",
        rejected=empty.rejected,
        ignored=empty.ignored,
    )


def _labels(codes: NDArray[np.int64], names: Iterable[str]) -> Labels:
    codes, ascending = sort_categories(codes, list(names))
    return Labels(codes.astype(np.int16), tuple(ascending))


def _dates(day: NDArray[np.int64]) -> Labels:
    """Return days since 1970 as labels; they ascend as their texts do."""
    known = day != UNKNOWN
    first = day[known].min(initial=np.iinfo(np.int64).max)
    occurs = np.bincount(day[known] - first) > 0
    found = first + np.flatnonzero(occurs)
    rank = (np.cumsum(occurs) - 1).astype(code_type(len(found)))
    codes = np.full(len(day), -1, rank.dtype)
    codes[known] = rank[day[known] - first]
    return Labels(codes, tuple(found.astype("datetime64[D]").astype(str).tolist()))


def check_count(n: object) -> None:
    """Raise `DefinitionError` if `n` is no number of opportunities."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise DefinitionError("n= is a number of opportunities, 0 or more, not {n!r}", n=n)
