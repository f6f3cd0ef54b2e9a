"""Table: named columns to look at, as text, Markdown and HTML, and to take along."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from salesfunnel.datasets import reference_pipeline
from salesfunnel.errors import (
    DataError,
    DefinitionError,
    EncodingError,
    UnknownAttributeError,
    UnknownLanguageError,
)
from salesfunnel.metrics import (
    flow_table,
    loss_table,
    stage_table,
    summary,
)
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import MISSING
from salesfunnel.text.width import display_width


def table(**options: Any) -> Table:
    """Return a small table of every kind of column."""
    return Table(
        [
            Column("owner", ["李娜", None, "<b>|=1"]),
            Column("entered", np.array([1234, 0, 7])),
            Column("value", np.array([0.3, np.nan, 1.0]), "rate"),
            Column("numerator", np.array([3, 0, 7])),
            Column("denominator", np.array([10, 0, 7])),
            Column("low", np.array([0.1, np.nan, np.nan]), "rate"),
            Column("high", np.array([0.6, np.nan, np.nan]), "rate"),
            Column("amount", np.array([1234.5, np.nan, -2]), "money"),
            Column("seconds", np.array([90.0, np.nan, 86_400]), "seconds"),
            Column("created_at", np.array(["2026-01-31T09:30", "NaT", "1970-01-01"], "M8[us]")),
        ],
        **options,
    )


# ── columns ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "b"], "text"),
        (np.array(["a"]), "text"),
        ([1, "a", None], "text"),
        ([None, None], "text"),
        (np.array([1], np.uint8), "integer"),
        ([1, 2], "integer"),
        ([1.5], "decimal"),
        (np.array(["2026-01-01"], "M8[D]"), "time"),
        ([True], "text"),
    ],
)
def test_the_kind_of_a_column_is_told_from_its_values(values: Any, kind: str) -> None:
    assert Column("x", values).kind == kind


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (Column("x", ["a", None, "b\x1b[31m\n"]), ["a", "–", "b␛[31m "]),
        (Column("x", np.array([12345, -1])), ["12,345", "-1"]),
        (Column("x", [1.239, np.nan, -0.001]), ["1.24", "–", "0.00"]),
        (Column("x", [0.305, np.nan], "rate"), ["30.5%", "–"]),
        (Column("x", [1234.5, np.nan], "money"), ["1,234", "–"]),
        (
            Column("x", [0.0004, 0.001, 0.0484, 1, np.nan], "p_value"),
            ["<0.001", "0.001", "0.048", "1.000", "–"],
        ),
        (Column("x", [5, 320], "seconds"), ["5.0 s", "5 min 20 s"]),
        (Column("x", np.array(["2026-01-31", "NaT"], "M8[D]")), ["2026-01-31 00:00 UTC", "–"]),
        (Column("x", np.array([True, False])), ["Yes", "No"]),
        (Column("x", np.array([3, None], object), "integer"), ["3", "–"]),
        (Column("x", ["a", "b"], labels=lambda key, lang: f"{key}-{lang}"), ["a-en", "b-en"]),
        (Column("x", [1, 2], blank=np.array([True, False])), ["–", "2"]),
    ],
)
def test_a_cell_is_what_people_read(column: Column, cells: list[str]) -> None:
    assert [column.cell(index, "en") for index in range(len(cells))] == cells
    assert MISSING == "–"


def test_a_column_has_one_dimension_and_a_known_kind() -> None:
    with pytest.raises(DefinitionError, match=r"column 'x' is one-dimensional, not \(1, 2\)"):
        Column("x", [[1, 2]])
    with pytest.raises(
        DefinitionError, match=r"a column is of the kind text, integer, .* not 'date'"
    ):
        Column("x", [1], "date")


def test_the_values_of_a_column_cannot_be_changed_through_it() -> None:
    values = np.array([1, 2])
    column = Column("x", values)

    with pytest.raises(ValueError, match="read-only"):
        column.values[0] = 5
    assert values.flags.writeable


# ── values ────────────────────────────────────────────────────────────────────────────────────────


def test_a_table_is_its_columns() -> None:
    small = table()

    assert len(small) == 3
    assert small.columns[:3] == ("owner", "entered", "value")
    assert small["entered"].tolist() == [1234, 0, 7]
    assert "owner" in small
    assert "region" not in small
    assert repr(small).startswith("Table(3 rows: owner, entered, value, ")
    assert len(Table([])) == 0


def test_an_unknown_column_is_told_what_there_is() -> None:
    with pytest.raises(
        UnknownAttributeError, match=r"no column 'region' in this table; it has owner"
    ):
        table()["region"]
    with pytest.raises(UnknownAttributeError):
        table().select("owner", "region")


def test_columns_are_of_one_length_with_names_of_their_own() -> None:
    with pytest.raises(
        DefinitionError, match=r"the columns of a table are of one length, not \[1, 2"
    ):
        Table([Column("a", [1]), Column("b", [1, 2])])
    with pytest.raises(
        DefinitionError, match="columns of a table have names of their own, not a, a"
    ):
        Table([Column("a", [1]), Column("a", [2])])


def test_tables_are_equal_by_content() -> None:
    assert table() == table(title=Phrase("title.win_rate"))
    assert table() != table().select("owner")
    assert Table([Column("a", [1.0, np.nan])]) == Table([Column("a", [1.0, np.nan])])
    assert Table([Column("a", [1])]) != Table([Column("a", [2])])
    assert Table([Column("a", [1])]) != Table([Column("a", [1.0])])
    assert Table([Column("a", [1])]) != Table([Column("b", [1])])
    assert Table([Column("a", [1])]) != Table([Column("a", [1, 1])])
    assert Table([Column("a", ["x", None])]) == Table([Column("a", ["x", None])])
    assert Table([Column("a", np.zeros(0))]) == Table([Column("a", [])])
    assert Table([Column("a", [])]) != Table([Column("b", [])])
    assert Table([Column("a", [])]) != Table([Column("a", [1])])
    assert table() != "table"
    with pytest.raises(TypeError, match="unhashable"):
        hash(table())


def test_some_of_the_columns_make_a_table() -> None:
    chosen = table(title=Phrase("title.win_rate"), hidden=["entered"]).select("entered", "owner")

    assert chosen.columns == ("entered", "owner")
    assert str(chosen).splitlines()[2].split() == ["Entered", "Owner"]


def test_rows_are_plain_values() -> None:
    rows = list(table().rows())

    assert rows[0] == {
        "owner": "李娜",
        "entered": 1234,
        "value": 0.3,
        "numerator": 3,
        "denominator": 10,
        "low": 0.1,
        "high": 0.6,
        "amount": 1234.5,
        "seconds": 90.0,
        "created_at": datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    }
    assert [rows[1][name] for name in ("owner", "value", "created_at")] == [None] * 3
    assert type(rows[0]["entered"]) is int
    assert list(Table([]).rows()) == []


# ── text ──────────────────────────────────────────────────────────────────────────────────────────


def test_text_is_aligned_with_chinese_and_latin_names() -> None:
    text = Table(
        [
            Column("stage", ["潜在客户识别", "Lead", "报价与谈判"]),
            Column("entered", [1000, 36, 7]),
            Column("owner", ["李娜", "Bo", None]),
        ]
    ).to_text()

    assert text == (
        "Stage         Entered  Owner\n"
        "────────────  ───────  ─────\n"
        "潜在客户识别    1,000  李娜\n"
        "Lead               36  Bo\n"
        "报价与谈判          7  –"
    )
    lines = text.splitlines()
    assert {display_width(line.split("  ")[0]) for line in lines[:2]} <= {5, 12}


def test_a_rate_and_its_bounds_are_one_cell() -> None:
    lines = str(table()).splitlines()

    assert lines[0].split() == [
        *("Owner", "Entered", "Value", "Numerator", "Denominator", "Amount", "Seconds", "Created"),
    ]
    assert "30.0% (10.0–60.0)" in lines[2]
    assert lines[3].split() == ["–", "0", "–", "0", "0", "–", "–", "–"]
    assert " 100.0% " in lines[4]


def test_the_parts_of_one_rate_among_several_are_in_its_cell() -> None:
    rates = Table(
        [
            Column("loss_rate", [0.5, 0.25], "rate", blank=np.array([False, True])),
            Column("loss_rate_numerator", [1, 1]),
            Column("loss_rate_denominator", [2, 4]),
            Column("loss_rate_low", [0.1, 0.1], "rate"),
            Column("loss_rate_high", [0.9, 0.9], "rate"),
            Column("entered", [2, 4]),
        ]
    )

    assert str(rates) == (
        "        Loss rate  Entered\n"
        "─────────────────  ───────\n"
        "50.0% (10.0–90.0)        2\n"
        "                –        4"
    )


def test_a_title_stands_above_and_notes_below() -> None:
    when = datetime(2026, 3, 31, 8, tzinfo=UTC)
    names = [("en", "Demo"), ("zh", "演示")]
    told = Table(
        [Column("entered", [1])],
        title=Phrase("title.win_rate"),
        notes=[
            Phrase("note.as_of", {"as_of": when}),
            Phrase("note.cycle_start", {"stage": lambda lang: dict(names)[lang]}),
        ],
    )

    start = {lang: catalogue(lang).text("note.cycle_start", stage=name) for lang, name in names}
    assert told.to_text() == (
        "Win rate\n\nEntered\n───────\n      1\n\nAs of 2026-03-31 08:00 UTC.\n" + start["en"]
    )
    assert told.to_text("zh") == (
        "赢单率\n\n进入\n────\n   1\n\n数据截至 2026-03-31 08:00 UTC。\n" + start["zh"]
    )
    assert "As of" not in told.to_text(notes=False)


def test_a_table_without_rows_says_so() -> None:
    empty = table().select("owner", "entered")
    nothing = Table([Column(name, empty[name][:0]) for name in empty.columns])

    assert nothing.to_text() == "Owner  Entered\n─────  ───────\n(no rows)"
    assert nothing.to_text("zh").endswith("（无记录）")


def test_hidden_columns_are_for_code() -> None:
    partly = table(hidden=["entered", "amount"])

    for shown in (partly.to_text(), partly.to_markdown(), partly.to_html()):
        assert "Entered" not in shown
        assert "Amount" not in shown
    assert "entered" in partly.to_csv()
    assert partly["amount"][0] == 1234.5


def test_nothing_in_a_table_can_move_the_cursor() -> None:
    wild = Table(
        [Column("bad\x1bcolumn", ["\x1b[2J\r\u202eevil"])],
        title=Phrase("note.cycle_start", {"stage": "\x1b[31m"}),
        notes=[Phrase("note.cycle_start", {"stage": "\x07"})],
    )

    text = wild.to_text()

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\r" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("lang", ["zh", "zh-CN", "zh_Hans_CN.UTF-8"])
def test_a_language_may_be_named_as_a_locale(lang: str) -> None:
    seen = []

    def name(key: str, language: str) -> str:
        seen.append(language)
        return key

    named = Table([Column("owner", ["a"], labels=name)])

    assert named.to_text(lang).startswith("负责人")
    assert named.to_markdown(lang).startswith("| 负责人 |")
    assert 'lang="zh"' in named.to_html(lang)
    assert set(seen) == {"zh"}


def test_an_unknown_language_is_told() -> None:
    for show in (table().to_text, table().to_markdown, table().to_html):
        with pytest.raises(UnknownLanguageError, match="there are no texts in language 'tlh'"):
            show("tlh")


# ── Markdown and HTML ─────────────────────────────────────────────────────────────────────────────


def test_markdown_is_a_pipe_table_without_markup_in_its_cells() -> None:
    assert table().select("owner", "entered", "created_at").to_markdown() == (
        "| Owner | Entered | Created |\n"
        "| --- | ---: | ---: |\n"
        "| 李娜 | 1,234 | 2026-01-31 09:30 UTC |\n"
        "| – | 0 | – |\n"
        "| &lt;b&gt;\\|=1 | 7 | 1970-01-01 00:00 UTC |"
    )


def test_html_is_escaped_everywhere() -> None:
    script = "<script>alert('x')</script>"
    page = Table(
        [Column(script, [script, '"&']), Column("entered", [1, 2])],
        title=Phrase("note.cycle_start", {"stage": script}),
        notes=[Phrase("note.cycle_start", {"stage": script})],
    ).to_html()

    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 4
    assert "&quot;&amp;" in page
    assert page.startswith('<table class="salesfunnel" lang="en">\n<caption>')
    assert '<td align="right" style="text-align:right">1</td>' in page
    assert page.count("<tr>") == 3
    assert page.splitlines()[-1].startswith("<p><small>")


def test_a_notebook_shows_html() -> None:
    assert table()._repr_html_() == table().to_html()


# ── CSV, JSON, dataframes ─────────────────────────────────────────────────────────────────────────


def test_csv_is_safe_for_spreadsheets_unless_raw(tmp_path: Path) -> None:
    dangerous = Table([Column("=name", ["=1+1", "-5", None]), Column("n", [-1.5, np.nan, 2])])

    safe, raw = tmp_path / "safe.csv", tmp_path / "raw.csv"

    assert dangerous.to_csv(safe) == "'=name,n\n'=1+1,-1.5\n-5,\n,2.0\n"
    assert dangerous.to_csv(raw, raw=True) == '=name,n\n=1+1,-1.5\n"-5",\n,2.0\n'
    assert safe.read_bytes().startswith(b"\xef\xbb\xbf'=name")
    assert raw.read_bytes().startswith(b"=name")


def test_csv_has_every_column_as_it_is() -> None:
    lines = table().to_csv().splitlines()

    assert (
        lines[0] == "owner,entered,value,numerator,denominator,low,high,amount,seconds,created_at"
    )
    assert lines[1] == "李娜,1234,0.3,3,10,0.1,0.6,1234.5,90.0,2026-01-31T09:30:00+00:00"
    assert lines[2] == ",0,,0,0,,,,,"


def test_json_has_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "table.json"

    text = table().to_json(path)

    rows = json.loads(text)
    assert path.read_text(encoding="utf-8") == text + "\n"
    assert rows[0]["owner"] == "李娜"
    assert rows[0]["created_at"] == "2026-01-31T09:30:00+00:00"
    assert rows[1]["value"] is None
    assert "李娜" in text


def test_json_has_a_text_for_what_it_has_not() -> None:
    values = np.array(
        [float("inf"), np.float64(1.5), b"x", datetime(2026, 1, 1, tzinfo=UTC)], object
    )
    numbers = np.array([np.inf, -np.inf, np.nan, 1])

    rows = json.loads(Table([Column("a", values), Column("n", numbers)]).to_json())

    assert [row["a"] for row in rows] == ["inf", 1.5, "b'x'", "2026-01-01T00:00:00+00:00"]
    assert [row["n"] for row in rows] == ["inf", "-inf", None, 1.0]


def test_a_dataframe_has_the_columns_with_their_types() -> None:
    for backend, library in (("pandas", pd.DataFrame), ("polars", pl.DataFrame)):
        frame = table(hidden=["entered"]).to_frame(backend)

        assert isinstance(frame, library)
        assert list(frame.columns) == list(table().columns)
        assert frame["entered"].to_list() == [1234, 0, 7]
        assert str(frame["amount"].dtype).lower() == "float64"
    assert isinstance(table().to_frame(), pd.DataFrame)


def test_a_column_may_have_a_title_of_its_own() -> None:
    titled = Column("age", [3], title=Phrase("duration.days", {"days": 30}))

    assert Table([titled]).to_text().splitlines()[0] == "30 d"
    assert Table([titled]).to_text("zh").splitlines()[0] == "30 天"
    assert Table([titled]).columns == ("age",)


# ── and back ──────────────────────────────────────────────────────────────────────────────────────


def every_kind() -> Table:
    return Table(
        [
            Column("text", ["=1+1", None, "7"]),
            Column("integer", np.array([1, -2, 3])),
            Column("number", [0.5, np.nan, np.inf]),
            Column("nothing", [np.nan] * 3),
            Column("time", np.array(["2026-01-31T09:30", "NaT", "1970"], "datetime64[us]")),
            Column("truth", np.array([True, False, True])),
            Column("none", [None, None, None]),
            Column("never", np.array(["NaT"] * 3, "datetime64[us]")),
        ]
    )


def test_a_table_comes_back_unchanged_from_every_format(tmp_path: Path) -> None:
    table = every_kind()
    table.to_csv(tmp_path / "t.csv", raw=True)
    table.to_json(tmp_path / "t.json", raw=True)
    table.to_parquet(tmp_path / "t.parquet")

    assert Table.from_csv(tmp_path / "t.csv") == table
    assert Table.from_csv(io.StringIO(table.to_csv(raw=True))) == table
    assert Table.from_json(tmp_path / "t.json") == table
    assert Table.from_json(io.StringIO(table.to_json(raw=True))) == table
    assert Table.from_parquet(tmp_path / "t.parquet") == table
    for backend in ("pandas", "polars", "pyarrow"):
        assert Table.from_frame(table.to_frame(backend)) == table, backend


def test_every_table_of_the_library_comes_back(tmp_path: Path) -> None:
    log = reference_pipeline()
    tables = [
        log.conform(),
        stage_table(log),
        loss_table(log, by_stage=True),
        flow_table(log),
        summary(log),
        log.rejected,
    ]

    for table in tables:
        table.to_parquet(tmp_path / "t.parquet")
        assert Table.from_parquet(tmp_path / "t.parquet") == table
        assert Table.from_json(io.StringIO(table.to_json(raw=True))) == table
        for backend in ("pandas", "polars"):
            assert Table.from_frame(table.to_frame(backend)) == table
        assert Table.from_csv(io.StringIO(table.to_csv(raw=True))) == table


def test_values_of_many_types_come_back_from_parquet_and_json(tmp_path: Path) -> None:
    table = Table([Column("value", [1, "x", None, 2.5, True, 2**70], "text")])
    table.to_parquet(tmp_path / "t.parquet")

    assert Table.from_parquet(tmp_path / "t.parquet")["value"].tolist() == [
        1,
        "x",
        None,
        2.5,
        True,
        2**70,
    ]
    assert Table.from_json(io.StringIO(table.to_json(raw=True)))["value"].tolist()[:2] == [1, "x"]


def test_a_table_comes_back_from_bytes_too() -> None:
    table = every_kind()
    assert Table.from_csv(io.BytesIO(table.to_csv(raw=True).encode())) == table
    assert Table.from_json(io.BytesIO(table.to_json(raw=True).encode())) == table


@pytest.mark.parametrize("back", [Table.from_csv, Table.from_json])
def test_what_nothing_can_be_read_from_is_told(back: Any) -> None:
    with pytest.raises(DefinitionError, match="a path or an open file is expected, not None"):
        back(None)
    with pytest.raises(EncodingError, match="the text is n"):
        back(io.BytesIO(b"a\n\xff\n"))


def test_json_by_rows_is_no_table_to_come_back() -> None:
    with pytest.raises(DataError, match="the text has no columns, as what was written by to_json"):
        Table.from_json(io.StringIO(every_kind().to_json()))
