"""The progress bar."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from salesfunnel.datasets import make_pipeline
from salesfunnel.errors import MissingExtraError, UnknownLanguageError
from salesfunnel.show import progress


@pytest.mark.parametrize(("lang", "word"), [("en", "Counting"), ("zh", "统计")])
def test_the_work_is_named_in_the_language(lang: str, word: str) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80)
    log = make_pipeline(200)
    with progress(lang, console=console) as bar:
        log.stage_counts(progress=bar)
        log.flow(progress=bar)
        bar(3, None, "[red]<work>")

    assert word in out.getvalue()
    assert "100%" in out.getvalue()
    assert "[red]<work>" in out.getvalue()


def test_it_is_shown_beside_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as bar:
        bar(1, 2, "read")

    assert capsys.readouterr().out == ""


def test_without_rich_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.progress", None)

    with pytest.raises(MissingExtraError, match=r"a progress bar needs .*salesfunnel\[report\]"):
        progress()


def test_a_language_without_texts_is_refused() -> None:
    with pytest.raises(UnknownLanguageError, match="fr"):
        progress("fr")
