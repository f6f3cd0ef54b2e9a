"""The README and its Chinese twin: what they show is what happens, and they say the same."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pages
import pytest

ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
READMES = [ENGLISH, CHINESE]
DEMO = {ENGLISH: ["demo"], CHINESE: ["demo", "--lang", "zh"]}


def bodies(readme: str, kind: str) -> list[str]:
    return [block.body for block in pages.blocks(readme) if block.kind == kind]


def commands(readme: str) -> list[list[str]]:
    return [words for console in bodies(readme, "console") for words in pages.commands(console)]


@pytest.mark.parametrize("readme", READMES)
def test_the_first_table_is_what_the_demo_prints(
    readme: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    command, *_ = commands(readme)
    table, *_ = bodies(readme, "text")

    assert command == DEMO[readme]
    assert pages.run(command) == 0
    assert table in capsys.readouterr().out


@pytest.mark.parametrize("readme", READMES)
def test_the_first_table_is_on_the_first_screen(readme: str) -> None:
    first = next(block for block in pages.blocks(readme) if block.kind == "text")

    assert first.line < 15


@pytest.mark.parametrize("readme", READMES)
def test_every_command_works_on_the_files_that_the_examples_write(
    readme: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    writing = next(body for body in bodies(readme, "python") if "write_text" in body)
    exec(writing, {})  # noqa: S102 - our own page

    for command in commands(readme):
        code = pages.run(command)
        assert code == 0, f"salesfunnel {shlex.join(command)}\n{capsys.readouterr().err}"


def test_both_have_the_same_headings() -> None:
    english, chinese = (re.findall(r"(?m)^(#+) ", pages.prose(readme)) for readme in READMES)

    assert english == chinese


def test_both_have_blocks_of_the_same_kinds() -> None:
    english, chinese = ([block.kind for block in pages.blocks(readme)] for readme in READMES)

    assert english == chinese


def test_both_have_the_same_code_but_for_comments() -> None:
    english, chinese = (
        [re.sub(r"  # .*", "", body) for body in bodies(readme, "python")] for readme in READMES
    )

    assert english == chinese


@pytest.mark.parametrize("readme", READMES)
def test_every_relative_link_resolves(readme: str) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", pages.prose(readme))
    relative = [target.partition("#")[0] for target in targets if "://" not in target]

    assert relative
    assert [target for target in relative if not (pages.ROOT / target).is_file()] == []
