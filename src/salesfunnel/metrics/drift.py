"""Drift: whether two stretches of time differ by more than chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where, attribute_names
from salesfunnel.log.naming import state_namer
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.distributions import chi2_sf
from salesfunnel.metrics.grouped import as_of_note
from salesfunnel.metrics.multiple import benjamini_hochberg
from salesfunnel.metrics.periodic import Spans, closings, spans_of
from salesfunnel.metrics.rates import ratio
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed

METHODS = ("chi2", "g")


class Homogeneity(NamedTuple):
    """Tests of whether the rows of tables are alike; all of shape (...).

    Attributes
    ----------
    statistic : float64
        Pearson's chi-square or G; NaN for a table of nothing.
    df : int64
        Degrees of freedom: 0 where there is nothing to compare.
    p_value : float64
        NaN where `df` is 0.
    cramers_v : float64
        How large the difference is, from 0 (none) to 1; NaN where `df` is 0.
    smallest_expected : float64
        The smallest expected count. Below 5 the p-value is rough; NaN where `df` is 0.
    """

    statistic: NDArray[np.float64]
    df: NDArray[np.int64]
    p_value: NDArray[np.float64]
    cramers_v: NDArray[np.float64]
    smallest_expected: NDArray[np.float64]


def homogeneity(counts: ArrayLike, method: str = "chi2") -> Homogeneity:
    """Test whether the rows of contingency tables have the same distribution over the columns.

    Parameters
    ----------
    counts : (..., R, C) array-like of numbers
        Not negative. Rows and columns of nothing but zeros do not count.
    method : {"chi2", "g"}
        Pearson's chi-square, or the likelihood ratio G.

    Returns
    -------
    Homogeneity

    Raises
    ------
    DefinitionError
        If an argument is not of this form.

    Notes
    -----
    With e = row total × column total / total: Σ (n - e)² / e (K. Pearson 1900), or 2 Σ n ln(n / e)
    (B. Woolf 1957), on (R - 1)(C - 1) degrees of freedom, without a correction for continuity.
    Cramér's V is √(χ² / (total × min(R - 1, C - 1))) (H. Cramér 1946, §21.9).

    Examples
    --------
    >>> test = homogeneity([[48, 32], [56, 14]])
    >>> print(test.statistic.round(3), test.df, test.p_value.round(4))
    7.023 1 0.008
    """
    if method not in METHODS:
        raise DefinitionError(
            "method= is one of {known}, not {method!r}", known=Listed(METHODS), method=method
        )
    n = np.asarray(counts, float)
    if n.ndim < 2 or not (n >= 0).all():
        raise DefinitionError("counts are tables of rows and columns, (…, R, C), not negative")
    rows, columns = n.sum(axis=-1, keepdims=True), n.sum(axis=-2, keepdims=True)
    total = n.sum(axis=(-2, -1), keepdims=True)
    expected = ratio(rows * columns, total)
    possible = expected > 0
    square = np.divide((n - expected) ** 2, expected, out=np.zeros_like(n), where=possible)
    chi2 = square.sum(axis=(-2, -1))
    statistic = chi2
    if method == "g":
        quotient = np.divide(n, expected, out=np.ones_like(n), where=possible & (n > 0))
        statistic = 2 * (n * np.log(quotient)).sum(axis=(-2, -1))
    free = [(part > 0).sum(axis=(-2, -1)) - 1 for part in (rows, columns)]
    df = np.maximum(free[0], 0) * np.maximum(free[1], 0)
    whole = total[..., 0, 0]
    largest = whole * np.maximum(np.minimum(*free), 0)
    smallest = np.where(possible, expected, np.inf).min(axis=(-2, -1), initial=np.inf)
    # Rounding may leave a little less than nothing.
    return Homogeneity(
        statistic=np.where(whole > 0, np.maximum(statistic, 0), np.nan),
        df=df.astype(np.int64),
        p_value=chi2_sf(np.maximum(statistic, 0), df),
        cramers_v=np.sqrt(ratio(chi2, largest)),
        smallest_expected=np.where(df > 0, smallest, np.nan),
    )


def drift(
    log: StageLog,
    before: object,
    after: object,
    *,
    by: str | Sequence[str] | None = None,
    method: str = "chi2",
    as_of: Instant | None = None,
    where: Where | None = None,
    tz: str | tzinfo | None = None,
) -> Table:
    """Test whether a funnel works in one stretch of time as it did in another.

    Parameters
    ----------
    log : StageLog
    before, after : str, or pair of dates or instants
        The two stretches: periods by their labels, ``"2025Q4"``, ``"2026-03"``, ``"2026-W10"``, or
        pairs of instants, inclusive.
    by : str or sequence of str, optional
        Attributes whose mix among the opportunities created is compared, by the labels last known
        at `as_of`.
    method : {"chi2", "g"}
        Pearson's chi-square, or the likelihood ratio G: see `homogeneity`.
    as_of : datetime, date or str, optional
        The instant of knowledge, inclusive; by default the last entry.
    where : mapping of str to label or collection of labels, optional
        Which opportunities count, by the labels last known at `as_of`: see `StageLog.view`.
    tz : str or tzinfo, optional
        The zone that periods and dates are read in; by default the log's.

    Returns
    -------
    Table
        A row for each test: ``test`` and ``of``, namely ``transitions`` of each state (where its
        transitions led) and, ``of`` None, of all together; ``outcome`` (won or lost, of those
        closed); ``reason`` (of those lost; an unknown one counts as one more); and ``mix`` of each
        attribute (of those created). Then ``before`` and ``after``, how many were compared,
        ``statistic``, ``df``, ``p_value``, ``q_value`` (the p-value adjusted for the number of
        tests by Benjamini and Hochberg; not of all transitions, which sums up others),
        ``cramers_v`` and ``smallest_expected``: where that is below 5 a p-value is rough.

    Raises
    ------
    UnknownAttributeError, DefinitionError
        If an argument is not of this form, or the two overlap.

    Notes
    -----
    Transitions are taken as those of a Markov chain: the test of all together adds up the
    statistics and the degrees of freedom of the states (T. W. Anderson and L. A. Goodman 1957,
    Annals of Mathematical Statistics 28, 89–110).
    """
    view = log.view(as_of, where)
    spans = spans_of(view, before, after, tz)
    moves = [
        _Test("transitions", log.funnel.states[state], counts)
        for state, counts in enumerate(_transitions(view, spans))
        if counts.any()
    ]
    tests = [*moves, *_others(view, spans, () if by is None else attribute_names(by))]
    results = [homogeneity(test.counts, method) for test in tests]
    q_values = benjamini_hochberg([float(result.p_value) for result in results]).tolist()
    together = _together(moves, results[: len(moves)])
    rows = list(
        zip([*tests, together[0]], [*results, together[1]], [*q_values, np.nan], strict=True)
    )
    rows.insert(len(moves), rows.pop())

    numbers = {
        name: np.array([getattr(result, name) for _, result, _ in rows]) for name in _NUMBERS
    }
    sizes = np.array([test.counts.sum(axis=1) for test, _, _ in rows])
    columns = [
        Column("test", [test.name for test, _, _ in rows], labels=_test_namer),
        Column("of", np.array([test.of for test, _, _ in rows], object), labels=_of_namer(log)),
        Column("before", sizes[:, 0]),
        Column("after", sizes[:, 1]),
        Column("statistic", numbers["statistic"]),
        Column("df", numbers["df"]),
        Column("p_value", numbers["p_value"], "p_value"),
        Column("q_value", np.array([q_value for _, _, q_value in rows]), "p_value"),
        Column("cramers_v", numbers["cramers_v"]),
        Column("smallest_expected", numbers["smallest_expected"]),
    ]
    notes = [
        *as_of_note(view),
        *spans.notes(),
        Phrase(f"note.drift_{method}"),
        Phrase("note.drift"),
    ]
    return Table(columns, title=Phrase("title.drift"), notes=notes)


_NUMBERS = ("statistic", "df", "p_value", "cramers_v", "smallest_expected")


class _Test(NamedTuple):
    """One comparison: its name, of which state or attribute, and the counts, (2, C)."""

    name: str
    of: str | None
    counts: NDArray[np.int64]


def _transitions(view: View, spans: Spans) -> NDArray[np.int64]:
    """Return how often each state was left for each other one, before and after, (S, 2, S)."""
    moves, n_states = view.transitions, len(view.funnel) + 2
    pair = moves.source.astype(np.int64) * n_states + moves.target
    counts = _counts(spans, view.runs.time[moves.run], pair, n_states**2)
    return counts.reshape(2, n_states, n_states).transpose(1, 0, 2)


def _others(view: View, spans: Spans, attributes: Sequence[str]) -> list[_Test]:
    """Return the comparisons of the outcomes, the reasons of losses, and the mixes of labels."""
    closed, created = closings(view), view.runs.time[view.runs.starts]
    ended, lost = closed.won | closed.lost, closed.lost
    reasons = view.loss_reason[lost] + 1
    outcomes = closed.won[ended].astype(np.int64)
    tests = [
        _Test("outcome", None, _counts(spans, closed.time[ended], outcomes, 2)),
        _Test("reason", None, _counts(spans, closed.time[lost], reasons)),
    ]
    for name in attributes:
        labels = view.label_by(name, view.runs.ends) + 1
        tests.append(_Test("mix", name, _counts(spans, created, labels)))
    return tests


def _counts(
    spans: Spans, time: NDArray[np.int64], code: NDArray[np.int64], n_codes: int = 0
) -> NDArray[np.int64]:
    """Return how often each code occurs before and after, (2, C)."""
    size = max(n_codes, int(code.max(initial=-1)) + 1)
    when = spans.of(time)
    cell = when * size + code
    return np.bincount(cell[when >= 0], minlength=2 * size).reshape(2, size)


def _together(tests: Sequence[_Test], results: Sequence[Homogeneity]) -> tuple[_Test, Homogeneity]:
    """Return the test of all transitions: sums of the statistics and of the degrees of freedom."""
    sizes = np.array([test.counts.sum(axis=1) for test in tests], np.int64).reshape(-1, 2)
    compared = [result for result in results if result.df > 0]
    df = np.int64(sum(int(result.df) for result in compared))
    statistic = np.float64(sum(float(r.statistic) for r in compared) if compared else np.nan)
    smallest = min((float(result.smallest_expected) for result in compared), default=np.nan)
    pooled = Homogeneity(
        statistic=np.asarray(statistic),
        df=np.asarray(df),
        p_value=chi2_sf(statistic, df),
        cramers_v=np.asarray(np.nan),
        smallest_expected=np.asarray(smallest),
    )
    return _Test("transitions", None, sizes.sum(axis=0)[:, None]), pooled


def _test_namer(test: str, lang: str) -> str:
    return catalogue(lang).text(f"value.test_{test}")


def _of_namer(log: StageLog) -> Callable[[str, str], str]:
    """Return a function that names what a test is of: a state, or an attribute."""
    states = state_namer(log.funnel)

    def shown(of: str, lang: str) -> str:
        return states(of, lang) if of in log.funnel.states else catalogue(lang).header(of)

    return shown
