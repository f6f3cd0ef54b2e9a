"""Who or what differs: the group whose win rate stands out from that of the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.kernel.standing import CHURNED, LOST, WON
from salesfunnel.log.view import View
from salesfunnel.metrics.grouped import as_of_note
from salesfunnel.metrics.intervals import newcombe
from salesfunnel.metrics.rates import rate_columns, ratio
from salesfunnel.review.finding import ENOUGH, LEVEL, Finding, about, points
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import format_percent


class Compared(NamedTuple):
    """The groups of one attribute that are large enough to be compared, G of them.

    Attributes
    ----------
    attribute : str
    labels : tuple of str
    won, closed : (G,) int64
        Won opportunities, churned ones too, and all that were won or lost.
    other_won, other_closed : (G,) int64
        The same of all other groups whose label is known.
    """

    attribute: str
    labels: tuple[str, ...]
    won: NDArray[np.int64]
    closed: NDArray[np.int64]
    other_won: NDArray[np.int64]
    other_closed: NDArray[np.int64]


def comparisons(view: View, attributes: Sequence[str]) -> list[Compared]:
    """Return the groups of each attribute that can be compared with the others.

    As in a chi-squared test, at least 5 wins and 5 losses must be expected on either side (W. G.
    Cochran 1954, Biometrics 10, 417–451): the margins decide that, and not what was found.
    """
    status = view.standing.status
    won = (status == WON) | (status == CHURNED)
    closed = won | (status == LOST)
    found = []
    for attribute in attributes:
        names = view.log.attribute(attribute).names
        codes = view.label_by(attribute, view.runs.ends)
        known = codes >= 0
        wins = np.bincount(codes[known & won], minlength=len(names))
        ends = np.bincount(codes[known & closed], minlength=len(names))
        other_wins, other_ends = wins.sum() - wins, ends.sum() - ends
        rate = np.nan_to_num(ratio(wins.sum(), ends.sum()))
        rarest = min(rate, 1 - rate)
        chosen = np.flatnonzero(np.minimum(ends, other_ends) * rarest >= ENOUGH)
        if len(chosen):
            found.append(
                Compared(
                    attribute,
                    tuple(names[code] for code in chosen.tolist()),
                    wins[chosen],
                    ends[chosen],
                    other_wins[chosen],
                    other_ends[chosen],
                )
            )
    return found


def differing(view: View, attributes: Sequence[str]) -> Finding | None:
    """Return the group that differs from the others by most sales; None where none does.

    The interval of a difference is Newcombe's, at a level that allows for the number of groups
    compared (Bonferroni's correction).
    """
    compared = comparisons(view, attributes)
    n = sum(len(group.labels) for group in compared)
    best: tuple[float, Compared, int, float, float] | None = None
    for group in compared:
        counts = group.won, group.closed, group.other_won, group.other_closed
        low, high = newcombe(*counts, 1 - (1 - LEVEL) / n)
        extra = group.won - group.closed * group.other_won / group.other_closed
        size = np.where((low > 0) | (high < 0), np.abs(extra), -1.0)
        index = int(np.argmax(size))
        if size[index] > 0 and (best is None or size[index] > best[0]):
            best = float(size[index]), group, index, float(low[index]), float(high[index])
    return None if best is None else _finding(view, *best, n)


def _finding(
    view: View, size: float, group: Compared, index: int, low: float, high: float, n: int
) -> Finding:
    won, closed, other_won, other_closed = (int(part[index]) for part in group[2:])
    way = "more" if low > 0 else "less"
    level = 1 - (1 - LEVEL) / n
    lows, highs = newcombe(*group[2:], level)
    return Finding(
        kind="difference",
        claim=Phrase(
            f"finding.difference_{way}",
            {
                "by": partial(_header, group.attribute),
                "label": group.labels[index],
                "rate": partial(format_percent, won / closed),
                "others": partial(format_percent, other_won / other_closed),
            },
        ),
        evidence=Phrase(
            f"finding.difference_evidence_{way}",
            {
                "won": won,
                "closed": closed,
                "other_won": other_won,
                "other_closed": other_closed,
                "sales": about(size),
            },
        ),
        uncertainty=Phrase("finding.difference_uncertainty", {**points(low, high), "count": n}),
        at_stake=size,
        table=Table(
            [
                Column(group.attribute, np.array(group.labels, object)),
                *rate_columns("win_rate", group.won, group.closed),
                *rate_columns("others", group.other_won, group.other_closed),
                Column(
                    "difference",
                    ratio(group.won, group.closed) - ratio(group.other_won, group.other_closed),
                    "rate",
                ),
                Column("difference_low", lows, "rate"),
                Column("difference_high", highs, "rate"),
            ],
            title=Phrase("title.finding_difference", {"by": partial(_header, group.attribute)}),
            notes=[
                *as_of_note(view),
                Phrase("note.win_rate"),
                Phrase("note.finding_difference", {"count": n}),
            ],
        ),
    )


def _header(name: str, lang: str) -> str:
    return catalogue(lang).header(name)
