"""Findings: the most important things in the data, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where, attribute_names
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.expected import FOLLOWING
from salesfunnel.review.changed import changed
from salesfunnel.review.costliest import costliest_stage, costs, main_reason
from salesfunnel.review.differing import differing
from salesfunnel.review.finding import Finding


def findings(
    log: StageLog,
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    most: int = 3,
) -> tuple[Finding, ...]:
    """Return the most important things that the data say, the most important first.

    Looked for are the stage whose losses cost most sales, the reason behind them, the group that
    wins more or less than the others, and what changed since the period before. What the data do
    not support is left out: there may be no finding at all.

    Parameters
    ----------
    log : StageLog
    by : str or sequence of str, optional
        Attributes whose groups are compared; by default all, but for those that follow how a deal
        goes (expected_close, forecast_category).
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    most : int
        How many findings are returned at most.

    Returns
    -------
    tuple of Finding
        In descending order of the sales that are at stake.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.

    Notes
    -----
    The losses at a stage cost as many sales as would have come of them had they gone on and fared
    as those that did: lost · ∏ resolved conversion of the later stages before the sale. A stage is
    a finding if it costs more than any other in 95% of 2,000 bootstrap samples of the opportunities
    (B. Efron and R. Tibshirani 1993, An Introduction to the Bootstrap); a reason, if the Wilson
    bounds say that it is more frequent than the next; a group or a period, if Newcombe's interval
    of the difference leaves out zero. Levels allow for the number of comparisons (Bonferroni).

    Examples
    --------
    >>> from salesfunnel.model.funnel import Funnel
    >>> findings(StageLog.from_columns(Funnel(["lead"]), opportunity=[], stage=[], entered_at=[]))
    ()
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise DefinitionError("most= is a number of findings, not {most!r}", most=most)
    view = log.view(as_of, where)
    names = [*log.attributes] if by is None else [*attribute_names(by)]
    for name in names:
        log.attribute(name)
    if by is None:
        names = [name for name in names if name not in FOLLOWING]
    if view.as_of is None or not len(view.opportunity):
        return ()
    cost = costs(view)
    found = changed(view)
    stage = costliest_stage(view, cost)
    if stage is not None:
        found.append(stage[1])
    for other in (
        main_reason(view, cost, None if stage is None else stage[0]),
        differing(view, names),
    ):
        if other is not None:
            found.append(other)
    return tuple(sorted(found, key=lambda finding: -finding.at_stake)[:most])
