"""The reference table as a log: a thousand opportunities, counted exactly."""

from __future__ import annotations

from datetime import date

import numpy as np
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
    to_log,
    working_days,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

_REACHED = np.array([1000, 300, 120, 60, 36, 25, 20, 18])
"""How many came at least to each stage, and last how many completed the service."""
_LOST = np.array([100, 45, 24, 9, 4, 1, 0, 0])
_DAYS = np.array([6, 8, 12, 12, 10, 6, 25])
"""Working days that a visit to each stage takes, give or take half of them."""
_REASONS = (
    ("invalid_contact", "unqualified", "no_need", "unresponsive", "duplicate"),
    ("unresponsive", "no_need", "timing", "no_authority", "slow_response"),
    ("no_need", "budget", "timing", "missing_feature"),
    ("missing_feature", "competitor", "delivery_time"),
    ("price", "competitor", "budget", "no_decision"),
    ("contract_terms",),
)
"""Why opportunities are lost at each stage, the most frequent reason first."""
_HOLIDAYS = np.concatenate(
    [
        np.arange(first, after, dtype="datetime64[D]")
        for first, after in (
            ("2025-01-01", "2025-01-02"),
            ("2025-01-28", "2025-02-05"),
            ("2025-04-04", "2025-04-07"),
            ("2025-05-01", "2025-05-06"),
            ("2025-05-31", "2025-06-03"),
            ("2025-10-01", "2025-10-09"),
        )
    ]
)


def reference_pipeline() -> StageLog:
    """Return the reference table as 1,000 generated opportunities, always the same ones.

    They belong to the year 2025. Every history goes through the stages of `Funnel.standard` in
    order and every loss has a reason, so the three ways of counting give the same integers, and
    `StageLog.conform` finds nothing. Owners, sources, products and regions are spread evenly and
    have no effect.

    ===================== ======= ======== ==== ============
    stage                 entered advanced lost open
    ===================== ======= ======== ==== ============
    lead_identification      1000      300  100          600
    initial_contact           300      120   45          135
    needs_analysis            120       60   24           36
    solution_design            60       36    9           15
    quotation_negotiation      36       25    4            7
    contract_signing           25       20    1            4
    after_sales_service        20       18    – 2 in service
    ===================== ======= ======== ==== ============

    Returns
    -------
    StageLog
        With the attributes owner, source, product, region and expected_close, loss reasons, amounts
        in CNY, and the business time zone Asia/Shanghai.

    Examples
    --------
    >>> reference_pipeline().stage_counts().entered.tolist()
    [1000, 300, 120, 60, 36, 25, 20]
    """
    funnel = Funnel.standard()
    n = int(_REACHED[0])
    furthest, is_lost = _outcomes(n)
    length = furthest + 1 + is_lost
    first = np.cumsum(length) - length
    deal = np.repeat(np.arange(n), length)
    step = np.arange(len(deal)) - first[deal]
    state = np.where(step > furthest[deal], funnel.lost, step)

    days = working_days(date(2025, 1, 1), date(2026, 1, 1), _HOLIDAYS)
    clock = _clock(len(days) * WORKDAY, deal, step, first, is_lost | (furthest == funnel.won))
    product = _spread(n, 7, len(PRODUCTS))
    amount = np.round(MEDIAN_AMOUNT[product] * 4 ** (2 * _even(n, 11) - 1), -3)
    owner = _spread(n, 13, len(OWNER_SKILL))
    reason = _reasons(funnel, state, deal, furthest)
    entries = Entries(deal, state, clock, owner[deal], amount[deal], reason)
    visit = _DAYS[: funnel.n_presale] * float(WORKDAY)
    return to_log(
        funnel,
        days,
        entries,
        Traits(_spread(n, 17, len(SOURCE_QUALITY)), product, _spread(n, 19, len(REGIONS))),
        expected_days(days, entries, visit, 0.5 + _even(len(deal), 23)),
    )


def _outcomes(n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the furthest state of each opportunity and whether it is lost there."""
    ended = _REACHED - np.append(_REACHED[1:], 0)
    outcomes = np.repeat(np.arange(2 * len(ended)), np.column_stack([ended - _LOST, _LOST]).ravel())
    # 617 shares no factor with 1000: this deals out every outcome over all the identifiers.
    dealt = outcomes[np.arange(n) * 617 % n]
    return dealt // 2, dealt % 2 == 1


def _clock(
    total: int,
    deal: NDArray[np.int64],
    step: NDArray[np.int64],
    first: NDArray[np.int64],
    is_closed: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return when entries happen within `total` seconds on the working clock."""
    wait = _DAYS[np.maximum(step - 1, 0)] * WORKDAY * (0.5 + _even(len(deal), 2))
    elapsed = np.cumsum(np.where(step == 0, 0, wait).astype(np.int64))
    elapsed -= elapsed[first][deal]
    whole = elapsed[np.append(first[1:], len(deal)) - 1]
    # Deals close all through the year; of the open ones most were touched of late.
    n = len(first)
    idle = np.where(is_closed, _even(n, 3), 0.6 * _even(n, 5) ** 2) * (total - whole)
    begin: NDArray[np.int64] = total - 1 - whole - idle.astype(np.int64)
    return np.add(begin[deal], elapsed)


def _reasons(
    funnel: Funnel, state: NDArray[np.int64], deal: NDArray[np.int64], furthest: NDArray[np.int64]
) -> NDArray[np.int64]:
    keys = [reason.key for reason in funnel.loss_reasons]
    reason = np.full(len(deal), -1)
    for stage, here in enumerate(_REASONS):
        rows = np.flatnonzero((state == funnel.lost) & (furthest[deal] == stage))
        codes = np.array([keys.index(key) for key in here])
        reason[rows] = codes[(_even(len(rows), 5) ** 2 * len(codes)).astype(np.int64)]
    return reason


def _even(n: int, prime: int) -> NDArray[np.float64]:
    """Return n numbers spread evenly over [0, 1): multiples of an irrational number, modulo 1.

    They look like chance, and unlike what a generator draws they are the same with every version
    of numpy.
    """
    multiples: NDArray[np.float64] = np.arange(1, n + 1) * np.sqrt(prime) % 1.0
    return multiples


def _spread(n: int, prime: int, n_labels: int) -> NDArray[np.int64]:
    return (_even(n, prime) * n_labels).astype(np.int64)
