"""The hierarchy of errors: who catches what, and what they say."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from salesfunnel import errors
from salesfunnel.errors import (
    BadRow,
    DataError,
    MissingExtraError,
    ObserverError,
    RequiredFieldError,
    SalesFunnelError,
    StageOrderError,
    TransitionError,
    UnknownStateError,
)
from salesfunnel.model.opportunity import Opportunity, StageChange

T0 = datetime(2026, 1, 5, tzinfo=UTC)
ALL = [
    error
    for error in vars(errors).values()
    if inspect.isclass(error) and issubclass(error, Exception)
]


@pytest.fixture
def opportunity() -> Opportunity:
    return Opportunity("O-1", history=[StageChange("lead", T0)])


# ── who catches what ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_caught_by_the_base_and_says_when_it_is_raised(
    error: type[Exception],
) -> None:
    assert issubclass(error, SalesFunnelError)
    assert error.__doc__
    assert error.__name__.endswith("Error")


@pytest.mark.parametrize(
    ("kind", "caught"),
    [
        (ValueError, {"DefinitionError", "DuplicateKeyError", "DataError", "EmptyFileError"}),
        (ValueError, {"MissingColumnError", "EncodingError", "TruncatedFileError"}),
        (ValueError, {"NaiveTimeError", "CurrencyError", "MergeError", "SizeError"}),
        (LookupError, {"UnknownStateError", "UnknownReasonError", "UnknownAttributeError"}),
        (ImportError, {"MissingExtraError"}),
        (
            TransitionError,
            {
                "NotOpenedError",
                "AlreadyOpenedError",
                "StartStageError",
                "StageOrderError",
                "StepBackError",
                "EarlyWinError",
                "ClosedError",
                "ReopenError",
                "LossReasonError",
                "TimeOrderError",
                "RequiredFieldError",
                "GuardError",
            },
        ),
    ],
)
def test_code_that_knows_only_the_kind_of_mistake_catches_it_too(
    kind: type[Exception], caught: set[str]
) -> None:
    assert caught <= {error.__name__ for error in ALL if issubclass(error, kind)}


def test_an_observer_that_fails_is_no_refusal() -> None:
    assert not issubclass(ObserverError, TransitionError)


def test_the_message_of_a_lookup_stands_without_quotes_around_it() -> None:
    assert str(UnknownStateError("no state 'trial'")) == "no state 'trial'"


def _examples() -> list[SalesFunnelError]:
    opportunity = Opportunity("O-1", history=[StageChange("lead", T0)])
    return [
        UnknownStateError("no state 'trial'"),
        TransitionError("is closed", opportunity=opportunity, asked="demo", allowed=["lead"]),
        RequiredFieldError("no", opportunity=opportunity, asked="demo", missing=["amount"]),
        ObserverError(opportunity, [LookupError("no mail server")]),
        DataError("bad rows", [BadRow(2, "stage", "Dmo", "a stage")], more=3),
        MissingExtraError("StageLog.from_frame", "frames"),
    ]


@pytest.mark.parametrize("error", _examples(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "copied",
    [copy.copy, lambda error: pickle.loads(pickle.dumps(error))],  # noqa: S301
)
def test_an_error_reaches_another_process_with_all_that_it_carries(
    error: SalesFunnelError, copied: Callable[[SalesFunnelError], SalesFunnelError]
) -> None:
    other = copied(error)

    assert type(other) is type(error)
    assert str(other) == str(error)
    # By what they print: an exception that another carries equals nothing but itself.
    assert repr(vars(other)) == repr(vars(error))


# ── the engine's refusals ─────────────────────────────────────────────────────────────────────────


def test_a_refusal_tells_who_where_what_and_what_else_is_possible(
    opportunity: Opportunity,
) -> None:
    refusal = StageOrderError(
        "cannot go to 'offer'", opportunity=opportunity, asked="offer", allowed=["demo", "lost"]
    )

    assert str(refusal) == (
        "opportunity 'O-1' (in 'lead'): cannot go to 'offer'; from here it may enter 'demo', 'lost'"
    )
    assert refusal.opportunity is opportunity
    assert (refusal.state, refusal.asked, refusal.allowed) == ("lead", "offer", ("demo", "lost"))
    assert refusal.problem == "cannot go to 'offer'"


def test_a_refusal_that_leaves_no_choice_offers_none() -> None:
    refusal = TransitionError("open it first", opportunity=Opportunity("O-1"), asked=None)

    assert str(refusal) == "opportunity 'O-1' (not opened yet): open it first"
    assert (refusal.state, refusal.asked, refusal.allowed) == (None, None, ())


def test_a_refusal_for_want_of_fields_names_them(opportunity: Opportunity) -> None:
    refusal = RequiredFieldError(
        "cannot enter 'offer' without amount",
        opportunity=opportunity,
        asked="offer",
        missing=["amount"],
    )

    assert refusal.missing == ("amount",)
    assert str(refusal) == "opportunity 'O-1' (in 'lead'): cannot enter 'offer' without amount"


def test_failed_observers_are_listed_and_the_change_is_not_lost(opportunity: Opportunity) -> None:
    failures = [ValueError("no mail server"), RuntimeError("queue full")]

    error = ObserverError(opportunity, failures)

    assert str(error) == (
        "opportunity 'O-1' entered 'lead', but 2 observers failed: ValueError: no mail server; "
        "RuntimeError: queue full. The change is complete; its value is this error's `.opportunity`"
    )
    assert error.opportunity is opportunity
    assert error.errors == tuple(failures)


# ── data ──────────────────────────────────────────────────────────────────────────────────────────


def test_bad_rows_are_listed_with_their_place_and_what_was_expected() -> None:
    rows = [BadRow(2, "stage", "Dmo", "a stage"), BadRow(7, "at", None, "a time")]

    error = DataError("2 rows cannot be entries", rows)

    assert str(error) == (
        "2 rows cannot be entries\n"
        "  row 2, stage: 'Dmo', expected a stage\n"
        "  row 7, at: None, expected a time"
    )
    assert (error.rows, error.more) == (tuple(rows), 0)


def test_bad_rows_beyond_those_listed_are_counted() -> None:
    error = DataError("many rows", [BadRow(2, "at", "", "a time")], more=12_345)

    assert str(error).endswith("\n  … and 12,345 more")


def test_a_long_bad_value_is_cut_but_keeps_its_closing_quote() -> None:
    text = str(BadRow(2, "note", "x" * 500, "a time"))

    assert text == "row 2, note: '" + "x" * 76 + "…', expected a time"


def test_a_file_at_fault_as_a_whole_lists_no_rows() -> None:
    error = DataError("deals.csv is empty")

    assert (str(error), error.rows, error.more) == ("deals.csv is empty", (), 0)


def test_a_missing_extra_names_the_line_that_installs_it() -> None:
    error: Any = MissingExtraError("StageLog.from_frame", "frames")

    assert str(error) == (
        "StageLog.from_frame needs an optional dependency: pip install 'salesfunnel[frames]'"
    )
    assert error.extra == "frames"
