from __future__ import annotations

from pathlib import Path

import pytest

from salesfunnel.columns.misspelt import did_you_mean
from salesfunnel.errors import MissingColumnError
from salesfunnel.log.read import read_csv
from salesfunnel.model.funnel import Funnel
from salesfunnel.text.explaining import explain

COLUMNS = ["deal_id", "stage", "entered_at", "客户"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("stge", "stage"),
        ("Stage", "stage"),
        ("DEAL ID", "deal_id"),
        ("dealid", "deal_id"),
        ("entered-at", "entered_at"),
        ("客户名", "客户"),
    ],
)
def test_the_column_that_is_meant_is_named(name: str, meant: str) -> None:
    assert str(did_you_mean(name, COLUMNS)) == f". Did you mean {meant!r}?"


@pytest.mark.parametrize("name", ["owner", "", "_", "金额"])
def test_nothing_is_guessed_where_nothing_is_alike(name: str) -> None:
    assert did_you_mean(name, COLUMNS) == ""
    assert did_you_mean(name, []) == ""


def test_of_names_alike_the_first_is_meant() -> None:
    assert "'stage'" in did_you_mean("STAGE", ["stage", "Stage_"])


def test_readers_ask_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("deal_id,stage,at\n", encoding="utf-8")

    with pytest.raises(MissingColumnError) as caught:
        read_csv(
            path,
            Funnel(["lead"]),
            opportunity="deal id",
            stage="stage",
            entered_at="at",
            tz="UTC",
        )
    assert "it has deal_id, stage, at. Did you mean 'deal_id'?" in str(caught.value)
    assert "。是否指 'deal_id' 列？" in explain(caught.value, "zh")
