"""What every table takes and says: groups, an instant, a selection, and the mode that counts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from salesfunnel import metrics
from salesfunnel.errors import UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LossReason, Stage
from salesfunnel.table import Table


def tables() -> dict[str, Callable[..., Table]]:
    """Return every public function from a log to a table, by name."""
    found: dict[str, Callable[..., Table]] = {}
    for name in metrics.__all__:
        function = getattr(metrics, name)
        if inspect.isfunction(function):
            first = next(iter(inspect.signature(function).parameters.values()))
            if first.annotation == "StageLog":
                found[name] = function
    return found


TABLES = tables()
NEEDED: dict[str, dict[str, Any]] = {
    "conversion_within": {"horizon": "30d"},
    "drift": {"before": "2026Q1", "after": "2026Q2"},
    "pipeline_coverage": {"target": 1_000, "period": "quarter"},
    "win_rate_change": {"before": "2026Q1", "after": "2026Q2"},
    "pipeline_by_period": {"close": "close"},
    "repeat_sales": {"customer": "region"},
    "time_to_second_sale": {"customer": "region"},
}
"""What else a table has to be told."""
COMPARING = {"logrank_test", "pooled_rate", "win_rate_change"}
"""Tables that are about the groups: without any there is nothing to compare."""


def sample() -> StageLog:
    rng = np.random.default_rng(3)
    rows = []
    for number in range(80):
        day = np.datetime64("2026-01-01") + int(rng.integers(0, 170))
        owner, region = ("li", "na", "wu")[number % 3], ("north", "south")[number % 2]
        states = ["lead", "offer", "won", "care"][: int(rng.integers(1, 5))]
        if len(states) < 3 and rng.random() < 0.5:
            states.append("lost")
        for state in states:
            rows.append((f"O-{number}", state, f"{day}", owner, region, 10 + number))
            day += int(rng.integers(1, 30))
    ids, stages, days, owners, regions, amounts = (list(part) for part in zip(*rows, strict=True))
    return StageLog.from_columns(
        Funnel(
            [Stage("lead", target_conversion=0.5), "offer", Stage("care", post_sale=True)],
            [LossReason("price")],
        ),
        opportunity=ids,
        stage=stages,
        entered_at=days,
        reason=["price" if stage == "lost" else None for stage in stages],
        attributes={"owner": owners, "region": regions, "close": ["2026-09-01"] * len(ids)},
        amount=amounts,
        tz="UTC",
    )


LOG = sample()


def ask(name: str, **options: Any) -> Table:
    options = {**NEEDED.get(name, {}), **options}
    if name in COMPARING:
        options.setdefault("by", "owner")
    return TABLES[name](LOG, **options)


def test_there_are_tables_to_speak_of() -> None:
    assert len(TABLES) > 35
    assert {"stage_table", "stalled", "ageing", "flow_table", "survival_table"} <= set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_takes_one_attribute_or_several(name: str) -> None:
    for by in ("owner", ["region", "owner"]):
        names = [by] if isinstance(by, str) else by
        table = ask(name, by=by)
        assert len(table) > 0
        if name == "drift":  # whose groups are the mix that it tests
            assert set(names) <= set(table["of"].tolist())
            continue
        assert table.columns[: len(names)] == tuple(names)
        assert set(table["owner"].tolist()) <= {"li", "na", "wu", None}
    with pytest.raises(UnknownAttributeError, match="no attribute 'team'"):
        ask(name, by="team")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_takes_an_instant_and_says_it(name: str) -> None:
    table = ask(name, as_of="2026-05-15T12:00")

    assert "As of 2026-05-15 12:00" in table.to_text()
    assert "2026-05-15 12:00" in table.to_text("zh")
    assert table != ask(name)
    # What was not yet known then makes no difference.
    known = LOG.view("2026-05-15T12:00").opportunity
    assert len(known) < 80


@pytest.mark.parametrize("name", TABLES)
def test_a_table_takes_a_selection_and_says_it(name: str) -> None:
    table = ask(name, where={"owner": ["li", "wu"], "region": "north"})

    assert "Only opportunities with" in table.to_text()
    assert "north" in table.to_text()
    assert table != ask(name)
    with pytest.raises(UnknownAttributeError, match="no attribute 'team'"):
        ask(name, where={"team": "x"})


WITH_MODES = [name for name in TABLES if "mode" in inspect.signature(TABLES[name]).parameters]
WORDS = {
    "reached": "reached it or a later one",
    "actual": "with an entry into it",
    "strict": "went through every stage up to it, in order",
}


@pytest.mark.parametrize("mode", WORDS)
@pytest.mark.parametrize("name", WITH_MODES)
def test_a_table_names_its_mode(name: str, mode: str) -> None:
    text = ask(name, mode=mode).to_text()

    assert [other for other, words in WORDS.items() if words in text] == [mode]
