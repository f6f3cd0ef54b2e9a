"""What holds for every metric: rows in any order mean the same, and parts add up to the whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import timedelta
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.logs import By, groupings, log_of, oracles, part
from oracle import Oracle, Row, last_known

from salesfunnel.metrics import (
    against_targets,
    ageing,
    change_by_period,
    churn_rate,
    control_chart_by_period,
    conversion_between,
    conversion_by_cohort,
    conversion_within,
    entered_by_period,
    flow_table,
    loss_by_period,
    loss_hotspots,
    loss_pareto,
    loss_table,
    losses_without_reason,
    lost_from,
    pipeline,
    pipeline_coverage,
    repeat_sales,
    retention_by_cohort,
    sales_cycle,
    stage_table,
    summary,
    survival_table,
    time_in_stage,
    trend_by_period,
    triangle_by_cohort,
    velocity,
    win_rate,
    win_rate_by_cohort,
)
from salesfunnel.table import Table

METRICS: dict[str, Callable[..., Table]] = {
    "stage_table": stage_table,
    "stage_table_actual": partial(stage_table, mode="actual"),
    "stage_table_strict": partial(stage_table, mode="strict"),
    "conversion_between": conversion_between,
    "conversion_between_actual": partial(conversion_between, mode="actual", back=True),
    "conversion_between_strict": partial(conversion_between, mode="strict"),
    "against_targets": against_targets,
    "win_rate": win_rate,
    "win_rate_by_amount": partial(win_rate, weight="amount"),
    "win_rate_by_amount_bootstrap": partial(win_rate, weight="amount", bootstrap=100),
    "loss_table": loss_table,
    "loss_by_stage": partial(loss_table, by_stage=True),
    "loss_by_amount": partial(loss_table, weight="amount"),
    "loss_by_period": loss_by_period,
    "loss_pareto": partial(loss_pareto, by_stage=True),
    "loss_pareto_by_amount": partial(loss_pareto, weight="amount"),
    "losses_without_reason": partial(losses_without_reason, by_stage=True),
    "loss_hotspots": loss_hotspots,
    "lost_from": lost_from,
    "sales_cycle": sales_cycle,
    "sales_cycle_closed": partial(sales_cycle, of="closed"),
    "time_in_stage": time_in_stage,
    "conversion_within": partial(conversion_within, horizon=timedelta(microseconds=4)),
    "survival_table": partial(survival_table, ages=[timedelta(microseconds=n) for n in (2, 9)]),
    "churn_rate": churn_rate,
    "repeat_sales": partial(repeat_sales, customer="region"),
    "pipeline": pipeline,
    "pipeline_coverage": partial(pipeline_coverage, target=50, period="week"),
    "velocity": velocity,
    "velocity_bootstrap": partial(velocity, bootstrap=100),
    "ageing": ageing,
    "summary": summary,
    "flow_table": flow_table,
    "trend_by_period": trend_by_period,
    "entered_by_period": entered_by_period,
    "change_by_period": change_by_period,
    "win_rate_by_cohort": win_rate_by_cohort,
    "conversion_by_cohort": conversion_by_cohort,
    "triangle_by_cohort": triangle_by_cohort,
    "retention_by_cohort": retention_by_cohort,
    "control_chart_by_period": control_chart_by_period,
}
names = st.sampled_from(list(METRICS))

COUNTS = ["entered", "advanced", "lost", "open", "churned"]
RATE = ["numerator", "denominator"]
FIXED = ("age_days", "from_days", "to_days", "target", "remaining")
"""Columns of what was asked for, which an empty log has too."""
SUMS = {
    "stage_table": COUNTS,
    "stage_table_actual": COUNTS,
    "stage_table_strict": [*COUNTS, "skipped"],
    "conversion_between": RATE,
    "conversion_between_actual": RATE,
    "conversion_between_strict": RATE,
    "against_targets": ["entered", "conversion_rate_numerator", "loss_rate_numerator"],
    "win_rate": RATE,
    "win_rate_by_amount": RATE,
    "win_rate_by_amount_bootstrap": RATE,
    "loss_table": ["numerator", "amount"],
    "loss_by_stage": ["numerator", "amount"],
    "loss_by_amount": ["numerator", "amount"],
    "loss_by_period": ["numerator", "amount"],
    "loss_pareto": ["numerator", "amount"],
    "loss_pareto_by_amount": ["numerator", "amount"],
    "losses_without_reason": RATE,
    "loss_hotspots": ["lost"],
    "lost_from": ["numerator", "amount"],
    "sales_cycle": ["deals"],
    "sales_cycle_closed": ["deals", "opportunities"],
    "time_in_stage": ["visits", "ended"],
    "conversion_within": [*RATE, "censored"],
    "survival_table": ["won_by_age_numerator", "lost_by_age_numerator", "open_by_age_denominator"],
    "churn_rate": RATE,
    "repeat_sales": ["sales"],
    "pipeline": ["open", "amount", "without_amount"],
    "pipeline_coverage": ["won_amount", "open", "open_amount"],
    "velocity": ["open", "win_rate_numerator", "win_rate_denominator"],
    "velocity_bootstrap": ["open"],
    "ageing": ["numerator", "amount"],
    "summary": ["opportunities", "open", "won", "lost", "churned", "won_amount", "open_amount"],
    "flow_table": ["transitions", "amount"],
    "trend_by_period": ["created", "won", "lost", "churned", "created_amount", "lost_amount"],
    "entered_by_period": ["entered"],
    "change_by_period": ["created", "won", "lost"],
    "win_rate_by_cohort": ["created", "won_share_numerator"],
    "conversion_by_cohort": ["conversion_rate_numerator", "conversion_rate_denominator"],
    "triangle_by_cohort": RATE,
    "retention_by_cohort": ["created", "age_60d_numerator"],
    "control_chart_by_period": ["win_rate_numerator", "win_rate_denominator"],
}
"""The columns of a table that add; its texts say which row of the other is meant."""


@given(names, oracles(tied=False), groupings, st.data())
def test_rows_mean_the_same_in_any_order(
    name: str, oracle: Oracle, by: By, data: st.DataObject
) -> None:
    shuffled = log_of(oracle, data.draw(st.permutations(oracle.rows)))
    options = {"by": by, "as_of": oracle.as_of}

    assert METRICS[name](shuffled, **options) == METRICS[name](log_of(oracle), **options)


def totals(tables: Iterable[Table], names: list[str]) -> Mapping[object, Counter[str]]:
    """Return the sums of the rows that are about the same, by what they are about."""
    sums: dict[object, Counter[str]] = {}
    for table in tables:
        about = [
            name
            for name in table.columns
            if table.column(name).kind == "text"
            and not name.endswith(("_target", "finding", "vital"))
        ]
        for row in table.rows():
            counts = sums.setdefault(tuple(row[name] for name in about), Counter())
            counts.update({name: row[name] for name in names})
    return {about: counts for about, counts in sums.items() if any(counts.values())}


@given(names, oracles(), groupings)
def test_the_parts_of_a_log_add_up(name: str, oracle: Oracle, by: By) -> None:
    members = sorted({str(row.opportunity) for row in oracle.rows})
    halves = [part(oracle, {*members[::2]}), part(oracle, {*members[1::2]})]
    tables = [
        METRICS[name](log_of(members), by=by, as_of=oracle.as_of) for members in (*halves, oracle)
    ]

    assert totals(tables[:2], SUMS[name]) == totals(tables[2:], SUMS[name])


@given(names, oracles(), groupings, st.data())
def test_a_selection_is_a_log_of_its_own(
    name: str, oracle: Oracle, by: By, data: st.DataObject
) -> None:
    attribute = data.draw(st.sampled_from(["owner", "region"]))
    members: dict[object, set[object]] = defaultdict(set)
    for opportunity, history in oracle.histories().items():
        members[last_known(row.labels[attribute] for row in history)].add(opportunity)
    known = {row.labels[attribute] for row in oracle.rows} | {None}
    labels = data.draw(st.lists(st.sampled_from(sorted(known, key=str)), min_size=1))
    selected = part(oracle, {member for label in labels for member in members[label]})

    found = METRICS[name](log_of(oracle), by=by, as_of=oracle.as_of, where={attribute: labels})
    expected = METRICS[name](log_of(selected), by=by, as_of=oracle.as_of)
    assert found == expected


@pytest.mark.parametrize("name", METRICS)
def test_the_notes_name_what_is_selected(name: str) -> None:
    (row,) = [Row("A", 0, 0, labels={"owner": "li", "region": None})]
    log = log_of(Oracle([row], 1, 1))

    text = METRICS[name](log, where={"owner": "li"}).to_text()
    assert "Only opportunities with Owner = li." in text


@given(names, oracles())
def test_the_future_changes_nothing(name: str, oracle: Oracle) -> None:
    known = [row for row in oracle.rows if oracle.as_of is not None and row.time <= oracle.as_of]

    now = METRICS[name](log_of(oracle, known), as_of=oracle.as_of)
    assert METRICS[name](log_of(oracle), as_of=oracle.as_of) == now


@given(oracles(), st.integers(0, 20), st.sampled_from(["reached", "actual", "strict"]))
def test_what_was_entered_stays_entered(oracle: Oracle, earlier: int, mode: str) -> None:
    earlier = min(earlier, oracle.as_of or 0)
    before = Oracle(oracle.rows, oracle.n_stages, oracle.n_presale, as_of=earlier, ties=oracle.ties)
    known = before.histories()
    kept = {member for member, history in oracle.histories().items() if member in known}
    if mode == "reached":
        kept -= {member for member in kept if is_undone(before, oracle, member)}

    for member in kept:
        entered = [
            stage_table(log_of(part(oracle, {member})), mode, as_of=as_of)["entered"]
            for as_of in (earlier, oracle.as_of)
        ]
        assert (entered[0] <= entered[1]).all()


def is_undone(before: Oracle, after: Oracle, member: Hashable) -> bool:
    """Whether an opportunity that was won went back before the sale since."""
    known = before.histories()[member]
    since = after.histories()[member][len(known) :]
    return before.status(known) in ("won", "churned") and any(
        after.is_presale(row.state) for row in since
    )


@given(names, oracles(), groupings)
def test_rates_are_shares_and_their_intervals_contain_them(
    name: str, oracle: Oracle, by: By
) -> None:
    table = METRICS[name](log_of(oracle), by=by, as_of=oracle.as_of)

    for rate in (column for column in table.columns if table.column(column).kind == "rate"):
        prefix = "" if rate == "value" else f"{rate}_"
        if f"{prefix}low" not in table:
            continue
        value, low, high = table[rate], table[f"{prefix}low"], table[f"{prefix}high"]
        known = ~np.isnan(value)
        if (name, rate) == ("stage_table_actual", "cumulative_conversion"):
            assert np.isnan(low).all()
            assert np.isnan(high).all()
            continue
        assert ((value >= 0) & (value <= 1))[known].all()
        bounded = known & ~np.isnan(low)
        assert ((low <= value) & (value <= high))[bounded].all()


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("by", [None, "owner", ("owner", "region")])
def test_nothing_is_known_of_an_empty_log(name: str, by: By) -> None:
    table = METRICS[name](log_of(Oracle([], 3, 2)), by=by)

    assert all(
        value in (0, None)
        for name in table.columns
        for value in table.to_dict()[name]
        if table.column(name).kind != "text" and name not in FIXED
    )
    assert by is None or len(table) == 0
    assert table.to_text("zh") != table.to_text("en")
