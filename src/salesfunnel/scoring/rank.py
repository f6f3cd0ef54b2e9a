"""Order of work: which leads to work on now, in the time that there is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.periods import BusinessCalendar
from salesfunnel.scoring.schedule import Floats, schedule
from salesfunnel.scoring.workload import Workload
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed

BY = ("score", "value", "value_per_hour")
"""What leads are put in order by."""
DECISIONS = ("work", "work_late", "no_room", "unknown", "disqualified", "converted")
"""What becomes of a lead: it is worked on; or although its deadline is missed; there is no time for
it; its score or amount is not known; it is disqualified, or an opportunity by now. In this order
they are listed, but that what is worked on late stands among the rest."""
_WORK, _LATE, _NO_ROOM, _UNKNOWN, _DISQUALIFIED, _CONVERTED = range(len(DECISIONS))


def prioritise(
    leads: Any,
    *,
    score: Any = None,
    by: str = "score",
    probability: Any = None,
    amount: Any = None,
    rates: Mapping[str, float] | None = None,
    hours: Any = 1.0,
    deadline: Any = None,
    late: float = 0.5,
    now: datetime | None = None,
    calendar: BusinessCalendar | None = None,
    capacity: float | None = None,
    extra: str = "raise",
) -> Table:
    """Return leads in the order to work on them, and who has to wait.

    Ties are settled: of equal leads the one with the higher score comes first, then the one whose
    deadline is earlier, then the one that came earlier, then the one given first.

    Parameters
    ----------
    leads : (N,) sequence of Lead, or of identifiers
    score : Rubric, Grid, Scores or (N,) sequence, optional
        How they score, from 0 to 100. By default each lead has the score that it was qualified
        with.
    by : {"score", "value", "value_per_hour"}
        What comes first: the highest score; the highest expected value, probability × amount; or
        the highest expected value an hour, with deadlines kept.
    probability : (N,) sequence, mapping of grade to number, or callable, optional
        The probability of winning each; a callable gets the scores, as a calibrated model does. By
        default a hundredth of the score, which is no more than a guess.
    amount : (N,) sequence, optional
        What each is worth if won; by default the amounts of the leads.
    rates : mapping of str to float, optional
        What one unit of each currency is worth; needed for leads in several currencies.
    hours : float or (N,) sequence
        How long it takes to work on one.
    deadline : timedelta, str, mapping of grade to these, or (N,) sequence of times, optional
        By when work on a lead has to start: so long after it came (as in ``"4h"``), or a time.
    late : float
        The share of its expected value that a lead keeps when its deadline is missed, from 0 to 1.
    now : datetime, optional
        The time that it is, by which evidence has its age; needed where there are deadlines.
    calendar : BusinessCalendar, optional
        Working hours, in which the time until a deadline is counted; by default all hours count.
    capacity : float, optional
        How many leads there is time for; with ``by="value_per_hour"`` how many hours. By default
        there is time for all.
    extra : {"raise", "ignore"}
        What evidence is for a criterion that the rubric does not have; see `Rubric.score_lead`.

    Returns
    -------
    Table
        A row for each lead, in order: ``rank`` from 1, ``lead``, ``decision`` (why it stands there:
        ``work``, ``work_late``, ``no_room``, ``unknown``, ``disqualified``, ``converted``),
        ``score``, ``grade``; by value also ``probability``, ``amount`` and ``expected_value``; by
        value per hour also ``hours``, ``value_per_hour`` (of what a late one is still worth),
        ``hours_left`` until its deadline (infinite without) and ``starts_in`` so many hours (NaN
        where it waits).

    Raises
    ------
    DataError
        If scores, probabilities, amounts, hours or deadlines are none: it lists them.
    CurrencyError
        If amounts are in several currencies and there are no `rates`.
    ShapeError, DefinitionError, UnknownCriterionError, LevelError
        If an argument is not of this form.

    Notes
    -----
    By value per hour, leads are worked on in the order of their deadlines, and those without one
    last; which of them are, when there are too few hours, `salesfunnel.scoring.schedule` decides.

    Examples
    --------
    >>> table = prioritise(["A", "B", "C"], score=[50, 80, 50], capacity=2)
    >>> table["lead"].tolist(), table["decision"].tolist()
    (['B', 'A', 'C'], ['work', 'work', 'no_room'])
    """
    _check(by, late, capacity)
    work = Workload(leads)
    scores, grade, disqualified = work.scores(score, now, extra)
    disqualified = disqualified | work.are_in("disqualified")
    converted = work.are_in("converted")
    left = work.hours_left(deadline, now, calendar, grade, disqualified | converted)
    columns: dict[str, Floats] = {}
    currency = None
    key = scores
    if by != "score":
        columns["probability"] = work.probability(probability, scores, grade)
        columns["amount"], currency = work.amounts(amount, rates)
        key = columns["expected_value"] = columns["probability"] * columns["amount"]
    takes = work.hours(hours) if by == "value_per_hour" else np.ones(len(work))
    work.settle()
    key = np.where(disqualified | converted, np.nan, key)
    limit = math.inf if capacity is None else float(capacity)

    tie = _places(np.lexsort((work.received(), left, -scores)))
    if by == "value_per_hour":
        plan = schedule(key, takes, left, tie, capacity=limit, late=late)
        worth = np.where(plan.is_late, late * key, key) / takes
        columns |= {"hours": takes, "value_per_hour": worth, "hours_left": left}
        columns["starts_in"] = np.full(len(work), np.nan)
        columns["starts_in"][plan.order] = plan.start
        chosen, is_late = plan.order, plan.is_late
    else:
        worth, is_late = key, np.zeros(len(work), bool)
        chosen = np.lexsort((tie, -worth))[: np.count_nonzero(~np.isnan(key))]
        chosen = chosen[: int(min(limit, len(chosen)))]
    decision = np.select(
        [converted, disqualified, np.isnan(key)], [_CONVERTED, _DISQUALIFIED, _UNKNOWN], _NO_ROOM
    )
    decision[chosen] = np.where(is_late[chosen], _LATE, _WORK)
    place = np.full(len(work), len(work))
    place[chosen] = np.arange(len(chosen))
    order = np.lexsort((tie, -worth, decision, place))
    return _table(
        work,
        order,
        decision,
        scores,
        grade,
        columns,
        by=by,
        currency=currency,
        is_guess=probability is None,
    )


def _check(by: str, late: float, capacity: float | None) -> None:
    if by not in BY:
        raise DefinitionError("by= is one of {known}, not {by!r}", known=Listed(BY), by=by)
    if not is_number(late) or not 0 <= late <= 1:
        raise DefinitionError("late= is a share from 0 to 1, not {late!r}", late=late)
    if capacity is not None and not (is_number(capacity) and capacity >= 0):
        raise DefinitionError(
            "capacity= is a number of 0 or more, or None, not {capacity!r}", capacity=capacity
        )


def is_number(value: object) -> bool:
    """Return whether a value is a number, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _places(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each in an order."""
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places


def _table(
    work: Workload,
    order: NDArray[np.int64],
    decision: NDArray[np.int64],
    score: Floats,
    grade: NDArray[Any],
    extra: Mapping[str, Floats],
    *,
    by: str,
    currency: str | None,
    is_guess: bool,
) -> Table:
    kinds = {"probability": "rate", "amount": "money", "expected_value": "money"}
    kinds["value_per_hour"] = "money"
    columns = [
        Column("rank", np.arange(1, len(order) + 1)),
        Column("lead", work.ids[order]),
        Column("decision", np.array(DECISIONS, object)[decision[order]], labels=_decision),
        Column("score", score[order]),
        Column("grade", grade[order]),
        *(Column(name, values[order], kinds.get(name)) for name, values in extra.items()),
    ]
    notes = [Phrase(f"note.order_by_{by}")]
    if by != "score" and is_guess:
        notes.append(Phrase("note.score_as_probability"))
    if currency is not None:
        notes.append(Phrase("note.currency", {"currency": currency}))
    hidden = {"amount", "probability"} & extra.keys() if by == "value_per_hour" else set()
    if not any(each is not None for each in grade.tolist()):
        hidden.add("grade")
    if "hours_left" in extra and np.isinf(extra["hours_left"]).all():
        hidden.add("hours_left")
    return Table(columns, title=Phrase("title.order_of_work"), notes=notes, hidden=hidden)


def _decision(key: str, lang: str) -> str:
    return catalogue(lang).text(f"value.decision_{key}")
