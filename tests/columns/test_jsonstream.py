"""JSON read a window at a time says what Python's own parser says of the whole text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesfunnel.columns import gathered, jsonstream
from salesfunnel.columns.files import LIMITS, Limits, text_pieces
from salesfunnel.columns.jsonstream import Piece, Whole, json_pieces
from salesfunnel.columns.source import read_source
from salesfunnel.crm.salesforce.responses import unpack
from salesfunnel.errors import (
    DataError,
    FileLimitError,
    IncompletePagesError,
    SalesFunnelError,
    TruncatedFileError,
)

WINDOW = Limits(max_line=120)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json") / "deals.json"


@pytest.fixture(scope="module", autouse=True)
def _small_pieces() -> Iterator[None]:
    def pieces(*arguments: Any) -> Iterator[str]:
        for piece in text_pieces(*arguments):
            yield from (piece[start : start + 7] for start in range(0, len(piece), 7))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "text_pieces", pieces)
        yield


def found(path: Path, text: str, **options: Any) -> list[Any]:
    """Return the records of a text, by a window that is smaller."""
    path.write_text(text, encoding="utf-8")
    pieces = list(json_pieces(path, "utf-8-sig", WINDOW, what="deals", **options))
    assert all(isinstance(piece, Piece) for piece in pieces), "the text is too short"
    return [record for piece in pieces for record in piece.records]  # type: ignore[union-attr]


def told(path: Path, limits: Limits, **options: Any) -> Any:
    """Return what `read_source` makes of a file, or what it says is wrong with it."""
    try:
        table = read_source(path, "deals", limits=limits, **options)
    except SalesFunnelError as error:
        return type(error), str(error)
    broken = {index: (str(row.found), str(row.expected)) for index, row in table.broken.items()}
    return {name: list(table.plain(name)) for name in table.columns}, [*table.numbers], broken


# ── what is read ──────────────────────────────────────────────────────────────────────────────────

values = st.sampled_from(
    [None, True, 5, -1.5, "", 'a"b', "\\", "ü\n商机", [], [1, [2]], {}, {"a": {"b": "]"}}, "é" * 3]
)
short = st.dictionaries(st.sampled_from(["Id", "Name"]), values, max_size=2)


@settings(max_examples=50)
@given(st.lists(short, min_size=70, max_size=90), st.sampled_from([None, 0, 1]), st.booleans())
def test_a_list_of_records(
    path: Path, records: list[Any], indent: int | None, ascii_: bool
) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=ascii_)

    assert found(path, text) == records


@settings(max_examples=50)
@given(
    st.lists(st.lists(short, max_size=8), min_size=1, max_size=8),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_pages_in_a_list_or_alone(
    path: Path, pages: list[list[Any]], indent: int | None, is_right: bool
) -> None:
    total = sum(map(len, pages)) + (not is_right)
    responses: list[Any] = [
        {"totalSize": total, "done": False, "more": {"a": [1]}, "records": records}
        for records in pages
    ]
    responses[-1]["done"] = True
    for value in (responses, [[*page] for page in pages], responses[-1]):
        path.write_text(json.dumps(value, indent=indent), encoding="utf-8")

        assert told(path, WINDOW, unpack=unpack, member="records") == told(
            path, LIMITS, unpack=unpack, member="records"
        )


def test_columns(path: Path) -> None:
    columns = {"id": [f"O-{n}" for n in range(100)], "n": [*range(100)], "note": [None] * 100}
    path.write_text(json.dumps(columns), encoding="utf-8")

    assert told(path, WINDOW) == told(path, LIMITS) == (columns, [*range(100)], {})


def test_what_is_no_record_is_a_broken_row(path: Path) -> None:
    records = [{"Id": "A"}, 5, "x", None, [1], *({"Id": str(n)} for n in range(20))]
    path.write_text(json.dumps(records), encoding="utf-8")

    columns, numbers, broken = told(path, WINDOW, unpack=unpack, member="records")

    assert (columns, numbers, broken) == told(path, LIMITS, unpack=unpack, member="records")
    assert [*broken] == [1, 2, 3, 4]


def test_gb18030_is_read_too(path: Path) -> None:
    records = [{"Id": str(n), "StageName": "需求分析"} for n in range(20)]
    path.write_bytes(json.dumps(records, ensure_ascii=False).encode("gb18030"))

    assert told(path, WINDOW)[0]["StageName"] == ["需求分析"] * 20


def test_long_texts_are_read_again_when_they_are_asked_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [{"Id": f"O-{n}", "note": "x" * n} for n in range(40)]
    path.write_text(json.dumps([{}, *records, {"late": 1}]), encoding="utf-8")
    monkeypatch.setattr(gathered, "LONG", 30)
    monkeypatch.setattr(jsonstream, "BATCH", 3)

    table = read_source(path, "deals", limits=WINDOW._replace(max_line=80))

    assert list(table.columns) == ["Id", "note", "late"]
    assert table.columns["Id"] == [None, *(record["Id"] for record in records), None]
    assert table.columns["note"] == [None, *(record["note"] for record in records), None]
    assert table.columns["late"] == [None] * 41 + [1]

    table = read_source(path, "deals", limits=WINDOW._replace(max_line=80))
    path.write_text(json.dumps(records * 2), encoding="utf-8")
    with pytest.raises(DataError, match="deals was changed while it was read"):
        table.column("note")


# ── what is refused ───────────────────────────────────────────────────────────────────────────────


@settings(max_examples=300)
@given(st.data())
def test_changed_texts_are_told_alike(path: Path, data: st.DataObject) -> None:
    page = {"done": True, "records": [{"Id": f"O-{n}", "x": {"y": [n]}} for n in range(12)]}
    value: Any = data.draw(st.sampled_from([page["records"], page, [page, page]]))
    text = json.dumps(value, indent=data.draw(st.sampled_from([None, 1])))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(text)))
        kind = data.draw(st.sampled_from(["cut", "put", "take"]))
        put = data.draw(st.sampled_from([",", "]", "}", '"', "[", "{", "x", "\\ud800", "\n", ":"]))
        text = text[:place] + ("" if kind == "cut" else put * (kind == "put") + text[place + 1 :])
    path.write_text(text, encoding="utf-8")

    small, large = (
        told(path, limits, unpack=unpack, member="records") for limits in (WINDOW, LIMITS)
    )

    # A value that goes on and on, as a text whose end was taken away does, is too long at first.
    assert small == large or small[0] is FileLimitError


def test_a_file_that_breaks_off_is_told(path: Path) -> None:
    text = json.dumps([{"Id": f"O-{n}"} for n in range(30)])
    for end in (-1, -2, -5, -9, -len(text) // 2):
        path.write_text(text[:end], encoding="utf-8")
        with pytest.raises(TruncatedFileError, match="breaks off before the end of its JSON"):
            read_source(path, "deals", limits=WINDOW)


@pytest.mark.parametrize("long", ['"' + "x" * 200 + '"', "1" * 200, '{"a": "' + "x" * 200 + '"}'])
def test_a_value_that_is_too_long_is_refused(path: Path, long: str) -> None:
    path.write_text(f'[{{"Id": 1}},\n{{"Id": {long}}}]' + " " * 99, encoding="utf-8")

    with pytest.raises(
        FileLimitError, match="line 2: a value has more than 120 characters; max_line= raises"
    ):
        read_source(path, "deals", limits=WINDOW)


def test_what_is_nested_too_deeply_is_refused(path: Path) -> None:
    path.write_text(f'[{{"Id": {"[" * 100_000}', encoding="utf-8")

    with pytest.raises(DataError, match="nested too deeply"):
        read_source(path, "deals", limits=Limits(max_line=50_000))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1, 2, {}{}]", r"line \d, column \d+: not JSON: Expecting ',' delimiter"),
        ("[{}, ]", "not JSON: "),
        ("[{}] []", "not JSON: Extra data"),
        ('{"records": [{}], 5: 1}', "not JSON: Expecting property name enclosed"),
        ('{"records" 5}', "not JSON: Expecting ':' delimiter"),
        ('{"results": [{}]}', "a page of the response is expected, not an object with results"),
        ('[{"records": []}, {"Id": 1}]', "what is at 1 of the list is no page"),
        ('[{"Id": 1}, {"records": []}]', "what is at 0 of the list is no page"),
    ],
)
def test_what_is_wrong_is_told(path: Path, text: str, why: str) -> None:
    blanks = " " * 70 + "\n"
    path.write_text(text.replace(",", "," + blanks).replace("[", "[" + blanks), encoding="utf-8")

    with pytest.raises(DataError, match=why):
        read_source(path, "deals", limits=WINDOW, unpack=unpack, member="records")


def test_the_place_of_a_fault_is_that_of_the_whole_text(path: Path) -> None:
    text = json.dumps([{"Id": n} for n in range(50)], indent=1).replace('"Id": 41', '"Id": x')
    path.write_text(text, encoding="utf-8")

    assert told(path, WINDOW) == told(path, LIMITS)


def test_missing_pages_are_told(path: Path) -> None:
    records = [{"Id": f"O-{n}"} for n in range(30)]
    path.write_text(json.dumps({"records": records, "totalSize": 31}), encoding="utf-8")

    with pytest.raises(IncompletePagesError, match=r"30 records in 1 page, .* there are 31"):
        read_source(path, "deals", limits=WINDOW, unpack=unpack, member="records")


def test_a_short_text_is_read_whole(path: Path) -> None:
    path.write_text("[5]", encoding="utf-8")

    assert list(json_pieces(path, "utf-8-sig", WINDOW, what="deals")) == [Whole([5])]
