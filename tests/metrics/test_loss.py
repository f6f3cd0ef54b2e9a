"""Loss reasons, beside the definitions in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from metrics.checks import check_rate
from metrics.logs import By, amount_of, groupings, log_of, named, oracles, parts
from oracle import Oracle

from salesfunnel.log.stagelog import StageLog
from salesfunnel.metrics import loss_table
from salesfunnel.model.funnel import Funnel


@given(oracles(), groupings, st.booleans())
def test_losses_count_as_the_definitions_say(oracle: Oracle, by: By, by_stage: bool) -> None:
    table = loss_table(log_of(oracle), by_stage=by_stage, by=by, as_of=oracle.as_of)

    rows, numerator, denominator = [], [], []
    for labels, part in parts(oracle, by).items():
        counts: Counter[tuple[int, str | None]] = Counter()
        amounts: dict[tuple[int, str | None], float] = defaultdict(float)
        for history in part.histories().values():
            if part.status(history) == "lost":
                place = part.furthest(history) if by_stage else 0
                counts[place, history[-1].reason] += 1
                amounts[place, history[-1].reason] += amount_of(history)
        assert counts.total() == sum(part.loss_reasons().values())
        for place, reason in sorted(counts, key=lambda cell: _rank(cell, counts)):
            row: dict[str, object] = {**named(labels, by)}
            row |= {"stage": f"s{place}"} if by_stage else {}
            rows.append(row | {"reason": reason, "amount": amounts[place, reason]})
            numerator.append(counts[place, reason])
            denominator.append(sum(n for cell, n in counts.items() if cell[0] == place))
    found = [name for name in table.columns if table.column(name).title not in _RATE_TITLES]
    assert list(table.select(*found).rows()) == rows
    check_rate(table, "value", numerator, denominator)


_RATE_TITLES = ("share", "lost", "total_lost", "low", "high")


def _rank(
    cell: tuple[int, str | None], counts: Counter[tuple[int, str | None]]
) -> tuple[int, int, bool, str]:
    """By stage; the most frequent reason first, those of equal frequency by name, none last."""
    place, reason = cell
    return place, -counts[cell], reason is None, reason or ""


FUNNEL = Funnel(["lead", "demo"], ["price"])


def lost(*reasons: str | None, amount: float | None = None) -> StageLog:
    """Return a log of opportunities lost from the lead, for these reasons."""
    n = len(reasons)
    return StageLog.from_columns(
        FUNNEL,
        opportunity=[number for number in range(n) for _ in range(2)],
        stage=["lead", "lost"] * n,
        entered_at=["2026-01-01", "2026-01-02"] * n,
        reason=[given for reason in reasons for given in (None, reason)],
        amount=None if amount is None else [amount] * 2 * n,
        tz="UTC",
    )


def test_the_most_frequent_reason_comes_first_and_known_ones_have_their_names() -> None:
    table = loss_table(lost("price", None, "Too late", "price", None))

    assert table["reason"].tolist() == ["price", None, "Too late"]
    assert table["numerator"].tolist() == [2, 2, 1]
    text = table.to_text()
    assert [line.split()[0] for line in text.splitlines()[4:7]] == ["Price", "–", "Too"]
    assert "“–” as a loss reason: none was given." in text


def test_shares_are_of_the_losses_in_the_same_place() -> None:
    overall, by_stage = loss_table(lost("price")), loss_table(lost("price"), by_stage=True)

    assert "shares are of those lost at the same stage" not in overall.to_text()
    assert "shares are of those lost at the same stage" in by_stage.to_text()
    assert "“–”" not in overall.to_text()


def test_amounts_are_shown_where_the_log_has_some() -> None:
    assert "Lost amount" not in loss_table(lost("price")).to_text()
    table = loss_table(lost("price", "price", amount=12.5))
    assert "Lost amount" in table.to_text()
    assert table["amount"].tolist() == [25]


def test_a_log_without_losses_has_no_rows() -> None:
    for by_stage in (False, True):
        table = loss_table(lost(), by_stage=by_stage)
        assert len(table) == 0
        assert table["numerator"].dtype == np.int64
        assert "(no rows)" in table.to_text()


def test_a_log_without_a_column_of_reasons_has_losses_without_one() -> None:
    log = StageLog.from_columns(
        FUNNEL, opportunity=["A"], stage=["lost"], entered_at=["2026-01-01"], tz="UTC"
    )

    assert list(loss_table(log).select("reason", "numerator").rows()) == [
        {"reason": None, "numerator": 1}
    ]
