"""Reading a log from a CSV file."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from salesfunnel.errors import (
    CurrencyError,
    DataError,
    EmptyFileError,
    EncodingError,
    MissingColumnError,
    NaiveTimeError,
    TruncatedFileError,
)
from salesfunnel.log.read import read_csv
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"], ["price"])
TEXT = """商机,阶段,时间,原因,负责人,金额,币种,序号
A-1,lead,2026-01-05 09:00,,李娜,12000.5,CNY,1
A-1,演示,2026-01-06 09:00,,,,CNY,2
A-2,lead,2026-01-06 09:00,,王伟,,CNY,3
A-1,输单,2026-01-08 09:00,price,王伟,13000,CNY,4
A-2,归档,2026-01-09,,,,,5
"""
COLUMNS: dict[str, Any] = {
    "opportunity": "商机",
    "stage": "阶段",
    "entered_at": "时间",
    "reason": "原因",
    "attributes": {"owner": "负责人"},
    "amount": "金额",
    "order": "序号",
    "currency": "币种",
    "stage_map": {"演示": "demo", "输单": "lost", "归档": None},
    "tz": "Asia/Shanghai",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deals.csv"


def read(path: Path, text: str = TEXT, **options: Any) -> StageLog:
    path.write_text(text, encoding="utf-8")
    return read_csv(path, FUNNEL, **{**COLUMNS, **options})


def plain(path: Path, text: str, **options: Any) -> StageLog:
    """Return the log of a file with the columns id, stage and at alone."""
    path.write_text(text, encoding="utf-8")
    return read_csv(path, FUNNEL, opportunity="id", stage="stage", entered_at="at", **options)


# ── what is read ──────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_read_with_everything_it_says(path: Path) -> None:
    log = read(path)

    assert log.opportunities.tolist() == ["A-1", "A-2"]
    assert log.milestones().status.tolist() == ["lost", "open"]
    assert log.ignored == 1
    assert log.currency == "CNY"
    assert log.view().amount[0] == 13000
    assert log.flow(by="owner").groups == ("李娜", "王伟")
    assert log.reasons is not None
    assert log.reasons.names == ("price",)
    assert str(log.as_of) == "2026-01-08 01:00:00+00:00"
    assert len(log.conform(as_of=log.as_of)) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_file_is_the_same_in_every_encoding(path: Path, encoding: str, compress: Any) -> None:
    expected = read(path).flow(by="owner")
    path.write_bytes(compress(TEXT.encode(encoding)))

    assert read_csv(str(path), FUNNEL, **COLUMNS).flow(by="owner") == expected


def test_attributes_may_be_named_as_their_columns_are(path: Path) -> None:
    assert read(path, attributes=["负责人", "币种"]).attributes == ("负责人", "币种")
    assert read(path, attributes="负责人").attributes == ("负责人",)
    assert read(path, attributes=()).attributes == ()


def test_the_currency_is_a_column_or_that_of_all_amounts(path: Path) -> None:
    assert read(path, currency="EUR").currency == "EUR"
    assert read(path, currency=None).currency is None


def test_a_header_alone_is_an_empty_log(path: Path) -> None:
    log = read(path, TEXT.splitlines()[0] + "\n")

    assert len(log) == 0
    assert log.as_of is None
    assert log.attributes == ("owner",)
    assert log.flow(by="owner") + read(path).flow(by="owner") == read(path).flow(by="owner")


# ── bad rows, numbered as a spreadsheet does ──────────────────────────────────────────────────────


def test_bad_rows_have_the_numbers_and_columns_of_the_file(path: Path) -> None:
    text = (
        "商机,阶段,时间,原因,负责人,金额,币种,序号\n"
        "A-1,lead,2026-01-05 09:00,,李娜,12000.5,CNY,1\n"
        "\n"
        "A-1,报价,2026-01-06 09:00,,,,CNY,2\n"
        ",lead,2026-01-06 09:00,,王伟,,CNY,3\n"
        "A-1,lead,05.01.2026,,王伟,,CNY,4\n"
        'A-1,lead,2026-01-07,,"two\nlines",一万,CNY,5\n'
        "A-1,lead\n"
        "A-1,lead,2026-01-07,,王伟,,CNY,?\n"
    )

    rejected = read(path, text, errors="collect").rejected

    assert list(zip(rejected["row"], rejected["column"], rejected["value"], strict=True)) == [
        (4, "阶段", "报价"),
        (5, "商机", ""),
        (6, "时间", "05.01.2026"),
        (7, "金额", "一万"),
        (8, "(the row)", "2 cells"),
        (9, "序号", "?"),
    ]
    assert rejected["expected"][4] == "8 cells, as the header has"
    with pytest.raises(DataError, match=r"^6 rows cannot be entries") as refusal:
        read(path, text)
    assert "\n  row 4, 阶段: '报价', expected a state of the funnel: lead, demo" in str(
        refusal.value
    )
    assert "\n  row 8, (the row): '2 cells', expected 8 cells, as the header has" in str(
        refusal.value
    )


def test_a_ragged_row_is_a_fault_whatever_its_stage_means(path: Path) -> None:
    log = plain(
        path,
        "id,stage,at\nA,lead,2026-01-05\nA\nA,,2026-01-06\n",
        tz="UTC",
        stage_map={"": None},
        errors="collect",
    )

    assert log.rejected["row"].tolist() == [3]
    assert log.ignored == 1
    assert len(log) == 1


# ── files that cannot be read at all ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("errors", ["raise", "collect"])
@pytest.mark.parametrize(
    ("data", "error", "why"),
    [
        (b"", EmptyFileError, "deals.csv is empty; a line with the names of the columns is exp"),
        (
            b"id,stage\n",
            MissingColumnError,
            "deals.csv has no column 'at'; it has id, stage",
        ),
        (
            gzip.compress(b"id,stage,at\nA,lead,2026-01-05\n" * 9, mtime=0)[:-20],
            TruncatedFileError,
            "deals.csv is a gzip file that breaks off before its end: fetch it again",
        ),
        (
            b"\x1f\x8b\x08\x00garbage, not deflated at all",
            DataError,
            "deals.csv is a damaged gzip file",
        ),
        (
            "id,stage,at\n".encode("utf-16"),
            EncodingError,
            "deals.csv is not text in UTF-8 or GB18030",
        ),
        (
            b"id,stage,at\nJos\xe9,lead,2026-01-05\n",
            EncodingError,
            "deals.csv is neither UTF-8 nor GB18030 text: byte 0xe9 in line 2",
        ),
        (
            b'id,stage,at\nA,"lead,2026-01-05\n',
            TruncatedFileError,
            "deals.csv ends inside a quoted cell",
        ),
        (b"id,stage,at,id\n", DataError, "deals.csv names a column twice: id"),
    ],
)
def test_a_broken_file_is_told(
    path: Path, data: bytes, error: type[DataError], why: str, errors: str
) -> None:
    path.write_bytes(data)

    with pytest.raises(error) as refusal:
        read_csv(path, FUNNEL, opportunity="id", stage="stage", entered_at="at", errors=errors)
    assert type(refusal.value) is error
    assert why in str(refusal.value)


def test_every_column_asked_for_must_be_there(path: Path) -> None:
    for name in ("opportunity", "stage", "entered_at", "reason", "amount", "order"):
        with pytest.raises(
            MissingColumnError, match=r"deals\.csv has no column 'gone'; it has 商机,"
        ):
            read(path, **{name: "gone"})
    with pytest.raises(MissingColumnError, match="has no column 'gone'"):
        read(path, attributes=["gone"])


def test_times_and_currencies_are_checked_as_in_columns(path: Path) -> None:
    with pytest.raises(NaiveTimeError, match="时间: '2026-01-05 09:00' names no time zone"):
        read(path, tz=None)
    with pytest.raises(
        CurrencyError, match="币种: amounts in CNY, USD; give what one unit of each"
    ):
        read(path, TEXT.replace("13000,CNY", "13000,USD"))


def test_forms_of_times_are_those_of_columns(path: Path) -> None:
    text = "id,stage,at\nA,lead,05.01.2026\nA,demo,\n"

    log = plain(path, text, tz="UTC", date_format="%d.%m.%Y", missing_time="2026-02-01")

    assert str(log.as_of) == "2026-02-01 00:00:00+00:00"
    assert log.flow().seconds[0, 1] == 27 * 86_400
