"""Visits to stages, beside the definitions in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from metrics.logs import log_of, oracles
from oracle import Oracle

from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics.visits import visits
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage


def test_a_visit_lasts_until_the_next_state_and_a_current_one_until_now() -> None:
    funnel = Funnel(["lead", "demo", Stage("care", post_sale=True)])
    rows = [
        ("A", "lead", "2026-01-01"),
        ("A", "demo", "2026-01-03"),
        ("A", "lead", "2026-01-04"),
        ("A", "lost", "2026-01-09"),
        ("B", "demo", "2026-01-02"),
        ("B", "care", "2026-01-05"),
        ("C", "won", "2026-01-06"),
    ]
    ids, states, days = zip(*rows, strict=True)
    log = StageLog.from_columns(
        funnel, opportunity=list(ids), stage=list(states), entered_at=list(days), tz="UTC"
    )

    found = visits(log.view())

    assert found.member.tolist() == [0, 0, 0, 1, 1]
    assert found.stage.tolist() == [0, 1, 0, 1, 2]
    assert found.target.tolist() == [1, 0, funnel.lost, 2, 255]
    assert found.ended.tolist() == [True, True, True, True, False]
    assert found.days.tolist() == [2, 1, 5, 3, 4]
    assert (found.left - found.entered).dtype == np.int64
    assert log.view().runs.state[found.run].tolist() == found.stage.tolist()


@given(oracles())
def test_visits_are_the_stays_of_the_histories(oracle: Oracle) -> None:
    view = log_of(oracle).view(oracle.as_of)
    found = visits(view)

    expected = [
        (
            row.opportunity,
            row.state,
            row.time,
            after.time if after else oracle.as_of,
            after.state if after else 255,
        )
        for history in oracle.histories().values()
        for row, after in zip(history, [*history[1:], None], strict=True)
        if row.state < oracle.n_stages
    ]
    names = view.log.identify(view.opportunity)[found.member]
    columns = [names, found.stage, found.entered, found.left, found.target]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    assert sorted(rows) == sorted(expected)
    assert (found.ended == (found.target != 255)).all()
