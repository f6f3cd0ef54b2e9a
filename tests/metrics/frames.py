"""What is known of each opportunity of a log, as a pandas dataframe: one row each."""

from __future__ import annotations

from typing import Any

import pandas as pd
from metrics.logs import ATTRIBUTES, amount_of
from oracle import Oracle, last_known

UNITS = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
"""The periods as pandas calls them."""


def deals(oracle: Oracle) -> Any:
    """Return id, created, closed, status, churned_at, amount and the labels of each opportunity."""
    rows = []
    for opportunity, history in oracle.histories().items():
        status = oracle.status(history)
        sold = status in ("won", "churned")
        sale = [row for row in oracle.since_the_sale(history) if row.state != oracle.lost]
        rows.append(
            {
                "id": opportunity,
                "created": history[0].time,
                "closed": sale[0].time if sold else history[-1].time if status == "lost" else None,
                "churned_at": history[-1].time if status == "churned" else None,
                "status": status,
                "furthest": oracle.furthest(history),
                "amount": amount_of(history),
                **{
                    name: last_known(row.labels.get(name) for row in history) for name in ATTRIBUTES
                },
            }
        )
    columns = ["id", "created", "closed", "churned_at", "status", "furthest", "amount", *ATTRIBUTES]
    return pd.DataFrame(rows, columns=columns)


def periods(times: Any, unit: str, zone: str) -> Any:
    """Return the labels of the periods that some times in microseconds fall in, as a list."""
    moments = pd.to_datetime(pd.Series(times, dtype="int64"), unit="us", utc=True)
    local = moments.dt.tz_convert(zone).dt.tz_localize(None)
    return [label(period, unit) for period in local.dt.to_period(UNITS[unit])]


def axis(first: int, last: int, unit: str, zone: str) -> tuple[list[str], bool]:
    """Return the labels of the periods from one instant to another, and whether all are over."""
    ends = pd.to_datetime([first, last], unit="us", utc=True).tz_convert(zone).tz_localize(None)
    every = pd.period_range(*(end.to_period(UNITS[unit]) for end in ends), freq=UNITS[unit])
    over = every[-1].end_time.floor("us").tz_localize(zone)
    return [label(period, unit) for period in every], over <= pd.Timestamp(
        last, unit="us", tz="UTC"
    )


def label(period: Any, unit: str) -> str:
    """Return a period of pandas as the library calls it."""
    if unit == "week":
        year, week, _ = period.start_time.isocalendar()
        return f"{year}-W{week:02}"
    return str(period)
