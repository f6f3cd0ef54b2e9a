"""From a log to what can be learnt: what was known at first, and what became of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from salesfunnel.datasets import make_pipeline
from salesfunnel.errors import DefinitionError, FeatureError, OutcomeError, UnknownAttributeError
from salesfunnel.log.labels import Labels
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage
from salesfunnel.scoring import LeadHistory, lead_history

FUNNEL = Funnel(["lead", "demo", Stage("service", post_sale=True)])
ROWS = [
    # won, with an owner and an amount that changed on the way
    ("A", "lead", "2026-01-01", "li.na", 100),
    ("A", "demo", "2026-01-05", "zhao.lei", 900),
    ("A", "service", "2026-01-09", "zhao.lei", 900),
    ("A", "won", "2026-03-01", "zhao.lei", 900),
    # lost, reopened, lost for good; the owner was not known at first
    ("B", "lead", "2026-01-02", None, None),
    ("B", "lost", "2026-01-04", "li.na", 50),
    ("B", "lead", "2026-01-06", "li.na", 50),
    ("B", "lost", "2026-01-08", "li.na", 50),
    # churned after the sale: won all the same
    ("C", "demo", "2026-01-03", "li.na", 70),
    ("C", "service", "2026-01-07", "li.na", 70),
    ("C", "lost", "2026-02-01", "li.na", 70),
    # open; the same stage again, by another owner
    ("D", "lead", "2026-01-10", "li.na", 30),
    ("D", "lead", "2026-01-20", "zhao.lei", 40),
]


def log_of(rows: list[tuple[Any, ...]]) -> StageLog:
    ids, stages, times, owners, amounts = zip(*rows, strict=True) if rows else ((),) * 5
    return StageLog.from_columns(
        FUNNEL,
        opportunity=list(ids),
        stage=list(stages),
        entered_at=list(times),
        attributes={"owner": list(owners)},
        amount=list(amounts),
        tz="Asia/Shanghai",
    )


@pytest.fixture(scope="module")
def log() -> StageLog:
    return log_of(ROWS)


def owners(history: LeadHistory) -> list[str | None]:
    column = history.features.column("owner")
    assert isinstance(column, Labels)
    return [(*column.names, None)[code] for code in column.codes]


def days(times: Any) -> list[str | None]:
    local = times + np.timedelta64(8, "h")
    return [None if np.isnat(time) else str(time.astype("datetime64[D]")) for time in local]


def test_features_are_what_was_known_at_the_first_entry(log: StageLog) -> None:
    history = lead_history(log, amount=True, which="all")

    assert history.opportunity.tolist() == ["A", "B", "C", "D"]
    assert owners(history) == ["li.na", None, "li.na", "li.na"]
    np.testing.assert_array_equal(history.features.column("amount"), [100, math.nan, 70, 30])
    assert history.features.names == ("owner", "amount")


def test_outcomes_are_those_that_stand(log: StageLog) -> None:
    history = lead_history(log, which="all")

    assert history.won.tolist() == [True, False, True, False]
    assert days(history.scored_at) == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-10"]
    assert days(history.decided_at) == ["2026-01-09", "2026-01-08", "2026-01-07", None]


def test_the_decided_are_learnt_from_and_the_open_scored(log: StageLog) -> None:
    assert lead_history(log).opportunity.tolist() == ["A", "B", "C"]
    assert lead_history(log, which="open").opportunity.tolist() == ["D"]
    assert len(lead_history(log)[[True, False, True]]) == 2


def test_as_of_an_instant_later_outcomes_do_not_exist(log: StageLog) -> None:
    history = lead_history(log, which="all", as_of="2026-01-07")

    assert history.opportunity.tolist() == ["A", "B", "C"]
    assert history.won.tolist() == [False, False, True]
    assert days(history.decided_at) == [None, None, "2026-01-07"]


def test_where_selects_by_the_last_known_labels(log: StageLog) -> None:
    history = lead_history(log, which="all", where={"owner": "zhao.lei"})

    assert history.opportunity.tolist() == ["A", "D"]
    assert owners(history) == ["li.na", "li.na"]


def test_a_split_is_read_in_the_zone_of_the_log(log: StageLog) -> None:
    history = lead_history(log, which="all")

    split = history.split("2026-01-08", straddling="test")

    assert split.train.tolist() == [False, True, True, False]
    assert split.test.tolist() == [True, False, False, False]
    assert split.undecided.tolist() == [False, False, False, True]
    assert split.at.isoformat() == "2026-01-08T23:59:59.999999+08:00"
    with pytest.raises(OutcomeError, match="leaves nothing to try on"):
        history.split("2026-01-08")
    with pytest.raises(DefinitionError, match="does not lie after"):
        history.split("2026-01-08", until="2026-01-02")


def test_an_empty_log_has_no_leads() -> None:
    for which in ("decided", "open", "all"):
        assert len(lead_history(log_of([]), amount=True, which=which)) == 0


def test_a_pipeline_is_taken_whole() -> None:
    log = make_pipeline(300, seed=2)
    history = lead_history(log, which="all")

    status = log.milestones().status
    assert len(history) == 300
    assert (history.won == np.isin(status, ["won", "churned"])).all()
    assert (np.isnat(history.decided_at) == (status == "open")).all()
    assert (history.scored_at <= history.decided_at)[status != "open"].all()
    assert history.features.names == ("owner", "source", "product", "region")
    assert log.attributes == (*history.features.names, "expected_close")
    assert lead_history(log, ["expected_close"]).features.names == ("expected_close",)


def test_bad_arguments_are_refused(log: StageLog) -> None:
    with pytest.raises(DefinitionError, match="which= is one of decided, open, all, not 'won'"):
        lead_history(log, which="won")
    with pytest.raises(UnknownAttributeError, match="no attribute 'product'"):
        lead_history(log, ["product"])
    with pytest.raises(FeatureError, match="the log has no attributes; amount=True would make"):
        lead_history(log, [])
    with pytest.raises(DefinitionError, match="an attribute is called 'amount' as well"):
        lead_history(
            StageLog.from_columns(
                FUNNEL,
                opportunity=["A"],
                stage=["lead"],
                entered_at=["2026-01-01"],
                attributes={"amount": ["1"]},
                tz="UTC",
            ),
            amount=True,
        )


def test_without_amounts_none_is_known() -> None:
    log = StageLog.from_columns(
        FUNNEL, opportunity=["A"], stage=["won"], entered_at=["2026-01-01"], tz="UTC"
    )

    history = lead_history(log, amount=True)

    np.testing.assert_array_equal(history.features.column("amount"), [math.nan])
