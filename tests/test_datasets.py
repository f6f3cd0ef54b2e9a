from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel import metrics
from salesfunnel.datasets import (
    OWNER_SKILL,
    PRODUCTS,
    SOURCE_QUALITY,
    make_pipeline,
    reference_pipeline,
    sample_csv,
)
from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Labels
from salesfunnel.log.read import read_csv
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.presets import PRESETS
from salesfunnel.model.stage import Stage
from salesfunnel.testing import funnels

SHANGHAI = timedelta(hours=8)


@pytest.fixture(scope="module")
def reference() -> StageLog:
    return reference_pipeline()


@pytest.fixture(scope="module")
def pipeline() -> StageLog:
    return make_pipeline(5000)


@pytest.fixture(scope="module")
def large() -> StageLog:
    return make_pipeline(20_000, seed=7)


def fingerprint(log: StageLog) -> str:
    """A hash of everything that a generated log holds."""
    assert log.reasons is not None
    labels = [log.reasons, *(log.attribute(name) for name in log.attributes)]
    digest = hashlib.sha256()
    for column in (*log.entries, log.amounts, *(label.codes for label in labels)):
        assert column is not None
        digest.update(column.tobytes())
    digest.update(repr([log.opportunities.tolist(), [label.names for label in labels]]).encode())
    return digest.hexdigest()


def texts(labels: Labels | None) -> NDArray[Any]:
    """The labels of a log's entries, None where there is none."""
    assert labels is not None
    return np.asarray(np.array([*labels.names, None], object)[labels.codes])


def in_shanghai(log: StageLog) -> NDArray[np.datetime64]:
    """The entries' times as clocks show them there."""
    clock = log.entries.time + SHANGHAI // timedelta(microseconds=1)
    return clock.view("datetime64[us]")


def is_working_time(times: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    days = times.astype("datetime64[D]")
    hours = (times - days) / np.timedelta64(1, "h")
    working: NDArray[np.bool_] = np.is_busday(days) & (hours >= 9) & (hours < 18)
    return working


# The reference table.


@pytest.mark.parametrize("mode", ["reached", "actual", "strict"])
def test_the_reference_table_is_exact_in_every_mode(reference: StageLog, mode: str) -> None:
    counts = reference.stage_counts(mode)

    assert counts.entered.tolist() == [1000, 300, 120, 60, 36, 25, 20]
    assert counts.advanced.tolist() == [300, 120, 60, 36, 25, 20, 18]
    assert counts.lost.tolist() == [100, 45, 24, 9, 4, 1, 0]
    assert counts.open.tolist() == [600, 135, 36, 15, 7, 4, 2]
    assert counts.churned.tolist() == [0] * 7


def test_the_reference_table_has_the_statuses_of_the_design(reference: StageLog) -> None:
    status = Counter(reference.milestones().status.tolist())
    assert status == {"open": 797, "lost": 183, "won": 20}


def test_the_reference_pipeline_breaks_no_rule(reference: StageLog) -> None:
    assert reference.conform().to_dict()["rule"] == []


def test_reference_losses_have_reasons_that_differ_by_stage(reference: StageLog) -> None:
    is_loss = reference.entries.state == reference.funnel.lost
    reasons = texts(reference.reasons)
    from_first = reference.entries.state[np.flatnonzero(is_loss) - 1] == 0

    assert is_loss.sum() == 183
    assert all(map(reference.funnel.knows_reason, reasons[is_loss]))
    assert set(reasons[~is_loss]) == {None}
    assert "invalid_contact" in reasons[is_loss][from_first]
    assert "invalid_contact" not in reasons[is_loss][~from_first]


def test_reference_entries_happen_in_working_hours_of_2025(reference: StageLog) -> None:
    times = in_shanghai(reference)
    spring_festival = (times >= np.datetime64("2025-01-28")) & (times < np.datetime64("2025-02-05"))

    assert is_working_time(times).all()
    assert set(times.astype("datetime64[Y]").astype(str)) == {"2025"}
    assert not spring_festival.any()
    assert str(reference.tz) == "Asia/Shanghai"


def test_the_reference_pipeline_is_the_same_every_time(reference: StageLog) -> None:
    assert fingerprint(reference_pipeline()) == fingerprint(reference)


# Realistic pipelines: what is promised of the arguments.


def test_the_same_seed_gives_the_same_log(pipeline: StageLog) -> None:
    assert fingerprint(make_pipeline(5000)) == fingerprint(pipeline)


def test_other_seeds_give_other_logs() -> None:
    assert len({fingerprint(make_pipeline(50, seed=seed)) for seed in range(20)}) == 20


@pytest.mark.parametrize("n", [0, 1, 2, 999])
def test_there_are_as_many_opportunities_as_asked_for(n: int) -> None:
    log = make_pipeline(n)
    assert log.n_opportunities == n
    assert len(set(log.opportunities)) == n


def test_no_opportunities_make_an_empty_log() -> None:
    log = make_pipeline(0)
    assert len(log) == 0
    assert log.as_of is None
    assert log.attributes == ("owner", "source", "product", "region", "expected_close")
    assert log.stage_counts().entered.tolist() == [0] * 7


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"n": -1}, r"n= is a number of opportunities, 0 or more, not -1"),
        ({"n": 2.5}, r"n= is a number of opportunities, 0 or more, not 2\.5"),
        ({"n": True}, r"n= is a number of opportunities"),
        ({"seed": -1}, r"seed= is an integer, 0 or more, not -1"),
        ({"seed": None}, r"seed= is an integer, 0 or more, not None"),
        ({"funnel": "standard"}, r"funnel= is a Funnel, not 'standard'"),
        ({"start": "2024-01-01"}, r"start= is a date, not '2024-01-01'"),
        ({"months": 0}, r"months= is a number of months, 1 or more, not 0"),
        ({"months": 1.5}, r"months= is a number of months, 1 or more, not 1\.5"),
        ({"start": date(9999, 6, 1)}, r"start=9999-06-01 and months=24 lead beyond the year 9999"),
        ({"months": 10**9}, r"lead beyond the year 9999"),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        make_pipeline(**arguments)


def test_everything_happens_in_working_hours_of_the_window() -> None:
    times = in_shanghai(make_pipeline(500, start=date(2026, 2, 7), months=3))

    assert is_working_time(times).all()
    assert times.min() >= np.datetime64("2026-02-09")  # the 7th is a Saturday
    assert times.max() < np.datetime64("2026-05-07")


def test_no_two_entries_of_an_opportunity_are_simultaneous(pipeline: StageLog) -> None:
    opportunity, _, time = pipeline.entries
    same = opportunity[1:] == opportunity[:-1]
    assert (time[1:] > time[:-1])[same].all()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_wins_losses_and_reasons(name: str) -> None:
    funnel = Funnel.preset(name)
    log = make_pipeline(2000, funnel=funnel)
    counts = log.stage_counts()

    assert counts.advanced[funnel.n_presale - 1] > 200
    assert counts.lost[: funnel.n_presale].sum() > 200
    assert {*texts(log.reasons)} - {None} <= {reason.key for reason in funnel.loss_reasons}


@settings(max_examples=30)
@given(funnels(max_stages=8), st.integers(0, 30), st.integers(0, 2**64))
def test_any_funnel_will_do(funnel: Funnel, n: int, seed: int) -> None:
    log = make_pipeline(n, funnel=funnel, seed=seed)
    counts = log.stage_counts()

    assert log.funnel == funnel
    assert counts.entered.tolist() == (counts.advanced + counts.lost + counts.open).tolist()
    assert counts.entered[0] == n


def test_stages_of_any_age_and_number_will_do() -> None:
    funnel = Funnel(
        [
            Stage("quick", max_age="1s"),
            Stage("endless", max_age=timedelta.max, target_conversion=0, target_loss=1),
            *(f"stage-{number}" for number in range(248)),
        ]
    )
    log = make_pipeline(300, funnel=funnel)

    counts = log.stage_counts()
    assert counts.entered[1] > 0  # nobody is long in the first stage
    assert counts.open[1] == counts.entered[1] - counts.advanced[1] > 0  # nor leaves the second
    assert {*texts(log.reasons)} == {None}


def test_the_log_is_what_its_columns_would_make(pipeline: StageLog) -> None:
    opportunity, state, time = pipeline.entries
    shuffled = np.random.default_rng(1).permutation(len(pipeline))
    again = StageLog.from_columns(
        pipeline.funnel,
        opportunity=pipeline.opportunities[opportunity][shuffled],
        stage=state[shuffled],
        entered_at=time[shuffled],
        reason=texts(pipeline.reasons)[shuffled],
        attributes={
            name: texts(pipeline.attribute(name))[shuffled] for name in pipeline.attributes
        },
        amount=pipeline.amounts[shuffled] if pipeline.amounts is not None else None,
        currency="CNY",
        tz="Asia/Shanghai",
    )

    assert again.currency == pipeline.currency
    assert again.tz == pipeline.tz
    tables: list[Callable[[StageLog], Any]] = [
        lambda log: metrics.stage_table(log, by=["owner", "region"]),
        lambda log: metrics.win_rate(log, by="source"),
        lambda log: metrics.win_rate(log, by="product", weight="amount"),
        metrics.loss_table,
    ]
    for table in tables:
        assert str(table(again)) == str(table(pipeline))


# Realistic pipelines: what real data has.


def test_everything_awkward_occurs(pipeline: StageLog) -> None:
    funnel, flow = pipeline.funnel, pipeline.flow(repeats="keep")
    presale, service, won, lost = funnel.n_presale, len(funnel) - 1, funnel.won, funnel.lost
    counts = flow.counts
    before_sale = counts[:presale, :presale]

    assert flow.starts[1] > 0  # starts at the second stage
    assert np.diag(before_sale).sum() > 0  # repeats
    assert np.triu(before_sale, 2).sum() > 0  # skips
    assert np.tril(before_sale, -1).sum() > 0  # step-backs
    assert counts[: presale - 1, presale:lost].sum() > 0  # early wins
    assert counts[:presale, won].sum() > 0  # wins without service
    assert counts[lost, :presale].sum() > 0  # reopenings
    assert counts[presale:lost, :presale].sum() > 0  # wins undone
    assert counts[service, lost] > 0  # churn
    assert counts[won, lost] > 0  # churn after completion
    assert flow.ends[:presale].min() > 0  # open ones at every stage before the sale
    assert counts[lost, lost] == 0
    assert counts[lost, presale:].sum() == 0


def test_awkward_things_are_rare(pipeline: StageLog) -> None:
    breaches = len(pipeline.conform())
    assert 0 < breaches < 0.1 * len(pipeline)


def test_some_losses_have_no_reason_and_only_losses_have_one(pipeline: StageLog) -> None:
    is_loss = pipeline.entries.state == pipeline.funnel.lost
    has_reason = texts(pipeline.reasons) != None  # noqa: E711 – elementwise
    assert not has_reason[~is_loss].any()
    assert 0.9 < has_reason[is_loss].mean() < 1


def test_reopening_brings_another_owner_at_times(pipeline: StageLog) -> None:
    opportunity, state, _ = pipeline.entries
    owner = pipeline.attribute("owner").codes
    changes = (owner[1:] != owner[:-1]) & (opportunity[1:] == opportunity[:-1])
    assert changes.any()
    assert (state[:-1][changes] == pipeline.funnel.lost).all()


def test_amounts_belong_to_the_product_and_change_with_repeats(pipeline: StageLog) -> None:
    opportunity, state, _ = pipeline.entries
    amount, product = pipeline.amounts, texts(pipeline.attribute("product"))
    assert amount is not None
    for name, (median, _) in PRODUCTS.items():
        assert np.nanmedian(amount[product == name]) == pytest.approx(median, rel=0.1)

    first = np.flatnonzero(np.diff(opportunity, prepend=-1))
    assert np.isnan(amount[first]).mean() == pytest.approx(0.25, abs=0.03)
    assert not np.isnan(np.delete(amount, first)).any()
    repeated = (opportunity[1:] == opportunity[:-1]) & (state[1:] == state[:-1])
    changed = (amount[1:] != amount[:-1]) & (opportunity[1:] == opportunity[:-1])
    assert (changed <= (repeated | np.isnan(amount[:-1]))).all()
    assert (changed & repeated).sum() > 0.9 * repeated.sum()


def test_more_opportunities_come_up_in_spring_and_every_year() -> None:
    log = make_pipeline(20_000, start=date(2023, 1, 1), months=36)
    first = np.flatnonzero(np.diff(log.entries.opportunity, prepend=-1))
    months = in_shanghai(log)[first].astype("datetime64[M]").astype(int)

    by_year = np.bincount((months - months.min()) // 12)
    assert (by_year[1:] > by_year[:-1]).all()
    by_month = np.bincount(months % 12)
    assert by_month[2] > 1.5 * by_month[1]


def days_to_close(log: StageLog) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The entries at which a day is expected, and how many days later that is."""
    expected = texts(log.attribute("expected_close"))
    known = np.flatnonzero(expected != None)  # noqa: E711 – elementwise
    day = expected[known].astype("datetime64[D]")
    assert np.is_busday(day).all()
    return known, (day - in_shanghai(log)[known].astype("datetime64[D]")).astype(int)


def test_a_close_is_expected_before_the_sale_and_later_than_today(pipeline: StageLog) -> None:
    opportunity, state, _ = pipeline.entries
    known, ahead = days_to_close(pipeline)

    is_presale = state < pipeline.funnel.n_presale
    first = np.diff(opportunity, prepend=-1) != 0
    assert set(known) >= set(np.flatnonzero(is_presale & ~first))
    assert not set(known) & set(np.flatnonzero(~is_presale))
    assert np.isin(np.flatnonzero(first), known).mean() == pytest.approx(0.85, abs=0.02)
    assert ahead.min() > 0


def test_closes_are_expected_after_what_remains_to_be_done(large: StageLog) -> None:
    known, ahead = days_to_close(large)
    funnel, state = large.funnel, large.entries.state[known]
    pace = np.array([PRODUCTS[name].pace for name in texts(large.attribute("product"))[known]])
    half_age = [stage.max_age / timedelta(days=1) / 2 for stage in funnel if stage.max_age]
    remaining = np.cumsum(half_age[: funnel.n_presale][::-1])[::-1]

    found = [np.median((ahead / pace)[state == stage]) for stage in range(funnel.n_presale)]
    # Parts of a day and weekends add a day or two.
    assert found == pytest.approx(remaining, abs=2.5)


def test_expected_closes_are_what_the_pipeline_is_cut_by(pipeline: StageLog) -> None:
    table = metrics.pipeline_by_period(pipeline)

    assert table["open"].sum() == metrics.pipeline(pipeline)["open"].sum()
    assert table["period"][-1] is None
    assert 0 < table["overdue"].sum() < table["open"].sum()


def test_dates_end_where_the_calendar_does() -> None:
    funnel = Funnel([Stage("endless", max_age=timedelta.max)])
    log = make_pipeline(50, funnel=funnel, start=date(9999, 1, 4), months=11)

    assert set(log.attribute("expected_close").names) == {"9999-12-31"}


# Realistic pipelines: the truth can be found.


def test_better_owners_and_sources_win_more(pipeline: StageLog) -> None:
    for name, effects in (("owner", OWNER_SKILL), ("source", SOURCE_QUALITY)):
        table = metrics.win_rate(pipeline, by=name)
        rate = dict(zip(table[name], table["value"], strict=True))
        best, worst = max(effects, key=effects.__getitem__), min(effects, key=effects.__getitem__)
        assert rate[best] > 2 * rate[worst]


def test_skill_and_quality_can_be_recovered(large: StageLog) -> None:
    """Fit the model that the docstring names to the visits that ended: a logistic regression."""
    opportunity, state, _ = large.entries
    presale = large.funnel.n_presale
    ended = (
        (opportunity[1:] == opportunity[:-1])
        & (state[:-1] < presale)
        & ((state[1:] > state[:-1]) | (state[1:] == large.funnel.lost))
    )
    owner, source = (large.attribute(name) for name in ("owner", "source"))
    design = np.concatenate(
        [
            state[:-1][ended][:, None] == np.arange(presale),
            owner.codes[:-1][ended][:, None] == np.arange(1, len(owner.names)),
            source.codes[:-1][ended][:, None] == np.arange(1, len(source.names)),
        ],
        axis=1,
    ).astype(float)
    went_on = (state[1:] != large.funnel.lost)[ended]
    fitted = np.zeros(design.shape[1])
    for _ in range(8):  # Newton's method
        chance = 1 / (1 + np.exp(-design @ fitted))
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        fitted += np.linalg.solve(curvature, design.T @ (went_on - chance))

    skill = [OWNER_SKILL[name] - OWNER_SKILL[owner.names[0]] for name in owner.names[1:]]
    quality = [SOURCE_QUALITY[name] - SOURCE_QUALITY[source.names[0]] for name in source.names[1:]]
    assert fitted[presale:] == pytest.approx([*skill, *quality], abs=0.12)


def test_the_region_has_no_effect(large: StageLog) -> None:
    rates = metrics.win_rate(large, by="region")["value"]
    assert np.ptp(rates) < 0.05


def test_loss_reasons_depend_on_the_stage(large: StageLog) -> None:
    funnel, state = large.funnel, large.entries.state
    losses = np.flatnonzero((state == funnel.lost) & (texts(large.reasons) != None))  # noqa: E711
    category = np.array([funnel.reason(key).category for key in texts(large.reasons)[losses]])
    before = state[losses - 1]

    def share(name: str, at: NDArray[np.bool_]) -> float:
        return float((category[at] == name).mean())

    early, late, churned = before == 0, before == funnel.n_presale - 1, before >= funnel.n_presale
    assert share("lead_quality", early) > 0.4 > 0.05 > share("lead_quality", late)
    assert share("commercial", late) > 0.3 > 0.05 > share("commercial", early)
    assert share("after_sale", churned) > 0.7
    assert share("after_sale", ~churned) < 0.001


def test_the_product_sets_the_pace(pipeline: StageLog) -> None:
    cycle = metrics.sales_cycle(pipeline, by="product")
    days = dict(zip(cycle["product"], cycle["median_days"], strict=True))
    assert days["starter"] < days["professional"] < days["enterprise"]


# The export of a CRM.


def read_sample(path: Path, stage_map: dict[str, str | tuple[str, str] | None]) -> StageLog:
    return read_csv(
        path,
        Funnel.standard(),
        opportunity="deal_id",
        stage="stage",
        entered_at="at",
        reason="reason",
        amount="amount",
        attributes=["owner", "source"],
        currency="CNY",
        stage_map=stage_map,
        tz="Asia/Shanghai",
    )


def test_the_export_and_its_map_give_the_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    log = read_sample(path, sample_csv(path, 300, seed=3))
    original = make_pipeline(300, seed=3)

    assert len(log) == len(original)
    assert log.ignored > 0
    for by in ("owner", "source"):
        assert str(metrics.stage_table(log, by=by)) == str(metrics.stage_table(original, by=by))
    assert str(metrics.loss_table(log)) == str(metrics.loss_table(original))


def test_the_export_uses_the_words_of_people(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    stage_map = sample_csv(path)
    lines = path.read_text(encoding="utf-8").splitlines()

    assert lines[0] == "deal_id,stage,at,owner,source,amount,reason"
    times = [line.split(",")[2] for line in lines[1:]]
    assert times == sorted(times)
    assert all(time.endswith("+08:00") for time in times)
    assert {line.split(",")[1] for line in lines[1:]} == {
        *Funnel.standard().states[:-2],
        *stage_map,
    }


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        sample_csv(tmp_path / name, 50, seed=seed)
    one, same, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == same != other


def test_an_export_of_nothing_is_a_header(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    stage_map = sample_csv(path, 0)
    assert path.read_text(encoding="utf-8").count("\n") == 1
    assert len(read_sample(path, stage_map)) == 0
