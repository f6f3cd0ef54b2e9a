"""How old open opportunities are, one at a time."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, amount_of, groupings, log_of, named, oracles, parts, spread
from oracle import History, Oracle

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import ageing
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import BusinessCalendar

DAY = 86_400_000_000
OFFICE = BusinessCalendar(("09:00", "17:00"), holidays=["1970-01-05"], tz="UTC")


@settings(max_examples=60)
@given(
    oracles(),
    groupings,
    st.sampled_from(["stage", "creation"]),
    st.sets(st.integers(1, 12), min_size=1, max_size=4),
    st.sampled_from([None, OFFICE]),
)
def test_open_opportunities_are_counted_by_age(
    oracle: Oracle, by: By, since: str, days: set[int], calendar: BusinessCalendar | None
) -> None:
    oracle = spread(oracle, DAY)
    table = ageing(
        log_of(oracle),
        bands=[f"{d}d" for d in days],
        since=since,
        by=by,
        calendar=calendar,
        as_of=oracle.as_of,
    )

    def age(history: History) -> float:
        start, end = history[-1 if since == "stage" else 0].time, oracle.as_of or 0
        if calendar is None:
            return (end - start) / DAY
        return float(calendar.business_seconds(start, end)) / calendar.seconds_per_day

    edges = [0, *sorted(days), float("inf")]
    rows, counts, wholes = [], [], []
    for labels, part in parts(oracle, by).items():
        assert oracle.as_of is not None or not part.rows
        standing = [h for h in part.histories().values() if part.status(h) == "open"]
        for stage in range(oracle.n_presale):
            here = [h for h in standing if h[-1].state == stage]
            for low, high in pairwise(edges):
                aged = [h for h in here if low <= age(h) < high]
                amount = float(sum(map(amount_of, aged)))
                rows.append(
                    {
                        **named(labels, by),
                        "stage": f"s{stage}",
                        "from_days": low,
                        "to_days": high,
                        "amount": amount,
                    }
                )
                counts.append(len(aged))
                wholes.append(len(here))
    if rows:
        assert list(table.select(*rows[0]).rows()) == rows
    check_rate(table, "value", counts, wholes)


def log(*opened: str, **columns: Any) -> StageLog:
    """Return a log of leads that came in on some days, as of the 31st of January at midnight."""
    return StageLog.from_columns(
        Funnel(["lead"]),
        opportunity=[*map(str, range(len(opened))), "Z"],
        stage=["lead"] * len(opened) + ["won"],
        entered_at=[*opened, "2026-01-31"],
        tz="UTC",
        **columns,
    )


LOG = log("2026-01-31", "2026-01-25", "2026-01-24", "2026-01-01", "2025-10-01")


def test_ages_by_hand() -> None:
    table = ageing(LOG, bands=["7d", "36h", timedelta(days=30)])

    assert table["band"].tolist() == ["<36h", "36h-7d", "7d-30d", ">=30d"]
    # An age of exactly seven days is one of the band that begins with them.
    assert table["numerator"].tolist() == [1, 1, 1, 2]
    assert table["from_days"].tolist() == [0, 1.5, 7, 30]
    assert table["to_days"].tolist() == [1.5, 7, 30, np.inf]
    shown = [line.split("  ")[0:4] for line in table.to_text().splitlines()[4:8]]
    assert [[part.strip() for part in line if part][1] for line in shown] == [
        "under 1.5 d",
        "1.5 d to 7 d",
        "7 d to 30 d",
        "30 d and more",
    ]
    assert "7 天至 30 天" in table.to_text("zh")
    assert "30 天及以上" in table.to_text("zh")


def test_the_text_says_from_when_on() -> None:
    assert "from the entry into the stage" in ageing(LOG).to_text()
    assert "from the first entry of the opportunity" in ageing(LOG, since="creation").to_text()
    assert "amount" not in ageing(LOG).to_text()
    assert "Open amount" in ageing(log("2026-01-01", amount=[1, 2])).to_text()


def test_an_empty_log_has_nothing_of_any_age() -> None:
    empty = StageLog.from_columns(
        Funnel(["lead"]), opportunity=[], stage=[], entered_at=[], tz="UTC"
    )
    assert ageing(empty, bands=["7d"])["numerator"].tolist() == [0, 0]
    assert np.isnan(ageing(empty, bands=["7d"])["value"]).all()


def test_what_is_no_band_is_told_what_one_is() -> None:
    with pytest.raises(DefinitionError, match="since= is one of stage, creation, not 'birth'"):
        ageing(LOG, since="birth")
    with pytest.raises(DefinitionError, match=r"bands= are durations, as in \('30d', '60d'\)"):
        ageing(LOG, bands=[])
    with pytest.raises(DefinitionError, match="a positive timedelta or a text such as '14d'"):
        ageing(LOG, bands=["a week"])
