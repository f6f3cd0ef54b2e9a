"""What a page of the documentation shows as output is what comes out.

Sybil runs the Python of each page; here its ``text`` blocks are held against what is printed before
them, by its Python or by the commands of a ``console`` block.
"""

from __future__ import annotations

import re
from contextlib import redirect_stderr, redirect_stdout
from doctest import DocTestParser
from io import StringIO
from pathlib import Path
from typing import Any

import pages
import pytest

import salesfunnel
from salesfunnel import errors, metrics

METRICS = "docs/reference/metrics"

SHOWING = sorted(
    str(path.relative_to(pages.ROOT))
    for path in (pages.ROOT / "docs").rglob("*.md")
    if re.search(r"(?m)^(```text|\$ salesfunnel )", path.read_text(encoding="utf-8"))
)


def run_python(body: str, namespace: dict[str, Any]) -> None:
    examples = DocTestParser().get_examples(body)
    if not examples:
        exec(body, namespace)  # noqa: S102 - our own pages
    for example in examples:
        if example.exc_msg is None:
            exec(compile(example.source, "<page>", "single"), namespace)  # noqa: S102


@pytest.mark.parametrize("page", SHOWING)
def test_a_page_shows_what_comes_out(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    namespace: dict[str, Any] = {}
    printed, failed = "", False
    for block in pages.blocks(page):
        where = f"{page}, line {block.line}"
        if block.kind == "text":
            assert block.body in printed, f"{where}: not what was printed before"
            failed = False  # an error that is shown is meant
            continue
        assert not failed, f"{where}: the command before failed: {printed}"
        with redirect_stdout(StringIO()) as out, redirect_stderr(out):
            if block.kind == "python":
                run_python(block.body, namespace)
            elif block.kind == "console":
                failed = any(pages.run(command) for command in pages.commands(block.body))
        printed = out.getvalue()
    assert not failed, f"{page}: its last command failed: {printed}"


# ── the hand-written parts of the reference leave nothing out ─────────────────────────────────────


def test_the_reference_names_every_public_name() -> None:
    named = set(re.findall(r"`sf\.(\w+)`", pages.read("docs/reference/salesfunnel.md")))

    assert named == {*salesfunnel.__all__, "__version__"}


def test_the_reference_names_every_error() -> None:
    tree, *_ = pages.blocks("docs/reference/errors.md")
    named = set(re.findall(r"\b(\w+Error)\b", re.sub(r"\(.*?\)", "", tree.body)))

    assert named == {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.SalesFunnelError)
    }


def test_the_reference_describes_every_metric_once_and_lists_it() -> None:
    listed = re.findall(r"(?m)^\| \[`(\w+)`\]\((\w+)\.md\)", pages.read(f"{METRICS}/index.md"))
    described = [
        (name, page.stem)
        for page in (pages.ROOT / METRICS).glob("*.md")
        for name in re.findall(r"(?m)^\.\. autofunction:: (\w+)", page.read_text(encoding="utf-8"))
    ]

    assert sorted(listed) == sorted(described)
    public = [name for name in metrics.__all__ if not isinstance(getattr(metrics, name), type)]
    assert sorted(name for name, _ in described) == sorted(public)


@pytest.mark.parametrize("command", ["report", "table", "check", "convert", "demo"])
def test_the_reference_names_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert pages.run([command, "--help"]) == 0
    offered = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}

    named = set()
    for row in re.findall(r"(?m)^\| `--.*\|$", pages.read("docs/reference/command-line.md")):
        option, *commands, _ = row.strip("| ").split(" | ")
        # Those about the file have no column that says whose they are.
        of = commands[0] if commands else "report, table, check, convert"
        if of == "all" or command in of.split(", "):
            named |= set(re.findall(r"`(--[a-z-]+)", option))
    assert offered == named
