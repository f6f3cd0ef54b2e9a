"""Several scores of the same leads, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.scoring.validate.arrays import read_pair, read_scores
from salesfunnel.scoring.validate.auc import compare_auc, roc_auc
from salesfunnel.scoring.validate.calibration import brier_score, log_loss
from salesfunnel.scoring.validate.enough import outcome_notes
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Wording


def compare_scores(
    scores: Mapping[str, ArrayLike], outcomes: ArrayLike, *, level: float = 0.95
) -> Table:
    """Return how well each of several scores orders the same leads, beside the first of them.

    To be honest, the leads must be none that any of the scores was made from: those of the test of
    a `time_split`.

    Parameters
    ----------
    scores : mapping of str to (N,) array-like of numbers
        The scores by name; the one to beat first. Their scales need not agree.
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Table
        A row for each score: ``score``; ``auc`` with ``_numerator`` (pairs of a won and a lost lead
        in which the won one scores higher, ties as half), ``_denominator`` (pairs), ``_low`` and
        ``_high`` as in `roc_auc`; ``difference`` of the area from that of the first score with
        ``_low``, ``_high`` and ``p_value`` as in `compare_auc`, NaN for the first itself; ``brier``
        and ``log_loss``, NaN for a score that is not within 0 and 1 and so no probability.

    Raises
    ------
    DataError
        If a score is no finite number, an outcome none, or the lengths differ.
    OutcomeError
        If all outcomes are equal.
    DefinitionError
        If there are no scores, or `level` is not between 0 and 1.

    Examples
    --------
    >>> won = [True, True, False, False, False, True]
    >>> table = compare_scores({"rubric": [3, 1, 2, 1, 0, 2], "model": [5, 4, 3, 2, 1, 3]}, won)
    >>> table["auc"].round(4).tolist(), table["difference"].round(4).tolist()
    ([0.7778, 0.9444], [nan, 0.1667])
    """
    if not isinstance(scores, Mapping) or not scores:
        found = Wording("an empty one") if isinstance(scores, Mapping) else type(scores).__name__
        raise DefinitionError(
            "scores= is a mapping from names to scores, as in {{'rubric': …}}, not {found}",
            found=found,
        )
    names = list(scores)
    values = {name: read_scores(given, name) for name, given in scores.items()}
    first = values[names[0]]
    won = read_pair(first, outcomes, names[0])
    areas = [roc_auc(given, won, level=level) for given in values.values()]
    against = [compare_auc(first, values[name], won, level=level) for name in names[1:]]
    pairs = areas[0].n_won * areas[0].n_lost
    brier, loss = np.transpose([_as_probability(given, won) for given in values.values()])

    def beside_first(part: str) -> NDArray[np.float64]:
        return np.array([np.nan, *(getattr(one, part) for one in against)])

    return Table(
        [
            Column("score", np.array(names, object), title="scoring"),
            Column("auc", np.array([area.value for area in areas]), "rate"),
            Column("auc_numerator", np.array([area.value * pairs for area in areas])),
            Column("auc_denominator", np.full(len(areas), pairs)),
            Column("auc_low", np.array([area.low for area in areas]), "rate"),
            Column("auc_high", np.array([area.high for area in areas]), "rate"),
            Column("difference", beside_first("value"), "rate"),
            Column("difference_low", beside_first("low"), "rate"),
            Column("difference_high", beside_first("high"), "rate"),
            Column("p_value", beside_first("p_value"), "p_value"),
            Column("brier", brier),
            Column("log_loss", loss),
        ],
        title=Phrase("title.compare_scores"),
        notes=[
            Phrase("note.auc", {"level": f"{100 * level:g}%"}),
            *([Phrase("note.auc_difference", {"score": names[0]})] if against else []),
            Phrase("note.judged_on", {"won": areas[0].n_won, "lost": areas[0].n_lost}),
            *outcome_notes(won),
        ],
        hidden=() if against else ("difference", "p_value"),
    )


def _as_probability(given: NDArray[np.float64], won: NDArray[np.bool_]) -> tuple[float, float]:
    """Return Brier score and log loss; NaN for a score that cannot be a probability."""
    if given.min() < 0 or given.max() > 1:
        return np.nan, np.nan
    return brier_score(given, won).value, log_loss(given, won)
