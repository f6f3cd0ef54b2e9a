"""What becomes of opportunities, beside the definitions in plain Python and exact fractions."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.statistics import multivariate_logrank_test
from metrics.lifetimes import value_at
from metrics.logs import By, groupings, log_of, named, oracles, parts
from metrics.test_cycle import lives_of
from numpy.testing import assert_allclose
from oracle import Oracle

from salesfunnel.errors import DefinitionError, UnknownAttributeError, UnknownStateError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import logrank_test, survival_table, wilson
from salesfunnel.model.funnel import Funnel

SHARES = ("open_by_age", "won_by_age", "lost_by_age")


@given(
    oracles(),
    groupings,
    st.none() | st.integers(0, 3),
    st.lists(st.integers(1, 25), min_size=1, max_size=3),
)
def test_the_shares_are_as_the_definitions_say(
    oracle: Oracle, by: By, start: int | None, ages: list[int]
) -> None:
    if start is not None and start >= oracle.n_presale:
        start = None
    name = None if start is None else f"s{start}"
    table = survival_table(
        log_of(oracle),
        ages=[timedelta(microseconds=age) for age in ages],
        by=by,
        start=name,
        as_of=oracle.as_of,
    )

    expected = [
        (labels, age, lives_of(part, start))
        for labels, part in parts(oracle, by).items()
        for age in sorted(set(ages))
    ]
    assert len(table) == len(expected)
    for row, (labels, age, lives) in zip(table.rows(), expected, strict=True):
        assert named(labels, by).items() <= row.items()
        assert row["age_days"] == age / 86_400_000_000
        assert row["censored"] == sum(life[1] == 0 and life[0] < age for life in lives)
        open_at_age = [life for life in lives if life[0] > age or life == (age, 0)]
        assert row["open_by_age_numerator"] == len(open_at_age)
        for cause, share in enumerate(SHARES):
            value, low, high = (row[f"{share}{part}"] for part in ("", "_low", "_high"))
            truth = value_at(lives, age, cause)
            assert row[f"{share}_denominator"] == len(lives)
            if np.isnan(truth):
                assert value is low is high is None
                continue
            assert_allclose(value, truth, rtol=1e-12, atol=1e-15)
            assert 0 <= low <= value <= high <= 1
            if cause:
                ended = sum(life[1] == cause and life[0] <= age for life in lives)
                assert row[f"{share}_numerator"] == ended
            if value in (0, 1):
                known = len(lives) - row["censored"]
                assert [low, high] == [*map(float, wilson(value * known, known))]
        if row["open_by_age"] is not None:
            assert sum(row[share] for share in SHARES) == pytest.approx(1, rel=1e-12)


def log(n: int = 12) -> StageLog:
    """Return a log in which li wins after a day or two, and na loses after some weeks."""
    rows = []
    for number in range(n):
        owner = "li" if number % 2 else "na"
        rows.append((f"O-{number}", "lead", 1, owner))
        if number < n - 2:
            day = 2 + number % 3 if owner == "li" else 15 + number % 12
            rows.append((f"O-{number}", "won" if owner == "li" else "lost", day, owner))
    ids, states, days, owners = zip(*rows, strict=True)
    return StageLog.from_columns(
        Funnel(["lead", "demo"]),
        opportunity=list(ids),
        stage=list(states),
        entered_at=[f"2026-01-{day:02}" for day in days],
        attributes={"owner": list(owners)},
        tz="UTC",
    )


def test_a_case_counted_by_hand() -> None:
    table = survival_table(log(), ages=["7d", "20d", "30d"], as_of="2026-01-21")
    week, later, beyond = table.rows()

    # Five of twelve are won within three days; by day 20 of the seven left one is lost each on the
    # days 14, 16, 18 and 20.
    assert week["won_by_age"] == later["won_by_age"] == pytest.approx(5 / 12)
    assert week["open_by_age"] == pytest.approx(7 / 12)
    assert later["lost_by_age"] == pytest.approx(4 / 12)
    assert later["open_by_age_numerator"] == 3
    assert beyond["open_by_age"] is beyond["won_by_age_low"] is None
    assert beyond["censored"] == 3


def test_the_notes_say_what_the_shares_are() -> None:
    text = survival_table(log(), by="owner").to_text()
    assert text.splitlines()[0] == "What becomes of opportunities as they grow older"
    assert "Age: from the first entry of the opportunity." in text
    assert "Kaplan–Meier; won and lost: Aalen–Johansen" in text
    assert "no opportunity was followed to that age" in text

    text = survival_table(log(), ages=("7d",), start="lead").to_text()
    assert "Age: from the first entry into or beyond “Lead”." in text
    assert "no opportunity was followed to that age" not in text


def test_the_test_is_that_of_lifelines() -> None:
    days = np.array([29 if n >= 10 else 1 + n % 3 if n % 2 else 14 + n for n in range(12)])
    owner, ended = np.arange(12) % 2, np.arange(12) < 10
    for of, event in (
        ("closed", ended),
        ("won", ended & (owner == 1)),
        ("lost", ended & (owner == 0)),
    ):
        table = logrank_test(log(), "owner", of=of, as_of="2026-01-30T00:00Z")

        peer = multivariate_logrank_test(days, owner, event)
        assert table["owner"].tolist() == ["li", "na"]
        assert table["opportunities"].tolist() == [6, 6]
        assert table["observed"].tolist() == [event[owner == 1].sum(), event[owner == 0].sum()]
        assert_allclose(table["expected"].sum(), event.sum())
        assert_allclose(table["statistic"], peer.test_statistic, rtol=1e-9)
        assert_allclose(table["p_value"], peer.p_value, rtol=1e-9)
        assert table["degrees_of_freedom"].tolist() == [1, 1]


def test_the_test_is_told_in_a_sentence() -> None:
    text = logrank_test(log(), "owner").to_text()
    assert "Log-rank test: χ² = 1.82, 1 degree of freedom, p = 0.1779." in text
    assert "won or lost; expected: how many would be if it took equally long" in text
    text = logrank_test(log(90), "owner", of="won").to_text()
    assert "won, lost ones counting until their loss" in text
    assert "p < 0.0001." in text
    text = logrank_test(log(90), "owner", of="lost").to_text("zh")
    assert "对数秩检验：χ² = 4.08，自由度 1，p = 0.0434。" in text
    alone = logrank_test(log(), "owner", where={"owner": "li"})
    assert "there is nothing to compare" in alone.to_text()
    assert np.isnan(alone["p_value"]).all()


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(DefinitionError, match="of= is one of won, lost, closed, not 'open'"):
        logrank_test(log(), "owner", of="open")
    with pytest.raises(UnknownAttributeError, match="'region'"):
        logrank_test(log(), "region")
    for metric in (survival_table, lambda log, start: logrank_test(log, "owner", start=start)):
        with pytest.raises(UnknownStateError, match="'offer'"):
            metric(log(), start="offer")
        with pytest.raises(DefinitionError, match="start= is a stage before the sale"):
            metric(log(), start="won")
    with pytest.raises(DefinitionError, match="ages= are durations"):
        survival_table(log(), ages="30d")
