"""Leads as a log, and what is counted from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, amount_of, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel import metrics
from salesfunnel.engine.convert import convert
from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.errors import (
    CurrencyError,
    DataError,
    DefinitionError,
    DuplicateKeyError,
    SalesFunnelError,
    UnknownAttributeError,
)
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.lead import Lead
from salesfunnel.model.opportunity import Opportunity, StageChange
from salesfunnel.scoring import (
    bant,
    lead_conversion,
    lead_conversion_by_cohort,
    lead_funnel,
    lead_log,
    source_quality,
)

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
FUNNEL = Funnel(["demo", "offer"], ["price"])
ENGINE = TransitionEngine(FUNNEL)


def day(n: int) -> datetime:
    return T0 + timedelta(days=n)


def sold() -> tuple[list[Lead], list[Opportunity]]:
    """Five leads: won, lost as a deal, disqualified, converted without a trace, and new."""
    leads, opportunities = [], []
    for name, source in (("A", "web"), ("B", "event")):
        lead = Lead(name, source=source, owner="li.na", received_at=day(0), amount=100)
        lead = lead.work(at=day(1)).qualify(at=day(2), score=70.0, grade="B")
        done = convert(lead, ENGINE, at=day(3), opportunity=f"O-{name}")
        leads.append(done.lead)
        opportunities.append(done.opportunity)
    opportunities[0] = ENGINE.win(ENGINE.advance(opportunities[0], at=day(5)), at=day(9))
    opportunities[1] = ENGINE.lose(opportunities[1], reason="price", at=day(6))
    leads.append(Lead("C", source="web", received_at=day(1)).disqualify("no_need", at=day(4)))
    gone = Lead("D", source="web", received_at=day(1)).qualify(at=day(2), score=90, grade="A")
    leads.append(gone.convert(at=day(7), opportunity="O-D"))
    leads.append(Lead("E", owner="zhao.lei", received_at=day(8)))
    return leads, opportunities


# ── the funnel and the log ────────────────────────────────────────────────────────────────────────


def test_a_funnel_of_leads_begins_with_their_states() -> None:
    funnel = lead_funnel(FUNNEL)

    assert funnel.states == (
        *("lead_new", "lead_working", "lead_qualified", "demo", "offer", "won", "lost"),
    )
    assert funnel["lead_new"].label("zh") == "新线索"
    assert funnel.knows_reason("price")
    assert funnel.knows_reason("no_need")
    assert lead_funnel(Funnel.standard()).n_presale == 3 + Funnel.standard().n_presale
    with pytest.raises(DuplicateKeyError):
        lead_funnel(funnel)
    with pytest.raises(DefinitionError, match="leads come before a Funnel, not 'demo'"):
        lead_funnel("demo")  # type: ignore[arg-type]


def test_each_lead_has_one_history_from_the_day_that_it_came() -> None:
    log = lead_log(*sold(), FUNNEL)

    found = log.milestones()
    status = dict(zip(found.opportunity.tolist(), found.status.tolist(), strict=True))
    assert status == {"A": "won", "B": "lost", "C": "lost", "D": "open", "E": "open"}
    table = metrics.stage_table(log)
    assert table["entered"].tolist() == [5, 3, 3, 3, 1]
    assert table["lost"].tolist() == [1, 0, 0, 1, 0]
    reasons = dict(
        zip(
            metrics.loss_table(log)["reason"].tolist(),
            metrics.loss_table(log)["numerator"].tolist(),
            strict=True,
        )
    )
    assert reasons == {"no_need": 1, "price": 1}


def test_metrics_group_by_the_grade_at_entry() -> None:
    log = lead_log(*sold(), FUNNEL)
    by_grade = lead_conversion(log, by="grade")
    deals = StageLog.from_opportunities(sold()[1], FUNNEL)

    assert by_grade["grade"].tolist() == ["A", "B", None]
    assert by_grade["leads"].tolist() == [1, 2, 2]
    assert by_grade["won"].tolist() == [0, 1, 0]
    of_deals = metrics.win_rate(deals, by="grade")
    assert of_deals["grade"].tolist() == ["B"]
    assert (of_deals["numerator"].tolist(), of_deals["denominator"].tolist()) == ([1], [2])
    assert metrics.stage_table(deals, by="grade")["entered"].tolist() == [2, 1]


def test_from_evidence_to_a_won_deal_and_back_to_its_grade() -> None:
    rubric = bant()
    leads, deals = [], []
    for number, level in enumerate(("approved", "planned", "none")):
        known = {"budget": level, "need": "urgent", "authority": "decision_maker"}
        lead = rubric.judge(Lead(f"L-{number}", received_at=day(0), evidence=known), at=day(1))
        if lead.state == "qualified":
            done = convert(lead, ENGINE, at=day(2))
            lead, deal = done.lead, ENGINE.advance(done.opportunity, at=day(3))
            deals.append(ENGINE.win(deal, at=day(4)) if level == "approved" else deal)
        leads.append(lead)

    found = lead_conversion(lead_log(leads, deals, FUNNEL), by="grade")

    assert [lead.state for lead in leads] == ["converted", "converted", "new"]
    assert [deal.fields["score"] for deal in deals] == [75.0, 65.0]
    assert found["grade"].tolist() == ["B", None]
    check_rate(found, "lead_conversion", [1, 0], [2, 1])


def test_labels_are_the_leads_and_amounts_the_opportunities() -> None:
    lead = Lead("A", owner="li.na", amount=10, currency="CNY", received_at=day(0)).qualify(
        at=day(0)
    )
    deal = Opportunity(
        "A",
        owner="zhao.lei",
        product="crm",
        amount=99,
        currency="USD",
        fields={"size": "big"},
        history=[StageChange("demo", day(2))],
    )

    log = lead_log([lead.convert(at=day(1))], [deal], FUNNEL)

    labels = {name: log.attribute(name).names[0] for name in ("owner", "product", "size")}
    assert labels == {"owner": "li.na", "product": "crm", "size": "big"}
    assert log.currency == "USD"
    assert metrics.summary(log)["open_amount"].tolist() == [99]


def test_a_lead_without_a_day_of_its_own_came_with_its_first_change() -> None:
    lead = Lead("A").work(at=day(4))

    log = lead_log([lead], [], FUNNEL)

    assert log.milestones().entered_at[0, :2].tolist() == [day(4).replace(tzinfo=None)] * 2


def test_a_disqualified_lead_that_is_taken_up_again_is_open() -> None:
    lead = Lead("A", received_at=day(0)).disqualify("timing", at=day(1)).work(at=day(2))

    assert lead_log([lead], [], FUNNEL).milestones().status.tolist() == ["open"]
    assert lead_log([lead], [], FUNNEL).milestones(as_of=day(1)).status.tolist() == ["lost"]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: lead_log(["A"], [], FUNNEL),  # type: ignore[list-item]
            DefinitionError,
            "a log of leads is made of Lead values, not of 'A'",
        ),
        (
            lambda: lead_log([Lead("A", received_at=T0), Lead("B")], [], FUNNEL),
            DataError,
            "leads without a time: 1\n  row 1, received_at: None, expected when the lead came",
        ),
        (lambda: lead_log([Lead("A", received_at=T0)] * 2, [], FUNNEL), DataError, "two opportuni"),
        (
            lambda: lead_log(
                [
                    Lead("A", received_at=T0, amount=1, currency="CNY"),
                    Lead("B", received_at=T0, amount=1, currency="USD"),
                ],
                [],
                FUNNEL,
            ),
            CurrencyError,
            "amounts in CNY, USD",
        ),
    ],
)
def test_what_cannot_be_a_log_is_refused(
    make: Callable[[], object], error: type[SalesFunnelError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        make()

    assert message in str(refusal.value)


# ── lead conversion ───────────────────────────────────────────────────────────────────────────────


@given(oracles(), groupings)
def test_leads_convert_as_the_definitions_say(oracle: Oracle, by: By) -> None:
    table = lead_conversion(log_of(oracle), by=by, as_of=oracle.as_of)

    rows, leads, won, resolved = [], [], [], []
    for labels, part in parts(oracle, by).items():
        found = [part.status(history) for history in part.histories().values()]
        rows.append(named(labels, by))
        leads.append(len(found))
        won.append(found.count("won") + found.count("churned"))
        resolved.append(won[-1] + found.count("lost"))
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    if names:
        assert list(table.select(*names).rows()) == rows
    assert table["leads"].tolist() == leads
    assert table["open"].tolist() == [n - r for n, r in zip(leads, resolved, strict=True)]
    check_rate(table, "lead_conversion", won, leads)
    check_rate(table, "resolved_conversion", won, resolved)


def test_some_leads_alone_may_be_counted() -> None:
    log = lead_log(*sold(), FUNNEL)

    assert lead_conversion(log, where={"source": "web"})["leads"].tolist() == [3]
    assert lead_conversion(log, as_of=day(1))["open"].tolist() == [4]
    with pytest.raises(UnknownAttributeError, match="no attribute 'mood'"):
        lead_conversion(log, by="mood")


def test_cohorts_are_followed_equally_long_and_young_ones_are_not_judged() -> None:
    leads = [
        Lead(f"L-{n}", received_at=day(n * 10), source="web").qualify(at=day(n * 10))
        for n in range(8)
    ]
    deals, done = [], []
    for n, lead in enumerate(leads):
        both = convert(lead, ENGINE, at=day(n * 10))
        done.append(both.lead)
        deal = ENGINE.advance(both.opportunity, at=day(n * 10 + 1))
        # Every second one is won, after 5 days, or after 20 where its number is above 3.
        if n % 2 == 0:
            deal = ENGINE.win(deal, at=day(n * 10 + (20 if n > 3 else 5)))
        deals.append(deal)

    table = lead_conversion_by_cohort(lead_log(done, deals, FUNNEL), "10d", by="source")

    # January has the days 0 to 20, February 30 to 50; March is not over.
    assert table["source"].tolist() == ["web"] * 3
    assert table["period"].tolist() == ["2026-01", "2026-02", "2026-03"]
    assert table["leads"].tolist() == [3, 3, 2]
    assert table["complete"].tolist() == [True, True, False]
    check_rate(table, "lead_conversion", [2, 0, 0], [3, 3, 0])


# ── sources ───────────────────────────────────────────────────────────────────────────────────────


@given(oracles(), st.sampled_from(["owner", "region"]))
def test_amounts_of_sources_are_those_of_their_won_deals(oracle: Oracle, by: str) -> None:
    table = source_quality(log_of(oracle), by=by, as_of=oracle.as_of)

    found = {row[by]: row for row in table.rows()}
    rates = table["resolved_conversion"].tolist()
    known = [rate for rate in rates if not math.isnan(rate)]
    assert known == sorted(known, reverse=True)
    assert rates[: len(known)] == known
    assert len(found) == len(parts(oracle, by))
    for (label,), part in parts(oracle, by).items():
        amounts = [
            amount_of(history)
            for history in part.histories().values()
            if part.status(history) in ("won", "churned")
        ]
        assert found[label]["won_amount"] == pytest.approx(sum(amounts))
        leads = len(part.histories())
        assert found[label]["amount_per_lead"] == pytest.approx(sum(amounts) / leads)


def test_sources_by_hand() -> None:
    log = lead_log(*sold(), FUNNEL)

    table = source_quality(log, costs={"web": 60, "tv": 10, "event": 0})

    assert table["source"].tolist() == ["web", "event", None, "tv"]
    assert table["leads"].tolist() == [3, 1, 1, 0]
    check_rate(table, "lead_conversion", [1, 0, 0, 0], [3, 1, 1, 0])
    check_rate(table, "resolved_conversion", [1, 0, 0, 0], [2, 1, 0, 0])
    nan = math.nan
    for name, expected in {
        "won_amount": [100, 0, 0, 0],
        "amount_per_won": [100, nan, nan, nan],
        "amount_per_lead": [100 / 3, 0, 0, nan],
        "cost": [60, 0, nan, 10],
        "cost_per_lead": [20, 0, nan, nan],
        "cost_per_won": [60, nan, nan, nan],
        "return": [40 / 60, nan, nan, -1],
    }.items():
        np.testing.assert_allclose(table[name], np.array(expected, float))
    free = source_quality(log)
    assert "cost" not in free.columns
    assert free["source"].tolist() == ["web", "event", None]


def test_sources_have_their_names_in_each_language() -> None:
    table = source_quality(lead_log(*sold(), FUNNEL), costs={"web": 60})

    assert "Web site" in table.to_text()
    assert "官网" in table.to_text("zh")
    assert "线索来源质量" in table.to_text("zh")
    assert "Return on cost" in table.to_text()
    assert "官网" in lead_conversion(lead_log(*sold(), FUNNEL), by="source").to_text("zh")


def test_labels_that_mean_one_source_are_told_apart() -> None:
    sources = ["web", "website", "微信"]
    leads = [Lead(source, source=source, received_at=T0) for source in sources]
    table = lead_conversion(lead_log(leads, [], FUNNEL), by="source")

    assert table.texts("source", "zh") == ["web", "website", "社交媒体"]


def test_a_log_without_amounts_shows_none() -> None:
    leads = [Lead("A", source="web", received_at=T0)]

    table = source_quality(lead_log(leads, [], FUNNEL), costs={"web": 5})

    assert "amount" not in table.to_text(notes=False)
    assert table["cost_per_lead"].tolist() == [5]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"by": ["source"]}, DefinitionError, "by= is the attribute that names sources, one of th"),
        ({"by": "mood"}, UnknownAttributeError, "the log has no attribute 'mood'"),
        ({"costs": [5]}, DefinitionError, "costs= maps sources to what they cost, not [5]"),
        (
            {"costs": {"web": -1}},
            DefinitionError,
            "costs= maps sources to what they cost, a number",
        ),
        ({"costs": {"web": "5"}}, DefinitionError, "costs= maps sources to what they cost, a numb"),
        ({"costs": {"web": math.nan}}, DefinitionError, "costs= maps sources to what they cost, a"),
        ({"costs": {None: 1}}, DefinitionError, "costs= maps sources to what they cost, a number "),
    ],
)
def test_what_cannot_be_compared_is_refused(
    arguments: dict[str, Any], error: type[SalesFunnelError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        source_quality(lead_log(*sold(), FUNNEL), **arguments)

    assert str(refusal.value).startswith(message)
