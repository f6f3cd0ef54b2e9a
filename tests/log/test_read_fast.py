"""A log of a large file, read block by block, is that of a small one, read row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesfunnel.columns import csvfile
from salesfunnel.errors import SalesFunnelError
from salesfunnel.log.read import read_csv
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"], ["price"])
HEADER = "id,stage,at,reason,owner,amount,number\n"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("read") / "deals.csv"


def read(path: Path, **options: Any) -> StageLog:
    return read_csv(
        path,
        FUNNEL,
        opportunity="id",
        stage="stage",
        entered_at="at",
        reason="reason",
        attributes=["owner"],
        amount="amount",
        stage_map={"Dead": ("lost", "timing"), "x": None},
        **options,
    )


def contents(log: StageLog) -> dict[str, Any]:
    """Return everything that a log holds."""
    assert log.reasons is not None
    assert log.amounts is not None
    owner = log.attribute("owner")
    return {
        "ids": log.identify(log.entries.opportunity).tolist(),
        "order": log.opportunities.tolist(),
        "entries": [log.entries.state.tolist(), log.entries.time.tolist()],
        "reasons": (log.reasons.codes.tolist(), log.reasons.names),
        "owners": (owner.codes.tolist(), owner.names),
        "amounts": [repr(amount) for amount in log.amounts.tolist()],
        "rejected": [log.rejected[name].tolist() for name in log.rejected.columns],
        "ignored": log.ignored,
        "records": None if log.records is None else log.records.tolist(),
    }


def result(path: Path, **options: Any) -> Any:
    try:
        return contents(read(path, **options))
    except SalesFunnelError as error:
        return type(error), str(error)


def both(path: Path, text: str, **options: Any) -> Any:
    """Return what both readers make of a text, which must be the same."""
    path.write_text(text, encoding="utf-8", newline="")
    expected = result(path, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvfile, "LONG", 0)
        for size in (60, 400, 1 << 20):
            patch.setattr(csvfile, "BLOCK", size)
            patch.setattr(csvfile, "BATCH", size)
            assert result(path, **options) == expected
    return expected


rows = st.tuples(
    st.sampled_from(["A", "B", "A-1", "0061234567890ABCDE", "0061234567890ABCDF", "商机", "", " "]),
    st.sampled_from(["lead", "demo", " demo", "won", "lost", "Dead", "x", "Lead", "?", ""]),
    st.sampled_from(
        ["2026-01-31", "2026-01-31T09:30:00Z", "2026-02-01 10:00:00+08:00", "20260131", "31.1.", ""]
    ),
    st.sampled_from(["", "price", "timing"]),
    st.sampled_from(["", "li", "王", '"na, j"']),
    st.sampled_from(["", "1", "2.5", "1e3", "x", "12,5"]),
    st.integers(0, 9).map(str),
)


@settings(max_examples=80)
@given(
    st.lists(rows, max_size=12),
    st.sampled_from(["raise", "collect"]),
    st.sampled_from([None, "UTC", "Asia/Shanghai"]),
    st.sampled_from([None, "number"]),
)
def test_it_is_the_same_log_or_the_same_refusal(
    path: Path, rows: list[tuple[str, ...]], errors: str, tz: str | None, order: str | None
) -> None:
    lines = [",".join(row) + "\n" for row in rows]

    both(path, HEADER + "".join(lines), errors=errors, tz=tz, order=order)


def test_identifiers_come_in_the_order_of_the_file_whatever_they_are(path: Path) -> None:
    ids = ["B", "A", "007", "7", "A", "x" * 40, "商机", "B", "y" * 2000]
    lines = [f"{name},lead,2026-01-{day:02},,,,1\n" for day, name in enumerate(ids, start=1)]

    found = both(path, HEADER + "".join(lines), tz="UTC")

    assert found["order"] == list(dict.fromkeys(ids))


def test_a_row_that_is_left_out_is_no_appearance(path: Path) -> None:
    rows = ["B,lead,31.1.,,,,0", "A,lead,2026-01-31,,,,0", "B,lead,2026-01-31,,,,0"]

    found = both(path, HEADER + "\n".join(rows), errors="collect", tz="UTC")

    assert found["order"] == ["A", "B"]


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ('B,"lead,2026\n', "ends inside a quoted cell"),
        ('B,"lead"x,2026\n', "not CSV"),
        ("B,lead,2026-01-01,,,,1\n", "names no time zone"),
    ],
)
def test_a_fault_at_the_end_is_told(path: Path, end: str, why: str) -> None:
    found = both(path, HEADER + "A,lead,2026-01-01T09:30Z,,,,1\n" * 30 + end)

    assert why in found[1]
