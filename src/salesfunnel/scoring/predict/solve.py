"""The weights that fit best: scikit-learn's, or with some of them held at zero or above."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from salesfunnel.errors import ConvergenceError, MissingExtraError
from salesfunnel.wording import Wording

TOLERANCE = 1e-8
_SHORTEST = 1e-10


def solve(
    design: NDArray[np.float64],
    won: NDArray[np.bool_],
    penalty: float,
    nonnegative: NDArray[np.bool_],
    max_iterations: int,
) -> tuple[float, NDArray[np.float64]]:
    """Return intercept and weights that minimise log loss plus penalty, the intercept free of it.

    Parameters
    ----------
    design : (N, P) array
    won : (N,) bool
    penalty : float
    nonnegative : (P,) bool
        Which weights may not be below zero.
    max_iterations : int

    Raises
    ------
    ConvergenceError
        If these are not enough.
    MissingExtraError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtraError(Wording("logistic regression"), "predict") from error
    if nonnegative.any():
        return newton(design, won.astype(np.float64), penalty, nonnegative, max_iterations)
    model = LogisticRegression(
        C=1 / penalty, solver="newton-cholesky", tol=TOLERANCE, max_iter=max_iterations
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(design, won)
        except ConvergenceWarning:
            raise _not_settled(max_iterations) from None
    return float(model.intercept_[0]), np.asarray(model.coef_[0], np.float64)


def newton(
    design: NDArray[np.float64],
    target: NDArray[np.float64],
    penalty: float,
    nonnegative: NDArray[np.bool_],
    max_iterations: int,
) -> tuple[float, NDArray[np.float64]]:
    """Return intercept and weights that fit targets best, some weights not below zero.

    Newton's method on those weights that are free to move, which are settled anew at every step,
    and steps that are cut where one would go below zero.

    Parameters
    ----------
    target : (N,) floats
        Probabilities: 1 for won and 0 for lost, or less certain ones.

    Raises
    ------
    ConvergenceError
        If `max_iterations` are not enough.

    Notes
    -----
    D. P. Bertsekas (1982), "Projected Newton methods for optimization problems with simple
    constraints", SIAM Journal on Control and Optimization 20, 221–246.
    """
    columns = np.column_stack([np.ones(len(target)), design])
    ridge = np.append(0.0, np.full(design.shape[1], penalty))
    held = np.append(False, nonnegative)
    x = np.zeros(columns.shape[1])
    x[0] = np.log(target.mean() / (1 - target.mean()))

    def loss(at: NDArray[np.float64]) -> float:
        odds = columns @ at
        return float((np.logaddexp(0, odds) - target * odds).sum() + ridge @ at**2 / 2)

    now = loss(x)
    for _ in range(max_iterations):
        p = np.exp(-np.logaddexp(0, -(columns @ x)))
        gradient = columns.T @ (p - target) + ridge * x
        free = ~(held & (x <= 0) & (gradient > 0))
        if np.abs(gradient[free]).max() <= TOLERANCE * len(target):
            return float(x[0]), x[1:]
        inner = columns[:, free]
        hessian = (inner * (p * (1 - p))[:, None]).T @ inner + np.diag(ridge[free])
        hessian[np.diag_indices_from(hessian)] += 1e-12 * np.trace(hessian)
        step = np.zeros_like(x)
        step[free] = np.linalg.solve(hessian, gradient[free])
        size = 1.0
        while True:
            tried = x - size * step
            tried[held] = np.maximum(tried[held], 0)
            after = loss(tried)
            # A loss is known to some 1e-16 of itself: near the end no step can show a gain.
            if after <= now - 1e-4 * float(gradient @ (x - tried)) + 1e-13 * abs(now):
                break
            size /= 2
            if size < _SHORTEST:
                raise _not_settled(max_iterations)
        x, now = tried, after
    raise _not_settled(max_iterations)


def _not_settled(max_iterations: int) -> ConvergenceError:
    return ConvergenceError(
        "the weights did not settle within {max_iterations:,} iterations; allow more by "
        "max_iterations=, or hold them back more by penalty=",
        max_iterations=max_iterations,
    )
