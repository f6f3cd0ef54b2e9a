"""Any source to columns: paths, dataframes, parsed JSON, and lists of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from salesfunnel.columns.pages import Page
from salesfunnel.columns.rawtable import Broken, RawTable
from salesfunnel.columns.source import read_source
from salesfunnel.errors import DataError, DefinitionError, IncompletePagesError

ROWS = [{"id": "A", "n": 1}, {"id": "B", "n": 2}]
COLUMNS: dict[str, Any] = {"id": ["A", "B"], "n": [1, 2]}


def unpack(value: Any) -> Page | None:
    """Take an object with records for a page."""
    if "records" not in value:
        return None
    return Page(value["records"], bool(value.get("next")), value.get("total"))


def page(*ids: str, **about: Any) -> dict[str, Any]:
    return {"records": [{"id": i} for i in ids], **about}


def plain(table: RawTable) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in table.columns.items()}


# ── one source in many forms ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "source",
    [
        ROWS,
        [ROWS[:1], ROWS[1:]],
        COLUMNS,
        {"id": ["A", "B"], "n": np.array([1, 2])},
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS).to_arrow(),
        [pd.DataFrame(ROWS[:1]), pl.DataFrame(ROWS[1:])],
        iter(ROWS),
        RawTable("x", COLUMNS, range(2)),
    ],
    ids=lambda source: type(source).__name__,
)
def test_records_columns_and_dataframes_are_the_same_columns(source: Any) -> None:
    table = read_source(source, "deals")

    assert plain(table) == COLUMNS
    assert list(table.numbers) == [0, 1]


def test_a_path_is_read_by_its_ending(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps(ROWS), encoding="utf-8")
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    (tmp_path / "d.csv").write_text("id,n\nA,1\nB,2\n", encoding="utf-8")

    assert plain(read_source(tmp_path / "d.json", "deals")) == COLUMNS
    lines = read_source(str(tmp_path / "d.jsonl"), "deals")
    assert plain(lines) == COLUMNS
    assert list(lines.numbers) == [1, 2]
    table = read_source(tmp_path / "d.csv", "deals")
    assert plain(table) == {"id": ["A", "B"], "n": ["1", "2"]}
    assert list(table.numbers) == [2, 3]


def test_the_parts_of_a_list_follow_one_another(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,n\nA,1\nbroken\n", encoding="utf-8")
    (tmp_path / "2.csv").write_text("id,owner\nC,li\nbroken\n", encoding="utf-8")

    table = read_source([tmp_path / "1.csv", tmp_path / "2.csv"], "deals")

    assert plain(table) == {
        "id": ["A", "", "C", ""],
        "n": ["1", "", None, None],
        "owner": [None, None, "li", ""],
    }
    assert list(table.numbers) == [0, 1, 2, 3]
    broken = Broken("1 cells", "2 cells, as the header has")
    assert table.broken == {1: broken, 3: broken}


def test_nothing_is_no_rows() -> None:
    assert plain(read_source([], "deals")) == {}
    assert plain(read_source({}, "deals")) == {}
    assert len(read_source([page()], "deals", unpack=unpack).numbers) == 0


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────


def test_pages_follow_one_another(tmp_path: Path) -> None:
    pages = [page("A", "B", next="p2", total=3), page("C", total=3)]
    for number, one in enumerate(pages):
        (tmp_path / f"{number}.json").write_text(json.dumps(one), encoding="utf-8")

    for source in (pages, [tmp_path / "0.json", tmp_path / "1.json"], [*pages, page("D")]):
        table = read_source(source, "deals", unpack=unpack)
        assert table.columns["id"][:3] == ["A", "B", "C"]
    assert plain(read_source(page("A"), "deals", unpack=unpack)) == {"id": ["A"]}
    assert plain(read_source(ROWS, "deals", unpack=unpack)) == COLUMNS


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([page("A", next="p2")], "deals: the last page says that more follow: fetch all pages and"),
        ([page("B"), page("A", next="p2")], "deals: the last page says that more follow"),
        (
            [page("A", next="p2"), page("C", total=3)],
            "deals: 2 records in 2 pages, where the response says that there are 3: give every",
        ),
        (
            [page("A", next="p2"), page("A", next="p2"), page("B", total=2)],
            "deals: 3 records in 3 pages, where the response says that there are 2: give every",
        ),
    ],
)
def test_missing_and_repeated_pages_are_told(pages: list[Any], why: str) -> None:
    with pytest.raises(IncompletePagesError) as refusal:
        read_source(pages, "deals", unpack=unpack)
    assert why in str(refusal.value)

    ids = [record["id"] for one in pages for record in one["records"]]
    assert plain(read_source(pages, "deals", unpack=unpack, partial=True)) == {"id": ids}


# ── what is no source ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("source", [5, None, b"bytes", 1.5])
def test_what_is_no_source_is_told(source: Any) -> None:
    with pytest.raises(
        DefinitionError, match="deals is a path, a dataframe, parsed JSON, or a list of these, not"
    ):
        read_source(source, "deals")


def test_json_without_records_is_told(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text('"text"', encoding="utf-8")

    with pytest.raises(DataError, match="deals: a list of records is expected, not 'text'"):
        read_source(path, "deals")
    with pytest.raises(
        DataError, match=r"a page of the response is expected, not an object with e"
    ):
        read_source({"error": "expired"}, "deals", unpack=unpack)
    with pytest.raises(DataError, match="deals: what is at 1, 2 of the list is no page"):
        read_source([page("A"), {"error": 1}, 5], "deals", unpack=unpack)
    with pytest.raises(DataError, match="deals: a mapping has a list or an array for each column"):
        read_source({"id": "A"}, "deals")
    with pytest.raises(DataError, match="deals: columns are of one length; given: id 1, n 2"):
        read_source({"id": ["A"], "n": [1, 2]}, "deals")


def test_a_file_that_is_not_there_is_the_systems_error(tmp_path: Path) -> None:
    for name in ("gone.csv", "gone.json", "gone.jsonl", "gone.zip"):
        with pytest.raises(FileNotFoundError):
            read_source(tmp_path / name, "deals")


def test_without_narwhals_all_but_dataframes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "narwhals", None)

    assert plain(read_source(ROWS, "deals")) == COLUMNS
    with pytest.raises(ImportError, match=r"pip install 'salesfunnel\[frames\]'"):
        read_source(pd.DataFrame(ROWS), "deals")
