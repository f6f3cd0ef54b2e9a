"""Conversion between any two stages: of those that entered one, how many reached another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.standing import depth, positions
from salesfunnel.log.labels import Where
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagecounts import MODES
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import Groups, as_of_note, beside, groups_of
from salesfunnel.metrics.rates import rate_columns, ratio
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Listed


def conversion_matrix(counts: ArrayLike) -> NDArray[np.float64]:
    """Return the conversion from each stage to each state.

    Parameters
    ----------
    counts : (..., K, J) array-like of numbers
        How many of those that entered the stage k reached the state j, with J ≥ K; on the diagonal,
        how many entered the stage.

    Returns
    -------
    (..., K, J) array of float
        counts[k, j] / counts[k, k]; NaN where none entered.

    Examples
    --------
    >>> conversion_matrix([[40, 20, 10], [0, 20, 10]]).tolist()
    [[1.0, 0.5, 0.25], [0.0, 1.0, 0.5]]
    """
    reached = np.asarray(counts)
    return ratio(reached, np.diagonal(reached, axis1=-2, axis2=-1)[..., None])


def conversion_between(
    log: StageLog,
    mode: str = "reached",
    *,
    by: str | Sequence[str] | None = None,
    as_of: Instant | None = None,
    where: Where | None = None,
    back: bool = False,
) -> Table:
    """Return the conversion from every stage to every other: of those in one, how many reached it.

    Parameters
    ----------
    log : StageLog
    mode : {"reached", "actual", "strict"}
        What it means to reach a state: to have come at least so far; to have an entry into it after
        the first one into the other stage; or to have come so far by way of all stages, in order.
        See `StageLog.stage_counts`.
    by : str or sequence of str, optional
        Attributes to group by: the labels last known at `as_of`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    back : bool
        Whether the pairs that lead back have rows too, which needs the mode actual.

    Returns
    -------
    Table
        A row for each pair of a stage and a later one, or ``won`` (of each group): the group's
        labels, ``from``, ``to``, ``value`` (reached / entered), ``numerator``, ``denominator``,
        ``low`` and ``high`` (Wilson, 0.95). ``won`` comes after the last stage: in a funnel with
        post-sale stages, reached and strict mean by it that the service is complete; the sale is
        the first of those stages.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form.
    """
    if back and mode != "actual":
        raise DefinitionError(
            "back=True needs mode='actual': in the mode {mode!r} who came to a stage has come to "
            "all before it",
            mode=mode,
        )
    view = log.view(as_of, where)
    groups = groups_of(view, by)
    counts = _counts(view, mode, groups)
    n_stages = len(log.funnel)
    is_pair = ~np.eye(n_stages, n_stages + 1, dtype=bool)
    if not back:
        is_pair = np.triu(is_pair)
    source, target = np.nonzero(is_pair)
    group = np.repeat(np.arange(groups.n), len(source))
    source, target = np.tile(source, groups.n), np.tile(target, groups.n)
    states, names = np.array(log.funnel.states, object), state_namer(log.funnel)
    columns = [
        Column("from", states[source], labels=names),
        Column("to", states[target], labels=names),
        *rate_columns(
            "value",
            counts[group, source, target],
            counts[group, source, source],
            titles=("conversion_rate", "reached", "entered"),
        ),
    ]
    notes = [*as_of_note(view), Phrase(f"note.mode_{mode}"), Phrase(f"note.between_{mode}")]
    if log.funnel.n_presale < n_stages and mode != "actual":
        notes.append(Phrase("note.between_won"))
    return Table(
        beside(groups.columns(group), columns),
        title=Phrase("title.conversion_between"),
        notes=[*notes, Phrase("note.interval", {"level": "95%"})],
    )


def _counts(view: View, mode: str, groups: Groups) -> NDArray[np.int64]:
    """Return how many of those that entered each stage reached each stage and WON, (G, K, K+1)."""
    n_stages = len(view.funnel)
    if mode == "actual":
        return _entered_after(view, groups)
    if mode == "reached":
        furthest = view.standing.furthest.astype(np.int64)
    elif mode == "strict":
        furthest = depth(view.runs, n_stages)
    else:
        raise DefinitionError(
            "mode= is one of {known}, not {mode!r}", known=Listed(MODES), mode=mode
        )
    # Whoever came to a state came to all before it, so that one number tells everything; from -1.
    width = n_stages + 2
    here = np.bincount(groups.codes * width + furthest + 1, minlength=groups.n * width)
    at_least = np.cumsum(here.reshape(-1, width)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    later = np.maximum(np.arange(n_stages)[:, None], np.arange(n_stages + 1))
    return np.asarray(at_least[:, later])


def _entered_after(view: View, groups: Groups) -> NDArray[np.int64]:
    """Return how many entered each state after their first entry into each stage, (G, K, K+1)."""
    n_stages = len(view.funnel)
    first, last = (np.ascontiguousarray(p.T) for p in positions(view.runs, n_stages))
    counts = np.empty((groups.n, n_stages, n_stages + 1), np.int64)
    for source in range(n_stages):
        for target in range(n_stages + 1):
            # Who never entered the stage has a first position after all others.
            counted = (
                first[source] < len(view.runs.state)
                if source == target
                else last[target] > first[source]
            )
            counts[:, source, target] = np.bincount(groups.codes[counted], minlength=groups.n)
    return counts
