from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import Policy
from salesfunnel.errors import DefinitionError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.model.stage import Stage
from salesfunnel.testing import funnels, logs, opportunities, policies

T = TypeVar("T")

FUNNEL = Funnel(
    ["lead", "demo", "offer", Stage("delivery", post_sale=True), Stage("care", post_sale=True)],
    ["price"],
)
LENIENT = Policy(
    any_start=True, skip=None, back=None, win_early=True, reopen=True, loss_reason="optional"
)
SEARCH = settings(
    max_examples=3000,
    phases=[Phase.generate],
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
SHRINK = settings(SEARCH, max_examples=300, phases=[Phase.generate, Phase.shrink])


def occurs(strategy: st.SearchStrategy[T], condition: Callable[[T], Any]) -> bool:
    """Whether an example meets a condition: if none does, hypothesis raises `NoSuchExample`."""
    example = find(strategy, lambda value: bool(condition(value)), settings=SEARCH)
    return bool(condition(example))


def simplest(strategy: st.SearchStrategy[T], condition: Callable[[T], Any] = lambda _: True) -> T:
    return find(strategy, lambda value: bool(condition(value)), settings=SHRINK)


# Funnels.


@given(funnels())
def test_funnels_come_back_from_json(funnel: Funnel) -> None:
    assert Funnel.from_dict(json.loads(json.dumps(funnel.to_dict()))) == funnel


@given(st.data())
def test_funnels_keep_to_the_limits(data: st.DataObject) -> None:
    low = data.draw(st.integers(1, 6))
    high = data.draw(st.integers(low, 6))
    most = data.draw(st.integers(0, 3))
    funnel = data.draw(
        funnels(min_stages=low, max_stages=high, max_post_sale=most, max_reasons=most)
    )
    assert low <= len(funnel) <= high
    assert len(funnel) - funnel.n_presale <= most
    assert len(funnel.loss_reasons) <= most


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(lambda f: len(f) == 5, id="many stages"),
        pytest.param(lambda f: len(f) - f.n_presale == 2, id="post-sale stages"),
        pytest.param(lambda f: len(f.loss_reasons) == 3, id="loss reasons"),
        pytest.param(lambda f: not f.loss_reasons and f.reasons_closed, id="no reason possible"),
        pytest.param(lambda f: any(stage.required for stage in f), id="required fields"),
        pytest.param(lambda f: any(stage.max_age for stage in f), id="maximum ages"),
        pytest.param(lambda f: any(stage.target_loss is not None for stage in f), id="targets"),
        pytest.param(lambda f: any("zh" in stage.names for stage in f), id="names in Chinese"),
        pytest.param(lambda f: any(not stage.key.isascii() for stage in f), id="wild keys"),
    ],
)
def test_every_kind_of_funnel_occurs(condition: Callable[[Funnel], bool]) -> None:
    assert occurs(funnels(), condition)


def test_the_simplest_funnel_has_one_plain_stage() -> None:
    assert simplest(funnels()) == Funnel(["lead"])


@pytest.mark.parametrize(
    "limits",
    [
        {"min_stages": 0},
        {"min_stages": 3, "max_stages": 2},
        {"max_stages": 251},
        {"max_post_sale": -1},
        {"max_reasons": -1},
    ],
)
def test_limits_that_leave_no_funnel_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(DefinitionError, match="a funnel has 1 to 250 stages"):
        funnels(**limits)


# Policies.


def test_the_simplest_policy_is_the_default() -> None:
    assert simplest(policies()) == Policy()


@pytest.mark.parametrize(
    "changes",
    [
        {"any_start": True},
        {"skip": 1},
        {"skip": None},
        {"back": 2},
        {"back": None},
        {"win_early": True},
        {"reopen": True, "reopen_within": None},
        {"loss_reason": "any"},
        {"loss_reason": "optional"},
        {"required_fields": False},
    ],
    ids=repr,
)
def test_every_rule_varies(changes: dict[str, Any]) -> None:
    assert occurs(
        policies(), lambda p: all(getattr(p, name) == value for name, value in changes.items())
    )
    assert occurs(policies(), lambda p: p.reopen_within is not None)


# Opportunities.


@given(st.data(), funnels(), policies())
def test_the_engine_accepts_every_history(
    data: st.DataObject, funnel: Funnel, policy: Policy
) -> None:
    opportunity = data.draw(opportunities(funnel, policy))
    assert TransitionEngine(funnel, policy).replay(opportunity) == opportunity
    assert opportunity.history


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), funnels(), policies())
def test_a_log_of_accepted_histories_conforms(
    data: st.DataObject, funnel: Funnel, policy: Policy
) -> None:
    drawn = data.draw(
        st.lists(opportunities(funnel, policy), max_size=4, unique_by=lambda one: one.id)
    )
    log = StageLog.from_opportunities(drawn, funnel)
    assert log.n_opportunities == len(drawn)
    assert log.conform(policy).to_dict()["rule"] == []


@given(opportunities(FUNNEL, LENIENT))
def test_opportunities_come_back_from_json(opportunity: Opportunity) -> None:
    plain = json.loads(json.dumps(opportunity.to_dict()))
    assert Opportunity.from_dict(plain) == opportunity


@given(
    st.integers(0, 5).flatmap(
        lambda n: st.tuples(st.just(n), opportunities(FUNNEL, LENIENT, max_changes=n))
    )
)
def test_opportunities_keep_to_the_number_of_changes(drawn: tuple[int, Opportunity]) -> None:
    most, opportunity = drawn
    assert len(opportunity.history) <= 1 + most


@given(opportunities(FUNNEL, currency="EUR"))
def test_opportunities_are_in_the_currency_asked_for(opportunity: Opportunity) -> None:
    assert opportunity.currency == "EUR"


def test_opportunities_have_what_stages_require() -> None:
    own = ["customer", "contact", "owner", "source", "product", "amount", "currency"]
    required = [*own, "id", "created_at", "expected_close", "budget", "tender_number"]
    funnel = Funnel(["lead", Stage("demo", required=required)])

    opportunity = simplest(opportunities(funnel), lambda one: one.stage == "demo")

    assert opportunity.missing(required) == ()


def kinds(opportunity: Opportunity) -> set[str]:
    """The kinds of moves that made a history, the opening left out."""
    engine, moved = TransitionEngine(FUNNEL, LENIENT), Opportunity("O-1")
    found: set[str] = set()
    for change in opportunity.history:
        if moved.history:
            offered = {move.stage: move.kind for move in engine.moves(moved)}
            found.add(offered[change.stage])
        moved = engine.replay(opportunity, opportunity.history[: len(moved.history) + 1])
    return found


@pytest.mark.parametrize("kind", ["advance", "skip", "back", "win", "lose", "reopen"])
def test_every_kind_of_move_occurs(kind: str) -> None:
    assert occurs(opportunities(FUNNEL, LENIENT), lambda one: kind in kinds(one))


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(lambda one: one.status == "churned", id="churn"),
        pytest.param(lambda one: one.history[0].stage == "offer", id="late starts"),
        pytest.param(
            lambda one: one.stage == "lost" and not one.history[-1].reason, id="no reason"
        ),
        pytest.param(lambda one: any(a.at == b.at for a, b in pairwise(one.history)), id="ties"),
        pytest.param(lambda one: any(change.note for change in one.history), id="notes"),
        pytest.param(lambda one: one.amount is not None and one.owner is not None, id="values"),
        pytest.param(
            lambda one: len({change.at.utcoffset() for change in one.history}) > 1,
            id="clocks put forward or back",
        ),
    ],
)
def test_what_is_awkward_occurs_in_opportunities(condition: Callable[[Opportunity], bool]) -> None:
    assert occurs(opportunities(FUNNEL, LENIENT), condition)


def test_time_limits_of_reopening_are_kept_and_used() -> None:
    policy = Policy(reopen=True, reopen_within=timedelta(days=2))
    opportunity = simplest(
        opportunities(FUNNEL, policy),
        lambda one: "lost" in [change.stage for change in one.history[:-1]],
    )
    reopened = next(b.at - a.at for a, b in pairwise(opportunity.history) if a.stage == "lost")
    assert reopened <= timedelta(days=2)


@given(opportunities(Funnel(["lead"])))
def test_nothing_is_lost_where_there_can_be_no_reason(opportunity: Opportunity) -> None:
    assert [change.stage for change in opportunity.history] in (["lead"], ["lead", "won"])


def test_the_simplest_opportunity_is_just_opened() -> None:
    opportunity = simplest(opportunities(FUNNEL, LENIENT))
    assert [change.stage for change in opportunity.history] == ["lead"]
    assert opportunity.owner is None


def test_the_simplest_churn_goes_straight_there() -> None:
    opportunity = simplest(opportunities(FUNNEL), lambda one: one.status == "churned")
    assert [change.stage for change in opportunity.history] == [
        "lead",
        "demo",
        "offer",
        "delivery",
        "lost",
    ]


@pytest.mark.parametrize("given_instead", ["standard", None])
def test_opportunities_need_a_funnel(given_instead: Any) -> None:
    with pytest.raises(DefinitionError, match="needs a Funnel"):
        opportunities(given_instead)


# Logs.


@given(logs())
def test_counts_add_up_for_any_log(log: StageLog) -> None:
    counts, ms = log.stage_counts(), log.milestones()
    presale = log.funnel.n_presale
    status = np.array(ms.status)

    assert counts.entered.tolist() == (counts.advanced + counts.lost + counts.open).tolist()
    assert counts.lost[:presale].sum() == (status == "lost").sum()
    assert counts.open[:presale].sum() == (status == "open").sum()


@given(logs(FUNNEL, max_opportunities=2, max_entries=3, attributes=["region"]))
def test_logs_keep_to_what_was_asked(log: StageLog) -> None:
    assert log.funnel is FUNNEL
    assert log.attributes == ("region",)
    assert log.n_opportunities <= 2
    assert np.bincount(log.entries.opportunity).max(initial=0) <= 3


@given(logs(Funnel(["lead"], ["price"], reasons_closed=True)))
def test_reasons_come_from_the_list_where_it_is_closed(log: StageLog) -> None:
    assert log.reasons is not None
    assert {*log.reasons.names} <= {"price"}


def transition(source: str, target: str) -> Callable[[StageLog], bool]:
    here, there = FUNNEL.index(source), FUNNEL.index(target)
    return lambda log: bool(log.flow(repeats="keep").counts[here, there])


def has_ties(log: StageLog) -> bool:
    opportunity, _, time = log.entries
    return bool(((opportunity[1:] == opportunity[:-1]) & (time[1:] == time[:-1])).any())


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(transition("lead", "demo"), id="advance"),
        pytest.param(transition("lead", "offer"), id="skip"),
        pytest.param(transition("offer", "lead"), id="step back"),
        pytest.param(transition("demo", "demo"), id="repeat"),
        pytest.param(transition("lost", "demo"), id="reopening"),
        pytest.param(transition("won", "offer"), id="undone win"),
        pytest.param(transition("care", "lost"), id="churn"),
        pytest.param(transition("lead", "won"), id="early win without service"),
        pytest.param(transition("lost", "won"), id="won after all"),
        pytest.param(lambda log: len(log.flow().starts.nonzero()[0]) > 2, id="any start"),
        pytest.param(has_ties, id="ties"),
        pytest.param(lambda log: "unheard of" in log.reasons.names, id="unknown reason"),
        pytest.param(lambda log: "reason_missing" in log.conform()["rule"], id="no reason"),
        pytest.param(lambda log: np.isnan(log.view().amount).any(), id="no amount"),
        pytest.param(lambda log: (log.attribute("owner").codes < 0).any(), id="no owner"),
        pytest.param(lambda log: "time_order" in log.conform()["rule"], id="records out of order"),
        pytest.param(lambda log: log.n_opportunities == 4, id="several opportunities"),
        pytest.param(lambda log: str(log.tz) == "Asia/Shanghai", id="another zone"),
    ],
)
def test_what_is_awkward_occurs_in_logs(condition: Callable[[StageLog], Any]) -> None:
    assert occurs(logs(FUNNEL), condition)


def test_the_simplest_log_is_empty() -> None:
    assert len(simplest(logs())) == 0


def test_the_simplest_log_with_churn_is_short() -> None:
    log = simplest(logs(FUNNEL), lambda log: "churned" in log.milestones().status)
    assert len(log) <= 3
    assert log.n_opportunities == 1


def test_logs_need_a_funnel_or_none() -> None:
    with pytest.raises(DefinitionError, match="is a Funnel, not 'standard'"):
        logs("standard")  # type: ignore[arg-type]


# Without hypothesis.


def test_a_missing_hypothesis_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from salesfunnel.errors import MissingExtraError\n"
        "try:\n"
        "    import salesfunnel.testing\n"
        "except MissingExtraError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert "salesfunnel.testing needs an optional dependency" in done.stdout
    assert "pip install 'salesfunnel[testing]'" in done.stdout
