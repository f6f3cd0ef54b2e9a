"""Features that know the outcome because they came after it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from metrics.checks import check_rate

from salesfunnel.errors import DataError, DefinitionError, FeatureError, OutcomeError
from salesfunnel.scoring import leak_check, roc_auc

T0 = datetime(2026, 1, 1, tzinfo=UTC)
WON = np.arange(60) % 3 == 0


def findings(features: dict[str, Any], **options: Any) -> dict[str, str | None]:
    table = leak_check(features, WON, **options)
    return dict(zip(table["feature"], table["finding"], strict=True))


def test_what_tells_the_outcome_is_found() -> None:
    rng = np.random.default_rng(0)
    assert findings(
        {
            "close_value": np.where(WON, rng.random(60) + 1, 0),
            "against": np.where(WON, 0.5, rng.random(60) + 1),
            "closing_reason": [None if won else "price" for won in WON],
            "invoice_known": [1.0 if won else None for won in WON],
            "employees": rng.random(60),
            "source": np.array(["web", "fair"])[rng.integers(0, 2, 60)],
            "id": [f"L-{i}" for i in range(60)],
        }
    ) == {
        "close_value": "orders",
        "against": "orders",
        "closing_reason": "settles",
        "invoice_known": "settles",
        "employees": None,
        "source": None,
        "id": None,
    }


def test_the_area_of_a_number_is_that_of_its_known_values() -> None:
    values = np.where(np.arange(60) % 4 == 0, np.nan, np.arange(60.0) % 7)
    table = leak_check({"x": values, "label": ["a"] * 60}, WON)

    known = ~np.isnan(values)
    auc = roc_auc(values[known], WON[known])
    found = [table[f"auc{part}"][0] for part in ("", "_low", "_high")]
    assert found == [auc.value, auc.low, auc.high]
    assert math.isnan(table["auc"][1])


def test_a_level_settles_the_outcome_only_if_it_is_frequent_and_different() -> None:
    spam = np.array(["no"] * 60, object)
    spam[~WON] = "yes"
    spam[np.flatnonzero(~WON)[:10]] = "no"

    table = leak_check({"spam": spam}, WON)
    check_rate(table, "settled", [30], [60])
    assert table["finding"].tolist() == [None], "half of the leads are not most of them"
    table = leak_check({"spam": spam}, WON, min_leads=31)
    check_rate(table, "settled", [0], [60])
    mostly_won = np.arange(60) > 0
    table = leak_check({"source": ["web", "fair"] * 30}, mostly_won)
    assert table["settled_numerator"].tolist() == [0], "all are won nearly always"


def test_the_limit_is_the_callers() -> None:
    values = WON + np.where(np.arange(60) % 10 == 0, 1.0, 0) * 1.5
    area = roc_auc(values, WON).value
    assert 0.8 < area < 1

    assert findings({"x": values}, limit=area - 0.01) == {"x": "orders"}
    assert findings({"x": values}, limit=min(area + 0.001, 0.999)) == {"x": None}


# ── recorded when ─────────────────────────────────────────────────────────────────────────────────


def test_what_was_recorded_after_the_lead_was_scored_is_found() -> None:
    features = {"budget": [1, 2] * 30, "need": [3, 4, 4, 3] * 15, "size": [1, 2, 3, 4] * 15}
    scored = [T0] * 60
    budget = [T0 if i else T0 + timedelta(seconds=1) for i in range(60)]
    need = [None if i < 20 else T0 for i in range(60)]

    table = leak_check(
        features, WON, recorded_at={"budget": budget, "need": need}, scored_at=scored
    )

    assert table["finding"].tolist() == ["recorded_late", None, None]
    check_rate(table, "late", [1, 0, 0], [60, 40, 0])
    text = table.to_text()
    assert "recorded late" in text
    assert "滞后记录" in table.to_text("zh")


def test_what_was_recorded_with_the_decision_is_found() -> None:
    """With the decision is too late, a microsecond before it is not."""
    decided = [T0] * 60
    tick = timedelta(microseconds=1)
    options = {"recorded_at": {"x": [T0 - tick] * 60}, "decided_at": decided}

    assert findings({"x": [1, 2] * 30}, **options) == {"x": None}
    options["recorded_at"] = {"x": [T0 - tick] * 59 + [T0]}
    assert findings({"x": [1, 2] * 30}, **options) == {"x": "recorded_late"}


def test_without_times_nothing_is_said_of_them() -> None:
    assert "ecorded late" not in leak_check({"x": [1, 2] * 30}, WON).to_text()


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────


def test_times_that_do_not_fit_are_refused() -> None:
    features, times = {"x": [1, 2] * 30}, [T0] * 60
    with pytest.raises(
        DefinitionError, match="recorded_at= says when; scored_at= or decided_at= s"
    ):
        leak_check(features, WON, recorded_at={"x": times})
    with pytest.raises(FeatureError, match="recorded_at= names 'y', which is none of x"):
        leak_check(features, WON, recorded_at={"y": times}, scored_at=times)
    with pytest.raises(
        FeatureError, match=r"recorded_at\['x'\] has 1 rows, the times of the leads"
    ):
        leak_check(features, WON, recorded_at={"x": [T0]}, scored_at=times)
    with pytest.raises(DataError, match=r"row 0, recorded_at\['x'\]: 'soon', expected an ISO 8601"):
        leak_check(features, WON, recorded_at={"x": ["soon"] * 60}, scored_at=times)


@pytest.mark.parametrize("limit", [0.5, 1, 95, math.nan])
def test_a_limit_that_is_none_is_refused(limit: float) -> None:
    with pytest.raises(DefinitionError, match=r"limit= is between 0\.5 and 1, as in 0\.95, not"):
        leak_check({"x": [1, 2] * 30}, WON, limit=limit)


def test_a_number_of_leads_that_is_none_is_refused() -> None:
    with pytest.raises(DefinitionError, match="min_leads= is a number of leads, 0 or more, not -1"):
        leak_check({"x": [1, 2] * 30}, WON, min_leads=-1)


def test_outcomes_that_are_all_equal_are_refused() -> None:
    with pytest.raises(OutcomeError, match="outcomes: all 2 are won"):
        leak_check({"x": [1, 2]}, [True, True])


def test_one_of_several_labels_may_settle_the_outcome() -> None:
    won = np.arange(200) % 4 == 0
    tags = [
        ["vip", "signed"] if w else ["vip", "rival"] if i % 3 else ["vip"]
        for i, w in enumerate(won)
    ]
    harmless = [["vip"] if i % 3 else [] for i in range(200)]
    table = leak_check({"tags": tags, "harmless": harmless}, won)

    assert table["finding"].tolist() == ["settles", None]
    with_one = sum(len(each) == 2 for each in tags)
    assert table["settled_numerator"].tolist() == [with_one, 0]
    assert np.isnan(table["auc"]).all()
