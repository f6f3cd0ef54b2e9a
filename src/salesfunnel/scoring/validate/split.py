"""Splits by time: nothing is learnt from what was not known yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects, listing
from salesfunnel.columns.times import read_times
from salesfunnel.columns.values import as_column
from salesfunnel.errors import DataError, DefinitionError, OutcomeError
from salesfunnel.log.stagelog import Instant
from salesfunnel.periods import FIRST, from_microseconds, to_instant, to_zone
from salesfunnel.scoring.validate.arrays import refuse_rows
from salesfunnel.wording import Listed, Wording

Times = Sequence[Any] | NDArray[Any]
STRADDLING = ("leave_out", "test")


@attrs.frozen(eq=False)
class TimeSplit:
    """Which leads a score may be learnt from, and which it is tried on.

    Attributes
    ----------
    at : datetime
        The instant of the split, aware.
    train : (N,) bool
        Decided by then.
    test : (N,) bool
        Scored after it, and decided since.
    straddling : (N,) bool
        Scored by then and decided after: not known when learning, not new when trying. They are in
        the test only with ``straddling="test"``.
    undecided : (N,) bool
        Not decided at all, and in neither part.
    """

    at: datetime
    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    straddling: NDArray[np.bool_]
    undecided: NDArray[np.bool_]

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{name} {int(np.count_nonzero(getattr(self, name))):,}"
            for name in ("train", "test", "straddling", "undecided")
        )
        return f"TimeSplit(at {self.at.isoformat()}: {counts})"


def time_split(
    scored_at: Times,
    decided_at: Times,
    at: Instant,
    *,
    until: Instant | None = None,
    straddling: str = "leave_out",
    tz: str | tzinfo | None = None,
) -> TimeSplit:
    """Split leads at an instant: learn from those decided by then, try on those scored after it.

    Parameters
    ----------
    scored_at : (N,) sequence of times
        When each lead is scored, which is when its features were as they are: usually when it came.
    decided_at : (N,) sequence of times
        When each was won or lost; None or NaT for those that are not decided.
    at : datetime, date or str
        The instant of the split, inclusive as `as_of` is elsewhere; a date means its end.
    until : datetime, date or str, optional
        Try on leads scored by this instant only, inclusive.
    straddling : {"leave_out", "test"}
        What becomes of leads scored by `at` and decided after it. They are those that took long, so
        they are not like others; in the test they stand for leads that are scored at `at`, and
        their features must be what was known then.
    tz : str or tzinfo, optional
        The zone of times that name none, and of dates.

    Returns
    -------
    TimeSplit

    Raises
    ------
    OutcomeError
        If no lead was decided by `at`, or none is left to try on.
    DataError
        If a time is none, a lead was decided before it was scored, or the lengths differ.
    NaiveTimeError
        If a time names no zone and `tz` is not given.
    DefinitionError
        If another argument is not of this form.

    Notes
    -----
    The test has only leads that are decided by now: near the end of the data these are the quick
    ones. Let the test end (`until`) about a sales cycle before the data does.

    Examples
    --------
    >>> split = time_split(
    ...     ["2026-01-05", "2026-01-20", "2026-02-03", "2026-02-04"],
    ...     ["2026-01-30", "2026-02-20", "2026-02-25", None],
    ...     "2026-01-31",
    ...     tz="UTC",
    ... )
    >>> split
    TimeSplit(at 2026-01-31T23:59:59.999999+00:00: train 1, test 1, straddling 1, undecided 1)
    """
    scored, decided, known = scoring_times(scored_at, decided_at, tz)
    return split_instants(scored, decided, known, at, until, straddling, to_zone(tz))


def split_instants(
    scored: NDArray[np.int64],
    decided: NDArray[np.int64],
    known: NDArray[np.bool_],
    at: Instant,
    until: Instant | None,
    straddling: str,
    zone: tzinfo,
) -> TimeSplit:
    """Return the split of leads whose times are microseconds, decided where known; all (N,).

    Errors are those of `time_split`.
    """
    if straddling not in STRADDLING:
        raise DefinitionError(
            "straddling= is one of {known}, not {straddling!r}",
            known=Listed(STRADDLING),
            straddling=straddling,
        )
    if not known.any():
        raise _none_decided()
    instant = to_instant(at, zone, "at=")
    last = None if until is None else to_instant(until, zone, "until=")
    if last is not None and last <= instant:
        raise DefinitionError("until={until!r} does not lie after at={at!r}", until=until, at=at)
    split = _split(scored, decided, known, instant, last, straddling, zone)
    if not split.train.any():
        raise OutcomeError(
            "at={at!r} leaves nothing to learn from: no lead was decided by then, the first of "
            "them on {day}",
            at=at,
            day=_day(decided[known].min(), zone),
        )
    if not split.test.any():
        end = "" if until is None else Wording(" and until={until!r}", until=until)
        latest = _day(scored[known].max(), zone)
        raise OutcomeError(
            "at={at!r}{end} leaves nothing to try on: no decided lead was scored after it, the "
            "last of them on {latest}",
            at=at,
            end=end,
            latest=latest,
        )
    return split


def time_folds(
    scored_at: Times,
    decided_at: Times,
    folds: int = 4,
    *,
    tz: str | tzinfo | None = None,
) -> tuple[TimeSplit, ...]:
    """Cut the time in which leads were decided into folds + 1 parts, and split at each cut.

    Each split learns from all that was decided by its cut, and tries on the leads scored from there
    up to the next one, so that every trial lies in the future of what it learnt from.

    Parameters
    ----------
    scored_at, decided_at : (N,) sequence of times
        As for `time_split`.
    folds : int
        The number of splits, 1 or more; the cuts are quantiles of the times of decision.
    tz : str or tzinfo, optional
        The zone of times that name none.

    Returns
    -------
    tuple of TimeSplit

    Raises
    ------
    OutcomeError
        If a fold has no lead to try on: ask for fewer folds.
    DataError, NaiveTimeError, DefinitionError
        As for `time_split`.
    """
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 1:
        raise DefinitionError("folds= is a number of folds, 1 or more, not {folds!r}", folds=folds)
    zone = to_zone(tz)
    scored, decided, known = scoring_times(scored_at, decided_at, tz)
    places = np.arange(1, folds + 1) / (folds + 1)
    cuts = np.quantile(decided[known], places, method="inverted_cdf").tolist()
    splits = tuple(
        _split(scored, decided, known, cut, following, "leave_out", zone)
        for cut, following in zip(cuts, [*cuts[1:], None], strict=True)
    )
    for split in splits:
        if not split.test.any():
            raise OutcomeError(
                "folds={folds}: no decided lead was scored in the part that begins on {day}, so "
                "there is nothing to try on; ask for fewer folds",
                folds=folds,
                day=split.at.date(),
            )
    return splits


def scoring_times(
    scored_at: Times, decided_at: Times, tz: str | tzinfo | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return when leads were scored and decided, in microseconds, and which are decided, (N,).

    Raises
    ------
    OutcomeError
        If none is decided.
    DataError
        If a time is none, a lead was decided before it was scored, or the lengths differ.
    """
    scored = read_instants(scored_at, "scored_at", tz)
    decided = read_instants(decided_at, "decided_at", tz, gaps=True)
    if len(scored) != len(decided):
        raise DataError(
            "scored_at has {n_scored:,} rows and decided_at {n_decided:,}; there must be one of "
            "each for every lead",
            n_scored=len(scored),
            n_decided=len(decided),
        )
    known = decided > FIRST
    if not known.any():
        raise _none_decided()
    refuse_rows(
        known & (decided < scored),
        "decided_at",
        as_column(decided_at, "decided_at"),
        Wording("a time that is not before the lead was scored (scored_at)"),
    )
    return scored, decided, known


def read_instants(
    values: Times, name: str, tz: str | tzinfo | None, *, gaps: bool = False
) -> NDArray[np.int64]:
    """Return times as microseconds since 1970 in UTC, (N,); with `gaps` `FIRST` for a missing one.

    Raises
    ------
    DataError
        If one of them is no time.
    """
    column = as_column(values, name)
    rejects = Rejects(len(column), "collect")
    zone = None if tz is None else to_zone(tz)
    missing = from_microseconds(FIRST) if gaps else None
    micro = read_times(column, rejects, column=name, tz=zone, missing=missing)
    if rows := rejects.settle():
        noun = Wording("value" if len(rows) == 1 else "values")
        raise listing(
            Wording(
                "{name} has {n:,} {noun} that cannot be used:",
                name=name,
                n=len(rows),
                noun=noun,
            ),
            rows,
        )
    return micro


def _split(
    scored: NDArray[np.int64],
    decided: NDArray[np.int64],
    known: NDArray[np.bool_],
    at: int,
    until: int | None,
    straddling: str,
    zone: tzinfo,
) -> TimeSplit:
    after = scored > at
    train = known & (decided <= at)
    between = known & ~train & ~after
    test = known & after
    if until is not None:
        test &= scored <= until
    if straddling == "test":
        test |= between
    return TimeSplit(from_microseconds(at, zone), train, test, between, ~known)


def _none_decided() -> OutcomeError:
    return OutcomeError("decided_at: no lead is decided, so there is nothing to learn from")


def _day(micro: int, zone: tzinfo) -> str:
    return from_microseconds(int(micro), zone).date().isoformat()
