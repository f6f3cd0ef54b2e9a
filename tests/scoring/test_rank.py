"""Order of work: by score, by value, by value per hour; ties, inputs, and what people read."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import (
    CurrencyError,
    DataError,
    DefinitionError,
    SalesFunnelError,
    ShapeError,
    UnknownCriterionError,
)
from salesfunnel.model.evidence import Evidence
from salesfunnel.model.lead import Lead
from salesfunnel.periods import BusinessCalendar
from salesfunnel.scoring import Criterion, Disqualifier, Grade, Rubric, prioritise
from salesfunnel.table import Table

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RUBRIC = Rubric(
    [Criterion("need", half_life="10d")],
    disqualifiers=[Disqualifier("no_need", "need", at_most=0)],
)


def lead(name: str, need: float | None = 0.5, **fields: Any) -> Lead:
    known = {} if need is None else {"need": Evidence(need, T0)}
    return Lead(name, evidence=known, **fields)


def shown(table: Table) -> list[tuple[str, str]]:
    return list(zip(table["lead"].tolist(), table["decision"].tolist(), strict=True))


# ── by score ──────────────────────────────────────────────────────────────────────────────────────


def test_the_highest_score_comes_first_and_the_rest_waits() -> None:
    leads = [lead("A", 0.3), lead("B", None), lead("C", 0.9), lead("D", 0.0), lead("E", 0.5)]
    done = lead("F").qualify(at=T0).convert(at=T0)
    gone = lead("G").disqualify("no_need", at=T0)
    rubric = attrs.evolve(RUBRIC, unknown="renormalise")

    table = prioritise([*leads, done, gone], score=rubric, capacity=2)

    assert shown(table) == [
        ("C", "work"),
        ("E", "work"),
        ("A", "no_room"),
        ("B", "unknown"),
        ("G", "disqualified"),
        ("D", "disqualified"),
        ("F", "converted"),
    ]
    assert table["rank"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_array_equal(table["score"], [90, 50, 30, math.nan, 50, 0, 50])
    assert table["grade"].tolist() == ["A", "C", "D", None, "C", "D", "C"]


def test_without_a_capacity_all_are_worked_on() -> None:
    assert shown(prioritise(["A", "B"], score=[1, 2])) == [("B", "work"), ("A", "work")]
    assert shown(prioritise(["A"], score=[1], capacity=0)) == [("A", "no_room")]
    assert len(prioritise([], score=[])) == 0


def test_leads_bring_the_score_that_they_were_qualified_with() -> None:
    leads = [
        Lead("A").qualify(at=T0, score=60, grade="B"),
        Lead("B").qualify(at=T0, score=90, grade="A"),
        Lead("C"),
    ]

    table = prioritise(leads)

    assert shown(table) == [("B", "work"), ("A", "work"), ("C", "unknown")]
    assert table["grade"].tolist() == ["A", "B", None]


def test_evidence_has_its_age_at_the_time_that_it_is() -> None:
    table = prioritise([lead("A", 1)], score=RUBRIC, now=T0 + timedelta(days=10))

    assert table["score"].tolist() == [50]


def test_ties_go_by_score_deadline_arrival_and_the_order_given() -> None:
    # All are worth 10.
    leads = [
        lead("late arrival", received_at=T0 - timedelta(hours=1)),
        lead("early arrival", received_at=T0 - timedelta(hours=2)),
        lead("no arrival"),
        lead("no arrival either"),
        lead("deadline", received_at=T0),
        lead("score", received_at=T0),
    ]
    due = [None, None, None, None, T0 + timedelta(hours=1), None]
    probability, amount = [0.5] * 5 + [0.25], [20] * 5 + [40]

    table = prioritise(
        leads,
        score=[50] * 5 + [60],
        by="value",
        probability=probability,
        amount=amount,
        deadline=due,
        now=T0,
    )

    assert table["lead"].tolist() == [
        "score",
        "deadline",
        "early arrival",
        "late arrival",
        "no arrival",
        "no arrival either",
    ]


@given(st.lists(st.sampled_from([10.0, 20.0, 30.0]), max_size=8), st.integers(0, 9))
def test_the_order_is_stable(scores: list[float], capacity: int) -> None:
    table = prioritise(list(range(len(scores))), score=scores, capacity=capacity)

    expected = sorted(range(len(scores)), key=lambda index: -scores[index])
    assert table["lead"].tolist() == expected
    planned = [decision == "work" for decision in table["decision"].tolist()]
    assert planned == [place < capacity for place in range(len(scores))]


# ── by value ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (None, [40, 30, 8]),
        ([0.1, 0.9, 0.5], [10, 90, 5]),
        ({"A": 0.5, "B": 0.2}, [20, 20, 5]),
        (lambda score: score / 200, [20, 15, 4]),
    ],
)
def test_the_expected_value_is_probability_times_amount(
    probability: Any, expected: list[float]
) -> None:
    leads = [lead("A", 0.4, amount=100), lead("B", 0.3, amount=100), lead("C", 0.8, amount=10)]
    rubric = attrs.evolve(RUBRIC, grades=[Grade("A", 80), Grade("B", 0)])

    table = prioritise(leads, score=rubric, by="value", probability=probability)

    by_lead = dict(zip(table["lead"].tolist(), table["expected_value"].tolist(), strict=True))
    assert [by_lead[name] for name in "ABC"] == pytest.approx(expected)
    assert table["expected_value"].tolist() == sorted(by_lead.values(), reverse=True)
    guess = "A hundredth of the score stands for the probability"
    assert (guess in table.to_text()) == (probability is None)


def test_a_lead_without_an_amount_waits() -> None:
    table = prioritise(["A", "B"], score=[90, 10], by="value", amount=[None, 5])

    assert shown(table) == [("B", "work"), ("A", "unknown")]


def test_amounts_of_several_currencies_are_made_one() -> None:
    leads = [
        lead("A", amount=100, currency="CNY"),
        lead("B", amount=20, currency="USD"),
    ]

    with pytest.raises(CurrencyError, match="amounts in CNY, USD"):
        prioritise(leads, score=RUBRIC, by="value")
    table = prioritise(leads, score=RUBRIC, by="value", rates={"CNY": 1, "USD": 7})
    assert table["lead"].tolist() == ["B", "A"]
    assert table["amount"].tolist() == [140, 100]
    assert "Amounts in CNY." in table.to_text()


# ── by value per hour, with deadlines ─────────────────────────────────────────────────────────────


def test_by_hand() -> None:
    leads = [
        lead("slow", 0.8, amount=1000, received_at=T0),
        lead("overdue", 0.8, amount=1000, received_at=T0 - timedelta(hours=9)),
        lead("small", 0.8, amount=100, received_at=T0 - timedelta(hours=4)),
        lead("urgent", 0.8, amount=500, received_at=T0 - timedelta(hours=3)),
    ]

    table = prioritise(
        leads,
        score=RUBRIC,
        by="value_per_hour",
        hours=[4, 1, 1, 1],
        deadline="4h",
        now=T0,
        late=0.25,
        capacity=3,
    )

    assert shown(table) == [
        ("small", "work"),
        ("urgent", "work"),
        ("overdue", "work_late"),
        ("slow", "no_room"),
    ]
    assert table["hours_left"].tolist() == [0, 1, -5, 4]
    np.testing.assert_array_equal(table["starts_in"], [0, 1, 2, math.nan])
    assert table["value_per_hour"].tolist() == [80, 400, 200, 200]
    assert table["expected_value"].tolist() == [80, 400, 800, 800]


@pytest.mark.parametrize(
    "deadline",
    [
        [T0 + timedelta(hours=2), None],
        np.array(["2026-01-05T11:00", "NaT"], "datetime64[s]"),
        pd.Series(pd.to_datetime(["2026-01-05T11:00Z", None])),
        ["2026-01-05T11:00+00:00", ""],
        {"B": "3h"},
        {"B": timedelta(hours=3)},
    ],
)
def test_deadlines_come_as_times_or_as_lengths_by_grade(deadline: Any) -> None:
    leads = [
        lead("A", 0.7, amount=1, received_at=T0 - timedelta(hours=1)),
        lead("B", 0.1, amount=1),
    ]

    table = prioritise(leads, score=RUBRIC, by="value_per_hour", deadline=deadline, now=T0)

    assert table["hours_left"].tolist() == [2, math.inf]


def test_deadlines_may_be_counted_in_working_hours() -> None:
    calendar = BusinessCalendar(("09:00", "18:00"), tz="Asia/Shanghai")
    friday = datetime(2026, 1, 9, 17, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    leads = [lead("A", amount=1, received_at=friday)]
    monday = friday + timedelta(days=2, hours=17)  # 10 o'clock

    for deadline, expected in (("4h", 2), ([monday + timedelta(hours=3)], 3)):
        table = prioritise(
            leads,
            score=RUBRIC,
            by="value_per_hour",
            deadline=deadline,
            now=monday,
            calendar=calendar,
        )
        assert table["hours_left"].tolist() == [expected]


# ── what people read ──────────────────────────────────────────────────────────────────────────────


def test_the_table_says_what_it_is_ordered_by_in_both_languages() -> None:
    leads = [lead("A", amount=100, currency="CNY", received_at=T0)]
    score = prioritise(leads, score=RUBRIC)
    hourly = prioritise(leads, score=RUBRIC, by="value_per_hour", deadline="4h", now=T0)

    assert score.to_text().splitlines()[-1] == "The highest score first."
    assert "得分高的在前。" in score.to_text("zh")
    assert "work on it" in score.to_text()
    assert "跟进" in score.to_text("zh")
    assert "Hours left" in hourly.to_text()
    free = prioritise(leads, score=RUBRIC, by="value_per_hour")
    assert "Hours left" not in free.to_text()
    assert "Grade" not in prioritise(["A"], score=[1]).to_text()


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────

GOOD: dict[str, Any] = {"leads": ["A", "B"], "score": [1, 2]}
VALUE: dict[str, Any] = {**GOOD, "by": "value", "amount": [1, 2]}
HOURLY: dict[str, Any] = {**VALUE, "by": "value_per_hour"}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {**GOOD, "by": "luck"},
            DefinitionError,
            "by= is one of score, value, value_per_hour, not",
        ),
        ({**GOOD, "capacity": -1}, DefinitionError, "capacity= is a number of 0 or more, or None"),
        ({**GOOD, "capacity": True}, DefinitionError, "capacity= is a number of 0 or more"),
        ({**GOOD, "capacity": math.nan}, DefinitionError, "capacity= is a number of 0 or more"),
        ({**GOOD, "late": 1.5}, DefinitionError, "late= is a share from 0 to 1, not 1.5"),
        ({**GOOD, "late": math.nan}, DefinitionError, "late= is a share from 0 to 1, not nan"),
        (
            {"leads": ["A", Lead("B")]},
            DefinitionError,
            "leads are all Lead or all identifiers, not",
        ),
        ({"leads": ["A"]}, DefinitionError, "score=None, the score of each when it was qualified,"),
        (
            {"leads": ["A"], "score": RUBRIC},
            DefinitionError,
            "score= by a rubric needs leads as Le",
        ),
        ({**GOOD, "score": [1]}, ShapeError, "score has a value for each of 2 leads, not 1"),
        ({**GOOD, "score": RUBRIC.score([[1]])}, ShapeError, "score= is of 1 leads, and there are"),
        ({**GOOD, "score": [1, 101]}, DataError, "row 1, score: 101, expected a score from 0 to"),
        ({**GOOD, "score": [1, "high"]}, DataError, "row 1, score: 'high', expected a finite"),
        ({**VALUE, "amount": [1]}, ShapeError, "amount has a value for each of 2 leads, not 1"),
        ({**VALUE, "amount": [1, -1]}, DataError, "row 1, amount: -1, expected an amount of 0"),
        ({**GOOD, "by": "value"}, DefinitionError, "amount=None, the amount of each lead, needs"),
        ({**VALUE, "probability": [0, 2]}, DataError, "row 1, probability: 2, expected a probab"),
        ({**VALUE, "probability": lambda s: s}, DataError, "row 1, probability: 2.0, expected a"),
        ({**HOURLY, "hours": 0}, DataError, "row 0, hours: 0, expected a number of hours above 0"),
        ({**HOURLY, "hours": [1, None]}, DataError, "row 1, hours: None, expected a number of hou"),
        ({**HOURLY, "deadline": "4h"}, DefinitionError, "a deadline= needs now=, the time that it"),
        (
            {**HOURLY, "deadline": "4h", "now": T0},
            DefinitionError,
            "deadline= as a length of time needs leads as Lead, and identifiers were given",
        ),
        (
            {**HOURLY, "deadline": [T0, "soon"], "now": T0},
            DataError,
            "row 1, deadline: 'soon', expected",
        ),
        (
            {**HOURLY, "deadline": "soon", "now": T0},
            DefinitionError,
            "a duration is a positive timedelta",
        ),
        (
            {"leads": [lead("A", amount=1)], "by": "value", "deadline": "4h", "now": T0},
            DataError,
            "row 0, received_at: None, expected when the lead came, as its deadline asks",
        ),
        (
            {**HOURLY, "deadline": [T0, T0], "now": datetime(2026, 1, 5)},  # noqa: DTZ001
            DefinitionError,
            "now= has no time zone",
        ),
        (
            {
                "leads": [lead("A", 0.9, amount=1)],
                "score": RUBRIC,
                "by": "value",
                "probability": {"B": 0.5},
            },
            DefinitionError,
            "probability= has no value for the grades A; it has B",
        ),
        (
            {"leads": [Lead("A", evidence={"mood": 1})], "score": RUBRIC},
            UnknownCriterionError,
            "lead 'A' has evidence for 'mood'",
        ),
        (
            {"leads": np.zeros((2, 2))},
            DefinitionError,
            "leads is a list or a one-dimensional array",
        ),
    ],
)
def test_what_cannot_be_put_in_order_is_refused(
    arguments: dict[str, Any], error: type[SalesFunnelError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        prioritise(**arguments)

    lines = str(refusal.value).splitlines()
    assert any(line.strip().startswith(message) for line in lines), lines


def test_values_that_cannot_be_used_are_said_to_be_of_leads() -> None:
    with pytest.raises(DataError, match=r"^1 lead has a value that cannot be used:\n"):
        prioritise(["A", "B"], score=[1, 101])
    with pytest.raises(DataError, match=r"^2 leads have values that cannot be used:\n"):
        prioritise(["A", "B"], score=[-1, 101])
    with pytest.raises(DataError, match=r"^1 lead has a value that cannot be used:\n"):
        prioritise(["A", "B"], score=[1, 2], deadline=[T0, "soon"], now=T0)


def test_nobody_asks_when_a_lead_came_that_is_not_worked_on() -> None:
    leads = [
        lead("out", 0.9, amount=1).disqualify("no_budget", at=T0),
        lead("in", 0.5, amount=1, received_at=T0),
    ]

    table = prioritise(leads, score=RUBRIC, by="value_per_hour", deadline="4h", now=T0)

    assert table["lead"].tolist() == ["in", "out"]
    assert table["decision"].tolist() == ["work", "disqualified"]
    assert table["hours_left"].tolist() == [4, np.inf]


def test_evidence_for_other_rubrics_may_be_left_aside() -> None:
    leads = [Lead("A", evidence={"mood": 1, "need": 1})]

    assert prioritise(leads, score=RUBRIC, extra="ignore")["score"].tolist() == [100]
