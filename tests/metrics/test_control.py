"""Control charts: the example of a textbook, and the rules one point at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, groupings, log_of, oracles, spread
from metrics.test_change import closed
from oracle import Oracle

from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import control_chart_by_period, p_chart, trend_by_period
from salesfunnel.model.funnel import Funnel

# Montgomery, Introduction to Statistical Quality Control, table 7.1: bad cans in samples of 50.
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22]
CANS += [8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]


def test_the_chart_of_the_textbook() -> None:
    chart = p_chart(CANS, 50)

    assert chart.centre.round(4).tolist() == [0.2313] * 30
    assert chart.low.round(4).tolist() == [0.0524] * 30
    assert chart.high.round(4).tolist() == [0.4102] * 30
    assert np.flatnonzero(chart.beyond).tolist() == [14, 22]
    # Without the two, for which a cause was found, the limits are these, and one more is beyond.
    usual = np.ones(30, bool)
    usual[[14, 22]] = False
    revised = p_chart(CANS, 50, baseline=usual)
    assert revised.centre[0].round(4) == 0.2150
    assert (revised.low[0].round(4), revised.high[0].round(4)) == (0.0407, 0.3893)
    assert np.flatnonzero(revised.beyond > 0).tolist() == [14, 20, 22]


points = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (pair[0], sum(pair)))


@given(
    st.lists(st.tuples(points, st.booleans()), max_size=14),
    st.floats(0.5, 4),
    st.integers(2, 5),
)
def test_every_rule_one_point_at_a_time(
    series: list[tuple[tuple[int, int], bool]], sigmas: float, run: int
) -> None:
    chart = p_chart(
        [point[0] for point, _ in series],
        [point[1] for point, _ in series],
        baseline=[usual for _, usual in series],
        sigmas=sigmas,
        run=run,
    )

    k = sum(point[0] for point, usual in series if usual)
    n = sum(point[1] for point, usual in series if usual)
    centre = k / n if n else math.nan
    in_row, before = 0, 0
    for i, ((successes_here, trials_here), _) in enumerate(series):
        if not n or not trials_here:
            assert np.isnan([chart.low[i], chart.high[i]]).all()
            assert chart.beyond[i] == chart.run[i] == 0
            in_row, before = 0, 0
            continue
        share = successes_here / trials_here
        error = sigmas * math.sqrt(centre * (1 - centre) / trials_here)
        assert chart.centre[i] == centre
        assert chart.low[i] == max(centre - error, 0)
        assert chart.high[i] == min(centre + error, 1)
        assert chart.beyond[i] == int(share > chart.high[i]) - int(share < chart.low[i])
        side = (share > centre) - (share < centre)
        in_row = in_row + 1 if side == before else 1
        before = side
        assert chart.run[i] == (side if in_row >= run else 0)


def test_groups_are_charts_of_their_own() -> None:
    successes, trials = np.array([[1, 2, 9], [0, 0, 0]]), np.array([[10, 10, 10], [5, 0, 5]])

    chart = p_chart(successes, trials)
    for row in range(2):
        alone = p_chart(successes[row], trials[row])
        for part, one in zip(chart, alone, strict=True):
            np.testing.assert_array_equal(np.asarray(part)[row], one)
    assert chart.centre.tolist() == [[0.4] * 3, [0] * 3]


def test_without_trials_nothing_is_usual() -> None:
    assert np.isnan(p_chart([0, 0], [0, 0]).centre).all()
    assert p_chart([], []).beyond.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigmas": 0}, "sigmas= is a positive number of standard errors, not 0"),
        ({"sigmas": math.nan}, "sigmas= is a positive number"),
        ({"run": 1}, "run= is a number of points, 2 or more, not 1"),
        ({"run": 2.5}, "run= is a number of points, 2 or more, not 2.5"),
        ({"run": True}, "run= is a number of points, 2 or more, not True"),
        ({"successes": [3, 1]}, "successes are from 0 to the number of trials"),
    ],
)
def test_what_is_no_chart_is_told_what_one_is(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        p_chart(**({"successes": [1, 1], "trials": [2, 2]} | arguments))
    assert message in str(refusal.value)


# ── of a log ──────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=50)
@given(oracles(), groupings, st.none() | st.integers(1, 4))
def test_the_chart_of_a_log_is_that_of_its_trend(
    oracle: Oracle, by: By, baseline: int | None
) -> None:
    oracle = spread(oracle, 9 * 86_400_000_000)
    log, options = log_of(oracle), {"by": by, "as_of": oracle.as_of}
    table = control_chart_by_period(log, baseline=baseline, run=2, **options)  # type: ignore[arg-type]

    trend = trend_by_period(log, **options)  # type: ignore[arg-type]
    check_rate(table, "win_rate", trend["won"].tolist(), (trend["won"] + trend["lost"]).tolist())
    names = [table[name].tolist() for name in ("owner", "region") if name in table]
    groups = list(zip(*names, strict=True)) or [()] * len(table)
    for group in set(groups):
        mine = np.array([label == group for label in groups])
        won, closed_ = trend["won"][mine], (trend["won"] + trend["lost"])[mine]
        usual = trend["complete"][mine].copy()
        usual[len(usual) if baseline is None else baseline :] = False
        chart = p_chart(won, closed_, baseline=usual, run=2)
        np.testing.assert_array_equal(table["centre"][mine], chart.centre)
        np.testing.assert_array_equal(table["lower_limit"][mine], chart.low)
        np.testing.assert_array_equal(table["upper_limit"][mine], chart.high)
        expected = [
            {1: "above_limits", -1: "below_limits"}.get(int(beyond))
            or {1: "run_above", -1: "run_below"}.get(int(run))
            for beyond, run in zip(chart.beyond, chart.run, strict=True)
        ]
        assert table["signal"][mine].tolist() == expected


def test_a_signal_by_hand() -> None:
    months = [(f"2025-{month:02}", 10, 30) for month in range(1, 10)]
    log = closed(*months, ("2025-10", 20, 20), ("2025-11", 4, 36), ("2025-12", 0, 3))
    table = control_chart_by_period(log, period="month", baseline=9)

    assert table["centre"].tolist() == [0.25] * 12
    error = 3 * math.sqrt(0.25 * 0.75 / 40)
    assert table["upper_limit"][0] == 0.25 + error  # 0.455
    assert table["signal"].tolist() == [None] * 9 + ["above_limits", None, None]
    text = table.to_text()
    assert "Above the limits" in text
    assert "3 standard errors" in text
    assert "高于控制上限" in table.to_text("zh")
    wider = control_chart_by_period(log, baseline=9, sigmas=4, run=2)
    assert wider["signal"].tolist() == [None] * 11 + ["run_below"]
    assert "4 standard errors" in wider.to_text()


def test_an_empty_log_has_no_chart() -> None:
    log = StageLog.from_columns(Funnel(["lead"]), opportunity=[], stage=[], entered_at=[], tz="UTC")
    assert len(control_chart_by_period(log)) == 0


@pytest.mark.parametrize("baseline", [0, -1, 1.5, True, "2025"])
def test_a_baseline_is_a_number_of_periods(baseline: Any) -> None:
    with pytest.raises(DefinitionError, match="baseline= is a number of periods, 1 or more, not"):
        control_chart_by_period(closed(("2025-01", 1, 1)), baseline=baseline)
