"""What errors say in the reader's language."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import salesfunnel as sf
from salesfunnel import metrics, scoring
from salesfunnel.crm import hubspot
from salesfunnel.errors import BadRow, DataError, MissingExtraError, ObserverError
from salesfunnel.text.catalogue import Catalogue, catalogue
from salesfunnel.text.explaining import explain, reworded, said
from salesfunnel.wording import Listed, Wording

FUNNEL = sf.Funnel(["lead", "offer"], loss_reasons=["price"])
AT = datetime(2026, 1, 5, tzinfo=UTC)
CSV = "id,stage,at,amount\nA,nope,2026-01-01T00:00Z,1\nB,lead,xx,2\nC,lead\n,lead,2026-01-01,3\n"
COLUMNS: dict[str, Any] = {"opportunity": "id", "stage": "stage", "entered_at": "at", "tz": "UTC"}


def error_of(call: Callable[..., Any], *arguments: Any, **more: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        call(*arguments, **more)
    return caught.value


def refused(change: str, **asked: Any) -> Exception:
    engine = sf.TransitionEngine(FUNNEL)
    opportunity = engine.open(sf.Opportunity("O-1"), at=AT)
    return error_of(getattr(engine, change), opportunity, **{"at": AT} | asked)


MISTAKES: list[tuple[Callable[[], Exception], str]] = [
    (lambda: error_of(sf.Funnel, []), "漏斗至少要有一个阶段；这里没有"),
    (lambda: error_of(sf.Funnel, ["a", "a"]), "键 'a' 在一个漏斗的阶段中出现两次"),
    (
        lambda: error_of(FUNNEL.index, "demo"),
        "此漏斗没有状态 'demo'；现有 lead、offer、won、lost",
    ),
    (
        lambda: error_of(sf.Funnel.from_dict, {"x": 1}),
        "漏斗没有字段 'x'；现有 stages、loss_reasons、name、reasons_closed",
    ),
    (
        lambda: refused("lose"),
        "商机 'O-1'（处于 'lead'）：流失需要原因；应为 'price' 之一",
    ),
    (
        lambda: refused("move", stage="won"),
        (
            "商机 'O-1'（处于 'lead'）：还不能赢单：按此策略，须从 'offer' 赢单；"
            "从这里可进入 'offer'、'lost'"
        ),
    ),
    (
        lambda: error_of(metrics.wilson, 1, 2, level=2),
        "level= 应在 0 与 1 之间，如 0.95，而不是 2",
    ),
    (
        lambda: error_of(scoring.bant().score, np.zeros((2, 3))),
        (
            "values 应为每条线索一行、共 4 列（budget、authority、need、timeline）的数组，"
            "而不是形状 (2, 3)"
        ),
    ),
    (
        lambda: error_of(hubspot.load),
        "没有可读的内容：请给出 deals= 或 history=",
    ),
    (
        lambda: MissingExtraError(Wording("a plot"), "report"),
        "图 需要可选的依赖：pip install 'salesfunnel[report]'",
    ),
    (
        lambda: ObserverError(
            sf.TransitionEngine(FUNNEL).open(sf.Opportunity("O-1"), at=AT),
            [ValueError("no mail"), error_of(sf.Funnel, [])],
        ),
        (
            "商机 'O-1' 已进入 'lead'，但有 2 个观察者失败：ValueError：no mail；"
            "DefinitionError：漏斗至少要有一个阶段；这里没有。"
            "这次变更已完成，其结果是此错误的 `.opportunity`"
        ),
    ),
]


@pytest.mark.parametrize(("mistake", "chinese"), MISTAKES)
def test_an_error_is_said_whole(mistake: Callable[[], Exception], chinese: str) -> None:
    error = mistake()

    assert explain(error, "zh") == explain(error, "zh-CN") == chinese
    assert explain(error) == explain(error, "en") == str(error)


@pytest.mark.parametrize(("mistake", "chinese"), MISTAKES)
def test_an_error_from_another_process_is_said_too(
    mistake: Callable[[], Exception], chinese: str
) -> None:
    error = mistake()

    assert explain(pickle.loads(pickle.dumps(error)), "zh") == chinese  # noqa: S301


def test_bad_rows_are_said_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(CSV)
    error = error_of(sf.read_csv, path, FUNNEL, **COLUMNS)

    assert explain(error, "zh").split("\n") == [
        "有 4 行无法成为记录（errors='collect' 会读入其余各行，并把这些行放入 log.rejected）：",
        (
            "  第 2 行，stage：'nope'，应为：漏斗的状态：lead、offer、won、lost"
            "（可用 stage_map= 说明其他名称的含义）"
        ),
        (
            "  第 3 行，at：'xx'，应为：ISO 8601 时间，如 2026-01-31T09:30:00+08:00"
            "（可用 date_format= 指定其他格式）"
        ),
        "  第 4 行，（整行）：'2 个单元格'，应为：4 个单元格，与表头一致",
        "  第 5 行，id：''，应为：编号；此处为空",
    ]


def test_more_bad_rows_than_are_listed_are_counted() -> None:
    rows = [BadRow(2, "at", "", Wording("a stage; there is none"))]

    assert explain(DataError("what happened", rows, 12_345), "zh") == (
        "what happened\n  第 2 行，at：''，应为：阶段；此处为空\n  ……另有 12,345 处"
    )


@pytest.mark.parametrize("back", ["as it is", "npz", "json", "parquet"])
def test_rejected_rows_say_in_a_table_what_was_expected(tmp_path: Path, back: str) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(CSV)
    log = sf.read_csv(path, FUNNEL, errors="collect", **COLUMNS)
    if back == "npz":
        log.save(tmp_path / "log.npz")
        log = sf.StageLog.load(tmp_path / "log.npz")
    elif back == "json":
        log.to_json(tmp_path / "log.json")
        log = sf.StageLog.from_json(tmp_path / "log.json")
    elif back == "parquet":
        log.to_parquet(tmp_path / "log.parquet")
        log = sf.StageLog.from_parquet(tmp_path / "log.parquet")

    for text in (log.rejected.to_text("zh"), log.rejected.to_html("zh")):
        for words in ("编号；此处为空", "4 个单元格，与表头一致", "ISO 8601 时间，如", "（整行）"):
            assert words in text
        for word in ("expected", "there is none", "a state", "cells, as"):
            assert word not in text
    assert "an identifier; there is none" in log.rejected.to_text("en")


def test_what_has_no_translation_is_said_in_english() -> None:
    error = sf.errors.DefinitionError(
        "{name} is odd: {why}", name="x", why=Wording("true or false")
    )

    assert explain(error, "zh") == "x is odd: true or false"
    assert explain(ValueError("no such thing"), "zh") == "no such thing"
    assert explain(sf.errors.DefinitionError("{'a': 1} is odd"), "zh") == "{'a': 1} is odd"
    assert said("true or false", "zh") == "true or false"


def test_a_language_without_messages_says_them_in_english() -> None:
    assert Catalogue("de", {}).wording("true or false") is None
    assert catalogue("zh").wording("true or false") == "true 或 false"


def test_an_unknown_language_is_said_so() -> None:
    with pytest.raises(sf.errors.UnknownLanguageError, match="'fr'") as caught:
        explain(ValueError("x"), "fr")

    assert explain(caught.value, "zh") == "没有 'fr' 语言的文本；可用 en、zh"


def test_lists_have_the_marks_of_the_language() -> None:
    assert said(Listed(["a", "b"]), "zh") == "a、b"
    assert said(Listed(["a", "b"], " or "), "zh") == "a 或 b"
    assert said(Listed(["a", "b"], "\n"), "zh") == "a\nb"


def test_a_text_without_its_template_is_recognised() -> None:
    assert reworded("a stage; there is none", "zh") == "阶段；此处为空"
    assert reworded("3 cells, as the header has", "zh") == "3 个单元格，与表头一致"
    assert reworded("argument --by: expected one argument", "zh") == "参数 --by：需要一个值"
    assert reworded("none of it", "zh") == "none of it"
    assert reworded("row", "zh") == "row"
    assert reworded("a stage; there is none", "en") == "a stage; there is none"
