"""A log as it was known at one instant: cut, collapsed and classified once, for all that asks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.progress import Progress, meter
from salesfunnel.kernel.runs import Runs, collapse, last_known_rows, last_known_within
from salesfunnel.kernel.standing import Standing, first_entries, standing
from salesfunnel.kernel.transitions import Transitions, transitions
from salesfunnel.log.labels import Grouping, Selection, attribute_names, group

Scalar = TypeVar("Scalar", bound=np.generic)

if TYPE_CHECKING:
    from salesfunnel.log.stagelog import StageLog


class View:
    """What a log says at `as_of` of all opportunities or some of them.

    Its arrays run over the m opportunities that are selected and have an entry by then.

    Parameters
    ----------
    log : StageLog
    as_of : int or None
        Microseconds since 1970 in UTC, inclusive; None only for an empty log.
    keep_repeats : bool
        Whether consecutive entries into one state stay apart.
    where : tuple of Selection
        Labels that opportunities must have at `as_of`.
    """

    def __init__(
        self,
        log: StageLog,
        as_of: int | None,
        *,
        keep_repeats: bool = False,
        where: tuple[Selection, ...] = (),
    ) -> None:
        self.log = log
        self.funnel = log.funnel
        self.as_of = as_of
        self.keep_repeats = keep_repeats
        self.where = where
        self.until = None if as_of is None or log.ends_by(as_of) else as_of

    @cached_property
    def known(self) -> NDArray[np.bool_] | None:
        """Which entries count: those of selected opportunities by `as_of`, (N,).

        None stands for all, which need no copy.
        """
        entries = self.log.entries
        known = None if self.until is None else entries.time <= self.until
        if self.where:
            everything = View(self.log, self.as_of)
            selected = np.zeros(len(entries.first_rows), bool)
            there = slice(None) if known is None else known[entries.first_rows]
            selected[there] = everything.having(self.where)
            chosen = np.repeat(selected, np.diff(entries.first_rows, append=len(entries)))
            known = chosen if known is None else known & chosen
        return known

    def cut(self, column: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return what a column of the log has at the entries that count."""
        return column if self.known is None else column[self.known]

    @cached_property
    def n_entries(self) -> int:
        """The number of entries that count."""
        return len(self.log) if self.known is None else int(np.count_nonzero(self.known))

    @cached_property
    def runs(self) -> Runs:
        """The collapsed histories."""
        return collapse(self.log.entries, self.known, keep_repeats=self.keep_repeats)

    @cached_property
    def opportunity(self) -> NDArray[np.integer[Any]]:
        """Codes of the opportunities, (m,)."""
        return self.runs.opportunity[self.runs.starts]

    @cached_property
    def standing(self) -> Standing:
        """Status and furthest state, (m,) each."""
        return standing(self.runs, len(self.funnel), self.funnel.n_presale)

    def classify(self, progress: Progress | None = None) -> Standing:
        """Return `standing`, telling how far it is while it is made; it is made once."""
        watch = meter(progress, "classify", len(self.runs.starts))
        if watch is not None and "standing" not in vars(self):
            n_stages, n_presale = len(self.funnel), self.funnel.n_presale
            vars(self)["standing"] = standing(self.runs, n_stages, n_presale, watch)
            watch.end()
        return self.standing

    @cached_property
    def transitions(self) -> Transitions:
        """Consecutive runs of one opportunity."""
        return transitions(self.runs)

    @cached_property
    def first_entries(self) -> NDArray[np.int64]:
        """First entry of each opportunity into each state, (m, S) microseconds."""
        return first_entries(self.runs, len(self.funnel) + 2)

    @cached_property
    def amount(self) -> NDArray[np.float64]:
        """Last known amount of each opportunity, (m,); NaN where there is none."""
        return self.amount_by(self.runs.ends)

    @cached_property
    def loss_reason(self) -> NDArray[np.int64]:
        """Code of the reason of the loss that stands, (m,); -1 where there is none of either."""
        stands = self.standing.last == self.funnel.lost
        reasons = np.full(len(stands), -1)
        reasons[stands] = self.reason_of(self.runs.ends[stands])
        return reasons

    def reason_of(self, run: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the code of the last reason given within some runs; -1 where there is none."""
        if self.log.reasons is None:
            return np.full(len(run), -1)
        codes = self.cut(self.log.reasons.codes)
        rows = last_known_within(codes >= 0, self.runs.first[run], self.runs.last[run])
        return np.where(rows >= 0, codes[rows], -1).astype(np.int64)

    def amount_by(self, run: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the last known amount up to and including some runs; NaN where there is none."""
        if self.log.amounts is None:
            return np.full(len(run), np.nan)
        amounts = self.cut(self.log.amounts)
        return amounts[self._last_known(~np.isnan(amounts), run)]

    def _last_known(self, known: NDArray[np.bool_], run: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the last rows, up to some runs, where their opportunities have a known value.

        Where there is none, a row without.
        """
        rows = self.runs.last_of(run)
        return rows if known.all() else last_known_rows(known, self.cut(self.log.entries.new))[rows]

    def having(self, where: tuple[Selection, ...]) -> NDArray[np.bool_]:
        """Return which opportunities have one of the labels of each selection, (m,).

        Raises
        ------
        UnknownAttributeError
            If the log has no such attribute or label.
        """
        kept = np.ones(len(self.runs.starts), bool)
        for selection in where:
            codes = selection.codes(self.log.attribute(selection.attribute).names)
            kept &= np.isin(self.label_by(selection.attribute, self.runs.ends), codes)
        return kept

    def label_by(self, attribute: str, run: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return codes of the last known label up to and including some runs; -1 for none."""
        labels = self.log.attribute(attribute)
        if labels.constant is not None:
            values = labels.constant.values
            if self.known is not None:
                values = values[self.known[self.log.entries.first_rows]]
            return values[self.runs.member[run]].astype(np.int64)
        codes = self.cut(labels.codes)
        return codes[self._last_known(codes >= 0, run)].astype(np.int64)

    def grouping(self, by: str | Sequence[str], run: NDArray[np.int64] | None = None) -> Grouping:
        """Return groups by the labels known at some runs, by default the last of each history."""
        names = attribute_names(by)
        at = self.runs.ends if run is None else run
        return group(
            [self.label_by(name, at) for name in names],
            [self.log.attribute(name).names for name in names],
        )
