"""View: what is known of each opportunity at an instant."""

from __future__ import annotations

from typing import Any

import numpy as np
from histories import MILLION, log_of, oracles
from hypothesis import given
from oracle import Oracle, last_known

from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel


@given(oracles())
def test_the_loss_that_stands_has_the_reason_of_its_own_run(oracle: Oracle) -> None:
    log = log_of(oracle)
    view = log.view(oracle.as_of)

    names = (*(log.reasons.names if log.reasons is not None else ()), None)
    reasons = [names[code] for code in view.loss_reason.tolist()]
    histories = [oracle.histories()[name] for name in log.identify(view.opportunity).tolist()]
    assert reasons == [
        history[-1].reason if history[-1].state == oracle.lost else None for history in histories
    ]


@given(oracles())
def test_amounts_and_labels_are_the_last_known_ones(oracle: Oracle) -> None:
    log = log_of(oracle)
    view = log.view(oracle.as_of)
    histories = [oracle.histories()[name] for name in log.identify(view.opportunity).tolist()]

    amounts = [last_known(row.amount for row in history) for history in histories]
    expected = [np.nan if amount is None else amount / MILLION for amount in amounts]
    np.testing.assert_array_equal(view.amount, expected)

    owners = (*log.attribute("owner").names, None)
    codes = view.label_by("owner", view.runs.ends)
    assert [owners[code] for code in codes.tolist()] == [
        last_known(row.labels["owner"] for row in history) for history in histories
    ]


@given(oracles())
def test_entries_are_counted_to_the_instant(oracle: Oracle) -> None:
    view = log_of(oracle).view(oracle.as_of)

    assert view.n_entries == sum(
        oracle.as_of is not None and row.time <= oracle.as_of for row in oracle.rows
    )


def log(**columns: object) -> StageLog:
    values: dict[str, Any] = {
        "opportunity": ["A"] * 4,
        "stage": ["lead", "lost", "lost", "lead"],
        "entered_at": np.array([0, 1, 2, 3]),
    }
    return StageLog.from_columns(Funnel(["lead"]), **{**values, **columns})


def test_a_log_without_reasons_amounts_and_labels_has_none() -> None:
    view = log().view(2)

    assert view.loss_reason.tolist() == [-1]
    assert np.isnan(view.amount).all()


def test_the_view_of_the_last_entry_and_one_other_are_kept() -> None:
    known = log()
    latest, earlier = known.view(), known.view(1)

    assert known.view() is latest
    assert known.view("1970-01-01T00:00:00.000003Z") is latest
    assert known.view(1) is earlier
    assert known.view(2) is not earlier
    assert known.view(1) is not earlier
    assert known.view() is latest
