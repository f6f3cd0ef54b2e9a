"""Targets: what the stages of a funnel do beside what they should do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.log.labels import Where, attribute_names
from salesfunnel.log.naming import catalogue_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.metrics.conversion import stage_table
from salesfunnel.metrics.grouped import beside
from salesfunnel.metrics.rates import RATE_PARTS
from salesfunnel.table import Column, Phrase, Table

MET, MISSED, UNCLEAR = "met", "missed", "unclear"


def against_target(
    low: ArrayLike, high: ArrayLike, target: ArrayLike, *, at_most: bool = False
) -> NDArray[np.object_]:
    """Return whether rates meet their targets, as far as their intervals can tell.

    Parameters
    ----------
    low, high : array-like of float
        The intervals of the rates; NaN where nothing is known.
    target : array-like of float
        What the rates should be; NaN where there is no target. All three broadcast.
    at_most : bool
        Whether the target is a limit from above, as for losses.

    Returns
    -------
    array of object, of the broadcast shape
        ``"met"`` where the whole interval is on the right side of the target, or ends at it;
        ``"missed"`` where it is beyond; ``"unclear"`` where the target is inside or nothing is
        known; None where there is no target.

    Examples
    --------
    >>> against_target([0.32, 0.2, 0.28], [0.4, 0.28, 0.35], 0.3).tolist()
    ['met', 'missed', 'unclear']
    """
    bounds = (np.asarray(values, float) for values in (low, high, target))
    lower, upper, goal = np.broadcast_arrays(*bounds)
    met = upper <= goal if at_most else lower >= goal
    missed = lower > goal if at_most else upper < goal
    flags: NDArray[np.object_] = np.where(met, MET, np.where(missed, MISSED, UNCLEAR)).astype(
        object
    )
    flags[np.isnan(goal)] = None
    return flags


def against_targets(
    log: StageLog,
    mode: str = "reached",
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
) -> Table:
    """Return the conversion and loss of every stage beside its targets.

    The targets are those of the funnel's stages: `Stage.target_conversion`, `Stage.target_loss`.

    Parameters
    ----------
    log : StageLog
    mode : {"reached", "actual", "strict"}
        What it means to enter a stage; see `StageLog.stage_counts`.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.

    Returns
    -------
    Table
        A row for each stage (of each group): the group's labels, ``stage``, ``entered``,
        ``conversion_rate`` with its numerator, denominator and Wilson interval (0.95),
        ``target_conversion``, ``conversion_target``, and the same for losses: ``loss_rate``,
        ``target_loss``, ``loss_target``. The two that end in ``_target`` say ``"met"`` or
        ``"missed"`` only where the whole interval does, else ``"unclear"``; None without a target.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.

    Notes
    -----
    A conversion target of 0 is met as soon as anything entered, one of 1 can only be missed; a loss
    target of 0 is missed by any loss, and no sample without one proves that it is met.
    """
    table = stage_table(log, mode, by=by, as_of=as_of, where=where)
    columns = [table.column("stage"), table.column("entered")]
    for rate, at_most in (("conversion", False), ("loss", True)):
        parts = [f"{rate}_rate{part}" for part in RATE_PARTS]
        goals = [getattr(stage, f"target_{rate}") for stage in log.funnel.stages]
        goal = np.tile(np.array(goals, float), len(table) // len(goals))
        flags = against_target(table[parts[-2]], table[parts[-1]], goal, at_most=at_most)
        columns += [
            *(table.column(part) for part in parts),
            Column(f"target_{rate}", goal, "rate"),
            Column(f"{rate}_target", flags, labels=catalogue_namer("value")),
        ]
    labels = [] if by is None else [table.column(name) for name in attribute_names(by)]
    notes = [note for note in table.notes if note.key != "note.post_sale"]
    return Table(
        beside(labels, columns),
        title=Phrase("title.against_targets"),
        notes=[*notes, Phrase("note.against_targets")],
    )
