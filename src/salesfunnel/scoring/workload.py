"""Leads as they come → the columns that an order of work is made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects, listing
from salesfunnel.columns.times import read_times
from salesfunnel.columns.values import as_column, in_one_currency, plain_values, read_amounts
from salesfunnel.errors import DefinitionError, ShapeError
from salesfunnel.model.instant import instant
from salesfunnel.model.lead import Lead
from salesfunnel.model.missing import is_missing
from salesfunnel.model.validation import to_duration
from salesfunnel.periods import BusinessCalendar
from salesfunnel.scoring.scorer import Scorer
from salesfunnel.scoring.scores import Scores
from salesfunnel.wording import Listed, Wording

Floats: TypeAlias = NDArray[np.float64]
Probability: TypeAlias = Mapping[str, float] | Callable[[Floats], Any] | Sequence[float] | Floats
Deadline: TypeAlias = str | timedelta | Mapping[str, str | timedelta] | Sequence[Any] | NDArray[Any]

_MICROSECOND = timedelta(microseconds=1)
_HOUR = 3_600_000_000


class Workload:
    """The columns of N leads, read when they are asked for.

    Attributes
    ----------
    ids : (N,) array of object
    leads : list of Lead or None
        None where identifiers were given.
    """

    def __init__(self, leads: Any) -> None:
        members = as_column(leads if isinstance(leads, np.ndarray) else list(leads), "leads")
        given = plain_values(members)
        self.leads: list[Lead] | None = None
        if any(isinstance(member, Lead) for member in given):
            strangers = [member for member in given if not isinstance(member, Lead)]
            if strangers:
                raise DefinitionError(
                    "leads are all Lead or all identifiers, not {given!r}", given=strangers[0]
                )
            self.leads = list(given)
            given = [lead.id for lead in self.leads]
        self.ids = np.empty(len(given), object)
        self.ids[:] = given
        self._rejects = Rejects(len(given), "collect")

    def __len__(self) -> int:
        return len(self.ids)

    def settle(self) -> None:
        """Raise a `DataError` that lists the bad values read so far, if there are any."""
        _refuse(self._rejects)

    def of_leads(self, what: str) -> list[Lead]:
        """Return the leads; `what` names the argument that needs them."""
        if self.leads is None:
            raise DefinitionError(
                "{what} needs leads as Lead, and identifiers were given", what=what
            )
        return self.leads

    def column(self, values: Any, name: str) -> Sequence[Any] | NDArray[Any]:
        """Return a column of a value for each lead."""
        column = as_column(values, name)
        if len(column) != len(self):
            raise ShapeError(
                "{name} has a value for each of {n} leads, not {given}",
                name=name,
                n=len(self),
                given=len(column),
            )
        return column

    def are_in(self, state: str) -> NDArray[np.bool_]:
        """Return which leads are in a state; none, where only identifiers are known."""
        return np.array(
            [lead.state == state for lead in self.leads or ()] or [False] * len(self), bool
        )

    def numbers(self, values: Any, name: str, low: float, high: float, expected: str) -> Floats:
        """Return a column of numbers within limits, NaN where there is none."""
        column = self.column(values, name)
        numbers = read_amounts(column, self._rejects, name)
        self._rejects.add((numbers < low) | (numbers > high), name, column, expected)
        return numbers

    # ── what an order is made from ────────────────────────────────────────────────────────────────

    def scores(
        self, score: Any, now: datetime | None, extra: str
    ) -> tuple[Floats, NDArray[Any], NDArray[np.bool_]]:
        """Return the score and the grade of each lead, and whether a rubric disqualifies it."""
        none = np.zeros(len(self), bool)
        if isinstance(score, Scorer):
            score = score.score_leads(
                self.of_leads(Wording("score= by a rubric")), as_of=now, extra=extra
            )
        if isinstance(score, Scores):
            if len(score) != len(self):
                raise ShapeError(
                    "score= is of {n_scores} leads, and there are {n}",
                    n_scores=len(score),
                    n=len(self),
                )
            grade = score.grade.astype(object)
            grade[grade == ""] = None
            return score.score.astype(np.float64), grade, score.disqualified
        grade = np.full(len(self), None, object)
        if score is not None:
            expected = Wording("a score from 0 to 100")
            return self.numbers(score, "score", 0, 100, expected), grade, none
        kept = self.of_leads(Wording("score=None, the score of each when it was qualified,"))
        grade[:] = [lead.grade for lead in kept]
        scores = [math.nan if lead.score is None else lead.score for lead in kept]
        return np.array(scores, np.float64), grade, none

    def probability(self, given: Any, score: Floats, grade: NDArray[Any]) -> Floats:
        """Return the probability of winning each lead; by default a hundredth of its score."""
        if given is None:
            return score / 100
        if isinstance(given, Mapping):
            unknown = sorted({g for g in grade.tolist() if g is not None} - set(given))
            if unknown:
                raise DefinitionError(
                    "probability= has no value for the grades {unknown}; it has {known}",
                    unknown=Listed(unknown),
                    known=Listed(given),
                )
            values: Any = [math.nan if g is None else given[g] for g in grade.tolist()]
        elif callable(given):
            values = np.asarray(given(score), np.float64)
        else:
            values = given
        return self.numbers(values, "probability", 0, 1, Wording("a probability from 0 to 1"))

    def amounts(self, given: Any, rates: Mapping[str, float] | None) -> tuple[Floats, str | None]:
        """Return what each lead may be worth, in one currency, and which it is."""
        if given is not None:
            expected = Wording("an amount of 0 or more")
            return self.numbers(given, "amount", 0, math.inf, expected), None
        leads = self.of_leads(Wording("amount=None, the amount of each lead,"))
        column = [lead.amount for lead in leads]
        amounts = read_amounts(column, self._rejects, "amount")
        return in_one_currency(
            amounts, [lead.currency for lead in leads], rates, self._rejects, "amount"
        )

    def hours(self, given: Any) -> Floats:
        """Return the hours that each takes: one number for all, or one for each."""
        values = np.full(len(self), given) if np.ndim(given) == 0 else given
        expected = Wording("a number of hours above 0")
        hours = self.numbers(values, "hours", np.nextafter(0, 1), math.inf, expected)
        self._rejects.add(np.isnan(hours), "hours", self.column(values, "hours"), expected)
        return hours

    def hours_left(
        self,
        deadline: Any,
        now: datetime | None,
        calendar: BusinessCalendar | None,
        grade: NDArray[Any],
        out: NDArray[np.bool_],
    ) -> Floats:
        """Return the hours until each has to be answered, below zero where that is over.

        Infinite where there is no deadline; so are those that are out, if it is a length of time.
        """
        left = np.full(len(self), np.inf)
        if deadline is None:
            return left
        if now is None:
            raise DefinitionError("a deadline= needs now=, the time that it is")
        moment = instant(now, "now=") // _MICROSECOND
        if isinstance(deadline, (str, timedelta, Mapping)):
            allowed = self._allowed(deadline, grade)
            due = np.flatnonzero(~np.isnan(allowed) & ~out)
            received = self._received(due)
            left[due] = allowed[due] - self._between(received, np.full(len(due), moment), calendar)
            return left
        column = self.column(deadline, "deadline")
        known = np.flatnonzero([not is_missing(value) for value in plain_values(column)])
        rejects = Rejects(len(known), "collect", row_number=lambda index: int(known[index]))
        times = read_times(
            column[known]
            if isinstance(column, np.ndarray)
            else [column[row] for row in known.tolist()],
            rejects,
            column="deadline",
            tz=now.tzinfo,
        )
        _refuse(rejects)
        left[known] = self._between(np.full(len(known), moment), times, calendar)
        return left

    def _allowed(self, deadline: Any, grade: NDArray[Any]) -> Floats:
        hour = timedelta(hours=1)
        if not isinstance(deadline, Mapping):
            length = to_duration(deadline)
            assert length is not None
            return np.full(len(self), length / hour)
        by_grade = {key: to_duration(value) for key, value in deadline.items()}
        lengths = [by_grade.get(key) for key in grade.tolist()]
        return np.array([math.nan if each is None else each / hour for each in lengths], float)

    def _received(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        times = [
            lead.received_at for lead in self.of_leads(Wording("deadline= as a length of time"))
        ]
        absent = np.zeros(len(self), bool)
        absent[rows] = [times[row] is None for row in rows.tolist()]
        self._rejects.add(
            absent, "received_at", times, Wording("when the lead came, as its deadline asks")
        )
        known = (times[row] for row in rows.tolist())
        return np.array([0 if at is None else instant(at) // _MICROSECOND for at in known], int)

    @staticmethod
    def _between(
        start: NDArray[np.int64], end: NDArray[np.int64], calendar: BusinessCalendar | None
    ) -> Floats:
        if calendar is None:
            return (end - start) / _HOUR
        return calendar.business_microseconds(start, end) / _HOUR

    def received(self) -> Floats:
        """Return when each came, for ties only: infinite where that is not known."""
        if self.leads is None:
            return np.full(len(self), np.inf)
        times = [lead.received_at for lead in self.leads]
        return np.array([math.inf if at is None else instant(at).total_seconds() for at in times])


def _refuse(rejects: Rejects) -> None:
    if rows := rejects.settle():
        found = Wording("lead has a value" if len(rows) == 1 else "leads have values")
        raise listing(Wording("{n:,} {found} that cannot be used:", n=len(rows), found=found), rows)
