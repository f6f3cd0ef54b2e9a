"""The weights of a rubric, learnt from outcomes: made by hand in form, by evidence in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from salesfunnel.errors import OutcomeError
from salesfunnel.scoring.predict.features import Features
from salesfunnel.scoring.predict.logistic import fit_logistic
from salesfunnel.scoring.predict.terms import NumberWeight
from salesfunnel.scoring.rubric import Rubric
from salesfunnel.scoring.values import check_values, read_values
from salesfunnel.wording import Listed


def fit_rubric(rubric: Rubric, values: Any, outcomes: ArrayLike, *, penalty: float = 1.0) -> Rubric:
    """Return a rubric whose weights are those that tell won leads from lost ones best.

    Criteria, levels, grades and all else stay as they are, and so does the sign of each weight: a
    criterion never counts against a lead because it did by chance, at worst it counts nothing.

    Parameters
    ----------
    rubric : Rubric
    values : (N, criteria) array, mapping, or dataframe
        Of each lead as it was when it was scored; as `Rubric.score` takes them.
    outcomes : (N,) array-like of bool
        Whether each lead was won.
    penalty : float
        How strongly weights are held back, above 0; see `fit_logistic`.

    Returns
    -------
    Rubric
        Its weights above zero sum to what they did before.

    Raises
    ------
    OutcomeError
        If all outcomes are equal, or no criterion goes with winning.
    ShapeError, LevelError, MissingColumnError
        If the values are not of this form.
    DataError
        If an outcome is none or the lengths differ.
    ConvergenceError, MissingExtraError, DefinitionError
        As of `fit_logistic`.

    Notes
    -----
    What is not known counts as the rubric says where that is nothing (``unknown="zero"``), and else
    has a weight of its own in learning, which the rubric does not keep.

    Examples
    --------
    >>> rubric = Rubric(["budget", "need"])
    >>> values = {"budget": [0, 1, 0, 1] * 10, "need": [0, 0, 1, 1] * 10}
    >>> won = [False, False, False, True] * 5 + [False, False, True, True] * 5
    >>> learnt = fit_rubric(rubric, values, won)
    >>> learnt.weights.round(2).tolist(), learnt.weights.sum().round(2).item()
    ([0.59, 1.41], 2.0)
    """
    given = read_values(rubric, values)
    check_values(rubric, given)
    array = given.astype(np.float64)
    if rubric.unknown == "zero":
        array = np.nan_to_num(array)
    sign = np.where(rubric.weights < 0, -1.0, 1.0)
    features = Features.from_array(array * sign, rubric.keys)
    model = fit_logistic(features, outcomes, penalty=penalty, nonnegative=True)
    learnt = np.array(
        [term.weight / term.scale for term in model.terms if isinstance(term, NumberWeight)]
    )
    helps = rubric.weights >= 0
    if not learnt[helps].sum() > learnt[~helps].sum():
        raise OutcomeError(
            "outcomes: what of {criteria} goes with winning does not outweigh what goes against "
            "it, so there are no weights to learn",
            criteria=Listed(rubric.keys),
        )
    share = rubric.weights[helps].sum() / learnt[helps].sum()
    return rubric.with_weights((learnt * sign * share).tolist())
