"""Findings: what stands out is said, with its numbers, and what does not is not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from metrics.logs import log_of, oracles
from oracle import Oracle

from salesfunnel.datasets import reference_pipeline
from salesfunnel.errors import DefinitionError, UnknownAttributeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LossReason, Stage
from salesfunnel.review import Finding, findings
from salesfunnel.review.costliest import costs
from salesfunnel.text.catalogue import languages

FUNNEL = Funnel(
    [Stage("lead", "Lead"), Stage("demo", "Demo"), Stage("offer", "Offer")],
    loss_reasons=[LossReason("price", "Price"), LossReason("time", "Timing")],
)
DAY = 86_400_000_000
Deal = tuple[str, str | None, str | None, int]
"""The states that it passes, a letter each; why it was lost; its owner; its first day."""
STATES = {"l": "lead", "d": "demo", "o": "offer", "w": "won", "x": "lost"}


def log_with(deals: Sequence[tuple[int, Deal]], amount: float | None = None) -> StageLog:
    """Return a log of so many deals of each kind."""
    rows = []
    for number, (count, (path, reason, owner, day)) in enumerate(deals):
        for copy in range(count):
            for step, letter in enumerate(path):
                why = reason if letter == "x" else None
                time = (day + step) * DAY
                rows.append((f"{number}-{copy}", STATES[letter], time, why, owner))
    ids, states, times, reasons, owners = zip(*rows, strict=True)
    return StageLog.from_columns(
        FUNNEL,
        opportunity=list(ids),
        stage=list(states),
        entered_at=np.array(times, np.int64),
        reason=list(reasons),
        attributes={"owner": list(owners)},
        amount=None if amount is None else [amount] * len(rows),
        currency=None if amount is None else "CNY",
    )


def of_kind(found: Sequence[Finding], kind: str) -> Finding:
    (finding,) = [finding for finding in found if finding.kind == kind]
    return finding


def kinds(found: Sequence[Finding]) -> set[str]:
    return {finding.kind for finding in found}


# 200 came, 100 were lost at once: of those that go on, half are won.
COSTLY = [
    (60, ("lx", "price", "li", 0)),
    (20, ("lx", "time", "li", 0)),
    (20, ("lx", None, "li", 0)),
    (40, ("ldx", "time", "li", 0)),
    (10, ("ldox", "time", "li", 0)),
    (50, ("ldow", None, "li", 0)),
]


# ── the stage that costs most ─────────────────────────────────────────────────────────────────────


def test_the_stage_whose_losses_cost_most_is_said_with_its_evidence() -> None:
    finding = of_kind(findings(log_with(COSTLY, amount=100.0)), "stage")

    assert finding.at_stake == pytest.approx(100 * 60 / 100 * 50 / 60)
    claim, evidence, uncertainty = (
        part.text("en") for part in (finding.claim, finding.evidence, finding.uncertainty)
    )
    assert claim == "The losses at Lead cost more sales than those at any other stage: about 50."
    assert evidence == (
        "100 opportunities were lost there, 50.0% (43.1–56.9) of those that left the stage, worth "
        "CN¥10,000; of those that go on, 50.0% are won in the end."
    )
    assert uncertainty.startswith("The sales are between ")
    assert finding.text() == f"{claim} {evidence} {uncertainty}" == str(finding)
    assert finding.table["lost"].tolist() == [100, 40, 10]
    assert finding.table["sales"].tolist() == pytest.approx([50, 40 * 50 / 60, 10])
    assert finding.table["low"][0] < 50 < finding.table["high"][0]


def test_chinese_reads_as_chinese() -> None:
    finding = of_kind(findings(log_with(COSTLY)), "stage")

    assert finding.text("zh-CN").startswith(
        "“Lead”阶段的流失代价最大：约损失 50 单成交。"
        "该阶段流失 100 个商机，占离开该阶段商机的 50.0% (43.1–56.9)；"
        "能推进下去的商机，最终有 50.0% 赢单。"
    )


def test_where_two_stages_cost_alike_none_is_named() -> None:
    deals = [
        (40, ("lx", "price", "li", 0)),
        (20, ("ldx", "price", "li", 0)),
        (20, ("ldow", None, "li", 0)),
    ]

    assert "stage" not in kinds(findings(log_with(deals)))


@pytest.mark.parametrize(
    "deals",
    [
        [(50, ("lx", "price", "li", 0)), (4, ("ldow", None, "li", 0))],  # four sales say nothing
        [(4, ("lx", "price", "li", 0)), (50, ("ldow", None, "li", 0))],  # nor do four losses
        [(50, ("ld", None, "li", 0))],  # all are open
    ],
)
def test_few_outcomes_support_no_stage(deals: list[tuple[int, Deal]]) -> None:
    assert "stage" not in kinds(findings(log_with(deals)))


def test_in_a_funnel_of_one_stage_none_costs_most() -> None:
    ids = [f"O-{n}" for n in range(60)] * 2
    states = ["lead"] * 60 + ["won"] * 20 + ["lost"] * 40
    times = np.arange(120, dtype=np.int64)
    log = StageLog.from_columns(Funnel(["lead"]), opportunity=ids, stage=states, entered_at=times)

    assert findings(log) == ()


@settings(max_examples=60)
@given(oracles())
def test_costs_are_those_of_the_stage_table(oracle: Oracle) -> None:
    log = log_of(oracle)
    view = log.view(oracle.as_of)
    found = costs(view)

    counts = log.stage_counts("reached", as_of=oracle.as_of)
    n = oracle.n_presale
    advanced, lost = counts.advanced[:n].tolist(), counts.lost[:n].tolist()
    assert (found.advanced.tolist(), found.lost.tolist()) == (advanced, lost)
    for k in range(n):
        chance = 1.0
        for on, out in zip(advanced[k + 1 :], lost[k + 1 :], strict=True):
            chance *= on / (on + out) if on + out else 0.0
        assert found.chance[k] == pytest.approx(chance)
        assert found.sales[k] == pytest.approx(lost[k] * chance)
    assert ((found.low <= found.high) & (found.first >= 0)).all()
    assert found.first.sum() <= 1 + 1e-12


# ── the reason behind it ──────────────────────────────────────────────────────────────────────────


def test_the_reason_behind_the_costliest_stage_is_said() -> None:
    finding = of_kind(findings(log_with(COSTLY)), "reason")

    assert finding.claim.text("en") == (
        "The most frequent loss reason at Lead is “Price”: 75.0% (64.5–83.2)."
    )
    assert finding.evidence.text("en") == (
        "It was given for 60 of 80 losses with a known reason, next comes “Timing” with 20; at the "
        "other stages its share is 0.0%."
    )
    assert "no reason is known of 20 losses" in finding.uncertainty.text("en")
    assert finding.at_stake == pytest.approx(50 * 60 / 100)
    assert finding.table["numerator"].tolist() == [60, 20]
    assert finding.table["denominator"].tolist() == [80, 80]


def test_without_a_costliest_stage_the_reason_is_that_of_all_losses() -> None:
    deals = [
        (40, ("lx", "price", "li", 0)),
        (20, ("ldx", "price", "li", 0)),
        (8, ("ldx", "time", "li", 0)),
        (24, ("ldow", None, "li", 0)),
    ]
    finding = of_kind(findings(log_with(deals)), "reason")

    assert finding.claim.text("en").startswith("The most frequent loss reason is “Price”: 88.2%")
    assert finding.evidence.text("en") == (
        "It was given for 60 of 68 losses with a known reason; next comes “Timing” with 8."
    )
    assert finding.uncertainty.text("en") == "Its lead over the next reason is beyond chance (95%)."


@pytest.mark.parametrize(
    ("price", "time", "unknown"),
    [
        (30, 25, 0),  # the next reason is as frequent
        (40, 10, 60),  # most losses have no reason
        (4, 0, 0),  # too few
        (40, 0, 0),  # no other to compare with
        (0, 0, 40),  # none at all
    ],
)
def test_no_reason_is_named_that_does_not_lead(price: int, time: int, unknown: int) -> None:
    deals: list[tuple[int, Deal]] = [
        (price, ("lx", "price", "li", 0)),
        (time, ("lx", "time", "li", 0)),
        (unknown, ("lx", None, "li", 0)),
        (20, ("ldow", None, "li", 0)),
    ]
    log = log_with([deal for deal in deals if deal[0]])

    assert "reason" not in kinds(findings(log))


# ── who or what differs ───────────────────────────────────────────────────────────────────────────


def differing_deals(won: int) -> list[tuple[int, Deal]]:
    return [
        (won, ("ldow", None, "li", 0)),
        (100 - won, ("ldox", None, "li", 0)),
        (30, ("ldow", None, "wang", 0)),
        (70, ("ldox", None, "wang", 0)),
        (30, ("ldow", None, "zhao", 0)),
        (70, ("ldox", None, "zhao", 0)),
        (90, ("ldow", None, None, 0)),  # whose they were is not known
    ]


@pytest.mark.parametrize(("won", "way", "sales"), [(70, "more", "40"), (8, "less", "22")])
def test_the_group_that_differs_is_said(won: int, way: str, sales: str) -> None:
    finding = of_kind(findings(log_with(differing_deals(won)), by="owner"), "difference")

    assert finding.claim.text("en") == (
        f"Owner: li wins {way} often than the others, {won}.0% against 30.0%."
    )
    comparative = "more" if way == "more" else "fewer"
    assert finding.evidence.text("en") == (
        f"{won} of 100 closed opportunities were won, of the others 60 of 200: "
        f"about {sales} sales {comparative} than at their rate."
    )
    assert "allowing for 3 comparisons" in finding.uncertainty.text("en")
    assert finding.at_stake == pytest.approx(float(sales))
    assert finding.table["owner"].tolist() == ["li", "wang", "zhao"]
    row = 0
    assert (finding.table["difference_low"][row] > 0) == (way == "more")


def test_a_group_that_does_not_differ_beyond_chance_is_not_named() -> None:
    # Alone 38% against 30% might pass at 80%, not among three.
    assert "difference" not in kinds(findings(log_with(differing_deals(38)), by="owner"))


def test_groups_too_small_to_be_compared_are_not() -> None:
    deals = [(6, ("ldow", None, "li", 0)), (300, ("ldox", None, "wang", 0))]

    assert "difference" not in kinds(findings(log_with(deals)))


def test_what_follows_how_a_deal_goes_is_compared_only_if_asked_for() -> None:
    n = 80
    log = StageLog.from_columns(
        FUNNEL,
        opportunity=[str(k) for k in range(n)] * 2,
        stage=["lead"] * n + ["won"] * 40 + ["lost"] * 40,
        entered_at=np.repeat([0, DAY], n),
        attributes={"forecast_category": (["Closed"] * 40 + ["Omitted"] * 40) * 2},
    )

    assert "difference" not in kinds(findings(log))
    finding = of_kind(findings(log, by=["forecast_category"]), "difference")
    assert "Closed wins more often" in finding.text() or "Omitted wins less" in finding.text()


# ── what changed ──────────────────────────────────────────────────────────────────────────────────


def months(*counts: tuple[int, int]) -> StageLog:
    """Return a log with deals won and lost in each 30 days, created the day before."""
    deals = []
    for month, (won, lost) in enumerate(counts):
        day = month * 91 + 5
        deals += [(won, ("lw", None, "li", day)), (lost, ("lx", None, "li", day))]
    return log_with([deal for deal in deals if deal[0]])


def test_a_win_rate_that_fell_is_said() -> None:
    finding = of_kind(findings(months((50, 50), (50, 50), (20, 80), (1, 1))), "change")

    assert finding.claim.text("en") == (
        "The win rate fell from 50.0% in 1970Q2 to 20.0% in 1970Q3."
    )
    assert finding.evidence.text("en") == (
        "20 of 100 closed opportunities were won, 50 of 100 in the period before: "
        "a difference of about 30 sales."
    )
    assert finding.claim.text("zh") == "赢单率由 1970Q2 的 50.0% 降至 1970Q3 的 20.0%。"
    assert finding.table["won"].tolist() == [50, 20]


def test_more_new_opportunities_are_said_by_the_day() -> None:
    finding = of_kind(findings(months((50, 50), (50, 50), (100, 100), (1, 1))), "change")

    # The second quarter of 1970 had 91 days, the third 92.
    assert finding.claim.text("en") == (
        "In 1970Q3, 97.8% more opportunities were created a day than in the period before."
    )
    assert finding.evidence.text("en") == "200 were created, 100 in 1970Q2."
    assert finding.at_stake == pytest.approx((200 - 100 * 92 / 91) / 2)


def test_the_first_period_and_the_last_are_not_compared() -> None:
    assert "change" not in kinds(findings(months((90, 10), (30, 70), (30, 70), (70, 30))))


def test_shorter_periods_are_taken_for_shorter_histories() -> None:
    deals: list[tuple[int, Deal]] = []
    for month, won in enumerate((50, 50, 10, 1)):
        day = month * 31 + 2
        deals += [(won, ("lw", None, "li", day)), (60 - won, ("lx", None, "li", day))]
    finding = of_kind(findings(log_with(deals)), "change")

    assert "fell from 83.3% in 1970-02 to 16.7% in 1970-03" in finding.text()


# ── all of them ───────────────────────────────────────────────────────────────────────────────────


def test_the_findings_come_in_the_order_of_what_is_at_stake() -> None:
    log = log_with([*COSTLY, (40, ("ldow", None, "wang", 0))])
    found = findings(log, most=10)

    assert len(found) >= 3
    assert all(a.at_stake >= b.at_stake for a, b in pairwise(found))
    assert [f.kind for f in findings(log)] == [f.kind for f in found[:3]]
    assert findings(log, most=0) == ()


def test_chance_alone_makes_few_findings() -> None:
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(40):
        n = 400
        outcome = rng.choice(["won", "lost"], n)
        log = StageLog.from_columns(
            Funnel(["lead"]),
            opportunity=[*range(n)] * 2,
            stage=["lead"] * n + outcome.tolist(),
            entered_at=np.tile(rng.integers(0, 360, n) * DAY, 2) + np.repeat([0, 1], n),
            reason=[None] * n + rng.choice(["a", "b", "c"], n).tolist(),
            attributes={
                name: np.tile(rng.choice([*"abcde"], n), 2).tolist() for name in ("owner", "source")
            },
        )
        found += bool(findings(log))
    # Each of the three kinds is wrong in one of twenty at most, by its level.
    assert found <= 8


def test_what_is_asked_for_is_what_is_looked_at() -> None:
    log = reference_pipeline()
    owner = log.attribute("owner").names[0]
    everything = of_kind(findings(log), "stage")
    some = costs(log.view(None, {"owner": owner}))

    assert some.lost.sum() < everything.table["lost"].sum()
    early = log.as_of
    assert early is not None
    assert findings(log, as_of="1999-01-01") == ()


def test_a_log_without_entries_has_none() -> None:
    log = StageLog.from_columns(FUNNEL, opportunity=[], stage=[], entered_at=[])

    assert findings(log) == ()


def test_names_that_would_be_markup_are_text() -> None:
    deals = [(n, (path, why, "\x1b[31m\u202e<b>", day)) for n, (path, why, _, day) in COSTLY]
    deals.append((90, ("ldow", None, "wang", 0)))
    found = findings(log_with(deals))

    for finding in found:
        for lang in languages():
            assert "\x1b" not in finding.text(lang)
            assert "\u202e" not in finding.text(lang)
            assert "<b>" not in finding.table.to_html(lang)


@pytest.mark.parametrize("most", [-1, 1.5, True, "3"])
def test_a_number_of_findings_that_is_none_is_refused(most: object) -> None:
    with pytest.raises(DefinitionError, match="most= is a number of findings, not"):
        findings(reference_pipeline(), most=most)  # type: ignore[arg-type]  # what is tested


def test_an_unknown_attribute_is_refused() -> None:
    with pytest.raises(UnknownAttributeError, match="nobody"):
        findings(reference_pipeline(), by="nobody")
    with pytest.raises(DefinitionError, match="by= is the name"):
        findings(reference_pipeline(), by=[])
