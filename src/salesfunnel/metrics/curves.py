"""Curves that step where something happened: of one group, or of many in one set of arrays."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Self

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.memory import empty
from salesfunnel.kernel.segments import counts, sums_before
from salesfunnel.metrics.intervals import critical_value, wilson
from salesfunnel.metrics.lifetimes import Durations
from salesfunnel.metrics.ordinals import CHUNK
from salesfunnel.metrics.risksets import RiskSets
from salesfunnel.wording import Wording

Floats = NDArray[np.float64]

_TINY, _LARGEST = 1e-300, 1 - 2**-53
_WIDEST = 700.0  # on the scale of the logarithm: beyond it there is only 0 and 1
_ROUNDING = 1e-9
"""A share so close to a level has reached it: one of 100 million is more than that."""


@attrs.frozen(slots=False, eq=False)
class StepCurve:
    """What the curves of Kaplan and Meier and of Aalen and Johansen share.

    Attributes
    ----------
    sets : RiskSets
        The rows of the curve.
    estimate : (n,) float64
        The value from each time on, until the next.
    level : float
        Confidence level of the intervals.
    grouped : bool
        Whether there are groups; results then have an axis for them, the first.
    """

    sets: RiskSets = attrs.field(repr=False)
    estimate: Floats = attrs.field(repr=False)
    level: float
    grouped: bool

    before_any: ClassVar[float]
    """The value before anything happened."""

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.estimate)

    def __getitem__(self, group: int) -> Self:
        """Return the curve of one group.

        Raises
        ------
        DefinitionError
            If there is no such group.
        """
        sets, n_groups = self.sets, len(self.sets.size)
        if not self.grouped or not 0 <= group < n_groups:
            known = (
                Wording("groups are 0 to {last}", last=n_groups - 1)
                if self.grouped
                else Wording("it has no groups")
            )
            raise DefinitionError(
                "no group {group!r} in this curve; {known}", group=group, known=known
            )
        rows = slice(*sets.starts[group : group + 2].tolist())
        return attrs.evolve(
            self,
            sets=RiskSets(
                np.array([0, rows.stop - rows.start]),
                sets.size[group : group + 1],
                sets.longest[group : group + 1],
                *(column[rows] for column in sets[3:]),
            ),
            estimate=self.estimate[rows],
            grouped=False,
        )

    @property
    def time(self) -> Durations:
        """When something happened: ascending, within each group, (n,)."""
        return self.sets.time

    @property
    def at_risk(self) -> NDArray[np.int64]:
        """How many were followed at least so long, (n,)."""
        return self.sets.at_risk

    @property
    def events(self) -> NDArray[np.int64]:
        """To how many of them it happened, (n,)."""
        return self.sets.events

    @cached_property
    def group(self) -> NDArray[np.int64]:
        """The group of each row, (n,)."""
        return np.repeat(np.arange(len(self.sets.size)), np.diff(self.sets.starts))

    @property
    def variance(self) -> Floats:
        """Of the estimate, (n,)."""
        raise NotImplementedError

    @property
    def low(self) -> Floats:
        """Lower bounds of the estimate, (n,)."""
        return self._bounds[0]

    @property
    def high(self) -> Floats:
        """Upper bounds of the estimate, (n,)."""
        return self._bounds[1]

    def at(self, time: ArrayLike) -> Floats:
        """Return the estimate at some times.

        Parameters
        ----------
        time : array-like of numbers
            Of any shape T.

        Returns
        -------
        array of float
            Of the shape T, or (G, …) of groups; NaN later than anybody was followed, unless the
            curve is complete by then.

        Raises
        ------
        DefinitionError
            If a time is negative or NaN.
        """
        return self._look_up(self.estimate, np.full(len(self.sets.size), self.before_any), time)

    def interval_at(self, time: ArrayLike) -> tuple[Floats, Floats]:
        """Return the bounds of the estimate at some times, each as `at` returns the estimate.

        Before anything happened they are those of a share of 0 or 1 of the opportunities at risk
        when it first did (Wilson).
        """
        rows = self.sets.starts[:-1]
        first = np.append(self.sets.at_risk, 0)[rows]
        trials = np.where(rows < self.sets.starts[1:], first, 0)
        bounds = wilson(trials * self.before_any, trials, self.level)
        low, high = (
            self._look_up(bound, start, time)
            for bound, start in zip(self._bounds, bounds, strict=True)
        )
        return low, high

    def quantile(self, q: ArrayLike) -> Floats:
        """Return the first times by which it had happened to some shares of the opportunities.

        Parameters
        ----------
        q : array-like of float
            Shares in (0, 1], of any shape Q.

        Returns
        -------
        array of float
            Of the shape Q, or (G, …) of groups; NaN where it never happened to so many.

        Raises
        ------
        DefinitionError
            If a share is not in (0, 1].
        """
        return self._first(self._happened(self.estimate), q)

    def quantile_interval(self, q: ArrayLike) -> tuple[Floats, Floats]:
        """Return bounds of quantiles, each as `quantile` returns them; NaN where there is none.

        They are the times at which the bounds of the curve reach the share: R. Brookmeyer and
        J. Crowley (1982), "A confidence interval for the median survival time", Biometrics 38,
        29–41.
        """
        one, other = (self._first(self._happened(bound), q) for bound in self._bounds)
        return (other, one) if self.before_any == 0 else (one, other)

    # ── how ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def _relative_variance(self) -> Floats:
        """The variance divided by the square of the estimate, (n,); 0 where that is 0."""
        squares = self.estimate**2
        relative = np.zeros(len(squares))
        return np.asarray(np.divide(self.variance, squares, out=relative, where=squares > 0))

    @cached_property
    def _complete(self) -> NDArray[np.bool_]:
        """Whether all of a group were followed to an event: there is nothing left to know, (G,)."""
        sets = self.sets
        if len(sets.time) == 0:
            return np.zeros(len(sets.size), bool)
        last = np.maximum(sets.starts[1:] - 1, 0)
        all_ended: NDArray[np.bool_] = (
            sets.at_risk[last] == sets.events[last] + sets.competing[last]
        )
        return all_ended & (sets.starts[1:] > sets.starts[:-1])

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        z, sets, share = critical_value(self.level), self.sets, self.estimate
        relative = self._relative_variance
        low, high = empty(len(share), np.float64), empty(len(share), np.float64)
        for start in range(0, len(share), CHUNK):
            part = slice(start, start + CHUNK)
            p = np.clip(share[part], _TINY, _LARGEST)  # 0 and 1 have other bounds, below
            log = np.log(p, out=p)
            width = np.sqrt(relative[part])
            width *= -z
            width /= log
            factor = np.exp(np.minimum(width, _WIDEST, out=width), out=width)
            np.exp(np.multiply(log, factor, out=low[part]), out=low[part])
            np.exp(np.divide(log, factor, out=high[part]), out=high[part])
        ends = np.flatnonzero((share == 0) | (share == 1))
        if len(ends):
            ended = sets.events + sets.competing
            first = sets.starts[np.searchsorted(sets.starts, ends, side="right") - 1]
            fates = sets.at_risk[ends] + sums_before(ended, ends) - sums_before(ended, first)
            low[ends], high[ends] = wilson(share[ends] * fates, fates, self.level)
        return low, high

    def _happened(self, estimate: Floats) -> Floats:
        return estimate if self.before_any == 0 else 1 - estimate

    def _look_up(self, values: Floats, start: Floats, time: ArrayLike) -> Floats:
        """Return values at times; before the first of each group its start, (G,)."""
        asked, sets = np.asarray(time, float), self.sets
        if not (asked >= 0).all():
            raise DefinitionError("times are durations, which are not negative and not NaN")
        times = asked.reshape(-1)
        if self.grouped:
            passed = [counts(sets.time <= moment, sets.starts) for moment in times.tolist()]
            position = np.array(passed, np.int64).reshape(len(times), len(sets.size)).T
        else:
            position = np.searchsorted(sets.time, times, side="right")[None, :]
        row = sets.starts[:-1, None] + position - 1
        found = np.where(position > 0, np.append(values, np.nan)[row], start[:, None])
        is_known = (times <= sets.longest[:, None]) | self._complete[:, None]
        return self._shaped(np.where(is_known, found, np.nan), asked.shape)

    def _first(self, happened: Floats, q: ArrayLike) -> Floats:
        """Return the first times at which a share of each group is at least q."""
        asked, sets = np.asarray(q, float), self.sets
        if not ((asked > 0) & (asked <= 1)).all():
            raise DefinitionError("quantiles are asked for shares above 0, up to 1")
        found = []
        for share in asked.reshape(-1).tolist():
            reached = np.append(np.flatnonzero(happened >= share - _ROUNDING), len(happened))
            first = reached[np.searchsorted(reached, sets.starts[:-1])]
            times = np.append(sets.time, 0)[first]
            found.append(np.where(first < sets.starts[1:], times, np.nan))
        return self._shaped(np.array(found).reshape(asked.size, len(sets.size)).T, asked.shape)

    def _shaped(self, values: NDArray[Any], shape: tuple[int, ...]) -> Floats:
        return np.asarray(values.reshape((len(values), *shape) if self.grouped else shape), float)
