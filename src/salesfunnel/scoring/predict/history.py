"""From a log to what a score can be learnt from: what was known at first, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError, FeatureError
from salesfunnel.kernel.standing import LOST, OPEN
from salesfunnel.log.labels import Where
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.expected import FOLLOWING
from salesfunnel.scoring.predict.features import Features
from salesfunnel.scoring.validate.split import TimeSplit, split_instants
from salesfunnel.wording import Listed

WHICH = ("decided", "open", "all")


@attrs.frozen(eq=False)
class LeadHistory:
    """Opportunities as they were when they came, and what became of them; one row for each.

    Attributes
    ----------
    opportunity : (M,) array
        Identifiers.
    features : Features
        What was known at the first entry, and nothing later.
    won : (M,) bool
        Whether each was won; also one that churned since. False for those not decided.
    scored_at : (M,) datetime64[us]
        The first entry, in UTC.
    decided_at : (M,) datetime64[us]
        When it was won or lost, in UTC; NaT for those not decided.
    tz : tzinfo
        The business time zone of the log.
    """

    opportunity: NDArray[Any]
    features: Features
    won: NDArray[np.bool_]
    scored_at: NDArray[np.datetime64]
    decided_at: NDArray[np.datetime64]
    tz: tzinfo

    def __len__(self) -> int:
        return len(self.won)

    def __getitem__(self, rows: Any) -> LeadHistory:
        """Return some of the opportunities: a mask, places, or a slice."""
        return LeadHistory(
            self.opportunity[rows],
            self.features[rows],
            self.won[rows],
            self.scored_at[rows],
            self.decided_at[rows],
            self.tz,
        )

    def split(
        self, at: Instant, *, until: Instant | None = None, straddling: str = "leave_out"
    ) -> TimeSplit:
        """Split at an instant, read in the log's zone; see `time_split`.

        Raises
        ------
        OutcomeError, DefinitionError
            As of `time_split`.
        """
        scored, decided = (times.view(np.int64) for times in (self.scored_at, self.decided_at))
        known = ~np.isnat(self.decided_at)
        return split_instants(scored, decided, known, at, until, straddling, self.tz)


def lead_history(
    log: StageLog,
    attributes: Sequence[str] | None = None,
    *,
    amount: bool = False,
    which: str = "decided",
    as_of: Instant | None = None,
    where: Where | None = None,
) -> LeadHistory:
    """Return what was known of each opportunity at its first entry, and what became of it.

    Labels and amount are those of the first entry itself: what the log has of them later, when the
    deal went on or was closed, is not what a score could have known.

    Parameters
    ----------
    log : StageLog
    attributes : sequence of str, optional
        The attributes to take as features; by default all but those that follow from how a deal
        goes (expected_close, forecast_category).
    amount : bool
        Whether the amount is a feature, called ``amount``.
    which : {"decided", "open", "all"}
        Those won, lost or churned, to learn from; those open, to score; or both.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping, optional
        Which opportunities, by the labels last known at `as_of`.

    Returns
    -------
    LeadHistory

    Raises
    ------
    UnknownAttributeError
        If the log has no such attribute.
    FeatureError
        If there is neither an attribute nor an amount.
    DefinitionError
        If another argument is not of this form.

    Examples
    --------
    >>> from salesfunnel.log.stagelog import StageLog
    >>> from salesfunnel.model.funnel import Funnel
    >>> log = StageLog.from_columns(
    ...     Funnel(["lead", "demo"]),
    ...     opportunity=["A", "A", "B", "B", "C"],
    ...     stage=["lead", "won", "lead", "lost", "demo"],
    ...     entered_at=["2026-01-05", "2026-02-01", "2026-01-06", "2026-01-20", "2026-01-07"],
    ...     attributes={"owner": ["li.na", "zhao.lei", "li.na", "li.na", "zhao.lei"]},
    ...     tz="UTC",
    ... )
    >>> history = lead_history(log)
    >>> history.opportunity.tolist(), history.won.tolist()
    (['A', 'B'], [True, False])
    >>> owner = history.features.column("owner")
    >>> [owner.names[code] for code in owner.codes]
    ['li.na', 'li.na']
    """
    if which not in WHICH:
        raise DefinitionError(
            "which= is one of {known}, not {which!r}", known=Listed(WHICH), which=which
        )
    view = log.view(as_of, where)
    runs, standing = view.runs, view.standing
    first = runs.first[runs.starts]
    columns: dict[str, Any] = {}
    if attributes is None:
        attributes = [name for name in log.attributes if name not in FOLLOWING]
    for name in attributes:
        labels = log.attribute(name)
        codes = view.cut(labels.codes)[first]
        columns[name] = np.array([*labels.names, None], object)[codes]
    if amount:
        if "amount" in columns:
            raise DefinitionError("amount=True, but an attribute is called 'amount' as well")
        amounts = np.full(len(log), np.nan) if log.amounts is None else log.amounts
        columns["amount"] = view.cut(amounts)[first]
    if not columns:
        raise FeatureError("the log has no attributes; amount=True would make a feature")

    is_open = standing.status == OPEN
    lost = standing.status == LOST
    won = ~is_open & ~lost
    decided = np.full(len(first), np.iinfo(np.int64).min)  # NaT
    decided[lost] = runs.time[runs.ends[lost]]
    decided[won] = runs.time[standing.sale[won]]
    history = LeadHistory(
        log.identify(view.opportunity),
        Features(columns),
        won,
        runs.time[runs.starts].view("datetime64[us]"),
        decided.view("datetime64[us]"),
        log.tz,
    )
    return history if which == "all" else history[is_open if which == "open" else ~is_open]
