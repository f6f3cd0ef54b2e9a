"""What a CRM exports: a file in the words of the people who use it, not in those of a funnel."""

from __future__ import annotations

import math
from datetime import timedelta
from operator import itemgetter
from pathlib import Path

import numpy as np

from salesfunnel.columns.csvfile import csv_text
from salesfunnel.datasets.pipeline import make_pipeline
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.stage import LOST, WON
from salesfunnel.periods import from_microseconds

_HEADER = ("deal_id", "stage", "at", "owner", "source", "amount", "reason")

_CLOSED_WON, _DEAD, _DISQUALIFIED, _ARCHIVED = "Closed Won", "Dead", "Disqualified", "Archived"
_NOT_A_CUSTOMER = "unqualified"


def sample_csv(
    path: str | Path, n: int = 500, *, seed: int = 0
) -> dict[str, str | tuple[str, str] | None]:
    """Write what a CRM might export of `make_pipeline`, and return the stage map that it needs.

    One row for each entry, in order of time, with the columns deal_id, stage, at (ISO 8601 with its
    offset), owner, source, amount and reason. The stages are those of `Funnel.standard`, but the
    ends are called as people call them: ``Closed Won``, ``Dead``, ``Disqualified``; and what was
    tidied away later has a row ``Archived`` that means nothing to the funnel.

    Parameters
    ----------
    path : str or Path
        The file to write.
    n : int
        The number of opportunities, 0 or more.
    seed : int
        0 or more; the same seed gives the same file, as it does for `make_pipeline`.

    Returns
    -------
    dict
        What the names mean that no state of the funnel has, as ``stage_map=`` takes it.

    Raises
    ------
    DefinitionError
        If `n` or `seed` is not of this form.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from salesfunnel.log.read import read_csv
    >>> from salesfunnel.model.funnel import Funnel
    >>> stage_map = sample_csv("deals.csv", n=100)
    >>> stage_map
    {'Closed Won': 'won', 'Dead': 'lost', 'Disqualified': ('lost', 'unqualified'), 'Archived': None}
    >>> log = read_csv(
    ...     "deals.csv", Funnel.standard(), opportunity="deal_id", stage="stage", entered_at="at",
    ...     reason="reason", amount="amount", attributes=["owner", "source"], currency="CNY",
    ...     stage_map=stage_map,
    ... )
    >>> log.n_opportunities
    100
    """
    rows = _rows(make_pipeline(n, seed=seed))
    rows.sort(key=itemgetter(_HEADER.index("at")))
    Path(path).write_text(csv_text(_HEADER, rows, raw=True), encoding="utf-8", newline="")
    return {
        _CLOSED_WON: WON,
        _DEAD: LOST,
        _DISQUALIFIED: (LOST, _NOT_A_CUSTOMER),
        _ARCHIVED: None,
    }


def _rows(log: StageLog) -> list[list[str]]:
    """Return the rows of the file; of the closed deals every seventh is tidied away, a month on."""
    opportunity, state, time = log.entries
    ids = log.identify(opportunity)
    assert log.amounts is not None
    assert log.reasons is not None
    owner, source, reason = (
        np.array([*labels.names, ""], object)[labels.codes]
        for labels in (log.attribute("owner"), log.attribute("source"), log.reasons)
    )
    amount = ["" if math.isnan(value) else f"{value:.2f}" for value in log.amounts.tolist()]
    at = [from_microseconds(value, log.tz).isoformat() for value in time.tolist()]
    disqualified = reason == _NOT_A_CUSTOMER
    stage = np.array([*log.funnel.states[:-2], _CLOSED_WON, _DEAD], object)[state]
    stage[disqualified] = _DISQUALIFIED
    reason[disqualified] = ""
    rows = [list(row) for row in zip(ids, stage, at, owner, source, amount, reason, strict=True)]

    last = np.flatnonzero(np.diff(opportunity, append=-1))
    closed = last[state[last] >= log.funnel.won]
    for index in closed[::7].tolist():
        later = from_microseconds(time[index].item(), log.tz) + timedelta(days=30)
        rows.append([ids[index], _ARCHIVED, later.isoformat(), *rows[index][3:6], ""])
    return rows
