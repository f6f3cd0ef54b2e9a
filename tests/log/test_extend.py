"""More rows for a log: the same again, corrections, and what is new."""

from __future__ import annotations

from typing import Any

import pytest
from histories import funnel_of, log_of, moment, oracles
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle

from salesfunnel.errors import CurrencyError, DataError, DefinitionError, MergeError, NaiveTimeError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo", "offer"], ["price"])
MILLION = 1_000_000


def columns(*rows: tuple[Any, ...], **more: Any) -> dict[str, Any]:
    ids, stages, days = ([row[place] for row in rows] for place in range(3))
    return {
        "opportunity": ids,
        "stage": stages,
        "entered_at": [f"2026-01-{day:02d}" for day in days],
        "tz": "UTC",
        **more,
    }


def entries(log: StageLog) -> list[tuple[Any, str, int]]:
    opportunity, state, time = log.entries
    return [
        (identifier, FUNNEL.states[code], day)
        for identifier, code, day in zip(
            log.identify(opportunity).tolist(),
            state.tolist(),
            [1 + (micro - 1_767_225_600_000_000) // 86_400_000_000 for micro in time.tolist()],
            strict=True,
        )
    ]


def texts(log: StageLog, name: str) -> list[str | None]:
    labels = log.attribute(name)
    return [None if code < 0 else labels.names[code] for code in labels.codes.tolist()]


A = ("A", "lead", 5), ("A", "demo", 12), ("B", "lead", 6)


@pytest.fixture
def log() -> StageLog:
    return StageLog.from_columns(
        FUNNEL,
        **columns(*A, attributes={"owner": ["x", "y", None]}, amount=[1, 2, 3], currency="CNY"),
    )


# ── the same again ────────────────────────────────────────────────────────────────────────────────


def given_columns(oracle: Oracle, rows: Any) -> dict[str, Any]:
    return {
        "opportunity": [row.opportunity for row in rows],
        "stage": [row.state for row in rows],
        "entered_at": [moment(row.time) for row in rows],
        "reason": [row.reason for row in rows],
        "amount": [None if row.amount is None else row.amount / MILLION for row in rows],
        "attributes": {
            name: [row.labels.get(name) for row in rows] for name in ("owner", "region")
        },
        "order": [row.order for row in rows] if oracle.ties == "order" else None,
        "ties": "state" if oracle.ties == "state" else "input",
        "tz": "UTC",
    }


@settings(max_examples=50)
@given(oracle=oracles(), cut=st.integers(0, 28))
def test_the_same_rows_again_change_nothing(oracle: Oracle, cut: int) -> None:
    log = log_of(oracle)
    rows = oracle.rows

    if oracle.ties != "order":
        assert log.extend(**given_columns(oracle, rows)) == log
        assert log.extend(**given_columns(oracle, rows[:cut])) == log
        if not _overlaps(oracle, cut):
            assert log.extend(**given_columns(oracle, rows[cut:])) == log
    assert log.update(log) == log
    assert log.update(log, replace="opportunity") == log


@settings(max_examples=50)
@given(oracle=oracles(ties=("input", "state")), cut=st.integers(0, 28))
def test_a_log_that_grew_is_the_log_of_all_rows(oracle: Oracle, cut: int) -> None:
    whole = log_of(oracle)
    part = StageLog.from_columns(funnel_of(oracle), **given_columns(oracle, oracle.rows[:cut]))

    grown = part.extend(**given_columns(oracle, oracle.rows))
    in_turn = part.extend(**given_columns(oracle, oracle.rows[cut:]))

    assert grown == whole
    if not _overlaps(oracle, cut):
        assert in_turn == whole


def _overlaps(oracle: Oracle, cut: int) -> bool:
    """Whether the second part of the rows has an entry of the first, which it would correct."""

    def keys(rows: Any) -> set[Any]:
        return {(row.opportunity, row.time, row.state) for row in rows}

    return bool(keys(oracle.rows[:cut]) & keys(oracle.rows[cut:]))


def test_rows_that_are_there_twice_stay_twice() -> None:
    rows = columns(("A", "lead", 5), ("A", "demo", 5), ("A", "lead", 5))
    log = StageLog.from_columns(FUNNEL, **rows)

    again = log.extend(**rows)

    assert again == log
    assert entries(again) == [("A", "lead", 5), ("A", "demo", 5), ("A", "lead", 5)]
    once = log.extend(**columns(("A", "lead", 5)))
    assert once == log
    thrice = log.extend(**columns(*[("A", "lead", 5)] * 3))
    assert entries(thrice) == [*entries(log), ("A", "lead", 5)]


# ── corrections ───────────────────────────────────────────────────────────────────────────────────


def test_a_row_of_an_entry_that_there_is_corrects_what_it_says(log: StageLog) -> None:
    more = columns(("A", "demo", 12), attributes={"owner": ["z"]}, amount=[None])

    corrected = log.extend(**more)

    assert entries(corrected) == entries(log)
    assert texts(corrected, "owner") == ["x", "z", None]
    assert corrected.amounts is not None
    assert corrected.amounts.tolist()[0] == 1
    assert corrected.amounts[1] != corrected.amounts[1]
    assert texts(log, "owner") == ["x", "y", None]  # the log itself has not changed


def test_a_label_that_was_corrected_everywhere_is_no_group_any_more() -> None:
    log = StageLog.from_columns(FUNNEL, **columns(*A, attributes={"owner": ["x", "x", "y"]}))

    corrected = log.extend(**columns(A[2], attributes={"owner": ["x"]}))

    assert corrected.flow(by="owner").groups == ("x",)
    assert log.flow(by="owner").groups == ("x", "y")


def test_columns_that_are_not_given_stay(log: StageLog) -> None:
    same = log.extend(**columns(*A))

    assert same == log


def test_columns_that_are_new_are_known_from_then_on(log: StageLog) -> None:
    more = log.extend(
        **columns(
            ("A", "lead", 5),
            ("C", "lost", 7),
            attributes={"source": ["web", "fair"]},
            reason=[None, "price"],
        )
    )

    assert more.attributes == ("owner", "source")
    assert texts(more, "source") == ["web", None, None, "fair"]
    assert texts(more, "owner") == ["x", "y", None, None]
    assert more.reasons is not None
    assert more.reasons.codes.tolist() == [-1, -1, -1, 0]


def test_an_entry_that_moved_in_time_is_gone_with_its_opportunity(log: StageLog) -> None:
    moved = columns(("A", "lead", 5), ("A", "demo", 13))

    assert entries(log.extend(**moved)) == [
        ("A", "lead", 5),
        ("A", "demo", 12),
        ("A", "demo", 13),
        ("B", "lead", 6),
    ]
    whole = log.extend(**moved, replace="opportunity")
    assert entries(whole) == [("A", "lead", 5), ("A", "demo", 13), ("B", "lead", 6)]
    assert texts(whole, "owner") == [None, None, None]
    assert whole.extend(**moved, replace="opportunity") == whole


# ── new entries ───────────────────────────────────────────────────────────────────────────────────


def test_new_rows_are_entries_wherever_they_belong(log: StageLog) -> None:
    more = log.extend(**columns(("B", "won", 20), ("A", "offer", 8), ("C", "lead", 1)))

    assert entries(more) == [
        ("A", "lead", 5),
        ("A", "offer", 8),
        ("A", "demo", 12),
        ("B", "lead", 6),
        ("B", "won", 20),
        ("C", "lead", 1),
    ]
    assert texts(more, "owner") == ["x", None, "y", None, None, None]
    assert more.currency == "CNY"
    assert more.tz == log.tz


def test_at_equal_times_new_entries_come_after_those_that_there_are(log: StageLog) -> None:
    rows = columns(("A", "offer", 12), ("A", "lead", 12))

    assert [state for _, state, _ in entries(log.extend(**rows))][:4] == [
        "lead",
        "demo",
        "offer",
        "lead",
    ]
    by_state = log.extend(**rows, ties="state")
    assert [state for _, state, _ in entries(by_state)][:4] == ["lead", "lead", "demo", "offer"]


def test_record_numbers_of_new_rows_are_later_than_all_before() -> None:
    log = StageLog.from_columns(FUNNEL, **columns(("A", "lead", 5), ("A", "demo", 3), order=[1, 2]))
    assert log.records is not None
    assert log.records.tolist() == [1, 0]

    more = log.extend(**columns(("A", "offer", 4), order=[0]))
    plain = log.extend(**columns(("A", "offer", 9)))

    assert more.records is not None
    assert more.records.tolist() == [1, 2, 0]
    assert plain.records is not None
    assert plain.records.tolist() == [1, 0, 2]
    first = StageLog.from_columns(FUNNEL, **columns(("A", "lead", 5)))
    later = first.extend(**columns(("A", "demo", 3), order=[7]))
    assert later.records is not None
    assert later.records.tolist() == [1, 0]
    assert log.extend(**columns(("A", "lead", 5), ("A", "demo", 3), order=[1, 2])) == log


def test_identifiers_may_be_integers_or_become_texts() -> None:
    numbers = StageLog.from_columns(FUNNEL, **columns((7, "lead", 5), (3, "lead", 6)))

    assert entries(numbers.extend(**columns((5, "lead", 7), (7, "won", 8)))) == [
        (7, "lead", 5),
        (7, "won", 8),
        (3, "lead", 6),
        (5, "lead", 7),
    ]
    assert [i for i, _, _ in entries(numbers.extend(**columns(("7", "lead", 7))))] == [7, 3, "7"]


def test_a_log_may_start_empty(log: StageLog) -> None:
    empty = StageLog.from_columns(FUNNEL, **columns())

    assert empty.update(log) == log
    assert log.update(empty) == log
    assert empty.extend(**columns()) == empty


# ── what cannot be added ──────────────────────────────────────────────────────────────────────────


def test_bad_rows_are_told_or_kept_and_counted(log: StageLog) -> None:
    rows = columns(("A", "leed", 5), ("C", "skip", 6), ("C", "lead", 7), stage_map={"skip": None})

    with pytest.raises(DataError, match=r"^1 row cannot be entries"):
        log.extend(**rows)
    more = log.extend(**rows, errors="collect")

    assert more.rejected["row"].tolist() == [0]
    assert more.ignored == 1
    assert len(more) == len(log) + 1
    other = StageLog.from_columns(FUNNEL, **rows, errors="collect")
    assert log.update(other).rejected == other.rejected
    assert log.update(other).ignored == 1


def test_wrong_arguments_are_told(log: StageLog) -> None:
    with pytest.raises(DefinitionError, match="replace= is one of entry, opportunity, not 'all'"):
        log.extend(**columns(*A), replace="all")
    with pytest.raises(DefinitionError, match="a log is updated by a StageLog, not by 'x'"):
        log.update("x")  # type: ignore[arg-type]
    with pytest.raises(NaiveTimeError, match="names no time zone"):
        log.extend(**{**columns(*A), "tz": None})
    with pytest.raises(CurrencyError, match="currency: amounts in CNY, USD; give what one unit"):
        log.extend(**columns(*A, amount=[1, 2, 3], currency="USD"))
    with pytest.raises(DefinitionError, match="ties='state' and order= both settle equal times"):
        log.extend(**columns(*A, order=[1, 2, 3], ties="state"))
    with pytest.raises(TypeError, match="unexpected keyword argument 'sort'"):
        log.extend(**columns(*A, sort=True))
    ordered = StageLog.from_columns(FUNNEL, **columns(*A[:2], order=[2, 1]))
    with pytest.raises(DefinitionError, match="ties='state' and the record numbers of the log"):
        ordered.extend(**columns(*A, ties="state"))
    other = StageLog.from_columns(Funnel(["lead"]), **columns(("A", "lead", 5)))
    with pytest.raises(MergeError, match="cannot update: the log has the funnel of lead, demo"):
        log.update(other)


def test_rates_make_new_amounts_those_of_the_log(log: StageLog) -> None:
    rows = columns(("C", "lead", 7), amount=[10], currency="USD", rates={"CNY": 1, "USD": 7})

    amounts = log.extend(**rows).amounts

    assert amounts is not None
    assert amounts.tolist() == [1, 2, 3, 70]
